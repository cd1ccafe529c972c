/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "base/json.h"
#include "whittle/earlier.h"

#define MAGIC "whittle-enforced 1"
#define MAX_BYTES (32u << 20)
enum { MAX_PORTS = 4096, MAX_LOCALS = 4096 };

static bool prefixes_from(const json_t *list, bool v4, struct wh_arena *mem, struct wh_prefix **out, size_t *n)
{
	size_t i;
	json_t *v;
	if (!json_is_array(list))
		return false;
	*out = wh_arena_array(mem, json_array_size(list) + 1, sizeof **out);
	json_array_foreach(list, i, v) {
		const char *t = json_string_value(v);
		struct wh_prefix *p = &(*out)[i];
		if (!t || wh_prefix_parse(t, strlen(t), p, NULL) || wh_prefix_is_v4(p) != v4)
			return false;
		if (i) { /* sorted and disjoint, as the kernel's intervals must be */
			struct wh_addr last = wh_prefix_last(p - 1);
			if (wh_addr_cmp(&last, &p->addr) >= 0)
				return false;
		}
	}
	*n = json_array_size(list);
	return true;
}

/* Older files have no addresses: their rules judge any address. */
static bool locals_from(const json_t *list, struct wh_arena *mem, struct wh_nft_port *p)
{
	struct wh_addr *a;
	size_t i;
	json_t *v;
	if (!list)
		return true;
	if (!json_is_array(list) || json_array_size(list) > MAX_LOCALS)
		return false;
	p->locals = a = wh_arena_array(mem, json_array_size(list) + 1, sizeof *a);
	p->n_locals = json_array_size(list);
	json_array_foreach(list, i, v) {
		const char *t = json_string_value(v);
		if (!t || wh_addr_parse(t, strlen(t), &a[i]) || (i && wh_addr_cmp(&a[i - 1], &a[i]) >= 0))
			return false;
	}
	return true;
}

static bool port_from(const json_t *o, struct wh_arena *mem, struct wh_nft_port *p)
{
	const char *direction = json_string_value(json_object_get(o, "direction"));
	json_int_t proto = json_integer_value(json_object_get(o, "protocol")),
		   port = json_integer_value(json_object_get(o, "port"));
	if (!direction || (strcmp(direction, "Inbound") && strcmp(direction, "Outbound")) ||
	    (proto != WH_PROTO_TCP && proto != WH_PROTO_UDP) || port < 0 || port > 65535)
		return false;
	p->direction = *direction == 'O' ? WH_OUTBOUND : WH_INBOUND;
	p->proto = (uint8_t)proto;
	p->port = (uint16_t)port;
	return locals_from(json_object_get(o, "addresses"), mem, p) &&
	       prefixes_from(json_object_get(o, "v4"), true, mem, &p->v4, &p->n_v4) &&
	       prefixes_from(json_object_get(o, "v6"), false, mem, &p->v6, &p->n_v6);
}

static struct wh_nft_ruleset *rules_from(const json_t *doc, struct wh_arena *mem)
{
	const json_t *ports = json_object_get(doc, "ports");
	struct wh_nft_ruleset *rs = wh_arena_alloc(mem, sizeof *rs);
	json_int_t group = json_integer_value(json_object_get(doc, "nflogGroup"));
	bool good = json_is_array(ports) && json_array_size(ports) <= MAX_PORTS && group >= 0 && group <= 65535;
	rs->audit = json_is_true(json_object_get(doc, "audit"));
	rs->nflog_group = (uint16_t)group;
	rs->n_ports = good ? json_array_size(ports) : 0;
	rs->ports = wh_arena_array(mem, rs->n_ports + 1, sizeof *rs->ports);
	for (size_t i = 0; good && i < rs->n_ports; i++)
		good = port_from(json_array_get(ports, i), mem, &rs->ports[i]);
	return good && wh_nft_in_order(rs) ? rs : NULL;
}

static int read_rules(const char *path, struct wh_arena *mem, struct wh_nft_ruleset **rs, struct wh_error *err)
{
	char *text = NULL;
	size_t len = 0, says = 0;
	unsigned long crc = 0;
	int body = 0;
	json_t *doc = NULL;
	struct stat st;
	int rc = lstat(path, &st) ? -errno : !S_ISREG(st.st_mode) ? -EINVAL : 0; /* its directory belongs to another user */
	rc = rc ? wh_fail(err, rc, "the file enforced.rules is not a plain file")
	        : wh_read_file(path, MAX_BYTES, &text, &len, err);
	if (rc)
		return rc;
	if (sscanf(text, MAGIC " %zu %8lx\n%n", &says, &crc, &body) != 2 || !body || len - (size_t)body != says ||
	    says > MAX_BYTES || crc32(crc32(0, NULL, 0), (const Bytef *)text + body, (uInt)says) != crc ||
	    wh_json_parse(path, text + body, says, &doc, err) || !(*rs = rules_from(doc, mem)))
		rc = wh_fail(err, -EBADMSG, "the file enforced.rules is damaged");
	json_decref(doc);
	free(text);
	return rc;
}

int wh_earlier_load(const char *dir, struct wh_arena *mem, struct wh_nft_ruleset **rs, bool *jit, struct wh_error *err)
{
	char rules[PATH_MAX], closed[PATH_MAX];
	*rs = NULL;
	*jit = false;
	if (snprintf(rules, sizeof rules, "%s/enforced.rules", dir) >= (int)sizeof rules ||
	    snprintf(closed, sizeof closed, "%s/jit.closed", dir) >= (int)sizeof closed)
		return wh_fail_input(err, -ENAMETOOLONG, "%.80s…: the path is too long", dir);
	*jit = !euidaccess(closed, F_OK);
	if (euidaccess(rules, F_OK))
		return *jit ? 0 : wh_fail(err, -ENOENT, "nothing was stored there");
	return read_rules(rules, mem, rs, err);
}

void wh_earlier_remove(const char *dir)
{
	char path[PATH_MAX];
	for (int i = -3; i < 9; i++) {
		const char *name = i == -3 ? "enforced.pending" : i == -2 ? "jit.closed" : "enforced.rules";
		if (i <= 0 ? snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path
		           : snprintf(path, sizeof path, "%s/%s.%d", dir, name, i) < (int)sizeof path)
			unlink(path);
	}
}
