/*
 * bare/broadcast.c
 *		A bare broadcaster to measure against: every message of a client goes to all
 *		clients as it is.  Nothing is stored, checked or looked at.
 *
 *		broadcast PORT uv|poll
 *
 * It is meant to be libwebsockets at its best: one frame for all receivers, written in
 * the turn that brought it to every socket that has taken everything before it; the
 * writeable callback serves the others.  What they are behind by is one list of
 * frames, in which each has a place, and which begins with the slowest.  The loop is
 * libuv's, or libwebsockets's own, which is poll(2).
 *
 * A message of type hello is answered with a joined, so that clients of the relay can
 * be its clients.
 */
#include <libwebsockets.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A message, and those that came after it. */
typedef struct Frame
{
	struct Frame *next;
	size_t		holds;			/* of those who wait for it, the one before
								 * it, and of the newest */
	size_t		size;
	unsigned char data[];		/* with LWS_PRE bytes before the text */
} Frame;

typedef struct Client
{
	struct lws *wsi;
	struct Client *next;
	struct Client *previous;
	Frame	   *due;			/* the first one it was not sent; NULL: it has
								 * all */
	char	   *message;		/* what has come of one */
	size_t		message_size;
} Client;

static Client *clients;
static Frame *newest;
static struct lws_context *context;

static const char hello[] = "{\"type\":\"hello\"";
static const char joined[] = "{\"type\":\"joined\",\"version\":0,\"resumed\":true}";

/* ---- frames ---- */

/* A frame of a text, held once. */
static Frame *
frame_new(const char *text, size_t size)
{
	Frame	   *frame = malloc(sizeof(Frame) + LWS_PRE + size);

	if (frame == NULL)
		abort();
	frame->next = NULL;
	frame->holds = 1;
	frame->size = size;
	memcpy(frame->data + LWS_PRE, text, size);
	return frame;
}

/* The last to let go of a frame lets go of the one after it too. */
static void
frame_release(Frame *frame)
{
	while (frame != NULL && --frame->holds == 0)
	{
		Frame	   *next = frame->next;

		free(frame);
		frame = next;
	}
}

/* Write a frame to a socket; false where that was its end. */
static bool
write_frame(const Client *client, Frame *frame)
{
	return lws_write(client->wsi, frame->data + LWS_PRE, frame->size, LWS_WRITE_TEXT) >= 0;
}

/* ---- clients ---- */

/* Send a message to everybody. */
static void
broadcast(const char *text, size_t size)
{
	Frame	   *frame = frame_new(text, size);

	for (Client *client = clients; client != NULL; client = client->next)
	{
		if (client->due != NULL)
			continue;
		if (!lws_partial_buffered(client->wsi))
		{
			write_frame(client, frame);
			continue;
		}
		client->due = frame;
		frame->holds++;
		lws_callback_on_writable(client->wsi);
	}
	if (newest != NULL)
	{
		newest->next = frame;
		frame->holds++;
	}
	frame_release(newest);
	newest = frame;
}

/* Send what one waits for, as far as its socket takes it. */
static int
catch_up(Client *client)
{
	while (client->due != NULL && !lws_partial_buffered(client->wsi))
	{
		Frame	   *frame = client->due;

		if (!write_frame(client, frame))
			return -1;
		client->due = frame->next;
		if (client->due != NULL)
			client->due->holds++;
		frame_release(frame);
	}
	if (client->due != NULL)
		lws_callback_on_writable(client->wsi);
	return 0;
}

/* A whole message. */
static void
take_message(Client *client, const char *text, size_t size)
{
	Frame	   *frame;

	if (size < sizeof(hello) || memcmp(text, hello, sizeof(hello) - 1) != 0)
	{
		broadcast(text, size);
		return;
	}
	frame = frame_new(joined, sizeof(joined) - 1);
	write_frame(client, frame);
	frame_release(frame);
}

/* A piece of a message. */
static void
receive(Client *client, const char *text, size_t size)
{
	bool		whole = lws_is_final_fragment(client->wsi) &&
	lws_remaining_packet_payload(client->wsi) == 0;

	if (whole && client->message == NULL)
	{
		take_message(client, text, size);
		return;
	}
	client->message = realloc(client->message, client->message_size + size);
	if (client->message == NULL)
		abort();
	memcpy(client->message + client->message_size, text, size);
	client->message_size += size;
	if (!whole)
		return;
	take_message(client, client->message, client->message_size);
	free(client->message);
	client->message = NULL;
	client->message_size = 0;
}

static void
enter(Client *client, struct lws *wsi)
{
	client->wsi = wsi;
	client->next = clients;
	if (clients != NULL)
		clients->previous = client;
	clients = client;
}

static void
leave(Client *client)
{
	if (client->wsi == NULL)
		return;
	if (client->previous != NULL)
		client->previous->next = client->next;
	else
		clients = client->next;
	if (client->next != NULL)
		client->next->previous = client->previous;
	frame_release(client->due);
	free(client->message);
}

static int
on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	switch (reason)
	{
		case LWS_CALLBACK_ESTABLISHED:
			enter(user, wsi);
			return 0;
		case LWS_CALLBACK_RECEIVE:
			receive(user, in, len);
			return 0;
		case LWS_CALLBACK_SERVER_WRITEABLE:
			return catch_up(user);
		case LWS_CALLBACK_CLOSED:
			leave(user);
			return 0;
		default:
			return lws_callback_http_dummy(wsi, reason, user, in, len);
	}
}

/* ---- the process ---- */

static void
on_term(int signal)
{
	_exit(0);
}

int
main(int argc, char **argv)
{
	static const struct lws_protocols protocols[] = {
		{.name = "converge.v1",.callback = on_event,.per_session_data_size = sizeof(Client),
		.rx_buffer_size = 1024,.tx_packet_size = 1024 * 1024},
		{0}
	};

	/* nobody's life is watched, which would cost a timer a client */
	static const lws_retry_bo_t no_idle_policy = {0};
	struct lws_context_creation_info info = {0};
	struct rlimit files;

	if (argc != 3)
	{
		fprintf(stderr, "usage: broadcast PORT uv|poll\n");
		return 2;
	}
	lws_set_log_level(LLL_ERR, NULL);
	getrlimit(RLIMIT_NOFILE, &files);
	info.port = atoi(argv[1]);
	info.iface = "127.0.0.1";
	info.protocols = protocols;
	info.pt_serv_buf_size = 16384;
	info.max_http_header_data = 8192;
	info.retry_and_idle_policy = &no_idle_policy;
	info.fd_limit_per_thread = (unsigned) files.rlim_cur;
	if (strcmp(argv[2], "uv") == 0)
		info.options |= LWS_SERVER_OPTION_LIBUV;
	context = lws_create_context(&info);
	if (context == NULL)
		return 1;
	/* now, since libuv had its own idea of it */
	signal(SIGTERM, on_term);
	while (lws_service(context, 0) >= 0)
		;
	return 1;
}
