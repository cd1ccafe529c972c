/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <string.h>
#include "net/netlink.h"
#include "nft/read.h"
#include "nft/view.h"
#include "whittle/nft.h"

enum { MOST_ELEMENTS = 65536 };

struct table { uint8_t family; const char *name; };
enum which {
	BEFORE_ROUTING /* other programs' tables with a chain there */,
	LIVE /* all IP tables, and those of devices */,
	PRESENT /* others' */,
	OURS /* inet whittle */
};
struct reading {
	struct wh_nft_view *v;
	enum which which;
	struct table *tables; size_t n, room;
};

static uint8_t family_of(const struct nlmsghdr *h)
{
	return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(h))->nfgen_family;
}

static const struct table *find(const struct reading *r, uint8_t family, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->tables[i].family == family && !strcmp(r->tables[i].name, name))
			return &r->tables[i];
	return NULL;
}

/* The wanted tables: each has a chain at a hook. */
static int find_table(const struct nlmsghdr *h, void *arg)
{
	struct reading *r = arg;
	uint8_t family = family_of(h);
	const char *name = text_of(h, NFTA_CHAIN_TABLE);
	const struct nlattr *hook = attr(h, NFTA_CHAIN_HOOK);
	bool ours = family == NFPROTO_INET && (!strcmp(name, WH_NFT_TABLE) || !strcmp(name, WH_JIT_TABLE));
	bool elsewhere = r->which == BEFORE_ROUTING && number(nested(hook, NFTA_HOOK_HOOKNUM)) != NF_INET_PRE_ROUTING;
	bool rules = family == NFPROTO_INET && !strcmp(name, WH_NFT_TABLE);
	if (!hook || (r->which == OURS ? !rules : r->which != LIVE && ours) || elsewhere || find(r, family, name) ||
	    (family != NFPROTO_INET && family != NFPROTO_IPV4 && family != NFPROTO_IPV6 &&
	     (family != NFPROTO_NETDEV || r->which != LIVE)))
		return MNL_CB_OK;
	r->tables = wh_arena_grown(r->v->mem, r->tables, r->n, &r->room, sizeof *r->tables);
	r->tables[r->n++] = (struct table){family, wh_arena_strdup(r->v->mem, name)};
	return MNL_CB_OK;
}

/* Dumps of chains and sets cover all tables of a family. Attribute 1 is the table's name in each of these messages. */
static int take(const struct nlmsghdr *h, void *arg)
{
	struct reading *r = arg;
	if (find(r, family_of(h), text_of(h, NFTA_TABLE_NAME)))
		wh_nft_view_take(r->v, h);
	return MNL_CB_OK;
}

struct filling { struct wh_nft_view *v; struct wh_nft_view_set *set; };

static int take_elements(const struct nlmsghdr *h, void *arg)
{
	struct filling *f = arg;
	if (f->set->n < MOST_ELEMENTS)
		wh_nft_view_take(f->v, h);
	else
		f->set->odd = true;
	return MNL_CB_OK;
}

static int read_once(struct wh_nl *nl, struct reading *r)
{
	int rc = wh_nl_dump_of(nl, NFPROTO_UNSPEC, NFT_MSG_GETCHAIN, NLM_F_DUMP, NULL, NULL, find_table, r);
	rc = rc || !r->n ? rc : wh_nl_dump_of(nl, NFPROTO_UNSPEC, NFT_MSG_GETTABLE, NLM_F_DUMP, NULL, NULL, take, r);
	rc = rc || !r->n ? rc : wh_nl_dump_of(nl, NFPROTO_UNSPEC, NFT_MSG_GETCHAIN, NLM_F_DUMP, NULL, NULL, take, r);
	rc = rc || !r->n ? rc : wh_nl_dump_of(nl, NFPROTO_UNSPEC, NFT_MSG_GETSET, NLM_F_DUMP, NULL, NULL, take, r);
	for (size_t i = 0; i < r->v->n_sets && !rc; i++) {
		struct wh_nft_view_set *s = &r->v->sets[i];
		rc = wh_nl_dump_of(nl, s->family, NFT_MSG_GETSETELEM, NLM_F_DUMP, s->table, s->name, take_elements,
		                   &(struct filling){r->v, s});
	}
	for (size_t i = 0; i < r->n && !rc; i++)
		rc = wh_nl_dump_of(nl, r->tables[i].family, NFT_MSG_GETRULE, NLM_F_DUMP, r->tables[i].name, NULL, take, r);
	return rc;
}

/* Dumps are separate requests: together they are consistent only if the ruleset's generation stays the same throughout. */
static int read_whole(struct wh_nl *nl, struct wh_arena *mem, enum which which, struct wh_nft_view *out)
{
	struct wh_error ignored;
	int rc = -EAGAIN;
	for (int tries = 0; tries < 20 && rc == -EAGAIN; tries++) {
		struct reading r = {.v = out, .which = which};
		uint32_t generation = wh_nl_generation(nl, &ignored);
		*out = (struct wh_nft_view){.mem = mem, .lasting = which == PRESENT || which == OURS};
		rc = read_once(nl, &r);
		if (!rc && which != BEFORE_ROUTING && wh_nl_generation(nl, &ignored) != generation)
			rc = -EAGAIN;
		if (rc)
			wh_nft_view_free(out);
	}
	return rc;
}

static int read_now(enum which which, struct wh_arena *mem, struct wh_nft_view *out, struct wh_error *err)
{
	struct wh_nl *nl;
	int rc = wh_nl_open(&nl, err);
	if (rc)
		return rc;
	rc = read_whole(nl, mem, which, out);
	wh_nl_close(nl);
	return rc ? wh_fail(err, rc, "the rules of this machine can't be read: %s", strerror(-rc)) : 0;
}

int wh_nft_view_before_routing(struct wh_arena *mem, struct wh_nft_view *out, struct wh_error *err)
{
	return read_now(BEFORE_ROUTING, mem, out, err);
}

int wh_nft_view_live(struct wh_arena *mem, struct wh_nft_view *out, struct wh_error *err)
{
	return read_now(LIVE, mem, out, err);
}

int wh_nft_view_present(struct wh_arena *mem, struct wh_nft_view *out, struct wh_error *err)
{
	return read_now(PRESENT, mem, out, err);
}

int wh_nft_view_ours(struct wh_arena *mem, struct wh_nft_view *out, struct wh_error *err)
{
	return read_now(OURS, mem, out, err);
}
