/*
 * sweep.h: reading all rooms from the tables, where the stream may have shown
 * too little.
 */
#ifndef RELAY_SWEEP_H
#define RELAY_SWEEP_H

#include "tables/reader.h"
#include "room/room.h"
#include "tables/stream.h"

struct sweeper;

struct sweeper *sweeper_new(uv_loop_t *loop, const struct config *config, struct rooms *rooms, struct reader *reader,
							const struct stream *stream);
void		sweeper_start(struct sweeper *sweeper, bool now);
void		sweeper_close(struct sweeper *sweeper);

#endif							/* RELAY_SWEEP_H */
