/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that the rules allow but that seem unwanted: unused ones, those between labels, and exposed machines with a
 * fault. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "app/overlay.h"
#include "whittle/alert.h"
#include "whittle/app_network.h"

struct label { const char *name; const char **values; size_t n; }; /* n 0: any values */
struct wanting {
	struct wh_app_network *net;
	struct wh_overlay x;
	struct label *labels; size_t n_labels;
	json_t *list;
};

/* ---- labels ---- */

static void read_labels(struct wanting *w, const char *text)
{
	struct wh_arena *mem = w->net->mem;
	char *save, *save2, *copy = text ? wh_arena_strdup(mem, text) : NULL;
	size_t room = 0;
	for (char *one = copy ? strtok_r(copy, ",", &save) : NULL; one; one = strtok_r(NULL, ",", &save)) {
		char *values = strchr(one, '=');
		struct label l = {.name = one};
		size_t room_values = 0;
		if (values)
			*values++ = 0;
		for (char *v = values ? strtok_r(values, "|", &save2) : NULL; v; v = strtok_r(NULL, "|", &save2)) {
			l.values = wh_arena_grown(mem, l.values, l.n, &room_values, sizeof *l.values);
			l.values[l.n++] = v;
		}
		w->labels = wh_arena_grown(mem, w->labels, w->n_labels, &room, sizeof *w->labels);
		w->labels[w->n_labels++] = l;
	}
}

static const char *value_of(const struct label *l, const struct wh_host *h)
{
	for (size_t i = 0; i < h->n_tags; i++)
		if (!strcasecmp(h->tags[i].name, l->name)) {
			for (size_t k = 0; k < l->n; k++)
				if (!strcasecmp(l->values[k], h->tags[i].value))
					return l->values[k];
			return l->n ? NULL : h->tags[i].value;
		}
	return NULL;
}

static const struct wh_host *member(const struct wanting *w, const size_t *members, size_t i)
{
	return &w->net->t.hosts[w->net->t.endpoints[members[i]].host];
}

/* The values that a class's members have, each once. */
static size_t values_in(const struct wanting *w, const struct label *l, size_t class, const char **out, size_t most)
{
	const size_t *members;
	size_t n = 0, n_members = wh_reach_members(w->net->r, class, &members);
	for (size_t i = 0; i < n_members && n < most; i++) {
		const char *v = value_of(l, member(w, members, i));
		size_t k = 0;
		while (k < n && v && strcasecmp(out[k], v))
			k++;
		if (v && k == n)
			out[n++] = v;
	}
	return n;
}

/* ---- pairs of classes ---- */

/* The ports that members of one class used of members of another. */
static void used_between(const struct wanting *w, size_t from, size_t to, const char *from_value, const char *to_value,
                         const struct label *l, struct wh_ranges used[2], struct wh_arena *mem)
{
	const size_t *a, *b;
	size_t n = wh_reach_members(w->net->r, from, &a), m = wh_reach_members(w->net->r, to, &b), first;
	used[0] = used[1] = (struct wh_ranges){0};
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < m; k++) {
			const struct wh_host *x = member(w, a, i), *y = member(w, b, k);
			size_t end = wh_overlay_between(&w->x, (size_t)(x - w->net->t.hosts), (size_t)(y - w->net->t.hosts),
			                                &first);
			if (first == end || (l && (value_of(l, x) != from_value || value_of(l, y) != to_value)))
				continue;
			used[0] = wh_ranges_union(used[0], wh_overlay_ports(&w->x, first, end, WH_PROTO_TCP, mem), mem);
			used[1] = wh_ranges_union(used[1], wh_overlay_ports(&w->x, first, end, WH_PROTO_UDP, mem), mem);
		}
}

/* The classes from which one finding comes, as "0-3,7"; its text grows. */
struct group { json_t *o; char *text; size_t last, first; };
struct groups { struct group *g; size_t n, room; struct wanting *w; };

static void end_range(struct groups *all, struct group *g)
{
	const char *sep = *g->text ? "," : "";
	g->text = g->first == g->last ? wh_arena_printf(all->w->net->mem, "%s%s%zu", g->text, sep, g->first)
	                              : wh_arena_printf(all->w->net->mem, "%s%s%zu-%zu", g->text, sep, g->first, g->last);
}

/* Findings that are the same but for the sender are one. Takes the reference. */
static void put(struct groups *all, size_t from, json_t *o)
{
	size_t i = 0;
	while (i < all->n && !json_equal(all->g[i].o, o))
		i++;
	if (i == all->n) {
		all->g = wh_arena_grown(all->w->net->mem, all->g, all->n, &all->room, sizeof *all->g);
		all->g[all->n++] = (struct group){o, wh_arena_strdup(all->w->net->mem, ""), from, from};
		return;
	}
	json_decref(o);
	struct group *g = &all->g[i];
	if (g->last + 1 != from) {
		end_range(all, g);
		g->first = from;
	}
	g->last = from;
}

static json_t *ports_json(const char *kind, size_t to, struct wh_ranges tcp, struct wh_ranges udp, struct wh_arena *mem)
{
	return json_pack("{s:s, s:I, s:s, s:s}", "kind", kind, "to", (json_int_t)to, "tcpPorts", wh_ports_text(tcp, mem),
	                 "udpPorts", wh_ports_text(udp, mem));
}

static void put_labels(struct groups *all, size_t from, size_t to, const struct wh_reach_ports *p, struct wh_arena *mem)
{
	enum { MOST = 16 };
	const char *x[MOST], *y[MOST];
	for (size_t l = 0; l < all->w->n_labels; l++) {
		const struct label *label = &all->w->labels[l];
		size_t n = values_in(all->w, label, from, x, MOST), m = values_in(all->w, label, to, y, MOST);
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < m; k++) {
				struct wh_ranges used[2];
				if (!strcasecmp(x[i], y[k]))
					continue;
				used_between(all->w, from, to, x[i], y[k], label, used, mem);
				json_t *o = ports_json("label", to, p->tcp, p->udp, mem);
				json_object_set_new(o, "label", json_string(label->name));
				json_object_set_new(o, "fromValue", json_string(x[i]));
				json_object_set_new(o, "toValue", json_string(y[k]));
				json_object_set_new(o, "used", json_boolean(used[0].n || used[1].n));
				put(all, from, o);
			}
	}
}

static bool all_heard(const struct wanting *w, size_t class)
{
	const size_t *members;
	size_t n = wh_reach_members(w->net->r, class, &members);
	for (size_t i = 0; i < n; i++)
		if (!w->x.heard[w->net->t.endpoints[members[i]].host])
			return false;
	return true;
}

static void look_at(struct wanting *w, size_t to)
{
	const size_t *members;
	struct groups all = {.w = w};
	struct wh_arena *mem = wh_arena_new();
	bool alone = wh_reach_members(w->net->r, to, &members) < 2, heard = all_heard(w, to);
	size_t n = wh_reach_classes(w->net->r);
	for (size_t from = 0; from < n; from++) {
		uint32_t v = from == to && alone ? 0 : wh_reach_pair(w->net->r, from, to);
		if (!v)
			continue;
		struct wh_reach_ports p = wh_reach_ports(w->net->r, v);
		struct wh_ranges used[2];
		put_labels(&all, from, to, &p, mem);
		used_between(w, from, to, NULL, NULL, NULL, used, mem);
		struct wh_ranges tcp = wh_ranges_minus(p.tcp, used[0], mem), udp = wh_ranges_minus(p.udp, used[1], mem);
		if (heard && (tcp.n || udp.n))
			put(&all, from, ports_json("unused", to, tcp, udp, mem));
		wh_arena_reset(mem);
	}
	for (size_t i = 0; i < all.n; i++) {
		end_range(&all, &all.g[i]);
		json_object_set_new(all.g[i].o, "from", json_string(all.g[i].text));
		json_array_append_new(w->list, all.g[i].o);
	}
	wh_arena_free(mem);
}

/* ---- exposed machines ---- */

/* The ports of a machine that are open to the Internet. */
struct open { struct wh_ranges tcp, udp; };
static struct open exposed(struct wanting *w, size_t host)
{
	const struct wh_host *h = &w->net->t.hosts[host];
	struct open out = {0};
	for (size_t e = h->first; e < h->first + h->n; e++) {
		const struct wh_reach_opened *x = wh_reach_opened(w->net->r, e);
		out.tcp = wh_ranges_union(out.tcp, x->tcp, w->net->mem);
		out.udp = wh_ranges_union(out.udp, x->udp, w->net->mem);
	}
	return out;
}

static void put_exposed(struct wanting *w, const char *kind, size_t host, struct wh_ranges tcp, struct wh_ranges udp,
                        const char *why)
{
	json_array_append_new(w->list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kind", kind, "id", w->net->t.hosts[host].id,
	                                         "from", "Internet", "tcpPorts", wh_ports_text(tcp, w->net->mem), "udpPorts",
	                                         wh_ports_text(udp, w->net->mem), "why", why));
}

static int add_fact(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct wanting *w = arg;
	const char *what = k->direction == WH_INBOUND ? wh_alert_insecure(k) : NULL;
	size_t from, to = wh_topology_at(&w->net->t, &k->local, &from);
	char seen[WH_TIME_STRLEN];
	if (!what || from == to || r->last_us < w->x.from_us)
		return 0;
	size_t host = w->net->t.endpoints[w->net->t.by_addr[from]].host;
	struct open p = exposed(w, host);
	struct wh_port_range one = {k->port, k->port};
	bool tcp = k->proto == WH_PROTO_TCP;
	if (!wh_ports_have(tcp ? p.tcp : p.udp, k->port))
		return 0;
	struct wh_ranges at = wh_ports(&one, 1, w->net->mem), none = {0};
	put_exposed(w, "insecure", host, tcp ? at : none, tcp ? none : at,
	            wh_arena_printf(w->net->mem, "%s was used there (%s, last on %s)", what, k->value,
	                            wh_time_text(r->last_us, seen)));
	return 0;
}

static int add_alerts(struct wanting *w, struct wh_error *err)
{
	json_t *list = NULL, *a, *e;
	size_t i, k, twins;
	int rc = wh_alerts_list(w->x.l.is.state, &list, err);
	json_array_foreach(list, i, a) {
		const char *status = wh_alert_property(a, "status");
		if (strcmp(status, wh_alert_status_words[WH_ALERT_ACTIVE]) &&
		    strcmp(status, wh_alert_status_words[WH_ALERT_IN_PROGRESS]))
			continue;
		json_array_foreach(json_object_get(json_object_get(a, "properties"), "entities"), k, e) {
			const char *id = json_string_value(json_object_get(e, "resourceId"));
			size_t host = id ? wh_topology_host(&w->net->t, id, &twins) : WH_NONE;
			struct open p = {0};
			if (host != WH_NONE)
				p = exposed(w, host);
			if (p.tcp.n || p.udp.n)
				put_exposed(
					w, "alert", host, p.tcp, p.udp,
					wh_arena_printf(w->net->mem, "open alert: %s", wh_alert_property(a, "alertDisplayName")));
		}
	}
	json_decref(list);
	return rc;
}

/* ---- all ---- */

static json_t *classes_json(struct wanting *w)
{
	json_t *out = json_array();
	size_t n = wh_reach_classes(w->net->r);
	for (size_t c = 0; c < n; c++)
		json_array_append_new(out, wh_app_class_json(w->net, c));
	return out;
}

static json_t *unheard_json(const struct wanting *w)
{
	json_t *out = json_array();
	for (size_t h = 0; h < w->net->t.n_hosts; h++)
		if (!w->x.heard[h] && w->net->t.hosts[h].kind <= WH_HOST_INSTANCE)
			json_array_append_new(out, json_string(w->net->t.hosts[h].id));
	return out;
}

int wh_app_unwanted(struct wh_app_network *net, const struct wh_app *a, json_t **out, struct wh_error *err)
{
	struct wanting w = {.net = net, .list = json_array()};
	char from[WH_TIME_STRLEN], until[WH_TIME_STRLEN];
	*out = NULL;
	read_labels(&w, a->config->estate.labels);
	int rc = wh_overlay_open(a, &net->t, net->mem, &w.x, err);
	for (size_t to = 0; !rc && to < wh_reach_classes(net->r); to++)
		look_at(&w, to);
	rc = rc ? rc : wh_store_facts(w.x.l.is.store, WH_FACT_KINDS, add_fact, &w, err);
	rc = rc ? rc : add_alerts(&w, err);
	if (!rc)
		*out = json_pack("{s:s, s:s, s:o, s:O, s:o}", "from", wh_time_text(w.x.from_us, from), "until",
		                 wh_time_text(w.x.to_us, until), "classes", classes_json(&w), "unwanted", w.list, "unheard",
		                 unheard_json(&w));
	json_decref(w.list);
	wh_overlay_close(&w.x);
	return rc ? rc : *out ? 0 : wh_fail(err, -ENOMEM, "out of memory");
}
