/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of the thousands of service tags those that some rule names: they alone are stored. */
#include "estate/name_set.h"
#include "estate/near.h"

struct used { const struct wh_topology *t; struct wh_name_set had; json_t *values; };

static void add(struct used *u, const char *name)
{
	const struct wh_service_tag *tag = wh_service_tag_find(&u->t->service, name);
	char buf[WH_PREFIX_STRLEN];
	if (!tag || wh_name_set_add(&u->had, tag->name, tag))
		return;
	json_t *list = json_array();
	for (size_t i = 0; i < tag->n; i++)
		json_array_append_new(list, json_string(wh_prefix_text(&tag->prefixes[i], buf)));
	json_array_append_new(u->values, json_pack("{s:s, s:o}", "name", tag->name, "addressPrefixes", list));
}

static void add_rule(struct used *u, const struct wh_rule *r)
{
	for (size_t i = 0; i < r->n_peer_tags; i++)
		add(u, r->peer_tags[i]);
	for (size_t i = 0; i < r->n_local_tags; i++)
		add(u, r->local_tags[i]);
}

json_t *wh_used_tags(const struct wh_topology *t, struct wh_arena *mem)
{
	struct used u = {t, {.mem = mem, .any_case = true}, json_array()};
	for (size_t g = 0; g < t->n_nsgs; g++)
		for (size_t i = 0; i < t->nsgs[g].n_rules; i++)
			add_rule(&u, &t->nsgs[g].rules[i]);
	for (size_t i = 0; i < t->n_admin; i++)
		add_rule(&u, &t->admin[i].rule);
	json_t *out = json_pack("{s:s, s:O}", "changeNumber", t->service.change ? t->service.change : "", "values", u.values);
	json_decref(u.values);
	return out;
}
