/*
 * decode/decode.c
 *		The output plugin "converge": committed changes of converge's tables
 *		as JSON lines ready to be sent, one OutputPluginWrite for each line,
 *		nothing else.
 *
 * Invariant: a line depends only on its row and on the options, so that every
 * consumer of the stream, and every later reader of the row in SQL, sees the same
 * event. (The option "committed" adds the time of the commit, which is in no
 * row.)
 *
 * The table event_kinds lists the tables, their changes and how they are printed;
 * the table options lists the options.  A table is identified by its name, its
 * schema's, and its membership in the extension; its columns by name and type,
 * since upgrades add columns (tables.c).
 *
 * Some changes leave no row that describes them: a deleted row without its key, a
 * TRUNCATE, DROP EXTENSION.  Such a change is logged, and reported by a line of
 * type "resync", at most once in a transaction: its consumers must read the
 * tables again.
 */
#include "decode/options.h"
#include "decode/tables.h"
#include "decode/talk.h"
#include "decode/values.h"

#include "base/limits.h"
#include "type/event.h"
#include "type/op_type.h"

#include <errno.h>
#include <stdlib.h>

#include "catalog/pg_type.h"
#include "nodes/bitmapset.h"
#include "port/pg_crc32c.h"
#include "replication/logical.h"
#include "replication/output_plugin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

/* Progress is reported after this many changes of other tables. */
#define PROGRESS_CHANGES	100

typedef struct DecodeState DecodeState;

/*
 * One kind of event: an action on a table and the line made of its row.  Of a
 * deleted row the log has the key alone, and so of a changed one as it was.
 */
typedef struct EventKind
{
	const char *table;
	enum ReorderBufferChangeType action;
	int			column_count;
	int			key_count;		/* of them, what a row is known by */
	CvgEventColumn columns[CVG_MAX_EVENT_COLUMNS];	/* [0] holds the
													 * document's id */
	void		(*emit) (const DecodeState *state, StringInfo out, const Datum *values);

	/*
	 * of an update: how the row that it leaves behind under another key is
	 * told
	 */
	void		(*emit_gone) (const DecodeState *state, StringInfo out, const Datum *values);
} EventKind;

/* The columns of converge.ops that an event is made of, as event_kinds has them. */
enum
{
	OP_EVENT_DOC_ID,
	OP_EVENT_VERSION,
	OP_EVENT_SEQ,
	OP_EVENT_OP_ID,
	OP_EVENT_USER_ID,
	OP_EVENT_BASE_VERSION,
	OP_EVENT_OP,
	OP_EVENT_CREATED_AT
};

/* The columns of converge.members; a deleted row has the first two. */
enum
{
	MEMBER_EVENT_DOC_ID,
	MEMBER_EVENT_USER_ID,
	MEMBER_EVENT_ROLE
};

/* The columns of converge.documents; a deleted row has its id and its life. */
enum
{
	DOCUMENT_EVENT_ID,
	DOCUMENT_EVENT_LIFE,
	DOCUMENT_EVENT_TITLE
};

static void emit_op(const DecodeState *state, StringInfo out, const Datum *values);
static void emit_member(const DecodeState *state, StringInfo out, const Datum *values);
static void emit_no_member(const DecodeState *state, StringInfo out, const Datum *values);
static void emit_document(const DecodeState *state, StringInfo out, const Datum *values);
static void emit_no_document(const DecodeState *state, StringInfo out, const Datum *values);
static void emit_thread(const DecodeState *state, StringInfo out, const Datum *values);
static void emit_comment(const DecodeState *state, StringInfo out, const Datum *values);
static void emit_suggestion(const DecodeState *state, StringInfo out, const Datum *values);
static void emit_message(const DecodeState *state, StringInfo out, const Datum *values);
static void emit_talk(const DecodeState *state, StringInfo out, const Datum *values);
static void emit_renewed(const DecodeState *state, StringInfo out, const Datum *values);

/* A column of a type of PostgreSQL's, and one of the extension's own. */
#define COLUMN(name, type)			{name, type, NULL, false}
#define NULLABLE(name, type)		{name, type, NULL, true}
#define OWN_COLUMN(name, own_type)	{name, InvalidOid, own_type, false}

/* The columns of the tables of talk, in the order of talk.h. */
#define TALK_COLUMNS \
	COLUMN("doc_id", UUIDOID), COLUMN("id", UUIDOID), COLUMN("changed", INT8OID)
#define THREAD_COLUMNS \
	TALK_COLUMNS, COLUMN("version", INT8OID), COLUMN("from_pos", INT8OID), COLUMN("to_pos", INT8OID), \
	COLUMN("alive", BOOLOID), COLUMN("length", INT8OID), COLUMN("quote", TEXTOID), COLUMN("prefix", TEXTOID), COLUMN("suffix", TEXTOID), \
	COLUMN("created_by", TEXTOID), COLUMN("created_at", TIMESTAMPTZOID), NULLABLE("resolved_by", TEXTOID), \
	NULLABLE("resolved_at", TIMESTAMPTZOID), NULLABLE("deleted_at", TIMESTAMPTZOID)
#define COMMENT_COLUMNS \
	TALK_COLUMNS, COLUMN("thread_id", UUIDOID), COLUMN("user_id", TEXTOID), COLUMN("body", TEXTOID), \
	COLUMN("created_at", TIMESTAMPTZOID), NULLABLE("edited_at", TIMESTAMPTZOID), NULLABLE("deleted_at", TIMESTAMPTZOID)
#define SUGGESTION_COLUMNS \
	TALK_COLUMNS, COLUMN("base_version", INT8OID), OWN_COLUMN("op", "op"), COLUMN("note", TEXTOID), \
	COLUMN("user_id", TEXTOID), COLUMN("created_at", TIMESTAMPTZOID), COLUMN("status", TEXTOID), \
	NULLABLE("decided_by", TEXTOID), NULLABLE("decided_at", TIMESTAMPTZOID), NULLABLE("version", INT8OID)
#define MESSAGE_COLUMNS \
	TALK_COLUMNS, COLUMN("user_id", TEXTOID), COLUMN("body", TEXTOID), COLUMN("version", INT8OID), \
	COLUMN("created_at", TIMESTAMPTZOID)

static const EventKind event_kinds[] =
{
	{
		"ops", REORDER_BUFFER_CHANGE_INSERT, OP_EVENT_CREATED_AT + 1, 0,
		{
			COLUMN("doc_id", UUIDOID), COLUMN("version", INT8OID), COLUMN("seq", INT8OID), COLUMN("op_id", UUIDOID),
			COLUMN("user_id", TEXTOID), COLUMN("base_version", INT8OID), OWN_COLUMN("op", "op"),
			COLUMN("created_at", TIMESTAMPTZOID)
		},
		emit_op, NULL
	},
	{
		"members", REORDER_BUFFER_CHANGE_INSERT, MEMBER_EVENT_ROLE + 1, 0,
		{COLUMN("doc_id", UUIDOID), COLUMN("user_id", TEXTOID), OWN_COLUMN("role", "role")},
		emit_member, NULL
	},
	{
		"members", REORDER_BUFFER_CHANGE_UPDATE, MEMBER_EVENT_ROLE + 1, MEMBER_EVENT_USER_ID + 1,
		{COLUMN("doc_id", UUIDOID), COLUMN("user_id", TEXTOID), OWN_COLUMN("role", "role")},
		emit_member, emit_no_member
	},
	{
		"members", REORDER_BUFFER_CHANGE_DELETE, MEMBER_EVENT_USER_ID + 1, MEMBER_EVENT_USER_ID + 1,
		{COLUMN("doc_id", UUIDOID), COLUMN("user_id", TEXTOID)},
		emit_no_member, NULL
	},
	{
		"documents", REORDER_BUFFER_CHANGE_UPDATE, DOCUMENT_EVENT_TITLE + 1, DOCUMENT_EVENT_LIFE + 1,
		{COLUMN("id", UUIDOID), COLUMN("life", UUIDOID), COLUMN("title", TEXTOID)},
		emit_document, emit_no_document
	},
	{
		"documents", REORDER_BUFFER_CHANGE_DELETE, DOCUMENT_EVENT_LIFE + 1, DOCUMENT_EVENT_LIFE + 1,
		{COLUMN("id", UUIDOID), COLUMN("life", UUIDOID)},
		emit_no_document, NULL
	},
	{
		"threads", REORDER_BUFFER_CHANGE_INSERT, THREAD_EVENT_DELETED_AT + 1, 0,
		{THREAD_COLUMNS},
		emit_thread, NULL
	},
	{
		"threads", REORDER_BUFFER_CHANGE_UPDATE, THREAD_EVENT_DELETED_AT + 1, TALK_EVENT_ID + 1,
		{THREAD_COLUMNS},
		emit_thread, emit_talk
	},
	{
		"comments", REORDER_BUFFER_CHANGE_INSERT, COMMENT_EVENT_DELETED_AT + 1, 0,
		{COMMENT_COLUMNS},
		emit_comment, NULL
	},
	{
		"comments", REORDER_BUFFER_CHANGE_UPDATE, COMMENT_EVENT_DELETED_AT + 1, TALK_EVENT_ID + 1,
		{COMMENT_COLUMNS},
		emit_comment, emit_talk
	},
	{
		"suggestions", REORDER_BUFFER_CHANGE_INSERT, SUGGESTION_EVENT_VERSION + 1, 0,
		{SUGGESTION_COLUMNS},
		emit_suggestion, NULL
	},
	{
		"suggestions", REORDER_BUFFER_CHANGE_UPDATE, SUGGESTION_EVENT_VERSION + 1, TALK_EVENT_ID + 1,
		{SUGGESTION_COLUMNS},
		emit_suggestion, emit_talk
	},
	{
		"messages", REORDER_BUFFER_CHANGE_INSERT, MESSAGE_EVENT_CREATED_AT + 1, 0,
		{MESSAGE_COLUMNS},
		emit_message, NULL
	},
	{
		"messages", REORDER_BUFFER_CHANGE_UPDATE, MESSAGE_EVENT_CREATED_AT + 1, TALK_EVENT_ID + 1,
		{MESSAGE_COLUMNS},
		emit_message, emit_talk
	}
};

struct DecodeState
{
	MemoryContext context;		/* reset after each change */
	uint64		layouts_at;		/* relcache_generation of the layouts */
	CvgEventLayout layouts[lengthof(event_kinds)];
	CvgDecodeOptions options;

	/* of the transaction under way */
	TimestampTz commit_time;
	bool		spoke;			/* it gave a line, */
	bool		resynced;		/* and a resync line was written */
	bool		has_ddl;
	CvgToldTable tables[CVG_TOLD_TABLES];	/* as it found them, where it has
											 * DDL */
	uint64		tables_at;		/* relcache_generation when that was last
								 * compared */

	int			silent_changes; /* since progress was last reported */
};

/* Grows whenever any table's definition may have changed. */
static uint64 relcache_generation = 1;

PGDLLEXPORT void _PG_output_plugin_init(OutputPluginCallbacks *callbacks);

/* ---- tables ---- */

/* Note that some table may have changed its shape. */
static void
forget_layouts(Datum arg, Oid relid)
{
	relcache_generation++;
}

/*
 * Find where a kind's columns stand, or NULL when the table is not its own.  That it
 * is not, is believed to the end of the transaction: no cache is told of a table that
 * is added to the extension.
 */
static const CvgEventLayout *
find_layout(DecodeState *state, int number, Relation relation)
{
	CvgEventLayout *layout = &state->layouts[number];
	const EventKind *kind = &event_kinds[number];

	/* the cheap comparison first: most tables are not the extension's */
	if (strcmp(RelationGetRelationName(relation), kind->table) != 0)
		return NULL;
	if (state->layouts_at != relcache_generation)
	{
		memset(state->layouts, 0, sizeof(state->layouts));
		state->layouts_at = relcache_generation;
	}
	if (layout->state == CVG_TABLE_UNKNOWN || layout->relid != RelationGetRelid(relation))
		cvg_look_up_layout(relation, kind->columns, kind->column_count, kind->key_count, layout);
	return layout->state != CVG_TABLE_FOREIGN ? layout : NULL;
}

/* Forget which tables are not the extension's. */
static void
forget_foreign(DecodeState *state)
{
	for (int i = 0; i < lengthof(event_kinds); i++)
		if (state->layouts[i].state == CVG_TABLE_FOREIGN)
			state->layouts[i].state = CVG_TABLE_UNKNOWN;
}

/* ---- events ---- */

/* Append when the transaction was committed, in microseconds since 1970, if that is wanted. */
static void
append_committed(const DecodeState *state, StringInfo out)
{
	if (!state->options.committed)
		return;
	appendStringInfoString(out, ",\"committed\":");
	cvg_append_int64(out, state->commit_time + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY);
}

/* Begin an event: its type, whose document it is about, and when it was committed. */
static void
begin_event(const DecodeState *state, StringInfo out, const char *type, Datum doc_id)
{
	appendStringInfo(out, "{\"type\":\"%s\",\"documentId\":\"", type);
	cvg_append_uuid(out, DatumGetUUIDP(doc_id));
	appendStringInfoChar(out, '"');
	append_committed(state, out);
}

/* What the stored form of an op may take more than its JSON, in bytes. */
#define STORED_MORE		64

/* Append an op, or that it is withheld as it is larger than the consumer takes. */
static void
append_op(const DecodeState *state, StringInfo out, const struct varlena *op)
{
	int			largest = state->options.largest;
	int			start = out->len;	/* of the key, */
	int			op_at = start + strlen("\"op\":");	/* and of the op */

	/* JSON takes about what the stored form takes, or more: a large one need not be made */
	if (largest == 0 || VARSIZE_ANY_EXHDR(op) <= (Size) largest + STORED_MORE)
	{
		appendStringInfoString(out, "\"op\":");
		cvg_append_json_op(out, cvg_op_of(op));
	}
	if (largest > 0 && (out->len == start || out->len - op_at > largest))
	{
		out->len = start;
		appendStringInfoString(out, "\"withheld\":true");
	}
	appendStringInfoChar(out, '}');
}

/* Append the event of a row of converge.ops. */
static void
emit_op(const DecodeState *state, StringInfo out, const Datum *values)
{
	struct varlena *user_id = cvg_plain_varlena(values[OP_EVENT_USER_ID]);
	struct varlena *op = cvg_plain_varlena(values[OP_EVENT_OP]);
	int			brace_at;

	begin_event(state, out, "op", values[OP_EVENT_DOC_ID]);
	brace_at = out->len;
	cvg_event_entry_head(out,
						 DatumGetInt64(values[OP_EVENT_VERSION]),
						 DatumGetInt64(values[OP_EVENT_SEQ]),
						 DatumGetUUIDP(values[OP_EVENT_OP_ID]),
						 VARDATA_ANY(user_id), (int) VARSIZE_ANY_EXHDR(user_id),
						 DatumGetInt64(values[OP_EVENT_BASE_VERSION]),
						 DatumGetTimestampTz(values[OP_EVENT_CREATED_AT]));
	append_op(state, out, op);
	/* the entry's keys go on where the event's own end */
	out->data[brace_at] = ',';
}

/* Append the event of a member who came, or whose role changed. */
static void
emit_member(const DecodeState *state, StringInfo out, const Datum *values)
{
	begin_event(state, out, "member", values[MEMBER_EVENT_DOC_ID]);
	cvg_append_text(out, "userId", values[MEMBER_EVENT_USER_ID]);
	appendStringInfo(out, ",\"role\":\"%s\"}",
					 DatumGetCString(DirectFunctionCall1(enum_out, values[MEMBER_EVENT_ROLE])));
}

/* Append the event of a member who went. */
static void
emit_no_member(const DecodeState *state, StringInfo out, const Datum *values)
{
	begin_event(state, out, "member", values[MEMBER_EVENT_DOC_ID]);
	cvg_append_text(out, "userId", values[MEMBER_EVENT_USER_ID]);
	appendStringInfoString(out, ",\"role\":null}");
}

/* Append the event of a document that was renamed. */
static void
emit_document(const DecodeState *state, StringInfo out, const Datum *values)
{
	begin_event(state, out, "document", values[DOCUMENT_EVENT_ID]);
	cvg_append_text(out, "title", values[DOCUMENT_EVENT_TITLE]);
	appendStringInfoChar(out, '}');
}

/* Append the event of a document that was deleted. */
static void
emit_no_document(const DecodeState *state, StringInfo out, const Datum *values)
{
	begin_event(state, out, "document", values[DOCUMENT_EVENT_ID]);
	appendStringInfoString(out, ",\"deleted\":true,\"life\":\"");
	cvg_append_uuid(out, DatumGetUUIDP(values[DOCUMENT_EVENT_LIFE]));
	appendStringInfoString(out, "\"}");
}

/* Append the event of a row of converge.threads. */
static void
emit_thread(const DecodeState *state, StringInfo out, const Datum *values)
{
	begin_event(state, out, "thread", values[TALK_EVENT_DOC_ID]);
	cvg_thread_fields(out, values);
}

/* Append the event of a row of converge.comments. */
static void
emit_comment(const DecodeState *state, StringInfo out, const Datum *values)
{
	begin_event(state, out, "comment", values[TALK_EVENT_DOC_ID]);
	cvg_comment_fields(out, values);
}

/* Append the event of a row of converge.suggestions. */
static void
emit_suggestion(const DecodeState *state, StringInfo out, const Datum *values)
{
	begin_event(state, out, cvg_suggestion_type(values), values[TALK_EVENT_DOC_ID]);
	cvg_suggestion_fields(out, values);
}

/* Append the event of a row of converge.messages. */
static void
emit_message(const DecodeState *state, StringInfo out, const Datum *values)
{
	begin_event(state, out, "chat", values[TALK_EVENT_DOC_ID]);
	cvg_message_fields(out, values);
}

/* Append the event of talk that changed in a way that no other tells: its readers list it anew. */
static void
emit_talk(const DecodeState *state, StringInfo out, const Datum *values)
{
	begin_event(state, out, "talk", values[TALK_EVENT_DOC_ID]);
	appendStringInfoChar(out, '}');
}

/* Append the event of a document whose past was changed, with the life that it had. */
static void
emit_renewed(const DecodeState *state, StringInfo out, const Datum *values)
{
	begin_event(state, out, "document", values[DOCUMENT_EVENT_ID]);
	appendStringInfoString(out, ",\"renewed\":true,\"life\":\"");
	cvg_append_uuid(out, DatumGetUUIDP(values[DOCUMENT_EVENT_LIFE]));
	appendStringInfoString(out, "\"}");
}

/* Are two values of a key column equal?  Keys are uuids and texts. */
static bool
same_value(const CvgEventColumn *column, Datum a, Datum b)
{
	struct varlena *text_a;
	struct varlena *text_b;

	if (column->type == UUIDOID)
		return memcmp(DatumGetUUIDP(a), DatumGetUUIDP(b), sizeof(pg_uuid_t)) == 0;
	text_a = cvg_plain_varlena(a);
	text_b = cvg_plain_varlena(b);
	return VARSIZE_ANY_EXHDR(text_a) == VARSIZE_ANY_EXHDR(text_b) &&
		memcmp(VARDATA_ANY(text_a), VARDATA_ANY(text_b), VARSIZE_ANY_EXHDR(text_a)) == 0;
}

/*
 * Is a document's row whose key changed still that of the document?  It has another life
 * then that begins with the same number.
 */
static bool
is_renewed(const EventKind *kind, const Datum *was, const Datum *is)
{
	return kind->emit == emit_document &&
		same_value(&kind->columns[DOCUMENT_EVENT_ID], was[DOCUMENT_EVENT_ID], is[DOCUMENT_EVENT_ID]) &&
		memcmp(DatumGetUUIDP(was[DOCUMENT_EVENT_LIFE]), DatumGetUUIDP(is[DOCUMENT_EVENT_LIFE]), CVG_LIFE_BYTES) == 0;
}

/* Does the consumer want the document's shard? */
static bool
is_wanted(DecodeState *state, const pg_uuid_t *doc_id)
{
	pg_crc32c	crc;

	if (state->options.wanted == NULL)
		return true;
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, doc_id->data, UUID_LEN);
	FIN_CRC32C(crc);
	return bms_is_member((int) (crc % (pg_crc32c) state->options.shards), state->options.wanted);
}

/* Write a line, if its document's shard is wanted. */
static void
write_line(LogicalDecodingContext *ctx, const Datum *values,
		   void (*emit) (const DecodeState *state, StringInfo out, const Datum *values))
{
	DecodeState *state = ctx->output_plugin_private;

	if (!is_wanted(state, DatumGetUUIDP(values[0])))
		return;
	OutputPluginPrepareWrite(ctx, true);
	emit(state, ctx->out, values);
	OutputPluginWrite(ctx, true);
	state->spoke = true;
	state->silent_changes = 0;
}

/* ---- changes that cannot be decoded ---- */

/* Write the line that says so, which is for every shard. */
static void
write_resync(LogicalDecodingContext *ctx)
{
	DecodeState *state = ctx->output_plugin_private;

	OutputPluginPrepareWrite(ctx, true);
	appendStringInfoString(ctx->out, "{\"type\":\"resync\"");
	append_committed(state, ctx->out);
	appendStringInfoChar(ctx->out, '}');
	OutputPluginWrite(ctx, true);
	state->spoke = true;
	state->silent_changes = 0;
}

/* Log a change that cannot be decoded, and send the consumer a resync line; once in a transaction. */
static void
cannot_tell(LogicalDecodingContext *ctx, const char *table, const char *detail, const char *hint)
{
	DecodeState *state = ctx->output_plugin_private;

	if (state->resynced)
		return;
	state->resynced = true;
	ereport(WARNING,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("output plugin \"converge\" cannot decode a change of table %s.%s", CVG_SCHEMA, table),
			 errdetail("%s Consumers receive a \"resync\" line and must read the tables again.", detail),
			 hint != NULL ? errhint("%s", hint) : 0));
	write_resync(ctx);
}

/* The extension's table has a column missing, or of a type that is not read here. */
static void
cannot_read(LogicalDecodingContext *ctx, const EventKind *kind, const CvgEventLayout *layout)
{
	const CvgEventColumn *column = &kind->columns[layout->bad_column];
	const char *type = OidIsValid(column->type) ? format_type_be(column->type)
	: psprintf("%s.%s", CVG_SCHEMA, column->own_type);

	cannot_tell(ctx, kind->table,
				psprintf("It has no column \"%s\" of type %s.", column->name, type),
				"Give the table back the columns that the extension made.");
}

/* The log does not say which row it was. */
static void
cannot_identify(LogicalDecodingContext *ctx, const EventKind *kind)
{
	cannot_tell(ctx, kind->table, "Its replica identity does not have the key of the row as it was.",
				psprintf("ALTER TABLE %s.%s REPLICA IDENTITY DEFAULT mends that, where the table has its primary key.",
						 CVG_SCHEMA, kind->table));
}

/* A value is not one that the extension writes. */
static void
cannot_write(LogicalDecodingContext *ctx, const EventKind *kind)
{
	cannot_tell(ctx, kind->table, "A value is missing, or cannot be written.", NULL);
}

/* Compare the tables with those that the transaction found, if its DDL may have changed them. */
static void
compare_tables(LogicalDecodingContext *ctx)
{
	DecodeState *state = ctx->output_plugin_private;
	CvgToldTable now[CVG_TOLD_TABLES];

	if (state->resynced)
		return;
	cvg_look_up_told_tables(now);
	state->tables_at = relcache_generation;
	for (int i = 0; i < CVG_TOLD_TABLES; i++)
	{
		const CvgToldTable *before = &state->tables[i];

		if (OidIsValid(before->relid) && (now[i].relid != before->relid || now[i].file != before->file))
			cannot_tell(ctx, cvg_told_names[i],
						"It was dropped, truncated, rewritten, renamed, made unlogged, or taken out of the extension.",
						NULL);
	}
}

/* ---- rows ---- */

/* Does a value lie in a place that the log does not have? */
static bool
is_untouched(Relation relation, int column, Datum value)
{
	return TupleDescAttr(RelationGetDescr(relation), column)->attlen == -1 &&
		VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(value));
}

/* Get what stands for a null. */
static Datum
no_value(const CvgEventColumn *column)
{
	return column->type == TEXTOID ? CVG_NO_TEXT : column->type == INT8OID ? CVG_NO_NUMBER : CVG_NO_MOMENT;
}

/*
 * Pick an event's columns out of a row: how many, from the first on, are there.  One
 * that is too long for its row and was left alone by an update is not, but for the
 * first `known` ones, which the values have already.
 */
static int
read_row(Relation relation, HeapTuple tuple, const EventKind *kind, const CvgEventLayout *layout, int count,
		 Datum *values, int known)
{
	TupleDesc	desc = RelationGetDescr(relation);
	Datum	   *all = palloc(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc(desc->natts * sizeof(bool));

	heap_deform_tuple(tuple, desc, all, nulls);
	for (int i = 0; i < count; i++)
	{
		int			column = layout->columns[i];

		if (nulls[column] && !kind->columns[i].nullable)
			return i;
		if (nulls[column])
			values[i] = no_value(&kind->columns[i]);
		else if (!is_untouched(relation, column, all[column]))
			values[i] = all[column];
		else if (i >= known)
			return i;
	}
	return count;
}

/* Get the row as a change has left it, or NULL. */
static HeapTuple
new_row(ReorderBufferChange *change)
{
#if PG_VERSION_NUM >= 170000
	return change->data.tp.newtuple;
#else
	return change->data.tp.newtuple != NULL ? &change->data.tp.newtuple->tuple : NULL;
#endif
}

/* Get what the log has of the row as it was before a change, or NULL. */
static HeapTuple
old_row(ReorderBufferChange *change)
{
#if PG_VERSION_NUM >= 170000
	return change->data.tp.oldtuple;
#else
	return change->data.tp.oldtuple != NULL ? &change->data.tp.oldtuple->tuple : NULL;
#endif
}

/* Are two rows known by the same key? */
static bool
same_key(const EventKind *kind, const Datum *a, const Datum *b)
{
	for (int i = 0; i < kind->key_count; i++)
		if (!same_value(&kind->columns[i], a[i], b[i]))
			return false;
	return true;
}

/* ---- changes ---- */

/* Can the event of a new row be written? A moment without end cannot. */
static bool
is_writable(const EventKind *kind, const Datum *values)
{
	return kind->emit != emit_op || !TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(values[OP_EVENT_CREATED_AT]));
}

/* Report a new row. */
static void
tell_insert(LogicalDecodingContext *ctx, Relation relation, ReorderBufferChange *change,
			const EventKind *kind, const CvgEventLayout *layout)
{
	Datum		values[CVG_MAX_EVENT_COLUMNS];
	HeapTuple	row = new_row(change);

	if (row == NULL || read_row(relation, row, kind, layout, kind->column_count, values, 0) < kind->column_count ||
		!is_writable(kind, values))
		cannot_write(ctx, kind);
	else
		write_line(ctx, values, kind->emit);
}

/* Report a deleted row. */
static void
tell_delete(LogicalDecodingContext *ctx, Relation relation, ReorderBufferChange *change,
			const EventKind *kind, const CvgEventLayout *layout)
{
	Datum		values[CVG_MAX_EVENT_COLUMNS];
	HeapTuple	row = old_row(change);

	if (row == NULL || !layout->identified ||
		read_row(relation, row, kind, layout, kind->key_count, values, 0) < kind->key_count)
		cannot_identify(ctx, kind);
	else
		write_line(ctx, values, kind->emit);
}

/*
 * Tell a changed row; one that has another key now is gone under its old one.  The log
 * has the old key where it changed, or is too long for the row.
 */
static void
tell_update(LogicalDecodingContext *ctx, Relation relation, ReorderBufferChange *change,
			const EventKind *kind, const CvgEventLayout *layout)
{
	Datum		was[CVG_MAX_EVENT_COLUMNS] = {0};
	Datum		is[CVG_MAX_EVENT_COLUMNS];
	HeapTuple	row = old_row(change);
	int			had = layout->identified && row != NULL ?
	read_row(relation, row, kind, layout, kind->column_count, was, 0) : 0;
	bool		has_old = had >= kind->key_count;
	int			known;

	memcpy(is, was, sizeof(is));
	known = read_row(relation, new_row(change), kind, layout, kind->column_count, is, has_old ? had : 0);
	if (!layout->identified)
		cannot_identify(ctx, kind);
	if (known < kind->key_count)
	{
		cannot_write(ctx, kind);
		return;
	}
	if (has_old && !same_key(kind, was, is))
		write_line(ctx, was, is_renewed(kind, was, is) ? emit_renewed : kind->emit_gone);

	/*
	 * a long title that was left alone has nothing to tell, nor itself to
	 * tell it with
	 */
	if (known == kind->column_count)
		write_line(ctx, is, kind->emit);
}

/* Report a change of one of the extension's tables. */
static void
tell_change(LogicalDecodingContext *ctx, Relation relation, ReorderBufferChange *change,
			const EventKind *kind, const CvgEventLayout *layout)
{
	if (layout->state == CVG_TABLE_UNREADABLE)
		cannot_read(ctx, kind, layout);
	else if (change->action == REORDER_BUFFER_CHANGE_INSERT)
		tell_insert(ctx, relation, change, kind, layout);
	else if (change->action == REORDER_BUFFER_CHANGE_DELETE)
		tell_delete(ctx, relation, change, kind, layout);
	else
		tell_update(ctx, relation, change, kind, layout);
}

/* ---- callbacks ---- */

/*
 * Tell the consumer from time to time that a long transaction which has nothing
 * for it is being read, lest it takes the silence for death.  From PostgreSQL 16
 * the server does that by itself.
 */
static void
count_silent_change(LogicalDecodingContext *ctx)
{
#if PG_VERSION_NUM < 160000
	DecodeState *state = ctx->output_plugin_private;

	if (++state->silent_changes < PROGRESS_CHANGES)
		return;
	state->silent_changes = 0;
	OutputPluginUpdateProgress(ctx, false);
#endif
}

/* Set up a decoding session. */
static void
decode_startup(LogicalDecodingContext *ctx, OutputPluginOptions *opt, bool is_init)
{
	static bool listening = false;
	DecodeState *state = palloc0(sizeof(DecodeState));

	state->context = AllocSetContextCreate(ctx->context, "converge change",
										   ALLOCSET_DEFAULT_SIZES);
	state->options.shards = 1;
	cvg_parse_options(&state->options, ctx->output_plugin_options);
	ctx->output_plugin_private = state;
	opt->output_type = OUTPUT_PLUGIN_TEXTUAL_OUTPUT;

	/*
	 * such a callback stays for the life of the process, whose sessions share
	 * it
	 */
	if (!listening)
		CacheRegisterRelcacheCallback(forget_layouts, (Datum) 0);
	listening = true;
}

/* Begin a transaction. */
static void
decode_begin(LogicalDecodingContext *ctx, ReorderBufferTXN *txn)
{
	DecodeState *state = ctx->output_plugin_private;
	MemoryContext before = MemoryContextSwitchTo(state->context);

	state->spoke = state->resynced = false;
	state->commit_time = txn->xact_time.commit_time;
	state->has_ddl = rbtxn_has_catalog_changes(txn);
	forget_foreign(state);
	if (state->has_ddl)
	{
		cvg_look_up_told_tables(state->tables);
		state->tables_at = relcache_generation;
	}
	MemoryContextSwitchTo(before);
	MemoryContextReset(state->context);
}

/* End a transaction. */
static void
decode_commit(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, XLogRecPtr commit_lsn)
{
	DecodeState *state = ctx->output_plugin_private;
	MemoryContext before = MemoryContextSwitchTo(state->context);

	if (state->has_ddl)
		compare_tables(ctx);
	MemoryContextSwitchTo(before);
	MemoryContextReset(state->context);
	OutputPluginUpdateProgress(ctx, !state->spoke);
}

/* Turn a change into its event, if it has one. */
static void
decode_change(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, Relation relation,
			  ReorderBufferChange *change)
{
	DecodeState *state = ctx->output_plugin_private;
	MemoryContext before = MemoryContextSwitchTo(state->context);

	count_silent_change(ctx);
	for (int i = 0; i < lengthof(event_kinds); i++)
	{
		const CvgEventLayout *layout;

		if (event_kinds[i].action != change->action)
			continue;
		layout = find_layout(state, i, relation);
		if (layout == NULL)
			continue;

		/*
		 * what the transaction's own DDL did comes first, since it was done
		 * first
		 */
		if (state->has_ddl && state->tables_at != relcache_generation)
			compare_tables(ctx);
		tell_change(ctx, relation, change, &event_kinds[i], layout);
		break;
	}
	MemoryContextSwitchTo(before);
	MemoryContextReset(state->context);
}

/* Tables were emptied. */
static void
decode_truncate(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, int count, Relation relations[],
				ReorderBufferChange *change)
{
	DecodeState *state = ctx->output_plugin_private;
	MemoryContext before = MemoryContextSwitchTo(state->context);

	for (int i = 0; i < count; i++)
		if (cvg_is_told_table(relations[i]))
			cannot_tell(ctx, RelationGetRelationName(relations[i]), "It was truncated.", NULL);
	MemoryContextSwitchTo(before);
	MemoryContextReset(state->context);
}

/* Name the callbacks. */
void
_PG_output_plugin_init(OutputPluginCallbacks *callbacks)
{
	callbacks->startup_cb = decode_startup;
	callbacks->begin_cb = decode_begin;
	callbacks->change_cb = decode_change;
	callbacks->truncate_cb = decode_truncate;
	callbacks->commit_cb = decode_commit;
}
