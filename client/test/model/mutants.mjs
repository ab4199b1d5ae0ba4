// Rules that the client keeps, each broken once: a place in its source, and what it says
// when the rule is broken. Schedules must find every one.

const sync = 'core/sync.js'
const restore = 'offline/restore.js'
const state = 'core/state.js'
const keeper = 'offline/keeper.js'
const offline = 'offline/session.js'
const outbox = 'talk/outbox.js'
const said = 'offline/said_keeper.js'

/** @type {[string, string, string, string][]} name, file, text, broken text */
export const MUTANTS = [
  // ---- offline ----
  ['what waits is not stored', keeper, 'if (due > 0) after(due)', 'if (due > 0) after(due)\n    else if (waits) after(1000)'],
  ['what is typed behind the op in flight is not stored', keeper, 'typed: pile.length > 0 ? [pile] : [], text', 'typed: [], text'],
  ['the op in flight is not stored', sync, 'inflight: sent && { ...sent', 'inflight: null && { ...sent'],
  ['the base is not stored when it moves', keeper, "since.push(op) > 1000", "since.length > 1000"],
  ['pending is not stored again when the base moves', keeper, 'if (!op || !waits) full = true', 'if (!pending || !waits) full = true'],
  ['what is stored is sent before it is stored as in flight', keeper, 'if (inflight === sentId(host) || (!pending && !busy)) return null', 'return null'],
  ['what was answered stays stored as in flight under another version', sync, 'pile: print(whole(pile))', 'pile: print(whole(pile)), ...(sent === null && sync.lastStored ? { inflight: sync.lastStored } : (sync.lastStored = sent && { id: sent.id, base: sent.base, op: print(sent.op), now: print(sent.now), more: false }, {}))'],
  ['a conflict on a resend is submitted again', sync, "resynchronize(first ? 'out' : 'in')", "current = { ...state(), sent: { ...sent, id: nextId() } }\n    resynchronize('out')"],
  ['a stored op in flight goes under a new id', restore, 'op: parse(inflight.op), now }', 'op: parse(inflight.op), now, id: nextId() }'],
  ['an op in flight of a session that is taken over is dropped', restore, 'if (inflight) {', 'if (inflight && false) {'],
  ['an owner behind the fence goes on', keeper, "if (error?.name === 'FencedError') {", 'if (false) {'],
  ['an owner behind the fence says nothing of what was not stored', keeper, 'return own.fenced(news > kept)', 'return own.fenced(false)'],
  ['a session that was sent and removed is written again', keeper, 'absent: !exists,', 'absent: true,'],
  ['orphans are left alone', offline, 'found?.adopt(', 'found?.missing?.('],
  ['an orphan is forgotten before it is sent', 'offline/orphan.js', 'if (other.pending) other.link.start()', 'if (other.pending) found.remove().then(done, done)'],
  ['edits are sent again as another user', offline, 'if (user === whose || beginning) return', 'return'],
  ['what composes to nothing stays stored', keeper, 'if (!op || !waits) full = true', 'if (!op) full = true'],
  ['what composes to nothing is not answered', sync, 'if (current.pile.length === 0) empty()', ''],
  ['what others leave nothing of is not answered', sync, 'if (!batch || state().pile.length > 0) return', 'return'],
  ['an op is not cut below the limit', sync, 'const half = sentBytes() >> 1', 'const half = 0'],
  ['a restored backup is known by its version alone', sync, "operationId: operationId || undefined, sequenceId: (operationId && sequenceId) || undefined", ''],
  ['what nothing is left of is sent', state, 'sent: now.length === 0 ? null : {', 'sent: {'],

  // ---- the state ----
  ['an own op is right of others', state, "sent = { ...sent, now: transform(now, op, 'left') }", "sent = { ...sent, now: transform(now, op, 'right') }"],
  ['others are not carried over the op in flight', state, "op = transform(op, now, 'right')", ''],
  ['what was typed is not carried', state, "return [heap([], transform(own, op, 'left')), transform(op, own, 'right')]", "return [pile, transform(op, own, 'right')]"],
  ['what is in flight and what waits are made one', state, 'return { ...state, sent, pile: more ? [rest] : []', 'return { ...state, sent, pile: more ? [rest] : state.pile'],
  ['a snapshot throws away what was typed', state, 'const step = receive(state, difference', 'const step = receive({ ...state, pile: [] }, difference'],
  ['a snapshot does not carry what was sent', state, 'const { now } = carried', 'const { now } = sent'],
  ['what is in the snapshot is sent again', sync, "pendingVersion > version ? 'as it was' : 'in'", "'out'"],
  ['an op whose fate the server cannot tell goes under a new id', state, "{ ...carried, base", "{ ...carried, id: carried.id.replace(/^./, digit => digit === '0' ? '1' : '0'), base"],
  ['an op goes again as it is now', sync, 'baseVersion: base, op: print(op) })', 'baseVersion: state().version, op: print(state().sent.now) })'],
  ['a resend has a new id', sync, 'if (current.sent) return resend()', 'if (current.sent) { current = { ...current, sent: { ...current.sent, id: nextId() } }; return resend() }'],
  ['what is older is taken again', sync, 'else if (entry.version > version) {', 'else {'],
  ['what is missing is not noticed', sync, 'if ((from ?? entry.version - 1) !== version) return link.restart()', ''],
  ['a second snapshot is taken with an op under way', sync, 'if (lived && before?.sent) return resynchronize(null)', ''],
  ['two ops are under way', sync, 'if (!current || !flowing || sending) return', 'if (!current || !flowing) return'],
  ['what is refused is not given back', 'document.js', "if (failed.code !== 'taken_over') this.#events.emit('rejected'", "if (false) this.#events.emit('rejected'"],
  ['what is refused stays in the text', state, 'const step = settle(state, IDENTITY)', 'const step = { state: { ...state, sent: null }, op: IDENTITY, changes: [] }'],
  ['ids are made again by the next session', 'core/ids.js', 'Math.floor(random() * 16)', 'Math.floor(random() * 0)'],

  // ---- talk ----
  ['what is said is sent twice', outbox, 'if (!first || sent || first.hidden || !sync.flowing) return', 'if (!first || first.hidden || !sync.flowing) return'],
  ['what is said and under way is dropped at a reconnect', outbox, '  const halt = () => {', '  const halt = () => {\n    items = items.filter(item => item !== sent)'],
  ['what is said is not frozen', outbox, 'if (message && item.life === sync.life) return message', 'if (message && item.life === sync.life && item.tries === 0) return message'],
  ['what is said is sent before it is stored as it is frozen', outbox, 'const stored = first.loose && keep(first)', 'const stored = null'],
  ['what is said is not stored', outbox, 'const stored = keep(item)', 'const stored = undefined'],
  ['what is said is shown before it is stored', outbox, 'if (!stored || sync.flowing) show(item)', 'if (true) show(item)'],
  ['what was answered stays stored', outbox, 'keeper?.then(found => found?.drop(item))', ''],
  ['what is not about the text is frozen anew', outbox, 'if (!moves) return message', 'if (!moves && item.tries < 2) return message'],
  ['what is refused for a while is forgotten', outbox, "        sent = item\n        wait(", "        remove(item)\n        wait("],
  ['what a tab that is gone had said is taken over and dropped', said, 'for (const item of items) outbox.take(item)', ''],
  ['what tabs that are gone had said is left there', said, 'for (const each of await said.list(whose, id)) {', 'for (const each of []) {'],
  ['what is about text that was gone when it was stored waits for ever', said, ": () => 'gone'", ": () => 'sought'"],
  ['the text that something is about is not stored', said, 'near: item.near, op: item.inner', ''],
  ['what was said of later versions is left out of the first list', 'talk/comments.js', '    return this.#where()\n', '    return this.#where(this.talk.track.version)\n'],
  ['suggestions of later versions are left out of the first list', 'talk/suggestions.js', '    return this.#where()\n', '    return this.#where(this.talk.track.version)\n'],
  ['who comes later takes the first character of a passage for alive', 'talk/comments.js', 'const place = { from, to, alive }', 'const place = { from, to, alive: !orphan }'],
  ['a gap in what is said is not noticed', 'talk/feed.js', 'if (ahead.size > 0 && !busy) wait(', 'if (false) wait(']
]

/** Whether schedules in which people talk find it. @param {string} file */
export const ofTalk = file => /^talk|^offline\/said/.test(file)
