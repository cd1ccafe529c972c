/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "base/json.h"
#include "base/opener.h"
#include "base/owner.h"
#include "base/text.h"

/* Reads up to max + 1 bytes, to distinguish a file that is too long from one that just fits. */
static int read_all(int fd, const char *name, size_t max, size_t guess, char **text, size_t *len, struct wh_error *err)
{
	size_t size = guess + 1, n = 0;
	char *buf = malloc(size + 1);
	if (!buf)
		return wh_fail(err, -ENOMEM, "%s: cannot be read: out of memory", name);
	for (;;) {
		if (n == size) {
			if (size > max)
				break;
			size = size > max / 2 ? max + 1 : size * 2;
			char *more = realloc(buf, size + 1);
			if (!more) {
				free(buf);
				return wh_fail(err, -ENOMEM, "%s: cannot be read: out of memory", name);
			}
			buf = more;
		}
		ssize_t got = read(fd, buf + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int e = errno;
			free(buf);
			return wh_fail_input(err, -e, "%s: cannot be read: %s", name, strerror(e));
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	if (n > max) {
		free(buf);
		return wh_fail_input(err, -EFBIG, "%s: larger than %zu bytes, the limit for such a file", name, max);
	}
	buf[n] = 0;
	*text = buf;
	*len = n;
	return 0;
}

/* The kinds of files that hold no text: /dev/null is an empty one. Standard input may be a terminal. */
static const char *no_text(const struct stat *st, bool standard)
{
	if (S_ISDIR(st->st_mode))
		return "a directory";
	bool null = S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
	return !standard && !null && (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) ? "a device" : NULL;
}

static int read_opened(int fd, const char *name, bool standard, size_t max, char **text, size_t *len, struct wh_error *err)
{
	struct stat st;
	*text = NULL;
	*len = 0;
	if (fstat(fd, &st) < 0) {
		int rc = -errno;
		return wh_fail_input(err, rc, "%s: cannot be read: %s", name, strerror(-rc));
	}
	const char *kind = no_text(&st, standard);
	if (kind)
		return wh_fail_input(err, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL, "%s: cannot be read: it is %s", name, kind);
	size_t guess = S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : 65536;
	int rc = read_all(fd, name, max, guess > max ? max : guess, text, len, err);
	if (!rc && !*len && !standard && S_ISFIFO(st.st_mode)) /* else it would pass for an empty file */
		rc = wh_fail_input(err, -ENODATA, "%s: cannot be read: it is a FIFO without a writer", name);
	rc = rc ? rc : wh_text_decode(name, text, len, err);
	if (rc) {
		free(*text);
		*text = NULL;
	}
	return rc;
}

int wh_read_descriptor(int fd, const char *name, size_t max, char **text, size_t *len, struct wh_error *err)
{
	return read_opened(fd, name, false, max, text, len, err);
}

int wh_read_file(const char *path, size_t max, char **text, size_t *len, struct wh_error *err)
{
	bool standard = !strcmp(path, "-");
	const char *name = standard ? "standard input" : path;
	/* O_NONBLOCK: opening a FIFO without a writer must not hang a command */
	int fd = standard ? STDIN_FILENO : wh_open_input(path, O_NONBLOCK);

	*text = NULL;
	*len = 0;
	if (fd < 0)
		return wh_fail_input(err, fd, "%s: cannot be read: %s%s", name, strerror(-fd), wh_as_owner(fd));
	if (!standard)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	int rc = read_opened(fd, name, standard, max, text, len, err);
	if (!standard)
		close(fd);
	return rc;
}

int wh_json_parse(const char *name, const char *text, size_t len, json_t **out, struct wh_error *err)
{
	json_error_t je;
	bool inexact;

	*out = wh_json_load(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &inexact, &je);
	if (*out)
		return 0;
	if (json_error_code(&je) == json_error_out_of_memory)
		return wh_fail(err, -ENOMEM, "%s: out of memory", name);
	return wh_fail_input(err, -EINVAL, "%s:%d: %s", name, je.line > 0 ? je.line : 1, len ? je.text : "the file is empty");
}

/* ---- where a value stands ---- */

struct cursor {
	const char *at, *end;
	int line;
};

static void skip_space(struct cursor *c)
{
	for (; c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'); c->at++)
		c->line += *c->at == '\n';
}

/* Past a string whose opening quote is at c->at. */
static void skip_string(struct cursor *c)
{
	for (c->at = wh_json_odd(c->at + 1, c->end); c->at < c->end && *c->at != '"'; c->at = wh_json_odd(c->at + 1, c->end)) {
		if (*c->at == '\\' && c->at + 1 < c->end)
			c->at++;
		c->line += *c->at == '\n';
	}
	if (c->at < c->end)
		c->at++;
}

/* Skips any value by counting brackets outside strings. The text was parsed before, so it is well-formed, or not needed. */
static void skip_value(struct cursor *c)
{
	long depth = 0;
	skip_space(c);
	while (c->at < c->end) {
		char ch = *c->at;
		if (ch == '"') {
			skip_string(c);
			if (depth == 0)
				return;
			continue;
		}
		if ((ch == ',' || ch == ']' || ch == '}') && depth == 0)
			return;
		c->line += ch == '\n';
		c->at++;
		if (ch == '{' || ch == '[')
			depth++;
		if ((ch == '}' || ch == ']') && --depth == 0)
			return;
	}
}

/* Moves to the value of member `want` of the object at c. */
static bool enter_member(struct cursor *c, const char *want, size_t want_len)
{
	c->at++;
	for (;;) {
		skip_space(c);
		if (c->at >= c->end || *c->at != '"')
			return false;
		const char *key = c->at + 1;
		skip_string(c);
		bool found = (size_t)(c->at - 1 - key) == want_len && !strncasecmp(key, want, want_len);
		skip_space(c);
		if (c->at >= c->end || *c->at != ':')
			return false;
		c->at++;
		skip_space(c);
		if (found)
			return true;
		skip_value(c);
		skip_space(c);
		if (c->at >= c->end || *c->at != ',')
			return false;
		c->at++;
	}
}

/* Appends the object at c without the values of these members, and without those of its `properties`; *kept: what is copied. */
static void cut_object(struct cursor *c, const char *const *members, bool outer, char **to, const char **kept)
{
	c->at++;
	for (;;) {
		skip_space(c);
		if (c->at >= c->end || *c->at != '"')
			return;
		const char *key = c->at + 1;
		skip_string(c);
		size_t len = (size_t)(c->at - 1 - key);
		skip_space(c);
		if (c->at >= c->end || *c->at != ':')
			return;
		c->at++;
		skip_space(c);
		const char *value = c->at;
		bool cut = false;
		for (size_t i = 0; members[i]; i++)
			cut |= strlen(members[i]) == len && !strncasecmp(key, members[i], len);
		if (!cut && outer && len == 10 && !strncasecmp(key, "properties", len) && c->at < c->end && *c->at == '{')
			cut_object(c, members, false, to, kept);
		else
			skip_value(c);
		if (cut && c->at - value >= 4) {
			*to = mempcpy(mempcpy(*to, *kept, (size_t)(value - *kept)), "null", 4);
			*kept = c->at;
		}
		skip_space(c);
		if (c->at >= c->end || *c->at != ',') {
			c->at += c->at < c->end && *c->at == '}';
			return;
		}
		c->at++;
	}
}

char *wh_json_cut(const char *text, size_t len, const char *const *members)
{
	struct cursor c = {text, text + len, 1};
	char *out = malloc(len + 1), *to = out;
	const char *kept = text;
	if (!out)
		return NULL;
	skip_space(&c);
	if (c.at < c.end && *c.at == '{')
		cut_object(&c, members, true, &to, &kept);
	to = mempcpy(to, kept, (size_t)(text + len - kept));
	*to = 0;
	return out;
}

static bool enter_element(struct cursor *c, unsigned long index)
{
	c->at++;
	for (;; index--) {
		skip_space(c);
		if (c->at >= c->end || *c->at == ']')
			return false;
		if (index == 0)
			return true;
		skip_value(c);
		skip_space(c);
		if (c->at >= c->end || *c->at != ',')
			return false;
		c->at++;
	}
}

int wh_json_line(const char *text, size_t len, const char *path)
{
	struct cursor c = {text, len ? text + len : text, 1};

	skip_space(&c);
	while (*path) {
		size_t n = strcspn(path, "/");
		if (c.at >= c.end)
			return 0;
		if (*c.at == '{') {
			if (!enter_member(&c, path, n))
				return 0;
		} else if (*c.at == '[') {
			char *stop;
			unsigned long index = strtoul(path, &stop, 10);
			if (stop != path + n || n == 0 || !enter_element(&c, index))
				return 0;
		} else {
			return 0;
		}
		path += n + (path[n] == '/');
	}
	return c.at < c.end ? c.line : 0;
}

json_t *wh_json_member_n(const json_t *object, const char *key, size_t len)
{
	const char *k;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)object, k, v)
		if (strlen(k) == len && !strncasecmp(k, key, len))
			return v;
	return NULL;
}

json_t *wh_json_member(const json_t *object, const char *key)
{
	return wh_json_member_n(object, key, strlen(key));
}

int wh_json_vrefuse(struct wh_error *err, const char *name, const char *text, size_t len, const char *path, const char *fmt,
                    va_list ap)
{
	char why[400], at[600];
	vsnprintf(why, sizeof why, fmt, ap);
	snprintf(at, sizeof at, "%s", path);
	int line = wh_json_line(text, len, at);
	for (char *slash; !line && *at; line = wh_json_line(text, len, at))
		*((slash = strrchr(at, '/')) ? slash : at) = 0;
	return wh_fail_input(err, -EINVAL, "%s:%d: %s", name, line ? line : 1, why);
}

int wh_json_refuse(struct wh_error *err, const char *name, const char *text, size_t len, const char *path, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int rc = wh_json_vrefuse(err, name, text, len, path, fmt, ap);
	va_end(ap);
	return rc;
}

json_t *wh_json_row(const json_t *columns, const json_t *row)
{
	json_t *o = json_object();
	for (size_t i = 0; i < json_array_size(columns); i++) {
		const char *name = json_string_value(json_object_get(json_array_get(columns, i), "name"));
		if (name && json_array_get(row, i))
			json_object_set(o, name, json_array_get(row, i));
	}
	return o;
}
