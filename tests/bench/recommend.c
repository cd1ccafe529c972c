/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long wh_recommend takes: `recommend DIR EDGES RESOURCES [THREADS [JSON]]` makes a ledger (once) and prints seconds and peak
 * memory. Peers are 60 % scattered single addresses with days of their own, 30 % in pools, 10 % guessers.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "whittle/harden.h"

#define DAY0 20454

static uint64_t state = 88172645463325252u;

static uint32_t next(void)
{
	state ^= state << 13, state ^= state >> 7, state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int die(const struct wh_error *err)
{
	fprintf(stderr, "recommend: %s\n", err->text);
	return 1;
}

static uint32_t local_of(unsigned i)
{
	return 0x0a000000u + 256 + i;
}

static int fold(struct wh_store *s, struct wh_edge_table *t, const struct wh_record *rec, struct wh_error *err)
{
	int rc = wh_edge_table_fold(t, rec);
	if (rc != -ENOSPC)
		return rc;
	if ((rc = wh_store_commit(s, t, NULL, NULL, err)))
		return rc;
	wh_edge_table_clear(t);
	return wh_edge_table_fold(t, rec);
}

static int make_ledger(const char *path, unsigned edges, unsigned resources, struct wh_error *err)
{
	struct wh_locals *locals = wh_locals_new();
	struct wh_prefix ten;
	struct wh_ledger ledger = {NULL, NULL};
	int rc = wh_ledger_open(path, WH_STATE_CREATE, &ledger, err);

	wh_prefix_parse("10.0.0.0/8", 10, &ten, NULL);
	wh_locals_add_prefix(locals, &ten);
	struct wh_edge_table *t = wh_edge_table_new(locals, 256u << 20);
	for (unsigned i = 0; i < edges && !rc; i++) {
		/* the first reach from end to end */
		unsigned r = i % resources, kind = i < resources * 2 ? 0 : (i * 2654435761u >> 16) % 10;
		uint32_t peer = kind < 6 || kind == 9 ? (next() % 0xb0000000u) + 0x0b000000u
		                                      : 0x50000000u + r * 65536u + next() % 16384;
		for (int d = kind < 6 ? 3 : 1; d > 0 && !rc; d--) {
			struct wh_record rec = {.kind = WH_RECORD_FLOW, .event_type = "flow"};
			struct wh_flow *f = &rec.flow;
			f->src = wh_addr_v4(peer);
			f->dst = wh_addr_v4(local_of(r));
			f->src_port = 40000;
			f->dst_port = (uint16_t)(i / resources % 2 ? 22 : 3389);
			f->proto = WH_PROTO_TCP;
			f->has_tcp_flags = true;
			f->tcp_flags_toserver = f->tcp_flags_toclient = WH_TCP_SYN | WH_TCP_ACK | WH_TCP_FIN;
			f->state = WH_STATE_CLOSED;
			f->start_us = (DAY0 + (i < resources * 2 ? (d - 1) * 29 / 2 : (int64_t)(next() % 30))) * WH_US_PER_DAY +
			              1000000;
			f->end_us = f->start_us + (kind == 9 ? 2 : 600) * INT64_C(1000000);
			f->bytes_toserver = f->bytes_toclient = kind == 9 ? 1800 : 60000;
			f->pkts_toserver = f->pkts_toclient = 50;
			rec.time_us = f->end_us;
			rc = fold(ledger.store, t, &rec, err);
		}
	}
	if (!rc)
		rc = wh_store_commit(ledger.store, t, NULL, NULL, err);
	wh_edge_table_free(t);
	wh_locals_free(locals);
	wh_ledger_close(&ledger);
	return rc;
}

int main(int argc, char **argv)
{
	struct wh_harden_options opt = {.evidence_yaml = "rules/evidence.yaml"};
	struct wh_recommendation *rec;
	struct wh_port_list *ports;
	struct wh_estate *estate;
	struct wh_error err = {.text = ""};
	struct wh_ledger ledger = {NULL, NULL};
	char path[512];
	size_t rules = 0, lines = 0;

	if (argc < 4 || argc > 6) {
		fputs("usage: recommend DIR EDGES RESOURCES [THREADS [JSON]]\n", stderr);
		return 2;
	}
	snprintf(path, sizeof path, "%s/recommend-%s-%s.db", argv[1], argv[2], argv[3]);
	if (access(path, F_OK) && make_ledger(path, (unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]), &err))
		return die(&err);
	struct wh_arena *mem = wh_arena_new();
	double start = now();
	if (wh_ledger_open(path, WH_STATE_READ, &ledger, &err) || wh_estate_load(&ledger, mem, &estate, &err) ||
	    wh_port_list_load("all", NULL, mem, &ports, &err))
		return die(&err);
	opt.ports = ports;
	opt.threads = argc > 4 ? (unsigned)atoi(argv[4]) : 1;
	if (wh_recommend(&(struct wh_harden_ask){.store = ledger.store, .estate = estate, .opt = &opt}, mem, &rec, &err))
		return die(&err);
	double seconds = now() - start;
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	for (size_t i = 0; i < rec->n_resources; i++)
		for (size_t k = 0; k < rec->resources[i].n_rules; k++) {
			rules++;
			lines += rec->resources[i].rules[k].n_prefixes + rec->resources[i].rules[k].n_except;
		}
	double cpu = (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6 + (double)u.ru_stime.tv_sec +
	             (double)u.ru_stime.tv_usec / 1e6;
	printf("%.3f %.3f %ld %zu %zu %zu\n", seconds, cpu, u.ru_maxrss / 1024, rec->n_resources, rules, lines);
	FILE *f = argc > 5 ? fopen(argv[5], "w") : NULL;
	if (f) { /* to be compared: it must not depend on the number of threads */
		char *text = wh_recommendation_json(rec, NULL);
		fputs(text, f);
		free(text);
		fclose(f);
	}
	wh_estate_free(estate);
	wh_arena_free(mem);
	wh_ledger_close(&ledger);
	return 0;
}
