/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recommendation: for every resource that was watched for long enough, a narrowed rule for each port that the rules in force
 * open wider than its peers need. What can't be told is said: too few days, a sensor that was silent, rules whose reach is
 * unknown. Every resource's rules are proved to lie within the rules in force before any is returned.
 */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "harden/advice.h"
#include "harden/parallel.h"

#define NSG_PREFIXES 4000
#define NARROW_RANGE 64 /* a rule that opens at most so many ports names them: each is looked at though nothing reached it */

const char *wh_status_text(enum wh_status s)
{
	static const char *const text[] = {"unscanned", "healthy", "unhealthy"};
	return text[s];
}

struct ports {
	struct { enum wh_direction direction; uint8_t proto; uint16_t port; } *p;
	size_t n, cap;
};

static void add_port(struct ports *out, struct wh_arena *mem, enum wh_direction d, uint8_t proto, unsigned port)
{
	for (size_t i = out->n; i > 0 && out->p[i - 1].proto == proto && out->p[i - 1].direction == d; i--)
		if (out->p[i - 1].port == port)
			return;
	if (out->n == out->cap) {
		size_t cap = out->cap ? out->cap * 2 : 64;
		void *more = wh_arena_array(mem, cap, sizeof *out->p);
		if (out->n)
			memcpy(more, out->p, out->n * sizeof *out->p);
		out->p = more;
		out->cap = cap;
	}
	out->p[out->n].direction = d;
	out->p[out->n].proto = proto;
	out->p[out->n++].port = (uint16_t)port;
}

static int by_port(const void *a, const void *b)
{
	const typeof(*((struct ports *)0)->p) *x = a, *y = b;
	int c = (int)x->direction - (int)y->direction;
	if (!c)
		c = x->port - y->port;
	return c ? c : x->proto - y->proto;
}

static bool listed(const struct wh_harden_options *opt, enum wh_direction d, uint8_t proto, uint16_t port)
{
	const struct wh_port_list *list = d == WH_INBOUND ? opt->ports : opt->ports_outbound;
	return !list || wh_port_list_has(list, proto, port);
}

/* Which ports of one direction to look at. Guarded by NSGs: those that a rule of a person opens; of a wide range only the listed ones and
 * those that traffic reached. Not guarded: those that traffic reached, for all are open. */
static int candidate_ports(const struct wh_analysis *a, const struct wh_resource *r, const struct wh_resource_traffic *t, enum wh_direction d,
                           struct wh_arena *mem, struct ports *out, struct wh_error *err)
{
	static const uint8_t protos[] = {WH_PROTO_TCP, WH_PROTO_UDP};
	const struct wh_port_list *list = d == WH_INBOUND ? a->opt->ports : a->opt->ports_outbound;

	for (int k = 0; k < 2; k++) {
		struct wh_port_range *open;
		size_t n;
		int rc = wh_policy_ports(r->nsgs, r->n_nsgs, d, protos[k], mem, &open, &n, err);
		if (rc)
			return rc;
		for (size_t i = 0; i < n; i++) {
			bool named = r->n_nsgs && ((list && !list->all) || open[i].to - open[i].from < NARROW_RANGE);
			for (unsigned port = open[i].from; named && port <= open[i].to; port++)
				if (listed(a->opt, d, protos[k], (uint16_t)port))
					add_port(out, mem, d, protos[k], port);
			for (size_t j = 0; j < t->n; j++)
				if (t->ports[j].direction == d && t->ports[j].proto == protos[k] && t->ports[j].port >= open[i].from &&
				    t->ports[j].port <= open[i].to && listed(a->opt, d, protos[k], t->ports[j].port))
					add_port(out, mem, d, protos[k], t->ports[j].port);
		}
	}
	if (out->n)
		qsort(out->p, out->n, sizeof *out->p, by_port);
	return 0;
}

/* Why nothing can be said of a resource; NULL when something can. */
static const char *why_unscanned(const struct wh_analysis *a, const struct wh_resource_traffic *t, struct wh_arena *mem)
{
	unsigned min = a->opt->min_days ? a->opt->min_days : 30, silent = a->window.days - a->window.sensor_days;
	int32_t span = t->last_day - t->first_day + 1;

	if (t->first_day > t->last_day)
		return "no traffic was seen";
	if (span < (int32_t)min)
		return wh_arena_printf(mem, "not enough data: %d of %u days", span, min);
	if (silent * 3 > a->window.days)
		return wh_arena_printf(mem, "the sensor was silent on %u of %u days", silent, a->window.days);
	return NULL;
}

static void join_reason(struct wh_resource_result *res, struct wh_arena *mem, const char *text)
{
	res->reason = res->reason ? wh_arena_printf(mem, "%s; %s", res->reason, text) : text;
}

static struct wh_prefix *kept(const struct wh_prefix *p, size_t n, struct wh_arena *mem)
{
	struct wh_prefix *copy = wh_arena_unset(mem, n + 1, sizeof *copy);
	if (n)
		memcpy(copy, p, n * sizeof *copy);
	return copy;
}

static const char *kept_text(const char *s, struct wh_arena *mem)
{
	return s ? wh_arena_strdup(mem, s) : NULL;
}

/* What a thread works in. Peers by the million do not outlive their resource, nor tries, which may be a hundred times their rule. */
struct desk {
	struct wh_arena *kept;     /* what its resources leave behind */
	struct wh_arena *resource; /* emptied before each resource */
	struct wh_arena *port;     /* emptied before each port */
};

/* Derives one port's rule in memory of its own, and keeps the rule in desk->kept.
 * Returns as wh_derive_rule(); 1 also where the port is no candidate after all. */
static int derive_one(const struct wh_analysis *a, const struct wh_resource_traffic *t, enum wh_direction d, uint8_t proto, uint16_t port,
                      double line_price, struct desk *desk, struct wh_resource_result *res, struct wh_recommended_rule *rule, struct wh_error *err)
{
	struct wh_arena *mem = desk->kept, *scratch = desk->port;
	struct wh_port_traffic traffic = {.direction = d, .proto = proto, .port = port};
	const struct wh_port_traffic *found = wh_traffic_find(t, d, proto, port);
	struct wh_present present;
	const char *why_not;
	char text[8];
	int rc;

	if (found)
		traffic = *found;
	wh_arena_reset(scratch);
	if ((rc = wh_present(a->estate, res->resource, d, proto, port, scratch, &present, err)))
		return rc;
	if (!present.explicit_allow || !present.allowed.n)
		return 1;
	if (present.unknown || present.differs) {
		join_reason(res, mem, wh_arena_printf(mem, "port %u/%s is left alone: %s", port, wh_proto_text(proto, text),
		                                      present.unknown ? "a rule in force names members that are not known"
		                                                      : "the rules in force treat the resource's addresses differently"));
		return 1;
	}
	wh_analysis_weigh(a, &present, &traffic);
	if ((rc = wh_derive_rule(a, res->resource, t, &traffic, &present, line_price, scratch, rule, err)) ||
	    (rc = wh_judge_rule(a, &traffic, &present, line_price, scratch, rule, &why_not, err)))
		return rc;
	if (why_not) {
		join_reason(res, mem, wh_arena_printf(mem, "port %u/%s is not narrowed: %s", port, wh_proto_text(proto, text), why_not));
		return 1;
	}
	rule->prefixes = kept(rule->prefixes, rule->n_prefixes, mem);
	rule->except = kept(rule->except, rule->n_except, mem);
	rule->name = kept_text(rule->name, mem);
	rule->note = kept_text(rule->note, mem);
	rule->narrows = kept_text(rule->narrows, mem);
	return 0;
}

/* One pass over a resource's ports. *lines gets the sum of what the rules need. */
static int derive_all(const struct wh_analysis *a, const struct wh_resource_traffic *t, const struct ports *ports, double line_price,
                      struct desk *desk, struct wh_resource_result *res, size_t *lines, struct wh_error *err)
{
	struct wh_arena *mem = desk->kept;
	unsigned min = a->opt->min_days ? a->opt->min_days : 30;

	res->rules = wh_arena_array(mem, ports->n + 1, sizeof *res->rules);
	res->n_rules = 0;
	res->reason = NULL;
	*lines = 0;
	for (size_t i = 0; i < ports->n; i++) {
		struct wh_recommended_rule *rule = &res->rules[res->n_rules];
		char proto[8];
		int rc = derive_one(a, t, ports->p[i].direction, ports->p[i].proto, ports->p[i].port, line_price, desk, res, rule, err);
		if (rc < 0)
			return rc;
		if (rc == 1)
			continue; /* as narrow already, or left alone */
		if (rule->system_generated && wh_bits(t->days) * 2 < min) {
			join_reason(res, mem, wh_arena_printf(mem, "port %u/%s is not closed: the resource was seen on %d days only", rule->port,
			                                      wh_proto_text(rule->proto, proto), wh_bits(t->days)));
			continue;
		}
		*lines += rule->n_prefixes + rule->n_except;
		res->n_rules++;
	}
	return 0;
}

/* A resource's budget: lines grow dearer until all its rules fit together, and then as much cheaper as they still fit. `price` is what a line
 * costs at the least: more than 1 where its group has no room. */
static int derive_within(const struct wh_analysis *a, const struct wh_resource_traffic *t, const struct ports *ports, size_t budget, double price,
                         struct desk *desk, struct wh_resource_result *res, struct wh_error *err)
{
	double lo = 0, hi = price;
	size_t lines;
	int rc;

	while (!(rc = derive_all(a, t, ports, hi, desk, res, &lines, err)) && lines > budget && hi < ldexp(1, 60)) {
		lo = hi;
		hi *= 4;
	}
	if (!rc && lines > budget) {
		if ((rc = derive_all(a, t, ports, price, desk, res, &lines, err)) == 0)
			join_reason(res, desk->kept, wh_arena_printf(desk->kept, "even the fewest lines that let every peer in are more than %zu", budget));
		return rc;
	}
	for (int i = 0; i < 10 && !rc && lo > 0; i++) { /* geometrically: prices are ratios */
		double mid = sqrt(lo * hi);
		if ((rc = derive_all(a, t, ports, mid, desk, res, &lines, err)))
			break;
		if (lines > budget)
			lo = mid;
		else
			hi = mid;
	}
	return rc || lo == 0 ? rc : derive_all(a, t, ports, hi, desk, res, &lines, err);
}

static int recommend_one(struct wh_analysis *a, struct wh_resource_result *res, double price, struct desk *desk, struct wh_error *err)
{
	struct wh_arena *mem = desk->kept, *scratch = desk->resource;
	size_t budget = a->opt->max_lines ? a->opt->max_lines : SIZE_MAX;
	struct wh_resource_traffic t;
	struct ports ports = {0};
	struct wh_counterexample ce;
	char peer[WH_ADDR_STRLEN];
	int rc;

	wh_arena_reset(scratch);
	if ((rc = wh_analysis_traffic(a, res->resource, scratch, &t, err)))
		return rc;
	res->first_day = t.first_day;
	res->last_day = t.last_day;
	res->days_with_data = wh_bits(t.days);
	if ((res->reason = why_unscanned(a, &t, mem)))
		return 0;
	if ((a->opt->directions != WH_DIRECTIONS_OUTBOUND && (rc = candidate_ports(a, res->resource, &t, WH_INBOUND, scratch, &ports, err))) ||
	    (a->opt->directions != WH_DIRECTIONS_INBOUND && (rc = candidate_ports(a, res->resource, &t, WH_OUTBOUND, scratch, &ports, err))))
		return rc;
	size_t nsg = a->opt->max_prefixes_nsg ? a->opt->max_prefixes_nsg : NSG_PREFIXES;
	if (res->resource->n_nsgs && nsg < budget)
		budget = nsg;
	if ((rc = derive_within(a, &t, &ports, budget, price, desk, res, err)))
		return rc;
	res->status = res->n_rules ? WH_UNHEALTHY : WH_HEALTHY;
	if (!res->n_rules && !res->reason)
		res->reason = ports.n ? "the rules in force are as narrow as the traffic" : "no port that is looked at is open";
	wh_arena_reset(desk->port);
	rc = wh_prove(a->estate, res->resource, res->rules, res->n_rules, desk->port, &ce, err);
	if (rc == 1)
		rc = wh_fail(err, -EPROTO, "%s: the proposal for port %u would let in %s, which the rules in force do not: nothing is offered",
		             res->resource->name, ce.port, wh_addr_text(&ce.peer, peer));
	return rc;
}

static int check_names(const struct wh_estate *e, const char *const *names, size_t n, struct wh_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (!wh_estate_find(e, names[i]))
			return wh_fail_input(err, -ENOENT, "there is no resource '%.100s'", names[i]);
	return 0;
}

static bool wanted(const struct wh_estate *e, const struct wh_resource *r, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (wh_estate_find(e, names[i]) == r)
			return true;
	return n == 0;
}

/* A whole day without a flow of anybody is no silence of peers but of the sensor. */
static void find_outages(const struct wh_window *w, struct wh_arena *mem, struct wh_recommendation *rec)
{
	rec->silent = wh_arena_array(mem, 33, sizeof *rec->silent);
	for (unsigned i = w->days; i-- > 0;) {
		int32_t day = w->last - (int32_t)i;
		if (w->sensor >> i & 1)
			continue;
		if (rec->n_silent && rec->silent[rec->n_silent - 1].last == day - 1)
			rec->silent[rec->n_silent - 1].last = day;
		else
			rec->silent[rec->n_silent++] = (struct wh_silence){day, day};
	}
}

struct recommending {
	const struct wh_analysis *a;
	struct wh_recommendation *rec;
	struct desk desk[WH_MOST_THREADS];     /* of each thread */
	pthread_mutex_t lock;                  /* of `done` and of the caller's progress */
	size_t done;
	double *price;                         /* of a line, for each resource */
	const size_t *which;                   /* the resources to derive */
	bool again;                            /* at another price: the caller has been told of them */
};

static int recommend_job(void *arg, struct wh_store *s, unsigned thread, size_t i, struct wh_error *err)
{
	struct recommending *r = arg;
	struct wh_analysis mine = *r->a; /* but for the connection it is only read */
	mine.store = s;
	struct desk *desk = &r->desk[thread];
	if (!desk->kept)
		*desk = (struct desk){wh_arena_new(), wh_arena_new(), wh_arena_new()};
	size_t at = r->which[i];
	int rc = recommend_one(&mine, &r->rec->resources[at], r->price[at], desk, err);
	if (rc || r->again || !mine.opt->progress)
		return rc;
	pthread_mutex_lock(&r->lock);
	rc = mine.opt->progress(mine.opt->progress_arg, ++r->done, r->rec->n_resources);
	pthread_mutex_unlock(&r->lock);
	return rc;
}

/* ---- the budget of a group ---- */

static bool guarded_by(const struct wh_resource *r, const struct wh_nsg *nsg)
{
	for (size_t i = 0; i < r->n_nsgs; i++)
		if (r->nsgs[i] == nsg)
			return true;
	return false;
}

/* The address prefixes of a group's own rules, as Azure counts them. */
static size_t own_prefixes(const struct wh_nsg *nsg)
{
	size_t n = 0;
	for (size_t i = 0; i < nsg->n_rules; i++)
		if (!nsg->rules[i].is_default && nsg->rules[i].origin != WH_ORIGIN_WHITTLE)
			n += nsg->rules[i].n_peers + nsg->rules[i].n_locals;
	return n;
}

/* What the resource's rules add to it: each is an allow, a deny, and maybe a deny of carve-outs, all of which name its addresses. */
static size_t added_prefixes(const struct wh_resource_result *res)
{
	size_t n = 0;
	for (size_t i = 0; i < res->n_rules; i++) {
		const struct wh_recommended_rule *r = &res->rules[i];
		n += r->n_prefixes + r->n_except + (1u + (r->n_prefixes > 0) + (r->n_except > 0)) * res->resource->n_addrs;
	}
	return n;
}

/* At one price for all: the prefixes of the resources `which` together. */
static int derive_at(struct recommending *r, size_t n, double price, size_t *sum, struct wh_error *err)
{
	for (size_t i = 0; i < n; i++)
		r->price[r->which[i]] = price;
	int rc = wh_crew_run(r->a->crew, n, recommend_job, r, err);
	*sum = 0;
	for (size_t i = 0; i < n && !rc; i++)
		*sum += added_prefixes(&r->rec->resources[r->which[i]]);
	return rc;
}

/* Several resources may share a group: where their rules do not fit into it together, lines grow dearer for all of them alike, by bisection. */
static int fit_group(struct recommending *r, const struct wh_nsg *nsg, struct wh_arena *mem, struct wh_error *err)
{
	size_t most = r->a->opt->max_prefixes_nsg ? r->a->opt->max_prefixes_nsg : NSG_PREFIXES, own = own_prefixes(nsg), n = 0, sum = 0;
	size_t *which = wh_arena_array(mem, r->rec->n_resources + 1, sizeof *which), *had = wh_arena_array(mem, r->rec->n_resources + 1, sizeof *had);
	double least = 1, lo, hi;
	int rc;

	for (size_t i = 0; i < r->rec->n_resources; i++)
		if (r->rec->resources[i].n_rules && guarded_by(r->rec->resources[i].resource, nsg)) {
			had[n] = r->rec->resources[i].n_rules;
			which[n++] = i;
			sum += added_prefixes(&r->rec->resources[i]);
			least = r->price[i] > least ? r->price[i] : least;
		}
	if (own + sum <= most || !n)
		return 0;
	r->which = which;
	r->again = true;
	lo = least;
	hi = least * 4;
	while (!(rc = derive_at(r, n, hi, &sum, err)) && own + sum > most && hi < ldexp(1, 60)) {
		lo = hi;
		hi *= 4;
	}
	if (!rc && own + sum > most) {
		size_t fewest = own + sum;
		rc = derive_at(r, n, least, &sum, err);
		for (size_t i = 0; i < n && !rc; i++)
			join_reason(&r->rec->resources[which[i]], mem, wh_arena_printf(mem, "%s: even the fewest lines that let every peer in make %zu prefixes, and the "
			                                                               "group holds %zu: split it", nsg->name, fewest, most));
		return rc;
	}
	for (int i = 0; i < 8 && !rc; i++) {
		double mid = sqrt(lo * hi);
		if ((rc = derive_at(r, n, mid, &sum, err)))
			break;
		if (own + sum > most)
			lo = mid;
		else
			hi = mid;
	}
	if (!rc)
		rc = derive_at(r, n, hi, &sum, err);
	for (size_t i = 0; i < n && !rc; i++) { /* dear lines end as the rule in force, which is no narrowing */
		struct wh_resource_result *res = &r->rec->resources[which[i]];
		if (res->n_rules == had[i])
			continue;
		res->status = WH_UNHEALTHY;
		join_reason(res, mem, wh_arena_printf(mem, "%s has no room for narrower rules: it holds %zu prefixes; split it", nsg->name, most));
	}
	return rc;
}

struct sized { size_t at, edges; };

static int largest_first(const void *x, const void *y)
{
	const struct sized *a = x, *b = y;
	return a->edges != b->edges ? a->edges < b->edges ? 1 : -1 : a->at < b->at ? -1 : 1;
}

/* The largest resources are begun first, so that no thread is left with one of them when the others are done. */
static const size_t *in_order(const struct wh_analysis *a, const struct wh_recommendation *rec, struct wh_arena *mem)
{
	struct sized *s = wh_arena_array(mem, rec->n_resources + 1, sizeof *s);
	size_t *which = wh_arena_array(mem, rec->n_resources + 1, sizeof *which);
	for (size_t i = 0; i < rec->n_resources; i++)
		s[i] = (struct sized){i, wh_analysis_edges(a, rec->resources[i].resource)};
	qsort(s, rec->n_resources, sizeof *s, largest_first);
	for (size_t i = 0; i < rec->n_resources; i++)
		which[i] = s[i].at;
	return which;
}

static int recommend_all(const struct wh_analysis *a, struct wh_recommendation *rec, struct wh_arena *mem, struct wh_error *err)
{
	struct recommending r = {.a = a, .rec = rec, .which = in_order(a, rec, mem), .lock = PTHREAD_MUTEX_INITIALIZER};
	r.price = wh_arena_array(mem, rec->n_resources + 1, sizeof *r.price);
	for (size_t i = 0; i < rec->n_resources; i++)
		r.price[i] = 1;
	int rc = wh_crew_run(a->crew, rec->n_resources, recommend_job, &r, err);
	for (size_t i = 0; i < a->estate->n_nsgs && !rc; i++)
		rc = fit_group(&r, &a->estate->nsgs[i], mem, err);
	for (unsigned i = 0; i < WH_MOST_THREADS; i++)
		if (r.desk[i].kept) {
			wh_arena_adopt(mem, r.desk[i].kept);
			wh_arena_free(r.desk[i].resource);
			wh_arena_free(r.desk[i].port);
		}
	pthread_mutex_destroy(&r.lock);
	return rc;
}

int wh_recommend(struct wh_store *s, const struct wh_estate *estate, const char *const *names, size_t n,
                 const struct wh_harden_options *opt, struct wh_arena *mem, struct wh_recommendation **out, struct wh_error *err)
{
	struct wh_recommendation *rec = wh_arena_alloc(mem, sizeof *rec);
	struct wh_analysis a;
	int rc = check_names(estate, names, n, err);

	*out = NULL;
	if (!rc && opt->progress)
		rc = opt->progress(opt->progress_arg, 0, estate->n_resources);
	if (rc || (rc = wh_analysis_open(&a, s, estate, opt, err)))
		return rc;
	rec->to_us = rec->calculated_us = ((int64_t)a.window.last + 1) * WH_US_PER_DAY;
	rec->days = a.window.days;
	rec->directions = opt->directions;
	find_outages(&a.window, mem, rec);
	rec->from_us = rec->to_us - (int64_t)rec->days * WH_US_PER_DAY;
	rec->resources = wh_arena_array(mem, estate->n_resources + 1, sizeof *rec->resources);
	for (size_t i = 0; i < estate->n_resources; i++)
		if (wanted(estate, &estate->resources[i], names, n))
			rec->resources[rec->n_resources++].resource = &estate->resources[i];
	rc = recommend_all(&a, rec, mem, err);
	wh_analysis_close(&a);
	if (!rc)
		*out = rec;
	return rc;
}
