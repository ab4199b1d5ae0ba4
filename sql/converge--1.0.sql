/* sql/converge--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION converge" to load this file. \quit

DO $$
BEGIN
	IF pg_catalog.current_setting('server_version_num')::int OPERATOR(pg_catalog.<) 150000 THEN
		RAISE EXCEPTION 'converge requires PostgreSQL 15 or later'
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = pg_catalog.concat('This server is version ', pg_catalog.current_setting('server_version'), '.');
	END IF;
	IF pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8' THEN
		RAISE EXCEPTION 'converge requires a database with encoding UTF8'
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = pg_catalog.concat('The encoding of this database is ', pg_catalog.getdatabaseencoding(), '.'),
				  HINT = 'Create one with CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0.';
	END IF;
END
$$;

-- A schema converge that was there before must hold nothing, and nobody but its owner may
-- be able to put anything there: a look-alike of one of our functions would be called with
-- the installer's rights.  A dump writes CREATE SCHEMA itself, so that its owner is the
-- installer, or another superuser, who needs no look-alikes.
DO $$
DECLARE
	place CONSTANT pg_catalog.oid := 'converge'::pg_catalog.regnamespace;
	stranger pg_catalog.text;
	content pg_catalog.text;
BEGIN
	SELECT r.rolname INTO stranger
		FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
		WHERE n.oid OPERATOR(pg_catalog.=) place AND NOT r.rolsuper
		  AND r.rolname OPERATOR(pg_catalog.<>) CURRENT_USER;
	IF stranger IS NOT NULL THEN
		RAISE EXCEPTION 'schema "converge" belongs to role "%"', stranger
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'An existing schema must belong to the role that creates the extension.',
				  HINT = 'Check what it contains, then rename or drop it.';
	END IF;

	SELECT pg_catalog.string_agg(COALESCE(pg_catalog.quote_ident(r.rolname), 'PUBLIC'::pg_catalog.text), ', '::pg_catalog.text
								 ORDER BY r.rolname)
		INTO stranger
		FROM pg_catalog.pg_namespace n
			 CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) a
			 LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) a.grantee
		WHERE n.oid OPERATOR(pg_catalog.=) place AND a.privilege_type OPERATOR(pg_catalog.=) 'CREATE'::pg_catalog.text
		  AND a.grantee OPERATOR(pg_catalog.<>) n.nspowner AND r.rolsuper IS NOT TRUE
		  AND (r.rolname OPERATOR(pg_catalog.<>) CURRENT_USER) IS NOT FALSE;
	IF stranger IS NOT NULL THEN
		RAISE EXCEPTION 'other roles may create objects in schema "converge"'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = pg_catalog.concat('The privilege CREATE is granted to: '::pg_catalog.text, stranger, '.'::pg_catalog.text),
				  HINT = pg_catalog.concat('Run REVOKE CREATE ON SCHEMA converge FROM '::pg_catalog.text, stranger, '.'::pg_catalog.text);
	END IF;

	-- the extension itself is here by now; publications and default privileges name the schema, but are not in it
	SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) INTO content
		FROM pg_catalog.pg_depend d
		WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
		  AND d.refobjid OPERATOR(pg_catalog.=) place
		  AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_default_acl'::pg_catalog.regclass
		  AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_publication_namespace'::pg_catalog.regclass
		  AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension e
						  WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
							AND e.oid OPERATOR(pg_catalog.=) d.objid
							AND e.extname OPERATOR(pg_catalog.=) 'converge'::pg_catalog.name)
		ORDER BY d.classid, d.objid LIMIT 1;
	IF content IS NOT NULL THEN
		RAISE EXCEPTION 'schema "converge" is not empty'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = pg_catalog.concat('It contains '::pg_catalog.text, content, '.'::pg_catalog.text),
				  HINT = 'Move its objects to another schema or drop them.';
	END IF;
END
$$;

GRANT USAGE ON SCHEMA converge TO PUBLIC;

-- ---------------------------------------------------------------------------
-- Type op: an operation on a text document
-- ---------------------------------------------------------------------------

CREATE TYPE converge.op;

CREATE FUNCTION converge.op_in(cstring) RETURNS converge.op
	AS 'MODULE_PATHNAME', 'converge_op_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION converge.op_out(converge.op) RETURNS cstring
	AS 'MODULE_PATHNAME', 'converge_op_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION converge.op_recv(internal) RETURNS converge.op
	AS 'MODULE_PATHNAME', 'converge_op_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION converge.op_send(converge.op) RETURNS bytea
	AS 'MODULE_PATHNAME', 'converge_op_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE converge.op (
	INPUT = converge.op_in,
	OUTPUT = converge.op_out,
	RECEIVE = converge.op_recv,
	SEND = converge.op_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE converge.op IS
	'an operation on a text document, e.g. [5, "hi", {"d": 3}]: retain 5 code points, insert "hi", delete 3 code points';

CREATE FUNCTION converge.op_to_jsonb(op converge.op) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'converge_op_to_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION converge.op_from_jsonb(op jsonb) RETURNS converge.op
	AS 'MODULE_PATHNAME', 'converge_op_from_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION converge.op_from_json(op json) RETURNS converge.op
	AS 'MODULE_PATHNAME', 'converge_op_from_json' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE CAST (converge.op AS jsonb) WITH FUNCTION converge.op_to_jsonb(converge.op) AS ASSIGNMENT;
-- implicit, since drivers give a parameter that is JSON one of these types
CREATE CAST (jsonb AS converge.op) WITH FUNCTION converge.op_from_jsonb(jsonb) AS IMPLICIT;
CREATE CAST (json AS converge.op) WITH FUNCTION converge.op_from_json(json) AS IMPLICIT;

CREATE FUNCTION converge.op_eq(a converge.op, b converge.op) RETURNS boolean
	AS 'MODULE_PATHNAME', 'converge_op_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION converge.op_ne(a converge.op, b converge.op) RETURNS boolean
	AS 'MODULE_PATHNAME', 'converge_op_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION converge.op_hash(op converge.op) RETURNS integer
	AS 'MODULE_PATHNAME', 'converge_op_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION converge.op_hash_extended(op converge.op, seed bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_op_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE OPERATOR converge.= (
	LEFTARG = converge.op, RIGHTARG = converge.op, FUNCTION = converge.op_eq,
	COMMUTATOR = OPERATOR(converge.=), NEGATOR = OPERATOR(converge.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
CREATE OPERATOR converge.<> (
	LEFTARG = converge.op, RIGHTARG = converge.op, FUNCTION = converge.op_ne,
	COMMUTATOR = OPERATOR(converge.<>), NEGATOR = OPERATOR(converge.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR CLASS converge.op_hash_ops DEFAULT FOR TYPE converge.op USING hash AS
	OPERATOR 1 converge.=,
	FUNCTION 1 converge.op_hash(converge.op),
	FUNCTION 2 converge.op_hash_extended(converge.op, bigint);

COMMENT ON FUNCTION converge.op_in(cstring) IS 'I/O';
COMMENT ON FUNCTION converge.op_out(converge.op) IS 'I/O';
COMMENT ON FUNCTION converge.op_recv(internal) IS 'I/O';
COMMENT ON FUNCTION converge.op_send(converge.op) IS 'I/O';
COMMENT ON FUNCTION converge.op_to_jsonb(converge.op) IS 'the op as a jsonb array; also a cast';
COMMENT ON FUNCTION converge.op_from_jsonb(jsonb) IS 'an op from a jsonb array; also a cast';
COMMENT ON FUNCTION converge.op_from_json(json) IS 'an op from a json array; also a cast';
COMMENT ON FUNCTION converge.op_eq(converge.op, converge.op) IS 'implementation of = operator';
COMMENT ON FUNCTION converge.op_ne(converge.op, converge.op) IS 'implementation of <> operator';
COMMENT ON FUNCTION converge.op_hash(converge.op) IS 'hash';
COMMENT ON FUNCTION converge.op_hash_extended(converge.op, bigint) IS 'hash';
COMMENT ON OPERATOR converge.= (converge.op, converge.op) IS 'the same components in the same order';
COMMENT ON OPERATOR converge.<> (converge.op, converge.op) IS 'not the same components in the same order';

-- ---------------------------------------------------------------------------
-- The algebra
-- ---------------------------------------------------------------------------

CREATE FUNCTION converge.insert(pos bigint, content text) RETURNS converge.op
	AS 'MODULE_PATHNAME', 'converge_insert' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.insert(bigint, text) IS
	'the op that inserts content at pos (code points from the start, from 0)';

CREATE FUNCTION converge.delete(pos bigint, length bigint) RETURNS converge.op
	AS 'MODULE_PATHNAME', 'converge_delete' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.delete(bigint, bigint) IS
	'the op that deletes length code points from pos on';

CREATE FUNCTION converge.replace(pos bigint, length bigint, content text) RETURNS converge.op
	AS 'MODULE_PATHNAME', 'converge_replace' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.replace(bigint, bigint, text) IS
	'the op that puts content in place of length code points from pos on';

CREATE FUNCTION converge.apply(document text, op converge.op) RETURNS text
	AS 'MODULE_PATHNAME', 'converge_apply' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.apply(text, converge.op) IS
	'the document after the op; an op that reaches past its end is error OT005';

CREATE FUNCTION converge.compose(first converge.op, second converge.op) RETURNS converge.op
	AS 'MODULE_PATHNAME', 'converge_compose' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.compose(converge.op, converge.op) IS
	'both ops as one; at a tie the delete of the first comes before the insert of the second';

CREATE FUNCTION converge.transform(op converge.op, over_op converge.op, side text) RETURNS converge.op
	AS 'MODULE_PATHNAME', 'converge_transform' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.transform(converge.op, converge.op, text) IS
	'op changed so that it applies after over_op, both made on the same document; side: left (its insert goes first at a tie) or right';

CREATE FUNCTION converge.invert(op converge.op, document text) RETURNS converge.op
	AS 'MODULE_PATHNAME', 'converge_invert' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.invert(converge.op, text) IS
	'the op that undoes op, which was made on document';

CREATE FUNCTION converge.transform_position(pos bigint, op converge.op, side text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_transform_position' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.transform_position(bigint, converge.op, text) IS
	'the position of pos after op; at a tie with an insert: left stays before it, right goes after it';

CREATE FUNCTION converge.compose_step(state internal, op converge.op) RETURNS internal
	AS 'MODULE_PATHNAME', 'converge_compose_step' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION converge.compose_final(state internal) RETURNS converge.op
	AS 'MODULE_PATHNAME', 'converge_compose_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE AGGREGATE converge.compose_agg(op converge.op) (
	SFUNC = converge.compose_step,
	STYPE = internal,
	FINALFUNC = converge.compose_final,
	FINALFUNC_MODIFY = READ_WRITE,
	PARALLEL = SAFE
);
COMMENT ON FUNCTION converge.compose_step(internal, converge.op) IS 'aggregate transition function';
COMMENT ON FUNCTION converge.compose_final(internal) IS 'aggregate final function';
COMMENT ON AGGREGATE converge.compose_agg(converge.op) IS
	'all ops as one, in the order of the aggregate: compose_agg(op ORDER BY version); null for no rows';

-- ---------------------------------------------------------------------------
-- Tables
--
-- Ids of users, their names and addresses are compared and indexed by their bytes,
-- COLLATE "C": no upgrade of a collation may hide a member from an index, and no
-- locale may make two addresses of one.
-- ---------------------------------------------------------------------------

CREATE TYPE converge.role AS ENUM ('viewer', 'commenter', 'editor', 'owner');
COMMENT ON TYPE converge.role IS 'the role of a member; each role may do everything that the roles before it may do';

CREATE TABLE converge.documents (
	id			uuid PRIMARY KEY,
	title		text NOT NULL,
	owner		text COLLATE "C" NOT NULL,
	created_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	life		uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'::pg_catalog.uuid
);
-- the log has it of a deleted row, so that readers of the stream know which document went
CREATE UNIQUE INDEX documents_id_life_key ON converge.documents (id, life);
ALTER TABLE converge.documents REPLICA IDENTITY USING INDEX documents_id_life_key;
COMMENT ON TABLE converge.documents IS 'one row for each document, with the columns that rarely change';
COMMENT ON COLUMN converge.documents.owner IS 'one of its owners: the creator, or the user it was transferred to; permissions follow members, not this column';
COMMENT ON COLUMN converge.documents.life IS
	'identifies this document: a document created later under the same id has a different life; begins with a value of op_seq, taken at its creation';

-- One narrow row a document, updated by every op: room on the page keeps the
-- updates HOT, and no column may ever grow or be indexed but the key.
CREATE TABLE converge.heads (
	doc_id				uuid PRIMARY KEY,
	version				bigint NOT NULL,
	seq					bigint NOT NULL,
	length				bigint NOT NULL,
	floor_version		bigint NOT NULL,
	snapshot_version	bigint NOT NULL,
	log_bytes			bigint NOT NULL,
	updated_at			timestamptz NOT NULL,
	packed_version		bigint NOT NULL,
	member_changes		bigint NOT NULL DEFAULT 0,
	life				uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
) WITH (fillfactor = 50);
COMMENT ON TABLE converge.heads IS
	'the current state of each document; every writer locks its row first, so the lock decides the order of edits';
COMMENT ON COLUMN converge.heads.version IS 'number of ops ever applied';
COMMENT ON COLUMN converge.heads.seq IS 'seq of the last op; 0 before the first';
COMMENT ON COLUMN converge.heads.length IS 'code points of the content';
COMMENT ON COLUMN converge.heads.floor_version IS 'oldest version that is still available';
COMMENT ON COLUMN converge.heads.snapshot_version IS 'version of the newest snapshot; floor_version if there is none';
COMMENT ON COLUMN converge.heads.log_bytes IS 'bytes of the ops since that snapshot; they decide when the next one is due';
COMMENT ON COLUMN converge.heads.updated_at IS 'created_at of the last op; never decreases';
COMMENT ON COLUMN converge.heads.packed_version IS 'the ops up to this version are packed or pruned, the later ones are in ops';
COMMENT ON COLUMN converge.heads.member_changes IS 'number of changes of its members that took a right from a user, or may have; no such change lies between two ops that returned the same number';
COMMENT ON COLUMN converge.heads.life IS 'copy of documents.life, protected by the lock of this row';

CREATE TABLE converge.members (
	doc_id		uuid NOT NULL,
	user_id		text COLLATE "C" NOT NULL,
	role		converge.role NOT NULL,
	created_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (doc_id, user_id)
);
CREATE INDEX members_user_id_idx ON converge.members (user_id, doc_id);
COMMENT ON TABLE converge.members IS 'the roles of users in documents; user ''*'' means everyone';

CREATE SEQUENCE converge.op_seq AS bigint;
COMMENT ON SEQUENCE converge.op_seq IS
	'the server sequence: identifies an op in the whole database and increases with version inside a document';

CREATE TABLE converge.ops (
	doc_id			uuid NOT NULL,
	version			bigint NOT NULL,
	seq				bigint NOT NULL,
	base_version	bigint NOT NULL,
	created_at		timestamptz NOT NULL,
	op_id			uuid NOT NULL,
	submitted_hash	integer NOT NULL,
	user_id			text COLLATE "C" NOT NULL,
	op				converge.op NOT NULL,
	PRIMARY KEY (doc_id, version),
	UNIQUE (doc_id, op_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE converge.ops IS 'the log: committed ops, as applied, in order; the older ones are in packs';
COMMENT ON COLUMN converge.ops.version IS 'the version this op made';
COMMENT ON COLUMN converge.ops.base_version IS 'the version its author had seen; if it is not version - 1, the op was transformed';
COMMENT ON COLUMN converge.ops.submitted_hash IS 'CRC-32C of the packed op as its author submitted it';

CREATE TABLE converge.snapshots (
	doc_id		uuid NOT NULL,
	version		bigint NOT NULL,
	seq			bigint NOT NULL,
	created_at	timestamptz NOT NULL,
	kind		text NOT NULL CHECK (kind OPERATOR(pg_catalog.=) ANY (ARRAY['initial', 'due', 'named', 'floor'])),
	content		text NOT NULL,
	op_id		uuid,
	PRIMARY KEY (doc_id, version)
);
COMMENT ON TABLE converge.snapshots IS 'whole documents at a version';
COMMENT ON COLUMN converge.snapshots.op_id IS 'the op that made the version; kept even after the op is pruned';
COMMENT ON COLUMN converge.snapshots.kind IS
	'initial: what the document was created with; due: taken by maintenance; named: on request; floor: where pruned history begins';

CREATE TABLE converge.labels (
	doc_id		uuid NOT NULL,
	version		bigint NOT NULL,
	label		text COLLATE "C" NOT NULL,
	user_id		text COLLATE "C" NOT NULL,
	created_at	timestamptz NOT NULL,
	PRIMARY KEY (doc_id, version, label)
);
COMMENT ON TABLE converge.labels IS 'the labels of snapshots; a version may have several';
COMMENT ON COLUMN converge.labels.user_id IS 'the user who first gave the label';
COMMENT ON COLUMN converge.labels.created_at IS 'when the label was first given';

CREATE TABLE converge.packs (
	doc_id			uuid NOT NULL,
	from_version	bigint NOT NULL,
	to_version		bigint NOT NULL,
	first_at		timestamptz NOT NULL,
	data			bytea NOT NULL,
	composed		converge.op,
	ids				bytea,
	PRIMARY KEY (doc_id, to_version)
);
ALTER TABLE converge.packs ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE converge.packs ALTER COLUMN ids SET STORAGE EXTERNAL;
COMMENT ON TABLE converge.packs IS 'the older part of the log: many ops in a row, stored by column and compressed without loss';
COMMENT ON COLUMN converge.packs.from_version IS 'version of its first op';
COMMENT ON COLUMN converge.packs.to_version IS 'version of its last op';
COMMENT ON COLUMN converge.packs.first_at IS 'created_at of its first op';
COMMENT ON COLUMN converge.packs.data IS 'the format of src/past/pack_format.h; compressed already';
COMMENT ON COLUMN converge.packs.composed IS 'its ops as one, so that what is far behind need not read them; null: too large, or written before the column was';
COMMENT ON COLUMN converge.packs.ids IS 'filter of the operation ids in it (src/past/pack_ids.h); null where composed is';

CREATE TABLE converge.undos (
	doc_id			uuid NOT NULL,
	version			bigint NOT NULL,
	undone_version	bigint NOT NULL,
	PRIMARY KEY (doc_id, version, undone_version)
);
COMMENT ON TABLE converge.undos IS 'which ops undid which: the op that made version undid the one that made undone_version, or several';

-- Talk: what is said beside the text.  Every row has the number of its last change, by
-- which clients list what they missed; the numbers of a document rise in the order of the
-- commits, without gaps.  The log has rows as they were, in whole, since a change
-- leaves long values alone that readers of the stream want.
CREATE TABLE converge.talks (
	doc_id				uuid PRIMARY KEY,
	changed				bigint NOT NULL DEFAULT 0,
	open_threads		bigint NOT NULL DEFAULT 0,
	open_suggestions	bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE converge.talks IS
	'one row for each document with comments, suggestions or chat; a transaction that adds to them locks it';
COMMENT ON COLUMN converge.talks.changed IS 'number of changes of its threads, comments, suggestions and messages so far';
COMMENT ON COLUMN converge.talks.open_threads IS 'threads that are neither resolved nor deleted';
COMMENT ON COLUMN converge.talks.open_suggestions IS 'suggestions that are not decided';

CREATE TABLE converge.threads (
	doc_id		uuid NOT NULL,
	id			uuid NOT NULL,
	version		bigint NOT NULL,
	from_pos	bigint NOT NULL,
	to_pos		bigint NOT NULL,
	length		bigint NOT NULL,
	quote		text NOT NULL,
	prefix		text NOT NULL,
	suffix		text NOT NULL,
	created_by	text COLLATE "C" NOT NULL,
	created_at	timestamptz NOT NULL,
	resolved_by	text COLLATE "C",
	resolved_at	timestamptz,
	deleted_at	timestamptz,
	changed		bigint NOT NULL,
	alive		boolean NOT NULL DEFAULT true,
	PRIMARY KEY (doc_id, id)
);
CREATE INDEX threads_changed_idx ON converge.threads (doc_id, changed);
ALTER TABLE converge.threads REPLICA IDENTITY FULL;
COMMENT ON TABLE converge.threads IS 'comments on a passage of the text; threads_at() returns where the passage is now';
COMMENT ON COLUMN converge.threads.version IS 'the version that from_pos and to_pos refer to: the one it was made on, or the oldest one that pruning left';
COMMENT ON COLUMN converge.threads.length IS 'code points of the passage as it was made';
COMMENT ON COLUMN converge.threads.quote IS 'the passage as it was made; of a longer one its first 10,000 characters';
COMMENT ON COLUMN converge.threads.prefix IS 'up to 32 characters before it';
COMMENT ON COLUMN converge.threads.suffix IS 'up to 32 characters behind it';
COMMENT ON COLUMN converge.threads.deleted_at IS 'when its last comment was deleted';
COMMENT ON COLUMN converge.threads.alive IS 'true if the first character of the passage is in the text of version; it always is in the one that the thread was made on';

CREATE TABLE converge.comments (
	doc_id			uuid NOT NULL,
	id				uuid NOT NULL,
	thread_id		uuid NOT NULL,
	user_id			text COLLATE "C" NOT NULL,
	body			text COLLATE "C" NOT NULL,
	created_at		timestamptz NOT NULL,
	edited_at		timestamptz,
	deleted_at		timestamptz,
	submitted_hash	bigint NOT NULL,
	changed			bigint NOT NULL,
	PRIMARY KEY (doc_id, id)
);
CREATE INDEX comments_thread_id_idx ON converge.comments (doc_id, thread_id);
CREATE INDEX comments_changed_idx ON converge.comments (doc_id, changed);
ALTER TABLE converge.comments REPLICA IDENTITY FULL;
COMMENT ON TABLE converge.comments IS 'the comments of threads; a deleted one keeps its row, without its text';
COMMENT ON COLUMN converge.comments.submitted_hash IS 'hash of what its author submitted, by which the same comment sent again is recognised';

CREATE TABLE converge.suggestions (
	doc_id			uuid NOT NULL,
	id				uuid NOT NULL,
	base_version	bigint NOT NULL,
	op				converge.op NOT NULL,
	note			text COLLATE "C" NOT NULL,
	user_id			text COLLATE "C" NOT NULL,
	created_at		timestamptz NOT NULL,
	status			text COLLATE "C" NOT NULL
		CHECK (status OPERATOR(pg_catalog.=) ANY (ARRAY['open', 'accepted', 'rejected', 'withdrawn'])),
	decided_by		text COLLATE "C",
	decided_at		timestamptz,
	version			bigint,
	submitted_hash	bigint NOT NULL,
	changed			bigint NOT NULL,
	PRIMARY KEY (doc_id, id)
);
CREATE INDEX suggestions_changed_idx ON converge.suggestions (doc_id, changed);
CREATE INDEX suggestions_open_idx ON converge.suggestions (doc_id, base_version)
	WHERE status OPERATOR(pg_catalog.=) 'open';
ALTER TABLE converge.suggestions REPLICA IDENTITY FULL;
COMMENT ON TABLE converge.suggestions IS 'operations that members propose; suggestions_at() returns the open ones as they are now';
COMMENT ON COLUMN converge.suggestions.id IS 'also the id of the operation, once it is accepted';
COMMENT ON COLUMN converge.suggestions.note IS 'why, in its author''s words; may be empty';
COMMENT ON COLUMN converge.suggestions.status IS 'open, accepted, rejected, or withdrawn by its author';
COMMENT ON COLUMN converge.suggestions.version IS 'the version that accepting it made';
COMMENT ON COLUMN converge.suggestions.submitted_hash IS 'hash of what its author submitted, by which the same suggestion sent again is recognised';

CREATE TABLE converge.messages (
	doc_id		uuid NOT NULL,
	id			uuid NOT NULL,
	user_id		text COLLATE "C" NOT NULL,
	body		text COLLATE "C" NOT NULL,
	version		bigint NOT NULL,
	created_at	timestamptz NOT NULL,
	changed		bigint NOT NULL,
	PRIMARY KEY (doc_id, id)
);
CREATE INDEX messages_changed_idx ON converge.messages (doc_id, changed);
ALTER TABLE converge.messages REPLICA IDENTITY FULL;
COMMENT ON TABLE converge.messages IS 'the chat of a document';
COMMENT ON COLUMN converge.messages.version IS 'the version of the document when it was said';
COMMENT ON COLUMN converge.messages.changed IS 'its place in the chat: the number of its change';

CREATE TABLE converge.last_read (
	doc_id		uuid NOT NULL,
	user_id		text COLLATE "C" NOT NULL,
	changed		bigint NOT NULL,
	read_at		timestamptz NOT NULL,
	PRIMARY KEY (doc_id, user_id)
);
COMMENT ON TABLE converge.last_read IS 'how far each user has read what is said in a document; users see their own rows';
COMMENT ON COLUMN converge.last_read.changed IS 'everything up to this change was read';

CREATE TABLE converge.user_hooks (
	event		text COLLATE "C" NOT NULL
		CHECK (event OPERATOR(pg_catalog.=) ANY (ARRAY['before_op', 'after_op', 'after_pause', 'member_change'])),
	hook		text COLLATE "C" NOT NULL,
	added_at	timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (event, hook)
);
COMMENT ON TABLE converge.user_hooks IS
	'functions that are called at an event; a dump includes them, which it does not the triggers that users create on converge''s tables';
COMMENT ON COLUMN converge.user_hooks.hook IS 'the function with its schema and the types of its arguments';

CREATE TABLE converge.pauses (
	doc_id		uuid PRIMARY KEY,
	version		bigint NOT NULL
);
COMMENT ON TABLE converge.pauses IS 'the version of each document that the hooks of after_pause were last called for';

CREATE TABLE converge.users (
	id				text COLLATE "C" PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid()::text,
	name			text COLLATE "C" NOT NULL,
	address			text COLLATE "C" NOT NULL,
	password_hash	text NOT NULL,
	created_at		timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE UNIQUE INDEX users_address_key ON converge.users (pg_catalog.lower(address));
CREATE INDEX users_name_idx ON converge.users (pg_catalog.lower(name));
COMMENT ON TABLE converge.users IS
	'accounts, which are optional: users known only by a token or a database role have no row';
COMMENT ON COLUMN converge.users.id IS 'the user_id in the other tables';
COMMENT ON COLUMN converge.users.password_hash IS 'bcrypt';

-- An account has a row of its own, so that no other account's attempts count for it.
-- Addresses without an account share rows, so that the table cannot grow: by a hash
-- with a secret, so that nobody can choose which.
CREATE UNLOGGED TABLE converge.attempts (
	user_id	text COLLATE "C" NOT NULL,
	bucket	integer NOT NULL,
	count	integer NOT NULL,
	since	timestamptz NOT NULL,
	PRIMARY KEY (user_id, bucket)
);
COMMENT ON TABLE converge.attempts IS 'wrong passwords of the last 15 minutes, by account, or by a hash of an address that has none';
COMMENT ON COLUMN converge.attempts.user_id IS 'the account; empty: none';
COMMENT ON COLUMN converge.attempts.bucket IS 'the hash of the address; 0 for an account';
COMMENT ON COLUMN converge.attempts.since IS 'time of the first of them; the count restarts 15 minutes later';

CREATE UNLOGGED TABLE converge.attempt_keys (
	id		boolean PRIMARY KEY DEFAULT true CHECK (id),
	key		text NOT NULL
);
COMMENT ON TABLE converge.attempt_keys IS 'the secret that keys the hash of addresses without an account; created when first needed';

-- Who is connected is for the moment: unlogged, so neither in the log nor on standbys,
-- gone after a crash, and written again by the relays that live.
CREATE UNLOGGED TABLE converge.relays (
	id			uuid PRIMARY KEY,
	since		timestamptz NOT NULL,
	alive_until	timestamptz NOT NULL
);
COMMENT ON TABLE converge.relays IS 'the relays that are running';
COMMENT ON COLUMN converge.relays.alive_until IS 'when the relay is considered dead, unless it reports again before';

CREATE UNLOGGED TABLE converge.presence (
	doc_id		uuid NOT NULL,
	client_id	uuid NOT NULL,
	relay_id	uuid NOT NULL,
	user_id		text COLLATE "C" NOT NULL,
	name		text,
	color		text,
	version		bigint,
	anchor		bigint,
	head		bigint,
	since		timestamptz NOT NULL,
	updated_at	timestamptz NOT NULL,
	PRIMARY KEY (doc_id, client_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX presence_relay_id_idx ON converge.presence (relay_id);
COMMENT ON TABLE converge.presence IS 'the clients connected to each document, and where their cursors were a moment ago';
COMMENT ON COLUMN converge.presence.name IS 'the name that the client chose, not checked; user_id identifies the user';
COMMENT ON COLUMN converge.presence.version IS 'the version that anchor and head refer to; all three null: no cursor';
COMMENT ON COLUMN converge.presence.anchor IS 'start of the selection, in code points';
COMMENT ON COLUMN converge.presence.head IS 'end of the selection: the cursor, in code points';

-- Any role may listen to a channel, so messages between relays are encrypted.
CREATE UNLOGGED TABLE converge.relay_keys (
	id		boolean PRIMARY KEY DEFAULT true CHECK (id),
	key		text NOT NULL
);
COMMENT ON TABLE converge.relay_keys IS 'the key that encrypts messages between relays by NOTIFY, as hexadecimal digits';

-- What converge made itself, so that additions can be told from it.  A dump has the
-- users' columns in its place, made up when it is read; it comes first by its name.
CREATE TABLE converge.as_made (
	part		text COLLATE "C" NOT NULL,
	table_name	text COLLATE "C" NOT NULL,
	name		text COLLATE "C" NOT NULL,
	ddl			text,
	PRIMARY KEY (table_name, part, name)
);
COMMENT ON TABLE converge.as_made IS
	'columns, constraints, indexes, triggers and policies that converge itself created on its tables; all others are additions';
COMMENT ON COLUMN converge.as_made.ddl IS 'null here; in a dump, the statement that creates an added column, which a restore runs';

SELECT pg_catalog.pg_extension_config_dump('converge.as_made',
	'WHERE false UNION ALL SELECT part, table_name, name, ddl FROM converge.additions() WHERE part OPERATOR(pg_catalog.=) ''column''::text');
SELECT pg_catalog.pg_extension_config_dump('converge.comments', '');
SELECT pg_catalog.pg_extension_config_dump('converge.documents', '');
SELECT pg_catalog.pg_extension_config_dump('converge.heads', '');
SELECT pg_catalog.pg_extension_config_dump('converge.labels', '');
SELECT pg_catalog.pg_extension_config_dump('converge.last_read', '');
SELECT pg_catalog.pg_extension_config_dump('converge.members', '');
SELECT pg_catalog.pg_extension_config_dump('converge.messages', '');
SELECT pg_catalog.pg_extension_config_dump('converge.op_seq', '');
SELECT pg_catalog.pg_extension_config_dump('converge.ops', '');
SELECT pg_catalog.pg_extension_config_dump('converge.packs', '');
SELECT pg_catalog.pg_extension_config_dump('converge.pauses', '');
SELECT pg_catalog.pg_extension_config_dump('converge.snapshots', '');
SELECT pg_catalog.pg_extension_config_dump('converge.suggestions', '');
SELECT pg_catalog.pg_extension_config_dump('converge.talks', '');
SELECT pg_catalog.pg_extension_config_dump('converge.threads', '');
SELECT pg_catalog.pg_extension_config_dump('converge.undos', '');
SELECT pg_catalog.pg_extension_config_dump('converge.user_hooks', '');
SELECT pg_catalog.pg_extension_config_dump('converge.users', '');

-- ---------------------------------------------------------------------------
-- Access
-- ---------------------------------------------------------------------------

CREATE FUNCTION converge.acting_user() RETURNS text
	AS 'MODULE_PATHNAME', 'converge_acting_user' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION converge.acting_user() IS
	'the user whose permissions are checked: the setting converge.acting_user, also called converge."user", if set (which requires GRANT SET ON PARAMETER), else session_user';

CREATE FUNCTION converge.my_role(doc_id uuid) RETURNS converge.role
	AS 'MODULE_PATHNAME', 'converge_my_role' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.my_role(uuid) IS
	'the acting user''s role in a document, by name or through ''*''; null: none';

CREATE FUNCTION converge.require_role(doc_id uuid, needed converge.role) RETURNS void
	AS 'MODULE_PATHNAME', 'converge_require_role' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.require_role(uuid, converge.role) IS
	'fail unless the acting user has at least that role in a document, or needs none to read it';

CREATE FUNCTION converge.may_read(doc_id uuid) RETURNS boolean
	AS 'MODULE_PATHNAME', 'converge_may_read' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION converge.may_read(uuid) IS
	'return true if the acting user has a role in a document, or needs none to read it; row-level security calls it for every row';

CREATE FUNCTION converge.relay_lives(relay_id uuid) RETURNS boolean
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (SELECT FROM converge.relays r WHERE r.id = relay_lives.relay_id AND r.alive_until > clock_timestamp())
$$;
COMMENT ON FUNCTION converge.relay_lives(uuid) IS
	'return true if a relay has reported recently; row-level security hides the clients of a relay that has not';

-- Plain SELECTs show a member what they may read.  All writes go through the
-- functions, so there is nothing else to grant, and no policy for it.
ALTER TABLE converge.attempt_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.as_made ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.comments ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.labels ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.last_read ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.members ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.ops ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.pauses ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.packs ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.presence ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.relay_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.relays ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.snapshots ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.suggestions ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.talks ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.threads ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.undos ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.user_hooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE converge.users ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON converge.comments FOR SELECT USING (converge.may_read(doc_id));
CREATE POLICY readers ON converge.documents FOR SELECT USING (converge.may_read(id));
CREATE POLICY readers ON converge.heads FOR SELECT USING (converge.may_read(doc_id));
CREATE POLICY readers ON converge.labels FOR SELECT USING (converge.may_read(doc_id));
CREATE POLICY readers ON converge.last_read FOR SELECT
	USING (converge.may_read(doc_id) AND user_id OPERATOR(pg_catalog.=) (SELECT converge.acting_user()));
CREATE POLICY readers ON converge.members FOR SELECT USING (converge.may_read(doc_id));
CREATE POLICY readers ON converge.messages FOR SELECT USING (converge.may_read(doc_id));
CREATE POLICY readers ON converge.ops FOR SELECT USING (converge.may_read(doc_id));
CREATE POLICY readers ON converge.packs FOR SELECT USING (converge.may_read(doc_id));
CREATE POLICY readers ON converge.presence FOR SELECT
	USING (converge.may_read(doc_id) AND converge.relay_lives(relay_id));
CREATE POLICY readers ON converge.snapshots FOR SELECT USING (converge.may_read(doc_id));
CREATE POLICY readers ON converge.suggestions FOR SELECT USING (converge.may_read(doc_id));
CREATE POLICY readers ON converge.talks FOR SELECT USING (converge.may_read(doc_id));
CREATE POLICY readers ON converge.threads FOR SELECT USING (converge.may_read(doc_id));
CREATE POLICY readers ON converge.undos FOR SELECT USING (converge.may_read(doc_id));
GRANT SELECT ON
	converge.comments, converge.documents, converge.heads, converge.labels, converge.last_read, converge.members,
	converge.messages, converge.ops, converge.packs, converge.presence, converge.snapshots, converge.suggestions,
	converge.talks, converge.threads, converge.undos TO PUBLIC;

-- A session that changes membership holds the head row's lock until it commits, so that
-- each op is decided either before the change or by it.  The row is written, not
-- only locked: a transaction whose snapshot is older than the change could not see
-- it, and fails at the new row when it comes to edit.  And what may take a right
-- away is counted there, so that the answer to an op says how much of it came before:
-- a new row takes none, since what counts is the higher one of a user's and everyone's
-- roles, and a restore writes nothing but new rows.
CREATE FUNCTION converge.count_member_change() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE'::text THEN
		UPDATE converge.heads h SET member_changes = h.member_changes + 1;
	ELSE
		UPDATE converge.heads h SET member_changes = h.member_changes + 1
			WHERE h.doc_id IN (old.doc_id, new.doc_id);
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION converge.count_member_change() IS 'trigger: count in the document''s head that a user may have lost a right, however the change was made';
CREATE TRIGGER count_change AFTER UPDATE OR DELETE ON converge.members
	FOR EACH ROW EXECUTE FUNCTION converge.count_member_change();
CREATE TRIGGER count_truncate AFTER TRUNCATE ON converge.members
	FOR EACH STATEMENT EXECUTE FUNCTION converge.count_member_change();
-- a change that comes by logical replication takes the lock, too: else the stream might
-- show it a moment before SQL does, and nothing would say that it is under way
ALTER TABLE converge.members ENABLE ALWAYS TRIGGER count_change;
ALTER TABLE converge.members ENABLE ALWAYS TRIGGER count_truncate;

CREATE FUNCTION converge.lock_for_owner(doc_id uuid) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	is_owner boolean;
BEGIN
	PERFORM FROM converge.heads h WHERE h.doc_id = lock_for_owner.doc_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'document % does not exist', lock_for_owner.doc_id USING ERRCODE = 'OT003';
	END IF;
	is_owner := EXISTS (SELECT FROM converge.members m
						WHERE m.doc_id = lock_for_owner.doc_id AND m.role = 'owner'::converge.role
						  AND m.user_id = converge.acting_user());
	IF NOT is_owner THEN
		RAISE EXCEPTION 'permission denied for document %', lock_for_owner.doc_id
			USING ERRCODE = 'OT002',
				  DETAIL = format('This requires an owner, and user "%s" is not one.'::text, converge.acting_user());
	END IF;
	UPDATE converge.heads h SET version = h.version WHERE h.doc_id = lock_for_owner.doc_id;
END
$$;
COMMENT ON FUNCTION converge.lock_for_owner(uuid) IS
	'lock a document, or fail if the acting user is not one of its owners';

CREATE FUNCTION converge.keep_an_owner(doc_id uuid) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM converge.members m
				   WHERE m.doc_id = keep_an_owner.doc_id AND m.role = 'owner'::converge.role) THEN
		RAISE EXCEPTION 'cannot remove the last owner of document %', keep_an_owner.doc_id
			USING ERRCODE = 'OT002', HINT = 'Give another user the role owner first.';
	END IF;
	UPDATE converge.documents d
		SET owner = (SELECT m.user_id FROM converge.members m
					 WHERE m.doc_id = d.id AND m.role = 'owner'::converge.role ORDER BY m.created_at, m.user_id LIMIT 1)
		WHERE d.id = keep_an_owner.doc_id
		  AND NOT EXISTS (SELECT FROM converge.members m
						  WHERE m.doc_id = d.id AND m.user_id = d.owner AND m.role = 'owner'::converge.role);
END
$$;
COMMENT ON FUNCTION converge.keep_an_owner(uuid) IS
	'fail if a document has no owner left; make documents.owner one of the owners';

-- Ids of users from elsewhere stand beside those of accounts, so one that is neither an
-- account nor a database role may be right; it may be misspelt as well.
CREATE FUNCTION converge.warn_of_unknown_user(user_id text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF user_id <> '*'::text AND user_id <> converge.acting_user()
		AND EXISTS (SELECT FROM converge.users)
		AND NOT EXISTS (SELECT FROM converge.users u WHERE u.id = warn_of_unknown_user.user_id)
		AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname::text = warn_of_unknown_user.user_id) THEN
		RAISE WARNING 'user "%" has no account', user_id
			USING HINT = 'The role applies to exactly this user id: check its spelling.'::text;
	END IF;
END
$$;
COMMENT ON FUNCTION converge.warn_of_unknown_user(text) IS
	'if accounts are used, warn of a user id that is neither an account nor a database role';

CREATE FUNCTION converge.share(doc_id uuid, user_id text, role converge.role) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL OR user_id IS NULL OR role IS NULL THEN
		RAISE EXCEPTION 'document, user and role must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF octet_length(user_id) NOT BETWEEN 1 AND 255 THEN
		RAISE EXCEPTION 'user id of % bytes is out of range', octet_length(user_id)
			USING ERRCODE = 'OT006', DETAIL = 'A user id must have 1 to 255 bytes.';
	END IF;
	IF user_id = '*'::text AND role = 'owner'::converge.role THEN
		RAISE EXCEPTION 'everyone ("*") cannot own a document' USING ERRCODE = 'OT002';
	END IF;
	-- keep_an_owner() may have to name another; LOCK ORDER: before the head
	PERFORM FROM converge.documents d WHERE d.id = share.doc_id AND d.owner = share.user_id FOR NO KEY UPDATE;
	PERFORM converge.lock_for_owner(doc_id);
	INSERT INTO converge.members AS m (doc_id, user_id, role)
		VALUES (share.doc_id, share.user_id, share.role)
		ON CONFLICT ON CONSTRAINT members_pkey DO UPDATE SET role = excluded.role;
	PERFORM converge.keep_an_owner(doc_id);
	PERFORM converge.warn_of_unknown_user(user_id);
END
$$;
COMMENT ON FUNCTION converge.share(uuid, text, converge.role) IS
	'give a user (or ''*'', everyone) a role in a document, or change it; owners only';

CREATE FUNCTION converge.unshare(doc_id uuid, user_id text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL OR user_id IS NULL THEN
		RAISE EXCEPTION 'document and user must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM FROM converge.documents d WHERE d.id = unshare.doc_id AND d.owner = unshare.user_id FOR NO KEY UPDATE;
	IF user_id <> '*'::text AND user_id = converge.acting_user() AND converge.my_role(doc_id) IS NOT NULL THEN
		-- any member may leave
		PERFORM FROM converge.heads h WHERE h.doc_id = unshare.doc_id FOR NO KEY UPDATE;
	ELSE
		PERFORM converge.lock_for_owner(doc_id);
	END IF;
	DELETE FROM converge.members m WHERE m.doc_id = unshare.doc_id AND m.user_id = unshare.user_id;
	PERFORM converge.keep_an_owner(doc_id);
END
$$;
COMMENT ON FUNCTION converge.unshare(uuid, text) IS
	'remove a user''s role; owners only, but any member except the last owner may leave';

CREATE FUNCTION converge.transfer_ownership(doc_id uuid, user_id text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL OR user_id IS NULL THEN
		RAISE EXCEPTION 'document and user must not be null' USING ERRCODE = 'null_value_not_allowed'::text;
	END IF;
	-- LOCK ORDER: before the head, but not for one who may not
	PERFORM FROM converge.documents d
		WHERE d.id = transfer_ownership.doc_id
		  AND EXISTS (SELECT FROM converge.members m
					  WHERE m.doc_id = d.id AND m.user_id = converge.acting_user() AND m.role = 'owner'::converge.role)
		FOR NO KEY UPDATE;
	PERFORM converge.share(doc_id, user_id, 'owner'::converge.role);
	UPDATE converge.documents d SET owner = transfer_ownership.user_id
		WHERE d.id = transfer_ownership.doc_id AND d.owner <> transfer_ownership.user_id;
	IF user_id <> converge.acting_user() THEN
		PERFORM converge.share(doc_id, converge.acting_user(), 'editor'::converge.role);
	END IF;
END
$$;
COMMENT ON FUNCTION converge.transfer_ownership(uuid, text) IS
	'make another user an owner and the acting user an editor; owners only';

CREATE FUNCTION converge.members(doc_id uuid, OUT user_id text, OUT name text, OUT role converge.role, OUT created_at timestamptz)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	RETURN QUERY SELECT m.user_id, u.name, m.role, m.created_at
		FROM converge.members m LEFT JOIN converge.users u ON u.id = m.user_id
		WHERE m.doc_id = members.doc_id ORDER BY m.role DESC, m.user_id;
END
$$;
COMMENT ON FUNCTION converge.members(uuid) IS 'the members of a document with their roles, owners first; name is null for a user without an account';

-- ---------------------------------------------------------------------------
-- Documents
-- ---------------------------------------------------------------------------

CREATE FUNCTION converge.check_title(title text) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF char_length(title) > 1000 THEN
		RAISE EXCEPTION 'title of % characters is too long', char_length(title)
			USING ERRCODE = 'OT006', DETAIL = 'A title must have at most 1000 characters.';
	END IF;
END
$$;
COMMENT ON FUNCTION converge.check_title(text) IS 'fail if a title is too long';

CREATE FUNCTION converge.create_document(title text DEFAULT '', content text DEFAULT '',
										 id uuid DEFAULT pg_catalog.gen_random_uuid()) RETURNS uuid
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	now_at timestamptz := clock_timestamp();
	acting text := converge.acting_user();
	new_life uuid;
BEGIN
	IF title IS NULL OR content IS NULL OR id IS NULL THEN
		RAISE EXCEPTION 'title, content and id must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.check_title(title);
	IF char_length(content) > converge.max_document_length() THEN
		RAISE EXCEPTION 'document of % code points is too large', char_length(content)
			USING ERRCODE = 'OT006',
				  DETAIL = format('A document must have at most %s code points.'::text, converge.max_document_length());
	END IF;
	-- A life begins with a seq of its own.  A document that has the id, and is being
	-- deleted, is waited for first: so its ops have lower ones, and those of the new
	-- document higher ones.
	PERFORM FROM converge.documents d WHERE d.id = create_document.id FOR KEY SHARE;
	new_life := (lpad(to_hex(nextval('converge.op_seq'::regclass)), 16, '0'::text)
		|| substr(replace(gen_random_uuid()::text, '-'::text, ''::text), 17))::uuid;
	INSERT INTO converge.documents (id, title, owner, created_at, life)
		VALUES (create_document.id, create_document.title, acting, now_at, new_life);
	INSERT INTO converge.heads (doc_id, version, seq, length, floor_version, snapshot_version, log_bytes, updated_at, packed_version, life)
		VALUES (create_document.id, 0, 0, char_length(content), 0, 0, 0, now_at, 0, new_life);
	INSERT INTO converge.members (doc_id, user_id, role) VALUES (create_document.id, acting, 'owner'::converge.role);
	IF content <> ''::text THEN
		INSERT INTO converge.snapshots (doc_id, version, seq, created_at, kind, content)
			VALUES (create_document.id, 0, 0, now_at, 'initial'::text, create_document.content);
	END IF;
	RETURN id;
END
$$;
COMMENT ON FUNCTION converge.create_document(text, text, uuid) IS
	'a new document at version 0, owned by the acting user; its id';

CREATE FUNCTION converge.document(doc_id uuid, OUT title text, OUT owner text, OUT role converge.role,
								  OUT version bigint, OUT seq bigint, OUT length bigint,
								  OUT floor_version bigint, OUT snapshot_version bigint,
								  OUT created_at timestamptz, OUT updated_at timestamptz, OUT life uuid)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	SELECT d.title, d.owner, converge.my_role(d.id), h.version, h.seq, h.length,
		   h.floor_version, h.snapshot_version, d.created_at, h.updated_at, h.life
		INTO title, owner, role, version, seq, length, floor_version, snapshot_version, created_at, updated_at, life
		FROM converge.documents d JOIN converge.heads h ON h.doc_id = d.id
		WHERE d.id = document.doc_id;
END
$$;
COMMENT ON FUNCTION converge.document(uuid) IS 'everything about a document except its text, and the acting user''s role in it';

CREATE FUNCTION converge.my_documents(max_rows integer DEFAULT 100, before timestamptz DEFAULT NULL, before_id uuid DEFAULT NULL,
									  search text DEFAULT NULL, OUT doc_id uuid, OUT title text, OUT role converge.role, OUT version bigint,
									  OUT length bigint, OUT created_at timestamptz, OUT updated_at timestamptz)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $$
BEGIN
	RETURN QUERY SELECT d.id, d.title, greatest(m.role, everyone.role), h.version, h.length, d.created_at, h.updated_at
		FROM converge.members m
			 JOIN converge.documents d ON d.id = m.doc_id
			 JOIN converge.heads h ON h.doc_id = m.doc_id
			 LEFT JOIN converge.members everyone ON everyone.doc_id = m.doc_id AND everyone.user_id = '*'::text
		WHERE m.user_id = converge.acting_user()
		  AND (before IS NULL OR h.updated_at < before OR h.updated_at = before AND h.doc_id < before_id)
		  AND (search IS NULL OR d.title ~* concat('***='::text, search))
		ORDER BY h.updated_at DESC, h.doc_id DESC
		LIMIT least(greatest(max_rows, 0), 1000);
END
$$;
COMMENT ON FUNCTION converge.my_documents(integer, timestamptz, uuid, text) IS
	'the documents that list the acting user as a member, not only ''*'', last edited first, or those of them whose title contains a text, whatever the case of its letters; for the next page pass updated_at and doc_id of the last row; at most 1000';

-- LOCK ORDER, here and below: the row in documents, which maintenance locks first
-- as well, then the head.
CREATE FUNCTION converge.rename_document(doc_id uuid, title text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL OR title IS NULL THEN
		RAISE EXCEPTION 'document and title must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.check_title(title);
	PERFORM converge.require_role(doc_id, 'editor'::converge.role);
	PERFORM FROM converge.documents d WHERE d.id = rename_document.doc_id FOR NO KEY UPDATE;
	PERFORM FROM converge.heads h WHERE h.doc_id = rename_document.doc_id FOR NO KEY UPDATE;
	-- again: while this waited the role may have gone, or the document
	PERFORM converge.require_role(doc_id, 'editor'::converge.role);
	UPDATE converge.documents d SET title = rename_document.title WHERE d.id = rename_document.doc_id;
END
$$;
COMMENT ON FUNCTION converge.rename_document(uuid, text) IS 'give a document another title; editors and owners';

CREATE FUNCTION converge.delete_document(doc_id uuid) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	-- before any lock that others would wait for
	PERFORM converge.require_role(doc_id, 'owner'::converge.role);
	PERFORM FROM converge.documents d WHERE d.id = delete_document.doc_id FOR UPDATE;
	PERFORM converge.lock_for_owner(doc_id);
	-- first, so that readers of the stream learn why the members go
	DELETE FROM converge.documents d WHERE d.id = delete_document.doc_id;
	DELETE FROM converge.heads h WHERE h.doc_id = delete_document.doc_id;
	DELETE FROM converge.labels l WHERE l.doc_id = delete_document.doc_id;
	DELETE FROM converge.members m WHERE m.doc_id = delete_document.doc_id;
	-- after members, which a transaction that adds to these has locked
	DELETE FROM converge.talks t WHERE t.doc_id = delete_document.doc_id;
	DELETE FROM converge.threads t WHERE t.doc_id = delete_document.doc_id;
	DELETE FROM converge.comments c WHERE c.doc_id = delete_document.doc_id;
	DELETE FROM converge.suggestions s WHERE s.doc_id = delete_document.doc_id;
	DELETE FROM converge.messages m WHERE m.doc_id = delete_document.doc_id;
	DELETE FROM converge.last_read r WHERE r.doc_id = delete_document.doc_id;
	DELETE FROM converge.ops o WHERE o.doc_id = delete_document.doc_id;
	DELETE FROM converge.packs p WHERE p.doc_id = delete_document.doc_id;
	DELETE FROM converge.pauses p WHERE p.doc_id = delete_document.doc_id;
	DELETE FROM converge.snapshots s WHERE s.doc_id = delete_document.doc_id;
	DELETE FROM converge.undos u WHERE u.doc_id = delete_document.doc_id;
END
$$;
COMMENT ON FUNCTION converge.delete_document(uuid) IS
	'delete a document with its history, snapshots, members, comments, suggestions and chat, for good; owners only';

CREATE FUNCTION converge.max_document_length() RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_max_document_length' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.max_document_length() IS 'the longest document, in code points';

CREATE FUNCTION converge.apply_op(doc_id uuid, op_id uuid, base_version bigint, op converge.op,
								  OUT version bigint, OUT seq bigint, OUT applied converge.op, OUT duplicate boolean)
	AS 'MODULE_PATHNAME', 'converge_apply_op' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.apply_op(uuid, uuid, bigint, converge.op) IS
	'apply an op made on base_version, exactly once by op_id: transform it over what came since, give it its version and seq, append it';

CREATE FUNCTION converge.edit(doc_id uuid, op converge.op) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_edit' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.edit(uuid, converge.op) IS
	'apply an op to the document''s current text, with a new op id; returns the new version, or the current one if the op changes nothing';

CREATE FUNCTION converge.set_content(doc_id uuid, content text, base_version bigint DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_set_content' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.set_content(uuid, text, bigint) IS
	'give a document this text by one op of what differs from its current text, or from that of base_version, and then merge it with what came since; returns the new version, or the current one if nothing differs';

CREATE FUNCTION converge.put_content(doc_id uuid, content text, base_version bigint DEFAULT NULL, tags text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_put_content' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.put_content(uuid, text, bigint, text) IS
	'set_content, if the current version is one of the tags of an If-Match header (null: in any case); null if it is not';

CREATE FUNCTION converge.replace_all(doc_id uuid, from_text text, to_text text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_replace_all' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.replace_all(uuid, text, text) IS
	'replace a text by another wherever it occurs, by one op; returns the new version, or the current one if it does not occur';

-- in the order of their ids, as all do who lock several documents
CREATE FUNCTION converge.replace_in_all(doc_ids uuid[], from_text text, to_text text, OUT doc_id uuid, OUT version bigint)
	RETURNS SETOF record
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_ids IS NULL OR from_text IS NULL OR to_text IS NULL THEN
		RAISE EXCEPTION 'documents and texts must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	FOR doc_id IN SELECT DISTINCT d FROM unnest(doc_ids) AS d ORDER BY d LOOP
		version := converge.replace_all(doc_id, from_text, to_text);
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION converge.replace_in_all(uuid[], text, text) IS
	'replace a text by another wherever it occurs in several documents, all of them or none; a row for each with its version then';

CREATE FUNCTION converge.content(doc_id uuid) RETURNS text
	AS 'MODULE_PATHNAME', 'converge_content' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.content(uuid) IS 'the text of a document';

CREATE FUNCTION converge.content_at(doc_id uuid, version bigint) RETURNS text
	AS 'MODULE_PATHNAME', 'converge_content_at_version' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.content_at(uuid, bigint) IS 'the text of a document at a version';

CREATE FUNCTION converge.content_at(doc_id uuid, at timestamptz) RETURNS text
	AS 'MODULE_PATHNAME', 'converge_content_at_moment' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.content_at(uuid, timestamptz) IS 'the text of a document at a time';

CREATE FUNCTION converge.content_at(doc_id uuid, version_or_time text) RETURNS text
	AS 'MODULE_PATHNAME', 'converge_content_at_text' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.content_at(uuid, text) IS
	'the text of a document at a version or a time, given as text; chosen for a parameter without a type';

CREATE FUNCTION converge.version_at(doc_id uuid, at timestamptz) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_version_at' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.version_at(uuid, timestamptz) IS 'the version of a document at a time';

CREATE FUNCTION converge.open_document(doc_id uuid, known_version bigint DEFAULT NULL, known_op_id uuid DEFAULT NULL,
									   known_life uuid DEFAULT NULL, OUT role converge.role, OUT title text, OUT version bigint, OUT seq bigint,
									   OUT op_id uuid, OUT resumed boolean, OUT content text, OUT op converge.op, OUT life uuid)
	AS 'MODULE_PATHNAME', 'converge_open_document' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION converge.open_document(uuid, bigint, uuid, uuid) IS
	'what a joining client needs: where known_version is one of this document, resumed is true and op leads from there to version; else, and where op would be larger than it, content is the whole text. known_op_id, the op that made it, proves it, or at version 0 known_life, which a client got as life before';

-- ---------------------------------------------------------------------------
-- History
-- ---------------------------------------------------------------------------

CREATE FUNCTION converge.history(doc_id uuid, from_version bigint DEFAULT 1, to_version bigint DEFAULT NULL,
								 OUT version bigint, OUT seq bigint, OUT op_id uuid, OUT user_id text,
								 OUT base_version bigint, OUT created_at timestamptz, OUT op converge.op)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'converge_history' LANGUAGE C STABLE PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION converge.history(uuid, bigint, bigint) IS
	'the ops that made the versions from from_version to to_version (null: the newest), one in a row, as applied';

CREATE FUNCTION converge.changes(doc_id uuid, from_version bigint DEFAULT 1, to_version bigint DEFAULT NULL,
								 OUT version bigint, OUT user_id text, OUT created_at timestamptz,
								 OUT kind text, OUT pos bigint, OUT length bigint, OUT content text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'converge_changes' LANGUAGE C STABLE PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION converge.changes(uuid, bigint, bigint) IS
	'what the ops did, one insert or delete in a row, with its text; pos is the position if the rows of a version are applied in order';

CREATE TYPE converge.timeline_bucket AS (
	from_version	bigint,
	to_version		bigint,
	from_at			timestamptz,
	to_at			timestamptz,
	edits			bigint,
	inserted		bigint,
	deleted			bigint,
	users			text[]
);
COMMENT ON TYPE converge.timeline_bucket IS
	'consecutive ops: the first and last version they made and when, their number, code points inserted and deleted, users in the order of their first op';

CREATE FUNCTION converge.timeline(doc_id uuid, buckets int DEFAULT 200, from_version bigint DEFAULT 0, to_version bigint DEFAULT NULL)
	RETURNS SETOF converge.timeline_bucket
	AS 'MODULE_PATHNAME', 'converge_timeline' LANGUAGE C STABLE PARALLEL SAFE ROWS 200;
COMMENT ON FUNCTION converge.timeline(uuid, int, bigint, bigint) IS
	'the ops that made the versions from_version to to_version, in at most `buckets` rows (1 to 10000), each with the same number of ops or one fewer';

CREATE FUNCTION converge.activity(doc_id uuid, gap interval DEFAULT '10 minutes', since timestamptz DEFAULT NULL,
								  OUT user_id text, OUT from_version bigint, OUT to_version bigint,
								  OUT from_at timestamptz, OUT to_at timestamptz,
								  OUT edits bigint, OUT inserted bigint, OUT deleted bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'converge_activity' LANGUAGE C STABLE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION converge.activity(uuid, interval, timestamptz) IS
	'the sessions of work on a document: the ops of a user with no pause between them that is longer than gap; of ops made since a time (null: all), in the order of their first op';

CREATE FUNCTION converge.my_activity(gap interval DEFAULT '10 minutes', since timestamptz DEFAULT NULL, author text DEFAULT NULL,
									 OUT doc_id uuid, OUT user_id text, OUT from_version bigint, OUT to_version bigint,
									 OUT from_at timestamptz, OUT to_at timestamptz,
									 OUT edits bigint, OUT inserted bigint, OUT deleted bigint)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp ROWS 1000 AS $$
	SELECT m.doc_id, a.user_id, a.from_version, a.to_version, a.from_at, a.to_at, a.edits, a.inserted, a.deleted
	FROM converge.members m JOIN converge.heads h ON h.doc_id = m.doc_id
		 CROSS JOIN LATERAL converge.activity(m.doc_id, my_activity.gap, my_activity.since) a
	WHERE m.user_id = converge.acting_user() AND (my_activity.since IS NULL OR h.updated_at >= my_activity.since)
	  AND (my_activity.author IS NULL OR a.user_id = my_activity.author)
	ORDER BY a.from_at, m.doc_id, a.from_version
$$;
COMMENT ON FUNCTION converge.my_activity(interval, timestamptz, text) IS
	'the same for all documents that list the acting user as a member, of one author or of all, in the order of time';

CREATE FUNCTION converge.occurrences(doc_id uuid, content text,
									 OUT from_version bigint, OUT to_version bigint, OUT pos bigint,
									 OUT inserted_by text, OUT deleted_by text,
									 OUT inserted_at timestamptz, OUT deleted_at timestamptz, OUT last_pos bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'converge_occurrences' LANGUAGE C STABLE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION converge.occurrences(uuid, text) IS
	'where and when a text came and went: from_version made it stand at pos, to_version (null: it is still there) made it go from last_pos, or last_pos is where it stands now';

CREATE FUNCTION converge.my_occurrences(content text, max_documents integer DEFAULT 20,
										OUT doc_id uuid, OUT from_version bigint, OUT to_version bigint, OUT pos bigint,
										OUT inserted_by text, OUT deleted_by text,
										OUT inserted_at timestamptz, OUT deleted_at timestamptz, OUT last_pos bigint)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp ROWS 1000 AS $$
BEGIN
	IF content IS NULL THEN
		RAISE EXCEPTION 'text must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	RETURN QUERY SELECT d.doc_id, o.from_version, o.to_version, o.pos, o.inserted_by, o.deleted_by, o.inserted_at, o.deleted_at, o.last_pos
	FROM converge.my_documents(my_occurrences.max_documents, NULL::timestamptz, NULL::uuid, NULL::text) d
		 CROSS JOIN LATERAL converge.occurrences(d.doc_id, my_occurrences.content) o;
END
$$;
COMMENT ON FUNCTION converge.my_occurrences(text, integer) IS
	'the same in those of the acting user''s documents that were edited last, at most so many';

CREATE TYPE converge.blame_run AS (
	pos			bigint,
	content		text,
	user_id		text,
	version		bigint,
	created_at	timestamptz
);
COMMENT ON TYPE converge.blame_run IS 'a run of text that one op wrote';

CREATE FUNCTION converge.blame(doc_id uuid, version bigint DEFAULT NULL) RETURNS SETOF converge.blame_run
	AS 'MODULE_PATHNAME', 'converge_blame' LANGUAGE C STABLE PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION converge.blame(uuid, bigint) IS
	'the authors of the text of a version (null: the newest), as runs of text in order; user_id is null for text older than the available history';

CREATE FUNCTION converge.diff(doc_id uuid, from_version bigint, to_version bigint) RETURNS converge.op
	AS 'MODULE_PATHNAME', 'converge_diff' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.diff(uuid, bigint, bigint) IS
	'the op that changes one version into another, forward or back';

CREATE FUNCTION converge.diff_rows(doc_id uuid, from_version bigint, to_version bigint, unit text DEFAULT 'characters',
								   OUT kind text, OUT from_pos bigint, OUT to_pos bigint, OUT content text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'converge_diff_rows' LANGUAGE C STABLE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION converge.diff_rows(uuid, bigint, bigint, text) IS
	'what is kept, deleted and inserted from one version to another, in passages with their text and their positions in either; unit: characters or lines';

CREATE FUNCTION converge.unified_diff(doc_id uuid, from_version bigint, to_version bigint, context int DEFAULT 3) RETURNS text
	AS 'MODULE_PATHNAME', 'converge_unified_diff' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION converge.unified_diff(uuid, bigint, bigint, int) IS
	'the difference of two versions as patch takes it, with so many lines around each change; empty if their texts are equal';

CREATE FUNCTION converge.revert(doc_id uuid, version bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_revert' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.revert(uuid, bigint) IS
	'restore the text of a version by a new op; returns the new version, or the current one if the text is the same';

CREATE FUNCTION converge.undo(doc_id uuid, op_id uuid) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_undo' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.undo(uuid, uuid) IS
	'undo one op by a new op, carried over later ops; undoing an undo redoes the op; returns the new version, or the current one if nothing is left to undo';

CREATE FUNCTION converge.undo_last(doc_id uuid, user_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_undo_last' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.undo_last(uuid, text) IS
	'undo the newest op of a user (null: the acting user) that is not an undo and not undone; returns the new version, null if there is no such op';

CREATE FUNCTION converge.undo_range(doc_id uuid, from_version bigint, to_version bigint, user_id text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_undo_range' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.undo_range(uuid, bigint, bigint, text) IS
	'undo the ops that made the versions from_version to to_version, of one user or of all (null), by one new op, carried over the others; those already undone stay so; returns the new version, or the current one if nothing is left to undo';

CREATE FUNCTION converge.restore_text(doc_id uuid, version bigint, from_pos bigint, to_pos bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_restore_text' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.restore_text(uuid, bigint, bigint, bigint) IS
	'restore the text that stood from from_pos to to_pos at a version where that passage is now, by a new op of what differs; returns the new version, or the current one if it is the same';

CREATE FUNCTION converge.snapshot(doc_id uuid, label text DEFAULT NULL) RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'converge_snapshot';
COMMENT ON FUNCTION converge.snapshot(uuid, text) IS
	'keep the current text permanently, with a label in addition to those it has; returns its version';

CREATE FUNCTION converge.remove_label(doc_id uuid, version bigint, label text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL OR version IS NULL OR label IS NULL THEN
		RAISE EXCEPTION 'document, version and label must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	-- before any lock that others would wait for
	PERFORM converge.require_role(doc_id, 'owner'::converge.role);
	PERFORM converge.lock_for_owner(doc_id);
	DELETE FROM converge.labels l
		WHERE l.doc_id = remove_label.doc_id AND l.version = remove_label.version AND l.label = remove_label.label;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'version % of document % has no label "%"', version, doc_id, label USING ERRCODE = 'no_data_found';
	END IF;
END
$$;
COMMENT ON FUNCTION converge.remove_label(uuid, bigint, text) IS
	'remove a label from a version; the snapshot stays; owners only';

CREATE FUNCTION converge.list_snapshots(doc_id uuid, OUT version bigint, OUT created_at timestamptz,
										OUT kind text, OUT label text, OUT length bigint,
										OUT labelled_by text, OUT labelled_at timestamptz)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	RETURN QUERY SELECT s.version, s.created_at, s.kind, l.label, char_length(s.content)::bigint, l.user_id, l.created_at
		FROM converge.snapshots s
			 LEFT JOIN converge.labels l ON l.doc_id = s.doc_id AND l.version = s.version
		WHERE s.doc_id = list_snapshots.doc_id ORDER BY s.version, l.created_at, l.label;
END
$$;
COMMENT ON FUNCTION converge.list_snapshots(uuid) IS
	'the snapshots of a document, oldest first; one row for each label of a snapshot';

CREATE FUNCTION converge.pack(doc_id uuid, keep bigint DEFAULT 1000) RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'converge_pack';
COMMENT ON FUNCTION converge.pack(uuid, bigint) IS
	'compress all ops except the newest keep, without loss; owners only; returns the number of ops packed';

CREATE FUNCTION converge.prune(doc_id uuid, before_version bigint) RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'converge_prune';
COMMENT ON FUNCTION converge.prune(uuid, bigint) IS
	'delete the ops up to before_version permanently; the text at before_version is kept; owners only; returns the number of ops deleted';

CREATE FUNCTION converge.verify(doc_id uuid, OUT version bigint, OUT problem text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'converge_verify' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION converge.verify(uuid) IS
	'rebuild a document from its log and compare versions, lengths, snapshots and packs; check comments and suggestions; one row for each problem, no rows if there is none';

-- ---------------------------------------------------------------------------
-- Talk: comments, suggestions and chat
--
-- A transaction that adds to a document's talk locks its row in talks until it commits,
-- so that the numbers of changes rise in the order of the commits, and shares a lock of
-- the rows of members that it is allowed by, so that it commits either before a right is
-- taken away or not at all.  It does not lock the head, which writers of text lock, but
-- for the first row in talks, and to accept a suggestion.
-- LOCK ORDER: the head, then members, then talks.
-- ---------------------------------------------------------------------------

CREATE FUNCTION converge.check_body(body text, most integer, what text) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF char_length(body) > most THEN
		RAISE EXCEPTION '% of % characters is too long', what, char_length(body)
			USING ERRCODE = 'OT006', DETAIL = format('A %s must have at most %s characters.'::text, what, most);
	END IF;
	IF body ~ '^[[:space:]]*$'::text THEN
		RAISE EXCEPTION '% must not be empty', what USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;
COMMENT ON FUNCTION converge.check_body(text, integer, text) IS 'fail if a comment or a message is empty or too long';

CREATE FUNCTION converge.lock_talk(doc_id uuid, needed converge.role) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- before any lock that others would wait for
	PERFORM converge.require_role(doc_id, needed);
	IF NOT EXISTS (SELECT FROM converge.talks t WHERE t.doc_id = lock_talk.doc_id) THEN
		-- written as well, so that a deletion whose snapshot is older fails and leaves no row behind
		PERFORM FROM converge.heads h WHERE h.doc_id = lock_talk.doc_id FOR NO KEY UPDATE;
		UPDATE converge.heads h SET version = h.version WHERE h.doc_id = lock_talk.doc_id;
		IF FOUND THEN
			INSERT INTO converge.talks (doc_id) VALUES (lock_talk.doc_id) ON CONFLICT ON CONSTRAINT talks_pkey DO NOTHING;
		END IF;
	END IF;
	PERFORM FROM converge.members m
		WHERE m.doc_id = lock_talk.doc_id AND m.user_id IN (converge.acting_user(), '*'::text) FOR SHARE;
	PERFORM FROM converge.talks t WHERE t.doc_id = lock_talk.doc_id FOR NO KEY UPDATE;
	-- again: while this waited the role may have gone, or the document
	PERFORM converge.require_role(doc_id, needed);
END
$$;
COMMENT ON FUNCTION converge.lock_talk(uuid, converge.role) IS
	'lock a document''s talk, or fail if the acting user has a lower role';

CREATE FUNCTION converge.next_change(doc_id uuid, threads integer, suggestions integer) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	number bigint;
BEGIN
	UPDATE converge.talks t
		SET changed = t.changed + 1, open_threads = t.open_threads + next_change.threads,
			open_suggestions = t.open_suggestions + next_change.suggestions
		WHERE t.doc_id = next_change.doc_id RETURNING t.changed INTO number;
	RETURN number;
END
$$;
COMMENT ON FUNCTION converge.next_change(uuid, integer, integer) IS
	'the number of the next change of a document''s talk; counts open threads and suggestions';

CREATE FUNCTION converge.talk_hash(parts text[]) RETURNS bigint
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ('x'::text || encode(substr(sha256(convert_to(array_to_json(parts)::text, 'UTF8'::name)), 1, 8), 'hex'::text))::bit(64)::bigint
$$;
COMMENT ON FUNCTION converge.talk_hash(text[]) IS 'a hash of what was submitted, for recognising it if it comes again';

CREATE FUNCTION converge.is_repeated(what text, id uuid, hash bigint, earlier_user text, earlier_hash bigint) RETURNS boolean
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF earlier_user IS NULL THEN
		RETURN false;
	END IF;
	IF earlier_user <> converge.acting_user() THEN
		RAISE EXCEPTION 'id % is already taken', id
			USING ERRCODE = 'OT004', DETAIL = format('It names a %s of another user.'::text, what);
	END IF;
	IF earlier_hash <> hash THEN
		RAISE EXCEPTION 'id % is already taken', id
			USING ERRCODE = 'OT004', DETAIL = format('It names a %s with other content.'::text, what);
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION converge.is_repeated(text, uuid, bigint, text, bigint) IS
	'return true if the acting user submitted the same before; fail if the id names something else';

CREATE FUNCTION converge.max_open_threads() RETURNS integer
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$ SELECT 10000 $$;
COMMENT ON FUNCTION converge.max_open_threads() IS 'the most threads of a document that are not resolved';

CREATE FUNCTION converge.max_open_suggestions() RETURNS integer
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$ SELECT 1000 $$;
COMMENT ON FUNCTION converge.max_open_suggestions() IS 'the most suggestions of a document that are not decided';

CREATE FUNCTION converge.check_open_threads(doc_id uuid) RETURNS void
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM converge.talks t
			   WHERE t.doc_id = check_open_threads.doc_id AND t.open_threads >= converge.max_open_threads()) THEN
		RAISE EXCEPTION 'document % has too many open threads', check_open_threads.doc_id
			USING ERRCODE = 'OT006',
				  DETAIL = format('A document can have at most %s threads that are not resolved.'::text, converge.max_open_threads()),
				  HINT = 'Resolve some of them first.';
	END IF;
END
$$;
COMMENT ON FUNCTION converge.check_open_threads(uuid) IS 'fail if a document can have no more open threads';

CREATE FUNCTION converge.comment(doc_id uuid, body text, from_pos bigint, to_pos bigint, version bigint DEFAULT NULL,
								 thread_id uuid DEFAULT pg_catalog.gen_random_uuid(),
								 comment_id uuid DEFAULT pg_catalog.gen_random_uuid()) RETURNS uuid
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	acting text := converge.acting_user();
	hash bigint := converge.talk_hash(ARRAY[thread_id::text, body, from_pos::text, to_pos::text, version::text]);
	earlier converge.comments;
	now_at timestamptz;
	born bigint;
	content text;
BEGIN
	IF doc_id IS NULL OR body IS NULL OR from_pos IS NULL OR to_pos IS NULL OR thread_id IS NULL OR comment_id IS NULL THEN
		RAISE EXCEPTION 'document, body, positions and ids must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.check_body(body, 10000, 'comment'::text);
	-- decoding may tell of a version a moment before it is visible: its writer still has the head's lock
	PERFORM converge.require_role(doc_id, 'commenter'::converge.role);
	IF version > (SELECT h.version FROM converge.heads h WHERE h.doc_id = comment.doc_id) THEN
		PERFORM FROM converge.heads h WHERE h.doc_id = comment.doc_id FOR SHARE;
	END IF;
	PERFORM converge.lock_talk(doc_id, 'commenter'::converge.role);
	SELECT * INTO earlier FROM converge.comments c WHERE c.doc_id = comment.doc_id AND c.id = comment.comment_id;
	IF converge.is_repeated('comment'::text, comment_id, hash, earlier.user_id, earlier.submitted_hash) THEN
		RETURN thread_id;
	END IF;
	IF EXISTS (SELECT FROM converge.threads t WHERE t.doc_id = comment.doc_id AND t.id = comment.thread_id) THEN
		RAISE EXCEPTION 'id % is already taken', thread_id
			USING ERRCODE = 'OT004', DETAIL = 'It names a thread.', HINT = 'Use reply() to add a comment to it.';
	END IF;
	PERFORM converge.check_open_threads(doc_id);
	born := coalesce(version, (SELECT h.version FROM converge.heads h WHERE h.doc_id = comment.doc_id));
	content := converge.content_at(doc_id, born);
	IF from_pos < 0 OR from_pos > to_pos OR to_pos > char_length(content) THEN
		RAISE EXCEPTION 'range from % to % is out of range', from_pos, to_pos
			USING ERRCODE = 'OT005',
				  DETAIL = format('At version %s the document has %s code points.'::text, born, char_length(content));
	END IF;
	IF from_pos = to_pos THEN
		RAISE EXCEPTION 'range from % to % is empty', from_pos, to_pos
			USING ERRCODE = 'invalid_parameter_value', DETAIL = 'A comment must be about at least one character.';
	END IF;
	now_at := clock_timestamp();
	INSERT INTO converge.threads (doc_id, id, version, from_pos, to_pos, length, quote, prefix, suffix, created_by, created_at, changed)
		VALUES (comment.doc_id, comment.thread_id, born, comment.from_pos, comment.to_pos, comment.to_pos - comment.from_pos,
				substr(content, (comment.from_pos + 1)::integer, least(comment.to_pos - comment.from_pos, 10000)::integer),
				substr(content, greatest(comment.from_pos - 31, 1)::integer, least(comment.from_pos, 32)::integer),
				substr(content, (comment.to_pos + 1)::integer, 32), acting, now_at, converge.next_change(comment.doc_id, 1, 0));
	INSERT INTO converge.comments (doc_id, id, thread_id, user_id, body, created_at, submitted_hash, changed)
		VALUES (comment.doc_id, comment.comment_id, comment.thread_id, acting, comment.body, now_at, hash,
				converge.next_change(comment.doc_id, 0, 0));
	RETURN thread_id;
END
$$;
COMMENT ON FUNCTION converge.comment(uuid, text, bigint, bigint, bigint, uuid, uuid) IS
	'begin a thread with a comment on a passage, from_pos to to_pos of a version (null: the newest); returns the thread''s id; commenters';

CREATE FUNCTION converge.living_thread(doc_id uuid, thread_id uuid) RETURNS converge.threads
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	thread converge.threads;
BEGIN
	SELECT * INTO thread FROM converge.threads t WHERE t.doc_id = living_thread.doc_id AND t.id = living_thread.thread_id;
	IF thread.id IS NULL THEN
		RAISE EXCEPTION 'thread % does not exist', thread_id USING ERRCODE = 'no_data_found';
	END IF;
	IF thread.deleted_at IS NOT NULL THEN
		RAISE EXCEPTION 'thread % was deleted', thread_id USING ERRCODE = 'no_data_found';
	END IF;
	RETURN thread;
END
$$;
COMMENT ON FUNCTION converge.living_thread(uuid, uuid) IS 'a thread; fails if there is none with that id, or it was deleted';

CREATE FUNCTION converge.living_comment(doc_id uuid, comment_id uuid) RETURNS converge.comments
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found_comment converge.comments;
BEGIN
	SELECT * INTO found_comment FROM converge.comments c WHERE c.doc_id = living_comment.doc_id AND c.id = living_comment.comment_id;
	IF found_comment.id IS NULL THEN
		RAISE EXCEPTION 'comment % does not exist', comment_id USING ERRCODE = 'no_data_found';
	END IF;
	RETURN found_comment;
END
$$;
COMMENT ON FUNCTION converge.living_comment(uuid, uuid) IS 'a comment; fails if there is none with that id';

CREATE FUNCTION converge.reply(doc_id uuid, thread_id uuid, body text,
							   comment_id uuid DEFAULT pg_catalog.gen_random_uuid()) RETURNS uuid
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	acting text := converge.acting_user();
	hash bigint := converge.talk_hash(ARRAY[thread_id::text, body]);
	earlier converge.comments;
BEGIN
	IF doc_id IS NULL OR thread_id IS NULL OR body IS NULL OR comment_id IS NULL THEN
		RAISE EXCEPTION 'document, thread, body and id must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.check_body(body, 10000, 'comment'::text);
	PERFORM converge.lock_talk(doc_id, 'commenter'::converge.role);
	SELECT * INTO earlier FROM converge.comments c WHERE c.doc_id = reply.doc_id AND c.id = reply.comment_id;
	IF converge.is_repeated('comment'::text, comment_id, hash, earlier.user_id, earlier.submitted_hash) THEN
		RETURN comment_id;
	END IF;
	PERFORM converge.living_thread(doc_id, thread_id);
	IF (SELECT count(*) FROM converge.comments c WHERE c.doc_id = reply.doc_id AND c.thread_id = reply.thread_id) >= 1000 THEN
		RAISE EXCEPTION 'thread % has too many comments', thread_id
			USING ERRCODE = 'OT006', DETAIL = 'A thread can have at most 1000 comments.';
	END IF;
	INSERT INTO converge.comments (doc_id, id, thread_id, user_id, body, created_at, submitted_hash, changed)
		VALUES (reply.doc_id, reply.comment_id, reply.thread_id, acting, reply.body, clock_timestamp(), hash,
				converge.next_change(reply.doc_id, 0, 0));
	RETURN comment_id;
END
$$;
COMMENT ON FUNCTION converge.reply(uuid, uuid, text, uuid) IS 'add a comment to a thread; returns its id; commenters';

CREATE FUNCTION converge.edit_comment(doc_id uuid, comment_id uuid, body text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	earlier converge.comments;
BEGIN
	IF doc_id IS NULL OR comment_id IS NULL OR body IS NULL THEN
		RAISE EXCEPTION 'document, comment and body must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.check_body(body, 10000, 'comment'::text);
	PERFORM converge.lock_talk(doc_id, 'commenter'::converge.role);
	earlier := converge.living_comment(doc_id, comment_id);
	IF earlier.user_id <> converge.acting_user() THEN
		RAISE EXCEPTION 'permission denied for comment %', comment_id
			USING ERRCODE = 'OT002', DETAIL = 'Only its author may edit a comment.';
	END IF;
	IF earlier.deleted_at IS NOT NULL THEN
		RAISE EXCEPTION 'comment % was deleted', comment_id USING ERRCODE = 'no_data_found';
	END IF;
	IF earlier.body <> body THEN
		UPDATE converge.comments c SET body = edit_comment.body, edited_at = clock_timestamp(),
				changed = converge.next_change(edit_comment.doc_id, 0, 0)
			WHERE c.doc_id = edit_comment.doc_id AND c.id = edit_comment.comment_id;
	END IF;
END
$$;
COMMENT ON FUNCTION converge.edit_comment(uuid, uuid, text) IS 'change the text of a comment; its author only';

CREATE FUNCTION converge.delete_comment(doc_id uuid, comment_id uuid) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	earlier converge.comments;
BEGIN
	IF doc_id IS NULL OR comment_id IS NULL THEN
		RAISE EXCEPTION 'document and comment must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.lock_talk(doc_id, 'commenter'::converge.role);
	earlier := converge.living_comment(doc_id, comment_id);
	IF earlier.user_id <> converge.acting_user() AND converge.my_role(doc_id) <> 'owner'::converge.role THEN
		RAISE EXCEPTION 'permission denied for comment %', comment_id
			USING ERRCODE = 'OT002', DETAIL = 'Only its author or an owner of the document may delete a comment.';
	END IF;
	IF earlier.deleted_at IS NOT NULL THEN
		RETURN;
	END IF;
	UPDATE converge.comments c SET body = ''::text, deleted_at = clock_timestamp(),
			changed = converge.next_change(delete_comment.doc_id, 0, 0)
		WHERE c.doc_id = delete_comment.doc_id AND c.id = delete_comment.comment_id;
	UPDATE converge.threads t SET deleted_at = clock_timestamp(),
			changed = converge.next_change(delete_comment.doc_id, CASE WHEN t.resolved_at IS NULL THEN -1 ELSE 0 END, 0)
		WHERE t.doc_id = delete_comment.doc_id AND t.id = earlier.thread_id AND t.deleted_at IS NULL
		  AND NOT EXISTS (SELECT FROM converge.comments c
						  WHERE c.doc_id = t.doc_id AND c.thread_id = t.id AND c.deleted_at IS NULL);
END
$$;
COMMENT ON FUNCTION converge.delete_comment(uuid, uuid) IS
	'delete a comment, and with the last one its thread; its author, or an owner of the document';

CREATE FUNCTION converge.resolve_thread(doc_id uuid, thread_id uuid, resolved boolean DEFAULT true) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	thread converge.threads;
BEGIN
	IF doc_id IS NULL OR thread_id IS NULL OR resolved IS NULL THEN
		RAISE EXCEPTION 'document, thread and resolved must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.lock_talk(doc_id, 'commenter'::converge.role);
	thread := converge.living_thread(doc_id, thread_id);
	IF thread.created_by <> converge.acting_user() AND converge.my_role(doc_id) < 'editor'::converge.role THEN
		RAISE EXCEPTION 'permission denied for thread %', thread_id
			USING ERRCODE = 'OT002', DETAIL = 'Only its author or an editor of the document may resolve a thread.';
	END IF;
	IF (thread.resolved_at IS NOT NULL) = resolved THEN
		RETURN;
	END IF;
	IF NOT resolved THEN
		PERFORM converge.check_open_threads(doc_id);
	END IF;
	UPDATE converge.threads t
		SET resolved_by = CASE WHEN resolve_thread.resolved THEN converge.acting_user() END,
			resolved_at = CASE WHEN resolve_thread.resolved THEN clock_timestamp() END,
			changed = converge.next_change(resolve_thread.doc_id, CASE WHEN resolve_thread.resolved THEN -1 ELSE 1 END, 0)
		WHERE t.doc_id = resolve_thread.doc_id AND t.id = resolve_thread.thread_id;
END
$$;
COMMENT ON FUNCTION converge.resolve_thread(uuid, uuid, boolean) IS
	'resolve a thread, or with false open it again; the user who began it, or an editor of the document';

CREATE FUNCTION converge.carry_ranges(doc_id uuid, version bigint, versions bigint[], from_positions bigint[], to_positions bigint[],
									  lengths bigint[], quotes text[], prefixes text[], suffixes text[], living boolean[],
									  OUT ord integer, OUT from_pos bigint, OUT to_pos bigint, OUT alive boolean) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'converge_carry_ranges' LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION converge.carry_ranges(uuid, bigint, bigint[], bigint[], bigint[], bigint[], text[], text[], text[], boolean[]) IS
	'where passages made on several versions, in the order of these, are at another version, and whether the first character of each is in the text; a passage that is gone is empty';

CREATE FUNCTION converge.threads_at(doc_id uuid, version bigint DEFAULT NULL,
									OUT id uuid, OUT from_pos bigint, OUT to_pos bigint, OUT orphan boolean, OUT quote text,
									OUT resolved boolean, OUT resolved_by text, OUT resolved_at timestamptz,
									OUT created_by text, OUT created_at timestamptz, OUT made_version bigint, OUT changed bigint,
									OUT alive boolean)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $$
DECLARE
	there bigint;
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	there := coalesce(version, (SELECT h.version FROM converge.heads h WHERE h.doc_id = threads_at.doc_id));
	RETURN QUERY
		WITH living AS MATERIALIZED (
			SELECT t.*, row_number() OVER (ORDER BY t.version, t.from_pos, t.id)::integer AS ord
			FROM converge.threads t
			WHERE t.doc_id = threads_at.doc_id AND t.deleted_at IS NULL AND t.version <= there
		), arrays AS (
			SELECT coalesce(array_agg(l.version ORDER BY l.ord), '{}'::bigint[]) AS versions,
				   coalesce(array_agg(l.from_pos ORDER BY l.ord), '{}'::bigint[]) AS froms,
				   coalesce(array_agg(l.to_pos ORDER BY l.ord), '{}'::bigint[]) AS tos,
				   coalesce(array_agg(l.length ORDER BY l.ord), '{}'::bigint[]) AS lengths,
				   coalesce(array_agg(l.quote ORDER BY l.ord), '{}'::text[]) AS quotes,
				   coalesce(array_agg(l.prefix ORDER BY l.ord), '{}'::text[]) AS prefixes,
				   coalesce(array_agg(l.suffix ORDER BY l.ord), '{}'::text[]) AS suffixes,
				   coalesce(array_agg(l.alive ORDER BY l.ord), '{}'::boolean[]) AS living
			FROM living l
		)
		SELECT l.id, r.from_pos, r.to_pos, r.from_pos = r.to_pos, l.quote, l.resolved_at IS NOT NULL, l.resolved_by, l.resolved_at,
			   l.created_by, l.created_at, l.version, l.changed, r.alive
		FROM arrays a
			 CROSS JOIN LATERAL converge.carry_ranges(threads_at.doc_id, there, a.versions, a.froms, a.tos, a.lengths, a.quotes,
													  a.prefixes, a.suffixes, a.living) r
			 JOIN living l ON l.ord = r.ord
		ORDER BY r.from_pos, r.to_pos, l.created_at, l.id;
END
$$;
COMMENT ON FUNCTION converge.threads_at(uuid, bigint) IS
	'the threads of a document and where their passages are at a version (null: the newest), from the start of the text; orphan: the passage was deleted, and this is where it was; alive: its first character is in the text';

CREATE FUNCTION converge.list_comments(doc_id uuid, thread_id uuid DEFAULT NULL) RETURNS SETOF converge.comments
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $$
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	RETURN QUERY SELECT c.* FROM converge.comments c
		WHERE c.doc_id = list_comments.doc_id AND (list_comments.thread_id IS NULL OR c.thread_id = list_comments.thread_id)
		ORDER BY c.created_at, c.id;
END
$$;
COMMENT ON FUNCTION converge.list_comments(uuid, uuid) IS
	'the comments of a thread, or with null of all threads, oldest first, deleted ones without their text';

CREATE FUNCTION converge.check_suggestion(doc_id uuid, base_version bigint, op converge.op) RETURNS void
	AS 'MODULE_PATHNAME', 'converge_check_suggestion' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.check_suggestion(uuid, bigint, converge.op) IS
	'fail if an op changes nothing, is too large, or does not fit the text of its base version';

CREATE FUNCTION converge.carry_ops(doc_id uuid, version bigint, base_versions bigint[], ops converge.op[],
								   OUT ord integer, OUT op converge.op, OUT stale boolean) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'converge_carry_ops' LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION converge.carry_ops(uuid, bigint, bigint[], converge.op[]) IS
	'ops made on several versions, the newest first, as they are at another version; stale: what it touches is gone';

CREATE FUNCTION converge.suggest(doc_id uuid, base_version bigint, op converge.op, note text DEFAULT NULL,
								 id uuid DEFAULT pg_catalog.gen_random_uuid()) RETURNS uuid
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	acting text := converge.acting_user();
	hash bigint := converge.talk_hash(ARRAY[base_version::text, op::text, coalesce(note, ''::text)]);
	earlier converge.suggestions;
BEGIN
	IF doc_id IS NULL OR base_version IS NULL OR op IS NULL OR id IS NULL THEN
		RAISE EXCEPTION 'document, base version, op and id must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF note <> ''::text THEN
		PERFORM converge.check_body(note, 1000, 'note'::text);
	END IF;
	-- decoding may tell of a version a moment before it is visible: its writer still has the head's lock
	PERFORM converge.require_role(doc_id, 'commenter'::converge.role);
	IF base_version > (SELECT h.version FROM converge.heads h WHERE h.doc_id = suggest.doc_id) THEN
		PERFORM FROM converge.heads h WHERE h.doc_id = suggest.doc_id FOR SHARE;
	END IF;
	PERFORM converge.lock_talk(doc_id, 'commenter'::converge.role);
	SELECT * INTO earlier FROM converge.suggestions s WHERE s.doc_id = suggest.doc_id AND s.id = suggest.id;
	IF converge.is_repeated('suggestion'::text, id, hash, earlier.user_id, earlier.submitted_hash) THEN
		RETURN id;
	END IF;
	IF EXISTS (SELECT FROM converge.ops o WHERE o.doc_id = suggest.doc_id AND o.op_id = suggest.id) THEN
		RAISE EXCEPTION 'id % is already taken', id USING ERRCODE = 'OT004', DETAIL = 'It names an operation.';
	END IF;
	IF EXISTS (SELECT FROM converge.talks t
			   WHERE t.doc_id = suggest.doc_id AND t.open_suggestions >= converge.max_open_suggestions()) THEN
		RAISE EXCEPTION 'document % has too many open suggestions', suggest.doc_id
			USING ERRCODE = 'OT006',
				  DETAIL = format('A document can have at most %s suggestions that are not decided.'::text, converge.max_open_suggestions()),
				  HINT = 'Accept, reject or withdraw some of them first.';
	END IF;
	PERFORM converge.check_suggestion(doc_id, base_version, op);
	INSERT INTO converge.suggestions (doc_id, id, base_version, op, note, user_id, created_at, status, submitted_hash, changed)
		VALUES (suggest.doc_id, suggest.id, suggest.base_version, suggest.op, coalesce(suggest.note, ''::text), acting,
				clock_timestamp(), 'open'::text, hash, converge.next_change(suggest.doc_id, 0, 1));
	RETURN id;
END
$$;
COMMENT ON FUNCTION converge.suggest(uuid, bigint, converge.op, text, uuid) IS
	'propose an op made on base_version, which an editor accepts or rejects; returns its id; commenters';

CREATE FUNCTION converge.suggestions_at(doc_id uuid, version bigint DEFAULT NULL,
										OUT id uuid, OUT op converge.op, OUT stale boolean, OUT note text, OUT user_id text,
										OUT created_at timestamptz, OUT base_version bigint, OUT changed bigint)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $$
DECLARE
	there bigint;
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	there := coalesce(version, (SELECT h.version FROM converge.heads h WHERE h.doc_id = suggestions_at.doc_id));
	RETURN QUERY
		WITH open AS MATERIALIZED (
			SELECT s.*, row_number() OVER (ORDER BY s.base_version DESC, s.id)::integer AS ord
			FROM converge.suggestions s
			WHERE s.doc_id = suggestions_at.doc_id AND s.status = 'open'::text AND s.base_version <= there
		), arrays AS (
			SELECT coalesce(array_agg(o.base_version ORDER BY o.ord), '{}'::bigint[]) AS bases,
				   coalesce(array_agg(o.op ORDER BY o.ord), '{}'::converge.op[]) AS ops
			FROM open o
		)
		SELECT o.id, c.op, c.stale, o.note, o.user_id, o.created_at, o.base_version, o.changed
		FROM arrays a
			 CROSS JOIN LATERAL converge.carry_ops(suggestions_at.doc_id, there, a.bases, a.ops) c
			 JOIN open o ON o.ord = c.ord
		ORDER BY o.created_at, o.id;
END
$$;
COMMENT ON FUNCTION converge.suggestions_at(uuid, bigint) IS
	'the open suggestions of a document as they are at a version (null: the newest), oldest first; stale: what it touches is gone';

CREATE FUNCTION converge.decide_suggestion(doc_id uuid, id uuid, accept boolean) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wanted text := CASE WHEN accept THEN 'accepted'::text ELSE 'rejected'::text END;
	suggestion converge.suggestions;
	made bigint;
BEGIN
	IF doc_id IS NULL OR id IS NULL OR accept IS NULL THEN
		RAISE EXCEPTION 'document, suggestion and decision must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'editor'::converge.role);
	IF accept THEN
		PERFORM FROM converge.heads h WHERE h.doc_id = decide_suggestion.doc_id FOR NO KEY UPDATE;
	END IF;
	PERFORM converge.lock_talk(doc_id, 'editor'::converge.role);
	SELECT * INTO suggestion FROM converge.suggestions s WHERE s.doc_id = decide_suggestion.doc_id AND s.id = decide_suggestion.id;
	IF suggestion.id IS NULL THEN
		RAISE EXCEPTION 'suggestion % does not exist', id USING ERRCODE = 'no_data_found';
	END IF;
	IF suggestion.status = wanted THEN
		RETURN suggestion.version;
	END IF;
	IF suggestion.status <> 'open'::text THEN
		RAISE EXCEPTION 'suggestion % was already %', id, suggestion.status
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	IF accept THEN
		IF (SELECT c.stale FROM converge.heads h
				CROSS JOIN LATERAL converge.carry_ops(h.doc_id, h.version, ARRAY[suggestion.base_version], ARRAY[suggestion.op]) c
			WHERE h.doc_id = decide_suggestion.doc_id) THEN
			RAISE EXCEPTION 'suggestion % is stale', id
				USING ERRCODE = 'object_not_in_prerequisite_state',
					  DETAIL = 'The text that it changes was deleted.', HINT = 'Reject it, and accept others without it.';
		END IF;
		made := (converge.apply_op(doc_id, id, suggestion.base_version, suggestion.op)).version;
	END IF;
	UPDATE converge.suggestions s
		SET status = wanted, decided_by = converge.acting_user(), decided_at = clock_timestamp(), version = made,
			changed = converge.next_change(decide_suggestion.doc_id, 0, -1)
		WHERE s.doc_id = decide_suggestion.doc_id AND s.id = decide_suggestion.id;
	RETURN made;
END
$$;
COMMENT ON FUNCTION converge.decide_suggestion(uuid, uuid, boolean) IS
	'accept a suggestion, which applies its op as the acting user''s, exactly once, or reject it; returns the version, null if rejected; editors';

CREATE FUNCTION converge.decide_suggestions(doc_id uuid, ids uuid[], accept boolean, OUT id uuid, OUT version bigint)
	RETURNS SETOF record
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL OR ids IS NULL OR accept IS NULL OR array_position(ids, NULL::uuid) IS NOT NULL THEN
		RAISE EXCEPTION 'document, suggestions and decision must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF cardinality(ids) > converge.max_open_suggestions() THEN
		RAISE EXCEPTION '% suggestions are too many', cardinality(ids)
			USING ERRCODE = 'OT006',
				  DETAIL = format('At most %s suggestions can be decided together.'::text, converge.max_open_suggestions());
	END IF;
	PERFORM converge.require_role(doc_id, 'editor'::converge.role);
	-- the lock of the whole group, even if the first is to be rejected
	PERFORM FROM converge.heads h WHERE h.doc_id = decide_suggestions.doc_id FOR NO KEY UPDATE;
	FOREACH id IN ARRAY ids LOOP
		version := converge.decide_suggestion(doc_id, id, accept);
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION converge.decide_suggestions(uuid, uuid[], boolean) IS
	'decide several suggestions in this order, all or none; the version that each made';

CREATE FUNCTION converge.withdraw_suggestion(doc_id uuid, id uuid) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	suggestion converge.suggestions;
BEGIN
	IF doc_id IS NULL OR id IS NULL THEN
		RAISE EXCEPTION 'document and suggestion must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.lock_talk(doc_id, 'commenter'::converge.role);
	SELECT * INTO suggestion FROM converge.suggestions s WHERE s.doc_id = withdraw_suggestion.doc_id AND s.id = withdraw_suggestion.id;
	IF suggestion.id IS NULL THEN
		RAISE EXCEPTION 'suggestion % does not exist', id USING ERRCODE = 'no_data_found';
	END IF;
	IF suggestion.user_id <> converge.acting_user() THEN
		RAISE EXCEPTION 'permission denied for suggestion %', id
			USING ERRCODE = 'OT002', DETAIL = 'Only its author may withdraw a suggestion.';
	END IF;
	IF suggestion.status = 'withdrawn'::text THEN
		RETURN;
	END IF;
	IF suggestion.status <> 'open'::text THEN
		RAISE EXCEPTION 'suggestion % was already %', id, suggestion.status
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	UPDATE converge.suggestions s
		SET status = 'withdrawn'::text, decided_by = converge.acting_user(), decided_at = clock_timestamp(),
			changed = converge.next_change(withdraw_suggestion.doc_id, 0, -1)
		WHERE s.doc_id = withdraw_suggestion.doc_id AND s.id = withdraw_suggestion.id;
END
$$;
COMMENT ON FUNCTION converge.withdraw_suggestion(uuid, uuid) IS 'take back a suggestion that is not decided; its author only';

CREATE FUNCTION converge.say(doc_id uuid, body text, id uuid DEFAULT pg_catalog.gen_random_uuid()) RETURNS uuid
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	earlier converge.messages;
	newest timestamptz;
BEGIN
	IF doc_id IS NULL OR body IS NULL OR id IS NULL THEN
		RAISE EXCEPTION 'document, body and id must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.check_body(body, 10000, 'message'::text);
	PERFORM converge.lock_talk(doc_id, 'commenter'::converge.role);
	SELECT * INTO earlier FROM converge.messages m WHERE m.doc_id = say.doc_id AND m.id = say.id;
	IF converge.is_repeated('message'::text, id, converge.talk_hash(ARRAY[body]), earlier.user_id,
							converge.talk_hash(ARRAY[earlier.body])) THEN
		RETURN id;
	END IF;
	newest := (SELECT m.created_at FROM converge.messages m WHERE m.doc_id = say.doc_id ORDER BY m.changed DESC LIMIT 1);
	INSERT INTO converge.messages (doc_id, id, user_id, body, version, created_at, changed)
		SELECT h.doc_id, say.id, converge.acting_user(), say.body, h.version,
			   -- no two at the same time, so that a time names a place in the chat
			   greatest(clock_timestamp(), newest + interval '1 microsecond'), converge.next_change(say.doc_id, 0, 0)
		FROM converge.heads h WHERE h.doc_id = say.doc_id;
	RETURN id;
END
$$;
COMMENT ON FUNCTION converge.say(uuid, text, uuid) IS 'say something in the chat of a document; returns the id of the message; commenters';

CREATE FUNCTION converge.message_page(doc_id uuid, before bigint, most integer) RETURNS SETOF converge.messages
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $$
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	RETURN QUERY SELECT m.* FROM converge.messages m
		WHERE m.doc_id = message_page.doc_id AND (before IS NULL OR m.changed < before)
		ORDER BY m.changed DESC LIMIT least(greatest(most, 0), 1000);
END
$$;
COMMENT ON FUNCTION converge.message_page(uuid, bigint, integer) IS
	'the messages of a chat before a change (null: the newest), the newest first; at most 1000';

CREATE FUNCTION converge.messages_before(doc_id uuid, before uuid, "limit" integer DEFAULT 100) RETURNS SETOF converge.messages
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $$
DECLARE
	place bigint := (SELECT m.changed FROM converge.messages m WHERE m.doc_id = messages_before.doc_id AND m.id = messages_before.before);
BEGIN
	-- the role first, so that nothing is learned of a message
	IF doc_id IS NOT NULL THEN
		PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	END IF;
	IF before IS NOT NULL AND place IS NULL AND doc_id IS NOT NULL THEN
		RAISE EXCEPTION 'message % does not exist', before USING ERRCODE = 'no_data_found';
	END IF;
	RETURN QUERY SELECT p.* FROM converge.message_page(doc_id, place, coalesce("limit", 100)) p;
END
$$;
COMMENT ON FUNCTION converge.messages_before(uuid, uuid, integer) IS
	'the messages of a chat before a message (null: the newest), the newest first; at most 1000';

CREATE FUNCTION converge.messages_before(doc_id uuid, before timestamptz, "limit" integer DEFAULT 100) RETURNS SETOF converge.messages
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $$
BEGIN
	RETURN QUERY SELECT p.* FROM converge.message_page(doc_id, CASE WHEN before IS NOT NULL THEN
		coalesce((SELECT max(m.changed) + 1 FROM converge.messages m
				  WHERE m.doc_id = messages_before.doc_id AND m.created_at < before), 0) END, coalesce("limit", 100)) p;
END
$$;
COMMENT ON FUNCTION converge.messages_before(uuid, timestamptz, integer) IS
	'the messages of a chat before a time (null: the newest), the newest first; at most 1000';

CREATE FUNCTION converge.messages_before(doc_id uuid, before text DEFAULT NULL, "limit" integer DEFAULT 100) RETURNS SETOF converge.messages
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp ROWS 100 AS $$
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	IF before ~ '^\{?[[:xdigit:]]{4}(-?[[:xdigit:]]{4}){7}\}?$'::text THEN
		RETURN QUERY SELECT m.* FROM converge.messages_before(doc_id, before::uuid, coalesce("limit", 100)) m;
	ELSE
		RETURN QUERY SELECT m.* FROM converge.messages_before(doc_id, before::timestamptz, coalesce("limit", 100)) m;
	END IF;
END
$$;
COMMENT ON FUNCTION converge.messages_before(uuid, text, integer) IS
	'the messages of a chat before a message or a time, given as text (null: the newest); chosen for a parameter without a type';

CREATE FUNCTION converge.mark_read(doc_id uuid, changed bigint) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	acting text := converge.acting_user();
	known bigint;
	result bigint;
BEGIN
	IF doc_id IS NULL OR changed IS NULL THEN
		RAISE EXCEPTION 'document and change must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM FROM converge.members m WHERE m.doc_id = mark_read.doc_id AND m.user_id IN (acting, '*'::text) FOR SHARE;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	known := coalesce((SELECT t.changed FROM converge.talks t WHERE t.doc_id = mark_read.doc_id), 0);
	INSERT INTO converge.last_read AS r (doc_id, user_id, changed, read_at)
		VALUES (mark_read.doc_id, acting, least(greatest(mark_read.changed, 0), known), clock_timestamp())
		ON CONFLICT ON CONSTRAINT last_read_pkey DO UPDATE
			SET changed = greatest(r.changed, excluded.changed), read_at = excluded.read_at
		RETURNING r.changed INTO result;
	RETURN result;
END
$$;
COMMENT ON FUNCTION converge.mark_read(uuid, bigint) IS
	'note that the acting user has read what is said in a document up to a change; returns how far that is, which never falls';

CREATE FUNCTION converge.unread(doc_id uuid, OUT last_read bigint, OUT messages bigint, OUT comments bigint, OUT mentions bigint)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	acting text := converge.acting_user();
	mention text := '@'::text || acting;
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	last_read := coalesce((SELECT r.changed FROM converge.last_read r WHERE r.doc_id = unread.doc_id AND r.user_id = acting), 0);
	SELECT count(*), count(*) FILTER (WHERE converge.is_mentioned(m.body, mention)) INTO messages, mentions
		FROM converge.messages m WHERE m.doc_id = unread.doc_id AND m.changed > last_read AND m.user_id <> acting;
	SELECT count(*), mentions + count(*) FILTER (WHERE converge.is_mentioned(c.body, mention)) INTO comments, mentions
		FROM converge.comments c
		WHERE c.doc_id = unread.doc_id AND c.changed > last_read AND c.user_id <> acting AND c.deleted_at IS NULL;
END
$$;
COMMENT ON FUNCTION converge.unread(uuid) IS
	'how far the acting user has read, how many messages and comments of others came or changed since, and how many of those mention the user';

CREATE FUNCTION converge.is_mentioned(body text, mention text) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rest text := body;
	place integer;
BEGIN
	LOOP
		place := position(mention IN rest);
		IF place = 0 THEN
			RETURN false;
		END IF;
		rest := substr(rest, place + char_length(mention));
		-- not the beginning of a longer id
		IF rest !~ '^[[:alnum:]_-]'::text AND rest !~ '^[.@][[:alnum:]]'::text THEN
			RETURN true;
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION converge.is_mentioned(text, text) IS 'return true if a text contains @ and a user id, not followed by more of a longer id';

-- ---- talk as events: the same fields as in the stream ----

CREATE FUNCTION converge.moment(at timestamptz) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT to_char(at AT TIME ZONE 'UTC'::text, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'::text)
$$;
COMMENT ON FUNCTION converge.moment(timestamptz) IS 'a time as messages contain it';

CREATE FUNCTION converge.thread_event(thread converge.threads) RETURNS json
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT json_build_object('type'::text, 'thread'::text, 'documentId'::text, thread.doc_id, 'changed'::text, thread.changed,
		'id'::text, thread.id, 'version'::text, thread.version, 'from'::text, thread.from_pos, 'to'::text, thread.to_pos,
		'alive'::text, thread.alive, 'length'::text, thread.length, 'quote'::text, thread.quote, 'prefix'::text, thread.prefix, 'suffix'::text, thread.suffix,
		'userId'::text, thread.created_by, 'at'::text, converge.moment(thread.created_at), 'resolvedBy'::text, thread.resolved_by,
		'resolvedAt'::text, converge.moment(thread.resolved_at), 'deletedAt'::text, converge.moment(thread.deleted_at))
$$;
COMMENT ON FUNCTION converge.thread_event(converge.threads) IS 'a thread as its event';

CREATE FUNCTION converge.comment_event(said converge.comments) RETURNS json
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT json_build_object('type'::text, 'comment'::text, 'documentId'::text, said.doc_id, 'changed'::text, said.changed,
		'id'::text, said.id, 'threadId'::text, said.thread_id, 'userId'::text, said.user_id, 'body'::text, said.body,
		'at'::text, converge.moment(said.created_at), 'editedAt'::text, converge.moment(said.edited_at),
		'deletedAt'::text, converge.moment(said.deleted_at))
$$;
COMMENT ON FUNCTION converge.comment_event(converge.comments) IS 'a comment as its event';

CREATE FUNCTION converge.suggestion_event(suggestion converge.suggestions) RETURNS json
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT json_build_object('type'::text, CASE suggestion.status WHEN 'open'::text THEN 'suggest'::text ELSE 'decide'::text END,
		'documentId'::text, suggestion.doc_id, 'changed'::text, suggestion.changed, 'id'::text, suggestion.id,
		'baseVersion'::text, suggestion.base_version, 'op'::text, suggestion.op::text::json, 'note'::text, suggestion.note,
		'userId'::text, suggestion.user_id, 'at'::text, converge.moment(suggestion.created_at), 'status'::text, suggestion.status,
		'decidedBy'::text, suggestion.decided_by, 'decidedAt'::text, converge.moment(suggestion.decided_at),
		'version'::text, suggestion.version)
$$;
COMMENT ON FUNCTION converge.suggestion_event(converge.suggestions) IS 'a suggestion as its event';

CREATE FUNCTION converge.message_event(message converge.messages) RETURNS json
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT json_build_object('type'::text, 'chat'::text, 'documentId'::text, message.doc_id, 'changed'::text, message.changed,
		'id'::text, message.id, 'userId'::text, message.user_id, 'body'::text, message.body, 'version'::text, message.version,
		'at'::text, converge.moment(message.created_at))
$$;
COMMENT ON FUNCTION converge.message_event(converge.messages) IS 'a message as its event';

CREATE FUNCTION converge.talk_events(doc_id uuid, since bigint DEFAULT 0, "limit" integer DEFAULT 1000,
									 OUT changed bigint, OUT event json) RETURNS SETOF record
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1000 AS $$
DECLARE
	most integer := least(greatest(coalesce("limit", 1000), 0), 1000);
	after bigint := coalesce(since, 0);
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	RETURN QUERY
		SELECT e.changed, e.event FROM (
			(SELECT t.changed, converge.thread_event(t) AS event
			 FROM converge.threads t WHERE t.doc_id = talk_events.doc_id AND t.changed > after ORDER BY t.changed LIMIT most)
			UNION ALL
			(SELECT c.changed, converge.comment_event(c)
			 FROM converge.comments c WHERE c.doc_id = talk_events.doc_id AND c.changed > after ORDER BY c.changed LIMIT most)
			UNION ALL
			(SELECT s.changed, converge.suggestion_event(s)
			 FROM converge.suggestions s WHERE s.doc_id = talk_events.doc_id AND s.changed > after ORDER BY s.changed LIMIT most)
			UNION ALL
			(SELECT m.changed, converge.message_event(m)
			 FROM converge.messages m WHERE m.doc_id = talk_events.doc_id AND m.changed > after ORDER BY m.changed LIMIT most)
		) AS e (changed, event) ORDER BY e.changed LIMIT most;
END
$$;
COMMENT ON FUNCTION converge.talk_events(uuid, bigint, integer) IS
	'the threads, comments, suggestions and messages of a document that came or changed after a change, each as its event in the stream; at most 1000';

-- Volatile, so that it sees what another function of the same statement has written.
CREATE FUNCTION converge.talk_rows(doc_id uuid, ids uuid[]) RETURNS SETOF json
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 2 AS $$
BEGIN
	IF doc_id IS NULL OR ids IS NULL THEN
		RAISE EXCEPTION 'document and ids must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	RETURN QUERY
		SELECT e.event FROM (
			SELECT t.changed, converge.thread_event(t) FROM converge.threads t WHERE t.doc_id = talk_rows.doc_id AND t.id = ANY (ids)
			UNION ALL
			SELECT c.changed, converge.comment_event(c) FROM converge.comments c WHERE c.doc_id = talk_rows.doc_id AND c.id = ANY (ids)
			UNION ALL
			SELECT s.changed, converge.suggestion_event(s) FROM converge.suggestions s WHERE s.doc_id = talk_rows.doc_id AND s.id = ANY (ids)
			UNION ALL
			SELECT m.changed, converge.message_event(m) FROM converge.messages m WHERE m.doc_id = talk_rows.doc_id AND m.id = ANY (ids)
		) AS e (changed, event) ORDER BY e.changed;
END
$$;
COMMENT ON FUNCTION converge.talk_rows(uuid, uuid[]) IS
	'threads, comments, suggestions and messages by their ids, each as its event, also those that the calling statement has written';

CREATE FUNCTION converge.talk_changed(doc_id uuid) RETURNS bigint
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	RETURN coalesce((SELECT t.changed FROM converge.talks t WHERE t.doc_id = talk_changed.doc_id), 0);
END
$$;
COMMENT ON FUNCTION converge.talk_changed(uuid) IS
	'the number of the last change of a document''s threads, comments, suggestions and messages';

-- What the calling transaction writes comes by the stream in a moment; what was written
-- before does not.
CREATE FUNCTION converge.talk_answer(doc_id uuid, ids uuid[]) RETURNS SETOF json
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 2 AS $$
BEGIN
	IF doc_id IS NULL OR ids IS NULL THEN
		RAISE EXCEPTION 'document and ids must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	IF NOT EXISTS (SELECT FROM converge.talks t WHERE t.doc_id = talk_answer.doc_id AND t.changed > 0
				   AND t.xmin::text = (pg_current_xact_id()::text::numeric % 4294967296::numeric)::text) THEN
		RETURN QUERY SELECT r FROM converge.talk_rows(doc_id, ids) r;
	END IF;
END
$$;
COMMENT ON FUNCTION converge.talk_answer(uuid, uuid[]) IS
	'talk_rows() if what the calling transaction asked for was so already; no rows if it has changed the talk of the document';

-- Called by verify() when the log is found whole.
CREATE FUNCTION converge.talk_problems(doc_id uuid, OUT version bigint, OUT problem text) RETURNS SETOF record
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1 AS $$
DECLARE
	head converge.heads;
	talk converge.talks;
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	SELECT * INTO head FROM converge.heads h WHERE h.doc_id = talk_problems.doc_id;
	SELECT * INTO talk FROM converge.talks t WHERE t.doc_id = talk_problems.doc_id;
	RETURN QUERY SELECT head.version, format('comment %s belongs to thread %s, which does not exist'::text, c.id, c.thread_id)
		FROM converge.comments c
		WHERE c.doc_id = talk_problems.doc_id
		  AND NOT EXISTS (SELECT FROM converge.threads t WHERE t.doc_id = c.doc_id AND t.id = c.thread_id);
	RETURN QUERY SELECT t.version, format('thread %s is %s, but has %s comments that are not deleted'::text, t.id,
										  CASE WHEN t.deleted_at IS NULL THEN 'not deleted'::text ELSE 'deleted'::text END, c.living)
		FROM converge.threads t CROSS JOIN LATERAL (SELECT count(*) AS living FROM converge.comments c
			WHERE c.doc_id = t.doc_id AND c.thread_id = t.id AND c.deleted_at IS NULL) c
		WHERE t.doc_id = talk_problems.doc_id AND (t.deleted_at IS NULL) <> (c.living > 0);
	RETURN QUERY SELECT t.version, format('thread %s is at version %s; available are %s to %s'::text, t.id, t.version, head.floor_version, head.version)
		FROM converge.threads t
		WHERE t.doc_id = talk_problems.doc_id AND t.deleted_at IS NULL AND t.version NOT BETWEEN head.floor_version AND head.version;
	RETURN QUERY
		WITH steps AS (
			SELECT c.version, sum(CASE c.kind WHEN 'insert'::text THEN c.length ELSE -c.length END) AS grown
			FROM converge.changes(talk_problems.doc_id, head.floor_version + 1, NULL::bigint) c GROUP BY c.version
		), lengths AS (
			SELECT s.version, head.length - coalesce(sum(s.grown) OVER (ORDER BY s.version DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS length
			FROM steps s
			UNION ALL SELECT head.floor_version, head.length - coalesce((SELECT sum(s.grown) FROM steps s), 0)
		)
		SELECT t.version, format('thread %s is at %s to %s of a text of %s code points'::text, t.id, t.from_pos, t.to_pos, l.length)
		FROM converge.threads t JOIN lengths l ON l.version = t.version
		WHERE t.doc_id = talk_problems.doc_id AND t.deleted_at IS NULL
		  AND (t.from_pos < 0 OR t.from_pos > t.to_pos OR t.to_pos > l.length);
	RETURN QUERY SELECT t.version, format('thread %s is empty at %s, but its first character is recorded as alive'::text, t.id, t.from_pos)
		FROM converge.threads t
		WHERE t.doc_id = talk_problems.doc_id AND t.deleted_at IS NULL AND t.from_pos = t.to_pos AND t.alive;
	RETURN QUERY SELECT t.version, format('thread %s has a quote of %s characters for a passage of %s'::text, t.id, char_length(t.quote), t.length)
		FROM converge.threads t
		WHERE t.doc_id = talk_problems.doc_id AND char_length(t.quote) <> least(t.length, 10000);
	RETURN QUERY SELECT coalesce(s.version, s.base_version), format('suggestion %s is %s with version %s and decided by %s'::text, s.id, s.status,
																	coalesce(s.version::text, 'none'::text), coalesce(s.decided_by, 'nobody'::text))
		FROM converge.suggestions s
		WHERE s.doc_id = talk_problems.doc_id
		  AND ((s.status = 'accepted'::text) <> (s.version IS NOT NULL)
			   OR (s.status = 'open'::text) <> (s.decided_by IS NULL) OR (s.decided_by IS NULL) <> (s.decided_at IS NULL));
	RETURN QUERY SELECT s.base_version, format('suggestion %s is on version %s; available are %s to %s'::text, s.id, s.base_version, head.floor_version, head.version)
		FROM converge.suggestions s
		WHERE s.doc_id = talk_problems.doc_id AND s.status = 'open'::text AND s.base_version NOT BETWEEN head.floor_version AND head.version;
	RETURN QUERY SELECT s.version, format('suggestion %s is accepted, but its operation did not make version %s'::text, s.id, s.version)
		FROM converge.suggestions s
		WHERE s.doc_id = talk_problems.doc_id AND s.version > head.floor_version
		  AND NOT EXISTS (SELECT FROM converge.history(s.doc_id, s.version, s.version) h WHERE h.op_id = s.id);
	RETURN QUERY SELECT head.version, format('%s rows have change %s; the last one is %s'::text, count(*), r.changed, talk.changed)
		FROM (SELECT t.changed FROM converge.threads t WHERE t.doc_id = talk_problems.doc_id
			  UNION ALL SELECT c.changed FROM converge.comments c WHERE c.doc_id = talk_problems.doc_id
			  UNION ALL SELECT s.changed FROM converge.suggestions s WHERE s.doc_id = talk_problems.doc_id
			  UNION ALL SELECT m.changed FROM converge.messages m WHERE m.doc_id = talk_problems.doc_id) r
		GROUP BY r.changed HAVING count(*) > 1 OR r.changed > coalesce(talk.changed, 0) OR r.changed < 1;
	RETURN QUERY SELECT head.version, format('the talk has %s open threads and %s open suggestions, its row records %s and %s'::text,
											 c.threads, c.suggestions, coalesce(talk.open_threads, 0), coalesce(talk.open_suggestions, 0))
		FROM (SELECT (SELECT count(*) FROM converge.threads t
					  WHERE t.doc_id = talk_problems.doc_id AND t.resolved_at IS NULL AND t.deleted_at IS NULL) AS threads,
					 (SELECT count(*) FROM converge.suggestions s
					  WHERE s.doc_id = talk_problems.doc_id AND s.status = 'open'::text) AS suggestions) c
		WHERE c.threads <> coalesce(talk.open_threads, 0) OR c.suggestions <> coalesce(talk.open_suggestions, 0);
END
$$;
COMMENT ON FUNCTION converge.talk_problems(uuid) IS
	'what is wrong with a document''s threads, comments, suggestions and messages; verify() calls it';

CREATE FUNCTION converge.carry_talk(doc_id uuid, version bigint) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL OR version IS NULL THEN
		RAISE EXCEPTION 'document and version must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM FROM converge.talks t WHERE t.doc_id = carry_talk.doc_id FOR NO KEY UPDATE;
	UPDATE converge.threads t SET version = carry_talk.version, from_pos = a.from_pos, to_pos = a.to_pos, alive = a.alive
		FROM converge.threads_at(carry_talk.doc_id, carry_talk.version) a
		WHERE t.doc_id = carry_talk.doc_id AND t.id = a.id AND t.version < carry_talk.version;
	UPDATE converge.suggestions s SET base_version = carry_talk.version, op = CASE WHEN a.stale THEN '[]'::converge.op ELSE a.op END
		FROM converge.suggestions_at(carry_talk.doc_id, carry_talk.version) a
		WHERE s.doc_id = carry_talk.doc_id AND s.id = a.id AND s.base_version < carry_talk.version;
END
$$;
COMMENT ON FUNCTION converge.carry_talk(uuid, bigint) IS
	'let the threads and open suggestions of a document that were made before a version refer to that version, before older ones are pruned';

-- ---------------------------------------------------------------------------
-- Documents that leave and come: as bytes, or as copies
-- ---------------------------------------------------------------------------

CREATE FUNCTION converge.document_tables() RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY['comments'::text, 'labels'::text, 'last_read'::text, 'members'::text, 'messages'::text,
				 'suggestions'::text, 'talks'::text, 'threads'::text, 'undos'::text]
$$;
COMMENT ON FUNCTION converge.document_tables() IS
	'the tables whose rows, found by doc_id, belong to a document and travel with it, beside its log and snapshots';

CREATE FUNCTION converge.describe_document(doc_id uuid, version bigint) RETURNS jsonb
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	described jsonb;
	found_rows jsonb;
	all_rows jsonb := '{}'::jsonb;
	name text;
BEGIN
	FOREACH name IN ARRAY converge.document_tables() LOOP
		EXECUTE format('SELECT coalesce(jsonb_agg(to_jsonb(t) - ''doc_id''::text), ''[]''::jsonb) FROM ONLY converge.%I t WHERE t.doc_id = $1'::text, name)
			INTO found_rows USING doc_id;
		all_rows := all_rows || jsonb_build_object(name, found_rows);
	END LOOP;
	SELECT jsonb_build_object('id'::text, d.id, 'title'::text, d.title, 'owner'::text, d.owner, 'created_at'::text, d.created_at,
			'version'::text, describe_document.version, 'floor_version'::text, h.floor_version,
			'floor_at'::text, CASE WHEN h.floor_version = 0 THEN d.created_at ELSE f.created_at END,
			'floor_op_id'::text, f.op_id, 'floor_text'::text, coalesce(f.content, ''::text),
			'snapshots'::text, (SELECT coalesce(jsonb_agg(jsonb_build_object('version'::text, s.version, 'kind'::text, s.kind, 'created_at'::text, s.created_at) ORDER BY s.version), '[]'::jsonb)
				FROM ONLY converge.snapshots s WHERE s.doc_id = d.id AND s.kind = 'named'::text AND s.version > h.floor_version AND s.version <= describe_document.version),
			'floor_kind'::text, f.kind,
			'rows'::text, all_rows)
		INTO described
		FROM ONLY converge.documents d JOIN ONLY converge.heads h ON h.doc_id = d.id
			 LEFT JOIN ONLY converge.snapshots f ON f.doc_id = d.id AND f.version = h.floor_version
		WHERE d.id = describe_document.doc_id;
	RETURN described;
END
$$;
COMMENT ON FUNCTION converge.describe_document(uuid, bigint) IS 'all rows of a document but those of its log, for export_document and fork';

CREATE FUNCTION converge.export_log(doc_id uuid, version bigint, description text) RETURNS bytea
	AS 'MODULE_PATHNAME', 'converge_export_log' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.export_log(uuid, bigint, text) IS 'an exported document of a description and the log up to a version';

CREATE FUNCTION converge.export_description(data bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'converge_export_description' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.export_description(bytea) IS 'the description in an exported document, whose checksum is checked';

CREATE FUNCTION converge.import_log(doc_id uuid, data bytea, version bigint, floor_version bigint, length bigint, at timestamptz, seq bigint, prefix text,
									OUT new_version bigint, OUT new_seq bigint, OUT new_length bigint, OUT log_bytes bigint, OUT new_at timestamptz)
	AS 'MODULE_PATHNAME', 'converge_import_log' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.import_log(uuid, bytea, bigint, bigint, bigint, timestamptz, bigint, text) IS
	'store the log of an exported document, packed, with sequence numbers of this database';

CREATE FUNCTION converge.copy_log(doc_id uuid, source uuid, version bigint, floor_version bigint, length bigint, at timestamptz, seq bigint,
								  OUT new_version bigint, OUT new_seq bigint, OUT new_length bigint, OUT log_bytes bigint, OUT new_at timestamptz)
	AS 'MODULE_PATHNAME', 'converge_copy_log' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.copy_log(uuid, uuid, bigint, bigint, bigint, timestamptz, bigint) IS
	'store the log of another document up to a version, packed, with sequence numbers of its own';

CREATE FUNCTION converge.import_snapshot(doc_id uuid, version bigint, kind text, at timestamptz, head_version bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_import_snapshot' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.import_snapshot(uuid, bigint, text, timestamptz, bigint) IS
	'store the text of a version of an imported document as a snapshot; returns the bytes of the ops after it';

-- From data, or where that is null from another document; a prefix marks the authors as
-- those of elsewhere.
CREATE FUNCTION converge.receive_document(described jsonb, data bytea, source uuid, id uuid, tables text[], prefix text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_seq bigint := nextval('converge.op_seq'::regclass);
	floor_version bigint := (described ->> 'floor_version'::text)::bigint;
	floor_text text := described ->> 'floor_text'::text;
	floor_at timestamptz := (described ->> 'floor_at'::text)::timestamptz;
	version bigint := (described ->> 'version'::text)::bigint;
	new_life uuid := (lpad(to_hex(first_seq), 16, '0'::text) || substr(replace(gen_random_uuid()::text, '-'::text, ''::text), 17))::uuid;
	bytes bigint;
	head record;
	kept jsonb;
	name text;
BEGIN
	IF described ->> 'title'::text IS NULL OR described ->> 'owner'::text IS NULL OR floor_text IS NULL OR NOT isfinite(floor_at) OR floor_at IS NULL
		OR (described ->> 'created_at'::text)::timestamptz IS NULL OR floor_version IS NULL OR floor_version < 0 OR version IS NULL OR version < floor_version
		OR described ->> 'floor_kind'::text IS NULL AND (floor_text <> ''::text OR floor_version > 0)
		OR octet_length(described ->> 'owner'::text) NOT BETWEEN 1 AND 255 THEN
		RAISE EXCEPTION 'the exported document is damaged' USING ERRCODE = 'data_corrupted', DETAIL = 'Its description is incomplete.';
	END IF;
	PERFORM converge.check_title(described ->> 'title'::text);
	IF char_length(floor_text) > converge.max_document_length() THEN
		RAISE EXCEPTION 'document of % code points is too large', char_length(floor_text) USING ERRCODE = 'OT006';
	END IF;
	PERFORM FROM converge.documents d WHERE d.id = receive_document.id FOR KEY SHARE;
	INSERT INTO converge.documents (id, title, owner, created_at, life)
		VALUES (receive_document.id, described ->> 'title'::text, described ->> 'owner'::text, (described ->> 'created_at'::text)::timestamptz, new_life);
	IF described ->> 'floor_kind'::text IS NOT NULL THEN
		INSERT INTO converge.snapshots (doc_id, version, seq, created_at, kind, content, op_id)
			VALUES (receive_document.id, floor_version, CASE WHEN floor_version > 0 THEN first_seq ELSE 0 END, floor_at,
					described ->> 'floor_kind'::text, floor_text, (described ->> 'floor_op_id'::text)::uuid);
	END IF;
	IF data IS NOT NULL THEN
		SELECT * INTO head FROM converge.import_log(id, data, version, floor_version, char_length(floor_text)::bigint, floor_at, first_seq, prefix);
	ELSE
		SELECT * INTO head FROM converge.copy_log(id, source, version, floor_version, char_length(floor_text)::bigint, floor_at, first_seq);
	END IF;
	INSERT INTO converge.heads (doc_id, version, seq, length, floor_version, snapshot_version, log_bytes, updated_at, packed_version, life)
		VALUES (receive_document.id, version, CASE WHEN version = 0 THEN 0 ELSE head.new_seq END, head.new_length, floor_version, floor_version,
				head.log_bytes, head.new_at, version, new_life);
	FOR kept IN SELECT s FROM jsonb_array_elements(described -> 'snapshots'::text) s LOOP
		bytes := converge.import_snapshot(id, (kept ->> 'version'::text)::bigint, 'named'::text, (kept ->> 'created_at'::text)::timestamptz, version);
		UPDATE converge.heads h SET snapshot_version = (kept ->> 'version'::text)::bigint, log_bytes = bytes WHERE h.doc_id = receive_document.id;
	END LOOP;
	FOREACH name IN ARRAY tables LOOP
		EXECUTE format('INSERT INTO converge.%1$I SELECT (jsonb_populate_record(NULL::converge.%1$I, r || jsonb_build_object(''doc_id''::text, $1)'
			' || CASE WHEN $3 <> '''' AND r ? ''user_id'' THEN jsonb_build_object(''user_id''::text, left($3 || (r ->> ''user_id''::text), 100)) ELSE ''{}''::jsonb END)).* FROM jsonb_array_elements($2) r'::text, name)
			USING id, coalesce(described -> 'rows'::text -> name, '[]'::jsonb), prefix;
	END LOOP;
END
$$;
COMMENT ON FUNCTION converge.receive_document(jsonb, bytea, uuid, uuid, text[], text) IS
	'create a document from a description and a log, for import_document, import_copy and fork';

CREATE FUNCTION converge.export_document(doc_id uuid) RETURNS bytea
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.require_role(doc_id, 'viewer'::converge.role);
	-- one statement, and so one snapshot
	RETURN (SELECT converge.export_log(h.doc_id, h.version, converge.describe_document(h.doc_id, h.version)::text)
			FROM ONLY converge.heads h WHERE h.doc_id = export_document.doc_id);
END
$$;
COMMENT ON FUNCTION converge.export_document(uuid) IS
	'a document with its whole history, labels and members, as bytes that import_document takes in another database';

CREATE FUNCTION converge.import_document(data bytea, id uuid DEFAULT NULL) RETURNS uuid
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	described jsonb;
	new_id uuid;
BEGIN
	IF data IS NULL THEN
		RAISE EXCEPTION 'data must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	described := converge.export_description(data)::jsonb;
	new_id := coalesce(id, (described ->> 'id'::text)::uuid);
	PERFORM converge.receive_document(described, data, NULL::uuid, new_id, converge.document_tables(), ''::text);
	PERFORM converge.keep_an_owner(new_id);
	RETURN new_id;
END
$$;
COMMENT ON FUNCTION converge.import_document(bytea, uuid) IS
	'create a document from an export, under its own id or another, with its versions, operation ids, times, authors and members; for those who run the database, since it believes what the data says about others';

CREATE FUNCTION converge.import_copy(data bytea, title text DEFAULT NULL) RETURNS uuid
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	described jsonb;
	new_id uuid := gen_random_uuid();
BEGIN
	IF data IS NULL THEN
		RAISE EXCEPTION 'data must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	described := converge.export_description(data)::jsonb;
	described := described || jsonb_build_object('owner'::text, converge.acting_user(), 'title'::text, coalesce(title, described ->> 'title'::text));
	PERFORM converge.receive_document(described, data, NULL::uuid, new_id, ARRAY['labels'::text, 'undos'::text], 'imported:'::text);
	INSERT INTO converge.members (doc_id, user_id, role) VALUES (new_id, converge.acting_user(), 'owner'::converge.role);
	RETURN new_id;
END
$$;
COMMENT ON FUNCTION converge.import_copy(bytea, text) IS
	'create a document of the acting user''s from an export, with its history, whose authors get "imported:" in front, since nobody vouches for them; its id';

CREATE FUNCTION converge.fork(doc_id uuid, version bigint DEFAULT NULL, with_history boolean DEFAULT false,
							  id uuid DEFAULT pg_catalog.gen_random_uuid()) RETURNS uuid
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	told record;
	described jsonb;
BEGIN
	IF doc_id IS NULL OR with_history IS NULL OR id IS NULL THEN
		RAISE EXCEPTION 'document, with_history and id must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	told := converge.document(doc_id);
	version := coalesce(version, told.version);
	IF NOT with_history THEN
		RETURN converge.create_document(told.title, converge.content_at(doc_id, version), id);
	END IF;
	-- nothing may be forgotten or hidden meanwhile
	PERFORM FROM converge.documents d WHERE d.id = fork.doc_id FOR SHARE;
	-- fails for a version that is not there
	PERFORM length(converge.content_at(doc_id, version));
	described := converge.describe_document(doc_id, version) || jsonb_build_object('owner'::text, converge.acting_user());
	described := jsonb_set(described, '{rows}'::text[], (SELECT jsonb_object_agg(t.name, (SELECT coalesce(jsonb_agg(r), '[]'::jsonb)
			FROM jsonb_array_elements(described -> 'rows'::text -> t.name) r WHERE (r ->> 'version'::text)::bigint <= fork.version))
		FROM (VALUES ('labels'::text), ('undos'::text)) t (name)));
	PERFORM converge.receive_document(described, NULL::bytea, doc_id, id, ARRAY['labels'::text, 'undos'::text], ''::text);
	INSERT INTO converge.members (doc_id, user_id, role) VALUES (fork.id, converge.acting_user(), 'owner'::converge.role);
	RETURN id;
END
$$;
COMMENT ON FUNCTION converge.fork(uuid, bigint, boolean, uuid) IS
	'a new document of the acting user''s with the text of a version (null: the newest), or with the history up to it and its labels; its id';

CREATE FUNCTION converge.move_out(doc_id uuid) RETURNS bytea
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	data bytea;
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.begin_move(doc_id);
	data := converge.export_document(doc_id);
	PERFORM converge.delete_document(doc_id);
	RETURN data;
END
$$;
COMMENT ON FUNCTION converge.move_out(uuid) IS
	'export a document and delete it, in a transaction in which no edit is taken: commit it when the document has been imported elsewhere; owners only';

CREATE FUNCTION converge.begin_move(doc_id uuid) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL THEN
		RAISE EXCEPTION 'document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	-- before any lock that others would wait for
	PERFORM converge.require_role(doc_id, 'owner'::converge.role);
	PERFORM FROM converge.documents d WHERE d.id = begin_move.doc_id FOR UPDATE;
	PERFORM converge.lock_for_owner(doc_id);
END
$$;
COMMENT ON FUNCTION converge.begin_move(uuid) IS 'lock a document against edits and maintenance, to the end of the transaction, for move_out; owners only';

-- ---------------------------------------------------------------------------
-- Forgetting: what is changed where it stands
-- ---------------------------------------------------------------------------

CREATE FUNCTION converge.personal_columns(OUT table_name text, OUT column_name text, OUT doc_column text, OUT content text) RETURNS SETOF record
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	VALUES ('documents'::text, 'title'::text, 'id'::text, 'text'::text),
		   ('documents'::text, 'owner'::text, 'id'::text, 'user'::text),
		   ('labels'::text, 'label'::text, 'doc_id'::text, 'text'::text),
		   ('labels'::text, 'user_id'::text, 'doc_id'::text, 'user'::text),
		   ('threads'::text, 'quote'::text, 'doc_id'::text, 'text'::text),
		   ('threads'::text, 'prefix'::text, 'doc_id'::text, 'text'::text),
		   ('threads'::text, 'suffix'::text, 'doc_id'::text, 'text'::text),
		   ('threads'::text, 'created_by'::text, 'doc_id'::text, 'user'::text),
		   ('threads'::text, 'resolved_by'::text, 'doc_id'::text, 'user'::text),
		   ('comments'::text, 'body'::text, 'doc_id'::text, 'text'::text),
		   ('comments'::text, 'user_id'::text, 'doc_id'::text, 'user'::text),
		   ('suggestions'::text, 'op'::text, 'doc_id'::text, 'op'::text),
		   ('suggestions'::text, 'note'::text, 'doc_id'::text, 'text'::text),
		   ('suggestions'::text, 'user_id'::text, 'doc_id'::text, 'user'::text),
		   ('suggestions'::text, 'decided_by'::text, 'doc_id'::text, 'user'::text),
		   ('messages'::text, 'body'::text, 'doc_id'::text, 'text'::text),
		   ('messages'::text, 'user_id'::text, 'doc_id'::text, 'user'::text)
$$;
COMMENT ON FUNCTION converge.personal_columns() IS
	'the columns beside the log, members and accounts that hold text or ops which redact looks through (text, op), or ids of users which erase_user replaces (user)';

CREATE FUNCTION converge.renew_document(doc_id uuid) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	digits text := (SELECT replace(d.life::text, '-'::text, ''::text) FROM ONLY converge.documents d WHERE d.id = renew_document.doc_id);
	number bigint := ('x'::text || substr(digits, 17))::bit(64)::bigint;
	new_life uuid := (substr(digits, 1, 16) || lpad(to_hex(CASE number WHEN 9223372036854775807 THEN (-9223372036854775807)::bigint - 1 ELSE number + 1 END), 16, '0'::text))::uuid;
BEGIN
	UPDATE converge.documents d SET life = new_life WHERE d.id = renew_document.doc_id;
	UPDATE converge.heads h SET life = new_life WHERE h.doc_id = renew_document.doc_id;
END
$$;
COMMENT ON FUNCTION converge.renew_document(uuid) IS
	'give a document whose past was changed a later life, so that clients and caches begin anew; the first half of it, which identifies the document, stays';

CREATE FUNCTION converge.redact_log(doc_id uuid, content text, version bigint, from_pos bigint, to_pos bigint, replacement text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_redact_log' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.redact_log(uuid, text, bigint, bigint, bigint, text) IS
	'replace the characters of a text, or of a passage of a version, in all ops and snapshots of a document; returns how many';

CREATE FUNCTION converge.redact_op(op converge.op, content text, replacement text) RETURNS converge.op
	AS 'MODULE_PATHNAME', 'converge_redact_op' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.redact_op(converge.op, text, text) IS
	'the op with the characters of a text replaced, each by one, wherever it inserts that text';

CREATE FUNCTION converge.as_change(table_name text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN table_name = ANY (ARRAY['threads'::text, 'comments'::text, 'suggestions'::text, 'messages'::text])
		THEN ', changed = converge.next_change($1, 0, 0)'::text ELSE ''::text END
$$;
COMMENT ON FUNCTION converge.as_change(text) IS 'what an UPDATE of a table adds so that its rows are listed as changed: those of talk are numbered';

CREATE FUNCTION converge.redacted_pattern(content text, replacement text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT replace(replace(replace(replace(content, '\'::text, '\\'::text), '%'::text, '\%'::text), '_'::text, '\_'::text), replacement, '_'::text)
$$;
COMMENT ON FUNCTION converge.redacted_pattern(text, text) IS 'the texts, for LIKE, that a text with replaced characters may have been';

CREATE FUNCTION converge.redact_texts(doc_id uuid, content text, replacement text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	place record;
	mask text := repeat(replacement, char_length(content));
BEGIN
	DELETE FROM converge.labels l WHERE l.doc_id = redact_texts.doc_id AND strpos(l.label, content) > 0
		AND EXISTS (SELECT FROM converge.labels o WHERE o.doc_id = l.doc_id AND o.version = l.version AND o.label = replace(l.label, content, mask) AND o.label <> l.label);
	-- a quote and what stands around it are one text, cut in three, unless only the beginning is quoted
	UPDATE ONLY converge.threads t
		SET prefix = left(n.whole, char_length(t.prefix)), quote = substr(n.whole, char_length(t.prefix) + 1, char_length(t.quote)),
			suffix = CASE WHEN n.followed THEN right(n.whole, char_length(t.suffix)) ELSE t.suffix END,
			changed = converge.next_change(redact_texts.doc_id, 0, 0)
		FROM (SELECT o.id, o.followed, replace(o.whole, redact_texts.content, mask) AS whole
			  FROM (SELECT q.id, char_length(q.quote) = q.length AS followed,
						   q.prefix || q.quote || CASE WHEN char_length(q.quote) = q.length THEN q.suffix ELSE ''::text END AS whole
					FROM ONLY converge.threads q WHERE q.doc_id = redact_texts.doc_id) o
			  WHERE strpos(o.whole, redact_texts.content) > 0) n
		WHERE t.doc_id = redact_texts.doc_id AND t.id = n.id;
	FOR place IN SELECT * FROM converge.personal_columns() p WHERE p.content <> 'user'::text LOOP
		EXECUTE format(CASE place.content
						   WHEN 'op'::text THEN 'UPDATE ONLY converge.%1$I SET %2$I = converge.redact_op(%2$I, $2, $4)%4$s WHERE %3$I = $1 AND converge.redact_op(%2$I, $2, $4)::text <> %2$I::text'::text
						   ELSE 'UPDATE ONLY converge.%1$I SET %2$I = replace(%2$I, $2, $3)%4$s WHERE %3$I = $1 AND strpos(%2$I, $2) > 0'::text END,
					   place.table_name, place.column_name, place.doc_column, converge.as_change(place.table_name))
			USING doc_id, content, mask, replacement;
	END LOOP;
END
$$;
COMMENT ON FUNCTION converge.redact_texts(uuid, text, text) IS 'replace the characters of a text in the title, the labels and the talk of a document';

-- A quote that now differs from its passage by nothing but replaced characters is set to it: a
-- quote, or what stands around it, may have had a part of what was redacted.
CREATE FUNCTION converge.redact_quotes(doc_id uuid, replacement text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	at bigint;
	content text;
BEGIN
	FOR at IN SELECT DISTINCT t.version FROM converge.threads t JOIN converge.heads h ON h.doc_id = t.doc_id
			  WHERE t.doc_id = redact_quotes.doc_id AND t.version BETWEEN h.floor_version AND h.version LOOP
		content := converge.content_at(doc_id, at);
		UPDATE converge.threads t SET quote = n.quote, prefix = n.prefix, suffix = n.suffix, changed = converge.next_change(redact_quotes.doc_id, 0, 0)
			FROM (SELECT o.id, CASE WHEN o.quote LIKE converge.redacted_pattern(x.quote, replacement) THEN x.quote ELSE o.quote END AS quote,
						 CASE WHEN o.prefix LIKE converge.redacted_pattern(x.prefix, replacement) THEN x.prefix ELSE o.prefix END AS prefix,
						 CASE WHEN o.suffix LIKE converge.redacted_pattern(x.suffix, replacement) THEN x.suffix ELSE o.suffix END AS suffix
				  FROM converge.threads o CROSS JOIN LATERAL (
					  SELECT substr(content, o.from_pos::integer + 1, char_length(o.quote)) AS quote,
							 substr(content, (o.from_pos - char_length(o.prefix))::integer + 1, char_length(o.prefix)) AS prefix,
							 substr(content, o.to_pos::integer + 1, char_length(o.suffix)) AS suffix) x
				  WHERE o.doc_id = redact_quotes.doc_id AND o.version = at) n
			WHERE t.doc_id = redact_quotes.doc_id AND t.id = n.id AND (t.quote, t.prefix, t.suffix) IS DISTINCT FROM (n.quote, n.prefix, n.suffix);
	END LOOP;
END
$$;
COMMENT ON FUNCTION converge.redact_quotes(uuid, text) IS 'replace in the quotes of threads the characters that were replaced in their passages';

CREATE FUNCTION converge.redact(doc_id uuid, content text, replacement text DEFAULT '█') RETURNS bigint
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	replaced bigint;
BEGIN
	IF doc_id IS NULL OR content IS NULL OR replacement IS NULL THEN
		RAISE EXCEPTION 'document, text and replacement must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.begin_move(doc_id);
	IF content = ''::text THEN
		RAISE EXCEPTION 'the text to redact must not be empty' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF char_length(content) > 1000 THEN
		RAISE EXCEPTION 'text of % code points is too long to redact', char_length(content)
			USING ERRCODE = 'OT006', DETAIL = 'It must have at most 1000 code points.', HINT = 'Use redact_range for a longer passage.';
	END IF;
	replaced := converge.redact_log(doc_id, content, NULL::bigint, NULL::bigint, NULL::bigint, replacement);
	PERFORM converge.redact_quotes(doc_id, replacement);
	PERFORM converge.redact_texts(doc_id, content, replacement);
	PERFORM converge.renew_document(doc_id);
	RAISE NOTICE 'the replaced characters are still in dead rows, in the write-ahead log and in backups'
		USING HINT = 'Run VACUUM FULL converge.ops, converge.packs, converge.snapshots, converge.documents, converge.labels, converge.threads, converge.comments, converge.suggestions, converge.messages; see doc/privacy.md.';
	RETURN replaced;
END
$$;
COMMENT ON FUNCTION converge.redact(uuid, text, text) IS
	'replace each character of a text by another one wherever the text occurs in a document, its past, its title and its labels; versions and positions stay valid; owners only; returns the number of characters replaced';

CREATE FUNCTION converge.redact_range(doc_id uuid, version bigint, from_pos bigint, to_pos bigint, replacement text DEFAULT '█') RETURNS bigint
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	replaced bigint;
BEGIN
	IF doc_id IS NULL OR version IS NULL OR from_pos IS NULL OR to_pos IS NULL OR replacement IS NULL THEN
		RAISE EXCEPTION 'document, version, positions and replacement must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.begin_move(doc_id);
	replaced := converge.redact_log(doc_id, NULL::text, version, from_pos, to_pos, replacement);
	PERFORM converge.redact_quotes(doc_id, replacement);
	PERFORM converge.renew_document(doc_id);
	RAISE NOTICE 'the replaced characters are still in dead rows, in the write-ahead log and in backups'
		USING HINT = 'Run VACUUM FULL converge.ops, converge.packs, converge.snapshots, converge.threads; see doc/privacy.md.';
	RETURN replaced;
END
$$;
COMMENT ON FUNCTION converge.redact_range(uuid, bigint, bigint, bigint, text) IS
	'replace the characters that stand from from_pos to to_pos at a version, in every version that has them; owners only; returns their number';

CREATE FUNCTION converge.has_author(doc_id uuid, author text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'converge_has_author' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.has_author(uuid, text) IS 'return true if the log of a document has an op of a user''s';

CREATE FUNCTION converge.erase_author(doc_id uuid, author text, replacement text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'converge_erase_author' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.erase_author(uuid, text, text) IS 'give the ops of a user in a document another author; returns how many';

-- The membership of an erased user: it ends. A document that would be without an owner gets
-- the member who comes next as one, or keeps the replacement.
CREATE FUNCTION converge.erase_member(doc_id uuid, gone text, replacement text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	heir text;
BEGIN
	IF EXISTS (SELECT FROM converge.members m WHERE m.doc_id = erase_member.doc_id AND m.user_id = gone AND m.role = 'owner'::converge.role)
		AND NOT EXISTS (SELECT FROM converge.members m WHERE m.doc_id = erase_member.doc_id AND m.user_id <> gone AND m.role = 'owner'::converge.role) THEN
		heir := coalesce((SELECT m.user_id FROM converge.members m WHERE m.doc_id = erase_member.doc_id AND m.user_id NOT IN (gone, '*'::text)
						  ORDER BY m.role DESC, m.created_at, m.user_id LIMIT 1), replacement);
		INSERT INTO converge.members AS m (doc_id, user_id, role) VALUES (erase_member.doc_id, heir, 'owner'::converge.role)
			ON CONFLICT ON CONSTRAINT members_pkey DO UPDATE SET role = excluded.role;
	END IF;
	DELETE FROM converge.members m WHERE m.doc_id = erase_member.doc_id AND m.user_id = gone;
	PERFORM converge.keep_an_owner(doc_id);
END
$$;
COMMENT ON FUNCTION converge.erase_member(uuid, text, text) IS 'end the membership of a user who is erased; the document keeps an owner';

-- Documents in the order of their ids, as all do who lock several.
CREATE FUNCTION converge.erase_user(user_id text, replacement text DEFAULT 'erased') RETURNS bigint
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	gone text := user_id;
	doc uuid;
	place record;
	changed bigint;
	total bigint := 0;
	named uuid[] := '{}'::uuid[];
	ids uuid[];
	touched boolean;
BEGIN
	IF user_id IS NULL OR replacement IS NULL THEN
		RAISE EXCEPTION 'user and replacement must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF octet_length(replacement) NOT BETWEEN 1 AND 255 OR replacement IN ('*'::text, user_id) THEN
		RAISE EXCEPTION 'invalid replacement for a user id: "%"', replacement
			USING ERRCODE = 'invalid_parameter_value', DETAIL = 'It must have 1 to 255 bytes and be neither "*" nor the id itself.';
	END IF;
	IF EXISTS (SELECT FROM converge.users u WHERE u.id = replacement) OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname::text = replacement) THEN
		RAISE EXCEPTION 'the replacement "%" is the id of another user', replacement USING ERRCODE = 'invalid_parameter_value';
	END IF;
	DELETE FROM converge.last_read l WHERE l.user_id = gone;
	FOR place IN SELECT * FROM converge.personal_columns() p WHERE p.content = 'user'::text LOOP
		EXECUTE format('SELECT array_agg(DISTINCT t.%3$I) FROM ONLY converge.%1$I t WHERE t.%2$I = $1'::text, place.table_name, place.column_name, place.doc_column)
			INTO ids USING gone;
		named := named || ids;
	END LOOP;
	FOR doc IN SELECT d.id FROM converge.documents d
			WHERE d.id = ANY (named)
			   OR d.id IN (SELECT m.doc_id FROM converge.members m WHERE m.user_id = gone)
			   OR d.id IN (SELECT o.doc_id FROM converge.ops o WHERE o.user_id = gone)
			   OR EXISTS (SELECT FROM converge.packs k WHERE k.doc_id = d.id) AND converge.has_author(d.id, gone)
			ORDER BY d.id LOOP
		-- LOCK ORDER: the row in documents, then the head
		PERFORM FROM converge.documents d WHERE d.id = doc FOR UPDATE;
		PERFORM FROM converge.heads h WHERE h.doc_id = doc FOR NO KEY UPDATE;
		CONTINUE WHEN NOT FOUND;
		PERFORM converge.erase_member(doc, gone, replacement);
		touched := doc = ANY (named);
		FOR place IN SELECT * FROM converge.personal_columns() p WHERE touched AND p.content = 'user'::text LOOP
			EXECUTE format('UPDATE ONLY converge.%1$I SET %2$I = $3%4$s WHERE %3$I = $1 AND %2$I = $2'::text,
						   place.table_name, place.column_name, place.doc_column, converge.as_change(place.table_name))
				USING doc, gone, replacement;
		END LOOP;
		changed := converge.erase_author(doc, gone, replacement);
		total := total + changed;
		IF changed > 0 OR touched THEN
			PERFORM converge.renew_document(doc);
		END IF;
	END LOOP;
	DELETE FROM converge.presence p WHERE p.user_id = gone;
	DELETE FROM converge.attempts a WHERE a.user_id = gone;
	DELETE FROM converge.users u WHERE u.id = gone;
	RETURN total;
END
$$;
COMMENT ON FUNCTION converge.erase_user(text, text) IS
	'replace the id of a user in the history and labels of all documents, end their memberships, delete their account; returns the number of ops that were theirs; for those who run the database';

CREATE FUNCTION converge.erase_me() RETURNS bigint
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	gone text := converge.acting_user();
	doc uuid;
BEGIN
	FOR doc IN SELECT m.doc_id FROM converge.members m WHERE m.user_id = gone AND m.role = 'owner'::converge.role
			AND NOT EXISTS (SELECT FROM converge.members o WHERE o.doc_id = m.doc_id AND o.user_id <> gone) ORDER BY m.doc_id LOOP
		PERFORM converge.delete_document(doc);
	END LOOP;
	RETURN converge.erase_user(gone, 'erased'::text);
END
$$;
COMMENT ON FUNCTION converge.erase_me() IS
	'delete the documents that only the acting user is a member of, and erase the user from all others; see erase_user';

-- ---------------------------------------------------------------------------
-- Maintenance
-- ---------------------------------------------------------------------------

-- With its owner's rights, so that maintenance can be granted to a role that has no others:
-- maintain(), which commits and so has only its caller's, calls this and due_documents().
CREATE FUNCTION converge.maintain_document(doc_id uuid, OUT snapshot_taken boolean, OUT ops_packed bigint)
	LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'converge_maintain_document';
COMMENT ON FUNCTION converge.maintain_document(uuid) IS
	'take the snapshot and pack the ops that are due in one document; does nothing if another session is maintaining it';

-- ---------------------------------------------------------------------------
-- Hooks: functions of users' that a dump carries
-- ---------------------------------------------------------------------------

CREATE FUNCTION converge.stored_text(doc_id uuid, version bigint) RETURNS text
	AS 'MODULE_PATHNAME', 'converge_stored_text' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION converge.stored_text(uuid, bigint) IS 'the text of a document at a version, whoever asks: for hooks';

-- A function that runs with the rights of those who edit must belong to a role that could as
-- well create a trigger on converge's tables.
CREATE FUNCTION converge.hooks_of(event text) RETURNS SETOF text
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found record;
BEGIN
	FOR found IN SELECT h.hook, CASE WHEN p.oid IS NOT NULL THEN format('%I.%I'::text, n.nspname, p.proname) END AS called,
						r.rolsuper OR r.rolname = CURRENT_USER AS trusted
			FROM converge.user_hooks h LEFT JOIN pg_proc p ON p.oid = to_regprocedure(h.hook)
				 LEFT JOIN pg_namespace n ON n.oid = p.pronamespace LEFT JOIN pg_roles r ON r.oid = p.proowner
			WHERE h.event = hooks_of.event ORDER BY h.added_at, h.hook LOOP
		IF found.trusted IS NOT TRUE THEN
			RAISE EXCEPTION 'hook % does not exist, or belongs to a role without the right to add it', found.hook
				USING ERRCODE = 'object_not_in_prerequisite_state',
					  HINT = 'Create the function again, or delete its row in converge.user_hooks.';
		END IF;
		RETURN NEXT found.called;
	END LOOP;
END
$$;
COMMENT ON FUNCTION converge.hooks_of(text) IS 'the functions to call at an event, in the order in which they were added';

CREATE FUNCTION converge.run_hooks() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	hook pg_catalog.text;
	passes pg_catalog.bool;
BEGIN
	-- rows that a restore loads are not edits
	IF pg_catalog.current_query() OPERATOR(pg_catalog.~*) '^\s*(COPY|INSERT\s+INTO)\s+converge\.(ops|members)\M'::pg_catalog.text THEN
		RETURN COALESCE(new, old);
	END IF;
	FOR hook IN SELECT h FROM converge.hooks_of(TG_ARGV[0]) h LOOP
		IF TG_ARGV[0] OPERATOR(pg_catalog.=) 'member_change'::pg_catalog.text THEN
			EXECUTE pg_catalog.format('SELECT %s($1, $2, $3)'::pg_catalog.text, hook)
				USING COALESCE(new.doc_id, old.doc_id), COALESCE(new.user_id, old.user_id), new.role;
			CONTINUE;
		END IF;
		IF TG_ARGV[0] OPERATOR(pg_catalog.=) 'after_op'::pg_catalog.text THEN
			EXECUTE pg_catalog.format('SELECT %s($1)'::pg_catalog.text, hook) USING new;
			CONTINUE;
		END IF;
		EXECUTE pg_catalog.format('SELECT %s($1)'::pg_catalog.text, hook) INTO passes USING new;
		IF NOT passes THEN
			RAISE EXCEPTION 'hook % refused the operation', hook USING ERRCODE = 'OT008';
		END IF;
	END LOOP;
	RETURN COALESCE(new, old);
END
$$;
COMMENT ON FUNCTION converge.run_hooks() IS 'trigger: call the hooks of an event';

CREATE FUNCTION converge.arm_hooks() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	place record;
	is_wanted boolean;
	is_there boolean;
BEGIN
	FOR place IN SELECT * FROM (VALUES ('before_op'::text, 'ops'::text, 'BEFORE INSERT'::text), ('after_op'::text, 'ops'::text, 'AFTER INSERT'::text),
			('member_change'::text, 'members'::text, 'AFTER INSERT OR UPDATE OR DELETE'::text)) AS v (event, table_name, moment) LOOP
		is_wanted := EXISTS (SELECT FROM converge.user_hooks h WHERE h.event = place.event);
		is_there := EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = format('converge.%I'::text, place.table_name)::regclass AND t.tgname = ('hooks_'::text || place.event)::name);
		IF is_wanted AND NOT is_there THEN
			EXECUTE format('CREATE TRIGGER %I %s ON converge.%I FOR EACH ROW EXECUTE FUNCTION converge.run_hooks(%L)'::text,
						   'hooks_'::text || place.event, place.moment, place.table_name, place.event);
		ELSIF is_there AND NOT is_wanted THEN
			EXECUTE format('DROP TRIGGER %I ON converge.%I'::text, 'hooks_'::text || place.event, place.table_name);
		END IF;
	END LOOP;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION converge.arm_hooks() IS 'trigger: create the triggers that the hooks need, and drop those that none needs, also when a dump is restored';
CREATE TRIGGER arm AFTER INSERT OR DELETE ON converge.user_hooks
	FOR EACH STATEMENT EXECUTE FUNCTION converge.arm_hooks();

CREATE FUNCTION converge.add_hook(event text, hook regprocedure) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wanted text;
	found record;
BEGIN
	IF event IS NULL OR hook IS NULL THEN
		RAISE EXCEPTION 'event and function must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	wanted := CASE event WHEN 'before_op'::text THEN 'converge.ops'::text WHEN 'after_op'::text THEN 'converge.ops'::text
		WHEN 'after_pause'::text THEN 'uuid, bigint, text'::text WHEN 'member_change'::text THEN 'uuid, text, converge.role'::text END;
	IF wanted IS NULL THEN
		RAISE EXCEPTION 'unknown event: "%"', event
			USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Events are before_op, after_op, after_pause and member_change.';
	END IF;
	SELECT format('%I.%I(%s)'::text, n.nspname, p.proname, oidvectortypes(p.proargtypes)) AS name, oidvectortypes(p.proargtypes) AS arguments,
		   p.prorettype = 'boolean'::regtype AS decides, p.prokind, r.rolsuper OR r.rolname = CURRENT_USER AS trusted
		INTO found
		FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner WHERE p.oid = hook;
	IF found.arguments IS DISTINCT FROM wanted OR found.prokind <> 'f'::"char" OR event = 'before_op'::text AND NOT found.decides THEN
		RAISE EXCEPTION 'function % is no hook of %', hook, event
			USING ERRCODE = 'invalid_parameter_value',
				  DETAIL = format('It must take (%s)%s.'::text, wanted, CASE event WHEN 'before_op'::text THEN ' and return boolean'::text ELSE ''::text END);
	END IF;
	IF NOT found.trusted THEN
		RAISE EXCEPTION 'function % does not belong to a superuser', hook
			USING ERRCODE = 'insufficient_privilege', DETAIL = 'It will run with the rights of all users who edit.';
	END IF;
	INSERT INTO converge.user_hooks (event, hook) VALUES (add_hook.event, found.name) ON CONFLICT ON CONSTRAINT user_hooks_pkey DO NOTHING;
END
$$;
COMMENT ON FUNCTION converge.add_hook(text, regprocedure) IS
	'call a function at an event: before_op (it may return false to refuse the op), after_op, after_pause, member_change; for those who run the database';

CREATE FUNCTION converge.drop_hook(event text, hook regprocedure) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF event IS NULL OR hook IS NULL THEN
		RAISE EXCEPTION 'event and function must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	DELETE FROM converge.user_hooks h WHERE h.event = drop_hook.event AND to_regprocedure(h.hook) = drop_hook.hook;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'function % is no hook of %', hook, event USING ERRCODE = 'no_data_found';
	END IF;
END
$$;
COMMENT ON FUNCTION converge.drop_hook(text, regprocedure) IS 'call a function at an event no longer';

-- A hook that fails is not called again for the same version: it must not keep the others from
-- their documents.
CREATE FUNCTION converge.run_pause_hooks(pause interval DEFAULT '5 seconds', max_documents integer DEFAULT 1000) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	doc record;
	hook text;
	called bigint := 0;
BEGIN
	IF NOT EXISTS (SELECT FROM converge.user_hooks h WHERE h.event = 'after_pause'::text) THEN
		RETURN 0;
	END IF;
	FOR doc IN SELECT h.doc_id, h.version FROM converge.heads h LEFT JOIN converge.pauses p ON p.doc_id = h.doc_id
			WHERE (p.version IS NULL OR p.version < h.version) AND h.updated_at <= clock_timestamp() - pause
			ORDER BY h.updated_at LIMIT max_documents LOOP
		INSERT INTO converge.pauses AS p (doc_id, version) VALUES (doc.doc_id, doc.version)
			ON CONFLICT ON CONSTRAINT pauses_pkey DO UPDATE SET version = excluded.version WHERE p.version < excluded.version;
		CONTINUE WHEN NOT FOUND;
		called := called + 1;
		FOR hook IN SELECT h FROM converge.hooks_of('after_pause'::text) h LOOP
			BEGIN
				EXECUTE format('SELECT %s($1, $2, $3)'::text, hook) USING doc.doc_id, doc.version, converge.stored_text(doc.doc_id, doc.version);
			EXCEPTION WHEN OTHERS THEN
				RAISE WARNING 'hook % failed for document %: %', hook, doc.doc_id, SQLERRM USING ERRCODE = SQLSTATE;
			END;
		END LOOP;
	END LOOP;
	RETURN called;
END
$$;
COMMENT ON FUNCTION converge.run_pause_hooks(interval, integer) IS
	'call the hooks of after_pause for documents that were edited since, and not within the pause; maintenance does; returns for how many';

CREATE FUNCTION converge.due_documents() RETURNS SETOF uuid
	AS 'MODULE_PATHNAME', 'converge_due_documents' LANGUAGE C STABLE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION converge.due_documents() IS 'the documents whose snapshot or packing is due';

CREATE PROCEDURE converge.maintain() LANGUAGE plpgsql AS $$
DECLARE
	due uuid;
	due_now uuid[] := ARRAY(SELECT d FROM converge.due_documents() AS d);
BEGIN
	COMMIT;
	FOREACH due IN ARRAY due_now LOOP
		PERFORM converge.maintain_document(due);
		COMMIT;
	END LOOP;
	-- a role that maintains may not be the one that runs users' code
	IF pg_catalog.has_function_privilege('converge.run_pause_hooks(interval, integer)'::pg_catalog.text, 'EXECUTE'::pg_catalog.text) THEN
		PERFORM converge.run_pause_hooks(interval '5 seconds', 1000);
		COMMIT;
	END IF;
END
$$;
COMMENT ON PROCEDURE converge.maintain() IS
	'take due snapshots and pack due ops of all documents, one transaction for each; the maintenance worker does the same if it is loaded';

CREATE VIEW converge.storage WITH (security_invoker = true) AS
	SELECT d.id AS doc_id, d.title, h.version, h.length,
		   h.version OPERATOR(pg_catalog.-) h.packed_version AS hot_ops,
		   h.packed_version OPERATOR(pg_catalog.-) h.floor_version AS packed_ops,
		   COALESCE(p.packs, 0) AS packs, COALESCE(p.bytes, 0) AS pack_bytes,
		   COALESCE(s.snapshots, 0) AS snapshots, COALESCE(s.bytes, 0) AS snapshot_bytes,
		   h.version OPERATOR(pg_catalog.-) h.snapshot_version AS snapshot_lag,
		   h.log_bytes, h.floor_version, h.updated_at
	FROM converge.documents d
		 JOIN converge.heads h ON h.doc_id OPERATOR(pg_catalog.=) d.id
		 LEFT JOIN (SELECT k.doc_id, pg_catalog.count(*) AS packs,
						   pg_catalog.sum(pg_catalog.pg_column_size(k.data))::bigint AS bytes
					FROM converge.packs k GROUP BY k.doc_id) p ON p.doc_id OPERATOR(pg_catalog.=) d.id
		 LEFT JOIN (SELECT k.doc_id, pg_catalog.count(*) AS snapshots,
						   pg_catalog.sum(pg_catalog.pg_column_size(k.content))::bigint AS bytes
					FROM converge.snapshots k GROUP BY k.doc_id) s ON s.doc_id OPERATOR(pg_catalog.=) d.id;
COMMENT ON VIEW converge.storage IS
	'for operators, one row for each document: ops not packed yet, packs and snapshots with their bytes, and how far maintenance is behind';

CREATE FUNCTION converge.largest_documents(max_rows integer DEFAULT 100, OUT doc_id uuid, OUT title text, OUT version bigint, OUT length bigint,
		OUT bytes bigint, OUT pack_bytes bigint, OUT snapshot_bytes bigint, OUT log_bytes bigint, OUT hot_ops bigint, OUT snapshot_lag bigint,
		OUT updated_at timestamptz)
	RETURNS SETOF record
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $$
	SELECT s.doc_id, s.title, s.version, s.length, s.pack_bytes + s.snapshot_bytes + s.log_bytes,
		   s.pack_bytes, s.snapshot_bytes, s.log_bytes, s.hot_ops, s.snapshot_lag, s.updated_at
		FROM converge.storage s
		ORDER BY s.pack_bytes + s.snapshot_bytes + s.log_bytes DESC, s.doc_id
		LIMIT least(greatest(max_rows, 0), 1000)
$$;
COMMENT ON FUNCTION converge.largest_documents(integer) IS
	'for operators, the documents that take most room, of all there are, whoever may read them; at most 1000';

CREATE VIEW converge.storage_totals AS
	SELECT c.relname::text AS name,
		   pg_catalog.pg_table_size(c.oid) AS table_bytes,
		   pg_catalog.pg_indexes_size(c.oid) AS index_bytes,
		   s.n_live_tup AS live_rows, s.n_dead_tup AS dead_rows,
		   s.last_autovacuum, s.last_vacuum
	FROM pg_catalog.pg_class c
		 JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
		 LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid OPERATOR(pg_catalog.=) c.oid
	WHERE n.nspname OPERATOR(pg_catalog.=) 'converge' AND c.relkind OPERATOR(pg_catalog.=) 'r';
COMMENT ON VIEW converge.storage_totals IS 'for operators, one row for each table: its size with indexes, its live and dead rows';

CREATE VIEW converge.maintenance AS
	SELECT a.pid, a.datname::text AS database, a.application_name, a.backend_start, a.xact_start, a.state, a.query
	FROM pg_catalog.pg_stat_activity a
	WHERE a.application_name OPERATOR(pg_catalog.~~) 'converge maintenance%';
COMMENT ON VIEW converge.maintenance IS 'the maintenance workers that are running, and the document that each works on';

-- ---------------------------------------------------------------------------
-- Accounts: for those who want them here.  Nothing else asks for this table, nor
-- for pgcrypto.
-- ---------------------------------------------------------------------------

CREATE FUNCTION converge.bcrypt(password text, hash text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'converge_bcrypt' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.bcrypt(text, text) IS
	'hash a password by pgcrypto, whatever its schema, with the salt of a given hash or a new one';

-- An unknown user costs what a known one does: a hash is made all the same.
CREATE FUNCTION converge.is_password(password text, hash text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	nobodys CONSTANT text := '$2a$10$abcdefghijklmnopqrstuu5Lo0g67CiD3M4RpN1BmBb4Crp5w7dbK'::text;
	hashed text := converge.bcrypt(password, coalesce(hash, nobodys));
BEGIN
	-- bcrypt looks at no more than 72 bytes
	RETURN coalesce(hashed = hash AND octet_length(password) <= 72, false);
END
$$;
COMMENT ON FUNCTION converge.is_password(text, text) IS 'return true if a password matches a hash; a null hash returns false after the same time';

CREATE FUNCTION converge.check_password(password text) RETURNS void
	LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF octet_length(password) > 72 THEN
		RAISE EXCEPTION 'password is too long' USING ERRCODE = 'OT006', DETAIL = 'A password must have at most 72 bytes.';
	END IF;
	IF char_length(password) < 8 THEN
		RAISE EXCEPTION 'password is too short'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = 'A password must have at least 8 characters.';
	END IF;
END
$$;
COMMENT ON FUNCTION converge.check_password(text) IS 'fail if a new password is too short or too long';

CREATE FUNCTION converge.check_name(name text) RETURNS void
	LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF char_length(name) > 100 THEN
		RAISE EXCEPTION 'name of % characters is too long', char_length(name)
			USING ERRCODE = 'OT006', DETAIL = 'A name must have at most 100 characters.';
	END IF;
	IF btrim(name) = ''::text THEN
		RAISE EXCEPTION 'name must not be empty' USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;
COMMENT ON FUNCTION converge.check_name(text) IS 'fail if a user''s name is empty or too long';

CREATE FUNCTION converge.attempt_bucket(address text) RETURNS integer
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	secret text := (SELECT k.key FROM converge.attempt_keys k);
	hash bytea;
BEGIN
	IF secret IS NULL THEN
		INSERT INTO converge.attempt_keys (key)
			VALUES (concat(gen_random_uuid(), gen_random_uuid(), gen_random_uuid())) ON CONFLICT DO NOTHING;
		secret := (SELECT k.key FROM converge.attempt_keys k);
	END IF;
	hash := sha256(convert_to(concat(secret, lower(address COLLATE "C")), 'UTF8'::name));
	RETURN get_byte(hash, 0) * 256 + get_byte(hash, 1);
END
$$;
COMMENT ON FUNCTION converge.attempt_bucket(text) IS
	'the number, of 65,536, of the row that counts attempts for an address without an account';

-- The row stays locked to the end of the transaction, so that attempts for one account
-- come one after the other, and each of them is counted before its password is looked at.
-- With an account or without, the same is done, so that it takes the same time.
CREATE FUNCTION converge.count_attempt(user_id text, address text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	at timestamptz := clock_timestamp();
	shared integer := converge.attempt_bucket(address);
	mine converge.attempts;
BEGIN
	INSERT INTO converge.attempts AS a (user_id, bucket, count, since)
		VALUES (coalesce(count_attempt.user_id, ''::text), CASE WHEN count_attempt.user_id IS NULL THEN shared ELSE 0 END, 1, at)
		ON CONFLICT ON CONSTRAINT attempts_pkey DO UPDATE
			SET count = CASE WHEN a.since < at - interval '15 minutes' THEN 1 ELSE a.count + 1 END,
				since = CASE WHEN a.since < at - interval '15 minutes' THEN at ELSE a.since END
		RETURNING * INTO mine;
	IF mine.count > 10 THEN
		RAISE EXCEPTION 'too many wrong passwords'
			USING ERRCODE = 'OT009'::text,
				  DETAIL = format('Seconds to wait: %s.'::text, ceil(extract(epoch FROM mine.since + interval '15 minutes' - at)));
	END IF;
END
$$;
COMMENT ON FUNCTION converge.count_attempt(text, text) IS
	'count an attempt to log in to an account, or to an address without one (user_id null); fail after ten wrong passwords in 15 minutes; a right password resets the count';

CREATE FUNCTION converge.sign_up_is_open() RETURNS boolean
	AS 'MODULE_PATHNAME', 'converge_sign_up_is_open' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION converge.sign_up_is_open() IS 'return true if sign_up may create accounts: the setting converge.sign_up';

CREATE FUNCTION converge.sign_up(name text, address text, password text) RETURNS text
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	user_id text;
BEGIN
	-- first, so that a closed one says nothing about addresses
	IF NOT converge.sign_up_is_open() THEN
		RAISE EXCEPTION 'sign-up is closed'
			USING ERRCODE = 'OT002'::text, DETAIL = 'The setting converge.sign_up is off.'::text,
				  HINT = 'A superuser can create accounts in a session that sets converge.sign_up to on.'::text;
	END IF;
	IF name IS NULL OR address IS NULL OR password IS NULL THEN
		RAISE EXCEPTION 'name, address and password must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.check_name(name);
	PERFORM converge.check_password(password);
	IF octet_length(address) > 254 THEN
		RAISE EXCEPTION 'address is too long' USING ERRCODE = 'OT006', DETAIL = 'An address must have at most 254 bytes.';
	END IF;
	IF address !~ '^[^[:space:][:cntrl:]@]+@[^[:space:][:cntrl:]@]+$'::text THEN
		RAISE EXCEPTION 'address is not valid'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = 'An address must have the form of an email address.';
	END IF;
	INSERT INTO converge.users (name, address, password_hash)
		VALUES (btrim(name), address, converge.bcrypt(password, NULL::text))
		ON CONFLICT (lower(users.address)) DO NOTHING RETURNING id INTO user_id;
	IF user_id IS NULL THEN
		RAISE EXCEPTION 'address is already taken' USING ERRCODE = 'unique_violation';
	END IF;
	RETURN user_id;
END
$$;
COMMENT ON FUNCTION converge.sign_up(text, text, text) IS 'create an account; returns its user id';

CREATE FUNCTION converge.log_in(address text, password text) RETURNS text
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	account_id text;
BEGIN
	IF address IS NULL OR password IS NULL THEN
		RAISE EXCEPTION 'address and password must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	account_id := (SELECT u.id FROM converge.users u WHERE lower(u.address) = lower(log_in.address COLLATE "C"));
	PERFORM converge.count_attempt(account_id, address);
	-- read after the wait for others' attempts
	IF NOT converge.is_password(password, (SELECT u.password_hash FROM converge.users u WHERE u.id = account_id)) THEN
		-- no error: that would undo the count
		RETURN NULL;
	END IF;
	DELETE FROM converge.attempts a WHERE a.user_id = account_id;
	RETURN account_id;
END
$$;
COMMENT ON FUNCTION converge.log_in(text, text) IS
	'return the user id for an address and its password; null for a wrong password or an unknown address';

CREATE FUNCTION converge.change_password(old_password text, new_password text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	account converge.users;
BEGIN
	IF old_password IS NULL OR new_password IS NULL THEN
		RAISE EXCEPTION 'passwords must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.check_password(new_password);
	SELECT * INTO account FROM converge.users u WHERE u.id = converge.acting_user();
	IF account.id IS NULL THEN
		RAISE EXCEPTION 'user "%" has no account', converge.acting_user() USING ERRCODE = 'undefined_object';
	END IF;
	PERFORM converge.count_attempt(account.id, account.address);
	-- read after the wait for others' attempts
	IF NOT converge.is_password(old_password, (SELECT u.password_hash FROM converge.users u WHERE u.id = account.id)) THEN
		RETURN false;
	END IF;
	DELETE FROM converge.attempts a WHERE a.user_id = account.id;
	UPDATE converge.users u SET password_hash = converge.bcrypt(new_password, NULL::text) WHERE u.id = account.id;
	RETURN true;
END
$$;
COMMENT ON FUNCTION converge.change_password(text, text) IS
	'change the acting user''s password; returns false if the old one is wrong';

CREATE FUNCTION converge.rename_user(name text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF name IS NULL THEN
		RAISE EXCEPTION 'name must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM converge.check_name(name);
	UPDATE converge.users u SET name = btrim(rename_user.name) WHERE u.id = converge.acting_user();
	IF NOT FOUND THEN
		RAISE EXCEPTION 'user "%" has no account', converge.acting_user() USING ERRCODE = 'undefined_object';
	END IF;
END
$$;
COMMENT ON FUNCTION converge.rename_user(text) IS 'change the acting user''s name';

-- Addresses are found, but not shown: who knows one may look whose it is.
CREATE FUNCTION converge.search_users(term text, max_rows integer DEFAULT 20, OUT user_id text, OUT name text)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 20 AS $$
BEGIN
	IF char_length(term) BETWEEN 2 AND 254 THEN
		RETURN QUERY SELECT u.id, u.name FROM converge.users u
			WHERE lower(u.name) ^@ lower(term COLLATE "C") OR lower(u.address) = lower(term COLLATE "C")
			   -- what the index knows of are A to Z; of other letters, the usual ways to write a name
			   OR lower(u.name) ^@ lower(lower(term) COLLATE "C") OR lower(u.name) ^@ lower(upper(term) COLLATE "C")
			   OR lower(u.name) ^@ lower(initcap(term) COLLATE "C")
			ORDER BY lower(u.name), u.id
			LIMIT least(greatest(max_rows, 0), 100);
	END IF;
END
$$;
COMMENT ON FUNCTION converge.search_users(text, integer) IS
	'the users whose name begins with a term of two characters or more, or whose address equals it; at most 100';

CREATE FUNCTION converge.account_name(user_id text) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT u.name FROM converge.users u WHERE u.id = account_name.user_id
$$;
COMMENT ON FUNCTION converge.account_name(text) IS 'the name of a user with an account; null if there is none';

-- ---------------------------------------------------------------------------
-- Gateway: the user is an argument, so these are for the relay's role alone
-- ---------------------------------------------------------------------------

CREATE FUNCTION converge.submit(doc_ids uuid[], user_ids text[], op_ids uuid[], base_versions bigint[], ops text[],
								wait boolean DEFAULT false, lives uuid[] DEFAULT NULL,
								OUT ord integer, OUT code text, OUT version bigint, OUT event text, OUT message text,
								OUT member_changes bigint, OUT seq bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'converge_submit' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100;
COMMENT ON FUNCTION converge.submit(uuid[], text[], uuid[], bigint[], text[], boolean, uuid[]) IS
	'apply a batch of ops of many users on many documents, with a result for each op; waits for a document''s lock only if wait is true; lives: of the documents that the ops were made on; a document with the same id but another life rejects them';

CREATE FUNCTION converge.join_document(user_id text, doc_id uuid, known_version bigint DEFAULT NULL, known_op_id uuid DEFAULT NULL,
									   known_life uuid DEFAULT NULL, pending uuid DEFAULT NULL, most bigint DEFAULT NULL, OUT role text, OUT title text, OUT version bigint, OUT seq bigint,
									   OUT operation_id uuid, OUT resumed boolean, OUT snapshot text,
									   OUT life uuid, OUT pending_known boolean, OUT pending_version bigint, OUT bytes bigint)
	AS 'MODULE_PATHNAME', 'converge_join_document' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION converge.join_document(text, uuid, bigint, uuid, uuid, uuid, bigint) IS
	'open_document on behalf of a user, with the whole text as a ready snapshot message; pending_version: the version, up to version, that the op pending made, or null; pending_known: true if that could be determined; bytes: how many the message has, which is null if they are more than most: if the message was not made, at least so many';

CREATE FUNCTION converge.catch_up(doc_id uuid, since bigint, pending uuid DEFAULT NULL, most bigint DEFAULT NULL,
								  OUT from_version bigint, OUT version bigint, OUT seq bigint, OUT operation_id uuid, OUT frame text,
								  OUT composed boolean, OUT bytes bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'converge_catch_up' LANGUAGE C STABLE PARALLEL SAFE ROWS 3;
COMMENT ON FUNCTION converge.catch_up(uuid, bigint, uuid, bigint) IS
	'all ops after a version as ready messages in order, composed if they are large; the op pending is always sent uncomposed; error OT001 if the text is smaller; bytes: how many a message has, which is null if they are more than most: if it was not made, about so many';

CREATE FUNCTION converge.checksum(doc_id uuid, version bigint, life uuid DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'converge_checksum' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION converge.checksum(uuid, bigint, uuid) IS
	'SHA-256 of a document''s text at a version, in hex; null if the document has another life';

CREATE FUNCTION converge.has_version(doc_id uuid, version bigint, op_id uuid, seq bigint, life uuid DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'converge_has_version' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION converge.has_version(uuid, bigint, uuid, bigint, uuid) IS
	'return true if a version of a document was made by this op with this seq; null if the version does not exist; false also if the document has another life';

CREATE FUNCTION converge.role_in(user_id text, doc_id uuid) RETURNS converge.role
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT max(m.role) FROM converge.members m
		WHERE m.doc_id = role_in.doc_id AND m.user_id IN (role_in.user_id, '*'::text) AND role_in.user_id <> '*'::text
$$;
COMMENT ON FUNCTION converge.role_in(text, uuid) IS
	'the role of a user as the calling statement sees it; null: none';

-- A commit may reach readers of the stream before it is seen in SQL; whoever changes
-- membership keeps the head row's lock until it is.
CREATE FUNCTION converge.settled_roles(doc_id uuid, user_ids text[], OUT ord integer, OUT role text) RETURNS SETOF record
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF doc_id IS NULL OR user_ids IS NULL THEN
		RAISE EXCEPTION 'document and users must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM FROM converge.heads h WHERE h.doc_id = settled_roles.doc_id FOR SHARE SKIP LOCKED;
	IF FOUND THEN
		RETURN QUERY SELECT u.ord::integer, converge.role_in(u.id, settled_roles.doc_id)::text
			FROM unnest(user_ids) WITH ORDINALITY AS u (id, ord);
	ELSIF NOT EXISTS (SELECT FROM converge.heads h WHERE h.doc_id = settled_roles.doc_id) THEN
		RAISE EXCEPTION 'document % does not exist', settled_roles.doc_id USING ERRCODE = 'OT003';
	END IF;
END
$$;
COMMENT ON FUNCTION converge.settled_roles(uuid, text[]) IS
	'the roles of users in a document after all changes in progress; no rows while another transaction has it locked';

CREATE FUNCTION converge.talk_numbers(doc_ids uuid[], OUT doc_id uuid, OUT changed bigint) RETURNS SETOF record
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $$
BEGIN
	IF doc_ids IS NULL THEN
		RAISE EXCEPTION 'documents must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	RETURN QUERY SELECT t.doc_id, t.changed FROM converge.talks t WHERE t.doc_id = ANY (doc_ids);
END
$$;
COMMENT ON FUNCTION converge.talk_numbers(uuid[]) IS
	'the number of the last change of the threads, comments, suggestions and messages of documents that have some';

CREATE FUNCTION converge.become(user_id text) RETURNS void
	AS 'MODULE_PATHNAME', 'converge_become' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION converge.become(text) IS
	'act on behalf of a user until the end of the transaction';

-- Presence.  A relay begins, writes who comes, moves and goes, shows that it lives, and
-- ends.  What it tells the others is sealed; announce() only passes it on.
CREATE FUNCTION converge.begin_presence(relay_id uuid, timeout_s integer) RETURNS text
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM converge.show_life(relay_id, timeout_s);
	DELETE FROM converge.presence p WHERE p.relay_id = begin_presence.relay_id;
	INSERT INTO converge.relay_keys (key)
		VALUES (encode(sha256(convert_to(concat(gen_random_uuid(), gen_random_uuid(), gen_random_uuid()), 'UTF8'::name)), 'hex'::text))
		ON CONFLICT DO NOTHING;
	RETURN (SELECT k.key FROM converge.relay_keys k);
END
$$;
COMMENT ON FUNCTION converge.begin_presence(uuid, integer) IS
	'register a relay that starts, without clients; returns the key for messages between relays';

CREATE FUNCTION converge.show_life(relay_id uuid, timeout_s integer) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	at timestamptz := clock_timestamp();
	known boolean := EXISTS (SELECT FROM converge.relays r WHERE r.id = relay_id);
BEGIN
	IF relay_id IS NULL OR timeout_s IS NULL THEN
		RAISE EXCEPTION 'relay and timeout must not be null' USING ERRCODE = 'null_value_not_allowed'::text;
	END IF;
	INSERT INTO converge.relays AS r (id, since, alive_until)
		VALUES (relay_id, at, at + make_interval(secs => least(greatest(timeout_s, 1), 3600)))
		ON CONFLICT ON CONSTRAINT relays_pkey DO UPDATE SET alive_until = excluded.alive_until;
	DELETE FROM converge.relays r WHERE r.alive_until < at AND r.id <> relay_id;
	DELETE FROM converge.presence p WHERE NOT EXISTS (SELECT FROM converge.relays r WHERE r.id = p.relay_id);
	RETURN known;
END
$$;
COMMENT ON FUNCTION converge.show_life(uuid, integer) IS
	'record that a relay is alive, and remove dead ones; returns false if the relay was not known, so that its rows are gone';

CREATE FUNCTION converge.announce(messages text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	message text;
BEGIN
	IF messages IS NULL OR array_position(messages, NULL::text) IS NOT NULL THEN
		RAISE EXCEPTION 'messages must not be null' USING ERRCODE = 'null_value_not_allowed'::text;
	END IF;
	FOREACH message IN ARRAY messages LOOP
		PERFORM pg_notify('converge_presence'::text, message);
	END LOOP;
END
$$;
COMMENT ON FUNCTION converge.announce(text[]) IS 'send messages, already encrypted, to the other relays';

CREATE FUNCTION converge.keep_presence(relay_id uuid, timeout_s integer, message text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF relay_id IS NULL OR timeout_s IS NULL OR message IS NULL THEN
		RAISE EXCEPTION 'relay, timeout and message must not be null' USING ERRCODE = 'null_value_not_allowed'::text;
	END IF;
	PERFORM pg_notify('converge_presence'::text, message);
	RETURN converge.show_life(relay_id, timeout_s);
END
$$;
COMMENT ON FUNCTION converge.keep_presence(uuid, integer, text) IS
	'record that a relay is alive and announce it; returns false if it was considered dead, so that its rows are gone';

CREATE FUNCTION converge.write_presence(relay_id uuid, here jsonb, gone jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF relay_id IS NULL OR here IS NULL OR gone IS NULL THEN
		RAISE EXCEPTION 'relay and both lists must not be null' USING ERRCODE = 'null_value_not_allowed'::text;
	END IF;
	DELETE FROM converge.presence p USING jsonb_to_recordset(gone) AS g (doc_id uuid, client_id uuid)
		WHERE p.doc_id = g.doc_id AND p.client_id = g.client_id AND p.relay_id = write_presence.relay_id;
	INSERT INTO converge.presence AS p
			(doc_id, client_id, relay_id, user_id, name, color, version, anchor, head, since, updated_at)
		SELECT h.doc_id, h.client_id, write_presence.relay_id, h.user_id, h.name, h.color, h.version, h.anchor, h.head,
			   to_timestamp(h.since), clock_timestamp()
		FROM jsonb_to_recordset(here) AS h (doc_id uuid, client_id uuid, user_id text, name text, color text,
											version bigint, anchor bigint, head bigint, since bigint)
		ON CONFLICT ON CONSTRAINT presence_pkey DO UPDATE
			SET name = excluded.name, color = excluded.color, version = excluded.version, anchor = excluded.anchor,
				head = excluded.head, updated_at = excluded.updated_at
			WHERE p.relay_id = excluded.relay_id;
END
$$;
COMMENT ON FUNCTION converge.write_presence(uuid, jsonb, jsonb) IS
	'write the clients connected to a relay, each with all columns, and delete those that left';

CREATE FUNCTION converge.end_presence(relay_id uuid, message text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF relay_id IS NULL OR message IS NULL THEN
		RAISE EXCEPTION 'relay and message must not be null' USING ERRCODE = 'null_value_not_allowed'::text;
	END IF;
	PERFORM pg_notify('converge_presence'::text, message);
	DELETE FROM converge.presence p WHERE p.relay_id = end_presence.relay_id;
	DELETE FROM converge.relays r WHERE r.id = end_presence.relay_id;
END
$$;
COMMENT ON FUNCTION converge.end_presence(uuid, text) IS 'remove a relay that stops, and announce it';

CREATE FUNCTION converge.allow_relay(relay regrole) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	-- null where the server does not know the setting, which newer minor releases have
	plugins text := current_setting('output_plugin_libraries'::text, true);
	of_role text := (SELECT split_part(c, '='::text, 2) FROM pg_db_role_setting s, unnest(s.setconfig) AS c
					 WHERE s.setrole = relay AND s.setdatabase = 0 AND c LIKE 'output\_plugin\_libraries=%'::text);
BEGIN
	IF relay IS NULL THEN
		RAISE EXCEPTION 'role must not be null' USING ERRCODE = 'null_value_not_allowed'::text;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = relay) THEN
		RAISE EXCEPTION 'role % does not exist', relay USING ERRCODE = 'undefined_object'::text;
	END IF;
	-- the relay's own setting counts, not that of the calling role
	IF plugins IS NOT NULL AND NOT 'converge'::text = ANY (string_to_array(replace(coalesce(of_role, ''::text), ' '::text, ''::text), ','::text)) THEN
		EXECUTE format('ALTER ROLE %s SET output_plugin_libraries = %s'::text, relay,
					   concat_ws(', '::text, nullif(coalesce(of_role, array_to_string(
						   array_remove(string_to_array(replace(plugins, ' '::text, ''::text), ','::text), 'converge'::text), ', '::text)), ''::text), 'converge'::text));
	END IF;
	EXECUTE format('GRANT EXECUTE ON FUNCTION '
				   'converge.submit(uuid[], text[], uuid[], bigint[], text[], boolean, uuid[]), '
				   'converge.join_document(text, uuid, bigint, uuid, uuid, uuid, bigint), '
				   'converge.catch_up(uuid, bigint, uuid, bigint), '
				   'converge.checksum(uuid, bigint, uuid), '
				   'converge.has_version(uuid, bigint, uuid, bigint, uuid), '
				   'converge.role_in(text, uuid), '
				   'converge.settled_roles(uuid, text[]), '
				   'converge.talk_numbers(uuid[]), '
				   'converge.become(text), '
				   'converge.begin_presence(uuid, integer), '
				   'converge.announce(text[]), '
				   'converge.keep_presence(uuid, integer, text), '
				   'converge.write_presence(uuid, jsonb, jsonb), '
				   'converge.end_presence(uuid, text), '
				   'converge.sign_up(text, text, text), '
				   'converge.log_in(text, text), '
				   'converge.account_name(text), '
				   'converge.search_users(text, integer), '
				   'converge.largest_documents(integer) TO %s'::text, relay);
END
$$;
COMMENT ON FUNCTION converge.allow_relay(regrole) IS
	'let a role run the relay: it may then act for every user; it also requires LOGIN and REPLICATION';

-- ---------------------------------------------------------------------------
-- Additions: what users made in converge's tables
-- ---------------------------------------------------------------------------

CREATE FUNCTION converge.column_definition(table_oid oid, number smallint) RETURNS text
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT concat(
		format_type(a.atttypid, a.atttypmod),
		CASE WHEN a.attcollation NOT IN (0::oid, t.typcollation)
			 THEN (SELECT format(' COLLATE %I.%I'::text, n.nspname, l.collname) FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
				   WHERE l.oid = a.attcollation) END,
		CASE WHEN a.attgenerated = 's'::"char" THEN format(' GENERATED ALWAYS AS (%s) STORED'::text, pg_get_expr(d.adbin, d.adrelid))
			 WHEN a.attgenerated <> ''::"char" THEN format(' GENERATED ALWAYS AS (%s)'::text, pg_get_expr(d.adbin, d.adrelid))
			 WHEN a.attidentity <> ''::"char" THEN
				(SELECT format(' GENERATED %s AS IDENTITY (START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s)'::text,
							   CASE a.attidentity WHEN 'a'::"char" THEN 'ALWAYS'::text ELSE 'BY DEFAULT'::text END,
							   coalesce(pg_sequence_last_value(q.seqrelid) + q.seqincrement, q.seqstart), q.seqincrement, q.seqmin, q.seqmax)
				 FROM pg_depend e JOIN pg_sequence q ON q.seqrelid = e.objid
				 WHERE e.classid = 'pg_class'::regclass AND e.refclassid = 'pg_class'::regclass
				   AND e.refobjid = a.attrelid AND e.refobjsubid = a.attnum AND e.deptype = 'i'::"char")
			 WHEN a.atthasdef THEN format(' DEFAULT %s'::text, pg_get_expr(d.adbin, d.adrelid)) END,
		CASE WHEN a.attnotnull THEN ' NOT NULL'::text END)
	FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
		 LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	WHERE a.attrelid = table_oid AND a.attnum = number
$$;
COMMENT ON FUNCTION converge.column_definition(oid, smallint) IS 'the definition of a column, as it follows the name in ADD COLUMN';

CREATE FUNCTION converge.policy_definition(policy oid) RETURNS text
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT concat(
		format('CREATE POLICY %I ON %s AS %s FOR %s TO %s'::text, p.polname, p.polrelid::regclass,
			   CASE WHEN p.polpermissive THEN 'PERMISSIVE'::text ELSE 'RESTRICTIVE'::text END,
			   CASE p.polcmd WHEN 'r'::"char" THEN 'SELECT'::text WHEN 'a'::"char" THEN 'INSERT'::text WHEN 'w'::"char" THEN 'UPDATE'::text WHEN 'd'::"char" THEN 'DELETE'::text ELSE 'ALL'::text END,
			   (SELECT string_agg(CASE WHEN r = 0::oid THEN 'PUBLIC'::text ELSE quote_ident(pg_get_userbyid(r)::text) END, ', '::text) FROM unnest(p.polroles) AS r)),
		' USING ('::text || pg_get_expr(p.polqual, p.polrelid) || ')'::text,
		' WITH CHECK ('::text || pg_get_expr(p.polwithcheck, p.polrelid) || ')'::text)
	FROM pg_policy p WHERE p.oid = policy
$$;
COMMENT ON FUNCTION converge.policy_definition(oid) IS 'the statement that creates a policy';

CREATE FUNCTION converge.parts(OUT part text, OUT table_name text, OUT ord integer, OUT name text, OUT ddl text) RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH tables AS (
		SELECT c.* FROM pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'::"char"
			JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
		WHERE e.extname = 'converge'::name AND c.relkind IN ('r'::"char", 'p'::"char")
	)
	SELECT 'column'::text, c.relname::text, a.attnum::integer, a.attname::text,
		   format('ALTER TABLE %s ADD COLUMN IF NOT EXISTS %I %s'::text, c.oid::regclass, a.attname, converge.column_definition(c.oid, a.attnum))
	FROM tables c JOIN pg_attribute a ON a.attrelid = c.oid WHERE a.attnum > 0 AND NOT a.attisdropped
	UNION ALL
	SELECT 'constraint'::text, c.relname::text, 0, k.conname::text,
		   format('ALTER TABLE %s ADD CONSTRAINT %I %s'::text, c.oid::regclass, k.conname, pg_get_constraintdef(k.oid))
	FROM tables c JOIN pg_constraint k ON k.conrelid = c.oid WHERE k.contype IN ('p'::"char", 'u'::"char", 'x'::"char", 'c'::"char", 'f'::"char")
	UNION ALL
	SELECT 'index'::text, c.relname::text, 0, x.relname::text, pg_get_indexdef(x.oid)
	FROM tables c JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid
	WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.oid AND k.contype IN ('p'::"char", 'u'::"char", 'x'::"char"))
	UNION ALL
	SELECT 'trigger'::text, c.relname::text, 0, g.tgname::text,
		   concat(pg_get_triggerdef(g.oid),
				  CASE WHEN g.tgenabled <> 'O'::"char" THEN
					format('; ALTER TABLE %s %s TRIGGER %I'::text, c.oid::regclass,
						   CASE g.tgenabled WHEN 'D'::"char" THEN 'DISABLE'::text WHEN 'R'::"char" THEN 'ENABLE REPLICA'::text ELSE 'ENABLE ALWAYS'::text END, g.tgname) END)
	FROM tables c JOIN pg_trigger g ON g.tgrelid = c.oid WHERE NOT g.tgisinternal
	UNION ALL
	SELECT 'policy'::text, c.relname::text, 0, p.polname::text, converge.policy_definition(p.oid)
	FROM tables c JOIN pg_policy p ON p.polrelid = c.oid
	UNION ALL
	SELECT 'setting'::text, c.relname::text, 0, s.name, format('ALTER TABLE %s %s'::text, c.oid::regclass, s.ddl)
	FROM tables c CROSS JOIN LATERAL (VALUES
		('replica identity'::text, c.relreplident <> 'd'::"char",
		 CASE c.relreplident WHEN 'f'::"char" THEN 'REPLICA IDENTITY FULL'::text WHEN 'n'::"char" THEN 'REPLICA IDENTITY NOTHING'::text
			ELSE 'REPLICA IDENTITY USING INDEX '::text || (SELECT quote_ident(x.relname::text) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
														   WHERE i.indrelid = c.oid AND i.indisreplident) END),
		('row security for the owner'::text, c.relforcerowsecurity, 'FORCE ROW LEVEL SECURITY'::text),
		('no row security'::text, NOT c.relrowsecurity, 'DISABLE ROW LEVEL SECURITY'::text)) AS s (name, given, ddl)
	WHERE s.given
$$;
COMMENT ON FUNCTION converge.parts() IS 'columns, constraints, indexes, triggers, policies and settings of converge''s tables, and the statements that create them';

CREATE FUNCTION converge.additions(OUT part text, OUT table_name text, OUT name text, OUT ddl text) RETURNS SETOF record
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT p.part, p.table_name, p.name, p.ddl || ';'::text
	FROM converge.parts() p
	WHERE NOT EXISTS (SELECT FROM converge.as_made m WHERE m.table_name = p.table_name AND m.part = p.part AND m.name = p.name)
	ORDER BY array_position(ARRAY['column'::text, 'constraint'::text, 'index'::text, 'trigger'::text, 'policy'::text, 'setting'::text], p.part),
			 p.ddl LIKE '% FOREIGN KEY %'::text, p.table_name, p.ord, p.name
$$;
COMMENT ON FUNCTION converge.additions() IS
	'what was added to converge''s tables, and the statements that add it again; pg_dump includes added columns and nothing else';

CREATE FUNCTION converge.restore_addition() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- if it exists already, take no lock: another job may be loading the table
	IF NOT EXISTS (SELECT FROM converge.parts() p
				   WHERE p.part = new.part AND p.table_name = new.table_name AND p.name = new.name) THEN
		EXECUTE new.ddl;
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION converge.restore_addition() IS 'add a column that a dump contains, before its rows are loaded';
CREATE TRIGGER restore_addition BEFORE INSERT ON converge.as_made
	FOR EACH ROW WHEN (new.ddl IS NOT NULL) EXECUTE FUNCTION converge.restore_addition();

-- ---------------------------------------------------------------------------
-- Privileges: what is granted above and below, and nothing that the default
-- privileges of the installer added or took away
-- ---------------------------------------------------------------------------

DO $$
DECLARE
	command text;
BEGIN
	FOR command IN
		WITH objects (name, acl, owner, open_to_all) AS (
			SELECT format('ROUTINE converge.%I(%s)'::text, p.proname, pg_get_function_identity_arguments(p.oid)),
				   p.proacl, p.proowner, 'EXECUTE'::text
				FROM pg_proc p WHERE p.pronamespace = 'converge'::regnamespace
			UNION ALL
			SELECT format('TYPE converge.%I'::text, t.typname), t.typacl, t.typowner, 'USAGE'::text
				FROM pg_type t WHERE t.typnamespace = 'converge'::regnamespace
			UNION ALL
			SELECT format('%s converge.%I'::text, CASE c.relkind WHEN 'S'::"char" THEN 'SEQUENCE'::text ELSE 'TABLE'::text END, c.relname),
				   c.relacl, c.relowner,
				   (SELECT 'SELECT'::text FROM pg_policy y WHERE y.polrelid = c.oid AND y.polname = 'readers'::name)
				FROM pg_class c WHERE c.relnamespace = 'converge'::regnamespace
		)
		SELECT DISTINCT format('REVOKE ALL ON %s FROM %s'::text, o.name, COALESCE(quote_ident(r.rolname), 'PUBLIC'::text))
			FROM objects o CROSS JOIN LATERAL aclexplode(o.acl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
			WHERE a.grantee <> o.owner
		UNION ALL
		SELECT format('GRANT %s ON %s TO PUBLIC'::text, o.open_to_all, o.name)
			FROM objects o WHERE o.acl IS NOT NULL AND o.open_to_all IS NOT NULL
		ORDER BY 1 DESC	-- REVOKE before GRANT
	LOOP
		EXECUTE command;
	END LOOP;
END
$$;

REVOKE ALL ON FUNCTION
	converge.count_member_change(),
	converge.lock_for_owner(uuid),
	converge.keep_an_owner(uuid),
	converge.lock_talk(uuid, converge.role),
	converge.next_change(uuid, integer, integer),
	converge.check_open_threads(uuid),
	converge.living_thread(uuid, uuid),
	converge.living_comment(uuid, uuid),
	converge.message_page(uuid, bigint, integer),
	converge.carry_talk(uuid, bigint),
	converge.submit(uuid[], text[], uuid[], bigint[], text[], boolean, uuid[]),
	converge.join_document(text, uuid, bigint, uuid, uuid, uuid, bigint),
	converge.catch_up(uuid, bigint, uuid, bigint),
	converge.checksum(uuid, bigint, uuid),
	converge.has_version(uuid, bigint, uuid, bigint, uuid),
	converge.role_in(text, uuid),
	converge.settled_roles(uuid, text[]),
	converge.talk_numbers(uuid[]),
	converge.become(text),
	converge.begin_presence(uuid, integer),
	converge.show_life(uuid, integer),
	converge.announce(text[]),
	converge.keep_presence(uuid, integer, text),
	converge.write_presence(uuid, jsonb, jsonb),
	converge.end_presence(uuid, text),
	converge.bcrypt(text, text),
	converge.is_password(text, text),
	converge.attempt_bucket(text),
	converge.count_attempt(text, text),
	converge.sign_up(text, text, text),
	converge.log_in(text, text),
	converge.search_users(text, integer),
	converge.largest_documents(integer),
	converge.account_name(text),
	converge.warn_of_unknown_user(text),
	converge.allow_relay(regrole),
	converge.maintain_document(uuid),
	converge.due_documents(),
	converge.describe_document(uuid, bigint),
	converge.export_log(uuid, bigint, text),
	converge.import_log(uuid, bytea, bigint, bigint, bigint, timestamptz, bigint, text),
	converge.copy_log(uuid, uuid, bigint, bigint, bigint, timestamptz, bigint),
	converge.import_snapshot(uuid, bigint, text, timestamptz, bigint),
	converge.receive_document(jsonb, bytea, uuid, uuid, text[], text),
	converge.import_document(bytea, uuid),
	converge.renew_document(uuid),
	converge.redact_log(uuid, text, bigint, bigint, bigint, text),
	converge.redact_quotes(uuid, text),
	converge.redact_texts(uuid, text, text),
	converge.has_author(uuid, text),
	converge.erase_author(uuid, text, text),
	converge.erase_member(uuid, text, text),
	converge.erase_user(text, text),
	converge.stored_text(uuid, bigint),
	converge.arm_hooks(),
	converge.add_hook(text, regprocedure),
	converge.drop_hook(text, regprocedure),
	converge.run_pause_hooks(interval, integer)
	FROM PUBLIC;
REVOKE ALL ON PROCEDURE converge.maintain() FROM PUBLIC;
REVOKE ALL ON FUNCTION converge.restore_addition() FROM PUBLIC;

-- ---------------------------------------------------------------------------
-- LAST, since it takes what is there now for converge's own.  An upgrade script that
-- makes a column, constraint, index, trigger or policy inserts a row for it.
-- ---------------------------------------------------------------------------

INSERT INTO converge.as_made (part, table_name, name) SELECT p.part, p.table_name, p.name FROM converge.parts() p;
-- those that hooks make when they are added
INSERT INTO converge.as_made (part, table_name, name) VALUES
	('trigger', 'ops', 'hooks_before_op'), ('trigger', 'ops', 'hooks_after_op'), ('trigger', 'members', 'hooks_member_change');
