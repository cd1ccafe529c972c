/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model of a network as bytes. Each struct has one function, which writes its members or reads them, so that both agree;
 * lists come with their lengths, places in lists are checked against these, and texts end with a zero byte, so that the model
 * points into the bytes. The bytes are untrusted: a model that was read is as safe to follow as one that was built, though its
 * values may be in no document.
 */
#include <stdlib.h>
#include "estate/image.h"
#include "whittle/state.h"

enum { VERSION = 11 };
static const char magic[8] = "whtopol";

static void admin_rule(struct io *x, struct wh_admin_rule *a)
{
	wh_io_name(x, &a->id);
	wh_io_name(x, &a->name);
	NUMBER(x, a->priority, 4, INT32_MAX);
	NUMBER(x, a->access, 1, WH_ADMIN_DENY);
	wh_io_rule(x, &a->rule);
	wh_io_places(x, &a->vnets, &a->n_vnets, x->t->n_vnets);
	wh_io_text(x, &a->unsure);
}

/* ---- networks ---- */

static void vnet(struct io *x, struct wh_vnet *v)
{
	wh_io_name(x, &v->id);
	wh_io_name(x, &v->name);
	wh_io_name(x, &v->location);
	wh_io_prefixes(x, &v->space, &v->n_space);
	FLAG(x, v->gateway);
	FLAG(x, v->aws);
	wh_io_place(x, &v->edge, x->t->n_route_tables, 1);
	wh_io_place(x, &v->hub_table, x->t->n_hub_tables, 2);
	FLAG(x, v->hub_default);
	NUMBER(x, v->hub, 4, UINT32_MAX);
	wh_io_tags(x, &v->tags, &v->n_tags);
	LIST(x, v->peerings, v->n_peerings, 20);
	for (size_t i = 0; i < v->n_peerings; i++) {
		struct wh_peering *p = &v->peerings[i];
		wh_io_text(x, &p->name);
		wh_io_text(x, &p->remote_id);
		wh_io_place(x, &p->remote, x->t->n_vnets, 1);
		wh_io_prefixes(x, &p->space, &p->n);
		FLAG(x, p->connected);
		FLAG(x, p->access);
		FLAG(x, p->forwarded);
		FLAG(x, p->gateway_transit);
		FLAG(x, p->remote_gateways);
	}
}

static void subnet(struct io *x, struct wh_subnet *s)
{
	wh_io_name(x, &s->id);
	wh_io_name(x, &s->name);
	wh_io_place(x, &s->vnet, x->t->n_vnets, 1);
	wh_io_place(x, &s->nsg, x->t->n_nsgs, 1 + x->t->n_missing);
	wh_io_place(x, &s->route_table, x->t->n_route_tables, 1);
	wh_io_prefixes(x, &s->prefixes, &s->n);
	FLAG(x, s->way_out);
	FLAG(x, s->guards_private_endpoints);
	NUMBER(x, s->blocked, 1, WH_BLOCKED_BOTH);
}

static void route_table(struct io *x, struct wh_route_table *r)
{
	wh_io_name(x, &r->id);
	wh_io_name(x, &r->name);
	LIST(x, r->routes, r->n, 38);
	for (size_t i = 0; i < r->n; i++) {
		wh_io_name(x, &r->routes[i].name);
		wh_io_prefix(x, &r->routes[i].prefix);
		NUMBER(x, r->routes[i].hop, 1, WH_HOP_NONE);
		wh_io_text(x, &r->routes[i].appliance);
		wh_io_place(x, &r->routes[i].via, x->t->n_route_tables, 1);
		wh_io_place(x, &r->routes[i].nat_subnet, x->t->n_subnets, 1);
		wh_io_place(x, &r->routes[i].firewall, x->t->n_firewalls, 1);
	}
	FLAG(x, r->own_only);
	FLAG(x, r->closed);
	wh_io_text(x, &r->unsure);
}

static void public_ip(struct io *x, struct wh_public_ip *p)
{
	wh_io_name(x, &p->id);
	wh_io_name(x, &p->name);
	wh_io_address(x, &p->addr);
	FLAG(x, p->known);
	FLAG(x, p->standard);
	wh_io_place(x, &p->endpoint, x->t->n_endpoints, 1);
}

static void asg(struct io *x, struct wh_asg *g)
{
	wh_io_name(x, &g->id);
	wh_io_name(x, &g->name);
	wh_io_places(x, &g->endpoints, &g->n, x->t->n_endpoints);
}

static void appliance(struct io *x, struct wh_appliance *a)
{
	wh_io_name(x, &a->id);
	wh_io_name(x, &a->name);
	wh_io_name(x, &a->kind);
	wh_io_place(x, &a->vnet, x->t->n_vnets, 1);
	wh_io_address(x, &a->addr);
	FLAG(x, a->has_addr);
	FLAG(x, a->internet);
}

static void firewall(struct io *x, struct wh_firewall *f)
{
	wh_io_name(x, &f->id);
	wh_io_name(x, &f->name);
	wh_io_place(x, &f->subnet, x->t->n_subnets, 1);
	NUMBER(x, f->hub, 4, UINT32_MAX);
	wh_io_address(x, &f->addr);
	FLAG(x, f->has_addr);
	FLAG(x, f->internet);
	LIST(x, f->rules, f->n_rules, WH_RULE_RECORD);
	for (size_t i = 0; i < f->n_rules; i++)
		wh_io_rule(x, &f->rules[i]);
	wh_io_text(x, &f->unsure);
	wh_io_text(x, &f->drops);
	wh_io_prefixes(x, &f->kept, &f->n_kept);
}

/* ---- machines ---- */

static void nic(struct io *x, struct wh_nic *n)
{
	wh_io_name(x, &n->id);
	wh_io_name(x, &n->name);
	wh_io_place(x, &n->host, x->t->n_hosts, 1);
	wh_io_place(x, &n->nsg, x->t->n_nsgs, 1 + x->t->n_missing);
	FLAG(x, n->forwards);
}

static void host(struct io *x, struct wh_host *h)
{
	wh_io_name(x, &h->id);
	wh_io_name(x, &h->name);
	wh_io_name(x, &h->location);
	wh_io_name(x, &h->key);
	NUMBER(x, h->kind, 1, WH_HOST_SET);
	wh_io_text(x, &h->unscanned);
	wh_io_tags(x, &h->tags, &h->n_tags);
	NUMBER(x, h->first, 4, x->t->n_endpoints);
	NUMBER(x, h->n, 4, x->t->n_endpoints);
	x->in.failed |= h->first + h->n > x->t->n_endpoints;
}

static void exposure(struct io *x, struct wh_exposure *p)
{
	NUMBER(x, p->proto, 1, 255);
	NUMBER(x, p->ports.from, 2, 65535);
	NUMBER(x, p->ports.to, 2, 65535);
	FLAG(x, p->standard);
	wh_io_name(x, &p->by);
	FLAG(x, p->floats);
	if (p->floats)
		wh_io_address(x, &p->front);
	FLAG(x, p->translated);
	if (p->translated)
		wh_io_address(x, &p->peer);
	FLAG(x, p->everybody);
	FLAG(x, p->others);
	wh_io_prefixes(x, &p->sources, &p->n_sources);
}

static void endpoint(struct io *x, struct wh_endpoint *e)
{
	wh_io_address(x, &e->addr);
	wh_io_place(x, &e->host, x->t->n_hosts, 0);
	wh_io_place(x, &e->nic, x->t->n_nics, 0);
	wh_io_place(x, &e->subnet, x->t->n_subnets, 1);
	wh_io_place(x, &e->public_ip, x->t->n_public_ips, 2);
	FLAG(x, e->unrouted);
	FLAG(x, e->in_pool);
	LIST(x, e->exposures, e->n_exposures, 10);
	for (size_t i = 0; i < e->n_exposures; i++)
		exposure(x, &e->exposures[i]);
}

/* ---- all ---- */

static void service_tags(struct io *x, struct wh_service_tags *s)
{
	wh_io_text(x, &s->change);
	LIST(x, s->list, s->n, 9);
	for (size_t i = 0; i < s->n; i++) {
		wh_io_name(x, &s->list[i].name);
		wh_io_prefixes(x, &s->list[i].prefixes, &s->list[i].n);
	}
}

/* The length of one of the model's lists. All lists together take no more than the bytes that are left can fill. */
static void length(struct io *x, void *list_pointer, size_t *n, size_t size, size_t *left)
{
	enum { LEAST = 12 };
	struct wh_taking before = x->in;
	if (!x->out && wh_take_count(&before, LEAST, MOST) > *left / LEAST)
		x->in.failed = true;
	wh_io_list(x, list_pointer, n, size, LEAST);
	*left -= x->out ? 0 : *n * LEAST;
}

/* The lengths come first, since earlier parts refer to later ones. */
static void lengths(struct io *x)
{
	struct wh_topology *t = x->t;
	size_t left = x->in.n;
#define LENGTH(p, n) length(x, &(p), &(n), sizeof *(p), &left)
	LENGTH(t->vnets, t->n_vnets);
	LENGTH(t->subnets, t->n_subnets);
	LENGTH(t->nsgs, t->n_nsgs);
	LENGTH(t->missing, t->n_missing);
	LENGTH(t->route_tables, t->n_route_tables);
	LENGTH(t->hub_tables, t->n_hub_tables);
	LENGTH(t->asgs, t->n_asgs);
	LENGTH(t->public_ips, t->n_public_ips);
	LENGTH(t->nics, t->n_nics);
	LENGTH(t->hosts, t->n_hosts);
	LENGTH(t->endpoints, t->n_endpoints);
	LENGTH(t->appliances, t->n_appliances);
	LENGTH(t->firewalls, t->n_firewalls);
	LENGTH(t->admin, t->n_admin);
#undef LENGTH
}

/* The endpoints in order of address, which takes longer to sort than to read. Whoever wrote it: each stands behind the one
 * before. */
static void by_address(struct io *x)
{
	struct wh_topology *t = x->t;
	size_t n = t->n_endpoints;
	wh_io_places(x, &t->by_addr, &n, t->n_endpoints);
	x->in.failed |= n != t->n_endpoints;
	for (size_t i = 1; !x->out && !x->in.failed && i < n; i++) {
		size_t a = t->by_addr[i - 1], b = t->by_addr[i];
		int c = wh_addr_cmp(&t->endpoints[a].addr, &t->endpoints[b].addr);
		x->in.failed |= c > 0 || (!c && a >= b);
	}
}

static void all(struct io *x)
{
	struct wh_topology *t = x->t;
	lengths(x);
#define EACH(elements, n, function) \
	for (size_t i = 0; i < (n) && !x->in.failed; i++) \
		function(x, &(elements)[i])
	EACH(t->vnets, t->n_vnets, vnet);
	EACH(t->subnets, t->n_subnets, subnet);
	if (!x->out)
		wh_io_begin_groups(x);
	EACH(t->nsgs, t->n_nsgs, wh_io_group);
	if (!x->out)
		wh_io_end_groups(x);
	EACH(t->missing, t->n_missing, wh_io_name);
	EACH(t->route_tables, t->n_route_tables, route_table);
	EACH(t->hub_tables, t->n_hub_tables, route_table);
	EACH(t->asgs, t->n_asgs, asg);
	EACH(t->public_ips, t->n_public_ips, public_ip);
	EACH(t->nics, t->n_nics, nic);
	EACH(t->hosts, t->n_hosts, host);
	EACH(t->endpoints, t->n_endpoints, endpoint);
	EACH(t->appliances, t->n_appliances, appliance);
	EACH(t->firewalls, t->n_firewalls, firewall);
	EACH(t->admin, t->n_admin, admin_rule);
#undef EACH
	wh_io_prefixes(x, &t->on_premises, &t->n_on_premises);
	service_tags(x, &t->service);
	by_address(x);
	wh_io_names(x, &t->inventory->notes, &t->inventory->n_notes);
	if (!x->out)
		t->inventory->room_notes = t->inventory->n_notes;
}

int wh_topology_write(const struct wh_topology *t, uint8_t **out, size_t *len)
{
	struct wh_topology copy = *t; /* not changed where it is written */
	struct wh_bytes b = {0}, rest = {0};
	struct io x = {.out = &rest, .t = &copy};
	struct wh_arena *mem = wh_arena_new();
	wh_io_begin_pools(&x, mem);
	for (size_t i = 0; i < t->n_nsgs; i++)
		wh_topology_group(t, i);
	copy.service = wh_used_tags_of(t);
	all(&x);
	free(copy.service.list);
	wh_put(&b, magic, sizeof magic);
	wh_put_number(&b, VERSION, 4);
	wh_io_put_pools(&x, &b);
	wh_put(&b, rest.p, rest.n);
	b.failed |= rest.failed;
	free(rest.p);
	wh_arena_free(mem);
	*out = b.p;
	*len = b.n;
	if (!b.failed)
		return 0;
	free(b.p);
	*out = NULL;
	return -ENOMEM;
}

int wh_topology_read(const uint8_t *bytes, size_t len, struct wh_inventory *none, struct wh_arena *mem, struct wh_topology *out)
{
	struct io x = {.in = {bytes, len, false}, .mem = mem, .t = out};
	const uint8_t *head = wh_take(&x.in, sizeof magic);
	*out = (struct wh_topology){.inventory = none, .mem = mem};
	*none = (struct wh_inventory){.mem = mem};
	if (!head || memcmp(head, magic, sizeof magic) || wh_take_number(&x.in, 4, 0, UINT32_MAX) != VERSION)
		return -EBADMSG;
	wh_io_take_pools(&x);
	if (!x.in.failed)
		all(&x);
	if (x.in.failed || x.in.n) {
		*none = (struct wh_inventory){.mem = mem};
		*out = (struct wh_topology){.inventory = none, .mem = mem};
		return -EBADMSG;
	}
	return 0;
}

int wh_topology_load(struct wh_state *s, struct wh_inventory *none, struct wh_arena *mem, struct wh_topology *out,
                     struct wh_error *err)
{
	uint8_t *bytes;
	size_t len;
	int rc = wh_state_get_bytes(s, WH_TOPOLOGY_IMAGE, &bytes, &len, err);
	*out = (struct wh_topology){.inventory = none, .mem = mem};
	*none = (struct wh_inventory){.mem = mem};
	if (rc || !bytes)
		return rc ? rc : 1;
	rc = wh_topology_read(bytes, len, none, mem, out) ? 1 : 0;
	none->documents = wh_arena_array(mem, 1, sizeof *none->documents); /* the model points into them */
	none->documents[none->n_documents++] = (struct wh_document){.file = "", .text = (char *)bytes, .len = len};
	return rc;
}
