/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "eve_inside.h"

uint64_t eve_gen_random(struct eve_gen *g, uint64_t below)
{
	return next(g) % below;
}

void eve_gen_init(struct eve_gen *g, uint64_t seed)
{
	*g = (struct eve_gen){.rng = seed, .cap = 4u << 20};
	g->buf = malloc(g->cap);
	if (!g->buf)
		abort();
}

void eve_gen_free(struct eve_gen *g)
{
	free(g->buf);
}

static void add(struct eve_gen *g, const char *p, size_t n)
{
	if (n > g->cap - g->len)
		n = g->cap - g->len;
	memcpy(g->buf + g->len, p, n);
	g->len += n;
}

void eve_gen_add(struct eve_gen *g, const char *s)
{
	add(g, s, strlen(s));
}

/* Brackets about as deep as jansson allows, some in the wrong order. */
static void deep(struct eve_gen *g)
{
	unsigned depth = one_in(g, 2) ? 2030 + (unsigned)eve_gen_random(g, 30) : 1 + (unsigned)eve_gen_random(g, 200);
	char *kinds = malloc(depth);
	if (!kinds)
		abort();
	eve_gen_add(g, "{\"event_type\":\"dns\",\"x\":");
	for (unsigned i = 0; i < depth; i++) {
		kinds[i] = one_in(g, 2);
		eve_gen_add(g, kinds[i] ? "{\"a\":" : "[");
	}
	eve_gen_add(g, one_in(g, 2) ? "1" : one_in(g, 2) ? "{}" : "[]");
	for (unsigned i = depth; i; i--)
		eve_gen_add(g, kinds[i - 1] ? "}" : "]");
	if (one_in(g, 5) && g->len > 40)
		g->buf[g->len - eve_gen_random(g, 40) - 1] ^= '}' ^ ']';
	eve_gen_add(g, "}");
	free(kinds);
}

static void long_line(struct eve_gen *g)
{
	static const char *const ends[] = {"", "\\", "\xe2\x82", "\\u00", "\x02", "\\\"", "\xc3\xa9"};
	size_t n = one_in(g, 20) ? 1u << 20 : 1 + eve_gen_random(g, 9000);
	eve_gen_add(g, "{\"timestamp\":\"2026-11-01T01:02:03.000004+0000\",\"event_type\":\"http\",\"body\":\"");
	for (size_t i = 0; i < n && g->len < g->cap - 64; i++)
		g->buf[g->len++] = (char)('a' + i % 26);
	eve_gen_add(g, PICK(g, ends));
	eve_gen_add(g, "\",\"src_ip\":\"1.1.1.1\"}");
}

void eve_gen_next(struct eve_gen *g)
{
	struct eve_style s = {.spaces = one_in(g, 12), .distorted = one_in(g, 3)};
	g->len = 0;
	g->n++;
	if (g->base_len && one_in(g, 3)) {
		add(g, g->base, g->base_len);
		if (one_in(g, 3))
			eve_gen_mutate(g);
		return;
	}
	if (one_in(g, 200))
		deep(g);
	else if (one_in(g, 300))
		long_line(g);
	else
		eve_gen_event(g, &s);
	if (g->len <= sizeof g->base && one_in(g, 30)) {
		memcpy(g->base, g->buf, g->len);
		g->base_len = g->len;
	}
	if (one_in(g, 5))
		eve_gen_mutate(g);
	if (one_in(g, 25) && g->len)
		g->len = eve_gen_random(g, g->len);
	if (one_in(g, 60))
		eve_gen_add(g, one_in(g, 2) ? " \t\r " : "x");
}
