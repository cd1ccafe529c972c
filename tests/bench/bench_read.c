/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast one thread reads records: bench_read READER|WALKER|jansson FILE [ROUNDS], with a reader's name, one of EVE's walkers,
 * or jansson. The file is in memory before the clock starts. Prints "records seconds MB/s sum" of the best round, in CPU time;
 * `sum` is over the seven fields that all the peers read.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "flow/eve.h"
#include "flow/pairing.h"

static uint64_t sum, records;
static const struct wh_reader *reader = &wh_reader_eve;

static int add(void *arg, const struct wh_record *rec)
{
	(void)arg;
	records++;
	if (rec->kind == WH_RECORD_FLOW)
		sum += rec->flow.src_port + rec->flow.dst_port + rec->flow.pkts_toserver + rec->flow.pkts_toclient;
	return 0;
}

static void feed(void *state, const char *text, size_t len, struct wh_read_stats *s)
{
	struct wh_cut cuts[256];
	if (!reader->cut)
		reader->feed(state, &(struct wh_stretch){text, len, true, 1, 0}, add, NULL, s);
	else
		for (size_t at = 0, n; (n = reader->cut(text + at, len - at, cuts, 256)); at += cuts[n - 1].end)
			for (size_t i = 0; i < n; i++)
				reader->feed(
					state,
					&(struct wh_stretch){text + at + cuts[i].begin, cuts[i].end - cuts[i].begin, true, 1, 0},
					add, NULL, s);
}

static void by_reader(const char *text, size_t len)
{
	static const uint8_t key[WH_PAIRING_KEY_BYTES];
	struct wh_read_stats s = {0};
	struct wh_reader_options o = {.pairing = wh_pairing_new(key)};
	void *state = reader->open(&o);
	if (state)
		feed(state, text, len, &s);
	reader->close(state);
	wh_pairing_free(o.pairing);
}

static void by_record(const char *text, size_t len)
{
	const char *end = text + len, *nl;
	struct wh_record rec;
	for (; text < end && (nl = memchr(text, '\n', (size_t)(end - text))); text = nl + 1)
		if (!wh_eve_record(text, (size_t)(nl - text), &rec, NULL))
			add(NULL, &rec);
}

/* Parsing alone: no field is looked up. */
static void by_jansson(const char *text, size_t len)
{
	const char *end = text + len, *nl;
	for (; text < end && (nl = memchr(text, '\n', (size_t)(end - text))); text = nl + 1) {
		json_t *j = json_loadb(text, (size_t)(nl - text), 0, NULL);
		records += j != NULL;
		json_decref(j);
	}
}

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("usage: bench_read READER|record|avx2|sse2|neon|portable|jansson FILE [ROUNDS]\n", stderr);
		return 2;
	}
	FILE *f = fopen(argv[2], "rb");
	if (!f || fseek(f, 0, SEEK_END)) {
		perror(argv[2]);
		return 2;
	}
	size_t len = (size_t)ftell(f);
	char *text = malloc(len + 1);
	rewind(f);
	if (!text || fread(text, 1, len, f) != len) {
		perror(argv[2]);
		return 1;
	}
	fclose(f);
	for (const struct eve_impl *const *i = wh_eve_impls(); *i; i++)
		if (!strcmp((*i)->name, argv[1]))
			wh_eve_use(*i);
	if (wh_reader_find(argv[1]))
		reader = wh_reader_find(argv[1]);
	double best = 1e9;
	for (int rounds = argc > 3 ? atoi(argv[3]) : 3; rounds > 0; rounds--) {
		sum = records = 0;
		double t = now();
		(!strcmp(argv[1], "jansson") ? by_jansson : !strcmp(argv[1], "record") ? by_record : by_reader)(text, len);
		t = now() - t;
		best = t < best ? t : best;
	}
	printf("%llu %.4f %.1f %llu\n", (unsigned long long)records, best, (double)len / best / 1e6, (unsigned long long)sum);
	free(text);
	return 0;
}
