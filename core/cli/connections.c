/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/network.h"
#include "whittle/app_network.h"

static const char help[] =
	"usage: whittle connections [--external] [--compact] [--overlay] [--in PATH]… [--json]\n"
	"       whittle connections --unwanted [--json]\n"
	"\n"
	"Lists every connection that the rules allow: between the estate's resources, or with the Internet. If the inventory can't decide one, it is\n"
	"listed as unknown, with the missing input.\n"
	"\n"
	"The table, and --compact, list classes of resources: rules, routes and peerings treat all resources of a class alike. --json lists pairs,\n"
	"as Azure's allowedConnections do.\n"
	"\n"
	"  --external    lists only connections with the Internet\n"
	"  --compact     lists classes in JSON, too, which keeps it short in an estate of any size\n"
	"  --overlay     lists pairs, with what was observed in the ledger's window and what the recommended rules would let through\n"
	"  --unwanted    lists connections that are probably unwanted: unused in the window, between machines with different labels (`labels` of\n"
	"                whittle.yaml), or exposed to the Internet with an insecure protocol or an open alert. Machines that no sensor heard are not\n"
	"                judged.\n"
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
					fprintf(f, "%s%s", shown++ ? ", " : "",
					        cli_name_of(json_string_value(json_object_get(m, "id"))));
			}
		}
	}
	if (all > shown)
		fprintf(f, " and %zu more", all - shown);
	return fclose(f) ? NULL : text;
}

/* The cells of allowed traffic, and of unknown traffic: with its ports and the reason. */
static void print_ports(struct cli_table *t, const json_t *ports)
{
	static const char *const known[] = {"tcpPorts", "udpPorts"};
	const char *tcp = json_string_value(json_object_get(ports, "tcpUnknown")),
		   *udp = json_string_value(json_object_get(ports, "udpUnknown")),
		   *missing = json_string_value(json_object_get(ports, "missing"));
	for (size_t i = 0; i < 2; i++) {
		const char *text = json_string_value(json_object_get(ports, known[i]));
		cli_table_text(t, text && strcmp(text, "[]") ? text : NULL);
	}
	if (missing)
		cli_table_cell(t, "%s%s%s%s%s: needs %s", tcp ? "TCP " : "", tcp ? tcp : "", tcp && udp ? ", " : "",
		               udp   ? "UDP "
		               : tcp ? ""
		                     : "another protocol",
		               udp ? udp : "", missing);
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
		const json_t *ports = json_array_get(json_object_get(doc, "ports"),
		                                     (size_t)json_integer_value(json_object_get(c, "ports")));
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
					cli_table_cell(t, "%s and %zu more", json_string_value(json_array_get(some, 0)),
					               json_array_size(some) - 1);
				else
					cli_table_text(t, "all");
				print_ports(t, c);
			}
	cli_table_print(t);
}

static const char *ports_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text && strcmp(text, "[]") ? text : NULL;
}

static void print_both(struct cli_table *t, const json_t *o)
{
	const char *tcp = ports_of(o, "tcpPorts"), *udp = ports_of(o, "udpPorts");
	cli_table_cell(t, "%s%s%s%s%s", tcp ? "TCP " : "", tcp ? tcp : "", tcp && udp ? ", " : "", udp ? "UDP " : "",
	               udp                     ? udp
	               : !o || json_is_null(o) ? "not calculated"
	               : tcp                   ? ""
	                                       : "none");
}

/* One row a pair: what is allowed, was observed, is recommended. */
static void print_overlay(const json_t *doc)
{
	struct cli_table *t = cli_table_new("From|To|Allowed|Observed|Recommended");
	size_t i, k;
	json_t *r, *c;
	json_array_foreach(json_object_get(doc, "connectableResources"), i, r)
		json_array_foreach(json_object_get(r, "inboundConnectedResources"), k, c) {
			cli_table_text(t, cli_name_of(json_string_value(json_object_get(c, "connectedResourceId"))));
			cli_table_text(t, cli_name_of(json_string_value(json_object_get(r, "id"))));
			print_both(t, c);
			print_both(t, json_object_get(c, "observed"));
			print_both(t, json_object_get(c, "recommended"));
		}
	cli_table_print(t);
}

static void print_unwanted(const json_t *doc)
{
	const json_t *classes = json_object_get(doc, "classes");
	struct cli_table *t = cli_table_new("Finding|From|To|Ports|Why");
	size_t i, unheard = json_array_size(json_object_get(doc, "unheard"));
	json_t *u;
	json_array_foreach(json_object_get(doc, "unwanted"), i, u) {
		const char *kind = json_string_value(json_object_get(u, "kind")),
			   *id = json_string_value(json_object_get(u, "id")), *why = json_string_value(json_object_get(u, "why"));
		char number[32], *from = id ? NULL : names_of(classes, json_string_value(json_object_get(u, "from"))), *to;
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(json_object_get(u, "to")));
		to = id ? NULL : names_of(classes, number);
		cli_table_text(t, kind);
		cli_table_text(t, id ? "Internet" : from);
		cli_table_text(t, id ? cli_name_of(id) : to);
		print_both(t, u);
		if (!strcmp(kind, "label"))
			cli_table_cell(t, "%s %s to %s%s", json_string_value(json_object_get(u, "label")),
			               json_string_value(json_object_get(u, "fromValue")),
			               json_string_value(json_object_get(u, "toValue")),
			               json_is_true(json_object_get(u, "used")) ? ", and used" : "");
		else
			cli_table_text(t, why ? why : "no connection in the window");
		free(from);
		free(to);
	}
	if (i)
		cli_table_print(t);
	else
		printf("No unwanted connection was found.\n");
	printf("The window is from %s to %s.\n", json_string_value(json_object_get(doc, "from")),
	       json_string_value(json_object_get(doc, "until")));
	if (unheard)
		printf("The sensor did not hear %zu machine%s: whether connections to %s are used is not known.\n", unheard,
		       unheard == 1 ? " was" : "s were", unheard == 1 ? "it" : "them");
}

static int run(struct cli *c, int argc, char **argv)
{
	struct cli_paths in = {.n = 0};
	bool external = false, compact = false, overlay = false, unwanted = false;
	const struct cli_option options[] = {
		{"external", .flag = &external}, {"compact", .flag = &compact}, {"overlay", .flag = &overlay},
		{"unwanted", .flag = &unwanted}, {"in", .paths = &in},          {0}};
	struct wh_app_network *net = NULL;
	struct wh_error err;
	json_t *doc;
	cli_output_only_prints();
	if (cli_read_options(c, argc, argv, options) || cli_no_word(c, argc, argv))
		return CLI_USAGE;
	if (external && compact)
		return cli_usage(c, "--compact is for connections between resources");
	if ((overlay || unwanted) && in.n)
		return cli_usage(c, "--%s shows what the ledger observed, so it does not work with --in",
		                 overlay ? "overlay" : "unwanted");
	if (external + compact + overlay + unwanted > 1)
		return cli_usage(c, "--external, --compact, --overlay and --unwanted are different lists: give one of them");
	const struct wh_app a = cli_app(c);
	const struct wh_app_connections ask = {external, overlay ? &a : NULL};
	int rc = cli_open_network(c, &in, &net);
	if (rc)
		return rc;
	if (unwanted                                       ? wh_app_unwanted(net, &a, &doc, &err)
	    : external || overlay || (c->json && !compact) ? wh_app_connections(net, &ask, &doc, &err)
	                                                   : wh_app_connections_compact(net, &doc, &err))
		rc = cli_error(&err);
	else
		rc = cli_print_document(c, doc,
		                        unwanted   ? print_unwanted
		                        : external ? print_external
		                        : overlay  ? print_overlay
		                                   : print_classes);
	wh_app_network_close(net);
	return rc;
}

const struct cli_command cli_connections = {.confined = true,
                                            .name = "connections",
                                            .summary = "list the connections that the rules allow",
                                            .help = help,
                                            .run = run,
                                            .only_reads = true};
