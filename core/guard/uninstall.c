/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking everything of ours away, and showing that nothing else was touched. */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "enforce/nft.h"
#include "net/nft_read.h"
#include "whittle/persist.h"

#define JIT_TABLE "whittle_jit"

/* ---- what others have, as one number a kind ---- */

enum kind { TABLES, CHAINS, RULES, SETS, ELEMENTS, OBJECTS, FLOWTABLES, KINDS };
static const struct { const char *name; uint16_t get; } kinds[KINDS] = {
	[TABLES] = {"tables", NFT_MSG_GETTABLE}, [CHAINS] = {"chains", NFT_MSG_GETCHAIN}, [RULES] = {"rules", NFT_MSG_GETRULE}, [SETS] = {"sets", NFT_MSG_GETSET},
	[ELEMENTS] = {"elements of sets", NFT_MSG_GETSETELEM}, [OBJECTS] = {"objects", NFT_MSG_GETOBJ}, [FLOWTABLES] = {"flowtables", NFT_MSG_GETFLOWTABLE},
};

struct set_name { uint8_t family; char table[NFT_TABLE_MAXNAMELEN], set[NFT_SET_MAXNAMELEN]; };
struct survey {
	struct wh_arena *mem;
	enum kind kind;
	uint64_t hash[KINDS];
	size_t n[KINDS];
	struct set_name *sets; size_t n_sets, room_sets; /* whose elements don't move by themselves */
};

static uint64_t fold(uint64_t h, const void *p, size_t n)
{
	for (const uint8_t *b = p; n--; b++)
		h = (h ^ *b) * 1099511628211u;
	return h;
}

static const char *text_of(const struct nlmsghdr *h, uint16_t type)
{
	const struct nlattr *a = attr(h, type);
	return a && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(a) : "";
}

/* What moves by itself is folded in by its name alone. */
static uint64_t fold_expressions(uint64_t h, const struct nlattr *list)
{
	static const char *const moving[] = {"counter", "quota", "limit", "last", "connlimit", NULL};
	const struct nlattr *e, *a;
	mnl_attr_for_each_nested(e, list) {
		bool moves = false;
		mnl_attr_for_each_nested(a, e)
			for (size_t i = 0; moving[i] && mnl_attr_get_type(a) == NFTA_EXPR_NAME; i++)
				moves |= mnl_attr_get_payload_len(a) == strlen(moving[i]) + 1 && !memcmp(mnl_attr_get_payload(a), moving[i], strlen(moving[i]) + 1);
		mnl_attr_for_each_nested(a, e)
			if (!moves || mnl_attr_get_type(a) == NFTA_EXPR_NAME)
				h = fold(h, a, a->nla_len);
	}
	return h;
}

static uint64_t fold_elements(uint64_t h, const struct nlattr *list)
{
	const struct nlattr *e, *a;
	mnl_attr_for_each_nested(e, list)
		mnl_attr_for_each_nested(a, e)
			if (mnl_attr_get_type(a) == NFTA_SET_ELEM_KEY || mnl_attr_get_type(a) == NFTA_SET_ELEM_KEY_END || mnl_attr_get_type(a) == NFTA_SET_ELEM_DATA ||
			    mnl_attr_get_type(a) == NFTA_SET_ELEM_FLAGS || mnl_attr_get_type(a) == NFTA_SET_ELEM_USERDATA)
				h = fold(h, a, a->nla_len);
	return h;
}

static void remember_set(struct survey *s, const struct nlmsghdr *h, uint8_t family, const char *table)
{
	const struct nlattr *flags = attr(h, NFTA_SET_FLAGS);
	if (flags && mnl_attr_validate(flags, MNL_TYPE_U32) >= 0 && ntohl(mnl_attr_get_u32(flags)) & (NFT_SET_TIMEOUT | NFT_SET_EVAL))
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
	uint64_t *x = &s->hash[s->kind];
	if (g->nfgen_family == NFPROTO_INET && (!strcmp(table, WH_NFT_TABLE) || !strcmp(table, JIT_TABLE)))
		return MNL_CB_OK;
	s->n[s->kind]++;
	*x = fold(*x, &g->nfgen_family, 1);
	mnl_attr_for_each(a, h, sizeof *g) {
		uint16_t type = mnl_attr_get_type(a);
		/* the attributes after NFTA_SET_EXPRESSIONS tell how many elements a set has now, which those of others may do by themselves */
		if ((s->kind == SETS && type > NFTA_SET_EXPRESSIONS) || (s->kind == CHAINS && type == NFTA_CHAIN_COUNTERS) || (s->kind == OBJECTS && type == NFTA_OBJ_DATA))
			continue;
		if (s->kind == RULES && type == NFTA_RULE_EXPRESSIONS)
			*x = fold_expressions(*x, a);
		else if (s->kind == ELEMENTS && type == NFTA_SET_ELEM_LIST_ELEMENTS)
			*x = fold_elements(*x, a);
		else
			*x = fold(*x, a, a->nla_len);
	}
	if (s->kind == SETS)
		remember_set(s, h, g->nfgen_family, table);
	return MNL_CB_OK;
}

static int dump(struct wh_nl *nl, struct survey *s, const struct set_name *set)
{
	return wh_nl_dump_of(nl, set ? set->family : NFPROTO_UNSPEC, kinds[s->kind].get, NLM_F_DUMP, set ? set->table : NULL, set ? set->set : NULL, one, s);
}

static int survey_once(struct wh_nl *nl, struct survey *s)
{
	int rc = 0;
	memset(s->hash, 0, sizeof s->hash);
	memset(s->n, 0, sizeof s->n);
	s->n_sets = 0;
	for (int k = 0; k < KINDS && !rc; k++) {
		s->kind = (enum kind)k;
		if (k != ELEMENTS)
			rc = dump(nl, s, NULL);
		for (size_t i = 0; k == ELEMENTS && i < s->n_sets && !rc; i++)
			rc = dump(nl, s, &s->sets[i]);
		if (k >= OBJECTS && (rc == -EOPNOTSUPP || rc == -EINVAL))
			rc = 0; /* a kernel without them has none */
	}
	return rc;
}

static int survey(struct survey *s, struct wh_error *err)
{
	struct wh_nl *nl;
	int rc = wh_nl_open(&nl, err);
	if (rc)
		return rc;
	rc = -EAGAIN;
	for (int tries = 0; tries < 20 && rc == -EAGAIN; tries++)
		rc = survey_once(nl, s);
	wh_nl_close(nl);
	return rc ? wh_fail(err, rc, "the other tables can't be read: %s", strerror(-rc)) : 0;
}

/* ---- away ---- */

static int present(struct wh_uninstalled *out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_state st;
	struct wh_jit_live live;
	int rc = wh_nft_state(&st, err);
	if (!rc)
		out->rules = st.present;
	if (!rc && !(rc = wh_jit_nft_live(mem, &live, err)))
		out->jit = live.present;
	wh_arena_free(mem);
	return rc;
}

int wh_uninstall(const char *dir, bool verify, struct wh_uninstalled *out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct survey before = {.mem = mem}, after = {.mem = mem};
	struct wh_error ignored;
	memset(out, 0, sizeof *out);
	if (present(out, &ignored)) /* somebody changed our tables so that they can't be read: they go all the same */
		out->rules = out->jit = false;
	int rc = verify ? survey(&before, err) : 0;
	if (!rc) /* the files first: what is killed half-way must not come back with the next start */
		rc = wh_persist_forget(dir, true, true, &out->files, err);
	if (!rc)
		rc = wh_nft_rollback(err);
	if (!rc)
		rc = wh_jit_nft_off(err);
	if (!rc && verify)
		rc = survey(&after, err);
	if (!rc && verify) {
		out->verified = true;
		out->others = before.n[TABLES];
		for (int k = 0; k < KINDS && !*out->differs; k++)
			if (before.hash[k] != after.hash[k] || before.n[k] != after.n[k])
				snprintf(out->differs, sizeof out->differs, "%s", kinds[k].name);
	}
	wh_arena_free(mem);
	return rc;
}
