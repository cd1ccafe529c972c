/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Protocol records of an input: facts, which the next commit takes along. */
#include <string.h>
#include "ledger/ingest_inside.h"

/* Whether the record is of a network that is read: a fact has the ends of a flow, and is judged as an alert is. */
static int of_this_network(struct ingest *g, const struct wh_record *rec, const struct wh_fact *f, const char *line, size_t len)
{
	struct wh_record as = *rec;
	as.kind = WH_RECORD_ALERT;
	as.flow.src = f->client;
	as.flow.dst = f->server;
	return wh_tagged_look(g->tagged, &as, line, len, wh_input_path(g->in), g->line + 1 + g->stats.lines - g->piece_lines, g->err);
}

int wh_ingest_facts(struct ingest *g, const struct wh_record *rec)
{
	struct wh_fact facts[WH_FACTS_MAX];
	size_t at = (size_t)(g->stats.bytes - g->piece_bytes), len = g->piece_len - at;
	const char *line = g->piece + at, *nl = memchr(line, '\n', len);
	len = nl ? (size_t)(nl - line) : len;
	if (g->reader != &wh_reader_eve || (g->opt->since_us && rec->time_us < g->opt->since_us) || (g->opt->until_us && rec->time_us >= g->opt->until_us))
		return 0;
	unsigned n = wh_eve_facts(line, len, rec, facts);
	if (!n || wh_bad_time(rec->time_us, g->stats.now_us))
		return 0;
	int rc = facts[0].kind == WH_FACT_CAPTURE ? 0 : of_this_network(g, rec, facts, line, len);
	return rc ? (rc < 0 ? rc : 0) : wh_facts_add(&g->facts, facts, n);
}
