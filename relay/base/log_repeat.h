/*
 * base/log_repeat.h: logs a repeated message once a minute, with a count.
 */
#ifndef RELAY_LOG_REPEAT_H
#define RELAY_LOG_REPEAT_H

#include "base/log.h"

#include <stdint.h>

/* number of messages of one part that are counted separately */
#define LOG_REPEAT_KEYS 4

/* the messages that one part of the relay has logged; zero-initialised: none */
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

/* The condition is over: log its count, and log its messages at once if they occur again. */
void		log_repeat_end(struct log_repeat *repeat, enum log_level level, const char *subject);

#endif							/* RELAY_LOG_REPEAT_H */
