/*
 * lib/jwt.h
 *		Tokens for the relay: JWT, HS256.
 */
#ifndef BENCH_JWT_H
#define BENCH_JWT_H

/*
 * A token for `user` that is good for an hour, signed with the bytes of the key
 * file (a line end at its end is not part of the key).  To be freed.
 */
extern char *jwt_token(const char *key_file, const char *user);

#endif							/* BENCH_JWT_H */
