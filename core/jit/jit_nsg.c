/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Openings in a network security group. For each port of a policy, and each address family of the resource, before the group's first
 * rule that lets anybody in there:
 *   whittle-jit-ID-vm1-TCP-22        allow, the opening's source    (none when nothing is open)
 *   whittle-jit-deny-vm1-TCP-22      deny, everybody
 * What was ours before is taken out first, so what has ended goes by being left out, and writing twice gives the same. An opening must
 * lie within what the group allows without our rules: the rest of the group is what it was, so nothing is widened.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "render/nsg_plan.h"
#include "whittle/jit.h"

#define PREFIX "whittle-jit-"

struct writer {
	const struct wh_estate *estate;
	const struct wh_nsg *nsg;     /* without our rules */
	struct wh_nsg *parsed; size_t n_parsed;
	const struct wh_jit_grant *grants; size_t n;
	int64_t now_us;
	struct wh_arena *mem;
	json_t *rules;
	bool arm, used[4097];
	FILE *notes;
	size_t allows, denies;
	struct wh_error *err;
};

static const char *name_of(const json_t *rule)
{
	const char *s = json_string_value(json_object_get(rule, "name"));
	return s ? s : "";
}

static json_t *properties_of(json_t *rule)
{
	json_t *p = json_object_get(rule, "properties");
	return json_is_object(p) ? p : rule;
}

/* Takes our rules out; remembers the priorities that the others have. */
static size_t take_out(struct writer *w)
{
	size_t gone = 0;
	for (size_t i = 0; i < json_array_size(w->rules);) {
		json_t *r = json_array_get(w->rules, i), *dir = json_object_get(properties_of(r), "direction");
		json_int_t p = json_integer_value(json_object_get(properties_of(r), "priority"));
		if (!strncasecmp(name_of(r), PREFIX, strlen(PREFIX))) {
			json_array_remove(w->rules, i);
			gone++;
			continue;
		}
		if (p > 0 && p <= 4096 && json_is_string(dir) && !strcasecmp(json_string_value(dir), "Inbound"))
			w->used[p] = true;
		i++;
	}
	return gone;
}

static int reparse(struct writer *w, const json_t *group)
{
	char *text = json_dumps(group, JSON_COMPACT);
	int rc = text ? wh_nsg_parse(w->nsg->file ? w->nsg->file : w->nsg->name, text, strlen(text), w->mem, &w->parsed, &w->n_parsed, w->err)
	              : wh_fail(w->err, -ENOMEM, "out of memory");
	free(text);
	if (!rc && w->n_parsed != 1)
		rc = wh_fail(w->err, -EBADMSG, "%s: is not one network security group", w->nsg->name);
	return rc;
}

/* Ours must stand before the first rule that lets anybody in to this port of these addresses. */
static unsigned limit(struct writer *w, const struct wh_resource *r, struct wh_jit_port port, bool v4, const char **before)
{
	const struct wh_tag_context tags = wh_estate_tags(w->estate);
	*before = "the default rules";
	for (size_t i = 0; i < w->parsed->n_rules; i++) {
		const struct wh_rule *k = &w->parsed->rules[i];
		if (k->direction != WH_INBOUND || !k->allow)
			continue;
		for (size_t j = 0; j < r->n_addrs; j++)
			if (wh_addr_is_v4(&r->addrs[j]) == v4 && wh_rule_match(k, &tags, WH_INBOUND, port.proto, &r->addrs[j], port.port, w->mem) != WH_MATCH_NO) {
				*before = k->name;
				return k->priority;
			}
	}
	return 4097;
}

static int put(struct writer *w, const struct wh_resource *r, struct wh_jit_port port, bool v4, const struct wh_jit_grant *g, unsigned *from, unsigned below,
               const char *before)
{
	char addr[WH_ADDR_STRLEN], src[WH_PREFIX_STRLEN], t[WH_TIME_STRLEN], proto[8];
	unsigned priority = *from;
	while (priority < below && priority <= 4096 && w->used[priority])
		priority++;
	if (priority >= below || priority > 4096)
		return wh_fail(w->err, -ENOSPC, "%s: no priority is free before %s; renumber the group first", w->nsg->name, before);
	w->used[priority] = true;
	*from = priority + 1;
	json_t *locals = json_array();
	for (size_t j = 0; j < r->n_addrs; j++)
		if (wh_addr_is_v4(&r->addrs[j]) == v4)
			json_array_append_new(locals, json_string(wh_addr_text(&r->addrs[j], addr)));
	bool one = json_array_size(locals) == 1;
	const char *clean = wh_nsg_clean_name(r->name, 30, w->mem), *p = wh_proto_text(port.proto, proto);
	const char *name = g ? wh_arena_printf(w->mem, PREFIX "%s-%s-%s-%u", g->id, clean, p, port.port)
	                     : wh_arena_printf(w->mem, PREFIX "deny-%s-%s-%u%s", clean, p, port.port, v4 ? "" : "-v6");
	const char *says = g ? wh_arena_printf(w->mem, "Until %s, opened by %s%s%s", wh_time_text(g->expires_us, t), g->who, g->why ? ": " : "", g->why ? g->why : "")
	                     : "Closed but for what whittle jit opens";
	json_t *o = json_pack("{s:s,s:i,s:s,s:s,s:s,s:s,s:s,s:o,s:s}", "description", wh_nsg_description(w->mem, says), "priority", (int)priority, "direction", "Inbound",
	                      "access", g ? "Allow" : "Deny", "protocol", port.proto == WH_PROTO_UDP ? "Udp" : "Tcp", "sourceAddressPrefix",
	                      g ? wh_prefix_text(&g->from, src) : "*", "sourcePortRange", "*", one ? "destinationAddressPrefix" : "destinationAddressPrefixes",
	                      one ? json_incref(json_array_get(locals, 0)) : json_incref(locals), "destinationPortRange",
	                      wh_arena_printf(w->mem, "%u", port.port));
	json_decref(locals);
	json_t *rule = !o ? NULL : w->arm ? json_pack("{s:s,s:o}", "name", name, "properties", o) : o;
	if (!rule || (!w->arm && json_object_set_new(rule, "name", json_string(name))) || json_array_append_new(w->rules, rule))
		return wh_fail(w->err, -ENOMEM, "out of memory");
	*(g ? &w->allows : &w->denies) += 1;
	return 0;
}

static int check_within(struct writer *w, const struct wh_resource *r, const struct wh_jit_grant *g)
{
	const struct wh_tag_context tags = wh_estate_tags(w->estate);
	const struct wh_nsg *one[] = {w->parsed};
	char addr[WH_ADDR_STRLEN];
	for (size_t j = 0; j < r->n_addrs; j++) {
		struct wh_ranges allowed;
		bool unknown;
		if (wh_addr_is_v4(&r->addrs[j]) != wh_prefix_is_v4(&g->from))
			continue;
		int rc = wh_policy_allowed(one, 1, &tags, &r->addrs[j], WH_INBOUND, g->proto, g->port, w->mem, &allowed, &unknown, w->err);
		if (rc)
			return rc;
		struct wh_ranges over = wh_ranges_minus(wh_ranges_from_prefixes(&g->from, 1, w->mem), allowed, w->mem);
		if (over.n)
			return wh_fail_input(w->err, -EPERM, "refused (narrow-only): opening %s would let %s in, which %s does not allow; close it with `whittle jit close %s`",
			                     g->id, wh_addr_text(&over.r[0].from, addr), w->nsg->name, g->id);
	}
	return 0;
}

static int one_port(struct writer *w, const struct wh_resource *r, struct wh_jit_port port)
{
	int rc = 0;
	for (int v4 = 1; v4 >= 0; v4--) {
		const char *before;
		bool has = false;
		unsigned from = 100;
		for (size_t j = 0; j < r->n_addrs; j++)
			has |= wh_addr_is_v4(&r->addrs[j]) == (bool)v4;
		if (!has)
			continue;
		unsigned below = limit(w, r, port, v4, &before);
		for (size_t i = 0; !rc && i < w->n; i++) {
			const struct wh_jit_grant *g = &w->grants[i];
			if (!g->nsg || g->expires_us <= w->now_us || strcmp(g->resource, r->name) != 0 || g->proto != port.proto || g->port != port.port ||
			    wh_prefix_is_v4(&g->from) != (bool)v4)
				continue;
			if (!(rc = check_within(w, r, g)))
				rc = put(w, r, port, v4, g, &from, below, before);
		}
		if (!rc)
			rc = put(w, r, port, v4, NULL, &from, below, before);
		if (rc)
			return rc;
	}
	return 0;
}

static const struct wh_jit_policy *policy_of(const struct wh_jit_config *c, const struct wh_resource *r)
{
	for (size_t i = 0; i < c->n_policies; i++)
		if (!strcmp(c->policies[i].resource, r->name))
			return &c->policies[i];
	return NULL;
}

static bool guarded(const struct wh_resource *r, const struct wh_nsg *nsg)
{
	for (size_t i = 0; i < r->n_nsgs; i++)
		if (r->nsgs[i] == nsg || (r->nsgs[i]->id && nsg->id ? !strcmp(r->nsgs[i]->id, nsg->id) : !strcmp(r->nsgs[i]->name, nsg->name)))
			return true;
	return false;
}

int wh_jit_nsg(const struct wh_jit_config *c, const struct wh_estate *e, const struct wh_nsg *nsg, const struct wh_jit_grant *grants, size_t n,
               int64_t now_us, struct wh_arena *mem, json_t **out, char **notes, struct wh_error *err)
{
	struct writer w = {.estate = e, .nsg = nsg, .grants = grants, .n = n, .now_us = now_us, .mem = mem, .err = err};
	size_t len;
	*notes = NULL;
	json_t *group = json_deep_copy(nsg->source), *inside = json_object_get(group, "properties");
	w.arm = json_is_object(inside);
	w.rules = json_object_get(w.arm ? inside : group, "securityRules");
	if (group && !w.rules) {
		w.rules = json_array();
		json_object_set_new(w.arm ? inside : group, "securityRules", w.rules);
	}
	if (!json_is_array(w.rules)) {
		json_decref(group);
		return wh_fail(err, -EBADMSG, "%s: has no list of rules", nsg->name);
	}
	size_t gone = take_out(&w);
	int rc = reparse(&w, group);
	for (size_t i = 0; !rc && i < e->n_resources; i++) {
		const struct wh_jit_policy *p = policy_of(c, &e->resources[i]);
		for (size_t k = 0; !rc && p && guarded(&e->resources[i], nsg) && k < p->n_ports; k++)
			rc = one_port(&w, &e->resources[i], p->ports[k]);
	}
	if (!rc && (w.notes = open_memstream(notes, &len))) {
		fprintf(w.notes, "whittle: %s: %zu opening%s, %zu port%s closed; %zu earlier rule%s of ours replaced\n", nsg->name, w.allows, w.allows == 1 ? "" : "s",
		        w.denies, w.denies == 1 ? "" : "s", gone, gone == 1 ? "" : "s");
		fclose(w.notes);
	}
	if (w.parsed)
		wh_nsgs_free(w.parsed, w.n_parsed);
	if (rc)
		json_decref(group);
	else
		*out = group;
	return rc;
}
