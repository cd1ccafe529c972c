/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/apply.h"
#include "cli/azure.h"
#include "cli/jit.h"
#include "whittle/firewall.h"

static const char help[] =
	"usage: whittle jit on [--confirm-within 60s] [--force]\n"
	"       whittle jit confirm | off\n"
	"       whittle jit open RESOURCE PORT --from ADDRESS|PREFIX [--for 1h] [--why TEXT] [--to nft|nsg]\n"
	"       whittle jit list [--json]\n"
	"       whittle jit close ID [--why TEXT]\n"
	"       whittle jit log [--json]\n"
	"       whittle jit nsg NAME [-o FILE]\n"
	"       whittle jit nsg [NAME] --to azure [--until-closed] [--endpoint URL] [--token-command CMD] [--ca-file FILE] [--wait 5m]\n"
	"\n"
	"Just-in-time access: ports that are closed, and opened on request for one source and a limited time. The policy is in whittle.yaml:\n"
	"\n"
	"  jit:\n"
	"    - {resource: vm1, ports: [22, 3389], from: [203.0.113.0/24], who: [ada, bob], longest: 3h}\n"
	"\n"
	"Without `from` any source may be let in, without `who` only root may open, and `longest` is 3h. A request that the policy does not\n"
	"allow is refused by the name of what it lacks: resource, port, source, user, time.\n"
	"\n"
	"  on       closes the ports of the policy on this machine. Unless `jit confirm` follows in time, the kernel opens them again.\n"
	"           Connections that are there stay; what would shut you out yourself is refused without --force: open it for you first\n"
	"  open     lets one source in. On this machine the kernel itself ends it, also when nothing of whittle runs any more\n"
	"  close    ends it early; connections that were made stay\n"
	"  list     what is open now, as the kernel has it, with who and why\n"
	"  log      everything that was opened and closed, with who, when and why\n"
	"  off      takes all of it away\n"
	"  nsg      writes a network security group as it should be now: the ports denied, with an allow for each opening before them, without\n"
	"           those that ended. For resources elsewhere (open --to nsg, the default for what is not this machine). With --to azure it changes\n"
	"           the group at Azure itself, or all groups of the policy, as `enforce --to azure` does, wholly or not at all. Azure knows no\n"
	"           time-outs: what is over goes when the command runs again (from a timer), or at its time with --until-closed, which stays\n"
	"           until nothing is open. The token: see `whittle enforce --help`\n"
	"\n"
	"A line of sudoers may give users `whittle jit open` and `close`. Options that could make them root are refused, unless whittle.yaml has\n"
	"`jit-sudo-options: yes`: --config, --store, -o, --endpoint, --token-command, --ca-file.\n"
	"\n"
	"Everything opened and closed is kept in the ledger with who, when and why. A port that is closed here is left out by `whittle enforce`.\n"
	"\n"
	"Example: whittle jit open vm1 22 --from 203.0.113.7 --for 3h --why 'the disk is full'\n";

struct ctx {
	struct cli *c;
	struct wh_app app;
	struct wh_ledger ledger;
	struct wh_estate *estate;
	struct wh_arena *mem;
};

static const char *port_text(uint8_t proto, uint16_t port, char buf[static 24])
{
	char name[8];
	snprintf(buf, 24, "%u/%s", port, proto == WH_PROTO_UDP ? "udp" : proto == WH_PROTO_TCP ? "tcp" : wh_proto_text(proto, name));
	return buf;
}

static bool is_own(const struct ctx *x, const char *resource)
{
	const char *own[64];
	size_t n = wh_app_own_resources(x->estate, own, 64);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(own[i], resource))
			return true;
	return false;
}

/* ---- on, confirm, off ---- */

/* The ports that the policy names for this machine. */
static size_t own_ports(const struct ctx *x, struct wh_jit_port *ports, size_t max)
{
	const struct wh_jit_config *cfg = &x->c->config->jit;
	size_t n = 0;
	for (size_t i = 0; i < cfg->n_policies; i++)
		for (size_t k = 0; is_own(x, cfg->policies[i].resource) && k < cfg->policies[i].n_ports && n < max; k++)
			ports[n++] = cfg->policies[i].ports[k];
	return n;
}

/* Whether who sits at this terminal could not connect again. $SSH_CONNECTION is "client port server port". */
static bool shuts_out(struct ctx *x, const struct wh_jit_port *ports, size_t n, char client[static 64], unsigned *server_port)
{
	const char *ssh = getenv("SSH_CONNECTION");
	struct wh_jit_live live;
	struct wh_error err;
	unsigned client_port;
	char server[64];
	struct wh_addr a;
	bool closed = false, open = false;
	if (!ssh || sscanf(ssh, "%63s %u %63s %u", client, &client_port, server, server_port) != 4 || wh_addr_parse(client, strlen(client), &a))
		return false;
	for (size_t i = 0; i < n; i++)
		closed |= ports[i].proto == WH_PROTO_TCP && ports[i].port == *server_port;
	if (closed && !wh_firewall_jit_live(x->mem, &live, &err))
		for (size_t i = 0; i < live.n_open; i++)
			open |= live.open[i].port.port == *server_port && wh_addr_cmp(&live.open[i].first, &a) <= 0 && wh_addr_cmp(&live.open[i].last, &a) >= 0;
	return closed && !open;
}

static int on(struct ctx *x, int argc, char **argv)
{
	static const struct option opts[] = {{"confirm-within", 1, 0, 'c'}, {"force", 0, 0, 'f'}, {0}};
	struct wh_jit_port ports[256];
	size_t n = 0;
	int64_t within = 60;
	bool force = false;
	int o;
	while ((o = cli_getopt(x->c, argc, argv, "", opts)) != -1) {
		if (o == 'f')
			force = true;
		else if (o != 'c')
			return CLI_USAGE;
		else if (wh_duration_parse(optarg, &within) || within < 1 || within > 86400)
			return cli_usage(x->c, "'%s' is not a time from 1s to 24h", optarg);
	}
	if (optind != argc)
		return cli_usage(x->c, "on takes no further words");
	n = own_ports(x, ports, 256);
	if (!n)
		return cli_usage(x->c, "no policy under 'jit' in whittle.yaml is for a resource with an address of this machine");
	char client[64];
	unsigned port;
	struct wh_error err;
	if (!force && shuts_out(x, ports, n, client, &port)) {
		fprintf(stderr, "whittle: refused: you are connected from %s, which could not connect to port %u again; open it first (whittle jit open …), or use --force\n",
		        client, port);
		return CLI_USAGE;
	}
	if (wh_firewall_jit_on(ports, n, within, &err) || wh_state_log(x->ledger.state, cli_who(), "jit.on", "{}", &err))
		return cli_error(&err);
	printf("%zu port%s closed. Connections that are there stay; open one with `whittle jit open`.\n", n, n == 1 ? " is" : "s are");
	printf("What was not closed before, the kernel opens again in %lld seconds unless you run `whittle jit confirm`.\n", (long long)within);
	return CLI_OK;
}

/* A confirmation keeps what is closed. What the policy closes too and is open again, since its time was up, is named: too late for that. */
static int print_confirmed(struct ctx *x)
{
	struct wh_jit_port ports[256], open[256], closed[256];
	struct wh_jit_live live;
	struct wh_error err;
	size_t n = own_ports(x, ports, 256), n_open = 0, n_closed = 0;
	if (wh_firewall_jit_live(x->mem, &live, &err))
		return cli_error(&err);
	for (size_t i = 0; i < n; i++) {
		bool held = false;
		for (size_t k = 0; k < live.n_closed; k++)
			held |= live.closed[k].port.proto == ports[i].proto && live.closed[k].port.port == ports[i].port;
		if (!held)
			open[n_open++] = ports[i];
	}
	for (size_t k = 0; k < live.n_closed && k < 256; k++)
		closed[n_closed++] = live.closed[k].port;
	if (!n_open) {
		puts("Confirmed: the ports stay closed. `whittle jit off` takes it away.");
		return CLI_OK;
	}
	fprintf(stderr, "whittle: Too late: the time of %s was up, and the kernel has opened %s again. Closed are the ports confirmed earlier: %s. "
	        "`whittle jit on` closes all of them.\n", wh_jit_ports_text(open, n_open, x->mem), n_open == 1 ? "it" : "them", wh_jit_ports_text(closed, n_closed, x->mem));
	return CLI_FAILED;
}

static int confirm(struct ctx *x, int argc, char **argv)
{
	(void)argv;
	struct wh_error err;
	if (argc != 1)
		return cli_usage(x->c, "confirm takes no further words");
	if (wh_firewall_jit_confirm(&err))
		return cli_error(&err);
	int status;
	if (wh_ledger_open(x->c->store_url, WH_STATE_READ, &x->ledger, &err) || wh_estate_load(&x->ledger, x->mem, &x->estate, &err)) {
		fprintf(stderr, "whittle: what is closed stays closed; whether that is all that the policy closes can't be compared: %s\n", err.text);
		status = CLI_FAILED;
	} else {
		status = print_confirmed(x);
	}
	wh_app_journal(&x->app, "jit.confirm", json_object());
	return status;
}

static int off(struct ctx *x, int argc, char **argv)
{
	(void)argv;
	struct wh_jit_port closed[256];
	struct wh_jit_live live = {0};
	struct wh_error err;
	if (argc != 1)
		return cli_usage(x->c, "off takes no further words");
	size_t n = 0;
	int unread = wh_firewall_jit_live(x->mem, &live, &err);
	for (size_t i = 0; i < live.n_closed && n < 256; i++)
		closed[n++] = live.closed[i].port;
	if (wh_firewall_jit_off(&err))
		return cli_error(&err);
	if (!live.present && !unread) {
		puts("Just-in-time access is off: its table was not there, so no port was closed by it.");
		wh_app_journal(&x->app, "jit.off", json_object());
		return CLI_OK;
	}
	puts("Just-in-time access is off: its table is gone, nothing else was touched.");
	if (n)
		printf("This opens %s: to everybody whom this machine's other rules let in. `whittle enforce` narrows %s where rules are recommended.\n",
		       wh_jit_ports_text(closed, n, x->mem), n == 1 ? "it" : "them");
	wh_app_journal(&x->app, "jit.off", json_object());
	return CLI_OK;
}

/* ---- open, list, close ---- */

static int parse_port(const struct cli *c, const char *text, struct wh_jit_grant *g)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	g->proto = WH_PROTO_TCP;
	if (*text < '0' || *text > '9' || !port || port > 65535 || (*end && *end != '/') || (*end && wh_proto_parse(end + 1, &g->proto)))
		return cli_usage(c, "'%s' is not a port: write 22 or 53/udp", text);
	g->port = (uint16_t)port;
	return CLI_OK;
}

static int find_target(struct ctx *x, const char *name, const char *to, struct wh_jit_grant *g)
{
	const struct wh_resource *r = wh_estate_find(x->estate, name);
	if (!r)
		return cli_usage(x->c, "there is no resource '%s'", name);
	g->resource = r->name;
	g->nsg = to ? !strcmp(to, "nsg") : !is_own(x, r->name);
	if (g->nsg && !r->n_nsgs)
		return cli_usage(x->c, "%s is not this machine, and no network security group of it is known", r->name);
	if (!g->nsg && !is_own(x, r->name))
		return cli_usage(x->c, "%s has no address of this machine: run it there, or use --to nsg", r->name);
	return CLI_OK;
}

static int open_one(struct ctx *x, int argc, char **argv)
{
	static const struct option opts[] = {{"from", 1, 0, 'f'}, {"for", 1, 0, 't'}, {"why", 1, 0, 'w'}, {"to", 1, 0, 'T'}, {0}};
	struct wh_jit_grant g = {.who = cli_who()};
	const char *to = NULL;
	int64_t length = 3600;
	bool from = false, host_bits;
	char t[WH_TIME_STRLEN], p[24], src[WH_PREFIX_STRLEN];
	struct wh_error err;
	int o, rc;
	while ((o = cli_getopt(x->c, argc, argv, "", opts)) != -1) {
		switch (o) {
		case 'f':
			if (wh_prefix_parse(optarg, strlen(optarg), &g.from, &host_bits) || host_bits)
				return cli_usage(x->c, "'%s' is not an address or prefix%s", optarg, host_bits ? " (host bits are set)" : "");
			from = true;
			break;
		case 't':
			if (wh_duration_parse(optarg, &length) || length < 1)
				return cli_usage(x->c, "'%s' is not a time such as 30m or 3h", optarg);
			break;
		case 'w': g.why = optarg; break;
		case 'T':
			to = optarg;
			if (strcmp(to, "nft") && strcmp(to, "nsg"))
				return cli_usage(x->c, "unknown target '%s'; there are nft and nsg", to);
			break;
		default: return CLI_USAGE;
		}
	}
	if (argc - optind != 2 || !from)
		return cli_usage(x->c, "open takes a resource, a port and --from");
	if ((rc = find_target(x, argv[optind], to, &g)) || (rc = parse_port(x->c, argv[optind + 1], &g)))
		return rc;
	g.expires_us = (length < INT64_C(86400) * 366 ? length : INT64_C(86400) * 366) * 1000000;
	if (wh_jit_open(x->ledger.state, &wh_firewall_jit_kernel, &x->c->config->jit, &g, &err))
		return cli_error(&err);
	printf("Opening %s: %s may connect to %s of %s until %s.\n", g.id, wh_prefix_text(&g.from, src), port_text(g.proto, g.port, p), g.resource,
	       wh_time_text(g.expires_us, t));
	if (g.nsg)
		puts("It takes effect with the group that `whittle jit nsg` writes, and ends with the one that it writes after its time. With --to azure\n"
		     "it writes the group at Azure itself.");
	else
		puts("The kernel ends it by itself; `whittle jit close` does so early.");
	return CLI_OK;
}

/* What is not closed here though it was confirmed, or the policy names it: a sentence in x->mem, or NULL. */
static const char *not_closed(struct ctx *x)
{
	struct wh_jit_port ports[256];
	struct wh_jit_live live;
	struct wh_error err;
	char *difference = NULL;
	size_t n = own_ports(x, ports, 256);
	const char *text = NULL;
	int rc = wh_firewall_jit_differs(&difference, &err);
	if (rc == 1)
		text = wh_arena_printf(x->mem, "%s; `whittle restore` closes again what was confirmed", difference ? difference : "");
	else if (rc < 0)
		text = wh_arena_printf(x->mem, "whether the ports are closed can't be said: %s", err.text);
	else if (n && !wh_firewall_jit_live(x->mem, &live, &err) && !live.present)
		text = wh_arena_printf(x->mem, "the table inet whittle_jit is not there, so %s %s not closed; `whittle jit on` closes %s", wh_jit_ports_text(ports, n, x->mem),
		                       n == 1 ? "is" : "are", n == 1 ? "it" : "them");
	free(difference);
	return text;
}

static int list(struct ctx *x, int argc, char **argv)
{
	(void)argv;
	struct wh_jit_grant *g;
	struct wh_error err;
	size_t n;
	char t[WH_TIME_STRLEN], p[24], src[WH_PREFIX_STRLEN];
	if (argc != 1)
		return cli_usage(x->c, "list takes no further words");
	if (wh_jit_list(x->ledger.state, &wh_firewall_jit_kernel, x->mem, &g, &n, &err))
		return cli_error(&err);
	const char *missing = not_closed(x);
	if (x->c->json) {
		json_t *all = json_array();
		for (size_t i = 0; i < n; i++) {
			char opened[WH_TIME_STRLEN];
			json_t *o = json_pack("{s:s,s:s,s:i,s:s,s:s,s:s,s:s*,s:s}", "resource", g[i].resource, "protocol", g[i].proto == WH_PROTO_UDP ? "UDP" : "TCP",
			                      "port", (int)g[i].port, "from", wh_prefix_text(&g[i].from, src), "until", wh_time_text(g[i].expires_us, t), "who", g[i].who,
			                      "why", g[i].why, "to", g[i].nsg ? "nsg" : "nft");
			if (*g[i].id)
				json_object_set_new(o, "id", json_string(g[i].id));
			if (g[i].opened_us)
				json_object_set_new(o, "opened", json_string(wh_time_text(g[i].opened_us, opened)));
			json_array_append_new(all, o);
		}
		json_t *doc = json_pack("{s:o}", "openings", all);
		if (missing)
			json_object_set_new(doc, "notAsConfirmed", json_string(missing));
		return cli_print_json(doc);
	}
	if (missing)
		printf("Not as it should be: %s.\n", missing);
	if (!n) {
		puts(missing ? "No opening is in force." : "Nothing is open.");
		return CLI_OK;
	}
	struct cli_table *table = cli_table_new("Id|Resource|Port|From|Until|To|Who|Why");
	for (size_t i = 0; i < n; i++) {
		cli_table_text(table, *g[i].id ? g[i].id : "-");
		cli_table_text(table, g[i].resource);
		cli_table_text(table, port_text(g[i].proto, g[i].port, p));
		cli_table_text(table, wh_prefix_text(&g[i].from, src));
		cli_table_text(table, wh_time_text(g[i].expires_us, t));
		cli_table_text(table, g[i].nsg ? "nsg" : "nft");
		cli_table_text(table, g[i].who);
		cli_table_text(table, g[i].why);
	}
	cli_table_print(table);
	return CLI_OK;
}

static int close_one(struct ctx *x, int argc, char **argv)
{
	static const struct option opts[] = {{"why", 1, 0, 'w'}, {0}};
	const char *why = NULL;
	struct wh_error err;
	int o;
	while ((o = cli_getopt(x->c, argc, argv, "", opts)) != -1) {
		if (o != 'w')
			return CLI_USAGE;
		why = optarg;
	}
	if (argc - optind != 1)
		return cli_usage(x->c, "close takes an id, as `whittle jit list` shows it");
	if (wh_jit_close(x->ledger.state, &wh_firewall_jit_kernel, argv[optind], cli_who(), why, &err))
		return cli_error(&err);
	printf("Opening %s is closed; connections that were made through it stay.\n", argv[optind]);
	return CLI_OK;
}

/* ---- nsg ---- */

static int nsg(struct ctx *x, int argc, char **argv)
{
	return cli_jit_nsg(x->c, x->ledger.state, x->estate, x->mem, argc, argv);
}

static int log_of(struct ctx *x, int argc, char **argv)
{
	(void)argv;
	return argc > 1 ? cli_usage(x->c, "log takes no further words") : cli_jit_log(x->c, x->ledger.state);
}

/* Keeping and taking away what is closed never depend on the ledger. */
enum ledger { NONE, READS, WRITES };
static const struct verb {
	const char *name;
	int (*run)(struct ctx *x, int argc, char **argv);
	enum ledger ledger;
	unsigned may; /* besides looking */
} verbs[] = {
	{"on", on, WRITES, WH_MAY_CLOSE},
	{"confirm", confirm, NONE, WH_MAY_CONFIRM_CLOSED},
	{"off", off, NONE, WH_MAY_STOP_CLOSING},
	{"open", open_one, WRITES, WH_MAY_OPEN},
	{"list", list, READS, 0},
	{"close", close_one, WRITES, WH_MAY_CLOSE},
	{"nsg", nsg, READS, 0},
	{"log", log_of, READS, 0},
	{0},
};

/* The one that the words name; NULL: none. */
static const struct verb *verb_of(int argc, char **argv)
{
	const struct verb *v = verbs;
	while (argc > 1 && v->name && strcmp(v->name, argv[1]))
		v++;
	return argc > 1 && v->name ? v : NULL;
}

static int run(struct cli *c, int argc, char **argv)
{
	const struct verb *v = verb_of(argc, argv);
	struct ctx x = {.c = c, .app = cli_app(c)};
	struct wh_error err;
	if (argc > 1 && argv[1][0] == '-')
		return cli_getopt(c, argc, argv, "", (const struct option[]){{0}}), CLI_USAGE;
	if (!v)
		return cli_usage(c, "say what to do: on, confirm, off, open, list, close, log or nsg");
	bool writes = v->ledger == WRITES || cli_is_azure(argc, argv);
	int rc = v->ledger ? cli_open_ledger(c, writes ? WH_STATE_WRITE : WH_STATE_READ, &x.ledger) : 0;
	if (rc)
		return rc;
	x.mem = wh_arena_new();
	if (v->ledger && wh_estate_load(&x.ledger, x.mem, &x.estate, &err))
		rc = cli_error(&err);
	else
		rc = v->run(&x, argc - 1, argv + 1);
	if (x.estate)
		wh_estate_free(x.estate);
	wh_arena_free(x.mem);
	wh_ledger_close(&x.ledger);
	return rc;
}

static unsigned may_now(const struct cli *c, int argc, char **argv)
{
	const struct verb *v = verb_of(argc, argv);
	(void)c;
	return WH_MAY_LOOK | (v ? v->may : 0);
}

const struct cli_command cli_jit = {
	.name = "jit",
	.summary = "ports that open on request, for one source and a limited time",
	.help = help,
	.run = run,
	.may = WH_MAY_LOOK | WH_MAY_CLOSE | WH_MAY_CONFIRM_CLOSED | WH_MAY_STOP_CLOSING | WH_MAY_OPEN,
	.may_now = may_now,
	.confined = true,
	.sudo_opens = true,
};
