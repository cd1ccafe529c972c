/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "cli/options.h"
#include "cli/status.h"

static const enum cli_colour colours[] = {CLI_DIM, CLI_GREEN, CLI_YELLOW};

static const char *day_text(int32_t day, bool known, char buf[static WH_TIME_STRLEN])
{
	if (known)
		wh_time_text(day * WH_US_PER_DAY, buf);
	buf[known ? 10 : 0] = 0;
	return buf;
}

/* The part of the resource's rules that is in force on this machine. */
static const char *force_text(const struct wh_app_standing *s, const struct wh_resource_result *r, struct wh_arena *mem)
{
	static const char *const texts[] = {"not here", "no", "", "audit", "pending", "confirmed"};
	if (s->force == WH_APP_IN_PART || (s->force > WH_APP_IN_PART && s->in_force < r->n_rules))
		return wh_arena_printf(mem, "%zu of %zu", s->in_force, r->n_rules);
	return !r->n_rules && s->force == WH_APP_NO_FORCE ? "" : texts[s->force];
}

/* It can be narrowed, and its rules are confirmed on this machine. */
static bool is_defended_here(const struct wh_resource_result *r, const struct wh_app_standing *s)
{
	return r->status == WH_UNHEALTHY && s->defended;
}

static const char *why(const struct wh_resource_result *r, const struct wh_app_standing *s, struct wh_arena *mem)
{
	char day[WH_TIME_STRLEN];
	const char *reason = wh_reasons_summary(r->reasons, r->n_reasons, mem);
	if (is_defended_here(r, s))
		reason = reason ? wh_arena_printf(mem, "its rules are confirmed here; %s", reason)
		                : "its rules are confirmed here";
	else if (!reason && r->n_rules)
		reason = s->force == WH_APP_PENDING   ? "its rules wait for `whittle confirm`"
		         : s->force == WH_APP_AUDITED ? "its rules are in audit mode and drop nothing: whittle enforce"
		                                      : "its rules can be narrowed: whittle recommend, then whittle enforce";
	if (s->days_missing)
		reason = wh_arena_printf(mem, "%s; ready on %s", reason ? reason : "", day_text(s->ready_day, true, day));
	return reason;
}

static void print_resources(const struct wh_app_status *s, struct wh_arena *mem)
{
	const struct wh_recommendation *rec = s->recommendation;
	char first[WH_TIME_STRLEN], last[WH_TIME_STRLEN];
	if (!rec->n_resources) {
		puts(CLI_NO_RESOURCE);
		return;
	}
	struct cli_table *t = cli_table_new("Resource|Status|In force|First seen|Last seen|>Days|>Rules|Why");
	for (size_t i = 0; i < rec->n_resources; i++) {
		const struct wh_resource_result *r = &rec->resources[i];
		bool seen = r->first_day <= r->last_day;
		cli_table_text(t, r->resource->name);
		if (is_defended_here(r, &s->standing[i]))
			cli_table_coloured(t, CLI_GREEN, "defended");
		else
			cli_table_coloured(t, colours[r->status], wh_status_text(r->status));
		cli_table_text(t, force_text(&s->standing[i], r, mem));
		cli_table_text(t, day_text(r->first_day, seen, first));
		cli_table_text(t, day_text(r->last_day, seen, last));
		cli_table_number(t, r->days_with_data);
		cli_table_number(t, r->n_rules);
		cli_table_text(t, why(r, &s->standing[i], mem));
	}
	cli_table_print(t);
}

/* ---- below the table ---- */

static void print_share(const struct wh_app_status *s)
{
	const struct wh_recommendation *rec = s->recommendation;
	size_t by_status[3] = {0}, defended = 0, confirmed = 0, waiting = 0;
	for (size_t i = 0; i < rec->n_resources; i++) {
		bool here = is_defended_here(&rec->resources[i], &s->standing[i]);
		confirmed += here;
		by_status[rec->resources[i].status] += !here;
		defended += s->standing[i].defended;
		waiting += s->standing[i].days_missing > 0;
	}
	size_t scanned = by_status[WH_HEALTHY] + by_status[WH_UNHEALTHY] + confirmed;
	putchar('\n');
	if (confirmed)
		printf("%zu defended by rules confirmed here, ", confirmed);
	printf("%zu healthy, %zu unhealthy, %zu unscanned", by_status[WH_HEALTHY], by_status[WH_UNHEALTHY],
	       by_status[WH_UNSCANNED]);
	if (scanned)
		printf("; %.0f %% of the scanned are defended", 100.0 * (double)defended / (double)scanned);
	putchar('\n');
	if (waiting)
		puts("Preview now, without storing anything: whittle recommend --min-days 1 --dry-run");
}

/* Saved figures are of their day. */
static void print_origin(const struct wh_app_status *s)
{
	char at[WH_TIME_STRLEN], day[WH_TIME_STRLEN];
	if (!s->saved)
		return;
	if (!s->derived.at_us)
		printf("Nothing is known of the resources: %s. Run `whittle recommend`.\n\n", s->stale);
	else if (s->stale)
		printf("As derived at %s from traffic up to %s; %s: `whittle recommend` derives anew.\n\n",
		       wh_time_text(s->derived.at_us, at), day_text(s->derived.last_day, true, day), s->stale);
	else
		printf("As derived at %s; nothing has changed since.\n\n", wh_time_text(s->derived.at_us, at));
}

static void print_ledger(const struct wh_store_totals *totals)
{
	char flows[32], edges[32];
	printf("The ledger holds %s%s edge%s of %s flow%s.\n", totals->edges_at_most ? "at most " : "",
	       wh_number_text(totals->edges, edges), totals->edges == 1 ? "" : "s", wh_number_text(totals->flows, flows),
	       totals->flows == 1 ? "" : "s");
	if (totals->crowded)
		printf("%s edges with the least evidence were removed, because their ports had more than port-edges: those peers are unknown.\n",
		       wh_number_text(totals->crowded, edges));
	if (totals->aged)
		printf("%s edges were removed, because they were last seen before edge-days.\n",
		       wh_number_text(totals->aged, edges));
	if (totals->full)
		printf("%s edges were not added, because the ledger had reached ledger-size: no rule is made from such days.\n",
		       wh_number_text(totals->full, edges));
}

static int print_all(const struct wh_app_status *s)
{
	struct wh_arena *mem = wh_arena_new();
	cli_status_firewall(s);
	print_origin(s);
	print_resources(s, mem);
	print_share(s);
	print_ledger(&s->totals);
	cli_status_around(s);
	if (s->rules)
		printf("Not as confirmed: %s.\n", s->rules);
	if (s->jit)
		printf("Not as confirmed: %s.\n", s->jit);
	wh_arena_free(mem);
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

/* ---- the sensors of a cluster ---- */

static const char *share_text(const struct wh_capture *c, char buf[static 32])
{
	if (!c->packets)
		return "";
	snprintf(buf, 32, "%.2f %%", 100.0 * (double)c->drops / (double)c->packets);
	return buf;
}

static void print_sensors(const struct wh_fleet_sensor *list, size_t n)
{
	char seen[WH_TIME_STRLEN], share[32];
	if (!n) {
		puts("No sensor has written to a cluster here: --store clickhouse://USER@HOST:8123/DATABASE names one.");
		return;
	}
	struct cli_table *t = cli_table_new("Sensor|Tenant|Site|Last seen|>Flows|>Records lost|>Packets lost|Version");
	for (size_t i = 0; i < n; i++) {
		cli_table_text(t, list[i].name);
		cli_table_text(t, list[i].tenant);
		cli_table_text(t, list[i].site);
		cli_table_text(t, wh_time_text(list[i].seen_us, seen));
		cli_table_number(t, list[i].totals.flows);
		cli_table_number(t, list[i].lost);
		cli_table_text(t, share_text(&list[i].capture, share));
		cli_table_text(t, list[i].release);
	}
	cli_table_print(t);
}

static int show_sensors(const struct cli *c, const struct wh_app *a)
{
	struct wh_fleet_sensor *list;
	size_t n;
	struct wh_error err;
	struct wh_arena *mem = wh_arena_new();
	int rc = wh_app_sensors(a, mem, &list, &n, &err);
	rc = rc ? cli_error(&err) : c->json ? cli_print_json(wh_app_sensors_json(list, n)) : (print_sensors(list, n), CLI_OK);
	wh_arena_free(mem);
	return rc;
}

/* ---- options ---- */

/* "pending,sensor" or "any"; 0 if a word is unknown. */
static unsigned attention_of(const char *words)
{
	unsigned all = 0;
	while (*words) {
		size_t n = strcspn(words, ","), i = 0;
		while (wh_app_attention_words[i] &&
		       (strlen(wh_app_attention_words[i]) != n || strncmp(words, wh_app_attention_words[i], n) != 0))
			i++;
		if (!wh_app_attention_words[i] && (n != 3 || strncmp(words, "any", 3) != 0))
			return 0;
		all |= wh_app_attention_words[i] ? 1u << i : WH_APP_ANYTHING;
		words += n + (words[n] == ',');
	}
	return all;
}

static int run(struct cli *c, int argc, char **argv)
{
	const char *words = NULL;
	bool sensors = false;
	const struct cli_option options[] = {{"fail-on", .text = &words}, {"sensors", .flag = &sensors}, {0}};
	const struct wh_app a = cli_app(c);
	struct wh_app_status s;
	struct wh_error err = {0};
	unsigned fail_on = 0;
	int rc;

	if (cli_read_options(c, argc, argv, options) || cli_no_word(c, argc, argv))
		return CLI_USAGE;
	if (words && !(fail_on = attention_of(words)))
		return cli_usage(
			c,
			"--fail-on takes undefended, pending, changed, sensor, watch, lists, addresses, stale or any, not '%s'",
			words);
	if (sensors)
		return words ? cli_usage(c, "--sensors and --fail-on exclude each other") : show_sensors(c, &a);
	struct wh_arena *mem = wh_arena_new();
	if (wh_app_status(&a, mem, &s, &err))
		rc = cli_error(&err);
	else
		rc = c->json ? print_json(&s) : print_all(&s);
	if (!rc && s.attention & fail_on)
		rc = CLI_FINDINGS;
	wh_estate_free(s.estate);
	wh_arena_free(mem);
	return rc;
}

const struct cli_command cli_status = {
	.may = WH_MAY_LOOK,
	.confined = true,
	.name = "status",
	.only_reads = true,
	.summary = "show the rules in force here, what they let through and dropped, and the state of each resource",
	.help = "usage: whittle status [--fail-on WORD,…] [--json]\n"
		"       whittle status --sensors [--json]\n\n"
		"Shows the rules in force on this machine, port by port: confirmed, pending (with the seconds left to confirm) or audit, `reject` if\n"
		"refused peers get an answer, and how many new connections each let through and dropped or answered. Then it shows each resource:\n"
		"healthy (its rules are as narrow as its traffic), unhealthy (they can be narrowed) or unscanned (too little was seen), with the\n"
		"reason, and the day on which an unscanned one is ready. A resource is defended if all its rules are confirmed on this machine. The\n"
		"last lines show the sensor, the watcher, the threat lists, and the addresses of this machine about which nothing is learned.\n"
		"Nothing is changed.\n\n"
		"If the ledger has at most 20,000 edges, the state of the resources is derived when the command runs. For a larger ledger, it is the\n"
		"state that the last `whittle recommend` derived, with the time of that run and what has changed since. That state is stale if a day\n"
		"of traffic was added since, if the estate, this machine's rules, settings or threat lists have changed, or if there was no\n"
		"`whittle recommend`.\n\n"
		"  --fail-on WORD,…  exit status 3 if something needs attention: undefended (a resource can be narrowed), pending (rules wait for\n"
		"                    their confirmation), changed (the kernel does not hold what was confirmed), sensor (it is silent or loses\n"
		"                    packets), watch (rules are confirmed and nothing watches them), lists (one is stale, held or was never read),\n"
		"                    addresses (one of this machine's is not learned), stale (see above), or any of these\n"
		"  --sensors         instead, the sensors that write to a cluster: when each last sent something, what it lost, its version\n"
		"  --json            the same as JSON\n\n"
		"Only root sees the rules in force.\n\n"
		"example:\n"
		"  whittle status --fail-on changed,sensor\n",
	.run = run,
};
