/*
 * upkeep/container.c
 *		A document as bytes: the frame around its description and its packs.
 */
#include "postgres.h"

#include "base/errors.h"
#include "upkeep/container.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include <zstd.h>

#define LEVEL			9
#define CHECKSUM_SIZE	32
#define MAX_DESCRIPTION	((uint64) 512 << 20)

static const uint8 magic[8] = {'C', 'V', 'G', 'D', 'O', 'C', 0, CONTAINER_FORMAT};

/* Fail: it is not what was written. */
void
cvg_container_damaged(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the exported document is damaged"),
			 errdetail("%s", detail)));
}

/* Hash a run of bytes. */
static void
checksum_of(const void *bytes, Size size, uint8 checksum[CHECKSUM_SIZE])
{
	bytea	   *copy = palloc(VARHDRSZ + size);
	bytea	   *hash;

	SET_VARSIZE(copy, VARHDRSZ + size);
	memcpy(VARDATA(copy), bytes, size);
	hash = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea, PointerGetDatum(copy)));
	memcpy(checksum, VARDATA_ANY(hash), CHECKSUM_SIZE);
	pfree(copy);
}

/* ---- writing ---- */

static void
put_size(StringInfo out, uint64 size)
{
	uint64		big = pg_hton64(size);

	appendBinaryStringInfo(out, (const char *) &big, sizeof(big));
}

static void
put_short_size(StringInfo out, uint32 size)
{
	uint32		big = pg_hton32(size);

	appendBinaryStringInfo(out, (const char *) &big, sizeof(big));
}

/* Begin with a description. */
void
cvg_container_begin(StringInfo out, const text *description)
{
	Size		size = VARSIZE_ANY_EXHDR(description);
	Size		room = ZSTD_compressBound(size);
	char	   *packed = palloc(room);
	Size		packed_size = ZSTD_compress(packed, room, VARDATA_ANY(description), size, LEVEL);

	if (ZSTD_isError(packed_size))
		elog(ERROR, "could not compress: %s", ZSTD_getErrorName(packed_size));
	initStringInfo(out);
	/* room for the header of a datum */
	appendStringInfoSpaces(out, VARHDRSZ);
	appendBinaryStringInfo(out, (const char *) magic, sizeof(magic));
	put_size(out, size);
	put_size(out, packed_size);
	appendBinaryStringInfo(out, packed, (int) packed_size);
	pfree(packed);
}

/* Add a pack. */
void
cvg_container_add(StringInfo out, const uint8 *pack, Size size)
{
	put_short_size(out, (uint32) size);
	appendBinaryStringInfo(out, (const char *) pack, (int) size);
}

/* End it. */
bytea *
cvg_container_finish(StringInfo out)
{
	uint8		checksum[CHECKSUM_SIZE];

	put_short_size(out, 0);
	checksum_of(out->data + VARHDRSZ, out->len - VARHDRSZ, checksum);
	appendBinaryStringInfo(out, (const char *) checksum, CHECKSUM_SIZE);
	SET_VARSIZE(out->data, out->len);
	return (bytea *) out->data;
}

/* ---- reading ---- */

/* Take bytes, which must be there. */
static const uint8 *
take(ContainerReader *reader, uint64 size)
{
	const uint8 *bytes = reader->next;

	if ((uint64) (reader->end - reader->next) < size)
		cvg_container_damaged("It ends too early.");
	reader->next += size;
	return bytes;
}

static uint64
take_size(ContainerReader *reader)
{
	uint64		size;

	memcpy(&size, take(reader, sizeof(size)), sizeof(size));
	return pg_ntoh64(size);
}

/* Check the frame, and what it covers. */
static void
check_frame(const bytea *data, ContainerReader *reader)
{
	uint8		checksum[CHECKSUM_SIZE];
	Size		size = VARSIZE_ANY_EXHDR(data);

	reader->next = (const uint8 *) VARDATA_ANY(data);
	if (size < sizeof(magic) + CHECKSUM_SIZE || memcmp(reader->next, magic, sizeof(magic) - 1) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the data is no exported document")));
	if (reader->next[sizeof(magic) - 1] != CONTAINER_FORMAT)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("unknown format %d of an exported document", reader->next[sizeof(magic) - 1]),
				 errdetail("This version of converge reads format %d.", CONTAINER_FORMAT)));
	reader->end = reader->next + size - CHECKSUM_SIZE;
	checksum_of(reader->next, size - CHECKSUM_SIZE, checksum);
	if (memcmp(checksum, reader->end, CHECKSUM_SIZE) != 0)
		cvg_container_damaged("Its checksum is wrong.");
	reader->next += sizeof(magic);
}

/* Check a container and return its description. */
text *
cvg_container_open(const bytea *data, ContainerReader *reader)
{
	uint64		size;
	uint64		packed_size;
	const uint8 *packed;
	text	   *description;

	check_frame(data, reader);
	size = take_size(reader);
	packed_size = take_size(reader);
	packed = take(reader, packed_size);
	if (size > MAX_DESCRIPTION || ZSTD_getFrameContentSize(packed, packed_size) != size)
		cvg_container_damaged("The size of its description is wrong.");
	description = palloc(VARHDRSZ + size);
	if (ZSTD_decompress(VARDATA(description), size, packed, packed_size) != size)
		cvg_container_damaged("Its description cannot be decompressed.");
	SET_VARSIZE(description, VARHDRSZ + size);
	pg_verifymbstr(VARDATA(description), (int) size, false);
	return description;
}

/* The next pack. */
bool
cvg_container_next(ContainerReader *reader, const uint8 **pack, Size *size)
{
	uint32		given;

	memcpy(&given, take(reader, sizeof(given)), sizeof(given));
	*size = pg_ntoh32(given);
	if (*size == 0)
	{
		if (reader->next != reader->end)
			cvg_container_damaged("There is something behind its end.");
		return false;
	}
	*pack = take(reader, *size);
	return true;
}
