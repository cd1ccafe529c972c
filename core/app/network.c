/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The estate's network, opened for a question. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "app/network.h"
#include "base/heap.h"
#include "whittle/app_network.h"
#include "whittle/state.h"

static int load(struct wh_app_network *net, struct wh_state *s, struct wh_error *err)
{
	wh_heap_in_large_pages(WH_APP_ESTATE_HEAP);
	int rc = wh_topology_load(s, &net->inv, net->mem, &net->t, err);
	if (rc == 1) {
		rc = wh_inventory_load(s, net->mem, &net->inv, err);
		rc = rc ? rc : wh_topology_build(&net->inv, net->mem, &net->t, err);
	}
	return rc ? rc : wh_inventory_load_effective(s, &net->inv, err);
}

static int read(struct wh_app_network *net, const char *const *paths, size_t n, struct wh_error *err)
{
	int rc = wh_inventory_read(paths, n, net->mem, &net->inv, err);
	return rc ? rc : wh_topology_build(&net->inv, net->mem, &net->t, err);
}

int wh_app_network_open(struct wh_state *s, const char *const *paths, size_t n, struct wh_app_network **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_app_network *net = wh_arena_alloc(mem, sizeof *net);
	net->mem = mem;
	int rc = n ? read(net, paths, n, err) : load(net, s, err);
	if (!rc)
		net->r = wh_reach_new(&net->t, mem);
	*out = net;
	if (rc) {
		wh_app_network_close(net);
		*out = NULL;
	}
	return rc;
}

void wh_app_network_close(struct wh_app_network *net)
{
	if (!net)
		return;
	wh_reach_free(net->r);
	wh_topology_free(&net->t);
	wh_inventory_free(&net->inv);
	wh_arena_free(net->mem);
}

/* Some documents have a location's name in words. */
static bool same_location(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strspn(a, " ");
		b += strspn(b, " ");
		if (!*a || tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return *a == *b;
	}
}

bool wh_app_network_is_at(const struct wh_app_network *net, const char *location)
{
	bool found = false;
	for (size_t i = 0; i < net->t.n_hosts && *location && !found; i++)
		found = same_location(net->t.hosts[i].location, location);
	for (size_t i = 0; i < net->t.n_vnets && *location && !found; i++)
		found = same_location(net->t.vnets[i].location, location);
	return found;
}

void wh_app_put_ports(json_t *o, const struct wh_reach_ports *p, struct wh_arena *mem)
{
	json_object_set_new(o, "tcpPorts", json_string(wh_ports_text(p->tcp, mem)));
	json_object_set_new(o, "udpPorts", json_string(wh_ports_text(p->udp, mem)));
	json_object_set_new(o, "icmp", json_boolean(p->icmp));
	if (p->tcp_unknown.n)
		json_object_set_new(o, "tcpUnknown", json_string(wh_ports_text(p->tcp_unknown, mem)));
	if (p->udp_unknown.n)
		json_object_set_new(o, "udpUnknown", json_string(wh_ports_text(p->udp_unknown, mem)));
	if (p->missing)
		json_object_set_new(o, "missing", json_string(p->missing));
}
