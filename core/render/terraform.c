/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The change as Terraform, for a pull request: a resource for each rule that is new. Rules of the imported group stay whoever's they are;
 * where one has to move to make room, a comment says to which priority, because only its own configuration can move it.
 */
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

static void argument(FILE *f, const char *name, const char *text)
{
	fprintf(f, "  %-27s = ", name);
	quoted(f, text);
	fputc('\n', f);
}

static void addresses(FILE *f, const char *side, const struct wh_prefix *p, size_t n)
{
	char name[40], buf[WH_PREFIX_STRLEN];
	snprintf(name, sizeof name, "%s_address_prefix%s", side, n > 1 ? "es" : "");
	if (n < 2) {
		argument(f, name, n ? wh_prefix_text(p, buf) : "*");
		return;
	}
	fprintf(f, "  %-27s = [\n", name);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "    \"%s\",\n", wh_prefix_text(&p[i], buf));
	fputs("  ]\n", f);
}

static const char *label(struct wh_arena *mem, const char *group, const char *rule)
{
	char *s = wh_arena_printf(mem, "%s_%s", group, rule);
	for (char *c = s; *c; c++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", *c))
			*c = '_';
	return *s >= '0' && *s <= '9' ? wh_arena_printf(mem, "nsg_%s", s) : s;
}

static void rule(FILE *f, const struct wh_nsg_plan *p, const struct wh_nsg_entry *e, const char *where, struct wh_arena *mem)
{
	bool in = e->direction == WH_INBOUND;
	const char **ports;
	size_t n_ports = wh_nsg_ports(e, mem, &ports);
	fprintf(f, "\nresource \"azurerm_network_security_rule\" \"%s\" {\n", label(mem, p->name, e->name));
	argument(f, "name", e->name);
	argument(f, "description", e->description);
	fprintf(f, "  %-27s = %u\n", "priority", e->priority);
	argument(f, "direction", wh_direction_text(e->direction));
	argument(f, "access", e->allow ? "Allow" : "Deny");
	argument(f, "protocol", wh_nsg_protocol(e->proto));
	argument(f, "source_port_range", "*");
	if (n_ports == 1) {
		argument(f, "destination_port_range", ports[0]);
	} else {
		fprintf(f, "  %-27s = [", "destination_port_ranges");
		for (size_t i = 0; i < n_ports; i++)
			fprintf(f, "%s\"%s\"", i ? ", " : "", ports[i]);
		fputs("]\n", f);
	}
	addresses(f, in ? "source" : "destination", e->everyone ? NULL : e->peers, e->everyone ? 0 : e->n_peers);
	addresses(f, in ? "destination" : "source", e->locals, e->n_locals);
	if (where)
		argument(f, "resource_group_name", where);
	else
		fprintf(f, "  %-27s = var.resource_group_name\n", "resource_group_name");
	argument(f, "network_security_group_name", p->name);
	fputs("}\n", f);
}

static int write_terraform(FILE *f, const struct wh_nsg_plan *plans, size_t n, struct wh_arena *mem, struct wh_error *err)
{
	bool asks = false;
	(void)err;
	fputs("# Written by whittle: the narrowed rules, each before the rule that it narrows.\n"
	      "# A group whose rules stand as security_rule blocks inside it takes these as blocks there: Terraform can't mix both.\n", f);
	for (size_t i = 0; i < n; i++)
		asks |= !wh_nsg_id_part(&plans[i], "resourceGroups", mem);
	if (asks)
		fputs("\nvariable \"resource_group_name\" {\n  type        = string\n  description = \"The resource group of the network security groups\"\n}\n", f);
	for (size_t i = 0; i < n; i++) {
		const struct wh_nsg_plan *p = &plans[i];
		for (size_t k = 0; k < p->n; k++)
			if (p->entries[k].existing && p->entries[k].renumbered)
				fprintf(f, "\n# %s: rule %s must move from priority %u to %u first, where it is configured.\n", wh_nsg_clean_name(p->name, 80, mem),
				        wh_nsg_clean_name(p->entries[k].existing->name, 80, mem), p->entries[k].existing->priority, p->entries[k].priority);
		for (size_t k = 0; p->nsg && p->n_removed && k < p->nsg->n_rules; k++)
			if (wh_nsg_plan_removes(p, &p->nsg->rules[k]))
				fprintf(f, "\n# %s: rule %s was kept long enough: remove it where it is configured.\n", wh_nsg_clean_name(p->name, 80, mem),
				        wh_nsg_clean_name(p->nsg->rules[k].name, 80, mem));
		if (!p->nsg) {
			fprintf(f, "\n# %s is a new group; its host has none yet.\n", wh_nsg_clean_name(p->name, 80, mem));
			fprintf(f, "resource \"azurerm_network_security_group\" \"%s\" {\n", label(mem, p->name, "group"));
			argument(f, "name", p->name);
			fputs("  location                    = var.location\n  resource_group_name         = var.resource_group_name\n}\n", f);
		}
		for (size_t k = 0; k < p->n; k++)
			if (!p->entries[k].existing)
				rule(f, p, &p->entries[k], wh_nsg_id_part(p, "resourceGroups", mem), mem);
	}
	for (size_t i = 0; i < n; i++)
		if (!plans[i].nsg) {
			fputs("\nvariable \"location\" {\n  type        = string\n  description = \"Where new groups are made\"\n}\n", f);
			break;
		}
	return 0;
}

static int render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, char **out, struct wh_error *err)
{
	return wh_nsg_render(r, e, opt, write_terraform, out, err);
}

const struct wh_renderer wh_render_terraform = {"terraform", "the new rules as azurerm_network_security_rule, for a pull request", render};
