/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The features, each of one edge but for the last step:
 *
 *   days        ln D, D the distinct days of the window on which the peer was answered
 *   presence    how far D is beyond 60 % of the days that the sensor saw, as a share of the rest
 *   shape       mean over the peer's flows of ln(P(bucket | others) / P(bucket | hostile)), for size and for length, where the
 *               distributions are this ledger's own: hostile are the peers that a hard rule keeps out, one vote each; others
 *               vote once a day, so that a swarm of one-day guessers does not become what is usual
 *   guessing    the share of flows that could be a failed login (1–16 KiB, 1–30 s), times log2(1 + flows a day)
 *   fan-out     ln(1 + other resources on which it is answered) · (1 − presence): who is everywhere but stays nowhere
 *   neighbours  once all have a score, peers of the same /28 (IPv6: /64) above 1 vouch for those beside them: the newest
 *               machine of an office, the script host among a partner's people
 *
 * Shape, guessing and fan-out are of those who come in; where the resource itself opens the connections (outbound) they say nothing.
 *
 * Beside the score: one that came once or twice some time ago (one-off), and one that came regularly and has been quiet for several
 * times its longest pause (gone), cost no line, unless somebody beside them belongs. Neither is carved out of a prefix around it, nor
 * is one without the score who has been quiet for carve-out-days; who is hostile by a hard rule always is.
 *
 * Guessing and presence pull against each other on purpose: five sessions a day from a script stay in, forty a day do not,
 * however many weeks they go on.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/yaml.h"
#include "harden/evidence.h"

#define LOWEST_RATIO (-2.0)
#define HIGHEST_RATIO 3.0
#define VOUCHES 1.0      /* score without neighbours from which a peer speaks for those beside it */
#define MOST_NEIGHBOURS 2.5
#define PRESENCE_FROM 0.6

const char *const wh_feature_names[WH_N_FEATURES + 1] = {"days", "presence", "shape", "guessing", "fan-out", "alerts", "neighbours", "private",
                                                         "policy", NULL};

/* ---- rules/evidence.yaml ---- */

static int number(const char *file, const struct wh_yaml *map, const char *key, double lo, double hi, double *out, struct wh_error *err)
{
	const struct wh_yaml *n = wh_yaml_get(map, key);
	int rc;
	if (!n)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' is missing", file, map->line, key);
	if ((rc = wh_yaml_double(file, n, out, err)))
		return rc;
	if (*out < lo || *out > hi)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be from %g to %g", file, n->line, key, lo, hi);
	return 0;
}

static int whole(const char *file, const struct wh_yaml *map, const char *key, unsigned *out, struct wh_error *err)
{
	double d = 0;
	int rc = number(file, map, key, 0, 1e6, &d, err);
	*out = (unsigned)d;
	return rc;
}

static int load_features(const char *file, const struct wh_yaml *features, struct wh_weights *w, struct wh_error *err)
{
	static const char *const known[] = {"weight", NULL};
	int rc = wh_yaml_check_keys(file, features, wh_feature_names, err);
	for (unsigned i = 0; i < WH_N_FEATURES && !rc; i++) {
		const struct wh_yaml *f = wh_yaml_get(features, wh_feature_names[i]);
		if (!f)
			continue; /* left out: it has no say */
		if (!(rc = wh_yaml_check_keys(file, f, known, err)))
			rc = number(file, f, "weight", -100, 100, &w->weight[i], err);
	}
	return rc;
}

static int load_shares(const char *file, const struct wh_yaml *shapes, const char *key, double out[static WH_EDGE_BUCKETS], struct wh_error *err)
{
	const struct wh_yaml *list = wh_yaml_get(shapes, key);
	double sum = 0;
	unsigned n = 0;
	int rc = 0;

	for (const struct wh_yaml *k = list && list->kind == WH_YAML_LIST ? list->child : NULL; k && !rc; k = k->next, n++) {
		double d;
		if (!(rc = wh_yaml_double(file, k, &d, err)) && (d <= 0 || n >= WH_EDGE_BUCKETS))
			break;
		if (!rc)
			sum += out[n] = d;
	}
	if (rc)
		return rc;
	if (n != WH_EDGE_BUCKETS || sum <= 0)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a list of %d shares above 0", file, list ? list->line : shapes->line, key,
		                     WH_EDGE_BUCKETS);
	for (n = 0; n < WH_EDGE_BUCKETS; n++)
		out[n] /= sum;
	return 0;
}

static int load_shapes(const char *file, const struct wh_yaml *m, struct wh_weights *w, struct wh_error *err)
{
	static const char *const known[] = {"votes", "floor", "hostile-size", "hostile-length", "work-size", "work-length", NULL};
	int rc = wh_yaml_check_keys(file, m, known, err);
	if (!rc)
		rc = number(file, m, "votes", 0.1, 1e6, &w->votes, err);
	if (!rc)
		rc = number(file, m, "floor", 1e-6, 1, &w->floor, err);
	if (!rc)
		rc = load_shares(file, m, "hostile-size", w->hostile.size, err);
	if (!rc)
		rc = load_shares(file, m, "hostile-length", w->hostile.time, err);
	if (!rc)
		rc = load_shares(file, m, "work-size", w->work.size, err);
	return rc ? rc : load_shares(file, m, "work-length", w->work.time, err);
}

static int load_prices(const char *file, const struct wh_yaml *m, struct wh_select_costs *p, struct wh_error *err)
{
	static const char *const known[] = {"line", "unseen", "carve-out", "newcomer", "horizon-days", NULL};
	int rc = wh_yaml_check_keys(file, m, known, err);
	if (!rc)
		rc = number(file, m, "line", 0, 1e6, &p->line, err);
	if (!rc)
		rc = number(file, m, "unseen", 0, 1e6, &p->unseen, err);
	if (!rc)
		rc = number(file, m, "carve-out", 0, 1e6, &p->carve, err);
	if (!rc)
		rc = number(file, m, "newcomer", 0, 1e6, &p->newcomer, err);
	return rc ? rc : number(file, m, "horizon-days", 1, 365, &p->horizon_days, err);
}

static int load_one_off(const char *file, const struct wh_yaml *m, struct wh_weights *w, struct wh_error *err)
{
	static const char *const known[] = {"days", "flows", "quiet-days", NULL};
	int rc = wh_yaml_check_keys(file, m, known, err);
	if (!rc)
		rc = whole(file, m, "days", &w->one_off_days, err);
	if (!rc)
		rc = whole(file, m, "flows", &w->one_off_flows, err);
	return rc ? rc : whole(file, m, "quiet-days", &w->one_off_quiet, err);
}

static int load_gone(const char *file, const struct wh_yaml *m, struct wh_weights *w, struct wh_error *err)
{
	static const char *const known[] = {"days", "quiet-days", "gaps", "carve-out-days", NULL};
	int rc = wh_yaml_check_keys(file, m, known, err);
	if (!rc)
		rc = whole(file, m, "days", &w->gone_days, err);
	if (!rc)
		rc = whole(file, m, "quiet-days", &w->gone_quiet, err);
	if (!rc)
		rc = whole(file, m, "carve-out-days", &w->lapse_quiet, err);
	return rc ? rc : whole(file, m, "gaps", &w->gone_gaps, err);
}

int wh_weights_load(const char *path, struct wh_weights *out, struct wh_error *err)
{
	static const char *const known[] = {"prior", "features", "one-off", "gone", "shapes", "prices", NULL};
	struct wh_arena *mem = wh_arena_new();
	struct wh_yaml *root = NULL;
	int rc = wh_yaml_parse_file(path, mem, &root, err);

	*out = (struct wh_weights){0};
	if (!rc && !root)
		rc = wh_fail_input(err, -EINVAL, "%s: empty", path);
	if (!rc)
		rc = wh_yaml_check_keys(path, root, known, err);
	for (size_t i = 1; known[i] && !rc; i++)
		if (!wh_yaml_get(root, known[i]))
			rc = wh_fail_input(err, -EINVAL, "%s: '%s' is missing", path, known[i]);
	if (!rc)
		rc = number(path, root, "prior", -100, 100, &out->prior, err);
	if (!rc)
		rc = load_features(path, wh_yaml_get(root, "features"), out, err);
	if (!rc)
		rc = load_one_off(path, wh_yaml_get(root, "one-off"), out, err);
	if (!rc)
		rc = load_gone(path, wh_yaml_get(root, "gone"), out, err);
	if (!rc)
		rc = load_shapes(path, wh_yaml_get(root, "shapes"), out, err);
	if (!rc)
		rc = load_prices(path, wh_yaml_get(root, "prices"), &out->prices, err);
	wh_arena_free(mem);
	return rc;
}

/* ---- shapes ---- */

static double hist_sum(const uint32_t hist[static WH_EDGE_BUCKETS])
{
	uint64_t n = 0;
	for (unsigned b = 0; b < WH_EDGE_BUCKETS; b++)
		n += hist[b];
	return (double)n;
}

/* Adds shares in whole millionths (2^-20), so that sums of up to 2^33 votes are exact and the order of adding does not tell in them. */
static void add_shares(double to[static WH_EDGE_BUCKETS], const uint32_t hist[static WH_EDGE_BUCKETS], double all, double vote)
{
	double scale = 0x1p20 / all;
	vote *= 0x1p-20;
	for (unsigned b = 0; b < WH_EDGE_BUCKETS; b++)
		to[b] += vote * (int32_t)(hist[b] * scale + 0.5);
}

void wh_shapes_add(struct wh_shapes *s, const struct wh_edge *e, bool hostile, unsigned days)
{
	double size = hist_sum(e->size_hist), time = hist_sum(e->time_hist), vote = hostile ? 1 : days;
	struct wh_shares *to = hostile ? &s->hostile : &s->others;

	if (size == 0 || time == 0 || vote == 0)
		return;
	add_shares(to->size, e->size_hist, size, vote);
	add_shares(to->time, e->time_hist, time, vote);
	*(hostile ? &s->n_hostile : &s->n_others) += vote;
}

void wh_shapes_join(struct wh_shapes *into, const struct wh_shapes *more)
{
	for (unsigned b = 0; b < WH_EDGE_BUCKETS; b++) {
		into->hostile.size[b] += more->hostile.size[b];
		into->hostile.time[b] += more->hostile.time[b];
		into->others.size[b] += more->others.size[b];
		into->others.time[b] += more->others.time[b];
	}
	into->n_hostile += more->n_hostile;
	into->n_others += more->n_others;
}

static double ratio(const struct wh_weights *w, double others, double n_others, double work, double hostile, double n_hostile, double known)
{
	double a = (1 - w->floor) * (others + w->votes * work) / (n_others + w->votes) + w->floor * work;
	double h = (1 - w->floor) * (hostile + w->votes * known) / (n_hostile + w->votes) + w->floor * known;
	double r = log(a / h);
	return r < LOWEST_RATIO ? LOWEST_RATIO : r > HIGHEST_RATIO ? HIGHEST_RATIO : r;
}

void wh_shapes_finish(struct wh_shapes *s, const struct wh_weights *w)
{
	for (unsigned b = 0; b < WH_EDGE_BUCKETS; b++) {
		s->ratio.size[b] = ratio(w, s->others.size[b], s->n_others, w->work.size[b], s->hostile.size[b], s->n_hostile, w->hostile.size[b]);
		s->ratio.time[b] = ratio(w, s->others.time[b], s->n_others, w->work.time[b], s->hostile.time[b], s->n_hostile, w->hostile.time[b]);
	}
}

static double shape_of(const struct wh_shapes *s, const struct wh_edge *e)
{
	double size = hist_sum(e->size_hist), time = hist_sum(e->time_hist), by_size = 0, by_time = 0;
	for (unsigned b = 0; b < WH_EDGE_BUCKETS; b++) {
		by_size += s->ratio.size[b] * e->size_hist[b];
		by_time += s->ratio.time[b] * e->time_hist[b];
	}
	return (size > 0 ? by_size / size : 0) + (time > 0 ? by_time / time : 0);
}

/* ---- one peer ---- */

uint64_t wh_window_days(const struct wh_window *w, const struct wh_edge *e)
{
	int64_t shift = (int64_t)w->last - e->day0;
	uint64_t mask = w->days >= 64 ? UINT64_MAX : (UINT64_C(1) << w->days) - 1, bits;
	if (shift >= 64 || shift <= -64)
		return 0;
	bits = shift >= 0 ? e->days << shift : e->days >> -shift;
	return bits & mask;
}

static double guessing_of(const struct wh_edge *e, unsigned days)
{
	double size = hist_sum(e->size_hist), time = hist_sum(e->time_hist);
	if (size == 0 || time == 0)
		return 0;
	double by_size = ((double)e->size_hist[2] + e->size_hist[3]) / size, by_time = ((double)e->time_hist[2] + e->time_hist[3]) / time;
	/* sessions a day over all days of the edge, which may be more than the window holds */
	unsigned all = wh_edge_days(e);
	double rate = (double)e->flows / (all > days ? all : days ? days : 1);
	return (by_size < by_time ? by_size : by_time) * log2(1 + rate);
}

/* What does not depend on the window's days: guessing is a rate over all days of the edge, which are no fewer than those in the window. */
static void lasting_features(struct wh_evidence_peer *p, const struct wh_shapes *shapes)
{
	p->value[WH_F_SHAPE] = p->chosen ? 0 : shape_of(shapes, p->edge);
	p->value[WH_F_GUESSING] = p->chosen ? 0 : guessing_of(p->edge, p->n_days);
	p->value[WH_F_ALERTS] = p->edge->alerts[2] || p->edge->alerts[3];
	p->value[WH_F_PRIVATE] = p->estate || wh_addr_is_private(&p->addr);
	p->value[WH_F_POLICY] = p->named;
}

#define SMALL 65
struct logs { double natural[SMALL], binary[SMALL]; }; /* of 1 to SMALL - 1: of days and of neighbours */

static void days_features(struct wh_evidence_peer *p, const struct wh_window *win, const struct logs *logs)
{
	double from = PRESENCE_FROM * win->sensor_days;
	double presence = p->n_days > from && win->sensor_days ? (p->n_days - from) / (win->sensor_days - from) : 0;

	p->value[WH_F_DAYS] = p->n_days ? logs->natural[p->n_days] : 0;
	p->value[WH_F_PRESENCE] = presence < 1 ? presence : 1;
	p->value[WH_F_FAN_OUT] = p->elsewhere ? log(1 + p->elsewhere) * (1 - p->value[WH_F_PRESENCE]) : 0;
}

static void add_up(struct wh_evidence_peer *p, const struct wh_weights *w)
{
	p->score = w->prior;
	for (unsigned i = 0; i < WH_N_FEATURES; i++)
		p->score += w->weight[i] * p->value[i];
}

/* Days that the sensor saw since the peer's last; 64 when it was never there. */
static unsigned quiet_days(const struct wh_evidence_peer *p, const struct wh_window *win)
{
	return p->days ? wh_bits(win->sensor & ((p->days & -p->days) - 1)) : 64;
}

/* The longest stretch between two of the peer's days, in days that the sensor saw: 1 for one that came daily. */
static unsigned longest_gap(const struct wh_evidence_peer *p, const struct wh_window *win)
{
	unsigned longest = 0;
	uint64_t later = p->days & -p->days;
	for (uint64_t rest = p->days & (p->days - 1); rest; rest &= rest - 1) {
		uint64_t earlier = rest & -rest;
		unsigned gap = wh_bits(win->sensor & (earlier - 1) & ~(later - 1));
		longest = gap > longest ? gap : longest;
		later = earlier;
	}
	return longest;
}

/* Came on many days and has been quiet for several times its longest pause: its address was given up. */
static bool has_gone(const struct wh_evidence_peer *p, const struct wh_window *win, const struct wh_weights *w)
{
	unsigned quiet = quiet_days(p, win);
	return w->gone_days && p->n_days >= w->gone_days && quiet >= w->gone_quiet && quiet > w->gone_gaps * longest_gap(p, win) && !p->named &&
	       !p->value[WH_F_PRIVATE];
}

static void decide(struct wh_evidence_peer *p, const struct wh_window *win, const struct wh_weights *w)
{
	p->one_off = p->n_days <= w->one_off_days && p->edge->flows < w->one_off_flows && quiet_days(p, win) >= w->one_off_quiet &&
	             p->value[WH_F_NEIGHBOURS] == 0 && !p->named && !p->value[WH_F_PRIVATE];
	p->gone = p->gone && p->value[WH_F_NEIGHBOURS] == 0;
	p->lapsed = p->one_off || p->gone || (w->lapse_quiet && quiet_days(p, win) >= w->lapse_quiet);
	if (p->outside)
		p->verdict = WH_PEER_OUTSIDE_POLICY;
	else if (p->trusted)
		p->verdict = WH_PEER_TRUSTED;
	else if (p->listed)
		p->verdict = WH_PEER_HOSTILE_INTEL;
	else if (p->edge->alerts[0] || p->edge->alerts[1])
		p->verdict = WH_PEER_HOSTILE_ALERT;
	else
		p->verdict = p->score > 0 && !p->one_off && !p->gone ? WH_PEER_IN : WH_PEER_OUT;
}

static bool vouches(const struct wh_evidence_peer *p)
{
	return p->score > VOUCHES && !p->listed && !p->edge->alerts[0] && !p->edge->alerts[1];
}

/* Peers of one block that vouch for those beside them. */
static void neighbours(struct wh_evidence_peer *peers, size_t n, const struct logs *logs)
{
	for (size_t i = 0, j; i < n; i = j) {
		struct wh_prefix block = wh_prefix_of(&peers[i].addr, wh_addr_is_v4(&peers[i].addr) ? 124 : 64);
		unsigned good = 0;
		for (j = i; j < n && wh_prefix_has(&block, &peers[j].addr); j++)
			good += vouches(&peers[j]);
		for (size_t k = i; k < j; k++) {
			unsigned others = good - vouches(&peers[k]);
			double v = logs->binary[others < SMALL - 1 ? 1 + others : SMALL - 1];
			peers[k].value[WH_F_NEIGHBOURS] = v < MOST_NEIGHBOURS ? v : MOST_NEIGHBOURS;
		}
	}
}

static void weigh(struct wh_evidence_peer *peers, size_t n, const struct wh_window *win, const struct wh_shapes *shapes, const struct wh_weights *w)
{
	uint64_t recent = (UINT64_C(1) << win->days / 2) - 1; /* the second half: the lower bits */
	struct logs logs = {{0}, {0}};

	for (unsigned i = 1; i < SMALL; i++) {
		logs.natural[i] = log(i);
		logs.binary[i] = log2(i);
	}
	for (size_t i = 0; i < n; i++) {
		struct wh_evidence_peer *p = &peers[i];
		p->n_days = wh_bits(p->days);
		p->late = p->days && !(p->days & ~recent) && wh_day(p->edge->first_us) > win->last - (int32_t)(win->days / 2);
		if (shapes)
			lasting_features(p, shapes);
		days_features(p, win, &logs);
		p->gone = has_gone(p, win, w);
		p->value[WH_F_NEIGHBOURS] = 0;
		add_up(p, w);
	}
	neighbours(peers, n, &logs);
	for (size_t i = 0; i < n; i++) {
		if (peers[i].value[WH_F_NEIGHBOURS] > 0)
			add_up(&peers[i], w);
		decide(&peers[i], win, w);
	}
}

void wh_evidence(struct wh_evidence_peer *peers, size_t n, const struct wh_window *win, const struct wh_shapes *shapes,
                 const struct wh_weights *w)
{
	weigh(peers, n, win, shapes, w);
}

void wh_evidence_again(struct wh_evidence_peer *peers, size_t n, const struct wh_window *win, const struct wh_weights *w)
{
	weigh(peers, n, win, NULL, w);
}
