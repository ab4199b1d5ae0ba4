// Who may do what: a row for each thing that can be asked for, an outcome for each kind
// of person. roles.test.mjs tries every cell, and proves that no row is missing.
//
// An outcome is `ok`, or what the refusal says: for SQL the SQLSTATE, or `none` where
// rows are hidden; for a WebSocket the code of the close or of the reject; for HTTP the
// status.

import crypto from 'node:crypto'
import { sql } from './pg.mjs'
import { newId } from './raw.mjs'
import { until } from './wait.mjs'

// Who asks: his name, and the document he asks about. Nobody shows no token; in SQL he
// is the role whose name means everyone, which cannot act.
export const people = {
  nobody: { user: '*', place: 'closed' },
  stranger: { user: 'eve', place: 'closed' },
  viewer: { user: 'dan', place: 'closed' },
  commenter: { user: 'cleo', place: 'closed' },
  editor: { user: 'ben', place: 'closed' },
  owner: { user: 'ann é', place: 'closed' },
  everyone: { user: 'zoë', place: 'open' } // no member by name, where '*' is a viewer
}

//              nobody stranger viewer commenter editor owner everyone
const all = '   ok     ok       ok     ok        ok     ok    ok'
const acting = 'OT002  ok       ok     ok        ok     ok    ok'
const reads = ' OT002  OT002    ok     ok        ok     ok    ok'
const says = '  OT002  OT002    OT002  ok        ok     ok    OT002'
const writes = 'OT002  OT002    OT002  OT002     ok     ok    OT002'
const owns = '  OT002  OT002    OT002  OT002     OT002  ok    OT002'
const closed = '42501  42501    42501  42501     42501  42501 42501'

// Every function of the schema: its signature, the arguments of the call ($doc is the
// document), the outcomes.
export const functions = [
  // documents
  ['create_document(text,text,uuid)', "'é', '😀'", acting],
  ['document(uuid)', '$doc', reads],
  ['my_documents(integer,timestamp with time zone,uuid,text)', '', acting],
  ['rename_document(uuid,text)', "$doc, 'é'", writes],
  ['delete_document(uuid)', '$doc', owns],
  ['fork(uuid,bigint,boolean,uuid)', '$doc', reads],
  ['export_document(uuid)', '$doc', reads],
  ['move_out(uuid)', '$doc', owns],
  ['begin_move(uuid)', '$doc', owns],
  ['import_copy(bytea,text)', "''", '22023 22023 22023 22023 22023 22023 22023'],
  ['export_description(bytea)', "''", '22023 22023 22023 22023 22023 22023 22023'],
  ['document_tables()', '', all],
  ['import_document(bytea,uuid)', "''", closed],
  ['describe_document(uuid,bigint)', '$doc, 1', closed],
  ['export_log(uuid,bigint,text)', "$doc, 1, ''", closed],
  ['import_log(uuid,bytea,bigint,bigint,bigint,timestamp with time zone,bigint,text)', "$doc, '', 1, 0, 0, now(), 1, ''", closed],
  ['copy_log(uuid,uuid,bigint,bigint,bigint,timestamp with time zone,bigint)', '$doc, $doc, 1, 0, 0, now(), 1', closed],
  ['import_snapshot(uuid,bigint,text,timestamp with time zone,bigint)', "$doc, 1, 'named', now(), 1", closed],
  ['receive_document(jsonb,bytea,uuid,uuid,text[],text)', "'{}', '', $doc, $doc, '{}', ''", closed],
  ['apply_op(uuid,uuid,bigint,op)', `$doc, gen_random_uuid(), 0, '["é"]'`, writes],
  ['edit(uuid,op)', `$doc, '["é"]'`, writes],
  ['set_content(uuid,text,bigint)', "$doc, 'é'", writes],
  ['put_content(uuid,text,bigint,text)', "$doc, 'é', NULL, NULL", writes],
  ['replace_all(uuid,text,text)', "$doc, 'é', 'è'", writes],
  ['replace_in_all(uuid[],text,text)', "ARRAY[$doc], 'é', 'è'", writes],
  ['content(uuid)', '$doc', reads],
  ['version_at(uuid,timestamp with time zone)', '$doc, clock_timestamp()', reads],
  ['content_at(uuid,bigint)', '$doc, 0::bigint', reads],
  ['content_at(uuid,timestamp with time zone)', '$doc, clock_timestamp()', reads],
  ['content_at(uuid,text)', "$doc, '0'::text", reads],
  ['open_document(uuid,bigint,uuid,uuid)', '$doc, 0', reads],
  // the past
  ['history(uuid,bigint,bigint)', '$doc', reads],
  ['changes(uuid,bigint,bigint)', '$doc', reads],
  ['blame(uuid,bigint)', '$doc', reads],
  ['occurrences(uuid,text)', "$doc, 'é'", reads],
  ['my_occurrences(text,integer)', "'é'", acting],
  ['diff(uuid,bigint,bigint)', '$doc, 0, 1', reads],
  ['diff_rows(uuid,bigint,bigint,text)', '$doc, 0, 1', reads],
  ['unified_diff(uuid,bigint,bigint,integer)', '$doc, 0, 1', reads],
  ['timeline(uuid,integer,bigint,bigint)', '$doc', reads],
  ['activity(uuid,interval,timestamp with time zone)', '$doc', reads],
  ['my_activity(interval,timestamp with time zone,text)', '', acting],
  ['revert(uuid,bigint)', '$doc, 0', writes],
  ['undo(uuid,uuid)', '$doc, $op', writes],
  ['undo_last(uuid,text)', '$doc', writes],
  ['undo_range(uuid,bigint,bigint,text)', '$doc, 1, 1', writes],
  ['restore_text(uuid,bigint,bigint,bigint)', '$doc, 0, 0, 1', writes],
  ['snapshot(uuid,text)', '$doc', writes],
  ['list_snapshots(uuid)', '$doc', reads],
  ['remove_label(uuid,bigint,text)', "$doc, 0, 'no such label'", owns.replace('ok', 'P0002')],
  ['verify(uuid)', '$doc', reads],
  ['hooks_of(text)', "'none'", all],
  ['run_hooks()', '', '42804 42804 42804 42804 42804 42804 42804'],
  ['arm_hooks()', '', '42804 42804 42804 42804 42804 42804 42804'],
  ['add_hook(text,regprocedure)', "'after_op', 'converge.my_role(uuid)'", closed],
  ['drop_hook(text,regprocedure)', "'after_op', 'converge.my_role(uuid)'", closed],
  ['run_pause_hooks(interval,integer)', '', closed],
  ['stored_text(uuid,bigint)', '$doc, 0', closed],
  ['pack(uuid,bigint)', '$doc', owns],
  ['prune(uuid,bigint)', '$doc, 0', owns],
  // talk
  ['comment(uuid,text,bigint,bigint,bigint,uuid,uuid)', "$doc, 'é', 0, 1", says],
  ['reply(uuid,uuid,text,uuid)', "$doc, converge.comment($doc, 'é', 0, 1), 'é'", says],
  ['edit_comment(uuid,uuid,text)', "$doc, converge.reply($doc, converge.comment($doc, 'é', 0, 1), 'é'), '😀'", says],
  ['delete_comment(uuid,uuid)', "$doc, converge.reply($doc, converge.comment($doc, 'é', 0, 1), 'é')", says],
  ['resolve_thread(uuid,uuid,boolean)', "$doc, converge.comment($doc, 'é', 0, 1)", says],
  ['threads_at(uuid,bigint)', '$doc', reads],
  ['list_comments(uuid,uuid)', '$doc', reads],
  ['suggest(uuid,bigint,op,text,uuid)', `$doc, 0, '["é"]'`, says],
  ['suggestions_at(uuid,bigint)', '$doc', reads],
  ['decide_suggestion(uuid,uuid,boolean)', `$doc, converge.suggest($doc, 0, '["é"]'), true`, writes],
  ['decide_suggestions(uuid,uuid[],boolean)', "$doc, '{}', true", writes],
  ['withdraw_suggestion(uuid,uuid)', `$doc, converge.suggest($doc, 0, '["é"]')`, says],
  ['say(uuid,text,uuid)', "$doc, 'é'", says],
  ['messages_before(uuid,text,integer)', '$doc', reads],
  ['messages_before(uuid,uuid,integer)', '$doc, NULL::uuid', reads],
  ['messages_before(uuid,timestamp with time zone,integer)', '$doc, clock_timestamp()', reads],
  ['mark_read(uuid,bigint)', '$doc, 0', reads],
  ['unread(uuid)', '$doc', reads],
  ['talk_events(uuid,bigint,integer)', '$doc', reads],
  ['talk_changed(uuid)', '$doc', reads],
  ['talk_problems(uuid)', '$doc', reads],
  ['talk_rows(uuid,uuid[])', "$doc, '{}'", reads],
  ['talk_answer(uuid,uuid[])', "$doc, '{}'", reads],
  ['check_suggestion(uuid,bigint,op)', `$doc, 0, '["é"]'`, reads],
  ['carry_ops(uuid,bigint,bigint[],op[])', "$doc, 0, '{}', '{}'", reads],
  ['carry_ranges(uuid,bigint,bigint[],bigint[],bigint[],bigint[],text[],text[],text[],boolean[])', "$doc, 0, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'", reads],
  ['redact(uuid,text,text)', "$doc, 'é'", owns],
  ['redact_range(uuid,bigint,bigint,bigint,text)', '$doc, 0, 0, 1', owns],
  ['redact_op(op,text,text)', "'[]', 'é', 'x'", all],
  ['personal_columns()', '', all],
  ['erase_me()', '', acting],
  ['erase_user(text,text)', "'fred'", closed],
  ['redact_log(uuid,text,bigint,bigint,bigint,text)', "$doc, 'é', 0, 0, 0, 'x'", closed],
  ['redact_quotes(uuid,text)', "$doc, 'x'", closed],
  ['as_change(text)', "'threads'", all],
  ['redacted_pattern(text,text)', "'é', 'x'", all],
  ['redact_texts(uuid,text,text)', "$doc, 'é', 'x'", closed],
  ['renew_document(uuid)', '$doc', closed],
  ['has_author(uuid,text)', "$doc, 'fred'", closed],
  ['erase_author(uuid,text,text)', "$doc, 'fred', 'x'", closed],
  ['erase_member(uuid,text,text)', "$doc, 'fred', 'x'", closed],
  // access
  ['acting_user()', '', acting],
  ['my_role(uuid)', '$doc', acting],
  ['may_read(uuid)', '$doc', acting],
  ['require_role(uuid,role)', "$doc, 'commenter'", says],
  ['relay_lives(uuid)', '$doc', all],
  ['members(uuid)', '$doc', reads],
  ['share(uuid,text,role)', "$doc, 'fred', 'viewer'", owns],
  ['unshare(uuid,text)', "$doc, 'fred'", owns],
  ['transfer_ownership(uuid,text)', "$doc, 'fred'", owns],
  // accounts: nobody here has one
  ['rename_user(text)', "'é'", 'OT002 42704 42704 42704 42704 42704 42704'],
  ['change_password(text,text)', "'12345678', '12345678'", 'OT002 42704 42704 42704 42704 42704 42704'],
  // what looks at nothing but its arguments
  ['check_title(text)', "'é'", all],
  ['check_name(text)', "'é'", all],
  ['check_password(text)', "'12345678'", all],
  ['max_document_length()', '', all],
  ['check_body(text,integer,text)', "'é', 10, 'note'", all],
  ['talk_hash(text[])', "'{é}'", all],
  ['is_repeated(text,uuid,bigint,text,bigint)', "'comment', $doc, 1, NULL, NULL", all],
  ['thread_event(threads)', 'NULL', all],
  ['comment_event(comments)', 'NULL', all],
  ['suggestion_event(suggestions)', 'NULL', all],
  ['message_event(messages)', 'NULL', all],
  ['is_mentioned(text,text)', "'é', '@é'", all],
  ['moment(timestamp with time zone)', 'clock_timestamp()', all],
  ['max_open_threads()', '', all],
  ['max_open_suggestions()', '', all],
  ['sign_up_is_open()', '', all],
  ['insert(bigint,text)', "0, 'é'", all],
  ['delete(bigint,bigint)', '0, 1', all],
  ['replace(bigint,bigint,text)', "0, 1, 'é'", all],
  ['apply(text,op)', "'é', '[1]'", all],
  ['compose(op,op)', "'[]', '[]'", all],
  ['transform(op,op,text)', "'[]', '[]', 'left'", all],
  ['invert(op,text)', "'[]', ''", all],
  ['transform_position(bigint,op,text)', "0, '[]', 'left'", all],
  ['compose_agg(op)', "'[]'", all],
  ['op_in(cstring)', "'[]'", all],
  ['op_out(op)', "'[]'", all],
  ['op_send(op)', "'[]'", all],
  ['op_to_jsonb(op)', "'[]'", all],
  ['op_from_jsonb(jsonb)', "'[]'", all],
  ['op_from_json(json)', "'[]'", all],
  ['op_eq(op,op)', "'[]', '[]'", all],
  ['op_ne(op,op)', "'[]', '[]'", all],
  ['op_hash(op)', "'[]'", all],
  ['op_hash_extended(op,bigint)', "'[]', 0", all],
  // nobody has a value of the type internal
  ['op_recv(internal)', "''", '42883 42883 42883 42883 42883 42883 42883'],
  ['compose_step(internal,op)', "'', '[]'", '42883 42883 42883 42883 42883 42883 42883'],
  ['compose_final(internal)', "''", '42883 42883 42883 42883 42883 42883 42883'],
  // nor calls a trigger's function by hand
  ['additions()', '', all],
  ['parts()', '', all],
  ['column_definition(oid,smallint)', '0, 0::smallint', all],
  ['policy_definition(oid)', '0', all],
  ['restore_addition()', '', '42804 42804 42804 42804 42804 42804 42804'],
  ['count_member_change()', '', '42804 42804 42804 42804 42804 42804 42804'],
  // the relay's, maintenance's, and those that only others call
  ['submit(uuid[],text[],uuid[],bigint[],text[],boolean,uuid[])', "ARRAY[$doc], '{ann é}', '{0b000000-0000-8000-8000-000000000001}', '{0}', '{[]}'", closed],
  ['join_document(text,uuid,bigint,uuid,uuid,uuid,bigint)', "'ann é', $doc", closed],
  ['catch_up(uuid,bigint,uuid,bigint)', '$doc, 0', closed],
  ['checksum(uuid,bigint,uuid)', '$doc, 0', closed],
  ['has_version(uuid,bigint,uuid,bigint,uuid)', '$doc, 1, $op, 1', closed],
  ['role_in(text,uuid)', "'ann é', $doc", closed],
  ['settled_roles(uuid,text[])', "$doc, '{ann é}'", closed],
  ['talk_numbers(uuid[])', "ARRAY[$doc]", closed],
  ['begin_presence(uuid,integer)', '$doc, 30', closed],
  ['write_presence(uuid,jsonb,jsonb)', "$doc, '[]', '[]'", closed],
  ['keep_presence(uuid,integer,text)', "$doc, 30, ''", closed],
  ['end_presence(uuid,text)', "$doc, ''", closed],
  ['show_life(uuid,integer)', '$doc, 30', closed],
  ['announce(text[])', "'{}'", closed],
  ['become(text)', "'ann é'", closed],
  ['sign_up(text,text,text)', "'é', 'a@example.com', '12345678'", closed],
  ['log_in(text,text)', "'a@example.com', '12345678'", closed],
  ['search_users(text,integer)', "'ann'", closed],
  ['account_name(text)', "'ann'", closed],
  ['largest_documents(integer)', '', closed],
  ['warn_of_unknown_user(text)', "'ann'", closed],
  ['allow_relay(regrole)', 'session_user::regrole', closed],
  ['maintain()', '', closed],
  ['maintain_document(uuid)', '$doc', closed],
  ['due_documents()', '', closed],
  ['lock_for_owner(uuid)', '$doc', closed],
  ['lock_talk(uuid,role)', "$doc, 'viewer'", closed],
  ['next_change(uuid,integer,integer)', '$doc, 0, 0', closed],
  ['check_open_threads(uuid)', '$doc', closed],
  ['living_thread(uuid,uuid)', '$doc, $doc', closed],
  ['living_comment(uuid,uuid)', '$doc, $doc', closed],
  ['message_page(uuid,bigint,integer)', '$doc, 0, 0', closed],
  ['carry_talk(uuid,bigint)', '$doc, 0', closed],
  ['keep_an_owner(uuid)', '$doc', closed],
  ['bcrypt(text,text)', "'12345678'", closed],
  ['is_password(text,text)', "'12345678', ''", closed],
  ['attempt_bucket(text)', "'a@example.com'", closed],
  ['count_attempt(text,text)', "'a', 'a@example.com'", closed]
]

//             nobody stranger viewer commenter editor owner everyone
const shown = 'OT002  none     ok     ok        ok     ok    ok'

// Every table, view and sequence: which rows are the document's, and who sees them.
// Nobody writes to any: roles.test.mjs tries that without being told.
export const tables = [
  ['comments', 'doc_id = $doc', shown],
  ['documents', 'id = $doc', shown],
  ['heads', 'doc_id = $doc', shown],
  ['labels', 'doc_id = $doc', shown],
  ['last_read', 'doc_id = $doc', 'OT002  none     none   none      none      ok    none'],
  ['members', 'doc_id = $doc', shown],
  ['messages', 'doc_id = $doc', shown],
  ['ops', 'doc_id = $doc', shown],
  ['packs', 'doc_id = $doc', shown],
  ['snapshots', 'doc_id = $doc', shown],
  ['suggestions', 'doc_id = $doc', shown],
  ['talks', 'doc_id = $doc', shown],
  ['threads', 'doc_id = $doc', shown],
  ['undos', 'doc_id = $doc', shown],
  ['presence', 'doc_id = $doc', shown],
  ['relays', 'true', closed],
  ['relay_keys', 'true', closed],
  ['pauses', 'true', closed],
  ['user_hooks', 'true', closed],
  ['users', 'true', closed],
  ['attempts', 'true', closed],
  ['attempt_keys', 'true', closed],
  ['as_made', 'true', closed],
  ['op_seq', 'true', closed],
  ['storage', 'doc_id = $doc', closed],
  ['storage_totals', 'true', closed],
  ['maintenance', 'true', closed]
]

// What is tried on each: none of it is for anybody.
export const touches = {
  insert: 'INSERT INTO $table DEFAULT VALUES',
  update: 'UPDATE $table SET $column = $column',
  delete: 'DELETE FROM $table',
  truncate: 'TRUNCATE $table',
  lock: 'SELECT FROM $table FOR KEY SHARE',
  trigger: 'CREATE TRIGGER mine BEFORE INSERT ON $table FOR EACH ROW EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()',
  policy: 'CREATE POLICY mine ON $table USING (true)',
  alter: 'ALTER TABLE $table DISABLE ROW LEVEL SECURITY',
  drop: 'DROP TABLE $table'
}

// Every message of a client: its type, what comes before it, the message, what a member's
// answer tells. Nobody says it first thing, and a stranger when his hello was refused.
// What ends in a close is the code of that.
const joinedAs = async client => (await client.expect('joined')).role
const resumed = async client => (await client.expect('joined')).resumed && (await client.operation()).version === 1 ? 'ok' : 'lost'
const lives = async client => {
  client.send({ type: 'nonsense' })
  const { code } = await client.expect('error')
  if (code !== 'unknown_type') throw new Error(code)
  return 'ok'
}
const reading = async client => {
  await client.typed()
  return (await client.operation()).version === 2 ? 'ok' : 'lost'
}
const judged = async client => {
  let message
  do message = await client.take(); while (message.type === 'talk')
  if (message.type === 'error') throw new Error(message.code)
  return message.type === 'reject' ? message.code : message.ops.some(entry => entry.operationId === client.own) ? 'ok' : 'lost'
}
// How many changes the talk of a document begins with here: a thread, its comment, a suggestion.
const CHANGES_MADE = 3
// What else the document was told beside it may come before; or instead that something may
// have been missed, and then the tables have it.
const talked = type => async client => {
  const changed = async () => Number(await sql(`SELECT changed FROM converge.talks WHERE doc_id = '${client.doc}'`)) > CHANGES_MADE
  let message
  do {
    message = await client.take()
    if (message.type === 'talk' && await until('the change, or another message', async () => client.messages.length > client.next ? 'message' : await changed() && 'change') === 'change') return 'ok'
  } while (!['error', 'reject', 'ops', type].includes(message.type))
  if (message.type === 'error') throw new Error(message.code)
  return message.type === 'reject' ? message.code : 'ok'
}
const anew = async client => {
  const { code } = await client.expect('error')
  if (code !== 'diverged') throw new Error(code)
  await client.expect('joined')
  return (await client.expect('snapshot')).content === 'étext' ? 'ok' : 'lost'
}
const seen = async client => {
  await until('its cursor, or its end', () => client.closed || client.seen(client.user)?.cursor?.head === 1)
  if (client.closed) throw new Error('closed')
  return 'ok'
}
const sha256 = text => crypto.createHash('sha256').update(text).digest('hex')
const edit = fields => client => ({ type: 'op', operationId: client.own, baseVersion: 1, ...fields })
const token = user => (client, makeToken) => ({ type: 'token', token: makeToken(user ?? client.user) })

//                                            nobody stranger viewer    commenter editor owner everyone
const joins = '                               4401   4403     viewer    commenter editor owner viewer'
const edits = '                               4400   4403     forbidden forbidden ok     ok    forbidden'
const member = '                              4400   4403     ok        ok        ok     ok    ok'
const talks = '                               4400   4403     forbidden ok        ok     ok    forbidden'
const authors = '                             4400   4403     forbidden forbidden forbidden ok forbidden'
export const messages = [
  { type: 'hello', what: 'from the beginning', after: [], say: client => client.hello, answer: joinedAs, outcomes: joins },
  { type: 'hello', what: 'with a version held', after: [], say: client => ({ ...client.hello, version: 0, life: client.life }), answer: resumed, outcomes: '4401 4403 ok ok ok ok ok' },
  { type: 'ack', what: 'and reading on', after: ['hello'], say: client => ({ type: 'ack', sequenceId: client.snapshot?.sequenceId ?? 1 }), answer: reading, outcomes: member },
  { type: 'op', what: 'an edit', after: ['hello', 'ack'], say: edit({ op: ['é'] }), answer: judged, outcomes: edits },
  { type: 'op', what: 'an edit in its other form', after: ['hello', 'ack'], say: edit({ operationType: 'insert', position: 0, payload: '😀' }), answer: judged, outcomes: edits },
  { type: 'op', what: 'an edit that changes nothing', after: ['hello', 'ack'], say: edit({ op: [] }), answer: judged, outcomes: edits },
  { type: 'checksum', what: 'of the text', after: ['hello', 'ack'], say: () => ({ type: 'checksum', version: 1, checksum: sha256('étext') }), answer: lives, outcomes: member },
  { type: 'checksum', what: 'of another text', after: ['hello', 'ack'], say: () => ({ type: 'checksum', version: 1, checksum: sha256('') }), answer: anew, outcomes: member },
  { type: 'presence', what: 'a cursor', after: ['hello', 'ack'], say: () => ({ type: 'presence', version: 1, cursor: { anchor: 0, head: 1 } }), answer: seen, outcomes: member },
  { type: 'ping', what: 'to see whether the connection lives', after: ['hello'], say: () => ({ type: 'ping' }), answer: async client => (await client.expect('pong')).type === 'pong' ? 'ok' : 'lost', outcomes: member },
  { type: 'comment', what: 'a new thread', after: ['hello', 'ack'], say: client => ({ type: 'comment', id: client.own, threadId: newId(), body: 'é', from: 0, to: 1 }), answer: talked('thread'), outcomes: talks },
  { type: 'comment', what: 'a reply', after: ['hello', 'ack'], say: client => ({ type: 'comment', id: client.own, threadId: client.made.thread, body: 'é' }), answer: talked('comment'), outcomes: talks },
  { type: 'comment', what: 'edited', after: ['hello', 'ack'], say: client => ({ type: 'comment', id: client.made.comment, body: '😀' }), answer: talked('comment'), outcomes: authors },
  { type: 'comment', what: 'deleted', after: ['hello', 'ack'], say: client => ({ type: 'comment', id: client.made.comment, deleted: true }), answer: talked('comment'), outcomes: authors },
  { type: 'thread', what: 'resolved', after: ['hello', 'ack'], say: client => ({ type: 'thread', id: client.made.thread, resolved: true }), answer: talked('thread'), outcomes: edits },
  { type: 'suggest', what: 'an edit', after: ['hello', 'ack'], say: client => ({ type: 'suggest', id: client.own, baseVersion: 1, op: ['é'] }), answer: talked('suggest'), outcomes: talks },
  { type: 'suggest', what: 'withdrawn', after: ['hello', 'ack'], say: client => ({ type: 'suggest', id: client.made.suggestion, withdrawn: true }), answer: talked('decide'), outcomes: authors },
  { type: 'decide', what: 'accepted', after: ['hello', 'ack'], say: client => ({ type: 'decide', id: client.made.suggestion, accept: true }), answer: talked('decide'), outcomes: edits },
  { type: 'decide', what: 'several rejected', after: ['hello', 'ack'], say: client => ({ type: 'decide', ids: [client.made.suggestion], accept: false }), answer: talked('decide'), outcomes: edits },
  { type: 'chat', what: 'a message', after: ['hello', 'ack'], say: client => ({ type: 'chat', id: client.own, body: 'é' }), answer: talked('chat'), outcomes: talks },
  { type: 'token', what: 'a fresh one', after: ['hello', 'ack'], say: token(), answer: lives, outcomes: member },
  { type: 'token', what: 'of somebody else', after: ['hello', 'ack'], say: token('fred'), answer: lives, outcomes: '4400 4403 4401 4401 4401 4401 4401' }
]

// Every path of relay/http/http.c: open to all, and the same for all.
export const paths = ['/healthz', '/readyz', '/metrics', '/v1/openapi.json'].map(path => ['GET', path, '200 200 200 200 200 200 200'])

//                nobody stranger viewer commenter editor owner everyone
const asks = '    401    200      200    200       200    200   200'
const gets = '    401    403      200    200       200    200   200'
const changes = ' 401    403      403    403       200    200   403'
const owners = '  401    403      403    403       403    200   403'
const removes = ' 401    403      403    403       403    204   403'
const posts = '   401    403      403    201       201    201   403'
const makes = '   401    403      403    403       201    201   403'
const account = ' 401    404      404    404       404    404   404' // which nobody here has
const place = '/v1/docs/{id}'

// Every route of relay/http/rest_routes.c: the request, the outcomes. {op} is the id of the
// document's first operation, {new} a fresh one.
export const routes = [
  ['POST', '/v1/docs', '401 201 201 201 201 201 201', { title: 'é' }],
  ['GET', '/v1/docs', asks],
  ['GET', place, gets],
  ['PATCH', place, changes, { title: 'é' }],
  ['DELETE', place, removes],
  ['POST', `${place}/fork`, '401 403 201 201 201 201 201', { withHistory: true }],
  ['GET', `${place}/export`, gets],
  ['POST', '/v1/import', '401 400 400 400 400 400 400', { data: 'AAAA' }],
  ['GET', `${place}/content`, gets],
  ['PUT', `${place}/content`, changes, { content: 'é' }],
  ['POST', `${place}/replace`, changes, { from: 'é', to: 'è' }],
  ['POST', `${place}/ops`, changes, { operationId: '{new}', baseVersion: 0, op: ['😀'] }],
  ['POST', `${place}/revert`, changes, { version: 0 }],
  ['POST', `${place}/undo`, changes, { operationId: '{op}' }],
  ['POST', `${place}/undo-last`, changes, { userId: 'ben' }],
  ['POST', `${place}/undo-range`, changes, { fromVersion: 1, toVersion: 1 }],
  ['POST', `${place}/restore`, changes, { version: 0, from: 0, to: 1 }],
  ['POST', `${place}/redact`, owners, { content: 'é' }],
  ['GET', `${place}/history`, gets],
  ['GET', `${place}/changes`, gets],
  ['GET', `${place}/blame`, gets],
  ['GET', `${place}/diff`, gets, { from: 0, to: 1 }],
  ['GET', `${place}/diff-rows`, gets, { from: 0, to: 1 }],
  ['GET', `${place}/unified-diff`, gets, { from: 0, to: 1 }],
  ['GET', `${place}/timeline`, gets],
  ['GET', `${place}/occurrences`, gets, { content: 'é' }],
  ['GET', `${place}/activity`, gets],
  ['GET', `${place}/snapshots`, gets],
  ['POST', `${place}/snapshots`, makes, {}],
  ['DELETE', `${place}/labels`, owners.replace('200', '404'), { version: 0, label: 'no such label' }],
  ['GET', `${place}/talk`, gets],
  ['GET', `${place}/threads`, gets],
  ['POST', `${place}/threads`, posts, { body: 'é', from: 0, to: 1 }],
  ['PATCH', `${place}/threads/{thread}`, changes, { resolved: true }],
  ['POST', `${place}/threads/{thread}/comments`, posts, { body: 'é' }],
  ['PATCH', `${place}/comments/{comment}`, owners, { body: '😀' }],
  ['DELETE', `${place}/comments/{comment}`, removes],
  ['GET', `${place}/suggestions`, gets],
  ['POST', `${place}/suggestions`, posts, { baseVersion: 1, op: ['é'] }],
  ['DELETE', `${place}/suggestions/{suggestion}`, removes],
  ['POST', `${place}/suggestions/{suggestion}/decision`, changes, { accept: true }],
  ['POST', `${place}/decisions`, changes, { ids: ['{suggestion}'], accept: false }],
  ['GET', `${place}/messages`, gets],
  ['POST', `${place}/messages`, posts, { body: 'é' }],
  ['GET', `${place}/read`, gets],
  ['PUT', `${place}/read`, gets, { changed: 1 }],
  ['GET', `${place}/members`, gets],
  ['PUT', `${place}/members/{user}`, owners, { role: 'viewer' }],
  ['DELETE', `${place}/members/{user}`, removes],
  ['PUT', `${place}/members`, owners, { userId: 'fred', role: 'viewer' }],
  ['DELETE', `${place}/members`, removes, { userId: 'fred' }],
  ['PUT', `${place}/owner`, owners, { userId: 'fred' }],
  ['GET', '/v1/users', asks, { search: 'fred' }],
  ['GET', '/v1/operator/documents', '401 403 403 403 403 403 403'], // none of them is an operator
  ['GET', '/v1/me', asks],
  ['GET', '/v1/me/activity', asks],
  ['PATCH', '/v1/me', account, { name: 'é' }],
  ['DELETE', '/v1/me', '401 204 204 204 204 204 204'],
  ['PUT', '/v1/me/password', account, { oldPassword: '12345678', newPassword: '12345678' }],
  // a token is not looked at
  ['POST', '/v1/signup', '201 201 201 201 201 201 201', { name: 'é', address: '{new}@example.com', password: '12345678' }],
  ['POST', '/v1/login', '401 401 401 401 401 401 401', { address: '{new}@example.com', password: '12345678' }]
]
