/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Open connections become edges by the same folding as a sensor's flows, in a table of their own; the store keeps their known
 * part. */
#include "ledger/edge.h"
#include "ledger/store.h"

enum { LIMIT = 32 << 20 };

int wh_store_seen_open(struct wh_store *s, const struct wh_locals *locals, const struct wh_flow *flows, size_t n, int64_t now_us,
                       struct wh_error *err)
{
	struct wh_edge_table *t = n ? wh_edge_table_new(locals, LIMIT) : NULL;
	int rc = n && !t ? wh_fail(err, -ENOMEM, "out of memory") : 0;
	for (size_t i = 0; i < n && !rc; i++) {
		struct wh_record r = {.kind = WH_RECORD_FLOW, .flow = flows[i], .time_us = now_us};
		if (r.flow.start_us < WH_CLOCK_FIRST_US || r.flow.start_us > now_us)
			r.flow.start_us = now_us;
		r.flow.end_us = now_us;
		if (wh_flow_server(&r.flow) != WH_SIDE_DST_SERVES || wh_edge_table_fold(t, &r) != -ENOSPC)
			continue;
		rc = s->ops->put_open(s, t, wh_day(now_us), err);
		wh_edge_table_clear(t);
		if (!rc && wh_edge_table_fold(t, &r))
			rc = wh_fail(err, -ENOMEM, "out of memory");
	}
	if (!rc && t && wh_edge_table_count(t))
		rc = s->ops->put_open(s, t, wh_day(now_us), err);
	wh_edge_table_free(t);
	return rc;
}
