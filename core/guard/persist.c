/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "base/json.h"
#include "render/nft_ruleset.h"
#include "whittle/persist.h"

#define PENDING "enforced.pending"
#define RULES "enforced.rules"
#define CLOSED "jit.closed"
#define MAGIC "whittle-enforced 1"
enum { MAX_PATH = 4096, MAX_PORTS = 4096 };
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

/* ---- rules ---- */

static json_t *list_of(const struct wh_prefix *p, size_t n)
{
	json_t *list = json_array();
	char buf[WH_PREFIX_STRLEN];
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(wh_prefix_text(&p[i], buf)));
	return list;
}

static json_t *rules_json(const struct wh_nft_ruleset *rs)
{
	json_t *ports = json_array();
	for (size_t i = 0; i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		json_array_append_new(ports, json_pack("{s:s,s:i,s:i,s:o,s:o}", "direction", wh_direction_text(p->direction), "protocol", (int)p->proto, "port", (int)p->port,
		                                       "v4", list_of(p->v4, p->n_v4), "v6", list_of(p->v6, p->n_v6)));
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

static bool port_from(const json_t *o, struct wh_arena *mem, struct wh_nft_port *p)
{
	const char *direction = json_string_value(json_object_get(o, "direction"));
	json_int_t proto = json_integer_value(json_object_get(o, "protocol")), port = json_integer_value(json_object_get(o, "port"));
	if (!direction || (strcmp(direction, "Inbound") && strcmp(direction, "Outbound")) || (proto != WH_PROTO_TCP && proto != WH_PROTO_UDP) || port < 0 || port > 65535)
		return false;
	p->direction = *direction == 'O' ? WH_OUTBOUND : WH_INBOUND;
	p->proto = (uint8_t)proto;
	p->port = (uint16_t)port;
	return prefixes_from(json_object_get(o, "v4"), true, mem, &p->v4, &p->n_v4) && prefixes_from(json_object_get(o, "v6"), false, mem, &p->v6, &p->n_v6);
}

static bool after(const struct wh_nft_port *a, const struct wh_nft_port *b)
{
	if (a->direction != b->direction)
		return a->direction < b->direction;
	return a->proto != b->proto ? a->proto < b->proto : a->port < b->port;
}

static int rules_from(const char *dir, const char *name, struct wh_arena *mem, struct wh_nft_ruleset **out, struct wh_error *err)
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
			good = good && port_from(o, mem, &rs->ports[i]) && (!i || after(&rs->ports[i - 1], &rs->ports[i]));
			rs->n_ports++;
		}
	json_decref(doc);
	if (!good)
		return wh_fail(err, -EBADMSG, "%s/%s: is not what whittle writes; nothing of it is put back", dir, name);
	*out = rs;
	return 0;
}

int wh_persist_applied(const char *dir, const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	json_t *doc = rules_json(rs);
	int rc = doc ? write_file(dir, PENDING, doc, err) : wh_fail(err, -ENOMEM, "out of memory");
	json_decref(doc);
	return rc;
}

int wh_persist_confirmed(const char *dir, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_ruleset *rs;
	char *difference = NULL, from[MAX_PATH + 32], to[MAX_PATH + 32];
	struct wh_error why = {.text = ""};
	int rc = rules_from(dir, PENDING, mem, &rs, &why);
	bool renewed = !rc;
	if (rc == -ENOENT) /* confirmed before: the same must be there */
		rc = rules_from(dir, RULES, mem, &rs, &why);
	if (!rc)
		rc = wh_nft_compare(rs, &difference, &why);
	if (rc == 1)
		rc = wh_fail(&why, -ESTALE, "the kernel holds something else than what was applied last: %.300s", difference ? difference : "");
	if (!rc && renewed) {
		snprintf(from, sizeof from, "%s/" PENDING, dir);
		snprintf(to, sizeof to, "%s/" RULES, dir);
		if (rename(from, to) || (rc = sync_dir(dir)))
			rc = wh_fail(&why, rc ? rc : -errno, "%s: cannot be written: %s", to, strerror(rc ? -rc : errno));
	}
	free(difference);
	wh_arena_free(mem);
	return rc ? wh_fail(err, rc, "they will not survive a reboot: %.460s", why.text) : 0;
}

int wh_persist_load(const char *dir, struct wh_arena *mem, struct wh_nft_ruleset **rs, struct wh_error *err)
{
	return rules_from(dir, RULES, mem, rs, err);
}

int wh_persist_load_applied(const char *dir, struct wh_arena *mem, struct wh_nft_ruleset **rs, struct wh_error *err)
{
	return rules_from(dir, PENDING, mem, rs, err);
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

size_t wh_persist_jit_lost(const char *dir)
{
	struct wh_jit_port ports[MAX_CLOSED];
	struct wh_arena *mem = wh_arena_new();
	struct wh_jit_live live;
	struct wh_error err;
	size_t n, lost = 0;
	if (!closed_from(dir, ports, &n, &err) && !wh_jit_nft_live(mem, &live, &err))
		for (size_t i = 0; i < n; i++) {
			bool held = false;
			for (size_t k = 0; k < live.n_closed; k++)
				held |= live.closed[k].port.proto == ports[i].proto && live.closed[k].port.port == ports[i].port;
			lost += !held;
		}
	wh_arena_free(mem);
	return lost;
}

static int restore_jit(const char *dir, struct wh_restored *out, struct wh_error *err)
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
	out->jit = !rc;
	out->closed = rc ? 0 : n;
	return rc;
}

/* ---- both ---- */

int wh_persist_forget(const char *dir, bool rules, bool jit, size_t *n, struct wh_error *err)
{
	const char *names[] = {rules ? PENDING : NULL, rules ? RULES : NULL, jit ? CLOSED : NULL};
	char path[MAX_PATH];
	int rc = 0;
	*n = 0;
	for (size_t i = 0; i < 3; i++) {
		if (!names[i] || snprintf(path, sizeof path, "%s/%s", dir, names[i]) >= (int)sizeof path)
			continue;
		if (!unlink(path))
			*n += 1;
		else if (errno != ENOENT && errno != ENOTDIR && !rc)
			rc = wh_fail(err, -errno, "%s: cannot be removed: %s; after a reboot it would be put back", path, strerror(errno));
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
		out->rules = !rc;
		out->ports = rc ? 0 : res.ports;
		out->prefixes = rc ? 0 : res.prefixes;
	} else if (rc == -ENOENT) {
		rc = 0;
	}
	int also = restore_jit(dir, out, &second);
	wh_arena_free(mem);
	if (err && (rc || also))
		*err = rc ? first : second;
	return rc ? rc : also;
}
