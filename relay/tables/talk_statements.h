/*
 * tables/talk_statements.h: the statements that messages about comments, suggestions and
 * chat are calls of. The first parameter is the document; the others are the fields of
 * the message, in the order of wire/talk_message.c.
 */
#ifndef RELAY_TALK_STATEMENTS_H
#define RELAY_TALK_STATEMENTS_H

#include "pg/link.h"

#define TALK_STATEMENT_COUNT 11

/*
 * Each gives, as `event`, the rows that the message is about, if nothing was written
 * since they were so already; and no row if the stream will show what was written.
 * The last one, talk_numbers, gives the number of the last change of documents.
 */
extern const struct pg_statement talk_statements[TALK_STATEMENT_COUNT];

#endif							/* RELAY_TALK_STATEMENTS_H */
