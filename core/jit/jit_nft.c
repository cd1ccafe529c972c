/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of the table inet whittle_jit: each is one transaction against the state that was read. */
#include <linux/netfilter/nf_tables.h>
#include <string.h>
#include "nft/jit_table.h"
#include "whittle/jit.h"

struct change {
	struct wh_nl *nl;
	struct wh_arena *mem;
	struct wh_jit_live live;
	struct wh_batch b;
};

static int begin(struct change *x, struct wh_error *err)
{
	memset(x, 0, sizeof *x);
	x->mem = wh_arena_new();
	int rc = wh_nl_open(&x->nl, err);
	if (rc)
		return rc;
	struct wh_error own = {0};
	uint32_t gen = wh_nl_generation(x->nl, &own);
	if (!gen) {
		if (err)
			*err = own;
		return own.code;
	}
	rc = wh_jit_read(x->nl, x->mem, &x->live, err);
	if (!rc)
		wh_batch_begin(&x->b, gen);
	return rc;
}

static int end(struct change *x, int rc, struct wh_error *err)
{
	if (!rc && x->b.n)
		rc = wh_nl_commit(x->nl, &x->b, err);
	wh_batch_free(&x->b);
	wh_nl_close(x->nl);
	wh_arena_free(x->mem);
	return rc;
}

/* A change by another program between reading and writing, or an element that just expired, is no reason to fail: the change is
 * made again from the present state. */
#define AGAIN(call)                                                                                                              \
	({                                                                                                                       \
		int rc_ = -ERESTART;                                                                                             \
		for (int i_ = 0; i_ < 10 && (rc_ == -ERESTART || rc_ == -ENOENT); i_++)                                          \
			rc_ = (call);                                                                                            \
		rc_;                                                                                                             \
	})

static bool same_port(struct wh_jit_port a, struct wh_jit_port b)
{
	return a.proto == b.proto && a.port == b.port;
}

static int on_once(const struct wh_jit_port *ports, size_t n, int64_t confirm_within_s, struct wh_error *err)
{
	struct change x;
	int rc = begin(&x, err);
	if (!rc && !x.live.present)
		wh_jit_put_table(&x.b);
	for (size_t i = 0; !rc && i < x.live.n_closed; i++) {
		bool wanted = false;
		for (size_t k = 0; k < n; k++)
			wanted |= same_port(ports[k], x.live.closed[i].port);
		if (!wanted)
			wh_jit_put_closed(&x.b, NFT_MSG_DELSETELEM, x.live.closed[i].port, 0);
	}
	for (size_t k = 0; !rc && k < n; k++) {
		bool had = false;
		for (size_t i = 0; i < x.live.n_closed; i++)
			if (same_port(ports[k], x.live.closed[i].port)) {
				had = !x.live.closed[i].expires_ms;
				if (x.live.closed[i].expires_ms)
					wh_jit_put_closed(&x.b, NFT_MSG_DELSETELEM, ports[k], 0);
			}
		if (!had)
			wh_jit_put_closed(&x.b, NFT_MSG_NEWSETELEM, ports[k], confirm_within_s * 1000);
	}
	return end(&x, rc, err);
}

int wh_jit_nft_on(const struct wh_jit_port *ports, size_t n, int64_t confirm_within_s, struct wh_error *err)
{
	return AGAIN(on_once(ports, n, confirm_within_s, err));
}

static int rebuild_once(const struct wh_jit_port *ports, size_t n, struct wh_error *err)
{
	struct change x;
	struct wh_error unreadable;
	int rc = begin(&x, &unreadable);
	if (rc == -ENOENT) { /* a set is missing: its openings can't be read */
		memset(&x.live, 0, sizeof x.live);
		x.live.present = true;
		wh_batch_begin(&x.b, 0);
		rc = 0;
	} else if (rc && err) {
		*err = unreadable;
	}
	if (!rc && x.live.present)
		wh_batch_done(&x.b, wh_jit_message(&x.b, NFT_MSG_DELTABLE, 0, 0, NULL));
	if (!rc)
		wh_jit_put_table(&x.b);
	for (size_t i = 0; !rc && i < n; i++)
		wh_jit_put_closed(&x.b, NFT_MSG_NEWSETELEM, ports[i], 0);
	for (size_t i = 0; !rc && i < x.live.n_open; i++)
		/* whittle opens only prefixes; another program opened anything else */
		for (unsigned len = 0; len <= 128 && x.live.open[i].expires_ms > 0; len++) {
			struct wh_prefix p = wh_prefix_of(&x.live.open[i].first, len);
			struct wh_addr last = wh_prefix_last(&p);
			if (wh_addr_eq(&p.addr, &x.live.open[i].first) && wh_addr_eq(&last, &x.live.open[i].last)) {
				wh_jit_put_open(&x.b, NFT_MSG_NEWSETELEM, x.live.open[i].port.proto, x.live.open[i].port.port, &p,
				                x.live.open[i].expires_ms);
				break;
			}
		}
	return end(&x, rc, err);
}

int wh_jit_nft_rebuild(const struct wh_jit_port *ports, size_t n, struct wh_error *err)
{
	return AGAIN(rebuild_once(ports, n, err));
}

static int confirm_once(struct wh_error *err)
{
	struct change x;
	int rc = begin(&x, err);
	if (!rc && !x.live.n_closed)
		rc = wh_fail(
			err, -ETIME,
			"nothing to confirm: the kernel holds no closed ports that wait for it. `whittle jit on` closes them");
	for (size_t i = 0; !rc && i < x.live.n_closed; i++)
		if (x.live.closed[i].expires_ms) {
			wh_jit_put_closed(&x.b, NFT_MSG_DELSETELEM, x.live.closed[i].port, 0);
			wh_jit_put_closed(&x.b, NFT_MSG_NEWSETELEM, x.live.closed[i].port, 0);
		}
	return end(&x, rc, err);
}

int wh_jit_nft_confirm(struct wh_error *err)
{
	return AGAIN(confirm_once(err));
}

static int off_once(struct wh_error *err)
{
	struct change x;
	memset(&x, 0, sizeof x);
	int rc = wh_nl_open(&x.nl, err);
	x.mem = wh_arena_new();
	if (!rc) { /* also if the table can't be read: this is the way out of that */
		wh_batch_begin(&x.b, 0);
		wh_batch_done(&x.b, wh_jit_message(&x.b, NFT_MSG_DELTABLE, 0, 0, NULL));
	}
	return end(&x, rc, err);
}

int wh_jit_nft_off(struct wh_error *err)
{
	int rc = off_once(err);
	return rc == -ENOENT ? 0 : rc;
}

static bool is_live(const struct wh_jit_live *l, size_t i, uint8_t proto, uint16_t port, const struct wh_prefix *from)
{
	struct wh_addr last = wh_prefix_last(from);
	return l->open[i].port.proto == proto && l->open[i].port.port == port && wh_addr_eq(&l->open[i].first, &from->addr) &&
	       wh_addr_eq(&l->open[i].last, &last);
}

static int open_once(uint8_t proto, uint16_t port, const struct wh_prefix *from, int64_t timeout_ms, struct wh_error *err)
{
	struct change x;
	char first[WH_ADDR_STRLEN], last[WH_ADDR_STRLEN];
	int rc = begin(&x, err);
	if (!rc && !x.live.present)
		wh_jit_put_table(&x.b);
	for (size_t i = 0; !rc && i < x.live.n_open; i++) {
		struct wh_addr own_last = wh_prefix_last(from);
		if (is_live(&x.live, i, proto, port, from))
			wh_jit_put_open(&x.b, NFT_MSG_DELSETELEM, proto, port, from, 0);
		else if (x.live.open[i].port.proto == proto && x.live.open[i].port.port == port &&
		         wh_addr_cmp(&x.live.open[i].first, &from->addr) <= 0 &&
		         wh_addr_cmp(&x.live.open[i].last, &own_last) >= 0)
			rc = wh_fail_input(err, -EEXIST, "it is already open for the sources %s to %s: close that opening first",
			                   wh_addr_text(&x.live.open[i].first, first), wh_addr_text(&x.live.open[i].last, last));
	}
	if (!rc)
		wh_jit_put_open(&x.b, NFT_MSG_NEWSETELEM, proto, port, from, timeout_ms);
	return end(&x, rc, err);
}

int wh_jit_nft_open(uint8_t proto, uint16_t port, const struct wh_prefix *from, int64_t timeout_ms, struct wh_error *err)
{
	return AGAIN(open_once(proto, port, from, timeout_ms, err));
}

static int close_once(uint8_t proto, uint16_t port, const struct wh_prefix *from, struct wh_error *err)
{
	struct change x;
	bool found = false;
	int rc = begin(&x, err);
	for (size_t i = 0; !rc && i < x.live.n_open; i++)
		found |= is_live(&x.live, i, proto, port, from);
	if (!rc && found)
		wh_jit_put_open(&x.b, NFT_MSG_DELSETELEM, proto, port, from, 0);
	return end(&x, rc, err);
}

int wh_jit_nft_close(uint8_t proto, uint16_t port, const struct wh_prefix *from, struct wh_error *err)
{
	return AGAIN(close_once(proto, port, from, err));
}

const char *wh_jit_leave_out(struct wh_nft_ruleset *rs, const struct wh_jit_live *now, struct wh_arena *mem)
{
	const char *left = NULL;
	size_t kept = 0;
	for (size_t i = 0; i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		bool held = false;
		for (size_t k = 0; k < now->n_closed && p->direction == WH_INBOUND; k++)
			held |= !now->closed[k].expires_ms && now->closed[k].port.proto == p->proto &&
			        now->closed[k].port.port == p->port;
		if (held)
			left = wh_arena_printf(mem, "%s%s%u/%s", left ? left : "", left ? ", " : "", p->port,
			                       p->proto == WH_PROTO_UDP ? "udp" : "tcp");
		else
			rs->ports[kept++] = *p;
	}
	rs->n_ports = kept;
	return left;
}
