/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "base/store_url.h"
#include "base/text.h"
#include "cli/apply.h"

enum { SHOWN = 3 };

/* Whether a command without --store finds this ledger, from any directory. */
static bool found_by_itself(const struct cli *c)
{
	if (c->config_path)
		return !strcmp(c->store_url, WH_DEFAULT_STORE) && !(c->config && c->config->ledger.store);
	return !strcmp(c->store_url, c->config && c->config->ledger.store ? c->config->ledger.store : WH_DEFAULT_STORE);
}

const char *cli_confirm_command(const struct cli *c)
{
	static char text[WH_SHELL_WORD + 64];
	char word[WH_SHELL_WORD];
	const char *path = wh_store_path(c->store_url);
	char whole[PATH_MAX];
	size_t n = (size_t)snprintf(text, sizeof text, "%swhittle confirm", getenv("SUDO_USER") ? "sudo " : "");
	if (found_by_itself(c))
		return text;
	if (realpath(path, whole))
		path = whole;
	snprintf(text + n, sizeof text - n, " --store %s", wh_shell_word(path, word));
	return text;
}

static void allowed(struct cli_table *t, const struct wh_nft_port *p)
{
	if (p->n_v4 + p->n_v6)
		cli_table_prefixes(t, p->v4, p->n_v4, p->v6, p->n_v6, SHOWN);
	else
		cli_table_text(t, "nobody");
}

void cli_print_rules(const struct wh_nft_ruleset *rs)
{
	bool twins = false;
	for (size_t i = 0; i < rs->n_ports; i++)
		twins |= rs->ports[i].twin > 0;
	struct cli_table *t = cli_table_new(twins ? "Direction|Port|Allowed|For" : "Direction|Port|Allowed");
	for (size_t i = 0; i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		char proto[8], addr[WH_ADDR_STRLEN];
		cli_table_text(t, wh_direction_text(p->direction));
		cli_table_cell(t, "%u/%s", p->port, wh_proto_text(p->proto, proto));
		allowed(t, p);
		if (twins)
			cli_table_cell(t, "%s%s", wh_addr_text(&p->locals[0], addr), p->n_locals > 1 ? " …" : "");
	}
	cli_table_print(t);
}

static const struct wh_replay_rule *replayed(const struct wh_replay *r, const struct wh_nft_port *p)
{
	for (size_t i = 0; r && i < r->n_rules; i++)
		if (r->rules[i].rule->port == p->port && r->rules[i].rule->proto == p->proto &&
		    r->rules[i].rule->direction == p->direction)
			return &r->rules[i];
	return NULL;
}

void cli_print_summary(const struct wh_nft_ruleset *rs, const struct wh_replay *replay)
{
	struct cli_table *t = cli_table_new("Port|Allowed|>Sure|Cut off");
	cli_table_begin_lines(t, "# ");
	for (size_t i = 0; i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		const struct wh_replay_rule *x = replayed(replay, p);
		char proto[8], lost[32], of[32];
		cli_table_cell(t, "%u/%s%s", p->port, wh_proto_text(p->proto, proto), p->direction == WH_OUTBOUND ? " out" : "");
		allowed(t, p);
		if (x && !x->rule->review)
			cli_table_cell(t, "%.0f %%", 100 * x->rule->confidence);
		else
			cli_table_text(t, x ? "by hand" : "");
		if (x && x->peers.kept + x->peers.lost)
			cli_table_cell(t, "%s of %s peers that belong", wh_number_text(x->peers.lost, lost),
			               wh_number_text(x->peers.kept + x->peers.lost, of));
		else
			cli_table_text(t, "no peer that belongs was seen");
	}
	cli_table_print(t);
}

void cli_print_coverage(const struct wh_covered *c, size_t n)
{
	struct cli_table *t = cli_table_new("Address|Interface|Judged");
	char addr[WH_ADDR_STRLEN];
	for (size_t i = 0; i < n; i++) {
		cli_table_text(t, wh_addr_text(&c[i].addr, addr));
		cli_table_text(t, c[i].interface);
		if (c[i].kind == WH_COVERED)
			cli_table_cell(t, "%zu rule%s", c[i].ports, c[i].ports == 1 ? "" : "s");
		else if (c[i].kind == WH_NO_RULE)
			cli_table_cell(t, "no: no rule is for %s", c[i].resource);
		else
			cli_table_text(t, c[i].kind == WH_NOTHING_LEARNED ? "no: nothing learned"
			                  : c[i].kind == WH_LINK_LOCAL    ? "no: link-local"
			                                                  : "no: no resource has it");
	}
	cli_table_print(t);
}

void cli_print_reject(const char *before, const struct wh_nft_reject *r)
{
	struct wh_arena *mem = wh_arena_new();
	const char *of = wh_nft_reject_text(r, mem);
	if (of && !strcmp(of, "all peers"))
		printf("%sRefused connections are answered (reject), not dropped.\n", before);
	else if (of)
		printf("%sRefused connections of %s are answered (reject); all others are dropped.\n", before, of);
	wh_arena_free(mem);
}
