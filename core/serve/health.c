/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include "serve/endpoints.h"
#include "whittle/app_alerts.h"
#include "whittle/ledger.h"

/* Reveals no more than that: it needs no credential. */
WH_ENDPOINT(healthz)
{
	struct wh_state *s;
	if (wh_ledger_state(c->app->store_url, WH_STATE_READ, &s, err))
		return wh_call_json(c, 503, json_pack("{s:s}", "status", "unavailable"));
	wh_state_close(s);
	return wh_call_json(c, 200, json_pack("{s:s}", "status", "ok"));
}

WH_ENDPOINT(metrics)
{
	char *text = NULL;
	size_t n = 0;
	int rc = wh_app_metrics(c->app, NULL, &text, &n, err);
	if (!text)
		return rc ? rc : wh_fail(err, -ENOMEM, "out of memory");
	/* also where the ledger can't be read: whittle_up is 0 then */
	return wh_call_text(c, text, n, "text/plain; version=0.0.4; charset=utf-8");
}
