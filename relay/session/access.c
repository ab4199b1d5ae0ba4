/*
 * session/access.c: who may still read, while connected.
 *
 * A client sees no operation that was committed after its right to read was
 * taken away. Operations are published in the stream's order, which is that of
 * the commits, and a change of members stands there in its place: from it on,
 * whom it may concern is held, until the tables have said his role. What is
 * read from the tables may be ahead of the stream, so there everybody is held.
 *
 * The stream may show a change a moment before SQL sees it. So the tables are
 * asked by a function that waits until no change of the document is under way,
 * and a document whose members changed is remembered until it has answered:
 * who joins meanwhile may have been let in by the role he had before.
 */
#include "session/state.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* clients of one document whose roles are asked for together */
struct check
{
	struct sessions *owner;
	struct uuid doc;
	uint64_t	change;			/* the last one known when asking */
	const char *user;			/* only his clients, or NULL */
	int			count;
	int			cap;
	struct session **who;
};

/* ---- documents whose members changed ---- */

/* Get a document's row in the table of changes. */
static struct changed *
changed_row(struct sessions *sessions, const struct uuid *doc)
{
	return &sessions->changed[uuid_hash(doc) % LIMIT_SEEN_DOCUMENTS];
}

/* Remember that the members of a document changed. */
static void
note_change(struct sessions *sessions, const struct uuid *doc)
{
	struct changed *row = changed_row(sessions, doc);

	if (row->number != 0 && !uuid_equal(&row->doc, doc))
		row->any = true;
	row->doc = *doc;
	row->number = ++sessions->last_change;
}

/* Remember that the members of any document may have changed. */
static void
note_any_change(struct sessions *sessions)
{
	for (int i = 0; i < LIMIT_SEEN_DOCUMENTS; i++)
		sessions->changed[i].any = true;
}

/* Forget the change of a document, unless another has come since. */
static void
forget_change(struct sessions *sessions, const struct uuid *doc, uint64_t change)
{
	struct changed *row = changed_row(sessions, doc);

	if (uuid_equal(&row->doc, doc) && row->number <= change)
		row->number = 0;
}

/* Tell whether the role that a client joined with may be out of date. */
bool
session_is_doubtful(const struct session *s)
{
	const struct changed *row = changed_row(s->owner, &s->doc);

	return s->doubtful || row->any || (row->number != 0 && uuid_equal(&row->doc, &s->doc));
}

/* ---- holding, and going on ---- */

/* Let a client have what follows its cursor, unless its role is being asked for. */
void
session_go_live(struct session *s, int64_t cursor)
{
	s->member.cursor = cursor;
	if (s->checks == 0)
		room_go_live(&s->member, cursor);
}

/* Note a client's role. */
void
session_set_role(struct session *s, const char *role)
{
	strncpy(s->role, role, sizeof(s->role) - 1);
}

/* Hold a client, and ask about it too. */
static void
add_to_check(struct check *check, struct session *s)
{
	if (check->count == check->cap)
	{
		check->cap = check->cap > 0 ? check->cap * 2 : 4;
		check->who = mem_grow(check->who, (size_t) check->cap * sizeof(struct session *));
	}
	check->who[check->count++] = s;
	session_hold(s);
	s->checks++;
	room_pause(&s->member);
}

/* Hold a client whom a change may concern; one whose join is not answered is asked about afterwards. */
static void
consider(void *arg, struct room_member *member)
{
	struct check *check = arg;
	struct session *s = (struct session *) member;

	if (check->user != NULL && strcmp(s->user, check->user) != 0)
		return;
	if (s->state == SESSION_JOINING)
		s->doubtful = true;
	else if (s->state < SESSION_CLOSING)
		add_to_check(check, s);
}

/* Act on a client's role as it is now. */
static void
apply_role(struct session *s, const char *role)
{
	struct metrics *metrics = s->owner->config.metrics;

	if (role == NULL)
	{
		metrics->revocations++;
		session_refuse(s, CLOSE_FORBIDDEN, "forbidden", REVOKED);
		return;
	}
	if (strcmp(role, s->role) == 0)
		return;
	metrics->roles_changed++;
	session_log(s, RELAY_DEBUG, "is %s now, was %s", role, s->role);
	session_set_role(s, role);
	session_send(s, protocol_role(role));
}

/* Take the answer about one client. */
static void
settle(struct session *s, const char *role, enum roles_result result)
{
	s->checks--;
	if (s->state == SESSION_JOINING)
		s->doubtful = true;
	else if (s->state < SESSION_CLOSING)
	{
		if (result == ROLES_KNOWN)
			apply_role(s, role);
		else if (result == ROLES_GONE)
			session_refuse(s, CLOSE_NOT_FOUND, "not_found", "the document is no more");
		else
			session_refuse(s, CLOSE_INTERNAL, "internal", "it cannot be told whether you may still read");
		if (s->state == SESSION_LIVE)
			session_go_live(s, s->member.cursor);
		if (s->unseen)
			s->owner->config.transport.wake(s->conn);
	}
	session_let_go(s);
}

/* Take the answer: a role each, or none of them. */
static void
on_roles(void *arg, int user, const char *role, enum roles_result result)
{
	struct check *check = arg;

	if (user >= 0)
	{
		settle(check->who[user], role, result);
		return;
	}
	if (result != ROLES_KNOWN)
	{
		for (int i = 0; i < check->count; i++)
			settle(check->who[i], NULL, result);
	}
	else
		forget_change(check->owner, &check->doc, check->change);
	free(check->who);
	free(check);
}

/* Ask for the roles of those in a check, or let it be where there is nobody. */
static void
ask(struct check *check)
{
	const char **users;

	if (check->count == 0)
	{
		free(check);
		return;
	}
	users = mem_alloc((size_t) check->count * sizeof(char *));
	for (int i = 0; i < check->count; i++)
		users[i] = check->who[i]->user;
	check->owner->config.metrics->access_checks++;
	reader_roles(check->owner->reader, &check->doc, users, check->count, on_roles, check);
	free(users);
}

/* Begin a check. */
static struct check *
new_check(struct sessions *sessions, const struct uuid *doc, const char *user)
{
	struct check *check = mem_zalloc(sizeof(struct check));

	check->owner = sessions;
	check->doc = *doc;
	check->user = user;
	check->change = sessions->last_change;
	return check;
}

/* Hold a user's clients in a document, or with NULL everybody's, until their roles are known. */
void
sessions_check(struct sessions *sessions, const struct uuid *doc, const char *user)
{
	struct check *check = new_check(sessions, doc, user);

	rooms_each_member(sessions->rooms, doc, consider, check);
	ask(check);
}

/* Hold one client until its role is known. */
void
session_check(struct session *s)
{
	struct check *check = new_check(s->owner, &s->doc, NULL);

	s->doubtful = false;
	add_to_check(check, s);
	ask(check);
}

static void
check_everybody(void *arg, const struct uuid *doc)
{
	sessions_check(arg, doc, NULL);
}

/* Members changed, and it is not known whose: ask about everybody, and about those who join from now on. */
static void
doubt_everybody(struct sessions *sessions)
{
	note_any_change(sessions);
	rooms_each(sessions->rooms, check_everybody, sessions);
}

/* ---- what the stream tells ---- */

/* Close a client whose document was deleted. */
void
session_end_deleted(struct session *s)
{
	session_refuse(s, CLOSE_NOT_FOUND, "not_found", "the document was deleted");
}

static void
close_deleted(void *arg, struct room_member *member)
{
	struct session *s = (struct session *) member;

	(void) arg;
	/* who is about to join learns from the tables: there may be another document by now */
	if (s->state != SESSION_JOINING || s->was_live)
		session_end_deleted(s);
}

static void
tell_title(void *arg, struct room_member *member)
{
	const struct notice *notice = arg;
	struct session *s = (struct session *) member;

	if (s->state == SESSION_SYNCING || s->state == SESSION_LIVE)
		session_send(s, protocol_title(notice->title));
}

/* Take what the stream tells of a document beside its operations. */
void
sessions_notice(struct sessions *sessions, const struct notice *notice)
{
	struct notice copy = *notice;

	switch (notice->kind)
	{
		case NOTICE_MEMBER:
			note_change(sessions, &notice->doc);
			sessions_check(sessions, &notice->doc, strcmp(notice->user, "*") == 0 ? NULL : notice->user);
			break;
		case NOTICE_RENAMED:
			rooms_each_member(sessions->rooms, &notice->doc, tell_title, &copy);
			break;
		case NOTICE_DELETED:
			rooms_each_member(sessions->rooms, &notice->doc, close_deleted, NULL);
			break;
		case NOTICE_RESYNC:
			doubt_everybody(sessions);
			break;
	}
}
