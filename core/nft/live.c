/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads our table from the kernel, independently of what was sent. */
#include <arpa/inet.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include "nft/table.h"
#include "nft/read.h"

struct reading {
	struct wh_arena *mem;
	struct wh_nft_live *live;
	size_t room_dispatch, room_chains, room_sets;
	enum wh_direction direction;
	bool pending;
	enum wh_nft_kind kind;
};

bool wh_nft_name_is_port(const char *name)
{
	return name[0] >= 'a' && name[0] <= 'z' && (!strncmp(name + 1, "_input_", 7) || !strncmp(name + 1, "_output_", 8));
}

bool wh_nft_name_is_ours(const char *name)
{
	char map[WH_NFT_NAME];
	for (int i = 0; i < WH_NFT_N_FIXED; i++)
		if (!strcmp(name, wh_nft_fixed[i].name))
			return true;
	for (int i = 0; i < 4 * WH_NFT_KINDS; i++) {
		wh_nft_map_name(map, (enum wh_direction)(i & 1), i & 2, (enum wh_nft_kind)(i / 4));
		if (!strcmp(name, map))
			return true;
	}
	return wh_nft_name_is_port(name);
}

const struct wh_nft_dispatch *wh_nft_dispatched(const struct wh_nft_live *l, const struct wh_nft_key *k, bool pending)
{
	for (size_t i = 0; i < l->n_dispatch; i++)
		if (l->dispatch[i].pending == pending && wh_nft_key_eq(&l->dispatch[i].key, k))
			return &l->dispatch[i];
	return NULL;
}

const struct wh_nft_dispatch *wh_nft_decides(const struct wh_nft_live *l, const struct wh_nft_key *k)
{
	struct wh_nft_key any = *k;
	any.any = true;
	for (int pending = 1; pending >= 0; pending--) {
		const struct wh_nft_dispatch *d = wh_nft_dispatched(l, k, pending);
		if (d && d->to_any) {
			d = wh_nft_dispatched(l, &any, true);
			return d ? d : wh_nft_dispatched(l, &any, false);
		}
		d = d ? d : wh_nft_dispatched(l, &any, pending);
		if (d)
			return d;
	}
	return NULL;
}

bool wh_nft_wants(const struct wh_nft_ruleset *rs, const struct wh_nft_key *k)
{
	for (size_t i = 0; i < rs->n_ports; i++)
		for (size_t n = 0; n < wh_nft_n_keys(&rs->ports[i]); n++) {
			struct wh_nft_key own = wh_nft_key(&rs->ports[i], n);
			if (wh_nft_key_eq(&own, k))
				return true;
		}
	return false;
}

const struct wh_nft_chain *wh_nft_chain_named(const struct wh_nft_live *l, const char *name)
{
	for (size_t i = 0; i < l->n_chains; i++)
		if (!strcmp(l->chains[i].name, name))
			return &l->chains[i];
	return NULL;
}

bool wh_nft_has_set(const struct wh_nft_live *l, const char *name)
{
	for (size_t i = 0; i < l->n_sets; i++)
		if (!strcmp(l->sets[i], name))
			return true;
	return false;
}

/* One element of a dispatch map. */
static void dispatch_element(void *arg, const struct nlattr *elem)
{
	struct reading *r = arg;
	const struct nlattr *value = nested(nested(elem, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
	const struct nlattr *chain = nested(nested(nested(elem, NFTA_SET_ELEM_DATA), NFTA_DATA_VERDICT), NFTA_VERDICT_CHAIN);
	size_t width = r->kind == WH_NFT_V4 ? 4 : r->kind == WH_NFT_V6 ? 16 : 0;
	if (!value || mnl_attr_get_payload_len(value) < width + 6)
		return;
	const uint8_t *k = mnl_attr_get_payload(value);
	r->live->dispatch = wh_arena_grown(r->mem, r->live->dispatch, r->live->n_dispatch, &r->room_dispatch,
	                                   sizeof *r->live->dispatch);
	struct wh_nft_dispatch *d = &r->live->dispatch[r->live->n_dispatch++];
	*d = (struct wh_nft_dispatch){.pending = r->pending, .expires_ms = expires_ms(elem)};
	d->key = (struct wh_nft_key){.direction = r->direction,
	                             .proto = k[width],
	                             .port = (uint16_t)(k[width + 4] << 8 | k[width + 5]),
	                             .any = !width};
	if (r->kind == WH_NFT_V4)
		d->key.local = wh_addr_v4(0);
	memcpy(d->key.local.b + 16 - width, k, width);
	if (chain && mnl_attr_get_payload_len(chain) < sizeof d->chain)
		snprintf(d->chain, sizeof d->chain, "%.*s", (int)mnl_attr_get_payload_len(chain),
		         (const char *)mnl_attr_get_payload(chain));
	d->to_any = !strcmp(d->chain, r->direction == WH_INBOUND ? "input_any" : "output_any");
	if (d->to_any)
		d->chain[0] = 0;
}

static int dispatch_message(const struct nlmsghdr *h, void *arg)
{
	return each_element(h, dispatch_element, arg);
}

/* The name of an object of our table, cut to the longest that we use; every object carries its table as attribute 1. */
static bool name_of(const struct nlmsghdr *h, uint16_t name_attr, char out[static WH_NFT_NAME])
{
	const char *name = text_of(h, name_attr);
	if (!*name || strcmp(text_of(h, 1), WH_NFT_TABLE))
		return false;
	snprintf(out, WH_NFT_NAME, "%s", name);
	return true;
}

static struct wh_nft_chain *chain_of(struct reading *r, const char *name)
{
	struct wh_nft_live *l = r->live;
	for (size_t i = l->n_chains; i-- > 0;) /* rules are listed chain by chain */
		if (!strcmp(l->chains[i].name, name))
			return &l->chains[i];
	l->chains = wh_arena_grown(r->mem, l->chains, l->n_chains, &r->room_chains, sizeof *l->chains);
	struct wh_nft_chain *c = &l->chains[l->n_chains++];
	*c = (struct wh_nft_chain){.rules = wh_arena_strdup(r->mem, "")};
	snprintf(c->name, sizeof c->name, "%s", name);
	return c;
}

static int chain_message(const struct nlmsghdr *h, void *arg)
{
	char name[WH_NFT_NAME];
	if (!name_of(h, NFTA_CHAIN_NAME, name))
		return MNL_CB_OK;
	struct wh_nft_chain *c = chain_of(arg, name);
	const struct nlattr *hook = attr(h, NFTA_CHAIN_HOOK);
	if (hook) {
		c->hooked = true;
		c->hook = number(nested(hook, NFTA_HOOK_HOOKNUM));
		c->priority = (int32_t)number(nested(hook, NFTA_HOOK_PRIORITY));
		c->policy = number(attr(h, NFTA_CHAIN_POLICY));
	}
	return MNL_CB_OK;
}

static int rule_message(const struct nlmsghdr *h, void *arg)
{
	struct reading *r = arg;
	char name[WH_NFT_NAME];
	struct nftnl_rule *rule = nftnl_rule_alloc();
	if (rule && name_of(h, NFTA_RULE_CHAIN, name)) {
		struct wh_nft_chain *c = chain_of(r, name);
		/* a rule that can't be read is not ours */
		char *text = nftnl_rule_nlmsg_parse(h, rule) >= 0 ? wh_rule_text(rule) : NULL;
		const char *more = text ? text : "[unreadable]\n";
		size_t len = strlen(c->rules), also = strlen(more) + 1;
		char *all = wh_arena_alloc(r->mem, len + also);
		memcpy(all, c->rules, len);
		memcpy(all + len, more, also);
		c->rules = all;
		free(text);
		wh_nft_count_rule(rule, c);
	}
	nftnl_rule_free(rule);
	return MNL_CB_OK;
}

static int set_message(const struct nlmsghdr *h, void *arg)
{
	struct reading *r = arg;
	char name[WH_NFT_NAME];
	if (!name_of(h, NFTA_SET_NAME, name))
		return MNL_CB_OK;
	r->live->sets = wh_arena_grown(r->mem, r->live->sets, r->live->n_sets, &r->room_sets, WH_NFT_NAME);
	memcpy(r->live->sets[r->live->n_sets++], name, WH_NFT_NAME);
	return MNL_CB_OK;
}

static int table_message(const struct nlmsghdr *h, void *arg)
{
	struct wh_nft_live *l = arg;
	l->dormant = number(attr(h, NFTA_TABLE_FLAGS)) & NFT_TABLE_F_DORMANT;
	return MNL_CB_OK;
}

static int read_once(struct wh_nl *nl, struct wh_arena *mem, struct wh_nft_live *out)
{
	struct reading r = {.mem = mem, .live = out};
	char map[WH_NFT_NAME];
	memset(out, 0, sizeof *out);
	int rc = wh_nl_dump(nl, NFT_MSG_GETTABLE, NLM_F_ACK, WH_NFT_TABLE, NULL, table_message, out);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	out->present = true;
	for (int i = 0; i < 4 * WH_NFT_KINDS && !rc; i++) {
		r.direction = (enum wh_direction)(i & 1);
		r.pending = i & 2;
		r.kind = (enum wh_nft_kind)(i / 4);
		wh_nft_map_name(map, r.direction, r.pending, r.kind);
		rc = wh_nl_dump(nl, NFT_MSG_GETSETELEM, NLM_F_DUMP, WH_NFT_TABLE, map, dispatch_message, &r);
		if (rc == -ENOENT)
			rc = 0;
	}
	if (!rc)
		rc = wh_nl_dump(nl, NFT_MSG_GETCHAIN, NLM_F_DUMP, NULL, NULL, chain_message, &r);
	if (!rc)
		rc = wh_nl_dump(nl, NFT_MSG_GETRULE, NLM_F_DUMP, WH_NFT_TABLE, NULL, rule_message, &r);
	if (!rc)
		rc = wh_nl_dump(nl, NFT_MSG_GETSET, NLM_F_DUMP, WH_NFT_TABLE, NULL, set_message, &r);
	return rc;
}

int wh_nft_live(struct wh_nl *nl, struct wh_arena *mem, struct wh_nft_live *out, struct wh_error *err)
{
	int rc = -EAGAIN;
	for (int tries = 0; tries < 20 && rc == -EAGAIN; tries++) /* the ruleset changed during the dump: read again */
		rc = read_once(nl, mem, out);
	return rc ? wh_fail(err, rc, "whittle's table can't be read: %s%s", strerror(-rc), rc == -EPERM ? ": run as root" : "")
	          : 0;
}

/* The number of ports that are narrowed now: all addresses of one lead to one chain. */
static size_t narrowed(const struct wh_nft_live *l, struct wh_arena *mem)
{
	const char **chains = wh_arena_array(mem, l->n_dispatch + 1, sizeof *chains);
	size_t n = 0;
	for (size_t i = 0; i < l->n_dispatch; i++) {
		const struct wh_nft_dispatch *d = &l->dispatch[i];
		bool counted = !d->chain[0] || wh_nft_decides(l, &d->key) != d;
		for (size_t k = 0; k < n && !counted; k++)
			counted = !strcmp(chains[k], d->chain);
		if (!counted)
			chains[n++] = d->chain;
	}
	return n;
}

int wh_nft_state(struct wh_nft_state *out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_live live = {0};
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
		for (size_t i = 0; i < live.n_dispatch; i++) {
			const struct wh_nft_dispatch *d = &live.dispatch[i];
			pending |= d->pending;
			out->lasting |= !d->pending;
			if (d->pending && (!out->expires_in_ms || d->expires_ms < out->expires_in_ms))
				out->expires_in_ms = d->expires_ms;
		}
		out->ports = narrowed(&live, mem);
		out->confirmed = !pending && out->ports;
	}
	wh_arena_free(mem);
	return rc;
}
