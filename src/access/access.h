/*
 * access/access.h
 *		Who is acting, and what they may do.
 */
#ifndef CVG_ACCESS_H
#define CVG_ACCESS_H

#include "base/errors.h"
#include "store/catalog.h"

extern void cvg_access_init(void);

/* The user permissions are checked for. */
extern const char *cvg_acting_user(void);

/* Let a user act, up to where PostgreSQL's GUC_ACTION_LOCAL or GUC_ACTION_SAVE ends. */
extern void cvg_name_user(const char *user_id, int guc_action);

/* What a user may do in a document, by name or as anybody. */
extern CvgRole cvg_role_of(const pg_uuid_t *doc_id, const char *user_id, int user_len);

/* Fail unless the user may read the document; its role. */
extern CvgRole cvg_require_reader(const pg_uuid_t *doc_id, const char *user_id);

/*
 * The same for the acting user; a superuser or a role with BYPASSRLS that acts for
 * itself may read without a role.
 */
extern CvgRole cvg_require_acting_reader(const pg_uuid_t *doc_id);

/*
 * Fail unless the acting user has at least a role in the document; who may read it
 * without one is taken for a viewer.
 */
extern void cvg_require_role(const pg_uuid_t *doc_id, CvgRole least);

/* Fail: there is no such document. */
pg_noreturn extern void cvg_no_document(const pg_uuid_t *doc_id);

#endif							/* CVG_ACCESS_H */
