/*
 * http/request.c: a request over HTTP and the answer to it.
 */
#include "http/request.h"

#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 1024

const char	http_request_json[] = "application/json";
const char	http_request_problem[] = "application/problem+json";
const char	http_request_text[] = "text/plain; charset=utf-8";

static const struct
{
	int			status;
	const char *title;
}			titles[] =

{
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{411, "Length Required"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{417, "Expectation Failed"},
	{422, "Unprocessable Content"},
	{426, "Upgrade Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
};

#define TITLE_COUNT (sizeof(titles) / sizeof(titles[0]))

/* Make a request with nothing in it. */
struct http_request *
http_request_new(void)
{
	return mem_zalloc(sizeof(struct http_request));
}

/* Give a request back. */
void
http_request_free(struct http_request *x)
{
	char	   *texts[] = {x->path, x->token, x->origin, x->if_none_match, x->if_match, x->accept, x->accept_encoding, x->content_type,
	x->peer};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	buf_free(&x->arguments);
	buf_free(&x->body);
	buf_free(&x->headers);
	buf_free(&x->content);
	frame_unref(x->frame);
	ledger_close(&x->purse);
	free(x);
}

/* Return true if a request has this method; HEAD counts as GET. */
bool
http_request_is(const struct http_request *x, const char *method)
{
	return strcmp(x->method, method) == 0 || (strcmp(x->method, "HEAD") == 0 && strcmp(method, "GET") == 0);
}

/* Get the value of an argument of the URL; NULL where it was not given. */
const char *
http_request_argument(const struct http_request *x, const char *name)
{
	size_t		len = strlen(name);

	for (size_t at = 0; at < x->arguments.len; at += strlen(x->arguments.data + at) + 1)
	{
		if (strncmp(x->arguments.data + at, name, len) == 0 && x->arguments.data[at + len] == '=')
			return x->arguments.data + at + len + 1;
	}
	return NULL;
}

/* Add a header to the answer; line breaks in the value cannot add another one. */
void
http_request_header(struct http_request *x, const char *name, const char *format,...)
{
	char		value[HEADER_BYTES];
	va_list		args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	for (char *p = value; *p != '\0'; p++)
		*p = iscntrl((unsigned char) *p) ? '?' : *p;
	buf_format(&x->headers, "%s: %s", name, value);
	buf_put(&x->headers, "", 1);
}

/* Let what was put be a frame, which is charged to the one who asked. */
static void
seal_content(struct http_request *x)
{
	if (x->frame == NULL)
		x->frame = frame_share(x->content.data != NULL ? x->content.data : "", x->content.len);
	buf_free(&x->content);
	buf_free(&x->body);
	ledger_set(&x->purse, LEDGER_REQUESTS, 0);
	ledger_charge(&x->purse, LEDGER_FRAMES, x->frame->len);
}

/* Answer with what content was put. */
void
http_request_answer(struct http_request *x, int status, const char *type)
{
	seal_content(x);
	x->status = status;
	x->type = type;
	x->answered = true;
	x->cancel = NULL;
	if (x->done != NULL)
		x->done(x);
}

/* Get the name of a status. */
static const char *
title_of(int status)
{
	for (size_t i = 0; i < TITLE_COUNT; i++)
	{
		if (titles[i].status == status)
			return titles[i].title;
	}
	return "Error";
}

/* Answer with a problem (RFC 9457); code is a SQLSTATE, or a word of the protocol's errors. */
void
http_request_fail(struct http_request *x, int status, const char *code, const char *detail)
{
	json_t	   *problem = json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", "about:blank", "title", title_of(status),
									"status", status, "code", code, "detail", detail);
	char	   *text = problem != NULL ? json_dumps(problem, JSON_COMPACT) : NULL;

	buf_clear(&x->content);
	buf_text(&x->content, text != NULL ? text : "{}");
	free(text);
	json_decref(problem);
	http_request_answer(x, status, http_request_problem);
}
