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
SELECT * FROM finish();
ROLLBACK;
