/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Openings of just-in-time access, here and in groups: opened, listed, closed, and their history. */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "app/jit.h"
#include "whittle/app_firewall.h"
#include "whittle/jit.h"

static int find_target(const struct wh_estate *e, const struct wh_app_jit_open *ask, struct wh_jit_grant *g, struct wh_error *err)
{
	const struct wh_resource *r = wh_estate_require(e, ask->resource, err);
	if (!r)
		return -ENXIO;
	g->resource = r->name;
	g->nsg = ask->to ? !strcmp(ask->to, "nsg") : !wh_app_jit_is_own(e, r->name);
	if (g->nsg && !r->n_nsgs)
		return wh_fail_input(err, WH_APP_USAGE,
		                     "%s is not this machine, and the estate has no network security group for it", r->name);
	if (!g->nsg && !wh_app_jit_is_own(e, r->name))
		return wh_fail_input(err, WH_APP_USAGE, "%s has no address of this machine: run it there, or use --to nsg",
		                     r->name);
	return 0;
}

static int open_or_ask(const struct wh_app *a, const struct wh_app_jit_open *ask, bool opens, struct wh_arena *mem,
                       struct wh_jit_grant *out, struct wh_error *err)
{
	const int64_t most = INT64_C(86400) * 366;
	struct wh_app_ledger l;
	*out = (struct wh_jit_grant){.who = a->who, .proto = ask->proto, .port = ask->port, .from = ask->from, .why = ask->why,
	                             .expires_us = (ask->length_s < most ? ask->length_s : most) * 1000000};
	int rc = wh_app_open(a, WH_STATE_WRITE, mem, &l, err);
	rc = rc ? rc : find_target(l.estate, ask, out, err);
	if (!rc)
		rc = opens ? wh_jit_open(l.is.state, &wh_firewall_jit_kernel, &a->config->jit, out, err)
		           : wh_jit_request(l.is.state, &a->config->jit, out, err);
	wh_app_close(&l, NULL);
	return rc;
}

int wh_app_jit_open(const struct wh_app *a, const struct wh_app_jit_open *ask, struct wh_arena *mem, struct wh_jit_grant *out,
                    struct wh_error *err)
{
	return open_or_ask(a, ask, true, mem, out, err);
}

int wh_app_jit_request(const struct wh_app *a, const struct wh_app_jit_open *ask, struct wh_arena *mem, struct wh_jit_grant *out,
                       struct wh_error *err)
{
	return open_or_ask(a, ask, false, mem, out, err);
}

int wh_app_jit_approve(const struct wh_app *a, const char *id, struct wh_arena *mem, struct wh_jit_grant *out,
                       struct wh_error *err)
{
	struct wh_ledger l;
	int rc = wh_ledger_open(a->store_url, WH_STATE_WRITE, &l, err);
	rc = rc ? rc : wh_jit_approve(l.state, &wh_firewall_jit_kernel, &a->config->jit, id, a->who, mem, out, err);
	wh_ledger_close(&l);
	return rc;
}

int wh_app_jit_refuse(const struct wh_app *a, const char *id, const char *why, struct wh_error *err)
{
	struct wh_ledger l;
	int rc = wh_ledger_open(a->store_url, WH_STATE_WRITE, &l, err);
	rc = rc ? rc : wh_jit_refuse(l.state, id, a->who, why, err);
	wh_ledger_close(&l);
	return rc;
}

int wh_app_jit_close(const struct wh_app *a, const char *id, const char *why, struct wh_error *err)
{
	struct wh_ledger l;
	int rc = wh_ledger_open(a->store_url, WH_STATE_WRITE, &l, err);
	rc = rc ? rc : wh_jit_close(l.state, &wh_firewall_jit_kernel, id, a->who, why, err);
	wh_ledger_close(&l);
	return rc;
}

/* The ports that are not closed here though they were confirmed, or the policy names them: a sentence in mem, or NULL. */
static const char *not_closed(const struct wh_app *a, const struct wh_estate *e, struct wh_arena *mem)
{
	struct wh_app_ports p = wh_app_jit_own_ports(a, e, mem);
	struct wh_jit_live live;
	struct wh_error err;
	char *difference = NULL;
	const char *text = NULL;
	int rc = wh_firewall_jit_differs(&difference, &err);
	if (rc == 1)
		text = wh_arena_printf(mem, "%s; `whittle restore` closes again what was confirmed",
		                       difference ? difference : "");
	else if (rc < 0)
		text = wh_arena_printf(mem, "can't check whether the ports are closed: %s", err.text);
	else if (p.n && !wh_firewall_jit_live(mem, &live, &err) && !live.present)
		text = wh_arena_printf(mem,
		                       "the table inet whittle_jit is not there, so %s %s not closed; `whittle jit on` closes %s",
		                       wh_jit_ports_text(p.list, p.n, mem), p.n == 1 ? "is" : "are", p.n == 1 ? "it" : "them");
	free(difference);
	return text;
}

int wh_app_jit_list(const struct wh_app *a, struct wh_arena *mem, struct wh_app_jit_list *out, struct wh_error *err)
{
	struct wh_app_ledger l;
	*out = (struct wh_app_jit_list){.n = 0};
	int rc = wh_app_open_without_rules(a, WH_STATE_READ, mem, &l, err);
	rc = rc ? rc : wh_jit_list(l.is.state, &wh_firewall_jit_kernel, mem, &out->list, &out->n, err);
	rc = rc ? rc : wh_jit_requests(l.is.state, mem, &out->requests, &out->n_requests, err);
	if (!rc)
		out->not_closed = not_closed(a, l.estate, mem);
	wh_app_close(&l, NULL);
	return rc;
}

static json_t *grant_json(const struct wh_jit_grant *g)
{
	char from[WH_PREFIX_STRLEN];
	json_t *o = json_pack("{s:s,s:s,s:i,s:s,s:s,s:s*,s:s}", "resource", g->resource, "protocol",
	                      g->proto == WH_PROTO_UDP ? "UDP" : "TCP", "port", (int)g->port, "from",
	                      wh_prefix_text(&g->from, from), "who", g->who, "why", g->why, "to", g->nsg ? "nsg" : "nft");
	if (*g->id)
		json_object_set_new(o, "id", json_string(g->id));
	return o;
}

static void set_time(json_t *o, const char *name, int64_t us)
{
	char text[WH_TIME_STRLEN];
	if (us)
		json_object_set_new(o, name, json_string(wh_time_text(us, text)));
}

json_t *wh_app_jit_list_json(const struct wh_app_jit_list *x)
{
	json_t *openings = json_array(), *requests = json_array();
	for (size_t i = 0; i < x->n; i++) {
		json_t *o = grant_json(&x->list[i]);
		set_time(o, "until", x->list[i].expires_us);
		set_time(o, "opened", x->list[i].opened_us);
		json_array_append_new(openings, o);
	}
	for (size_t i = 0; i < x->n_requests; i++) {
		const struct wh_jit_grant *g = &x->requests[i];
		json_t *o = grant_json(g);
		set_time(o, "requested", g->opened_us);
		json_object_set_new(o, "seconds", json_integer((g->expires_us - g->opened_us) / 1000000));
		json_array_append_new(requests, o);
	}
	json_t *doc = json_pack("{s:o, s:o}", "openings", openings, "requests", requests);
	if (x->not_closed)
		json_object_set_new(doc, "notAsConfirmed", json_string(x->not_closed));
	return doc;
}

/* ---- log ---- */

const char *wh_app_jit_port_text(uint8_t proto, uint16_t port, char buf[static 24])
{
	char name[8];
	snprintf(buf, 24, "%u/%s", port,
	         proto == WH_PROTO_UDP   ? "udp"
	         : proto == WH_PROTO_TCP ? "tcp"
	                                 : wh_proto_text(proto, name));
	return buf;
}

static int append_event(void *arg, const struct wh_jit_event *e)
{
	char t[WH_TIME_STRLEN], until[WH_TIME_STRLEN] = "", from[WH_PREFIX_STRLEN] = "", port[24] = "";
	if (e->has_opening) {
		wh_time_text(e->expires_us, until);
		wh_prefix_text(&e->from, from);
		wh_app_jit_port_text(e->proto, e->port, port);
	}
	json_array_append_new(arg, json_pack("{s:s,s:s,s:s,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*}", "time",
	                                     wh_time_text(e->time_us, t), "who", e->who, "what", e->what, "id", e->id, "resource",
	                                     e->resource, "port", *port ? port : NULL, "from", *from ? from : NULL, "until",
	                                     *until ? until : NULL, "why", e->why, "nsg", e->nsg, "state", e->state));
	return 0;
}

int wh_app_jit_log(const struct wh_app *a, json_t **out, struct wh_error *err)
{
	struct wh_ledger l;
	json_t *events = json_array();
	int rc = wh_ledger_open(a->store_url, WH_STATE_READ, &l, err);
	rc = rc ? rc : wh_jit_log(l.state, append_event, events, err);
	wh_ledger_close(&l);
	*out = json_pack("{s:o}", "events", events);
	if (rc)
		json_decref(*out);
	return rc;
}
