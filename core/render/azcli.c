/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The change as a script of `az` commands, to be read before it is run. Rules move without a change of order; new rules are
 * created from the first to the last; and older rules of ours are deleted from the last to the first (nsg_beside.c proves that
 * order). It stops at the first command that fails; the group then decides each packet as before or as after, and running it
 * again completes it.
 */
#include <stdlib.h>
#include <string.h>
#include "render/nsg_plan.h"

/* A word for the shell. */
static void word(FILE *f, const char *s)
{
	fputc('\'', f);
	for (; *s; s++)
		if (*s == '\'')
			fputs("'\\''", f);
		else
			fputc(*s, f);
	fputc('\'', f);
}

static void command(FILE *f, const char *verb, const struct wh_nsg_plan *p, const char *name)
{
	fprintf(f, "az network nsg rule %s --resource-group \"$group\" --nsg-name ", verb);
	word(f, p->name);
	fputs(" --name ", f);
	word(f, name);
}

static void addresses(FILE *f, const char *option, const struct wh_prefix *p, size_t n)
{
	char buf[WH_PREFIX_STRLEN];
	fprintf(f, " \\\n\t%s", option);
	for (size_t i = 0; i < n; i++) {
		fputc(' ', f);
		word(f, wh_prefix_text(&p[i], buf));
	}
	if (!n)
		fputs(" '*'", f);
}

static void create(FILE *f, const struct wh_nsg_plan *p, const struct wh_nsg_entry *e)
{
	bool in = e->direction == WH_INBOUND;
	command(f, "create", p, e->name);
	fprintf(f, " \\\n\t--priority %u --direction %s --access %s --protocol '%s'", e->priority,
	        wh_direction_text(e->direction), e->allow ? "Allow" : "Deny", wh_nsg_protocol(e->proto));
	struct wh_arena *mem = wh_arena_new();
	const char **ports;
	size_t n = wh_nsg_port_ranges(e->src, e->n_src, mem, &ports);
	fputs(" --source-port-ranges", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, e->n_src ? " %s" : " '%s'", ports[i]);
	n = wh_nsg_ports(e, mem, &ports);
	fputs(" --destination-port-ranges", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, e->any_port ? " '%s'" : " %s", ports[i]);
	wh_arena_free(mem);
	if (e->tag)
		fprintf(f, " \\\n\t%s %s", in ? "--source-address-prefixes" : "--destination-address-prefixes", e->tag);
	else
		addresses(f, in ? "--source-address-prefixes" : "--destination-address-prefixes", e->everyone ? NULL : e->peers,
		          e->everyone ? 0 : e->n_peers);
	addresses(f, in ? "--destination-address-prefixes" : "--source-address-prefixes", e->locals, e->n_locals);
	fputs(" \\\n\t--description ", f);
	word(f, e->description);
	fputc('\n', f);
}

static void move(FILE *f, const struct wh_nsg_plan *p, const struct wh_nsg_entry *e, bool up)
{
	const struct wh_rule *was = e->existing ? e->existing : e->in_place;
	if (!was || was->priority == e->priority || (e->priority > was->priority) != up)
		return;
	command(f, "update", p, was->name);
	fprintf(f, " --priority %u\n", e->priority);
}

/* Two rules of a direction can't share a priority, not even for a moment: rules that move up go first, from the top, then the
 * others from below. */
static void moves(FILE *f, const struct wh_nsg_plan *p)
{
	for (size_t k = p->n; k-- > 0;)
		move(f, p, &p->entries[k], true);
	for (size_t k = 0; k < p->n; k++)
		move(f, p, &p->entries[k], false);
}

/* Older rules of ours, from the last: see nsg_beside.c. */
static void delete_old(FILE *f, const struct wh_nsg_plan *p)
{
	for (size_t k = p->n; k-- > 0;)
		if (p->entries[k].leaving) {
			command(f, "delete", p, p->entries[k].existing->name);
			fputc('\n', f);
		}
}

/* Originals that were kept long enough and are no longer needed. */
static void delete_originals(FILE *f, const struct wh_nsg_plan *p)
{
	for (size_t i = 0; p->nsg && i < p->nsg->n_rules; i++) {
		const struct wh_rule *r = &p->nsg->rules[i];
		bool stays = r->is_default;
		for (size_t k = 0; k < p->n && !stays; k++)
			stays = p->entries[k].existing == r || p->entries[k].in_place == r;
		if (!stays) {
			command(f, "delete", p, r->name);
			fputc('\n', f);
		}
	}
}

static void group(FILE *f, const struct wh_nsg_plan *p, struct wh_arena *mem)
{
	const char *where = wh_nsg_id_part(p->nsg, "resourceGroups", mem),
		   *subscription = wh_nsg_id_part(p->nsg, "subscriptions", mem);
	fprintf(f, "\n# ---- %s ----\ngroup=", wh_nsg_clean_name(p->name, 80, mem));
	if (where)
		word(f, where);
	else
		fputs("${RESOURCE_GROUP:?the resource group of this network security group}", f);
	fputc('\n', f);
	if (subscription) {
		fputs("az account set --subscription ", f);
		word(f, subscription);
		fputc('\n', f);
	}
	if (!p->nsg) {
		fputs("az network nsg create --resource-group \"$group\" --name ", f);
		word(f, p->name);
		fputc('\n', f);
	}
	moves(f, p);
	for (size_t k = 0; k < p->n; k++)
		if (!p->entries[k].existing)
			create(f, p, &p->entries[k]);
	delete_old(f, p);
	delete_originals(f, p);
}

/* az takes an argument that begins with '@' as the name of a file to read, and one with '-' as an option, whatever the quotes.
 * Azure has no such names, but a file that somebody wrote may. */
static int plain(const char *name, const struct wh_nsg_plan *p, struct wh_error *err)
{
	return name && (*name == '@' || *name == '-')
	               ? wh_fail_input(err, -EINVAL,
	                               "%s: '%s' can't be an argument of az; no group or rule at Azure has such a name", p->name,
	                               name)
	               : 0;
}

static int all_plain(const struct wh_nsg_plan *p, struct wh_arena *mem, struct wh_error *err)
{
	int rc = plain(p->name, p, err);
	rc = rc ? rc : plain(wh_nsg_id_part(p->nsg, "resourceGroups", mem), p, err);
	rc = rc ? rc : plain(wh_nsg_id_part(p->nsg, "subscriptions", mem), p, err);
	for (size_t i = 0; p->nsg && i < p->nsg->n_rules && !rc; i++)
		rc = plain(p->nsg->rules[i].name, p, err);
	return rc;
}

static int write_script(FILE *f, const struct wh_nsg_plan *plans, size_t n, struct wh_arena *mem, struct wh_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (all_plain(&plans[i], mem, err))
			return -EINVAL;
	fputs("#!/bin/sh\n# Written by whittle. Read it, then run it where `az login` was done. It stops at the first command that fails;\n"
	      "# until then every packet is decided as before or as after it, and running it again completes it.\n# shellcheck disable=SC2016 # what stands in single quotes is meant as it stands\nset -eu\n",
	      f);
	for (size_t i = 0; i < n; i++)
		group(f, &plans[i], mem);
	return 0;
}

static int render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, char **out,
                  struct wh_error *err)
{
	struct wh_render_options own = opt ? *opt : (struct wh_render_options){0};
	own.beside = true;
	return wh_nsg_render(r, e, &own, write_script, out, err);
}

const struct wh_renderer wh_render_az = {"az", "a script of az commands, to be read and run", render};
