/*
 * backfill.h: reading rooms from the tables, one that misses something or all of them,
 * where the stream may have shown too little.
 */
#ifndef RELAY_BACKFILL_H
#define RELAY_BACKFILL_H

#include "tables/reader.h"
#include "room/room.h"
#include "tables/stream.h"

struct backfill;

struct backfill *backfill_new(uv_loop_t *loop, const struct config *config, struct rooms *rooms, struct reader *reader,
							const struct stream *stream);
void		backfill_fetch(struct backfill *backfill, const struct uuid *doc, int64_t from, const struct revision *known);
void		backfill_start(struct backfill *backfill, bool now);
void		backfill_close(struct backfill *backfill);

#endif							/* RELAY_BACKFILL_H */
