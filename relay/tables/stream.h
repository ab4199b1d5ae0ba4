/*
 * tables/stream.h: the replication link: committed operations in, progress out.
 */
#ifndef RELAY_STREAM_H
#define RELAY_STREAM_H

#include "base/config.h"
#include "base/docmap.h"
#include "base/metrics.h"
#include "wire/protocol.h"
#include "wire/talk_message.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct stream;

struct stream_callbacks
{
	/* a committed operation */
	void		(*event) (void *arg, const struct event *event);

	/* a comment, suggestion or message of chat, in its place among the operations */
	void		(*talk) (void *arg, const struct talk_event *event);

	/* whatever else concerns a document, in its place among the operations */
	void		(*notice) (void *arg, const struct notice *notice);

	/*
	 * from now on every commit is seen; other_history: another cluster or
	 * timeline than before
	 */
	void		(*up) (void *arg, bool other_history);
	void		(*down) (void *arg);

	/* a new connection, on the way up */
	void		(*connected) (void *arg);
	void	   *arg;
};

struct stream *stream_new(uv_loop_t *loop, const struct config *config,
						  const struct stream_callbacks *callbacks, struct metrics *metrics);
void		stream_close(struct stream *stream);
bool		stream_is_up(const struct stream *stream);
bool		stream_shows(const struct stream *stream, const struct uuid *doc);
void		stream_note_log_end(struct stream *stream, uint64_t end);

#endif							/* RELAY_STREAM_H */
