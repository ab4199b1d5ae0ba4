/*
 * client/copy.c
 *		One client's copy of a document: pure state, no socket.
 */
#include "client/copy.h"

#include "lib/common.h"

#include <stdlib.h>
#include <string.h>

void
copy_init(Copy *copy)
{
	memset(copy, 0, sizeof(*copy));
	ot_buffer_init(&copy->text, &ot_libc_allocator, 0);
	for (int i = 0; i < 3; i++)
		ot_buffer_init(&copy->spare[i], &ot_libc_allocator, 0);
}

void
copy_free(Copy *copy)
{
	ot_buffer_free(&copy->text);
	for (int i = 0; i < 3; i++)
		ot_buffer_free(&copy->spare[i]);
	for (size_t i = 0; i < copy->count; i++)
		ot_buffer_free(&copy->edits[copy->first + i].op);
	free(copy->edits);
	memset(copy, 0, sizeof(*copy));
}

OtStatus
copy_set(Copy *copy, const char *text, size_t size, int64_t version)
{
	ot_buffer_reset(&copy->text);
	copy->version = version;
	copy->operation_id[0] = '\0';
	return ot_buffer_append(&copy->text, text, size);
}

/* Exchange the contents of two buffers. */
static void
swap(OtBuffer *a, OtBuffer *b)
{
	OtBuffer	held = *a;

	*a = *b;
	*b = held;
}

/* Change the text. */
static OtStatus
apply(Copy *copy, OtOp op)
{
	OtBuffer   *result = &copy->spare[0];
	OtStatus	status;

	ot_buffer_reset(result);
	status = ot_apply((const char *) copy->text.data, copy->text.size, op, result);
	if (status == OT_OK)
		swap(&copy->text, result);
	return status;
}

/* A new edit behind the others. */
static CopyEdit *
push_edit(Copy *copy, const char *id)
{
	CopyEdit   *edit;

	if (copy->first + copy->count == copy->capacity)
	{
		if (copy->first > copy->count)
		{
			memmove(copy->edits, copy->edits + copy->first, copy->count * sizeof(CopyEdit));
			copy->first = 0;
		}
		else
		{
			copy->capacity = copy->capacity > 0 ? copy->capacity * 2 : 16;
			copy->edits = xrealloc(copy->edits, copy->capacity * sizeof(CopyEdit));
		}
	}
	edit = &copy->edits[copy->first + copy->count++];
	ot_buffer_init(&edit->op, &ot_libc_allocator, 0);
	memcpy(edit->id, id, ID_SIZE);
	edit->sealed = false;
	return edit;
}

/* The edit that what is typed next may be composed into, if any. */
static CopyEdit *
open_edit(Copy *copy)
{
	CopyEdit   *last;

	if (copy->count == (copy->in_flight ? 1 : 0))
		return NULL;
	last = &copy->edits[copy->first + copy->count - 1];
	return last->sealed ? NULL : last;
}

OtStatus
copy_type(Copy *copy, OtOp op, const char *id, bool seal, bool *id_used)
{
	CopyEdit   *edit = open_edit(copy);
	OtStatus	status = apply(copy, op);

	*id_used = false;
	if (status != OT_OK)
		return status;
	if (edit == NULL)
	{
		edit = push_edit(copy, id);
		*id_used = true;
		status = ot_buffer_append(&edit->op, op.data, op.size);
	}
	else
	{
		ot_buffer_reset(&copy->spare[1]);
		status = ot_compose(ot_buffer_op(&edit->op), op, &copy->spare[1]);
		swap(&edit->op, &copy->spare[1]);
	}
	edit->sealed = seal;
	return status;
}

const CopyEdit *
copy_front(const Copy *copy)
{
	return copy->count > 0 ? &copy->edits[copy->first] : NULL;
}

void
copy_sent(Copy *copy)
{
	copy->in_flight = true;
}

bool
copy_is_mine(const Copy *copy, const char *operation_id)
{
	return copy->in_flight && strcmp(copy_front(copy)->id, operation_id) == 0;
}

void
copy_acknowledge(Copy *copy, int64_t version, OtOp op, bool *same)
{
	CopyEdit   *edit = &copy->edits[copy->first];
	OtOp		own = ot_buffer_op(&edit->op);

	*same = own.size == op.size && (op.size == 0 || memcmp(own.data, op.data, op.size) == 0);
	copy->version = version;
	memcpy(copy->operation_id, edit->id, ID_SIZE);
	ot_buffer_free(&edit->op);
	copy->first++;
	copy->count--;
	copy->in_flight = false;
}

void
copy_drop_front(Copy *copy)
{
	ot_buffer_free(&copy->edits[copy->first].op);
	copy->first++;
	copy->count--;
	copy->in_flight = false;
}

OtStatus
copy_foreign(Copy *copy, int64_t version, const char *operation_id, OtOp op)
{
	OtBuffer   *incoming = &copy->spare[1];
	OtBuffer   *moved = &copy->spare[2];
	OtStatus	status;

	ot_buffer_reset(incoming);
	status = ot_buffer_append(incoming, op.data, op.size);
	for (size_t i = 0; i < copy->count && status == OT_OK; i++)
	{
		OtBuffer   *edit = &copy->edits[copy->first + i].op;
		OtBuffer   *carried = &copy->spare[0];

		ot_buffer_reset(moved);
		ot_buffer_reset(carried);
		status = ot_transform(ot_buffer_op(edit), ot_buffer_op(incoming), OT_LEFT, moved);
		if (status == OT_OK)
			status = ot_transform(ot_buffer_op(incoming), ot_buffer_op(edit), OT_RIGHT, carried);
		swap(edit, moved);
		swap(incoming, carried);
	}
	if (status == OT_OK)
		status = apply(copy, ot_buffer_op(incoming));
	copy->version = version;
	memcpy(copy->operation_id, operation_id, ID_SIZE);
	return status;
}
