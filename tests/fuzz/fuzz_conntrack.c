/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages about tracked connections, also hostile ones: each gives flows with ends and times in order, and the number of
 * connections in memory stays bounded. */
#include <stdlib.h>
#include <string.h>
#include "flow/tracked.h"

enum { MOST = 64 };
#define NOW (INT64_C(1790000000) * 1000000)

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void flow(void *arg, const struct wh_record *rec)
{
	(void)arg;
	need(rec->flow.start_us <= rec->flow.end_us && rec->flow.pkts_toserver);
	wh_flow_server(&rec->flow);
}

struct reading { struct wh_tracked *t; int64_t now; };

static void event(void *arg, enum wh_ct_kind kind, const struct wh_ct_flow *f)
{
	struct reading *r = arg;
	wh_tracked_event(r->t, kind, f, r->now);
	wh_tracked_open(r->t, f, r->now);
	r->now += 1000;
	need(wh_tracked_counts(r->t).open <= MOST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading r = {.now = NOW};
	const struct wh_tracked_options o = {.most = MOST, .flow = flow};
	char *buf = malloc(size + 1); /* aligned, as the socket's buffer is */
	if (!buf || size > 1 << 20 || wh_tracked_new(&o, &r.t)) {
		free(buf);
		return 0;
	}
	if (size)
		memcpy(buf, data, size);
	wh_ct_take(buf, size, event, &r);
	wh_tracked_dump_begin(r.t);
	wh_tracked_dump_end(r.t, true, r.now);
	need(!wh_tracked_counts(r.t).open);
	wh_tracked_free(r.t);
	free(buf);
	return 0;
}
