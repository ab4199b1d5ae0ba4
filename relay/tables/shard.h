/*
 * tables/shard.h: which documents this relay follows on the stream.
 */
#ifndef RELAY_SHARD_H
#define RELAY_SHARD_H

#include "base/config.h"
#include "base/docmap.h"
#include "base/mem.h"

#include <stdbool.h>

bool		shard_is_followed(const struct config *config, const struct uuid *doc);
void		shard_put_options(const struct config *config, struct buf *command);

#endif							/* RELAY_SHARD_H */
