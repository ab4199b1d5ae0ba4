/*
 * decode/options.c
 *		The options of the output plugin, a table, and parsing them.
 */
#include "decode/options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#define MAX_SHARDS			4096

typedef struct DecodeOption
{
	const char *name;
	void		(*parse) (CvgDecodeOptions *options, const char *name, char *value);
	const char *hint;
} DecodeOption;

static void parse_shards(CvgDecodeOptions *options, const char *name, char *value);
static void parse_shard(CvgDecodeOptions *options, const char *name, char *value);
static void parse_committed(CvgDecodeOptions *options, const char *name, char *value);
static void parse_largest(CvgDecodeOptions *options, const char *name, char *value);

/* Parsed in this order: the list of shards needs to know how many there are. */
static const DecodeOption known_options[] =
{
	{"shards", parse_shards, "It is the number of shards that documents are divided into."},
	{"shard", parse_shard, "It is a list of the shards to decode, such as \"0,2\", each below \"shards\"."},
	{"committed", parse_committed, "It is a Boolean: whether events tell when they were committed."},
	{"largest", parse_largest, "It is the number of bytes above which an operation is not sent, only that there was one."}
};

/* Parse a whole number between min and max. */
static int
parse_number(const char *name, const char *text, int min, int max)
{
	char	   *end;
	long		number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || number < min || number > max)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value \"%s\" for option \"%s\" of output plugin \"converge\"",
						text, name),
				 errhint("It must be a whole number from %d to %d.", min, max)));
	return (int) number;
}

/* Parse the number of shards. */
static void
parse_shards(CvgDecodeOptions *options, const char *name, char *value)
{
	options->shards = parse_number(name, value, 1, MAX_SHARDS);
}

/* Parse the list of shards to decode. */
static void
parse_shard(CvgDecodeOptions *options, const char *name, char *value)
{
	List	   *numbers;
	ListCell   *cell;

	if (!SplitIdentifierString(pstrdup(value), ',', &numbers) || numbers == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value \"%s\" for option \"%s\" of output plugin \"converge\"",
						value, name),
				 errhint("It must be whole numbers from 0 to %d, separated by commas.",
						 options->shards - 1)));
	foreach(cell, numbers)
		options->wanted = bms_add_member(options->wanted,
									   parse_number(name, lfirst(cell), 0, options->shards - 1));
}

/* Parse whether events tell when they were committed. */
static void
parse_committed(CvgDecodeOptions *options, const char *name, char *value)
{
	if (!parse_bool(value, &options->committed))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value \"%s\" for option \"%s\" of output plugin \"converge\"",
						value, name),
				 errhint("It must be on or off.")));
}

/* Parse from which size on an op is withheld. */
static void
parse_largest(CvgDecodeOptions *options, const char *name, char *value)
{
	options->largest = parse_number(name, value, 0, INT_MAX);
}

/* Find an option's row. */
static int
find_option(const char *name)
{
	StringInfoData known;

	initStringInfo(&known);
	for (int i = 0; i < lengthof(known_options); i++)
	{
		if (strcmp(known_options[i].name, name) == 0)
			return i;
		appendStringInfo(&known, "%s\"%s\"", i > 0 ? ", " : "", known_options[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized option \"%s\" of output plugin \"converge\"", name),
			 errhint("Valid options are: %s.", known.data)));
}

/* Read all options into the state. */
void
cvg_parse_options(CvgDecodeOptions *options, List *given)
{
	char	   *values[lengthof(known_options)] = {0};
	ListCell   *cell;

	foreach(cell, given)
	{
		DefElem    *element = lfirst(cell);
		int			i = find_option(element->defname);

		if (values[i] != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("option \"%s\" of output plugin \"converge\" is given more than once",
							known_options[i].name)));
		if (element->arg == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"%s\" of output plugin \"converge\" needs a value",
							known_options[i].name),
					 errhint("%s", known_options[i].hint)));
		values[i] = strVal(element->arg);
	}
	for (int i = 0; i < lengthof(known_options); i++)
		if (values[i] != NULL)
			known_options[i].parse(options, known_options[i].name, values[i]);
}
