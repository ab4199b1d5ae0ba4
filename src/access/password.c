/*
 * access/password.c
 *		Hashes of passwords, by the functions of the extension pgcrypto.
 *
 * Any role that may create schemas may create pgcrypto, in a schema of its own,
 * and put other functions in its place.  So its functions are not looked up by
 * name, nor by a snapshot, which may be an old one: what is called belongs to the
 * extension at this moment and is written in C, as only a superuser can add it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(converge_bcrypt);

/* The work that a hash takes, as a power of two. */
#define BCRYPT_COST		10

/* Return true if a function is pgcrypto's own, and takes these two arguments. */
static bool
is_crypto_function(HeapTuple tuple, Oid extension, Oid first, Oid second)
{
	Form_pg_proc function = (Form_pg_proc) GETSTRUCT(tuple);

	return function->pronargs == 2 &&
		function->proargtypes.values[0] == first && function->proargtypes.values[1] == second &&
		function->prolang == ClanguageId && function->prorettype == TEXTOID &&
		getExtensionOfObject(ProcedureRelationId, function->oid) == extension;
}

/* The OID of a function of pgcrypto with two arguments. */
static Oid
find_crypto_function(const char *name, Oid first, Oid second)
{
	Oid			extension = get_extension_oid("pgcrypto", true);
	CatCList   *list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
	Oid			found = InvalidOid;

	for (int i = 0; OidIsValid(extension) && i < list->n_members; i++)
	{
		HeapTuple	tuple = &list->members[i]->tuple;

		if (is_crypto_function(tuple, extension, first, second))
			found = ((Form_pg_proc) GETSTRUCT(tuple))->oid;
	}
	ReleaseSysCacheList(list);
	if (!OidIsValid(found))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("accounts need the extension pgcrypto"),
				 errhint("A superuser runs CREATE EXTENSION pgcrypto.")));
	return found;
}

/* Hash a password with the salt of a hash, or with a fresh one. */
Datum
converge_bcrypt(PG_FUNCTION_ARGS)
{
	Oid			crypt = find_crypto_function("crypt", TEXTOID, TEXTOID);
	Datum		salt;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	salt = PG_ARGISNULL(1)
		? OidFunctionCall2(find_crypto_function("gen_salt", TEXTOID, INT4OID),
						   CStringGetTextDatum("bf"), Int32GetDatum(BCRYPT_COST))
		: PG_GETARG_DATUM(1);
	PG_RETURN_DATUM(OidFunctionCall2(crypt, PG_GETARG_DATUM(0), salt));
}
