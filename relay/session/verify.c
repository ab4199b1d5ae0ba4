/*
 * session/verify.c: whether clients hold what the server holds.
 *
 * Now and then a client is asked for the checksum of its text, and the tables
 * for that of the version it names. Where the two differ, something has gone
 * wrong that versions alone do not show: the log says so, a metric counts it,
 * and the client begins anew with a snapshot.
 *
 * A checksum costs the database a reading of the document. So one client is
 * asked at a time, and who tells one unasked is heard only so often.
 */
#include "base/mem.h"
#include "session/state.h"

#include <stdlib.h>
#include <string.h>

/* a claim on its way to the tables */
struct claim
{
	struct session *session;
	int64_t		version;
	char		checksum[CHECKSUM_DIGITS + 1];
};

/* Tell a client that it has gone astray, and give it the text as it is. */
static void
start_anew(struct session *s, const struct claim *claim, const char *checksum)
{
	session_log(s, RELAY_ERROR, "diverged: at version %lld the client's text has checksum %s, the database's %s",
				(long long) claim->version, claim->checksum, checksum);
	if (s->state != SESSION_LIVE)
		return;
	session_send(s, protocol_error("diverged", "your text is not the server's; it follows", 0));
	session_join(s, NULL);
}

/* Compare a claim with what the tables say, NULL where they cannot. */
static void
on_checksum(void *arg, const char *checksum)
{
	struct claim *claim = arg;
	struct session *s = claim->session;
	struct metrics *m = s->owner->config.metrics;

	s->owner->verifying--;
	if (checksum == NULL)
		m->checksums_unknown++;
	else if (strcmp(checksum, claim->checksum) == 0)
		m->checksums_equal++;
	else
	{
		m->checksums_different++;
		start_anew(s, claim, checksum);
	}
	session_let_go(s);
	free(claim);
}

/* Tell whether a claim is looked into: one that was asked for, or else not too many. */
static bool
is_heard(const struct session *s)
{
	if (s->state != SESSION_LIVE || s->owner->verifying >= LIMIT_CHECKSUMS)
		return false;
	return s->asked || s->verified_s == 0 || s->owner->now_s - s->verified_s >= LIMIT_CHECKSUM_S;
}

/* Take a client's claim. */
void
session_claim(struct session *s, const struct message *m)
{
	struct claim *claim = mem_zalloc(sizeof(struct claim));
	const char *problem;
	bool		heard = is_heard(s);

	s->asked = false;
	if (!protocol_checksum(m, &claim->version, claim->checksum, &problem))
		session_refuse(s, CLOSE_MALFORMED, "malformed", problem);
	else if (!heard)
		s->owner->config.metrics->checksums_ignored++;
	else
	{
		s->verified_s = s->owner->now_s;
		s->owner->verifying++;
		claim->session = s;
		session_hold(s);
		reader_checksum(s->owner->reader, &s->doc, &s->life, claim->version, on_checksum, claim);
		return;
	}
	free(claim);
}

/* Tell whether a client could answer now. */
static bool
can_answer(const struct session *s)
{
	return s->state == SESSION_LIVE && !s->catching_up && s->checks == 0 && s->first == NULL;
}

/* Choose one of the clients that could answer, each as likely as another. */
static struct session *
choose(const struct sessions *sessions)
{
	struct session *chosen = NULL;
	struct session_link *link;
	long		seen = 0;

	TAILQ_FOREACH(link, &sessions->settled.links, entry)
	{
		if (can_answer(link->session) && random() % ++seen == 0)
			chosen = link->session;
	}
	return chosen;
}

/* A second has passed: ask somebody, if it is time to. */
void
sessions_verify(struct sessions *sessions)
{
	int			every_s = sessions->config.config->verify_interval_s;
	struct session *s;

	if (every_s == 0 || sessions->draining || sessions->now_s % every_s != 0)
		return;
	s = choose(sessions);
	if (s == NULL)
		return;
	s->asked = true;
	sessions->config.metrics->checksums_asked++;
	session_send(s, frame_text(CHECKSUM_QUESTION, sizeof(CHECKSUM_QUESTION) - 1));
}
