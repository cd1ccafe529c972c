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

/* The ports of each verdict as members of an object: there are few verdicts, and a million pairs. */
struct worded { json_t **of; size_t n; };

static json_t *ports_of(struct wh_app_network *net, struct worded *w, uint32_t verdict)
{
	if (verdict >= w->n) {
		size_t n = 2 * (size_t)verdict + 64;
		json_t **more = wh_arena_array(net->mem, n, sizeof *more);
		if (w->n)
			memcpy(more, w->of, w->n * sizeof *more);
		*w = (struct worded){more, n};
	}
	if (!w->of[verdict]) {
		struct wh_reach_ports p = wh_reach_ports(net->r, verdict);
		wh_app_put_ports(w->of[verdict] = json_object(), &p, net->mem);
	}
	return w->of[verdict];
}

static void free_words(struct worded *w)
{
	for (size_t i = 0; i < w->n; i++)
		json_decref(w->of[i]);
}

static json_t *connected(struct wh_app_network *net, struct worded *w, const char *id, uint32_t verdict)
{
	json_t *o = json_object();
	json_object_set_new_nocheck(o, "connectedResourceId", json_string(id));
	json_object_update(o, ports_of(net, w, verdict));
	return o;
}

/* Receives the resources one by one; and their data. */
struct taker {
	void (*each)(void *arg, json_t *resource);
	void *arg;
	struct wh_app_network *net;
	const struct wh_overlay *overlay; /* NULL: none */
	struct worded words;
};

/* One pair, with its observed and recommended ports if requested. */
static json_t *pair(struct taker *taker, size_t from, size_t to, size_t named, uint32_t verdict)
{
	struct wh_app_network *net = taker->net;
	const struct wh_overlay *x = taker->overlay;
	json_t *o = connected(net, &taker->words, net->t.hosts[named].id, verdict);
	if (x) {
		struct wh_reach_ports p = wh_reach_ports(net->r, verdict);
		wh_overlay_put(x, &net->t, o, from, to, &p);
	}
	return o;
}

static void hand_out(const struct taker *to, const struct wh_host *h, json_t *in, json_t *out)
{
	to->each(to->arg, json_pack("{s:s, s:s?, s:o, s:o}", "id", h->id, "unscanned", h->unscanned, "inboundConnectedResources",
	                            in, "outboundConnectedResources", out));
}

static void internal(struct taker *taker)
{
	struct wh_app_network *net = taker->net;
	const struct wh_topology *t = &net->t;
	wh_reach_classes(net->r);
	for (size_t i = 0; i < t->n_hosts; i++) {
		json_t *in = json_array(), *out = json_array();
		for (size_t k = 0; k < t->n_hosts; k++) {
			uint32_t from = k == i ? 0 : between(net, &t->hosts[k], &t->hosts[i]),
				 to = k == i ? 0 : between(net, &t->hosts[i], &t->hosts[k]);
			if (from)
				json_array_append_new(in, pair(taker, k, i, k, from));
			if (to)
				json_array_append_new(out, pair(taker, i, k, k, to));
		}
		hand_out(taker, &t->hosts[i], in, out);
	}
}

/* Addresses of the Internet with the same ports, over all addresses of a host; whole: some address of the host has no others. */
struct outside_group { uint32_t verdict; struct wh_ranges *pieces; size_t n, room; bool whole; };

/* The union of the pieces, by halves: adding one after the other would copy the result again and again. */
static struct wh_ranges merged(const struct wh_ranges *pieces, size_t n, struct wh_arena *mem)
{
	return n == 1 ? pieces[0] : wh_ranges_union(merged(pieces, n / 2, mem), merged(pieces + n / 2, n - n / 2, mem), mem);
}

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
			struct outside_group *g = &(*out)[at];
			g->pieces = wh_arena_grown(net->mem, g->pieces, g->n, &g->room, sizeof *g->pieces);
			g->pieces[g->n++] = pieces[k].peers;
			g->whole |= many == 1;
		}
	}
	return n;
}

/* The Internet as one resource; where some of its addresses alone are let through, they are listed. */
static void add_outside(struct taker *taker, json_t *list, const struct wh_host *h, enum wh_direction d)
{
	struct wh_app_network *net = taker->net;
	char buf[WH_PREFIX_STRLEN];
	struct outside_group *groups;
	size_t n = group_outside(net, h, d, &groups);
	for (size_t i = 0; i < n; i++) {
		json_t *o = connected(net, &taker->words, "Internet", groups[i].verdict), *prefixes = json_array();
		struct wh_prefix *p;
		size_t many = 0;
		if (!groups[i].whole)
			wh_ranges_to_prefixes(merged(groups[i].pieces, groups[i].n, net->mem), net->mem, &p, &many);
		for (size_t j = 0; j < many && j < 1000; j++)
			json_array_append_new(prefixes, json_string(wh_prefix_text(&p[j], buf)));
		if (json_array_size(prefixes))
			json_object_set(o, "addresses", prefixes);
		json_decref(prefixes);
		json_array_append_new(list, o);
	}
}

/* Customers of Azure, where rules let in more of them than of the Internet. */
static void add_tenants(struct taker *taker, json_t *list, const struct wh_host *h)
{
	struct wh_app_network *net = taker->net;
	const struct wh_strangers *s = h->n && wh_topology_faces_internet(&net->t, h) ? wh_reach_strangers(net->r) : NULL;
	uint32_t internet = 0;
	for (size_t i = 0; s && i < s->n; i++) {
		uint32_t v = 0;
		for (size_t e = h->first; e < h->first + h->n; e++)
			v = wh_reach_union(net->r, v, wh_reach_from_stranger(&s->list[i], e));
		if (!s->list[i].tag)
			internet = v;
		else if (!wh_reach_within(net->r, v, internet))
			json_array_append_new(list, connected(net, &taker->words, s->list[i].tag, v));
	}
}

static void outside(struct taker *taker)
{
	const struct wh_topology *t = &taker->net->t;
	for (size_t i = 0; i < t->n_hosts; i++) {
		json_t *in = json_array(), *out = json_array();
		add_outside(taker, in, &t->hosts[i], WH_INBOUND);
		add_tenants(taker, in, &t->hosts[i]);
		add_outside(taker, out, &t->hosts[i], WH_OUTBOUND);
		hand_out(taker, &t->hosts[i], in, out);
	}
}

int wh_app_connections_each(struct wh_app_network *net, const struct wh_app_connections *ask,
                            void (*each)(void *arg, json_t *resource), void *arg, struct wh_error *err)
{
	const struct wh_app *observed = ask->external ? NULL : ask->overlay;
	struct wh_overlay x;
	struct taker taker = {each, arg, net, observed ? &x : NULL, {NULL, 0}};
	if (!ask->external && net->t.n_hosts * net->t.n_hosts > MOST_PAIRS)
		return wh_fail_input(
			err, -E2BIG,
			"%zu resources make too many pairs to list one by one: use --compact, which lists classes of them",
			net->t.n_hosts);
	int rc = observed ? wh_overlay_open(observed, &net->t, net->mem, &x, err) : 0;
	if (!rc)
		(ask->external ? outside : internal)(&taker);
	if (observed)
		wh_overlay_close(&x);
	free_words(&taker.words);
	return rc;
}

static void append(void *list, json_t *resource)
{
	json_array_append_new(list, resource);
}

int wh_app_connections(struct wh_app_network *net, const struct wh_app_connections *ask, json_t **out, struct wh_error *err)
{
	json_t *list = json_array();
	int rc = wh_app_connections_each(net, ask, append, list, err);
	if (rc) {
		json_decref(list);
		return rc;
	}
	*out = json_pack("{s:s, s:o}", "name", ask->external ? "External" : "Internal", "connectableResources", list);
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
