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
 * @typedef {{ type: 'thread' | 'comment' | 'suggest' | 'decide' | 'chat', documentId: string, changed: number, id: string, userId: string, at: string, version?: number | null, from?: number, to?: number, alive?: boolean, length?: number, quote?: string, prefix?: string, suffix?: string, resolvedBy?: string | null, resolvedAt?: string | null, deletedAt?: string | null, threadId?: string, body?: string, editedAt?: string | null, baseVersion?: number, op?: Op, note?: string, status?: 'open' | 'accepted' | 'rejected' | 'withdrawn', decidedBy?: string | null, decidedAt?: string | null }} TalkEvent
 * @typedef {{ id: string, from: number, to: number, orphan: boolean, alive: boolean, quote: string, length: number, prefix: string, suffix: string, resolved: boolean, resolvedBy: string | null, resolvedAt: string | null, userId: string, at: string, madeVersion: number, changed: number, comments: (TalkEvent)[] }} Thread
 * @typedef {{ id: string, op: Op, stale: boolean, note: string, userId: string, at: string, baseVersion: number, changed: number }} Suggestion
 * @typedef {{ userId: string, name: string | null, role: Role, at: string }} Member
 * @typedef {{ userId: string, token?: string, expires?: number }} Login
 * @typedef {{ kind: 'kept' | 'deleted' | 'inserted', fromPos: number, toPos: number, content: string }} Passage
 * @typedef {{ documentId?: string, userId: string, fromVersion: number, toVersion: number, fromAt: string, toAt: string, edits: number, inserted: number, deleted: number }} Session
 * @typedef {{ fromVersion: number, toVersion: number | null, pos: number, lastPos: number, insertedBy: string | null, deletedBy: string | null, insertedAt: string, deletedAt: string | null }} Occurrence
 * @typedef {{ version: number }} Version
 * @typedef {{ type: string, title: string, status: number, code: string, detail: string }} Problem
 * @typedef {{ etag: string | null }} Tagged what to give as `ifNoneMatch`: null comes, if it is that still
 */

/**
 * @template T
 * @typedef {{ next: null | (() => Promise<T & Paged<T>>), all: () => Promise<T> }} Paged asks for the next page, where there is one, or reads all there are
 */

/**
 * @typedef {object} Rest
 * @property {(fields?: { search?: string, limit?: number, before?: string }) => Promise<{ documents: (ListedDocument)[] } & Paged<{ documents: (ListedDocument)[] }>>} myDocuments The documents that list the user as a member, last edited first.
 * @property {(fields?: { title?: string, content?: string, id?: string }) => Promise<{ documentId: string, title: string, role: Role, version: number }>} createDocument Create a document, owned by the user.
 * @property {(id: string) => Promise<Document>} document Everything about a document except its text.
 * @property {(id: string, fields: { title: string }) => Promise<{ documentId: string, title: string }>} renameDocument Change the title; editors.
 * @property {(id: string) => Promise<null>} deleteDocument Permanently delete the document with its history; owners.
 * @property {(id: string, fields?: { version?: number, at?: string, ifNoneMatch?: string }) => Promise<{ documentId: string, version: number, content: string } & Tagged | null>} content The text, current or at a version or at a time; alone, if Accept names text/plain and JSON not before it.
 * @property {(id: string, fields: { baseVersion?: number, ifMatch?: string, content: string }) => Promise<{ documentId: string, version: number }>} setContent Give the document this text, by one operation of what differs; editors.
 * @property {(id: string, fields: { from: string, to: string }) => Promise<Version>} replaceAll Replace a text by another wherever it occurs, by one operation; editors.
 * @property {(id: string, fields: { operationId: string, baseVersion: number, op?: Op, operationType?: 'insert' | 'delete' | 'replace', position?: number, payload?: string, length?: number }) => Promise<{ version: number, sequenceId: number, operationId: string, op: Op, duplicate: boolean }>} applyOp Apply an operation made on a version, exactly once by its id; editors. In place of op: operationType, position, payload and length, as in the protocol.
 * @property {(id: string, fields: Version) => Promise<Version>} revert Restore the text of a version, by a new operation; editors.
 * @property {(id: string, fields: { operationId: string }) => Promise<Version>} undo Undo one operation, by a new one; editors.
 * @property {(id: string, fields?: { userId?: string }) => Promise<{ version: number | null }>} undoLast Undo the newest operation of a user, by default the acting user, that is not an undo and not undone; editors.
 * @property {(id: string, fields: { fromVersion: number, toVersion: number, userId?: string | null }) => Promise<Version>} undoRange Undo the operations that made a range of versions, by one new operation; editors.
 * @property {(id: string, fields: { version: number, from: number, to: number }) => Promise<Version>} restoreText Restore the text of a passage at a version where the passage is now; editors.
 * @property {(id: string, fields?: { content?: string | null, version?: number, from?: number, to?: number, replacement?: string }) => Promise<{ replaced: number }>} redact Replace the characters of a text wherever it occurs or occurred, or of a passage of a version, each by another one; owners.
 * @property {(id: string, fields?: { from?: number, to?: number, limit?: number }) => Promise<{ ops: (Operation)[] } & Paged<{ ops: (Operation)[] }>>} history The operations, one in a row, as they were applied.
 * @property {(id: string, fields?: { from?: number, to?: number, limit?: number }) => Promise<{ changes: (Change)[] } & Paged<{ changes: (Change)[] }>>} changes What the operations did, with inserted and deleted text spelled out. The limit of a page counts versions.
 * @property {(id: string, fields?: { buckets?: number, from?: number, to?: number }) => Promise<{ buckets: (Bucket)[] }>} timeline The operations that made versions, summarised in few rows with equal numbers of operations, for example for a slider over the history.
 * @property {(id: string, fields: { content: string, limit?: number, after?: number }) => Promise<{ occurrences: (Occurrence)[] } & Paged<{ occurrences: (Occurrence)[] }>>} occurrences Where and when a text came and went.
 * @property {(id: string, fields?: { gap?: number, since?: string, limit?: number, before?: number }) => Promise<{ sessions: (Session)[] } & Paged<{ sessions: (Session)[] }>>} activity Sessions of work on a document, the newest first.
 * @property {(id: string, fields?: { version?: number, ifNoneMatch?: string, limit?: number, pos?: number }) => Promise<{ version: number, runs: (Run)[] } & Paged<{ version: number, runs: (Run)[] }> & Tagged | null>} blame The authors of the text, current or at a version.
 * @property {(id: string, fields: { from: number, to: number }) => Promise<{ fromVersion: number, version: number, op: Op }>} diff The operation that changes one version into another, forward or back.
 * @property {(id: string, fields: { from: number, to: number, unit?: 'characters' | 'lines' }) => Promise<{ fromVersion: number, version: number, rows: (Passage)[] }>} diffRows The difference of two versions in passages, with their text.
 * @property {(id: string, fields: { from: number, to: number, context?: number }) => Promise<{ fromVersion: number, version: number, diff: string }>} unifiedDiff The difference of two versions, as patch takes it; alone, if Accept names text/plain and JSON not before it.
 * @property {(id: string, fields?: { limit?: number, after?: string }) => Promise<{ snapshots: (Snapshot)[] } & Paged<{ snapshots: (Snapshot)[] }>>} listSnapshots The snapshots.
 * @property {(id: string, fields?: { label?: string | null }) => Promise<{ version: number, label: string | null }>} snapshot Store the current text permanently, optionally with a label in addition to those that the version has; editors.
 * @property {(id: string, fields: { version: number, label: string }) => Promise<null>} removeLabel Remove a label from a version; the snapshot stays; owners.
 * @property {(id: string, fields?: { limit?: number, after?: string }) => Promise<{ members: (Member)[] } & Paged<{ members: (Member)[] }>>} members The members and their roles.
 * @property {(id: string, fields: { userId: string, role: Role }) => Promise<{ userId: string, name: string | null, role: Role }>} shareAny The same for ids that cannot be part of a path.
 * @property {(id: string, fields: { userId: string }) => Promise<null>} unshareAny The same for ids that cannot be part of a path.
 * @property {(id: string, user: string, fields: { role: Role }) => Promise<{ userId: string, name: string | null, role: Role }>} share Give a user a role, or change it; owners.
 * @property {(id: string, user: string) => Promise<null>} unshare Remove a user's role; owners, but any member except the last owner may remove their own.
 * @property {(id: string, fields: { userId: string }) => Promise<{ userId: string, name: string | null, role: Role }>} transferOwnership Make another user an owner and the acting user an editor; owners.
 * @property {(id: string, fields?: { since?: number, limit?: number }) => Promise<{ changed: number, events: (TalkEvent)[] } & Paged<{ changed: number, events: (TalkEvent)[] }>>} talkEvents What came or changed after a change: threads, comments, suggestions and messages as events.
 * @property {(id: string, fields?: { version?: number, limit?: number, after?: string }) => Promise<{ version: number, changed: number, threads: (Thread)[] } & Paged<{ version: number, changed: number, threads: (Thread)[] }>>} threadsAt The threads that are not deleted with their comments, and where their passages are at a version.
 * @property {(id: string, fields: { body: string, from: number, to: number, version?: number | null, threadId?: string | null, id?: string | null }) => Promise<{ threadId: string, id: string, events: (TalkEvent)[] }>} comment Begin a thread with a comment on a passage; commenters.
 * @property {(id: string, thread: string, fields: { resolved: boolean }) => Promise<TalkEvent>} resolveThread Resolve a thread, or open it again; the user who began it, and editors.
 * @property {(id: string, thread: string, fields: { body: string, id?: string | null }) => Promise<TalkEvent>} reply Add a comment to a thread; commenters.
 * @property {(id: string, comment: string, fields: { body: string }) => Promise<TalkEvent>} editComment Change the text of a comment; its author.
 * @property {(id: string, comment: string) => Promise<null>} deleteComment Delete a comment; its author, and owners.
 * @property {(id: string, fields?: { version?: number, limit?: number, after?: string }) => Promise<{ version: number, changed: number, suggestions: (Suggestion)[] } & Paged<{ version: number, changed: number, suggestions: (Suggestion)[] }>>} suggestionsAt The open suggestions, as they are at a version.
 * @property {(id: string, fields: { baseVersion: number, op: Op, note?: string | null, id?: string | null }) => Promise<TalkEvent>} suggest Propose an operation; commenters.
 * @property {(id: string, suggestion: string) => Promise<null>} withdrawSuggestion Take back a suggestion; its author.
 * @property {(id: string, suggestion: string, fields: { accept: boolean }) => Promise<TalkEvent>} decideSuggestion Accept or reject a suggestion; editors.
 * @property {(id: string, fields: { ids: (string)[], accept: boolean }) => Promise<{ suggestions: ({ id: string, version: number | null })[] }>} decideSuggestions Decide several suggestions in this order, all or none; editors.
 * @property {(id: string, fields?: { before?: string, limit?: number }) => Promise<{ changed: number, messages: (TalkEvent)[] } & Paged<{ changed: number, messages: (TalkEvent)[] }>>} messagesBefore The chat, the newest message first.
 * @property {(id: string, fields: { body: string, id?: string | null }) => Promise<TalkEvent>} say Say something in the chat; commenters.
 * @property {(id: string) => Promise<{ lastRead: number, messages: number, comments: number, mentions: number }>} unread How far the user has read, and what came of others since.
 * @property {(id: string, fields: { changed: number }) => Promise<{ lastRead: number }>} markRead Note that the user has read everything up to a change.
 * @property {(id: string, fields?: { version?: number, withHistory?: boolean, id?: string }) => Promise<{ documentId: string }>} fork Copy the text of a version, or the history up to it, to a new document of the user's.
 * @property {(id: string) => Promise<{ data: string }>} exportDocument The document with its whole history, in base64.
 * @property {(fields: { data: string, title?: string | null }) => Promise<{ documentId: string }>} importCopy Create a document of the user's from an export; authors get imported: in front.
 * @property {(fields: { search: string, limit?: number }) => Promise<{ users: ({ userId: string, name: string })[] }>} searchUsers Accounts whose name begins with a text of two characters or more, or whose address equals it.
 * @property {(fields?: { limit?: number }) => Promise<{ documents: ({ documentId: string, title: string, version: number, length: number, bytes: number, packBytes: number, snapshotBytes: number, logBytes: number, hotOps: number, snapshotLag: number, updatedAt: string })[] }>} largestDocuments The documents that take most room, of all there are; operators.
 * @property {() => Promise<{ userId: string }>} actingUser The user of the token.
 * @property {(fields: { name: string }) => Promise<{ userId: string, name: string }>} renameUser Change the name of the user's account.
 * @property {() => Promise<null>} eraseMe Delete the user's account and the documents that only they are a member of, and replace their id in all others.
 * @property {(fields?: { since?: string, gap?: number, author?: string, limit?: number }) => Promise<{ sessions: (Session)[] }>} myActivity Sessions of work on the user's own documents, the newest first.
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
  setContent: 'PUT /v1/docs/{id}/content',
  replaceAll: 'POST /v1/docs/{id}/replace',
  applyOp: 'POST /v1/docs/{id}/ops',
  revert: 'POST /v1/docs/{id}/revert',
  undo: 'POST /v1/docs/{id}/undo',
  undoLast: 'POST /v1/docs/{id}/undo-last',
  undoRange: 'POST /v1/docs/{id}/undo-range',
  restoreText: 'POST /v1/docs/{id}/restore',
  redact: 'POST /v1/docs/{id}/redact',
  history: 'GET /v1/docs/{id}/history',
  changes: 'GET /v1/docs/{id}/changes',
  timeline: 'GET /v1/docs/{id}/timeline',
  occurrences: 'GET /v1/docs/{id}/occurrences',
  activity: 'GET /v1/docs/{id}/activity',
  blame: 'GET /v1/docs/{id}/blame',
  diff: 'GET /v1/docs/{id}/diff',
  diffRows: 'GET /v1/docs/{id}/diff-rows',
  unifiedDiff: 'GET /v1/docs/{id}/unified-diff',
  listSnapshots: 'GET /v1/docs/{id}/snapshots',
  snapshot: 'POST /v1/docs/{id}/snapshots',
  removeLabel: 'DELETE /v1/docs/{id}/labels',
  members: 'GET /v1/docs/{id}/members',
  shareAny: 'PUT /v1/docs/{id}/members',
  unshareAny: 'DELETE /v1/docs/{id}/members',
  share: 'PUT /v1/docs/{id}/members/{user}',
  unshare: 'DELETE /v1/docs/{id}/members/{user}',
  transferOwnership: 'PUT /v1/docs/{id}/owner',
  talkEvents: 'GET /v1/docs/{id}/talk',
  threadsAt: 'GET /v1/docs/{id}/threads',
  comment: 'POST /v1/docs/{id}/threads',
  resolveThread: 'PATCH /v1/docs/{id}/threads/{thread}',
  reply: 'POST /v1/docs/{id}/threads/{thread}/comments',
  editComment: 'PATCH /v1/docs/{id}/comments/{comment}',
  deleteComment: 'DELETE /v1/docs/{id}/comments/{comment}',
  suggestionsAt: 'GET /v1/docs/{id}/suggestions',
  suggest: 'POST /v1/docs/{id}/suggestions',
  withdrawSuggestion: 'DELETE /v1/docs/{id}/suggestions/{suggestion}',
  decideSuggestion: 'POST /v1/docs/{id}/suggestions/{suggestion}/decision',
  decideSuggestions: 'POST /v1/docs/{id}/decisions',
  messagesBefore: 'GET /v1/docs/{id}/messages',
  say: 'POST /v1/docs/{id}/messages',
  unread: 'GET /v1/docs/{id}/read',
  markRead: 'PUT /v1/docs/{id}/read',
  fork: 'POST /v1/docs/{id}/fork',
  exportDocument: 'GET /v1/docs/{id}/export',
  importCopy: 'POST /v1/import',
  searchUsers: 'GET /v1/users',
  largestDocuments: 'GET /v1/operator/documents',
  actingUser: 'GET /v1/me',
  renameUser: 'PATCH /v1/me',
  eraseMe: 'DELETE /v1/me',
  myActivity: 'GET /v1/me/activity',
  changePassword: 'PUT /v1/me/password',
  signUp: 'POST /v1/signup open',
  logIn: 'POST /v1/login open'
}
