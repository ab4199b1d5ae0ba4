/*
 * session/state.h: a session and the sessions, for the files of this folder alone.
 * Each feature's state is a struct of its own, in the header of the file that owns
 * it.
 */
#ifndef RELAY_SESSION_STATE_H
#define RELAY_SESSION_STATE_H

#include "base/bounds.h"
#include "base/log.h"
#include "session/access.h"
#include "session/catch_up.h"
#include "session/expiry.h"
#include "session/flow.h"
#include "session/join.h"
#include "session/list.h"
#include "session/ops.h"
#include "session/outbox.h"
#include "session/presence.h"
#include "session/session.h"
#include "session/talk.h"
#include "session/verify.h"

enum session_state
{
	SESSION_GREETING,			/* its hello is awaited */
	SESSION_JOINING,			/* the tables are asked */
	SESSION_SYNCING,			/* it has a snapshot, its ack is awaited */
	SESSION_LIVE,
	SESSION_CLOSING,			/* the last messages, then the close */
	SESSION_CLOSED				/* the socket is gone */
};

struct session
{
	struct room_member member;	/* first: a member is a session */
	struct session_link link;
	struct sessions *owner;
	void	   *conn;
	uint64_t	id;
	struct ledger_purse purse;	/* for all that waits for this client */
	struct request *asked;		/* of the tables, for this client; NULL: nothing */
	uint32_t	refs;
	enum session_state state;
	enum close_code close;
	bool		was_live;		/* a snapshot now is a second one: the client's
								 * operations may cross it */
	bool		has_doc;
	struct uuid doc;
	struct uuid life;			/* of the document that it joined */
	const char *user;			/* as its account has it; submissions keep
								 * the pointer */
	char	   *close_reason;
	struct session_outbox outbox;
	struct session_join join;
	struct session_expiry expiry;
	struct session_flow flow;
	struct session_access access;
	struct session_catch_up catch_up;
	struct session_ops ops;
	struct session_presence presence;
	struct session_talk talk;
	struct session_verify verify;
};

struct sessions
{
	struct sessions_config config;
	struct rooms *rooms;
	struct writer *writer;
	struct reader *reader;
	struct presence *presence;
	struct sql_pool *pool;
	struct session_list greeting;
	struct session_list settled;
	struct session_list closing;
	struct session_list reaped;
	int64_t		now_s;
	uint64_t	last_id;
	int			count;
	bool		draining;
	struct sessions_expiry expiry;
	struct sessions_flow flow;
	struct sessions_access access;
	struct sessions_talk talk;
	struct sessions_verify verify;
};

/* session.c: what every feature uses that may refuse a client */
void		session_log(const struct session *s, enum log_level level, const char *format,...)
			__attribute__((format(printf, 3, 4)));
int			session_retry_after_ms(void);
void		session_hold(struct session *s);
void		session_let_go(struct session *s);
void		session_send(struct session *s, struct frame *frame);
void		session_move(struct session *s, enum session_state state);

#endif							/* RELAY_SESSION_STATE_H */
