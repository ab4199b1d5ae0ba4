/*
 * presence/link.h: presence by way of PostgreSQL: notifications between
 * relays, and the table that shows it in SQL.
 */
#ifndef RELAY_PRESENCE_LINK_H
#define RELAY_PRESENCE_LINK_H

#include "base/config.h"
#include "base/metrics.h"
#include "presence/presence.h"

#include <stdbool.h>
#include <uv.h>

struct presence_link;

struct presence_link *presence_link_new(uv_loop_t *loop, const struct config *config, struct presence *presence,
										const struct uuid *relay, struct metrics *metrics);
void		presence_link_dispatch(struct presence_link *pl);
void		presence_link_pace(struct presence_link *pl);

/* say goodbye; done when it is said, or cannot be */
void		presence_link_leave(struct presence_link *pl);
bool		presence_link_has_left(const struct presence_link *pl);
void		presence_link_close(struct presence_link *pl);

#endif							/* RELAY_PRESENCE_LINK_H */
