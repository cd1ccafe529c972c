/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The formats aws and aws-sh: the calls that narrow AWS's security groups, as JSON that `aws ec2 … --cli-input-json` takes, or as
 * a script. For each group everything is authorized before anything is revoked.
 */
#include <stdlib.h>
#include <string.h>
#include "render/aws_plan.h"
#include "render/nsg_plan.h"

#define CIDR_STRLEN (WH_PREFIX_STRLEN + 4)

/* AWS wants the length of a single address, too. */
static const char *cidr(const struct wh_prefix *p, char buf[static CIDR_STRLEN])
{
	char text[WH_PREFIX_STRLEN];
	wh_prefix_text(p, text);
	snprintf(buf, CIDR_STRLEN, "%s%s", text, strchr(text, '/') ? "" : wh_prefix_is_v4(p) ? "/32" : "/128");
	return buf;
}

static json_t *source(const struct wh_aws_entry *e, bool described)
{
	char buf[CIDR_STRLEN];
	return json_pack("{s:s, s:s*}", wh_prefix_is_v4(&e->prefix) ? "CidrIp" : "CidrIpv6", cidr(&e->prefix, buf), "Description",
	                 described ? e->description : NULL);
}

static json_t *permission(const struct wh_aws_entry *e)
{
	return json_pack("{s:s, s:i, s:i}", "IpProtocol", e->proto == WH_PROTO_TCP ? "tcp" : "udp", "FromPort", e->from, "ToPort",
	                 e->to);
}

/* The rules as AWS's IpPermissions: those of the same ports together. */
static json_t *permissions(const struct wh_aws_entries *l, bool revoked)
{
	json_t *out = json_array(), *p;
	size_t k;
	for (size_t i = 0; i < l->n; i++) {
		const struct wh_aws_entry *e = &l->e[i];
		json_t *into = NULL, *key = permission(e);
		if (e->revoked != revoked) {
			json_decref(key);
			continue;
		}
		json_array_foreach(out, k, p)
			if (json_equal(json_object_get(p, "IpProtocol"), json_object_get(key, "IpProtocol")) &&
			    json_equal(json_object_get(p, "FromPort"), json_object_get(key, "FromPort")) &&
			    json_equal(json_object_get(p, "ToPort"), json_object_get(key, "ToPort")))
				into = p;
		if (!into)
			json_array_append(out, into = key);
		const char *list = wh_prefix_is_v4(&e->prefix) ? "IpRanges" : "Ipv6Ranges";
		if (!json_object_get(into, list))
			json_object_set_new(into, list, json_array());
		json_array_append_new(json_object_get(into, list), source(e, !revoked));
		json_decref(key);
	}
	return out;
}

static const char *operation(const struct wh_aws_change *c, bool revoke)
{
	return c->direction == WH_INBOUND ? revoke ? "revoke-security-group-ingress" : "authorize-security-group-ingress"
	       : revoke                   ? "revoke-security-group-egress"
	                                  : "authorize-security-group-egress";
}

static size_t count(const struct wh_aws_entries *l, bool revoked)
{
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++)
		n += l->e[i].revoked == revoked;
	return n;
}

static const char *word_of(const struct wh_aws_change *c)
{
	return c->direction == WH_INBOUND ? "inbound" : "outbound";
}

static json_t *document(const struct wh_aws_change *c, size_t n)
{
	json_t *calls = json_array(), *left = json_array();
	char buf[8];
	for (size_t i = 0; i < n; i++) {
		const struct wh_aws_entries *lists[] = {&c[i].add, &c[i].had};
		for (int k = 0; k < 2; k++)
			if (count(lists[k], k))
				json_array_append_new(calls, json_pack("{s:s, s:s, s:s*, s:{s:s, s:o}}", "operation",
				                                       operation(&c[i], k), "groupName", c[i].name, "region",
				                                       c[i].region, "input", "GroupId", c[i].id, "IpPermissions",
				                                       permissions(lists[k], k)));
		for (size_t k = 0; k < c[i].n_ports; k++) {
			const struct wh_aws_port *p = &c[i].ports[k];
			if (p->left || p->note)
				json_array_append_new(left,
				                      json_pack("{s:s, s:s, s:s, s:s, s:i, s:b, s:s}", "groupId", c[i].id,
				                                "groupName", c[i].name, "direction", word_of(&c[i]), "protocol",
				                                wh_proto_text(p->proto, buf), "port", p->port, "narrowed",
				                                !p->left, "reason", p->left ? p->left : p->note));
		}
	}
	return json_pack("{s:i, s:o, s:o}", "version", 1, "calls", calls, "leftAlone", left);
}

/* ---- for a person ---- */

static char *notes(const struct wh_aws_change *c, size_t n)
{
	char *out = NULL, proto[8];
	size_t len, changed = 0;
	FILE *f = open_memstream(&out, &len);
	if (!f)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t revoked = count(&c[i].had, true);
		changed += revoked;
		if (revoked)
			fprintf(f, "%s (%s) %s: %zu rule%s authorized, %zu revoked\n", c[i].name, c[i].id, word_of(&c[i]),
			        c[i].add.n, c[i].add.n == 1 ? "" : "s", revoked);
		for (size_t k = 0; k < c[i].n_ports; k++) {
			const struct wh_aws_port *p = &c[i].ports[k];
			if (p->left || p->note)
				fprintf(f, "%s (%s) %s %s %u %s: %s\n", c[i].name, c[i].id, word_of(&c[i]),
				        wh_proto_text(p->proto, proto), p->port, p->left ? "is left alone" : "stays open in part",
				        p->left ? p->left : p->note);
		}
	}
	if (!changed)
		fputs("No security group of AWS is changed\n", f);
	return fclose(f) ? NULL : out;
}

/* ---- formats ---- */

typedef int (*writer)(FILE *f, const struct wh_aws_change *c, size_t n);

static int render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, writer write,
                  char **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_aws_change *c;
	size_t n = wh_aws_plans(r, e, opt, mem, &c), len;
	*out = NULL;
	FILE *f = open_memstream(out, &len);
	int rc = f ? write(f, c, n) : -ENOMEM;
	if (f && fclose(f))
		rc = -ENOMEM;
	if (!rc && opt && opt->notes)
		*opt->notes = notes(c, n);
	wh_arena_free(mem);
	if (rc) {
		free(*out);
		*out = NULL;
	}
	return rc ? wh_fail(err, rc, "out of memory") : 0;
}

static int write_json(FILE *f, const struct wh_aws_change *c, size_t n)
{
	json_t *doc = document(c, n);
	int rc = doc && !json_dumpf(doc, f, JSON_INDENT(2)) && fputc('\n', f) != EOF ? 0 : -ENOMEM;
	json_decref(doc);
	return rc;
}

static int render_json(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt,
                       char **out, struct wh_error *err)
{
	return render(r, e, opt, write_json, out, err);
}

/* For the shell: texts of JSON have no other quote that matters. */
static void quoted(FILE *f, const char *s)
{
	fputc('\'', f);
	for (; *s; s++)
		fputs(*s == '\'' ? "'\\''" : (char[]){*s, 0}, f);
	fputc('\'', f);
}

static int command(FILE *f, const struct wh_aws_change *c, const struct wh_aws_entry *e, bool revoke)
{
	json_t *p = permission(e);
	json_object_set_new(p, wh_prefix_is_v4(&e->prefix) ? "IpRanges" : "Ipv6Ranges", json_pack("[o]", source(e, !revoke)));
	json_t *list = json_pack("[o]", p);
	char *text = json_dumps(list, JSON_COMPACT);
	fprintf(f, "once aws ec2 %s", operation(c, revoke));
	if (c->region)
		fprintf(f, " --region %s", c->region);
	fputs(" --group-id ", f);
	quoted(f, c->id);
	fputs(" --ip-permissions ", f);
	if (text)
		quoted(f, text);
	fputc('\n', f);
	json_decref(list);
	free(text);
	return text ? 0 : -ENOMEM;
}

/* A call has one rule: AWS refuses a call as a whole where one of its rules is there, so that running the script again would stop
 * at what it did before. */
static int write_script(FILE *f, const struct wh_aws_change *c, size_t n)
{
	int rc = 0;
	fputs("#!/bin/sh\n# Written by whittle. Read it, then run it where `aws` is set up. It stops at the first command that fails; until then\n# each group lets through no more than before and no less than afterwards, and running it again completes it.\nset -eu\n\n# A rule that is there already, or gone already, is no failure.\nonce() {\n\tif ! said=$(\"$@\" 2>&1); then\n\t\tcase $said in\n\t\t*InvalidPermission.Duplicate* | *InvalidPermission.NotFound*) ;;\n\t\t*)\n\t\t\tprintf '%s\\n' \"$said\" >&2\n\t\t\texit 1\n\t\t\t;;\n\t\tesac\n\tfi\n}\n",
	      f);
	for (size_t i = 0; i < n; i++) {
		if (count(&c[i].had, true))
			fprintf(f, "\n# ---- %s, %s ----\n", wh_nsg_clean_name(c[i].name, 80, c[i].mem), word_of(&c[i]));
		for (size_t k = 0; k < c[i].add.n && !rc; k++)
			rc = command(f, &c[i], &c[i].add.e[k], false);
		for (size_t k = 0; k < c[i].had.n && !rc; k++)
			if (c[i].had.e[k].revoked)
				rc = command(f, &c[i], &c[i].had.e[k], true);
	}
	return rc;
}

static int render_script(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt,
                         char **out, struct wh_error *err)
{
	return render(r, e, opt, write_script, out, err);
}

const struct wh_renderer wh_render_aws = {"aws", "changes of AWS's security groups as JSON: authorize, then revoke", render_json};
const struct wh_renderer wh_render_aws_sh = {"aws-sh", "the same as a script of aws commands", render_script};
