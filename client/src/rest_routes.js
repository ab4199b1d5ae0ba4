/** The routes of the REST API: made by tools/rest-routes.mjs of doc/openapi.json, not by hand. */

/**
 * @typedef {(number | string | { d: number })[]} Op
 * @typedef {'viewer' | 'commenter' | 'editor' | 'owner'} Role
 * @typedef {{ documentId: string, title: string, owner: string, role: Role, version: number, sequenceId: number, life: string, length: number, floorVersion: number, snapshotVersion: number, createdAt: string, updatedAt: string }} Document
 * @typedef {{ documentId: string, title: string, role: Role, version: number, length: number, createdAt: string, updatedAt: string }} ListedDocument
 * @typedef {{ version: number, sequenceId: number, operationId: string, userId: string, baseVersion: number, at: string, op: Op }} Operation
 * @typedef {{ version: number, userId: string, at: string, kind: 'insert' | 'delete', pos: number, length: number, content: string }} Change
 * @typedef {{ fromVersion: number, toVersion: number, fromAt: string, toAt: string, edits: number, inserted: number, deleted: number, users: (string)[] }} Bucket
 * @typedef {{ pos: number, content: string, userId: string | null, version: number | null, at: string | null }} Run
 * @typedef {{ version: number, at: string, kind: 'initial' | 'due' | 'named' | 'floor', label: string | null, length: number, labelledBy: string | null, labelledAt: string | null }} Snapshot
 * @typedef {{ userId: string, name: string | null, role: Role, at: string }} Member
 * @typedef {{ userId: string, token?: string, expires?: number }} Login
 * @typedef {{ version: number }} Version
 * @typedef {{ type: string, title: string, status: number, code: string, detail: string }} Problem
 * @typedef {{ etag: string | null }} Tagged what to give as `ifNoneMatch`: null comes, if it is that still
 */

/**
 * @template T
 * @typedef {{ next: null | (() => Promise<T & Paged<T>>) }} Paged asks for the next page, where there is one
 */

/**
 * @typedef {object} Rest
 * @property {(fields?: { limit?: number, before?: string }) => Promise<{ documents: (ListedDocument)[] } & Paged<{ documents: (ListedDocument)[] }>>} myDocuments The documents that list the user as a member, last edited first.
 * @property {(fields?: { title?: string, content?: string, id?: string }) => Promise<{ documentId: string, title: string, role: Role, version: number }>} createDocument Create a document, owned by the user.
 * @property {(id: string) => Promise<Document>} document Everything about a document except its text.
 * @property {(id: string, fields: { title: string }) => Promise<{ documentId: string, title: string }>} renameDocument Change the title; editors.
 * @property {(id: string) => Promise<null>} deleteDocument Permanently delete the document with its history; owners.
 * @property {(id: string, fields?: { version?: number, at?: string, ifNoneMatch?: string }) => Promise<{ documentId: string, version: number, content: string } & Tagged | null>} content The text, current or at a version or at a time.
 * @property {(id: string, fields: { operationId: string, baseVersion: number, op?: Op, operationType?: 'insert' | 'delete' | 'replace', position?: number, payload?: string, length?: number }) => Promise<{ version: number, sequenceId: number, operationId: string, op: Op, duplicate: boolean }>} applyOp Apply an operation made on a version, exactly once by its id; editors. In place of op: operationType, position, payload and length, as in the protocol.
 * @property {(id: string, fields: Version) => Promise<Version>} revert Restore the text of a version, by a new operation; editors.
 * @property {(id: string, fields: { operationId: string }) => Promise<Version>} undo Undo one operation, by a new one; editors.
 * @property {(id: string, fields?: { userId?: string }) => Promise<{ version: number | null }>} undoLast Undo the newest operation of a user, by default the acting user, that is not an undo and not undone; editors.
 * @property {(id: string, fields?: { from?: number, to?: number, limit?: number }) => Promise<{ ops: (Operation)[] } & Paged<{ ops: (Operation)[] }>>} history The operations, one in a row, as they were applied.
 * @property {(id: string, fields?: { from?: number, to?: number, limit?: number }) => Promise<{ changes: (Change)[] } & Paged<{ changes: (Change)[] }>>} changes What the operations did, with inserted and deleted text spelled out. The limit of a page counts versions.
 * @property {(id: string, fields?: { buckets?: number, from?: number, to?: number }) => Promise<{ buckets: (Bucket)[] }>} timeline The operations that made versions, summarised in few rows with equal numbers of operations, for example for a slider over the history.
 * @property {(id: string, fields?: { version?: number, ifNoneMatch?: string, limit?: number, pos?: number }) => Promise<{ version: number, runs: (Run)[] } & Tagged | null>} blame The authors of the text, current or at a version.
 * @property {(id: string, fields: { from: number, to: number }) => Promise<{ fromVersion: number, version: number, op: Op }>} diff The operation that changes one version into another, forward or back.
 * @property {(id: string, fields?: { limit?: number, after?: string }) => Promise<{ snapshots: (Snapshot)[] } & Paged<{ snapshots: (Snapshot)[] }>>} listSnapshots The snapshots.
 * @property {(id: string, fields?: { label?: string | null }) => Promise<{ version: number, label: string | null }>} snapshot Store the current text permanently, optionally with a label in addition to those that the version has; editors.
 * @property {(id: string, fields: { version: number, label: string }) => Promise<null>} removeLabel Remove a label from a version; the snapshot stays; owners.
 * @property {(id: string, fields?: { limit?: number, after?: string }) => Promise<{ members: (Member)[] } & Paged<{ members: (Member)[] }>>} members The members and their roles.
 * @property {(id: string, fields: { userId: string, role: Role }) => Promise<{ userId: string, name: string | null, role: Role }>} shareAny The same for ids that cannot be part of a path.
 * @property {(id: string, fields: { userId: string }) => Promise<null>} unshareAny The same for ids that cannot be part of a path.
 * @property {(id: string, user: string, fields: { role: Role }) => Promise<{ userId: string, name: string | null, role: Role }>} share Give a user a role, or change it; owners.
 * @property {(id: string, user: string) => Promise<null>} unshare Remove a user's role; owners, but any member except the last owner may remove their own.
 * @property {(id: string, fields: { userId: string }) => Promise<{ userId: string, name: string | null, role: Role }>} transferOwnership Make another user an owner and the acting user an editor; owners.
 * @property {(fields: { search: string, limit?: number }) => Promise<{ users: ({ userId: string, name: string })[] }>} searchUsers Accounts whose name begins with a text of two characters or more, or whose address equals it.
 * @property {() => Promise<{ userId: string }>} actingUser The user of the token.
 * @property {(fields: { name: string }) => Promise<{ userId: string, name: string }>} renameUser Change the name of the user's account.
 * @property {(fields: { oldPassword: string, newPassword: string }) => Promise<null>} changePassword Change the password of the user's account.
 * @property {(fields: { name: string, address: string, password: string }) => Promise<Login>} signUp Create an account.
 * @property {(fields: { address: string, password: string }) => Promise<Login>} logIn Get a token for an address and its password.
 */

/** @type {Record<keyof Rest, string>} */
export const ROUTES = {
  myDocuments: 'GET /v1/docs',
  createDocument: 'POST /v1/docs',
  document: 'GET /v1/docs/{id}',
  renameDocument: 'PATCH /v1/docs/{id}',
  deleteDocument: 'DELETE /v1/docs/{id}',
  content: 'GET /v1/docs/{id}/content',
  applyOp: 'POST /v1/docs/{id}/ops',
  revert: 'POST /v1/docs/{id}/revert',
  undo: 'POST /v1/docs/{id}/undo',
  undoLast: 'POST /v1/docs/{id}/undo-last',
  history: 'GET /v1/docs/{id}/history',
  changes: 'GET /v1/docs/{id}/changes',
  timeline: 'GET /v1/docs/{id}/timeline',
  blame: 'GET /v1/docs/{id}/blame',
  diff: 'GET /v1/docs/{id}/diff',
  listSnapshots: 'GET /v1/docs/{id}/snapshots',
  snapshot: 'POST /v1/docs/{id}/snapshots',
  removeLabel: 'DELETE /v1/docs/{id}/labels',
  members: 'GET /v1/docs/{id}/members',
  shareAny: 'PUT /v1/docs/{id}/members',
  unshareAny: 'DELETE /v1/docs/{id}/members',
  share: 'PUT /v1/docs/{id}/members/{user}',
  unshare: 'DELETE /v1/docs/{id}/members/{user}',
  transferOwnership: 'PUT /v1/docs/{id}/owner',
  searchUsers: 'GET /v1/users',
  actingUser: 'GET /v1/me',
  renameUser: 'PATCH /v1/me',
  changePassword: 'PUT /v1/me/password',
  signUp: 'POST /v1/signup open',
  logIn: 'POST /v1/login open'
}
