/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our own API: the status of everything, and queries about the network. */
#include <stdlib.h>
#include <string.h>
#include "serve/endpoints.h"
#include "whittle/app_learning.h"
#include "whittle/app_network.h"
#include "whittle/app_rules.h"
#include "whittle/app_status.h"
#include "whittle/ledger.h"

WH_ENDPOINT(own_status)
{
	struct wh_app_status s;
	int rc = wh_app_status(c->app, c->mem, &s, err);
	if (rc)
		return rc;
	json_t *doc = wh_app_status_json(&s);
	/* this process may not read the kernel's rules, /api/v1/drift may: so it cannot say that they changed */
	json_object_del(doc, "notAsConfirmed");
	json_t *attention = json_object_get(doc, "attention");
	for (size_t i = json_array_size(attention); i-- > 0;)
		if (!strcmp(json_string_value(json_array_get(attention, i)), "changed"))
			json_array_remove(attention, i);
	wh_estate_free(s.estate);
	return wh_call_json(c, 200, doc);
}

/* The sensors of a cluster; none, if the ledger is a file. */
WH_ENDPOINT(own_sensors)
{
	struct wh_fleet_sensor *list;
	size_t n;
	int rc = wh_app_sensors(c->app, c->mem, &list, &n, err);
	return rc ? rc : wh_call_json(c, 200, wh_app_sensors_json(list, n));
}

WH_ENDPOINT(own_evidence)
{
	const char *kind = wh_call_query(c, "kind"), *address = wh_call_query(c, "address");
	struct wh_app_evidence ask = {.kind = WH_FACT_KINDS};
	struct wh_addr only;
	json_t *doc;
	int k = *kind ? wh_key_choice(wh_fact_words, kind) : WH_FACT_KINDS;
	if (k < 0 || (*address && wh_addr_parse(address, strlen(address), &only)))
		return wh_call_refuse(c, 400, "InvalidRequestContent",
		                      "evidence takes kind (such as tls, as `whittle evidence --help` lists them) and address");
	ask.kind = (enum wh_fact_kind)k;
	ask.only = *address ? &only : NULL;
	int rc = wh_app_evidence(c->app, &ask, &doc, err);
	return rc ? rc : wh_call_json(c, 200, doc);
}

/* The kernel's rules, and whether they wait for a confirmation. */
WH_ENDPOINT(own_drift)
{
	const struct wh_gate_request r = wh_call_gate(c, WH_GATE_DRIFT);
	struct wh_error why = {0};
	json_t *doc;
	(void)err;
	if (wh_call_command(c, &r, &doc, &why) && !doc)
		return wh_call_json(c, 200, json_pack("{s:s, s:s}", "state", "unknown", "why", why.text));
	return wh_call_json(c, 200, doc);
}

/* ---- questions about the network ---- */

/* Opens the ledger's network for one question. */
static int ask_network(struct wh_call *c, int (*ask)(struct wh_call *, struct wh_app_network *, json_t **, struct wh_error *),
                       struct wh_error *err)
{
	struct wh_app_network *net = NULL;
	struct wh_state *s;
	json_t *doc;
	int rc = wh_ledger_state(c->app->store_url, WH_STATE_READ, &s, err);
	if (rc)
		return rc;
	rc = wh_app_network_open(s, NULL, 0, &net, err);
	rc = rc ? rc : ask(c, net, &doc, err);
	wh_app_network_close(net);
	wh_state_close(s);
	return rc ? rc : wh_call_json(c, 200, doc);
}

static int ask_reach(struct wh_call *c, struct wh_app_network *net, json_t **doc, struct wh_error *err)
{
	const char *from = wh_call_query(c, "from"), *to = wh_call_query(c, "to"), *port = wh_call_query(c, "port"),
		   *proto = wh_call_query(c, "proto");
	struct wh_app_reach ask = {.from = *from ? from : NULL,
	                           .to = *to ? to : NULL,
	                           .overlay = *wh_call_query(c, "overlay") ? c->app : NULL,
	                           .has_port = *port != 0,
	                           .port = (uint16_t)strtoul(port, NULL, 10)};
	if ((!*from && !*to) || strspn(port, "0123456789") != strlen(port) || strlen(port) > 5 ||
	    strtoul(port, NULL, 10) > 65535 || (*proto && wh_proto_parse(proto, &ask.proto)))
		return wh_fail_input(
			err, -EINVAL,
			"reach takes from, to (one may be left out), port, proto and overlay (anything: with what was observed)");
	return wh_app_reach(net, &ask, doc, err);
}

WH_ENDPOINT(own_reach)
{
	return ask_network(c, ask_reach, err);
}

static int ask_unwanted(struct wh_call *c, struct wh_app_network *net, json_t **doc, struct wh_error *err)
{
	return wh_app_unwanted(net, c->app, doc, err);
}

WH_ENDPOINT(own_unwanted)
{
	return ask_network(c, ask_unwanted, err);
}

WH_ENDPOINT(own_diff)
{
	json_t *doc;
	int rc = wh_app_diff(c->app, &(struct wh_app_diff){.proposed = true}, &doc, err);
	return rc ? rc : wh_call_json(c, 200, doc);
}

WH_ENDPOINT(own_map)
{
	struct wh_app_map *m;
	int rc = wh_app_map(c->app, NULL, 0, WH_APP_MAP_PORTS, &m, err);
	if (rc)
		return rc;
	json_t *doc = wh_app_map_json(m);
	wh_app_map_free(m);
	return wh_call_json(c, 200, doc);
}

/* The same for the console's canvas. */
WH_ENDPOINT(own_map_brief)
{
	struct wh_app_map *m;
	size_t n = 0;
	int rc = wh_app_map(c->app, NULL, 0, WH_APP_MAP_LINES, &m, err);
	if (rc)
		return rc;
	char *text = wh_app_map_brief(m, &n);
	wh_app_map_free(m);
	return text ? wh_call_text(c, text, n, NULL) : wh_fail(err, -ENOMEM, "out of memory");
}

/* Classes of addresses that no rule distinguishes: short also in a large estate. */
static int ask_connections(struct wh_call *c, struct wh_app_network *net, json_t **doc, struct wh_error *err)
{
	(void)c;
	return wh_app_connections_compact(net, doc, err);
}

WH_ENDPOINT(own_connections)
{
	return ask_network(c, ask_connections, err);
}
