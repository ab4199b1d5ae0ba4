/*
 * http/exchange.h: a request over HTTP and the answer to it, which may come later.
 *
 * Whoever handles an exchange answers it exactly once: at once, or after it
 * has set `cancel`, which is called where the client goes away first.
 */
#ifndef RELAY_EXCHANGE_H
#define RELAY_EXCHANGE_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

struct exchange
{
	/* the request, its texts without percent signs */
	const char *method;			/* of the table in server_http.c */
	char	   *path;
	struct buf	arguments;		/* "name=value" and a NUL, for each */
	char	   *token;			/* of the Authorization header, or NULL */
	char	   *origin;			/* the page's, or NULL */
	char	   *if_none_match;	/* or NULL */
	char	   *content_type;	/* or NULL */
	char	   *peer;			/* the client's address */
	struct buf	body;

	/* the answer */
	int			status;
	const char *type;			/* of the content; a literal */
	struct buf	headers;		/* "name: value" and a NUL, for each */
	struct buf	content;
	bool		answered;

	/* whoever answers later */
	void		(*cancel) (struct exchange *x);
	void	   *handler;

	/* the server's */
	void		(*done) (struct exchange *x);
	void	   *conn;
};

extern const char exchange_json[];
extern const char exchange_problem[];
extern const char exchange_text[];

struct exchange *exchange_new(void);
void		exchange_free(struct exchange *x);
bool		exchange_is(const struct exchange *x, const char *method);
const char *exchange_argument(const struct exchange *x, const char *name);
void		exchange_header(struct exchange *x, const char *name, const char *format,...)
			__attribute__((format(printf, 3, 4)));
void		exchange_answer(struct exchange *x, int status, const char *type);
void		exchange_fail(struct exchange *x, int status, const char *code, const char *detail);

#endif							/* RELAY_EXCHANGE_H */
