/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "cli/posture.h"
#include "whittle/firewall.h"
#include "whittle/report.h"

static const char help[] =
	"usage: whittle inventory [--type TYPE] [--zone ZONE] [--severity SEVERITY] [--recommendation ASSESSMENT] [--label KEY[=VALUE]] [--name PART]\n"
	"                         [--sort COLUMN] [--in PATH]… [--json | --csv]\n"
	"\n"
	"Lists the estate's resources: the type of each, whether the Internet reaches it, the number of recommendations for it by severity, and its open\n"
	"alerts. Without --type it lists resources of the network, and those that an assessment judges.\n"
	"\n"
	"  --type TYPE       only types that contain this: virtualMachines, Microsoft.Network/\n"
	"  --zone ZONE       only internet-facing or internal resources\n"
	"  --severity S      only those whose worst recommendation is High, Medium, Low or Informational\n"
	"  --recommendation ASSESSMENT  only those that are unhealthy in this assessment: its key or name\n"
	"  --label KEY=VALUE only those with this tag; KEY: with any value\n"
	"  --name PART       only those whose name contains this\n"
	"  --sort COLUMN     severity (the default), name, type, zone or alerts\n"
	"  --in PATH         reads this file or directory instead of the ledger's estate; can be given again\n"
	"\n"
	"Example: whittle inventory --zone internet-facing --severity High\n";

static long long count_of(const json_t *r, const char *severity)
{
	return (long long)json_integer_value(json_object_get(json_object_get(r, "recommendations"), severity));
}

static void print(const json_t *doc)
{
	struct cli_table *t = cli_table_new("Name|Type|Zone|Worst|>High|>Medium|>Low|>Alerts");
	json_t *r;
	size_t i;
	json_array_foreach(json_object_get(doc, "resources"), i, r) {
		const char *severity = json_string_value(json_object_get(r, "severity")),
			   *type = json_string_value(json_object_get(r, "type"));
		cli_table_text(t, json_string_value(json_object_get(r, "name")));
		cli_table_text(t, strncasecmp(type, "Microsoft.", 10) ? type : type + 10);
		cli_table_text(t, json_string_value(json_object_get(r, "zone")));
		cli_table_coloured(t, severity && !strcmp(severity, "High") ? CLI_RED : CLI_PLAIN, severity ? severity : "");
		cli_table_number(t, (uint64_t)count_of(r, "high"));
		cli_table_number(t, (uint64_t)count_of(r, "medium"));
		cli_table_number(t, (uint64_t)count_of(r, "low"));
		cli_table_number(t, (uint64_t)json_integer_value(json_object_get(r, "alerts")));
	}
	cli_table_print(t);
	const long long total = json_integer_value(json_object_get(doc, "total"));
	printf("%lld resource%s\n", total, total == 1 ? "" : "s");
}

static int run(struct cli *c, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct wh_app_inventory ask = {.type = NULL};
	struct cli_paths in = {.n = 0};
	bool csv = false;
	const struct cli_option options[] = {{"type", .text = &ask.type},
	                                     {"zone", .text = &ask.zone},
	                                     {"severity", .text = &ask.severity},
	                                     {"recommendation", .text = &ask.assessment},
	                                     {"label", .text = &ask.label},
	                                     {"name", .text = &ask.name},
	                                     {"sort", .text = &ask.sort},
	                                     {"csv", .flag = &csv},
	                                     {"in", .paths = &in},
	                                     {0}};
	struct wh_app_posture *p;
	enum wh_severity severity;
	struct wh_error err;
	json_t *doc;
	int rc = cli_read_options(c, argc, argv, options);
	rc = rc || !ask.severity ? rc : cli_severity(c, "--severity", ask.severity, &severity);
	if (!rc && optind < argc)
		rc = cli_usage(c, "'%s' is not an option; see `whittle inventory --help` for the filters", argv[optind]);
	if (!rc && ask.zone && strcasecmp(ask.zone, "internet-facing") && strcasecmp(ask.zone, "internal"))
		rc = cli_usage(c, "--zone takes internet-facing or internal, not '%s'", ask.zone);
	if (rc)
		return rc;
	if (wh_app_posture_open(&a, in.path, in.n, &p, &err))
		return cli_error(&err);
	if (wh_app_inventory(p, &ask, &doc, &err)) {
		rc = cli_app_error(c, &err);
	} else if (csv) {
		rc = cli_print_text(wh_report_csv_inventory(doc));
		json_decref(doc);
	} else {
		rc = cli_print_document(c, doc, print);
	}
	wh_app_posture_free(p);
	return rc;
}

const struct cli_command cli_inventory = {.name = "inventory",
                                          .summary = "list resources with what is recommended for each",
                                          .help = help,
                                          .may = WH_MAY_LOOK,
                                          .run = run,
                                          .only_reads = true,
                                          .confined = true};
