/*
 * vectors.c
 *		Saved vectors: what independent implementations say the core must give.
 *
 *		vectors FILE...
 *
 * A file holds a JSON object a line with the keys doc, a, b, c, apply_a,
 * apply_a_c, compose_a_c, a_left_b, a_right_b, b_left_a and b_right_a, as
 * make-vectors.mjs explains them.  A file that is not there is skipped.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

/* Where a failure is told to be. */
static const char *current_file;
static int	current_line;

static void
wrong(const char *what, const char *got, const char *want)
{
	printf("# %s:%d: %s\n#   got:  %s\n#   want: %s\n", current_file, current_line, what, got, want);
}

/* ---- just enough JSON to find the values of a flat object ---- */

/* The byte behind a string that begins here. */
static const char *
skip_string(const char *at)
{
	for (at++; *at != '\0' && *at != '"'; at++)
		if (*at == '\\' && at[1] != '\0')
			at++;
	return *at == '"' ? at + 1 : at;
}

/* The byte behind a value that begins here. */
static const char *
skip_value(const char *at)
{
	int			depth = 0;

	do
	{
		if (*at == '"')
		{
			at = skip_string(at);
			continue;
		}
		depth += *at == '[' || *at == '{';
		depth -= *at == ']' || *at == '}';
		at++;
	}
	while (*at != '\0' && (depth > 0 || (*at != ',' && *at != '}')));
	return at;
}

/* The text of the value that a key has in a line. */
static const char *
value_of(const char *line, const char *key)
{
	const char *at = line + strspn(line, "{ ");

	while (*at == '"')
	{
		const char *name = at + 1;
		const char *name_end = skip_string(at) - 1;
		const char *value = name_end + 1 + strspn(name_end + 1, ": ");
		const char *value_end = skip_value(value);

		if ((size_t) (name_end - name) == strlen(key) && memcmp(name, key, strlen(key)) == 0)
		{
			char	   *text = support_keep((size_t) (value_end - value) + 1);

			memcpy(text, value, (size_t) (value_end - value));
			text[value_end - value] = '\0';
			return text;
		}
		at = value_end + strspn(value_end, ", }");
	}
	printf("Bail out! %s:%d has no %s\n", current_file, current_line, key);
	exit(EXIT_FAILURE);
}

/* The text a JSON string stands for: what an op of it inserts. */
static const char *
string_of(const char *line, const char *key)
{
	const char *literal = value_of(line, key);
	char	   *json = support_keep(strlen(literal) + 3);
	OtReader	reader;
	OtComponent component;
	char	   *text;

	sprintf(json, "[%s]", literal);
	ot_reader_init(&reader, op_of(json));
	if (!ot_reader_next(&reader, &component))
		return "";
	text = support_keep(component.text_size + 1);
	memcpy(text, component.text, component.text_size);
	text[component.text_size] = '\0';
	return text;
}

/* ---- checking a line ---- */

static bool
expect(const char *what, const char *got, const char *want)
{
	if (strcmp(got, want) == 0)
		return true;
	wrong(what, got, want);
	return false;
}

/* An op that is parsed and printed is the same text. */
static bool
expect_round_trip(const char *what, const char *json)
{
	return expect(what, json_of(op_of(json)), json);
}

static bool
check_line(const char *line)
{
	const char *doc = string_of(line, "doc");
	const char *a = value_of(line, "a");
	const char *b = value_of(line, "b");
	const char *c = value_of(line, "c");
	const char *apply_a = string_of(line, "apply_a");
	bool		passed = true;

	passed &= expect_round_trip("a", a);
	passed &= expect_round_trip("b", b);
	passed &= expect_round_trip("c", c);
	passed &= expect("apply(doc, a)", applied(doc, a), apply_a);
	passed &= expect("apply(apply_a, c)", applied(apply_a, c), string_of(line, "apply_a_c"));
	passed &= expect("compose(a, c)", composed(a, c), value_of(line, "compose_a_c"));
	passed &= expect("transform(a, b, left)", transformed(a, b, OT_LEFT), value_of(line, "a_left_b"));
	passed &= expect("transform(a, b, right)", transformed(a, b, OT_RIGHT), value_of(line, "a_right_b"));
	passed &= expect("transform(b, a, left)", transformed(b, a, OT_LEFT), value_of(line, "b_left_a"));
	passed &= expect("transform(b, a, right)", transformed(b, a, OT_RIGHT), value_of(line, "b_right_a"));
	passed &= expect("apply(apply_a, invert(a, doc))", applied(apply_a, inverted(a, doc)), doc);
	support_release();
	return passed;
}

/* Check a file's lines and tell the outcome as one test. */
static bool
check_file(int number, const char *path)
{
	FILE	   *file = fopen(path, "r");
	char	   *line = NULL;
	size_t		room = 0;
	int			failed = 0;

	if (file == NULL)
	{
		printf("ok %d - %s # SKIP it is not there\n", number, path);
		return true;
	}
	current_file = path;
	current_line = 0;
	while (getline(&line, &room, file) > 0)
	{
		current_line++;
		failed += !check_line(line);
	}
	free(line);
	fclose(file);
	if (current_line == 0)
		failed = 1;
	printf("%sok %d - %s: %d of %d vectors failed\n", failed == 0 ? "" : "not ",
		   number, path, failed, current_line);
	return failed == 0;
}

int
main(int argc, char **argv)
{
	bool		passed = true;

	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++)
		passed &= check_file(i, argv[i]);
	return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
