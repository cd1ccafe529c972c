/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "whittle/harden.h"
#include "whittle/firewall.h"

static const enum cli_colour colours[] = {CLI_DIM, CLI_GREEN, CLI_YELLOW};

static void day_text(int32_t day, bool seen, char buf[static WH_TIME_STRLEN])
{
	wh_time_text(day * WH_US_PER_DAY, buf);
	buf[seen ? 10 : 0] = 0;
}

static void print_table(const struct wh_recommendation *rec, const struct wh_store_totals *totals)
{
	struct wh_arena *mem = wh_arena_new();
	struct cli_table *t = !rec->n_resources ? NULL : cli_table_new("Resource|Status|First seen|Last seen|>Days|>Rules|Why");
	char first[WH_TIME_STRLEN], last[WH_TIME_STRLEN], flows[32], edges[32];
	size_t by_status[3] = {0};

	for (size_t i = 0; i < rec->n_resources; i++) {
		const struct wh_resource_result *r = &rec->resources[i];
		bool seen = r->first_day <= r->last_day;
		by_status[r->status]++;
		day_text(r->first_day, seen, first);
		day_text(r->last_day, seen, last);
		cli_table_text(t, r->resource->name);
		cli_table_coloured(t, colours[r->status], wh_status_text(r->status));
		cli_table_text(t, first);
		cli_table_text(t, last);
		cli_table_number(t, r->days_with_data);
		cli_table_number(t, r->n_rules);
		const char *reason = wh_reasons_summary(r->reasons, r->n_reasons, mem);
		cli_table_text(t, reason ? reason : r->n_rules ? "its rules can be narrowed: whittle recommend" : "");
	}
	if (t)
		cli_table_print(t);
	else
		puts(CLI_NO_RESOURCE);
	wh_arena_free(mem);
	size_t scanned = by_status[WH_HEALTHY] + by_status[WH_UNHEALTHY];
	printf("\n%zu healthy, %zu unhealthy, %zu unscanned", by_status[WH_HEALTHY], by_status[WH_UNHEALTHY], by_status[WH_UNSCANNED]);
	if (scanned)
		printf("; %.0f %% of the scanned are defended", 100.0 * (double)by_status[WH_HEALTHY] / (double)scanned);
	printf("\nThe ledger holds %s edges of %s flows.\n", wh_number_text(totals->edges, edges), wh_number_text(totals->flows, flows));
}

/* What was confirmed on this machine and is not in force: a sentence each, or NULL (free() them). */
struct in_force { char *rules, *jit; };

static char *sentence(int rc, char *difference, const char *what, const struct wh_error *err)
{
	char *text = NULL;
	if (rc == 1 && asprintf(&text, "%s; `whittle restore` puts back what was confirmed", difference ? difference : what) < 0)
		text = NULL;
	if (rc < 0 && asprintf(&text, "whether %s can't be said: %s", what, err->text) < 0)
		text = NULL;
	free(difference);
	return text;
}

static void ask_in_force(struct in_force *out)
{
	struct wh_nft_state st = {0};
	struct wh_error err;
	char *difference = NULL;
	memset(out, 0, sizeof *out);
	int rc = wh_firewall_compare(WH_KEPT_CONFIRMED, &st, &difference, &err);
	free(difference);
	difference = NULL;
	if (rc == 1 && st.present)
		rc = 0; /* `whittle drift` tells more */
	else if (rc == 1)
		difference = strdup("the table inet whittle is not there: nothing is narrowed on this machine");
	out->rules = rc == -ENOENT ? NULL : sentence(rc, difference, "the confirmed rules are in force", &err);
	difference = NULL;
	rc = wh_firewall_jit_differs(&difference, &err);
	out->jit = sentence(rc, difference, "just-in-time access keeps its ports closed", &err);
}

static int print_all(const struct cli *c, const struct wh_estate *e, const struct wh_recommendation *rec, const struct wh_store_totals *totals)
{
	struct in_force f;
	print_table(rec, totals);
	ask_in_force(&f);
	if (f.rules)
		printf("Not as confirmed: %s.\n", f.rules);
	if (f.jit)
		printf("Not as confirmed: %s.\n", f.jit);
	free(f.rules);
	free(f.jit);
	return cli_kept(c, e, NULL, NULL);
}

static int print_json(const struct cli *c, const struct wh_estate *e, const struct wh_recommendation *rec, const struct wh_store_totals *totals)
{
	size_t by_status[3] = {0};
	json_t *list = json_array();
	for (size_t i = 0; i < rec->n_resources; i++) {
		const struct wh_resource_result *r = &rec->resources[i];
		by_status[r->status]++;
		json_array_append_new(list, json_pack("{s:s, s:s?, s:s, s:s?, s:i, s:i}", "name", r->resource->name, "id", r->resource->id, "status",
		                                      wh_status_text(r->status), "reason", r->reason, "daysWithData", (int)r->days_with_data, "rules",
		                                      (int)r->n_rules));
	}
	json_t *doc = json_pack("{s:o, s:i, s:i, s:i, s:{s:I, s:I}}", "resources", list, "healthy", (int)by_status[WH_HEALTHY], "unhealthy",
	                                (int)by_status[WH_UNHEALTHY], "unscanned", (int)by_status[WH_UNSCANNED], "ledger", "edges",
	                                (json_int_t)totals->edges, "flows", (json_int_t)totals->flows);
	struct in_force f;
	ask_in_force(&f);
	if (f.rules || f.jit)
		json_object_set_new(doc, "notAsConfirmed", json_pack("[s*,s*]", f.rules, f.jit));
	free(f.rules);
	free(f.jit);
	int rc = cli_kept(c, e, doc, "keptOriginals");
	int printed = cli_print_json(doc);
	return rc ? rc : printed;
}

static int run(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{0}};
	struct wh_store_totals totals;
	struct wh_harden_options opt;
	struct wh_recommendation *rec;
	struct wh_estate *estate = NULL;
	struct wh_error err = {0};
	struct wh_ledger ledger = {NULL, NULL};
	int rc;

	if (cli_getopt(c, argc, argv, "", longs) != -1)
		return CLI_USAGE;
	if (optind < argc)
		return cli_usage(c, "takes no argument, got '%s'", argv[optind]);
	if ((rc = cli_open_ledger(c, WH_STATE_READ, &ledger)))
		return rc;
	struct wh_arena *mem = wh_arena_new();
	if (wh_store_totals(ledger.store, &totals, &err) || wh_harden_options_load(&c->config->harden, ledger.state, NULL, mem, &opt, &err) || wh_estate_load(&ledger, mem, &estate, &err) ||
	    wh_recommend(ledger.store, estate, NULL, 0, &opt, mem, &rec, &err))
		rc = cli_error(&err);
	else if (c->json)
		rc = print_json(c, estate, rec, &totals);
	else
		rc = print_all(c, estate, rec, &totals);
	wh_estate_free(estate);
	wh_arena_free(mem);
	wh_ledger_close(&ledger);
	return rc;
}

const struct cli_command cli_status = {
	.may = WH_MAY_LOOK, .confined = true,
	.name = "status", .only_reads = true,
	.summary = "say which resources are healthy, unhealthy or not yet scanned, and why",
	.help = "usage: whittle status [--json]\n\n"
	        "Each resource is healthy (its rules are as narrow as its traffic), unhealthy (they can be narrowed) or unscanned (too\n"
	        "little was seen to say), with the reason; and the share that is defended. Nothing is changed or kept.\n\n"
	        "example:\n"
	        "  whittle status --json\n",
	.run = run,
};
