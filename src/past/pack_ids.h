/*
 * past/pack_ids.h
 *		A filter of the operation ids in a pack: whether an id may be among them,
 *		without reading the pack.
 *
 * Ids that count up come in runs, so that what is kept is not ids but groups of 64,
 * all but the last 6 bits of an id: for one session's 8,192 ops, 256 bytes.
 *
 * A Bloom filter (B. H. Bloom, "Space/time trade-offs in hash coding with allowable
 * errors", 1970) of 16 bits a group and 8 hashes: it never denies an id that is
 * there, and lets about 1 in 1,700 other groups pass.  The hashes are two, combined
 * (A. Kirsch and M. Mitzenmacher, "Less hashing, same performance", 2006).  They
 * must never change, and are the same on every platform: filters are stored.
 */
#ifndef CONVERGE_PACK_IDS_H
#define CONVERGE_PACK_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sort ids; return the bytes of a filter for them, which begins zeroed. */
extern size_t pack_ids_size(uint8_t (*ids)[16], int64_t count);

extern void pack_ids_add(uint8_t *filter, size_t size, const uint8_t id[16]);

/* False: the id was not added.  A filter of no bytes denies nothing. */
extern bool pack_ids_may_have(const uint8_t *filter, size_t size, const uint8_t id[16]);

#endif							/* CONVERGE_PACK_IDS_H */
