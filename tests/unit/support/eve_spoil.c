/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spoils records: their members before they are written, their bytes afterwards. */
#include <stdio.h>
#include <string.h>
#include "eve_inside.h"

/* Written once in a while instead of a key: the same key in another spelling, or one that only looks like it. */
static void respell(struct eve_gen *g, char *key, size_t size)
{
	char old[30];
	size_t n, at;
	snprintf(old, sizeof old, "%.29s", key);
	n = strlen(old);
	if (!n)
		return;
	at = eve_gen_random(g, n);
	switch (eve_gen_random(g, 6)) {
	case 0:
		snprintf(key, size, "%.*s\\u%04x%s", (int)at, old, (unsigned char)old[at], old + at + 1);
		break;
	case 1:
		snprintf(key, size, "%s\\u0000", old);
		break;
	case 2:
		snprintf(key, size, " %s", old);
		break;
	case 3:
		key[at] ^= 0x20;
		break;
	case 4:
		snprintf(key, size, "%s\xc3\xa9", old);
		break;
	default:
		key[at] = 0;
	}
}

static void shuffle(struct eve_gen *g, struct eve_object *o)
{
	for (unsigned i = o->n; i > 1; i--) {
		unsigned j = (unsigned)eve_gen_random(g, i);
		struct eve_member m = o->m[i - 1];
		o->m[i - 1] = o->m[j];
		o->m[j] = m;
	}
}

void eve_gen_distort(struct eve_gen *g, struct eve_object *o)
{
	if (!o->n)
		return;
	switch (eve_gen_random(g, 6)) {
	case 0:
		o->n--;
		o->m[eve_gen_random(g, o->n + 1)] = o->m[o->n];
		break;
	case 1:
		if (o->n < EVE_MEMBERS) {
			o->m[o->n] = o->m[eve_gen_random(g, o->n)];
			o->n++;
			if (one_in(g, 2))
				eve_gen_value(g, o->m[o->n - 1].value, EVE_VALUE);
		}
		break;
	case 2: {
		struct eve_member *m = &o->m[eve_gen_random(g, o->n)];
		respell(g, m->key, sizeof m->key);
		break;
	}
	case 3:
		eve_gen_value(g, o->m[eve_gen_random(g, o->n)].value, EVE_VALUE);
		break;
	case 4:
		shuffle(g, o);
		break;
	default:
		eve_gen_other_members(g, o);
	}
}

void eve_gen_mutate(struct eve_gen *g)
{
	static const unsigned char special[] = "\"\\{}[]:,0\n\t \0\x80\xff\xc3/-.eE+tfn";
	for (unsigned i = 1 + (unsigned)eve_gen_random(g, 3); i && g->len > 1; i--) {
		size_t at = eve_gen_random(g, g->len);
		unsigned char c = one_in(g, 2) ? (unsigned char)next(g) : special[eve_gen_random(g, sizeof special - 1)];
		switch (eve_gen_random(g, 4)) {
		case 0:
			memmove(g->buf + at, g->buf + at + 1, g->len - at - 1);
			g->len--;
			break;
		case 1:
			if (g->len < g->cap) {
				memmove(g->buf + at + 1, g->buf + at, g->len - at);
				g->len++;
				g->buf[at] = (char)c;
			}
			break;
		default:
			g->buf[at] = (char)c;
		}
	}
}
