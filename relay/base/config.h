/*
 * base/config.h: the options of the relay, from its command line, its environment
 * and its file.
 */
#ifndef RELAY_CONFIG_H
#define RELAY_CONFIG_H

#include "base/log.h"

#include <stdbool.h>
#include <stdio.h>

/* a list of texts, as given by an option that may be repeated */
struct config_list
{
	char	  **items;
	int			count;
};

struct config
{
	char	   *dsn;
	char	   *listen;
	char	   *listen_host;	/* the two parts of listen */
	int			listen_port;
	struct config_list jwt_keys;
	char	   *jwt_alg;
	char	   *jwks;
	char	   *jwt_audience;
	char	   *jwt_issuer;
	int			jwt_skew_s;
	struct config_list origins;
	char	   *tls_cert;
	char	   *tls_key;
	char	   *web;
	struct config_list operators;
	enum log_level log_level;
	int			ring_entries;
	int			ring_bytes;
	int			max_message_bytes;
	int			max_memory_mib;
	int			max_connections;
	int			address_connections;
	int			user_connections;
	int			rate;
	int			burst;
	int			user_rate;
	int			user_burst;
	int			writers;
	int			waiters;
	int			shards;
	struct config_list shard;
	bool	   *followed;		/* by shard; NULL: all */
	int			readers;
	int			callers;
	int			call_rate;
	int			call_burst;
	int			login_rate;
	int			login_burst;
	int			token_lifetime_s;
	int			held_ops;
	int			handshake_timeout_s;
	int			body_timeout_s;
	int			answer_timeout_s;
	int			hello_timeout_s;
	int			ping_interval_s;
	int			drain_timeout_s;
	int			ready_lag_s;
	int			verify_interval_s;
	int			presence_timeout_s;
	int			deflate_bytes;
};

enum config_result
{
	CONFIG_RUN,					/* go on */
	CONFIG_DONE,				/* --help or --version was answered: exit 0 */
	CONFIG_BAD					/* the error was written: exit 2 */
};

enum config_result config_load(struct config *config, int argc, char **argv, FILE *out, FILE *err);
void		config_free(struct config *config);

/*
 * Get how many bytes the relay takes without having asked for them: an operation of the
 * stream, and what a reading of rooms returns. What is larger is left to those who need it.
 */
size_t		config_largest_unasked(const struct config *config);
void		config_print_options(FILE *out);

#endif							/* RELAY_CONFIG_H */
