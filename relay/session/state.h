/*
 * session/state.h: what the files of a session share, and nobody else.
 */
#ifndef RELAY_SESSION_STATE_H
#define RELAY_SESSION_STATE_H

#include "base/bounds.h"
#include "base/log.h"
#include "session/session.h"
#include "session/list.h"
#include "base/tally.h"

#define REVOKED "you may not read this document any longer"

enum session_state
{
	SESSION_GREETING,			/* its hello is awaited */
	SESSION_JOINING,			/* the tables are asked */
	SESSION_SYNCING,			/* it has a snapshot, its ack is awaited */
	SESSION_LIVE,
	SESSION_CLOSING,			/* last words, then the close */
	SESSION_CLOSED				/* the socket is gone */
};

/* a message that waits for room in the socket */
struct outgoing
{
	struct outgoing *next;
	struct frame *frame;
};

/* a place on the wheel of tokens that run out */
struct expiry
{
	LIST_ENTRY(session) entry;
};

/* a place among those who are read more slowly */
struct slowed
{
	LIST_ENTRY(session) entry;
};

struct session
{
	struct room_member member;	/* first: a member is a session */
	struct session_link link;
	struct sessions *owner;
	void	   *conn;
	uint64_t	id;
	uint32_t	refs;
	enum session_state state;
	bool		has_doc;
	bool		has_pending;
	bool		was_live;		/* a snapshot now is a second one: its ops may
								 * cross it */
	bool		catching_up;
	bool		doubtful;		/* roles changed while the tables were asked */
	uint16_t	checks;			/* its role is asked for; nothing is shown
								 * meanwhile */
	char		role[LIMIT_ROLE_BYTES];
	uint16_t	under_way;		/* its operations, submitted and not answered */
	uint16_t	waiting;		/* messages in the list */
	struct uuid doc;
	struct uuid pending;		/* its last operation, which catching up must
								 * not compose */
	struct uuid life;			/* of the document that it joined */
	char	   *user;
	char	   *offered_token;	/* from the URL or a header, until the hello */
	int64_t		expires;
	struct expiry expiry;		/* while expires is not 0 */
	struct bucket bucket;
	struct tally_row *account;	/* its user's */
	struct slowed slowed;		/* while resumes_ms is not 0 */
	int64_t		resumes_ms;
	int			wait_ms;		/* until the debt is paid */
	enum flow	flow;
	struct presence_client *presence;	/* while others may see it */
	struct uuid client_id;
	bool		unseen;			/* missed messages of presence; is to be shown
								 * everybody */
	int64_t		own_version;	/* that the last operation made; 0: not known */
	int64_t		held_version;	/* resumed from */
	int64_t		snapshot_seq;
	int64_t		covered;		/* versions up to here came without their own
								 * entries */
	struct outgoing *first;
	struct outgoing **last;
	bool		asked;			/* for a checksum */
	int64_t		verified_s;		/* when one was last looked into */
	enum close_code close;
	char	   *close_reason;
};

/* a document whose members changed since roles were last read there for certain */
struct changed
{
	struct uuid doc;
	uint64_t	number;			/* of the change; 0: none */
	bool		any;			/* other documents' changes were pushed out of
								 * this row, or it was not told whose they
								 * were */
};

LIST_HEAD(session_expiries, session);
LIST_HEAD(sessions_slowed, session);

struct sessions
{
	struct sessions_config config;
	struct rooms *rooms;
	struct writer *writer;
	struct reader *reader;
	struct presence *presence;
	struct session_list greeting;
	struct session_list settled;
	struct session_list closing;
	struct session_list reaped;
	int64_t		now_s;
	struct tally users;
	struct sessions_slowed slowed;
	int64_t		expired_s;		/* tokens up to this time were looked at */
	struct session_expiries expiries[LIMIT_EXPIRY_SLOTS];
	uint64_t	last_id;
	uint64_t	last_change;
	struct changed changed[LIMIT_SEEN_DOCUMENTS];
	int			count;
	int			verifying;		/* checksums that the tables are asked for */
	bool		draining;
};

void		session_log(const struct session *s, enum log_level level, const char *format,...)
			__attribute__((format(printf, 3, 4)));
int			session_retry_after_ms(void);
void		session_hold(struct session *s);
void		session_let_go(struct session *s);
void		session_send(struct session *s, struct frame *frame);
void		session_move(struct session *s, enum session_state state);
void		session_set_expiry(struct session *s, int64_t expires);
void		session_end_deleted(struct session *s);
void		session_join(struct session *s, const struct hello *hello);
void		session_set_role(struct session *s, const char *role);
bool		session_is_doubtful(const struct session *s);
void		session_check(struct session *s);
void		session_go_live(struct session *s, int64_t cursor);
bool		session_hold_account(struct session *s);
void		session_end_flow(struct session *s);
void		session_claim(struct session *s, const struct message *m);
void		sessions_verify(struct sessions *sessions);
const struct buf *session_appear(struct session *s);
void		session_disappear(struct session *s);
void		session_say(struct session *s, const struct message *m);
void		session_show_missed(struct session *s);
void		sessions_forget_users(struct sessions *sessions);
void		session_reject(struct session *s, const struct uuid *id, enum reject_code code, const char *message);

#endif							/* RELAY_SESSION_STATE_H */
