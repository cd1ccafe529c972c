/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Open connections as flows, for the ledger. The list came from another process: its values are accepted only within their
 * ranges. */
#include <stdlib.h>
#include "whittle/estate.h"
#include "whittle/ledger.h"
#include "whittle/open.h"

/* False: there is no such connection. */
static bool flow_of(const struct wh_open *o, int64_t now_us, struct wh_flow *f)
{
	bool in = o->direction == WH_INBOUND, tcp = o->proto == WH_PROTO_TCP;
	if ((!tcp && o->proto != WH_PROTO_UDP) || (!in && o->direction != WH_OUTBOUND) || !o->port || !o->client_port)
		return false;
	/* a handshake was completed, and both sides are known; for datagrams, packets went both ways */
	*f = (struct wh_flow){.src = in ? o->peer : o->local,
	                      .dst = in ? o->local : o->peer,
	                      .src_port = o->client_port,
	                      .dst_port = o->port,
	                      .proto = o->proto,
	                      .state = WH_STATE_ESTABLISHED,
	                      .app_proto_known = tcp,
	                      .start_us = o->start_us,
	                      .pkts_toserver = 1,
	                      .pkts_toclient = 1};
	if (!f->start_us && o->idle_us > 0 && o->idle_us < now_us)
		f->start_us = now_us - o->idle_us;
	return true;
}

int wh_open_note(const char *store_url, const char *discover, const struct wh_open_list *l, int64_t now_us, struct wh_error *err)
{
	struct wh_flow *flows = l->n ? malloc(l->n * sizeof *flows) : NULL;
	struct wh_locals *locals = NULL;
	struct wh_ledger ledger = {NULL, NULL};
	size_t n = 0;
	if (l->n && !flows)
		return wh_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < l->n; i++)
		n += flow_of(&l->c[i], now_us, &flows[n]);
	int rc = n ? wh_ledger_open(store_url, WH_STATE_WRITE, &ledger, err) : 0;
	if (!rc && n) {
		wh_store_patience(ledger.store, WH_OPEN_PATIENCE_MS);
		rc = wh_estate_locals(ledger.state, discover, &locals, err);
	}
	if (!rc && n)
		rc = wh_store_seen_open(ledger.store, locals, flows, n, now_us, err);
	wh_locals_free(locals);
	wh_ledger_close(&ledger);
	free(flows);
	return rc;
}
