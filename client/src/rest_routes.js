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
 * @property {(fields?: { limit?: number, before?: string }) => Promise<{ documents: (ListedDocument)[] } & Paged<{ documents: (ListedDocument)[] }>>} myDocuments The documents one is a member of, the last edited first.
 * @property {(fields?: { title?: string, content?: string, id?: string }) => Promise<{ documentId: string, title: string, role: Role, version: number }>} createDocument Make a document; whoever asks owns it.
 * @property {(id: string) => Promise<Document>} document All about a document but its text.
 * @property {(id: string, fields: { title: string }) => Promise<{ documentId: string, title: string }>} renameDocument Give it another title; editors.
 * @property {(id: string) => Promise<null>} deleteDocument Delete it with its history, for good; owners.
 * @property {(id: string, fields?: { version?: number, at?: string, ifNoneMatch?: string }) => Promise<{ documentId: string, version: number, content: string } & Tagged | null>} content The text, as it is now, at a version or at a moment.
 * @property {(id: string, fields: { operationId: string, baseVersion: number, op?: Op, operationType?: 'insert' | 'delete' | 'replace', position?: number, payload?: string, length?: number }) => Promise<{ version: number, sequenceId: number, operationId: string, op: Op, duplicate: boolean }>} applyOp Apply an operation made on a version, exactly once by its id; editors. In place of op: operationType, position, payload and length, as in the protocol.
 * @property {(id: string, fields: Version) => Promise<Version>} revert Make the text what it was at a version, by a new operation; editors.
 * @property {(id: string, fields: { operationId: string }) => Promise<Version>} undo Take back what one operation did, by a new one; editors.
 * @property {(id: string, fields?: { userId?: string }) => Promise<{ version: number | null }>} undoLast Undo the newest operation of a user, one's own where none is named, that is no undo and not undone; editors.
 * @property {(id: string, fields?: { from?: number, to?: number, limit?: number }) => Promise<{ ops: (Operation)[] } & Paged<{ ops: (Operation)[] }>>} history The operations, one a row, as they were applied.
 * @property {(id: string, fields?: { from?: number, to?: number, limit?: number }) => Promise<{ changes: (Change)[] } & Paged<{ changes: (Change)[] }>>} changes What the operations did, with inserted and deleted text spelled out. A page has so many versions.
 * @property {(id: string, fields?: { buckets?: number, from?: number, to?: number }) => Promise<{ buckets: (Bucket)[] }>} timeline The operations that made versions, in few rows of equal numbers of operations: what a slider over the history needs.
 * @property {(id: string, fields?: { version?: number, ifNoneMatch?: string }) => Promise<{ version: number, runs: (Run)[] } & Tagged | null>} blame Who wrote what of the text, as it is now or at a version.
 * @property {(id: string, fields: { from: number, to: number }) => Promise<{ fromVersion: number, version: number, op: Op }>} diff The operation that leads from one version to another, forward or back.
 * @property {(id: string) => Promise<{ snapshots: (Snapshot)[] }>} listSnapshots The snapshots there are.
 * @property {(id: string, fields?: { label?: string | null }) => Promise<{ version: number, label: string | null }>} snapshot Keep the text as it is now, for good, under a label if you like, beside those that the version has; editors.
 * @property {(id: string, fields: { version: number, label: string }) => Promise<null>} removeLabel Take a label away from a version, whose text stays; owners.
 * @property {(id: string) => Promise<{ members: (Member)[] }>} members Who has which role.
 * @property {(id: string, fields: { userId: string, role: Role }) => Promise<{ userId: string, name: string | null, role: Role }>} shareAny The same for ids that cannot stand in a path.
 * @property {(id: string, fields: { userId: string }) => Promise<null>} unshareAny The same for ids that cannot stand in a path.
 * @property {(id: string, user: string, fields: { role: Role }) => Promise<{ userId: string, name: string | null, role: Role }>} share Give a user a role, or another one; owners.
 * @property {(id: string, user: string) => Promise<null>} unshare Take a user's role away; owners, but anybody may leave, save the last owner.
 * @property {(id: string, fields: { userId: string }) => Promise<{ userId: string, name: string | null, role: Role }>} transferOwnership Make another user an owner and oneself an editor; owners.
 * @property {(fields: { search: string, limit?: number }) => Promise<{ users: ({ userId: string, name: string })[] }>} searchUsers Accounts whose name begins with a text of two characters or more, or whose address it is.
 * @property {() => Promise<{ userId: string }>} actingUser Whose token this is.
 * @property {(fields: { name: string }) => Promise<{ userId: string, name: string }>} renameUser Give one's account another name.
 * @property {(fields: { oldPassword: string, newPassword: string }) => Promise<null>} changePassword Give one's account another password.
 * @property {(fields: { name: string, address: string, password: string }) => Promise<Login>} signUp Make an account.
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
