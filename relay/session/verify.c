/*
 * session/verify.c: whether clients have the text that the database has.
 *
 * From time to time a client is asked for the checksum of its text, and the
 * tables for the checksum of the version that it names. If the two differ,
 * something is wrong that versions alone do not show: it is logged, counted by a
 * metric, and the client begins anew with a snapshot.
 *
 * For a checksum the database reads the document. So one client is asked at a
 * time, and unasked reports are looked into once in LIMIT_CHECKSUM_S at most.
 */
#include "base/mem.h"
#include "session/state.h"

#include <stdlib.h>
#include <string.h>

/* a report on its way to the tables */
struct checksum_report
{
	struct session *session;
	int64_t		version;
	char		checksum[CHECKSUM_DIGITS + 1];
};

/* Report to a client that its text is wrong, and send the right one. */
static void
start_anew(struct session *s, const struct checksum_report *report, const char *checksum)
{
	session_log(s, RELAY_ERROR, "diverged: at version %lld the client's text has checksum %s, the database's %s",
				(long long) report->version, report->checksum, checksum);
	if (s->state != SESSION_LIVE)
		return;
	session_send(s, protocol_error("diverged", "your text is not the server's; it follows", 0));
	session_join(s, NULL);
}

/* Compare a report with the tables' checksum, NULL: they have none. */
static void
on_checksum(void *arg, const char *checksum)
{
	struct checksum_report *report = arg;
	struct session *s = report->session;
	struct metrics *m = s->owner->config.metrics;

	s->owner->verify.in_flight--;
	if (checksum == NULL)
		m->checksums_unknown++;
	else if (strcmp(checksum, report->checksum) == 0)
		m->checksums_equal++;
	else
	{
		m->checksums_different++;
		start_anew(s, report, checksum);
	}
	session_let_go(s);
	free(report);
}

/* Return true if a report is looked into: one that was asked for, or one of few. */
static bool
is_accepted(const struct session *s)
{
	if (s->state != SESSION_LIVE || s->owner->verify.in_flight >= LIMIT_CHECKSUMS)
		return false;
	return s->verify.asked || s->verify.verified_s == 0 || s->owner->now_s - s->verify.verified_s >= LIMIT_CHECKSUM_S;
}

void
session_on_checksum(struct session *s, const struct message *m)
{
	struct checksum_report *report = mem_zalloc(sizeof(struct checksum_report));
	const char *problem;
	bool		accepted = is_accepted(s);

	s->verify.asked = false;
	if (!protocol_checksum(m, &report->version, report->checksum, &problem))
		session_refuse(s, CLOSE_MALFORMED, "malformed", problem);
	else if (!accepted)
		s->owner->config.metrics->checksums_ignored++;
	else
	{
		s->verify.verified_s = s->owner->now_s;
		s->owner->verify.in_flight++;
		report->session = s;
		session_hold(s);
		reader_checksum(s->owner->reader, &s->doc, &s->life, report->version, on_checksum, report);
		return;
	}
	free(report);
}

/* Return true if a client could answer now. */
static bool
can_answer(const struct session *s)
{
	return s->state == SESSION_LIVE && !s->catch_up.running && s->access.checks == 0 && s->outbox.first == NULL;
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
	s->verify.asked = true;
	sessions->config.metrics->checksums_asked++;
	session_send(s, frame_text(CHECKSUM_QUESTION, sizeof(CHECKSUM_QUESTION) - 1));
}
