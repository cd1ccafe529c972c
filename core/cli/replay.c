/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "whittle/firewall.h"
#include "whittle/app_rules.h"

static const char help[] =
	"usage: whittle replay [RESOURCE…] [--rules FILE] [--log FILE]… [--holdout DAYS] [--json]\n"
	"\n"
	"Prints what the proposed rules would have done to the traffic in the ledger, day by day: flows of peers that belong are kept or lost,\n"
	"flows of others are stopped or admitted as today. Lost flows are the breakage to expect, with a 95 % upper bound. The rules are those\n"
	"of the last `whittle recommend`, as they were reviewed.\n"
	"\n"
	"  --rules FILE    replays these rules instead: a file as `whittle recommend --json` prints it (- for standard input)\n"
	"  --log FILE      replays the flows of a log, also of .gz and .zst, instead of the ledger's; may be given several times. Nothing is\n"
	"                  learned from it, and the ledger still decides which peers belong\n"
	"  --holdout DAYS  derives rules without the last DAYS days, and replays those days alone. Rules lose almost nothing on the days from\n"
	"                  which they were learned, so this is the figure to expect for days to come\n"
	"\n"
	"The ledger holds a peer's days and the sum of its flows. The flows are spread evenly over the days, so sums are exact and single days\n"
	"are not. Unanswered flows are not counted.\n"
	"\n"
	"Example, what rules of a week ago would have done to this week, and what those of now do to a log:\n"
	"  whittle replay --holdout 7\n"
	"  whittle replay --log /var/log/suricata/eve.json\n";

static int progress(void *arg, size_t done, size_t total)
{
	(void)arg;
	if (total > 1)
		cli_progress("%zu of %zu resources", done, total);
	return 0;
}

static void count_cells(struct cli_table *t, const struct wh_replay_counts *c)
{
	char number[32];
	cli_table_number(t, c->kept);
	cli_table_coloured(t, c->lost ? CLI_RED : CLI_PLAIN, wh_number_text(c->lost, number));
	cli_table_number(t, c->stopped);
	cli_table_number(t, c->admitted);
}

static void print_rules(const struct wh_replay *r)
{
	struct cli_table *t = cli_table_new("Resource|Port|>Kept|>Lost|>Stopped|>Admitted|Lost peers");
	char proto[8], addr[WH_ADDR_STRLEN];

	for (size_t i = 0; i < r->n_rules; i++) {
		const struct wh_replay_rule *rule = &r->rules[i];
		char lost[WH_REPLAY_WORST * (WH_ADDR_STRLEN + 2) + 32] = "";
		cli_table_text(t, i && rule->resource == r->rules[i - 1].resource ? "" : rule->resource->name);
		cli_table_cell(t, "%u/%s%s", rule->rule->port, wh_proto_text(rule->rule->proto, proto),
		               rule->rule->direction == WH_OUTBOUND ? " out" : "");
		count_cells(t, &rule->flows);
		for (unsigned k = 0; k < rule->n_worst; k++)
			snprintf(lost + strlen(lost), sizeof lost - strlen(lost), "%s%s", k ? ", " : "",
			         wh_addr_text(&rule->worst[k].addr, addr));
		if (rule->peers.lost > rule->n_worst)
			snprintf(lost + strlen(lost), sizeof lost - strlen(lost), ", and %llu more",
			         (unsigned long long)(rule->peers.lost - rule->n_worst));
		cli_table_text(t, lost);
	}
	cli_table_print(t);
}

static void print_days(const struct wh_replay *r)
{
	struct cli_table *t = cli_table_new("Day|>Kept|>Lost|>Stopped|>Admitted");
	char at[WH_TIME_STRLEN];

	for (unsigned i = 0; i < r->n_days; i++) {
		wh_time_text((r->first_day + (int64_t)i) * WH_US_PER_DAY, at);
		cli_table_cell(t, "%.10s", at);
		count_cells(t, &r->days[i]);
	}
	putchar('\n');
	cli_table_print(t);
}

static void print(const struct wh_replay *r)
{
	uint64_t of = r->flows.kept + r->flows.lost;
	char lost[32], all[32], peers[32], all_peers[32], most[WH_PERCENT_STRLEN];

	if (!r->n_rules) {
		puts("There is no rule to replay: `whittle recommend` makes rules, or gives the reason why not.");
		return;
	}
	if (r->holdout_days)
		printf("Rules as they would have been %u days before the ledger's last, on the days since:\n\n", r->holdout_days);
	print_rules(r);
	print_days(r);
	putchar('\n');
	if (!of) {
		puts("No flow of a peer that belongs was seen on these ports: the breakage is not known.");
		return;
	}
	printf("Breakage: %s of %s flows of peers that belong; at most %s %% (95 %%). Peers: %s of %s.\n",
	       wh_number_text(r->flows.lost, lost), wh_number_text(of, all), wh_percent(r->upper, most),
	       wh_number_text(r->peers.lost, peers), wh_number_text(r->peers.kept + r->peers.lost, all_peers));
	if (!r->holdout_days && !r->is_log)
		puts("The rules may have been learned from these days; 'whittle replay --holdout 7' judges days from which they were not.");
}

static void reading(void *arg, const char *log)
{
	(void)arg;
	cli_progress("reading %s", log);
}

enum { MOST_LOGS = 64 };

static int read_options(struct cli *c, int argc, char **argv, struct wh_app_replay *ask, const char **logs)
{
	enum { RULES = 256, LOG, HOLDOUT };
	static const struct option longs[] = {{"rules", required_argument, NULL, RULES},
	                                      {"log", required_argument, NULL, LOG},
	                                      {"holdout", required_argument, NULL, HOLDOUT},
	                                      {0}};
	unsigned long holdout;
	char *end;
	int o;

	while ((o = cli_getopt(c, argc, argv, "", longs)) != -1) {
		if (o == '?')
			return CLI_USAGE;
		if (o == RULES) {
			ask->rules = optarg;
			continue;
		}
		if (o == LOG) {
			if (ask->n_logs == MOST_LOGS)
				return cli_usage(c, "at most %d logs are replayed at a time", MOST_LOGS);
			logs[ask->n_logs++] = optarg;
			continue;
		}
		holdout = strtoul(optarg, &end, 10);
		if (*end || optarg[0] < '0' || optarg[0] > '9' || holdout < 1 || holdout > 63)
			return cli_usage(c, "--holdout takes a whole number from 1 to 63, not '%s'", optarg);
		ask->holdout_days = (unsigned)holdout;
	}
	ask->resources = (const char *const *)argv + optind;
	ask->n_resources = (size_t)(argc - optind);
	return 0;
}

static int replay(struct cli *c, const struct wh_app_replay *ask, struct wh_arena *mem)
{
	struct wh_app a = cli_app(c);
	struct wh_app_replayed r;
	struct wh_error err = {0};
	char *text;

	a.progress = progress;
	int rc = wh_app_replay(&a, ask, mem, &r, &err);
	cli_progress("%s", "");
	if (rc)
		return cli_error(&err);
	if (!c->json) {
		print(r.replay);
	} else {
		text = wh_replay_json(r.replay);
		rc = text ? (puts(text), CLI_OK) : CLI_FAILED;
		free(text);
	}
	wh_estate_free(r.estate);
	return rc;
}

static int run(struct cli *c, int argc, char **argv)
{
	const char *logs[MOST_LOGS];
	struct wh_app_replay ask = {.logs = logs, .reading = reading};
	struct wh_error err;
	int rc = read_options(c, argc, argv, &ask, logs);

	if (rc)
		return rc;
	if (wh_app_replay_check(&ask, &err))
		return cli_usage(c, "%s", err.text);
	struct wh_arena *mem = wh_arena_new();
	rc = replay(c, &ask, mem);
	wh_arena_free(mem);
	return rc;
}

const struct cli_command cli_replay = {
	.may = WH_MAY_LOOK,
	.confined = true,
	.name = "replay", .only_reads = true,
	.summary = "show what the proposed rules would have let through and stopped, day by day, and what would break",
	.help = help,
	.run = run,
};
