/*
 * http/target.h: what a request asks for, read from how it was written: its path and
 * its arguments. Pure: text in, text out.
 */
#ifndef RELAY_TARGET_H
#define RELAY_TARGET_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The path with its escapes decoded, once; a plus, a semicolon and an ampersand
 * are themselves. False where it is none, or has empty or dotted parts, which
 * are for the caller to judge.
 */
bool		target_path(const char *target, size_t len, struct buf *path);

/* tells whether the path, as it was written, has characters that a form gives another meaning */
bool		target_has_signs(const char *target, size_t len);

#endif							/* RELAY_TARGET_H */
