/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "base/json.h"
#include "render/nft_ruleset.h"
#include "guard/persist_file.h"

#define CLOSED "jit.closed"
#define MAGIC "whittle-enforced 1"
enum { MAX_PATH = 4096, MAX_PORTS = 4096, MAX_LOCALS = 4096 };
#define MAX_BYTES (256u << 20)

int wh_persist_dir(const char *store_url, char *buf, size_t size, struct wh_error *err)
{
	const char *path = strncmp(store_url, "sqlite:", 7) ? store_url : store_url + 7, *slash = strrchr(path, '/');
	int n = slash == path ? snprintf(buf, size, "/") : slash ? snprintf(buf, size, "%.*s", (int)(slash - path), path) : snprintf(buf, size, ".");
	return n >= (int)size ? wh_fail_input(err, -ENAMETOOLONG, "%s: the path is too long", path) : 0;
}

/* ---- files ---- */

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	if (fd < 0)
		return -errno;
	if (fsync(fd))
		rc = -errno;
	close(fd);
	return rc;
}

static int write_file(const char *dir, const char *name, const json_t *doc, struct wh_error *err)
{
	char path[MAX_PATH], temporary[MAX_PATH + 16], head[96];
	char *text = json_dumps(doc, JSON_COMPACT);
	int rc = 0;
	if (!text)
		return wh_fail(err, -ENOMEM, "out of memory");
	size_t len = strlen(text);
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path) {
		free(text);
		return wh_fail_input(err, -ENAMETOOLONG, "%s: the path is too long", dir);
	}
	snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
	snprintf(head, sizeof head, MAGIC " %zu %08lx\n", len, crc32(crc32(0, NULL, 0), (const Bytef *)text, (uInt)len));
	int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		rc = -errno;
	if (!rc)
		rc = write_all(fd, head, strlen(head));
	if (!rc)
		rc = write_all(fd, text, len);
	if (!rc && fsync(fd))
		rc = -errno;
	if (fd >= 0)
		close(fd);
	if (!rc && rename(temporary, path))
		rc = -errno;
	if (rc && fd >= 0)
		unlink(temporary);
	if (!rc)
		rc = sync_dir(dir);
	free(text);
	return rc ? wh_fail(err, rc, "%s: cannot be written: %s", path, strerror(-rc)) : 0;
}

static int read_file(const char *dir, const char *name, json_t **doc, struct wh_error *err)
{
	char path[MAX_PATH], *text = NULL;
	size_t len = 0, says = 0;
	unsigned long crc = 0;
	int body = 0;
	*doc = NULL;
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return wh_fail_input(err, -ENAMETOOLONG, "%s: the path is too long", dir);
	if (euidaccess(path, F_OK))
		return wh_fail(err, -ENOENT, "%s: is not there", path);
	int rc = wh_read_file(path, MAX_BYTES, &text, &len, err);
	if (rc)
		return rc;
	if (sscanf(text, MAGIC " %zu %8lx\n%n", &says, &crc, &body) != 2 || !body || len - (size_t)body != says || says > MAX_BYTES ||
	    crc32(crc32(0, NULL, 0), (const Bytef *)text + body, (uInt)says) != crc)
		rc = wh_fail(err, -EBADMSG, "%s: is damaged; nothing of it is put back", path);
	if (!rc && wh_json_parse(path, text + body, says, doc, err))
		rc = -EBADMSG;
	free(text);
	return rc;
}

int wh_persist_remove(const char *dir, const char *name, size_t *n, struct wh_error *err)
{
	char path[MAX_PATH];
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return wh_fail_input(err, -ENAMETOOLONG, "%s: the path is too long", dir);
	if (!unlink(path))
		*n += 1;
	else if (errno != ENOENT && errno != ENOTDIR)
		return wh_fail(err, -errno, "%s: cannot be removed: %s; after a reboot it would be put back", path, strerror(errno));
	return 0;
}

int wh_persist_rename(const char *dir, const char *from, const char *to, struct wh_error *err)
{
	char old[MAX_PATH], new[MAX_PATH];
	if (snprintf(old, sizeof old, "%s/%s", dir, from) >= (int)sizeof old || snprintf(new, sizeof new, "%s/%s", dir, to) >= (int)sizeof new)
		return wh_fail_input(err, -ENAMETOOLONG, "%s: the path is too long", dir);
	int rc = rename(old, new) ? -errno : sync_dir(dir);
	return rc ? wh_fail(err, rc, "%s: cannot be written: %s", new, strerror(-rc)) : 0;
}

/* ---- rules ---- */

static json_t *list_of(const struct wh_prefix *p, size_t n)
{
	json_t *list = json_array();
	char buf[WH_PREFIX_STRLEN];
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(wh_prefix_text(&p[i], buf)));
	return list;
}

static json_t *locals_of(const struct wh_nft_port *p)
{
	json_t *list = json_array();
	char buf[WH_ADDR_STRLEN];
	for (size_t i = 0; i < p->n_locals; i++)
		json_array_append_new(list, json_string(wh_addr_text(&p->locals[i], buf)));
	return list;
}

static json_t *rules_json(const struct wh_nft_ruleset *rs)
{
	json_t *ports = json_array();
	for (size_t i = 0; i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		json_array_append_new(ports, json_pack("{s:s,s:i,s:i,s:o,s:o,s:o}", "direction", wh_direction_text(p->direction), "protocol", (int)p->proto, "port", (int)p->port,
		                                       "addresses", locals_of(p), "v4", list_of(p->v4, p->n_v4), "v6", list_of(p->v6, p->n_v6)));
	}
	return json_pack("{s:b,s:i,s:o}", "audit", (int)rs->audit, "nflogGroup", (int)rs->nflog_group, "ports", ports);
}

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

/* None in files of before rules had addresses: those judge any. */
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
	json_int_t proto = json_integer_value(json_object_get(o, "protocol")), port = json_integer_value(json_object_get(o, "port"));
	if (!direction || (strcmp(direction, "Inbound") && strcmp(direction, "Outbound")) || (proto != WH_PROTO_TCP && proto != WH_PROTO_UDP) || port < 0 || port > 65535)
		return false;
	p->direction = *direction == 'O' ? WH_OUTBOUND : WH_INBOUND;
	p->proto = (uint8_t)proto;
	p->port = (uint16_t)port;
	return locals_from(json_object_get(o, "addresses"), mem, p) && prefixes_from(json_object_get(o, "v4"), true, mem, &p->v4, &p->n_v4) && prefixes_from(json_object_get(o, "v6"), false, mem, &p->v6, &p->n_v6);
}

int wh_persist_read_rules(const char *dir, const char *name, struct wh_arena *mem, struct wh_nft_ruleset **out, struct wh_persist_times *times, struct wh_error *err)
{
	json_t *doc, *o;
	size_t i;
	int rc = read_file(dir, name, &doc, err);
	if (rc)
		return rc;
	json_t *ports = json_object_get(doc, "ports");
	struct wh_nft_ruleset *rs = wh_arena_alloc(mem, sizeof *rs);
	json_int_t group = json_integer_value(json_object_get(doc, "nflogGroup"));
	bool good = json_is_array(ports) && json_array_size(ports) <= MAX_PORTS && group >= 0 && group <= 65535;
	rs->audit = json_is_true(json_object_get(doc, "audit"));
	rs->nflog_group = (uint16_t)group;
	rs->ports = wh_arena_array(mem, good ? json_array_size(ports) + 1 : 1, sizeof *rs->ports);
	if (good)
		json_array_foreach(ports, i, o) {
			good = good && port_from(o, mem, &rs->ports[i]);
			rs->n_ports++;
		}
	good = good && wh_nft_in_order(rs);
	if (times) {
		times->expires_us = json_integer_value(json_object_get(doc, "expires"));
		times->confirmed_us = json_integer_value(json_object_get(doc, "confirmed"));
	}
	json_decref(doc);
	if (!good)
		return wh_fail(err, -EBADMSG, "%s/%s: is not what whittle writes; nothing of it is put back", dir, name);
	*out = rs;
	return 0;
}

int wh_persist_write_rules(const char *dir, const char *name, const struct wh_nft_ruleset *rs, const struct wh_persist_times *times, struct wh_error *err)
{
	json_t *doc = rules_json(rs);
	if (doc && times->expires_us)
		json_object_set_new(doc, "expires", json_integer(times->expires_us));
	if (doc && times->confirmed_us)
		json_object_set_new(doc, "confirmed", json_integer(times->confirmed_us));
	int rc = doc ? write_file(dir, name, doc, err) : wh_fail(err, -ENOMEM, "out of memory");
	json_decref(doc);
	return rc;
}

bool wh_persist_same_rules(const struct wh_nft_ruleset *a, const struct wh_nft_ruleset *b)
{
	json_t *x = rules_json(a), *y = rules_json(b);
	bool same = x && json_equal(x, y);
	json_decref(x);
	json_decref(y);
	return same;
}

int wh_persist_applied(const char *dir, const struct wh_nft_ruleset *rs, int64_t expires_us, struct wh_error *err)
{
	return wh_persist_write_rules(dir, WH_PERSIST_PENDING, rs, &(struct wh_persist_times){.expires_us = expires_us}, err);
}

int wh_persist_unchanged(const char *dir, struct wh_error *err)
{
	size_t n = 0;
	return wh_persist_remove(dir, WH_PERSIST_PENDING, &n, err);
}

int wh_persist_load(const char *dir, struct wh_arena *mem, struct wh_nft_ruleset **rs, struct wh_error *err)
{
	return wh_persist_read_rules(dir, WH_PERSIST_RULES, mem, rs, NULL, err);
}

int wh_persist_load_applied(const char *dir, struct wh_arena *mem, struct wh_nft_ruleset **rs, struct wh_error *err)
{
	return wh_persist_read_rules(dir, WH_PERSIST_PENDING, mem, rs, NULL, err);
}

int64_t wh_persist_confirmed_us(const char *dir)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_persist_times times = {0};
	struct wh_nft_ruleset *rs;
	struct wh_error ignored;
	if (wh_persist_read_rules(dir, WH_PERSIST_RULES, mem, &rs, &times, &ignored))
		times.confirmed_us = 0;
	wh_arena_free(mem);
	return times.confirmed_us;
}

/* ---- closed ports ---- */

int wh_persist_jit(const char *dir, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_jit_live live;
	json_t *list = json_array();
	int rc = wh_jit_nft_live(mem, &live, err);
	for (size_t i = 0; !rc && i < live.n_closed; i++)
		if (!live.closed[i].expires_ms)
			json_array_append_new(list, json_pack("{s:i,s:i}", "protocol", (int)live.closed[i].port.proto, "port", (int)live.closed[i].port.port));
	json_t *doc = json_pack("{s:o}", "closed", list);
	if (!rc)
		rc = doc ? write_file(dir, CLOSED, doc, err) : wh_fail(err, -ENOMEM, "out of memory");
	json_decref(doc);
	wh_arena_free(mem);
	return rc;
}

enum { MAX_CLOSED = 256 };
static int closed_from(const char *dir, struct wh_jit_port ports[static MAX_CLOSED], size_t *n, struct wh_error *err)
{
	json_t *doc, *o;
	size_t i;
	*n = 0;
	int rc = read_file(dir, CLOSED, &doc, err);
	if (rc)
		return rc;
	json_t *list = json_object_get(doc, "closed");
	bool good = json_is_array(list) && json_array_size(list) <= MAX_CLOSED;
	if (good)
		json_array_foreach(list, i, o) {
			json_int_t proto = json_integer_value(json_object_get(o, "protocol")), port = json_integer_value(json_object_get(o, "port"));
			good = good && (proto == WH_PROTO_TCP || proto == WH_PROTO_UDP) && port > 0 && port <= 65535;
			ports[(*n)++] = (struct wh_jit_port){.proto = (uint8_t)proto, .port = (uint16_t)port};
		}
	json_decref(doc);
	return good ? 0 : wh_fail(err, -EBADMSG, "%s/" CLOSED ": is not what whittle writes; nothing of it is put back", dir);
}

int wh_persist_jit_ports(const char *dir, struct wh_arena *mem, struct wh_jit_port **ports, size_t *n, struct wh_error *err)
{
	*ports = wh_arena_array(mem, MAX_CLOSED, sizeof **ports);
	int rc = closed_from(dir, *ports, n, err);
	return rc == -ENOENT ? 0 : rc;
}

int wh_persist_jit_differs(const char *dir, char **difference, struct wh_error *err)
{
	struct wh_jit_port ports[MAX_CLOSED];
	size_t n;
	*difference = NULL;
	int rc = closed_from(dir, ports, &n, err);
	if (rc == -ENOENT || (!rc && !n))
		return 0;
	return rc ? rc : wh_jit_nft_differs(ports, n, difference, err);
}

int wh_persist_restore_jit(const char *dir, struct wh_restored *out, struct wh_error *err)
{
	struct wh_jit_port ports[MAX_CLOSED];
	size_t n;
	int rc = closed_from(dir, ports, &n, err);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	if (!n)
		return 0;
	rc = wh_jit_nft_on(ports, n, 0, err);
	if (!rc)
		rc = wh_jit_nft_confirm(err);
	char *difference = NULL;
	if (rc == -ENOENT || (!rc && wh_jit_nft_differs(ports, n, &difference, err) == 1)) /* the table itself was changed */
		rc = wh_jit_nft_rebuild(ports, n, err);
	free(difference);
	out->jit = !rc;
	out->closed = rc ? 0 : n;
	return rc;
}

/* ---- both ---- */

int wh_persist_forget(const char *dir, bool rules, bool jit, size_t *n, struct wh_error *err)
{
	struct wh_error more;
	char name[32];
	int rc = 0, also;
	*n = 0;
	for (int i = 0; i <= WH_PERSIST_EARLIER_MAX + 2; i++) {
		bool is_rules = i < WH_PERSIST_EARLIER_MAX + 2;
		snprintf(name, sizeof name, WH_PERSIST_EARLIER "%d", i + 1);
		const char *file = i < WH_PERSIST_EARLIER_MAX ? name : i == WH_PERSIST_EARLIER_MAX ? WH_PERSIST_PENDING : is_rules ? WH_PERSIST_RULES : CLOSED;
		if ((is_rules ? rules : jit) && (also = wh_persist_remove(dir, file, n, rc ? &more : err)))
			rc = rc ? rc : also;
	}
	if (*n && !rc)
		sync_dir(dir);
	return rc;
}

int wh_persist_restore(const char *dir, struct wh_restored *out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_ruleset *rs;
	struct wh_error first = {.text = ""}, second = {.text = ""};
	memset(out, 0, sizeof *out);
	int rc = wh_persist_load(dir, mem, &rs, &first);
	if (!rc) {
		struct wh_enforce_options opt = {.confirm_within_s = 0, .audit = rs->audit};
		struct wh_enforce_result res;
		rc = wh_nft_apply(rs, &opt, &res, &first); /* reads back and compares */
		if (!rc)
			rc = wh_persist_unchanged(dir, &first); /* what waited is gone: a later rollback must not speak of it */
		out->rules = !rc;
		out->ports = rc ? 0 : res.ports;
		out->prefixes = rc ? 0 : res.prefixes;
	} else if (rc == -ENOENT) {
		rc = 0;
	}
	int also = wh_persist_restore_jit(dir, out, &second);
	wh_arena_free(mem);
	if (err && (rc || also))
		*err = rc ? first : second;
	return rc ? rc : also;
}
