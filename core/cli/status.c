/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "whittle/app_rules.h"
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
	if (totals->crowded)
		printf("%s edges with the least evidence were dropped, as their ports had more than port-edges: those peers are not known.\n",
		       wh_number_text(totals->crowded, edges));
	if (totals->aged)
		printf("%s edges were dropped, as they were last seen before edge-days.\n", wh_number_text(totals->aged, edges));
	if (totals->full)
		printf("%s edges were not taken, as the ledger had reached ledger-size: no rule is made from such days.\n", wh_number_text(totals->full, edges));
}

static int print_all(const struct wh_app_status *s)
{
	print_table(s->recommendation, &s->totals);
	if (s->rules)
		printf("Not as confirmed: %s.\n", s->rules);
	if (s->jit)
		printf("Not as confirmed: %s.\n", s->jit);
	if (s->kept_unknown.code)
		return cli_error(&s->kept_unknown);
	cli_print_kept(s->kept, s->n_kept);
	return CLI_OK;
}

static int print_json(const struct wh_app_status *s)
{
	int rc = s->kept_unknown.code ? cli_error(&s->kept_unknown) : CLI_OK, printed = cli_print_json(wh_app_status_json(s));
	return rc ? rc : printed;
}

static int run(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{0}};
	const struct wh_app a = cli_app(c);
	struct wh_app_status s;
	struct wh_error err = {0};
	int rc;

	if (cli_getopt(c, argc, argv, "", longs) != -1)
		return CLI_USAGE;
	if (optind < argc)
		return cli_usage(c, "takes no argument, got '%s'", argv[optind]);
	struct wh_arena *mem = wh_arena_new();
	if (wh_app_status(&a, mem, &s, &err))
		rc = cli_error(&err);
	else
		rc = c->json ? print_json(&s) : print_all(&s);
	wh_estate_free(s.estate);
	wh_arena_free(mem);
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
