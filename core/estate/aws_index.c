/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AWS's interfaces by what the targets of balancers name, and by the balancers that they are of. */
#include <string.h>
#include "estate/aws.h"

struct holder { const struct wh_aws_interface *f; struct holder *next, *last; };
static void hold(struct wh_name_set *s, const char *name, const struct wh_aws_interface *f)
{
	struct holder *h = wh_arena_alloc(s->mem, sizeof *h), *first;
	*h = (struct holder){.f = f, .last = h};
	first = (struct holder *)(uintptr_t)wh_name_set_add(s, name, h);
	if (first)
		first->last = first->last->next = h;
}

/* The main one is that with the index 0, else the first. */
static void hold_main(struct wh_name_set *s, const struct wh_aws_interface *f)
{
	const json_t *index = json_object_get(json_object_get(f->o, "Attachment"), "DeviceIndex");
	struct holder *first = (struct holder *)(uintptr_t)wh_name_set_find(s, f->instance);
	if (!first)
		hold(s, f->instance, f);
	else if (json_is_integer(index) && !json_integer_value(index))
		first->f = f;
}

/* AWS describes the interfaces that it made for a balancer as "ELB net/NAME/…", those of a classic one as "ELB NAME". */
static const char *balancer_of(const struct wh_aws_interface *f, struct wh_arena *mem)
{
	static const char begin[] = "ELB ", net[] = "net/";
	const char *what = wh_aws_text(f->o, "Description"),
		   *name = what && !strncmp(what, begin, sizeof begin - 1) ? what + sizeof begin - 1 : NULL;
	if (name && !strchr(name, '/'))
		return wh_arena_printf(mem, WH_AWS_CLASSIC "%s", name);
	name = name && !strncmp(name, net, sizeof net - 1) ? name + sizeof net - 1 : NULL;
	const char *end = name ? strchr(name, '/') : NULL;
	return end ? wh_arena_printf(mem, "%.*s", (int)(end - name), name) : NULL;
}

void wh_aws_index_interfaces(const struct wh_aws *a, struct wh_aws_index *by)
{
	size_t k;
	json_t *v;
	by->instance = by->address = by->balancer = (struct wh_name_set){.mem = a->mem};
	for (size_t i = 0; i < a->n_interfaces; i++) {
		const struct wh_aws_interface *f = &a->interfaces[i];
		const char *balancer = balancer_of(f, a->mem);
		json_t *list = json_array();
		wh_aws_addresses(f, list);
		json_array_foreach(list, k, v)
			hold(&by->address, json_string_value(v), f);
		json_decref(list);
		if (f->instance)
			hold_main(&by->instance, f);
		if (balancer)
			hold(&by->balancer, balancer, f);
	}
}

/* The main interface of an instance; NULL: none is known. */
const struct wh_aws_interface *wh_aws_interface_of(const struct wh_aws_index *by, const char *instance)
{
	const struct holder *h = wh_name_set_find(&by->instance, instance);
	return h && wh_aws_text(h->f->o, "PrivateIpAddress") ? h->f : NULL;
}

/* The interface with an address, in a VPC where it is named. */
const struct wh_aws_interface *wh_aws_interface_at(const struct wh_aws_index *by, const char *address, const char *vpc)
{
	for (const struct holder *h = wh_name_set_find(&by->address, address); h; h = h->next)
		if (!vpc || !h->f->vpc || !strcmp(vpc, h->f->vpc))
			return h->f;
	return NULL;
}

/* The addresses of the balancer itself: of the interfaces that AWS made for it. */
json_t *wh_aws_balancer_addresses(const struct wh_aws_index *by, const char *name)
{
	json_t *out = json_array();
	for (const struct holder *h = wh_name_set_find(&by->balancer, name); h; h = h->next)
		wh_aws_addresses(h->f, out);
	return out;
}
