/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `ingest --listen` reads a connection's bytes in pieces of any length: it gives the same records, and as many malformed ones,
 * as reading all bytes at once. The first byte is the length of the pieces.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "flow/listen.h"
#include "whittle/flow.h"

struct sum { uint64_t records, hash; };

static void add(struct sum *s, const struct wh_record *rec)
{
	s->records++;
	s->hash = (s->hash ^ (uint64_t)rec->time_us ^ (uint64_t)rec->kind << 60 ^ rec->flow.bytes_toserver) *
	          UINT64_C(0x100000001b3);
}

static int at_once(void *arg, const struct wh_record *rec)
{
	add(arg, rec);
	return 0;
}

static int as_it_comes(void *arg, const struct wh_record *rec, const char *line, size_t len)
{
	if (line && memchr(line, '\n', len))
		abort();
	add(arg, rec);
	return 0;
}

/* A listener and a connection to it. */
static struct wh_listen *connected(int *to)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t len = sizeof a;
	*to = socket(AF_UNIX, SOCK_STREAM, 0);
	/* the kernel gives it a name of no file */
	if (s < 0 || *to < 0 || bind(s, (struct sockaddr *)&a, sizeof a.sun_family) || listen(s, 1) ||
	    getsockname(s, (struct sockaddr *)&a, &len) || connect(*to, (struct sockaddr *)&a, len))
		abort();
	return wh_listen_new(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_read_stats whole = {0}, pieces = {0};
	struct sum a = {0}, b = {0};
	int to;
	if (size < 2 || size > 1 << 16)
		return 0;
	size_t piece = 1 + (size_t)data[0] * data[0];
	const char *text = (const char *)data + 1, *end = (const char *)data + size;
	void *state = wh_reader_eve.open(&(struct wh_reader_options){0});
	if (!state ||
	    wh_reader_eve.feed(state, &(struct wh_stretch){text, size - 1, true, 1, 0}, at_once, &a, &whole) != (int64_t)size - 1)
		abort();
	wh_reader_eve.close(state);
	struct wh_listen *l = connected(&to);
	wh_listen_take(l, 0, as_it_comes, &b, &pieces); /* answers */
	for (const char *p = text; p < end; p += piece) {
		size_t n = (size_t)(end - p) < piece ? (size_t)(end - p) : piece;
		if (write(to, p, n) != (ssize_t)n)
			abort();
		wh_listen_take(l, 0, as_it_comes, &b, &pieces);
	}
	close(to);
	for (int i = 0; i < 4; i++)
		wh_listen_take(l, 0, as_it_comes, &b, &pieces);
	wh_listen_free(l);
	if (a.records != b.records || a.hash != b.hash || whole.malformed != pieces.malformed || whole.lines != pieces.lines)
		abort();
	return 0;
}
