/*
 * base/log_repeat.c: a message that comes again and again is logged once, with a count.
 */
#include "base/log_repeat.h"

#include "base/bounds.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_BYTES 1024

/* Find the message of a key, or the one that was logged the longest time ago. */
static struct repeated *
find(struct log_repeat *repeat, const char *key)
{
	struct repeated *oldest = &repeat->said[0];

	for (int i = 0; i < LOG_REPEAT_KEYS; i++)
	{
		struct repeated *said = &repeat->said[i];

		if (*said->key != '\0' && strncmp(said->key, key, sizeof(said->key) - 1) == 0)
			return said;
		if (said->logged_ms < oldest->logged_ms)
			oldest = said;
	}
	return oldest;
}

/* Log how often a message came that is forgotten now. */
static void
forget(struct repeated *said, enum log_level level, const char *subject)
{
	if (said->count > 0)
		log_event(level, subject, "%s (repeats: %u)", said->key, said->count);
	memset(said, 0, sizeof(*said));
}

void
log_repeated(struct log_repeat *repeat, uint64_t now_ms, const char *key, enum log_level level,
			 const char *subject, const char *format,...)
{
	struct repeated *said = find(repeat, key);
	bool		again = *said->key != '\0' && strncmp(said->key, key, sizeof(said->key) - 1) == 0;
	char		text[TEXT_BYTES];
	va_list		args;

	if (again && now_ms - said->logged_ms < LIMIT_REPEAT_MS)
	{
		said->count++;
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (again && said->count > 0)
		log_event(level, subject, "%s (repeats: %u in the last %llu s)", text, said->count,
				  (unsigned long long) (now_ms - said->logged_ms) / 1000);
	else
	{
		forget(said, level, subject);
		log_event(level, subject, "%s", text);
	}
	snprintf(said->key, sizeof(said->key), "%s", key);
	said->count = 0;
	said->logged_ms = now_ms;
}

void
log_repeat_end(struct log_repeat *repeat, enum log_level level, const char *subject)
{
	for (int i = 0; i < LOG_REPEAT_KEYS; i++)
		forget(&repeat->said[i], level, subject);
}
