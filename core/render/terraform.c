/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The change as Terraform, for a pull request: a resource for each rule of ours, new or of an earlier file. Rules of the imported
 * group keep their owner; if one has to move to make room, a comment gives the new priority, because only its own configuration
 * can move it.
 */
#include <stdlib.h>
#include <string.h>
#include "render/nsg_build.h"

/* In HCL "${" and "%{" begin templates; doubling the first character makes them text. */
static void quoted(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++)
		switch (*s) {
		case '"': fputs("\\\"", f); break;
		case '\\': fputs("\\\\", f); break;
		case '\n': fputs("\\n", f); break;
		case '\r': fputs("\\r", f); break;
		case '\t': fputs("\\t", f); break;
		case '$': case '%':
			fputc(*s, f);
			if (s[1] == '{')
				fputc(*s, f);
			break;
		default:
			if ((unsigned char)*s < 32 || *s == 127)
				fprintf(f, "\\u%04x", (unsigned char)*s);
			else
				fputc(*s, f);
		}
	fputc('"', f);
}

/* The arguments of a block, written as `terraform fmt` would: equals signs are aligned, except in values of several
 * lines. */
enum { MAX_ARGUMENTS = 16 };
struct block {
	struct { const char *name; char *value; bool lines; } a[MAX_ARGUMENTS];
	size_t n;
	FILE *f;
};

/* The stream for the next argument's value. */
static FILE *argument(struct block *b, const char *name)
{
	size_t len;
	b->a[b->n].name = name;
	b->a[b->n].lines = false;
	b->f = open_memstream(&b->a[b->n++].value, &len);
	return b->f;
}

static void text(struct block *b, const char *name, const char *value)
{
	FILE *f = argument(b, name);
	if (f)
		quoted(f, value), fclose(f);
}

/* An expression, not a text. */
static void expression(struct block *b, const char *name, const char *value)
{
	FILE *f = argument(b, name);
	if (f)
		fputs(value, f), fclose(f);
}

/* Writes the block's arguments and empties it. False when memory ran out. */
static bool close_block(FILE *f, struct block *b)
{
	bool whole = true;
	for (size_t i = 0, j; i < b->n; i = j) {
		int width = 0;
		for (j = i; j < b->n && !b->a[j].lines; j++)
			width = (int)strlen(b->a[j].name) > width ? (int)strlen(b->a[j].name) : width;
		for (size_t k = i; k < j; k++)
			fprintf(f, "  %-*s = %s\n", width, b->a[k].name, b->a[k].value ? b->a[k].value : "");
		if (j < b->n) {
			fprintf(f, "  %s = %s\n", b->a[j].name, b->a[j].value ? b->a[j].value : "");
			j++;
		}
	}
	fputs("}\n", f);
	for (size_t i = 0; i < b->n; i++) {
		whole &= b->a[i].value != NULL;
		free(b->a[i].value);
	}
	b->n = 0;
	return whole;
}

/* ---- labels ---- */

struct labels { const char **used; size_t n, room; struct wh_arena *mem; };

static const char *label(struct wh_arena *mem, const char *group, const char *rule)
{
	char *s = wh_arena_printf(mem, "%s%s%s", group, *rule ? "_" : "", rule);
	for (char *c = s; *c; c++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", *c))
			*c = '_';
	return (*s >= '0' && *s <= '9') || *s == '-' ? wh_arena_printf(mem, "nsg_%s", s) : s;
}

static uint32_t fnv1a(const char *s)
{
	uint32_t h = 2166136261u;
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

/* A label names one resource of a configuration, and the same one in the next file too: "x.y" and "x_y", two groups of one name,
 * and "a_b" with "c" beside "a" with "b_c" would otherwise be one. A text that had to be changed always gets a number of its own,
 * the others only if their label is taken. */
static const char *unique(struct labels *l, const struct wh_nsg_plan *p, const char *rule)
{
	const char *plain = wh_arena_printf(l->mem, "%s%s%s", p->name, *rule ? "_" : "", rule), *s = label(l->mem, p->name, rule);
	bool taken = strcmp(plain, s) != 0;
	for (size_t i = 0; i < l->n && !taken; i++)
		taken = !strcmp(l->used[i], s);
	if (taken)
		s = wh_arena_printf(l->mem, "%s_%08x", s,
		                    (unsigned)fnv1a(wh_arena_printf(l->mem, "%s/%s/%s", p->nsg && p->nsg->id ? p->nsg->id : "",
		                                                    p->name, rule)));
	l->used = wh_arena_grown(l->mem, l->used, l->n, &l->room, sizeof *l->used);
	return l->used[l->n++] = s;
}

/* ---- rules ---- */

/* One value as a text, several as a list; lines: each on its own line. */
static void values(struct block *b, const json_t *props, const char *key, const char *keys, const char *one, const char *several,
                   bool lines)
{
	const json_t *list = json_object_get(props, keys);
	const char *single = json_string_value(json_object_get(props, key));
	size_t n = json_array_size(list);
	if (!n) {
		text(b, one, single && *single ? single : "*");
		return;
	}
	FILE *f = argument(b, several);
	if (!f)
		return;
	fputs(lines ? "[\n" : "[", f);
	for (size_t i = 0; i < n; i++) {
		fputs(lines ? "    " : i ? ", " : "", f);
		quoted(f, json_string_value(json_array_get(list, i)) ? json_string_value(json_array_get(list, i)) : "");
		fputs(lines ? ",\n" : "", f);
	}
	fputs(lines ? "  ]" : "]", f);
	fclose(f);
	b->a[b->n - 1].lines = lines;
}

static void property(struct block *b, const json_t *props, const char *key, const char *name)
{
	const char *s = json_string_value(json_object_get(props, key));
	if (s)
		text(b, name, s);
}

static bool rule(FILE *f, const struct wh_nsg_plan *p, const json_t *o, const char *group_label, const char *where,
                 struct labels *l)
{
	const json_t *props = json_object_get(o, "properties");
	const char *name = json_string_value(json_object_get(o, "name"));
	struct block b = {.n = 0};
	fprintf(f, "\nresource \"azurerm_network_security_rule\" \"%s\" {\n", unique(l, p, name));
	text(&b, "name", name);
	property(&b, props, "description", "description");
	expression(&b, "priority",
	           wh_arena_printf(l->mem, "%lld", (long long)json_integer_value(json_object_get(props, "priority"))));
	property(&b, props, "direction", "direction");
	property(&b, props, "access", "access");
	property(&b, props, "protocol", "protocol");
	values(&b, props, "sourcePortRange", "sourcePortRanges", "source_port_range", "source_port_ranges", false);
	values(&b, props, "destinationPortRange", "destinationPortRanges", "destination_port_range", "destination_port_ranges",
	       false);
	values(&b, props, "sourceAddressPrefix", "sourceAddressPrefixes", "source_address_prefix", "source_address_prefixes",
	       true);
	values(&b, props, "destinationAddressPrefix", "destinationAddressPrefixes", "destination_address_prefix",
	       "destination_address_prefixes", true);
	if (where)
		text(&b, "resource_group_name", where);
	else
		expression(&b, "resource_group_name", "var.resource_group_name");
	if (group_label) /* a reference, so that the group is created before its rules */
		expression(&b, "network_security_group_name",
		           wh_arena_printf(l->mem, "azurerm_network_security_group.%s.name", group_label));
	else
		text(&b, "network_security_group_name", p->name);
	return close_block(f, &b);
}

/* Ours, new or from an earlier file: Terraform removes rules that are missing in the next file. */
static bool is_ours(const struct wh_nsg_plan *p, const char *name)
{
	for (size_t k = 0; k < p->n; k++)
		if (!strcmp(p->entries[k].name, name))
			return !p->entries[k].existing || p->entries[k].existing->origin == WH_ORIGIN_WHITTLE;
	return false;
}

static bool rules(FILE *f, const struct wh_nsg_plan *p, const char *group_label, struct labels *l)
{
	json_t *group = wh_nsg_plan_arm(p), *o;
	const char *where = wh_nsg_id_part(p->nsg, "resourceGroups", l->mem);
	bool whole = true;
	size_t i;
	json_array_foreach(wh_nsg_rules(group), i, o)
		if (is_ours(p, json_string_value(json_object_get(o, "name"))))
			whole &= rule(f, p, o, group_label, where, l);
	json_decref(group);
	return whole;
}

/* A group that an earlier file made holds the rule that leaves everything else open. */
static bool made_by_us(const struct wh_nsg_plan *p)
{
	for (size_t k = 0; k < p->n; k++)
		if (p->entries[k].existing ? wh_rule_is_everything_else(p->entries[k].existing)
		                           : !strcmp(p->entries[k].name, WH_EVERYTHING_ELSE))
			return true;
	return false;
}

static bool own_group(FILE *f, const struct wh_nsg_plan *p, const char *group_label, struct wh_arena *mem)
{
	struct block b = {.n = 0};
	const char *where = wh_nsg_id_part(p->nsg, "resourceGroups", mem);
	if (!p->nsg)
		fprintf(f,
		        "\n# %s is a new group, since its host has none yet: it guards nothing until an interface or a subnet is associated with it.",
		        wh_nsg_clean_name(p->name, 80, mem));
	fprintf(f, "\nresource \"azurerm_network_security_group\" \"%s\" {\n", group_label);
	text(&b, "name", p->name);
	expression(&b, "location", "var.location");
	if (where)
		text(&b, "resource_group_name", where);
	else
		expression(&b, "resource_group_name", "var.resource_group_name");
	return close_block(f, &b);
}

/* Changes that only the configuration of the group itself can make. */
static void by_hand(FILE *f, const struct wh_nsg_plan *p, struct wh_arena *mem)
{
	const char *group = wh_nsg_clean_name(p->name, 80, mem);
	for (size_t k = 0; k < p->n; k++)
		if (p->entries[k].existing && p->entries[k].renumbered && p->entries[k].existing->origin != WH_ORIGIN_WHITTLE)
			fprintf(f, "\n# %s: rule %s must move from priority %u to %u first, where it is configured.\n", group,
			        wh_nsg_clean_name(p->entries[k].existing->name, 80, mem), p->entries[k].existing->priority,
			        p->entries[k].priority);
	for (size_t k = 0; p->nsg && p->n_removed && k < p->nsg->n_rules; k++)
		if (wh_nsg_plan_removes(p, &p->nsg->rules[k]))
			fprintf(f, "\n# %s: rule %s was kept long enough: remove it where it is configured.\n", group,
			        wh_nsg_clean_name(p->nsg->rules[k].name, 80, mem));
}

static int write_terraform(FILE *f, const struct wh_nsg_plan *plans, size_t n, struct wh_arena *mem, struct wh_error *err)
{
	bool asks = false, makes = false, whole = true;
	fputs("# Written by whittle: all of its rules, each before the rule that it narrows. This file takes the place of the one before: what is missing in it,\n"
	      "# Terraform removes.\n"
	      "# A group whose rules stand as security_rule blocks inside it takes these as blocks there: Terraform can't mix both.\n",
	      f);
	for (size_t i = 0; i < n; i++) {
		asks |= !wh_nsg_id_part(plans[i].nsg, "resourceGroups", mem);
		makes |= made_by_us(&plans[i]);
	}
	if (asks)
		fputs("\nvariable \"resource_group_name\" {\n  type        = string\n  description = \"The resource group of the network security groups\"\n}\n",
		      f);
	if (makes)
		fputs("\nvariable \"location\" {\n  type        = string\n  description = \"Where groups of whittle's are made\"\n}\n",
		      f);
	struct labels l = {.mem = mem};
	for (size_t i = 0; i < n; i++) {
		const struct wh_nsg_plan *p = &plans[i];
		const char *group_label = made_by_us(p) ? unique(&l, p, "") : NULL;
		by_hand(f, p, mem);
		whole &= (!group_label || own_group(f, p, group_label, mem)) && rules(f, p, group_label, &l);
	}
	return whole ? 0 : wh_fail(err, -ENOMEM, "out of memory");
}

static int render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, char **out,
                  struct wh_error *err)
{
	struct wh_render_options own = opt ? *opt : (struct wh_render_options){0};
	own.whole = true;
	own.move_terraform = true; /* a comment tells which rule moves where */
	return wh_nsg_render(r, e, &own, write_terraform, out, err);
}

const struct wh_renderer wh_render_terraform = {"terraform", "the new rules as azurerm_network_security_rule, for a pull request",
                                                render};
