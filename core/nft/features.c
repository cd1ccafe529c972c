/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests the required kernel features one by one: transactions without a commit, which the kernel checks and then discards, as
 * `nft -c` sends them. Nothing is changed, but the kernel may load a module.
 */
#include <stdio.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>
#include "nft/table.h"

#define TRIAL "whittle_trial"

static void table(struct wh_batch *b)
{
	struct nlmsghdr *h = wh_batch_msg(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, 256, "a table");
	if (!h)
		return;
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, WH_NFT_TABLE);
	wh_batch_done(b, h);
}

static void input_hook(struct wh_batch *b)
{
	table(b);
	wh_put_chain(b, TRIAL, NF_INET_LOCAL_IN);
}

static void output_hook(struct wh_batch *b)
{
	table(b);
	wh_put_chain(b, TRIAL, NF_INET_LOCAL_OUT);
}

static void forward_hook(struct wh_batch *b)
{
	table(b);
	wh_put_chain(b, TRIAL, NF_INET_FORWARD);
}

/* Maps are created under names of their own, in a transaction that is never committed. */
static void timed_map(struct wh_batch *b, const char *local)
{
	struct wh_nft_key k = {.proto = WH_PROTO_TCP, .port = 22, .any = !local};
	char map[WH_NFT_NAME];
	if (local)
		wh_addr_parse(local, strlen(local), &k.local);
	table(b);
	wh_nft_map_name(map, WH_INBOUND, true, wh_nft_kind_of(&k));
	wh_put_map(b, map, wh_nft_kind_of(&k));
	if (local) /* where an element leads that does not accept */
		wh_put_chain(b, "input_any", -1);
	wh_put_dispatch(b, &k, NULL, 1000);
}

static void timed_ports(struct wh_batch *b)
{
	timed_map(b, NULL);
}

static void timed_addresses(struct wh_batch *b)
{
	timed_map(b, "2001:db8::4");
}

static void interval_set(struct wh_batch *b, bool v6)
{
	struct wh_span s = {v6 ? wh_prefix_all_v6.addr : wh_prefix_all_v4.addr, {{0}}};
	s.last = s.first;
	s.last.b[15] = 7;
	table(b);
	wh_put_interval_set(b, TRIAL, v6);
	wh_put_spans(b, TRIAL, &s, 1, v6, false);
}

static void interval_set_v4(struct wh_batch *b)
{
	interval_set(b, false);
}

static void interval_set_v6(struct wh_batch *b)
{
	interval_set(b, true);
}

/* One of our own rules that uses an expression: the first one of a base or a port chain. */
static void rule_with(struct wh_batch *b, const char *kind)
{
	struct wh_nft_port port = {.proto = WH_PROTO_TCP, .port = 22};
	struct wh_chain_spec spec = {.name = TRIAL, .port = &port, .nflog_group = WH_NFLOG_GROUP};
	struct wh_rules rules[2], one = {0};
	char want[32];
	table(b);
	wh_put_chain(b, TRIAL, -1);
	memset(&rules[0], 0, sizeof rules[0]);
	for (int i = 0; i < WH_NFT_N_FIXED; i++)
		if (wh_nft_fixed[i].hook == NF_INET_LOCAL_IN)
			wh_nft_fixed[i].rules(&rules[0]);
	wh_rules_of_port(&spec, &rules[1]);
	snprintf(want, sizeof want, "[%s ", kind);
	for (int i = 0; i < 2; i++) {
		for (size_t k = 0; k < rules[i].n && !one.n; k++) {
			char *text = wh_rule_text(rules[i].r[k]);
			if (text && strstr(text, want) && !strstr(text, "[lookup ")) {
				nftnl_rule_set_str(rules[i].r[k], NFTNL_RULE_CHAIN, TRIAL);
				one = (struct wh_rules){.r = &rules[i].r[k], .n = 1};
			}
			free(text);
		}
	}
	for (size_t k = 0; k < one.n; k++) {
		struct nlmsghdr *h = wh_batch_msg(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, 4096, kind);
		if (h) {
			nftnl_rule_nlmsg_build_payload(h, one.r[k]);
			wh_batch_done(b, h);
		}
	}
	wh_rules_free(&rules[0]);
	wh_rules_free(&rules[1]);
}

static void established(struct wh_batch *b)
{
	rule_with(b, "ct");
}

static void log_group(struct wh_batch *b)
{
	rule_with(b, "log");
}

static void transport(struct wh_batch *b)
{
	rule_with(b, "payload");
}

static const struct feature {
	const char *name, *module;
	void (*build)(struct wh_batch *b);
} features[] = {
	{"tables of the family inet", "nf_tables, nf_tables_inet", table},
	{"chains at the input hook", "nf_tables_inet", input_hook},
	{"chains at the output hook", "nf_tables_inet", output_hook},
	{"chains at the forward hook", "nf_tables_inet", forward_hook},
	{"verdict maps whose elements expire", "nft_set_hash", timed_ports},
	{"verdict maps of addresses and ports", "nft_set_hash", timed_addresses},
	{"sets of IPv4 intervals", "nft_set_rbtree", interval_set_v4},
	{"sets of IPv6 intervals", "nft_set_rbtree", interval_set_v6},
	{"connection tracking", "nft_ct, nf_conntrack", established},
	{"ports and flags of packets", "nf_tables", transport},
	{"logging to a group", "nft_log, nfnetlink_log", log_group},
};

static void answer(struct wh_batch *b)
{
	struct wh_prefix all = wh_prefix_all_v4;
	struct wh_nft_reject reject = {.v4 = &all, .n_v4 = 1};
	struct wh_nft_port port = {.proto = WH_PROTO_TCP, .port = 22};
	struct wh_chain_spec spec = {.name = TRIAL, .port = &port, .reject = &reject, .nflog_group = WH_NFLOG_GROUP};
	struct wh_rules rules;
	table(b);
	wh_put_chain(b, TRIAL, -1);
	wh_rules_of_port(&spec, &rules);
	wh_put_rules(b, &rules);
}

bool wh_nft_can_reject(void)
{
	struct wh_nl *nl;
	struct wh_batch b;
	if (wh_nl_open(&nl, NULL))
		return false;
	wh_batch_begin(&b, 0);
	answer(&b);
	int rc = wh_nl_try(nl, &b, NULL);
	wh_batch_free(&b);
	wh_nl_close(nl);
	return !rc;
}

int wh_nft_missing_features(char *what, size_t size, struct wh_error *err)
{
	struct wh_nl *nl;
	size_t used = 0;
	int missing = 0, rc = wh_nl_open(&nl, err);
	what[0] = 0;
	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof features / sizeof *features && !rc; i++) {
		struct wh_batch b;
		struct wh_error why = {.text = ""};
		wh_batch_begin(&b, 0);
		features[i].build(&b);
		int said = wh_nl_try(nl, &b, &why);
		wh_batch_free(&b);
		if (said == -EPERM || said == -ENOMEM || said == -ETIMEDOUT)
			rc = wh_fail(err, said, "%s", why.text);
		else if (said && (missing++, used < size))
			used += (size_t)snprintf(what + used, size - used, "%s%s (module %s)", missing > 1 ? ", " : "",
			                         features[i].name, features[i].module);
	}
	wh_nl_close(nl);
	return rc ? rc : missing;
}
