/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of assessments: an inventory out of JSON texts, assessed by the pack that is shipped. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <cmocka.h>
#include "whittle/posture.h"
#include "../support/arena.h"

struct scene {
	struct wh_inventory inv;
	struct wh_topology t;
	struct wh_assets assets;
	struct wh_posture_input in;
	struct wh_pack pack;
	struct wh_posture p;
};

static inline void scene_read_all(struct scene *s, const char *const *json, size_t n)
{
	struct wh_error err = {0};
	*s = (struct scene){.inv = {.mem = mem}};
	for (size_t i = 0; i < n; i++)
		if (wh_inventory_add(&s->inv, "scene.json", strdup(json[i]), strlen(json[i]), &err))
			fail_msg("%s", err.text);
	wh_inventory_join(&s->inv);
	if (wh_topology_build(&s->inv, mem, &s->t, &err))
		fail_msg("%s", err.text);
	struct wh_asset *list = wh_arena_array(mem, s->inv.n + 1, sizeof *list);
	for (size_t i = 0; i < s->inv.n; i++)
		list[i] = (struct wh_asset){.id = s->inv.items[i].id,
		                            .type = s->inv.items[i].type,
		                            .name = s->inv.items[i].name,
		                            .body = s->inv.items[i].body};
	s->assets = wh_assets_expand(list, s->inv.n, mem);
	s->in = (struct wh_posture_input){
		.topology = &s->t, .reach = wh_reach_new(&s->t, mem), .assets = &s->assets, .now_us = INT64_C(1764000000000000)};
	if (wh_pack_load("rules/assessments", mem, &s->pack, &err))
		fail_msg("%s", err.text);
}

static inline void scene_read(struct scene *s, const char *json)
{
	scene_read_all(s, &json, json != NULL);
}

static inline void scene_run(struct scene *s)
{
	struct wh_error err = {0};
	if (wh_posture_run(&s->pack, &s->in, mem, &s->p, &err))
		fail_msg("%s", err.text);
}

static inline void scene_open(struct scene *s, const char *json)
{
	scene_read(s, json);
	scene_run(s);
}

static inline void scene_close(struct scene *s)
{
	wh_reach_free(s->in.reach);
	wh_topology_free(&s->t);
	wh_inventory_free(&s->inv);
	wh_pack_free(&s->pack);
}

/* The verdict of an assessment on a resource (its name); NULL: there is none. */
static inline const struct wh_posture_verdict *scene_verdict(const struct scene *s, const char *key, const char *resource)
{
	for (size_t i = 0; i < s->p.n; i++)
		if (!strcasecmp(s->p.list[i].of->key, key) &&
		    (!resource || !strcasecmp(wh_posture_name(s->p.list[i].resource), resource) ||
		     !strcasecmp(s->p.list[i].resource, resource)))
			return &s->p.list[i];
	return NULL;
}

static inline const char *scene_status(const struct scene *s, const char *key, const char *resource)
{
	const struct wh_posture_verdict *v = scene_verdict(s, key, resource);
	return v ? wh_posture_text(v->status) : "none";
}
