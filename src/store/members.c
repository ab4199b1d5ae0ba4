/*
 * store/members.c
 *		Reads rows of converge.members.
 */
#include "store/members.h"

#include "base/row.h"
#include "store/columns.h"
#include "store/names.h"
#include "store/scan.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_collation.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* A user's own row in members. */
CvgRole
cvg_member_role(const pg_uuid_t *doc_id, const char *user_id, int user_len)
{
	const CvgCatalog *cat = cvg_catalog();
	Relation	members = cvg_open_table(cat->members, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	CvgRole		role = CVG_NO_ROLE;

	cvg_document_key(&keys[0], MEMBERS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], MEMBERS_USER_ID, BTEqualStrategyNumber, F_TEXTEQ,
				PointerGetDatum(cstring_to_text_with_len(user_id, user_len)));
	keys[1].sk_collation = C_COLLATION_OID;
	scan = systable_beginscan(members, cat->members_pkey, true, GetActiveSnapshot(), 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Oid			value = DatumGetObjectId(cvg_row_column(tuple, MEMBERS_ROLE,
															RelationGetDescr(members), &isnull));

		for (role = CVG_OWNER; role > CVG_NO_ROLE; role--)
			if (cat->roles[role] == value)
				break;
	}
	systable_endscan(scan);
	table_close(members, AccessShareLock);
	return role;
}
