/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel holds of our table, read independently of what was sent. */
#include <arpa/inet.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include "enforce/nft.h"
#include "net/nft_read.h"

struct reading {
	struct wh_arena *mem;
	struct wh_nft_live *live;
	size_t room_dispatch, room_chains, room_sets;
	enum wh_direction direction;
	bool pending;
};

void wh_nft_map_name(char out[static WH_NFT_NAME], enum wh_direction d, bool pending)
{
	snprintf(out, WH_NFT_NAME, "%s_%s", d == WH_INBOUND ? "input" : "output", pending ? "pending" : "ports");
}

bool wh_nft_name_is_ours(const char *name)
{
	static const char *const own[] = {"input", "output", "input_pending", "input_ports", "output_pending", "output_ports"};
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (!strcmp(name, own[i]))
			return true;
	return name[0] >= 'a' && name[0] <= 'c' && (!strncmp(name + 1, "_input_", 7) || !strncmp(name + 1, "_output_", 8));
}

const struct wh_nft_dispatch *wh_nft_dispatched(const struct wh_nft_live *l, enum wh_direction d, uint8_t proto, uint16_t port, bool pending)
{
	for (size_t i = 0; i < l->n_dispatch; i++) {
		const struct wh_nft_dispatch *x = &l->dispatch[i];
		if (x->pending == pending && x->direction == d && x->proto == proto && x->port == port)
			return x;
	}
	return NULL;
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
	if (!value || mnl_attr_get_payload_len(value) < 6)
		return;
	const uint8_t *k = mnl_attr_get_payload(value);
	r->live->dispatch = grown(r->mem, r->live->dispatch, r->live->n_dispatch, &r->room_dispatch, sizeof *r->live->dispatch);
	struct wh_nft_dispatch *d = &r->live->dispatch[r->live->n_dispatch++];
	*d = (struct wh_nft_dispatch){.proto = k[0], .port = (uint16_t)(k[4] << 8 | k[5]), .direction = r->direction, .pending = r->pending,
	                              .expires_ms = expires_ms(elem)};
	if (chain && mnl_attr_get_payload_len(chain) < sizeof d->chain)
		snprintf(d->chain, sizeof d->chain, "%.*s", (int)mnl_attr_get_payload_len(chain), (const char *)mnl_attr_get_payload(chain));
}

static int dispatch_message(const struct nlmsghdr *h, void *arg)
{
	return each_element(h, dispatch_element, arg);
}

static const char *string(const struct nlattr *a)
{
	return a && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(a) : NULL;
}

static uint32_t number(const struct nlattr *a)
{
	return a && mnl_attr_get_payload_len(a) == 4 ? ntohl(mnl_attr_get_u32(a)) : 0;
}

/* The name of an object of our table, cut to what we ever use; every object carries its table as attribute 1. */
static bool name_of(const struct nlmsghdr *h, uint16_t name_attr, char out[static WH_NFT_NAME])
{
	const char *table = string(attr(h, 1)), *name = string(attr(h, name_attr));
	if (!table || !name || strcmp(table, WH_NFT_TABLE))
		return false;
	snprintf(out, WH_NFT_NAME, "%s", name);
	return true;
}

static struct wh_nft_chain *chain_of(struct reading *r, const char *name)
{
	struct wh_nft_live *l = r->live;
	for (size_t i = l->n_chains; i-- > 0;) /* rules come chain by chain */
		if (!strcmp(l->chains[i].name, name))
			return &l->chains[i];
	l->chains = grown(r->mem, l->chains, l->n_chains, &r->room_chains, sizeof *l->chains);
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
		char *text = nftnl_rule_nlmsg_parse(h, rule) >= 0 ? wh_rule_text(rule) : NULL; /* what can't be read is no rule of ours */
		c->rules = wh_arena_printf(r->mem, "%s%s", c->rules, text ? text : "[unreadable]\n");
		free(text);
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
	r->live->sets = grown(r->mem, r->live->sets, r->live->n_sets, &r->room_sets, WH_NFT_NAME);
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
	for (int d = 0; d < 2 && !rc; d++)
		for (int p = 0; p < 2 && !rc; p++) {
			r.direction = (enum wh_direction)d;
			r.pending = p;
			wh_nft_map_name(map, r.direction, r.pending);
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
	for (int tries = 0; tries < 20 && rc == -EAGAIN; tries++) /* somebody changed the ruleset under the dump: read again */
		rc = read_once(nl, mem, out);
	return rc ? wh_fail(err, rc, "our table can't be read: %s", strerror(-rc)) : 0;
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
			/* a pending element stands before the confirmed one of its port */
			out->ports += d->chain[0] && (d->pending || !wh_nft_dispatched(&live, d->direction, d->proto, d->port, true));
			if (d->pending && (!out->expires_in_ms || d->expires_ms < out->expires_in_ms))
				out->expires_in_ms = d->expires_ms;
		}
		out->confirmed = !pending && out->ports;
	}
	wh_arena_free(mem);
	return rc;
}
