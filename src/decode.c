/*
 * decode.c
 *		The output plugin "converge": committed changes of converge's tables as
 *		JSON lines ready to be sent, one OutputPluginWrite a line, nothing else.
 *
 * Invariant: a line is a function of its row and of the options alone, so that
 * every consumer of the stream, and whoever reads the row with SQL later, sees
 * the same event. (With the option "committed" it also tells of its commit, which
 * no row does.)
 *
 * Which tables speak, on which change, and how, stands in event_kinds; which
 * options there are, in options.  A table is known by its schema's name, which
 * the control file fixes, and its own; its columns by theirs, since upgrades add
 * to them.
 */
#include "converge.h"

#include <errno.h>
#include <stdlib.h>

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

#define CVG_SCHEMA			"converge"
#define MAX_SHARDS			4096
#define MAX_COLUMNS			8

/* Progress is reported at every so many changes that are not ours. */
#define PROGRESS_CHANGES	100

typedef struct DecodeState DecodeState;

/*
 * One kind of event: an action on a table and the line made of its row.  Of a
 * deleted row the log has the key alone.
 */
typedef struct EventKind
{
	const char *table;
	enum ReorderBufferChangeType action;
	int			column_count;
	const char *columns[MAX_COLUMNS];	/* [0] holds the document's id */
	void		(*emit) (const DecodeState *state, StringInfo out, const Datum *values);
} EventKind;

/* Where a kind's columns stand in the table as it is now. */
typedef struct EventLayout
{
	Oid			relid;			/* InvalidOid: not looked up */
	int			columns[MAX_COLUMNS];	/* index into a deformed tuple */
} EventLayout;

/* The columns of converge.ops that an event is made of, as event_kinds has them. */
enum
{
	OPS_DOC_ID,
	OPS_VERSION,
	OPS_SEQ,
	OPS_OP_ID,
	OPS_USER_ID,
	OPS_BASE_VERSION,
	OPS_OP,
	OPS_CREATED_AT
};

/* The columns of converge.members; a deleted row has the first two. */
enum
{
	MEMBERS_DOC_ID,
	MEMBERS_USER_ID,
	MEMBERS_ROLE
};

/* The columns of converge.documents; a deleted row has the first. */
enum
{
	DOCUMENTS_ID,
	DOCUMENTS_TITLE
};

static void emit_op(const DecodeState *state, StringInfo out, const Datum *values);
static void emit_member(const DecodeState *state, StringInfo out, const Datum *values);
static void emit_no_member(const DecodeState *state, StringInfo out, const Datum *values);
static void emit_document(const DecodeState *state, StringInfo out, const Datum *values);
static void emit_no_document(const DecodeState *state, StringInfo out, const Datum *values);

static const EventKind event_kinds[] =
{
	{
		"ops", REORDER_BUFFER_CHANGE_INSERT, OPS_CREATED_AT + 1,
		{
			"doc_id", "version", "seq", "op_id", "user_id", "base_version", "op",
			"created_at"
		},
		emit_op
	},
	{
		"members", REORDER_BUFFER_CHANGE_INSERT, MEMBERS_ROLE + 1,
		{"doc_id", "user_id", "role"}, emit_member
	},
	{
		"members", REORDER_BUFFER_CHANGE_UPDATE, MEMBERS_ROLE + 1,
		{"doc_id", "user_id", "role"}, emit_member
	},
	{
		"members", REORDER_BUFFER_CHANGE_DELETE, MEMBERS_USER_ID + 1,
		{"doc_id", "user_id"}, emit_no_member
	},
	{
		"documents", REORDER_BUFFER_CHANGE_UPDATE, DOCUMENTS_TITLE + 1,
		{"id", "title"}, emit_document
	},
	{
		"documents", REORDER_BUFFER_CHANGE_DELETE, DOCUMENTS_ID + 1,
		{"id"}, emit_no_document
	}
};

struct DecodeState
{
	MemoryContext context;		/* reset after each change */
	uint64		layouts_at;		/* relcache_generation of the layouts */
	EventLayout layouts[lengthof(event_kinds)];
	int			shards;
	Bitmapset  *wanted;			/* shards; NULL: all */
	bool		committed;		/* tell when it was committed */
	bool		spoke;			/* the transaction under way gave a line */
	TimestampTz commit_time;	/* of the transaction under way */
	int			silent_changes; /* since progress was last reported */
};

typedef struct DecodeOption
{
	const char *name;
	void		(*parse) (DecodeState *state, const char *name, char *value);
	const char *hint;
} DecodeOption;

static void parse_shards(DecodeState *state, const char *name, char *value);
static void parse_shard(DecodeState *state, const char *name, char *value);
static void parse_committed(DecodeState *state, const char *name, char *value);

/* Parsed in this order: the list of shards needs to know how many there are. */
static const DecodeOption options[] =
{
	{"shards", parse_shards, "It is the number of shards that documents are divided into."},
	{"shard", parse_shard, "It is a list of the shards to decode, such as \"0,2\", each below \"shards\"."},
	{"committed", parse_committed, "It is a Boolean: whether events tell when they were committed."}
};

/* Grows whenever any table's definition may have changed. */
static uint64 relcache_generation = 1;

PGDLLEXPORT void _PG_output_plugin_init(OutputPluginCallbacks *callbacks);

/* ---- options ---- */

/* Parse a whole number between min and max. */
static int
parse_number(const char *name, const char *text, int min, int max)
{
	char	   *end;
	long		number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || number < min || number > max)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value \"%s\" for option \"%s\" of output plugin \"converge\"",
						text, name),
				 errhint("It must be a whole number from %d to %d.", min, max)));
	return (int) number;
}

/* Parse the number of shards. */
static void
parse_shards(DecodeState *state, const char *name, char *value)
{
	state->shards = parse_number(name, value, 1, MAX_SHARDS);
}

/* Parse the list of shards to decode. */
static void
parse_shard(DecodeState *state, const char *name, char *value)
{
	List	   *numbers;
	ListCell   *cell;

	if (!SplitIdentifierString(pstrdup(value), ',', &numbers) || numbers == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value \"%s\" for option \"%s\" of output plugin \"converge\"",
						value, name),
				 errhint("It must be whole numbers from 0 to %d, separated by commas.",
						 state->shards - 1)));
	foreach(cell, numbers)
		state->wanted = bms_add_member(state->wanted,
									   parse_number(name, lfirst(cell), 0, state->shards - 1));
}

/* Parse whether events tell when they were committed. */
static void
parse_committed(DecodeState *state, const char *name, char *value)
{
	if (!parse_bool(value, &state->committed))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value \"%s\" for option \"%s\" of output plugin \"converge\"",
						value, name),
				 errhint("It must be on or off.")));
}

/* Find an option's row. */
static int
find_option(const char *name)
{
	StringInfoData known;

	initStringInfo(&known);
	for (int i = 0; i < lengthof(options); i++)
	{
		if (strcmp(options[i].name, name) == 0)
			return i;
		appendStringInfo(&known, "%s\"%s\"", i > 0 ? ", " : "", options[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized option \"%s\" of output plugin \"converge\"", name),
			 errhint("Valid options are: %s.", known.data)));
}

/* Read all options into the state. */
static void
parse_options(DecodeState *state, List *given)
{
	char	   *values[lengthof(options)] = {0};
	ListCell   *cell;

	foreach(cell, given)
	{
		DefElem    *element = lfirst(cell);
		int			i = find_option(element->defname);

		if (values[i] != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("option \"%s\" of output plugin \"converge\" is given more than once",
							options[i].name)));
		if (element->arg == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"%s\" of output plugin \"converge\" needs a value",
							options[i].name),
					 errhint("%s", options[i].hint)));
		values[i] = strVal(element->arg);
	}
	for (int i = 0; i < lengthof(options); i++)
		if (values[i] != NULL)
			options[i].parse(state, options[i].name, values[i]);
}

/* ---- tables ---- */

/* Note that some table may have changed its shape. */
static void
forget_layouts(Datum arg, Oid relid)
{
	relcache_generation++;
}

/* Find the place of a column among a table's. */
static int
find_column(Relation relation, const char *name)
{
	TupleDesc	desc = RelationGetDescr(relation);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), name) == 0)
			return i;
	}
	elog(ERROR, "column \"%s\" of table \"%s.%s\" does not exist",
		 name, CVG_SCHEMA, RelationGetRelationName(relation));
}

/* Is it converge's own table of that name? */
static bool
is_own_table(Relation relation, const char *table)
{
	char	   *schema;

	/* the cheap comparison first: most tables are somebody else's */
	if (strcmp(RelationGetRelationName(relation), table) != 0)
		return false;
	schema = get_namespace_name(RelationGetNamespace(relation));
	return schema != NULL && strcmp(schema, CVG_SCHEMA) == 0;
}

/*
 * Find where a kind's columns stand, or NULL when the table is not its own.
 * Tables of others are not remembered: there is no end to them.
 */
static const EventLayout *
find_layout(DecodeState *state, int kind, Relation relation)
{
	EventLayout *layout = &state->layouts[kind];

	if (state->layouts_at != relcache_generation)
	{
		memset(state->layouts, 0, sizeof(state->layouts));
		state->layouts_at = relcache_generation;
	}
	if (layout->relid == RelationGetRelid(relation))
		return layout;
	if (!is_own_table(relation, event_kinds[kind].table))
		return NULL;
	for (int i = 0; i < event_kinds[kind].column_count; i++)
		layout->columns[i] = find_column(relation, event_kinds[kind].columns[i]);
	layout->relid = RelationGetRelid(relation);
	return layout;
}

/* ---- events ---- */

/*
 * Make a varlena plain.  The reorder buffer has put the chunks of a toasted
 * value together again, behind a pointer into memory; a pointer that still
 * leads to the disk is an unchanged value, which no row we tell of can have.
 */
static struct varlena *
plain_varlena(Datum value)
{
	struct varlena *data = (struct varlena *) DatumGetPointer(value);

	if (VARATT_IS_EXTERNAL_ONDISK(data))
		elog(ERROR, "row has a toasted value without its chunks");
	return PG_DETOAST_DATUM_PACKED(value);
}

/* Begin an event: its type, whose document it is about, and when it was committed, in microseconds since 1970. */
static void
begin_event(const DecodeState *state, StringInfo out, const char *type, Datum doc_id)
{
	appendStringInfo(out, "{\"type\":\"%s\",\"documentId\":\"", type);
	cvg_append_uuid(out, DatumGetUUIDP(doc_id));
	appendStringInfoChar(out, '"');
	if (!state->committed)
		return;
	appendStringInfoString(out, ",\"committed\":");
	cvg_append_int64(out, state->commit_time + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY);
}

/* Append a key and its text as JSON. */
static void
append_text(StringInfo out, const char *key, Datum value)
{
	struct varlena *text = plain_varlena(value);

	appendStringInfo(out, ",\"%s\":", key);
	cvg_append_json_string(out, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
}

/* Append the event of a row of converge.ops. */
static void
emit_op(const DecodeState *state, StringInfo out, const Datum *values)
{
	struct varlena *user_id = plain_varlena(values[OPS_USER_ID]);
	struct varlena *op = plain_varlena(values[OPS_OP]);
	int			brace_at;

	begin_event(state, out, "op", values[OPS_DOC_ID]);
	brace_at = out->len;
	cvg_event_entry(out,
					DatumGetInt64(values[OPS_VERSION]),
					DatumGetInt64(values[OPS_SEQ]),
					DatumGetUUIDP(values[OPS_OP_ID]),
					VARDATA_ANY(user_id), (int) VARSIZE_ANY_EXHDR(user_id),
					DatumGetInt64(values[OPS_BASE_VERSION]),
					DatumGetTimestampTz(values[OPS_CREATED_AT]),
					cvg_op_of(op));
	/* the entry's keys go on where the event's own end */
	out->data[brace_at] = ',';
}

/* Append the event of a member who came, or whose role changed. */
static void
emit_member(const DecodeState *state, StringInfo out, const Datum *values)
{
	begin_event(state, out, "member", values[MEMBERS_DOC_ID]);
	append_text(out, "userId", values[MEMBERS_USER_ID]);
	appendStringInfo(out, ",\"role\":\"%s\"}",
					 DatumGetCString(DirectFunctionCall1(enum_out, values[MEMBERS_ROLE])));
}

/* Append the event of a member who went. */
static void
emit_no_member(const DecodeState *state, StringInfo out, const Datum *values)
{
	begin_event(state, out, "member", values[MEMBERS_DOC_ID]);
	append_text(out, "userId", values[MEMBERS_USER_ID]);
	appendStringInfoString(out, ",\"role\":null}");
}

/* Append the event of a document that was renamed. */
static void
emit_document(const DecodeState *state, StringInfo out, const Datum *values)
{
	begin_event(state, out, "document", values[DOCUMENTS_ID]);
	append_text(out, "title", values[DOCUMENTS_TITLE]);
	appendStringInfoChar(out, '}');
}

/* Append the event of a document that was deleted. */
static void
emit_no_document(const DecodeState *state, StringInfo out, const Datum *values)
{
	begin_event(state, out, "document", values[DOCUMENTS_ID]);
	appendStringInfoString(out, ",\"deleted\":true}");
}

/* Does the consumer want the document's shard? */
static bool
is_wanted(DecodeState *state, const pg_uuid_t *doc_id)
{
	pg_crc32c	crc;

	if (state->wanted == NULL)
		return true;
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, doc_id->data, UUID_LEN);
	FIN_CRC32C(crc);
	return bms_is_member((int) (crc % (pg_crc32c) state->shards), state->wanted);
}

/* Pick a kind's columns out of a row. */
static void
read_row(Relation relation, HeapTuple tuple, const EventKind *kind,
		 const EventLayout *layout, Datum *values)
{
	TupleDesc	desc = RelationGetDescr(relation);
	Datum	   *all = palloc(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc(desc->natts * sizeof(bool));

	heap_deform_tuple(tuple, desc, all, nulls);
	for (int i = 0; i < kind->column_count; i++)
	{
		if (nulls[layout->columns[i]])
			elog(ERROR, "column \"%s\" of table \"%s.%s\" is null",
				 kind->columns[i], CVG_SCHEMA, kind->table);
		values[i] = all[layout->columns[i]];
	}
}

/* Get the row a change has left behind, or what is known of the one it deleted. */
static HeapTuple
row_of(ReorderBufferChange *change)
{
	bool		deleted = change->action == REORDER_BUFFER_CHANGE_DELETE;
#if PG_VERSION_NUM >= 170000
	return deleted ? change->data.tp.oldtuple : change->data.tp.newtuple;
#else
	ReorderBufferTupleBuf *row = deleted ? change->data.tp.oldtuple : change->data.tp.newtuple;

	return row != NULL ? &row->tuple : NULL;
#endif
}

/* Did an update leave a value alone that is too long for its row? */
static bool
is_untouched(Relation relation, int column, Datum value)
{
	return TupleDescAttr(RelationGetDescr(relation), column)->attlen == -1 &&
		VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(value));
}

/* An update that left a long title alone has nothing to tell, nor the title to tell it with. */
static bool
tells_nothing(Relation relation, const EventKind *kind, const EventLayout *layout, const Datum *values)
{
	if (kind->action == REORDER_BUFFER_CHANGE_UPDATE)
		for (int i = 0; i < kind->column_count; i++)
			if (is_untouched(relation, layout->columns[i], values[i]))
				return true;
	return false;
}

/* Write the line of one of our rows, if it is wanted. */
static void
write_event(LogicalDecodingContext *ctx, Relation relation, ReorderBufferChange *change,
			const EventKind *kind, const EventLayout *layout)
{
	DecodeState *state = ctx->output_plugin_private;
	Datum		values[MAX_COLUMNS] = {0};
	HeapTuple	row = row_of(change);

	/* a deleted row without its key: somebody took the replica identity away */
	if (row == NULL)
		return;
	read_row(relation, row, kind, layout, values);
	if (!is_wanted(state, DatumGetUUIDP(values[0])) || tells_nothing(relation, kind, layout, values))
		return;
	OutputPluginPrepareWrite(ctx, true);
	kind->emit(state, ctx->out, values);
	OutputPluginWrite(ctx, true);
	state->spoke = true;
	state->silent_changes = 0;
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
	state->shards = 1;
	parse_options(state, ctx->output_plugin_options);
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

	state->spoke = false;
}

/* End a transaction. */
static void
decode_commit(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, XLogRecPtr commit_lsn)
{
	DecodeState *state = ctx->output_plugin_private;

	OutputPluginUpdateProgress(ctx, !state->spoke);
}

/* Turn a change into its event, if it has one. */
static void
decode_change(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, Relation relation,
			  ReorderBufferChange *change)
{
	DecodeState *state = ctx->output_plugin_private;
	MemoryContext before = MemoryContextSwitchTo(state->context);

	state->commit_time = txn->xact_time.commit_time;
	count_silent_change(ctx);
	for (int i = 0; i < lengthof(event_kinds); i++)
	{
		const EventLayout *layout;

		if (event_kinds[i].action != change->action)
			continue;
		layout = find_layout(state, i, relation);
		if (layout == NULL)
			continue;
		write_event(ctx, relation, change, &event_kinds[i], layout);
		break;
	}
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
	callbacks->commit_cb = decode_commit;
}
