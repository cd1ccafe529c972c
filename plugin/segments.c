/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "segments.h"

enum { FOLDED_LATER = 32, CAPTURE_WAIT_S = 120 };
static const int64_t second_us = 1000000, stall_us = 20000;

int wh_segments_init(struct wh_segments *g, const struct wh_locals *locals, unsigned n, size_t limit)
{
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->freed, NULL);
	g->locals = locals;
	g->free = calloc(n, sizeof(struct wh_edge_table *));
	g->full = calloc(n, sizeof(struct wh_edge_table *));
	g->n = n;
	for (; g->free && g->full && g->n_free < n; g->n_free++)
		if (!(g->free[g->n_free] = wh_edge_table_new(locals, limit)))
			break;
	return g->n_free == n ? 0 : -ENOMEM;
}

void wh_segments_clear(struct wh_segments *g)
{
	for (unsigned i = 0; i < g->n_free; i++)
		wh_edge_table_free(g->free[i]);
	for (unsigned i = 0; i < g->n_full; i++)
		wh_edge_table_free(g->full[i]);
	free(g->free);
	free(g->full);
	if (g->n) {
		pthread_cond_destroy(&g->freed);
		pthread_mutex_destroy(&g->lock);
	}
	memset(g, 0, sizeof *g);
}

/* Only if more than `spare` are free. */
static struct wh_edge_table *exchange(struct wh_segments *g, struct wh_edge_table *had, unsigned spare)
{
	struct wh_edge_table *t = NULL;
	pthread_mutex_lock(&g->lock);
	if (g->n_free > spare) {
		t = g->free[--g->n_free];
		wh_edge_table_judge_by(t, g->locals);
		if (had)
			g->full[g->n_full++] = had;
	}
	pthread_mutex_unlock(&g->lock);
	return t;
}

struct wh_edge_table *wh_segments_exchange(struct wh_segments *g, struct wh_edge_table *had)
{
	return exchange(g, had, 0);
}

bool wh_segments_any_full(struct wh_segments *g)
{
	pthread_mutex_lock(&g->lock);
	bool any = g->n_full;
	pthread_mutex_unlock(&g->lock);
	return any;
}

struct wh_edge_table *wh_segments_full(struct wh_segments *g)
{
	pthread_mutex_lock(&g->lock);
	struct wh_edge_table *t = g->n_full ? g->full[--g->n_full] : NULL;
	pthread_mutex_unlock(&g->lock);
	return t;
}

void wh_segments_give(struct wh_segments *g, struct wh_edge_table *empty)
{
	pthread_mutex_lock(&g->lock);
	g->free[g->n_free++] = empty;
	g->in_vain = false;
	pthread_cond_broadcast(&g->freed);
	pthread_mutex_unlock(&g->lock);
}

bool wh_segments_press(struct wh_segments *g)
{
	pthread_mutex_lock(&g->lock);
	bool press = !g->n_free || g->n_full >= (g->n + 3) / 4;
	pthread_mutex_unlock(&g->lock);
	return press;
}

/* Until when a writer that comes now may wait; 0: it may not. */
static int64_t may_wait_until(struct wh_segments *g)
{
	int64_t now = wh_monotonic_us();
	if (g->in_vain || (g->away && !g->capture))
		return 0;
	if (g->capture)
		return now + CAPTURE_WAIT_S * second_us;
	if (!g->began_us || now - g->began_us >= second_us)
		g->began_us = now;
	return now - g->began_us < stall_us ? g->began_us + stall_us : 0;
}

bool wh_segments_wait(struct wh_segments *g)
{
	pthread_mutex_lock(&g->lock);
	int64_t until = may_wait_until(g);
	struct timespec t = {.tv_sec = until / second_us, .tv_nsec = until % second_us * 1000};
	int rc = until ? 0 : ETIMEDOUT;
	while (!g->n_free && !rc && !(g->away && !g->capture))
		rc = pthread_cond_clockwait(&g->freed, &g->lock, CLOCK_MONOTONIC, &t);
	if (!g->n_free && g->capture)
		g->in_vain = true;
	bool is = g->n_free;
	pthread_mutex_unlock(&g->lock);
	return is;
}

void wh_segments_away(struct wh_segments *g, bool away)
{
	pthread_mutex_lock(&g->lock);
	g->away = away;
	pthread_cond_broadcast(&g->freed);
	pthread_mutex_unlock(&g->lock);
}

void wh_segments_locals(struct wh_segments *g, const struct wh_locals *locals)
{
	pthread_mutex_lock(&g->lock);
	g->locals = locals;
	pthread_mutex_unlock(&g->lock);
}

/* Removes the folded records; the others move to the front. */
static void shift(struct wh_waiting *w, unsigned done)
{
	w->n -= done;
	memmove(w->records, w->records + done, w->n * sizeof *w->records);
}

/* False if a record could be left half folded: there must be room for the most records that may be under way. */
static bool has_room(const struct wh_edge_table *t)
{
	return !wh_edge_table_nearly_full(t, FOLDED_LATER * 128);
}

bool wh_segments_fold(struct wh_segments *g, struct wh_edge_table **t, struct wh_waiting *w)
{
	unsigned i = 0;
	bool free = true;
	while (i < w->n && free) {
		bool coarse = false;
		for (; i < w->n && has_room(*t) && !coarse; i++) {
			wh_edge_table_fold_later(*t, &w->records[i]);
			coarse = wh_edge_table_coarse(*t, FOLDED_LATER);
		}
		wh_edge_table_carry_out(*t);
		bool must = !has_room(*t);
		if (!must && !coarse)
			continue;
		struct wh_edge_table *fresh = exchange(g, *t, must ? 0 : g->n / 2);
		if (fresh)
			*t = fresh;
		else if (must)
			free = i == w->n;
		else /* a scan: its edges must not use the room of answered peers */
			for (; i < w->n && has_room(*t); i++)
				wh_edge_table_fold(*t, &w->records[i]);
	}
	shift(w, i);
	return !w->n;
}

bool wh_waiting_fits(const struct wh_waiting *w, const struct wh_edge_table *t)
{
	return !w->n || !wh_edge_table_nearly_full(t, (w->n + FOLDED_LATER) * 128);
}

unsigned wh_waiting_squeeze(struct wh_waiting *w, struct wh_edge_table *t)
{
	unsigned lost = 0;
	for (unsigned i = 0; i < w->n; i++)
		lost += wh_edge_table_fold(t, &w->records[i]) != 0;
	w->n = 0;
	return lost;
}
