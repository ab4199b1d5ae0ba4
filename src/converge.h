/*
 * converge.h
 *		What the files of the extension share: limits, error codes, and the
 *		functions one file offers the others.
 *
 * Dependencies run down only: ot/ <- op_type <- catalog <- access, snapshot,
 * apply <- the SQL functions (document.c, gateway.c).  decode.c stands beside
 * them and uses the type, event.c and the names of the tables.
 */
#ifndef CONVERGE_H
#define CONVERGE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/uuid.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "ot/ot.h"

/* ---- limits: every bound on what comes from outside ---- */

/* Longest document, in code points; its UTF-8 text stays well below 1 GB. */
#define CVG_MAX_DOCUMENT_LENGTH	((int64) 1 << 26)

/* Largest packed op that may be submitted, in bytes. */
#define CVG_MAX_OP_BYTES		((Size) 16 << 20)

/* Longest user id, in bytes. */
#define CVG_MAX_USER_BYTES		255

/* Most ops of one submit() call. */
#define CVG_MAX_BATCH			10000

/* Rows of a timeline: unless the caller says, and at most. */
#define CVG_TIMELINE_BUCKETS	200
#define CVG_MAX_TIMELINE_BUCKETS	10000

/* Longest label of a snapshot, in bytes. */
#define CVG_MAX_LABEL_BYTES		1000

/* ---- error codes: class OT, told in doc/errors.md ---- */

#define CVG_SQLSTATE(n)			MAKE_SQLSTATE('O', 'T', '0', '0', (n))
#define ERRCODE_CVG_STALE				CVG_SQLSTATE('1')	/* base below the floor */
#define ERRCODE_CVG_FORBIDDEN			CVG_SQLSTATE('2')	/* the role does not
															 * allow it */
#define ERRCODE_CVG_NO_DOCUMENT			CVG_SQLSTATE('3')	/* no such document */
#define ERRCODE_CVG_OP_ID_CONFLICT		CVG_SQLSTATE('4')	/* the op id names
															 * another op */
#define ERRCODE_CVG_OUT_OF_RANGE		CVG_SQLSTATE('5')	/* past the document's
															 * end */
#define ERRCODE_CVG_TOO_LARGE			CVG_SQLSTATE('6')	/* over a limit */
#define ERRCODE_CVG_FUTURE_BASE			CVG_SQLSTATE('7')	/* base above the head */
#define ERRCODE_CVG_VETOED				CVG_SQLSTATE('8')	/* a trigger on ops said
															 * no */
#define ERRCODE_CVG_TOO_OFTEN			CVG_SQLSTATE('9')	/* wrong passwords, in
															 * SQL */

/* ---- converge.c ---- */

/*
 * Do something in a subtransaction.  NULL when it succeeded; else what went
 * wrong, and nothing of it was done.
 */
extern ErrorData *cvg_try(void (*work) (void *arg), void *arg);

/* ---- op_type.c: ops as datums ---- */

/* The core's memory: palloc in the current context. */
extern const OtAllocator cvg_allocator;

/* The packed op inside a detoasted datum. */
static inline OtOp
cvg_op_of(const struct varlena *datum)
{
	OtOp		op = {(const uint8_t *) VARDATA_ANY(datum), VARSIZE_ANY_EXHDR(datum)};

	return op;
}

#define PG_GETARG_CVG_OP(n)		cvg_op_of(PG_GETARG_VARLENA_PP(n))

/* Start a buffer that will become a datum, and make it one. */
extern void cvg_datum_begin(OtBuffer *buffer);
extern Datum cvg_datum_finish(OtBuffer *buffer);

/* A datum that is a copy of a packed op. */
extern Datum cvg_op_datum(OtOp op);

/* Raise the error that a status stands for; returns when it is OT_OK. */
extern void cvg_check_status(OtStatus status);

/* ---- event.c: committed ops as JSON ---- */

/*
 * Append the entry of one committed op, the same text wherever it is shown:
 * {"version":12,"sequenceId":345,"operationId":"...","userId":"...",
 *	"baseVersion":11,"at":"2026-01-31T12:34:56.123456Z","op":[5,"hi"]}
 */
extern void cvg_event_entry(StringInfo out, int64 version, int64 seq,
							const pg_uuid_t *op_id, const char *user_id, int user_len,
							int64 base_version, TimestampTz at, OtOp op);

/* Append a JSON string literal. */
extern void cvg_append_json_string(StringInfo out, const char *text, Size size);

/* Append an op's JSON. */
extern void cvg_append_json_op(StringInfo out, OtOp op);

/* Append a uuid's 36 characters, without quotes. */
extern void cvg_append_uuid(StringInfo out, const pg_uuid_t *uuid);

/* Append a whole number. */
extern void cvg_append_int64(StringInfo out, int64 value);

/* ---- access.c ---- */

/* In the order of what they may do; CVG_NO_ROLE is none. */
typedef enum CvgRole
{
	CVG_NO_ROLE,
	CVG_VIEWER,
	CVG_COMMENTER,
	CVG_EDITOR,
	CVG_OWNER
} CvgRole;

extern void cvg_access_init(void);

/* The user permissions are checked for. */
extern const char *cvg_acting_user(void);

/* What a user may do in a document, by name or as anybody. */
extern CvgRole cvg_role_of(const pg_uuid_t *doc_id, const char *user_id, int user_len);
extern const char *cvg_role_name(CvgRole role);

/* Fail unless the user may read the document; its role. */
extern CvgRole cvg_require_reader(const pg_uuid_t *doc_id, const char *user_id);

/* Fail unless the acting user has at least a role in the document. */
extern void cvg_require_role(const pg_uuid_t *doc_id, CvgRole least);

/* Fail: there is no such document. */
extern void cvg_no_document(const pg_uuid_t *doc_id) pg_attribute_noreturn();

#endif							/* CONVERGE_H */
