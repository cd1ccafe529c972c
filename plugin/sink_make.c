/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a sink: how its memory is divided among lanes and segments, and which addresses are ours. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sink.h"
#include "whittle/estate.h"

enum { MAX_LANES = 16, MAX_WAITING = 1024, SEGMENTS = 32, LEAST_SEGMENTS = 3 };
static const size_t least_table = 1 << 20; /* the minimum size of an edge table */

/* So few that they take at most a hundredth of the memory. */
static bool make_waiting(const struct wh_sink *s, struct wh_waiting *w)
{
	size_t room = s->settings.memory >> 16;
	w->room = room < MAX_WAITING ? (unsigned)room : MAX_WAITING;
	w->records = calloc(w->room, sizeof *w->records);
	return w->records;
}

/* The number of lanes: as many as threads may log, but with the hand and one more segment left. */
static unsigned count_lanes(bool threaded, unsigned segments)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = !threaded ? 1 : cpus < 2 ? 4 : cpus + 2 > MAX_LANES ? MAX_LANES : (unsigned)cpus + 2;
	return n + 2 > segments ? segments - 2 : n;
}

static int make_tables(struct wh_sink *s, bool threaded, struct wh_error *err)
{
	size_t half = s->settings.memory / 2, each = half / SEGMENTS < least_table ? least_table : half / SEGMENTS;
	unsigned n = half / each < LEAST_SEGMENTS ? LEAST_SEGMENTS : (unsigned)(half / each);
	s->n_lanes = count_lanes(threaded, n);
	s->pending_limit = s->settings.memory - n * each;
	s->lanes = aligned_alloc(64, s->n_lanes * sizeof *s->lanes);
	if (s->lanes)
		memset(s->lanes, 0, s->n_lanes * sizeof *s->lanes);
	s->f.pending = wh_edge_table_new(s->f.locals, s->pending_limit);
	bool made = s->lanes && s->f.pending && !wh_segments_init(&s->segments, s->f.locals, n, each) &&
	            make_waiting(s, &s->f.waiting);
	if (made)
		s->f.hand = wh_segments_exchange(&s->segments, NULL);
	for (unsigned i = 0; s->lanes && i < s->n_lanes; i++) {
		pthread_mutex_init(&s->lanes[i].lock, NULL);
		if (made)
			s->lanes[i].table = wh_segments_exchange(&s->segments, NULL);
		made = made && make_waiting(s, &s->lanes[i].waiting);
	}
	return made ? 0 : wh_fail(err, -ENOMEM, "out of memory");
}

void wh_sink_free(struct wh_sink *s)
{
	for (unsigned i = 0; s->lanes && i < s->n_lanes; i++) {
		wh_edge_table_free(s->lanes[i].table);
		free(s->lanes[i].waiting.records);
		pthread_mutex_destroy(&s->lanes[i].lock);
	}
	free(s->lanes);
	free(s->f.waiting.records);
	wh_segments_clear(&s->segments);
	wh_networks_clear(&s->networks);
	wh_facts_free(&s->facts);
	wh_facts_free(&s->f.facts);
	pthread_mutex_destroy(&s->facts_lock);
	wh_edge_table_free(s->f.hand);
	wh_edge_table_free(s->f.pending);
	wh_locals_free(s->f.locals);
	wh_ledger_close(&s->f.ledger);
	sem_destroy(&s->wake);
	wh_settings_clear(&s->settings);
	free(s);
}

static int load_networks(struct wh_sink *s, struct wh_state *state, struct wh_error *err)
{
	struct wh_store *store;
	int rc = wh_store_open(s->settings.store, state, &store, err);
	rc = rc ? rc : wh_networks_load(&s->networks, store, err);
	wh_store_close(store);
	return rc;
}

/* The estate from the ledger; without a ledger, from the settings alone. */
static int first_locals(struct wh_sink *s, struct wh_error *err)
{
	struct wh_error why = {0};
	struct wh_state *state;
	int rc = wh_ledger_state(s->settings.store, WH_STATE_WRITE, &state, &why);
	if (!rc) {
		wh_state_patience(state, 500);
		rc = load_networks(s, state, &why);
		rc = rc ? rc : wh_estate_locals(state, s->settings.discover, &s->f.locals, &why);
		wh_state_close(state);
	}
	s->f.locals_known = !rc;
	if (!rc)
		return 0;
	if (rc != -ENOENT)
		wh_host_log(WH_LOG_WARNING, "%s; what is seen is kept in memory until it answers", why.text);
	return wh_estate_locals(NULL, s->settings.discover, &s->f.locals, err);
}

int wh_sink_new(struct wh_settings *settings, bool threaded, struct wh_sink **out, struct wh_error *err)
{
	struct wh_sink *s = calloc(1, sizeof *s);
	*out = NULL;
	if (!s)
		return wh_fail(err, -ENOMEM, "out of memory");
	s->settings = *settings;
	memset(settings, 0, sizeof *settings);
	sem_init(&s->wake, 0, 0);
	pthread_mutex_init(&s->facts_lock, NULL);
	if (sched_getaffinity(0, sizeof s->cpus, &s->cpus))
		CPU_ZERO(&s->cpus);
	int rc = wh_networks_init(&s->networks, &s->settings, err);
	rc = rc ? rc : first_locals(s, err);
	s->facts.locals = s->f.facts.locals = s->f.locals;
	if (!rc)
		rc = make_tables(s, threaded, err);
	if (rc)
		wh_sink_free(s);
	else
		*out = s;
	return rc;
}

struct wh_lane *wh_sink_lane(struct wh_sink *s)
{
	return &s->lanes[__atomic_fetch_add(&s->next_lane, 1, __ATOMIC_RELAXED) % s->n_lanes];
}
