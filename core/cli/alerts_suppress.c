/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that dismiss alerts as they are raised. */
#include <stdlib.h>
#include <string.h>
#include "cli/alerts.h"
#include "cli/options.h"
#include "whittle/app_alerts.h"

struct values { const char *source, *port, *duration; };

/* The non-text values, into the rule; `prefix` is its source. */
static int read_values(const struct cli *c, const struct values *v, struct wh_prefix *prefix, struct wh_alert_rule *r)
{
	bool host_bits;
	int64_t seconds;
	if (v->source) {
		if (wh_prefix_parse(v->source, strlen(v->source), prefix, &host_bits) || host_bits)
			return cli_usage(c, "--source takes a prefix without host bits, not '%.60s'", v->source);
		r->sources = prefix;
	}
	if (v->port) {
		char *end = NULL;
		unsigned long port = strtoul(v->port, &end, 10);
		if (!*v->port || *end || port < 1 || port > 65535)
			return cli_usage(c, "--port takes a number from 1 to 65535, not '%.40s'", v->port);
		r->port = (uint16_t)port;
	}
	if (v->duration) {
		if (wh_duration_parse(v->duration, &seconds))
			return cli_usage(c, "--for takes a duration such as 30d, not '%.40s'", v->duration);
		r->expires_us = wh_now_us() + seconds * 1000000;
	}
	return CLI_OK;
}

int cli_alerts_suppress(struct cli *c, int argc, char **argv)
{
	struct wh_alert_rule r = {.type = "*"};
	bool simulate = false;
	struct values v = {0};
	const struct cli_option options[] = {{"reason", .text = &r.reason},     {"type", .text = &r.type},
	                                     {"resource", .text = &r.resource}, {"source", .text = &v.source},
	                                     {"port", .text = &v.port},         {"for", .text = &v.duration},
	                                     {"simulate", .flag = &simulate},   {0}};
	const struct wh_app a = cli_app(c);
	struct wh_prefix prefix;
	struct wh_error err = {0};
	size_t would = 0, of = 0;
	if (cli_read_options(c, argc, argv, options) || read_values(c, &v, &prefix, &r))
		return CLI_USAGE;
	if (argc - optind != 1)
		return cli_usage(c, "suppress takes one name for the rule");
	r.name = argv[optind];
	if (cli_check_text(c, "the rule's name", r.name))
		return CLI_USAGE;
	if (wh_app_alert_suppress(&a, &r, simulate, &would, &of, &err))
		return cli_error(&err);
	if (c->json)
		return cli_print_json(json_pack("{s:s, s:b, s:I, s:I}", "name", r.name, "kept", !simulate, "wouldHaveDismissed",
		                                (json_int_t)would, "of", (json_int_t)of));
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
		printf("%s: deleted. The alerts that it dismissed stay dismissed.\n", argv[optind]);
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
	struct cli_table *t = json_array_size(rules) ? cli_table_new("Rule|Type|Resource|Sources|>Port|State|Until|Reason")
	                                             : NULL;
	json_array_foreach(rules, i, r) {
		static const char *const texts[] = {"name", "alertType", "resource", "sources"}, *const rest[] = {
													 "state",
													 "expirationDateUtc",
													 "reason"};
		for (size_t k = 0; k < 4; k++)
			cli_table_text(t, json_string_value(json_object_get(r, texts[k])));
		json_int_t port = json_integer_value(json_object_get(r, "port"));
		if (port)
			cli_table_cell(t, "%lld", (long long)port);
		else
			cli_table_text(t, "");
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
