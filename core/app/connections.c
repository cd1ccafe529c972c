/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every allowed connection: pair by pair as Azure lists them, and by classes, which stays short in a large estate. */
#include <stdlib.h>
#include <string.h>
#include "app/network.h"
#include "app/overlay.h"
#include "whittle/app_network.h"

enum { MOST_PAIRS = 4000000 };

/* ---- pair by pair ---- */

static uint32_t between(struct wh_app_network *net, const struct wh_host *a, const struct wh_host *b)
{
	uint32_t v = 0;
	for (size_t i = a->first; i < a->first + a->n; i++)
		for (size_t k = b->first; k < b->first + b->n; k++)
			v = wh_reach_union(net->r, v,
			                   wh_reach_pair(net->r, wh_reach_class(net->r, i), wh_reach_class(net->r, k)));
	return v;
}

static json_t *connected(struct wh_app_network *net, const char *id, uint32_t verdict)
{
	struct wh_reach_ports p = wh_reach_ports(net->r, verdict);
	json_t *o = json_pack("{s:s}", "connectedResourceId", id);
	wh_app_put_ports(o, &p, net->mem);
	return o;
}

/* One pair, with what was observed and is recommended where that is asked for. */
static json_t *pair(struct wh_app_network *net, const struct wh_overlay *x, size_t from, size_t to, size_t named,
                    uint32_t verdict)
{
	json_t *o = connected(net, net->t.hosts[named].id, verdict);
	if (x) {
		struct wh_reach_ports p = wh_reach_ports(net->r, verdict);
		wh_overlay_put(x, &net->t, o, from, to, &p);
	}
	return o;
}

static void internal(struct wh_app_network *net, const struct wh_overlay *x, json_t *list)
{
	const struct wh_topology *t = &net->t;
	wh_reach_classes(net->r);
	for (size_t i = 0; i < t->n_hosts; i++) {
		json_t *in = json_array(), *out = json_array();
		for (size_t k = 0; k < t->n_hosts; k++) {
			uint32_t from = k == i ? 0 : between(net, &t->hosts[k], &t->hosts[i]),
				 to = k == i ? 0 : between(net, &t->hosts[i], &t->hosts[k]);
			if (from)
				json_array_append_new(in, pair(net, x, k, i, k, from));
			if (to)
				json_array_append_new(out, pair(net, x, i, k, k, to));
		}
		json_array_append_new(list,
		                      json_pack("{s:s, s:s?, s:o, s:o}", "id", t->hosts[i].id, "unscanned", t->hosts[i].unscanned,
		                                "inboundConnectedResources", in, "outboundConnectedResources", out));
	}
}

/* Addresses of the Internet with the same ports, over all addresses of a host; whole: some address of the host has no others. */
struct outside_group { uint32_t verdict; struct wh_ranges peers; bool whole; };

static size_t group_outside(struct wh_app_network *net, const struct wh_host *h, enum wh_direction d, struct outside_group **out)
{
	size_t n = 0, room = 0;
	*out = NULL;
	for (size_t i = h->first; i < h->first + h->n; i++) {
		struct wh_reach_outside *pieces;
		size_t many = wh_reach_internet(net->r, i, d, &pieces);
		for (size_t k = 0, at; k < many; k++) {
			for (at = 0; at < n && (*out)[at].verdict != pieces[k].verdict;)
				at++;
			if (!pieces[k].verdict)
				continue;
			if (at == n) {
				*out = wh_arena_grown(net->mem, *out, n, &room, sizeof **out);
				(*out)[n++] = (struct outside_group){.verdict = pieces[k].verdict};
			}
			(*out)[at].peers = wh_ranges_union((*out)[at].peers, pieces[k].peers, net->mem);
			(*out)[at].whole |= many == 1;
		}
	}
	return n;
}

/* The Internet as one resource; where some of its addresses alone are let through, they are listed. */
static void add_outside(struct wh_app_network *net, json_t *list, const struct wh_host *h, enum wh_direction d)
{
	char buf[WH_PREFIX_STRLEN];
	struct outside_group *groups;
	size_t n = group_outside(net, h, d, &groups);
	for (size_t i = 0; i < n; i++) {
		json_t *o = connected(net, "Internet", groups[i].verdict), *prefixes = json_array();
		struct wh_prefix *p;
		size_t many;
		wh_ranges_to_prefixes(groups[i].peers, net->mem, &p, &many);
		for (size_t j = 0; !groups[i].whole && j < many && j < 1000; j++)
			json_array_append_new(prefixes, json_string(wh_prefix_text(&p[j], buf)));
		if (json_array_size(prefixes))
			json_object_set(o, "addresses", prefixes);
		json_decref(prefixes);
		json_array_append_new(list, o);
	}
}

static void outside(struct wh_app_network *net, json_t *list)
{
	const struct wh_topology *t = &net->t;
	for (size_t i = 0; i < t->n_hosts; i++) {
		json_t *in = json_array(), *out = json_array();
		add_outside(net, in, &t->hosts[i], WH_INBOUND);
		add_outside(net, out, &t->hosts[i], WH_OUTBOUND);
		json_array_append_new(list,
		                      json_pack("{s:s, s:s?, s:o, s:o}", "id", t->hosts[i].id, "unscanned", t->hosts[i].unscanned,
		                                "inboundConnectedResources", in, "outboundConnectedResources", out));
	}
}

int wh_app_connections(struct wh_app_network *net, const struct wh_app_connections *ask, json_t **out, struct wh_error *err)
{
	json_t *list = json_array();
	struct wh_overlay x;
	bool external = ask->external;
	if (!external && net->t.n_hosts * net->t.n_hosts > MOST_PAIRS) {
		json_decref(list);
		return wh_fail_input(
			err, -E2BIG,
			"%zu resources make too many pairs to list one by one: use --compact, which lists classes of them",
			net->t.n_hosts);
	}
	int rc = ask->overlay && !external ? wh_overlay_open(ask->overlay, &net->t, net->mem, &x, err) : 0;
	if (!rc && external)
		outside(net, list);
	else if (!rc)
		internal(net, ask->overlay ? &x : NULL, list);
	if (ask->overlay && !external)
		wh_overlay_close(&x);
	if (rc) {
		json_decref(list);
		return rc;
	}
	*out = json_pack("{s:s, s:o}", "name", external ? "External" : "Internal", "connectableResources", list);
	return *out ? 0 : wh_fail(err, -ENOMEM, "out of memory");
}

/* ---- by classes ---- */

json_t *wh_app_class_json(struct wh_app_network *net, size_t class)
{
	const size_t *members;
	size_t n = wh_reach_members(net->r, class, &members);
	json_t *list = json_array();
	char buf[WH_ADDR_STRLEN];
	for (size_t i = 0; i < n; i++) {
		const struct wh_endpoint *e = &net->t.endpoints[members[i]];
		json_array_append_new(
			list, json_pack("{s:s, s:s}", "id", net->t.hosts[e->host].id, "address", wh_addr_text(&e->addr, buf)));
	}
	return json_pack("{s:I, s:o}", "class", (json_int_t)class, "resources", list);
}

/* The classes that reach one with the same ports, as "0-3,7". */
struct group { uint32_t verdict; char *text; size_t len, room, first, last; }; /* its text is used again for the next class */
struct listing {
	struct wh_app_network *net;
	json_t *connections, *sets;
	struct group *groups; size_t n, n_ever, room;
	uint32_t *place; size_t n_place; /* by verdict: the group at hand + 1 */
	uint32_t *number;                /* by verdict: its place in `sets` + 1 */
};

static void make_room(struct listing *l, uint32_t verdict)
{
	size_t room = l->n_place ? l->n_place : 64;
	if (verdict < l->n_place)
		return;
	while (room <= verdict)
		room *= 2;
	uint32_t *place = wh_arena_array(l->net->mem, room, sizeof *place),
		 *number = wh_arena_array(l->net->mem, room, sizeof *number);
	if (l->n_place) {
		memcpy(place, l->place, l->n_place * sizeof *place);
		memcpy(number, l->number, l->n_place * sizeof *number);
	}
	l->place = place, l->number = number, l->n_place = room;
}

static void put_range(const struct listing *l, struct group *g)
{
	enum { LONGEST = 48 };
	if (g->len + LONGEST > g->room) {
		char *more = wh_arena_unset(l->net->mem, g->room = g->room ? 2 * g->room : 2 * LONGEST, 1);
		if (g->len)
			memcpy(more, g->text, g->len);
		g->text = more;
	}
	g->len += (size_t)snprintf(g->text + g->len, g->room - g->len, g->first == g->last ? "%s%zu" : "%s%zu-%zu",
	                           g->len ? "," : "", g->first, g->last);
}

static void add_member(struct listing *l, uint32_t verdict, size_t from)
{
	make_room(l, verdict);
	if (!l->place[verdict]) {
		if (l->n == l->n_ever) {
			l->groups = wh_arena_grown(l->net->mem, l->groups, l->n, &l->room, sizeof *l->groups);
			l->groups[l->n_ever++] = (struct group){0};
		}
		struct group *g = &l->groups[l->n];
		g->verdict = verdict, g->len = 0, g->first = g->last = from;
		l->place[verdict] = (uint32_t)++l->n;
		return;
	}
	struct group *g = &l->groups[l->place[verdict] - 1];
	if (g->last + 1 != from) {
		put_range(l, g);
		g->first = from;
	}
	g->last = from;
}

static void finish(struct listing *l, size_t to)
{
	for (size_t i = 0; i < l->n; i++) {
		struct group *g = &l->groups[i];
		put_range(l, g);
		l->place[g->verdict] = 0;
		if (!l->number[g->verdict]) {
			struct wh_reach_ports p = wh_reach_ports(l->net->r, g->verdict);
			json_t *o = json_object();
			wh_app_put_ports(o, &p, l->net->mem);
			json_array_append_new(l->sets, o);
			l->number[g->verdict] = (uint32_t)json_array_size(l->sets);
		}
		json_array_append_new(l->connections, json_pack("{s:I, s:s, s:I}", "to", (json_int_t)to, "from", g->text, "ports",
		                                                (json_int_t)l->number[g->verdict] - 1));
	}
	l->n = 0;
}

int wh_app_connections_compact(struct wh_app_network *net, json_t **out, struct wh_error *err)
{
	struct listing l = {.net = net, .connections = json_array(), .sets = json_array()};
	size_t n = wh_reach_classes(net->r);
	const size_t *members;
	json_t *classes = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(classes, wh_app_class_json(net, i));
	for (size_t to = 0; to < n; to++) {
		bool alone = wh_reach_members(net->r, to, &members) < 2;
		for (size_t from = 0; from < n; from++) {
			uint32_t v = from == to && alone ? 0 : wh_reach_pair(net->r, from, to);
			if (v)
				add_member(&l, v, from);
		}
		finish(&l, to);
	}
	*out = json_pack("{s:o, s:o, s:o}", "classes", classes, "ports", l.sets, "connections", l.connections);
	return *out ? 0 : wh_fail(err, -ENOMEM, "out of memory");
}
