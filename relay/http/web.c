/*
 * http/web.c: serves files of a folder to browsers, such as the editor page.
 *
 * Only files inside the folder are served, whatever a path or a link points to:
 * the resolved path of a file must begin with that of the folder. Names that
 * begin with a dot, and anything but regular files, are not served. "/" is index.html
 * there, and "/admin" is admin.html, unless a file has that very name.
 *
 * A client that takes gzip gets NAME.gz in place of NAME, where that was packed of NAME as
 * it is now.
 */
#include "http/web.h"

#include "base/bounds.h"
#include "base/log.h"
#include "http/encoding.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Scripts of this folder only, none that stands in a page; editors put styles
 * into the page. ws: and wss:, since not every browser takes 'self' for those.
 */
#define POLICY "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " \
	"connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

/* Copying a folder may give a packed file a time before its original's. */
#define COPYING_S		2

/* The file that a request means. */
struct found
{
	int			file;			/* -1: there is none */
	struct stat status;
	char		suffix[16];		/* what the path leaves out of the name */
	bool		packed;
};

struct web
{
	char	   *folder;			/* its real path */
	size_t		folder_len;
};

static const struct
{
	const char *suffix;
	const char *type;
}			types[] =

{
	{".html", "text/html; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".mjs", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".json", "application/json"},
	{".map", "application/json"},
	{".webmanifest", "application/manifest+json"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".ico", "image/x-icon"},
	{".woff2", "font/woff2"},
	{".ttf", "font/ttf"},
	{".txt", "text/plain; charset=utf-8"},
};

#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

/* Find a folder. */
struct web *
web_new(const char *folder)
{
	struct web *web = mem_zalloc(sizeof(struct web));
	struct stat status;

	web->folder = realpath(folder, NULL);
	if (web->folder != NULL && stat(web->folder, &status) == 0 && S_ISDIR(status.st_mode))
	{
		web->folder_len = strlen(web->folder);
		return web;
	}
	log_event(RELAY_ERROR, "web", "could not read folder \"%s\"", folder);
	web_free(web);
	return NULL;
}

/* Forget a folder. */
void
web_free(struct web *web)
{
	if (web == NULL)
		return;
	free(web->folder);
	free(web);
}

/* Get the type of a file by the end of its name. */
static const char *
type_of(const char *path)
{
	size_t		len = strlen(path);

	for (size_t i = 0; i < TYPE_COUNT; i++)
	{
		size_t		suffix_len = strlen(types[i].suffix);

		if (len >= suffix_len && strcmp(path + len - suffix_len, types[i].suffix) == 0)
			return types[i].type;
	}
	return "application/octet-stream";
}

/* Return true if no part of a path is hidden. */
static bool
is_plain(const char *path)
{
	return *path == '/' && strstr(path, "/.") == NULL && strstr(path, "//") == NULL && strchr(path, '\\') == NULL;
}

/* Open a file of this folder; -1 where there is none. */
static int
open_file(const struct web *web, const char *path, const char *suffix, struct stat *status)
{
	char		wanted[PATH_MAX];
	char	   *real;
	int			file = -1;

	if (snprintf(wanted, sizeof(wanted), "%s%s%s", web->folder, path, suffix) >= (int) sizeof(wanted))
		return -1;
	real = realpath(wanted, NULL);

	/*
	 * non-blocking: opening something other than a regular file might wait
	 * for a writer
	 */
	if (real != NULL && strncmp(real, web->folder, web->folder_len) == 0 && real[web->folder_len] == '/')
		file = open(real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	free(real);
	if (file >= 0 && (fstat(file, status) != 0 || !S_ISREG(status->st_mode) || status->st_size > LIMIT_WEB_BYTES))
	{
		close(file);
		return -1;
	}
	return file;
}

/* Open a file by the end of its name; false where there is none. */
static bool
open_by(const struct web *web, const char *path, const char *suffix, struct found *found)
{
	snprintf(found->suffix, sizeof(found->suffix), "%s", suffix);
	found->file = open_file(web, path, suffix, &found->status);
	return found->file >= 0;
}

/* Open the file that a path means; false where it means none. */
static bool
find_file(const struct web *web, const char *path, struct found *found)
{
	size_t		len = strlen(path);

	if (!is_plain(path))
		return false;
	if (open_by(web, path, path[len - 1] == '/' ? "index.html" : "", found))
		return true;
	return path[len - 1] != '/' && strchr(strrchr(path, '/'), '.') == NULL && open_by(web, path, ".html", found);
}

/* Return true if a packed file ends with the length of its original: gzip's last four bytes. */
static bool
ends_with_length(int file, off_t packed_len, off_t len)
{
	unsigned char end[4];

	if (packed_len < 18 || pread(file, end, sizeof(end), packed_len - 4) != sizeof(end))
		return false;
	return (end[0] | end[1] << 8 | end[2] << 16 | (uint32_t) end[3] << 24) == (uint32_t) len;
}

/* Take the packed copy of a file, unless there is none, or the file was changed after it. */
static void
take_packed(const struct web *web, const char *path, struct found *found)
{
	char		suffix[sizeof(found->suffix) + 3];
	struct stat status;
	int			file;

	snprintf(suffix, sizeof(suffix), "%s.gz", found->suffix);
	file = open_file(web, path, suffix, &status);
	if (file < 0)
		return;
	if (status.st_mtime + COPYING_S < found->status.st_mtime || !ends_with_length(file, status.st_size, found->status.st_size))
	{
		close(file);
		return;
	}
	close(found->file);
	found->file = file;
	found->status = status;
	found->packed = true;
}

/* Read a file to its end; false where it became another one meanwhile. */
static bool
read_file(int file, size_t len, struct buf *out)
{
	buf_reserve(out, len);
	while (out->len < len)
	{
		ssize_t		got = read(file, out->data + out->len, len - out->len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		out->len += (size_t) got;
	}
	return true;
}

/* Say what a file is, and what a page of it may do. */
static void
tell_headers(struct http_request *x, const struct found *found, const char *etag)
{
	http_request_header(x, "etag", "%s", etag);
	http_request_header(x, "cache-control", "no-cache");
	http_request_header(x, "vary", "accept-encoding");
	if (found->packed)
		http_request_header(x, "content-encoding", "gzip");
	http_request_header(x, "content-security-policy", POLICY);
	http_request_header(x, "referrer-policy", "no-referrer");
	http_request_header(x, "cross-origin-opener-policy", "same-origin");
}

/* Answer with a file. */
bool
web_handle(const struct web *web, struct http_request *x)
{
	struct found found = {.file = -1};
	char		etag[64];

	if (!http_request_is(x, "GET") || !find_file(web, x->path, &found))
		return false;
	if (encoding_takes_gzip(x->accept_encoding))
		take_packed(web, x->path, &found);
	snprintf(etag, sizeof(etag), "\"%llx-%llx%s\"", (long long) found.status.st_mtim.tv_sec * 1000000000 + found.status.st_mtim.tv_nsec,
			 (long long) found.status.st_size, found.packed ? "-gz" : "");
	tell_headers(x, &found, etag);
	if (x->if_none_match != NULL && strstr(x->if_none_match, etag) != NULL)
		http_request_answer(x, 304, NULL);
	else if (read_file(found.file, (size_t) found.status.st_size, &x->content))
		http_request_answer(x, 200, type_of(*found.suffix != '\0' ? found.suffix : x->path));
	else
		http_request_fail(x, 500, "internal", "could not read the file");
	close(found.file);
	return true;
}
