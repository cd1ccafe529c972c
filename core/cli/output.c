/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only way from the program to a terminal, a pipe or a journal. Standard output and standard error become streams whose bytes
 * pass a filter: whatever would control a terminal instead of being displayed (control characters but for line ends and tabs, C1,
 * overrides of the direction of writing, bytes that are no UTF-8) becomes '?', or \uXXXX in a document of JSON, which is
 * recognised by its first byte. Names and texts from files, the ledger, the network and Azure may hold anything; no command has
 * to filter them. Our own colours are written past the filter.
 *
 * A command that only reads ends as soon as its output has no reader.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "cli/cli.h"

struct filter {
	int fd;
	bool began, json;
	char tail[4]; /* the beginning of an incomplete character */
	size_t n_tail;
};
static struct filter standard_output = {.fd = STDOUT_FILENO}, standard_error = {.fd = STDERR_FILENO};
static bool may_stop;

static void stop(const struct filter *f)
{
	if (f->fd != STDOUT_FILENO || !may_stop)
		return;
	if (errno == EPIPE) /* a reader that closed the pipe */
		_exit(CLI_OK);
	dprintf(STDERR_FILENO, "whittle: standard output: %s\n", strerror(errno));
	_exit(CLI_FAILED);
}

static bool write_all(const struct filter *f, const char *p, size_t n)
{
	while (n) {
		ssize_t did = write(f->fd, p, n);
		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0) {
			stop(f);
			return false;
		}
		p += did;
		n -= (size_t)did;
	}
	return true;
}

/* The replacement for a character. */
static size_t replace(const struct filter *f, uint32_t c, char to[static 16])
{
	if (!f->json)
		return to[0] = '?', 1;
	if (c < 0x10000)
		return (size_t)snprintf(to, 16, "\\u%04x", c);
	c -= 0x10000;
	return (size_t)snprintf(to, 16, "\\u%04x\\u%04x", 0xd800 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

static bool unfinished(const char *s, size_t n)
{
	unsigned char lead = (unsigned char)*s;
	size_t want = lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
	for (size_t i = 1; i < n; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return false;
	return lead < 0xf5 && n < want;
}

/* The number of leading bytes that are displayed as they are: ASCII, line ends and tabs. Most output is nothing else. */
static size_t plain(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && ((s[i] >= ' ' && s[i] < 0x7f) || s[i] == '\n' || s[i] == '\t'))
		i++;
	return i;
}

/* One character that needs a look, of n bytes at s, into `to`; the number of bytes that it writes. *len: that it takes; 0: the
 * character is not complete. */
static size_t one(struct filter *f, const char *s, size_t n, bool last, size_t *len, char to[static 16])
{
	uint32_t c;
	*len = wh_utf8_next(s, n, &c);
	if (!*len && !last && unfinished(s, n))
		return 0;
	if (!*len) {
		*len = 1;
		return to[0] = '?', 1;
	}
	if (!f->began && c != '\n' && c != ' ') {
		f->began = true;
		f->json = c == '{' || c == '[';
	}
	if (wh_point_unprintable(c) && c != '\n' && c != '\t')
		return replace(f, c, to);
	memcpy(to, s, *len);
	return *len;
}

static bool pass(struct filter *f, const char *s, size_t n, bool last)
{
	enum { FULL = 16384 };
	char buf[FULL + 16];
	size_t used = 0, len;
	for (size_t at = 0; at < n; at += len) {
		size_t room = n - at < FULL - used ? n - at : FULL - used;
		len = f->began ? plain(s + at, room) : 0;
		if (len) {
			memcpy(buf + used, s + at, len);
			used += len;
		} else {
			used += one(f, s + at, n - at, last, &len, buf + used);
		}
		if (!len) {
			f->n_tail = n - at;
			memcpy(f->tail, s + at, f->n_tail);
			break;
		}
		if (used >= FULL) {
			if (!write_all(f, buf, used))
				return false;
			used = 0;
		}
	}
	return write_all(f, buf, used);
}

static ssize_t filter_write(void *cookie, const char *s, size_t n)
{
	struct filter *f = cookie;
	char head[8];
	size_t taken = 0;
	while (f->n_tail && taken < n) { /* the rest of a character, byte by byte */
		size_t have = f->n_tail;
		memcpy(head, f->tail, have);
		head[have++] = s[taken++];
		f->n_tail = 0;
		if (!pass(f, head, have, false))
			return 0;
	}
	return pass(f, s + taken, n - taken, false) ? (ssize_t)n : 0;
}

static int filter_close(void *cookie)
{
	struct filter *f = cookie;
	size_t n = f->n_tail;
	f->n_tail = 0;
	bool whole = pass(f, f->tail, n, true);
	return close(f->fd) || !whole ? -1 : 0;
}

static FILE *filtered(struct filter *f, int mode)
{
	FILE *stream = fopencookie(f, "w", (cookie_io_functions_t){.write = filter_write, .close = filter_close});
	if (stream)
		setvbuf(stream, NULL, mode, mode == _IONBF ? 0 : 1 << 16);
	return stream;
}

bool cli_output_open(void)
{
	FILE *o = filtered(&standard_output, isatty(STDOUT_FILENO) == 1 ? _IOLBF : _IOFBF),
	     *e = filtered(&standard_error, _IONBF);
	if (!o || !e)
		return false;
	stdout = o;
	stderr = e;
	return true;
}

void cli_output_own(FILE *stream, const char *escape)
{
	fflush(stream);
	write_all(stream == stdout ? &standard_output : &standard_error, escape, strlen(escape));
}

void cli_output_only_prints(void)
{
	may_stop = true;
}
