/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/own_rules.h"
#include "whittle/review.h"

static int prove_again(const struct wh_recommendation *r, const struct wh_estate *e, struct wh_arena *mem, struct wh_error *err)
{
	for (size_t i = 0; i < r->n_resources; i++) {
		struct wh_counterexample ce;
		char addr[WH_ADDR_STRLEN], proto[8];
		int rc = wh_prove(e, r->resources[i].resource, r->resources[i].rules, r->resources[i].n_rules, mem, &ce, err);
		if (rc == 1)
			return wh_fail(err, -EPERM, "%s: refused: the rules would allow %s to port %u/%s, which the present policy does not; run `whittle recommend` again",
			               r->resources[i].resource->name, wh_addr_text(&ce.peer, addr), ce.port, wh_proto_text(ce.proto, proto));
		if (rc)
			return rc;
	}
	return 0;
}

static int own_resources(struct cli_own *own, const struct wh_estate *e, struct wh_error *err)
{
	for (size_t i = 0; i < own->n; i++) {
		const struct wh_resource *res = wh_estate_find(e, own->names[i]);
		if (!res)
			return wh_fail_input(err, -ENOENT, "there is no resource '%s'", own->names[i]);
		own->names[i] = res->name;
	}
	if (!own->n)
		own->n = cli_own_resources(e, own->names, sizeof own->names / sizeof *own->names);
	return own->n ? 0 : wh_fail_input(err, -ENOENT, "no resource has an address of this machine: name the one that it is with --resource");
}

/* The ledger knows of nothing before its first flow, nor before the window that its bitmaps hold. */
static int ledger_memory(const struct cli *c, struct wh_store *s, int64_t *memory_us, struct wh_error *err)
{
	struct wh_store_totals totals;
	int64_t window = c->config->harden.window_days ? c->config->harden.window_days : 64, from = wh_now_us() - window * WH_US_PER_DAY;
	int rc = wh_store_totals(s, &totals, err);
	if (!rc)
		*memory_us = totals.first_us > from ? totals.first_us : from;
	return rc;
}

int cli_own_rules(struct cli *c, struct cli_own *own, struct wh_arena *mem, struct wh_error *err)
{
	struct wh_recommendation *r;
	struct wh_heard heard;
	struct wh_estate *e = NULL;
	struct wh_ledger ledger = {NULL, NULL};
	int rc = wh_ledger_open(c->store_url, WH_STATE_READ, &ledger, err);
	if (rc)
		return rc;
	rc = wh_estate_load(&ledger, mem, &e, err);
	rc = rc ? rc : ledger_memory(c, ledger.store, &own->memory_us, err);
	rc = rc ? rc : own_resources(own, e, err);
	rc = rc ? rc : wh_review_load(ledger.state, e, mem, &r, err);
	rc = rc ? rc : prove_again(r, e, mem, err);
	rc = rc ? rc : wh_estate_heard(ledger.store, e, mem, &heard, err);
	if (!rc) {
		struct wh_nft_options opt = {.resources = own->names, .n_resources = own->n, .heard = &heard, .all_addresses = own->all_addresses};
		cli_platform(c, e);
		rc = wh_nft_ruleset_from(r, e, &opt, mem, &own->rs, err);
	}
	rc = rc ? rc : wh_nft_coverage(own->rs, e, mem, &own->covered, &own->n_covered, err);
	wh_estate_free(e);
	wh_ledger_close(&ledger);
	return rc;
}

bool cli_own_is_met(const struct cli_own *own)
{
	for (size_t i = 0; i < own->n_covered; i++)
		if (own->covered[i].kind == WH_COVERED)
			return true;
	return false;
}

/* ---- printing ---- */

char *cli_coverage_line(const struct wh_covered *c, size_t n, struct wh_arena *mem)
{
	char *judged = NULL, *not = wh_nft_not_covered(c, n, mem), addr[WH_ADDR_STRLEN];
	for (size_t i = 0; i < n; i++)
		if (c[i].kind == WH_COVERED)
			judged = wh_arena_printf(mem, "%s%s%s (%s)", judged ? judged : "", judged ? ", " : "", wh_addr_text(&c[i].addr, addr), c[i].interface);
	return wh_arena_printf(mem, "Judged: %s; %s%s", judged ? judged : "no address of this machine", not ? "not covered: " : "every address is covered", not ? not : "");
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
			cli_table_cell(t, "no: there is no rule for %s", c[i].resource);
		else
			cli_table_text(t, c[i].kind == WH_NOTHING_LEARNED ? "no: nothing learned" : c[i].kind == WH_LINK_LOCAL ? "no: link-local" : "no: no resource has it");
	}
	cli_table_print(t);
}

json_t *cli_coverage_json(const struct wh_covered *c, size_t n)
{
	static const char *const kinds[] = {"covered", "unclaimed", "nothingLearned", "noRule", "linkLocal"};
	json_t *list = json_array();
	char addr[WH_ADDR_STRLEN];
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:I,s:s?}", "address", wh_addr_text(&c[i].addr, addr), "interface", c[i].interface, "coverage",
		                                      kinds[c[i].kind], "rules", (json_int_t)c[i].ports, "resource", c[i].resource));
	return list;
}
