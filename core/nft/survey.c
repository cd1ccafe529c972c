/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hash of each kind of object that other programs have in nf_tables, to show that nothing of it was changed. */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <string.h>
#include "net/netlink.h"
#include "nft/read.h"
#include "whittle/nft.h"

static const struct { const char *name; uint16_t get;
} kinds[WH_NFT_SURVEY_KINDS] = {
	[WH_NFT_TABLES] = {"tables", NFT_MSG_GETTABLE},
	[WH_NFT_CHAINS] = {"chains", NFT_MSG_GETCHAIN},
	[WH_NFT_RULES] = {"rules", NFT_MSG_GETRULE},
	[WH_NFT_SETS] = {"sets", NFT_MSG_GETSET},
	[WH_NFT_ELEMENTS] = {"elements of sets", NFT_MSG_GETSETELEM},
	[WH_NFT_OBJECTS] = {"objects", NFT_MSG_GETOBJ},
	[WH_NFT_FLOWTABLES] = {"flowtables", NFT_MSG_GETFLOWTABLE},
};

struct set_name { uint8_t family; char table[NFT_TABLE_MAXNAMELEN], set[NFT_SET_MAXNAMELEN]; };
struct survey {
	struct wh_arena *mem;
	enum wh_nft_survey_kind kind;
	struct wh_nft_survey *out;
	struct set_name *sets; size_t n_sets, room_sets; /* with elements that don't change by themselves */
};

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
	for (const uint8_t *b = p; n--; b++)
		h = (h ^ *b) * 1099511628211u;
	return h;
}

/* An expression that changes by itself is hashed by name only. */
static uint64_t mix_expressions(uint64_t h, const struct nlattr *list)
{
	static const char *const moving[] = {"counter", "quota", "limit", "last", "connlimit", NULL};
	const struct nlattr *e, *a;
	mnl_attr_for_each_nested(e, list) {
		bool moves = false;
		mnl_attr_for_each_nested(a, e) for (size_t i = 0; moving[i] && mnl_attr_get_type(a) == NFTA_EXPR_NAME; i++)
			moves |= mnl_attr_get_payload_len(a) == strlen(moving[i]) + 1 &&
		                 !memcmp(mnl_attr_get_payload(a), moving[i], strlen(moving[i]) + 1);
		mnl_attr_for_each_nested(a, e)
			if (!moves || mnl_attr_get_type(a) == NFTA_EXPR_NAME)
				h = mix(h, a, a->nla_len);
	}
	return h;
}

static uint64_t mix_elements(uint64_t h, const struct nlattr *list)
{
	const struct nlattr *e, *a;
	mnl_attr_for_each_nested(e, list) mnl_attr_for_each_nested(
		a, e) if (mnl_attr_get_type(a) == NFTA_SET_ELEM_KEY || mnl_attr_get_type(a) == NFTA_SET_ELEM_KEY_END ||
	                  mnl_attr_get_type(a) == NFTA_SET_ELEM_DATA || mnl_attr_get_type(a) == NFTA_SET_ELEM_FLAGS ||
	                  mnl_attr_get_type(a) == NFTA_SET_ELEM_USERDATA) h = mix(h, a, a->nla_len);
	return h;
}

static void remember_set(struct survey *s, const struct nlmsghdr *h, uint8_t family, const char *table)
{
	const struct nlattr *flags = attr(h, NFTA_SET_FLAGS);
	if (flags && mnl_attr_validate(flags, MNL_TYPE_U32) >= 0 &&
	    ntohl(mnl_attr_get_u32(flags)) & (NFT_SET_TIMEOUT | NFT_SET_EVAL))
		return;
	s->sets = wh_arena_grown(s->mem, s->sets, s->n_sets, &s->room_sets, sizeof *s->sets);
	struct set_name *name = &s->sets[s->n_sets++];
	name->family = family;
	snprintf(name->table, sizeof name->table, "%s", table);
	snprintf(name->set, sizeof name->set, "%s", text_of(h, NFTA_SET_NAME));
}

/* Attribute 1 is the table's name in every one of these messages. */
static int one(const struct nlmsghdr *h, void *arg)
{
	struct survey *s = arg;
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(h);
	const char *table = text_of(h, NFTA_TABLE_NAME);
	const struct nlattr *a;
	uint64_t *x = &s->out->hash[s->kind];
	if (g->nfgen_family == NFPROTO_INET && (!strcmp(table, WH_NFT_TABLE) || !strcmp(table, WH_JIT_TABLE)))
		return MNL_CB_OK;
	s->out->n[s->kind]++;
	*x = mix(*x, &g->nfgen_family, 1);
	mnl_attr_for_each(a, h, sizeof *g) {
		uint16_t type = mnl_attr_get_type(a);
		/* the attributes after NFTA_SET_EXPRESSIONS count a set's elements, which changes without any
		 * program */
		if ((s->kind == WH_NFT_SETS && type > NFTA_SET_EXPRESSIONS) ||
		    (s->kind == WH_NFT_CHAINS && type == NFTA_CHAIN_COUNTERS) ||
		    (s->kind == WH_NFT_OBJECTS && type == NFTA_OBJ_DATA))
			continue;
		if (s->kind == WH_NFT_RULES && type == NFTA_RULE_EXPRESSIONS)
			*x = mix_expressions(*x, a);
		else if (s->kind == WH_NFT_ELEMENTS && type == NFTA_SET_ELEM_LIST_ELEMENTS)
			*x = mix_elements(*x, a);
		else
			*x = mix(*x, a, a->nla_len);
	}
	if (s->kind == WH_NFT_SETS)
		remember_set(s, h, g->nfgen_family, table);
	return MNL_CB_OK;
}

static int dump(struct wh_nl *nl, struct survey *s, const struct set_name *set)
{
	return wh_nl_dump_of(nl, set ? set->family : NFPROTO_UNSPEC, kinds[s->kind].get, NLM_F_DUMP, set ? set->table : NULL,
	                     set ? set->set : NULL, one, s);
}

static int survey_once(struct wh_nl *nl, struct survey *s)
{
	int rc = 0;
	*s->out = (struct wh_nft_survey){.n = {0}};
	s->n_sets = 0;
	for (int k = 0; k < WH_NFT_SURVEY_KINDS && !rc; k++) {
		s->kind = (enum wh_nft_survey_kind)k;
		if (k != WH_NFT_ELEMENTS)
			rc = dump(nl, s, NULL);
		for (size_t i = 0; k == WH_NFT_ELEMENTS && i < s->n_sets && !rc; i++)
			rc = dump(nl, s, &s->sets[i]);
		if (k >= WH_NFT_OBJECTS && (rc == -EOPNOTSUPP || rc == -EINVAL))
			rc = 0; /* a kernel without this kind has no such objects */
	}
	return rc;
}

int wh_nft_survey(struct wh_nft_survey *out, struct wh_error *err)
{
	struct survey s = {.mem = wh_arena_new(), .out = out};
	struct wh_nl *nl;
	int rc = wh_nl_open(&nl, err);
	if (!rc) {
		rc = -EAGAIN;
		for (int tries = 0; tries < 20 && rc == -EAGAIN; tries++)
			rc = survey_once(nl, &s);
		wh_nl_close(nl);
		rc = rc ? wh_fail(err, rc, "the other tables can't be read: %s", strerror(-rc)) : 0;
	}
	wh_arena_free(s.mem);
	return rc;
}

const char *wh_nft_surveys_differ(const struct wh_nft_survey *a, const struct wh_nft_survey *b)
{
	for (int k = 0; k < WH_NFT_SURVEY_KINDS; k++)
		if (a->hash[k] != b->hash[k] || a->n[k] != b->n[k])
			return kinds[k].name;
	return NULL;
}
