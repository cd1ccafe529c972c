/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moves edges from the lanes to the pending table. */
#include <string.h>
#include "sink.h"

/* Empties the hand into pending. False: pending has no room for all of it. */
static bool put_down(struct wh_flusher *f)
{
	if (f->hand_holds)
		f->hand_holds = wh_edge_table_take(f->pending, f->hand) != 0;
	return !f->hand_holds;
}

/*
 * Exchanges a lane's table for the empty hand. Records that wait in the lane are folded into the table if it has room, else they
 * wait there with their counts for the next time. False: they wait.
 */
static bool exchange(struct wh_sink *s, struct wh_lane *lane)
{
	struct wh_flusher *f = &s->f;
	struct wh_tally tally = {0};
	pthread_mutex_lock(&lane->lock);
	struct wh_edge_table *had = lane->table;
	bool all = wh_waiting_fits(&lane->waiting, had);
	if (all) {
		struct wh_waiting waiting = lane->waiting;
		lane->waiting = f->waiting;
		f->waiting = waiting;
		tally = lane->tally;
		memset(&lane->tally, 0, sizeof lane->tally);
	}
	wh_edge_table_judge_by(f->hand, f->locals);
	lane->table = f->hand;
	pthread_mutex_unlock(&lane->lock);
	f->hand = had;
	f->hand_holds = tally.records || wh_edge_table_count(had);
	if (!wh_segments_fold(&s->segments, &f->hand, &f->waiting))
		tally.lost += wh_waiting_squeeze(&f->waiting, f->hand);
	wh_tally_add(&f->unsaved, &tally);
	wh_tally_add(&f->total, &tally);
	return all;
}

static unsigned fullest(struct wh_sink *s)
{
	size_t most = 0;
	unsigned which = 0;
	for (unsigned i = 0; i < s->n_lanes; i++) {
		struct wh_lane *l = &s->lanes[i];
		pthread_mutex_lock(&l->lock);
		size_t n = wh_edge_table_count(l->table) + l->waiting.n;
		pthread_mutex_unlock(&l->lock);
		if (n > most) {
			most = n;
			which = i;
		}
	}
	return which;
}

bool wh_flusher_relieve(struct wh_sink *s)
{
	struct wh_flusher *f = &s->f;
	while (wh_segments_any_full(&s->segments)) {
		if (!put_down(f))
			return false;
		struct wh_edge_table *full = wh_segments_full(&s->segments);
		wh_segments_give(&s->segments, f->hand);
		f->hand = full;
		f->hand_holds = true;
	}
	return true;
}

/* If the last commit could not write its facts, they are still there, and the new ones join them. */
static void take_facts(struct wh_sink *s)
{
	struct wh_flusher *f = &s->f;
	pthread_mutex_lock(&s->facts_lock);
	if (f->facts.n) {
		if (wh_facts_take(&f->facts, &s->facts))
			f->facts.lost++;
	} else {
		struct wh_facts empty = f->facts;
		f->facts = s->facts;
		s->facts = empty;
		s->facts.locals = f->locals;
	}
	f->total.lost += f->facts.lost;
	f->facts.lost = 0;
	pthread_mutex_unlock(&s->facts_lock);
}

bool wh_flusher_drain(struct wh_sink *s)
{
	unsigned last = fullest(s);
	bool all = true;
	take_facts(s);
	for (unsigned i = 1; i <= s->n_lanes; i++) {
		if (!wh_flusher_relieve(s) || !put_down(&s->f))
			return false;
		all &= exchange(s, &s->lanes[(last + i) % s->n_lanes]);
	}
	return wh_flusher_relieve(s) && all;
}
