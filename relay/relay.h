/*
 * relay.h: the whole of it: every part, for those who wire them and end them.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "auth/auth.h"
#include "base/config.h"
#include "server/listener.h"
#include "base/ledger.h"
#include "base/metrics.h"
#include "presence/presence.h"
#include "presence/link.h"
#include "tables/reader.h"
#include "http/rest.h"
#include "room/room.h"
#include "server/server.h"
#include "session/session.h"
#include "tables/shard.h"
#include "tables/stream.h"
#include "backfill.h"
#include "http/web.h"
#include "tables/writer.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum phase
{
	PHASE_RUNNING,
	PHASE_DRAINING,				/* edits under way are waited for */
	PHASE_CLOSING,				/* clients are told to come back elsewhere */
	PHASE_ENDED
};

struct relay
{
	struct config config;
	struct metrics metrics;
	struct ledger ledger;
	uv_loop_t	loop;
	struct auth *auth;
	struct rooms *rooms;
	struct writer *writer;
	struct reader *reader;
	struct rest *rest;
	struct web *web;
	struct stream *stream;
	struct backfill *backfill;
	struct presence *presence;
	struct presence_link *presence_link;
	struct sessions *sessions;
	struct server *server;
	struct listener *listener;
	enum phase	phase;
	uint64_t	phase_ends;
	uint64_t	turn_began_ns;
	uint64_t	idle_ns;		/* spent waiting until then, all turns */
	uv_prepare_t before_poll;
	uv_check_t	after_poll;
	uv_timer_t	tick;
	uv_timer_t	gap_timer;
	uv_timer_t	slow_timer;
	uv_timer_t	drain_timer;
	uv_signal_t sigterm;
	uv_signal_t sigint;
	uv_signal_t sighup;
};

/* wiring.c: make the parts, each knowing whom it tells what; false: one cannot be, which was logged */
bool		relay_wire(struct relay *relay);

/* ready.c: return true if clients that come now are served, or why not */
bool		relay_is_ready(void *arg, const char **reason);

/* loop.c: what runs with every turn of the loop, every second, or on a signal */
void		relay_start_handles(struct relay *relay);

#endif							/* RELAY_RELAY_H */
