/*
 * upkeep/container.h
 *		A document as bytes, as export_document() returns them.
 *
 *		"CVGDOC", a zero byte, the format			8 bytes
 *		size of the description, and in zstd		twice 8 bytes, big end first
 *		the description, JSON, as a zstd frame
 *		the packs of its ops, each with its size	4 bytes each, big end first
 *		0										4 bytes
 *		SHA-256 of all before					32 bytes
 *
 * The description has the rows of all tables but the log.
 */
#ifndef CVG_CONTAINER_H
#define CVG_CONTAINER_H

#include "postgres.h"

#include "lib/stringinfo.h"

#define CONTAINER_FORMAT	1

/* ---- writing ---- */

extern void cvg_container_begin(StringInfo out, const text *description);
extern void cvg_container_add(StringInfo out, const uint8 *pack, Size size);
extern bytea *cvg_container_finish(StringInfo out);

/* ---- reading ---- */

typedef struct ContainerReader
{
	const uint8 *next;
	const uint8 *end;			/* of what the checksum covers */
} ContainerReader;

/* Check a container and return its description; errors are those of damage. */
extern text *cvg_container_open(const bytea *data, ContainerReader *reader);

/* The next pack; false behind the last. */
extern bool cvg_container_next(ContainerReader *reader, const uint8 **pack, Size *size);

/* Fail: it is not what was written. */
pg_noreturn extern void cvg_container_damaged(const char *detail);

#endif							/* CVG_CONTAINER_H */
