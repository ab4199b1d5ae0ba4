/*
 * past/pack_format.h
 *		Cold history as bytes: consecutive ops of one document, column by column.
 *
 * What goes in comes out to the bit, for any values.  Small are those packs
 * where values follow from those before them: versions, sequence numbers and
 * operation ids that count up, bases one below their version, hashes that are
 * those of their op, positions where the same author's last edit ended.
 *
 * A pack is a format byte, the number of its ops as a varint, and one zstd
 * frame with a checksum that holds the columns one after another.
 *
 * Like the core: C11, here with libzstd; an OtStatus from all that can fail;
 * memory from the caller's allocator.  Nothing else is held while the allocator
 * is called, so that it need not return.
 */
#ifndef CONVERGE_PACK_FORMAT_H
#define CONVERGE_PACK_FORMAT_H

#include "../ot/ot.h"

typedef struct PackOp
{
	int64_t		version;
	int64_t		seq;
	int64_t		base_version;
	int64_t		created_at;		/* microseconds */
	uint8_t		op_id[16];
	int32_t		submitted_hash;
	const char *user_id;		/* not zero-terminated */
	int			user_len;
	OtOp		op;
} PackOp;

/*
 * What submitted_hash is of an op that was not transformed.  It must never
 * change: the hashes of a pack are stored as exceptions from it.
 */
typedef int32_t (*PackHash) (OtOp op);

/* ---- writing (pack_write.c) ---- */

typedef struct PackWriter PackWriter;

extern OtStatus pack_writer_create(const OtAllocator *allocator, PackHash hash,
								   PackWriter **writer);

/*
 * Add the next op, which is copied.  OT_MALFORMED when its version does not
 * follow the last one's.  After an error the writer may only be freed.
 */
extern OtStatus pack_writer_add(PackWriter *writer, const PackOp *op);

/* Ops added. */
extern int64_t pack_writer_count(const PackWriter *writer);

/* Bytes held, before compression: what to end a pack of large ops by. */
extern size_t pack_writer_size(const PackWriter *writer);

/* Write the pack into an empty `out`; the writer then begins anew. */
extern OtStatus pack_writer_finish(PackWriter *writer, OtBuffer *out);
extern void pack_writer_free(PackWriter *writer);

/* ---- reading (pack_read.c) ---- */

typedef struct PackReader PackReader;

/* Decompress a pack; `data` is not needed any more then. */
extern OtStatus pack_reader_open(const OtAllocator *allocator, PackHash hash,
								 const uint8_t *data, size_t size, PackReader **reader);

/* How many ops the pack holds. */
extern int64_t pack_reader_count(const PackReader *reader);

/*
 * The next op; *found is false behind the last.  What `op` points to lives until
 * the next call.  OT_MALFORMED for bytes that no writer wrote.
 */
extern OtStatus pack_reader_next(PackReader *reader, PackOp *op, bool *found);
extern void pack_reader_free(PackReader *reader);

/* ---- where the bytes go, for tests and benchmarks ---- */

typedef struct PackColumn
{
	const char *name;
	size_t		size;			/* before compression */
	size_t		packed;			/* its part of the frame, about */
} PackColumn;

/*
 * The columns of what the last pack_writer_finish() wrote; returns how many.
 * Columns of a few bytes are compressed together, with the first larger one
 * behind them.
 */
extern int	pack_writer_columns(const PackWriter *writer, const PackColumn **columns);

#endif							/* CONVERGE_PACK_FORMAT_H */
