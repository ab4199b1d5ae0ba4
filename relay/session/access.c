/*
 * session/access.c: which clients may still read, while connected.
 *
 * A client gets no operation that was committed after its right to read was
 * taken away. Operations are published in the stream's order, which is the order
 * of the commits, and a change of members is at its place in that order: from
 * there on, a client that it may concern is paused until the tables have returned
 * its role. What is read from the tables may be ahead of the stream, so before it
 * is sent every client of the document is paused.
 *
 * The stream may show a change a moment before SQL sees it. So the tables are
 * asked by a function that waits until no change of the document is in progress,
 * and a document whose members changed is remembered until that function has
 * answered: a client that joins meanwhile may have joined with the role that its
 * user had before.
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
	int			count;
	int			cap;
	struct session **clients;
};

/*
 * A document that is being asked about. What changes meanwhile is asked for together,
 * once, when the answer has come: however many changes a transaction makes.
 */
struct asking
{
	struct doc_node node;		/* first */
	struct check *running;
	struct check *next;			/* or NULL */
};

/* whom a change concerns */
struct concerned
{
	struct check *check;
	const char *user;			/* only this user's clients, or NULL: all */
};

/* ---- documents whose members changed ---- */

/* Get a document's row in the table of changes. */
static struct changed *
changed_row(struct sessions *sessions, const struct uuid *doc)
{
	return &sessions->access.changed[uuid_hash(doc) % LIMIT_SEEN_DOCUMENTS];
}

/* Remember that the members of a document changed. */
static void
note_change(struct sessions *sessions, const struct uuid *doc)
{
	struct changed *row = changed_row(sessions, doc);

	if (row->number != 0 && !uuid_equal(&row->doc, doc))
		row->any = true;
	row->doc = *doc;
	row->number = ++sessions->access.last_change;
}

/* Remember that the members of any document may have changed. */
static void
note_any_change(struct sessions *sessions)
{
	for (int i = 0; i < LIMIT_SEEN_DOCUMENTS; i++)
		sessions->access.changed[i].any = true;
}

/* Forget the change of a document, unless another has come since. */
static void
forget_change(struct sessions *sessions, const struct uuid *doc, uint64_t change)
{
	struct changed *row = changed_row(sessions, doc);

	if (uuid_equal(&row->doc, doc) && row->number <= change)
		row->number = 0;
}

bool
session_role_is_stale(const struct session *s)
{
	const struct changed *row = changed_row(s->owner, &s->doc);

	return s->access.stale || row->any || (row->number != 0 && uuid_equal(&row->doc, &s->doc));
}

/* ---- pausing, and going on ---- */

void
session_go_live(struct session *s, int64_t cursor)
{
	s->member.cursor = cursor;
	if (s->access.checks == 0)
		room_go_live(&s->member, cursor);
	session_send_missed_talk(s);
}

/* Store a client's role. */
void
session_set_role(struct session *s, const char *role)
{
	strncpy(s->access.role, role, sizeof(s->access.role) - 1);
}

/* Pause a client, and ask for its role as well. */
static void
add_to_check(struct check *check, struct session *s)
{
	if (s->access.asked_next == check)
		return;
	s->access.asked_next = check;
	if (check->count == check->cap)
	{
		check->cap = check->cap > 0 ? check->cap * 2 : 4;
		check->clients = mem_grow(check->clients, (size_t) check->cap * sizeof(struct session *));
	}
	check->clients[check->count++] = s;
	session_hold(s);
	s->access.checks++;
	room_pause(&s->member);
}

/* Pause a client that a change may concern; one whose join is not answered is checked afterwards. */
static void
consider(void *arg, struct room_member *member)
{
	const struct concerned *concerned = arg;
	struct session *s = (struct session *) member;

	if (concerned->user != NULL && strcmp(s->user, concerned->user) != 0)
		return;
	if (s->state == SESSION_JOINING)
		s->access.stale = true;
	else if (s->state < SESSION_CLOSING)
		add_to_check(concerned->check, s);
}

/* Apply the role that a client has now, NULL: none. */
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
	if (strcmp(role, s->access.role) == 0)
		return;
	metrics->roles_changed++;
	session_log(s, RELAY_DEBUG, "is %s now, was %s", role, s->access.role);
	session_set_role(s, role);
	session_send(s, protocol_role(role));
}

/* Take the answer about one client. */
static void
take_answer(struct session *s, const char *role, enum roles_result result)
{
	s->access.checks--;
	if (s->state == SESSION_JOINING)
		s->access.stale = true;
	else if (s->state < SESSION_CLOSING)
	{
		if (result == ROLES_KNOWN)
			apply_role(s, role);
		else if (result == ROLES_GONE)
			session_refuse(s, CLOSE_NOT_FOUND, "not_found", "the document no longer exists");
		else
			session_refuse(s, CLOSE_INTERNAL, "internal", "could not check whether you may still read the document");
		if (s->state == SESSION_LIVE)
			session_go_live(s, s->member.cursor);
		if (s->presence.missed)
			s->owner->config.transport.wake(s->conn);
	}
	session_let_go(s);
}

static void ask(struct asking *asking, struct check *check);

/* A question was answered: ask the next one, or note that there is none. */
static void
go_on_asking(struct sessions *sessions, const struct uuid *doc)
{
	struct asking *asking = doc_map_find(&sessions->access.asking, doc);
	struct check *next = asking->next;

	asking->running = asking->next = NULL;
	if (next != NULL)
	{
		ask(asking, next);
		return;
	}
	doc_map_remove(&sessions->access.asking, &asking->node);
	free(asking);
}

/* Take the answer: one call for each client, then one with user -1; on failure only the last. */
static void
on_roles(void *arg, int user, const char *role, enum roles_result result)
{
	struct check *check = arg;

	if (user >= 0)
	{
		take_answer(check->clients[user], role, result);
		return;
	}
	if (result != ROLES_KNOWN)
	{
		for (int i = 0; i < check->count; i++)
			take_answer(check->clients[i], NULL, result);
	}
	else
		forget_change(check->owner, &check->doc, check->change);
	go_on_asking(check->owner, &check->doc);
	free(check->clients);
	free(check);
}

/* Ask for the roles of the clients in a check. */
static void
ask(struct asking *asking, struct check *check)
{
	const char **users = mem_alloc((size_t) check->count * sizeof(char *));

	asking->running = check;
	check->change = check->owner->access.last_change;
	for (int i = 0; i < check->count; i++)
	{
		users[i] = check->clients[i]->user;
		/* what changes from now on is asked for again */
		if (check->clients[i]->access.asked_next == check)
			check->clients[i]->access.asked_next = NULL;
	}
	check->owner->config.metrics->access_checks++;
	reader_roles(check->owner->reader, &check->doc, users, check->count, on_roles, check);
	free(users);
}

/* Begin a check. */
static struct check *
new_check(struct sessions *sessions, const struct uuid *doc)
{
	struct check *check = mem_zalloc(sizeof(struct check));

	check->owner = sessions;
	check->doc = *doc;
	return check;
}

/* Ask what a check asks, now or after the question that is under way; drop a check without clients. */
static void
ask_in_turn(struct check *check)
{
	struct doc_map *map = &check->owner->access.asking;
	struct asking *asking = doc_map_find(map, &check->doc);

	if (check->count == 0)
	{
		free(check);
		return;
	}
	if (asking != NULL)
	{
		asking->next = check;
		return;
	}
	asking = mem_zalloc(sizeof(struct asking));
	asking->node.id = check->doc;
	doc_map_add(map, &asking->node);
	ask(asking, check);
}

/* Get the check that clients of a document are added to: one that waits, or a new one. */
static struct check *
next_check(struct sessions *sessions, const struct uuid *doc)
{
	struct asking *asking = doc_map_find(&sessions->access.asking, doc);

	return asking != NULL && asking->next != NULL ? asking->next : new_check(sessions, doc);
}

/* Pause a user's clients in a document, or with NULL all clients, until their roles are known. */
void
sessions_check(struct sessions *sessions, const struct uuid *doc, const char *user)
{
	struct concerned concerned = {next_check(sessions, doc), user};

	rooms_each_member(sessions->rooms, doc, consider, &concerned);
	ask_in_turn(concerned.check);
}

void
session_check(struct session *s)
{
	struct check *check = next_check(s->owner, &s->doc);

	s->access.stale = false;
	add_to_check(check, s);
	ask_in_turn(check);
}

static void
check_all_clients(void *arg, const struct uuid *doc)
{
	sessions_check(arg, doc, NULL);
}

/* Members of unknown documents changed: check all clients, and those that join from now on. */
static void
check_all_rooms(struct sessions *sessions)
{
	note_any_change(sessions);
	rooms_each(sessions->rooms, check_all_clients, sessions);
}

/* ---- notices from the stream ---- */

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
	/* the tables answer a client that is joining: there may be another document by now */
	if (s->state != SESSION_JOINING || s->was_live)
		session_end_deleted(s);
}

static void
send_title(void *arg, struct room_member *member)
{
	const struct notice *notice = arg;
	struct session *s = (struct session *) member;

	if (s->state == SESSION_SYNCING || s->state == SESSION_LIVE)
		session_send(s, protocol_title(notice->title));
}

/* Take a notice of the stream: what happens to a document beside its operations. */
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
			rooms_each_member(sessions->rooms, &notice->doc, send_title, &copy);
			break;
		case NOTICE_DELETED:
			rooms_each_member(sessions->rooms, &notice->doc, close_deleted, NULL);
			break;
		case NOTICE_RENEWED:
			break;				/* its clients were sent away */
		case NOTICE_RESYNC:
			check_all_rooms(sessions);
			break;
	}
}
