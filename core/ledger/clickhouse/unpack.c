/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An answer that a server compressed with LZ4 (compress=1), which costs both sides less than to copy it whole. It consists of
 * frames:
 *
 *   checksum (16) | method: LZ4 0x82, none 0x02 | size of the frame from `method` on (4) | size of its data (4) | packed data
 *
 * The checksum is not looked at: TCP has one, and every row is checked. liblz4 is loaded when the first answer comes; without it
 * servers are not asked to compress.
 */
#include <dlfcn.h>
#include <endian.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include "base/pages.h"
#include "ledger/clickhouse/fleet.h"
#include "net/https.h"

enum { CHECKSUM = 16, HEAD = CHECKSUM + 9, LZ4 = 0x82, NONE = 0x02 };

static int (*decompress)(const char *from, char *to, int size, int room);
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
	void *lib = dlopen("liblz4.so.1", RTLD_NOW | RTLD_LOCAL), *at = lib ? dlsym(lib, "LZ4_decompress_safe") : NULL;
	memcpy(&decompress, &at, sizeof at);
}

bool fleet_can_unpack(void)
{
	pthread_once(&once, load);
	return decompress;
}

struct frame { const uint8_t *data; size_t packed, n; uint8_t method; };

/* 1; 0 at the end; -EBADMSG. */
static int take_frame(struct wh_taking *t, struct frame *f)
{
	uint32_t sizes[2];
	if (!t->n)
		return 0;
	if (t->n < HEAD)
		return -EBADMSG;
	f->method = t->p[CHECKSUM];
	memcpy(sizes, t->p + CHECKSUM + 1, sizeof sizes);
	const size_t all = CHECKSUM + (size_t)le32toh(sizes[0]);
	f->n = le32toh(sizes[1]);
	if (all < HEAD || all > t->n || f->n > FLEET_ANSWER_MOST || (f->method != LZ4 && f->method != NONE))
		return -EBADMSG;
	f->packed = all - HEAD;
	f->data = t->p + HEAD;
	wh_take(t, all);
	return 1;
}

static bool put_frame(const struct frame *f, uint8_t *to)
{
	if (f->method == LZ4)
		return decompress((const char *)f->data, (char *)to, (int)f->packed, (int)f->n) == (int)f->n;
	if (f->packed == f->n && f->n)
		memcpy(to, f->data, f->n);
	return f->packed == f->n;
}

/* The bytes of all frames. Each but the last is full: after one as large as the one before, another may have been lost. */
static int size_of(struct wh_taking t, size_t *n)
{
	struct frame f;
	size_t before = SIZE_MAX, last = 0;
	int more;
	for (*n = 0; (more = take_frame(&t, &f)) > 0; *n += f.n) {
		if (f.n > FLEET_ANSWER_MOST - *n)
			return -EBADMSG;
		before = last ? last : before;
		last = f.n;
	}
	return more ? more : last < before ? 0 : -EBADMSG;
}

/* Room for n bytes and a NUL, in the answer's memory if it has as much. */
static uint8_t *make_room(struct fleet_answer *out, size_t n)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)out->bytes;
	if (out->room <= n) {
		wh_https_body_free(bytes, out->room);
		bytes = wh_pages_new(n + 1);
		out->bytes = bytes;
		out->room = bytes ? n + 1 : 0;
	}
	return bytes;
}

int fleet_unpack(const uint8_t *packed, size_t len, struct fleet_answer *out)
{
	struct wh_taking t = {.p = packed, .n = len};
	struct frame f;
	size_t n;
	out->n = 0;
	if (!fleet_can_unpack() || len > INT_MAX || size_of(t, &n))
		return -EBADMSG;
	uint8_t *bytes = make_room(out, n);
	if (!bytes)
		return -ENOMEM;
	while (take_frame(&t, &f) > 0) {
		if (!put_frame(&f, bytes + out->n))
			return -EBADMSG;
		out->n += f.n;
	}
	bytes[out->n] = 0;
	return 0;
}
