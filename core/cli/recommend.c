/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/recommend.h"
#include "whittle/firewall.h"

#define SHOWN_PREFIXES 4

static int progress(void *arg, size_t done, size_t total)
{
	(void)arg;
	if (!done)
		cli_progress("%s", "reading the ledger");
	else if (total > 1)
		cli_progress("%zu of %zu resources", done, total);
	return 0;
}

static void prefix_cell(struct cli_table *t, const struct wh_prefix *p, size_t n, bool all)
{
	cli_table_prefixes(t, p, n, NULL, 0, all || n <= SHOWN_PREFIXES + 1 ? n : SHOWN_PREFIXES);
}

static void rule_rows(struct cli_table *t, const struct wh_resource_result *res, bool all)
{
	char proto[8], lost[32], of[32];
	for (size_t i = 0; i < res->n_rules; i++) {
		const struct wh_recommended_rule *r = &res->rules[i];
		cli_table_text(t, i ? "" : res->resource->name);
		cli_table_cell(t, "%u/%s%s", r->port, wh_proto_text(r->proto, proto), r->direction == WH_OUTBOUND ? " out" : "");
		if (r->n_prefixes)
			prefix_cell(t, r->prefixes, r->n_prefixes, all);
		else
			cli_table_coloured(t, CLI_YELLOW, "nobody: deny all (System Generated)");
		prefix_cell(t, r->except, r->n_except, all);
		cli_table_number(t, r->sources);
		cli_table_number(t, r->denied_peers);
		if (r->expected.days)
			cli_table_cell(t, "%s of %s", wh_number_text(r->expected.flows, lost),
			               wh_number_text(r->expected.of, of));
		else
			cli_table_text(t, "?");
		if (r->confidence < 0.995)
			cli_table_cell(t, "%.0f %%", 100 * r->confidence);
		else
			cli_table_text(t, ">99 %"); /* nothing is certain */
	}
}

/* The replay that preceded this offer, and what to expect in the next days. */
static void print_breakage(const struct wh_recommendation *rec)
{
	struct wh_breakage sum = {0}, own = {0};
	char a[32], b[32], c[32], d[32], most[WH_PERCENT_STRLEN];

	for (size_t i = 0; i < rec->n_resources; i++)
		for (size_t k = 0; k < rec->resources[i].n_rules; k++) {
			const struct wh_recommended_rule *r = &rec->resources[i].rules[k];
			own.of += r->replayed.of;
			sum.days = r->expected.days > sum.days ? r->expected.days : sum.days;
			sum.flows += r->expected.flows;
			sum.of += r->expected.of;
			sum.peers += r->expected.peers;
			sum.of_peers += r->expected.of_peers;
		}
	printf("Proved: all of it lies within the rules in force. Replayed: of %s flows of peers that belong, none would have been stopped.\n",
	       wh_number_text(own.of, a));
	if (sum.days && sum.of)
		printf("Expected breakage: %s of %s flows (with 95 %% certainty at most %s %%) and %s of %s peers that belong. That is what rules\n"
		       "learned without the last %u days would have stopped in those days.\n",
		       wh_number_text(sum.flows, a), wh_number_text(sum.of, b),
		       wh_percent(wh_upper_bound(sum.flows, sum.of), most), wh_number_text(sum.peers, c),
		       wh_number_text(sum.of_peers, d), sum.days);
}

/* Days without any flow are the sensor's fault, not the peers'; and after a recent silence of the sensor the data are old. */
static void print_outages(const struct wh_recommendation *rec)
{
	char a[WH_TIME_STRLEN], b[WH_TIME_STRLEN];
	int32_t since = wh_day(wh_now_us()) - wh_day(rec->to_us - 1);

	for (size_t i = 0; i < rec->n_silent; i++)
		printf("The sensor was silent from %.10s to %.10s: these days count neither for nor against a peer.\n",
		       wh_time_text(rec->silent[i].first * WH_US_PER_DAY, a),
		       wh_time_text(rec->silent[i].last * WH_US_PER_DAY, b));
	if (since > 2 && rec->n_resources && rec->to_us > WH_US_PER_DAY)
		fprintf(stderr,
		        "whittle: the sensor has been silent for %d days; 'whittle selftest ADDRESS' shows whether it hears\n",
		        since);
}

static void print_changes(const struct wh_changes *c)
{
	char at[WH_TIME_STRLEN];

	if (!c || !c->n)
		return;
	printf("\nChanges since the calculation up to %.10s:\n", wh_time_text(c->since_us - 1, at));
	struct cli_table *t = cli_table_new("Resource|Rule|Change|Gained|Lost|Why");
	for (size_t i = 0; i < c->n; i++) {
		const struct wh_change *x = &c->list[i];
		cli_table_text(t, x->resource->name);
		cli_table_text(t, x->rule->name);
		cli_table_text(t, x->is_new     ? "new"
		                  : x->is_kept  ? "kept"
		                  : x->is_gone  ? "gone"
		                  : x->n_gained ? x->n_lost ? "moved" : "wider"
		                                : "narrower");
		prefix_cell(t, x->gained, x->n_gained, false);
		prefix_cell(t, x->lost, x->n_lost, false);
		cli_table_text(t, x->why);
	}
	cli_table_print(t);
}

static void print_reason(const struct wh_resource_result *res)
{
	struct wh_arena *mem = wh_arena_new();
	const char *reason = wh_reasons_summary(res->reasons, res->n_reasons, mem);
	printf("%s: %s%s%s\n", res->resource->name, wh_status_text(res->status), reason ? ": " : "", reason ? reason : "");
	wh_arena_free(mem);
}

/* The rule that each one narrows, and its note. */
static void print_notes(const struct wh_recommendation *rec)
{
	for (size_t i = 0; i < rec->n_resources; i++)
		for (size_t k = 0; k < rec->resources[i].n_rules; k++) {
			const struct wh_recommended_rule *r = &rec->resources[i].rules[k];
			if (r->note || r->narrows)
				printf("%s%s %s%s%s%s%s", i || k ? "" : "\n", rec->resources[i].resource->name, r->name,
				       r->narrows ? " narrows " : "", r->narrows ? r->narrows : "", r->note ? ": " : "",
				       r->note ? r->note : ""),
					putchar('\n');
		}
}

/* `kept`: the ledger keeps it, for later commands. */
static void print_rules(const struct wh_recommendation *rec, const struct wh_changes *changes, bool all, bool kept, bool some)
{
	struct cli_table *t = NULL;
	char from[WH_TIME_STRLEN], to[WH_TIME_STRLEN];
	size_t rules = 0;

	for (size_t i = 0; i < rec->n_resources; i++)
		rules += rec->resources[i].n_rules;
	if (rules)
		t = cli_table_new("Resource|Port|Allow|Except|>Peers|>Stopped|>Breaks|>Sure");
	for (size_t i = 0; i < rec->n_resources; i++)
		rule_rows(t, &rec->resources[i], all);
	if (rec->to_us <= WH_US_PER_DAY) /* the window of a ledger without a single day */
		puts("Nothing was learned yet: no flow is in the ledger.");
	else
		printf("Learned from %.10s to %.10s (%u day%s)\n", wh_time_text(rec->from_us, from),
		       wh_time_text(rec->to_us - 1, to), rec->days, rec->days == 1 ? "" : "s");
	print_outages(rec);
	if (t) {
		putchar('\n');
		cli_table_print(t);
	}
	print_notes(rec);
	print_changes(changes);
	putchar('\n');
	for (size_t i = 0; i < rec->n_resources; i++)
		if (!rec->resources[i].n_rules || rec->resources[i].reason)
			print_reason(&rec->resources[i]);
	if (!rec->n_resources)
		puts("No resource is known: ingest traffic, or import an estate. Public addresses become resources only by an\n"
		     "estate or `whittle ingest --discover ADDRESS`.");
	else if (rules)
		print_breakage(rec);
	if (rules && kept)
		puts("\n'whittle explain RESOURCE PORT' shows why. Next: 'whittle enforce' or 'whittle export --format nsg'.");
	else if (rules)
		printf("\nNothing was saved (%s): enforce, export and explain use the recommendation that was saved last.\n",
		       some ? "only some resources were named" : "--dry-run");
}

static int number_option(struct cli *c, const char *name, const char *text, long lo, long hi, unsigned *out)
{
	char *end;
	errno = 0;
	long v = strtol(text ? text : (text = ""), &end, 10);
	if (*end || end == text || errno || v < lo || v > hi)
		return cli_usage(c, "--%s takes a whole number from %ld to %ld, not '%s'", name, lo, hi, text);
	*out = (unsigned)v;
	return 0;
}

static int positive_option(struct cli *c, const char *name, const char *text, double *out)
{
	char *end;
	*out = strtod(text, &end);
	if (*end || end == text || !(*out >= 1e-6 && *out <= 1e6))
		return cli_usage(c, "--%s takes a number from 0.000001 to 1000000 (1: as without it), not '%s'", name, text);
	return 0;
}

static bool is_svg(const char *name)
{
	size_t n = strlen(name);
	return n > 4 && !strcmp(name + n - 4, ".svg");
}

enum { NUMBER = 256, PERMISSIVENESS = NUMBER + WH_APP_NUMBERS, CURVE, PORTS, DRY_RUN, ALL, DIRECTION };

struct words {
	struct wh_app_recommend ask;
	const char *svg; /* or NULL */
	bool curve, all;
};

static int one_option(struct cli *c, int o, int argc, char **argv, struct words *w)
{
	struct wh_app_recommend *ask = &w->ask;
	switch (o) {
	case PERMISSIVENESS: return positive_option(c, "permissiveness", optarg, &ask->permissiveness);
	case CURVE:
		w->curve = true;
		w->svg = optarg ? optarg : optind < argc && is_svg(argv[optind]) ? argv[optind++] : NULL;
		return 0;
	case PORTS: ask->ports = optarg; return 0;
	case DRY_RUN: ask->dry = true; return 0;
	case ALL: w->all = true; return 0;
	case DIRECTION:
		ask->directed = true;
		return wh_directions_parse(optarg, &ask->directions)
		               ? cli_usage(c, "--direction takes inbound, outbound or both, not '%s'", optarg)
		               : 0;
	default:
		if (o < NUMBER || o >= NUMBER + WH_APP_NUMBERS)
			return CLI_USAGE;
		o -= NUMBER;
		ask->given[o] = true;
		return number_option(c, wh_app_numbers[o].name, optarg, wh_app_numbers[o].least, wh_app_numbers[o].most,
		                     &ask->number[o]);
	}
}

static int read_options(struct cli *c, int argc, char **argv, struct words *w)
{
	struct option longs[WH_APP_NUMBERS + 7] = {{"permissiveness", required_argument, NULL, PERMISSIVENESS},
	                                           {"curve", optional_argument, NULL, CURVE},
	                                           {"ports", required_argument, NULL, PORTS},
	                                           {"dry-run", no_argument, NULL, DRY_RUN},
	                                           {"all", no_argument, NULL, ALL},
	                                           {"direction", required_argument, NULL, DIRECTION}};
	int o, rc = 0;
	for (int i = 0; i < WH_APP_NUMBERS; i++)
		longs[6 + i] = (struct option){wh_app_numbers[i].name, required_argument, NULL, NUMBER + i};
	*w = (struct words){.svg = NULL};
	while (!rc && (o = cli_getopt(c, argc, argv, "", longs)) != -1)
		rc = one_option(c, o, argc, argv, w);
	w->ask.resources = (const char *const *)argv + optind;
	w->ask.n_resources = (size_t)(argc - optind);
	return rc;
}

static int print_recommendation(const struct cli *c, const struct words *w, const struct wh_app_recommended *r)
{
	struct wh_error err = {0};
	cli_output_only_prints();
	if (!c->json) {
		print_rules(r->recommendation, r->changes, w->all, !w->ask.dry && !w->ask.n_resources, w->ask.n_resources > 0);
		if (r->edits.n) {
			putchar('\n');
			wh_app_edits_print(&r->edits, stdout);
		}
		return CLI_OK;
	}
	char *text = wh_app_recommended_json(r);
	if (!text)
		return cli_error((wh_fail(&err, -ENOMEM, "the JSON document could not be made: out of memory"), &err));
	puts(text); /* a failed write is reported when standard output is closed */
	free(text);
	return CLI_OK;
}

static int recommend(struct cli *c, const struct wh_app *a, const struct words *w, struct wh_arena *mem)
{
	struct wh_app_recommended r;
	struct wh_error err = {0};
	if (wh_app_recommend(a, &w->ask, mem, &r, &err))
		return cli_error(&err);
	cli_progress("%s", "");
	int rc = print_recommendation(c, w, &r);
	wh_estate_free(r.estate);
	return rc;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct words w;
	struct wh_app a = cli_app(c);
	int rc = read_options(c, argc, argv, &w);

	if (rc)
		return rc;
	a.progress = progress;
	struct wh_arena *mem = wh_arena_new();
	rc = w.curve ? cli_show_curve(c, &a, &w.ask, w.svg, mem) : recommend(c, &a, &w, mem);
	wh_arena_free(mem);
	return rc;
}

const struct cli_command cli_recommend = {
	.may = WH_MAY_LOOK,
	.confined = true,
	.name = "recommend",
	.summary = "derive the narrowed rules from what the ledger saw, and prove that they only narrow",
	.help = "usage: whittle recommend [RESOURCE...] [options]\n\n"
		"For each port that the rules in force open, finds the peers that belong, the fewest and narrowest prefixes that let\n"
		"them in, and the parts of those that stay denied. A port to which no peer belongs is closed. Each proposal is proved to\n"
		"lie within the rules in force, and replayed: a rule that would lose a peer that belongs is not offered.\n"
		"\n"
		"Breaks: of the last week's flows of peers that belong, those that the rule of a week ago would have stopped. Sure: how\n"
		"stable the rule's peers were, minus the part of the rule that is a prediction. The result is saved in the ledger for\n"
		"explain, rules, export and enforce, unless resources are named.\n\n"
		"  --min-days N      days of observation that a resource needs (default 30)\n"
		"  --lines N         at most N lines in all rules of a resource. A port for which no line is left stays as it is, and is named\n"
		"  --permissiveness X  how much an address that was not seen may cost: above 1 fewer and wider lines, below 1 more and\n"
		"                    narrower ones (default 1)\n"
		"  --curve [FILE.svg]  prints what these two options trade (lines, address space, expected breakage), and draws it into FILE\n"
		"  --max-prefixes N  the most address lines in a rule, carve-outs included\n"
		"  --stable-days N   offer a rule only after it was stable for N days: the rule of N days ago would have lost at most 1 % of the flows since\n"
		"  --window-days N   use only the last N days (default 64, all that the ledger holds)\n"
		"  --ports LIST      22,443/tcp, instead of the ports of rules/ports.yaml; all: these, those that traffic reached, and those of\n"
		"                    rules that open at most 64\n"
		"  --direction D     inbound, outbound or both (default inbound). Outbound rules allow only the peers that the resources\n"
		"                    reached, on every port that they used, unless --ports names some\n"
		"  --threads N       the number of threads (default: one for each processor); the result is the same\n"
		"  --all             print every prefix, not the first few\n"
		"  --dry-run         save nothing\n"
		"  --json            the recommendation as JSON, with Azure's names\n\n"
		"example:\n"
		"  whittle recommend vm1 --ports 22,3389\n",
	.run = run,
};
