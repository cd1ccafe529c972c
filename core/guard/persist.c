/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "base/replace_file.h"
#include "base/state_dir.h"
#include "guard/known_file.h"
#include "guard/persist_file.h"
#include "guard/rules_bytes.h"

#define CLOSED "jit.closed"
#define MAGIC "whittle-enforced 2"
enum { MAX_PATH = 4096, MAX_BYTES = 64 << 20, HEAD = 64 };

/* ---- files ---- */

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

static int write_file(const char *dir, const char *name, const struct wh_bytes *body, struct wh_error *err)
{
	char path[MAX_PATH], temporary[MAX_PATH + 16], head[HEAD];
	int rc = wh_state_dir_check(dir, true, err);
	if (rc)
		return rc;
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return wh_fail_input(err, -ENAMETOOLONG, "%s: the path is too long", dir);
	if (body->failed)
		return wh_fail(err, -ENOMEM, "out of memory");
	snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
	snprintf(head, sizeof head, MAGIC " %zu %08lx\n", body->n, crc32(crc32(0, NULL, 0), body->p, (uInt)body->n));
	int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		rc = -errno;
	if (!rc)
		rc = wh_write_all(fd, head, strlen(head));
	if (!rc)
		rc = wh_write_all(fd, (const char *)body->p, body->n);
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
	return rc ? wh_fail(err, rc, "%s: cannot be written: %s", path, strerror(-rc)) : 0;
}

static int read_whole(int fd, uint8_t **bytes, size_t *len)
{
	struct stat st;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > MAX_BYTES)
		return -EBADMSG;
	*bytes = malloc((size_t)st.st_size + 1);
	*len = 0;
	while (*bytes && *len < (size_t)st.st_size) {
		ssize_t n = read(fd, *bytes + *len, (size_t)st.st_size - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		*len += (size_t)n;
	}
	if (*bytes)
		(*bytes)[*len] = 0;
	return *bytes ? 0 : -ENOMEM;
}

/* The body of a file, whose head has its length and checksum. */
static int body_of(const uint8_t *bytes, size_t len, struct wh_taking *body)
{
	char head[HEAD];
	size_t says = 0, n = 0;
	unsigned long crc = 0;
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): read_whole() has set it */
	const uint8_t *end = memchr(bytes, '\n', len < HEAD ? len : HEAD);
	if (end) {
		n = (size_t)(end - bytes) + 1;
		snprintf(head, sizeof head, "%.*s", (int)n - 1, (const char *)bytes);
	}
	if (!end || sscanf(head, MAGIC " %zu %8lx", &says, &crc) != 2 || len - n != says ||
	    crc32(crc32(0, NULL, 0), bytes + n, (uInt)says) != crc)
		return -EBADMSG;
	*body = (struct wh_taking){.p = bytes + n, .n = says};
	return 0;
}

/* In a directory that only we can write. */
static int read_file(const char *dir, const char *name, uint8_t **bytes, struct wh_taking *body, struct wh_error *err)
{
	char path[MAX_PATH];
	size_t len = 0;
	*bytes = NULL;
	int rc = wh_state_dir_check(dir, false, err);
	if (rc == -ENOENT)
		return wh_fail(err, rc, "%s/%s: is not there", dir, name);
	if (rc)
		return rc;
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return wh_fail_input(err, -ENAMETOOLONG, "%s: the path is too long", dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? wh_fail(err, -ENOENT, "%s: is not there", path)
		                       : wh_fail(err, -errno, "%s: %s", path, strerror(errno));
	rc = read_whole(fd, bytes, &len);
	close(fd);
	rc = rc ? rc : body_of(*bytes, len, body);
	if (rc == -EBADMSG)
		return wh_fail(err, rc, "%s: damaged; nothing of it is put back", path);
	return rc ? wh_fail(err, rc, "%s: %s", path, strerror(-rc)) : 0;
}

int wh_persist_remove(const char *dir, const char *name, size_t *n, struct wh_error *err)
{
	char path[MAX_PATH];
	struct stat st;
	int rc = wh_state_dir_check(dir, false, err);
	if (rc)
		return rc == -ENOENT || rc == -ENOTDIR ? 0 : rc;
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return wh_fail_input(err, -ENAMETOOLONG, "%s: the path is too long", dir);
	if (!unlink(path))
		*n += 1;
	else
		rc = -errno; /* a file system that is read-only says so of a file that is not there, too */
	return !rc || (lstat(path, &st) && (errno == ENOENT || errno == ENOTDIR))
	               ? 0
	               : wh_fail(err, rc, "%s: cannot be removed: %s; after a reboot it would be put back", path,
	                         strerror(-rc));
}

int wh_persist_rename(const char *dir, const char *from, const char *to, struct wh_error *err)
{
	char old[MAX_PATH], new[MAX_PATH];
	if (snprintf(old, sizeof old, "%s/%s", dir, from) >= (int)sizeof old ||
	    snprintf(new, sizeof new, "%s/%s", dir, to) >= (int)sizeof new)
		return wh_fail_input(err, -ENAMETOOLONG, "%s: the path is too long", dir);
	int rc = wh_state_dir_check(dir, false, err);
	if (rc)
		return rc;
	rc = rename(old, new) ? -errno : sync_dir(dir);
	return rc ? wh_fail(err, rc, "%s: cannot be written: %s", new, strerror(-rc)) : 0;
}

/* ---- rules ---- */

int wh_persist_read_rules(const char *dir, const char *name, struct wh_arena *mem, struct wh_nft_ruleset **out,
                          struct wh_persist_times *times, struct wh_error *err)
{
	struct wh_persist_times read = {0};
	struct wh_taking body = {0};
	uint8_t *bytes;
	int rc = read_file(dir, name, &bytes, &body, err);
	if (!rc) {
		read.expires_us = (int64_t)wh_take_number(&body, 8, 0, INT64_MAX);
		read.confirmed_us = (int64_t)wh_take_number(&body, 8, 0, INT64_MAX);
		struct wh_nft_ruleset *rs = wh_take_rules(&body, mem);
		if (body.failed || body.n)
			rc = wh_fail(err, -EBADMSG, "%s/%s: not written by whittle; nothing of it is put back", dir, name);
		else
			*out = rs;
	}
	if (!rc && times)
		*times = read;
	free(bytes);
	return rc;
}

int wh_persist_write_rules(const char *dir, const char *name, const struct wh_nft_ruleset *rs,
                           const struct wh_persist_times *times, struct wh_error *err)
{
	struct wh_bytes body = {0};
	wh_put_number(&body, (uint64_t)times->expires_us, 8);
	wh_put_number(&body, (uint64_t)times->confirmed_us, 8);
	wh_put_rules_bytes(&body, rs);
	int rc = write_file(dir, name, &body, err);
	free(body.p);
	return rc;
}

bool wh_persist_same_rules(const struct wh_nft_ruleset *a, const struct wh_nft_ruleset *b)
{
	struct wh_bytes x = {0}, y = {0};
	wh_put_rules_bytes(&x, a);
	wh_put_rules_bytes(&y, b);
	bool same = !x.failed && !y.failed && x.n == y.n && !memcmp(x.p, y.p, x.n);
	free(x.p);
	free(y.p);
	return same;
}

int wh_persist_applied(const char *dir, const struct wh_nft_ruleset *rs, int64_t expires_us, struct wh_error *err)
{
	return wh_persist_write_rules(dir, WH_PERSIST_PENDING, rs, &(struct wh_persist_times){.expires_us = expires_us}, err);
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
	struct wh_bytes body = {0};
	struct wh_jit_live live;
	uint32_t n = 0;
	int rc = wh_jit_nft_live(mem, &live, err);
	for (size_t i = 0; !rc && i < live.n_closed; i++)
		n += !live.closed[i].expires_ms;
	wh_put_number(&body, n, 4);
	for (size_t i = 0; !rc && i < live.n_closed; i++)
		if (!live.closed[i].expires_ms) {
			wh_put_number(&body, live.closed[i].port.proto, 1);
			wh_put_number(&body, live.closed[i].port.port, 2);
		}
	rc = rc ? rc : write_file(dir, CLOSED, &body, err);
	free(body.p);
	wh_arena_free(mem);
	return rc;
}

enum { MAX_CLOSED = 256 };
static int closed_from(const char *dir, struct wh_jit_port ports[static MAX_CLOSED], size_t *n, struct wh_error *err)
{
	struct wh_taking body = {0};
	uint8_t *bytes;
	*n = 0;
	int rc = read_file(dir, CLOSED, &bytes, &body, err);
	size_t says = rc ? 0 : wh_take_count(&body, 3, MAX_CLOSED);
	for (size_t i = 0; i < says; i++) {
		ports[i].proto = (uint8_t)wh_take_number(&body, 1, WH_PROTO_TCP, WH_PROTO_UDP);
		ports[i].port = (uint16_t)wh_take_number(&body, 2, 1, 65535);
		body.failed |= ports[i].proto != WH_PROTO_TCP && ports[i].proto != WH_PROTO_UDP;
	}
	free(bytes);
	if (!rc && (body.failed || body.n))
		rc = wh_fail(err, -EBADMSG, "%s/" CLOSED ": not written by whittle; nothing of it is put back", dir);
	*n = rc ? 0 : says;
	return rc;
}

bool wh_persist_has_jit(const char *dir)
{
	struct wh_jit_port ports[MAX_CLOSED];
	struct wh_error ignored;
	size_t n;
	return closed_from(dir, ports, &n, &ignored) != -ENOENT;
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
	if (rules)
		wh_known_forget(dir);
	for (int i = 0; i <= WH_PERSIST_EARLIER_MAX + 2; i++) {
		bool is_rules = i < WH_PERSIST_EARLIER_MAX + 2;
		snprintf(name, sizeof name, WH_PERSIST_EARLIER "%d", i + 1);
		const char *file = i < WH_PERSIST_EARLIER_MAX    ? name
		                   : i == WH_PERSIST_EARLIER_MAX ? WH_PERSIST_PENDING
		                   : is_rules                    ? WH_PERSIST_RULES
		                                                 : CLOSED;
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
		out->rules = !rc;
		out->ports = rc ? 0 : res.ports;
		out->prefixes = rc ? 0 : res.prefixes;
		if (!rc)
			rc = wh_persist_remove(dir, WH_PERSIST_PENDING, &(size_t){0}, &first); /* no rollback may mention them */
	} else if (rc == -ENOENT) {
		rc = 0;
	}
	int also = wh_persist_restore_jit(dir, out, &second);
	wh_arena_free(mem);
	if (err && (rc || also))
		*err = rc ? first : second;
	return rc ? rc : also;
}
