/*
 * room/seen.c: the versions that the stream showed of documents without a room: a
 * room that opens later reads the tables until they have what was seen.
 */
#include "room/state.h"

#include "base/life.h"

#include <string.h>

/* Get a document's row in the table of versions seen. */
static struct seen *
seen_row(struct rooms *rooms, const struct uuid *doc)
{
	return &rooms->seen[uuid_hash(doc) % LIMIT_SEEN_DOCUMENTS];
}

/* Remember what the stream showed of a document. */
void
rooms_note_seen(struct rooms *rooms, const struct uuid *doc, int64_t version, int64_t sequence_id)
{
	struct seen *row = seen_row(rooms, doc);

	if (!uuid_equal(&row->doc, doc) || row->version < version)
		*row = (struct seen)
	{
		*doc, version, sequence_id
	};
}

/* Get the last version seen of a document in this life, or 0. */
int64_t
rooms_seen(struct rooms *rooms, const struct uuid *doc, const struct uuid *life)
{
	const struct seen *row = seen_row(rooms, doc);

	return uuid_equal(&row->doc, doc) && life_may_have(life, row->sequence_id) ? row->version : 0;
}

/* Forget what was seen of a document, or with NULL of any: another history has other versions. */
void
rooms_forget_seen(struct rooms *rooms, const struct uuid *doc)
{
	struct seen *row = doc != NULL ? seen_row(rooms, doc) : NULL;

	if (doc == NULL)
		memset(rooms->seen, 0, sizeof(rooms->seen));
	else if (uuid_equal(&row->doc, doc))
		row->version = 0;
}
