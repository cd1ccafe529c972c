/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * evidence: which peers of one resource and port are allowed. A score in log-odds, the sum of weighted features that explain can
 * print one by one; the weights are rules/evidence.yaml's.
 */
#pragma once
#include "harden/returning.h"
#include "whittle/harden.h"

#define WH_RETURN_HORIZON 30 /* days ahead for which a peer that came seldom is expected */

enum wh_feature_id {
	WH_F_DAYS,
	WH_F_PRESENCE,
	WH_F_HALVES,
	WH_F_SHAPE,
	WH_F_GUESSING,
	WH_F_BURST,
	WH_F_FAN_OUT,
	WH_F_ALERTS,
	WH_F_NEIGHBOURS,
	WH_F_INFECTED,
	WH_F_OTHER_PORTS,
	WH_F_PRIVATE,
	WH_F_POLICY,
	WH_N_FEATURES,
};
extern const char *const wh_feature_names[WH_N_FEATURES + 1]; /* as in evidence.yaml; NULL-terminated */

struct wh_shares { double size[WH_EDGE_BUCKETS], time[WH_EDGE_BUCKETS]; };

struct wh_weights {
	double prior, weight[WH_N_FEATURES];
	unsigned one_off_days, one_off_flows, one_off_quiet;
	double one_off_expected;
	struct wh_rhythm rhythm;
	/* of this rhythm and WH_RETURN_HORIZON; NULL: worked out for each peer. Its maker frees it */
	struct wh_expected_table *returns;
	unsigned gone_days, gone_quiet, gone_gaps;
	unsigned lapse_quiet;
	double votes, floor;
	struct wh_shares hostile, work; /* the typical values before the ledger has better ones */
	struct wh_select_costs prices;  /* half_days and max_lines are set by the caller */
};
int wh_weights_load(const char *path, struct wh_weights *out, struct wh_error *err);

#define WH_VOUCHES 1.0 /* score without neighbours from which a peer vouches for its neighbours */

/* The flows of a histogram. */
static inline double wh_hist_sum(const uint32_t hist[static WH_EDGE_BUCKETS])
{
	uint64_t n = 0;
	for (unsigned b = 0; b < WH_EDGE_BUCKETS; b++)
		n += hist[b];
	return (double)n;
}

/* The shapes of sessions in the whole ledger. */
struct wh_shapes {
	struct wh_shares hostile, others; /* sums; `n` of each */
	double n_hostile, n_others;
	struct wh_shares ratio;           /* ln(others / hostile) for each bucket, once finished */
};
void wh_shapes_add(struct wh_shapes *s, const struct wh_edge *e, bool hostile, unsigned days);
void wh_shapes_join(struct wh_shapes *into, const struct wh_shapes *more); /* sums */
void wh_shapes_finish(struct wh_shapes *s, const struct wh_weights *w);
/* From a finished sum: the mean over the edge's flows of ratio.size, plus that of ratio.time. */
double wh_shape(const struct wh_shapes *s, const struct wh_edge *e);

/* The rolling window. Bit i of `sensor` is the day `last - i`: days on which the sensor reported anything. */
struct wh_window {
	int32_t last;
	unsigned days;
	uint64_t sensor;
	unsigned sensor_days;
};
/*
 * The number of days that the data cover, back from the latest of `days` (bit 0 is the newest possible day). Some old days apart
 * from all others are a clock that was wrong, or chance: a pause of more than a week is only bridged to older data that has at
 * least half as many days.
 *
 *   ...1.......1111111   the pause of 7 is bridged      ..1............1111   that of 12 is not, by one day: 4
 */
unsigned wh_days_reach(uint64_t days);
/* The edge's days as bits of the window: bit i is window->last - i. */
uint64_t wh_window_days(const struct wh_window *w, const struct wh_edge *e);

/* One peer on its way through. Filled by the caller up to `elsewhere`, the rest by wh_evidence(). */
struct wh_evidence_peer {
	struct wh_addr addr;
	const struct wh_edge *edge;
	uint64_t days;            /* in the window */
	uint64_t hash;            /* wh_peer_hash(); 0: not worked out */
	bool listed, trusted, outside; /* threat intelligence; trusted configuration; the rules in force don't allow it */
	bool named;               /* the rules in force name it narrowly */
	bool estate;              /* an address of the estate */
	bool unproven;            /* its source may be forged: all there is of it could be one exchange, … */
	bool in_flood;            /* … or it came with many that were new, as in a flood */
	bool chosen;              /* the resource opens the connections: the peer guesses nothing */
	bool alone;               /* allowed by its traffic on this port, without neighbours or the rules in force */
	bool elsewhere_here;      /* allowed on another port of the resource */
	uint64_t blocked;         /* flows of it that were refused after it was answered last */
	unsigned elsewhere;       /* other resources on which it is answered */
	unsigned n_days;
	bool late;                /* first seen in the second half of the window */
	bool measured;            /* shape and guessing are known, and the two below */
	double like, works;       /* 0 to 1: sessions like failed logins, and longer or larger ones; see posing.c */
	/* 0 to 1: each session like a failed login, where the others stay: without neighbours, days count less by this */
	double posing;
	double value[WH_N_FEATURES], score;
	bool one_off; /* came once or twice and will hardly come again: left out whatever its score, but not carved out */
	bool lapsed;  /* not wanted, but silent for so long that its address may have another owner: no carve-out */
	bool gone;    /* came regularly and has stopped: the same */
	enum wh_verdict verdict;
};
/* Whether it would be allowed but for its alerts. */
static inline bool wh_alert_alone(const struct wh_evidence_peer *p)
{
	return p->verdict == WH_PEER_HOSTILE_ALERT && p->score > 0 && !p->one_off && !p->gone;
}
/* Sets `alone` of peers that are not weighed yet; how many are. wh_evidence() need not repeat its measurements. */
size_t wh_evidence_alone(struct wh_evidence_peer *peers, size_t n, const struct wh_window *win, const struct wh_shapes *shapes,
                         const struct wh_weights *w);
/* peers sorted by address. */
void wh_evidence(struct wh_evidence_peer *peers, size_t n, const struct wh_window *win, const struct wh_shapes *shapes,
                 const struct wh_weights *w);
/* The same for peers that it weighed before, of which nothing but the days has changed, and the window. None is without days. */
void wh_evidence_again(struct wh_evidence_peer *peers, size_t n, const struct wh_window *win, const struct wh_weights *w);
