/*
 * store/roles.h
 *		What a user may do in a document, in rising order.
 */
#ifndef CVG_ROLES_H
#define CVG_ROLES_H

#include "postgres.h"

/* In the order of what they may do; CVG_NO_ROLE is none. */
typedef enum CvgRole
{
	CVG_NO_ROLE,
	CVG_VIEWER,
	CVG_COMMENTER,
	CVG_EDITOR,
	CVG_OWNER
} CvgRole;

extern const char *cvg_role_name(CvgRole role);

#endif							/* CVG_ROLES_H */
