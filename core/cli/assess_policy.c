/* SPDX-License-Identifier: GPL-2.0-or-later */
/* assess --policy: an inventory by definitions in the language of Azure Policy. */
#include <string.h>
#include "cli/posture.h"
#include "whittle/app_network.h"

enum { MOST_POLICIES = 256 };

static void print(const json_t *doc, bool all)
{
	struct cli_table *t = NULL;
	json_t *a, *note;
	size_t i;
	json_array_foreach(json_object_get(doc, "assessments"), i, a) {
		const char *status = json_string_value(json_object_get(a, "status")),
			   *name = json_string_value(json_object_get(a, "displayName"));
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
	printf("%lld unhealthy, %lld healthy, %lld not judged: %lld definitions, %lld resources%s\n",
	       (long long)json_integer_value(json_object_get(counts, "Unhealthy")),
	       (long long)json_integer_value(json_object_get(counts, "Healthy")),
	       (long long)json_integer_value(json_object_get(counts, "NotApplicable")),
	       (long long)json_integer_value(json_object_get(doc, "definitions")),
	       (long long)json_integer_value(json_object_get(doc, "resources")), all ? "" : " (--all lists these too)");
}

int cli_assess_policies(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{"policy", required_argument, NULL, 'p'},
	                                      {"parameters", required_argument, NULL, 'P'},
	                                      {"all", no_argument, NULL, 'a'},
	                                      {"fail-on", required_argument, NULL, 'f'},
	                                      {0}};
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
		return cli_usage(c, "give the definitions: --policy FILE|DIR");
	if (optind == argc)
		return cli_usage(c, "give the resources: a JSON file, or a directory of them");
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
