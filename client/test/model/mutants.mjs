// Rules that the client keeps, each broken once: a place in its source, and what it says
// when the rule is broken. Schedules must find every one.

const sync = 'core/sync.js'
const state = 'core/state.js'
const keeper = 'offline/keeper.js'
const offline = 'offline/session.js'

/** @type {[string, string, string, string][]} name, file, text, broken text */
export const MUTANTS = [
  // ---- offline ----
  ['what waits is not stored', keeper, 'if (due > now) this.#after(due - now)', 'if (due > now) this.#after(due - now); else if (pending) this.#after(1000)'],
  ['what is typed behind the op in flight is not stored', keeper, 'typed: pile.length > 0 ? [pile] : [] }', 'typed: [] }'],
  ['the op in flight is not stored', sync, 'inflight: sent && { id', 'inflight: null && { id'],
  ['the base is not stored when it moves', keeper, "else if (!this.#text) {\n      this.#since.push(op)", 'else if (!this.#text) {'],
  ['pending is not stored again when the base moves', keeper, 'if (typed === null || !pending) this.#full = true', 'if (!this.#pending || !pending) this.#full = true'],
  ['what is stored is sent before it is stored as in flight', keeper, 'if (this.#inflight === id || (!this.#pending && this.#busy === null)) return null', 'return null'],
  ['what was answered stays stored as in flight under another version', sync, 'pile: print(whole(pile))', 'pile: print(whole(pile)), ...(sent === null && this.lastStored ? { inflight: this.lastStored } : (this.lastStored = sent && { id: sent.id, base: sent.base, op: print(sent.op), now: print(sent.now), more: false }, {}))'],
  ['a conflict on a resend is submitted again', sync, "this.#resynchronize(sent.tries === 1 ? 'out' : 'in')", "this.state = { ...state, sent: { ...sent, id: this.nextId() } }; this.#resynchronize('out')"],
  ['a stored op in flight goes under a new id', sync, 'sent: { id, base, op: parse(op), now: parse(now), more, tries: 1 }', 'sent: { id: this.nextId(), base, op: parse(op), now: parse(now), more, tries: 0 }'],
  ['an op in flight of a session that is taken over is dropped', sync, 'if (inflight) {', 'if (inflight && false) {'],
  ['an owner behind the fence goes on', keeper, "if (error?.name === 'FencedError') {", 'if (false) {'],
  ['an owner behind the fence says nothing of what was not stored', keeper, 'return host.fenced(this.#news > this.#kept)', 'return host.fenced(false)'],
  ['a session that was sent and removed is written again', keeper, 'absent: !this.#exists,', 'absent: true,'],
  ['orphans are left alone', offline, 'this.#adopt().catch', 'Promise.resolve().catch'],
  ['an orphan is forgotten before it is sent', offline, 'else link.start()', 'else keeper.remove().then(done, done)'],
  ['edits are sent again as another user', offline, 'if (this.user === user || this.#beginning) return', 'return'],
  ['what composes to nothing stays stored', keeper, 'if (typed === null || !pending) this.#full = true', 'if (typed === null) this.#full = true'],
  ['an op is not cut below the limit', sync, 'const half = this.#sentBytes() >> 1', 'const half = 0'],
  ['a restored backup is known by its version alone', sync, "...(state.operationId === null ? {} : { operationId: state.operationId, sequenceId: state.sequenceId ?? undefined })", ''],
  ['what nothing is left of is sent', state, "if (what === 'out' && now.length === 0) sent = null", ''],

  // ---- the state ----
  ['an own op is right of others', state, "sent = { ...sent, now: transform(now, op, 'left') }", "sent = { ...sent, now: transform(now, op, 'right') }"],
  ['others are not carried over the op in flight', state, "op = transform(op, now, 'right')", ''],
  ['what was typed is not carried', state, "return [heap([], transform(typed, op, 'left')), transform(op, typed, 'right')]", "return [pile, transform(op, typed, 'right')]"],
  ['what is in flight and what waits are made one', state, 'return { ...state, sent, pile: more ? [rest] : []', 'return { ...state, sent, pile: more ? [rest] : state.pile'],
  ['a snapshot throws away what was typed', state, 'const [pile, over] = carryPile(state.pile, op)\n  return shown({ version', "const [, over] = carryPile(state.pile, op)\n  const pile = []\n  return shown({ version"],
  ['a snapshot does not carry what was sent', state, "const now = transform(sent.now, op, 'left')", 'const now = sent.now'],
  ['what is in the snapshot is sent again', sync, "this.known = pendingVersion <= version ? 'in' : 'as it was'", "this.known = 'out'"],
  ['an op whose fate the server cannot tell goes under a new id', state, "sent = what === 'out' ? { ...sent, base: version", "sent = what === 'out' ? { ...sent, id: sent.id.replace(/^./, digit => digit === '0' ? '1' : '0'), base: version"],
  ['an op goes again as it is now', sync, 'baseVersion: now.base, op: print(now.op) })', 'baseVersion: this.state?.version, op: print(now.now) })'],
  ['a resend has a new id', sync, 'if (state.sent !== null) return this.#resend()', 'if (state.sent !== null) { this.state = { ...state, sent: { ...state.sent, id: this.nextId() } }; return this.#resend() }'],
  ['what is older is taken again', sync, 'else if (entry.version > state.version) {', 'else {'],
  ['what is missing is not noticed', sync, 'if (first !== state.version) return this.#gap()', ''],
  ['a second snapshot is taken with an op under way', sync, 'if (this.lived && state?.sent) return this.#resynchronize(null)', ''],
  ['two ops are under way', sync, 'if (state === null || !this.flowing || this.sending) return', 'if (state === null || !this.flowing) return'],
  ['what is refused is not given back', 'document.js', "if (failed.code !== 'taken_over') this.#events.emit('rejected'", "if (false) this.#events.emit('rejected'"],
  ['what is refused stays in the text', state, 'const step = settle(state, IDENTITY)', 'const step = { state: { ...state, sent: null }, op: IDENTITY, changes: [] }'],
  ['ids are made again by the next session', 'core/ids.js', 'const hex = digits =>', "const hex = digits => '0'.repeat(digits) ||"]
]
