/*
 * store/roles.c
 *		The names of roles, as the type converge.role has them.
 */
#include "store/roles.h"

static const char *const role_names[] = {"none", "viewer", "commenter", "editor", "owner"};

/* A role by its name. */
const char *
cvg_role_name(CvgRole role)
{
	return role_names[role];
}
