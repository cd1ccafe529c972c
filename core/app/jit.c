/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Just-in-time access: ports of this machine closed and opened, openings for groups elsewhere, and who did what. */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "whittle/app_firewall.h"
#include "whittle/app_jit.h"
#include "whittle/jit.h"

/* ---- on, confirm, off ---- */

static bool is_own(const struct wh_estate *e, const char *resource)
{
	const char *own[WH_APP_OWN];
	size_t n = wh_app_own_resources(e, own, WH_APP_OWN);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(own[i], resource))
			return true;
	return false;
}

/* The ports that the policy names for this machine. */
static struct wh_app_ports own_ports(const struct wh_app *a, const struct wh_estate *e, struct wh_arena *mem)
{
	const struct wh_jit_config *cfg = &a->config->jit;
	struct wh_app_ports p = {.n = 0};
	size_t room = 0;
	for (size_t i = 0; i < cfg->n_policies; i++)
		for (size_t k = 0; is_own(e, cfg->policies[i].resource) && k < cfg->policies[i].n_ports && p.n < WH_APP_JIT_PORTS; k++) {
			p.list = wh_arena_grown(mem, p.list, p.n, &room, sizeof *p.list);
			p.list[p.n++] = cfg->policies[i].ports[k];
		}
	return p;
}

static struct wh_app_ports closed_ports(const struct wh_jit_live *live, struct wh_arena *mem)
{
	struct wh_app_ports p = {.list = wh_arena_array(mem, live->n_closed + 1, sizeof *p.list)};
	for (size_t k = 0; k < live->n_closed && k < WH_APP_JIT_PORTS; k++)
		p.list[p.n++] = live->closed[k].port;
	return p;
}

/* Refuses where the person, whose terminal is a session from elsewhere, could not connect again. $SSH_CONNECTION is "client port server port". */
static int check_way_back(const struct wh_app_ports *p, struct wh_arena *mem, struct wh_error *err)
{
	const char *ssh = getenv("SSH_CONNECTION");
	struct wh_jit_live live;
	struct wh_error ignored;
	unsigned client_port, server_port;
	char client[64], server[64];
	struct wh_addr from;
	bool closed = false, open = false;
	if (!ssh || sscanf(ssh, "%63s %u %63s %u", client, &client_port, server, &server_port) != 4 || wh_addr_parse(client, strlen(client), &from))
		return 0;
	for (size_t i = 0; i < p->n; i++)
		closed |= p->list[i].proto == WH_PROTO_TCP && p->list[i].port == server_port;
	if (closed && !wh_firewall_jit_live(mem, &live, &ignored))
		for (size_t i = 0; i < live.n_open; i++)
			open |= live.open[i].port.port == server_port && wh_addr_cmp(&live.open[i].first, &from) <= 0 && wh_addr_cmp(&live.open[i].last, &from) >= 0;
	return !closed || open ? 0 : wh_fail_input(err, -EPERM, "refused: you are connected from %s, which could not connect to port %u again; open it first "
	                                           "(whittle jit open …), or use --force", client, server_port);
}

int wh_app_jit_on(const struct wh_app *a, int64_t confirm_within_s, bool force, struct wh_arena *mem, struct wh_app_ports *out, struct wh_error *err)
{
	struct wh_app_ledger l;
	int rc = wh_app_open(a, WH_STATE_WRITE, mem, &l, err);
	if (!rc)
		*out = own_ports(a, l.estate, mem);
	if (!rc && !out->n)
		rc = wh_fail_input(err, WH_APP_USAGE, "no policy under 'jit' in whittle.yaml is for a resource with an address of this machine");
	if (!rc && !force)
		rc = check_way_back(out, mem, err);
	rc = rc ? rc : wh_firewall_jit_on(out->list, out->n, confirm_within_s, err);
	rc = rc ? rc : wh_state_log(l.is.state, a->who, "jit.on", "{}", err);
	wh_app_close(&l, NULL);
	return rc;
}

static bool holds(const struct wh_app_ports *p, const struct wh_jit_port *port)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->list[i].proto == port->proto && p->list[i].port == port->port)
			return true;
	return false;
}

/* What the policy closes and is open again, since its time was up. */
static int compare_with_policy(const struct wh_app *a, struct wh_arena *mem, struct wh_app_jit_confirmed *out, struct wh_error *err)
{
	struct wh_app_ledger l;
	struct wh_jit_live live;
	int rc = wh_app_open(a, WH_STATE_READ, mem, &l, err);
	struct wh_app_ports wanted = {.n = 0};
	if (!rc)
		wanted = own_ports(a, l.estate, mem);
	wh_app_close(&l, NULL);
	if (rc)
		return rc;
	if (wh_firewall_jit_live(mem, &live, &out->unread))
		return 0;
	out->unread.code = 0;
	out->closed = closed_ports(&live, mem);
	out->open.list = wh_arena_array(mem, wanted.n + 1, sizeof *out->open.list);
	for (size_t i = 0; i < wanted.n; i++)
		if (!holds(&out->closed, &wanted.list[i]))
			out->open.list[out->open.n++] = wanted.list[i];
	return 0;
}

int wh_app_jit_confirm(const struct wh_app *a, struct wh_arena *mem, void (*done)(void *arg, const struct wh_app_jit_confirmed *c), void *arg, struct wh_error *err)
{
	struct wh_app_jit_confirmed out = {.unread = {0}};
	int rc = wh_firewall_jit_confirm(err);
	if (rc)
		return rc;
	if (!compare_with_policy(a, mem, &out, &out.not_compared))
		out.not_compared.code = 0;
	done(arg, &out);
	wh_app_journal(a, "jit.confirm", json_object());
	return 0;
}

int wh_app_jit_off(const struct wh_app *a, struct wh_arena *mem, void (*done)(void *arg, const struct wh_app_jit_off *o), void *arg, struct wh_error *err)
{
	struct wh_app_jit_off out = {.was_there = true};
	struct wh_jit_live live = {0};
	struct wh_error ignored;
	int unread = wh_firewall_jit_live(mem, &live, &ignored);
	out.closed = closed_ports(&live, mem);
	int rc = wh_firewall_jit_off(err);
	if (rc)
		return rc;
	out.was_there = live.present || unread;
	done(arg, &out);
	wh_app_journal(a, "jit.off", json_object());
	return 0;
}

/* ---- open, list, close ---- */

static int find_target(const struct wh_estate *e, const struct wh_app_jit_open *ask, struct wh_jit_grant *g, struct wh_error *err)
{
	const struct wh_resource *r = wh_estate_require(e, ask->resource, err);
	if (!r)
		return -ENXIO;
	g->resource = r->name;
	g->nsg = ask->to ? !strcmp(ask->to, "nsg") : !is_own(e, r->name);
	if (g->nsg && !r->n_nsgs)
		return wh_fail_input(err, WH_APP_USAGE, "%s is not this machine, and no network security group of it is known", r->name);
	if (!g->nsg && !is_own(e, r->name))
		return wh_fail_input(err, WH_APP_USAGE, "%s has no address of this machine: run it there, or use --to nsg", r->name);
	return 0;
}

int wh_app_jit_open(const struct wh_app *a, const struct wh_app_jit_open *ask, struct wh_arena *mem, struct wh_jit_grant *out, struct wh_error *err)
{
	const int64_t most = INT64_C(86400) * 366;
	struct wh_app_ledger l;
	*out = (struct wh_jit_grant){.who = a->who, .proto = ask->proto, .port = ask->port, .from = ask->from, .why = ask->why,
	                             .expires_us = (ask->length_s < most ? ask->length_s : most) * 1000000};
	int rc = wh_app_open(a, WH_STATE_WRITE, mem, &l, err);
	rc = rc ? rc : find_target(l.estate, ask, out, err);
	rc = rc ? rc : wh_jit_open(l.is.state, &wh_firewall_jit_kernel, &a->config->jit, out, err);
	wh_app_close(&l, NULL);
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

/* What is not closed here though it was confirmed, or the policy names it: a sentence in mem, or NULL. */
static const char *not_closed(const struct wh_app *a, const struct wh_estate *e, struct wh_arena *mem)
{
	struct wh_app_ports p = own_ports(a, e, mem);
	struct wh_jit_live live;
	struct wh_error err;
	char *difference = NULL;
	const char *text = NULL;
	int rc = wh_firewall_jit_differs(&difference, &err);
	if (rc == 1)
		text = wh_arena_printf(mem, "%s; `whittle restore` closes again what was confirmed", difference ? difference : "");
	else if (rc < 0)
		text = wh_arena_printf(mem, "whether the ports are closed can't be said: %s", err.text);
	else if (p.n && !wh_firewall_jit_live(mem, &live, &err) && !live.present)
		text = wh_arena_printf(mem, "the table inet whittle_jit is not there, so %s %s not closed; `whittle jit on` closes %s", wh_jit_ports_text(p.list, p.n, mem),
		                       p.n == 1 ? "is" : "are", p.n == 1 ? "it" : "them");
	free(difference);
	return text;
}

int wh_app_jit_list(const struct wh_app *a, struct wh_arena *mem, struct wh_app_jit_list *out, struct wh_error *err)
{
	struct wh_app_ledger l;
	*out = (struct wh_app_jit_list){.n = 0};
	int rc = wh_app_open(a, WH_STATE_READ, mem, &l, err);
	rc = rc ? rc : wh_jit_list(l.is.state, &wh_firewall_jit_kernel, mem, &out->list, &out->n, err);
	if (!rc)
		out->not_closed = not_closed(a, l.estate, mem);
	wh_app_close(&l, NULL);
	return rc;
}

json_t *wh_app_jit_list_json(const struct wh_app_jit_list *x)
{
	char until[WH_TIME_STRLEN], opened[WH_TIME_STRLEN], from[WH_PREFIX_STRLEN];
	json_t *all = json_array();
	for (size_t i = 0; i < x->n; i++) {
		const struct wh_jit_grant *g = &x->list[i];
		json_t *o = json_pack("{s:s,s:s,s:i,s:s,s:s,s:s,s:s*,s:s}", "resource", g->resource, "protocol", g->proto == WH_PROTO_UDP ? "UDP" : "TCP", "port",
		                      (int)g->port, "from", wh_prefix_text(&g->from, from), "until", wh_time_text(g->expires_us, until), "who", g->who, "why", g->why,
		                      "to", g->nsg ? "nsg" : "nft");
		if (*g->id)
			json_object_set_new(o, "id", json_string(g->id));
		if (g->opened_us)
			json_object_set_new(o, "opened", json_string(wh_time_text(g->opened_us, opened)));
		json_array_append_new(all, o);
	}
	json_t *doc = json_pack("{s:o}", "openings", all);
	if (x->not_closed)
		json_object_set_new(doc, "notAsConfirmed", json_string(x->not_closed));
	return doc;
}

/* ---- log ---- */

const char *wh_app_jit_port_text(uint8_t proto, uint16_t port, char buf[static 24])
{
	char name[8];
	snprintf(buf, 24, "%u/%s", port, proto == WH_PROTO_UDP ? "udp" : proto == WH_PROTO_TCP ? "tcp" : wh_proto_text(proto, name));
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
	json_array_append_new(arg, json_pack("{s:s,s:s,s:s,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*}", "time", wh_time_text(e->time_us, t), "who", e->who, "what", e->what,
	                                     "id", e->id, "resource", e->resource, "port", *port ? port : NULL, "from", *from ? from : NULL, "until",
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
