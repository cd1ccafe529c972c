/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger's edges, one by one: there may be millions. */
#include <string.h>
#include "app/app.h"
#include "whittle/app_learning.h"

int wh_app_edges(const struct wh_app *a, const struct wh_addr *local, wh_edge_cb each, void *arg, struct wh_error *err)
{
	struct wh_ledger l;
	int rc = wh_ledger_open(a->store_url, WH_STATE_READ, &l, err);
	rc = rc ? rc : wh_store_edges(l.store, local, each, arg, err);
	wh_ledger_close(&l);
	return rc;
}

bool wh_app_edge_timed(const struct wh_edge *e)
{
	return e->flows || e->days;
}

static const char *time_json(const struct wh_edge *e, int64_t us, char buf[static WH_TIME_STRLEN + 2])
{
	char t[WH_TIME_STRLEN];
	if (!wh_app_edge_timed(e))
		return "null";
	snprintf(buf, WH_TIME_STRLEN + 2, "\"%s\"", wh_time_text(us, t));
	return buf;
}

const char *wh_app_edge_json(const struct wh_edge_key *k, const struct wh_edge *e, char buf[static WH_APP_EDGE_JSON])
{
	char local[WH_ADDR_STRLEN], peer[WH_ADDR_STRLEN], proto[8], a[WH_TIME_STRLEN + 2], b[WH_TIME_STRLEN + 2];
	snprintf(
		buf, WH_APP_EDGE_JSON,
		"{\"local\":\"%s\",\"direction\":\"%s\",\"protocol\":\"%s\",\"port\":%u,\"peer\":\"%s\",\"days\":%u,\"dayBits\":\"%016llx\","
		"\"lastDay\":%d,\"flows\":%llu,\"bytesIn\":%llu,\"bytesOut\":%llu,\"alerts\":[%u,%u,%u,%u],\"first\":%s,\"last\":%s}",
		wh_addr_text(&k->local, local), wh_direction_text(k->direction), wh_proto_text(k->proto, proto), k->port,
		wh_addr_text(&k->peer, peer), wh_edge_days(e), (unsigned long long)e->days, e->day0, (unsigned long long)e->flows,
		(unsigned long long)e->bytes_in, (unsigned long long)e->bytes_out, e->alerts[0], e->alerts[1], e->alerts[2],
		e->alerts[3], time_json(e, e->first_us, a), time_json(e, e->last_us, b));
	return buf;
}
