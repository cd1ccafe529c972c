/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/network.h"
#include "whittle/app_network.h"
#include "whittle/firewall.h"

static const char help[] =
	"usage: whittle reach --host PEER --port N [--proto tcp|udp] [--outbound] [--local ADDRESS] [--interface NAME] [--json]\n"
	"       whittle reach FROM TO [--port N] [--proto NAME] [--in PATH]… [--json]\n"
	"       whittle reach --who-can-reach X [--port N] [--proto NAME] [--in PATH]… [--json]\n"
	"       whittle reach --where-can X [--port N] [--proto NAME] [--in PATH]… [--json]\n"
	"\n"
	"Says whether FROM may send to TO by all rules together: peerings and routes, security admin rules, the groups of interfaces and subnets on\n"
	"both sides, public addresses and load balancers. FROM and TO are a resource's name or id, an address, a prefix, or Internet.\n"
	"\n"
	"The verdict is `allowed`, `denied`, `partly` (some addresses of FROM or TO are allowed) or `unknown`, with what the inventory lacks. The\n"
	"rules that decide one such packet follow, in the order in which the packet meets them. Without --port, `allowed` means that at least one\n"
	"port is open. If Azure's own evaluation was imported (`az network nic list-effective-nsg`) and differs, that is reported.\n"
	"\n"
	"With --host it says what this machine's rules do with a connection from PEER. It reads the rules of all programs from the kernel: ufw,\n"
	"firewalld, Docker, fail2ban, whittle. Some conditions cannot be evaluated: rate limits, marks, sets to which packets add entries, extensions\n"
	"of iptables. If one of them matters, the verdict is `unknown` and names it. Translations and iptables' legacy tables are not read. Needs root.\n"
	"\n"
	"  --host PEER          asks this machine's rules\n"
	"  --outbound           asks about a connection to PEER\n"
	"  --local ADDRESS      uses this address of the machine instead of the one nearest to PEER\n"
	"  --interface NAME     uses this interface instead of the address's own\n"
	"  --port N             the destination port\n"
	"  --proto NAME         tcp (the default with --port), udp, icmp, or a number\n"
	"  --who-can-reach X    lists what can reach X, including the Internet\n"
	"  --where-can X        lists what X can reach (also written `--where-can X go`)\n"
	"  --overlay            also shows the traffic in the ledger's window, and what the recommended rules would allow\n"
	"  --in PATH            reads this file or directory instead of the ledger's estate; can be repeated\n"
	"\n"
	"Example: whittle reach Internet vm-web-1 --port 22\n";

static void print_steps(const json_t *list)
{
	struct cli_table *t = cli_table_new("Passes|Direction|Verdict|Decided by");
	size_t i;
	json_t *s;
	json_array_foreach((json_t *)list, i, s) {
		const char *verdict = json_string_value(json_object_get(s, "verdict")),
			   *rule = json_string_value(json_object_get(s, "rule")),
			   *nsg = json_string_value(json_object_get(s, "nsg")),
			   *why = json_string_value(json_object_get(s, "why"));
		cli_table_text(t, json_string_value(json_object_get(s, "where")));
		cli_table_text(t, json_string_value(json_object_get(s, "direction")));
		cli_table_coloured(t,
		                   !strcmp(verdict, "allowed")  ? CLI_GREEN
		                   : !strcmp(verdict, "denied") ? CLI_RED
		                                                : CLI_YELLOW,
		                   verdict);
		if (rule)
			cli_table_cell(t, "%s%s%s (%lld %s)%s%s", nsg ? nsg : "", nsg ? ": " : "", rule,
			               (long long)json_integer_value(json_object_get(s, "priority")),
			               json_string_value(json_object_get(s, "access")), !why                          ? ""
			               : !strcmp(verdict, "unknown") ? "; not known: "
			                                             : "; ",
			               why ? why : "");
		else
			cli_table_text(t, why ? why : "");
	}
	cli_table_print(t);
}

/* The observed and the recommended peers, if requested. */
static void print_edge(const json_t *o)
{
	const json_t *seen = json_object_get(o, "observed"), *rules = json_object_get(o, "recommended");
	if (!seen)
		return;
	printf("Observed: TCP %s, UDP %s", json_string_value(json_object_get(seen, "tcpPorts")),
	       json_string_value(json_object_get(seen, "udpPorts")));
	if (json_string_value(json_object_get(seen, "lastSeen")))
		printf(", %lld flows, last on %s", (long long)json_integer_value(json_object_get(seen, "flows")),
		       json_string_value(json_object_get(seen, "lastSeen")));
	if (json_is_object(rules))
		printf("\nRecommended: TCP %s, UDP %s\n", json_string_value(json_object_get(rules, "tcpPorts")),
		       json_string_value(json_object_get(rules, "udpPorts")));
	else
		printf("\nRecommended: nothing was calculated between these (`whittle recommend`)\n");
}

static void print_verdict(const json_t *o)
{
	const char *verdict = json_string_value(json_object_get(o, "verdict"));
	const json_t *p = json_object_get(o, "packet");
	size_t i;
	json_t *m;
	printf("%s to %s: ", json_string_value(json_object_get(o, "from")), json_string_value(json_object_get(o, "to")));
	cli_print_coloured(!strcmp(verdict, "denied") ? CLI_RED : !strcmp(verdict, "allowed") ? CLI_GREEN : CLI_YELLOW, verdict);
	printf("\nTCP %s, UDP %s%s\n", json_string_value(json_object_get(o, "tcpPorts")),
	       json_string_value(json_object_get(o, "udpPorts")), json_is_true(json_object_get(o, "icmp")) ? ", ICMP" : "");
	print_edge(o);
	json_array_foreach(json_object_get(o, "missing"), i, m)
		printf("Not known: %s\n", json_string_value(m));
	json_array_foreach(json_object_get(o, "effectiveDifferences"), i, m)
		printf("Azure's effective rules decide differently: %s\n", json_string_value(json_object_get(m, "sentence")));
	if (p)
		printf("\n%s from %s port %lld to %s port %lld:\n", json_string_value(json_object_get(p, "protocol")),
		       json_string_value(json_object_get(p, "from")),
		       (long long)json_integer_value(json_object_get(p, "sourcePort")),
		       json_string_value(json_object_get(p, "to")),
		       (long long)json_integer_value(json_object_get(p, "destinationPort")));
	print_steps(json_object_get(o, "decidedBy"));
}

static void print_peers(const json_t *o)
{
	bool inbound = !strcmp(json_string_value(json_object_get(o, "direction")), "Inbound");
	struct cli_table *t = cli_table_new(inbound ? "From|Verdict|TCP|UDP|Not known" : "To|Verdict|TCP|UDP|Not known");
	size_t i;
	json_t *p;
	json_array_foreach(json_object_get(o, "peers"), i, p) {
		cli_table_text(t, json_string_value(json_object_get(p, "name")));
		cli_table_text(t, json_string_value(json_object_get(p, "verdict")));
		cli_table_text(t, json_string_value(json_object_get(p, "tcpPorts")));
		cli_table_text(t, json_string_value(json_object_get(p, "udpPorts")));
		cli_table_text(t, json_string_value(json_object_get(p, "missing")));
	}
	if (i)
		cli_table_print(t);
	else
		printf("Nothing %s %s.\n", inbound ? "reaches" : "is reached by", json_string_value(json_object_get(o, "of")));
}

static void print_host(const json_t *o)
{
	const char *verdict = json_string_value(json_object_get(o, "verdict"));
	struct cli_table *t = cli_table_new("Chain|Verdict|Decided by");
	size_t i;
	json_t *c;
	printf("%s port %lld from %s to %s by %s: ", json_string_value(json_object_get(o, "protocol")),
	       (long long)json_integer_value(json_object_get(o, "port")), json_string_value(json_object_get(o, "from")),
	       json_string_value(json_object_get(o, "to")), json_string_value(json_object_get(o, "interface")));
	cli_print_coloured(!strcmp(verdict, "denied") ? CLI_RED : !strcmp(verdict, "allowed") ? CLI_GREEN : CLI_YELLOW, verdict);
	puts("\n");
	json_array_foreach(json_object_get(o, "chains"), i, c) {
		const char *v = json_string_value(json_object_get(c, "verdict"));
		cli_table_text(t, json_string_value(json_object_get(c, "chain")));
		cli_table_coloured(t, !strcmp(v, "allowed") ? CLI_GREEN : !strcmp(v, "denied") ? CLI_RED : CLI_YELLOW, v);
		cli_table_text(t, json_string_value(json_object_get(c, "by")));
	}
	cli_table_print(t);
	if (!i)
		puts("No chain of nf_tables filters such packets on this machine.");
}

/* Reads this machine's part of the question; peer NULL: nothing. */
static int read_host(const struct cli *c, int argc, const struct wh_app_reach *ask, struct wh_app_host *host)
{
	if (!ask->has_port || argc != optind || ask->from || ask->to || ask->overlay)
		return cli_usage(c, "--host PEER is about one port of this machine: give --port, and no FROM or TO");
	host->port = ask->port;
	host->proto = ask->proto ? ask->proto : WH_PROTO_TCP;
	if (host->proto != WH_PROTO_TCP && host->proto != WH_PROTO_UDP)
		return cli_usage(c, "--host asks about tcp or udp");
	return CLI_OK;
}

static int ask_host(const struct cli *c, const struct wh_app_host *host)
{
	struct wh_error err;
	json_t *doc;
	if (wh_app_host(host, &doc, &err))
		return cli_error(&err);
	return cli_print_document(c, doc, print_host);
}

static int read_options(const struct cli *c, int argc, char **argv, const struct wh_app *a, struct wh_app_reach *ask,
                        struct wh_app_host *host, struct cli_paths *in)
{
	const char *port = NULL, *proto = NULL;
	bool overlay = false;
	const struct cli_option options[] = {{"port", .text = &port},
	                                     {"proto", .text = &proto},
	                                     {"who-can-reach", .text = &ask->to},
	                                     {"where-can", .text = &ask->from},
	                                     {"overlay", .flag = &overlay},
	                                     {"host", .text = &host->peer},
	                                     {"outbound", .flag = &host->outbound},
	                                     {"local", .text = &host->local},
	                                     {"interface", .text = &host->interface},
	                                     {"in", .paths = in},
	                                     {0}};
	if (cli_read_options(c, argc, argv, options))
		return CLI_USAGE;
	ask->overlay = overlay ? a : NULL;
	if (port) {
		char *end;
		unsigned long number = strtoul(port, &end, 10);
		if (*port < '0' || *port > '9' || *end || number > 65535)
			return cli_usage(c, "--port takes a number from 0 to 65535, not '%s'", port);
		ask->port = (uint16_t)number;
		ask->has_port = true;
	}
	if (proto && wh_proto_parse(proto, &ask->proto))
		return cli_usage(c, "--proto takes tcp, udp, icmp or a number, not '%s'", proto);
	return CLI_OK;
}

static int read_words(const struct cli *c, int argc, char **argv, struct wh_app_reach *ask)
{
	if (ask->from && optind < argc && !strcmp(argv[optind], "go"))
		optind++;
	if (!ask->from && !ask->to && argc - optind == 2) {
		ask->from = argv[optind];
		ask->to = argv[optind + 1];
	} else if (argc != optind || !(!ask->from ^ !ask->to)) {
		return cli_usage(c, "give FROM and TO, or --who-can-reach X, or --where-can X");
	}
	return CLI_OK;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct wh_app_reach ask = {0};
	struct wh_app_network *net = NULL;
	struct cli_paths in = {.n = 0};
	struct wh_error err;
	json_t *doc;
	cli_output_only_prints();
	const struct wh_app a = cli_app(c);
	struct wh_app_host host = {.peer = NULL};
	int rc = read_options(c, argc, argv, &a, &ask, &host, &in);
	if (!rc && (host.peer || host.outbound || host.local || host.interface)) {
		rc = host.peer ? read_host(c, argc, &ask, &host)
		               : cli_usage(c, "--outbound, --local and --interface need --host PEER");
		return rc ? rc : ask_host(c, &host);
	}
	if (!rc && ask.overlay && in.n)
		rc = cli_usage(c, "--overlay shows what the ledger observed, so it does not work with --in");
	rc = rc ? rc : read_words(c, argc, argv, &ask);
	bool pair = ask.from && ask.to;
	rc = rc ? rc : cli_open_network(c, &in, &net);
	if (rc)
		return rc;
	if (wh_app_reach(net, &ask, &doc, &err))
		rc = cli_error(&err);
	else
		rc = cli_print_document(c, doc, pair ? print_verdict : print_peers);
	wh_app_network_close(net);
	return rc;
}

static unsigned may_now(const struct cli *c, int argc, char **argv)
{
	(void)c;
	return cli_has_option(argc, argv, "--host") ? WH_MAY_LOOK : 0;
}

const struct cli_command cli_reach = {.may = WH_MAY_LOOK,
                                      .may_now = may_now,
                                      .confined = true,
                                      .name = "reach",
                                      .summary = "show whether one end can reach another, and by which rules",
                                      .help = help,
                                      .run = run,
                                      .only_reads = true};
