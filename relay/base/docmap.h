/*
 * base/docmap.h: uuids, and a hash table of things that belong to a document.
 */
#ifndef RELAY_DOCMAP_H
#define RELAY_DOCMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UUID_BYTES		16
#define UUID_TEXT_LEN	36

struct uuid
{
	unsigned char bytes[UUID_BYTES];
};

bool		uuid_parse(const char *text, size_t len, struct uuid *id);
void		uuid_format(const struct uuid *id, char text[UUID_TEXT_LEN + 1]);
bool		uuid_equal(const struct uuid *a, const struct uuid *b);
void		uuid_make(struct uuid *id);
uint64_t	uuid_hash(const struct uuid *id);

/* stands first in whatever is kept in a map */
struct doc_node
{
	struct doc_node *next;
	struct uuid id;
};

struct doc_map
{
	struct doc_node **slots;
	size_t		slot_count;
	size_t		count;
};

void		doc_map_init(struct doc_map *map);
void		doc_map_free(struct doc_map *map);
void	   *doc_map_find(const struct doc_map *map, const struct uuid *id);
void		doc_map_add(struct doc_map *map, struct doc_node *node);
void		doc_map_remove(struct doc_map *map, struct doc_node *node);

#endif							/* RELAY_DOCMAP_H */
