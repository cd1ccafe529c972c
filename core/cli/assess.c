/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "cli/cli.h"
#include "whittle/app_network.h"

static const char help[] =
	"usage: whittle assess --policy FILE|DIR… [--parameters FILE] [--all] [--json] [--fail-on unhealthy] INVENTORY…\n"
	"\n"
	"Assesses the resources of an inventory by definitions written in the language of Azure Policy: Microsoft's own as they are\n"
	"published, or yours. INVENTORY is a JSON file, or a directory of them: what `az … list`, `az graph query`, a template export or the REST\n"
	"API prints. Resources that stand inside others (subnets, private endpoint connections) are found there.\n"
	"\n"
	"  --policy FILE|DIR    definitions, a file each; can be given again\n"
	"  --parameters FILE    {\"name\": value, …}: values of parameters over the definitions' defaults\n"
	"  --all                prints healthy resources too\n"
	"  --fail-on unhealthy  ends with status 3 when a resource is unhealthy\n"
	"\n"
	"A keyword, operator or function that is not known is refused with its file and place; nothing is assessed by half.\n"
	"\n"
	"Example: whittle assess --policy definitions/ --fail-on unhealthy storage.json vaults.json\n";

enum { MOST_POLICIES = 256 };

static void print(const json_t *doc, bool all)
{
	struct cli_table *t = NULL;
	json_t *a, *note;
	size_t i;
	json_array_foreach(json_object_get(doc, "assessments"), i, a) {
		const char *status = json_string_value(json_object_get(a, "status")), *name = json_string_value(json_object_get(a, "displayName"));
		bool healthy = strcmp(status, "Unhealthy") != 0;
		if (healthy && !all)
			continue;
		if (!t)
			t = cli_table_new("Status|Assessment|Resource|Cause");
		cli_table_coloured(t, !healthy ? CLI_RED : !strcmp(status, "Healthy") ? CLI_GREEN : CLI_DIM, status);
		cli_table_text(t, name ? name : json_string_value(json_object_get(a, "name")));
		cli_table_text(t, json_string_value(json_object_get(a, "resourceId")));
		cli_table_text(t, json_string_value(json_object_get(a, "cause")));
	}
	if (t)
		cli_table_print(t);
	json_array_foreach(json_object_get(doc, "notes"), i, note)
		if (all || strstr(json_string_value(note), "not assessed") || strstr(json_string_value(note), "left aside"))
			printf("note: %s\n", json_string_value(note));
	const json_t *counts = json_object_get(doc, "counts");
	printf("%lld unhealthy, %lld healthy, %lld not judged: %lld definitions, %lld resources%s\n", (long long)json_integer_value(json_object_get(counts, "Unhealthy")),
	       (long long)json_integer_value(json_object_get(counts, "Healthy")), (long long)json_integer_value(json_object_get(counts, "NotApplicable")),
	       (long long)json_integer_value(json_object_get(doc, "definitions")),
	       (long long)json_integer_value(json_object_get(doc, "resources")), all ? "" : " (--all lists these too)");
}

static int run(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{"policy", required_argument, NULL, 'p'}, {"parameters", required_argument, NULL, 'P'}, {"all", no_argument, NULL, 'a'},
	                                      {"fail-on", required_argument, NULL, 'f'}, {0}};
	const char *policies[MOST_POLICIES];
	struct wh_app_assess ask = {.policies = policies};
	bool all = false, fail = false;
	struct wh_error err;
	json_t *doc;
	int o;
	while ((o = cli_getopt(c, argc, argv, "", longs)) != -1) {
		if (o == 'p' && ask.n_policies < MOST_POLICIES)
			policies[ask.n_policies++] = optarg;
		else if (o == 'P')
			ask.parameters = optarg;
		else if (o == 'a')
			all = true;
		else if (o == 'f' && !strcmp(optarg, "unhealthy"))
			fail = true;
		else if (o == 'f')
			return cli_usage(c, "--fail-on takes unhealthy, not '%s'", optarg);
		else
			return CLI_USAGE;
	}
	if (!ask.n_policies)
		return cli_usage(c, "which definitions? --policy FILE|DIR");
	if (optind == argc)
		return cli_usage(c, "which resources? Give a JSON file, or a directory of them");
	ask.resources = (const char *const *)argv + optind;
	ask.n_resources = (size_t)(argc - optind);
	if (wh_app_assess(&ask, &doc, &err))
		return cli_error(&err);
	bool found = json_integer_value(json_object_get(json_object_get(doc, "counts"), "Unhealthy")) > 0;
	int rc = CLI_OK;
	if (c->json)
		rc = cli_print_json(doc);
	else {
		print(doc, all);
		json_decref(doc);
	}
	return rc ? rc : fail && found ? CLI_FINDINGS : CLI_OK;
}

const struct cli_command cli_assess = {.name = "assess", .summary = "assess resources by policy definitions", .help = help, .run = run, .only_reads = true, .no_ledger = true};
