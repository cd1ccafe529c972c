/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints everything that a ledger learned, one line per row, in key order: two ledgers with the same content print the same.
 * --sums leaves out the approximate parts (the sources named as heaviest, which depend on the order of the additions).
 */
#include <inttypes.h>
#include <string.h>
#include "whittle/ledger.h"

static bool sums;

static uint64_t n_edges; /* the totals' number may count an edge of two runs twice */
static int edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	n_edges++;
	char local[WH_ADDR_STRLEN], peer[WH_ADDR_STRLEN], proto[8];
	(void)arg;
	printf("edge %s %s %s %u %s first=%" PRId64 " last=%" PRId64 " day0=%d days=%016" PRIx64 " hours=%06x flows=%" PRIu64
	       " in=%" PRIu64 " out=%" PRIu64
	       " alerts=%u,%u,%u,%u alerted=%u connects=%u marks=%u sid=%u alerted-days=%u-%u size=",
	       wh_addr_text(&k->local, local), wh_direction_text(k->direction), wh_proto_text(k->proto, proto), k->port,
	       wh_addr_text(&k->peer, peer), e->first_us, e->last_us, e->day0, e->days, e->hours, e->flows, e->bytes_in,
	       e->bytes_out, e->alerts[0], e->alerts[1], e->alerts[2], e->alerts[3], e->alerted_flows, e->connects, e->marks,
	       e->alert_sid, e->alert_first, e->alert_last);
	for (int i = 0; i < WH_EDGE_BUCKETS; i++)
		printf("%u,", e->size_hist[i]);
	printf(" time=");
	for (int i = 0; i < WH_EDGE_BUCKETS; i++)
		printf("%u,", e->time_hist[i]);
	putchar('\n');
	return 0;
}

static int sketch(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *s)
{
	char text[WH_ADDR_STRLEN], name[8];
	(void)arg;
	printf("refused %s %s %u first=%" PRId64 " last=%" PRId64 " day0=%d days=%016" PRIx64 " flows=%" PRIu64
	       " undirected=%" PRIu64 " one-sided=%" PRIu64 " unproven=%" PRIu64 " heard=%016" PRIx64
	       " one-sided-days=%016" PRIx64 " hll=",
	       wh_addr_text(local, text), wh_proto_text(proto, name), port, s->first_us, s->last_us, s->day0, s->days, s->flows,
	       s->undirected, s->one_sided, s->unproven, s->heard, s->one_sided_days);
	for (int i = 0; i < WH_SKETCH_REGISTERS; i++)
		printf("%02x", s->hll[i]);
	for (int i = 0; i < WH_SKETCH_TOP && !sums; i++)
		if (s->top[i].count)
			printf(" %s=%" PRIu64, wh_addr_text(&s->top[i].addr, text), s->top[i].count);
	putchar('\n');
	return 0;
}

static int fact(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	char local[WH_ADDR_STRLEN], peer[WH_ADDR_STRLEN];
	(void)arg;
	printf("fact %s %s %s %u %u %s day=%d '%s' first=%" PRId64 " last=%" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64
	       " %" PRIu64 " hll=",
	       wh_fact_words[k->kind], wh_addr_text(&k->local, local), wh_direction_text((enum wh_direction)k->direction),
	       k->proto, k->port, wh_addr_text(&k->peer, peer), k->day, k->value, r->first_us, r->last_us, r->count, r->failed,
	       r->up, r->down);
	for (int i = 0; i < WH_FACT_REGISTERS; i++)
		printf("%02x", r->hll[i]);
	putchar('\n');
	return 0;
}

static int day(void *arg, int32_t number, uint64_t flows)
{
	(void)arg;
	printf("day %d flows=%" PRIu64 "\n", number, flows);
	return 0;
}

int main(int argc, char **argv)
{
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	struct wh_store_totals t;
	sums = argc == 3 && !strcmp(argv[1], "--sums");
	if (argc != 2 + sums) {
		fputs("usage: ledger_dump [--sums] LEDGER\n", stderr);
		return 2;
	}
	if (wh_ledger_open(argv[1 + sums], WH_STATE_READ, &ledger, &err)) {
		fprintf(stderr, "ledger_dump: %s\n", err.text);
		return 1;
	}
	int rc = wh_store_edges(ledger.store, NULL, edge, NULL, &err);
	if (!rc)
		rc = wh_store_sketches(ledger.store, sketch, NULL, &err);
	if (!rc)
		rc = wh_store_days(ledger.store, day, NULL, &err);
	if (!rc)
		rc = wh_store_facts(ledger.store, WH_FACT_KINDS, fact, NULL, &err);
	if (!rc)
		rc = wh_store_totals(ledger.store, &t, &err);
	if (rc)
		fprintf(stderr, "ledger_dump: %s\n", err.text);
	else
		printf("totals edges=%" PRIu64 " records=%" PRIu64 " flows=%" PRIu64 " alerts=%" PRIu64 " other=%" PRIu64
		       " malformed=%" PRIu64 "\n",
		       n_edges, t.records, t.flows, t.alerts, t.other, t.malformed);
	wh_ledger_close(&ledger);
	return rc != 0;
}
