/*
 * base/log.h: one line an event on standard error, with level and subject.
 */
#ifndef RELAY_LOG_H
#define RELAY_LOG_H

#include <stdbool.h>

enum log_level
{
	RELAY_ERROR,
	RELAY_WARN,
	RELAY_INFO,
	RELAY_DEBUG
};

void		log_set_level(enum log_level level);
bool		log_level_parse(const char *name, enum log_level *level);
bool		log_enabled(enum log_level level);
void		log_event(enum log_level level, const char *subject, const char *format,...)
			__attribute__((format(printf, 3, 4)));

#endif							/* RELAY_LOG_H */
