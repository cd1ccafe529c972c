/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Openings: made, requested, approved, listed and closed. */
#include <stdlib.h>
#include <string.h>
#include "cli/jit.h"
#include "whittle/app_jit.h"

static int parse_port(const struct cli *c, const char *text, struct wh_app_jit_open *ask)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	ask->proto = WH_PROTO_TCP;
	if (*text < '0' || *text > '9' || !port || port > 65535 || (*end && *end != '/') ||
	    (*end && wh_proto_parse(end + 1, &ask->proto)))
		return cli_usage(c, "'%s' is not a port: write 22 or 53/udp", text);
	ask->port = (uint16_t)port;
	return CLI_OK;
}

static int read_open(const struct cli *c, const char *verb, int argc, char **argv, struct wh_app_jit_open *ask)
{
	static const struct option opts[] = {{"from", 1, 0, 'f'}, {"for", 1, 0, 't'}, {"why", 1, 0, 'w'}, {"to", 1, 0, 'T'}, {0}};
	bool from = false, host_bits;
	int o;
	while ((o = cli_getopt(c, argc, argv, "", opts)) != -1) {
		switch (o) {
		case 'f':
			if (wh_prefix_parse(optarg, strlen(optarg), &ask->from, &host_bits) || host_bits)
				return cli_usage(c, "'%s' is not an address or prefix%s", optarg,
				                 host_bits ? " (host bits are set)" : "");
			from = true;
			break;
		case 't':
			if (wh_duration_parse(optarg, &ask->length_s) || ask->length_s < 1)
				return cli_usage(c, "'%s' is not a time such as 30m or 3h", optarg);
			break;
		case 'w': ask->why = optarg; break;
		case 'T':
			ask->to = optarg;
			if (strcmp(optarg, "nft") && strcmp(optarg, "nsg"))
				return cli_usage(c, "unknown target '%s'; use nft or nsg", optarg);
			break;
		default: return CLI_USAGE;
		}
	}
	if (argc - optind != 2 || !from)
		return cli_usage(c, "%s takes a resource, a port and --from", verb);
	ask->resource = argv[optind];
	return parse_port(c, argv[optind + 1], ask);
}

static void print_opened(const struct wh_jit_grant *g)
{
	char t[WH_TIME_STRLEN], p[24], src[WH_PREFIX_STRLEN];
	printf("Opening %s: %s may connect to %s of %s until %s.\n", g->id, wh_prefix_text(&g->from, src),
	       wh_app_jit_port_text(g->proto, g->port, p), g->resource, wh_time_text(g->expires_us, t));
	if (g->nsg)
		puts("It takes effect with the group that `whittle jit nsg` writes, and ends with the one that it writes after its time. With --to azure\n"
		     "it writes the group at Azure itself.");
	else
		puts("The kernel ends it by itself; `whittle jit close` does so early.");
}

int cli_jit_open(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	struct wh_app_jit_open ask = {.length_s = 3600};
	const struct wh_app a = cli_app(c);
	struct wh_jit_grant g;
	struct wh_error err;
	if (read_open(c, "open", argc, argv, &ask))
		return CLI_USAGE;
	if (wh_app_jit_open(&a, &ask, mem, &g, &err))
		return cli_app_error(c, &err);
	print_opened(&g);
	return CLI_OK;
}

int cli_jit_request(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	struct wh_app_jit_open ask = {.length_s = 3600};
	const struct wh_app a = cli_app(c);
	struct wh_jit_grant g;
	char p[24], src[WH_PREFIX_STRLEN];
	struct wh_error err;
	if (read_open(c, "request", argc, argv, &ask))
		return CLI_USAGE;
	if (wh_app_jit_request(&a, &ask, mem, &g, &err))
		return cli_app_error(c, &err);
	printf("Request %s: %s to %s of %s. It waits 24 hours for a person who may open it: `whittle jit approve %s`.\n", g.id,
	       wh_prefix_text(&g.from, src), wh_app_jit_port_text(g.proto, g.port, p), g.resource, g.id);
	return CLI_OK;
}

int cli_jit_approve(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct wh_jit_grant g;
	struct wh_error err;
	if (cli_getopt(c, argc, argv, "", (const struct option[]){{0}}) != -1)
		return CLI_USAGE;
	if (argc - optind != 1)
		return cli_usage(c, "approve takes the id of a request, as `whittle jit list` shows it");
	if (wh_app_jit_approve(&a, argv[optind], mem, &g, &err))
		return cli_app_error(c, &err);
	print_opened(&g);
	return CLI_OK;
}

static void print_requests(const struct wh_app_jit_list *x)
{
	char t[WH_TIME_STRLEN], length[16], p[24], src[WH_PREFIX_STRLEN];
	if (!x->n_requests)
		return;
	puts("\nRequests that wait for `whittle jit approve ID` or `whittle jit refuse ID`:");
	struct cli_table *table = cli_table_new("Id|Resource|Port|From|Minutes|Requested|Who|Why");
	for (size_t i = 0; i < x->n_requests; i++) {
		const struct wh_jit_grant *g = &x->requests[i];
		cli_table_text(table, g->id);
		cli_table_text(table, g->resource);
		cli_table_text(table, wh_app_jit_port_text(g->proto, g->port, p));
		cli_table_text(table, wh_prefix_text(&g->from, src));
		snprintf(length, sizeof length, "%lld", (long long)(g->expires_us - g->opened_us + 59999999) / 60000000);
		cli_table_text(table, length);
		cli_table_text(table, wh_time_text(g->opened_us, t));
		cli_table_text(table, g->who);
		cli_table_text(table, g->why);
	}
	cli_table_print(table);
}

static void print_list(const struct wh_app_jit_list *x)
{
	char t[WH_TIME_STRLEN], p[24], src[WH_PREFIX_STRLEN];
	if (x->not_closed)
		printf("Not closed as it should be: %s.\n", x->not_closed);
	if (!x->n) {
		puts(x->not_closed ? "No opening is in force." : "Nothing is open.");
		return;
	}
	struct cli_table *table = cli_table_new("Id|Resource|Port|From|Until|To|Who|Why");
	for (size_t i = 0; i < x->n; i++) {
		const struct wh_jit_grant *g = &x->list[i];
		cli_table_text(table, *g->id ? g->id : "-");
		cli_table_text(table, g->resource);
		cli_table_text(table, wh_app_jit_port_text(g->proto, g->port, p));
		cli_table_text(table, wh_prefix_text(&g->from, src));
		cli_table_text(table, wh_time_text(g->expires_us, t));
		cli_table_text(table, g->nsg ? "nsg" : "nft");
		cli_table_text(table, g->who);
		cli_table_text(table, g->why);
	}
	cli_table_print(table);
}

int cli_jit_list(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	(void)argc, (void)argv;
	const struct wh_app a = cli_app(c);
	struct wh_app_jit_list x;
	struct wh_error err;
	if (wh_app_jit_list(&a, mem, &x, &err))
		return cli_error(&err);
	if (c->json)
		return cli_print_json(wh_app_jit_list_json(&x));
	print_list(&x);
	print_requests(&x);
	return CLI_OK;
}

/* `close` and `refuse`: an id, and why. The message afterwards: "WHAT id is SAID." */
static int end_one(struct cli *c, int argc, char **argv,
                   int (*end)(const struct wh_app *, const char *, const char *, struct wh_error *), const char *verb,
                   const char *what, const char *said)
{
	static const struct option opts[] = {{"why", 1, 0, 'w'}, {0}};
	const struct wh_app a = cli_app(c);
	const char *why = NULL;
	struct wh_error err;
	int o;
	while ((o = cli_getopt(c, argc, argv, "", opts)) != -1) {
		if (o != 'w')
			return CLI_USAGE;
		why = optarg;
	}
	if (argc - optind != 1)
		return cli_usage(c, "%s takes an id, as `whittle jit list` shows it", verb);
	if (end(&a, argv[optind], why, &err))
		return cli_error(&err);
	printf("%s %s is %s.\n", what, argv[optind], said);
	return CLI_OK;
}

int cli_jit_close(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	(void)mem;
	return end_one(c, argc, argv, wh_app_jit_close, "close", "Opening",
	               "closed; connections that were made through it stay");
}

int cli_jit_refuse(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	(void)mem;
	return end_one(c, argc, argv, wh_app_jit_refuse, "refuse", "Request", "refused");
}
