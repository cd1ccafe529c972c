/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"

static const char help[] =
	"usage: whittle alerts [list] [--all | --status STATUS] [--severity LEAST] [--resource NAME] [--title WORDS] [--tactic NAME]\n"
	"                      [--since DURATION] [--sort COLUMN] [--stored] [--json | --format eve|syslog] [--fail-on LEAST]\n"
	"       whittle alerts show NAME [--json]\n"
	"       whittle alerts start|resolve|dismiss|activate NAME… [--reason TEXT]\n"
	"       whittle alerts suppress RULE --reason TEXT [--type TYPE] [--resource NAME] [--source PREFIX] [--port N] [--for DURATION] [--simulate]\n"
	"       whittle alerts suppressions [--json] | unsuppress RULE\n"
	"       whittle alerts types [--json]\n"
	"\n"
	"What the ledger shows that somebody should look at: traffic from outside the recommended ranges, guessing of passwords, connections to\n"
	"addresses on threat lists, many new targets, a sensor that is blind. `list` looks at the ledger first, unless --stored is given. One incident is\n"
	"one alert: what comes again is added to it, what was resolved opens again when it comes back, what was dismissed stays dismissed.\n"
	"\n"
	"  --all               dismissed and resolved ones too; --status Active, InProgress, Resolved or Dismissed: those alone\n"
	"  --severity LEAST    Informational, Low, Medium or High, and worse\n"
	"  --sort COLUMN       severity (the default), time, title, resource, tactic or status\n"
	"  --since DURATION    those that went on within this time: 2d\n"
	"  --format FORMAT     a line an alert for another program: eve (JSON as Suricata writes it) or syslog (RFC 5424)\n"
	"  --fail-on LEAST     ends with status 3 when the list holds one of that severity, or worse\n"
	"  NAME                an alert's name, or its beginning or end, if no other has it\n"
	"\n"
	"`start` says that somebody works on it, `resolve` that it is done, `dismiss` that it was nothing. `suppress` dismisses what is like that as it\n"
	"is raised, until --for is over; --simulate counts the kept alerts that it would have dismissed, and changes nothing.\n"
	"\n"
	"example:\n"
	"  whittle alerts --severity Medium\n"
	"  whittle alerts suppress our-scanner --type PortScanning --resource scan1 --reason 'weekly scan' --for 30d --simulate\n";

static const enum cli_colour colours[] = {CLI_DIM, CLI_PLAIN, CLI_YELLOW, CLI_RED};

static const char *property(const json_t *a, const char *key)
{
	const char *s = json_string_value(json_object_get(json_object_get(a, "properties"), key));
	return s ? s : "";
}

/* The end of a name is what tells alerts apart for people. */
static const char *short_name(const json_t *a)
{
	const char *name = json_string_value(json_object_get(a, "name"));
	size_t n = name ? strlen(name) : 0;
	return n > 12 ? name + n - 12 : name;
}

static enum cli_colour colour_of(const json_t *a)
{
	int severity = wh_key_choice(wh_severity_words, property(a, "severity"));
	return severity < 0 ? CLI_PLAIN : colours[severity];
}

static uint64_t attempts(const json_t *a)
{
	uint64_t n = 0;
	size_t i;
	json_t *s;
	json_array_foreach(json_object_get(json_object_get(a, "whittle"), "sources"), i, s)
		n += (uint64_t)(json_integer_value(json_object_get(s, "answered")) + json_integer_value(json_object_get(s, "unanswered")));
	return n;
}

static void print_list(const json_t *list, bool all)
{
	struct cli_table *t = json_array_size(list) ? cli_table_new("Severity|Alert|Resource|>Port|>Sources|>Attempts|Last|Status|Name") : NULL;
	size_t i;
	json_t *a;
	json_array_foreach((json_t *)list, i, a) {
		const json_t *w = json_object_get(a, "whittle");
		json_int_t port = json_integer_value(json_object_get(w, "port"));
		size_t sources = json_array_size(json_object_get(w, "sources")) + (size_t)json_integer_value(json_object_get(w, "moreSources"));
		cli_table_coloured(t, colour_of(a), property(a, "severity"));
		cli_table_text(t, property(a, "alertDisplayName"));
		cli_table_text(t, property(a, "compromisedEntity"));
		if (port)
			cli_table_cell(t, "%lld/%s", (long long)port, json_string_value(json_object_get(w, "protocol")));
		else
			cli_table_text(t, "");
		cli_table_number(t, sources);
		cli_table_number(t, attempts(a));
		cli_table_cell(t, "%.16s", property(a, "endTimeUtc"));
		cli_table_text(t, property(a, "status"));
		cli_table_text(t, short_name(a));
	}
	if (t)
		cli_table_print(t);
	else
		puts(all ? "No alert." : "No open alert (--all lists the resolved and dismissed ones).");
}

static int print_lines(const json_t *list, int format)
{
	size_t i;
	json_t *a;
	json_array_foreach((json_t *)list, i, a) {
		char *line = wh_alert_line(a, format);
		if (!line)
			return CLI_FAILED;
		puts(line);
		free(line);
	}
	return CLI_OK;
}

static void print_alert(const json_t *a)
{
	const json_t *p = json_object_get(a, "properties"), *w = json_object_get(a, "whittle");
	const char *rule = json_string_value(json_object_get(w, "rule"));
	size_t i;
	json_t *x;
	cli_print_coloured(colour_of(a), property(a, "severity"));
	printf("  %s\n\n%s\n\n", property(a, "alertDisplayName"), property(a, "description"));
	printf("status    %s\ntactic    %s\nfrom      %s\nto        %s\nresource  %s\n", property(a, "status"), property(a, "intent"), property(a, "startTimeUtc"),
	       property(a, "endTimeUtc"), property(a, "compromisedEntity"));
	if (json_integer_value(json_object_get(w, "port")))
		printf("port      %lld/%s %s\n", (long long)json_integer_value(json_object_get(w, "port")), json_string_value(json_object_get(w, "protocol")),
		       json_string_value(json_object_get(w, "direction")));
	if (rule)
		printf("rule      %s\n", rule);
	printf("type      %s\nname      %s\n", property(a, "alertType"), json_string_value(json_object_get(a, "name")));
	struct cli_table *t = json_array_size(json_object_get(w, "sources")) ? cli_table_new("Address|>Answered|>Unanswered|First|Last|List") : NULL;
	json_array_foreach(json_object_get(w, "sources"), i, x) {
		cli_table_text(t, json_string_value(json_object_get(x, "address")));
		cli_table_cell(t, "%s%lld", json_is_true(json_object_get(x, "atLeast")) ? "at least " : "", (long long)json_integer_value(json_object_get(x, "answered")));
		cli_table_number(t, (uint64_t)json_integer_value(json_object_get(x, "unanswered")));
		cli_table_text(t, json_string_value(json_object_get(x, "first")));
		cli_table_text(t, json_string_value(json_object_get(x, "last")));
		cli_table_text(t, json_string_value(json_object_get(x, "list")));
	}
	if (t) {
		puts("");
		cli_table_print(t);
	}
	if (json_integer_value(json_object_get(w, "moreSources")))
		printf("… and %lld more\n", (long long)json_integer_value(json_object_get(w, "moreSources")));
	puts("\nWhat to do:");
	json_array_foreach(json_object_get(p, "remediationSteps"), i, x)
		printf("  %zu. %s\n", i + 1, json_string_value(x));
	puts("\nTimeline:");
	json_array_foreach(json_object_get(w, "timeline"), i, x) {
		const char *reason = json_string_value(json_object_get(x, "reason"));
		printf("  %s  %s by %s%s%s\n", json_string_value(json_object_get(x, "time")), json_string_value(json_object_get(x, "status")),
		       json_string_value(json_object_get(x, "who")), reason ? ": " : "", reason ? reason : "");
	}
}

/* ---- list ---- */

static int look(const struct cli *c)
{
	const struct wh_app a = cli_app(c);
	struct wh_alert_counts n;
	struct wh_error err = {0};
	if (wh_app_alerts_update(&a, wh_now_us(), &n, &err))
		return cli_error(&err);
	if (n.beyond)
		fprintf(stderr, "whittle: %llu more incidents have no room; resolve or dismiss alerts\n", (unsigned long long)n.beyond);
	return CLI_OK;
}

static bool worse(const json_t *list, int least)
{
	size_t i;
	json_t *a;
	json_array_foreach((json_t *)list, i, a)
		if (wh_key_choice(wh_severity_words, property(a, "severity")) >= least)
			return true;
	return false;
}

/* A severity, whatever its case; prints the sentence and returns -1. */
static int severity(const struct cli *c, const char *option, const char *text)
{
	for (int i = 0; wh_severity_words[i]; i++)
		if (!strcasecmp(wh_severity_words[i], text))
			return i;
	cli_usage(c, "%s takes Informational, Low, Medium or High, not '%.40s'", option, text);
	return -1;
}

static int list(struct cli *c, int argc, char **argv)
{
	enum { ALL = 1, STATUS, SEVERITY, RESOURCE, TITLE, TACTIC, SINCE, SORT, STORED, FAIL, FORMAT };
	static const struct option longs[] = {{"all", 0, 0, ALL}, {"status", 1, 0, STATUS}, {"severity", 1, 0, SEVERITY}, {"resource", 1, 0, RESOURCE}, {"title", 1, 0, TITLE},
	                                      {"tactic", 1, 0, TACTIC}, {"since", 1, 0, SINCE}, {"sort", 1, 0, SORT}, {"stored", 0, 0, STORED}, {"fail-on", 1, 0, FAIL}, {"format", 1, 0, FORMAT}, {0}};
	const struct wh_app a = cli_app(c);
	struct wh_app_alerts ask = {0};
	struct wh_error err = {0};
	bool stored = false;
	int fail = -1, format = -1, least = 0, o, order;
	int64_t seconds;
	json_t *alerts;
	while ((o = cli_getopt(c, argc, argv, "", longs)) != -1)
		switch (o) {
		case ALL: ask.all = true; break;
		case STATUS: ask.status = optarg; break;
		case RESOURCE: ask.resource = optarg; break;
		case TITLE: ask.title = optarg; break;
		case TACTIC: ask.tactic = optarg; break;
		case STORED: stored = true; break;
		case SEVERITY:
			if ((least = severity(c, "--severity", optarg)) < 0)
				return CLI_USAGE;
			break;
		case FAIL:
			if ((fail = severity(c, "--fail-on", optarg)) < 0)
				return CLI_USAGE;
			break;
		case FORMAT:
			if ((format = wh_key_choice(wh_alert_line_formats, optarg)) < 0)
				return cli_usage(c, "--format takes eve or syslog, not '%.40s'", optarg);
			break;
		case SINCE:
			if (wh_duration_parse(optarg, &seconds))
				return cli_usage(c, "--since takes a duration such as 2d, not '%.40s'", optarg);
			ask.since_us = wh_now_us() - seconds * 1000000;
			break;
		case SORT:
			if ((order = wh_key_choice(wh_app_alert_orders, optarg)) < 0)
				return cli_usage(c, "--sort takes severity, time, title, resource, tactic or status, not '%.40s'", optarg);
			ask.order = (unsigned)order;
			break;
		default: return CLI_USAGE;
		}
	if (optind < argc)
		return cli_usage(c, "list takes no word, got '%s'", argv[optind]);
	ask.least = (enum wh_severity)least;
	int rc = stored ? CLI_OK : look(c);
	if (rc)
		return rc;
	if (wh_app_alerts(&a, &ask, &alerts, &err))
		return cli_error(&err);
	bool found = fail >= 0 && worse(alerts, fail);
	if (c->json && format < 0) {
		rc = cli_print_json(json_pack("{s:i, s:o}", "version", 1, "value", alerts));
	} else if (format >= 0) {
		rc = print_lines(alerts, format);
		json_decref(alerts);
	} else {
		print_list(alerts, ask.all || ask.status);
		json_decref(alerts);
	}
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
	print_alert(alert);
	json_decref(alert);
	return CLI_OK;
}

static int set(struct cli *c, int argc, char **argv)
{
	static const struct { const char *verb; enum wh_alert_status status; } verbs[] = {
		{"start", WH_ALERT_IN_PROGRESS}, {"resolve", WH_ALERT_RESOLVED}, {"dismiss", WH_ALERT_DISMISSED}, {"activate", WH_ALERT_ACTIVE}};
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

/* ---- suppression ---- */

static int suppress(struct cli *c, int argc, char **argv)
{
	enum { REASON = 1, TYPE, RESOURCE, SOURCE, PORT, FOR, SIMULATE };
	static const struct option longs[] = {{"reason", 1, 0, REASON}, {"type", 1, 0, TYPE}, {"resource", 1, 0, RESOURCE}, {"source", 1, 0, SOURCE}, {"port", 1, 0, PORT},
	                                      {"for", 1, 0, FOR}, {"simulate", 0, 0, SIMULATE}, {0}};
	const struct wh_app a = cli_app(c);
	struct wh_alert_rule r = {.type = "*"};
	struct wh_prefix prefix;
	struct wh_error err = {0};
	bool simulate = false, host_bits;
	size_t would = 0, of = 0;
	int64_t seconds;
	int o;
	while ((o = cli_getopt(c, argc, argv, "", longs)) != -1) {
		char *end = NULL;
		unsigned long port;
		switch (o) {
		case REASON: r.reason = optarg; break;
		case TYPE: r.type = optarg; break;
		case RESOURCE: r.resource = optarg; break;
		case SIMULATE: simulate = true; break;
		case SOURCE:
			if (wh_prefix_parse(optarg, strlen(optarg), &prefix, &host_bits) || host_bits)
				return cli_usage(c, "--source takes a prefix without host bits, not '%.60s'", optarg);
			r.sources = &prefix;
			break;
		case PORT:
			port = strtoul(optarg, &end, 10);
			if (!*optarg || *end || port < 1 || port > 65535)
				return cli_usage(c, "--port takes a number from 1 to 65535, not '%.40s'", optarg);
			r.port = (uint16_t)port;
			break;
		case FOR:
			if (wh_duration_parse(optarg, &seconds))
				return cli_usage(c, "--for takes a duration such as 30d, not '%.40s'", optarg);
			r.expires_us = wh_now_us() + seconds * 1000000;
			break;
		default: return CLI_USAGE;
		}
	}
	if (argc - optind != 1)
		return cli_usage(c, "suppress takes one name for the rule");
	r.name = argv[optind];
	if (wh_app_alert_suppress(&a, &r, simulate, &would, &of, &err))
		return cli_error(&err);
	if (c->json)
		return cli_print_json(json_pack("{s:s, s:b, s:I, s:I}", "name", r.name, "kept", !simulate, "wouldHaveDismissed", (json_int_t)would, "of", (json_int_t)of));
	printf("%s%s: of %zu kept alerts it would have dismissed %zu.\n", r.name, simulate ? " (not kept)" : "", of, would);
	return CLI_OK;
}

static int unsuppress(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{0}};
	const struct wh_app a = cli_app(c);
	struct wh_error err = {0};
	if (cli_getopt(c, argc, argv, "", longs) != -1)
		return CLI_USAGE;
	if (argc - optind != 1)
		return cli_usage(c, "unsuppress takes one rule's name");
	if (wh_app_alert_unsuppress(&a, argv[optind], &err))
		return cli_error(&err);
	if (!c->json)
		printf("%s: deleted. What it dismissed stays dismissed.\n", argv[optind]);
	return CLI_OK;
}

static int suppressions(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{0}};
	const struct wh_app a = cli_app(c);
	struct wh_error err = {0};
	json_t *rules, *r;
	size_t i;
	if (cli_getopt(c, argc, argv, "", longs) != -1)
		return CLI_USAGE;
	if (wh_app_alert_rules(&a, &rules, &err))
		return cli_error(&err);
	if (c->json)
		return cli_print_json(json_pack("{s:i, s:o}", "version", 1, "value", rules));
	struct cli_table *t = json_array_size(rules) ? cli_table_new("Rule|Type|Resource|Sources|>Port|State|Until|Reason") : NULL;
	json_array_foreach(rules, i, r) {
		static const char *const texts[] = {"name", "alertType", "resource", "sources"}, *const rest[] = {"state", "expirationDateUtc", "reason"};
		for (size_t k = 0; k < 4; k++)
			cli_table_text(t, json_string_value(json_object_get(r, texts[k])));
		cli_table_cell(t, json_integer_value(json_object_get(r, "port")) ? "%lld" : "", (long long)json_integer_value(json_object_get(r, "port")));
		for (size_t k = 0; k < 3; k++)
			cli_table_text(t, json_string_value(json_object_get(r, rest[k])));
	}
	if (t)
		cli_table_print(t);
	else
		puts("No suppression.");
	json_decref(rules);
	return CLI_OK;
}

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
			json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "alertType", all.types[i].id, "alertDisplayName", all.types[i].title, "severity",
			                                      wh_severity_words[all.types[i].severity], "intent", all.types[i].intent, "description", all.types[i].description));
		rc = cli_print_json(json_pack("{s:i, s:o}", "version", 1, "value", list));
	} else {
		struct cli_table *t = cli_table_new("Type|Severity|Tactic|Title");
		for (size_t i = 0; i < all.n; i++) {
			cli_table_text(t, all.types[i].id);
			cli_table_coloured(t, colours[all.types[i].severity], wh_severity_words[all.types[i].severity]);
			cli_table_text(t, all.types[i].intent);
			cli_table_text(t, all.types[i].title);
		}
		cli_table_print(t);
	}
	wh_arena_free(mem);
	return rc;
}

static const struct { const char *name; int (*run)(struct cli *c, int argc, char **argv); } verbs[] = {
	{"list", list}, {"show", show}, {"start", set}, {"resolve", set}, {"dismiss", set}, {"activate", set}, {"suppress", suppress}, {"unsuppress", unsuppress},
	{"suppressions", suppressions}, {"types", types}};

static int run(struct cli *c, int argc, char **argv)
{
	if (argc < 2 || *argv[1] == '-')
		return list(c, argc, argv);
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(c, argc - 1, argv + 1);
	return cli_usage(c, "there is no 'alerts %.40s'", argv[1]);
}

const struct cli_command cli_alerts = {
	.name = "alerts", .confined = true, .run = run, .help = help,
	.summary = "list what the ledger shows that somebody should look at, and say what came of it",
};
