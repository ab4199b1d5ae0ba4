/*
 * fuzz-main.c
 *		A driver for fuzz targets where libFuzzer is missing: the corpus first, then
 *		mutations of it, blindly.
 *
 *		fuzz-TARGET [-max_total_time=SECONDS] [-runs=N] [-seed=N] PATH...
 *
 * The options are named as libFuzzer's.  One seed makes one sequence of inputs;
 * the input that ends the program is left in the file crash behind the prefix that
 * -artifact_prefix= gives.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "support.h"

#define LONGEST_INPUT	4096
#define MOST_INPUTS		1024

typedef struct Input
{
	uint8_t		bytes[LONGEST_INPUT];
	size_t		size;
} Input;

static Input *corpus;
static int	corpus_count;

/* ---- the corpus ---- */

static void
load_file(const char *path)
{
	FILE	   *file = fopen(path, "rb");
	Input	   *input = &corpus[corpus_count];

	if (file == NULL || corpus_count == MOST_INPUTS)
	{
		fprintf(stderr, "cannot take %s\n", path);
		exit(EXIT_FAILURE);
	}
	input->size = fread(input->bytes, 1, LONGEST_INPUT, file);
	corpus_count++;
	fclose(file);
}

static void
load_path(const char *path)
{
	struct stat status;
	struct dirent **entries;
	int			count;

	if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
	{
		load_file(path);
		return;
	}
	count = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++)
	{
		char	   *name;

		if (entries[i]->d_name[0] != '.')
		{
			if (asprintf(&name, "%s/%s", path, entries[i]->d_name) < 0)
				abort();
			load_file(name);
			free(name);
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

/* ---- mutations ---- */

/* Put bytes of another input, or random ones, in place of a range. */
static void
graft(Random *random, Input *input)
{
	const Input *source = &corpus[random_below(random, corpus_count)];
	size_t		at = (size_t) random_below(random, (int) input->size + 1);
	size_t		gone = (size_t) random_below(random, (int) (input->size - at) + 1);
	size_t		from = (size_t) random_below(random, (int) source->size + 1);
	size_t		come = (size_t) random_below(random, (int) (source->size - from) + 1);

	if (random_below(random, 3) > 0)
		gone = gone > 0;
	if (input->size - gone + come > LONGEST_INPUT)
		return;
	memmove(input->bytes + at + come, input->bytes + at + gone, input->size - at - gone);
	memcpy(input->bytes + at, source->bytes + from, come);
	input->size += come - gone;
}

/* Change a byte: one bit, to anything, or to its neighbour. */
static void
change_byte(Random *random, Input *input)
{
	uint8_t    *byte;

	if (input->size == 0)
		return;
	byte = &input->bytes[random_below(random, (int) input->size)];
	switch (random_below(random, 3))
	{
		case 0:
			*byte ^= (uint8_t) (1 << random_below(random, 8));
			break;
		case 1:
			*byte = (uint8_t) random_below(random, 256);
			break;
		default:
			*byte += random_below(random, 2) == 0 ? 1 : 255;
	}
}

static void
insert_byte(Random *random, Input *input)
{
	size_t		at = (size_t) random_below(random, (int) input->size + 1);

	if (input->size == LONGEST_INPUT)
		return;
	memmove(input->bytes + at + 1, input->bytes + at, input->size - at);
	input->bytes[at] = (uint8_t) random_below(random, 256);
	input->size++;
}

static void
mutate(Random *random, Input *input)
{
	for (int steps = 1 + random_below(random, 6); steps > 0; steps--)
		switch (random_below(random, 4))
		{
			case 0:
				graft(random, input);
				break;
			case 1:
				insert_byte(random, input);
				break;
			default:
				change_byte(random, input);
		}
}

/* ---- running ---- */

/* The input under test, and the file to leave it in when it breaks something. */
static const Input *running;
static const char *artifact_prefix = "";

static void
keep_input(int signal_number)
{
	char		path[512];
	int			file;

	snprintf(path, sizeof(path), "%scrash", artifact_prefix);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (file >= 0 && write(file, running->bytes, running->size) >= 0)
		fprintf(stderr, "the input is in %s\n", path);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

/* Run one input in memory of exactly its size, so that a byte too far is seen. */
static void
run(const Input *input)
{
	uint8_t    *bytes = malloc(input->size == 0 ? 1 : input->size);

	if (bytes == NULL)
		abort();
	running = input;
	memcpy(bytes, input->bytes, input->size);
	LLVMFuzzerTestOneInput(bytes, input->size);
	free(bytes);
}

typedef struct Options
{
	int64_t		seconds;		/* 0: as many as the runs take */
	int64_t		runs;
	uint64_t	seed;
} Options;

/* Take an option; false is a path. */
static bool
take_option(const char *argument, Options *options)
{
	if (sscanf(argument, "-max_total_time=%" SCNd64, &options->seconds) == 1)
	{
		options->runs = INT64_MAX;
		return true;
	}
	if (strncmp(argument, "-artifact_prefix=", 17) == 0)
	{
		artifact_prefix = argument + 17;
		return true;
	}
	return sscanf(argument, "-runs=%" SCNd64, &options->runs) == 1 ||
		sscanf(argument, "-seed=%" SCNu64, &options->seed) == 1;
}

/* Run mutations until runs or time are used up; how many it were. */
static int64_t
run_mutations(const Options *options)
{
	static Input input;
	Random		random = {options->seed};
	time_t		end = time(NULL) + options->seconds;
	int64_t		done;

	for (done = 0; done < options->runs; done++)
	{
		if (options->seconds > 0 && done % 256 == 0 && time(NULL) >= end)
			break;
		input = corpus[random_below(&random, corpus_count)];
		mutate(&random, &input);
		run(&input);
	}
	return done;
}

int
main(int argc, char **argv)
{
	Options		options = {0, 100000, 1};
	int64_t		done;

	signal(SIGABRT, keep_input);
	corpus = calloc(MOST_INPUTS, sizeof(Input));
	if (corpus == NULL)
		abort();
	corpus_count = 1;			/* the empty input */
	for (int i = 1; i < argc; i++)
		if (!take_option(argv[i], &options))
			load_path(argv[i]);
	for (int i = 0; i < corpus_count; i++)
		run(&corpus[i]);
	done = run_mutations(&options);
	printf("# %s: corpus of %d, %" PRId64 " mutations, seed %" PRIu64 "\n",
		   argv[0], corpus_count, done, options.seed);
	free(corpus);
	return EXIT_SUCCESS;
}
