/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/alerts.h"
#include "whittle/app_alerts.h"

static const char help[] =
	"usage: whittle alerts [list] [--all | --status STATUS] [--severity LEAST] [--resource NAME] [--title WORDS] [--tactic NAME]\n"
	"                      [--since DURATION] [--sort COLUMN] [--stored] [--json | --format eve|syslog] [--fail-on LEAST]\n"
	"       whittle alerts show NAME [--json]\n"
	"       whittle alerts start|resolve|dismiss|activate NAME… [--reason TEXT]\n"
	"       whittle alerts suppress RULE --reason TEXT [--type TYPE] [--resource NAME] [--source PREFIX] [--port N] [--for DURATION] [--simulate]\n"
	"       whittle alerts suppressions [--json] | unsuppress RULE\n"
	"       whittle alerts respond [--every TIME] [--for TIME]\n"
	"       whittle alerts types [--json]\n"
	"\n"
	"Detects what needs attention: traffic from outside the recommended ranges, guessing of passwords, connections to addresses on threat\n"
	"lists, many new targets, a blind sensor. `list` evaluates the ledger first, unless --stored is given. One incident is one alert. If it\n"
	"happens again, it is added to the alert; a resolved alert opens again, and a dismissed one stays dismissed.\n"
	"\n"
	"  --all               lists dismissed and resolved alerts, too\n"
	"  --status STATUS     lists only alerts that are Active, InProgress, Resolved or Dismissed\n"
	"  --severity LEAST    Informational, Low, Medium or High, and worse\n"
	"  --sort COLUMN       severity (the default), time, title, resource, tactic or status\n"
	"  --since DURATION    only alerts that were seen within this time, such as 2d\n"
	"  --format FORMAT     one line for each alert, for another program: eve (JSON as Suricata writes it) or syslog (RFC 5424)\n"
	"  --fail-on LEAST     exit status 3 if an alert of that severity, or worse, is listed\n"
	"  NAME                an alert's name, or its beginning or end, if no other has the same\n"
	"\n"
	"`start` marks an alert as being worked on, `resolve` as solved, `dismiss` as harmless. `suppress` makes a rule that dismisses new alerts of\n"
	"its kind until --for is over; --simulate counts the stored alerts that it would have dismissed, and changes nothing.\n"
	"\n"
	"`respond` sends each alert that becomes active to the program or the webhook that whittle.yaml names under `alerts`. Each is sent once; a\n"
	"failed attempt is repeated for hours. --every searches again at that interval.\n"
	"\n"
	"example:\n"
	"  whittle alerts --severity Medium\n"
	"  whittle alerts suppress our-scanner --type PortScanning --resource scan1 --reason 'weekly scan' --for 30d --simulate\n";

/* ---- list ---- */

static int look(const struct cli *c)
{
	const struct wh_app a = cli_app(c);
	struct wh_alert_counts n;
	struct wh_error err = {0};
	if (wh_app_alerts_update(&a, wh_now_us(), &n, &err))
		return cli_error(&err);
	if (n.beyond)
		fprintf(stderr, "whittle: there is no room for %llu more incidents; resolve or dismiss alerts\n",
		        (unsigned long long)n.beyond);
	return CLI_OK;
}

static bool worse(const json_t *list, int least)
{
	size_t i;
	json_t *a;
	json_array_foreach((json_t *)list, i, a)
		if ((int)wh_alert_severity(a) >= least)
			return true;
	return false;
}

/* The index of the word, ignoring case; -1. */
static int word(const char *const words[], const char *text)
{
	for (int i = 0; words[i]; i++)
		if (!strcasecmp(words[i], text))
			return i;
	return -1;
}

struct listing {
	struct wh_app_alerts ask;
	bool stored;
	int fail, format; /* a severity, an index into wh_alert_line_formats; -1: none */
};

enum { ALL = 1, STATUS, SEVERITY, RESOURCE, TITLE, TACTIC, SINCE, SORT, STORED, FAIL, FORMAT };
/* Takes one option. Prints the sentence; returns 0 or CLI_USAGE. */
static int take(const struct cli *c, int option, struct listing *l)
{
	int64_t seconds;
	int n = 0;
	switch (option) {
	case ALL: l->ask.all = true; break;
	case RESOURCE: l->ask.resource = optarg; break;
	case TITLE: l->ask.title = optarg; break;
	case TACTIC: l->ask.tactic = optarg; break;
	case STORED: l->stored = true; break;
	case STATUS:
		if ((n = word(wh_alert_status_words, optarg)) < 0)
			return cli_usage(c, "--status takes Active, InProgress, Resolved or Dismissed, not '%.40s'", optarg);
		l->ask.status = wh_alert_status_words[n];
		break;
	case SEVERITY:
	case FAIL:
		if ((n = word(wh_severity_words, optarg)) < 0)
			return cli_usage(c, "%s takes Informational, Low, Medium or High, not '%.40s'",
			                 option == FAIL ? "--fail-on" : "--severity", optarg);
		if (option == FAIL)
			l->fail = n;
		else
			l->ask.least = (enum wh_severity)n;
		break;
	case FORMAT:
		if ((l->format = wh_key_choice(wh_alert_line_formats, optarg)) < 0)
			return cli_usage(c, "--format takes eve or syslog, not '%.40s'", optarg);
		break;
	case SINCE:
		if (wh_duration_parse(optarg, &seconds))
			return cli_usage(c, "--since takes a duration such as 2d, not '%.40s'", optarg);
		l->ask.since_us = wh_now_us() - seconds * 1000000;
		break;
	case SORT:
		if ((n = wh_key_choice(wh_app_alert_orders, optarg)) < 0)
			return cli_usage(c, "--sort takes severity, time, title, resource, tactic or status, not '%.40s'",
			                 optarg);
		l->ask.order = (unsigned)n;
		break;
	default: return CLI_USAGE;
	}
	return 0;
}

static int print(const struct cli *c, const struct listing *l, json_t *alerts)
{
	int rc = CLI_OK;
	if (l->format >= 0)
		rc = cli_alerts_lines(alerts, l->format);
	else if (c->json)
		return cli_print_json(json_pack("{s:i, s:o}", "version", 1, "value", alerts));
	else
		cli_alerts_print(alerts, l->ask.all || l->ask.status);
	json_decref(alerts);
	return rc;
}

static int list(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {
		{"all", 0, 0, ALL},       {"status", 1, 0, STATUS}, {"severity", 1, 0, SEVERITY}, {"resource", 1, 0, RESOURCE},
		{"title", 1, 0, TITLE},   {"tactic", 1, 0, TACTIC}, {"since", 1, 0, SINCE},       {"sort", 1, 0, SORT},
		{"stored", 0, 0, STORED}, {"fail-on", 1, 0, FAIL},  {"format", 1, 0, FORMAT},     {0}};
	const struct wh_app a = cli_app(c);
	struct listing l = {.fail = -1, .format = -1};
	struct wh_error err = {0};
	json_t *alerts;
	int o, rc;
	while ((o = cli_getopt(c, argc, argv, "", longs)) != -1)
		if ((rc = take(c, o, &l)))
			return rc;
	if (optind < argc)
		return cli_usage(c, "list takes no further words, got '%s'", argv[optind]);
	if ((rc = l.stored ? CLI_OK : look(c)))
		return rc;
	if (wh_app_alerts(&a, &l.ask, &alerts, &err))
		return cli_error(&err);
	bool found = l.fail >= 0 && worse(alerts, l.fail);
	rc = print(c, &l, alerts);
	return rc ? rc : found ? CLI_FINDINGS : CLI_OK;
}

/* ---- one alert ---- */

static int show(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{0}};
	const struct wh_app a = cli_app(c);
	struct wh_error err = {0};
	json_t *alert;
	if (cli_getopt(c, argc, argv, "", longs) != -1)
		return CLI_USAGE;
	if (argc - optind != 1)
		return cli_usage(c, "show takes one alert's name");
	if (wh_app_alert(&a, argv[optind], &alert, &err))
		return cli_error(&err);
	if (c->json)
		return cli_print_json(alert);
	cli_alert_print(alert);
	json_decref(alert);
	return CLI_OK;
}

static int set(struct cli *c, int argc, char **argv)
{
	static const struct { const char *verb; enum wh_alert_status status;
	} verbs[] = {{"start", WH_ALERT_IN_PROGRESS},
	             {"resolve", WH_ALERT_RESOLVED},
	             {"dismiss", WH_ALERT_DISMISSED},
	             {"activate", WH_ALERT_ACTIVE}};
	static const struct option longs[] = {{"reason", 1, 0, 'r'}, {0}};
	const struct wh_app a = cli_app(c);
	const char *reason = NULL, *verb = argv[0];
	enum wh_alert_status status = WH_ALERT_ACTIVE;
	int o, rc = CLI_OK;
	for (size_t i = 0; i < 4; i++)
		if (!strcmp(verbs[i].verb, verb))
			status = verbs[i].status;
	while ((o = cli_getopt(c, argc, argv, "", longs)) != -1) {
		if (o != 'r')
			return CLI_USAGE;
		reason = optarg;
	}
	if (optind == argc)
		return cli_usage(c, "%s takes alerts' names", verb);
	for (int i = optind; i < argc; i++) {
		struct wh_error err = {0};
		int bad = wh_app_alert_set(&a, argv[i], status, reason, &err) ? cli_error(&err) : CLI_OK;
		if (!bad && !c->json)
			printf("%s: %s\n", argv[i], wh_alert_status_words[status]);
		rc = bad ? bad : rc;
	}
	return rc;
}

/* ---- types ---- */

static int types(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{0}};
	const struct wh_app a = cli_app(c);
	struct wh_arena *mem = wh_arena_new();
	struct wh_alert_types all;
	struct wh_error err = {0};
	int rc = CLI_OK;
	if (cli_getopt(c, argc, argv, "", longs) != -1) {
		rc = CLI_USAGE;
	} else if (wh_app_alert_types(&a, mem, &all, &err)) {
		rc = cli_error(&err);
	} else if (c->json) {
		json_t *list = json_array();
		for (size_t i = 0; i < all.n; i++)
			json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "alertType", all.types[i].id,
			                                      "alertDisplayName", all.types[i].title, "severity",
			                                      wh_severity_words[all.types[i].severity], "intent",
			                                      all.types[i].intent, "description", all.types[i].description));
		rc = cli_print_json(json_pack("{s:i, s:o}", "version", 1, "value", list));
	} else {
		struct cli_table *t = cli_table_new("Type|Severity|Tactic|Title");
		for (size_t i = 0; i < all.n; i++) {
			cli_table_text(t, all.types[i].id);
			cli_table_coloured(t, cli_alert_colours[all.types[i].severity], wh_severity_words[all.types[i].severity]);
			cli_table_text(t, all.types[i].intent);
			cli_table_text(t, all.types[i].title);
		}
		cli_table_print(t);
	}
	wh_arena_free(mem);
	return rc;
}

static const struct { const char *name; int (*run)(struct cli *c, int argc, char **argv);
} verbs[] = {{"list", list},
             {"show", show},
             {"start", set},
             {"resolve", set},
             {"dismiss", set},
             {"activate", set},
             {"suppress", cli_alerts_suppress},
             {"unsuppress", cli_alerts_unsuppress},
             {"suppressions", cli_alerts_suppressions},
             {"respond", cli_alerts_respond},
             {"types", types}};

static int run(struct cli *c, int argc, char **argv)
{
	if (argc < 2 || *argv[1] == '-')
		return list(c, argc, argv);
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(c, argc - 1, argv + 1);
	return cli_usage(c, "there is no subcommand '%.40s'", argv[1]);
}

const struct cli_command cli_alerts = {
	.name = "alerts", .confined = true, .run = run, .help = help,
	.summary = "list what needs attention, and record how it was resolved",
};
