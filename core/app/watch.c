/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The watcher of this machine's rules, and its alerts as documents. */
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include "app/app.h"

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
	for (const struct ifaddrs *i = list; i && n < max; i = i->ifa_next) {
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
			out[n++] = wh_addr_v4(ntohl(((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr.s_addr));
		else if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6)
			memcpy(out[n++].b, &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr, 16);
	}
	freeifaddrs(list);
	return n;
}

int wh_app_watch(const struct wh_app *a, const struct wh_app_watch *ask, struct wh_error *err)
{
	struct wh_addr locals[256];
	struct wh_error earlier;
	const struct wh_watch_options opt = {.store_url = a->store_url, .locals = locals, .n_locals = own_addresses(locals, 256), .discover = a->config->estate.discover,
	                                     .config = ask->config, .judge = &a->config->harden, .nflog_group = WH_NFLOG_GROUP, .stop = ask->stop, .ready = ask->ready, .again = ask->again,
	                                     .alert = ask->alert, .arg = ask->arg};
	int rc = wh_firewall_ready(err);
	if (!rc && wh_app_adopt_earlier(a, &earlier) < 0)
		wh_app_note(a, "%s", earlier.text);
	return rc ? rc : wh_watch(&opt, err);
}
