/*
 * decode/options.h
 *		The options of the output plugin.
 */
#ifndef CVG_DECODE_OPTIONS_H
#define CVG_DECODE_OPTIONS_H

#include "postgres.h"

#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"

typedef struct CvgDecodeOptions
{
	int			shards;			/* that documents are divided into */
	Bitmapset  *wanted;			/* shards to decode; NULL: all */
	bool		committed;		/* events contain when they were committed */
	int			largest;		/* bytes of an op's JSON, above which it is withheld; 0:
								 * none is */
} CvgDecodeOptions;

/* Read the options that were given, a list of DefElem; what is not given stays as it is. */
extern void cvg_parse_options(CvgDecodeOptions *options, List *given);

#endif							/* CVG_DECODE_OPTIONS_H */
