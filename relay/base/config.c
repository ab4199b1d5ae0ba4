/*
 * base/config.c: one table of options, read from the command line, the
 * environment and a file.
 *
 * Each row of the table is --name on the command line, CONVERGE_NAME in the
 * environment (dashes become underscores) and "name = value" in the file named by
 * --config. The command line overrides the environment, which overrides the file,
 * which overrides the default.
 */
#include "base/config.h"

#include "base/bounds.h"
#include "base/mem.h"
#include "base/version.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* what comes unasked is a part of the memory, as several pieces of it are there at once */
#define UNASKED_PART 16
#define UNASKED_MOST ((size_t) 8 << 20)

#define LINE_BYTES 4096
#define NAME_BYTES 64

enum option_type
{
	OPTION_TEXT,
	OPTION_NUMBER,
	OPTION_LEVEL,
	OPTION_LIST
};

struct option
{
	const char *name;
	enum option_type type;
	size_t		offset;
	const char *value_name;
	const char *default_value;
	int			min;
	int			max;
	const char *help;
};

#define FIELD(field) offsetof(struct config, field)

/* as many as the output plugin knows */
#define MAX_SHARDS 4096

static const struct option options[] = {
	{"dsn", OPTION_TEXT, FIELD(dsn), "CONNINFO", "", 0, 0,
	"PostgreSQL connection string for libpq; missing parameters come from PG* variables. A password given here is visible in the list of processes: use PGPASSFILE, --config or the environment"},
	{"listen", OPTION_TEXT, FIELD(listen), "ADDR:PORT", "127.0.0.1:8080", 0, 0,
	"address and port to listen on; port 0 picks a free port and logs it"},
	{"jwt-key", OPTION_LIST, FIELD(jwt_keys), "[KID=]FILE", "", 0, 0,
	"key that verifies tokens, repeatable: a secret for HS256, a public key (PEM) for RS256 and ES256"},
	{"jwt-alg", OPTION_TEXT, FIELD(jwt_alg), "ALG", "HS256", 0, 0,
	"algorithm of the --jwt-key keys: HS256, RS256 or ES256"},
	{"jwks", OPTION_TEXT, FIELD(jwks), "FILE", "", 0, 0,
	"more keys, as a JSON Web Key Set; the type of each key decides its algorithm"},
	{"jwt-audience", OPTION_TEXT, FIELD(jwt_audience), "TEXT", "", 0, 0,
	"a token's aud must be or contain this text; default: not checked"},
	{"jwt-issuer", OPTION_TEXT, FIELD(jwt_issuer), "TEXT", "", 0, 0,
	"a token's iss must be this text; default: not checked"},
	{"jwt-skew", OPTION_NUMBER, FIELD(jwt_skew_s), "SECONDS", "10", 0, 3600,
	"allowed clock difference between the relay and token issuers"},
	{"origin", OPTION_LIST, FIELD(origins), "URL", "", 0, 0,
	"Origin that browsers may connect from, repeatable; default: any"},
	{"tls-cert", OPTION_TEXT, FIELD(tls_cert), "FILE", "", 0, 0,
	"certificate chain (PEM); with --tls-key, all connections use TLS"},
	{"tls-key", OPTION_TEXT, FIELD(tls_key), "FILE", "", 0, 0,
	"private key (PEM) of the certificate"},
	{"web", OPTION_TEXT, FIELD(web), "DIR", "", 0, 0,
	"folder of files to serve to browsers, such as the editor page"},
	{"operator", OPTION_LIST, FIELD(operators), "USER", "", 0, 0,
	"id of a user who may ask how large all documents are, repeatable; default: nobody"},
	{"log-level", OPTION_LEVEL, FIELD(log_level), "LEVEL", "info", 0, 0,
	"least severe level to log: error, warn, info or debug"},
	{"ring-entries", OPTION_NUMBER, FIELD(ring_entries), "N", "1024", 1, 1000000,
	"operations kept in memory for each document; a client further behind is served from the tables"},
	{"ring-bytes", OPTION_NUMBER, FIELD(ring_bytes), "BYTES", "1048576", 1024, 1073741824,
	"bytes of operations kept in memory for each document"},
	{"max-message", OPTION_NUMBER, FIELD(max_message_bytes), "BYTES", "1114112", 1024, 67108864,
	"longest message accepted from a client (by default an operation of 1 MiB and its envelope)"},
	{"max-memory", OPTION_NUMBER, FIELD(max_memory_mib), "MIB", "1024", 1, 1048576,
		"mebibytes for all that waits in the relay: operations of documents, messages, answers, bodies, edits; "
	"at the bound the user or address that holds most loses connections"},
	{"max-connections", OPTION_NUMBER, FIELD(max_connections), "N", "20000", 1, 1000000,
	"maximum number of connections at the same time, over HTTP as well; further ones get 503"},
	{"max-per-address", OPTION_NUMBER, FIELD(address_connections), "N", "0", 0, 1000000,
	"maximum number of connections from one address at the same time; further ones are closed unread; 0: no limit"},
	{"max-per-user", OPTION_NUMBER, FIELD(user_connections), "N", "0", 0, 1000000,
	"maximum number of clients of one user at the same time; further ones are closed with 4429; 0: no limit"},
	{"rate", OPTION_NUMBER, FIELD(rate), "N", "5000", 0, 1000000,
	"sustained messages per second from one client; 0: no limit"},
	{"burst", OPTION_NUMBER, FIELD(burst), "N", "10000", 1, 1000000,
	"messages that one client may send in a burst"},
	{"user-rate", OPTION_NUMBER, FIELD(user_rate), "N", "10000", 0, 1000000,
	"sustained messages per second from all clients of one user together; 0: no limit"},
	{"user-burst", OPTION_NUMBER, FIELD(user_burst), "N", "20000", 1, 1000000,
	"messages that all clients of one user together may send in a burst"},
	{"writers", OPTION_NUMBER, FIELD(writers), "N", "2", 1, 64,
	"PostgreSQL connections that submit batches of edits"},
	{"waiters", OPTION_NUMBER, FIELD(waiters), "N", "2", 1, 64,
	"PostgreSQL connections that submit edits to documents locked by other transactions"},
	{"readers", OPTION_NUMBER, FIELD(readers), "N", "2", 1, 64,
	"PostgreSQL connections for joins and catching up"},
	{"callers", OPTION_NUMBER, FIELD(callers), "N", "4", 1, 64,
	"PostgreSQL connections for the REST API"},
	{"call-rate", OPTION_NUMBER, FIELD(call_rate), "N", "100", 0, 1000000,
	"sustained REST requests per second from one user; 0: no limit"},
	{"call-burst", OPTION_NUMBER, FIELD(call_burst), "N", "500", 1, 1000000,
	"REST requests that one user may send in a burst"},
	{"login-rate", OPTION_NUMBER, FIELD(login_rate), "N", "1", 0, 1000000,
	"sustained logins and sign-ups per second from one address; 0: no limit"},
	{"login-burst", OPTION_NUMBER, FIELD(login_burst), "N", "20", 1, 1000000,
	"logins and sign-ups from one address in a burst"},
	{"token-lifetime", OPTION_NUMBER, FIELD(token_lifetime_s), "SECONDS", "43200", 1, 31536000,
	"lifetime of the tokens issued at login, which are signed with the first --jwt-key if it is for HS256"},
	{"shards", OPTION_NUMBER, FIELD(shards), "N", "1", 1, MAX_SHARDS,
	"number of shards that documents are divided into, by a hash of their id"},
	{"shard", OPTION_LIST, FIELD(shard), "I", "", 0, 0,
	"shard that this relay follows on the replication stream, repeatable; default: all"},
	{"held-ops", OPTION_NUMBER, FIELD(held_ops), "N", "20000", 1, 10000000,
	"maximum number of edits that wait while PostgreSQL is unavailable; those of the user with most are then rejected as unavailable"},
	{"handshake-timeout", OPTION_NUMBER, FIELD(handshake_timeout_s), "SECONDS", "10", 1, 3600,
	"time for a new connection to finish TLS and send its request"},
	{"body-timeout", OPTION_NUMBER, FIELD(body_timeout_s), "SECONDS", "60", 1, 3600,
	"time for a request's body to arrive"},
	{"answer-timeout", OPTION_NUMBER, FIELD(answer_timeout_s), "SECONDS", "60", 1, 3600,
	"time after which a connection is closed if the client reads nothing of an HTTP answer"},
	{"hello-timeout", OPTION_NUMBER, FIELD(hello_timeout_s), "SECONDS", "10", 1, 3600,
	"time for a new client to send hello"},
	{"ping-interval", OPTION_NUMBER, FIELD(ping_interval_s), "SECONDS", "25", 1, 3600,
	"interval of pings to each client; a client that neither answers nor reads for three intervals is closed"},
	{"drain-timeout", OPTION_NUMBER, FIELD(drain_timeout_s), "SECONDS", "10", 0, 3600,
	"at shutdown, time to wait for unanswered edits"},
	{"ready-lag", OPTION_NUMBER, FIELD(ready_lag_s), "SECONDS", "30", 0, 86400,
	"lag of the replication stream above which /readyz fails; 0: no limit"},
	{"verify-interval", OPTION_NUMBER, FIELD(verify_interval_s), "SECONDS", "0", 0, 86400,
	"interval of asking each client for the checksum of its text; 0: never"},
	{"presence-timeout", OPTION_NUMBER, FIELD(presence_timeout_s), "SECONDS", "30", 3, LIMIT_PRESENCE_TIMEOUT_S,
	"time after which other relays drop the clients of this relay if it sends nothing"},
	{"deflate", OPTION_NUMBER, FIELD(deflate_bytes), "BYTES", "0", 0, 1048576,
	"compress messages of at least this many bytes for clients that offer permessage-deflate; 0: never"},
};

#define OPTION_COUNT (sizeof(options) / sizeof(options[0]))

static const char config_option[] = "config";

/* Find an option by its name. */
static const struct option *
find_option(const char *name)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
	{
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	}
	return NULL;
}

/* Get the place of an option's value. */
static void *
field_of(struct config *config, const struct option *option)
{
	return (char *) config + option->offset;
}

/* Get an option's name as an environment variable. */
static void
environment_name(const char *name, char variable[NAME_BYTES])
{
	size_t		len = (size_t) snprintf(variable, NAME_BYTES, "CONVERGE_%s", name);

	for (size_t i = 0; i < len && i < NAME_BYTES; i++)
		variable[i] = variable[i] == '-' ? '_' : (char) toupper((unsigned char) variable[i]);
}

/* Empty a list. */
static void
clear_list(struct config_list *list)
{
	for (int i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	memset(list, 0, sizeof(*list));
}

/* Append the items of a comma-separated text to a list. */
static void
append_list(struct config_list *list, const char *value)
{
	while (*value != '\0')
	{
		size_t		len = strcspn(value, ",");

		if (len > 0)
		{
			list->items = mem_grow(list->items, (size_t) (list->count + 1) * sizeof(char *));
			list->items[list->count++] = mem_string(value, len);
		}
		value += len + (value[len] == ',' ? 1 : 0);
	}
}

/* Read a whole number. */
static bool
parse_number(const char *text, long *value)
{
	char	   *end;

	errno = 0;
	*value = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0';
}

/* Take a value for an option, or say what is wrong with it. */
static bool
set_option(struct config *config, const struct option *option, const char *value, FILE *err)
{
	char	  **text = field_of(config, option);
	long		number;

	switch (option->type)
	{
		case OPTION_TEXT:
			free(*text);
			*text = mem_string(value, strlen(value));
			return true;
		case OPTION_LIST:
			append_list(field_of(config, option), value);
			return true;
		case OPTION_LEVEL:
			if (log_level_parse(value, field_of(config, option)))
				return true;
			fprintf(err, "converge-relay: %s: \"%s\" is not one of error, warn, info, debug\n", option->name, value);
			return false;
		case OPTION_NUMBER:
			if (parse_number(value, &number) && number >= option->min && number <= option->max)
			{
				*(int *) field_of(config, option) = (int) number;
				return true;
			}
			fprintf(err, "converge-relay: %s: \"%s\" is not a whole number from %d to %d\n",
					option->name, value, option->min, option->max);
			return false;
	}
	return false;
}

/* Fill in the defaults. */
static void
set_defaults(struct config *config)
{
	memset(config, 0, sizeof(*config));
	for (size_t i = 0; i < OPTION_COUNT; i++)
		set_option(config, &options[i], options[i].default_value, stderr);
}

/* Cut white space off both ends of a text. */
static char *
trim(char *text)
{
	size_t		len;

	while (isspace((unsigned char) *text))
		text++;
	len = strlen(text);
	while (len > 0 && isspace((unsigned char) text[len - 1]))
		text[--len] = '\0';
	return text;
}

/* Take one line of the file. */
static bool
read_line(struct config *config, char *line, const char *path, int number, FILE *err)
{
	char	   *name = trim(line);
	char	   *equals = strchr(name, '=');
	const struct option *option;

	if (*name == '\0' || *name == '#')
		return true;
	if (equals == NULL)
	{
		fprintf(err, "converge-relay: %s:%d: \"name = value\" expected\n", path, number);
		return false;
	}
	*equals = '\0';
	option = find_option(trim(name));
	if (option == NULL)
	{
		fprintf(err, "converge-relay: %s:%d: unknown option \"%s\"\n", path, number, trim(name));
		return false;
	}
	return set_option(config, option, trim(equals + 1), err);
}

/* Read the file given by --config. */
static bool
read_file(struct config *config, const char *path, FILE *err)
{
	FILE	   *file = fopen(path, "r");
	char		line[LINE_BYTES];
	bool		good = true;

	if (file == NULL)
	{
		fprintf(err, "converge-relay: config: \"%s\": %s\n", path, strerror(errno));
		return false;
	}
	for (int number = 1; good && fgets(line, sizeof(line), file) != NULL; number++)
		good = read_line(config, line, path, number, err);
	fclose(file);
	return good;
}

/* Take what the environment says. */
static bool
read_environment(struct config *config, FILE *err)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
	{
		char		variable[NAME_BYTES];
		const char *value;

		environment_name(options[i].name, variable);
		value = getenv(variable);
		if (value == NULL)
			continue;
		if (options[i].type == OPTION_LIST)
			clear_list(field_of(config, &options[i]));
		if (!set_option(config, &options[i], value, err))
			return false;
	}
	return true;
}

/*
 * Split an argument "--name=value" or "--name" "value"; *at is moved past it.
 * Returns false with a message where it is not one.
 */
static bool
split_argument(int argc, char **argv, int *at, char name[NAME_BYTES], const char **value, FILE *err)
{
	const char *argument = argv[(*at)++];
	const char *equals = strchr(argument, '=');
	size_t		len;

	if (strncmp(argument, "--", 2) != 0)
	{
		fprintf(err, "converge-relay: unexpected argument \"%s\" (see --help)\n", argument);
		return false;
	}
	len = equals != NULL ? (size_t) (equals - argument) - 2 : strlen(argument) - 2;
	if (len >= NAME_BYTES)
		len = NAME_BYTES - 1;
	memcpy(name, argument + 2, len);
	name[len] = '\0';
	if (find_option(name) == NULL && strcmp(name, config_option) != 0)
	{
		fprintf(err, "converge-relay: unknown option \"--%s\" (see --help)\n", name);
		return false;
	}
	*value = equals != NULL ? equals + 1 : *at < argc ? argv[(*at)++] : NULL;
	if (*value == NULL)
		fprintf(err, "converge-relay: --%s needs a value\n", name);
	return *value != NULL;
}

/* Take what the command line says. */
static bool
read_arguments(struct config *config, int argc, char **argv, FILE *err)
{
	bool		cleared[OPTION_COUNT] = {false};

	for (int at = 1; at < argc;)
	{
		char		name[NAME_BYTES];
		const char *value;
		const struct option *option;

		if (!split_argument(argc, argv, &at, name, &value, err))
			return false;
		option = find_option(name);
		if (option == NULL)
			continue;			/* --config was read first */
		if (option->type == OPTION_LIST && !cleared[option - options])
		{
			clear_list(field_of(config, option));
			cleared[option - options] = true;
		}
		if (!set_option(config, option, value, err))
			return false;
	}
	return true;
}

/* Find the path of the file, which has to be read before everything else. */
static bool
find_file(int argc, char **argv, const char **path, FILE *err)
{
	*path = getenv("CONVERGE_CONFIG");
	for (int at = 1; at < argc;)
	{
		char		name[NAME_BYTES];
		const char *value;

		if (!split_argument(argc, argv, &at, name, &value, err))
			return false;
		if (strcmp(name, config_option) == 0)
			*path = value;
	}
	return true;
}

/* Split "ADDR:PORT"; an IPv6 address stands in brackets. */
static bool
split_listen(struct config *config, FILE *err)
{
	const char *colon = strrchr(config->listen, ':');
	const char *host = config->listen;
	size_t		len = colon != NULL ? (size_t) (colon - host) : 0;
	long		port;

	if (colon == NULL || !parse_number(colon + 1, &port) || port < 0 || port > USHRT_MAX)
	{
		fprintf(err, "converge-relay: listen: \"%s\" is not ADDR:PORT with a port from 0 to %d\n", config->listen, USHRT_MAX);
		return false;
	}
	if (len >= 2 && host[0] == '[' && host[len - 1] == ']')
	{
		host++;
		len -= 2;
	}
	config->listen_host = mem_string(host, len);
	config->listen_port = (int) port;
	return true;
}

/* Note which shards are followed. */
static bool
read_shards(struct config *config, FILE *err)
{
	long		shard;

	if (config->shard.count == 0)
		return true;
	config->followed = mem_zalloc((size_t) config->shards * sizeof(bool));
	for (int i = 0; i < config->shard.count; i++)
	{
		if (!parse_number(config->shard.items[i], &shard) || shard < 0 || shard >= config->shards)
		{
			fprintf(err, "converge-relay: shard: \"%s\" is not a whole number from 0 to %d (--shards minus 1)\n",
					config->shard.items[i], config->shards - 1);
			return false;
		}
		config->followed[shard] = true;
	}
	return true;
}

/* Check what concerns more than one option. */
static bool
check_together(struct config *config, FILE *err)
{
	if (!split_listen(config, err) || !read_shards(config, err))
		return false;
	if (config->jwt_keys.count == 0 && *config->jwks == '\0')
	{
		fprintf(err, "converge-relay: a key is required: set jwt-key or jwks\n");
		return false;
	}
	if ((*config->tls_cert == '\0') != (*config->tls_key == '\0'))
	{
		fprintf(err, "converge-relay: tls-cert and tls-key must be set together\n");
		return false;
	}
	return true;
}

/* Print the options, a paragraph each. */
void
config_print_options(FILE *out)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
	{
		fprintf(out, "  --%s %s\n        %s", options[i].name, options[i].value_name, options[i].help);
		if (*options[i].default_value != '\0')
			fprintf(out, " [%s]", options[i].default_value);
		fprintf(out, "\n");
	}
}

/* Answer --help. */
static void
print_help(FILE *out)
{
	fprintf(out, "converge-relay %s: streams live text from PostgreSQL to WebSocket clients\n\n"
			"Usage: converge-relay --jwt-key FILE [OPTION VALUE]...\n\n"
			"Each option can also be set in the environment (--ring-bytes is CONVERGE_RING_BYTES)\n"
			"or as \"name = value\" in the file named by --config.\n\n", RELAY_VERSION);
	config_print_options(out);
	fprintf(out, "  --config FILE\n        file of options, read first\n"
			"  --help, --version\n        print this help, or the version\n");
}

/* Answer --help and --version; return true if one was given. */
static bool
answer_question(int argc, char **argv, FILE *out)
{
	for (int i = 1; i < argc; i++)
	{
		if (strcmp(argv[i], "--help") == 0)
		{
			print_help(out);
			return true;
		}
		if (strcmp(argv[i], "--version") == 0)
		{
			fprintf(out, "converge-relay %s\n", RELAY_VERSION);
			return true;
		}
	}
	return false;
}

/* Read everything; what was allocated is freed by config_free in any case. */
enum config_result
config_load(struct config *config, int argc, char **argv, FILE *out, FILE *err)
{
	const char *path;

	set_defaults(config);
	if (answer_question(argc, argv, out))
		return CONFIG_DONE;
	if (!find_file(argc, argv, &path, err))
		return CONFIG_BAD;
	if (path != NULL && *path != '\0' && !read_file(config, path, err))
		return CONFIG_BAD;
	if (!read_environment(config, err) || !read_arguments(config, argc, argv, err))
		return CONFIG_BAD;
	return check_together(config, err) ? CONFIG_RUN : CONFIG_BAD;
}

size_t
config_largest_unasked(const struct config *config)
{
	size_t		share = ((size_t) config->max_memory_mib << 20) / UNASKED_PART;

	return share < UNASKED_MOST ? share : UNASKED_MOST;
}

/* Give the texts back. */
void
config_free(struct config *config)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
	{
		if (options[i].type == OPTION_TEXT)
			free(*(char **) field_of(config, &options[i]));
		else if (options[i].type == OPTION_LIST)
			clear_list(field_of(config, &options[i]));
	}
	free(config->listen_host);
	free(config->followed);
	memset(config, 0, sizeof(*config));
}
