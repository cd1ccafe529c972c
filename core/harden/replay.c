/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replay: the effect that rules would have had, day by day, on the traffic in the ledger.
 *
 * For each port that has a rule, every answered peer is weighed as in recommend, on the whole window, and compared with the
 * rules: its flows are kept or lost if it is allowed, stopped or admitted if it is not. Peers that the rules in force do not let
 * in are not counted: nothing changes for them.
 *
 * The ledger knows on which days a peer came and how many flows it made, not how many on which day. So the flows are shared out
 * evenly over its days, the remainder from the latest on: sums are exact, single days are not. Flows from before the window are
 * taken off in proportion to days. A peer with fewer flows than days had lasting ones: on each of its days one of them was open,
 * and counts for the day.
 *
 * A log is replayed as if it were a ledger of its own, but for the judgment on peers that the ledger knows too, which is the
 * ledger's: a day's log makes everybody a newcomer.
 *
 * Lost of kept + lost is the expected breakage. Its upper bound is Clopper–Pearson's: the largest share p at which seeing so few
 * lost flows still has a chance of 5 %. With 0 of 41,203 that is 1 − 0.05^(1/41203) = 0.007 %. It takes flows for independent,
 * which those of one peer are not: so the peers are counted, too.
 *
 * Rules that were derived from the same days lose next to nothing by construction. The holdout is the honest figure: rules as
 * they would have been some days ago, replayed on the days since. It can't undo that an edge's counts, histograms and alerts are
 * sums over all its days; the known peers, and their days, are as they were.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "harden/analysis.h"

/* ---- the bound ---- */

/* The continued fraction of the incomplete beta function, by Lentz's method (DLMF 8.17.22). Good for x < (a + 1) / (a + b +
 * 2). */
static double beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1), h;

	d = 1 / (fabs(d) < tiny ? tiny : d);
	h = d;
	for (int m = 1; m <= 100000; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		for (int half = 0; half < 2; half++) {
			double t = half ? odd : even;
			d = 1 + t * d;
			c = 1 + t / c;
			d = 1 / (fabs(d) < tiny ? tiny : d);
			c = fabs(c) < tiny ? tiny : c;
			h *= d * c;
		}
		if (fabs(d * c - 1) < 1e-14)
			break;
	}
	return h;
}

/* I_x(a, b) */
static double incomplete_beta(double a, double b, double x)
{
	int sign;
	if (x <= 0 || x >= 1)
		return x >= 1;
	double front = exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) + a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double wh_upper_bound(uint64_t k, uint64_t n)
{
	double lo, hi = 1;

	if (k >= n)
		return 1;
	if (k == 0)
		return -expm1(log(0.05) / (double)n);
	lo = (double)k / (double)n;
	for (int i = 0; i < 60; i++) { /* P(at most k | p) = 1 − I_p(k + 1, n − k) falls with p */
		double mid = lo + (hi - lo) / 2;
		if (1 - incomplete_beta((double)k + 1, (double)(n - k), mid) > 0.05)
			lo = mid;
		else
			hi = mid;
	}
	return hi;
}

const char *wh_percent(double share, char buf[static WH_PERCENT_STRLEN])
{
	double p = 100 * share;
	int digits = p >= 9.95 ? 0 : p >= 1e-9 ? 1 - (int)floor(log10(p)) : 0;
	snprintf(buf, WH_PERCENT_STRLEN, "%.*f", digits, p);
	return buf;
}

/* ---- one port ---- */

static bool same_region(const struct wh_recommended_rule *a, const struct wh_recommended_rule *b)
{
	return a->direction == b->direction && a->proto == b->proto && a->port == b->port;
}

/* The addresses that the i-th rule and all later ones of the same port allow together. */
static struct wh_ranges allowed_by(const struct wh_resource_result *res, size_t i, struct wh_arena *mem)
{
	struct wh_ranges all = {0};
	for (size_t k = i; k < res->n_rules; k++) {
		const struct wh_recommended_rule *r = &res->rules[k];
		if (same_region(r, &res->rules[i]))
			all = wh_ranges_union(all,
			                      wh_ranges_minus(wh_ranges_from_prefixes(r->prefixes, r->n_prefixes, mem),
			                                      wh_ranges_from_prefixes(r->except, r->n_except, mem), mem),
			                      mem);
	}
	return all;
}

static uint64_t *counter(struct wh_replay_counts *c, bool belongs, bool passes)
{
	return belongs ? passes ? &c->kept : &c->lost : passes ? &c->admitted : &c->stopped;
}

static void add_counts(struct wh_replay_counts *to, const struct wh_replay_counts *c)
{
	to->kept += c->kept;
	to->lost += c->lost;
	to->stopped += c->stopped;
	to->admitted += c->admitted;
}

static void note_lost(struct wh_replay_rule *r, const struct wh_evidence_peer *p, uint64_t flows)
{
	unsigned at = r->n_worst;
	while (at > 0 && r->worst[at - 1].flows < flows)
		at--;
	if (at == WH_REPLAY_WORST)
		return;
	r->n_worst += r->n_worst < WH_REPLAY_WORST;
	memmove(&r->worst[at + 1], &r->worst[at], (r->n_worst - 1 - at) * sizeof r->worst[0]);
	r->worst[at] = (struct wh_replay_peer){p->addr, flows, p->edge->last_us};
}

/* `shown`: the days that are replayed, as bits of the window. */
static void replay_peer(struct wh_replay *out, struct wh_replay_rule *r, const struct wh_evidence_peer *p, bool passes,
                        uint64_t shown)
{
	bool belongs = wh_stays(p->verdict) || wh_alert_alone(p); /* one alert is not a verdict: its cost is counted */
	unsigned known = wh_bits(p->edge->days), days = wh_bits(p->days);
	uint64_t flows = 0;

	if (!(p->days & shown) || p->verdict == WH_PEER_OUTSIDE_POLICY)
		return;
	uint64_t of_window = (uint64_t)((unsigned __int128)p->edge->flows * days / (known > days ? known : days));
	of_window = of_window > days ? of_window : days;
	uint64_t extra = of_window % days;
	for (uint64_t left = p->days; left; left &= left - 1) { /* from the latest day on */
		unsigned bit = (unsigned)__builtin_ctzll(left);
		uint64_t share = of_window / days + (extra > 0);
		extra -= extra > 0;
		if (!(shown >> bit & 1))
			continue;
		*counter(&out->days[out->n_days - 1 - bit], belongs, passes) += share;
		flows += share;
	}
	*counter(&r->flows, belongs, passes) += flows;
	*counter(&r->peers, belongs, passes) += 1;
	if (belongs && !passes)
		note_lost(r, p, flows);
}

/* Judges each peer of the log by the ledger; a peer that is not in the ledger, by its traffic in the log. */
static void judge_by(const struct wh_analysis *ledger, const struct wh_resource_traffic *known, const struct wh_present *present,
                     struct wh_port_traffic *log)
{
	const struct wh_port_traffic *found = wh_traffic_find(known, log->direction, log->proto, log->port);
	struct wh_port_traffic port;

	if (!found)
		return;
	port = *found;
	wh_analysis_weigh(ledger, present, &port);
	for (size_t i = 0, k = 0; i < log->n && k < port.n;) { /* both are in order */
		int c = wh_addr_cmp(&log->peers[i].addr, &port.peers[k].addr);
		if (c == 0)
			log->peers[i].verdict = port.peers[k].verdict;
		i += c <= 0;
		k += c >= 0;
	}
}

/* A resource of which rules are replayed. */
struct replayed {
	struct wh_analysis *a, *ledger; /* of the replayed traffic; of the traffic that peers are judged by, NULL: the same */
	struct wh_resource_traffic traffic, known; /* as these two have it */
	const struct wh_resource_result *res;
	uint64_t shown;
	struct wh_arena *scratch;
};

/* The i-th rule, together with all later ones of its port. */
static int replay_rule(const struct replayed *p, size_t i, struct wh_replay *out, struct wh_error *err)
{
	const struct wh_recommended_rule *rule = &p->res->rules[i];
	const struct wh_port_traffic *found = wh_traffic_find(&p->traffic, rule->direction, rule->proto, rule->port);
	struct wh_replay_rule *r = &out->rules[out->n_rules++];
	struct wh_present present;
	int rc;

	r->resource = p->res->resource;
	r->rule = rule;
	if (!found)
		return 0;
	if ((rc = wh_present(p->a->estate, p->res->resource, rule->direction, rule->proto, rule->port, p->scratch, &present,
	                     err)))
		return rc;
	struct wh_port_traffic traffic = *found;
	struct wh_ranges allowed = allowed_by(p->res, i, p->scratch);
	wh_analysis_weigh(p->a, &present, &traffic);
	if (p->ledger)
		judge_by(p->ledger, &p->known, &present, &traffic);
	for (size_t k = 0; k < traffic.n; k++)
		replay_peer(out, r, &traffic.peers[k], wh_ranges_has(allowed, &traffic.peers[k].addr), p->shown);
	add_counts(&out->flows, &r->flows);
	add_counts(&out->peers, &r->peers);
	return 0;
}

static int replay_resource(struct wh_analysis *a, struct wh_analysis *ledger, const struct wh_resource_result *res,
                           uint64_t shown, struct wh_replay *out, struct wh_error *err)
{
	struct replayed p = {.a = a, .ledger = ledger, .res = res, .shown = shown, .scratch = wh_arena_new()};
	int rc = p.scratch ? wh_analysis_traffic(a, res->resource, p.scratch, &p.traffic, err)
	                   : wh_fail(err, -ENOMEM, "out of memory");

	if (!rc && ledger)
		rc = wh_analysis_traffic(ledger, res->resource, p.scratch, &p.known, err);
	for (size_t i = 0; i < res->n_rules && !rc; i++) {
		bool first = true;
		for (size_t k = 0; k < i && first; k++)
			first = !same_region(&res->rules[k], &res->rules[i]);
		if (first)
			rc = replay_rule(&p, i, out, err);
	}
	wh_arena_free(p.scratch);
	return rc;
}

/* ---- all ---- */

/* Opens the replayed store and, if that is a log, the ledger that judges. */
static int open_both(const struct wh_harden_ask *ask, struct wh_store *log, struct wh_analysis *a, struct wh_analysis *ledger,
                     struct wh_error *err)
{
	int rc = wh_estate_require_all(ask->estate, ask->names, ask->n_names, err);
	rc = rc ? rc : wh_analysis_open(a, log ? log : ask->store, ask->estate, ask->opt, err);
	if (!rc && log && (rc = wh_analysis_open(ledger, ask->store, ask->estate, ask->opt, err)))
		wh_analysis_close(a);
	return rc;
}

/* The days of `log`, or where there is none, those of the ledger itself, the last of them (last_days; 0: all). */
static int replay_store(const struct wh_harden_ask *ask, struct wh_store *log, const struct wh_recommendation *rec,
                        unsigned last_days, struct wh_arena *mem, struct wh_replay **out, struct wh_error *err)
{
	const struct wh_harden_options *opt = ask->opt;
	struct wh_replay *r = wh_arena_alloc(mem, sizeof *r);
	struct wh_analysis a, ledger = {0};
	size_t n_rules = 0;
	int rc;

	*out = NULL;
	if ((rc = open_both(ask, log, &a, &ledger, err)))
		return rc;
	r->is_log = log != NULL;
	r->n_days = last_days && last_days < a.window.days ? last_days : a.window.days;
	r->first_day = a.window.last - (int32_t)r->n_days + 1;
	r->days = wh_arena_array(mem, r->n_days, sizeof *r->days);
	for (size_t i = 0; i < rec->n_resources; i++)
		n_rules += rec->resources[i].n_rules;
	r->rules = wh_arena_array(mem, n_rules + 1, sizeof *r->rules);
	uint64_t shown = r->n_days >= 64 ? UINT64_MAX : (UINT64_C(1) << r->n_days) - 1;
	for (size_t i = 0; i < rec->n_resources && !rc; i++) {
		if (rec->resources[i].n_rules &&
		    wh_estate_is_named(ask->estate, rec->resources[i].resource, ask->names, ask->n_names))
			rc = replay_resource(&a, log ? &ledger : NULL, &rec->resources[i], shown, r, err);
		if (!rc && opt->progress)
			rc = opt->progress(opt->progress_arg, i + 1, rec->n_resources);
	}
	wh_analysis_close(&a);
	wh_analysis_close(&ledger);
	r->upper = wh_upper_bound(r->flows.lost, r->flows.kept + r->flows.lost);
	if (!rc)
		*out = r;
	return rc;
}

int wh_replay(const struct wh_harden_ask *ask, const struct wh_recommendation *rec, unsigned last_days, struct wh_arena *mem,
              struct wh_replay **out, struct wh_error *err)
{
	return replay_store(ask, NULL, rec, last_days, mem, out, err);
}

int wh_replay_log(const struct wh_harden_ask *ask, struct wh_store *log, const struct wh_recommendation *rec,
                  struct wh_arena *mem, struct wh_replay **out, struct wh_error *err)
{
	return replay_store(ask, log, rec, 0, mem, out, err);
}

int wh_replay_holdout(const struct wh_harden_ask *ask, unsigned days, struct wh_arena *mem, struct wh_replay **out,
                      struct wh_error *err)
{
	const struct wh_harden_options *opt = ask->opt;
	struct wh_harden_options before = *opt, whole = *opt;
	struct wh_harden_ask then = *ask, now = *ask;
	unsigned min = opt->min_days ? opt->min_days : 30;
	struct wh_recommendation *rec;
	int32_t last = INT32_MIN;
	int rc = 0;

	*out = NULL;
	if (!days || days >= min)
		return wh_fail_input(err, -EINVAL, "a holdout is from 1 to %u days: fewer than a resource must have been watched",
		                     min - 1);
	if (opt->today)
		last = opt->today;
	else if ((rc = wh_last_day(ask->store, &last, err)))
		return rc;
	if (last == INT32_MIN)
		return wh_fail_input(err, -ENODATA, "the ledger is empty: there is nothing to replay");
	before.today = last - (int32_t)days;
	before.min_days = min - days;
	before.no_holdout = true; /* this is one */
	whole.today = last;
	then.opt = &before;
	now.opt = &whole;
	if ((rc = wh_recommend(&then, mem, &rec, err)) || (rc = wh_replay(&now, rec, days, mem, out, err)))
		return rc;
	(*out)->holdout_days = days;
	return 0;
}

/* ---- as JSON ---- */

static json_t *counts_json(const struct wh_replay_counts *c)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "kept", (json_int_t)c->kept, "lost", (json_int_t)c->lost, "stopped",
	                 (json_int_t)c->stopped, "admitted", (json_int_t)c->admitted);
}

static json_t *rule_json(const struct wh_replay_rule *r)
{
	char proto[8], addr[WH_ADDR_STRLEN], at[WH_TIME_STRLEN];
	json_t *worst = json_array();
	for (unsigned i = 0; i < r->n_worst; i++)
		json_array_append_new(worst,
		                      json_pack("{s:s, s:I, s:s}", "peer", wh_addr_text(&r->worst[i].addr, addr), "flows",
		                                (json_int_t)r->worst[i].flows, "last", wh_time_text(r->worst[i].last_us, at)));
	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:o, s:o, s:o}", "resource", r->resource->name, "rule", r->rule->name,
	                 "direction", wh_direction_text(r->rule->direction), "destinationPort", (int)r->rule->port, "protocol",
	                 wh_proto_text(r->rule->proto, proto), "flows", counts_json(&r->flows), "peers", counts_json(&r->peers),
	                 "lostPeers", worst);
}

char *wh_replay_json(const struct wh_replay *r)
{
	json_t *days = json_array(), *rules = json_array();
	char at[WH_TIME_STRLEN];

	for (unsigned i = 0; i < r->n_days; i++) {
		json_t *day = counts_json(&r->days[i]);
		wh_time_text((r->first_day + (int64_t)i) * WH_US_PER_DAY, at);
		json_object_set_new(day, "day", json_stringn(at, 10));
		json_array_append_new(days, day);
	}
	for (size_t i = 0; i < r->n_rules; i++)
		json_array_append_new(rules, rule_json(&r->rules[i]));
	json_t *doc = json_pack("{s:i, s:i, s:{s:I, s:I, s:f, s:I, s:I}, s:o, s:o, s:o, s:o}", "version", 1, "holdoutDays",
	                        (int)r->holdout_days, "breakage", "flows", (json_int_t)r->flows.lost, "of",
	                        (json_int_t)(r->flows.kept + r->flows.lost), "upper95", r->upper, "peers",
	                        (json_int_t)r->peers.lost, "ofPeers", (json_int_t)(r->peers.kept + r->peers.lost), "flows",
	                        counts_json(&r->flows), "peers", counts_json(&r->peers), "days", days, "rules", rules);
	char *text = doc ? json_dumps(doc, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6)) : NULL;
	json_decref(doc);
	return text;
}
