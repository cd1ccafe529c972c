/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows sent past the sensor, and whether they arrive. */
#include "app/app.h"
#include "base/store_url.h"
#include "whittle/app_health.h"

/* The ledger assigns flows to resources: waiting for an address that is not a resource's would be in vain. */
static int check_resource(const struct wh_app *a, struct wh_state *s, const struct wh_addr *to, struct wh_error *err)
{
	struct wh_locals *locals = NULL;
	char text[WH_ADDR_STRLEN];
	int rc = wh_estate_locals(s, a->config->estate.discover, &locals, err);
	if (!rc && !wh_locals_has(locals, to))
		rc = wh_fail_input(
			err, -ENOENT,
			"%s is not an address of a resource, and would not be discovered: the ledger takes no flows of it",
			wh_addr_text(to, text));
	wh_locals_free(locals);
	return rc;
}

int wh_app_selftest(const struct wh_app *a, const struct wh_selftest_options *opt, struct wh_selftest *out, struct wh_error *err)
{
	struct wh_ledger l = {NULL, NULL};
	int rc = opt->eve ? 0 : wh_ledger_open(a->store_url, WH_STATE_READ, &l, err);
	if (rc == -ENOENT)
		return wh_fail(
			err, rc,
			"%s: there is no ledger yet, so the sensor has written nothing: run `whittle estate import FILE`, start the sensor, "
			"and try again; --eve FILE looks into its log instead",
			wh_store_path(a->store_url));
	rc = rc || opt->eve ? rc : check_resource(a, l.state, &opt->to, err);
	rc = rc ? rc : wh_selftest(l.store, opt, out, err);
	wh_ledger_close(&l);
	return rc;
}

const char *wh_app_selftest_reason(const struct wh_selftest_options *o, const struct wh_selftest *t)
{
	if (t->arrived == t->sent)
		return NULL;
	if (t->arrived)
		return "some of the flows did not arrive: the sensor loses packets, or sees only one of several paths";
	if (t->others)
		return o->eve ? "other records came, so the sensor runs: it does not see the traffic of this address, or does not log flows"
		              : "other flows came, so the sensor runs: it does not see the traffic of this address";
	return o->eve ? "nothing at all was written: the sensor does not run, writes elsewhere, or listens on another interface"
	              : "nothing at all came into the ledger: the sensor does not run, writes elsewhere, or nobody reads its log";
}

json_t *wh_app_selftest_json(const struct wh_selftest_options *o, const struct wh_selftest *t)
{
	char to[WH_ADDR_STRLEN], from[WH_ADDR_STRLEN];
	return json_pack("{s:b, s:s?, s:s, s:s, s:i, s:s, s:i, s:i, s:b, s:I, s:f}", "hears", t->arrived == t->sent, "reason",
	                 wh_app_selftest_reason(o, t), "from", wh_addr_text(&t->from, from), "to", wh_addr_text(&o->to, to),
	                 "port", (int)t->port, "protocol", o->udp ? "UDP" : "TCP", "sent", (int)t->sent, "arrived",
	                 (int)t->arrived, "answered", t->answered, "otherRecords", (json_int_t)t->others, "seconds", t->seconds);
}
