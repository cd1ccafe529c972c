/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jit log: who opened and closed what, when and why. */
#include <string.h>
#include "cli/jit.h"

struct printing {
	json_t *all;             /* or … */
	struct cli_table *table; /* … for people */
};

static int print_event(void *arg, const struct wh_jit_event *e)
{
	struct printing *p = arg;
	char t[WH_TIME_STRLEN], until[WH_TIME_STRLEN] = "", from[WH_PREFIX_STRLEN] = "", port[24] = "", proto[8];
	wh_time_text(e->time_us, t);
	if (e->has_opening) {
		wh_time_text(e->expires_us, until);
		wh_prefix_text(&e->from, from);
		snprintf(port, sizeof port, "%u/%s", e->port, e->proto == WH_PROTO_UDP ? "udp" : e->proto == WH_PROTO_TCP ? "tcp" : wh_proto_text(e->proto, proto));
	}
	if (p->all) {
		json_array_append_new(p->all, json_pack("{s:s,s:s,s:s,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*}", "time", t, "who", e->who, "what", e->what, "id", e->id,
		                                        "resource", e->resource, "port", *port ? port : NULL, "from", *from ? from : NULL, "until",
		                                        *until ? until : NULL, "why", e->why, "nsg", e->nsg, "state", e->state));
		return 0;
	}
	if (!p->table)
		p->table = cli_table_new("When|Who|What|Id|Resource|Port|From|Until|Why");
	const char *slash = e->nsg ? strrchr(e->nsg, '/') : NULL;
	const char *cells[] = {t, e->who, e->what, e->id, e->resource ? e->resource : slash ? slash + 1 : e->nsg, port, from, until, e->why ? e->why : e->state};
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
		cli_table_text(p->table, cells[i]);
	return 0;
}

int cli_jit_log(struct cli *c, struct wh_state *s)
{
	struct printing p = {.all = c->json ? json_array() : NULL};
	struct wh_error err;
	int rc = wh_jit_log(s, print_event, &p, &err);
	if (rc) {
		json_decref(p.all);
		return cli_error(&err);
	}
	if (p.all)
		return cli_print_json(json_pack("{s:o}", "events", p.all));
	if (p.table)
		cli_table_print(p.table);
	else
		puts("Nothing was opened or closed yet.");
	return CLI_OK;
}
