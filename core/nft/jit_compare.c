/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the table inet whittle_jit is still intact: its hook, its rules, and the ports that it should keep
 * closed. */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "nft/expr.h"
#include "nft/jit_table.h"
#include "nft/read.h"

struct chains {
	struct wh_arena *mem;
	const char *input, *ask;  /* rules as wh_rules_text() */
	bool strange, hooked, policy_accept, dormant;
};

static int one_table(const struct nlmsghdr *h, void *arg)
{
	struct chains *c = arg;
	c->dormant = number(attr(h, NFTA_TABLE_FLAGS)) & NFT_TABLE_F_DORMANT;
	return MNL_CB_OK;
}

static int one_chain(const struct nlmsghdr *h, void *arg)
{
	struct chains *c = arg;
	const char *name = text_of(h, NFTA_CHAIN_NAME);
	const struct nlattr *hook = attr(h, NFTA_CHAIN_HOOK);
	if (strcmp(text_of(h, NFTA_CHAIN_TABLE), WH_JIT_TABLE))
		return MNL_CB_OK;
	if (!strcmp(name, "input")) {
		c->hooked = hook && number(nested(hook, NFTA_HOOK_HOOKNUM)) == NF_INET_LOCAL_IN &&
		            (int32_t)number(nested(hook, NFTA_HOOK_PRIORITY)) == WH_JIT_PRIORITY;
		c->policy_accept = number(attr(h, NFTA_CHAIN_POLICY)) == NF_ACCEPT;
	} else {
		c->strange |= strcmp(name, "ask") != 0;
	}
	return MNL_CB_OK;
}

static int one_rule(const struct nlmsghdr *h, void *arg)
{
	struct chains *c = arg;
	const char *name = text_of(h, NFTA_RULE_CHAIN), **to = !strcmp(name, "input") ? &c->input
	                                                       : !strcmp(name, "ask") ? &c->ask
	                                                                              : NULL;
	struct nftnl_rule *rule = nftnl_rule_alloc();
	if (rule && to && !strcmp(text_of(h, NFTA_RULE_TABLE), WH_JIT_TABLE)) {
		char *text = nftnl_rule_nlmsg_parse(h, rule) >= 0 ? wh_rule_text(rule) : NULL;
		*to = wh_arena_printf(c->mem, "%s%s", *to, text ? text : "[unreadable]\n");
		free(text);
	}
	nftnl_rule_free(rule);
	return MNL_CB_OK;
}

static bool same_rules(struct wh_rules *want, const char *have)
{
	char *text = wh_rules_text(want);
	bool same = text && !strcmp(text, have);
	free(text);
	wh_rules_free(want);
	return same;
}

/* The difference of the table itself, or NULL. */
static int table_differs(struct wh_nl *nl, struct wh_arena *mem, const char **difference)
{
	struct chains c = {.mem = mem, .input = "", .ask = ""};
	struct wh_rules input, ask;
	*difference = NULL;
	int rc = wh_nl_dump(nl, NFT_MSG_GETTABLE, NLM_F_ACK, WH_JIT_TABLE, NULL, one_table, &c);
	if (!rc)
		rc = wh_nl_dump(nl, NFT_MSG_GETCHAIN, NLM_F_DUMP, NULL, NULL, one_chain, &c);
	if (!rc)
		rc = wh_nl_dump(nl, NFT_MSG_GETRULE, NLM_F_DUMP, WH_JIT_TABLE, NULL, one_rule, &c);
	wh_jit_rules(&input, &ask);
	bool same_input = same_rules(&input, c.input), same_ask = same_rules(&ask, c.ask);
	if (!rc && c.dormant)
		*difference = "the table inet " WH_JIT_TABLE " is dormant: it closes nothing";
	else if (!rc && !c.hooked)
		*difference = "the chain input of inet " WH_JIT_TABLE " is not at its hook";
	else if (!rc && !same_input)
		*difference = "the rules of the chain input of inet " WH_JIT_TABLE " were changed";
	else if (!rc && !same_ask)
		*difference = "the rules of the chain ask of inet " WH_JIT_TABLE " were changed";
	else if (!rc && !c.policy_accept)
		*difference = "the chain input of inet " WH_JIT_TABLE " drops what it does not name";
	else if (!rc && c.strange)
		*difference = "the table inet " WH_JIT_TABLE " has a chain that is not ours";
	return rc;
}

static int by_port(const void *a, const void *b)
{
	const struct wh_jit_port *x = a, *y = b;
	return x->port != y->port ? x->port - y->port : x->proto - y->proto;
}

const char *wh_jit_ports_text(const struct wh_jit_port *ports, size_t n, struct wh_arena *mem)
{
	struct wh_jit_port *sorted = wh_arena_array(mem, n + 1, sizeof *sorted);
	const char *text = "";
	for (size_t i = 0; i < n; i++)
		sorted[i] = ports[i];
	qsort(sorted, n, sizeof *sorted, by_port);
	for (size_t i = 0; i < n; i++)
		text = wh_arena_printf(mem, "%s%s%u/%s", text, i ? ", " : "", sorted[i].port,
		                       sorted[i].proto == WH_PROTO_UDP ? "udp" : "tcp");
	return text;
}

static int differs(struct wh_nl *nl, const struct wh_jit_port *ports, size_t n, struct wh_arena *mem, const char **difference,
                   struct wh_error *err)
{
	struct wh_jit_port *open = wh_arena_array(mem, n + 1, sizeof *open);
	struct wh_jit_live live;
	size_t n_open = 0;
	*difference = NULL;
	int rc = wh_jit_read(nl, mem, &live, err);
	if (rc == -ENOENT) {
		*difference = "a set or a map of the table inet " WH_JIT_TABLE " is not there";
		return 0;
	}
	for (size_t i = 0; i < n && !rc; i++) {
		bool held = false;
		for (size_t k = 0; k < live.n_closed; k++)
			held |= live.closed[k].asks && live.closed[k].port.proto == ports[i].proto &&
			        live.closed[k].port.port == ports[i].port;
		if (!held)
			open[n_open++] = ports[i];
	}
	if (!rc && n && !live.present)
		*difference = wh_arena_printf(mem, "the table inet " WH_JIT_TABLE " is not there: %s %s open",
		                              wh_jit_ports_text(ports, n, mem), n == 1 ? "is" : "are");
	else if (!rc && n_open)
		*difference = wh_arena_printf(mem, "%s %s open: just-in-time access should keep %s closed",
		                              wh_jit_ports_text(open, n_open, mem), n_open == 1 ? "is" : "are",
		                              n_open == 1 ? "it" : "them");
	else if (!rc && n)
		rc = table_differs(nl, mem, difference);
	return rc;
}

int wh_jit_nft_differs(const struct wh_jit_port *ports, size_t n, char **difference, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	const char *text = NULL;
	struct wh_nl *nl = NULL;
	*difference = NULL;
	int rc = wh_nl_open(&nl, err);
	if (!rc) {
		rc = -EAGAIN;
		for (int tries = 0; tries < 20 && rc == -EAGAIN; tries++) /* the ruleset changed during the dump */
			rc = differs(nl, ports, n, mem, &text, err);
		if (rc == -EAGAIN)
			wh_fail(err, rc,
			        "the table inet " WH_JIT_TABLE
			        " can't be read, because it keeps changing: run the command again");
		wh_nl_close(nl);
	}
	if (!rc && text)
		*difference = strdup(text);
	wh_arena_free(mem);
	return rc ? rc : text != NULL;
}
