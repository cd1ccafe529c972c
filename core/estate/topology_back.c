/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * References that an inventory has at their other end alone. A group lists its subnets and interfaces, a public address the
 * configuration that has it; documents of other sources may leave out the member by which these point back. A resource's own
 * references, also an explicit absence, take precedence over references from others.
 */
#include <string.h>
#include "base/json.h"
#include "estate/topology.h"

static void add(struct wh_building *b, struct wh_name_set *set, const json_t *o, const struct wh_item *it)
{
	const char *id = wh_field_text(o, "id");
	if (id)
		wh_name_set_add(set, wh_arena_strdup(b->mem, id), it->id);
}

void wh_build_back(struct wh_building *b)
{
	static const char *const lists[] = {"subnets", "networkInterfaces"};
	b->group_of = b->public_of = (struct wh_name_set){.mem = b->mem, .any_case = true};
	for (size_t i = 0; i < b->inv->n; i++) {
		const struct wh_item *it = &b->inv->items[i];
		json_t *o;
		size_t k;
		if (!strcmp(it->type, "microsoft.network/publicipaddresses"))
			add(b, &b->public_of, wh_field(it->body, "ipConfiguration"), it);
		if (strcmp(it->type, "microsoft.network/networksecuritygroups") != 0)
			continue;
		for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
			json_array_foreach(wh_field(it->body, lists[l]), k, o)
				add(b, &b->group_of, o, it);
	}
}

const char *wh_build_ref(const struct wh_name_set *back, const json_t *o, const char *member, const char *id)
{
	const char *own = wh_field_ref(o, member);
	const json_t *inner = json_object_get(o, "properties");
	if (own || !id || wh_json_member(o, member) || (inner && wh_json_member(inner, member)))
		return own;
	return wh_name_set_find(back, id);
}
