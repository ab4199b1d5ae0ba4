/*
 * test-protocol.c: messages to structs and back.
 */
#include "wire/protocol.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define ID "11111111-2222-4333-8444-555555555555"

static struct message m;
static const char *problem;

/* Parse a text as a message. */
static bool
parse(const char *text)
{
	protocol_release(&m);
	return protocol_parse(text, strlen(text), &m, &problem);
}

/* Read a text as an op; gives the op's text, or NULL with the problem. The caller frees it. */
static char *
read_op(const char *text)
{
	struct submitted op;

	if (!parse(text))
		return NULL;
	return protocol_op(&m, &op, &problem) ? op.text : NULL;
}

/* Tell whether a text read as an op gives that op. */
static bool
gives(const char *text, const char *expected)
{
	char	   *op = read_op(text);
	bool		same = op != NULL && strcmp(op, expected) == 0;

	if (!same)
		printf("# %s: got %s\n", text, op != NULL ? op : problem);
	free(op);
	return same;
}

/* Tell whether a frame is that text, and let go of it. */
static bool
says(struct frame *frame, const char *expected)
{
	bool		same = frame->len == strlen(expected) && memcmp(frame->text, expected, frame->len) == 0;

	if (!same)
		printf("# got %.*s\n", (int) frame->len, frame->text);
	frame_unref(frame);
	return same;
}

static void
types(void)
{
	CHECK(parse("{\"type\":\"hello\",\"more\":[1,{}]}") && strcmp(m.type, "hello") == 0);
	CHECK(!parse("{\"kind\":\"hello\"}") && strstr(problem, "type") != NULL);
	CHECK(!parse("{\"type\":7}"));
	CHECK(!parse("[\"type\"]"));
	CHECK(!parse("{\"type\":\"hello\"") && strstr(problem, "JSON") != NULL);
	CHECK(!parse("{\"type\":\"hello\"} {}"));
	CHECK(!parse(""));
	CHECK(!parse("{\"type\":\"hello\",\"type\":\"op\"}"));
}

static void
invalid_utf8(void)
{
	CHECK(!parse("{\"type\":\"h\xff\"}") && strstr(problem, "UTF-8") != NULL);
	CHECK(!parse("{\"type\":\"op\",\"op\":[\"\xed\xa0\x80\"]}") && strstr(problem, "UTF-8") != NULL);
	CHECK(!parse("{\"type\":\"op\",\"op\":[\"\xc0\xaf\"]}"));
}

static void
deep_nesting(void)
{
	enum
	{
		DEPTH = 100000
	};
	char	   *text = malloc(DEPTH + 1);

	memset(text, '[', DEPTH);
	text[DEPTH] = '\0';
	CHECK(!parse(text));
	free(text);
}

static void
hellos(void)
{
	struct hello hello;

	CHECK(parse("{\"type\":\"hello\"}") && protocol_hello(&m, &hello, &problem));
	CHECK(hello.token == NULL && !hello.resumes && !hello.has_operation_id && !hello.has_pending && hello.sequence_id == -1);
	CHECK(parse("{\"type\":\"hello\",\"version\":7,\"sequenceId\":0}") && protocol_hello(&m, &hello, &problem) && hello.sequence_id == 0);
	CHECK(parse("{\"type\":\"hello\",\"version\":7,\"sequenceId\":\"8\"}") && !protocol_hello(&m, &hello, &problem));
	CHECK(parse("{\"type\":\"hello\",\"token\":\"t\",\"version\":7,\"operationId\":\"" ID "\",\"pending\":null}"));
	CHECK(protocol_hello(&m, &hello, &problem));
	CHECK(strcmp(hello.token, "t") == 0 && hello.resumes && hello.version == 7);
	CHECK(hello.has_operation_id && hello.operation_id.bytes[15] == 0x55 && !hello.has_pending);
	CHECK(parse("{\"type\":\"hello\",\"version\":-1}") && !protocol_hello(&m, &hello, &problem));
	CHECK(parse("{\"type\":\"hello\",\"version\":1.5}") && !protocol_hello(&m, &hello, &problem));
	CHECK(parse("{\"type\":\"hello\",\"token\":5}") && !protocol_hello(&m, &hello, &problem));
	CHECK(parse("{\"type\":\"hello\",\"pending\":\"x\"}") && !protocol_hello(&m, &hello, &problem));
	CHECK(parse("{\"type\":\"hello\",\"operationId\":\"11111111-2222-4333-8444-55555555555g\"}"));
	CHECK(!protocol_hello(&m, &hello, &problem));
}

static void
ops_are_passed_on(void)
{
	CHECK(gives("{\"type\":\"op\",\"operationId\":\"" ID "\",\"baseVersion\":3,\"op\":[ 1, \"e\xcc\x81\xf0\x9f\x98\x80\", {\"d\": 2}]}",
				"[ 1, \"e\xcc\x81\xf0\x9f\x98\x80\", {\"d\": 2}]"));
	CHECK(gives(" { \"op\" : [] , \"baseVersion\" : 0 , \"type\" : \"op\" , \"operationId\" : \"" ID "\" } ", "[]"));
	CHECK(m.is_plain_op && m.op.base_version == 0);
	/* whatever it is, the database judges it */
	CHECK(gives("{\"type\":\"op\",\"operationId\":\"" ID "\",\"baseVersion\":3,\"op\":\"no op\"}", "\"no op\""));
	CHECK(gives("{\"type\":\"op\",\"operationId\":\"" ID "\",\"baseVersion\":3,\"op\":[\"a\\u0000b\"]}", "[\"a\\u0000b\"]"));
	CHECK(gives("{\"type\":\"op\",\"operationId\":\"" ID "\",\"baseVersion\":3,\"op\":[\"\\ud83d\\ude00\"]}", "[\"\xf0\x9f\x98\x80\"]"));
}

/* Read an op as a document of JSON, which one key more makes necessary. */
static bool
read_at_length(const char *text, size_t len, struct submitted *op)
{
	char		longer[256];
	struct message other;
	bool		read;

	while (len > 0 && text[len - 1] != '}')
		len--;
	if (len == 0)
		return false;
	sprintf(longer, "%.*s,\"x\":0}", (int) len - 1, text);
	read = protocol_parse(longer, strlen(longer), &other, &problem) && !other.is_plain_op &&
		strcmp(other.type, "op") == 0 && protocol_op(&other, op, &problem);
	protocol_release(&other);
	return read;
}

/* Return true if two texts are the same JSON. */
static bool
same_json(const char *one, const char *other)
{
	json_t	   *a = json_loads(one, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	json_t	   *b = json_loads(other, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	bool		same = a != NULL && json_equal(a, b);

	json_decref(a);
	json_decref(b);
	return same;
}

/* What is read without a document of JSON is what is read with one, whatever the bytes. */
static void
plain_ops_are_json(void)
{
	static const char seed[] = "{\"type\":\"op\",\"operationId\":\"" ID "\",\"baseVersion\":30,\"op\":[12, \"a\\n\xc3\xa9\xf0\x9f\x98\x80\",{\"d\":2}]}";
	static const char bytes[] = "\"\\{}[],:0123456789d-.eE \n\xc3\xa9\xed\xa0\x80\xf0\x9f\xff\x01ntuop";
	int			plain = 0;
	int			wrong = 0;

	srand(1);
	for (int i = 0; i < 200000; i++)
	{
		char		text[sizeof(seed)];
		struct message fast;
		struct submitted one,
					other;

		memcpy(text, seed, sizeof(seed));
		/* mostly in the op, once or twice; the first time not at all */
		for (int n = i == 0 ? 0 : 1 + rand() % 2; n > 0; n--)
			text[(rand() % 4 == 0 ? 0 : 80) + rand() % (sizeof(seed) - 1 - 80)] = bytes[rand() % (sizeof(bytes) - 1)];
		if (!protocol_parse(text, strlen(text), &fast, &problem) || !fast.is_plain_op)
		{
			protocol_release(&fast);
			continue;
		}
		plain++;
		protocol_op(&fast, &one, &problem);
		if (!read_at_length(text, strlen(text), &other))
			wrong++;
		else
		{
			wrong += !uuid_equal(&one.operation_id, &other.operation_id) || one.base_version != other.base_version ||
				!same_json(one.text, other.text);
			free(other.text);
		}
		free(one.text);
		protocol_release(&fast);
	}
	CHECK(wrong == 0);
	CHECK(plain > 10000);
}

#define SHORT(rest) "{\"type\":\"op\",\"operationId\":\"" ID "\",\"baseVersion\":3," rest "}"

static void
short_forms(void)
{
	CHECK(gives(SHORT("\"operationType\":\"insert\",\"position\":5,\"payload\":\"hi\""), "[5,\"hi\"]"));
	CHECK(gives(SHORT("\"operationType\":\"insert\",\"position\":0,\"payload\":\"hi\""), "[\"hi\"]"));
	CHECK(gives(SHORT("\"operationType\":\"delete\",\"position\":5,\"payload\":2"), "[5,{\"d\":2}]"));
	CHECK(gives(SHORT("\"operationType\":\"delete\",\"position\":5,\"length\":2"), "[5,{\"d\":2}]"));
	CHECK(gives(SHORT("\"operationType\":\"replace\",\"position\":5,\"length\":2,\"payload\":\"x\""), "[5,\"x\",{\"d\":2}]"));
	CHECK(read_op(SHORT("\"operationType\":\"insert\",\"position\":5")) == NULL);
	CHECK(read_op(SHORT("\"operationType\":\"insert\",\"position\":-5,\"payload\":\"x\"")) == NULL);
	CHECK(read_op(SHORT("\"operationType\":\"move\",\"position\":5,\"payload\":\"x\"")) == NULL);
	CHECK(read_op(SHORT("\"position\":5,\"payload\":\"x\"")) == NULL);
}

static void
bad_ops_keep_their_id(void)
{
	struct uuid id;

	CHECK(read_op("{\"type\":\"op\",\"operationId\":\"" ID "\",\"op\":[1]}") == NULL && strstr(problem, "baseVersion") != NULL);
	CHECK(protocol_operation_id(&m, &id) && id.bytes[0] == 0x11);
	CHECK(read_op("{\"type\":\"op\",\"operationId\":7,\"baseVersion\":1,\"op\":[1]}") == NULL && strstr(problem, "operationId") != NULL);
	CHECK(!protocol_operation_id(&m, &id));
	CHECK(read_op("{\"type\":\"op\",\"baseVersion\":1,\"op\":[1]}") == NULL);
	CHECK(read_op("{\"type\":\"op\",\"operationId\":\"" ID "\",\"baseVersion\":1}") == NULL);
}

static void
lone_surrogates(void)
{
	struct uuid id;

	CHECK(read_op(SHORT("\"op\":[\"a\\ud83d\"]")) == NULL && strstr(problem, "surrogate") != NULL);
	CHECK(protocol_operation_id(&m, &id));
	CHECK(read_op(SHORT("\"op\":[\"\\ude00\\ud83d\"]")) == NULL && strstr(problem, "surrogate") != NULL);
	CHECK(read_op(SHORT("\"op\":[\"\\ud83d\\ud83d\\ude00\"]")) == NULL && strstr(problem, "surrogate") != NULL);
	CHECK(gives(SHORT("\"op\":[\"\\\\ud83d\"]"), "[\"\\\\ud83d\"]"));
	/* what is also broken elsewhere is no message */
	CHECK(!parse("{\"type\":\"op\",\"op\":[\"\\ud83d\"]"));
	CHECK(!parse("{\"type\":\"op\",\"op\":[\"\\ud83"));
}

static void
acks(void)
{
	int64_t		n;

	CHECK(parse("{\"type\":\"ack\",\"sequenceId\":9007199254740993}") && protocol_ack(&m, &n, &problem) && n == INT64_C(9007199254740993));
	CHECK(parse("{\"type\":\"ack\"}") && !protocol_ack(&m, &n, &problem));
	CHECK(parse("{\"type\":\"ack\",\"sequenceId\":\"1\"}") && !protocol_ack(&m, &n, &problem));
}

static void
answers(void)
{
	struct uuid id;
	struct joined joined = {.doc = &id,.user = "ann",.role = "editor",.title = "\xc3\xa9 \"t\"",.version = 4,.resumed = true,.life = &id,.client = &id};
	struct buf	users = {.data = "{},{}",.len = 5};

	CHECK(uuid_parse(ID, strlen(ID), &id));
	CHECK(says(protocol_joined(&joined), "{\"type\":\"joined\",\"documentId\":\"" ID "\",\"userId\":\"ann\",\"clientId\":\"" ID "\",\"role\":\"editor\","
			   "\"title\":\"\xc3\xa9 \\\"t\\\"\",\"version\":4,\"resumed\":true,\"life\":\"" ID "\",\"users\":[]}"));
	joined.users = &users;
	joined.pending_known = true;
	CHECK(says(protocol_joined(&joined), "{\"type\":\"joined\",\"documentId\":\"" ID "\",\"userId\":\"ann\",\"clientId\":\"" ID "\",\"role\":\"editor\","
			   "\"title\":\"\xc3\xa9 \\\"t\\\"\",\"version\":4,\"resumed\":true,\"life\":\"" ID "\",\"pendingVersion\":null,\"users\":[{},{}]}"));
	joined.pending_version = 3;
	CHECK(says(protocol_joined(&joined), "{\"type\":\"joined\",\"documentId\":\"" ID "\",\"userId\":\"ann\",\"clientId\":\"" ID "\",\"role\":\"editor\","
			   "\"title\":\"\xc3\xa9 \\\"t\\\"\",\"version\":4,\"resumed\":true,\"life\":\"" ID "\",\"pendingVersion\":3,\"users\":[{},{}]}"));
	CHECK(says(protocol_error("malformed", "no", 0), "{\"type\":\"error\",\"code\":\"malformed\",\"message\":\"no\"}"));
	CHECK(says(protocol_reject(&id, REJECT_UNAVAILABLE, "later", 700), "{\"type\":\"reject\",\"operationId\":\"" ID "\","
			   "\"code\":\"unavailable\",\"message\":\"later\",\"retryAfter\":700}"));
	CHECK(says(protocol_one_op("{\"version\":1}", 13), "{\"type\":\"ops\",\"ops\":[{\"version\":1}]}"));
}

static void
entries(void)
{
	const char *list = "{\"version\":3,\"op\":[\"}\\\"{\"]},{\"version\":4,\"op\":[{\"d\":1}]}";
	size_t		len = strlen(list);
	const char *entry;
	size_t		entry_len;
	int64_t		version;

	CHECK(protocol_next_entry(&list, &len, &entry, &entry_len) && entry_len == 27);
	CHECK(protocol_entry_version(entry, entry_len, &version) && version == 3);
	CHECK(protocol_next_entry(&list, &len, &entry, &entry_len));
	CHECK(protocol_entry_version(entry, entry_len, &version) && version == 4);
	CHECK(!protocol_next_entry(&list, &len, &entry, &entry_len));
	CHECK(!protocol_entry_version("{\"version\":", 11, &version));
	CHECK(!protocol_entry_version("{\"versions\":1}", 14, &version));
	CHECK(!protocol_entry_version("{\"version\":99999999999999999999999}", 35, &version));
}

static void
events(void)
{
	char		line[] = "{\"type\":\"op\",\"documentId\":\"" ID "\",\"committed\":1769862896123456,\"version\":12,\"sequenceId\":3}";
	char		other[] = "{\"type\":\"member\",\"documentId\":\"" ID "\",\"version\":12,\"sequenceId\":3}";
	char		timeless[] = "{\"type\":\"op\",\"documentId\":\"" ID "\",\"version\":12,\"sequenceId\":3}";
	char		whole[] = "{\"type\":\"op\",\"documentId\":\"" ID "\",\"committed\":1,\"version\":12,\"sequenceId\":3,\"op\":[5,\"}\"]}";
	char		withheld[] = "{\"type\":\"op\",\"documentId\":\"" ID "\",\"committed\":1,\"version\":12,\"sequenceId\":3,\"withheld\":true}";
	char		cut[] = "{\"type\":\"op\",\"documentId\":\"" ID "\",\"committed\":1,\"version\":12,\"sequenceId\":3}";
	struct event e;

	CHECK(protocol_event(line, strlen(line), &e));
	CHECK(e.version == 12 && e.sequence_id == 3 && e.doc.bytes[15] == 0x55 && e.committed_us == INT64_C(1769862896123456));
	CHECK(e.entry_len == 29 && memcmp(e.entry, "{\"version\":12,\"sequenceId\":3}", e.entry_len) == 0);
	CHECK(e.withheld);
	CHECK(protocol_event(whole, strlen(whole), &e) && !e.withheld);
	CHECK(protocol_event(withheld, strlen(withheld), &e) && e.withheld && e.version == 12);
	CHECK(!protocol_event(other, strlen(other), &e));
	CHECK(!protocol_event(timeless, strlen(timeless), &e));
	for (size_t len = 0; len < strlen(cut) - strlen(",\"sequenceId\":3}"); len++)
	{
		char		copy[sizeof(cut)];

		memcpy(copy, cut, len);
		copy[len] = '\0';
		CHECK(!protocol_event(copy, len, &e));
	}
}

static void
notices(void)
{
	static const char *const nothing[] = {
		"", "{}", "[]", "{\"type\":\"member\",\"documentId\":\"" ID "\",\"role\":\"viewer\"}",
		"{\"type\":\"document\",\"documentId\":\"" ID "\"}", "{\"type\":\"message\",\"documentId\":\"" ID "\"}",
		"{\"type\":\"member\",\"documentId\":\"1\",\"userId\":\"ann\",\"role\":null}",
	};
	static const char member[] = "{\"type\":\"member\",\"documentId\":\"" ID "\",\"userId\":\"zo\xc3\xab\",\"role\":null}";
	static const char renamed[] = "{\"type\":\"document\",\"documentId\":\"" ID "\",\"title\":\"\"}";
	static const char deleted[] = "{\"type\":\"document\",\"documentId\":\"" ID "\",\"deleted\":true}";
	static const char resync[] = "{\"type\":\"resync\",\"committed\":1}";
	static const char deleted_life[] = "{\"type\":\"document\",\"documentId\":\"" ID "\",\"deleted\":true,\"life\":\"" ID "\"}";
	static const char renewed[] = "{\"type\":\"document\",\"documentId\":\"" ID "\",\"renewed\":true,\"life\":\"" ID "\"}";
	struct notice n;

	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
		CHECK(!protocol_notice(nothing[i], strlen(nothing[i]), &n));
	CHECK(protocol_notice(member, strlen(member), &n));
	CHECK(n.kind == NOTICE_MEMBER && strcmp(n.user, "zo\xc3\xab") == 0 && n.doc.bytes[15] == 0x55);
	protocol_notice_release(&n);
	CHECK(protocol_notice(renamed, strlen(renamed), &n));
	CHECK(n.kind == NOTICE_RENAMED && strcmp(n.title, "") == 0);
	protocol_notice_release(&n);
	CHECK(protocol_notice(deleted, strlen(deleted), &n));
	CHECK(n.kind == NOTICE_DELETED && !n.has_life);
	protocol_notice_release(&n);
	CHECK(protocol_notice(deleted_life, strlen(deleted_life), &n));
	CHECK(n.kind == NOTICE_DELETED && n.has_life && n.life.bytes[15] == 0x55);
	protocol_notice_release(&n);
	CHECK(protocol_notice(renewed, strlen(renewed), &n));
	CHECK(n.kind == NOTICE_RENEWED && n.has_life && n.life.bytes[15] == 0x55);
	protocol_notice_release(&n);
	CHECK(protocol_notice(resync, strlen(resync), &n));
	CHECK(n.kind == NOTICE_RESYNC);
	protocol_notice_release(&n);
}

/* What is in texts is no element. */
static void
elements(void)
{
	static const struct
	{
		const char *text;
		size_t		count;
	}			cases[] =

	{
		{"", 0}, {"{}", 1}, {"[[],[],{}]", 6}, {"{\"a\":\"[,{\",\"b\":\"\\\",[\"}", 2}, {"\"[[[[", 0}, {"[\"\\\\\",1]", 2},
		{"[\"\\\\\\\",[\",1]", 2}, {"[\"\\\"\\\"[\",\"\\", 2}, {"\"\\\"", 0}, {"[\"\\\\\",\"\\\\\",\"", 3},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK(protocol_count_elements(cases[i].text, strlen(cases[i].text)) == cases[i].count);
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"a message must be a JSON object with a type", types},
		{"invalid UTF-8 is no message", invalid_utf8},
		{"deep nesting is no message", deep_nesting},
		{"a hello may resume", hellos},
		{"an op is passed on as it came", ops_are_passed_on},
		{"a plain op is read as JSON is", plain_ops_are_json},
		{"insert, delete and replace stand for components", short_forms},
		{"a bad op can be rejected by its id", bad_ops_keep_their_id},
		{"a lone surrogate is told as such", lone_surrogates},
		{"an ack has a sequence id", acks},
		{"answers are encoded", answers},
		{"entries are taken from a list", entries},
		{"an event line holds an entry", events},
		{"a notice tells of members and documents", notices},
		{"elements are counted without what is in texts", elements},
	};
	int			result = TAP_RUN(tests);

	protocol_release(&m);
	return result;
}
