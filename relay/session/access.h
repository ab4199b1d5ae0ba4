/*
 * session/access.h: which clients may still read, while connected.
 */
#ifndef RELAY_SESSION_ACCESS_H
#define RELAY_SESSION_ACCESS_H

#include "base/bounds.h"
#include "base/docmap.h"

#include <stdbool.h>
#include <stdint.h>

#define REVOKED "you no longer have permission to read this document"

struct session;
struct check;

struct session_access
{
	char		role[LIMIT_ROLE_BYTES];
	const struct check *asked_next;	/* the check that it waits for to be asked; or
								 * NULL */
	uint16_t	checks;			/* questions for its role without an answer;
								 * it is sent nothing meanwhile */
	bool		stale;			/* roles changed while its join was under way */
};

/* a document whose members changed, until the tables were asked for roles after that */
struct changed
{
	struct uuid doc;
	uint64_t	number;			/* of the change; 0: none */
	bool		any;			/* another document's change was replaced in
								 * this row, or a change of unknown documents
								 * happened */
};

struct sessions_access
{
	uint64_t	last_change;
	struct doc_map asking;		/* documents with a question under way */
	struct changed changed[LIMIT_SEEN_DOCUMENTS];
};

void		session_set_role(struct session *s, const char *role);

/* return true if the role that a client joined with may be out of date */
bool		session_role_is_stale(const struct session *s);

/* send the client nothing until the tables have given its role */
void		session_check(struct session *s);

/* let a client have what follows its cursor, unless its role is being asked for */
void		session_go_live(struct session *s, int64_t cursor);

/* close a client whose document was deleted */
void		session_end_deleted(struct session *s);

#endif							/* RELAY_SESSION_ACCESS_H */
