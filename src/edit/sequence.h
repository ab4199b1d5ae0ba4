/*
 * edit/sequence.h
 *		Numbers of the server sequence that rise inside a document.
 */
#ifndef CVG_SEQUENCE_H
#define CVG_SEQUENCE_H

#include "store/catalog.h"

/*
 * The next number of the server sequence, which is above `least`, the last one of
 * the document whose lock we hold.
 */
extern int64 cvg_next_seq_above(int64 least);

#endif							/* CVG_SEQUENCE_H */
