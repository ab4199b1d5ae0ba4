/*
 * presence/life.c: the beginning and the end of presence, and of its connection to
 * other relays and the table.
 */
#include "presence/state.h"

#include <stdlib.h>

struct presence *
presence_new(const struct presence_callbacks *callbacks, const struct uuid *relay, int timeout_s, struct metrics *metrics)
{
	struct presence *presence = mem_zalloc(sizeof(struct presence));

	presence->callbacks = *callbacks;
	presence->metrics = metrics;
	presence->relay = *relay;
	presence->timeout_s = timeout_s;
	doc_map_init(&presence->docs);
	doc_map_init(&presence->peers.elsewhere);
	TAILQ_INIT(&presence->showing.changed);
	TAILQ_INIT(&presence->showing.waiting);
	TAILQ_INIT(&presence->peers.to_tell);
	TAILQ_INIT(&presence->rows.now);
	TAILQ_INIT(&presence->rows.later);
	return presence;
}

/* End; the clients here must have left. */
void
presence_free(struct presence *presence)
{
	presence_disconnect(presence);
	presence_forget_all(presence);
	presence_show_all(presence);
	doc_map_free(&presence->docs);
	doc_map_free(&presence->peers.elsewhere);
	free(presence);
}

/* From now on, keep what is to be told and written. */
void
presence_connect(struct presence *presence)
{
	presence->connected = true;
	presence->peers.owes_hello = true;
	presence->peers.owes_all = presence->peers.alive_count > 0;
	presence_write_all(presence);
}

/* Nobody can be told and nothing written: keep nothing for it. */
void
presence_disconnect(struct presence *presence)
{
	presence->connected = false;
	presence_stop_telling(presence);
	presence_drop_rows(presence);
}
