/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that dismiss alerts as they are raised. */
#include <stdlib.h>
#include <string.h>
#include "cli/alerts.h"
#include "whittle/app_alerts.h"

int cli_alerts_suppress(struct cli *c, int argc, char **argv)
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

int cli_alerts_unsuppress(struct cli *c, int argc, char **argv)
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

int cli_alerts_suppressions(struct cli *c, int argc, char **argv)
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
