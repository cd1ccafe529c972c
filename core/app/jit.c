/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Just-in-time access on this machine: its table is put in place, confirmed, and taken away. */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "app/jit.h"
#include "app/ledger_apart.h"
#include "whittle/app_firewall.h"
#include "whittle/app_jit.h"
#include "whittle/jit.h"

bool wh_app_jit_is_own(const struct wh_estate *e, const char *resource)
{
	const char *own[WH_APP_OWN];
	size_t n = wh_app_own_resources(e, own, WH_APP_OWN);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(own[i], resource))
			return true;
	return false;
}

struct wh_app_ports wh_app_jit_own_ports(const struct wh_app *a, const struct wh_estate *e, struct wh_arena *mem)
{
	const struct wh_jit_config *cfg = &a->config->jit;
	struct wh_app_ports p = {.n = 0};
	size_t room = 0;
	for (size_t i = 0; i < cfg->n_policies; i++)
		for (size_t k = 0;
		     wh_app_jit_is_own(e, cfg->policies[i].resource) && k < cfg->policies[i].n_ports && p.n < WH_APP_JIT_PORTS;
		     k++) {
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

/* Refuses if the person, whose terminal is a remote session, could not connect again. $SSH_CONNECTION is "client port server
 * port". */
static int check_way_back(const struct wh_app_ports *p, struct wh_arena *mem, struct wh_error *err)
{
	const char *ssh = getenv("SSH_CONNECTION");
	struct wh_jit_live live;
	struct wh_error ignored;
	unsigned client_port, server_port;
	char client[64], server[64];
	struct wh_addr from;
	bool closed = false, open = false;
	if (!ssh || sscanf(ssh, "%63s %u %63s %u", client, &client_port, server, &server_port) != 4 ||
	    wh_addr_parse(client, strlen(client), &from))
		return 0;
	for (size_t i = 0; i < p->n; i++)
		closed |= p->list[i].proto == WH_PROTO_TCP && p->list[i].port == server_port;
	if (closed && !wh_firewall_jit_live(mem, &live, &ignored))
		for (size_t i = 0; i < live.n_open; i++)
			open |= live.open[i].port.port == server_port && wh_addr_cmp(&live.open[i].first, &from) <= 0 &&
			        wh_addr_cmp(&live.open[i].last, &from) >= 0;
	return !closed || open
	               ? 0
	               : wh_fail_input(
				 err, -EPERM,
				 "refused: you are connected from %s, which could not connect to port %u again; open it first "
				 "(whittle jit open …), or use --force",
				 client, server_port);
}

int wh_app_jit_on(const struct wh_app *a, int64_t confirm_within_s, bool force, struct wh_arena *mem, struct wh_app_ports *out,
                  struct wh_error *err)
{
	struct wh_app_ledger l;
	int rc = wh_app_open(a, WH_STATE_WRITE, mem, &l, err);
	if (!rc)
		*out = wh_app_jit_own_ports(a, l.estate, mem);
	if (!rc && !out->n)
		rc = wh_fail_input(err, WH_APP_USAGE,
		                   "no policy under 'jit' in whittle.yaml is for a resource of this machine");
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

/* Ports that the policy closes and that are open again, since their time was up. */
static int compare_with_policy(const struct wh_app *a, struct wh_arena *mem, struct wh_app_jit_confirmed *out,
                               struct wh_error *err)
{
	struct wh_jit_live live;
	struct wh_app_ports wanted;
	int rc = wh_app_ledger_jit_ports(a, mem, &wanted, err);
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

int wh_app_jit_confirm(const struct wh_app *a, struct wh_arena *mem,
                       void (*done)(void *arg, const struct wh_app_jit_confirmed *c), void *arg, struct wh_error *err)
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

int wh_app_jit_off(const struct wh_app *a, struct wh_arena *mem, void (*done)(void *arg, const struct wh_app_jit_off *o),
                   void *arg, struct wh_error *err)
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

json_t *wh_app_jit_policies_json(const struct wh_app *a)
{
	const struct wh_jit_config *cfg = &a->config->jit;
	struct wh_arena *mem = wh_arena_new();
	json_t *list = json_array();
	for (size_t i = 0; i < cfg->n_policies; i++) {
		struct wh_jit_policy_text t;
		wh_jit_policy_write(&cfg->policies[i], mem, &t);
		json_array_append_new(list,
		                      json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:I, s:s}", "resource", t.resource, "ports", t.ports,
		                                "from", t.from, "who", t.who, "longest",
		                                wh_arena_printf(mem, t.longest_s % 3600 ? "%lldm" : "%lldh",
		                                                (long long)(t.longest_s / (t.longest_s % 3600 ? 60 : 3600))),
		                                "longestSeconds", (json_int_t)t.longest_s, "madeBy",
		                                cfg->policies[i].kept ? "command" : "whittle.yaml"));
	}
	wh_arena_free(mem);
	return json_pack("{s:o}", "policies", list);
}
