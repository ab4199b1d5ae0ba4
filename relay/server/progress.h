/*
 * server/progress.h: whether the peer of a socket takes what was written to it.
 */
#ifndef RELAY_PROGRESS_H
#define RELAY_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* what was known of a socket at the last look; zeroed: nothing */
struct progress
{
	uint64_t	taken_bytes;	/* by the peer's kernel, ever */
	bool		waited;			/* there was more for it to take */
};

/*
 * Return true if the peer has taken some of what waited for it at the last look.
 * `more` says that something waits beside what the kernel holds for the socket.
 */
bool		progress_look(struct progress *progress, int fd, bool more);

#endif							/* RELAY_PROGRESS_H */
