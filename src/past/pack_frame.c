/*
 * past/pack_frame.c
 *		The columns of a pack as one zstd frame; all that knows of zstd.
 *
 * Each column of some size is compressed as blocks of its own, so that none
 * spoils the statistics of another.  zstd allocates with malloc: what it holds
 * is given back before the allocator, which need not return, is called again.
 */
#include <string.h>
#include <zstd.h>

#include "pack_columns.h"

/* Higher levels take many times as long, and a percent off at best. */
#define LEVEL			12

/* Columns are compressed together until they are so many bytes. */
#define SMALLEST_BLOCK	128

/* Bytes that ending a block early may cost. */
#define BLOCK_OVERHEAD	32

/* Format and count. */
#define MAX_HEAD		(1 + PACK_MAX_VARINT)

/* Sizes of the columns, at the beginning of the frame's content. */
#define MAX_TABLE		(PACK_COLUMNS * PACK_MAX_VARINT)

/*
 * What a frame may claim to hold: what can be allocated in one piece, and no
 * more than zstd can put into its bytes (a block of 128 kB into four).
 */
#define MAX_PAYLOAD		((uint64_t) 0x3fffffff)
#define MAX_RATIO		((uint64_t) 32768)

static const char *const column_names[PACK_COLUMNS] = {
	[PACK_ORIGIN] = "origin",
	[PACK_USER_TEXT] = "user text",
	[PACK_HASH] = "hash",
	[PACK_ID] = "id",
	[PACK_SEQ] = "seq",
	[PACK_BASE] = "base",
	[PACK_USER] = "user",
	[PACK_ID_STREAM] = "id stream",
	[PACK_ID_STEP] = "id step",
	[PACK_KINDS] = "kinds",
	[PACK_POSITION] = "position",
	[PACK_RETAIN] = "retain",
	[PACK_DELETE] = "delete",
	[PACK_INSERT] = "insert",
	[PACK_TIME_LOW] = "time low",
	[PACK_TIME_MIDDLE] = "time middle",
	[PACK_TIME_HIGH] = "time high",
	[PACK_TEXT] = "text"
};

/* ---- writing ---- */

static size_t
write_table(const OtBuffer *columns, uint8_t *table)
{
	uint8_t    *at = table;

	for (int i = 0; i < PACK_COLUMNS; i++)
		at = pack_varint_write(at, columns[i].size);
	return (size_t) (at - table);
}

/* Compress some bytes more; false is a failure. */
static bool
feed(ZSTD_CCtx *zstd, const void *bytes, size_t size, ZSTD_EndDirective directive,
	 ZSTD_outBuffer *frame)
{
	ZSTD_inBuffer in = {bytes, size, 0};
	size_t		left;

	do
	{
		left = ZSTD_compressStream2(zstd, frame, &in, directive);
		if (ZSTD_isError(left) || (left > 0 && frame->pos == frame->size))
			return false;
	}
	while (in.pos < in.size || (directive != ZSTD_e_continue && left > 0));
	return true;
}

/* Compress all columns; false is a failure. */
static bool
compress_columns(ZSTD_CCtx *zstd, const OtBuffer *columns, PackColumn *sizes,
				 ZSTD_outBuffer *frame)
{
	size_t		pending = 0;

	for (int i = 0; i < PACK_COLUMNS; i++)
	{
		ZSTD_EndDirective directive = ZSTD_e_continue;
		size_t		before = frame->pos;

		pending += columns[i].size;
		if (i == PACK_COLUMNS - 1)
			directive = ZSTD_e_end;
		else if (pending >= SMALLEST_BLOCK)
		{
			directive = ZSTD_e_flush;
			pending = 0;
		}
		if (!feed(zstd, columns[i].data, columns[i].size, directive, frame))
			return false;
		sizes[i].name = column_names[i];
		sizes[i].size = columns[i].size;
		sizes[i].packed = frame->pos - before;
	}
	return true;
}

/* Compress a table of `table_size` bytes and the columns into one frame. */
static OtStatus
compress_frame(const uint8_t *table, size_t table_size, size_t payload,
			   const OtBuffer *columns, PackColumn *sizes, ZSTD_outBuffer *frame)
{
	ZSTD_CCtx  *zstd = ZSTD_createCCtx();
	bool		done;

	if (zstd == NULL)
		return OT_NO_MEMORY;
	done = !ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, LEVEL)) &&
		!ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1)) &&
		!ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(zstd, payload)) &&
		feed(zstd, table, table_size, ZSTD_e_continue, frame) &&
		compress_columns(zstd, columns, sizes, frame);
	ZSTD_freeCCtx(zstd);
	/* There was room for everything: nothing else can have been short. */
	return done ? OT_OK : OT_NO_MEMORY;
}

/* Write format byte, count and the compressed columns. */
OtStatus
pack_frame_write(const OtAllocator *allocator, int64_t count,
				 const OtBuffer *columns, PackColumn *sizes, OtBuffer *out)
{
	uint8_t		table[MAX_TABLE];
	size_t		table_size = write_table(columns, table);
	uint64_t	payload = table_size;
	ZSTD_outBuffer frame = {NULL, 0, 0};
	uint8_t    *head;
	OtStatus	status;

	for (int i = 0; i < PACK_COLUMNS; i++)
		payload += columns[i].size;
	frame.size = MAX_HEAD + ZSTD_compressBound(payload) + PACK_COLUMNS * BLOCK_OVERHEAD;
	if (frame.size > MAX_PAYLOAD)
		return OT_TOO_LARGE;
	head = allocator->resize(allocator->ctx, NULL, frame.size);
	if (head == NULL)
		return OT_NO_MEMORY;
	head[0] = PACK_FORMAT;
	frame.dst = head;
	frame.pos = (size_t) (pack_varint_write(head + 1, (uint64_t) count) - head);
	status = compress_frame(table, table_size, payload, columns, sizes, &frame);
	if (status == OT_OK)
		status = ot_buffer_append(out, head, frame.pos);
	allocator->release(allocator->ctx, head);
	return status;
}

/* ---- reading ---- */

/* Read format byte and count; the reader is at the frame then. */
static bool
read_head(OtReader *reader, int64_t *count)
{
	uint64_t	number;

	if (reader->next == reader->end || *reader->next++ != PACK_FORMAT ||
		!pack_varint_read(reader, &number) || number > INT64_MAX)
		return false;
	*count = (int64_t) number;
	return true;
}

/* What the frame says is in it; 0 when that cannot be. */
static size_t
payload_size(const OtReader *frame)
{
	size_t		size = (size_t) (frame->end - frame->next);
	unsigned long long claimed = ZSTD_getFrameContentSize(frame->next, size);

	if (ZSTD_findFrameCompressedSize(frame->next, size) != size)
		return 0;
	if (claimed == ZSTD_CONTENTSIZE_UNKNOWN || claimed == ZSTD_CONTENTSIZE_ERROR ||
		claimed > MAX_PAYLOAD || claimed / MAX_RATIO > size)
		return 0;
	return (size_t) claimed;
}

/* Divide the payload into the columns, by the table at its beginning. */
static bool
find_columns(const uint8_t *payload, size_t size, OtReader *columns)
{
	OtReader	table = {payload, payload + size};
	uint64_t	sizes[PACK_COLUMNS];

	for (int i = 0; i < PACK_COLUMNS; i++)
		if (!pack_varint_read(&table, &sizes[i]))
			return false;
	for (int i = 0; i < PACK_COLUMNS; i++)
	{
		if (sizes[i] > (uint64_t) (table.end - table.next))
			return false;
		columns[i].next = table.next;
		table.next += sizes[i];
		columns[i].end = table.next;
	}
	return table.next == table.end;
}

/* Decompress the columns. */
OtStatus
pack_frame_read(const OtAllocator *allocator, const uint8_t *data, size_t size,
				int64_t *count, uint8_t **payload, PackInput *input)
{
	OtReader	reader = {data, data + size};
	size_t		bytes = 0;
	size_t		got;

	*payload = NULL;
	if (read_head(&reader, count))
		bytes = payload_size(&reader);
	if (bytes == 0)
		return OT_MALFORMED;
	*payload = allocator->resize(allocator->ctx, NULL, bytes);
	if (*payload == NULL)
		return OT_NO_MEMORY;
	got = ZSTD_decompress(*payload, bytes, reader.next, (size_t) (reader.end - reader.next));
	if (got != bytes || !find_columns(*payload, bytes, input->columns))
		return OT_MALFORMED;
	return OT_OK;
}
