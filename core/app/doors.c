/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports that this machine translates to a narrowed one and that have no rule themselves, each with the command that gives it
 * one. */
#include <string.h>
#include "app/app.h"
#include "base/text.h"
#include "whittle/app_firewall.h"

enum { MOST_PREFIXES = 32 };

static const char *prefixes_of(const struct wh_nft_port *p, struct wh_arena *mem)
{
	char buf[WH_PREFIX_STRLEN], *text = NULL;
	if (!(p->n_v4 + p->n_v6) || p->n_v4 + p->n_v6 > MOST_PREFIXES)
		return NULL;
	for (size_t i = 0; i < p->n_v4 + p->n_v6; i++)
		text = wh_arena_printf(mem, "%s%s%s", text ? text : "", text ? "," : "",
		                       wh_prefix_text(i < p->n_v4 ? &p->v4[i] : &p->v6[i - p->n_v4], buf));
	return text;
}

static const char *remedy_of(const struct wh_door *d, const char *resource, struct wh_arena *mem)
{
	const char *from = prefixes_of(d->to, mem);
	char proto[8], word[WH_SHELL_WORD];
	if (d->port != d->last || !from || !resource)
		return "whittle recommend --ports all && whittle enforce";
	return wh_arena_printf(mem, "whittle rules add %s --port %u/%s --from %s && whittle enforce",
	                       wh_shell_word(resource, word), d->port, wh_proto_text(d->by->proto, proto), from);
}

static const char *text_of(const struct wh_door *d, size_t addresses, struct wh_arena *mem)
{
	char at[WH_ADDR_STRLEN], to[WH_ADDR_STRLEN], proto[8];
	const char *ports = d->port == d->last ? wh_arena_printf(mem, "port %u", d->port)
	                                       : wh_arena_printf(mem, "ports %u–%u", d->port, d->last);
	const char *more = addresses > 1
	                           ? wh_arena_printf(mem, " and %zu more address%s", addresses - 1, addresses > 2 ? "es" : "")
	                           : "";
	bool any = !d->to->n_locals;
	return wh_arena_printf(
		mem,
		"%s/%s%s%s%s lead%s to port %u%s%s, which is narrowed, and %s not judged: peers that port %u refuses come in by %s",
		ports, wh_proto_text(d->by->proto, proto), any ? "" : " of ", any ? "" : wh_addr_text(&d->at, at), more,
		d->port == d->last ? "s" : "", d->to->port, d->by->here ? "" : " of ",
		d->by->here ? "" : wh_addr_text(&d->by->to, to), d->port == d->last ? "is" : "are", d->to->port,
		d->port == d->last ? "it" : "them");
}

static bool same(const struct wh_door *a, const struct wh_door *b)
{
	return a->port == b->port && a->last == b->last && a->by->proto == b->by->proto && a->to == b->to;
}

void wh_app_find_doors(const struct wh_estate *e, struct wh_arena *mem, struct wh_app_own *own)
{
	struct wh_nft_published_list *l = wh_arena_alloc(mem, sizeof *l);
	struct wh_door *doors;
	struct wh_error err;
	if (wh_firewall_published(false, mem, l, &err)) {
		own->doors_unread = wh_arena_strdup(mem, err.text);
		return;
	}
	own->doors_unread = *l->unread ? l->unread : NULL;
	size_t n = wh_nft_doors(own->rs, l, mem, &doors);
	own->doors = wh_arena_array(mem, n + 1, sizeof *own->doors);
	for (size_t i = 0; i < n; i++) {
		size_t addresses = 1;
		bool had = false;
		for (size_t k = 0; k < i && !had; k++)
			had = same(&doors[k], &doors[i]);
		if (had)
			continue;
		for (size_t k = i + 1; k < n; k++)
			addresses += same(&doors[k], &doors[i]) && !wh_addr_eq(&doors[k].at, &doors[i].at);
		const struct wh_resource *r = wh_estate_by_addr(e, &doors[i].at);
		const char *name = r ? r->name : own->n ? own->names[0] : NULL;
		own->doors[own->n_doors++] = (struct wh_app_door){doors[i], text_of(&doors[i], addresses, mem),
		                                                  remedy_of(&doors[i], name, mem)};
	}
}

json_t *wh_app_doors_json(const struct wh_app_own *own)
{
	json_t *list = json_array();
	char addr[WH_ADDR_STRLEN], proto[8];
	for (size_t i = 0; i < own->n_doors; i++) {
		const struct wh_door *d = &own->doors[i].is;
		json_array_append_new(list, json_pack("{s:s?,s:s,s:i,s:i,s:i,s:s,s:s}", "address",
		                                      d->to->n_locals ? wh_addr_text(&d->at, addr) : NULL, "protocol",
		                                      wh_proto_text(d->by->proto, proto), "port", (int)d->port, "lastPort",
		                                      (int)d->last, "leadsTo", (int)d->to->port, "found", own->doors[i].text,
		                                      "remedy", own->doors[i].remedy));
	}
	return list;
}
