/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The change as Terraform, for a pull request: a resource for each rule that is new. Rules of the imported group stay whoever's they are;
 * where one has to move to make room, a comment says to which priority, because only its own configuration can move it.
 */
#include <stdlib.h>
#include <string.h>
#include "render/nsg_plan.h"

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

/* The arguments of a block, written as `terraform fmt` would: equals signs stand below each other, but for what takes several lines. */
enum { MAX_ARGUMENTS = 16 };
struct block {
	struct { const char *name; char *value; bool lines; } a[MAX_ARGUMENTS];
	size_t n;
	FILE *f;
};

/* Where the value of the next argument goes. */
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

static void prefixes(struct block *b, const char *name, const struct wh_prefix *p, size_t n)
{
	char buf[WH_PREFIX_STRLEN];
	FILE *f = argument(b, name);
	if (!f)
		return;
	fputs("[\n", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "    \"%s\",\n", wh_prefix_text(&p[i], buf));
	fputs("  ]", f);
	fclose(f);
	b->a[b->n - 1].lines = true;
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

static void addresses(struct block *b, const char *one, const char *several, const struct wh_prefix *p, size_t n)
{
	char buf[WH_PREFIX_STRLEN];
	if (n < 2)
		text(b, one, n ? wh_prefix_text(p, buf) : "*");
	else
		prefixes(b, several, p, n);
}

static const char *label(struct wh_arena *mem, const char *group, const char *rule)
{
	char *s = wh_arena_printf(mem, "%s%s%s", group, *rule ? "_" : "", rule);
	for (char *c = s; *c; c++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", *c))
			*c = '_';
	return (*s >= '0' && *s <= '9') || *s == '-' ? wh_arena_printf(mem, "nsg_%s", s) : s;
}

static void ports(struct block *b, const struct wh_nsg_entry *e, struct wh_arena *mem)
{
	const char **list, *all = "[";
	size_t n = wh_nsg_ports(e, mem, &list);
	if (n == 1) {
		text(b, "destination_port_range", list[0]);
		return;
	}
	for (size_t i = 0; i < n; i++)
		all = wh_arena_printf(mem, "%s%s\"%s\"", all, i ? ", " : "", list[i]);
	expression(b, "destination_port_ranges", wh_arena_printf(mem, "%s]", all));
}

static bool rule(FILE *f, const struct wh_nsg_plan *p, const struct wh_nsg_entry *e, const char *where, struct wh_arena *mem)
{
	bool in = e->direction == WH_INBOUND;
	const struct wh_prefix *from = in ? e->peers : e->locals, *to = in ? e->locals : e->peers;
	size_t n_from = in ? e->n_peers : e->n_locals, n_to = in ? e->n_locals : e->n_peers;
	struct block b = {.n = 0};
	if (e->everyone)
		*(in ? &n_from : &n_to) = 0;
	fprintf(f, "\nresource \"azurerm_network_security_rule\" \"%s\" {\n", label(mem, p->name, e->name));
	text(&b, "name", e->name);
	text(&b, "description", e->description);
	expression(&b, "priority", wh_arena_printf(mem, "%u", e->priority));
	text(&b, "direction", wh_direction_text(e->direction));
	text(&b, "access", e->allow ? "Allow" : "Deny");
	text(&b, "protocol", wh_nsg_protocol(e->proto));
	text(&b, "source_port_range", "*");
	ports(&b, e, mem);
	addresses(&b, "source_address_prefix", "source_address_prefixes", from, n_from);
	addresses(&b, "destination_address_prefix", "destination_address_prefixes", to, n_to);
	if (where)
		text(&b, "resource_group_name", where);
	else
		expression(&b, "resource_group_name", "var.resource_group_name");
	if (p->nsg)
		text(&b, "network_security_group_name", p->name);
	else /* a reference, so that the group is made before its rules */
		expression(&b, "network_security_group_name", wh_arena_printf(mem, "azurerm_network_security_group.%s.name", label(mem, p->name, "")));
	return close_block(f, &b);
}

static bool new_group(FILE *f, const struct wh_nsg_plan *p, struct wh_arena *mem)
{
	struct block b = {.n = 0};
	fprintf(f, "\n# %s is a new group, since its host has none yet: it guards nothing until an interface or a subnet is associated with it.\n",
	        wh_nsg_clean_name(p->name, 80, mem));
	fprintf(f, "resource \"azurerm_network_security_group\" \"%s\" {\n", label(mem, p->name, ""));
	text(&b, "name", p->name);
	expression(&b, "location", "var.location");
	expression(&b, "resource_group_name", "var.resource_group_name");
	return close_block(f, &b);
}

/* What only the configuration of the group itself can do. */
static void by_hand(FILE *f, const struct wh_nsg_plan *p, struct wh_arena *mem)
{
	const char *group = wh_nsg_clean_name(p->name, 80, mem);
	for (size_t k = 0; k < p->n; k++)
		if (p->entries[k].existing && p->entries[k].renumbered)
			fprintf(f, "\n# %s: rule %s must move from priority %u to %u first, where it is configured.\n", group,
			        wh_nsg_clean_name(p->entries[k].existing->name, 80, mem), p->entries[k].existing->priority, p->entries[k].priority);
	for (size_t k = 0; p->nsg && p->n_removed && k < p->nsg->n_rules; k++)
		if (wh_nsg_plan_removes(p, &p->nsg->rules[k]))
			fprintf(f, "\n# %s: rule %s was kept long enough: remove it where it is configured.\n", group, wh_nsg_clean_name(p->nsg->rules[k].name, 80, mem));
}

static int write_terraform(FILE *f, const struct wh_nsg_plan *plans, size_t n, struct wh_arena *mem, struct wh_error *err)
{
	bool asks = false, makes = false, whole = true;
	fputs("# Written by whittle: the narrowed rules, each before the rule that it narrows.\n"
	      "# A group whose rules stand as security_rule blocks inside it takes these as blocks there: Terraform can't mix both.\n", f);
	for (size_t i = 0; i < n; i++) {
		asks |= !wh_nsg_id_part(&plans[i], "resourceGroups", mem);
		makes |= !plans[i].nsg;
	}
	if (asks)
		fputs("\nvariable \"resource_group_name\" {\n  type        = string\n  description = \"The resource group of the network security groups\"\n}\n", f);
	if (makes)
		fputs("\nvariable \"location\" {\n  type        = string\n  description = \"Where new groups are made\"\n}\n", f);
	for (size_t i = 0; i < n; i++) {
		const struct wh_nsg_plan *p = &plans[i];
		by_hand(f, p, mem);
		if (!p->nsg)
			whole &= new_group(f, p, mem);
		for (size_t k = 0; k < p->n; k++)
			if (!p->entries[k].existing)
				whole &= rule(f, p, &p->entries[k], wh_nsg_id_part(p, "resourceGroups", mem), mem);
	}
	return whole ? 0 : wh_fail(err, -ENOMEM, "out of memory");
}

static int render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, char **out, struct wh_error *err)
{
	struct wh_render_options own = opt ? *opt : (struct wh_render_options){0};
	own.move_terraform = true; /* a comment tells which, to where */
	return wh_nsg_render(r, e, &own, write_terraform, out, err);
}

const struct wh_renderer wh_render_terraform = {"terraform", "the new rules as azurerm_network_security_rule, for a pull request", render};
