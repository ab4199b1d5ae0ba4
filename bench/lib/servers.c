/*
 * lib/servers.c
 *		What clients of a benchmark connect to.
 */
#include "lib/servers.h"

#include "lib/common.h"
#include "lib/jwt.h"
#include "lib/proc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define USER			"ann"
#define METRICS_BYTES	65536
#define AWAIT_US		(30 * 1000000LL)

/* A setting that bench/run makes. */
static const char *
setting(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		die("%s is not set: bench/run starts this program", name);
	return value;
}

void
servers_init(Servers *servers, PGconn *conn)
{
	memset(servers, 0, sizeof(*servers));
	servers->key_file = setting("BENCH_KEY");
	servers->relay = setting("BENCH_RELAY");
	servers->broadcast = setting("BENCH_BROADCAST");
	servers->bare = setting("BENCH_BARE");
	servers->log_file = setting("BENCH_LOG");
	servers->bare_connections = getenv("BENCH_BARE_CONNECTIONS");
	if (servers->bare_connections == NULL)
		servers->bare_connections = "8";
	servers->token = jwt_token(servers->key_file, USER);
	servers->postmaster = proc_parent((pid_t) pg_number(conn, "SELECT pg_backend_pid()", NULL));
}

pid_t
servers_start_relay(const Servers *servers, int port)
{
	char		listen[32];
	char	   *argv[] = {(char *) servers->relay, "--dsn", "user=converge_relay",
	"--listen", listen, "--jwt-key", (char *) servers->key_file, "--log-level", "warn", NULL};

	snprintf(listen, sizeof(listen), SERVERS_HOST ":%d", port);
	return proc_start(argv, servers->log_file);
}

pid_t
servers_start_bare(const Servers *servers, int port)
{
	char		port_text[16];
	char	   *argv[] = {"node", (char *) servers->bare, port_text,
	(char *) servers->bare_connections, NULL};

	snprintf(port_text, sizeof(port_text), "%d", port);
	return proc_start(argv, servers->log_file);
}

pid_t
servers_start_broadcast(const Servers *servers, const char *loop, int port)
{
	char		port_text[16];
	char	   *argv[] = {(char *) servers->broadcast, port_text, (char *) loop, NULL};

	snprintf(port_text, sizeof(port_text), "%d", port);
	return proc_start(argv, servers->log_file);
}

char	   *
servers_document(PGconn *conn)
{
	char	   *document = pg_value(conn, "SELECT converge.create_document()", NULL);

	PQclear(pg_query(conn, "SELECT converge.share($1, '" USER "', 'editor')", document, NULL));
	return document;
}

/* ---- talking to them ---- */

/* A connection to a server, or -1. */
static int
connect_to(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,.sin_port = htons((uint16_t) port),
	.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int			fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

void
servers_await(int port)
{
	int64_t		until = now_us() + AWAIT_US;
	int			fd;

	while ((fd = connect_to(port)) < 0)
	{
		if (now_us() > until)
			die("no server on port %d", port);
		usleep(5000);
	}
	close(fd);
}

/* What a relay answers to GET /metrics, headers and all. */
static void
fetch_metrics(int port, char *text, size_t capacity)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
	int			fd = connect_to(port);
	size_t		size = 0;
	ssize_t		got;

	if (fd < 0 || send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		die("/metrics: %s", strerror(errno));
	while (size < capacity - 1 && (got = recv(fd, text + size, capacity - 1 - size, 0)) > 0)
		size += (size_t) got;
	text[size] = '\0';
	close(fd);
}

double
servers_metric(int port, const char *name)
{
	static char text[METRICS_BYTES];
	char		line[128];
	const char *at;

	fetch_metrics(port, text, sizeof(text));
	snprintf(line, sizeof(line), "\nconverge_relay_%s ", name);
	at = strstr(text, line);
	if (at == NULL)
		die("/metrics has no %s", name);
	return strtod(at + strlen(line), NULL);
}
