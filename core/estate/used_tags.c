/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service tags that some rule uses, of thousands: only they are stored. */
#include <stdlib.h>
#include "estate/topology.h"

struct used { const struct wh_topology *t; bool *had; };

static void add(struct used *u, const char *name)
{
	const struct wh_service_tag *tag = wh_service_tag_find(&u->t->service, name);
	if (tag)
		u->had[tag - u->t->service.list] = true;
}

static void add_rule(struct used *u, const struct wh_rule *r)
{
	for (size_t i = 0; i < r->n_peer_tags; i++)
		add(u, r->peer_tags[i]);
	for (size_t i = 0; i < r->n_local_tags; i++)
		add(u, r->local_tags[i]);
}

struct wh_service_tags wh_used_tags_of(const struct wh_topology *t)
{
	struct wh_service_tags out = {.change = t->service.change};
	struct used u = {t, calloc(t->service.n + 1, sizeof *u.had)};
	out.list = calloc(t->service.n + 1, sizeof *out.list);
	if (!u.had || !out.list)
		abort(); /* as an arena does */
	for (size_t g = 0; g < t->n_nsgs; g++)
		for (size_t i = 0; i < t->nsgs[g].n_rules; i++)
			add_rule(&u, &t->nsgs[g].rules[i]);
	for (size_t i = 0; i < t->n_admin; i++)
		add_rule(&u, &t->admin[i].rule);
	for (size_t f = 0; f < t->n_firewalls; f++)
		for (size_t i = 0; i < t->firewalls[f].n_rules; i++)
			add_rule(&u, &t->firewalls[f].rules[i]);
	for (size_t i = 0; i < t->service.n; i++)
		if (u.had[i])
			out.list[out.n++] = t->service.list[i];
	free(u.had);
	return out;
}

json_t *wh_used_tags(const struct wh_topology *t)
{
	struct wh_service_tags used = wh_used_tags_of(t);
	json_t *values = json_array();
	char buf[WH_PREFIX_STRLEN];
	for (size_t i = 0; i < used.n; i++) {
		json_t *list = json_array();
		for (size_t k = 0; k < used.list[i].n; k++)
			json_array_append_new(list, json_string(wh_prefix_text(&used.list[i].prefixes[k], buf)));
		json_array_append_new(values, json_pack("{s:s, s:o}", "name", used.list[i].name, "addressPrefixes", list));
	}
	free(used.list);
	return json_pack("{s:s, s:o}", "changeNumber", t->service.change ? t->service.change : "", "values", values);
}
