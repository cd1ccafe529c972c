/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "cli/cli.h"
#include "whittle/app_learning.h"

static const char help[] =
	"usage: whittle edges [ADDRESS] [--json]\n"
	"\n"
	"Lists the ledger's edges: for each local address, direction, protocol and port the peers whose connections were answered, with the\n"
	"days on which they were seen and the bytes in both directions. With ADDRESS, lists only that local address. With --json, prints one\n"
	"object a line.\n"
	"\n"
	"Example: whittle edges 10.0.0.4 --json | jq -r 'select(.port == 22).peer'\n";

struct printing {
	bool json;
	struct cli_table *table;
};

static void row(struct printing *x, const struct wh_edge_key *k, const struct wh_edge *e)
{
	char addr[WH_ADDR_STRLEN], proto[8], t[WH_TIME_STRLEN];
	bool timed = wh_app_edge_timed(e); /* an edge of alerts alone has no times */
	if (!x->table)
		x->table = cli_table_new("Local|Direction|Port|Peer|>Days|>Flows|>Alerts|First|Last");
	cli_table_text(x->table, wh_addr_text(&k->local, addr));
	cli_table_text(x->table, wh_direction_text(k->direction));
	cli_table_cell(x->table, "%u/%s", k->port, wh_proto_text(k->proto, proto));
	cli_table_text(x->table, wh_addr_text(&k->peer, addr));
	cli_table_number(x->table, wh_edge_days(e));
	cli_table_number(x->table, e->flows);
	cli_table_number(x->table, e->alerts[0] + e->alerts[1] + e->alerts[2] + e->alerts[3]);
	cli_table_text(x->table, timed ? wh_time_text(e->first_us, t) : "");
	cli_table_text(x->table, timed ? wh_time_text(e->last_us, t) : "");
}

static int each(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct printing *x = arg;
	char line[WH_APP_EDGE_JSON];
	if (x->json)
		puts(wh_app_edge_json(k, e, line));
	else
		row(x, k, e);
	return 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct printing x = {.json = c->json};
	const struct wh_app a = cli_app(c);
	struct wh_error err;
	struct wh_addr local;
	if (argc > 2)
		return cli_usage(c, "takes one address at most");
	if (argc == 2 && argv[1][0] == '-')
		return cli_usage(c, "unknown option '%s'", argv[1]);
	if (argc == 2 && wh_addr_parse(argv[1], strlen(argv[1]), &local))
		return cli_usage(c, "'%s' is not an address", argv[1]);
	int rc = wh_app_edges(&a, argc == 2 ? &local : NULL, each, &x, &err);
	if (x.table)
		cli_table_print(x.table);
	else if (!x.json && !rc)
		puts("No edge: nothing that was answered has been learned yet.");
	return rc ? cli_error(&err) : CLI_OK;
}

const struct cli_command cli_edges = {.confined = true,
                                      .name = "edges",
                                      .only_reads = true,
                                      .summary = "list the connections that were learned",
                                      .help = help,
                                      .run = run};
