/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/network.h"
#include "whittle/app_network.h"

static const char help[] =
	"usage: whittle anomalies [--all] [--fail-on any] [--in PATH]… [--json]\n"
	"\n"
	"Lists rules of network security groups that don't do what they seem to do, each with a packet that shows it and a remedy:\n"
	"  shadowed     earlier rules match all of its packets, and one of them decides differently: the rule has no effect\n"
	"  redundant    earlier rules match all of its packets, with the same decision\n"
	"  correlated   an earlier rule decides differently on packets that both match: their order matters\n"
	"  generalised  an earlier rule is an exception from it (only with --all: this is usually intended)\n"
	"  permissive   it opens every port, or a management port, to the Internet\n"
	"\n"
	"With the ledger's estate, two more are found by the connections in the ledger's window, if the sensor heard every machine behind the group:\n"
	"  unused       an allow rule that no connection needed\n"
	"  partly unused  an allow rule of which connections needed only some ports or addresses\n"
	"\n"
	"Rules that name a tag or a group without known addresses are not judged. If the estate contains the output of `az network nic\n"
	"list-effective-nsg`, each region that Azure decides differently from the imported groups is listed with a packet.\n"
	"\n"
	"  --all           lists generalised and correlated rules, too\n"
	"  --fail-on any   ends with status 3 when something is listed\n"
	"  --in PATH       reads this file or directory instead of the ledger's estate; can be given again\n"
	"\n"
	"Example: whittle anomalies --fail-on any\n";

static bool is_mild(const json_t *a)
{
	const char *kind = json_string_value(json_object_get(a, "kind"));
	return !strcmp(kind, "generalised") || !strcmp(kind, "correlated");
}

/* Prints the regions that Azure's own evaluation decides differently; returns how many. */
static size_t print_effective(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "effectiveDifferences"), *unjudged = json_object_get(doc, "effectiveUnjudged");
	size_t i;
	json_t *v;
	if (json_array_size(list)) {
		puts("\nAzure's effective rules decide differently. Import Azure's present groups, or find out why:");
		struct cli_table *t = cli_table_new("Group|At|Direction|Azure|By|Inventory|By|Shown by");
		static const char *const cells[] = {"nsg", "at", "direction", "azure", "azureRule", "inventory", "inventoryRule"};
		json_array_foreach((json_t *)(uintptr_t)list, i, v) {
			const json_t *p = json_object_get(v, "packet");
			for (size_t k = 0; k < sizeof cells / sizeof *cells; k++)
				cli_table_text(t, json_string_value(json_object_get(v, cells[k])));
			cli_table_cell(t, "%s %s to %s port %lld", json_string_value(json_object_get(p, "protocol")),
			               json_string_value(json_object_get(p, "from")), json_string_value(json_object_get(p, "to")),
			               (long long)json_integer_value(json_object_get(p, "destinationPort")));
		}
		cli_table_print(t);
	}
	json_array_foreach((json_t *)(uintptr_t)unjudged, i, v)
		printf("%s\n", json_string_value(v));
	return json_array_size(list);
}

/* What shows a rule that is not needed in whole: the ports, or the first of the addresses, that nobody used. */
static void print_unused(struct cli_table *t, const json_t *a)
{
	const char *ports = json_string_value(json_object_get(a, "unusedPorts"));
	const json_t *some = json_object_get(a, "unusedAddresses");
	cli_table_cell(t, "%s%s%s%s", ports ? "ports " : "", ports ? ports : "",
	               json_array_size(some) ? ports ? ", from " : "from " : "",
	               json_array_size(some) ? json_string_value(json_array_get(some, 0)) : "");
}

/* What was not decided, below the table. */
static void print_rest(const json_t *doc)
{
	long long skipped = json_integer_value(json_object_get(doc, "skippedRules"));
	size_t unheard = json_array_size(json_object_get(doc, "unjudged"));
	if (skipped)
		printf("%lld rule%s cannot be decided: %s others in too many pieces. Shorter lists of addresses and ports can be.\n",
		       skipped, skipped == 1 ? "" : "s", skipped == 1 ? "it overlaps" : "they overlap");
	if (unheard)
		printf("Of the use of rules in %zu group%s nothing is said: no connection of some machines behind them was heard in the window.\n",
		       unheard, unheard == 1 ? "" : "s");
}

static size_t print(const json_t *doc, bool all)
{
	struct cli_table *t = NULL;
	long long groups = json_integer_value(json_object_get(doc, "groups"));
	size_t i, n = 0;
	json_t *a;
	json_array_foreach(json_object_get(doc, "anomalies"), i, a) {
		const json_t *p = json_object_get(a, "packet");
		const char *other = json_string_value(json_object_get(a, "other"));
		if (!all && is_mild(a))
			continue;
		if (!n++)
			t = cli_table_new("Finding|Group|Direction|Rule|By|Shown by|Fix");
		cli_table_text(t, json_string_value(json_object_get(a, "kind")));
		cli_table_cell(t, "%s%s", json_string_value(json_object_get(a, "nsg")),
		               json_is_false(json_object_get(a, "attached")) ? " (not attached)" : "");
		cli_table_text(t, json_string_value(json_object_get(a, "direction")));
		cli_table_cell(t, "%s (%lld)", json_string_value(json_object_get(a, "rule")),
		               (long long)json_integer_value(json_object_get(a, "priority")));
		if (other)
			cli_table_cell(t, "%s (%lld)", other, (long long)json_integer_value(json_object_get(a, "otherPriority")));
		else
			cli_table_text(t, NULL);
		if (p)
			cli_table_cell(t, "%s %s to %s port %lld", json_string_value(json_object_get(p, "protocol")),
			               json_string_value(json_object_get(p, "from")), json_string_value(json_object_get(p, "to")),
			               (long long)json_integer_value(json_object_get(p, "destinationPort")));
		else
			print_unused(t, a);
		cli_table_text(t, json_string_value(json_object_get(a, "fix")));
	}
	if (t)
		cli_table_print(t);
	else
		printf("No finding in %lld network security group%s.\n", groups, groups == 1 ? "" : "s");
	print_rest(doc);
	return n + print_effective(doc);
}

static int run(struct cli *c, int argc, char **argv)
{
	struct cli_paths in = {.n = 0};
	const char *fail_on = NULL;
	bool all = false;
	const struct cli_option options[] = {{"all", .flag = &all},
	                                     {"fail-on", .text = &fail_on, .one_of = (const char *const[]){"any", NULL}},
	                                     {"in", .paths = &in},
	                                     {0}};
	struct wh_app_network *net = NULL;
	struct wh_error err;
	size_t i, listed = 0;
	json_t *doc, *a;
	cli_output_only_prints();
	if (cli_read_options(c, argc, argv, options) || cli_no_word(c, argc, argv))
		return CLI_USAGE;
	int rc = cli_open_network(c, &in, &net);
	if (rc)
		return rc;
	const struct wh_app a_ledger = cli_app(c);
	if (wh_app_anomalies(net, in.n ? NULL : &a_ledger, &doc, &err)) {
		rc = cli_error(&err);
	} else if (c->json) {
		json_array_foreach(json_object_get(doc, "anomalies"), i, a)
			listed += all || !is_mild(a);
		listed += json_array_size(json_object_get(doc, "effectiveDifferences"));
		rc = cli_print_json(doc);
	} else {
		listed = print(doc, all);
		json_decref(doc);
	}
	wh_app_network_close(net);
	return rc ? rc : fail_on && listed ? CLI_FINDINGS : CLI_OK;
}

const struct cli_command cli_anomalies = {.confined = true,
                                          .name = "anomalies",
                                          .summary = "list rules that don't do what they seem to do",
                                          .help = help,
                                          .run = run,
                                          .only_reads = true};
