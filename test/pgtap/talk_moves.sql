-- Talk goes where its document goes: into an export and out of it; redacted and erased with it.
BEGIN;
SELECT * FROM no_plan();
SET client_min_messages = warning;
\set doc '6a7e0000-0000-4000-8000-0000000000fb'
SET converge."user" = 'ann';
SELECT converge.create_document('Talk', 'The password is hunter2, they say.', :'doc') \g /dev/null
SELECT converge.share(:'doc', 'ben', 'editor'), converge.share(:'doc', '*', 'viewer') \g /dev/null
SELECT converge.comment(:'doc', 'hunter2? Really? 😀', 4, 20, NULL, 'a0000000-0000-4000-8000-000000000001') \g /dev/null
SELECT converge.comment(:'doc', 'cut', 25, 29, NULL, 'a0000000-0000-4000-8000-000000000002') \g /dev/null
SET converge."user" = 'ben';
SELECT converge.suggest(:'doc', 0, '[16,"hunter2 and more"]', 'hunter2 twice', 'a0000000-0000-4000-8000-000000000003') \g /dev/null
SELECT converge.say(:'doc', '@ann hunter2', 'a0000000-0000-4000-8000-000000000004'), converge.mark_read(:'doc', 3) \g /dev/null
SELECT converge.resolve_thread(:'doc', 'a0000000-0000-4000-8000-000000000002') \g /dev/null
SET converge."user" = 'cat';
SELECT converge.mark_read(:'doc', 1) \g /dev/null
SET converge."user" = 'ann';

-- an export has it all
SELECT converge.import_document(converge.export_document(:'doc'), '6a7e0000-0000-4000-8000-0000000000fc') \g /dev/null
CREATE FUNCTION pg_temp.talk(doc uuid) RETURNS TABLE (kind text, told jsonb) LANGUAGE sql AS $$
	SELECT 'talk', to_jsonb(t) - 'doc_id' FROM converge.talks t WHERE t.doc_id = doc
	UNION ALL SELECT 'thread', to_jsonb(t) - 'doc_id' FROM converge.threads t WHERE t.doc_id = doc
	UNION ALL SELECT 'comment', to_jsonb(t) - 'doc_id' FROM converge.comments t WHERE t.doc_id = doc
	UNION ALL SELECT 'suggestion', to_jsonb(t) - 'doc_id' FROM converge.suggestions t WHERE t.doc_id = doc
	UNION ALL SELECT 'message', to_jsonb(t) - 'doc_id' FROM converge.messages t WHERE t.doc_id = doc
	UNION ALL SELECT 'read', to_jsonb(t) - 'doc_id' FROM converge.last_read t WHERE t.doc_id = doc
$$;
SELECT is((SELECT count(*) FROM pg_temp.talk(:'doc')), 9::bigint, 'there is talk of each kind');
SELECT set_eq('SELECT * FROM pg_temp.talk(''6a7e0000-0000-4000-8000-0000000000fc'')', format('SELECT * FROM pg_temp.talk(%L)', :'doc'), 'an import has the talk of the export');
SELECT is_empty('SELECT * FROM converge.verify(''6a7e0000-0000-4000-8000-0000000000fc'')', 'verify finds nothing in it');

-- redact reaches it, also where a quote or what is around it was cut
SELECT changed AS before FROM converge.talks WHERE doc_id = :'doc' \gset
SELECT converge.redact(:'doc', 'hunter2') \g /dev/null
SELECT is_empty(format('SELECT * FROM pg_temp.talk(%L) WHERE told::text LIKE ''%%hunt%%'' OR told::text LIKE ''%%nter2%%''', :'doc'), 'nothing is left of what was redacted');
SELECT results_eq(format('SELECT quote, prefix, suffix FROM converge.threads WHERE doc_id = %L ORDER BY from_pos', :'doc'),
	$$VALUES ('password is ████', 'The ', '███, they say.'), ('they', 'The password is ███████, ', ' say.')$$, 'a quote that was cut within it has its part replaced');
SELECT is((SELECT op::jsonb FROM converge.suggestions WHERE doc_id = :'doc'), '[16,"███████ and more"]', 'a suggestion, too');
SELECT is((SELECT body FROM converge.messages WHERE doc_id = :'doc'), '@ann ███████', 'a message, too');
SELECT is((SELECT count(*) FROM converge.talk_events(:'doc', :before)), 5::bigint, 'what was redacted is listed as changed');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'doc'), 'verify finds nothing after it');
SELECT converge.redact_range(:'doc', 0, 25, 27, 'x') \g /dev/null
SELECT is((SELECT quote FROM converge.threads WHERE doc_id = :'doc' AND from_pos = 25), 'xxey', 'a range that is redacted is in quotes, too');

-- erase_user
SELECT converge.erase_user('ben', 'gone') \g /dev/null
SELECT is_empty(format('SELECT * FROM pg_temp.talk(%L) WHERE told::text LIKE ''%%"ben"%%''', :'doc'), 'nothing is left of a user who is erased');
SELECT is((SELECT array_agg(user_id) FROM converge.messages WHERE doc_id = :'doc'), '{gone}', '... but what they said');
SELECT converge.erase_user('cat', 'gone') \g /dev/null
SELECT is_empty('SELECT FROM converge.last_read WHERE user_id = ''cat''', 'nor of one who only read');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'doc'), 'verify finds nothing after that');
-- erase_user, of one who has done all there is to do
\set all '''6a7e0000-0000-4000-8000-0000000000fd'''
\set thread '''a0000000-0000-4000-8000-00000000000a'''
SET converge."user" = 'dan';
SELECT converge.create_document('Talk', 'abcdef', :all), converge.share(:all, 'ann', 'owner') \g /dev/null
SELECT converge.comment(:all, 'said', 1, 3, NULL, :thread), converge.reply(:all, :thread, 'more'), converge.resolve_thread(:all, :thread), converge.comment(:all, 'open', 2, 4) \g /dev/null
SELECT converge.suggest(:all, 0, '["x"]', 'why', :thread), converge.decide_suggestion(:all, :thread, true), converge.suggest(:all, 0, '["y"]') AS withdrawn \gset
SELECT converge.withdraw_suggestion(:all, :'withdrawn'), converge.say(:all, 'hi'), converge.mark_read(:all, 3) \g /dev/null
SELECT changed AS before FROM converge.talks WHERE doc_id = :all \gset
SET converge."user" = 'ann';
SELECT converge.erase_user('dan', 'gone') \g /dev/null
SELECT is_empty(format('SELECT * FROM pg_temp.talk(%L) WHERE told::text LIKE ''%%"dan"%%''', :all), 'nothing is left of one who commented, resolved, suggested, decided, withdrew and chatted');
SELECT is((SELECT count(*) FROM pg_temp.talk(:all) WHERE told::text LIKE '%"gone"%'), 8::bigint, 'what they did is there');
SELECT is((SELECT count(*) FROM converge.talk_events(:all, :before)), 8::bigint, 'and listed as changed');
SELECT is(concat_ws(' ', resolved_by, t.created_by), 'gone gone', 'their thread is resolved as it was') FROM converge.threads_at(:all) t WHERE t.resolved;
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :all), 'verify finds nothing after that');

-- redact where the passage is in no version any more: a quote, and what stood around it, have the text in parts
\set cut '''6a7e0000-0000-4000-8000-0000000000fe'''
SELECT converge.create_document('Talk', 'The password is hunter2, they say. It is hunter2 😀 and more.', :cut) \g /dev/null
SELECT converge.comment(:cut, 'begins', 0, 20), converge.comment(:cut, 'ends', 19, 24), converge.comment(:cut, 'within', 17, 19), converge.comment(:cut, 'both', 19, 45) \g /dev/null
SELECT converge.comment(:cut, 'whole', 41, 48), converge.comment(:cut, 'elsewhere', 0, 3) \g /dev/null
SELECT converge.edit(:cut, converge.delete(0, char_length(converge.content(:cut)))) AS head \gset
SELECT converge.prune(:cut, :head) \g /dev/null
SELECT is(converge.redact(:cut, 'hunter2'), 0::bigint, 'the text is in no version');
SELECT results_eq(format('SELECT (SELECT c.body FROM converge.comments c WHERE c.thread_id = t.id), prefix, quote, suffix FROM converge.threads t WHERE doc_id = %L ORDER BY created_at', :cut), $$VALUES
	('begins' COLLATE "C", '', 'The password is ████', '███, they say. It is ███████ 😀 a'),
	('ends', 'The password is ███', '████,', ' they say. It is ███████ 😀 and m'),
	('within', 'The password is █', '██', '████, they say. It is ███████ 😀 '),
	('both', 'The password is ███', '████, they say. It is ████', '███ 😀 and more.'),
	('whole', 'ord is ███████, they say. It is ', '███████', ' 😀 and more.'),
	('elsewhere', '', 'The', ' password is ███████, they say. ')$$, 'its parts are replaced on both sides of where they were cut');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :cut), 'verify finds nothing in it');

-- of a passage longer than its quote the two ends are apart
\set long '''6a7e0000-0000-4000-8000-0000000000ff'''
SELECT converge.create_document('Talk', 'hun' || repeat('x', 9999) || 'hter2hun' || repeat('y', 40), :long) \g /dev/null
SELECT converge.comment(:long, 'long', 2, 10007), converge.edit(:long, converge.delete(0, char_length(converge.content(:long)))) AS head \gset
SELECT converge.prune(:long, :head), converge.redact(:long, 'xhun'), converge.redact(:long, 'hunx') \g /dev/null
SELECT is(concat_ws('|', prefix, left(quote, 3), right(quote, 3), char_length(quote), left(suffix, 4)), '██|██x|xxx|10000|huny', 'what only seems to meet is left alone') FROM converge.threads WHERE doc_id = :long;
SELECT * FROM finish();
ROLLBACK;
