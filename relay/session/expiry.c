/*
 * session/expiry.c: when clients' tokens expire: a wheel with a slot for each
 * second, so that a tick looks only at the clients of the seconds that passed.
 */
#include "session/state.h"

void
session_set_expiry(struct session *s, int64_t expires)
{
	if (s->expiry.at_s != 0)
		LIST_REMOVE(s, expiry.entry);
	s->expiry.at_s = expires;
	if (expires != 0)
		LIST_INSERT_HEAD(&s->owner->expiry.slots[expires % LIMIT_EXPIRY_SLOTS], s, expiry.entry);
}

void
sessions_each_expired(struct sessions *sessions, int64_t now, void (*expired) (struct session *s))
{
	int64_t		from = sessions->expiry.looked_at_s + 1;

	/* the first time, or after a jump of the clock: the whole wheel */
	if (from > now + 1 || from < now - LIMIT_EXPIRY_SLOTS)
		from = now - LIMIT_EXPIRY_SLOTS + 1;
	for (int64_t second = from; second <= now; second++)
	{
		struct session *s;

		LIST_FOREACH(s, &sessions->expiry.slots[second % LIMIT_EXPIRY_SLOTS], expiry.entry)
		{
			if (s->expiry.at_s <= now)
				expired(s);
		}
	}
	sessions->expiry.looked_at_s = now;
}
