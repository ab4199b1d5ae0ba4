/*
 * scarce.c
 *		What scarce.h promises.
 */
#include <stdlib.h>

#include "scarce.h"

static void *
resize(void *ctx, void *ptr, size_t size)
{
	Scarce	   *scarce = ctx;

	scarce->asked++;
	if (size > scarce->largest)
		scarce->largest = size;
	if (scarce->left == 0)
		return NULL;
	if (scarce->left > 0)
		scarce->left--;
	return realloc(ptr, size);
}

static void
release(void *ctx, void *ptr)
{
	(void) ctx;
	free(ptr);
}

/* Memory for `requests` allocations. */
void
scarce_init(Scarce *scarce, long requests)
{
	scarce->allocator.resize = resize;
	scarce->allocator.release = release;
	scarce->allocator.ctx = scarce;
	scarce->left = requests;
	scarce->asked = 0;
	scarce->largest = 0;
}
