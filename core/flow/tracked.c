/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection is known by its zone and original tuple: the kernel gives its id to the next one of the same tuple. A second NEW
 * of a tuple therefore ends the first, whose own end was lost. A connection that began while a dump was read need not be in it.
 */
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <stdlib.h>
#include <string.h>
#include "base/siphash.h"
#include "flow/tracked.h"

enum { OPENED = 1 /* src sent the first packet */, ANSWERED = 2, MOST = 1 << 19 };

struct conn {
	struct wh_addr src, dst;
	int64_t start_us, last_us; /* last: of the last message before its end */
	uint32_t next;             /* in its chain, or among the free ones; 0: none */
	uint32_t losses;           /* how often messages had been lost when it began */
	uint32_t dump;             /* the dump that saw it, or during or after which it began */
	uint16_t src_port, dst_port, zone;
	uint8_t proto, is;
};

struct wh_tracked {
	struct wh_tracked_options o;
	struct wh_hash_key key;
	struct conn *conn;    /* from 1 */
	uint32_t *chain;      /* by hash */
	uint32_t mask, n_ever, spare, losses, dump;
	struct wh_tracked_counts counts;
};

int wh_tracked_new(const struct wh_tracked_options *o, struct wh_tracked **out)
{
	struct wh_tracked *t = calloc(1, sizeof *t);
	*out = NULL;
	if (!t)
		return -ENOMEM;
	t->o = *o;
	if (!t->o.most || t->o.most > MOST)
		t->o.most = MOST;
	t->mask = 63;
	while (t->mask + 1 < t->o.most)
		t->mask = 2 * t->mask + 1;
	t->key = wh_hash_key();
	t->dump = 1;
	t->conn = calloc(t->o.most + 1, sizeof *t->conn); /* pages that nothing was written to take no memory */
	t->chain = calloc(t->mask + 1, sizeof *t->chain);
	if (!t->conn || !t->chain) {
		wh_tracked_free(t);
		return -ENOMEM;
	}
	*out = t;
	return 0;
}

void wh_tracked_free(struct wh_tracked *t)
{
	if (!t)
		return;
	free(t->conn);
	free(t->chain);
	free(t);
}

struct wh_tracked_counts wh_tracked_counts(const struct wh_tracked *t)
{
	return t->counts;
}

/* ---- the table ---- */

static uint32_t *chain_of(struct wh_tracked *t, const struct wh_ct_flow *f)
{
	struct { struct wh_addr src, dst; } ends = {f->orig.src, f->orig.dst};
	uint64_t rest = (uint64_t)f->orig.src_port << 48 | (uint64_t)f->orig.dst_port << 32 | (uint64_t)f->zone << 16 | f->proto;
	return &t->chain[wh_siphash(t->key, &ends, sizeof ends / 8, rest) & t->mask];
}

/* The place of the connection's number: in the chain's head, or in the one before. Points at 0 where there is none. */
static uint32_t *find(struct wh_tracked *t, const struct wh_ct_flow *f)
{
	uint32_t *at = chain_of(t, f);
	for (; *at; at = &t->conn[*at].next) {
		const struct conn *c = &t->conn[*at];
		if (c->src_port == f->orig.src_port && c->dst_port == f->orig.dst_port && c->proto == f->proto &&
		    c->zone == f->zone && wh_addr_eq(&c->src, &f->orig.src) && wh_addr_eq(&c->dst, &f->orig.dst))
			break;
	}
	return at;
}

static int64_t begin_of(const struct wh_ct_flow *f, int64_t now_us)
{
	return f->start_us > 0 && f->start_us <= now_us ? f->start_us : now_us;
}

static struct conn *add(struct wh_tracked *t, uint32_t *at, const struct wh_ct_flow *f, int64_t now_us)
{
	uint32_t i = t->spare;
	if (i) {
		t->spare = t->conn[i].next;
	} else if (t->n_ever < t->o.most) {
		i = ++t->n_ever;
	} else {
		t->counts.no_room++;
		return NULL;
	}
	struct conn *c = &t->conn[i];
	*c = (struct conn){.src = f->orig.src,
	                   .dst = f->orig.dst,
	                   .src_port = f->orig.src_port,
	                   .dst_port = f->orig.dst_port,
	                   .zone = f->zone,
	                   .proto = f->proto,
	                   .start_us = begin_of(f, now_us),
	                   .last_us = now_us,
	                   .losses = t->losses,
	                   .dump = t->dump};
	*at = i;
	t->counts.open++;
	return c;
}

static void take_out(struct wh_tracked *t, uint32_t *at)
{
	uint32_t i = *at;
	*at = t->conn[i].next;
	t->conn[i].next = t->spare;
	t->spare = i;
	t->counts.open--;
}

/* ---- flows ---- */

/* How long the kernel keeps a connection after its last packet, by the values in the message. */
static int64_t kept_s(const struct conn *c, const struct wh_ct_flow *end)
{
	static const uint32_t tcp[] = {
		[TCP_CONNTRACK_SYN_SENT] = 120,  [TCP_CONNTRACK_SYN_RECV] = 60,   [TCP_CONNTRACK_ESTABLISHED] = 432000,
		[TCP_CONNTRACK_FIN_WAIT] = 120,  [TCP_CONNTRACK_CLOSE_WAIT] = 60, [TCP_CONNTRACK_LAST_ACK] = 30,
		[TCP_CONNTRACK_TIME_WAIT] = 120, [TCP_CONNTRACK_CLOSE] = 10};
	if (c->proto == WH_PROTO_TCP)
		return end->tcp_state < sizeof tcp / sizeof *tcp ? tcp[end->tcp_state] : 0;
	return end->status & IPS_ASSURED ? 120 : 30;
}

static int64_t last_packet(const struct conn *c, const struct wh_ct_flow *end, int64_t now_us)
{
	int64_t at = !end ? c->last_us
	                  : (end->stop_us && end->stop_us <= now_us ? end->stop_us : now_us) +
	                             ((int64_t)end->timeout_s - kept_s(c, end)) * 1000000;
	at = at > now_us ? now_us : at < c->last_us ? c->last_us : at;
	return at < c->start_us ? c->start_us : at;
}

static uint64_t at_least(uint64_t n, uint64_t least)
{
	return n < least ? least : n;
}

/* `replied`: something came back, be it a refusal. */
static void tcp_flow(const struct wh_ct_flow *end, bool answered, bool replied, struct wh_flow *f)
{
	bool refused = end && end->tcp_state == TCP_CONNTRACK_CLOSE;
	f->has_tcp_flags = true;
	f->tcp_flags_toserver = WH_TCP_SYN;
	if (answered) { /* a handshake has three packets, and one more was seen */
		f->tcp_flags_toserver = f->tcp_flags_toclient = WH_TCP_SYN | WH_TCP_ACK;
		if (end && (end->tcp_state == TCP_CONNTRACK_TIME_WAIT || end->tcp_state == TCP_CONNTRACK_LAST_ACK)) {
			f->tcp_flags_toserver |= WH_TCP_FIN;
			f->tcp_flags_toclient |= WH_TCP_FIN;
		}
		f->pkts_toserver = at_least(f->pkts_toserver, 3);
		f->pkts_toclient = at_least(f->pkts_toclient, 2);
	} else if (replied) {
		f->tcp_flags_toclient = refused ? WH_TCP_RST | WH_TCP_ACK : WH_TCP_SYN | WH_TCP_ACK;
	}
}

/* One that has ended; `end` is the kernel's last message of it, NULL where that was lost. */
static void finish(struct wh_tracked *t, const struct conn *c, const struct wh_ct_flow *end, int64_t now_us)
{
	const bool tcp = c->proto == WH_PROTO_TCP, knows_end = end && (tcp || c->losses != t->losses);
	const uint32_t shows = tcp ? IPS_ASSURED : IPS_SEEN_REPLY;
	const bool answered = c->is & ANSWERED || (knows_end && end->status & shows),
		   replied = answered || (tcp && end && end->status & IPS_SEEN_REPLY);
	struct wh_record rec = {.kind = WH_RECORD_FLOW, .event_type = "flow"};
	struct wh_flow *f = &rec.flow;
	if (!(c->is & OPENED) && !answered) /* a packet of a connection that was over, or a guess */
		return;
	if (!answered && !end && c->losses != t->losses) /* the message that it was answered may be among the lost */
		return;
	*f = (struct wh_flow){.src = c->src,
	                      .dst = c->dst,
	                      .src_port = c->src_port,
	                      .dst_port = c->dst_port,
	                      .proto = c->proto,
	                      .start_us = c->start_us};
	f->end_us = rec.time_us = last_packet(c, end, now_us);
	f->state = !answered ? WH_STATE_NEW : c->is & OPENED ? WH_STATE_CLOSED : WH_STATE_UNDIRECTED;
	if (end && end->has_bytes) {
		f->bytes_toserver = end->bytes_orig, f->pkts_toserver = end->packets_orig;
		f->bytes_toclient = replied ? end->bytes_reply : 0, f->pkts_toclient = replied ? end->packets_reply : 0;
	}
	f->pkts_toserver = at_least(f->pkts_toserver, 1);
	if (replied)
		f->pkts_toclient = at_least(f->pkts_toclient, 1);
	if (tcp)
		tcp_flow(end, answered, replied, f);
	if (end)
		t->counts.has_bytes = end->has_bytes, t->counts.has_times = end->start_us != 0;
	uint64_t *count = !answered ? &t->counts.attempts : c->is & OPENED ? &t->counts.answered : &t->counts.undirected;
	++*count;
	t->o.flow(t->o.arg, &rec);
}

/* The other facts in a message. */
static void look(const struct wh_tracked *t, struct conn *c, const struct wh_ct_flow *f)
{
	const bool tcp = f->proto == WH_PROTO_TCP;
	if (f->status & (tcp ? IPS_ASSURED : IPS_SEEN_REPLY))
		c->is |= ANSWERED;
	if (!tcp || f->tcp_state == TCP_CONNTRACK_SYN_SENT)
		c->is |= OPENED;
	else if (!(c->is & OPENED) && t->o.opened && t->o.opened(t->o.arg, f) == WH_SENDER_SRC)
		c->is |= OPENED;
}

static bool of_interest(const struct wh_ct_flow *f)
{
	static const struct wh_addr six = {.b = {[15] = 1}};
	const struct wh_addr *to = &f->orig.dst;
	bool loopback = wh_addr_is_v4(to) ? to->b[12] == 127 : wh_addr_eq(to, &six);
	return (f->proto == WH_PROTO_TCP || f->proto == WH_PROTO_UDP) && !loopback;
}

static void ended(struct wh_tracked *t, uint32_t *at, const struct wh_ct_flow *f, int64_t now_us)
{
	if (*at) {
		struct conn c = t->conn[*at];
		take_out(t, at);
		finish(t, &c, f, now_us);
	} else if (f->status & IPS_ASSURED) { /* it began before we listened: never judged by itself which end opened it */
		struct conn c = {.src = f->orig.src,
		                 .dst = f->orig.dst,
		                 .src_port = f->orig.src_port,
		                 .dst_port = f->orig.dst_port,
		                 .proto = f->proto,
		                 .start_us = begin_of(f, now_us),
		                 .losses = t->losses};
		if (f->proto == WH_PROTO_TCP) {
			look(t, &c, f);
			finish(t, &c, f, now_us);
		}
	}
}

void wh_tracked_event(struct wh_tracked *t, enum wh_ct_kind kind, const struct wh_ct_flow *f, int64_t now_us)
{
	t->counts.events++;
	if (!of_interest(f))
		return;
	uint32_t *at = find(t, f);
	if (kind == WH_CT_ENDED) {
		ended(t, at, f, now_us);
		return;
	}
	if (*at && kind == WH_CT_BEGAN) {
		struct conn c = t->conn[*at];
		take_out(t, at);
		finish(t, &c, NULL, now_us);
		at = find(t, f);
	}
	struct conn *c = *at ? &t->conn[*at] : add(t, at, f, now_us);
	if (!c)
		return;
	c->last_us = now_us;
	look(t, c, f);
}

void wh_tracked_lost(struct wh_tracked *t)
{
	t->losses++;
}

/* ---- dumps ---- */

void wh_tracked_dump_begin(struct wh_tracked *t)
{
	t->dump++;
}

void wh_tracked_open(struct wh_tracked *t, const struct wh_ct_flow *f, int64_t now_us)
{
	if (!of_interest(f))
		return;
	uint32_t *at = find(t, f);
	bool had = *at != 0;
	/* A dump also shows answers that our own output rules dropped. For a datagram's answer it is therefore used only if no
	 * event reported it. */
	struct conn *c = had ? &t->conn[*at] : add(t, at, f, now_us);
	if (!c)
		return;
	if (f->proto == WH_PROTO_TCP || !had || c->losses != t->losses)
		look(t, c, f);
	c->dump = t->dump;
}

void wh_tracked_dump_end(struct wh_tracked *t, bool whole, int64_t now_us)
{
	for (uint32_t i = 0; whole && i <= t->mask; i++)
		for (uint32_t *at = &t->chain[i]; *at;) {
			struct conn c = t->conn[*at];
			if (c.dump == t->dump) {
				at = &t->conn[*at].next;
				continue;
			}
			take_out(t, at);
			finish(t, &c, NULL, now_us);
		}
}
