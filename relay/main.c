/*
 * main.c: the beginning, and what is given back at the end.
 *
 * One process, one loop, no threads.
 */
#include "relay.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SPARE_DESCRIPTORS 64
/* allocations from this size on are mapped by themselves */
#define LARGE_BYTES (128 * 1024)

#define PROBLEM_BYTES 512

/* Ask for as many descriptors as the connections may need. */
static void
raise_descriptor_limit(const struct config *config)
{
	struct rlimit limit;
	rlim_t		wanted = (rlim_t) config->max_connections + SPARE_DESCRIPTORS;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max != RLIM_INFINITY && wanted > limit.rlim_max ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
		log_event(RELAY_WARN, "relay", "%d connections are allowed, but only %llu open files",
				  config->max_connections, (unsigned long long) limit.rlim_cur);
}

/* Make everything, and listen. */
static bool
start(struct relay *relay)
{
	char		problem[PROBLEM_BYTES];

	relay->auth = auth_new(&relay->config, problem, sizeof(problem));
	if (relay->auth == NULL)
	{
		fprintf(stderr, "converge-relay: %s\n", problem);
		return false;
	}
	if (*relay->config.web != '\0' && (relay->web = web_new(relay->config.web)) == NULL)
		return false;
	raise_descriptor_limit(&relay->config);
	uv_loop_init(&relay->loop);
	uv_loop_configure(&relay->loop, UV_METRICS_IDLE_TIME);
	if (!relay_wire(relay))
		return false;
	relay_start_handles(relay);
	backfill_start(relay->backfill, false);
	relay->listener = listener_new(&relay->loop, relay->config.listen_host, relay->config.listen_port,
								   server_adopt, relay->server);
	return relay->listener != NULL;
}

/* Run until a signal; then give everything back. */
static void
run(struct relay *relay)
{
	log_event(RELAY_INFO, "relay", "converge-relay %s", RELAY_VERSION);
	uv_run(&relay->loop, UV_RUN_DEFAULT);
	server_free(relay->server);
	sessions_free(relay->sessions);
	rooms_free(relay->rooms);
	presence_free(relay->presence);
	uv_loop_close(&relay->loop);
	auth_free(relay->auth);
	web_free(relay->web);
	ledger_free(&relay->ledger);
	log_event(RELAY_INFO, "relay", "stopped");
}

int
main(int argc, char **argv)
{
	struct relay *relay = mem_zalloc(sizeof(struct relay));
	enum config_result result = config_load(&relay->config, argc, argv, stdout, stderr);
	int			status = 0;

	signal(SIGPIPE, SIG_IGN);

	/* what is large goes back to the system as soon as it is freed */
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	mallopt(M_TRIM_THRESHOLD, LARGE_BYTES * 4);
	srandom((unsigned) (time(NULL) ^ getpid()));
	if (result == CONFIG_RUN)
	{
		log_set_level(relay->config.log_level);
		if (start(relay))
			run(relay);
		else
			status = 2;
	}
	else if (result == CONFIG_BAD)
		status = 2;
	if (status != 0)
		_exit(status);			/* half of it is there: nothing to take apart */
	config_free(&relay->config);
	free(relay);
	return status;
}
