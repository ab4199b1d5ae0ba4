/*
 * http/encoding.h: which encodings of a content a client takes.
 */
#ifndef RELAY_HTTP_ENCODING_H
#define RELAY_HTTP_ENCODING_H

#include <stdbool.h>

bool		encoding_takes_gzip(const char *accept);

#endif							/* RELAY_HTTP_ENCODING_H */
