-- Talk: comments, suggestions and chat, what they do and refuse.
BEGIN;
SET client_min_messages = warning;
SELECT * FROM no_plan();

\set doc '''7a1c0000-0000-4000-8000-000000000001'''
\set thread '''7a1c0000-0000-4000-8000-00000000000a'''
\set first '''7a1c0000-0000-4000-8000-0000000000c1'''
\set second '''7a1c0000-0000-4000-8000-0000000000c2'''
CREATE FUNCTION pg_temp.be(name text) RETURNS void LANGUAGE sql AS $$SELECT set_config('converge.user', name, true)$$;
CREATE FUNCTION pg_temp.places() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', t.from_pos, t.to_pos, CASE WHEN t.orphan THEN 'orphan' ELSE substr(converge.content('7a1c0000-0000-4000-8000-000000000001'), t.from_pos::integer + 1, (t.to_pos - t.from_pos)::integer) END), ', ' ORDER BY t.created_at)
	FROM converge.threads_at('7a1c0000-0000-4000-8000-000000000001') AS t
$$;
SELECT pg_temp.be('ann') \g /dev/null
SELECT converge.create_document('soup', 'Boil the 😀 rice.', :doc) \g /dev/null
SELECT converge.share(:doc, 'ben', 'editor'), converge.share(:doc, 'cleo', 'commenter'), converge.share(:doc, 'dan', 'viewer'), converge.share(:doc, 'eve', 'commenter') \g /dev/null

-- ---- threads ----

SELECT pg_temp.be('cleo') \g /dev/null
SELECT is(converge.comment(:doc, 'which?', 11, 15, 0, :thread, :first), :thread::uuid, 'a comment begins a thread');
SELECT is(converge.comment(:doc, 'which?', 11, 15, 0, :thread, :first), :thread::uuid, 'sent again, it is the same');
SELECT is((SELECT changed FROM converge.talks WHERE doc_id = :doc), 2::bigint, 'and changes nothing');
SELECT is(concat_ws('|', quote, prefix, suffix, from_pos, to_pos, version, length), 'rice|Boil the 😀 |.|11|15|0|4', 'the passage and what is around it')
FROM converge.threads WHERE doc_id = :doc;
SELECT throws_ok($$SELECT converge.comment('7a1c0000-0000-4000-8000-000000000001', 'what?', 11, 15, 0, '7a1c0000-0000-4000-8000-00000000000a', '7a1c0000-0000-4000-8000-0000000000c1')$$, 'OT004', NULL, 'another text under the id of a comment');
SELECT throws_ok($$SELECT converge.comment('7a1c0000-0000-4000-8000-000000000001', 'which?', 11, 14, 0, '7a1c0000-0000-4000-8000-00000000000a', '7a1c0000-0000-4000-8000-0000000000c1')$$, 'OT004', NULL, 'another passage');
SELECT throws_ok($$SELECT converge.comment('7a1c0000-0000-4000-8000-000000000001', 'which?', 11, 15, 0, '7a1c0000-0000-4000-8000-00000000000a')$$, 'OT004', NULL, 'another comment under the id of a thread');
SELECT pg_temp.be('ann') \g /dev/null
SELECT throws_ok($$SELECT converge.comment('7a1c0000-0000-4000-8000-000000000001', 'which?', 11, 15, 0, '7a1c0000-0000-4000-8000-00000000000a', '7a1c0000-0000-4000-8000-0000000000c1')$$, 'OT004', NULL, 'the same of another user');
SELECT throws_ok(format('SELECT converge.comment(%L, %L, %s, %s, %s)', :doc, body, a, b, v), code, NULL, what)
FROM (VALUES ('x', 0, 17, '0', 'OT005', 'a passage beyond the end'), ('x', -1, 2, '0', 'OT005', 'before the start'), ('x', 3, 2, '0', 'OT005', 'backwards'),
	('x', 3, 3, '0', '22023', 'an empty one'), ('x', 0, 1, '1', 'OT007', 'of a version to come'), ('', 0, 1, '0', '22023', 'no text'), (E' \n\t', 0, 1, '0', '22023', 'nothing but space'),
	(repeat('😀', 10001), 0, 1, '0', 'OT006', 'too much of it')) AS v (body, a, b, v, code, what);
SELECT is(converge.comment(:doc, repeat('😀', 10000), 0, 16, 0, '7a1c0000-0000-4000-8000-00000000000b', '7a1c0000-0000-4000-8000-0000000000c9'), '7a1c0000-0000-4000-8000-00000000000b', 'as much as there may be, on all of the text');
SELECT lives_ok(format('SELECT converge.delete_comment(%L, %L)', :doc, '7a1c0000-0000-4000-8000-0000000000c9'), 'which its author deletes');
SELECT is((SELECT open_threads FROM converge.talks WHERE doc_id = :doc), 1::bigint, 'a thread ends with its last comment');
SELECT is(pg_temp.places(), '11 15 rice', 'and is listed no more');
SELECT is(converge.reply(:doc, :thread, 'brown', :second), :second::uuid, 'a reply');
SELECT is(converge.reply(:doc, :thread, 'brown', :second), :second::uuid, 'sent again');
SELECT throws_ok(format('SELECT converge.reply(%L, %L, %L, %L)', :doc, :thread, 'white', :second), 'OT004', NULL, 'another text under its id');
SELECT throws_ok(format('SELECT converge.reply(%L, %L, %L)', :doc, gen_random_uuid(), 'x'), 'P0002', NULL, 'to no thread');
SELECT results_eq(format('SELECT body, user_id FROM converge.list_comments(%L, %L)', :doc, :thread), $$VALUES ('which?' COLLATE "C", 'cleo' COLLATE "C"), ('brown', 'ann')$$, 'both, in order');

-- who may change what
SELECT pg_temp.be('ben') \g /dev/null
SELECT throws_ok(format('SELECT converge.edit_comment(%L, %L, %L)', :doc, :first, 'mine'), 'OT002', NULL, 'an editor does not change what another said');
SELECT throws_ok(format('SELECT converge.delete_comment(%L, %L)', :doc, :first), 'OT002', NULL, 'nor delete it');
SELECT pg_temp.be('cleo') \g /dev/null
SELECT lives_ok(format('SELECT converge.edit_comment(%L, %L, %L)', :doc, :first, 'which one?'), 'its author changes it');
SELECT is((SELECT body FROM converge.comments WHERE id = :first AND edited_at IS NOT NULL), 'which one?', 'visibly');
SELECT is(converge.comment(:doc, 'which?', 11, 15, 0, :thread, :first), :thread::uuid, 'the first submission, sent again, is still known');
SELECT pg_temp.be('eve') \g /dev/null
SELECT throws_ok(format('SELECT converge.resolve_thread(%L, %L)', :doc, :thread), 'OT002', NULL, 'a commenter does not resolve the thread of another');
SELECT pg_temp.be('cleo') \g /dev/null
SELECT lives_ok(format('SELECT converge.resolve_thread(%L, %L)', :doc, :thread), 'but their own');
SELECT is((SELECT concat_ws(' ', resolved_by, resolved_at IS NOT NULL) FROM converge.threads WHERE id = :thread), 'cleo t', 'and is named');
SELECT is((SELECT open_threads FROM converge.talks WHERE doc_id = :doc), 0::bigint, 'it is not open');
SELECT lives_ok(format('SELECT converge.resolve_thread(%L, %L)', :doc, :thread), 'twice');
SELECT pg_temp.be('ben') \g /dev/null
SELECT lives_ok(format('SELECT converge.resolve_thread(%L, %L, false)', :doc, :thread), 'an editor opens it again');
SELECT is((SELECT concat_ws(' ', open_threads, resolved) FROM converge.talks, converge.threads_at(:doc) WHERE doc_id = :doc), '1 f', 'it is open');
SELECT pg_temp.be('ann') \g /dev/null
SELECT lives_ok(format('SELECT converge.delete_comment(%L, %L)', :doc, :first), 'an owner deletes what another said');
SELECT is((SELECT concat_ws('|', body, deleted_at IS NOT NULL) FROM converge.comments WHERE id = :first), '|t', 'its text is gone');
SELECT throws_ok(format('SELECT converge.edit_comment(%L, %L, %L)', :doc, :first, 'x'), 'OT002', NULL, 'an owner edits nothing of another');
SELECT pg_temp.be('cleo') \g /dev/null
SELECT throws_ok(format('SELECT converge.edit_comment(%L, %L, %L)', :doc, :first, 'x'), 'P0002', NULL, 'what is deleted cannot be edited');
SELECT pg_temp.be('ann') \g /dev/null
SELECT throws_ok(format('SELECT converge.delete_comment(%L, %L)', :doc, gen_random_uuid()), 'P0002', NULL, 'nor a comment deleted that there is not');

-- ---- where threads are ----

SELECT converge.edit(:doc, converge.insert(0, 'é😀')) \g /dev/null
SELECT is(pg_temp.places(), '13 17 rice', 'text before it moves a passage');
SELECT converge.edit(:doc, converge.insert(13, '<')), converge.edit(:doc, converge.insert(18, '>')), converge.edit(:doc, converge.insert(15, '_')) \g /dev/null
SELECT is(pg_temp.places(), '14 19 r_ice', 'text at its ends stays outside, text within is within');
SELECT converge.edit(:doc, converge.delete(14, 2)) \g /dev/null
SELECT is(pg_temp.places(), '14 17 ice', 'it shrinks');
SELECT is((SELECT concat_ws(' ', from_pos, to_pos) FROM converge.threads_at(:doc, 0)), '11 15', 'in an earlier version it is where it was');
SELECT converge.edit(:doc, converge.delete(12, 6)) \g /dev/null
SELECT is(pg_temp.places(), '12 12 orphan', 'without its text it is an orphan, at the place');
SELECT is((SELECT quote FROM converge.threads_at(:doc)), 'rice', 'that still says what it was about');
SELECT converge.undo_last(:doc) \g /dev/null
SELECT is(pg_temp.places(), '12 12 orphan', 'what comes back is not what it was about');
SELECT converge.revert(:doc, 1) \g /dev/null
SELECT is(pg_temp.places(), '13 17 rice', 'a revert brings it back');
SELECT converge.edit(:doc, converge.delete(0, 18)), converge.undo_last(:doc) \g /dev/null
SELECT is(pg_temp.places(), '13 17 rice', 'so does an undo');
SELECT converge.edit(:doc, converge.insert(15, '_')) \g /dev/null
SELECT is(pg_temp.places(), '13 18 ri_ce', 'and it lives on from there');
SELECT throws_ok(format('SELECT * FROM converge.threads_at(%L, 1000)', :doc), 'OT007', NULL, 'at a version to come');

-- ---- suggestions ----

\set swap '''7a1c0000-0000-4000-8000-0000000000d1'''
\set more '''7a1c0000-0000-4000-8000-0000000000d2'''
\set gone '''7a1c0000-0000-4000-8000-0000000000d3'''
SELECT converge.revert(:doc, 0) AS base \gset
SELECT pg_temp.be('cleo') \g /dev/null
SELECT is(converge.suggest(:doc, :base, converge.replace(11, 4, 'pasta'), 'Italian', :swap), :swap::uuid, 'a commenter suggests');
SELECT is(converge.suggest(:doc, :base, converge.replace(11, 4, 'pasta'), 'Italian', :swap), :swap::uuid, 'again, the same');
SELECT throws_ok(format('SELECT converge.suggest(%L, %s, %L, %L, %L)', :doc, :base, '["x"]', 'Italian', :swap), 'OT004', NULL, 'another op under its id');
SELECT throws_ok(format('SELECT converge.suggest(%L, %s, %L, %L, %L)', :doc, :base, '[11,"pasta",{"d":4}]', 'x', :swap), 'OT004', NULL, 'another note');
SELECT throws_ok(format('SELECT converge.suggest(%L, %s, %L)', :doc, v, op), code, NULL, what)
FROM (VALUES (:base, '[]', '22023', 'one that changes nothing'), (:base, '[20,"x"]', 'OT005', 'one past the end'), (1000, '["x"]', 'OT007', 'on a version to come'),
	(:base, converge.insert(0, repeat('x', 66000))::text, 'OT006', 'a large one')) AS v (v, op, code, what);
SELECT throws_ok(format('SELECT converge.suggest(%L, %s, %L, repeat(%L, 1001))', :doc, :base, '["x"]', '😀'), 'OT006', NULL, 'a long note');
SELECT throws_ok(format('SELECT converge.decide_suggestion(%L, %L, true)', :doc, :swap), 'OT002', NULL, 'which editors decide');
SELECT pg_temp.be('ben') \g /dev/null
SELECT throws_ok(format('SELECT converge.withdraw_suggestion(%L, %L)', :doc, :swap), 'OT002', NULL, 'and only its author withdraws');
SELECT converge.edit(:doc, converge.insert(0, '>')) \g /dev/null
SELECT results_eq(format('SELECT op::text, stale FROM converge.suggestions_at(%L)', :doc), $$VALUES ('[12,"pasta",{"d":4}]', false)$$, 'it is shown where it is now');
SELECT converge.decide_suggestion(:doc, :swap, true) AS made \gset
SELECT is(converge.content(:doc), '>Boil the 😀 pasta.', 'accepted, it is in the text');
SELECT is(concat_ws(' ', status, version = :made, decided_by, decided_at IS NOT NULL), 'accepted t ben t', 'which its row says') FROM converge.suggestions WHERE id = :swap;
SELECT is(concat_ws(' ', user_id, op_id), concat_ws(' ', 'ben', :swap), 'as the edit of who accepted it, under its id') FROM converge.history(:doc, :made, :made);
SELECT is(converge.decide_suggestion(:doc, :swap, true), :made::bigint, 'accepted again, it is the same edit');
SELECT is((SELECT version FROM converge.heads WHERE doc_id = :doc), :made::bigint, 'and no other');
SELECT throws_ok(format('SELECT converge.decide_suggestion(%L, %L, false)', :doc, :swap), '55000', NULL, 'too late to reject');
SELECT pg_temp.be('cleo') \g /dev/null
SELECT throws_ok(format('SELECT converge.withdraw_suggestion(%L, %L)', :doc, :swap), '55000', NULL, 'and to withdraw');
SELECT converge.suggest(:doc, :made, '[18,"!"]', NULL, :more), converge.suggest(:doc, :made, '[1,{"d":4},"Cook"]', NULL, :gone) \g /dev/null
SELECT lives_ok(format('SELECT converge.withdraw_suggestion(%L, %L)', :doc, :more), 'its author withdraws one');
SELECT lives_ok(format('SELECT converge.withdraw_suggestion(%L, %L)', :doc, :more), 'twice');
SELECT pg_temp.be('ben') \g /dev/null
SELECT throws_ok(format('SELECT converge.decide_suggestion(%L, %L, true)', :doc, :more), '55000', NULL, 'it can be accepted no more');
SELECT converge.edit(:doc, converge.delete(0, 6)) \g /dev/null
SELECT is((SELECT stale FROM converge.suggestions_at(:doc)), true, 'one whose text is gone is stale');
SELECT throws_ok(format('SELECT converge.decide_suggestion(%L, %L, true)', :doc, :gone), '55000', NULL, 'and not to be accepted');
SELECT is(converge.decide_suggestion(:doc, :gone, false), NULL, 'but rejected');
SELECT is((SELECT open_suggestions FROM converge.talks WHERE doc_id = :doc), 0::bigint, 'none is open');
SELECT throws_ok(format('SELECT converge.decide_suggestion(%L, %L, true)', :doc, gen_random_uuid()), 'P0002', NULL, 'nor decided that there is not');
SELECT converge.edit(:doc, '["."]') AS head \gset
SELECT op_id AS taken FROM converge.history(:doc, :head, :head) \gset
SELECT throws_ok(format('SELECT converge.suggest(%L, 0, %L, NULL, %L)', :doc, '["x"]', :'taken'), 'OT004', NULL, 'the id of an operation is no id of a suggestion');

-- what is stale: an insert between deleted characters, a delete of deleted ones
SELECT results_eq(format('SELECT op::text, stale FROM converge.carry_ops(%L, 1, ARRAY[0, 0, 0, 0, 0, 0]::bigint[], ARRAY[%L, %L, %L, %L, %L, %L]::converge.op[])',
		other, '[2,"x"]', '[1,"x"]', '[3,"x"]', '["x"]', '[2,{"d":2}]', '[2,{"d":1}]'),
	$$VALUES ('[1,"x"]', true), ('[1,"x"]', false), ('[1,"x"]', false), ('["x"]', false), ('[1,{"d":1}]', false), ('[]', true)$$, 'stale and not')
FROM converge.create_document('', 'abcde') AS other, LATERAL (SELECT converge.edit(other, converge.delete(1, 2)) OFFSET 0) AS e;

-- a group: all or none
SELECT pg_temp.be('cleo') \g /dev/null
SELECT array_agg(converge.suggest(:doc, :head, op::converge.op, NULL, id::uuid) ORDER BY id) AS ids FROM (VALUES ('[{"d":1}]', '7a1c0000-0000-4000-8000-0000000000e1'), ('[1,"a"]', '7a1c0000-0000-4000-8000-0000000000e2'), ('[{"d":1}]', '7a1c0000-0000-4000-8000-0000000000e3')) AS v (op, id) \gset
SELECT pg_temp.be('ben') \g /dev/null
SELECT throws_ok(format('SELECT * FROM converge.decide_suggestions(%L, %L, true)', :doc, :'ids'), '55000', 'suggestion 7a1c0000-0000-4000-8000-0000000000e3 is stale', 'two that delete the same cannot both be accepted');
SELECT is((SELECT count(*) FROM converge.suggestions_at(:doc)), 3::bigint, 'and none was');
SELECT is((SELECT array_agg(version) FROM converge.decide_suggestions(:doc, (:'ids'::uuid[])[:2], true)), ARRAY[:head + 1, :head + 2]::bigint[], 'without the last, all are');
SELECT is(converge.content(:doc), 'athe 😀 pasta.', 'in their order');

-- ---- chat ----

SELECT pg_temp.be('cleo') \g /dev/null
SELECT is(converge.say(:doc, 'one', '7a1c0000-0000-4000-8000-0000000000f1'), '7a1c0000-0000-4000-8000-0000000000f1', 'a message');
SELECT is(converge.say(:doc, 'one', '7a1c0000-0000-4000-8000-0000000000f1'), '7a1c0000-0000-4000-8000-0000000000f1', 'again, the same');
SELECT throws_ok(format('SELECT converge.say(%L, %L, %L)', :doc, 'two', '7a1c0000-0000-4000-8000-0000000000f1'), 'OT004', NULL, 'another under its id');
SELECT throws_ok(format('SELECT converge.say(%L, %L)', :doc, body), code, NULL, what) FROM (VALUES ('', '22023', 'nothing'), (repeat('x', 10001), 'OT006', 'too much')) AS v (body, code, what);
SELECT converge.say(:doc, 'two @ann'), converge.say(:doc, 'three @anne, @ann-marie, @ann.other and m@annex'), converge.say(:doc, 'four (@ann)') \g /dev/null
SELECT results_eq(format('SELECT body FROM converge.messages_before(%L, NULL, 2)', :doc), $$VALUES ('four (@ann)' COLLATE "C"), ('three @anne, @ann-marie, @ann.other and m@annex')$$, 'the newest first');
SELECT results_eq(format('SELECT b.body FROM (SELECT id FROM converge.messages_before(%L) OFFSET 1 LIMIT 1) AS a, converge.messages_before(%L, a.id, 1) AS b', :doc, :doc), $$VALUES ('two @ann' COLLATE "C")$$, 'the page before a message');
SELECT results_eq(format('SELECT b.body FROM (SELECT created_at FROM converge.messages_before(%L) OFFSET 1 LIMIT 1) AS a, converge.messages_before(%L, a.created_at) AS b', :doc, :doc), $$VALUES ('two @ann' COLLATE "C"), ('one')$$, 'and before a time');
SELECT results_eq(format('SELECT body FROM converge.messages_before(%L, %L, 5)', :doc, what), wanted, 'as a parameter without a type')
FROM (VALUES ('7a1c0000-0000-4000-8000-0000000000f1', $$SELECT ''::text COLLATE "C" WHERE false$$), ('2000-01-01', $$SELECT ''::text COLLATE "C" WHERE false$$)) AS v (what, wanted);
SELECT throws_ok(format('SELECT * FROM converge.messages_before(%L, %L::uuid)', :doc, gen_random_uuid()), 'P0002', NULL, 'before no message');
SELECT is(count(DISTINCT created_at), 4::bigint, 'no two messages are of the same time') FROM converge.messages WHERE doc_id = :doc;

-- what is read
SELECT pg_temp.be('dan') \g /dev/null
SELECT is(converge.mark_read(:doc, changed), changed, 'a viewer notes what they read') FROM converge.messages WHERE doc_id = :doc AND body = 'one';
SELECT is((SELECT u.messages FROM converge.unread(:doc) AS u), 3::bigint, 'what is left');
SELECT is(converge.mark_read(:doc, 0), (SELECT changed FROM converge.messages WHERE doc_id = :doc AND body = 'one'), 'it never goes back');
SELECT is(converge.mark_read(:doc, 9223372036854775807), converge.talk_changed(:doc), 'nor ahead of what there is');
SELECT is((SELECT concat_ws(' ', messages, comments, mentions) FROM converge.unread(:doc)), '0 0 0', 'all is read');
SELECT pg_temp.be('ann') \g /dev/null
SELECT is((SELECT concat_ws(' ', messages, mentions) FROM converge.unread(:doc)), '4 2', 'who is mentioned, not who has a longer name');

-- ---- all of it as events ----

SELECT is(array_agg(e.changed ORDER BY n), array_agg(e.changed ORDER BY e.changed), 'events in the order of their changes') FROM converge.talk_events(:doc) WITH ORDINALITY AS e (changed, event, n);
SELECT set_eq(format('SELECT DISTINCT event ->> %L FROM converge.talk_events(%L)', 'type', :doc), ARRAY['thread', 'comment', 'suggest', 'decide', 'chat'], 'of every kind');
SELECT is((SELECT count(*) FROM converge.talk_events(:doc, 0, 1000)), (SELECT (SELECT count(*) FROM converge.threads WHERE doc_id = :doc) + (SELECT count(*) FROM converge.comments WHERE doc_id = :doc) + (SELECT count(*) FROM converge.suggestions WHERE doc_id = :doc) + (SELECT count(*) FROM converge.messages WHERE doc_id = :doc)), 'each row once');
WITH RECURSIVE pages (changed) AS (SELECT 0::bigint UNION ALL SELECT e.changed FROM pages, LATERAL (SELECT max(t.changed) AS changed FROM converge.talk_events(:doc, pages.changed, 3) AS t) AS e WHERE e.changed IS NOT NULL)
SELECT is(max(changed), converge.talk_changed(:doc), 'in pages, up to the last') FROM pages;

-- ---- what verify finds ----

CREATE FUNCTION pg_temp.after(damage text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	EXECUTE replace(damage, 'THIS', $d$doc_id = '7a1c0000-0000-4000-8000-000000000001'$d$);
	found := (SELECT string_agg(regexp_replace(problem, '[0-9a-f-]{36}', 'ID', 'g'), '; ') FROM converge.verify('7a1c0000-0000-4000-8000-000000000001'));
	RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	RETURN found;
END
$$;
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :doc), 'nothing is wrong');
SELECT alike(pg_temp.after(damage), told, damage) FROM (VALUES
	('DELETE FROM converge.threads WHERE THIS', '%comment ID belongs to thread ID, which does not exist%'),
	('DELETE FROM converge.comments WHERE THIS', '%thread ID is not deleted, but has 0 comments that are not deleted%'),
	('UPDATE converge.threads SET version = 1000 WHERE THIS', '%thread ID is at version 1000; available are 0 to %'),
	('UPDATE converge.threads SET to_pos = 17 WHERE THIS AND version = 0', '%thread ID is at % to 17 of a text of 16 code points%'),
	('UPDATE converge.threads SET from_pos = to_pos + 1 WHERE THIS', '%thread ID is at 16 to 15 of%'),
	('UPDATE converge.threads SET quote = ''x'' WHERE THIS AND length = 4', '%thread ID has a quote of 1 characters for a passage of 4%'),
	('UPDATE converge.suggestions SET version = NULL WHERE THIS', '%suggestion ID is accepted with version none and decided by ben%'),
	('UPDATE converge.suggestions SET status = ''open'' WHERE THIS AND status = ''rejected''', '%suggestion ID is open with version none and decided by ben%'),
	('UPDATE converge.suggestions SET version = 1 WHERE THIS AND status = ''accepted''', '%suggestion ID is accepted, but its operation did not make version 1%'),
	('UPDATE converge.suggestions SET base_version = 1000 WHERE THIS AND status = ''open''', '%suggestion ID is on version 1000; available are %'),
	('UPDATE converge.messages SET changed = 1 WHERE THIS', '%rows have change 1; the last one is %'),
	('UPDATE converge.talks SET changed = changed - 1 WHERE THIS', '%rows have change %; the last one is %'),
	('UPDATE converge.talks SET open_threads = 7 WHERE THIS', '%the talk has 1 open threads and 1 open suggestions, its row records 7 and 1%')) AS v (damage, told);

-- ---- pruned, then deleted ----

SELECT pg_temp.places() AS before \gset
SELECT converge.comment(:doc, 'x', 1, 4), pg_temp.be('cleo'), converge.suggest(:doc, (SELECT version FROM converge.heads WHERE doc_id = :doc), '["x"]', NULL, '7a1c0000-0000-4000-8000-0000000000e9'), pg_temp.be('ann'), converge.edit(:doc, '["y"]') \g /dev/null
SELECT converge.talk_changed(:doc) AS changed \gset
SELECT string_agg(concat_ws(' ', from_pos, to_pos, orphan), ', ') AS places FROM converge.threads_at(:doc) \gset
SELECT converge.prune(:doc, (SELECT version FROM converge.heads WHERE doc_id = :doc)) \g /dev/null
SELECT is((SELECT string_agg(concat_ws(' ', from_pos, to_pos, orphan), ', ') FROM converge.threads_at(:doc)), :'places', 'threads are where they were when their history is pruned');
SELECT is(converge.talk_changed(:doc), :changed::bigint, 'which is no change');
SELECT lives_ok(format('SELECT converge.decide_suggestion(%L, %L, true)', :doc, '7a1c0000-0000-4000-8000-0000000000e9'), 'one is accepted');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :doc), 'nothing is wrong');
SELECT converge.delete_document(:doc) \g /dev/null
SELECT is((SELECT count(*) FROM converge.talks WHERE doc_id = :doc) + (SELECT count(*) FROM converge.threads WHERE doc_id = :doc) + (SELECT count(*) FROM converge.comments WHERE doc_id = :doc) + (SELECT count(*) FROM converge.suggestions WHERE doc_id = :doc)
	+ (SELECT count(*) FROM converge.messages WHERE doc_id = :doc) + (SELECT count(*) FROM converge.last_read WHERE doc_id = :doc), 0::bigint, 'with the document all of it goes');

SELECT * FROM finish();
ROLLBACK;
