/*
 * server/head.h: connections whose request has not come yet. Its head is looked at
 * before libwebsockets takes it out of the socket, for what that does not tell:
 * the path as it was written, and a head that is too long.
 */
#ifndef RELAY_HEAD_H
#define RELAY_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct heads;

struct heads_callbacks
{
	/*
	 * the head is there, and still in the socket; target is what is asked for,
	 * as it was written, NULL where there is no such line
	 */
	void		(*ready) (void *arg, int fd, void *owner, const char *target, size_t target_len);
	/* the connection ended here: it was refused, it is gone, or it said nothing in time; it is closed */
	void		(*ended) (void *arg, void *owner, bool refused);
	void	   *arg;
};

struct heads *heads_new(uv_loop_t *loop, int timeout_s, const struct heads_callbacks *callbacks);

/* wait for the head of a request; the socket is taken over */
void		heads_wait(struct heads *heads, int fd, void *owner);

/* end all; the loop has to come to its end before heads_free */
void		heads_close(struct heads *heads);
void		heads_free(struct heads *heads);

#endif							/* RELAY_HEAD_H */
