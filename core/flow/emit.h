/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emit: passes on a reader's results: records to its callback, parts of flows to the pairing and the resulting flows to the
 * callback; and counts both. */
#pragma once
#include "flow/pairing.h"

struct emit {
	struct wh_pairing *pairing; /* of readers that pair */
	/* while a buffer is read */
	struct wh_read_stats *stats;
	wh_record_cb each;
	void *arg;
	int answer;                 /* of the callback, once it refused: the reading ends with it */
};
void emit_begin(struct emit *e, wh_record_cb each, void *arg, struct wh_read_stats *stats);
/* Why the times of a flow can't be; NULL when they can. Call it before the flow is passed on. */
const char *emit_bad_time(const struct emit *e, const struct wh_flow *flow);
void emit_record(struct emit *e, const struct wh_record *rec);
void emit_part(struct emit *e, const struct wh_part *part, const struct wh_tags *tags);
/* the same, with wh_pairing_ahead()'s hash of the part */
void emit_part_ahead(struct emit *e, const struct wh_part *part, uint64_t hash, const struct wh_tags *tags);
/* a refused attempt, which has no other parts */
void emit_denied(struct emit *e, const struct wh_flow *flow, const struct wh_tags *tags);
void emit_other(struct emit *e); /* a record of a kind that is not used */
