/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alerts for people, and as lines for other programs. */
#include <stdlib.h>
#include <string.h>
#include "cli/alerts.h"

const enum cli_colour cli_alert_colours[] = {CLI_DIM, CLI_PLAIN, CLI_YELLOW, CLI_RED};

/* The end of a name, by which people tell alerts apart. */
static const char *short_name(const json_t *a)
{
	const char *name = json_string_value(json_object_get(a, "name"));
	size_t n = name ? strlen(name) : 0;
	return n > 12 ? name + n - 12 : name;
}

static uint64_t attempts(const json_t *a)
{
	uint64_t n = 0;
	size_t i;
	json_t *s;
	json_array_foreach(json_object_get(json_object_get(a, "whittle"), "sources"), i, s)
		n += (uint64_t)(json_integer_value(json_object_get(s, "answered")) +
		                json_integer_value(json_object_get(s, "unanswered")));
	return n;
}

void cli_alerts_print(const json_t *list, bool all)
{
	struct cli_table *t = json_array_size(list)
	                              ? cli_table_new("Severity|Alert|Resource|>Port|>Sources|>Attempts|Last|Status|Name")
	                              : NULL;
	size_t i;
	json_t *a;
	json_array_foreach((json_t *)list, i, a) {
		const json_t *w = json_object_get(a, "whittle");
		json_int_t port = json_integer_value(json_object_get(w, "port"));
		size_t sources = json_array_size(json_object_get(w, "sources")) +
		                 (size_t)json_integer_value(json_object_get(w, "moreSources"));
		cli_table_coloured(t, cli_alert_colours[wh_alert_severity(a)], wh_alert_property(a, "severity"));
		cli_table_text(t, wh_alert_property(a, "alertDisplayName"));
		cli_table_text(t, wh_alert_property(a, "compromisedEntity"));
		if (port)
			cli_table_cell(t, "%lld/%s", (long long)port, json_string_value(json_object_get(w, "protocol")));
		else
			cli_table_text(t, "");
		if (sources) {
			cli_table_number(t, sources);
			cli_table_number(t, attempts(a));
		} else {
			cli_table_text(t, "");
			cli_table_text(t, "");
		}
		cli_table_cell(t, "%.16s", wh_alert_property(a, "endTimeUtc"));
		cli_table_text(t, wh_alert_property(a, "status"));
		cli_table_text(t, short_name(a));
	}
	if (t)
		cli_table_print(t);
	else
		puts(all ? "No alert." : "No open alert (--all lists the resolved and dismissed ones).");
}

int cli_alerts_lines(const json_t *list, int format)
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

void cli_alert_print(const json_t *a)
{
	const json_t *p = json_object_get(a, "properties"), *w = json_object_get(a, "whittle");
	const char *rule = json_string_value(json_object_get(w, "rule"));
	size_t i;
	json_t *x;
	cli_print_coloured(cli_alert_colours[wh_alert_severity(a)], wh_alert_property(a, "severity"));
	printf("  %s\n\n%s\n\n", wh_alert_property(a, "alertDisplayName"), wh_alert_property(a, "description"));
	printf("status    %s\ntactic    %s\nfrom      %s\nto        %s\nresource  %s\n", wh_alert_property(a, "status"),
	       wh_alert_property(a, "intent"), wh_alert_property(a, "startTimeUtc"), wh_alert_property(a, "endTimeUtc"),
	       wh_alert_property(a, "compromisedEntity"));
	if (json_integer_value(json_object_get(w, "port")))
		printf("port      %lld/%s %s\n", (long long)json_integer_value(json_object_get(w, "port")),
		       json_string_value(json_object_get(w, "protocol")), json_string_value(json_object_get(w, "direction")));
	if (rule)
		printf("rule      %s\n", rule);
	printf("type      %s\nname      %s\n", wh_alert_property(a, "alertType"), json_string_value(json_object_get(a, "name")));
	struct cli_table *t = json_array_size(json_object_get(w, "sources"))
	                              ? cli_table_new("Address|>Answered|>Unanswered|First|Last|List")
	                              : NULL;
	json_array_foreach(json_object_get(w, "sources"), i, x) {
		cli_table_text(t, json_string_value(json_object_get(x, "address")));
		cli_table_cell(t, "%s%lld", json_is_true(json_object_get(x, "atLeast")) ? "at least " : "",
		               (long long)json_integer_value(json_object_get(x, "answered")));
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
		printf("  %s  %s by %s%s%s\n", json_string_value(json_object_get(x, "time")),
		       json_string_value(json_object_get(x, "status")), json_string_value(json_object_get(x, "who")),
		       reason ? ": " : "", reason ? reason : "");
	}
}
