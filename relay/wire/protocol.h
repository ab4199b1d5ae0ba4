/*
 * wire/protocol.h: the messages of converge.v1 as structs. Pure: text in, text out.
 */
#ifndef RELAY_PROTOCOL_H
#define RELAY_PROTOCOL_H

#include "base/docmap.h"
#include "wire/frame.h"
#include "base/mem.h"
#include "wire/op_message.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define PROTOCOL_NAME "converge.v1"

/* what stands before and behind the entries of an ops message, which commas part */
#define OPS_OPEN "{\"type\":\"ops\",\"ops\":["
#define OPS_CLOSE "]}"
#define OPS_OPEN_LEN (sizeof(OPS_OPEN) - 1)
#define OPS_CLOSE_LEN (sizeof(OPS_CLOSE) - 1)

/* SHA-256 in hex, in small letters */
#define CHECKSUM_DIGITS 64

/* asks a client for a checksum */
#define CHECKSUM_QUESTION "{\"type\":\"checksum\"}"

/*
 * Count the elements of a message: objects, arrays, and what commas part in them, before
 * any memory is spent on them.
 */
size_t		protocol_count_elements(const char *text, size_t len);

/* why an operation was rejected */
enum reject_code
{
	REJECT_STALE,
	REJECT_FORBIDDEN,
	REJECT_INVALID,
	REJECT_CONFLICT,
	REJECT_TOO_LARGE,
	REJECT_RATE_LIMITED,
	REJECT_UNAVAILABLE
};

/* why an operation is rejected for which too many others wait */
#define HELD_TOO_MANY "too many operations are waiting for PostgreSQL (held-ops)"

/* WebSocket close codes that are ours, and the standard ones we use */
enum close_code
{
	CLOSE_TOO_BIG = 1009,
	CLOSE_INTERNAL = 1011,
	CLOSE_RESTARTING = 1012,
	CLOSE_MALFORMED = 4400,
	CLOSE_UNAUTHENTICATED = 4401,
	CLOSE_FORBIDDEN = 4403,
	CLOSE_NOT_FOUND = 4404,
	CLOSE_TOO_SLOW = 4408,
	CLOSE_HOLDING = 4413,
	CLOSE_FLOODING = 4429
};

/* a message from a client; only its type is decoded */
struct message
{
	json_t	   *root;			/* NULL with a plain op */
	const char *type;
	bool		is_plain_op;
	struct op_message op;		/* a plain one, in the message's text */
	bool		lone_surrogate; /* one was found and replaced: only good for a
								 * reject */
};

struct hello
{
	const char *token;			/* or NULL */
	bool		resumes;		/* version was given */
	int64_t		version;
	bool		has_operation_id;
	struct uuid operation_id;
	int64_t		sequence_id;	/* -1: not given */
	bool		has_life;
	struct uuid life;			/* one that no document has, where the
								 * client's text is none */
	bool		has_pending;
	struct uuid pending;
};

/* an operation as submitted; text is the `op` value's JSON, to be freed */
struct submitted
{
	struct uuid operation_id;
	int64_t		base_version;
	char	   *text;
	size_t		text_len;
	bool		far;			/* its base is far behind: it takes long */
	struct uuid life;			/* of the document it was made on */
};

struct joined
{
	const struct uuid *doc;
	const char *user;
	const char *role;
	const char *title;
	int64_t		version;
	bool		resumed;
	const struct uuid *life;
	bool		pending_known;
	int64_t		pending_version;	/* 0: the pending operation is not in */
	const struct uuid *client;
	const struct buf *users;	/* a list of clients, or NULL */
};

/* a committed operation, as the stream shows it */
struct event
{
	struct uuid doc;
	int64_t		version;
	int64_t		sequence_id;
	int64_t		committed_us;	/* since 1970, by the server's clock */
	const char *entry;			/* ready to be sent */
	size_t		entry_len;
	bool		withheld;		/* the entry has no operation: it is too large
								 * for the stream */
};

/*
 * A version of a document and what made it. Another history (one where a crash
 * or a failover lost commits) has other revisions.
 */
struct revision
{
	int64_t		version;
	int64_t		sequence_id;
	bool		has_id;			/* else the operation is not known, or there
								 * is none */
	struct uuid id;
	struct uuid life;			/* of the document, where the revision is from the
								 * tables */
};

/* events of the stream other than operations; the root owns the texts */
enum notice_kind
{
	NOTICE_MEMBER,				/* a user (or '*') has another role, or none */
	NOTICE_RENAMED,
	NOTICE_DELETED,
	NOTICE_RENEWED,				/* its past was changed: life is that of before */
	NOTICE_RESYNC				/* of no document: something changed that the
								 * stream cannot tell, anywhere */
};

struct notice
{
	enum notice_kind kind;
	json_t	   *root;
	struct uuid doc;
	const char *user;
	const char *title;
	bool		has_life;
	struct uuid life;			/* of a deleted or renewed document, where it is known */
};

/* client to server; on false, *problem is the error message */
bool		protocol_parse(const char *text, size_t len, struct message *m, const char **problem);
void		protocol_release(struct message *m);
bool		protocol_hello(const struct message *m, struct hello *hello, const char **problem);
bool		protocol_ack(const struct message *m, int64_t *sequence_id, const char **problem);
bool		protocol_operation_id(const struct message *m, struct uuid *id);
bool		protocol_op(const struct message *m, struct submitted *op, const char **problem);
bool		protocol_checksum(const struct message *m, int64_t *version, char checksum[CHECKSUM_DIGITS + 1],
							  const char **problem);

/* server to client */
struct frame *protocol_joined(const struct joined *joined);
struct frame *protocol_error(const char *code, const char *message, int retry_after_ms);
struct frame *protocol_reject(const struct uuid *operation_id, enum reject_code code, const char *message,
							  int retry_after_ms);
struct frame *protocol_pong(void);
struct frame *protocol_role(const char *role);
struct frame *protocol_title(const char *title);
struct frame *protocol_one_op(const char *entry, size_t len);
const char *protocol_reject_name(enum reject_code code);
bool		protocol_reject_code(const char *name, enum reject_code *code);

/* messages that PostgreSQL returns ready to send: entries, snapshots, event lines */
bool		protocol_entry_version(const char *entry, size_t len, int64_t *version);
bool		protocol_entry_revision(const char *entry, size_t len, struct revision *revision);
bool		protocol_next_entry(const char **list, size_t *list_len, const char **entry, size_t *entry_len);
bool		protocol_event(char *line, size_t len, struct event *event);
bool		protocol_notice(const char *line, size_t len, struct notice *notice);
void		protocol_notice_release(struct notice *notice);

#endif							/* RELAY_PROTOCOL_H */
