/*
 * decode/values.h
 *		Values of decoded rows, as they are printed.
 */
#ifndef CVG_DECODE_VALUES_H
#define CVG_DECODE_VALUES_H

#include "postgres.h"

#include "lib/stringinfo.h"

/*
 * What a column that may be null has in place of a null, by its type: no text, a moment
 * before all others, 0.  None of them is a value that the extension writes there.
 */
#define CVG_NO_TEXT		((Datum) 0)
#define CVG_NO_MOMENT	Int64GetDatum(PG_INT64_MIN)
#define CVG_NO_NUMBER	Int64GetDatum(0)

/*
 * Make a varlena plain.  The reorder buffer has put the chunks of a toasted
 * value together again, behind a pointer into memory; a pointer that still
 * leads to the disk is an unchanged value, which no row we tell of can have.
 */
extern struct varlena *cvg_plain_varlena(Datum value);

/* Append a key and its text, number, flag, id or moment as JSON; where there is none, null. */
extern void cvg_append_text(StringInfo out, const char *key, Datum value);
extern void cvg_append_number(StringInfo out, const char *key, Datum value);
extern void cvg_append_flag(StringInfo out, const char *key, Datum value);
extern void cvg_append_id(StringInfo out, const char *key, Datum value);
extern void cvg_append_at(StringInfo out, const char *key, Datum value);

#endif							/* CVG_DECODE_VALUES_H */
