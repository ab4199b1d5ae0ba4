/*
 * base/log.c: one line an event on standard error.
 *
 * The line is "time LEVEL subject: text"; the subject names the connection,
 * document or part that speaks. An event never makes more than one line, and
 * shows all there is in it, whatever PostgreSQL or a client put into its text.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 2048

/* a byte becomes at most four */
#define ESCAPED_BYTES (4 * LINE_BYTES + 1)

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

/* Get the code point at the front of a text, and its bytes; 0 bytes where it is not UTF-8. */
static uint32_t
code_point(const unsigned char *text, size_t *bytes)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t		len = *text < 0x80 ? 1 : *text < 0xc2 ? 0 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : *text < 0xf5 ? 4 : 0;
	uint32_t	value = len == 1 ? *text : *text & (0x7fU >> len);

	*bytes = 0;
	for (size_t i = 1; i < len; i++)
	{
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (text[i] & 0x3f);
	}
	if (len == 0 || value < least[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*bytes = len;
	return value;
}

/*
 * Tell whether a character would break, colour or reorder a line, or stand in it
 * unseen: controls, separators of lines and paragraphs, marks that change the
 * direction of writing, characters without a width.
 */
static bool
is_harmful(uint32_t c)
{
	static const struct
	{
		uint32_t	first;
		uint32_t	last;
	}			ranges[] =
	{
		{0x00, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x61c, 0x61c}, {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},
		{0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
	{
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	}
	return false;
}

/* Copy a text as one line of visible characters, the others escaped; gives its length. */
static size_t
flatten(char out[ESCAPED_BYTES], const char *text)
{
	const unsigned char *p = (const unsigned char *) text;
	size_t		len = 0;
	size_t		bytes;

	while (*p != '\0')
	{
		uint32_t	c = code_point(p, &bytes);

		if (bytes == 0)
			len += (size_t) sprintf(out + len, "\\x%02x", *p++);
		else if (c < ' ' || c == 0x7f)
		{
			out[len++] = ' ';
			p++;
		}
		else if (is_harmful(c))
		{
			len += (size_t) sprintf(out + len, c > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned) c);
			p += bytes;
		}
		else
		{
			memcpy(out + len, p, bytes);
			len += bytes;
			p += bytes;
		}
	}
	return len;
}

/* Write one event. */
void
log_event(enum log_level level, const char *subject, const char *format,...)
{
	char		line[LINE_BYTES];
	char		out[ESCAPED_BYTES];
	size_t		len;
	va_list		args;

	if (!log_enabled(level))
		return;
	len = put_time(line, sizeof(line));
	len += (size_t) snprintf(line + len, sizeof(line) - len, " %s %.200s: ", level_names[level], subject);
	va_start(args, format);
	vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	va_end(args);
	len = flatten(out, line);
	while (len > 0 && out[len - 1] == ' ')
		len--;
	out[len++] = '\n';
	if (write(STDERR_FILENO, out, len) < 0)
		return;					/* nobody is left to be told */
}
