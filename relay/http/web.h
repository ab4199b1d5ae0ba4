/*
 * http/web.h: files of a folder, for browsers.
 */
#ifndef RELAY_WEB_H
#define RELAY_WEB_H

#include "http/exchange.h"

#include <stdbool.h>

struct web;

/* NULL where there is no such folder, which was logged; a path of no length is no folder at all */
struct web *web_new(const char *folder);
void		web_free(struct web *web);

/* answer a GET with a file; false where there is none, and nothing was answered */
bool		web_handle(const struct web *web, struct exchange *x);

#endif							/* RELAY_WEB_H */
