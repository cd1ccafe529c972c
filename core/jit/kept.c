/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies that a command or the API made, in addition to whittle.yaml's: a file in the state directory, which only root or the
 * services' user writes. One line each: the version, resource, ports, sources, users and the longest time in seconds, between
 * tabs; lists have commas, an empty one is "-".
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/replace_file.h"
#include "base/state_dir.h"
#include "whittle/jit.h"

#define FILE_NAME "jit-policies"
enum { MAX_FILE = 1 << 20, FIELDS = 6, MAX_LIST = 256, MAX_LONGEST_S = 30 * 86400 };

/* ---- one policy ---- */

/* The parts of a list; 0 if it has too many, or an empty one. */
static size_t split(const char *list, struct wh_arena *mem, char *parts[static MAX_LIST])
{
	char *text = wh_arena_strdup(mem, list);
	size_t n = 0;
	for (char *at = text; at; n++) {
		char *comma = strchr(at, ',');
		if (n == MAX_LIST || comma == at || !*at)
			return 0;
		parts[n] = at;
		if (comma)
			*comma++ = 0;
		at = comma;
	}
	return n;
}

static int read_ports(struct wh_jit_policy *p, const char *list, struct wh_arena *mem, struct wh_error *err)
{
	char *parts[MAX_LIST];
	p->n_ports = split(list, mem, parts);
	p->ports = wh_arena_array(mem, p->n_ports + 1, sizeof *p->ports);
	for (size_t i = 0; i < p->n_ports; i++)
		if (!wh_jit_port_parse(parts[i], &p->ports[i]))
			return wh_fail_input(err, -EINVAL, "'%.40s' is not a port such as 22 or 53/udp", parts[i]);
	return p->n_ports ? 0 : wh_fail_input(err, -EINVAL, "a policy needs ports, such as 22,3389/tcp, %d at most", MAX_LIST);
}

static int read_from(struct wh_jit_policy *p, const char *list, struct wh_arena *mem, struct wh_error *err)
{
	char *parts[MAX_LIST];
	bool host_bits;
	p->n_from = split(list, mem, parts);
	p->from = wh_arena_array(mem, p->n_from + 1, sizeof *p->from);
	for (size_t i = 0; i < p->n_from; i++)
		if (wh_prefix_parse(parts[i], strlen(parts[i]), &p->from[i], &host_bits) || host_bits)
			return wh_fail_input(err, -EINVAL, "'%.60s' is neither an address nor a prefix", parts[i]);
	return p->n_from ? 0 : wh_fail_input(err, -EINVAL, "sources are separated by commas, %d at most", MAX_LIST);
}

static int read_who(struct wh_jit_policy *p, const char *list, struct wh_arena *mem, struct wh_error *err)
{
	char *parts[MAX_LIST];
	p->n_who = split(list, mem, parts);
	p->who = wh_arena_array(mem, p->n_who + 1, sizeof *p->who);
	for (size_t i = 0; i < p->n_who; i++)
		p->who[i] = parts[i];
	return p->n_who && !wh_text_unprintable(list)
	               ? 0
	               : wh_fail_input(err, -EINVAL, "users are separated by commas, %d at most", MAX_LIST);
}

int wh_jit_policy_read(const struct wh_jit_policy_text *t, struct wh_arena *mem, struct wh_jit_policy *out, struct wh_error *err)
{
	*out = (struct wh_jit_policy){.resource = wh_arena_strdup(mem, t->resource), .longest_s = t->longest_s, .kept = true};
	if (!*t->resource || wh_text_unprintable(t->resource))
		return wh_fail_input(err, -EINVAL, "a policy needs a resource");
	if (t->longest_s < 60 || t->longest_s > MAX_LONGEST_S)
		return wh_fail_input(err, -EINVAL, "the longest time is from one minute to 30 days");
	int rc = read_ports(out, t->ports, mem, err);
	rc = rc || !t->from ? rc : read_from(out, t->from, mem, err);
	return rc || !t->who ? rc : read_who(out, t->who, mem, err);
}

/* The list with one more. */
static const char *with(const char *list, const char *text, struct wh_arena *mem)
{
	return list ? wh_arena_printf(mem, "%s,%s", list, text) : wh_arena_strdup(mem, text);
}

void wh_jit_policy_write(const struct wh_jit_policy *p, struct wh_arena *mem, struct wh_jit_policy_text *out)
{
	char text[WH_PREFIX_STRLEN];
	*out = (struct wh_jit_policy_text){.resource = p->resource, .longest_s = p->longest_s};
	for (size_t i = 0; i < p->n_ports; i++) {
		snprintf(text, sizeof text, "%u/%s", p->ports[i].port, p->ports[i].proto == WH_PROTO_UDP ? "udp" : "tcp");
		out->ports = with(out->ports, text, mem);
	}
	for (size_t i = 0; i < p->n_from; i++)
		out->from = with(out->from, wh_prefix_text(&p->from[i], text), mem);
	for (size_t i = 0; i < p->n_who; i++)
		out->who = with(out->who, p->who[i], mem);
}

/* ---- the file ---- */

static int read_line(char *line, struct wh_arena *mem, struct wh_jit_policy *out)
{
	struct wh_error ignored;
	char *field[FIELDS], *end;
	size_t n = 0;
	for (char *at = line, *tab; at && n < FIELDS; at = tab) {
		field[n++] = at;
		if ((tab = strchr(at, '\t')))
			*tab++ = 0;
	}
	if (n != FIELDS || strcmp(field[0], "1"))
		return -EBADMSG;
	const struct wh_jit_policy_text t = {.resource = field[1],
	                                     .ports = field[2],
	                                     .from = strcmp(field[3], "-") ? field[3] : NULL,
	                                     .who = strcmp(field[4], "-") ? field[4] : NULL,
	                                     .longest_s = strtoll(field[5], &end, 10)};
	return *end || wh_jit_policy_read(&t, mem, out, &ignored) ? -EBADMSG : 0;
}

struct kept { struct wh_jit_policy *list; size_t n, room; };

static int load(const char *dir, struct wh_arena *mem, struct kept *out, struct wh_error *err)
{
	char *text, *save;
	size_t len;
	*out = (struct kept){.n = 0};
	int rc = wh_state_dir_read(dir, FILE_NAME, MAX_FILE, &text, &len, err);
	if (rc || !text)
		return rc;
	for (char *line = strtok_r(text, "\n", &save); line && !rc; line = strtok_r(NULL, "\n", &save)) {
		out->list = wh_arena_grown(mem, out->list, out->n, &out->room, sizeof *out->list);
		if ((rc = read_line(line, mem, &out->list[out->n])))
			wh_fail(err, rc,
			        "%s/" FILE_NAME
			        ": a line was not written by whittle; none of its policies is used until that line is corrected",
			        dir);
		else
			out->n++;
	}
	free(text);
	return rc;
}

static int save(int dir, const struct kept *k, struct wh_arena *mem, struct wh_error *err)
{
	struct wh_jit_policy_text t;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return wh_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < k->n; i++) {
		wh_jit_policy_write(&k->list[i], mem, &t);
		fprintf(f, "1\t%s\t%s\t%s\t%s\t%lld\n", t.resource, t.ports, t.from ? t.from : "-", t.who ? t.who : "-",
		        (long long)t.longest_s);
	}
	mode_t was = umask(077);
	int rc = fclose(f) ? -ENOMEM : wh_replace_file(dir, FILE_NAME, text, len);
	umask(was);
	free(text);
	return rc ? wh_fail(err, rc, FILE_NAME ": %s", strerror(-rc)) : 0;
}

static size_t place_of(const struct wh_jit_policy *list, size_t n, const char *resource)
{
	size_t i = 0;
	while (i < n && strcmp(list[i].resource, resource))
		i++;
	return i;
}

/* ---- contract ---- */

int wh_jit_kept_load(const char *dir, struct wh_arena *mem, struct wh_jit_config *c, struct wh_error *err)
{
	struct kept k;
	int rc = load(dir, mem, &k, err);
	if (rc || !k.n)
		return rc;
	struct wh_jit_policy *all = wh_arena_array(mem, c->n_policies + k.n, sizeof *all);
	if (c->n_policies)
		memcpy(all, c->policies, c->n_policies * sizeof *all);
	size_t n = c->n_policies;
	for (size_t i = 0; i < k.n; i++)
		if (place_of(all, n, k.list[i].resource) == n)
			all[n++] = k.list[i];
	c->policies = all;
	c->n_policies = n;
	return 0;
}

int wh_jit_kept_set(const char *dir, const struct wh_jit_policy *p, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct kept k;
	int fd = wh_state_dir_lock(dir, err), rc = fd < 0 ? fd : load(dir, mem, &k, err);
	if (!rc) {
		size_t at = place_of(k.list, k.n, p->resource);
		if (at == k.n) {
			k.list = wh_arena_grown(mem, k.list, k.n, &k.room, sizeof *k.list);
			k.n++;
		}
		k.list[at] = *p;
		rc = save(fd, &k, mem, err);
	}
	if (fd >= 0)
		close(fd);
	wh_arena_free(mem);
	return rc;
}

int wh_jit_kept_delete(const char *dir, const char *resource, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct kept k;
	int fd = wh_state_dir_lock(dir, err), rc = fd < 0 ? fd : load(dir, mem, &k, err);
	size_t at = rc ? 0 : place_of(k.list, k.n, resource);
	if (!rc && at == k.n)
		rc = wh_fail_input(err, -ENOENT, "no policy of %.200s was made by a command or the API", resource);
	if (!rc) {
		memmove(&k.list[at], &k.list[at + 1], (--k.n - at) * sizeof *k.list);
		rc = save(fd, &k, mem, err);
	}
	if (fd >= 0)
		close(fd);
	wh_arena_free(mem);
	return rc;
}
