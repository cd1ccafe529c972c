/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies of just-in-time access are made and deleted, by `whittle jit policy`; those of whittle.yaml stay as they are. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "serve/endpoints.h"
#include "serve/jit.h"

#define LIST_MAX 8192 /* of ports or sources, as text */

static int read_length(const char *text, uint32_t *seconds)
{
	unsigned hours = 0, minutes = 0;
	int end = 0;
	if (text && (sscanf(text, "PT%uH%n", &hours, &end) == 1 && !text[end]))
		*seconds = hours * 3600;
	else if (text && sscanf(text, "PT%uM%n", &minutes, &end) == 1 && !text[end])
		*seconds = minutes * 60;
	else if (text && sscanf(text, "PT%uH%uM%n", &hours, &minutes, &end) == 2 && !text[end])
		*seconds = hours * 3600 + minutes * 60;
	else
		return -EINVAL;
	return hours <= 720 && minutes <= 43200 ? 0 : -EINVAL;
}

static void append(char *list, size_t size, const char *text)
{
	size_t n = strlen(list);
	snprintf(list + n, size - n, "%s%s", n ? "," : "", text);
}

/* The sources of a port as a list, "" for any; false: there are none, or too many. */
static bool read_sources(const json_t *port, char list[static LIST_MAX])
{
	const char *single = wh_call_member(port, "allowedSourceAddressPrefix");
	const json_t *several = json_object_get(port, "allowedSourceAddressPrefixes");
	size_t i;
	json_t *o;
	*list = 0;
	json_array_foreach((json_t *)(uintptr_t)several, i, o)
		append(list, LIST_MAX, json_is_string(o) ? json_string_value(o) : "?");
	if (single && strcmp(single, "*") != 0)
		append(list, LIST_MAX, single);
	return (single || *list) && strlen(list) < LIST_MAX - 1;
}

/* Reads one machine of the body into a message for the gate. */
static int read_machine(struct wh_call *c, const json_t *machine, struct wh_gate_request *r, struct wh_error *err)
{
	const json_t *ports = json_object_get(machine, "ports");
	char *sources = wh_arena_alloc(c->mem, LIST_MAX);
	size_t i;
	json_t *port;
	json_array_foreach((json_t *)(uintptr_t)ports, i, port) {
		const char *proto = wh_call_member(port, "protocol");
		json_int_t number = json_integer_value(json_object_get(port, "number"));
		bool all = proto && !strcmp(proto, "*"), udp = proto && !strcasecmp(proto, "UDP");
		uint32_t seconds;
		if (number < 1 || number > 65535 || !proto || (!all && !udp && strcasecmp(proto, "TCP") != 0) ||
		    read_length(wh_call_member(port, "maxRequestAccessDuration"), &seconds) || !read_sources(port, sources))
			return wh_fail_input(
				err, -EINVAL,
				"a port has a number, a protocol (TCP, UDP or *), allowedSourceAddressPrefix(es) and maxRequestAccessDuration, such as PT3H");
		if (i && (seconds != r->seconds || strcmp(sources, r->sources) != 0))
			return wh_fail_input(
				err, -EINVAL,
				"all ports of a machine have the same sources and the same maxRequestAccessDuration here");
		r->seconds = seconds;
		snprintf(r->sources, sizeof r->sources, "%s", sources);
		if (!udp)
			append(r->ports, sizeof r->ports, wh_arena_printf(c->mem, "%u/tcp", (unsigned)number));
		if (udp || all)
			append(r->ports, sizeof r->ports, wh_arena_printf(c->mem, "%u/udp", (unsigned)number));
	}
	return *r->ports && strlen(r->ports) < sizeof r->ports - 1
	               ? 0
	               : wh_fail_input(err, -EINVAL, "a virtual machine has an id and ports");
}

static int change(struct wh_call *c, struct wh_gate_request *r, const char *resource, struct wh_error *err)
{
	json_t *doc;
	snprintf(r->resource, sizeof r->resource, "%s", resource);
	int rc = wh_call_command(c, r, &doc, err);
	wh_call_journal(c, r->what == WH_GATE_JIT_SET ? "serve.jit.policy.set" : "serve.jit.policy.delete",
	                json_pack("{s:s, s:b}", "resource", r->resource, "done", !rc));
	json_decref(doc);
	return rc;
}

/* A body's wish for one policy that is there. */
enum wish { LEFT_OUT, AS_IT_IS, OTHERWISE };

static enum wish wished(const struct wh_jit_policies *all, const struct wh_jit_policy *p, const json_t *machines)
{
	size_t i;
	json_t *o;
	json_array_foreach((json_t *)(uintptr_t)machines, i, o) {
		const char *id = wh_call_member(o, "id");
		if (!id || strcasecmp(id, wh_jit_id(all, p)) != 0)
			continue;
		json_t *is = wh_jit_ports_json(p, all->c->mem);
		bool same = json_equal(is, json_object_get(o, "ports"));
		json_decref(is);
		return same ? AS_IT_IS : OTHERWISE;
	}
	return LEFT_OUT;
}

/* NULL, or the name of a machine whose policy of whittle.yaml the body would change. */
static const char *configured_otherwise(const struct wh_jit_policies *all, const json_t *machines)
{
	for (size_t i = 0; i < all->n; i++)
		if (!all->list[i].kept && wh_id_within(wh_jit_id(all, &all->list[i]), all->c->values[0], wh_jit_group(all->c)) &&
		    wished(all, &all->list[i], machines) != AS_IT_IS)
			return all->list[i].resource;
	return NULL;
}

/* Each machine of the body that is to be otherwise than it is; all are read before the first is kept. */
static int keep_machines(struct wh_call *c, const struct wh_jit_policies *all, const json_t *machines, struct wh_error *err)
{
	size_t n = json_array_size(machines), i;
	struct wh_gate_request *r = wh_arena_array(c->mem, n + 1, sizeof *r);
	const char **names = wh_arena_array(c->mem, n + 1, sizeof *names);
	int rc = 0;
	for (i = 0; i < n && !rc; i++) {
		const json_t *m = json_array_get(machines, i);
		const char *id = wh_call_member(m, "id"), *local = id ? strrchr(id, '/') : NULL;
		bool ours = id && wh_id_within(id, WH_LOCAL_SUBSCRIPTION, WH_LOCAL_GROUP);
		const struct wh_resource *res = local ? wh_estate_find(all->estate, ours ? local + 1 : id) : NULL;
		r[i] = wh_call_gate(c, WH_GATE_JIT_SET);
		if (!res || !wh_id_within(wh_call_id(res->name, res->id, c->mem), c->values[0], wh_jit_group(c)))
			return wh_fail_input(err, -ENOENT, "%.300s is not a machine of this resource group", id ? id : "(no id)");
		names[i] = res->name;
		rc = read_machine(c, m, &r[i], err);
	}
	for (i = 0; i < n && !rc; i++) {
		bool there = false;
		for (size_t k = 0; k < all->n; k++)
			there |= !strcmp(all->list[k].resource, names[i]) && wished(all, &all->list[k], machines) == AS_IT_IS;
		rc = there ? 0 : change(c, &r[i], names[i], err);
	}
	return rc;
}

/* Those of the group that a body leaves out; of all where there is none. */
static int drop_machines(struct wh_call *c, const struct wh_jit_policies *all, const json_t *machines, struct wh_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < all->n && !rc; i++) {
		struct wh_gate_request r = wh_call_gate(c, WH_GATE_JIT_DELETE);
		if (all->list[i].kept && wh_id_within(wh_jit_id(all, &all->list[i]), c->values[0], wh_jit_group(c)) &&
		    wished(all, &all->list[i], machines) == LEFT_OUT)
			rc = change(c, &r, all->list[i].resource, err);
	}
	return rc;
}

static int refuse_configured(struct wh_call *c, const char *resource)
{
	return wh_call_refuse(c, 409, "PolicyIsConfigured",
	                      "the policy of %s is whittle.yaml's (jit), which root alone changes: it stays as it is", resource);
}

static int put(struct wh_call *c, struct wh_jit_policies *all, struct wh_error *err)
{
	const json_t *machines = json_object_get(json_object_get(c->body, "properties"), "virtualMachines");
	json_t *doc;
	if (strcasecmp(c->values[3], "default") != 0 || !json_array_size(machines) || json_array_size(machines) > 200)
		return wh_call_refuse(c, 400, "InvalidRequestContent",
		                      "a resource group has one policy, default, with 1 to 200 virtualMachines");
	const char *other = configured_otherwise(all, machines);
	if (other)
		return refuse_configured(c, other);
	int rc = keep_machines(c, all, machines, err);
	rc = rc ? rc : drop_machines(c, all, machines, err);
	all->n = 0;
	rc = rc ? rc : wh_jit_policies_read(c, all, err);
	rc = rc ? rc : wh_jit_policies_one(c, all, &doc, err);
	return rc ? rc : wh_call_json(c, 200, doc);
}

WH_ENDPOINT(jit_put)
{
	struct wh_jit_policies all;
	int rc = wh_jit_policies_open(c, &all, err);
	rc = rc ? rc : put(c, &all, err);
	wh_jit_policies_close(&all);
	return rc;
}

WH_ENDPOINT(jit_delete)
{
	struct wh_jit_policies all;
	int rc = wh_jit_policies_open(c, &all, err);
	const char *other = rc ? NULL : configured_otherwise(&all, NULL);
	if (!rc && other)
		rc = refuse_configured(c, other);
	else if (!rc && !strcasecmp(c->values[3], "default"))
		rc = drop_machines(c, &all, NULL, err);
	wh_jit_policies_close(&all);
	return rc || c->doc ? rc : wh_call_empty(c, 204);
}

/* ---- our own: one machine's policy, its ports as they are shown ---- */

static int change_one(struct wh_call *c, const struct wh_jit_policies *all, struct wh_gate_request *r, struct wh_error *err)
{
	const struct wh_resource *res = wh_estate_require(all->estate, c->values[0], err);
	bool there = false;
	if (!res)
		return -ENXIO;
	for (size_t i = 0; i < all->n; i++) {
		if (strcmp(all->list[i].resource, res->name) != 0)
			continue;
		if (!all->list[i].kept)
			return refuse_configured(c, res->name);
		there = true;
	}
	if (r->what == WH_GATE_JIT_DELETE && !there)
		return wh_fail(err, -ENOENT, "%s has no policy", res->name);
	int rc = change(c, r, res->name, err);
	return rc ? rc : wh_call_json(c, 200, json_pack("{s:s}", "resource", res->name));
}

static int open_and_change(struct wh_call *c, struct wh_gate_request *r, struct wh_error *err)
{
	struct wh_jit_policies all;
	int rc = wh_jit_policies_open(c, &all, err);
	rc = rc ? rc : change_one(c, &all, r, err);
	wh_jit_policies_close(&all);
	return rc;
}

WH_ENDPOINT(own_jit_policy_put)
{
	struct wh_gate_request r = wh_call_gate(c, WH_GATE_JIT_SET);
	int rc = read_machine(c, c->body, &r, err);
	return rc ? rc : open_and_change(c, &r, err);
}

WH_ENDPOINT(own_jit_policy_delete)
{
	struct wh_gate_request r = wh_call_gate(c, WH_GATE_JIT_DELETE);
	return open_and_change(c, &r, err);
}
