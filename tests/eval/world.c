/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stage: addresses, sources and their truth, and the records that a sensor would have written. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "worlds.h"

#define DAY_SECONDS 86400

/* ---- the internet ---- */

uint32_t random_public(struct rng *r)
{
	for (;;) {
		uint32_t a = (uint32_t)rng_u64(r);
		unsigned top = a >> 24;
		bool reserved = top == 0 || top == 10 || top == 127 || top >= 224 || (a & 0xffc00000u) == 0x64400000u ||
		                (a & 0xfff00000u) == 0xac100000u || (a & 0xffff0000u) == 0xc0a80000u ||
		                (a & 0xffff0000u) == 0xa9fe0000u;
		if (!reserved)
			return a;
	}
}

void internet_make(struct internet *net, struct rng *r)
{
	for (unsigned i = 0; i < N_ISPS; i++) {
		struct isp *isp = &net->isps[i];
		isp->n = (unsigned)rng_range(r, 3, 5);
		for (unsigned j = 0; j < isp->n; j++) {
			isp->bits[j] = (unsigned)rng_range(r, 14, 17); /* host bits: /18 to /15 */
			isp->base[j] = random_public(r) & ~((1u << isp->bits[j]) - 1);
		}
	}
}

struct wh_addr isp_address(const struct isp *isp, struct rng *r)
{
	unsigned j = rng_below(r, isp->n);
	return wh_addr_v4(isp->base[j] | rng_below(r, 1u << isp->bits[j]));
}

struct wh_addr address_in(const struct wh_prefix *p, struct rng *r)
{
	struct wh_addr a = p->addr;
	for (unsigned bit = p->len; bit < 128; bit++)
		if (rng_u64(r) >> 63)
			a.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return a;
}

/* ---- sources ---- */

static uint64_t hash_source(unsigned service, const struct wh_addr *a)
{
	uint64_t x, y;
	memcpy(&x, a->b, 8);
	memcpy(&y, a->b + 8, 8);
	x = (x ^ (uint64_t)service * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
	x ^= x >> 29;
	x = (x ^ y) * 0x94d049bb133111ebu;
	return x ^ x >> 32;
}

static void grow(struct world *w)
{
	struct source *old = w->sources;
	size_t old_cap = w->cap;

	w->cap = old_cap ? old_cap * 2 : 1 << 15;
	w->sources = calloc(w->cap, sizeof *w->sources);
	if (!w->sources)
		abort();
	w->n_sources = 0;
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].used)
			*world_source(w, old[i].service, &old[i].addr) = old[i];
	free(old);
}

struct source *world_source(struct world *w, unsigned service, const struct wh_addr *a)
{
	if (!w->cap)
		grow(w);
	for (size_t i = hash_source(service, a) & (w->cap - 1);; i = (i + 1) & (w->cap - 1)) {
		struct source *s = &w->sources[i];
		if (s->used && s->service == service && wh_addr_eq(&s->addr, a))
			return s;
		if (!s->used && w->n_sources * 2 >= w->cap) {
			grow(w);
			return world_source(w, service, a);
		}
		if (!s->used) {
			*s = (struct source){.addr = *a, .service = (uint16_t)service, .used = true};
			w->n_sources++;
			return s;
		}
	}
}

/* ---- records ---- */

static enum hearing hears(const struct world *w, unsigned service, int day)
{
	return w->kind->hears ? w->kind->hears(w, service, day) : HEARS_BOTH;
}

bool world_missed_some(const struct world *w, unsigned service)
{
	for (int day = 0; day < EVAL_TRAIN_DAYS; day++)
		if (hears(w, service, day) != HEARS_BOTH)
			return true;
	return false;
}

/* A sensor that gets only the packets of one direction takes their sender for the client. */
static void hear_one_side(struct wh_record *rec, bool of_host)
{
	struct wh_flow all = rec->flow, *f = &rec->flow;
	f->state = WH_STATE_NEW;
	f->app_proto[0] = 0;
	f->app_proto_known = false;
	f->pkts_toclient = f->bytes_toclient = f->tcp_flags_toclient = 0;
	if (!of_host)
		return;
	f->src = all.dst, f->dst = all.src;
	f->src_port = all.dst_port, f->dst_port = all.src_port;
	f->pkts_toserver = all.pkts_toclient;
	f->bytes_toserver = all.bytes_toclient;
	f->tcp_flags_toserver = all.tcp_flags_toclient;
}

static void give(struct world *w, enum hearing h, struct wh_record *rec)
{
	if (h != HEARS_BOTH)
		hear_one_side(rec, h == HEARS_HOST);
	if (!rec->flow.pkts_toserver || w->failed)
		return;
	w->records++;
	w->failed = w->sink(w->sink_arg, rec);
}

static int64_t moment(int day, struct rng *r)
{
	/* mostly office hours, never so late that a conversation of ours would end on the next day's far side */
	double hour = rng_chance(r, 0.75) ? 8 + 10 * rng_unit(r) : 23 * rng_unit(r);
	return (int64_t)(EVAL_FIRST_DAY + day) * WH_US_PER_DAY + (int64_t)(hour * 3600e6) + rng_range(r, 0, 999999);
}

static void base_record(const struct world *w, unsigned service, int day, const struct wh_addr *peer, struct rng *r,
                        struct wh_record *rec)
{
	const struct service *s = &w->services[service];
	*rec = (struct wh_record){.kind = WH_RECORD_FLOW, .event_type = "flow"};
	rec->flow.src = *peer;
	rec->flow.dst = s->local;
	rec->flow.src_port = (uint16_t)rng_range(r, 1025, 65000);
	rec->flow.dst_port = s->kind->port;
	rec->flow.proto = s->proto;
	rec->flow.has_tcp_flags = s->proto == WH_PROTO_TCP;
	rec->flow.start_us = rec->flow.end_us = rec->time_us = moment(day, r);
}

/* Bytes of both ways and seconds, by what the session is. Medians and spreads as one meets them in flow logs. */
static void size_of(enum shape shape, struct rng *r, double *to_server, double *to_client, double *seconds)
{
	switch (shape) {
	case INTERACTIVE:
		*to_server = rng_lognormal(r, 9000, 1.2), *to_client = rng_lognormal(r, 30000, 1.4),
		*seconds = rng_lognormal(r, 240, 1.5);
		break;
	case BATCH:
		*to_server = rng_lognormal(r, 4e6, 1.8), *to_client = rng_lognormal(r, 60000, 1.0),
		*seconds = rng_lognormal(r, 40, 1.2);
		break;
	case APPLICATION:
		*to_server = rng_lognormal(r, 4000, 1.2), *to_client = rng_lognormal(r, 12000, 1.5),
		*seconds = rng_lognormal(r, 20, 2.0);
		break;
	case MONITOR:
		*to_server = rng_lognormal(r, 500, 0.2), *to_client = rng_lognormal(r, 600, 0.3),
		*seconds = rng_lognormal(r, 0.1, 0.6);
		break;
	case QUICK:
		*to_server = rng_lognormal(r, 2600, 0.4), *to_client = rng_lognormal(r, 3200, 0.6),
		*seconds = rng_lognormal(r, 1.0, 0.6);
		break;
	case GUESS:
		*to_server = rng_lognormal(r, 1700, 0.25), *to_client = rng_lognormal(r, 2100, 0.25),
		*seconds = rng_lognormal(r, 2.2, 0.5);
		break;
	case GUESSES:
		*to_server = rng_lognormal(r, 3200, 0.3), *to_client = rng_lognormal(r, 3800, 0.3),
		*seconds = rng_lognormal(r, 14, 0.6);
		break;
	case LOGIN_SCREEN:
		*to_server = rng_lognormal(r, 6000, 0.4), *to_client = rng_lognormal(r, 50000, 0.8),
		*seconds = rng_lognormal(r, 20, 0.7);
		break;
	case BANNER:
		*to_server = rng_lognormal(r, 300, 0.3), *to_client = rng_lognormal(r, 400, 0.3),
		*seconds = rng_lognormal(r, 0.3, 0.6);
		break;
	case QUERY:
		*to_server = rng_lognormal(r, 70, 0.1), *to_client = rng_lognormal(r, 160, 0.5),
		*seconds = rng_lognormal(r, 0.03, 1.0);
		break;
	}
}

static void tally(struct world *w, unsigned service, int day, const struct wh_addr *peer, bool legitimate, bool answered)
{
	struct source *s = world_source(w, service, peer);
	bool training = day < EVAL_TRAIN_DAYS;
	if (training && answered) {
		s->train_answered++;
		s->week_answered += day >= EVAL_TRAIN_DAYS - EVAL_ALERT_DAYS;
	}
	if (legitimate)
		training ? s->train_legitimate++ : s->test_legitimate++;
	if (!legitimate && !s->train_hostile && !s->test_hostile)
		s->attacker = (uint8_t)w->attacking;
	if (!legitimate)
		training ? s->train_hostile++ : s->test_hostile++;
}

/* The flow of a conversation that was answered, from its sizes; its start is set. */
static void answered(const struct world *w, unsigned service, double up, double down, double seconds, struct wh_record *rec)
{
	const struct kind *k = w->services[service].kind;
	struct wh_flow *f = &rec->flow;
	f->end_us = rec->time_us = f->start_us + (int64_t)(seconds * 1e6);
	snprintf(f->app_proto, sizeof f->app_proto, "%s", k->app_proto);
	f->app_proto_known = f->app_proto[0] != 0;
	if (f->proto == WH_PROTO_UDP) {
		f->state = WH_STATE_ESTABLISHED;
		f->bytes_toserver = (uint64_t)up + 28;
		f->bytes_toclient = (uint64_t)down + 28;
		f->pkts_toserver = 1 + (uint64_t)(up / 1200);
		f->pkts_toclient = 1 + (uint64_t)(down / 1200);
		return;
	}
	f->tcp_flags_toserver = f->tcp_flags_toclient = WH_TCP_SYN | WH_TCP_ACK | WH_TCP_PSH | WH_TCP_FIN;
	f->state = WH_STATE_CLOSED;
	f->bytes_toserver = (uint64_t)up + 120;
	f->bytes_toclient = (uint64_t)down + 120;
	f->pkts_toserver = 4 + (uint64_t)(up / 900);
	f->pkts_toclient = 4 + (uint64_t)(down / 900);
}

void converse(struct world *w, unsigned service, int day, const struct wh_addr *peer, enum shape shape, bool legitimate,
              struct rng *r)
{
	struct wh_record rec;
	double up = 0, down = 0, seconds = 0;

	if (day < 0 || day >= EVAL_DAYS)
		return;
	enum hearing h = hears(w, service, day);
	base_record(w, service, day, peer, r, &rec);
	size_of(shape, r, &up, &down, &seconds);
	tally(w, service, day, peer, legitimate, h == HEARS_BOTH);
	if (day >= EVAL_TRAIN_DAYS)
		return;
	answered(w, service, up, down, seconds < 3000 ? seconds : 3000, &rec);
	give(w, h, &rec);
}

void converse_for_days(struct world *w, unsigned service, int from, int to, const struct wh_addr *peer, bool idle,
                       bool legitimate, struct rng *r)
{
	struct wh_record rec;
	double up = 0, down = 0, seconds = 0;

	base_record(w, service, from, peer, r, &rec);
	for (int day = from; day <= to && !idle; day++) {
		double more[3];
		size_of(BATCH, r, &more[0], &more[1], &more[2]);
		up += more[0];
		down += more[1];
	}
	if (idle)
		size_of(BANNER, r, &up, &down, &seconds);
	for (int day = from < 0 ? 0 : from; day <= to && day < EVAL_DAYS; day++)
		tally(w, service, day, peer, legitimate, to < EVAL_TRAIN_DAYS);
	if (to >= EVAL_TRAIN_DAYS)
		return;
	answered(w, service, up, down, (to - from) * (double)DAY_SECONDS + (to > from ? 0 : 3600 * rng_unit(r)), &rec);
	give(w, HEARS_BOTH, &rec);
}

void connect_only(struct world *w, unsigned service, int day, const struct wh_addr *peer, bool legitimate, struct rng *r)
{
	struct wh_record rec;

	if (day < 0 || day >= EVAL_DAYS)
		return;
	enum hearing h = hears(w, service, day);
	base_record(w, service, day, peer, r, &rec);
	tally(w, service, day, peer, legitimate, h == HEARS_BOTH);
	if (day >= EVAL_TRAIN_DAYS)
		return;
	rec.flow.tcp_flags_toserver = rec.flow.tcp_flags_toclient = WH_TCP_SYN | WH_TCP_ACK | WH_TCP_FIN;
	rec.flow.state = WH_STATE_CLOSED;
	rec.flow.pkts_toserver = 4;
	rec.flow.bytes_toserver = 4 * 66 + 8;
	rec.flow.pkts_toclient = 3;
	rec.flow.bytes_toclient = 3 * 66 + 8;
	give(w, h, &rec);
}

void syn_scan(struct world *w, unsigned service, int day, const struct wh_addr *peer, struct rng *r)
{
	struct wh_record rec;

	if (day < 0 || day >= EVAL_DAYS)
		return;
	base_record(w, service, day, peer, r, &rec);
	tally(w, service, day, peer, false, false);
	if (day >= EVAL_TRAIN_DAYS)
		return;
	if (rec.flow.proto == WH_PROTO_UDP) { /* a datagram that the service does not understand */
		rec.flow.state = WH_STATE_NEW;
		rec.flow.pkts_toserver = 1;
		rec.flow.bytes_toserver = 60;
		give(w, hears(w, service, day) == HEARS_HOST ? HEARS_HOST : HEARS_BOTH, &rec);
		return;
	}
	/* SYN, our SYN+ACK, and a reset: the handshake was not completed */
	rec.flow.tcp_flags_toserver = WH_TCP_SYN | WH_TCP_RST;
	rec.flow.tcp_flags_toclient = WH_TCP_SYN | WH_TCP_ACK;
	rec.flow.state = WH_STATE_NEW;
	rec.flow.pkts_toserver = 2;
	rec.flow.bytes_toserver = 108;
	rec.flow.pkts_toclient = 1;
	rec.flow.bytes_toclient = 58;
	give(w, hears(w, service, day), &rec);
}

void raise_alert(struct world *w, unsigned service, int day, const struct wh_addr *peer, uint8_t severity, struct rng *r)
{
	struct wh_record rec;

	if (day < 0 || day >= EVAL_TRAIN_DAYS)
		return;
	base_record(w, service, day, peer, r, &rec);
	if (hears(w, service, day) != HEARS_BOTH)
		return; /* signatures fire on streams that were reassembled */
	rec.kind = WH_RECORD_ALERT;
	strcpy(rec.event_type, "alert");
	rec.alert_severity = severity;
	rec.alert_sid = 2001219;
	rec.alert_from = WH_SENDER_SRC;
	rec.flow.tcp_flags_toserver = rec.flow.tcp_flags_toclient = WH_TCP_SYN | WH_TCP_ACK;
	rec.flow.state = WH_STATE_ESTABLISHED;
	rec.flow.pkts_toserver = rec.flow.pkts_toclient = 3;
	rec.flow.bytes_toserver = rec.flow.bytes_toclient = 300;
	snprintf(rec.flow.app_proto, sizeof rec.flow.app_proto, "%s", w->services[service].kind->app_proto);
	rec.flow.app_proto_known = rec.flow.app_proto[0] != 0;
	if (severity <= 2)
		world_source(w, service, peer)->severe = true;
	give(w, HEARS_BOTH, &rec);
}

/* ---- the whole ---- */

unsigned service_resource(const struct world *w, unsigned service)
{
	unsigned i = 0;
	while (!strcmp(w->services[service].kind->name, "console") && strcmp(kinds[i].name, "cloud-nat"))
		i++;
	return strcmp(w->services[service].kind->name, "console") ? service : i;
}

/* The address of the resource that runs it: IPv6 for the IPv6 office. */
static struct wh_addr address_of(const struct world *w, unsigned service)
{
	struct wh_addr a = wh_addr_v4(0x0a010004u + service_resource(w, service));
	if (!strcmp(w->services[service].kind->name, "ipv6-office"))
		wh_addr_parse("2a02:1::4", 9, &a);
	return a;
}

void world_begin(struct world *w, const struct world_kind *kind, uint64_t seed)
{
	*w = (struct world){.seed = seed, .kind = kind, .n_services = n_kinds + kind->n_own};
	for (unsigned i = 0; i < w->n_services; i++) {
		struct service *s = &w->services[i];
		s->kind = i < n_kinds ? &kinds[i] : &kind->own[i - n_kinds];
		s->local = address_of(w, i);
		s->proto = i >= n_kinds && kind->udp ? WH_PROTO_UDP : WH_PROTO_TCP;
	}
}

int world_make(struct world *w, int (*sink)(void *arg, const struct wh_record *rec), void *arg)
{
	struct internet net = {0};
	struct rng r = rng_of(w->seed, 0);

	w->sink = sink;
	w->sink_arg = arg;
	grow(w);
	internet_make(&net, &r);
	for (unsigned i = 0; i < w->n_services; i++) {
		struct rng own = rng_of(w->seed, 100 + i);
		w->services[i].kind->make(w, i, &net, &own);
	}
	r = rng_of(w->seed, 2);
	probes_make(w, &r);
	r = rng_of(w->seed, 1);
	if (!w->calm)
		attackers_make(w, &net, &r);
	r = rng_of(w->seed, 4);
	if (w->kind->others && !w->calm)
		w->kind->others(w, &net, &r);
	w->n_listed = wh_prefix_merge(w->listed, w->n_listed);
	for (size_t i = 0; i < w->cap; i++) {
		struct source *s = &w->sources[i];
		for (size_t lo = 0, hi = w->n_listed; s->used && lo < hi;) {
			size_t mid = (lo + hi) / 2;
			if (wh_prefix_has(&w->listed[mid], &s->addr)) {
				s->listed = true;
				break;
			}
			if (wh_addr_cmp(&w->listed[mid].addr, &s->addr) < 0)
				lo = mid + 1;
			else
				hi = mid;
		}
	}
	return w->failed;
}

void world_free(struct world *w)
{
	free(w->sources);
	free(w->listed);
	memset(w, 0, sizeof *w);
}
