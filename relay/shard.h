/*
 * shard.h: which documents this relay follows on the stream.
 */
#ifndef RELAY_SHARD_H
#define RELAY_SHARD_H

#include "config.h"
#include "docmap.h"
#include "mem.h"

#include <stdbool.h>

bool		shard_is_followed(const struct config *config, const struct uuid *doc);
void		shard_put_options(const struct config *config, struct buf *command);

#endif							/* RELAY_SHARD_H */
