/*
 * decode/values.c
 *		Prints values of decoded rows.
 */
#include "decode/values.h"

#include "type/event.h"

#include "fmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

struct varlena *
cvg_plain_varlena(Datum value)
{
	struct varlena *data = (struct varlena *) DatumGetPointer(value);

	if (VARATT_IS_EXTERNAL_ONDISK(data))
		elog(ERROR, "row has a toasted value without its chunks");
	return PG_DETOAST_DATUM_PACKED(value);
}

void
cvg_append_text(StringInfo out, const char *key, Datum value)
{
	struct varlena *text;

	appendStringInfo(out, ",\"%s\":", key);
	if (value == CVG_NO_TEXT)
	{
		appendStringInfoString(out, "null");
		return;
	}
	text = cvg_plain_varlena(value);
	cvg_append_json_string(out, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
}

void
cvg_append_number(StringInfo out, const char *key, Datum value)
{
	appendStringInfo(out, ",\"%s\":", key);
	cvg_append_int64(out, DatumGetInt64(value));
}

void
cvg_append_flag(StringInfo out, const char *key, Datum value)
{
	appendStringInfo(out, ",\"%s\":%s", key, DatumGetBool(value) ? "true" : "false");
}

void
cvg_append_id(StringInfo out, const char *key, Datum value)
{
	appendStringInfo(out, ",\"%s\":\"", key);
	cvg_append_uuid(out, DatumGetUUIDP(value));
	appendStringInfoChar(out, '"');
}

void
cvg_append_at(StringInfo out, const char *key, Datum value)
{
	if (TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(value)))
	{
		appendStringInfo(out, ",\"%s\":null", key);
		return;
	}
	appendStringInfo(out, ",\"%s\":\"", key);
	cvg_append_moment(out, DatumGetTimestampTz(value));
	appendStringInfoChar(out, '"');
}
