-- The SQL surface: names, arguments, results, volatility and parallel safety as the
-- documentation promises them, who may call and read what, a comment on everything.
BEGIN;
SELECT * FROM no_plan();

-- ---- functions people call ----

CREATE TEMP TABLE promised (name text, arguments text, result text, volatility text, parallel text, strict boolean);
INSERT INTO promised VALUES
	-- documents
	('create_document', 'title text DEFAULT ''''::text, content text DEFAULT ''''::text, id uuid DEFAULT gen_random_uuid()', 'uuid', 'volatile', 'unsafe', false),
	('apply_op', 'doc_id uuid, op_id uuid, base_version bigint, op converge.op, OUT version bigint, OUT seq bigint, OUT applied converge.op, OUT duplicate boolean', 'record', 'volatile', 'unsafe', false),
	('edit', 'doc_id uuid, op converge.op', 'bigint', 'volatile', 'unsafe', false),
	('set_content', 'doc_id uuid, content text, base_version bigint DEFAULT NULL::bigint', 'bigint', 'volatile', 'unsafe', false),
	('put_content', 'doc_id uuid, content text, base_version bigint DEFAULT NULL::bigint, tags text DEFAULT NULL::text', 'bigint', 'volatile', 'unsafe', false),
	('replace_all', 'doc_id uuid, from_text text, to_text text', 'bigint', 'volatile', 'unsafe', false),
	('replace_in_all', 'doc_ids uuid[], from_text text, to_text text, OUT doc_id uuid, OUT version bigint', 'SETOF record', 'volatile', 'unsafe', false),
	('content', 'doc_id uuid', 'text', 'stable', 'safe', true),
	('content_at', 'doc_id uuid, version bigint', 'text', 'stable', 'safe', true),
	('open_document', 'doc_id uuid, known_version bigint DEFAULT NULL::bigint, known_op_id uuid DEFAULT NULL::uuid, known_life uuid DEFAULT NULL::uuid, OUT role converge.role, OUT title text, OUT version bigint, OUT seq bigint, OUT op_id uuid, OUT resumed boolean, OUT content text, OUT op converge.op, OUT life uuid', 'record', 'stable', 'safe', false),
	('content_at', 'doc_id uuid, at timestamp with time zone', 'text', 'stable', 'safe', true),
	('content_at', 'doc_id uuid, version_or_time text', 'text', 'stable', 'safe', true),
	('version_at', 'doc_id uuid, at timestamp with time zone', 'bigint', 'stable', 'safe', true),
	-- the past
	('history', 'doc_id uuid, from_version bigint DEFAULT 1, to_version bigint DEFAULT NULL::bigint, OUT version bigint, OUT seq bigint, OUT op_id uuid, OUT user_id text, OUT base_version bigint, OUT created_at timestamp with time zone, OUT op converge.op', 'SETOF record', 'stable', 'safe', false),
	('changes', 'doc_id uuid, from_version bigint DEFAULT 1, to_version bigint DEFAULT NULL::bigint, OUT version bigint, OUT user_id text, OUT created_at timestamp with time zone, OUT kind text, OUT pos bigint, OUT length bigint, OUT content text', 'SETOF record', 'stable', 'safe', false),
	('timeline', 'doc_id uuid, buckets integer DEFAULT 200, from_version bigint DEFAULT 0, to_version bigint DEFAULT NULL::bigint', 'SETOF converge.timeline_bucket', 'stable', 'safe', false),
	('activity', 'doc_id uuid, gap interval DEFAULT ''00:10:00''::interval, since timestamp with time zone DEFAULT NULL::timestamp with time zone, OUT user_id text, OUT from_version bigint, OUT to_version bigint, OUT from_at timestamp with time zone, OUT to_at timestamp with time zone, OUT edits bigint, OUT inserted bigint, OUT deleted bigint', 'SETOF record', 'stable', 'safe', false),
	('my_activity', 'gap interval DEFAULT ''00:10:00''::interval, since timestamp with time zone DEFAULT NULL::timestamp with time zone, author text DEFAULT NULL::text, OUT doc_id uuid, OUT user_id text, OUT from_version bigint, OUT to_version bigint, OUT from_at timestamp with time zone, OUT to_at timestamp with time zone, OUT edits bigint, OUT inserted bigint, OUT deleted bigint', 'SETOF record', 'stable', 'unsafe', false),
	('blame', 'doc_id uuid, version bigint DEFAULT NULL::bigint', 'SETOF converge.blame_run', 'stable', 'safe', false),
	('occurrences', 'doc_id uuid, content text, OUT from_version bigint, OUT to_version bigint, OUT pos bigint, OUT inserted_by text, OUT deleted_by text, OUT inserted_at timestamp with time zone, OUT deleted_at timestamp with time zone, OUT last_pos bigint', 'SETOF record', 'stable', 'safe', false),
	('my_occurrences', 'content text, max_documents integer DEFAULT 20, OUT doc_id uuid, OUT from_version bigint, OUT to_version bigint, OUT pos bigint, OUT inserted_by text, OUT deleted_by text, OUT inserted_at timestamp with time zone, OUT deleted_at timestamp with time zone, OUT last_pos bigint', 'SETOF record', 'stable', 'unsafe', false),
	('diff', 'doc_id uuid, from_version bigint, to_version bigint', 'converge.op', 'stable', 'safe', true),
	('diff_rows', 'doc_id uuid, from_version bigint, to_version bigint, unit text DEFAULT ''characters''::text, OUT kind text, OUT from_pos bigint, OUT to_pos bigint, OUT content text', 'SETOF record', 'stable', 'safe', false),
	('unified_diff', 'doc_id uuid, from_version bigint, to_version bigint, context integer DEFAULT 3', 'text', 'stable', 'safe', false),
	('revert', 'doc_id uuid, version bigint', 'bigint', 'volatile', 'unsafe', false),
	('undo', 'doc_id uuid, op_id uuid', 'bigint', 'volatile', 'unsafe', false),
	('undo_range', 'doc_id uuid, from_version bigint, to_version bigint, user_id text DEFAULT NULL::text', 'bigint', 'volatile', 'unsafe', false),
	('restore_text', 'doc_id uuid, version bigint, from_pos bigint, to_pos bigint', 'bigint', 'volatile', 'unsafe', false),
	('snapshot', 'doc_id uuid, label text DEFAULT NULL::text', 'bigint', 'volatile', 'unsafe', false),
	('remove_label', 'doc_id uuid, version bigint, label text', 'void', 'volatile', 'unsafe', false),
	('pack', 'doc_id uuid, keep bigint DEFAULT 1000', 'bigint', 'volatile', 'unsafe', false),
	('prune', 'doc_id uuid, before_version bigint', 'bigint', 'volatile', 'unsafe', false),
	('redact', 'doc_id uuid, content text, replacement text DEFAULT ''█''::text', 'bigint', 'volatile', 'unsafe', false),
	('redact_range', 'doc_id uuid, version bigint, from_pos bigint, to_pos bigint, replacement text DEFAULT ''█''::text', 'bigint', 'volatile', 'unsafe', false),
	('redact_op', 'op converge.op, content text, replacement text', 'converge.op', 'immutable', 'safe', true),
	('erase_user', 'user_id text, replacement text DEFAULT ''erased''::text', 'bigint', 'volatile', 'unsafe', false),
	('erase_me', '', 'bigint', 'volatile', 'unsafe', false),
	('verify', 'doc_id uuid, OUT version bigint, OUT problem text', 'SETOF record', 'volatile', 'unsafe', true),
	('add_hook', 'event text, hook regprocedure', 'void', 'volatile', 'unsafe', false),
	('drop_hook', 'event text, hook regprocedure', 'void', 'volatile', 'unsafe', false),
	('run_pause_hooks', 'pause interval DEFAULT ''00:00:05''::interval, max_documents integer DEFAULT 1000', 'bigint', 'volatile', 'unsafe', false),
	('maintain', '', NULL, 'volatile', 'unsafe', false),
	-- access
	('share', 'doc_id uuid, user_id text, role converge.role', 'void', 'volatile', 'unsafe', false),
	('unshare', 'doc_id uuid, user_id text', 'void', 'volatile', 'unsafe', false),
	('my_role', 'doc_id uuid', 'converge.role', 'stable', 'safe', true),
	('acting_user', '', 'text', 'stable', 'safe', false),
	('transfer_ownership', 'doc_id uuid, user_id text', 'void', 'volatile', 'unsafe', false),
	('members', 'doc_id uuid, OUT user_id text, OUT name text, OUT role converge.role, OUT created_at timestamp with time zone', 'SETOF record', 'stable', 'unsafe', false),
	('document', 'doc_id uuid, OUT title text, OUT owner text, OUT role converge.role, OUT version bigint, OUT seq bigint, OUT length bigint, OUT floor_version bigint, OUT snapshot_version bigint, OUT created_at timestamp with time zone, OUT updated_at timestamp with time zone, OUT life uuid', 'record', 'stable', 'unsafe', false),
	('my_documents', 'max_rows integer DEFAULT 100, before timestamp with time zone DEFAULT NULL::timestamp with time zone, before_id uuid DEFAULT NULL::uuid, search text DEFAULT NULL::text, OUT doc_id uuid, OUT title text, OUT role converge.role, OUT version bigint, OUT length bigint, OUT created_at timestamp with time zone, OUT updated_at timestamp with time zone', 'SETOF record', 'stable', 'unsafe', false),
	('rename_document', 'doc_id uuid, title text', 'void', 'volatile', 'unsafe', false),
	('delete_document', 'doc_id uuid', 'void', 'volatile', 'unsafe', false),
	('fork', 'doc_id uuid, version bigint DEFAULT NULL::bigint, with_history boolean DEFAULT false, id uuid DEFAULT gen_random_uuid()', 'uuid', 'volatile', 'unsafe', false),
	('export_document', 'doc_id uuid', 'bytea', 'volatile', 'unsafe', false),
	('import_document', 'data bytea, id uuid DEFAULT NULL::uuid', 'uuid', 'volatile', 'unsafe', false),
	('import_copy', 'data bytea, title text DEFAULT NULL::text', 'uuid', 'volatile', 'unsafe', false),
	('move_out', 'doc_id uuid', 'bytea', 'volatile', 'unsafe', false),
	('begin_move', 'doc_id uuid', 'void', 'volatile', 'unsafe', false),
	('sign_up', 'name text, address text, password text', 'text', 'volatile', 'unsafe', false),
	('log_in', 'address text, password text', 'text', 'volatile', 'unsafe', false),
	('change_password', 'old_password text, new_password text', 'boolean', 'volatile', 'unsafe', false),
	('rename_user', 'name text', 'void', 'volatile', 'unsafe', false),
	('largest_documents', 'max_rows integer DEFAULT 100, OUT doc_id uuid, OUT title text, OUT version bigint, OUT length bigint, OUT bytes bigint, OUT pack_bytes bigint, OUT snapshot_bytes bigint, OUT log_bytes bigint, OUT hot_ops bigint, OUT snapshot_lag bigint, OUT updated_at timestamp with time zone', 'SETOF record', 'stable', 'unsafe', false),
	('search_users', 'term text, max_rows integer DEFAULT 20, OUT user_id text, OUT name text', 'SETOF record', 'stable', 'unsafe', false),
	('become', 'user_id text', 'void', 'volatile', 'unsafe', false),
	('begin_presence', 'relay_id uuid, timeout_s integer', 'text', 'volatile', 'unsafe', false),
	('announce', 'messages text[]', 'void', 'volatile', 'unsafe', false),
	('keep_presence', 'relay_id uuid, timeout_s integer, message text', 'boolean', 'volatile', 'unsafe', false),
	('write_presence', 'relay_id uuid, here jsonb, gone jsonb', 'void', 'volatile', 'unsafe', false),
	('end_presence', 'relay_id uuid, message text', 'void', 'volatile', 'unsafe', false),
	('relay_lives', 'relay_id uuid', 'boolean', 'stable', 'safe', true),
	('may_read', 'doc_id uuid', 'boolean', 'stable', 'safe', true),
	-- talk
	('comment', 'doc_id uuid, body text, from_pos bigint, to_pos bigint, version bigint DEFAULT NULL::bigint, thread_id uuid DEFAULT gen_random_uuid(), comment_id uuid DEFAULT gen_random_uuid()', 'uuid', 'volatile', 'unsafe', false),
	('reply', 'doc_id uuid, thread_id uuid, body text, comment_id uuid DEFAULT gen_random_uuid()', 'uuid', 'volatile', 'unsafe', false),
	('edit_comment', 'doc_id uuid, comment_id uuid, body text', 'void', 'volatile', 'unsafe', false),
	('delete_comment', 'doc_id uuid, comment_id uuid', 'void', 'volatile', 'unsafe', false),
	('resolve_thread', 'doc_id uuid, thread_id uuid, resolved boolean DEFAULT true', 'void', 'volatile', 'unsafe', false),
	('threads_at', 'doc_id uuid, version bigint DEFAULT NULL::bigint, OUT id uuid, OUT from_pos bigint, OUT to_pos bigint, OUT orphan boolean, OUT quote text, OUT resolved boolean, OUT resolved_by text, OUT resolved_at timestamp with time zone, OUT created_by text, OUT created_at timestamp with time zone, OUT made_version bigint, OUT changed bigint, OUT alive boolean', 'SETOF record', 'stable', 'unsafe', false),
	('list_comments', 'doc_id uuid, thread_id uuid DEFAULT NULL::uuid', 'SETOF converge.comments', 'stable', 'unsafe', false),
	('suggest', 'doc_id uuid, base_version bigint, op converge.op, note text DEFAULT NULL::text, id uuid DEFAULT gen_random_uuid()', 'uuid', 'volatile', 'unsafe', false),
	('suggestions_at', 'doc_id uuid, version bigint DEFAULT NULL::bigint, OUT id uuid, OUT op converge.op, OUT stale boolean, OUT note text, OUT user_id text, OUT created_at timestamp with time zone, OUT base_version bigint, OUT changed bigint', 'SETOF record', 'stable', 'unsafe', false),
	('decide_suggestion', 'doc_id uuid, id uuid, accept boolean', 'bigint', 'volatile', 'unsafe', false),
	('decide_suggestions', 'doc_id uuid, ids uuid[], accept boolean, OUT id uuid, OUT version bigint', 'SETOF record', 'volatile', 'unsafe', false),
	('withdraw_suggestion', 'doc_id uuid, id uuid', 'void', 'volatile', 'unsafe', false),
	('say', 'doc_id uuid, body text, id uuid DEFAULT gen_random_uuid()', 'uuid', 'volatile', 'unsafe', false),
	('messages_before', 'doc_id uuid, before text DEFAULT NULL::text, "limit" integer DEFAULT 100', 'SETOF converge.messages', 'stable', 'unsafe', false),
	('messages_before', 'doc_id uuid, before uuid, "limit" integer DEFAULT 100', 'SETOF converge.messages', 'stable', 'unsafe', false),
	('messages_before', 'doc_id uuid, before timestamp with time zone, "limit" integer DEFAULT 100', 'SETOF converge.messages', 'stable', 'unsafe', false),
	('mark_read', 'doc_id uuid, changed bigint', 'bigint', 'volatile', 'unsafe', false),
	('unread', 'doc_id uuid, OUT last_read bigint, OUT messages bigint, OUT comments bigint, OUT mentions bigint', 'record', 'stable', 'unsafe', false),
	('talk_events', 'doc_id uuid, since bigint DEFAULT 0, "limit" integer DEFAULT 1000, OUT changed bigint, OUT event json', 'SETOF record', 'stable', 'unsafe', false),
	('talk_rows', 'doc_id uuid, ids uuid[]', 'SETOF json', 'volatile', 'unsafe', false),
	('talk_changed', 'doc_id uuid', 'bigint', 'stable', 'unsafe', false),
	-- the algebra
	('insert', 'pos bigint, content text', 'converge.op', 'immutable', 'safe', true),
	('delete', 'pos bigint, length bigint', 'converge.op', 'immutable', 'safe', true),
	('replace', 'pos bigint, length bigint, content text', 'converge.op', 'immutable', 'safe', true),
	('apply', 'document text, op converge.op', 'text', 'immutable', 'safe', true),
	('compose', 'first converge.op, second converge.op', 'converge.op', 'immutable', 'safe', true),
	('transform', 'op converge.op, over_op converge.op, side text', 'converge.op', 'immutable', 'safe', true),
	('invert', 'op converge.op, document text', 'converge.op', 'immutable', 'safe', true),
	('transform_position', 'pos bigint, op converge.op, side text', 'bigint', 'immutable', 'safe', true),
	('compose_agg', 'op converge.op', 'converge.op', 'immutable', 'safe', false),
	-- the gateway
	('submit', 'doc_ids uuid[], user_ids text[], op_ids uuid[], base_versions bigint[], ops text[], wait boolean DEFAULT false, lives uuid[] DEFAULT NULL::uuid[], OUT ord integer, OUT code text, OUT version bigint, OUT event text, OUT message text, OUT member_changes bigint, OUT seq bigint', 'SETOF record', 'volatile', 'unsafe', false),
	('join_document', 'user_id text, doc_id uuid, known_version bigint DEFAULT NULL::bigint, known_op_id uuid DEFAULT NULL::uuid, known_life uuid DEFAULT NULL::uuid, pending uuid DEFAULT NULL::uuid, most bigint DEFAULT NULL::bigint, OUT role text, OUT title text, OUT version bigint, OUT seq bigint, OUT operation_id uuid, OUT resumed boolean, OUT snapshot text, OUT life uuid, OUT pending_known boolean, OUT pending_version bigint, OUT bytes bigint', 'record', 'stable', 'safe', false),
	('checksum', 'doc_id uuid, version bigint, life uuid DEFAULT NULL::uuid', 'text', 'stable', 'safe', false),
	('catch_up', 'doc_id uuid, since bigint, pending uuid DEFAULT NULL::uuid, most bigint DEFAULT NULL::bigint, OUT from_version bigint, OUT version bigint, OUT seq bigint, OUT operation_id uuid, OUT frame text, OUT composed boolean, OUT bytes bigint', 'SETOF record', 'stable', 'safe', false),
	('has_version', 'doc_id uuid, version bigint, op_id uuid, seq bigint, life uuid DEFAULT NULL::uuid', 'boolean', 'stable', 'safe', false),
	('role_in', 'user_id text, doc_id uuid', 'converge.role', 'stable', 'safe', true),
	('settled_roles', 'doc_id uuid, user_ids text[], OUT ord integer, OUT role text', 'SETOF record', 'volatile', 'unsafe', false),
	('allow_relay', 'relay regrole', 'void', 'volatile', 'unsafe', false);

CREATE TEMP VIEW functions AS
	SELECT p.oid, p.proname AS name, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
		   CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END AS volatility,
		   CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END AS parallel,
		   p.proisstrict AS strict, p.prosecdef, p.proconfig, p.prokind, p.proacl, p.proowner
	FROM pg_proc AS p WHERE p.pronamespace = 'converge'::regnamespace;

SELECT is((f.result, f.volatility, f.parallel, f.strict), (p.result, p.volatility, p.parallel, p.strict),
		  format('%s(%s)', p.name, p.arguments))
FROM promised AS p LEFT JOIN functions AS f USING (name, arguments);

-- a document that is null: the answer is null where the function is strict, else an error
CREATE FUNCTION pg_temp.tried(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT is(pg_temp.tried(format('SELECT * FROM converge.%I(%s)', name,
		(SELECT string_agg(CASE proargnames[n] WHEN 'doc_id' THEN 'NULL::uuid' ELSE coalesce(sample, 'NULL::' || format_type(proargtypes[n - 1], NULL)) END, ', ' ORDER BY n)
		 FROM generate_series(1, pronargs) AS n LEFT JOIN (VALUES ('uuid'::regtype, '''d0000000-0000-4000-8000-00000000000f''::uuid'), ('text', '''x''::text'),
			('bigint', '0::bigint'), ('converge.op', '''[]''::converge.op'), ('converge.role', '''viewer''::converge.role'), ('text[]', '''{x}''::text[]'),
			('timestamptz', 'clock_timestamp()')) AS v (type, sample) ON type = proargtypes[n - 1]))),
	CASE WHEN strict THEN 'done' ELSE '22004' END, format('%s(%s): no document', name, arguments))
FROM functions JOIN pg_proc USING (oid)
-- inner functions, whose callers have looked
WHERE 'doc_id' = ANY (proargnames[:pronargs]) AND name NOT IN ('lock_for_owner', 'keep_an_owner', 'describe_document', 'receive_document', 'redact_log', 'redact_quotes', 'redact_texts', 'renew_document', 'erase_member', 'check_open_threads', 'living_comment', 'living_thread', 'lock_talk', 'next_change') ORDER BY name, arguments;

-- ---- type, casts, operators ----

SELECT has_type('converge', 'op', 'type op');
SELECT enum_has_labels('converge', 'role', ARRAY['viewer', 'commenter', 'editor', 'owner'], 'roles, from the least to the most');
SELECT cast_context_is('converge.op', 'jsonb', 'assignment', 'op to jsonb');
SELECT cast_context_is('jsonb', 'converge.op', 'implicit', 'jsonb to op');
SELECT cast_context_is('json', 'converge.op', 'implicit', 'json to op');
SELECT is((SELECT count(*) FROM pg_cast WHERE 'converge.op'::regtype IN (castsource, casttarget)), 3::bigint, 'and no other cast');
SELECT set_eq($$SELECT oprname::text, oprleft::regtype::text, oprright::regtype::text, oprresult::regtype::text, oprcanhash
					FROM pg_operator WHERE oprnamespace = 'converge'::regnamespace$$,
	$$VALUES ('<>', 'converge.op', 'converge.op', 'boolean', false), ('=', 'converge.op', 'converge.op', 'boolean', true)$$, 'operators');
SELECT set_eq($$SELECT a.amname::text FROM pg_opclass AS c JOIN pg_am AS a ON a.oid = c.opcmethod WHERE c.opcintype = 'converge.op'::regtype AND c.opcdefault$$,
	$$VALUES ('hash')$$, 'ops hash and do not sort');

-- ---- tables ----

CREATE FUNCTION pg_temp.columns_of(name text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat(attname, ' ', format_type(atttypid, atttypmod), CASE WHEN NOT attnotnull THEN ' null' END), ', ' ORDER BY attname COLLATE "C")
	FROM pg_attribute WHERE attrelid = format('converge.%I', name)::regclass AND attnum > 0 AND NOT attisdropped
$$;
SELECT is(pg_temp.columns_of(name), columns, format('columns of %s', name)) FROM (VALUES
	('documents', 'created_at timestamp with time zone, id uuid, life uuid, owner text, title text'),
	('heads', 'doc_id uuid, floor_version bigint, length bigint, life uuid, log_bytes bigint, member_changes bigint, packed_version bigint, seq bigint, snapshot_version bigint, updated_at timestamp with time zone, version bigint'),
	('labels', 'created_at timestamp with time zone, doc_id uuid, label text, user_id text, version bigint'),
	('members', 'created_at timestamp with time zone, doc_id uuid, role converge.role, user_id text'),
	('ops', 'base_version bigint, created_at timestamp with time zone, doc_id uuid, op converge.op, op_id uuid, seq bigint, submitted_hash integer, user_id text, version bigint'),
	('talks', 'changed bigint, doc_id uuid, open_suggestions bigint, open_threads bigint'),
	('threads', 'alive boolean, changed bigint, created_at timestamp with time zone, created_by text, deleted_at timestamp with time zone null, doc_id uuid, from_pos bigint, id uuid, length bigint, prefix text, quote text, resolved_at timestamp with time zone null, resolved_by text null, suffix text, to_pos bigint, version bigint'),
	('comments', 'body text, changed bigint, created_at timestamp with time zone, deleted_at timestamp with time zone null, doc_id uuid, edited_at timestamp with time zone null, id uuid, submitted_hash bigint, thread_id uuid, user_id text'),
	('suggestions', 'base_version bigint, changed bigint, created_at timestamp with time zone, decided_at timestamp with time zone null, decided_by text null, doc_id uuid, id uuid, note text, op converge.op, status text, submitted_hash bigint, user_id text, version bigint null'),
	('messages', 'body text, changed bigint, created_at timestamp with time zone, doc_id uuid, id uuid, user_id text, version bigint'),
	('last_read', 'changed bigint, doc_id uuid, read_at timestamp with time zone, user_id text'),
	('users', 'address text, created_at timestamp with time zone, id text, name text, password_hash text'),
	('attempts', 'bucket integer, count integer, since timestamp with time zone, user_id text'),
	('attempt_keys', 'id boolean, key text'),
	('presence', 'anchor bigint null, client_id uuid, color text null, doc_id uuid, head bigint null, name text null, relay_id uuid, since timestamp with time zone, updated_at timestamp with time zone, user_id text, version bigint null'),
	('relays', 'alive_until timestamp with time zone, id uuid, since timestamp with time zone'),
	('relay_keys', 'id boolean, key text'),
	('snapshots', 'content text, created_at timestamp with time zone, doc_id uuid, kind text, op_id uuid null, seq bigint, version bigint')) AS v (name, columns);
SELECT col_is_pk('converge', 'documents', 'id', 'key of documents');
SELECT col_is_pk('converge', 'heads', 'doc_id', 'key of heads');
SELECT col_is_pk('converge', 'members', ARRAY['doc_id', 'user_id'], 'key of members');
SELECT col_is_pk('converge', 'ops', ARRAY['doc_id', 'version'], 'key of ops');
SELECT col_is_pk('converge', 'labels', ARRAY['doc_id', 'version', 'label'], 'key of labels');
SELECT col_is_pk('converge', 'snapshots', ARRAY['doc_id', 'version'], 'key of snapshots');
SELECT col_is_pk('converge', 'presence', ARRAY['doc_id', 'client_id'], 'key of presence');
SELECT is((SELECT count(*) FROM pg_class WHERE relnamespace = 'converge'::regnamespace AND relpersistence = 'u' AND relname IN ('presence', 'relays', 'relay_keys', 'attempts', 'attempt_keys')), 5::bigint,
	'presence, attempts and keys are in no log, no backup and on no standby');
SELECT col_is_unique('converge', 'ops', ARRAY['doc_id', 'op_id'], 'an op id names one op of its document');
SELECT is((SELECT reloptions FROM pg_class WHERE oid = 'converge.heads'::regclass), '{fillfactor=50}', 'heads has room for HOT updates');
SELECT is((SELECT count(*) FROM pg_index WHERE indrelid = 'converge.heads'::regclass), 1::bigint, 'and no index but its key');
SELECT is((SELECT reltoastrelid FROM pg_class WHERE oid = 'converge.heads'::regclass), 0::oid, 'and no TOAST table');
SELECT is((SELECT count(*) FROM pg_constraint WHERE connamespace = 'converge'::regnamespace AND contype = 'f'), 0::bigint,
	'nothing ties tables together: documents can be sharded by id');

-- everything that holds documents is dumped
SELECT set_eq(
	$$SELECT unnest(extconfig)::regclass::text FROM pg_extension WHERE extname = 'converge'$$,
	$$SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'converge'::regnamespace AND relkind IN ('r', 'S') AND relpersistence = 'p'$$,
	'pg_dump carries every table and sequence that is not for the moment');

SELECT is_empty('SELECT * FROM converge.additions()', 'what converge makes in its tables is no addition');

-- ---- who may what ----

SELECT is(has_schema_privilege('public', 'converge', 'usage'), true, 'PUBLIC may use the schema');
SELECT is(has_schema_privilege('public', 'converge', 'create'), false, 'and create nothing in it');
SELECT set_eq($$SELECT c.relname::text, c.relrowsecurity FROM pg_class AS c
	WHERE c.relnamespace = 'converge'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND has_table_privilege('public', c.oid, 'select')$$,
	$$VALUES ('comments', true), ('documents', true), ('heads', true), ('labels', true), ('last_read', true), ('members', true), ('messages', true), ('ops', true), ('packs', true), ('presence', true), ('snapshots', true), ('suggestions', true), ('talks', true), ('threads', true), ('undos', true)$$,
	'PUBLIC may read what row-level security guards, and nothing else');
SELECT is_empty($$SELECT oid::regclass FROM pg_class WHERE relnamespace = 'converge'::regnamespace AND relkind IN ('r', 'p') AND NOT relrowsecurity$$,
	'which is on for every table');
SELECT is_empty($$SELECT c.oid::regclass, p FROM pg_class AS c, unnest(ARRAY['insert', 'update', 'delete', 'truncate', 'references', 'trigger']) AS p
	WHERE c.relnamespace = 'converge'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND has_table_privilege('public', c.oid, p)$$,
	'PUBLIC writes no table');
SELECT is_empty($$SELECT c.oid::regclass, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
	WHERE c.relnamespace = 'converge'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND has_any_column_privilege('public', c.oid, 'insert,update,references')$$,
	'nor any column');
SELECT is_empty($$SELECT c.oid::regclass, p FROM pg_class AS c, unnest(ARRAY['usage', 'select', 'update']) AS p
	WHERE c.relnamespace = 'converge'::regnamespace AND c.relkind = 'S' AND has_sequence_privilege('public', c.oid, p)$$,
	'nor any sequence');
SELECT set_eq($$SELECT name::text FROM functions AS f WHERE NOT has_function_privilege('public', f.oid, 'execute')$$,
	ARRAY['account_name', 'add_hook', 'allow_relay', 'announce', 'arm_hooks', 'attempt_bucket', 'bcrypt', 'become', 'begin_presence', 'carry_talk', 'catch_up', 'check_open_threads', 'checksum', 'copy_log', 'count_attempt',
		'count_member_change', 'describe_document', 'drop_hook', 'due_documents', 'end_presence', 'erase_author', 'erase_member', 'erase_user', 'export_log', 'has_author', 'has_version', 'import_document', 'import_log',
		'import_snapshot', 'is_password', 'join_document', 'keep_an_owner', 'keep_presence', 'largest_documents', 'living_comment', 'living_thread', 'lock_for_owner', 'lock_talk', 'log_in', 'maintain', 'maintain_document',
		'message_page', 'next_change', 'receive_document', 'redact_log', 'redact_quotes', 'redact_texts', 'renew_document', 'restore_addition', 'role_in', 'run_pause_hooks', 'search_users', 'settled_roles', 'show_life', 'sign_up', 'stored_text',
		'submit', 'talk_numbers', 'warn_of_unknown_user', 'write_presence'],
	'the gateway and the inner functions are closed to PUBLIC');
SELECT is_empty($$SELECT name, arguments FROM functions AS f WHERE has_function_privilege('public', f.oid, 'execute') AND arguments ~ '^user_id|user_ids'$$,
	'no function that takes the acting user as an argument is public');
SELECT is_empty($$SELECT name FROM functions AS f WHERE prosecdef AND
					NOT EXISTS (SELECT FROM unnest(proconfig) AS c WHERE c = 'search_path=pg_catalog, pg_temp')$$,
	'definer functions have a fixed search path, temporary objects last');
SELECT is(converge.acting_user(), session_user::text, 'the acting user is the role that connected');
SELECT is((SELECT context FROM pg_settings WHERE name = parameter), 'superuser', parameter || ' is for those who were granted it')
FROM unnest('{converge.acting_user,converge.user}'::text[]) AS parameter;

-- ---- a comment on everything ----

SELECT is_empty($$
	SELECT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend AS d
	WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'converge') AND d.deptype = 'e'
	  AND d.classid IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_operator'::regclass)
	  AND coalesce(obj_description(d.objid, d.classid::regclass::name), '') = ''$$, 'functions, tables, sequences and operators have a comment');
SELECT is_empty($$SELECT t.oid::regtype FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
	WHERE t.typnamespace = 'converge'::regnamespace AND t.typtype IN ('b', 'e', 'd') AND t.typelem = 0 AND coalesce(obj_description(t.oid, 'pg_type'), '') = ''$$,
	'types have a comment');
SELECT isnt((SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'converge'), NULL, 'so has the extension');

-- ---- what is called parallel safe is ----

CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		plan := concat(plan, line, E'\n');
	END LOOP;
	RETURN plan;
END
$$;
SELECT set_config('converge.user', 'ann', true);
SELECT converge.create_document(n::text, 'é😀', ('d0000000-0000-4000-8000-00000000000' || n)::uuid) FROM generate_series(1, 5) AS n;
SELECT converge.edit(id, converge.insert(2, title)) FROM converge.documents WHERE owner = 'ann';
SELECT set_config(name, 'on', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0', true), set_config('min_parallel_table_scan_size', '0', true);
SELECT results_eq($$SELECT converge.content(id), converge.my_role(id)::text, converge.acting_user(), (converge.open_document(id)).version, (converge.join_document('ann', id)).seq > 0
					FROM converge.documents WHERE owner = 'ann' ORDER BY title$$,
	$$SELECT 'é😀' || n, 'owner', 'ann', 1::bigint, true FROM generate_series(1, 5) AS n$$, 'reading in a parallel worker, after writing in the leader');
SELECT matches(pg_temp.plan_of($$SELECT converge.content(id) FROM converge.documents WHERE owner = 'ann'$$), 'Workers Planned', 'it was one');

SELECT * FROM finish();
ROLLBACK;
