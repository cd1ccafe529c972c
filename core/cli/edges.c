/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "cli/cli.h"

static const char help[] =
	"usage: whittle edges [ADDRESS] [--json]\n"
	"\n"
	"Lists the ledger's edges: for each local address, direction, protocol and port the peers that were answered, with the days on\n"
	"which they were seen and what went to and fro. With ADDRESS only that local address; with --json one object a line.\n"
	"\n"
	"Example: whittle edges 10.0.0.4 --json | jq -r 'select(.port == 22).peer'\n";

struct ctx {
	bool json;
	struct cli_table *table;
};

/* An edge of alerts alone has no times. */
static const char *time_cell(const struct wh_edge *e, int64_t us, bool json, char buf[static WH_TIME_STRLEN + 2])
{
	char t[WH_TIME_STRLEN];
	if (!e->flows && !e->days)
		return json ? "null" : "";
	snprintf(buf, WH_TIME_STRLEN + 2, json ? "\"%s\"" : "%s", wh_time_text(us, t));
	return buf;
}

static int each(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct ctx *x = arg;
	char local[WH_ADDR_STRLEN], peer[WH_ADDR_STRLEN], proto[8], a[WH_TIME_STRLEN + 2], b[WH_TIME_STRLEN + 2];
	const char *first = time_cell(e, e->first_us, x->json, a), *last = time_cell(e, e->last_us, x->json, b);
	wh_addr_text(&k->local, local);
	wh_addr_text(&k->peer, peer);
	if (x->json) {
		printf("{\"local\":\"%s\",\"direction\":\"%s\",\"protocol\":\"%s\",\"port\":%u,\"peer\":\"%s\",\"days\":%u,\"dayBits\":\"%016llx\",\"lastDay\":%d,"
		       "\"flows\":%llu,\"bytesIn\":%llu,\"bytesOut\":%llu,\"alerts\":[%u,%u,%u,%u],\"first\":%s,\"last\":%s}\n",
		       local, wh_direction_text(k->direction), wh_proto_text(k->proto, proto), k->port, peer, wh_edge_days(e), (unsigned long long)e->days,
		       e->day0, (unsigned long long)e->flows, (unsigned long long)e->bytes_in, (unsigned long long)e->bytes_out, e->alerts[0],
		       e->alerts[1], e->alerts[2], e->alerts[3], first, last);
		return 0;
	}
	if (!x->table)
		x->table = cli_table_new("Local|Direction|Port|Peer|>Days|>Flows|>Alerts|First|Last");
	cli_table_text(x->table, local);
	cli_table_text(x->table, wh_direction_text(k->direction));
	cli_table_cell(x->table, "%u/%s", k->port, wh_proto_text(k->proto, proto));
	cli_table_text(x->table, peer);
	cli_table_number(x->table, wh_edge_days(e));
	cli_table_number(x->table, e->flows);
	cli_table_number(x->table, e->alerts[0] + e->alerts[1] + e->alerts[2] + e->alerts[3]);
	cli_table_text(x->table, first);
	cli_table_text(x->table, last);
	return 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct ctx x = {.json = c->json};
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	struct wh_addr local;
	if (argc > 2)
		return cli_usage(c, "takes one address at most");
	if (argc == 2 && wh_addr_parse(argv[1], strlen(argv[1]), &local))
		return cli_usage(c, "'%s' is not an address", argv[1]);
	int rc = cli_open_ledger(c, WH_STATE_READ, &ledger);
	if (rc)
		return rc;
	rc = wh_store_edges(ledger.store, argc == 2 ? &local : NULL, each, &x, &err) ? cli_error(&err) : CLI_OK;
	if (x.table)
		cli_table_print(x.table);
	else if (!x.json && !rc)
		puts("No edge: nothing that was answered has been learned yet.");
	wh_ledger_close(&ledger);
	return rc;
}

const struct cli_command cli_edges = {.confined = true, .name = "edges", .only_reads = true, .summary = "list who talked to whom", .help = help, .run = run};
