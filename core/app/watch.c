/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The watcher of this machine's rules, and its alerts as documents. */
#include <ifaddrs.h>
#include <string.h>
#include "app/app.h"
#include "app/forget.h"
#include "base/socket_addr.h"
#include "whittle/app_alerts.h"
#include "whittle/app_firewall.h"

json_t *wh_app_watch_json(const struct wh_watch_alert *a)
{
	char t[WH_TIME_STRLEN], addr[WH_ADDR_STRLEN], proto[8];
	json_t *o = json_pack("{s:s,s:s,s:s}", "time", wh_time_text(a->time_us, t), "kind", a->kind, "text", a->text);
	if (a->has_peer) {
		json_object_set_new(o, "peer", json_string(wh_addr_text(&a->peer, addr)));
		json_object_set_new(o, "daysSeen", json_integer(a->days));
	}
	if (a->proto) {
		json_object_set_new(o, "direction", json_string(wh_direction_text(a->direction)));
		json_object_set_new(o, "protocol", json_string(wh_proto_text(a->proto, proto)));
		json_object_set_new(o, "port", json_integer(a->port));
		json_object_set_new(o, "drops", json_integer((json_int_t)a->drops));
	}
	if (a->by) {
		json_object_set_new(o, "by", json_string(a->by)); /* left out where it is no UTF-8 */
		json_object_set_new(o, "pid", json_integer(a->pid));
	}
	return o;
}

static size_t own_addresses(struct wh_addr *out, size_t max)
{
	struct ifaddrs *list;
	size_t n = 0;
	if (getifaddrs(&list))
		return 0;
	for (const struct ifaddrs *i = list; i && n < max; i = i->ifa_next)
		n += wh_addr_of_socket(i->ifa_addr, &out[n]);
	freeifaddrs(list);
	return n;
}

static bool is_loopback(const struct wh_addr *a)
{
	static const struct wh_addr six = {.b = {[15] = 1}};
	return wh_addr_is_v4(a) ? a->b[12] == 127 : wh_addr_eq(a, &six);
}

enum { RETAIN_S = 3600, PATIENCE_MS = 500 };

/* Alerts on their way to the caller. */
struct relay {
	const struct wh_app *a;
	const struct wh_app_watch *ask;
	const struct wh_addr *local;
	int64_t retain_at_us; /* when to look again for what is older than `keep-days` */
};

/* For `whittle alerts`; where the ledger does not take it, the line that the caller prints is all there is. */
static void alert(void *arg, const struct wh_watch_alert *alert)
{
	const struct relay *r = arg;
	const struct wh_alert_noticed n = {.kind = alert->kind,
	                                   .text = alert->text,
	                                   .time_us = alert->time_us,
	                                   .peer = alert->has_peer ? &alert->peer : NULL,
	                                   .direction = alert->direction,
	                                   .proto = alert->proto,
	                                   .port = alert->port,
	                                   .drops = alert->drops,
	                                   .local = r->local};
	struct wh_state *s = NULL;
	struct wh_error ignored;
	if (!wh_ledger_state(r->a->store_url, WH_STATE_WRITE, &s, &ignored)) {
		wh_state_patience(s, PATIENCE_MS);
		wh_alert_noticed(s, &n, &ignored);
	}
	wh_state_close(s);
	r->ask->alert(r->ask->arg, alert);
}

static void ready(void *arg, size_t peers)
{
	const struct relay *r = arg;
	r->ask->ready(r->ask->arg, peers);
}

static bool again(void *arg)
{
	const struct relay *r = arg;
	return r->ask->again(r->ask->arg);
}

/* Removes what is older than `keep-days`, whoever wrote it: the plugin leaves that to others. */
static void retain(struct relay *r)
{
	struct wh_ledger l = {0};
	struct wh_error err;
	if (!r->a->config->ledger.keep_days || wh_monotonic_us() < r->retain_at_us)
		return;
	r->retain_at_us = wh_monotonic_us() + RETAIN_S * INT64_C(1000000);
	int rc = wh_ledger_open(r->a->store_url, WH_STATE_WRITE, &l, &err);
	if (!rc) {
		wh_store_patience(l.store, PATIENCE_MS);
		wh_state_patience(l.state, PATIENCE_MS);
		rc = wh_app_retain(r->a, &l, &err);
	}
	if (rc)
		wh_app_note(r->a, "data older than keep-days could not be removed (next try in an hour): %s",
		            err.text);
	wh_ledger_close(&l);
}

static void tick(void *arg, const struct wh_watch_learned *learned)
{
	struct relay *r = arg;
	retain(r);
	if (r->ask->tick)
		r->ask->tick(r->ask->arg, learned);
}

int wh_app_watch(const struct wh_app *a, const struct wh_app_watch *ask, struct wh_error *err)
{
	struct relay r = {.a = a, .ask = ask};
	struct wh_addr locals[256];
	struct wh_error earlier;
	const struct wh_watch_options opt = {.store_url = a->store_url,
	                                     .locals = locals,
	                                     .n_locals = own_addresses(locals, 256),
	                                     .discover = a->config->estate.discover,
	                                     .config = ask->config,
	                                     .judge = &a->config->harden,
	                                     .nflog_group = WH_NFLOG_GROUP,
	                                     .stop = ask->stop,
	                                     .ready = ready,
	                                     .again = again,
	                                     .alert = alert,
	                                     .tick = tick,
	                                     .arg = &r};
	for (size_t i = 0; i < opt.n_locals && !r.local; i++)
		if (!is_loopback(&locals[i]))
			r.local = &locals[i];
	int rc = wh_firewall_ready(err);
	if (!rc && wh_app_adopt_earlier(a, &earlier) < 0)
		wh_app_note(a, "%s", earlier.text);
	return rc ? rc : wh_watch(&opt, err);
}
