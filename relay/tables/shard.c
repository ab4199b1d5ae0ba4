/*
 * tables/shard.c: which documents this relay follows on the stream.
 *
 * The output plugin divides documents by CRC-32C of their ids, and so does
 * this: the two must agree.
 */
#include "tables/shard.h"

/* Castagnoli's polynomial, its bits reversed */
#define CRC32C_POLYNOMIAL 0x82f63b78U

/* Get the checksum of a document's id. */
static uint32_t
crc32c(const struct uuid *doc)
{
	uint32_t	crc = UINT32_MAX;

	for (int i = 0; i < UUID_BYTES; i++)
	{
		crc ^= doc->bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
	}
	return ~crc;
}

/* Tell whether the stream shows a document; else the tables are read for it. */
bool
shard_is_followed(const struct config *config, const struct uuid *doc)
{
	return config->followed == NULL || config->followed[crc32c(doc) % (uint32_t) config->shards];
}

/* Add to the options of the output plugin what it is to show. */
void
shard_put_options(const struct config *config, struct buf *command)
{
	const char *before = "";

	if (config->followed == NULL)
		return;
	buf_format(command, ", \"shards\" '%d', \"shard\" '", config->shards);
	for (int i = 0; i < config->shards; i++)
	{
		if (!config->followed[i])
			continue;
		buf_format(command, "%s%d", before, i);
		before = ",";
	}
	buf_put(command, "'", 1);
}
