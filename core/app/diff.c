/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connections that a change opens and closes: between two estates, or of the ledger's estate with other groups, or with those
 * that are recommended. */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "app/network.h"
#include "base/heap.h"
#include "whittle/app_network.h"
#include "whittle/app_rules.h"
#include "whittle/state.h"

struct side { struct wh_inventory given, whole; struct wh_topology t; }; /* given: as read; whole: as compared */

static bool has_machines(const struct wh_inventory *inv)
{
	static const char *const types[] = {"microsoft.compute/virtualmachines", "microsoft.network/networkinterfaces"};
	const struct wh_item **list;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (wh_inventory_of_type(inv, types[i], &list))
			return true;
	return false;
}

static int read_proposed(const struct wh_app *a, struct wh_arena *mem, struct wh_inventory *out, struct wh_error *err)
{
	struct wh_app_export ask = {.format = "nsg"};
	char *text, *notes;
	*out = (struct wh_inventory){.mem = mem};
	int rc = wh_app_export(a, &ask, &text, &notes, err);
	free(notes);
	if (rc) {
		free(text);
		return rc;
	}
	rc = wh_inventory_add(out, "the recommendation", text, strlen(text), err);
	wh_inventory_join(out);
	return rc;
}

static int load_base(const struct wh_app *a, struct wh_arena *mem, struct wh_inventory *out, struct wh_error *err)
{
	struct wh_ledger l;
	int rc = wh_ledger_open(a->store_url, WH_STATE_READ, &l, err);
	rc = rc ? rc : wh_inventory_load(l.state, mem, out, err);
	wh_ledger_close(&l);
	return rc;
}

/* ---- as a document ---- */

struct part { struct wh_ranges tcp, udp; bool icmp, other; };

static struct part minus(const struct wh_reach_ports *x, const struct wh_reach_ports *y, struct wh_arena *mem)
{
	return (struct part){wh_ranges_minus(wh_ranges_minus(x->tcp, y->tcp, mem), y->tcp_unknown, mem),
	                     wh_ranges_minus(wh_ranges_minus(x->udp, y->udp, mem), y->udp_unknown, mem),
	                     x->icmp && !y->icmp && !y->icmp_unknown, x->other && !y->other && !y->other_unknown};
}

/* The part that is undecided after the change, but not before. */
static struct part doubtful(const struct wh_reach_change *c, struct wh_arena *mem)
{
	return (struct part){wh_ranges_minus(c->after.tcp_unknown, c->before.tcp_unknown, mem),
	                     wh_ranges_minus(c->after.udp_unknown, c->before.udp_unknown, mem),
	                     c->after.icmp_unknown && !c->before.icmp_unknown,
	                     c->after.other_unknown && !c->before.other_unknown};
}

static json_t *ids(const char **list, size_t n)
{
	json_t *out = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(out, json_string(list[i]));
	if (!n)
		json_array_append_new(out, json_string("Internet"));
	return out;
}

/* Entries of one list. Addresses of the Internet that differ alike are one entry, whatever was allowed before. */
struct entry { const struct wh_reach_change *c; struct part p; struct wh_ranges outside; const char *missing; };
struct listing { struct entry *e; size_t n, room; struct wh_arena *mem; };

static bool same_names(const char **a, size_t n, const char **b, size_t m)
{
	for (size_t i = 0; i < n && n == m; i++)
		if (strcmp(a[i], b[i]))
			return false;
	return n == m;
}

static void put(struct listing *l, const struct wh_reach_change *c, struct part p, const char *missing)
{
	if (!p.tcp.n && !p.udp.n && !p.icmp && !p.other)
		return;
	for (size_t i = 0; i < l->n && c->outside.n; i++) {
		struct entry *e = &l->e[i];
		if (!e->outside.n || !wh_ranges_eq(e->p.tcp, p.tcp) || !wh_ranges_eq(e->p.udp, p.udp) || e->p.icmp != p.icmp ||
		    e->p.other != p.other || strcmp(e->missing ? e->missing : "", missing ? missing : "") ||
		    !same_names(e->c->from, e->c->n_from, c->from, c->n_from) ||
		    !same_names(e->c->to, e->c->n_to, c->to, c->n_to))
			continue;
		e->outside = wh_ranges_union(e->outside, c->outside, l->mem);
		return;
	}
	l->e = wh_arena_grown(l->mem, l->e, l->n, &l->room, sizeof *l->e);
	l->e[l->n++] = (struct entry){c, p, c->outside, missing};
}

/* Whether these are all addresses of the Internet of one family at least. */
static bool is_whole(struct wh_ranges part, struct wh_ranges all, struct wh_arena *mem)
{
	struct wh_ranges rest = wh_ranges_minus(all, part, mem);
	bool v4 = false, v6 = false;
	for (size_t i = 0; i < rest.n; i++) {
		v4 |= wh_addr_is_v4(&rest.r[i].from);
		v6 |= !wh_addr_is_v4(&rest.r[i].from);
	}
	return part.n && (!v4 || !v6);
}

static json_t *list_json(struct listing *l, struct wh_ranges all)
{
	char buf[WH_PREFIX_STRLEN];
	json_t *list = json_array();
	for (size_t i = 0; i < l->n; i++) {
		const struct entry *e = &l->e[i];
		struct wh_prefix *prefixes;
		size_t n = 0;
		json_t *o = json_pack("{s:o, s:o, s:s, s:s, s:b, s:b, s:s*}", "from", ids(e->c->from, e->c->n_from), "to",
		                      ids(e->c->to, e->c->n_to), "tcpPorts", wh_ports_text(e->p.tcp, l->mem), "udpPorts",
		                      wh_ports_text(e->p.udp, l->mem), "icmp", e->p.icmp, "otherProtocols", e->p.other, "missing",
		                      e->missing),
		       *addresses = json_array();
		if (e->outside.n && !is_whole(e->outside, all, l->mem))
			wh_ranges_to_prefixes(e->outside, l->mem, &prefixes, &n);
		for (size_t k = 0; k < n && k < 1000; k++)
			json_array_append_new(addresses, json_string(wh_prefix_text(&prefixes[k], buf)));
		if (n)
			json_object_set(o, "addresses", addresses);
		json_decref(addresses);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *document(const struct wh_reach_change *c, size_t n, struct wh_ranges all, struct wh_arena *mem)
{
	struct listing opened = {.mem = mem}, closed = opened, undecided = opened;
	for (size_t i = 0; i < n; i++) {
		put(&opened, &c[i], minus(&c[i].after, &c[i].before, mem), NULL);
		put(&closed, &c[i], minus(&c[i].before, &c[i].after, mem), NULL);
		put(&undecided, &c[i], doubtful(&c[i], mem), c[i].after.missing);
	}
	return json_pack("{s:o, s:o, s:o}", "opened", list_json(&opened, all), "closed", list_json(&closed, all), "undecided",
	                 list_json(&undecided, all));
}

/* ---- the estates to compare ---- */

static bool has_groups_alone(const struct wh_inventory *inv)
{
	const struct wh_item **list;
	return !inv->service.n && wh_inventory_of_type(inv, "microsoft.network/networksecuritygroups", &list) == inv->n;
}

/* The ledger's model with the groups of both sides. 1: it is not the way. */
static int compare_groups(const struct wh_app *a, struct side s[2], struct wh_topology *base, struct wh_inventory *none,
                          struct wh_arena *mem, struct wh_error *err)
{
	struct wh_ledger l;
	struct wh_topology over;
	if (!has_groups_alone(&s[0].given) || !has_groups_alone(&s[1].given))
		return 1;
	int rc = wh_ledger_open(a->store_url, WH_STATE_READ, &l, err);
	rc = rc ? rc : wh_topology_load(l.state, none, mem, base, err);
	wh_ledger_close(&l);
	for (int i = 0; i < 2 && !rc; i++) {
		rc = wh_topology_build(&s[i].given, mem, &over, err);
		rc = rc ? rc : !wh_topology_with(base, &over, mem, &s[i].t);
		wh_topology_free(&over);
	}
	return rc;
}

static int compare_all(const struct wh_app *a, struct side s[2], bool over, struct wh_inventory *base, struct wh_arena *mem,
                       struct wh_error *err)
{
	int rc = over ? load_base(a, mem, base, err) : 0;
	for (int i = 0; i < 2 && !rc; i++) {
		const struct wh_inventory none = {.mem = mem};
		wh_inventory_overlay(over ? base : &s[i].given, over ? &s[i].given : &none, mem, &s[i].whole);
		rc = wh_topology_build(&s[i].whole, mem, &s[i].t, err);
	}
	return rc;
}

int wh_app_diff(const struct wh_app *a, const struct wh_app_diff *ask, json_t **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_inventory base = {.mem = mem}, none = {.mem = mem};
	struct wh_topology whole = {.mem = mem};
	struct side s[2] = {{.given = {.mem = mem}, .whole = {.mem = mem}}, {.given = {.mem = mem}, .whole = {.mem = mem}}};
	struct wh_reach *r[2] = {NULL, NULL};
	struct wh_reach_change *changes;
	bool over;
	wh_heap_in_large_pages(WH_APP_ESTATE_HEAP);
	int rc = ask->before ? wh_inventory_read(&ask->before, 1, mem, &s[0].given, err) : 0;
	rc = rc              ? rc
	     : ask->proposed ? read_proposed(a, mem, &s[1].given, err)
	                     : wh_inventory_read(&ask->after, 1, mem, &s[1].given, err);
	over = !ask->before || (!has_machines(&s[0].given) && !has_machines(&s[1].given));
	rc = rc ? rc : over ? compare_groups(a, s, &whole, &none, mem, err) : 1;
	rc = rc == 1 ? compare_all(a, s, over, &base, mem, err) : rc;
	*out = NULL;
	if (!rc) {
		wh_reach_two(&s[0].t, &s[1].t, mem, r);
		size_t n = wh_reach_diff(r[0], r[1], mem, &changes);
		*out = document(changes, n, wh_reach_outside_ranges(r[0]), mem);
		rc = *out ? 0 : wh_fail(err, -ENOMEM, "out of memory");
	}
	for (int i = 0; i < 2; i++) {
		wh_reach_free(r[i]);
		wh_topology_free(&s[i].t);
		wh_inventory_free(&s[i].whole);
		wh_inventory_free(&s[i].given);
	}
	wh_inventory_free(&base);
	wh_inventory_free(&none);
	wh_arena_free(mem);
	return rc;
}
