/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of this machine as the present policy of the resource that it is, where no group guards that. */
#include <ifaddrs.h>
#include <linux/if.h>
#include <string.h>
#include "app/app.h"
#include "base/socket_addr.h"
#include "whittle/filter.h"
#include "whittle/firewall.h"

/* An interface, and the rules as its packets meet them. */
struct link {
	char name[IFNAMSIZ];
	const struct wh_filter *const *filters[2];
	size_t n[2];
};
struct reading {
	struct wh_arena *mem;
	const struct ifaddrs *list;
	struct link *links; size_t n, room;
	struct wh_nft_published_list published;
	bool legacy;
	struct wh_error err; /* code 0, or why they can't be read */
};

static const struct link *link_of(struct reading *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->links[i].name, name))
			return &r->links[i];
	r->links = wh_arena_grown(r->mem, r->links, r->n, &r->room, sizeof *r->links);
	struct link *l = &r->links[r->n++];
	*l = (struct link){.name = ""};
	snprintf(l->name, sizeof l->name, "%s", name);
	for (int d = 0; d < 2 && !r->err.code; d++) {
		bool legacy = false;
		wh_firewall_present(name, wh_interface_index(r->list, name), (enum wh_direction)d, r->mem, &l->filters[d],
		                    &l->n[d], &legacy, &r->err);
		r->legacy |= legacy;
	}
	return l;
}

static bool was_heard(const struct wh_heard *h, const struct wh_addr *a)
{
	for (size_t i = 0; i < h->n; i++)
		if (wh_addr_eq(&h->addrs[i], a))
			return true;
	return false;
}

/* The interface that has the address, but loopback; NULL: it is none of this machine's. */
static const char *interface_of(const struct ifaddrs *list, const struct wh_addr *a)
{
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		struct wh_addr own;
		if (wh_addr_of_socket(i->ifa_addr, &own) && !(i->ifa_flags & IFF_LOOPBACK) && wh_addr_eq(&own, a))
			return i->ifa_name;
	}
	return NULL;
}

static struct wh_host_published *published(const struct wh_nft_published_list *l, struct wh_arena *mem)
{
	struct wh_host_published *p = wh_arena_array(mem, l->n + 1, sizeof *p);
	for (size_t i = 0; i < l->n; i++)
		p[i] = (struct wh_host_published){l->p[i].proto, {l->p[i].first, l->p[i].last}, {l->p[i].from, l->p[i].until}};
	return p;
}

/* Addresses without learned traffic get no rule (coverage), so they are not evaluated; if all are such, all are
 * evaluated. */
static void read_for(struct reading *r, const struct wh_heard *heard, struct wh_resource *res)
{
	struct wh_host_rules *h = wh_arena_alloc(r->mem, sizeof *h);
	h->at = wh_arena_array(r->mem, res->n_addrs + 1, sizeof *h->at);
	for (int any = 0; any < 2 && !h->n; any++)
		for (size_t i = 0; i < res->n_addrs; i++) {
			const char *interface = interface_of(r->list, &res->addrs[i]);
			if (!interface || (!any && res->n_addrs > 1 && !was_heard(heard, &res->addrs[i])))
				continue;
			const struct link *l = link_of(r, interface);
			h->at[h->n++] = (struct wh_host_end){
				res->addrs[i], {l->filters[0], l->filters[1]}, {l->n[0], l->n[1]}};
		}
	if (r->err.code) {
		res->host_unread = wh_arena_strdup(r->mem, r->err.text);
		return;
	}
	h->published = published(&r->published, r->mem);
	h->n_published = r->published.n;
	wh_host_rules_ready(h, r->mem);
	res->host = h->n ? h : NULL;
}

static void explain(const struct wh_app *a, const struct reading *r, const struct wh_resource *res)
{
	if (res->host_unread)
		wh_app_note(
			a,
			"%s is this machine, but its own rules can't be read (%s): every port is assumed to be open. Run it as root",
			res->name, res->host_unread);
	if (res->host && r->legacy)
		wh_app_note(a, "%s: the table filter of iptables-legacy is not read; what it drops is assumed to be allowed",
		            res->name);
	if (res->host && *r->published.unread)
		wh_app_note(a, "%s: not all ports that this machine translates are known: %s", res->name, r->published.unread);
}

void wh_app_present(const struct wh_app *a, struct wh_app_ledger *l, struct wh_arena *mem)
{
	struct reading r = {.mem = mem};
	struct wh_heard heard = {.n = 0};
	struct ifaddrs *list;
	bool asked = false;
	if (getifaddrs(&list))
		return;
	r.list = list;
	for (size_t i = 0; i < l->estate->n_resources; i++) {
		struct wh_resource *res = &l->estate->resources[i];
		bool here = false;
		for (size_t k = 0; k < res->n_addrs && !here && !res->n_nsgs; k++)
			here = interface_of(list, &res->addrs[k]) != NULL;
		if (!here)
			continue;
		if (!asked && !wh_firewall_ready(&r.err) && !wh_firewall_published(true, mem, &r.published, &r.err))
			r.err.code = 0;
		if (!asked && wh_estate_heard(l->is.store, l->estate, mem, &heard, &(struct wh_error){0}))
			heard.n = 0;
		asked = true;
		read_for(&r, &heard, res);
		explain(a, &r, res);
	}
	freeifaddrs(list);
}
