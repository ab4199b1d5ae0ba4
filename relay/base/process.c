/*
 * base/process.c: what the process itself uses, under Prometheus' usual names.
 *
 * It is read from /proc when somebody asks; what cannot be read is left out.
 */
#include "base/process.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* fields of /proc/self/stat, counted after the name: man 5 proc has 3 more */
#define FIELD_START 19

/* Read a file of /proc whole, as far as it is of interest. */
static bool
read_proc(const char *path, char *text, size_t size)
{
	FILE	   *file = fopen(path, "r");
	size_t		len;

	if (file == NULL)
		return false;
	len = fread(text, 1, size - 1, file);
	fclose(file);
	text[len] = '\0';
	return len > 0;
}

static bool
resident_bytes(double *value)
{
	char		text[128];
	unsigned long pages;

	if (!read_proc("/proc/self/statm", text, sizeof(text)) || sscanf(text, "%*u %lu", &pages) != 1)
		return false;
	*value = (double) pages * (double) sysconf(_SC_PAGESIZE);
	return true;
}

/* Count the open descriptors: since Linux 6.2 the directory's size is their number. */
static bool
open_descriptors(double *value)
{
	struct stat status;
	DIR		   *dir;
	long		entries = 0;

	if (stat("/proc/self/fd", &status) == 0 && status.st_size > 0)
	{
		*value = (double) status.st_size;
		return true;
	}
	dir = opendir("/proc/self/fd");
	if (dir == NULL)
		return false;
	for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
		entries += *entry->d_name != '.';
	closedir(dir);
	*value = (double) (entries - 1);	/* without the one that counted */
	return true;
}

static bool
most_descriptors(double *value)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return false;
	*value = (double) limit.rlim_cur;
	return true;
}

static bool
cpu_seconds(double *value)
{
	struct timespec used;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0)
		return false;
	*value = (double) used.tv_sec + (double) used.tv_nsec / 1e9;
	return true;
}

/* Get when the process began, in seconds since 1970. */
static bool
start_seconds(double *value)
{
	char		text[1024];
	const char *p;
	unsigned long long ticks;
	struct timespec now;
	struct timespec since_boot;

	/* the name may hold anything, but it ends with the last parenthesis */
	if (!read_proc("/proc/self/stat", text, sizeof(text)) || (p = strrchr(text, ')')) == NULL)
		return false;
	for (int field = 0; field <= FIELD_START && p != NULL; field++)
		p = strchr(p + 1, ' ');
	if (p == NULL || sscanf(p, "%llu", &ticks) != 1 ||
		clock_gettime(CLOCK_REALTIME, &now) != 0 || clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0)
		return false;
	*value = (double) (now.tv_sec - since_boot.tv_sec) + (double) (now.tv_nsec - since_boot.tv_nsec) / 1e9 +
		(double) ticks / (double) sysconf(_SC_CLK_TCK);
	return true;
}

static const struct
{
	const char *name;
	const char *kind;
	const char *help;
	bool		(*read) (double *value);
}			process_rows[] =

{
	{"process_resident_memory_bytes", "gauge", "memory in use", resident_bytes},
	{"process_open_fds", "gauge", "open file descriptors", open_descriptors},
	{"process_max_fds", "gauge", "file descriptors that may be open", most_descriptors},
	{"process_cpu_seconds_total", "counter", "processor time used", cpu_seconds},
	{"process_start_time_seconds", "gauge", "when the process began, in seconds since 1970", start_seconds},
};

#define ROW_COUNT (sizeof(process_rows) / sizeof(process_rows[0]))

/* Write what is known. */
void
process_write(struct buf *out)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
	{
		double		value;

		if (process_rows[i].read(&value))
			buf_format(out, "# HELP %s %s\n# TYPE %s %s\n%s %.3f\n", process_rows[i].name, process_rows[i].help,
					   process_rows[i].name, process_rows[i].kind, process_rows[i].name, value);
	}
}
