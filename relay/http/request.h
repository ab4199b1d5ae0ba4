/*
 * http/request.h: a request over HTTP and the answer to it, which may come later.
 *
 * Whoever handles a request answers it exactly once: at once, or after it
 * has set `cancel`, which is called where the client goes away first.
 */
#ifndef RELAY_HTTP_REQUEST_H
#define RELAY_HTTP_REQUEST_H

#include "base/ledger.h"
#include "base/mem.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stddef.h>

struct http_request
{
	/* the request, its texts without percent signs */
	const char *method;			/* of the table in server/http.c */
	char	   *path;
	struct buf	arguments;		/* "name=value" and a NUL, for each */
	char	   *token;			/* of the Authorization header, or NULL */
	char	   *origin;			/* the page's, or NULL */
	char	   *if_none_match;	/* or NULL */
	char	   *if_match;		/* or NULL */
	char	   *accept;			/* or NULL */
	char	   *accept_encoding;	/* or NULL */
	char	   *content_type;	/* or NULL */
	char	   *peer;			/* the client's address */
	struct buf	body;
	bool		body_withheld;	/* it is longer than a stranger's may be */

	/* the answer */
	int			status;
	const char *type;			/* of the content; a literal */
	struct buf	headers;		/* "name: value" and a NUL, for each */
	struct buf	content;		/* while it is being made */
	struct frame *frame;		/* then: held once for all who wait for the
								 * same */
	bool		answered;

	struct ledger_purse purse;	/* for what waits of it */

	/* whoever answers later */
	void		(*cancel) (struct http_request *x);
	void	   *handler;

	/* the server's */
	void		(*done) (struct http_request *x);
	void	   *conn;
};

extern const char http_request_json[];
extern const char http_request_problem[];
extern const char http_request_text[];

struct http_request *http_request_new(void);
void		http_request_free(struct http_request *x);
bool		http_request_is(const struct http_request *x, const char *method);
const char *http_request_argument(const struct http_request *x, const char *name);
void		http_request_header(struct http_request *x, const char *name, const char *format,...)
			__attribute__((format(printf, 3, 4)));
void		http_request_answer(struct http_request *x, int status, const char *type);
void		http_request_fail(struct http_request *x, int status, const char *code, const char *detail);

#endif							/* RELAY_HTTP_REQUEST_H */
