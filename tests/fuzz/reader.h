/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hostile logs through a reader: whole, and cut into pieces; it must consume what it is given, and count as many flows as it
 * reports. */
#include <stdlib.h>
#include <string.h>
#include "flow/pairing.h"

static int fuzz_count(void *arg, const struct wh_record *rec)
{
	const volatile char *sensor = rec->tags && rec->tags->sensor ? rec->tags->sensor : "";
	if (rec->tags && rec->tags->sensor_len && !sensor[rec->tags->sensor_len - 1] && rec->kind == WH_RECORD_OTHER)
		abort();
	*(uint64_t *)arg += rec->kind == WH_RECORD_FLOW && rec->flow.part <= WH_FLOW_BEGUN;
	return 0;
}

static int fuzz_page(void *arg, uint32_t page, const void *bytes, size_t len)
{
	return wh_pairing_load(arg, page, bytes, len);
}

static void fuzz_feed(const struct wh_reader *r, void *state, const char *text, size_t len, struct wh_read_stats *s,
                      uint64_t *flows)
{
	if (!r->cut) {
		if (len && r->feed(state, &(struct wh_stretch){text, len, true, 1, 0}, fuzz_count, flows, s) != (int64_t)len)
			abort();
		return;
	}
	struct wh_cut cuts[8];
	for (size_t at = 0, n; (n = r->cut(text + at, len - at, cuts, 8)); at += cuts[n - 1].end)
		for (size_t i = 0; i < n; i++) {
			size_t length = cuts[i].end - cuts[i].begin;
			if (!length || cuts[i].end > len - at || (i && cuts[i].begin < cuts[i - 1].end))
				abort();
			if (r->feed(state, &(struct wh_stretch){text + at + cuts[i].begin, length, true, 1, 0}, fuzz_count, flows,
			            s) != (int64_t)length)
				abort();
		}
}

static inline int fuzz_reader(const struct wh_reader *r, const uint8_t *data, size_t size)
{
	static const uint8_t key[WH_PAIRING_KEY_BYTES];
	char *text = malloc(size ? size : 1); /* its end is the end of the readable memory */
	struct wh_pairing *p = wh_pairing_new(key), *copy = wh_pairing_new(key);
	const struct wh_reader_options o = {.pairing = p};
	void *state = r->open(&o);
	struct wh_read_stats s = {0};
	uint64_t flows = 0;
	if (!text || !p || !copy || !state)
		abort();
	memcpy(text, data, size);
	r->probe(text, size < 4096 ? size : 4096);
	if (r->header)
		r->header(state, text, size);
	fuzz_feed(r, state, text, size, &s, &flows);
	if (flows != s.flows)
		abort();
	if (wh_pairing_changes(p, fuzz_page, copy) || wh_pairing_loaded(copy) || wh_pairing_open(copy) != wh_pairing_open(p))
		abort();
	r->close(state);
	wh_pairing_free(p);
	wh_pairing_free(copy);
	free(text);
	return 0;
}
