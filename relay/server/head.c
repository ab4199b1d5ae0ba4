/*
 * server/head.c: connections whose request has not come yet.
 *
 * A head is only looked at (MSG_PEEK), and whoever is told of it reads it out of
 * the socket: so nothing is copied, and a body stays where it is. A socket that
 * holds a part of a head would wake the loop at once and again; so it is looked
 * at by a timer instead. A head that is too long is answered here.
 */
#include "server/head.h"

#include "base/bounds.h"
#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define STR_(x) #x
#define STR(x) STR_(x)

#define LOOK_MS 10

struct head
{
	LIST_ENTRY(head) entry;
	struct heads *heads;
	int			fd;				/* -1: handed on, or closed */
	void	   *owner;
	uv_poll_t	poll;
	uv_timer_t	timer;
	int			handles;		/* not closed yet */
	uint64_t	until_ms;
	bool		refused;		/* what still comes is thrown away */
};

struct heads
{
	struct heads_callbacks callbacks;
	uv_loop_t  *loop;
	uint64_t	timeout_ms;
	LIST_HEAD(, head) waiting;
	char		bytes[LIMIT_HEAD_BYTES + 1];	/* of the head looked at */
};

static const char refusal[] =
"HTTP/1.1 431 Request Header Fields Too Large\r\n"
"content-type: application/problem+json\r\n"
"connection: close\r\n"
"content-length: %zu\r\n\r\n%s";

static const char refusal_content[] =
"{\"type\":\"about:blank\",\"title\":\"Request Header Fields Too Large\",\"status\":431,\"code\":\"too_large\","
"\"detail\":\"a request's line and headers have at most " STR(LIMIT_HEAD_BYTES) " bytes\"}";

static void
on_handle_closed(uv_handle_t *handle)
{
	struct head *head = handle->data;

	if (--head->handles == 0)
		free(head);
}

/* Stop watching a connection; its memory goes when the loop has let go of it. */
static void
let_go(struct head *head)
{
	LIST_REMOVE(head, entry);
	head->fd = -1;
	uv_close((uv_handle_t *) &head->poll, on_handle_closed);
	uv_close((uv_handle_t *) &head->timer, on_handle_closed);
}

/* End a connection. */
static void
end(struct head *head)
{
	const struct heads_callbacks *callbacks = &head->heads->callbacks;
	int			fd = head->fd;

	let_go(head);
	close(fd);
	callbacks->ended(callbacks->arg, head->owner, head->refused);
}

static void on_timer(uv_timer_t *timer);
static void on_readable(uv_poll_t *poll, int status, int events);

/* Refuse a head that is too long, and let the client read that: a socket closed with unread bytes would take it back. */
static void
refuse(struct head *head)
{
	char		answer[sizeof(refusal) + sizeof(refusal_content) + 32];
	int			len = snprintf(answer, sizeof(answer), refusal, sizeof(refusal_content) - 1, refusal_content);

	head->refused = true;
	if (send(head->fd, answer, (size_t) len, MSG_NOSIGNAL) != len || shutdown(head->fd, SHUT_WR) != 0)
	{
		end(head);
		return;
	}
	head->until_ms = uv_now(head->heads->loop) + LIMIT_CLOSING_S * 1000;
	uv_timer_start(&head->timer, on_timer, LIMIT_CLOSING_S * 1000, 0);
	uv_poll_start(&head->poll, UV_READABLE, on_readable);
}

/* Throw away what a refused client still sends. */
static void
discard(struct head *head)
{
	ssize_t		len = recv(head->fd, head->heads->bytes, sizeof(head->heads->bytes), MSG_DONTWAIT);

	if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR))
		end(head);
}

/* Find the end of a head: an empty line, behind those that may stand in front of the request. */
static bool
is_whole(const char *bytes, size_t len, size_t *start)
{
	const char *p;

	for (*start = 0; *start < len && (bytes[*start] == '\r' || bytes[*start] == '\n');)
		++*start;
	for (p = memchr(bytes + *start, '\n', len - *start); p != NULL; p = memchr(p + 1, '\n', len - (size_t) (p + 1 - bytes)))
	{
		size_t		left = len - (size_t) (p + 1 - bytes);

		if (left > 0 && (p[1] == '\n' || (left > 1 && p[1] == '\r' && p[2] == '\n')))
			return true;
	}
	return false;
}

/* Tell whether this begins no request: libwebsockets ends it at once. */
static bool
is_no_request(const char *bytes, size_t len)
{
	return len > 0 && !isalpha((unsigned char) *bytes);
}

/* Hand a connection on, with what it asks for. */
static void
hand_on(struct head *head, const char *line, size_t len)
{
	const struct heads_callbacks *callbacks = &head->heads->callbacks;
	int			fd = head->fd;
	const char *end_of_line = memchr(line, '\n', len);
	const char *target = end_of_line != NULL ? memchr(line, ' ', (size_t) (end_of_line - line)) : NULL;
	const char *behind = target != NULL ? memchr(target + 1, ' ', (size_t) (end_of_line - target - 1)) : NULL;

	let_go(head);
	callbacks->ready(callbacks->arg, fd, head->owner, behind != NULL ? target + 1 : NULL,
					 behind != NULL ? (size_t) (behind - target - 1) : 0);
}

/* Look at what has come. */
static void
look(struct head *head)
{
	struct heads *heads = head->heads;
	ssize_t		len = recv(head->fd, heads->bytes, sizeof(heads->bytes), MSG_PEEK | MSG_DONTWAIT);
	uint64_t	now = uv_now(heads->loop);
	size_t		start;

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0)
		end(head);
	else if (is_whole(heads->bytes, (size_t) len, &start) || is_no_request(heads->bytes + start, (size_t) len - start))
		hand_on(head, heads->bytes + start, (size_t) len - start);
	else if (len > LIMIT_HEAD_BYTES)
		refuse(head);
	else if (now >= head->until_ms)
		end(head);
	else
	{
		uv_poll_stop(&head->poll);
		uv_timer_start(&head->timer, on_timer, LOOK_MS, 0);
	}
}

static void
on_readable(uv_poll_t *poll, int status, int events)
{
	struct head *head = poll->data;

	(void) events;
	if (status < 0)
		end(head);
	else if (head->refused)
		discard(head);
	else
		look(head);
}

static void
on_timer(uv_timer_t *timer)
{
	struct head *head = timer->data;

	if (head->refused || uv_now(timer->loop) >= head->until_ms)
		end(head);
	else
		look(head);
}

/* Wait for the head of a request. */
void
heads_wait(struct heads *heads, int fd, void *owner)
{
	struct head *head = mem_zalloc(sizeof(struct head));

	head->heads = heads;
	head->fd = fd;
	head->owner = owner;
	head->handles = 2;
	head->until_ms = uv_now(heads->loop) + heads->timeout_ms;
	uv_poll_init(heads->loop, &head->poll, fd);
	uv_timer_init(heads->loop, &head->timer);
	head->poll.data = head->timer.data = head;
	LIST_INSERT_HEAD(&heads->waiting, head, entry);
	uv_timer_start(&head->timer, on_timer, heads->timeout_ms, 0);
	uv_poll_start(&head->poll, UV_READABLE, on_readable);
}

struct heads *
heads_new(uv_loop_t *loop, int timeout_s, const struct heads_callbacks *callbacks)
{
	struct heads *heads = mem_zalloc(sizeof(struct heads));

	heads->callbacks = *callbacks;
	heads->loop = loop;
	heads->timeout_ms = (uint64_t) timeout_s * 1000;
	LIST_INIT(&heads->waiting);
	return heads;
}

/* End all. */
void
heads_close(struct heads *heads)
{
	while (!LIST_EMPTY(&heads->waiting))
		end(LIST_FIRST(&heads->waiting));
}

/* Give the memory back. */
void
heads_free(struct heads *heads)
{
	free(heads);
}
