/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections that are open now. Three passes: the machine's listening sockets, its established ones (whose server is the
 * side that listens), and the tracked connections, each of which is one of the sockets, or one that only conntrack knows
 * (forwarded, or UDP).
 */
#include <ifaddrs.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <stdlib.h>
#include <string.h>
#include "base/socket_addr.h"
#include "net/conntrack.h"
#include "net/sockets.h"
#include "whittle/enforce.h"
#include "whittle/open.h"

enum { MAX_LOCALS = 4096 };

struct collecting {
	struct wh_arena *mem;
	struct wh_open_list *out;
	size_t room, n_sockets;
	struct wh_addr *locals; size_t n_locals;
	uint8_t listens[65536 / 8];    /* TCP ports of this machine */
};

static bool listens(const struct collecting *c, uint16_t port)
{
	return c->listens[port / 8] >> port % 8 & 1;
}

static void read_locals(struct collecting *c)
{
	struct ifaddrs *list;
	if (getifaddrs(&list))
		return;
	c->locals = wh_arena_array(c->mem, MAX_LOCALS, sizeof *c->locals);
	for (const struct ifaddrs *i = list; i && c->n_locals < MAX_LOCALS; i = i->ifa_next)
		c->n_locals += wh_addr_of_socket(i->ifa_addr, &c->locals[c->n_locals]);
	freeifaddrs(list);
	qsort(c->locals, c->n_locals, sizeof *c->locals, wh_addr_order);
}

static bool is_local(const struct collecting *c, const struct wh_addr *a)
{
	return c->n_locals && bsearch(a, c->locals, c->n_locals, sizeof *c->locals, wh_addr_order);
}

static struct wh_open *another(struct collecting *c)
{
	struct wh_open_list *l = c->out;
	if (l->n == WH_OPEN_MAX) {
		l->more = true;
		return NULL;
	}
	l->c = wh_arena_grown(c->mem, l->c, l->n, &c->room, sizeof *l->c);
	l->c[l->n] = (struct wh_open){.idle_us = -1};
	return &l->c[l->n++];
}

/* ---- sockets ---- */

static void listener(void *arg, const struct wh_socket *s)
{
	struct collecting *c = arg;
	if (s->listening)
		c->listens[s->local_port / 8] |= (uint8_t)(1 << s->local_port % 8);
}

static void established(void *arg, const struct wh_socket *s)
{
	struct collecting *c = arg;
	struct wh_open *o;
	if (s->listening || wh_nft_loopback(&s->peer) || !(o = another(c)))
		return;
	bool inbound = listens(c, s->local_port);
	*o = (struct wh_open){.direction = inbound ? WH_INBOUND : WH_OUTBOUND,
	                      .proto = WH_PROTO_TCP,
	                      .port = inbound ? s->local_port : s->peer_port,
	                      .client_port = inbound ? s->peer_port : s->local_port,
	                      .local = s->local,
	                      .peer = s->peer,
	                      .idle_us = s->idle_us,
	                      .has_bytes = s->has_info,
	                      .bytes_in = s->bytes_in,
	                      .bytes_out = s->bytes_out};
	o->translated_port = o->port;
}

/* The order in which a tracked connection is looked up among the sockets. */
static int by_ends(const void *a, const void *b)
{
	const struct wh_open *x = a, *y = b;
	int c = wh_addr_cmp(&x->peer, &y->peer);
	if (c)
		return c;
	if (x->client_port != y->client_port)
		return x->client_port < y->client_port ? -1 : 1;
	if (x->translated_port != y->translated_port)
		return x->translated_port < y->translated_port ? -1 : 1;
	return (int)x->direction - (int)y->direction;
}

/* ---- tracked ---- */

static int tracked(void *arg, const struct wh_ct_flow *f)
{
	struct collecting *c = arg;
	bool tcp = f->proto == WH_PROTO_TCP;
	if (!(f->status & IPS_ASSURED) || (!tcp && f->proto != WH_PROTO_UDP) ||
	    (tcp && f->tcp_state != TCP_CONNTRACK_ESTABLISHED) || wh_nft_loopback(&f->orig.src))
		return 0;
	bool to_us = is_local(c, &f->orig.dst), from_us = is_local(c, &f->orig.src);
	if (to_us == from_us) /* forwarded by this machine untranslated, or to itself: no rule of ours judges it */
		return 0;
	struct wh_open o = {.proto = f->proto, .start_us = f->start_us, .idle_us = -1, .has_bytes = f->has_bytes};
	o.forwarded = to_us && !is_local(c, &f->reply.src);
	o.translated = to_us && (!wh_addr_eq(&f->orig.dst, &f->reply.src) || f->orig.dst_port != f->reply.src_port);
	/* picked up in mid-stream, the first packet may have been the server's */
	bool swapped = tcp && !o.translated && (to_us ? !listens(c, f->orig.dst_port) : listens(c, f->orig.src_port));
	bool inbound = to_us != swapped;
	o.direction = inbound ? WH_INBOUND : WH_OUTBOUND;
	o.peer = to_us ? f->orig.src : f->orig.dst;
	o.local = to_us ? f->orig.dst : f->orig.src;
	o.port = swapped ? f->orig.src_port : f->orig.dst_port;
	o.client_port = swapped ? f->orig.dst_port : f->orig.src_port;
	o.translated_port = o.translated ? f->reply.src_port : o.port;
	o.bytes_in = to_us ? f->bytes_orig : f->bytes_reply;
	o.bytes_out = to_us ? f->bytes_reply : f->bytes_orig;
	o.unsure = !tcp;
	struct wh_open *same = c->n_sockets ? bsearch(&o, c->out->c, c->n_sockets, sizeof o, by_ends) : NULL;
	if (same) { /* the socket knows which end listens; conntrack knows the start and the address that the client used */
		same->start_us = o.start_us;
		if (o.translated && inbound) {
			same->translated = true;
			same->translated_port = o.translated_port;
			same->port = o.port;
			same->local = o.local;
		}
	} else if (!tcp || o.forwarded) { /* a TCP connection of this machine has a socket, or has ended */
		struct wh_open *add = another(c);
		if (add)
			*add = o;
	}
	return 0;
}

void wh_open_read(struct wh_arena *mem, struct wh_open_list *out)
{
	struct collecting c = {.mem = mem, .out = out};
	struct wh_error err;
	memset(out, 0, sizeof *out);
	read_locals(&c);
	if (wh_sockets(listener, &c, &err) || wh_sockets(established, &c, &err))
		snprintf(out->unread, sizeof out->unread, "%.250s", err.text);
	c.n_sockets = out->n;
	if (out->n)
		qsort(out->c, out->n, sizeof *out->c, by_ends);
	if (wh_ct_dump(tracked, &c, &err))
		snprintf(out->unread, sizeof out->unread, "%.250s", err.text);
}

/* ---- against a ruleset ---- */

static int worst_first(const void *a, const void *b)
{
	const struct wh_open_cut *x = a, *y = b;
	if (!x->why != !y->why)
		return x->why ? -1 : 1;
	uint64_t i = x->c->bytes_in + x->c->bytes_out, k = y->c->bytes_in + y->c->bytes_out;
	if (i != k)
		return i > k ? -1 : 1;
	int c = wh_addr_cmp(&x->c->peer, &y->c->peer);
	return c ? c : (int)x->c->port - (int)y->c->port;
}

static enum wh_open_why why(const struct wh_open *o, int64_t memory_us, int64_t now_us)
{
	if ((o->start_us && o->start_us < memory_us) || (o->idle_us > 0 && now_us - o->idle_us < memory_us))
		return WH_OPEN_OLD;
	return o->has_bytes && o->bytes_in + o->bytes_out >= WH_OPEN_LARGE ? WH_OPEN_IS_LARGE : WH_OPEN_OTHER;
}

struct wh_open_cut *wh_open_cuts(const struct wh_nft_ruleset *rs, const struct wh_open_list *l, int64_t memory_us, int64_t now_us,
                                 struct wh_arena *mem, size_t *n, size_t *refused)
{
	struct wh_open_cut *cuts = wh_arena_array(mem, l->n + 1, sizeof *cuts);
	*n = *refused = 0;
	for (size_t i = 0; i < l->n; i++) {
		const struct wh_open *o = &l->c[i];
		struct wh_nft_packet p = {.direction = o->direction,
		                          .proto = o->proto,
		                          .port = o->port,
		                          .peer = o->peer,
		                          .local = &o->local,
		                          .translated = o->translated,
		                          .forwarded = o->forwarded,
		                          .translated_port = o->translated_port,
		                          .opens = true};
		if (wh_nft_passes(rs, &p))
			continue;
		cuts[*n] = (struct wh_open_cut){.c = o, .why = why(o, memory_us, now_us)};
		*refused += cuts[(*n)++].why != WH_OPEN_OTHER;
	}
	qsort(cuts, *n, sizeof *cuts, worst_first);
	return cuts;
}

static void age_text(int64_t us, char buf[static 32])
{
	int64_t s = us / 1000000;
	if (s >= 172800)
		snprintf(buf, 32, "%lld d", (long long)(s / 86400));
	else if (s >= 7200)
		snprintf(buf, 32, "%lld h", (long long)(s / 3600));
	else if (s >= 120)
		snprintf(buf, 32, "%lld min", (long long)(s / 60));
	else
		snprintf(buf, 32, "%lld s", (long long)s);
}

char *wh_open_text(const struct wh_open *o, int64_t now_us, char buf[static 200])
{
	char addr[WH_ADDR_STRLEN], proto[8], age[64] = "age unknown", bytes[40] = "bytes unknown", t[32];
	uint64_t b = o->bytes_in + o->bytes_out;
	if (o->start_us) {
		age_text(now_us - o->start_us, t);
		snprintf(age, sizeof age, "open for %s", t);
	} else if (o->idle_us >= 60 * INT64_C(1000000)) {
		age_text(o->idle_us, t);
		snprintf(age, sizeof age, "open for %s at least", t);
	}
	if (o->has_bytes && b >= 1 << 20)
		snprintf(bytes, sizeof bytes, "%llu MiB", (unsigned long long)(b >> 20));
	else if (o->has_bytes)
		snprintf(bytes, sizeof bytes, "%llu bytes", (unsigned long long)b);
	snprintf(buf, 200, "%s %s port %u/%s, %s, %s%s", wh_addr_text(&o->peer, addr),
	         o->direction == WH_INBOUND ? "on" : "reached on", o->port, wh_proto_text(o->proto, proto), age, bytes,
	         o->unsure ? ", which side opened it unknown" : "");
	return buf;
}
