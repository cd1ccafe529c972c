/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/network.h"
#include "whittle/app_network.h"

static const char help[] =
	"usage: whittle connections [--external] [--compact] [--in PATH]… [--json]\n"
	"\n"
	"Lists every connection that the rules allow: between the estate's resources, or with the Internet. What is not decided is listed as unknown,\n"
	"with what the inventory lacks.\n"
	"\n"
	"For people, and with --compact, resources are listed by classes: those that no rule, route or peering tells apart. --json lists pairs as\n"
	"Azure's allowedConnections do.\n"
	"\n"
	"  --external    between resources and the Internet\n"
	"  --compact     classes in JSON, too: short in an estate of any size\n"
	"  --in PATH     reads this file or directory instead of the ledger's estate; can be given again\n"
	"\n"
	"Example: whittle connections --external\n";

/* "web-1, web-2 and 18 more" */
static char *names_of(const json_t *classes, const char *ranges)
{
	char *text, *at = (char *)(uintptr_t)ranges;
	size_t len, shown = 0, all = 0;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	while (*at) {
		unsigned long first = strtoul(at, &at, 10), last = *at == '-' ? strtoul(at + 1, &at, 10) : first;
		at += *at == ',';
		for (unsigned long k = first; k <= last; k++) {
			size_t j;
			json_t *m;
			json_array_foreach(json_object_get(json_array_get(classes, (size_t)k), "resources"), j, m) {
				if (all++ < 3)
					fprintf(f, "%s%s", shown++ ? ", " : "", cli_name_of(json_string_value(json_object_get(m, "id"))));
			}
		}
	}
	if (all > shown)
		fprintf(f, " and %zu more", all - shown);
	return fclose(f) ? NULL : text;
}

/* The cells of what is allowed, and of what is not known: with its ports and what would decide it. */
static void print_ports(struct cli_table *t, const json_t *ports)
{
	static const char *const known[] = {"tcpPorts", "udpPorts"};
	const char *tcp = json_string_value(json_object_get(ports, "tcpUnknown")), *udp = json_string_value(json_object_get(ports, "udpUnknown")), *missing = json_string_value(json_object_get(ports, "missing"));
	for (size_t i = 0; i < 2; i++) {
		const char *text = json_string_value(json_object_get(ports, known[i]));
		cli_table_text(t, text && strcmp(text, "[]") ? text : NULL);
	}
	if (missing)
		cli_table_cell(t, "%s%s%s%s%s: needs %s", tcp ? "TCP " : "", tcp ? tcp : "", tcp && udp ? ", " : "", udp ? "UDP " : tcp ? "" : "another protocol", udp ? udp : "", missing);
	else
		cli_table_text(t, NULL);
}

static void print_classes(const json_t *doc)
{
	const json_t *classes = json_object_get(doc, "classes");
	struct cli_table *t = cli_table_new("From|To|TCP|UDP|Not known");
	size_t i;
	json_t *c;
	json_array_foreach(json_object_get(doc, "connections"), i, c) {
		char number[32];
		const json_t *ports = json_array_get(json_object_get(doc, "ports"), (size_t)json_integer_value(json_object_get(c, "ports")));
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(json_object_get(c, "to")));
		char *from = names_of(classes, json_string_value(json_object_get(c, "from"))), *to = names_of(classes, number);
		cli_table_text(t, from);
		cli_table_text(t, to);
		print_ports(t, ports);
		free(from);
		free(to);
	}
	cli_table_print(t);
}

static void print_external(const json_t *doc)
{
	static const char *const lists[] = {"inboundConnectedResources", "outboundConnectedResources"};
	struct cli_table *t = cli_table_new("Resource|Direction|Internet addresses|TCP|UDP|Not known");
	size_t i, k, j;
	json_t *r, *c;
	json_array_foreach(json_object_get(doc, "connectableResources"), i, r)
		for (k = 0; k < 2; k++)
			json_array_foreach(json_object_get(r, lists[k]), j, c) {
				const json_t *some = json_object_get(c, "addresses");
				cli_table_text(t, cli_name_of(json_string_value(json_object_get(r, "id"))));
				cli_table_text(t, k ? "Outbound" : "Inbound");
				if (json_array_size(some) == 1)
					cli_table_text(t, json_string_value(json_array_get(some, 0)));
				else if (json_array_size(some) > 1)
					cli_table_cell(t, "%s and %zu more", json_string_value(json_array_get(some, 0)), json_array_size(some) - 1);
				else
					cli_table_text(t, "all");
				print_ports(t, c);
			}
	cli_table_print(t);
}

static int run(struct cli *c, int argc, char **argv)
{
	struct cli_paths in = {.n = 0};
	bool external = false, compact = false;
	const struct cli_option options[] = {{"external", .flag = &external}, {"compact", .flag = &compact}, {"in", .paths = &in}, {NULL}};
	struct wh_app_network *net = NULL;
	struct wh_error err;
	json_t *doc;
	cli_output_only_prints();
	if (cli_read_options(c, argc, argv, options) || cli_no_word(c, argc, argv))
		return CLI_USAGE;
	if (external && compact)
		return cli_usage(c, "--compact is for connections between resources");
	int rc = cli_open_network(c, &in, &net);
	if (rc)
		return rc;
	if (external || (c->json && !compact) ? wh_app_connections(net, external, &doc, &err) : wh_app_connections_compact(net, &doc, &err))
		rc = cli_error(&err);
	else
		rc = cli_print_document(c, doc, external ? print_external : print_classes);
	wh_app_network_close(net);
	return rc;
}

const struct cli_command cli_connections = {.confined = true, .name = "connections", .summary = "list the connections that the rules allow", .help = help, .run = run, .only_reads = true};
