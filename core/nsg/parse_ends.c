/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two ends of a rule: ports and addresses, of one field or a list, as Azure's documents have them. What only templates,
 * portals and other scanners write is read as what it can only mean: 22 for "22", "80,443" for a list, <nw>/0 for everything.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "nsg/parse.h"
#include "nsg/published_tags.h"

const char *wh_nsg_text_or_number(struct parse *p, const json_t *v)
{
	if (json_is_integer(v))
		return wh_arena_printf(p->mem, "%lld", (long long)json_integer_value(v));
	return json_is_string(v) && json_string_length(v) ? json_string_value(v) : NULL;
}

/* Each text of a field and its list, cut at commas. `each` returns 0 or an error, which ends it. */
struct parts { struct parse *p; const char *what; int (*each)(void *arg, const char *key, const char *text); void *arg; };

static int cut(const struct parts *x, const char *key, const json_t *v)
{
	const char *s = wh_nsg_text_or_number(x->p, v);
	int rc = 0;
	if (!s)
		return wh_nsg_bad(x->p, key, "%s must be a text", x->what);
	if (wh_tag_is_expression(s))
		return x->each(x->arg, key, s);
	for (size_t n; *s && !rc; s += n + (s[n] == ',')) {
		s += strspn(s, " ");
		n = strcspn(s, ",");
		size_t kept = n;
		while (kept && s[kept - 1] == ' ')
			kept--;
		rc = x->each(x->arg, key, wh_arena_printf(x->p->mem, "%.*s", (int)kept, s));
	}
	return rc;
}

static int each_part(const struct parts *x, const json_t *o, const char *single, const char *plural)
{
	const json_t *list = json_object_get(o, plural), *one = json_object_get(o, single);
	int rc = wh_nsg_text_or_number(x->p, one) ? cut(x, single, one) : 0;
	size_t i;
	json_t *v;
	if (!rc && wh_nsg_text_or_number(x->p, list))
		rc = cut(x, plural, list);
	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		rc = rc ? rc : cut(x, plural, v);
	return rc;
}

/* ---- ports ---- */

struct port_reading { struct parse *p; struct wh_nsg_ports *out; };

static int add_port(void *arg, const char *key, const char *s)
{
	struct port_reading *r = arg;
	struct wh_nsg_ports *out = r->out;
	char *end;
	if (wh_tag_is_expression(s)) {
		out->unknown = s;
		return 0;
	}
	bool any = !strcmp(s, "*") || !strcasecmp(s, "any");
	unsigned long a = any ? 0 : strtoul(s, &end, 10), b = any ? 65535 : a;
	if (!any && (*s < '0' || *s > '9' || (*end == '-' && (end[1] < '0' || end[1] > '9'))))
		return wh_nsg_bad(r->p, key, "'%s' is not a port, a range like 20-25, or *", s);
	if (!any && *end == '-')
		b = strtoul(end + 1, &end, 10);
	if (!any && (*end || a > 65535 || b > 65535 || a > b))
		return wh_nsg_bad(r->p, key, "'%s' is not a port, a range like 20-25, or *", s);
	out->list = wh_arena_grown(r->p->mem, out->list, out->n, &out->room, sizeof *out->list);
	out->list[out->n++] = (struct wh_port_range){(uint16_t)a, (uint16_t)b};
	return 0;
}

int wh_nsg_parse_ports(struct parse *p, const json_t *o, const char *single, const char *plural, struct wh_nsg_ports *out)
{
	struct port_reading r = {p, out};
	int rc = each_part(&(struct parts){p, "a port", add_port, &r}, o, single, plural);
	if (rc || (!out->n && !out->unknown))
		return rc ? rc : wh_nsg_bad(p, single, "the rule has neither %s nor %s", single, plural);
	if (out->unknown) {
		out->n = 0;
		add_port(&r, single, "*");
	}
	return 0;
}

/* ---- addresses ---- */

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
/* A service tag, such as Storage.WestEurope; one may begin with a digit, but its first part has a letter, which no mistyped
 * address has. */
static bool is_tag(const char *s)
{
	size_t first = strcspn(s, "._-");
	return first && strcspn(s, LETTERS) < first && s[strspn(s, LETTERS "0123456789._-")] == 0;
}

static void add_prefix(struct parse *p, struct wh_nsg_side *out, struct wh_prefix prefix)
{
	out->p = wh_arena_grown(p->mem, out->p, out->n, &out->room, sizeof *out->p);
	out->p[out->n++] = prefix;
}

static void add_tag(struct parse *p, struct wh_nsg_side *out, const char *s)
{
	out->tags = wh_arena_grown(p->mem, out->tags, out->n_tags, &out->room_tags, sizeof *out->tags);
	out->tags[out->n_tags++] = wh_arena_strdup(p->mem, s);
}

/* No bit of a network of length 0 counts, so any text may precede it: /0, 0/0, <nw>/0. */
static bool is_everything(const char *s)
{
	size_t n = strlen(s);
	return !strcmp(s, "*") || !strcasecmp(s, "any") || (n >= 2 && !strcmp(s + n - 2, "/0") && !strpbrk(s, ".:"));
}

int wh_nsg_parse_address(struct parse *p, const char *key, const char *s, struct wh_nsg_side *out, struct wh_rule *r)
{
	bool host = false;
	char buf[WH_PREFIX_STRLEN];
	struct wh_prefix prefix;
	if (wh_tag_is_expression(s)) {
		add_tag(p, out, s);
		return 0;
	}
	if (is_everything(s)) {
		add_prefix(p, out, wh_prefix_all_v4);
		add_prefix(p, out, wh_prefix_all_v6);
		return 0;
	}
	if (!wh_prefix_parse(s, strlen(s), &prefix, &host)) {
		if (strchr(s, ':') && wh_prefix_is_v4(&prefix)) {
			add_tag(p, out, s); /* ::ffff:1.2.3.0/120 is IPv6: read as IPv4 it would open another place */
			return 0;
		}
		if (host)
			r->note = wh_arena_printf(p->mem, "%s%s%s read as %s (host bits were set)", r->note ? r->note : "",
			                          r->note ? "; " : "", s, wh_prefix_text(&prefix, buf));
		add_prefix(p, out, prefix);
		return 0;
	}
	if (is_tag(s)) { /* hexadecimal IPv6 has been tried above */
		add_tag(p, out, s);
		return 0;
	}
	return wh_nsg_bad(p, key, "'%s' is not an address, a prefix or a service tag", s);
}

struct address_reading { struct parse *p; struct wh_nsg_side *out; struct wh_rule *r; };

static int add_address(void *arg, const char *key, const char *s)
{
	struct address_reading *x = arg;
	return wh_nsg_parse_address(x->p, key, s, x->out, x->r);
}

int wh_nsg_parse_addresses(struct parse *p, const json_t *o, const char *single, const char *plural, const char *asg,
                           struct wh_nsg_side *out, struct wh_rule *r)
{
	const json_t *members = json_object_get(o, asg);
	struct address_reading x = {p, out, r};
	size_t i;
	json_t *v;
	if (json_array_size(members))
		r->unsupported = true;
	out->asgs = wh_arena_array(p->mem, json_array_size(members) + 1, sizeof *out->asgs);
	json_array_foreach((json_t *)(uintptr_t)members, i, v)
		out->asgs[out->n_asgs++] = wh_arena_strdup(p->mem, wh_nsg_text(v, "id") ? wh_nsg_text(v, "id") : "");
	int rc = each_part(&(struct parts){p, "an address", add_address, &x}, o, single, plural);
	if (rc || (!out->n && !out->n_tags && !r->unsupported))
		return rc ? rc : wh_nsg_bad(p, single, "the rule has neither %s nor %s", single, plural);
	out->n = wh_prefix_merge(out->p, out->n);
	return 0;
}
