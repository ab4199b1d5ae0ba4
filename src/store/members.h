/*
 * store/members.h
 *		The rows of converge.members.
 */
#ifndef CVG_MEMBERS_H
#define CVG_MEMBERS_H

#include "postgres.h"

#include "store/roles.h"

#include "utils/uuid.h"

/* A user's own role in a document. */
extern CvgRole cvg_member_role(const pg_uuid_t *doc_id, const char *user_id, int user_len);

#endif							/* CVG_MEMBERS_H */
