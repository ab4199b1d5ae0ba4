/*
 * server_http.c: HTTP beside the WebSockets.
 */
#include "server_private.h"

#include "frame.h"
#include "mem.h"

#include <string.h>

/* Tell whether a browser on this page may connect; programs send no Origin. */
bool
server_origin_allowed(const struct server *server, struct lws *wsi)
{
	const struct config_list *origins = &server->config.config->origins;
	char		origin[URI_BYTES];

	if (origins->count == 0 || lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) <= 0)
		return true;
	if (lws_hdr_copy(wsi, origin, sizeof(origin), WSI_TOKEN_ORIGIN) < 0)
		return false;
	for (int i = 0; i < origins->count; i++)
	{
		if (strcmp(origins->items[i], origin) == 0)
			return true;
	}
	return false;
}

/* Send a whole answer to a request. */
int
server_send_answer(struct lws *wsi, int status, const char *type, const struct buf *body)
{
	unsigned char headers[LWS_PRE + 512];
	unsigned char *start = headers + LWS_PRE;
	unsigned char *p = start;
	unsigned char *end = headers + sizeof(headers) - 1;
	struct frame *frame;
	int			written;

	if (lws_add_http_common_headers(wsi, (unsigned) status, type, body->len, &p, end) ||
		lws_finalize_write_http_header(wsi, start, &p, end))
		return -1;
	frame = frame_text(body->data != NULL ? body->data : "", body->len);
	written = lws_write(wsi, frame->text, frame->len, LWS_WRITE_HTTP_FINAL);
	frame_unref(frame);
	return written < 0 ? -1 : 0;
}

/* Answer a request that is no WebSocket. */
int
server_answer_http(struct server *server, struct lws *wsi, const char *path)
{
	struct buf	body = {0};
	const char *type;
	int			status = 405;
	int			result;

	if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0)
		status = http_answer(&server->config.http, path, &body, &type);
	else
	{
		type = "text/plain; charset=utf-8";
		buf_text(&body, "only GET is answered here\n");
	}
	result = server_send_answer(wsi, status, type, &body);
	buf_free(&body);
	if (result < 0)
		return -1;
	/* a relay that ends keeps no connection for a next request */
	return lws_http_transaction_completed(wsi) || server->draining ? -1 : 0;
}
