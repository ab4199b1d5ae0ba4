/*
 * lib/proc.c
 *		Programs started and stopped; the CPU and the memory they use.
 */
#include "lib/proc.h"

#include "lib/common.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What /proc/PID/stat tells. */
typedef struct Stat
{
	pid_t		parent;
	double		reaped;			/* ticks used by children it has waited for */
} Stat;

int
proc_free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t	length = sizeof(address);
	int			fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *) &address, length) < 0 ||
		getsockname(fd, (struct sockaddr *) &address, &length) < 0)
		die("no free port: %s", strerror(errno));
	close(fd);
	return ntohs(address.sin_port);
}

pid_t
proc_start(char *const argv[], const char *log_file)
{
	pid_t		pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0)
	{
		int			log = open(log_file, O_WRONLY | O_CREAT | O_APPEND, 0644);

		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
			_exit(126);
		execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

void
proc_stop(pid_t pid, const char *name)
{
	int			status;

	if (waitpid(pid, &status, WNOHANG) == pid)
		die("%s ended by itself (status 0x%x)", name, status);
	kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

void
proc_kill(pid_t pid)
{
	int			status;

	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

bool
proc_allow_files(long files)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		die("getrlimit: %s", strerror(errno));
	if (limit.rlim_cur >= (rlim_t) files)
		return true;
	limit.rlim_cur = (rlim_t) files;
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* Read /proc/PID/stat; false when there is no such process (any more). */
static bool
read_stat(pid_t pid, Stat *stat)
{
	char		path[64];
	char		text[1024];
	char	   *rest;
	FILE	   *file;
	int			parent;
	long		child_user;
	long		child_system;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	rest = fgets(text, sizeof(text), file);
	fclose(file);
	if (rest == NULL || (rest = strrchr(text, ')')) == NULL ||
		sscanf(rest + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %ld %ld",
			   &parent, &child_user, &child_system) != 3)
		return false;
	stat->parent = parent;
	stat->reaped = (double) child_user + (double) child_system;
	return true;
}

/* CPU seconds of a process to the nanosecond; 0 when it is gone. */
static double
cpu_of(pid_t pid)
{
	clockid_t	clock;
	struct timespec used;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
		return 0;
	return (double) used.tv_sec + (double) used.tv_nsec / 1e9;
}

double
proc_cpu(pid_t pid)
{
	double		used = cpu_of(pid);

	if (used == 0)
		die("process %d is gone", (int) pid);
	return used;
}

double
proc_cpu_family(pid_t pid)
{
	DIR		   *dir = opendir("/proc");
	struct dirent *entry;
	Stat		stat;
	double		used;

	if (dir == NULL || !read_stat(pid, &stat))
		die("process %d is gone", (int) pid);
	used = cpu_of(pid) + stat.reaped / (double) sysconf(_SC_CLK_TCK);
	while ((entry = readdir(dir)) != NULL)
	{
		if (isdigit((unsigned char) entry->d_name[0]) &&
			read_stat((pid_t) atoi(entry->d_name), &stat) && stat.parent == pid)
			used += cpu_of((pid_t) atoi(entry->d_name));
	}
	closedir(dir);
	return used;
}

ProcMemory
proc_memory(pid_t pid)
{
	char		path[64];
	char		line[256];
	ProcMemory	memory = {0};
	FILE	   *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int) pid);
	file = fopen(path, "r");
	if (file == NULL)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file) != NULL)
	{
		if (strncmp(line, "Rss:", 4) == 0)
			memory.rss = atof(line + 4) * 1024;
		else if (strncmp(line, "Pss:", 4) == 0)
			memory.pss = atof(line + 4) * 1024;
	}
	fclose(file);
	return memory;
}

double
proc_cpu_own(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

pid_t
proc_parent(pid_t pid)
{
	Stat		stat;

	if (!read_stat(pid, &stat))
		die("process %d is gone", (int) pid);
	return stat.parent;
}
