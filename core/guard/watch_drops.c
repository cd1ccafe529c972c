/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The drops of our rules: counted, and reported if an allowed peer is hit, or a port gets many more than before. */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "guard/watch_inside.h"
#include "whittle/firewall.h"
#include "whittle/harden.h"
#include "whittle/ledger.h"

enum { MAX_PEERS = 1 << 20, MIN_DAYS = 3, REVERT_PEERS = 2, QUIET_S = 3600, SURGE_LEAST = 200, SURGE_TIMES = 20 };

/* ---- what was normal ---- */

static int by_peer(const void *a, const void *b)
{
	const struct wh_watch_peer *x = a, *y = b;
	int c = wh_addr_cmp(&x->addr, &y->addr);
	if (c)
		return c;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return (x->proto << 8 | x->direction) - (y->proto << 8 | y->direction);
}

static int add_peer(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct wh_watcher *w = arg;
	unsigned days = wh_edge_days(e);
	if (days < MIN_DAYS || e->alerted_flows || e->alerts[0] || e->alerts[1] || e->alerts[2])
		return 0;
	if (w->n_peers == MAX_PEERS || !wh_array_grow(&w->peers, w->n_peers, &w->room_peers, sizeof *w->peers))
		return 0; /* enough of them are known */
	w->peers[w->n_peers++] = (struct wh_watch_peer){
		.addr = k->peer, .port = k->port, .proto = k->proto, .direction = k->direction, .days = (uint8_t)days};
	return 0;
}

static struct wh_watch_port *port_of(struct wh_watcher *w, uint8_t direction, uint8_t proto, uint16_t port)
{
	for (size_t i = 0; i < w->n_ports; i++)
		if (w->ports[i].port == port && w->ports[i].proto == proto && w->ports[i].direction == direction)
			return &w->ports[i];
	if (w->n_ports == WH_WATCH_PORTS)
		return NULL;
	w->ports[w->n_ports] = (struct wh_watch_port){.direction = direction, .proto = proto, .port = port};
	return &w->ports[w->n_ports++];
}

static int add_sketch(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	struct wh_watcher *w = arg;
	for (size_t i = 0; i < w->opt->n_locals; i++)
		if (wh_addr_eq(&w->opt->locals[i], local)) {
			struct wh_watch_port *p = port_of(w, WH_INBOUND, proto, port);
			double days = __builtin_popcountll(sk->days);
			if (p)
				p->normal += (double)sk->flows / (days > 0 ? days : 1) / 1440;
		}
	return 0;
}

static int mark_belonging(void *arg, enum wh_direction d, uint8_t proto, uint16_t port, const struct wh_addr *addr)
{
	struct wh_watcher *w = arg;
	struct wh_watch_peer key = {.addr = *addr, .port = port, .proto = proto, .direction = (uint8_t)d};
	struct wh_watch_peer *p = w->n_peers ? bsearch(&key, w->peers, w->n_peers, sizeof key, by_peer) : NULL;
	if (p)
		p->belongs = true;
	return 0;
}

/* If the judgment is not available, no peer is marked: then nothing is rolled back, and each hit is still reported. */
static void judge(struct wh_watcher *w, const struct wh_ledger *l)
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

int wh_watch_read_ledger(struct wh_watcher *w, struct wh_error *err)
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

/* ---- drops ---- */

static struct wh_watch_alert alert_of(const char *kind, const struct wh_drop *d, const struct wh_watch_peer *p)
{
	return (struct wh_watch_alert){.kind = kind,
	                               .has_peer = true,
	                               .peer = d->peer,
	                               .direction = d->direction,
	                               .proto = d->proto,
	                               .port = d->port,
	                               .drops = p->drops,
	                               .days = p->days};
}

static void revert(struct wh_watcher *w, const struct wh_drop *d, const struct wh_watch_peer *p, const char *addr)
{
	int64_t window = (w->opt->config->after_confirm_s ? w->opt->config->after_confirm_s : 3600) * 1000000;
	struct wh_watch_alert a = alert_of("reverted", d, p);
	struct wh_rolled_back back;
	struct wh_error err;
	size_t hit = 0;
	for (size_t i = 0; i < w->n_peers; i++) /* one address may be two peers, on two ports: it counts once */
		hit += w->peers[i].hit && w->peers[i].belongs &&
		       (!i || !wh_addr_eq(&w->peers[i].addr, &w->peers[i - 1].addr) || !w->peers[i - 1].hit);
	if (!w->opt->config->revert || !w->confirmed_us || wh_now_us() - w->confirmed_us > window || hit < REVERT_PEERS)
		return;
	if (wh_firewall_rollback(false, &back, &err))
		wh_watch_tell(w, &a, "the rules could not be rolled back: %.300s", err.text);
	else
		wh_watch_tell(w, &a, "the rules were rolled back, because they dropped %zu peers that belong, the last %s%s%s",
		              hit, addr,
		              back.how == WH_ROLLBACK_REMOVED ? "; none were confirmed before, so nothing is narrowed"
		                                              : "; those confirmed before are in force",
		              back.stored ? "" : "; but a reboot may bring them back");
	w->confirmed_us = 0;
}

void wh_watch_dropped(struct wh_watcher *w, const struct wh_drop *d)
{
	struct wh_watch_peer key = {.addr = d->peer, .port = d->port, .proto = d->proto, .direction = (uint8_t)d->direction};
	struct wh_watch_peer *p = w->n_peers ? bsearch(&key, w->peers, w->n_peers, sizeof key, by_peer) : NULL;
	struct wh_watch_port *port = port_of(w, (uint8_t)d->direction, d->proto, d->port);
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
			wh_watch_tell(
				w, &a,
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
	struct wh_watch_alert a = alert_of("blocked", d, p);
	p->told_us = now;
	wh_addr_text(&d->peer, addr);
	wh_watch_tell(w, &a, "%s, which was seen on %u days on port %u/%s, is being dropped; `whittle rules edit` lets it in",
	              addr, p->days, d->port, wh_proto_text(d->proto, proto));
	revert(w, d, p, addr);
}
