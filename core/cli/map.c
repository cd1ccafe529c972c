/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/opener.h"
#include "cli/network.h"
#include "whittle/app_network.h"

static const char help[] =
	"usage: whittle map [--svg FILE] [--html FILE] [--traffic] [--in PATH]… [--json]\n"
	"\n"
	"Shows the network of the estate: VNets, their subnets and machines, the severity of each with the reason, and which of them the Internet\n"
	"reaches.\n"
	"\n"
	"A machine is High if the Internet reaches a management port or an insecure protocol, or if it has an alert that is High. It is Medium if\n"
	"the Internet reaches many ports, or if its rules can be narrowed; Low if no group guards it; Unknown if the inventory does not decide it.\n"
	"A subnet has the severity of its worst machine, a VNet that of its worst subnet. --json has the fields of Azure's topologies.\n"
	"\n"
	"  --svg FILE    writes a picture: VNets inside, then subnets, then machines; a large group of machines is shown as its number\n"
	"  --html FILE   writes a self-contained page with a picture of the whole network and of each VNet, and a list\n"
	"  --traffic     adds the traffic that was observed; in JSON with what is allowed and what is recommended for the same edge\n"
	"  --in PATH     reads this file or directory instead of the ledger's estate; can be given again\n"
	"\n"
	"Example: whittle map --traffic --html map.html\n";

static enum cli_colour colour_of(const char *severity)
{
	return !strcmp(severity, "High")                                 ? CLI_RED
	       : !strcmp(severity, "Medium") || !strcmp(severity, "Low") ? CLI_YELLOW
	       : !strcmp(severity, "Healthy")                            ? CLI_GREEN
	                                                                 : CLI_DIM;
}

static void print(const json_t *doc)
{
	static const char *const kinds[] = {"VNet", "Subnet", "VM"};
	struct cli_table *t = cli_table_new("Kind|Name|Severity|Zone|>Below|Why");
	size_t i, k, healthy = 0;
	json_t *v, *r;
	json_array_foreach(json_object_get(doc, "value"), k, v)
		json_array_foreach(json_object_get(json_object_get(v, "properties"), "topologyResources"), i, r) {
			const char *severity = json_string_value(json_object_get(r, "severity")),
				   *zone = json_string_value(json_object_get(r, "networkZones"));
			if (k == 2 && !strcmp(severity, "Healthy") && !strcmp(zone, "Internal")) {
				healthy++;
				continue;
			}
			const char *id = json_string_value(json_object_get(r, "resourceId"));
			cli_table_text(t,
			               k >= 2 && id && strcasestr(id, "/privateEndpoints/") ? "Endpoint" : kinds[k < 2 ? k : 2]);
			cli_table_text(t, json_string_value(json_object_get(r, "name")));
			cli_table_coloured(t, colour_of(severity), severity);
			cli_table_text(t, zone);
			if (k < 2)
				cli_table_number(t, json_array_size(json_object_get(r, "children")));
			else
				cli_table_text(t, NULL);
			cli_table_text(t, json_string_value(json_array_get(json_object_get(r, "reasons"), 0)));
		}
	cli_table_print(t);
	if (healthy)
		printf("%zu healthy internal VM%s not listed.\n", healthy, healthy == 1 ? " is" : "s are");
}

static int write_picture(const struct wh_app_map *m, const char *path, bool page)
{
	struct wh_error err;
	char *text = wh_app_map_picture(m, page);
	int rc = text ? wh_write_file(path, text, strlen(text), &err) : wh_fail(&err, -ENOMEM, "out of memory");
	free(text);
	return rc ? cli_error(&err) : CLI_OK;
}

static int run(struct cli *c, int argc, char **argv)
{
	const char *svg = NULL, *html = NULL;
	struct cli_paths in = {.n = 0};
	bool traffic = false;
	const struct cli_option options[] = {
		{"svg", .text = &svg}, {"html", .text = &html}, {"traffic", .flag = &traffic}, {"in", .paths = &in}, {0}};
	const struct wh_app a = cli_app(c);
	struct wh_app_map *m;
	struct wh_error err;
	if (cli_read_options(c, argc, argv, options) || cli_no_word(c, argc, argv))
		return CLI_USAGE;
	if (traffic && in.n)
		return cli_usage(c, "--traffic shows what the ledger observed, so it does not work with --in");
	bool document = c->json || (!svg && !html);
	if (wh_app_map(&a, in.path, in.n, !traffic ? WH_APP_MAP_ALONE : document ? WH_APP_MAP_PORTS : WH_APP_MAP_LINES, &m, &err))
		return cli_error(&err);
	int rc = svg ? write_picture(m, svg, false) : CLI_OK;
	rc = rc || !html ? rc : write_picture(m, html, true);
	if (!rc && document)
		rc = cli_print_document(c, wh_app_map_json(m), print);
	wh_app_map_free(m);
	return rc;
}

const struct cli_command cli_map = {
	.confined = true, .name = "map", .summary = "show the network, as a picture or a document", .help = help, .run = run};
