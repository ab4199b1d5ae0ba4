/*
 * base/log_repeat.h: a message that comes again and again is logged once, with a count.
 */
#ifndef RELAY_LOG_REPEAT_H
#define RELAY_LOG_REPEAT_H

#include "base/log.h"

#include <stdint.h>

/* so many messages of one part are told apart */
#define LOG_REPEAT_KEYS 4

/* what one part of the relay has said; zeroed: nothing */
struct log_repeat
{
	struct repeated
	{
		char		key[256];
		unsigned	count;		/* came again and was not logged */
		uint64_t	logged_ms;
	}			said[LOG_REPEAT_KEYS];
};

/*
 * Log an event, unless one of the same key was logged less than a minute ago: then
 * it is only counted, and the count goes with the next that is logged.
 */
void		log_repeated(struct log_repeat *repeat, uint64_t now_ms, const char *key, enum log_level level,
						 const char *subject, const char *format,...)
			__attribute__((format(printf, 6, 7)));

/* What was said is over: log how often it came, and log it anew if it comes again. */
void		log_repeat_end(struct log_repeat *repeat, enum log_level level, const char *subject);

#endif							/* RELAY_LOG_REPEAT_H */
