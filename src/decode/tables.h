/*
 * decode/tables.h
 *		What the output plugin knows of tables: which belong to the extension, the
 *		positions of their columns, and whether their rows can be decoded.
 *
 * A name is not enough: in a database without the extension any role may make a
 * table converge.ops of any shape. A table counts only as a member of the extension,
 * and a column only with the type that its bytes are read as.
 *
 * All of this reads the catalogs as they were when the change was made, so it is for
 * the callbacks of decoding alone.
 */
#ifndef CVG_DECODE_TABLES_H
#define CVG_DECODE_TABLES_H

#include "postgres.h"

#include "utils/relcache.h"

#define CVG_SCHEMA			"converge"
#define CVG_MAX_EVENT_COLUMNS	16

/* A column that an event is made of. */
typedef struct CvgEventColumn
{
	const char *name;
	Oid			type;			/* InvalidOid: one of the extension's own, */
	const char *own_type;		/* which has this name */
	bool		nullable;		/* decode/values.h says what a null is */
} CvgEventColumn;

typedef enum CvgTableState
{
	CVG_TABLE_UNKNOWN,			/* not looked up */
	CVG_TABLE_FOREIGN,			/* not the extension's */
	CVG_TABLE_UNREADABLE,		/* the extension's, with columns that are not */
	CVG_TABLE_OWN
} CvgTableState;

/* Where an event's columns stand in its table as it is now. */
typedef struct CvgEventLayout
{
	CvgTableState state;
	Oid			relid;
	bool		identified;		/* the log has the old key of every row that
								 * was changed or deleted */
	int			bad_column;		/* of an unreadable one */
	int			columns[CVG_MAX_EVENT_COLUMNS]; /* index into a deformed tuple */
} CvgEventLayout;

/*
 * Look up a table that has the right name: whose it is, and where the columns of an
 * event stand, the first key_count of which are what a row is known by.
 */
extern void cvg_look_up_layout(Relation relation, const CvgEventColumn *columns, int column_count,
							   int key_count, CvgEventLayout *layout);

/* ---- all of the extension's tables that consumers of the stream hold something of ---- */

#define CVG_TOLD_TABLES		10

extern const char *const cvg_told_names[CVG_TOLD_TABLES];

/* One of them: where its rows are. All zero: there is none whose changes are logged. */
typedef struct CvgToldTable
{
	Oid			relid;
	Oid			file;
} CvgToldTable;

/* Look all of them up, this transaction's own doings included. */
extern void cvg_look_up_told_tables(CvgToldTable tables[CVG_TOLD_TABLES]);

/* Return true if it is one of the extension's tables whose changes are reported. */
extern bool cvg_is_told_table(Relation relation);

#endif							/* CVG_DECODE_TABLES_H */
