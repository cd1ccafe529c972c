/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel holds of our table, read independently of what was sent. */
#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "enforce/nft.h"

struct reading {
	struct wh_arena *mem;
	struct wh_nft_live *live;
	size_t room_dispatch, room_chains, room_sets;
	enum wh_direction direction;
	bool pending;
	int rc;
};

static void *grown(struct wh_arena *mem, void *old, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return old;
	size_t more = *room ? *room * 2 : 32;
	void *fresh = wh_arena_array(mem, more, size);
	if (n)
		memcpy(fresh, old, n * size);
	*room = more;
	return fresh;
}

static const struct nlattr *find(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;
	mnl_attr_for_each_nested(a, nest)
		if (mnl_attr_get_type(a) == type)
			return a;
	return NULL;
}

/* One element of a dispatch map. */
static void dispatch_element(struct reading *r, const struct nlattr *elem)
{
	const struct nlattr *key = find(elem, NFTA_SET_ELEM_KEY), *data = find(elem, NFTA_SET_ELEM_DATA), *expires = find(elem, NFTA_SET_ELEM_EXPIRATION);
	const struct nlattr *value = key ? find(key, NFTA_DATA_VALUE) : NULL, *verdict = data ? find(data, NFTA_DATA_VERDICT) : NULL;
	const struct nlattr *chain = verdict ? find(verdict, NFTA_VERDICT_CHAIN) : NULL;
	if (!value || mnl_attr_get_payload_len(value) < 6)
		return;
	const uint8_t *k = mnl_attr_get_payload(value);
	r->live->dispatch = grown(r->mem, r->live->dispatch, r->live->n_dispatch, &r->room_dispatch, sizeof *r->live->dispatch);
	struct wh_nft_dispatch *d = &r->live->dispatch[r->live->n_dispatch++];
	*d = (struct wh_nft_dispatch){.proto = k[0], .port = (uint16_t)(k[4] << 8 | k[5]), .direction = r->direction, .pending = r->pending};
	if (expires && mnl_attr_get_payload_len(expires) == 8)
		d->expires_ms = (int64_t)be64toh(mnl_attr_get_u64(expires));
	if (chain && mnl_attr_get_payload_len(chain) < sizeof d->chain)
		snprintf(d->chain, sizeof d->chain, "%.*s", (int)mnl_attr_get_payload_len(chain), (const char *)mnl_attr_get_payload(chain));
	if (d->chain[0])
		*(r->pending ? &r->live->pending_letter : &r->live->confirmed_letter) = d->chain[0];
}

static int dispatch_message(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *a, *elem;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == NFTA_SET_ELEM_LIST_ELEMENTS)
			mnl_attr_for_each_nested(elem, a)
				dispatch_element(arg, elem);
	return MNL_CB_OK;
}

/* Names of our chains or sets: both carry their table as attribute 1; the name is attribute 3 of a chain and 2 of a set. */
static const char *name_of(const struct nlmsghdr *h, uint16_t table_attr, uint16_t name_attr)
{
	const struct nlattr *a;
	const char *name = NULL;
	bool ours = false;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(a) == table_attr && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
			ours = !strcmp(mnl_attr_get_str(a), WH_NFT_TABLE);
		if (mnl_attr_get_type(a) == name_attr && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
			name = mnl_attr_get_str(a);
	}
	return ours && name && (name[0] == 'a' || name[0] == 'b') && name[1] == '_' ? name : NULL;
}

static int chain_message(const struct nlmsghdr *h, void *arg)
{
	struct reading *r = arg;
	const char *name = name_of(h, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME);
	if (!name)
		return MNL_CB_OK;
	r->live->chains = grown(r->mem, r->live->chains, r->live->n_chains, &r->room_chains, WH_NFT_NAME);
	snprintf(r->live->chains[r->live->n_chains++], WH_NFT_NAME, "%s", name);
	return MNL_CB_OK;
}

static int set_message(const struct nlmsghdr *h, void *arg)
{
	struct reading *r = arg;
	const char *name = name_of(h, NFTA_SET_TABLE, NFTA_SET_NAME);
	if (!name)
		return MNL_CB_OK;
	r->live->sets = grown(r->mem, r->live->sets, r->live->n_sets, &r->room_sets, WH_NFT_NAME);
	snprintf(r->live->sets[r->live->n_sets++], WH_NFT_NAME, "%s", name);
	return MNL_CB_OK;
}

static int ignore(const struct nlmsghdr *h, void *arg)
{
	(void)h;
	(void)arg;
	return MNL_CB_OK;
}

static int read_once(struct wh_nl *nl, struct wh_arena *mem, struct wh_nft_live *out)
{
	static const char *const maps[2][2] = {{"input_ports", "input_pending"}, {"output_ports", "output_pending"}};
	struct reading r = {.mem = mem, .live = out};
	memset(out, 0, sizeof *out);
	int rc = wh_nl_dump(nl, NFT_MSG_GETTABLE, NLM_F_ACK, WH_NFT_TABLE, NULL, ignore, NULL);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	out->present = true;
	for (int d = 0; d < 2 && !rc; d++)
		for (int p = 0; p < 2 && !rc; p++) {
			r.direction = (enum wh_direction)d;
			r.pending = p;
			rc = wh_nl_dump(nl, NFT_MSG_GETSETELEM, NLM_F_DUMP, WH_NFT_TABLE, maps[d][p], dispatch_message, &r);
			if (rc == -ENOENT)
				rc = 0;
		}
	if (!rc)
		rc = wh_nl_dump(nl, NFT_MSG_GETCHAIN, NLM_F_DUMP, NULL, NULL, chain_message, &r);
	if (!rc)
		rc = wh_nl_dump(nl, NFT_MSG_GETSET, NLM_F_DUMP, WH_NFT_TABLE, NULL, set_message, &r);
	return rc;
}

int wh_nft_live(struct wh_nl *nl, struct wh_arena *mem, struct wh_nft_live *out, struct wh_error *err)
{
	int rc = -EAGAIN;
	for (int tries = 0; tries < 20 && rc == -EAGAIN; tries++) /* somebody changed the ruleset under the dump: read again */
		rc = read_once(nl, mem, out);
	return rc ? wh_fail(err, rc, "our table can't be read: %s", strerror(-rc)) : 0;
}

int wh_nft_state(struct wh_nft_state *out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_live live;
	struct wh_nl *nl;
	memset(out, 0, sizeof *out);
	int rc = wh_nl_open(&nl, err);
	if (!rc) {
		rc = wh_nft_live(nl, mem, &live, err);
		wh_nl_close(nl);
	}
	if (!rc) {
		bool pending = false;
		out->present = live.present;
		for (size_t i = 0; i < live.n_dispatch; i++)
			pending |= live.dispatch[i].pending;
		for (size_t i = 0; i < live.n_dispatch; i++) {
			const struct wh_nft_dispatch *d = &live.dispatch[i];
			out->ports += d->pending == pending && d->chain[0];
			if (d->pending && (!out->expires_in_ms || d->expires_ms < out->expires_in_ms))
				out->expires_in_ms = d->expires_ms;
		}
		out->confirmed = !pending && out->ports;
	}
	wh_arena_free(mem);
	return rc;
}

/* ---- comparing ---- */

struct bound { uint8_t addr[16]; bool end; };
struct bounds {
	struct bound *b;
	size_t n, room, width;
	bool failed;
};

static void bound(struct bounds *s, const void *addr, bool end)
{
	if (s->n == s->room) {
		size_t room = s->room ? s->room * 2 : 256;
		struct bound *more = reallocarray(s->b, room, sizeof *more);
		if (!more) {
			s->failed = true;
			return;
		}
		s->b = more;
		s->room = room;
	}
	memset(&s->b[s->n], 0, sizeof *s->b);
	memcpy(s->b[s->n].addr, addr, s->width);
	s->b[s->n++].end = end;
}

static int element_message(const struct nlmsghdr *h, void *arg)
{
	struct bounds *s = arg;
	const struct nlattr *a, *elem;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(a) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(elem, a) {
			const struct nlattr *key = find(elem, NFTA_SET_ELEM_KEY), *flags = find(elem, NFTA_SET_ELEM_FLAGS), *v = key ? find(key, NFTA_DATA_VALUE) : NULL;
			if (v && mnl_attr_get_payload_len(v) == s->width)
				bound(s, mnl_attr_get_payload(v), flags && (ntohl(mnl_attr_get_u32(flags)) & NFT_SET_ELEM_INTERVAL_END));
		}
	}
	return MNL_CB_OK;
}

static int by_bound(const void *a, const void *b)
{
	const struct bound *x = a, *y = b;
	int c = memcmp(x->addr, y->addr, 16);
	return c ? c : (int)y->end - (int)x->end; /* one ends where the next begins */
}

bool wh_nft_next(const struct wh_prefix *p, uint8_t out[static 16], size_t width)
{
	struct wh_addr last = wh_prefix_last(p);
	memcpy(out, last.b + 16 - width, width);
	for (size_t i = width; i-- > 0;)
		if (++out[i])
			return true;
	return false; /* the top of the space: no end */
}

static int same_set(struct wh_nl *nl, const char *name, const struct wh_prefix *p, size_t n, size_t width)
{
	struct bounds have = {.width = width}, want = {.width = width};
	uint8_t end[16];
	for (size_t i = 0; i < n; i++) {
		size_t from = i; /* neighbours that touch are one interval */
		while (i + 1 < n && wh_nft_next(&p[i], end, width) && !memcmp(end, p[i + 1].addr.b + 16 - width, width))
			i++;
		bound(&want, p[from].addr.b + 16 - width, false);
		if (wh_nft_next(&p[i], end, width))
			bound(&want, end, true);
	}
	int rc = wh_nl_dump(nl, NFT_MSG_GETSETELEM, NLM_F_DUMP, WH_NFT_TABLE, name, element_message, &have);
	if (!rc && (have.failed || want.failed))
		rc = -ENOMEM;
	if (have.n)
		qsort(have.b, have.n, sizeof *have.b, by_bound);
	if (!rc)
		rc = have.n != want.n || (have.n && memcmp(have.b, want.b, have.n * sizeof *have.b)) ? 1 : 0;
	free(have.b);
	free(want.b);
	return rc;
}

static int differ(char **difference, const char *fmt, const char *name)
{
	if (asprintf(difference, fmt, name) < 0)
		*difference = NULL;
	return 1;
}

static int compare(struct wh_nl *nl, const struct wh_nft_ruleset *rs, const struct wh_nft_live *live, char **difference, struct wh_error *err)
{
	bool pending = live->pending_letter != 0;
	char letter = pending ? live->pending_letter : live->confirmed_letter, base[WH_NFT_NAME], name[WH_NFT_NAME + 4];
	size_t jumps = 0;
	if (!live->present)
		return differ(difference, "the table inet %s is not there", WH_NFT_TABLE);
	for (size_t i = 0; i < live->n_dispatch; i++)
		jumps += live->dispatch[i].pending == pending && live->dispatch[i].chain[0];
	if (jumps != rs->n_ports)
		return differ(difference, "another number of ports is narrowed%s", "");
	for (size_t i = 0; i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		bool found = false;
		wh_nft_base_name(p, letter, base);
		for (size_t k = 0; k < live->n_dispatch; k++)
			found |= live->dispatch[k].pending == pending && live->dispatch[k].direction == p->direction && live->dispatch[k].proto == p->proto &&
			         live->dispatch[k].port == p->port && !strcmp(live->dispatch[k].chain, base);
		if (!found)
			return differ(difference, "port %s is not dispatched", base + 2);
		for (int v6 = 0; v6 < 2; v6++) {
			snprintf(name, sizeof name, "%s_v%c", base, v6 ? '6' : '4');
			int rc = same_set(nl, name, v6 ? p->v6 : p->v4, v6 ? p->n_v6 : p->n_v4, v6 ? 16 : 4);
			if (rc < 0)
				return rc == -ENOENT ? differ(difference, "the set %s is not there", name) : wh_fail(err, rc, "the set %s can't be read: %s", name, strerror(-rc));
			if (rc)
				return differ(difference, "the set %s holds other addresses", name);
		}
	}
	return 0;
}

int wh_nft_compare(const struct wh_nft_ruleset *rs, char **difference, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_live live;
	struct wh_nl *nl;
	*difference = NULL;
	int rc = wh_nl_open(&nl, err);
	if (!rc) {
		rc = wh_nft_live(nl, mem, &live, err);
		if (!rc)
			rc = compare(nl, rs, &live, difference, err);
		wh_nl_close(nl);
	}
	wh_arena_free(mem);
	return rc;
}
