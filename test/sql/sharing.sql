-- Members, titles, lists of documents, and the end of one.
\set ECHO none
\getenv tests PG_ABS_SRCDIR
\set helpers :tests '/helpers.sql'
\i :helpers
\set ECHO all
\set doc '5a4e0000-0000-4000-8000-000000000001'
\set open '5a4e0000-0000-4000-8000-000000000002'
\set nowhere '5a4e0000-0000-4000-8000-00000000dead'
SET converge."user" = 'sharing ann';
SELECT converge.create_document('Grüße 😀', 'aéह😀', :'doc');
SELECT converge.create_document('open', '', :'open');
SELECT converge.share(:'doc', 'ben', 'editor'), converge.share(:'doc', 'zoë', 'viewer'), converge.share(:'doc', 'dan', 'commenter'), converge.share(:'open', '*', 'editor');
SELECT user_id, role, created_at IS NOT NULL AS has_time FROM converge.members(:'doc');

-- what is known of one
SELECT converge.edit(:'doc', '["😀"]') AS version;
SELECT title, owner, role, version, seq > 0 AS has_seq, length, floor_version, snapshot_version, created_at < updated_at AS edited FROM converge.document(:'doc');
SET converge."user" = 'zoë';
SELECT title, owner, role, version FROM converge.document(:'doc');
SELECT role, version FROM converge.document(:'open');
SELECT user_id, role FROM converge.members(:'open');
SET converge."user" = 'eve';
SELECT pg_temp.failure(format('SELECT converge.document(%L)', :'doc'));
SELECT pg_temp.failure(format('SELECT converge.members(%L)', :'doc'));
SELECT pg_temp.failure(format('SELECT converge.document(%L)', :'nowhere'));
SELECT pg_temp.failure(format('SELECT converge.members(%L)', :'nowhere'));

-- a new title
SET converge."user" = 'ben';
SELECT converge.rename_document(:'doc', 'é"😀');
SELECT title, version FROM converge.document(:'doc');
SELECT pg_temp.failure(format('SELECT converge.rename_document(%L, repeat(''😀'', 1001))', :'doc'));
SELECT pg_temp.failure(format('SELECT converge.rename_document(%L, NULL)', :'doc'));
SELECT pg_temp.failure(format('SELECT converge.rename_document(%L, ''x'')', :'nowhere'));
SET converge."user" = 'dan';
SELECT pg_temp.failure(format('SELECT converge.rename_document(%L, ''mine'')', :'doc'));

-- whose it is
SELECT pg_temp.failure(format('SELECT converge.transfer_ownership(%L, ''dan'')', :'doc'));
SET converge."user" = 'sharing ann';
SELECT converge.transfer_ownership(:'doc', 'sharing ann');
SELECT converge.my_role(:'doc');
SELECT converge.transfer_ownership(:'doc', 'ben');
SELECT user_id, role FROM converge.members(:'doc');
SELECT pg_temp.failure(format('SELECT converge.transfer_ownership(%L, ''sharing ann'')', :'doc'));
SET converge."user" = 'ben';
SELECT pg_temp.failure(format('SELECT converge.transfer_ownership(%L, ''*'')', :'doc'));
SELECT pg_temp.failure(format('SELECT converge.transfer_ownership(%L, '''')', :'doc'));
SELECT pg_temp.failure(format('SELECT converge.transfer_ownership(%L, NULL)', :'doc'));
SELECT user_id, role FROM converge.members(:'doc');

-- the owner that stands beside the title is one of the owners, whatever happens to members
\set owned '5a4e0000-0000-4000-8000-000000000003'
CREATE FUNCTION pg_temp.owner_of(doc uuid) RETURNS text LANGUAGE sql AS $$
	SELECT concat(d.owner, CASE WHEN NOT EXISTS (SELECT FROM converge.members m WHERE m.doc_id = doc AND m.user_id = d.owner AND m.role = 'owner') THEN ' is none!' END,
				  CASE WHEN converge.my_role(doc) IS NULL THEN NULL WHEN d.owner <> (SELECT owner FROM converge.document(doc)) THEN ' document() differs!' END)
	FROM converge.documents d WHERE d.id = doc
$$;
SELECT owner AS "owner of the one given to ben" FROM converge.document(:'doc');
SET converge."user" = 'sharing ann';
SELECT converge.create_document('owned', '', :'owned');
SELECT converge.share(:'owned', 'ben', 'owner'), converge.share(:'owned', 'zoë', 'owner'), pg_temp.owner_of(:'owned') AS another_owner;
SELECT converge.transfer_ownership(:'owned', 'zoë'), pg_temp.owner_of(:'owned') AS given;
SELECT converge.my_role(:'owned');
SET converge."user" = 'zoë';
SELECT converge.transfer_ownership(:'owned', 'zoë'), pg_temp.owner_of(:'owned') AS to_oneself;
SELECT converge.transfer_ownership(:'owned', 'dan'), pg_temp.owner_of(:'owned') AS to_who_was_none;
SELECT pg_temp.failure(format('SELECT converge.transfer_ownership(%L, ''zoë'')', :'owned')) AS not_by_who_gave_it_away, pg_temp.owner_of(:'owned') AS as_before;
SET converge."user" = 'ben';
SELECT converge.share(:'owned', 'dan', 'viewer'), pg_temp.owner_of(:'owned') AS one_was_made_less;
SELECT converge.share(:'owned', 'dan', 'owner'), converge.share(:'owned', 'ann', 'owner'), pg_temp.owner_of(:'owned') AS still;
SELECT converge.unshare(:'owned', 'ben'), pg_temp.owner_of(:'owned') AS one_left;
SET converge."user" = 'dan';
SELECT converge.unshare(:'owned', 'ann'), pg_temp.owner_of(:'owned') AS another_went;
SELECT pg_temp.failure(format('SELECT converge.unshare(%L, ''dan'')', :'owned')) AS the_last_stays, pg_temp.owner_of(:'owned') AS still;
BEGIN;
SELECT converge.transfer_ownership(:'owned', 'eve');
ROLLBACK;
SELECT pg_temp.owner_of(:'owned') AS rolled_back;
SELECT converge.delete_document(:'owned');

-- the documents of a user, a page after the other
SET converge."user" = 'sharing ann';
SELECT count(converge.create_document(n::text, 'é', ('5a4e0000-0000-4000-8000-0000000001' || lpad(n::text, 2, '0'))::uuid)) FROM generate_series(1, 10) AS n;
SELECT converge.edit('5a4e0000-0000-4000-8000-000000000103', '["é"]'), converge.edit('5a4e0000-0000-4000-8000-000000000107', '["é"]');
SELECT converge.share('5a4e0000-0000-4000-8000-000000000103', '*', 'viewer'), converge.share('5a4e0000-0000-4000-8000-000000000103', 'fay', 'viewer');
SELECT converge.share('5a4e0000-0000-4000-8000-000000000107', '*', 'editor'), converge.share('5a4e0000-0000-4000-8000-000000000107', 'fay', 'viewer');
SELECT title, role, version, length FROM converge.my_documents();
CREATE FUNCTION pg_temp.pages(size integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	page text;
	pages text;
	before timestamptz;
	before_id uuid;
BEGIN
	LOOP
		SELECT string_agg(title, ' ' ORDER BY updated_at DESC, doc_id DESC), (array_agg(updated_at ORDER BY updated_at, doc_id))[1], (array_agg(doc_id ORDER BY updated_at, doc_id))[1]
			INTO page, before, before_id FROM converge.my_documents(size, before, before_id);
		EXIT WHEN page IS NULL;
		pages := concat_ws(' | ', pages, page);
	END LOOP;
	RETURN pages;
END
$$;
SELECT pg_temp.pages(5);
-- all edited at one moment
UPDATE converge.heads SET updated_at = '2026-01-31' WHERE doc_id::text LIKE '5a4e0000-%';
SELECT pg_temp.pages(5);
SELECT pg_temp.pages(1);
SELECT pg_temp.pages(0) IS NULL AS none, pg_temp.pages(-1) IS NULL AS none, count(*) FROM converge.my_documents(2000000000);
SET converge."user" = 'fay';
SELECT title, role FROM converge.my_documents() ORDER BY title;
SET converge."user" = 'nobody';
SELECT count(*) FROM converge.my_documents();

-- the end of a document
CREATE FUNCTION pg_temp.tables_with(doc uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	name text;
	found boolean;
	names text;
BEGIN
	FOR name IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND (a.attname = 'doc_id' OR a.attname = 'id' AND c.relname = 'documents')
				WHERE c.relnamespace = 'converge'::regnamespace AND c.relkind = 'r' ORDER BY c.relname LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM converge.%I WHERE %s = $1)', name, CASE name WHEN 'documents' THEN 'id' ELSE 'doc_id' END) INTO found USING doc;
		names := concat_ws(' ', names, CASE WHEN found THEN name END);
	END LOOP;
	RETURN names;
END
$$;
SET converge."user" = 'sharing ann';
SELECT pg_temp.failure(format('SELECT converge.delete_document(%L)', :'doc'));
SELECT pg_temp.failure('SELECT converge.delete_document(NULL)');
SET converge."user" = 'ben';
SELECT count(converge.edit(:'doc', '["é"]')) FROM generate_series(1, 10);
SELECT converge.undo_last(:'doc'), converge.snapshot(:'doc', 'kept'), converge.pack(:'doc', 3);
SELECT converge.comment(:'doc', 'é', 0, 1) IS NOT NULL AS comment, converge.suggest(:'doc', 3, '["é"]') IS NOT NULL AS suggestion, converge.say(:'doc', '😀') IS NOT NULL AS message, converge.mark_read(:'doc', 2);
SELECT pg_temp.tables_with(:'doc');
SELECT converge.delete_document(:'doc');
SELECT pg_temp.tables_with(:'doc');
SELECT pg_temp.failure(format(call, :'doc')) FROM (VALUES (1, 'SELECT converge.content(%L)'), (2, 'SELECT converge.edit(%L, ''[]'')'), (3, 'SELECT converge.my_role(%L)'),
	(4, 'SELECT converge.delete_document(%L)'), (5, 'SELECT converge.share(%L, ''eve'', ''viewer'')'), (6, 'SELECT converge.history(%L)')) AS v (n, call) ORDER BY n;
SELECT code FROM converge.submit(ARRAY[:'doc']::uuid[], '{ben}', '{0b000000-0000-8000-8000-000000000001}', '{0}', '{[]}');
-- in the middle of a transaction that has edited it, and its id is free again
BEGIN;
SELECT converge.create_document('again', 'é', :'doc');
SELECT converge.edit(:'doc', '["1"]'), converge.edit(:'doc', '["2"]');
SELECT converge.delete_document(:'doc');
SELECT pg_temp.failure(format('SELECT converge.edit(%L, ''[]'')', :'doc'));
SELECT converge.create_document('and again', '😀', :'doc');
SELECT converge.edit(:'doc', '["1"]'), converge.content(:'doc');
COMMIT;
SELECT converge.content(:'doc'), (SELECT count(*) FROM converge.verify(:'doc')) AS problems;
