/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frame of any bytes is refused or read, and no part of the result lies beyond its end. A target is refused, or split into
 * segments of text, which are the same after encoding and splitting again, and is compared with each route's pattern. A frame is
 * written back as it was read. The seeds route-* have a target of each route.
 */
#include <stdlib.h>
#include <string.h>
#include "serve/call.h"
#include "serve/frame.h"
#include "serve/target.h"

static void check_target(const char *text)
{
	static const char *const patterns[] = {"/{scope*}", "/a"};
	const char *values[WH_PATTERN_VALUES] = {0}, *again = "";
	struct wh_arena *mem = wh_arena_new();
	struct wh_target t, u;
	struct wh_error err;
	if (!wh_target_parse(text, mem, &t, &err)) {
		for (size_t i = 0; i < t.n; i++) {
			if (!*t.segments[i] || wh_text_unprintable(t.segments[i]))
				abort();
			again = wh_arena_printf(mem, "%s/%s", again, wh_target_encode(t.segments[i], mem));
		}
		if (t.n && (wh_target_parse(again, mem, &u, &err) || u.n != t.n))
			abort();
		for (size_t i = 0; i < t.n; i++)
			if (strcmp(t.segments[i], u.segments[i]))
				abort();
		for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
			wh_target_matches(&t, patterns[i], mem, values);
		for (size_t i = 0; wh_routes[i].path; i++)
			wh_target_matches(&t, wh_routes[i].path, mem, values);
	}
	wh_arena_free(mem);
}

static void check_request(uint8_t *p, size_t n)
{
	struct wh_frame_request r;
	struct wh_bytes b = {0};
	if (!wh_frame_take_request(p, n, &r))
		return;
	wh_frame_put_request(&b, &r);
	if (b.n != n || memcmp(b.p, p, n))
		abort();
	check_target(r.target);
	free(b.p);
}

static void check_reply(uint8_t *p, size_t n)
{
	struct wh_frame_reply r;
	struct wh_bytes b = {0};
	if (!wh_frame_take_reply(p, n, &r))
		return;
	wh_frame_put_reply(&b, &r);
	if (b.n != n)
		abort();
	free(b.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *p = malloc(size + 1);
	if (!p)
		return 0;
	memcpy(p, data, size);
	p[size] = 0;
	check_request(p, size);
	check_reply(p, size);
	if (!memchr(p, 0, size))
		check_target((const char *)p);
	free(p);
	return 0;
}
