/*
 * log.c: one line an event on standard error.
 *
 * The line is "time LEVEL subject: text"; the subject names the connection,
 * document or part that speaks. An event never makes more than one line,
 * whatever PostgreSQL or a client put into its text.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 2048

static const char *const level_names[] = {
	[RELAY_ERROR] = "error",
	[RELAY_WARN] = "warn",
	[RELAY_INFO] = "info",
	[RELAY_DEBUG] = "debug",
};

#define LEVEL_COUNT (sizeof(level_names) / sizeof(level_names[0]))

static enum log_level threshold = RELAY_INFO;

/* Say from which level on events are written. */
void
log_set_level(enum log_level level)
{
	threshold = level;
}

/* Tell whether an event of this level would be written. */
bool
log_enabled(enum log_level level)
{
	return level <= threshold;
}

/* Look a level up by its name. */
bool
log_level_parse(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < LEVEL_COUNT; i++)
	{
		if (strcmp(name, level_names[i]) == 0)
		{
			*level = (enum log_level) i;
			return true;
		}
	}
	return false;
}

/* Write the time of now as ISO 8601 with milliseconds. */
static size_t
put_time(char *line, size_t size)
{
	struct timeval now;
	struct tm	utc;
	size_t		len;

	gettimeofday(&now, NULL);
	gmtime_r(&now.tv_sec, &utc);
	len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
	return len + (size_t) snprintf(line + len, size - len, ".%03dZ", (int) (now.tv_usec / 1000));
}

/* Take everything out of a text that would break or colour the line. */
static void
flatten(char *text)
{
	for (char *c = text; *c != '\0'; c++)
	{
		if ((unsigned char) *c < ' ' || *c == 0x7f)
			*c = ' ';
	}
}

/* Write one event. */
void
log_event(enum log_level level, const char *subject, const char *format,...)
{
	char		line[LINE_BYTES];
	size_t		len;
	va_list		args;

	if (!log_enabled(level))
		return;
	len = put_time(line, sizeof(line));
	len += (size_t) snprintf(line + len, sizeof(line) - len, " %s %.200s: ", level_names[level], subject);
	va_start(args, format);
	vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	va_end(args);
	flatten(line);
	len = strlen(line);
	while (len > 0 && line[len - 1] == ' ')
		len--;
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return;					/* nobody is left to be told */
}
