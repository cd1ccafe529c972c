/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two sockets and a clock. A drop is looked up among the peers that belong (read from the ledger, sorted) and counted. An event
 * about our tables is only a reason to look: half a second after the first one the kernel's tables are compared with what was
 * confirmed, since our own confirm and rollback change both, one after the other. Each further change is reported, for as long as
 * there is a difference. What is pending its confirmation is not judged; the table is looked at once more when its time is up.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "guard/learn.h"
#include "guard/watch.h"
#include "net/nf_listen.h"
#include "whittle/harden.h"
#include "whittle/ledger.h"
#include "whittle/firewall.h"

enum { TOUCHED_RULES = 1, TOUCHED_JIT = 2 };
enum {
	MAX_PEERS = 1 << 20,
	MAX_PORTS = 1024,
	MIN_DAYS = 3,
	DEBOUNCE_MS = 500,
	CONFIRM_MS = 3000,
	REVERT_PEERS = 2,
	QUIET_S = 3600,
	SURGE_LEAST = 200,
	SURGE_TIMES = 20
};

struct peer {
	struct wh_addr addr;
	uint16_t port;
	uint8_t proto, direction;
	uint8_t days;
	bool belongs;    /* by the recommendation's judgment */
	bool hit;        /* often enough, since the last confirmation */
	uint32_t drops;
	int64_t told_us;
};
struct port { uint8_t direction, proto; uint16_t port; uint64_t drops; double normal; int64_t minute, told_us; };

struct watch {
	const struct wh_watch_options *opt;
	struct wh_nf_socket *log, *events;
	struct peer *peers; size_t n_peers, room_peers;
	struct port ports[MAX_PORTS]; size_t n_ports;
	int64_t look_at_us;               /* 0: nothing to look at */
	unsigned ours_touched, touched;   /* which of our tables, in the transaction at hand, and since the last look */
	char *told, *told_jit;            /* the differences of which the last alert spoke; NULL: none */
	char by[160]; uint32_t pid;       /* who did it: one program, or several, and the last one's process */
	int64_t confirmed_us;
	int64_t note_at_us;               /* when to look at the open connections */
	bool unnoted;                     /* the ledger did not take them last time */
	struct wh_learn *learning;        /* NULL: nothing is learned */
};

/* ---- what was normal ---- */

static int by_peer(const void *a, const void *b)
{
	const struct peer *x = a, *y = b;
	int c = wh_addr_cmp(&x->addr, &y->addr);
	if (c)
		return c;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return (x->proto << 8 | x->direction) - (y->proto << 8 | y->direction);
}

static int add_peer(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct watch *w = arg;
	unsigned days = wh_edge_days(e);
	if (days < MIN_DAYS || e->alerted_flows || e->alerts[0] || e->alerts[1] || e->alerts[2])
		return 0;
	if (w->n_peers == MAX_PEERS || !wh_array_grow(&w->peers, w->n_peers, &w->room_peers, sizeof *w->peers))
		return 0; /* enough are known */
	w->peers[w->n_peers++] = (struct peer){
		.addr = k->peer, .port = k->port, .proto = k->proto, .direction = k->direction, .days = (uint8_t)days};
	return 0;
}

static struct port *port_of(struct watch *w, uint8_t direction, uint8_t proto, uint16_t port)
{
	for (size_t i = 0; i < w->n_ports; i++)
		if (w->ports[i].port == port && w->ports[i].proto == proto && w->ports[i].direction == direction)
			return &w->ports[i];
	if (w->n_ports == MAX_PORTS)
		return NULL;
	w->ports[w->n_ports] = (struct port){.direction = direction, .proto = proto, .port = port};
	return &w->ports[w->n_ports++];
}

static int add_sketch(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	struct watch *w = arg;
	for (size_t i = 0; i < w->opt->n_locals; i++)
		if (wh_addr_eq(&w->opt->locals[i], local)) {
			struct port *p = port_of(w, WH_INBOUND, proto, port);
			double days = __builtin_popcountll(sk->days);
			if (p)
				p->normal += (double)sk->flows / (days > 0 ? days : 1) / 1440;
		}
	return 0;
}

static int mark_belonging(void *arg, enum wh_direction d, uint8_t proto, uint16_t port, const struct wh_addr *addr)
{
	struct watch *w = arg;
	struct peer key = {.addr = *addr, .port = port, .proto = proto, .direction = (uint8_t)d};
	struct peer *p = w->n_peers ? bsearch(&key, w->peers, w->n_peers, sizeof key, by_peer) : NULL;
	if (p)
		p->belongs = true;
	return 0;
}

/* Where the judgment can't be had nobody is marked: then nothing is taken back, and each hit is still reported. */
static void judge(struct watch *w, const struct wh_ledger *l)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_harden_options opt;
	struct wh_estate *e = NULL;
	struct wh_error err;
	if (w->opt->config->revert && w->opt->judge && !wh_estate_load(l, mem, &e, &err) &&
	    !wh_harden_options_load(w->opt->judge, l->state, NULL, mem, &opt, &err))
		wh_belonging(l->store, e, w->opt->locals, w->opt->n_locals, &opt, mark_belonging, w, &err);
	wh_estate_free(e);
	wh_arena_free(mem);
}

static int learn(struct watch *w, struct wh_error *err)
{
	struct wh_ledger l;
	int rc = wh_ledger_open(w->opt->store_url, WH_STATE_READ, &l, err);
	if (rc)
		return rc;
	w->n_peers = w->n_ports = 0;
	for (size_t i = 0; i < w->opt->n_locals && !rc; i++)
		rc = wh_store_edges(l.store, &w->opt->locals[i], add_peer, w, err);
	if (!rc)
		rc = wh_store_sketches(l.store, add_sketch, w, err);
	if (w->n_peers)
		qsort(w->peers, w->n_peers, sizeof *w->peers, by_peer);
	if (!rc)
		judge(w, &l);
	wh_ledger_close(&l);
	w->confirmed_us = wh_firewall_confirmed_us();
	return rc;
}

/* ---- telling ---- */

static void tell(struct watch *w, struct wh_watch_alert *a, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void tell(struct watch *w, struct wh_watch_alert *a, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	a->text = text;
	a->time_us = wh_now_us();
	w->opt->alert(w->opt->arg, a);
}

/* ---- drops ---- */

static void revert(struct watch *w, const struct wh_drop *d, const struct peer *p, const char *addr)
{
	int64_t window = (w->opt->config->after_confirm_s ? w->opt->config->after_confirm_s : 3600) * 1000000;
	struct wh_watch_alert a = {.kind = "reverted",
	                           .has_peer = true,
	                           .peer = d->peer,
	                           .direction = d->direction,
	                           .proto = d->proto,
	                           .port = d->port,
	                           .drops = p->drops,
	                           .days = p->days};
	struct wh_rolled_back back;
	struct wh_error err;
	size_t hit = 0;
	for (size_t i = 0; i < w->n_peers; i++) /* one address may be two peers, on two ports: it counts once */
		hit += w->peers[i].hit && w->peers[i].belongs &&
		       (!i || !wh_addr_eq(&w->peers[i].addr, &w->peers[i - 1].addr) || !w->peers[i - 1].hit);
	if (!w->opt->config->revert || !w->confirmed_us || wh_now_us() - w->confirmed_us > window || hit < REVERT_PEERS)
		return;
	if (wh_firewall_rollback(false, &back, &err))
		tell(w, &a, "the rules could not be taken back: %.300s", err.text);
	else
		tell(w, &a, "the rules were taken back, since they hit %zu peers that belong, the last %s%s%s", hit, addr,
		     back.how == WH_ROLLBACK_REMOVED ? "; none were confirmed before, so nothing is narrowed"
		                                     : "; those confirmed before are in force",
		     back.stored ? "" : "; but a reboot may bring them back");
	w->confirmed_us = 0;
}

static void dropped(struct watch *w, const struct wh_drop *d)
{
	struct peer key = {.addr = d->peer, .port = d->port, .proto = d->proto, .direction = (uint8_t)d->direction};
	struct peer *p = w->n_peers ? bsearch(&key, w->peers, w->n_peers, sizeof key, by_peer) : NULL;
	struct port *port = port_of(w, (uint8_t)d->direction, d->proto, d->port);
	int64_t now = wh_now_us(), hits = w->opt->config->hits ? w->opt->config->hits : 3;
	char addr[WH_ADDR_STRLEN], proto[8];
	if (port) {
		if (port->minute != now / 60000000) {
			port->minute = now / 60000000;
			port->drops = 0;
		}
		port->drops++;
		if (port->drops >= SURGE_LEAST && (double)port->drops >= SURGE_TIMES * port->normal &&
		    now - port->told_us > QUIET_S * INT64_C(1000000)) {
			struct wh_watch_alert a = {.kind = "surge",
			                           .direction = d->direction,
			                           .proto = d->proto,
			                           .port = d->port,
			                           .drops = port->drops};
			port->told_us = now;
			tell(w, &a,
			     "%llu drops on port %u/%s within a minute, where %.1f connections a minute used to go unanswered",
			     (unsigned long long)port->drops, d->port, wh_proto_text(d->proto, proto), port->normal);
		}
	}
	if (!p)
		return;
	p->drops++;
	p->hit |= p->drops >= (uint32_t)hits;
	if (p->drops < hits || now - p->told_us < QUIET_S * INT64_C(1000000))
		return;
	struct wh_watch_alert a = {.kind = "blocked",
	                           .has_peer = true,
	                           .peer = d->peer,
	                           .direction = d->direction,
	                           .proto = d->proto,
	                           .port = d->port,
	                           .drops = p->drops,
	                           .days = p->days};
	p->told_us = now;
	wh_addr_text(&d->peer, addr);
	tell(w, &a, "%s, which was seen on %u days on port %u/%s, is being dropped; `whittle rules edit` lets it in", addr,
	     p->days, d->port, wh_proto_text(d->proto, proto));
	revert(w, d, p, addr);
}

static void logged(void *arg, const struct wh_nf_logged *l)
{
	struct wh_drop d;
	if (wh_drop_parse(l->prefix, l->prefix_len, l->packet, l->len, &d))
		dropped(arg, &d);
}

/* ---- somebody else's changes ---- */

/* The end of a transaction says whose it was. */
static void blame(struct watch *w, const struct wh_nf_event *e)
{
	char name[32];
	size_t used = strlen(w->by);
	snprintf(name, sizeof name, "%s", e->program);
	if (!strncmp(name, "whittle", 7)) /* also the process that changes the firewall */
		name[7] = 0;
	if (!used || strcmp(name, "whittle"))
		w->pid = e->pid;
	if (!strcmp(w->by, "whittle")) /* beside another program's, ours is not what made a difference */
		used = 0;
	if (*name && (!used || strcmp(name, "whittle")) && (!used || !strstr(w->by, name)) &&
	    used + strlen(name) + 3 < sizeof w->by)
		snprintf(w->by + used, sizeof w->by - used, "%s%s", used ? ", " : "", name);
}

static void look_soon(struct watch *w)
{
	int64_t at = wh_now_us() + DEBOUNCE_MS * 1000;
	if (!w->look_at_us ||
	    w->look_at_us >
	            at) /* never later, however many events follow: else changes without a pause would put it off for ever */
		w->look_at_us = at;
}

static void event(void *arg, const struct wh_nf_event *e)
{
	struct watch *w = arg;
	if (!e->table) {
		if (w->ours_touched)
			blame(w, e);
		w->ours_touched = 0;
		return;
	}
	unsigned which = !strcmp(e->table, WH_NFT_TABLE) ? TOUCHED_RULES : !strcmp(e->table, WH_JIT_TABLE) ? TOUCHED_JIT : 0;
	if (which)
		look_soon(w);
	w->ours_touched |= which;
	w->touched |= which;
}

/* Puts back what was confirmed, where that is configured. */
static bool repair(struct watch *w)
{
	struct wh_watch_alert a = {.kind = "repaired"};
	struct wh_restored r;
	struct wh_error err;
	if (!w->opt->config->repair)
		return false;
	int rc = wh_firewall_restore(&r, &err);
	if (rc)
		tell(w, &a, "what was confirmed could not be put back: %.300s", err.text);
	else
		tell(w, &a, "what was confirmed was put back: %zu ports narrowed, %zu kept closed", r.ports, r.closed);
	return !rc;
}

/*
 * Whether a difference is worth an alert: a new one is, and so is the same one after a further change of the tables (one more
 * range than the one that is named, say). An event alone is none, since our own programs make events too. *told becomes what was
 * found.
 */
static bool news(char **told, char *difference, bool touched)
{
	bool is = difference && (!*told || touched || strcmp(*told, difference));
	free(*told);
	*told = difference;
	return is;
}

/* The lines one behind the other; in the same memory, or anew. */
static char *one_line(char *text)
{
	size_t n = 0, lines = 0;
	for (const char *p = text; p && *p; p++)
		lines += *p == '\n';
	char *out = lines ? malloc(strlen(text) + lines + 1) : NULL;
	if (!out)
		return text;
	for (const char *p = text; *p; p++) {
		out[n++] = *p == '\n' ? ';' : *p;
		if (*p == '\n' && p[1])
			out[n++] = ' ';
	}
	out[n] = 0;
	free(text);
	return out;
}

/* Whether the kernel holds what was applied last: it was confirmed there, and the file is about to say so. */
static bool being_confirmed(void)
{
	struct wh_error err;
	char *difference = NULL;
	bool is = !wh_firewall_compare(WH_STORED_APPLIED, NULL, &difference, &err);
	free(difference);
	return is;
}

/* What the rules' table should be, and what is different: NULL where it is as it should be, or where that can't be said now. */
static char *rules_differ(struct watch *w, bool *flushed, bool *judged)
{
	struct wh_nft_state st = {0};
	struct wh_error err;
	char *difference = NULL;
	*judged = wh_firewall_compare(WH_STORED_CONFIRMED, &st, &difference, &err) >= 0 && !st.expires_in_ms;
	*flushed = !st.present;
	if (st.expires_in_ms) /* what waits for its confirmation is not judged; what is there when its time is up is */
		w->look_at_us = wh_now_us() + (st.expires_in_ms + DEBOUNCE_MS) * 1000;
	if (*judged && difference && st.lasting && being_confirmed()) {
		*judged = false;
		w->look_at_us = wh_now_us() + CONFIRM_MS * 1000;
	}
	if (*judged)
		return difference;
	free(difference);
	return NULL;
}

static void look(struct watch *w)
{
	struct wh_watch_alert a = {.by = *w->by ? w->by : NULL, .pid = w->pid};
	char who[200] = "somebody";
	bool flushed, judged, again, mend = false;
	struct wh_error err;
	if (*w->by)
		snprintf(who, sizeof who, "%s (process %u)", w->by, w->pid);
	char *difference = one_line(rules_differ(w, &flushed, &judged));
	again = w->told != NULL;
	if (judged && news(&w->told, difference, w->touched & TOUCHED_RULES)) {
		a.kind = flushed ? "flushed" : "changed";
		if (flushed)
			tell(w, &a, "%s deleted our table, as `flush ruleset` does: nothing is narrowed any more%s", who,
			     w->opt->config->repair ? "" : "; `whittle restore` puts back what was confirmed");
		else
			tell(w, &a, "%s changed our table%s: %.300s", who, again ? " further" : "", difference);
		mend = true;
	}
	char *open;
	wh_firewall_jit_differs(&open, &err);
	again = w->told_jit != NULL;
	if (news(&w->told_jit, open, w->touched & TOUCHED_JIT)) {
		a.kind = again ? "changed" : "flushed";
		tell(w, &a, "%s changed what just-in-time access keeps closed%s: %.250s%s", who, again ? ", further" : "", open,
		     w->opt->config->repair ? "" : "; `whittle restore` closes it again");
		mend = true;
	}
	if (mend && repair(w)) {
		news(&w->told, NULL, false);
		news(&w->told_jit, NULL, false);
	} else if (judged && !w->told) {
		learn(w, &err);
	}
	*w->by = 0;
	w->pid = 0;
	w->touched = 0;
}

/* ---- open connections ---- */

static void note_open(struct watch *w)
{
	const struct wh_watch_config *c = w->opt->config;
	struct wh_watch_alert a = {.kind = "unnoted"};
	struct wh_arena *mem = wh_arena_new();
	struct wh_open_list l;
	struct wh_error err;
	wh_firewall_connections(mem, &l);
	int rc = wh_open_note(w->opt->store_url, w->opt->discover, &l, wh_now_us(), &err);
	if (rc && !w->unnoted)
		tell(w, &a, "the connections that are open are no evidence now: %.300s", err.text);
	w->unnoted = rc != 0;
	w->note_at_us = wh_now_us() + (c->connections_s ? c->connections_s : 600) * 1000000;
	wh_arena_free(mem);
}

/* ---- sockets ---- */

static void read_events(struct watch *w)
{
	if (wh_nf_read_events(w->events, event, w))
		return;
	w->touched = TOUCHED_RULES | TOUCHED_JIT; /* what was lost may have been about us */
	look_soon(w);
}

static void learner_tells(void *arg, const char *kind, const char *text)
{
	struct wh_watch_alert a = {.kind = kind};
	tell(arg, &a, "%s", text);
}

static int begin_learning(struct watch *w, struct wh_error *err)
{
	const struct wh_watch_config *c = w->opt->config;
	const uint64_t buffer = c->learn_buffer ? c->learn_buffer : 64 << 20;
	const struct wh_learn_options o = {.store_url = w->opt->store_url,
	                                   .discover = w->opt->discover,
	                                   .locals = w->opt->locals,
	                                   .n_locals = w->opt->n_locals,
	                                   .buffer = buffer < WH_TRACKED_BUFFER_MIN   ? WH_TRACKED_BUFFER_MIN
	                                             : buffer > WH_TRACKED_BUFFER_MAX ? WH_TRACKED_BUFFER_MAX
	                                                                              : (int64_t)buffer,
	                                   .count = c->learn_bytes,
	                                   .dump_s = c->connections_s ? c->connections_s : 600,
	                                   .tell = learner_tells,
	                                   .arg = w};
	return c->learn == WH_LEARN_CONNTRACK ? wh_learn_begin(&o, &w->learning, err) : 0;
}

/* A person changed the estate, or the ledger. */
static void read_again(struct watch *w)
{
	struct wh_error ignored;
	learn(w, &ignored);
	wh_learn_again(w->learning);
	w->note_at_us = 0;
}

int wh_watch(const struct wh_watch_options *opt, struct wh_error *err)
{
	struct watch *w = calloc(1, sizeof *w);
	if (!w)
		return wh_fail(err, -ENOMEM, "out of memory");
	w->opt = opt;
	int rc = learn(w, err), code;
	if (!rc && (code = wh_nf_socket_of(wh_firewall_hear_events(), &w->events)))
		rc = wh_fail(err, code, "the kernel's firewall events can't be heard: %s", strerror(-code));
	if (!rc && (code = wh_nf_socket_of(wh_firewall_hear_drops(), &w->log)))
		rc = wh_fail(err, code, "log group %u can't be heard: %s%s", opt->nflog_group, strerror(-code),
		             code == -EBUSY || code == -EPERM ? " (another program listens there, perhaps another whittle watch)"
		                                              : "");
	rc = rc ? rc : begin_learning(w, err);
	if (!rc) {
		w->look_at_us = wh_now_us(); /* what happened before we came */
		opt->ready(opt->arg, w->n_peers);
	}
	while (!rc && !*opt->stop) {
		struct pollfd p[3] = {{.fd = wh_nf_socket_fd(w->log), .events = POLLIN},
		                      {.fd = wh_nf_socket_fd(w->events), .events = POLLIN},
		                      {.fd = wh_learn_fd(w->learning), .events = POLLIN}};
		if (poll(p, 3, w->look_at_us ? 100 : 1000) < 0 && errno != EINTR)
			rc = wh_fail(err, -errno, "waiting failed: %s", strerror(errno));
		wh_nf_read_log(w->log, logged, w);
		read_events(w);
		if (w->look_at_us && wh_now_us() >= w->look_at_us) {
			w->look_at_us = 0;
			look(w);
		}
		if (opt->again(opt->arg))
			read_again(w);
		if (wh_now_us() >= w->note_at_us)
			note_open(w);
		wh_learn_turn(w->learning);
		if (opt->tick)
			opt->tick(opt->arg);
	}
	wh_learn_end(w->learning);
	wh_nf_socket_close(w->log);
	wh_nf_socket_close(w->events);
	free(w->told);
	free(w->told_jit);
	free(w->peers);
	free(w);
	return rc;
}
