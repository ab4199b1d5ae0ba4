/*
 * access/access.c
 *		Who is acting, and what they may do.
 *
 * The acting user is session_user.  A session that holds PostgreSQL's SET
 * privilege on the parameter converge.acting_user, or on converge.user, its older
 * name, may name another: an application's backend that has checked its users
 * itself.  SET ROLE and definer functions do not change who acts.
 *
 * Two names that contradict each other are an error at every use: whichever of
 * them was preferred, a session could act for a user whom it was never told of
 * last, and neither parallel workers nor a library that is loaded late can know
 * which was set last.
 */
#include "access/access.h"

#include "base/errors.h"
#include "base/limits.h"

#include "access/parallel.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(converge_acting_user);
PG_FUNCTION_INFO_V1(converge_become);
PG_FUNCTION_INFO_V1(converge_may_read);
PG_FUNCTION_INFO_V1(converge_my_role);
PG_FUNCTION_INFO_V1(converge_require_role);
PG_FUNCTION_INFO_V1(converge_sign_up_is_open);

/*
 * The acting user's setting, which has two names: the value of each, and when it
 * was set, as a number that rises.  0 is not known: set before the library was
 * loaded, or in another process, whose parallel worker this is.
 */
static char *acting_user_setting = NULL;
static char *user_setting = NULL;
static uint64 acting_user_set_at = 0;
static uint64 user_set_at = 0;
static uint64 last_set_at = 0;
static bool settings_defined = false;

static bool sign_up_is_open = true;

/* Note when a value is set; it comes back with the value when a transaction or function ends. */
static bool
note_set(void **extra)
{
	uint64	   *at;

#if PG_VERSION_NUM >= 160000
	at = guc_malloc(LOG, sizeof(uint64));
#else
	at = malloc(sizeof(uint64));
#endif
	if (at == NULL)
		return false;
	*at = settings_defined && !InitializingParallelWorker ? ++last_set_at : 0;
	*extra = at;
	return true;
}

static void
assign_acting_user(const char *value, void *extra)
{
	acting_user_set_at = extra != NULL ? *(uint64 *) extra : 0;
}

static void
assign_user(const char *value, void *extra)
{
	user_set_at = extra != NULL ? *(uint64 *) extra : 0;
}

/* Bound the setting as any other user id; everyone is nobody in particular. */
static bool
check_user_setting(char **value, void **extra, GucSource source)
{
	if (*value != NULL && strcmp(*value, "*") == 0)
	{
		GUC_check_errdetail("\"*\" is everyone, who cannot act.");
		return false;
	}
	if (*value != NULL && strlen(*value) > CVG_MAX_USER_BYTES)
	{
		GUC_check_errdetail("A user id has at most %d bytes.", CVG_MAX_USER_BYTES);
		return false;
	}
	return note_set(extra);
}

/* Define the settings; the acting user has two names. */
void
cvg_access_init(void)
{
	DefineCustomStringVariable("converge.acting_user",
							   "The user on whose behalf this session acts.",
							   "Empty: session_user. Setting it needs GRANT SET ON PARAMETER.",
							   &acting_user_setting, "", PGC_SUSET, 0,
							   check_user_setting, assign_acting_user, NULL);
	DefineCustomStringVariable("converge.user",
							   "The user on whose behalf this session acts; older name of converge.acting_user.",
							   "Empty: session_user. Setting it needs GRANT SET ON PARAMETER.",
							   &user_setting, "", PGC_SUSET, 0,
							   check_user_setting, assign_user, NULL);
	settings_defined = true;
	DefineCustomBoolVariable("converge.sign_up",
							 "Whether converge.sign_up() makes accounts.",
							 "A superuser turns it off for a database, or for the relay's role.",
							 &sign_up_is_open, true, PGC_SUSET, 0, NULL, NULL, NULL);
}

/* Name the user who acts, under both names, by the authority of the caller. */
void
cvg_name_user(const char *user_id, int guc_action)
{
	static const char *const names[] = {"converge.acting_user", "converge.user"};

	for (int i = 0; i < lengthof(names); i++)
		set_config_option(names[i], user_id, PGC_SUSET, PGC_S_SESSION,
						  (GucAction) guc_action, true, ERROR, false);
}

/*
 * The user whom the session names; NULL: none.  Where both names are set, to
 * different users, the one set last counts; and neither where that is not known.
 */
static const char *
named_user(void)
{
	const char *newer = acting_user_setting != NULL ? acting_user_setting : "";
	const char *older = user_setting != NULL ? user_setting : "";

	if (newer[0] == '\0')
		return older[0] != '\0' ? older : NULL;
	if (older[0] == '\0' || strcmp(newer, older) == 0)
		return newer;
	if (acting_user_set_at == user_set_at)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("settings converge.acting_user and converge.user name different users"),
				 errdetail("They name \"%s\" and \"%s\", and it is not known which was set last.", newer, older),
				 errhint("Both are names of one setting. Set only one of them, or reset the other.")));
	return acting_user_set_at > user_set_at ? newer : older;
}

/* The user permissions are checked for. */
const char *
cvg_acting_user(void)
{
	const char *role = named_user();

	if (role != NULL)
		return role;
	role = GetUserNameFromId(GetSessionUserId(), false);
	if (strcmp(role, "*") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_FORBIDDEN),
				 errmsg("role \"*\" cannot act: it is the name of everyone")));
	return role;
}

/* The greater of a user's own role and everyone's; "*" is no user and has none. */
CvgRole
cvg_role_of(const pg_uuid_t *doc_id, const char *user_id, int user_len)
{
	CvgRole		own;

	if (user_len == 1 && user_id[0] == '*')
		return CVG_NO_ROLE;
	own = cvg_member_role(doc_id, user_id, user_len);
	if (own >= CVG_EDITOR)
		return own;				/* the most that everyone can have */
	return Max(own, cvg_member_role(doc_id, "*", 1));
}

/* Fail for a document that is not there. */
void
cvg_no_document(const pg_uuid_t *doc_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_CVG_NO_DOCUMENT),
			 errmsg("document %s does not exist",
					DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(doc_id))))));
}

/* Fail unless the user may read a document that exists. */
CvgRole
cvg_require_reader(const pg_uuid_t *doc_id, const char *user_id)
{
	CvgRole		role = cvg_role_of(doc_id, user_id, strlen(user_id));
	CvgHead		head;

	if (role != CVG_NO_ROLE)
		return role;
	if (!cvg_head_read(doc_id, &head))
		cvg_no_document(doc_id);
	ereport(ERROR,
			(errcode(ERRCODE_CVG_FORBIDDEN),
			 errmsg("permission denied for document %s",
					DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(doc_id)))),
			 errdetail("User \"%s\" is not a member.", user_id)));
}

/*
 * Return true if the session reads every document, as it reads every row of the
 * tables: row-level security does not bind superusers, roles with BYPASSRLS and
 * the extension's owner.  A session that acts for a user reads what they may.
 * Both the role that was set and the one whose rights count now must be such a
 * role, so that no definer function, whosever it is, lends this to its caller or
 * takes it from them.
 */
static bool
reads_all(void)
{
	Oid			heads = cvg_catalog()->heads;

	return named_user() == NULL &&
		check_enable_rls(heads, GetOuterUserId(), true) != RLS_ENABLED &&
		check_enable_rls(heads, GetUserId(), true) != RLS_ENABLED;
}

/* Fail unless the session may read a document that exists; the acting user's role, which may be none. */
CvgRole
cvg_require_acting_reader(const pg_uuid_t *doc_id)
{
	const char *user_id = cvg_acting_user();
	CvgHead		head;

	if (cvg_role_of(doc_id, user_id, strlen(user_id)) == CVG_NO_ROLE &&
		reads_all() && cvg_head_read(doc_id, &head))
		return CVG_NO_ROLE;
	return cvg_require_reader(doc_id, user_id);
}

/* Fail unless the acting user has at least a role. */
void
cvg_require_role(const pg_uuid_t *doc_id, CvgRole least)
{
	const char *user_id = cvg_acting_user();
	CvgRole		role;

	if (least == CVG_VIEWER)
	{
		cvg_require_acting_reader(doc_id);
		return;
	}
	role = cvg_require_reader(doc_id, user_id);
	if (role < least)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_FORBIDDEN),
				 errmsg("permission denied for document %s",
						DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(doc_id)))),
				 errdetail("User \"%s\" has role %s; this needs %s.",
						   user_id, cvg_role_name(role), cvg_role_name(least))));
}

/* ---- SQL ---- */

Datum
converge_acting_user(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(cvg_acting_user()));
}

Datum
converge_require_role(PG_FUNCTION_ARGS)
{
	Oid			least = PG_GETARG_OID(1);
	CvgRole		role = CVG_OWNER;

	while (role > CVG_VIEWER && cvg_catalog()->roles[role] != least)
		role--;
	cvg_require_role(PG_GETARG_UUID_P(0), role);
	PG_RETURN_VOID();
}

/*
 * The setting itself, by the authority of whoever granted EXECUTE on this: it is
 * undone with the transaction, so that a connection which serves one user after
 * the other has nothing left over.
 */
Datum
converge_become(PG_FUNCTION_ARGS)
{
	char	   *user_id;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("user must not be null")));
	user_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (user_id[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("user must not be empty")));
	cvg_name_user(user_id, GUC_ACTION_LOCAL);
	PG_RETURN_VOID();
}

/* The last answer of may_read() in a query, and what it holds for. */
typedef struct MayRead
{
	bool		known;
	bool		may;
	pg_uuid_t	doc_id;
	uint64		completions;	/* these two tell one snapshot from another */
	CommandId	command;
	Oid			outer_role;
	Oid			role;
	char		user_id[CVG_MAX_USER_BYTES + 1];
} MayRead;

/* The place where a query keeps its last answer. */
static MayRead *
last_answer(FmgrInfo *function)
{
	if (function->fn_extra == NULL)
		function->fn_extra = MemoryContextAllocZero(function->fn_mcxt, sizeof(MayRead));
	return function->fn_extra;
}

/*
 * Row-level security asks this of every row, and rows of one document mostly
 * stand together, so the last answer is kept.  A snapshot without a count of
 * completed transactions cannot be told from others.
 */
Datum
converge_may_read(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	const char *user_id = cvg_acting_user();
	Snapshot	snapshot = GetActiveSnapshot();
	MayRead    *last = last_answer(fcinfo->flinfo);
	CvgHead		head;

	if (last->known && snapshot->snapXactCompletionCount != 0 &&
		last->completions == snapshot->snapXactCompletionCount &&
		last->command == snapshot->curcid &&
		last->outer_role == GetOuterUserId() && last->role == GetUserId() &&
		memcmp(&last->doc_id, doc_id, UUID_LEN) == 0 &&
		strcmp(last->user_id, user_id) == 0)
		PG_RETURN_BOOL(last->may);

	last->may = cvg_role_of(doc_id, user_id, strlen(user_id)) != CVG_NO_ROLE ||
		(reads_all() && cvg_head_read(doc_id, &head));
	last->doc_id = *doc_id;
	last->completions = snapshot->snapXactCompletionCount;
	last->command = snapshot->curcid;
	last->outer_role = GetOuterUserId();
	last->role = GetUserId();
	strlcpy(last->user_id, user_id, sizeof(last->user_id));
	last->known = true;
	PG_RETURN_BOOL(last->may);
}

Datum
converge_my_role(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	const char *user_id = cvg_acting_user();
	CvgRole		role = cvg_role_of(doc_id, user_id, strlen(user_id));
	CvgHead		head;

	if (!cvg_head_read(doc_id, &head))
		cvg_no_document(doc_id);
	if (role == CVG_NO_ROLE)
		PG_RETURN_NULL();
	PG_RETURN_OID(cvg_catalog()->roles[role]);
}

/* The setting. Calling this loads the library; before that any user could set the name. */
Datum
converge_sign_up_is_open(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(sign_up_is_open);
}
