/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/yaml.h"
#include "harden/ports.h"

static void add(struct wh_port_list *l, uint8_t proto, unsigned port)
{
	if (proto == WH_PROTO_TCP || proto == WH_PROTO_ANY)
		l->tcp[port / 8] |= (uint8_t)(1 << port % 8);
	if (proto == WH_PROTO_UDP || proto == WH_PROTO_ANY)
		l->udp[port / 8] |= (uint8_t)(1 << port % 8);
}

/* "22", "22/tcp", "53/udp", "8000-8010/tcp" */
static int add_text(struct wh_port_list *l, const char *text, size_t len)
{
	unsigned long from, to;
	uint8_t proto = WH_PROTO_ANY;
	char word[32], *end;

	if (len == 0 || len >= sizeof word || text[0] < '0' || text[0] > '9')
		return -EINVAL;
	memcpy(word, text, len);
	word[len] = 0;
	from = to = strtoul(word, &end, 10);
	if (*end == '-') {
		if (end[1] < '0' || end[1] > '9')
			return -EINVAL;
		to = strtoul(end + 1, &end, 10);
	}
	if (*end == '/') {
		if (wh_proto_parse(end + 1, &proto) || (proto != WH_PROTO_TCP && proto != WH_PROTO_UDP))
			return -EINVAL;
		end += strlen(end);
	}
	if (*end || from < 1 || to > 65535 || from > to)
		return -EINVAL;
	for (; from <= to; from++)
		add(l, proto, (unsigned)from);
	return 0;
}

static int from_list(struct wh_port_list *l, const char *spec, struct wh_error *err)
{
	for (const char *at = spec;;) {
		size_t len = strcspn(at, ", ");
		if (add_text(l, at, len))
			return wh_fail_input(
				err, -EINVAL,
				"ports '%.100s': '%.*s' is not a port such as 22, 22/tcp or 8000-8010/tcp, nor 'all'", spec,
				(int)(len > 40 ? 40 : len), at);
		at += len;
		at += strspn(at, ", ");
		if (!*at)
			return 0;
	}
}

static int from_yaml(struct wh_port_list *l, const char *path, struct wh_error *err)
{
	static const char *const known[] = {"ports", NULL};
	struct wh_arena *mem = wh_arena_new();
	struct wh_yaml *root = NULL;
	int rc = wh_yaml_parse_file(path, mem, &root, err);

	if (!rc && !root)
		rc = wh_fail_input(err, -EINVAL, "%s: empty: 'ports:' with a list is wanted", path);
	if (!rc)
		rc = wh_yaml_check_keys(path, root, known, err);
	const struct wh_yaml *list = rc ? NULL : wh_yaml_get(root, "ports");
	if (!rc && (!list || list->kind != WH_YAML_LIST || !list->child))
		rc = wh_fail_input(err, -EINVAL, "%s:%d: 'ports' must be a list of ports", path, list ? list->line : 1);
	for (const struct wh_yaml *n = list ? list->child : NULL; n && !rc; n = n->next)
		if (n->kind != WH_YAML_SCALAR || add_text(l, n->scalar, strlen(n->scalar)))
			rc = wh_fail_input(err, -EINVAL, "%s:%d: '%.40s' is not a port such as 22 or 22/tcp", path, n->line,
			                   n->kind == WH_YAML_SCALAR ? n->scalar : "this");
	wh_arena_free(mem);
	return rc;
}

int wh_port_list_load(const char *spec, const char *ports_yaml, struct wh_arena *mem, struct wh_port_list **out,
                      struct wh_error *err)
{
	struct wh_port_list *l = wh_arena_alloc(mem, sizeof *l);
	int rc = 0;

	*out = NULL;
	l->all = spec && !strcmp(spec, "all");
	if (spec && !l->all)
		rc = from_list(l, spec, err);
	else if (ports_yaml)
		rc = from_yaml(l, ports_yaml, err);
	else if (!l->all)
		rc = wh_fail(err, -EINVAL, "no list of ports was given");
	if (!rc)
		*out = l;
	return rc;
}

bool wh_port_list_names(const struct wh_port_list *l, uint8_t proto, uint16_t port)
{
	const uint8_t *bits = proto == WH_PROTO_TCP ? l->tcp : proto == WH_PROTO_UDP ? l->udp : NULL;
	return bits && port && bits[port / 8] >> port % 8 & 1;
}

bool wh_port_list_has(const struct wh_port_list *l, uint8_t proto, uint16_t port)
{
	return l->all ? port && (proto == WH_PROTO_TCP || proto == WH_PROTO_UDP) : wh_port_list_names(l, proto, port);
}
