/*
 * past/pack_model.h
 *		What the writer and the reader of packs expect of the next op.
 *
 * The model sees only what is already written or read, so that both sides
 * expect the same.
 */
#ifndef CONVERGE_PACK_MODEL_H
#define CONVERGE_PACK_MODEL_H

#include "pack_columns.h"

/* Ids continued for a user at a time: one for each of his clients. */
#define PACK_ID_STREAMS 4

/* Users whose cursors follow what the others write. */
#define PACK_RECENT		8

/* The part of an operation id that stays, before the counter. */
#define PACK_ID_FIXED	12

typedef struct PackIdStream
{
	uint8_t		fixed[PACK_ID_FIXED];
	uint32_t	next;			/* counter expected */
} PackIdStream;

typedef struct PackUser
{
	size_t		text_at;		/* his id, in the column of user texts */
	int			text_len;
	uint32_t	text_hash;
	int64_t		cursor;			/* cp: where his last edit ended */
	bool		forward;		/* it was a delete with the cursor before it */
	int			streams;
	PackIdStream stream[PACK_ID_STREAMS];	/* the last one used is first */
} PackUser;

typedef struct PackModel
{
	const OtAllocator *allocator;
	PackUser   *users;
	int			count;
	int			capacity;
	int			recent[PACK_RECENT];	/* users, the last one first */
	int			recent_count;
	int		   *slots;			/* the writer's hash table of users; -1: empty */
	int			slot_count;		/* a power of two, or 0 */
} PackModel;

/* What an op does, for the predictions: its first edit, and where it ends. */
typedef struct PackEdit
{
	OtKind		kind;
	int64_t		pos;			/* cp, as all here */
	int64_t		length;
	int64_t		end;
} PackEdit;

extern void pack_model_init(PackModel *model, const OtAllocator *allocator);
extern void pack_model_free(PackModel *model);

/* Forget all users. */
extern void pack_model_reset(PackModel *model);

/*
 * The number of the user with this id, whose bytes are somewhere in `texts`; a
 * new one gets the next number, and his id is appended there.
 */
extern OtStatus pack_model_find(PackModel *model, OtBuffer *texts, const char *text, int len,
								int *number);

/* One more user. */
extern OtStatus pack_model_add(PackModel *model, size_t text_at, int text_len);

/* It is the turn of a user. */
extern PackUser *pack_model_turn(PackModel *model, int number);

/* Where the first edit of the user's next op is expected. */
extern int64_t pack_user_expects(const PackUser *user, OtKind kind, int64_t length);

/* The user whose turn it is did that. */
extern void pack_model_follow(PackModel *model, PackUser *user, OtOp op, const PackEdit *edit);

/* The stream an id belongs to; user->streams when to none. */
extern int	pack_user_stream(const PackUser *user, const uint8_t *id);

/* Make a stream, or with user->streams a new one, that of `id`, the first. */
extern void pack_user_continue(PackUser *user, int stream, const uint8_t *id);

extern uint32_t pack_id_counter(const uint8_t *id);
extern void pack_id_make(uint8_t *id, const PackIdStream *stream, uint32_t counter);

#endif							/* CONVERGE_PACK_MODEL_H */
