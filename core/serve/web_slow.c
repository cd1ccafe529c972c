/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which requests keep a worker for long. A worker knows which routes can; how long one of them takes depends on the estate, and
 * is remembered here. In a small one, none of them waits for another.
 */
#include <string.h>
#include "base/siphash.h"
#include "serve/web_workers.h"

enum { QUICK_US = 100000, KNOWN = 1024 };
static struct { uint64_t of; int64_t longest_us; } known[KNOWN];

void wh_web_line_begin(struct wh_web_line *l)
{
	*l = (struct wh_web_line){.last = &l->first};
}

void wh_web_line_put(struct wh_web_line *l, struct wh_web_job *j)
{
	j->next = NULL;
	*l->last = j;
	l->last = &j->next;
	l->n++;
}

struct wh_web_job *wh_web_line_take(struct wh_web_line *l)
{
	struct wh_web_job *j = l->first;
	if (!j)
		return NULL;
	l->first = j->next;
	if (!l->first)
		l->last = &l->first;
	l->n--;
	return j;
}

/* Links in an answer have the host that the request names. */
bool wh_web_same(const struct wh_web_job *a, const struct wh_web_job *b)
{
	const struct wh_frame_request *p = &a->head->frame, *q = &b->head->frame;
	return p->method == WH_GET && q->method == WH_GET && !a->body.n && !b->body.n && !strcmp(p->target, q->target) &&
	       !strcmp(p->base, q->base) && !strcmp(p->if_none_match, q->if_none_match);
}

static uint64_t name_of(const struct wh_web_job *j)
{
	const char *target = j->head->frame.target;
	const size_t n = strlen(target);
	uint64_t rest = 0;
	memcpy(&rest, target + n / 8 * 8, n % 8);
	return wh_siphash(wh_hash_key(), target, n / 8, rest) | 1; /* 0: a free row */
}

bool wh_web_is_quick(const struct wh_web_job *j)
{
	const uint64_t of = name_of(j);
	return known[of / 2 % KNOWN].of == of && known[of / 2 % KNOWN].longest_us < QUICK_US;
}

/* The longest time counts: most answers come from a worker's cache. */
void wh_web_took(const struct wh_web_job *j, int64_t us)
{
	const uint64_t of = name_of(j);
	typeof(*known) *k = &known[of / 2 % KNOWN];
	if (k->of != of)
		*k = (typeof(*known)){.of = of};
	k->longest_us = us > k->longest_us ? us : k->longest_us;
}
