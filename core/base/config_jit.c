/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sections of whittle.yaml that guard what is enforced:
 *   jit:   [{resource: vm1, ports: [22, 3389/tcp], from: [203.0.113.0/24], who: [ada], longest: 3h}]
 *   watch: {alerts: alerts.jsonl, syslog: yes, revert: yes, repair: yes, after-confirm: 1h, hits: 3}
 */
#include <stdlib.h>
#include <string.h>
#include "base/config_parts.h"

/* The entries of a list, or a lone scalar; NULL for what is neither. */
static const struct wh_yaml *first_of(const struct wh_yaml *n)
{
	return n->kind == WH_YAML_LIST ? n->child : n->kind == WH_YAML_SCALAR ? n : NULL;
}

static const struct wh_yaml *next_of(const struct wh_yaml *list, const struct wh_yaml *k)
{
	return list == k ? NULL : k->next;
}

static size_t entries(const struct wh_yaml *n)
{
	size_t k = 0;
	for (const struct wh_yaml *i = first_of(n); i; i = next_of(n, i))
		k++;
	return k;
}

static int a_port(const char *file, const struct wh_yaml *n, struct wh_jit_port *out, struct wh_error *err)
{
	const char *text = "";
	char *end;
	int rc = wh_config_text(file, n, &text, err);
	if (rc)
		return rc;
	unsigned long port = strtoul(text, &end, 10);
	out->proto = WH_PROTO_TCP;
	if (*text < '0' || *text > '9' || !port || port > 65535 || (*end && *end != '/') || (*end && wh_proto_parse(end + 1, &out->proto)) ||
	    (out->proto != WH_PROTO_TCP && out->proto != WH_PROTO_UDP))
		return wh_fail_input(err, -EINVAL, "%s:%d: '%.60s' is not a port such as 22 or 53/udp", file, n->line, text);
	out->port = (uint16_t)port;
	return 0;
}

static int a_prefix(const char *file, const struct wh_yaml *n, struct wh_prefix *out, struct wh_error *err)
{
	const char *text = "";
	char buf[WH_PREFIX_STRLEN];
	bool host_bits;
	int rc = wh_config_text(file, n, &text, err);
	if (!rc && wh_prefix_parse(text, strlen(text), out, &host_bits))
		return wh_fail_input(err, -EINVAL, "%s:%d: '%.60s' is neither an address nor a prefix", file, n->line, text);
	if (!rc && host_bits)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%.60s' has host bits set; did you mean '%s'?", file, n->line, text, wh_prefix_text(out, buf));
	return rc;
}

static int jit_key(struct wh_config *c, const char *file, const struct wh_yaml *n, struct wh_jit_policy *p, struct wh_error *err)
{
	const char *text = "";
	int rc = 0;
	size_t room = entries(n) + 1;
	if (!strcmp(n->key, "resource")) {
		if (!(rc = wh_config_text(file, n, &text, err)))
			p->resource = wh_arena_strdup(c->mem, text);
	} else if (!strcmp(n->key, "longest")) {
		rc = wh_config_duration(file, n, &p->longest_s, err);
		if (!rc && p->longest_s > 30 * 86400)
			rc = wh_fail_input(err, -EINVAL, "%s:%d: 'longest' may be at most 30 days", file, n->line);
	} else if (!first_of(n)) {
		rc = wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a list with at least one entry", file, n->line, n->key);
	} else if (!strcmp(n->key, "ports")) {
		p->ports = wh_arena_array(c->mem, room, sizeof *p->ports);
		for (const struct wh_yaml *k = first_of(n); k && !rc; k = next_of(n, k))
			rc = a_port(file, k, &p->ports[p->n_ports++], err);
	} else if (!strcmp(n->key, "from")) {
		p->from = wh_arena_array(c->mem, room, sizeof *p->from);
		for (const struct wh_yaml *k = first_of(n); k && !rc; k = next_of(n, k))
			rc = a_prefix(file, k, &p->from[p->n_from++], err);
	} else {
		p->who = wh_arena_array(c->mem, room, sizeof *p->who);
		for (const struct wh_yaml *k = first_of(n); k && !rc; k = next_of(n, k))
			if (!(rc = wh_config_text(file, k, &text, err)))
				p->who[p->n_who++] = wh_arena_strdup(c->mem, text);
	}
	return rc;
}

int wh_config_jit(struct wh_config *c, const char *file, const struct wh_yaml *list, struct wh_error *err)
{
	static const char *const known[] = {"resource", "ports", "from", "who", "longest", NULL};
	int rc = 0;
	if (list->kind != WH_YAML_LIST)
		return wh_fail_input(err, -EINVAL, "%s:%d: 'jit' must be a list of policies: [{resource: …, ports: […], from: […], who: […], longest: 3h}]", file, list->line);
	c->jit = wh_arena_array(c->mem, entries(list) + 1, sizeof *c->jit);
	for (const struct wh_yaml *k = list->child; k && !rc; k = k->next) {
		struct wh_jit_policy *p = &c->jit[c->n_jit++];
		p->longest_s = 3 * 3600;
		if (k->kind != WH_YAML_MAP)
			return wh_fail_input(err, -EINVAL, "%s:%d: a policy of 'jit' is a map with resource and ports", file, k->line);
		rc = wh_yaml_check_keys(file, k, known, err);
		for (const struct wh_yaml *n = k->child; n && !rc; n = n->next)
			rc = jit_key(c, file, n, p, err);
		if (!rc && (!p->resource || !p->n_ports))
			rc = wh_fail_input(err, -EINVAL, "%s:%d: a policy of 'jit' needs a resource and its ports", file, k->line);
		for (size_t i = 0; !rc && i + 1 < c->n_jit; i++)
			if (!strcmp(c->jit[i].resource, p->resource))
				rc = wh_fail_input(err, -EEXIST, "%s:%d: there are two policies of 'jit' for %s", file, k->line, p->resource);
	}
	return rc;
}

int wh_config_watch(struct wh_config *c, const char *file, const struct wh_yaml *map, struct wh_error *err)
{
	static const char *const known[] = {"alerts", "syslog", "revert", "repair", "after-confirm", "hits", NULL};
	struct wh_watch_config *w = &c->watch;
	const char *text = "";
	if (map->kind != WH_YAML_MAP)
		return wh_fail_input(err, -EINVAL, "%s:%d: 'watch' must be a map", file, map->line);
	int rc = wh_yaml_check_keys(file, map, known, err);
	for (const struct wh_yaml *n = map->child; n && !rc; n = n->next) {
		if (!strcmp(n->key, "alerts")) {
			if (!(rc = wh_config_text(file, n, &text, err)))
				w->alerts = wh_config_beside(c, file, text);
		} else if (!strcmp(n->key, "after-confirm")) {
			rc = wh_config_duration(file, n, &w->after_confirm_s, err);
		} else if (!strcmp(n->key, "hits")) {
			rc = wh_yaml_int(file, n, 1, 1000000, &w->hits, err);
		} else {
			rc = wh_yaml_bool(file, n, !strcmp(n->key, "syslog") ? &w->syslog : !strcmp(n->key, "revert") ? &w->revert : &w->repair, err);
		}
	}
	return rc;
}
