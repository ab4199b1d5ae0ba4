/*
 * test-config.c: options from the command line, the environment and a file.
 */
#include "base/config.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ARGS 16

static struct config config;
static char *out_text;
static char *err_text;

/* Load a configuration from these arguments, keeping what was printed. */
static enum config_result
load(const char *const *args)
{
	char	   *argv[MAX_ARGS] = {"converge-relay"};
	int			argc = 1;
	size_t		out_len,
				err_len;
	FILE	   *out,
			   *err;
	enum config_result result;

	free(out_text);
	free(err_text);
	out = open_memstream(&out_text, &out_len);
	err = open_memstream(&err_text, &err_len);
	while (*args != NULL)
		argv[argc++] = (char *) *args++;
	result = config_load(&config, argc, argv, out, err);
	fclose(out);
	fclose(err);
	return result;
}

#define LOAD(...) load((const char *const[]) {__VA_ARGS__ __VA_OPT__(,) NULL})
#define KEY "--jwt-key", "/some/key"

/* Write a file of options; the path is freed by nobody and lives as long as the program. */
static const char *
option_file(const char *text)
{
	static char path[] = "/tmp/converge-test-config-XXXXXX";
	FILE	   *file;

	strcpy(path + sizeof(path) - 7, "XXXXXX");
	file = fdopen(mkstemp(path), "w");
	fputs(text, file);
	fclose(file);
	return path;
}

static void
defaults(void)
{
	CHECK(LOAD(KEY) == CONFIG_RUN);
	CHECK(strcmp(config.listen_host, "127.0.0.1") == 0 && config.listen_port == 8080);
	CHECK(strcmp(config.jwt_alg, "HS256") == 0);
	CHECK(config.log_level == RELAY_INFO);
	CHECK(config.origins.count == 0);
	CHECK(config.ring_entries == 1024);
	config_free(&config);
}

static void
both_forms_of_an_argument(void)
{
	CHECK(LOAD(KEY, "--ring-entries", "10", "--ring-bytes=2048", "--log-level=debug") == CONFIG_RUN);
	CHECK(config.ring_entries == 10 && config.ring_bytes == 2048 && config.log_level == RELAY_DEBUG);
	config_free(&config);
}

static void
addresses(void)
{
	CHECK(LOAD(KEY, "--listen", "[::1]:0") == CONFIG_RUN);
	CHECK(strcmp(config.listen_host, "::1") == 0 && config.listen_port == 0);
	config_free(&config);
	CHECK(LOAD(KEY, "--listen", ":9000") == CONFIG_RUN);
	CHECK(strcmp(config.listen_host, "") == 0 && config.listen_port == 9000);
	config_free(&config);
}

static void
precedence(void)
{
	const char *path = option_file("# a comment\n\nring-entries = 1\n writers=3 \norigin = http://a,http://b\nwaiters = 4\n");

	setenv("CONVERGE_RING_ENTRIES", "2", 1);
	setenv("CONVERGE_WRITERS", "5", 1);
	CHECK(LOAD(KEY, "--config", path, "--ring-entries", "7") == CONFIG_RUN);
	CHECK(config.ring_entries == 7);
	CHECK(config.writers == 5);
	CHECK(config.waiters == 4);
	CHECK(config.origins.count == 2 && strcmp(config.origins.items[1], "http://b") == 0);
	config_free(&config);
	CHECK(LOAD(KEY, "--config", path, "--origin", "http://c", "--origin", "http://d") == CONFIG_RUN);
	CHECK(config.origins.count == 2 && strcmp(config.origins.items[0], "http://c") == 0);
	config_free(&config);
	unsetenv("CONVERGE_RING_ENTRIES");
	unsetenv("CONVERGE_WRITERS");
	unlink(path);
}

/* Check that the last load was refused, naming these words. */
static bool
complained(enum config_result result, const char *first, const char *second)
{
	bool		good = result == CONFIG_BAD && strstr(err_text, first) != NULL && strstr(err_text, second) != NULL;

	if (!good)
		printf("# said: %s", err_text);
	config_free(&config);
	return good;
}

static void
bad_values(void)
{
	CHECK(complained(LOAD(KEY, "--ring-entries", "0"), "ring-entries: \"0\"", "from 1 to 1000000"));
	CHECK(complained(LOAD(KEY, "--ring-entries", "12x"), "\"12x\"", "whole number"));
	CHECK(complained(LOAD(KEY, "--ring-entries", "99999999999999999999"), "ring-entries", "whole number"));
	CHECK(complained(LOAD(KEY, "--listen", "nowhere"), "listen: \"nowhere\"", "ADDR:PORT"));
	CHECK(complained(LOAD(KEY, "--listen", "a:70000"), "listen", "65535"));
	CHECK(complained(LOAD(KEY, "--log-level", "loud"), "\"loud\"", "debug"));
	CHECK(complained(LOAD(KEY, "--tls-cert", "x"), "tls-cert", "together"));
	CHECK(complained(LOAD(NULL), "jwt-key", "must be given"));
}

static void
bad_arguments(void)
{
	CHECK(complained(LOAD(KEY, "--nonsense", "1"), "unknown option", "--nonsense"));
	CHECK(complained(LOAD(KEY, "word"), "unexpected argument", "word"));
	CHECK(complained(LOAD(KEY, "--dsn"), "--dsn", "needs a value"));
	CHECK(complained(LOAD(KEY, "--config", "/no/such/file"), "/no/such/file", "No such file"));
}

static void
bad_files(void)
{
	const char *path = option_file("ring-entries = 5\nwhatever\n");

	CHECK(complained(LOAD(KEY, "--config", path), ":2:", "name = value"));
	unlink(path);
	path = option_file("colour = red\n");
	CHECK(complained(LOAD(KEY, "--config", path), ":1:", "unknown option \"colour\""));
	unlink(path);
}

static void
questions(void)
{
	CHECK(LOAD("--help") == CONFIG_DONE);
	CHECK(strstr(out_text, "--ring-entries N") != NULL && strstr(out_text, "[1024]") != NULL);
	config_free(&config);
	CHECK(LOAD("--version") == CONFIG_DONE);
	CHECK(strncmp(out_text, "converge-relay ", 15) == 0);
	config_free(&config);
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"what is not given has its default", defaults},
		{"an argument may be one word or two", both_forms_of_an_argument},
		{"an address may be IPv6, or everything", addresses},
		{"arguments win over the environment, and that over the file", precedence},
		{"a bad value is named with its limits", bad_values},
		{"a bad argument is named", bad_arguments},
		{"a bad line of the file is named", bad_files},
		{"--help and --version are answered", questions},
	};
	int			result = TAP_RUN(tests);

	free(out_text);
	free(err_text);
	return result;
}
