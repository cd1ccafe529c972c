/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tokens: one line each in the file `serve-tokens` of the state directory, "1 NAME ROLE CREATED EXPIRES SHA256", times in
 * microseconds. A secret has 258 random bits, so its plain SHA-256 reveals nothing and needs no salt.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/replace_file.h"
#include "base/sha256.h"
#include "base/state_dir.h"
#include "serve/secret.h"
#include "whittle/serve.h"

#define FILE_NAME "serve-tokens"
#define MARK "whittle_"
enum { MAX_FILE = 256 * WH_TOKENS_MAX };

const char *const wh_serve_roles[] = {"reader", "operator", NULL};

static bool good_name(const char *s)
{
	size_t n = strlen(s);
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && (!i || !strchr("-_.@", s[i])))
			return false;
	return n && n <= WH_TOKEN_NAME;
}

/* ---- the file ---- */

static bool parse_line(const char *line, struct wh_token *t)
{
	char role[16], hex[65];
	int end = 0;
	if (sscanf(line, "1 %40s %15s %" SCNd64 " %" SCNd64 " %64[0-9a-f]%n", t->name, role, &t->created_us, &t->expires_us, hex,
	           &end) != 5 ||
	    line[end] || strlen(hex) != 64)
		return false;
	for (size_t i = 0; i < sizeof t->hash; i++)
		sscanf(hex + 2 * i, "%2hhx", &t->hash[i]);
	t->role = !strcmp(role, wh_serve_roles[WH_SERVE_OPERATOR]) ? WH_SERVE_OPERATOR : WH_SERVE_READER;
	return good_name(t->name) && !strcmp(role, wh_serve_roles[t->role]);
}

static int parse(const char *dir, char *text, struct wh_tokens *out, struct wh_error *err)
{
	char *save;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (out->n == WH_TOKENS_MAX)
			return wh_fail(err, -E2BIG, "%s/" FILE_NAME ": more than %d tokens", dir, WH_TOKENS_MAX);
		if (!parse_line(line, &out->list[out->n++])) {
			out->n = 0;
			return wh_fail(err, -EBADMSG,
			               "%s/" FILE_NAME
			               ": a line was not written by whittle; no token is valid until that line is corrected",
			               dir);
		}
	}
	return 0;
}

int wh_tokens_load(const char *dir, struct wh_tokens *out, struct wh_error *err)
{
	char *text;
	size_t len;
	out->n = 0;
	int rc = wh_state_dir_read(dir, FILE_NAME, MAX_FILE, &text, &len, err);
	if (rc || !text)
		return rc;
	rc = parse(dir, text, out, err);
	explicit_bzero(text, len);
	free(text);
	return rc;
}

static int save(int dir, const struct wh_tokens *t, struct wh_error *err)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return wh_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < t->n; i++) {
		const struct wh_token *k = &t->list[i];
		fprintf(f, "1 %s %s %" PRId64 " %" PRId64 " ", k->name, wh_serve_roles[k->role], k->created_us, k->expires_us);
		for (size_t b = 0; b < sizeof k->hash; b++)
			fprintf(f, "%02x", k->hash[b]);
		fputc('\n', f);
	}
	mode_t was = umask(077);
	int rc = fclose(f) ? -ENOMEM : wh_replace_file(dir, FILE_NAME, text, len);
	umask(was);
	free(text);
	return rc ? wh_fail(err, rc, FILE_NAME ": %s", strerror(-rc)) : 0;
}

static size_t place_of(const struct wh_tokens *t, const char *name)
{
	size_t i = 0;
	while (i < t->n && strcmp(t->list[i].name, name))
		i++;
	return i;
}

/* ---- secrets ---- */

const struct wh_token *wh_token_of(const struct wh_tokens *t, const char *secret)
{
	const struct wh_token *found = NULL;
	uint8_t hash[32];
	if (strlen(secret) != WH_TOKEN_SECRET - 1 || strncmp(secret, MARK, sizeof MARK - 1))
		return NULL;
	wh_sha256(secret, strlen(secret), hash);
	for (size_t i = 0; i < t->n; i++) { /* all are compared, each to its end: the time reveals nothing */
		uint8_t differ = 0;
		for (size_t b = 0; b < sizeof hash; b++)
			differ |= hash[b] ^ t->list[i].hash[b];
		found = differ ? found : &t->list[i];
	}
	return found;
}

/* ---- operations on tokens ---- */

static int add(const char *dir, int fd, struct wh_tokens *t, const struct wh_token *new, struct wh_error *err)
{
	int rc = wh_tokens_load(dir, t, err);
	if (!rc && place_of(t, new->name) < t->n)
		rc = wh_fail_input(err, -EEXIST,
		                   "there is a token '%s' already; revoke it first (`whittle serve token revoke %s`)", new->name,
		                   new->name);
	if (!rc && t->n == WH_TOKENS_MAX)
		rc = wh_fail_input(err, -E2BIG, "there are %d tokens already; revoke one", WH_TOKENS_MAX);
	if (rc)
		return rc;
	t->list[t->n++] = *new;
	return save(fd, t, err);
}

int wh_token_add(const char *dir, const char *name, enum wh_serve_role role, int64_t expires_us,
                 char secret[static WH_TOKEN_SECRET], struct wh_error *err)
{
	struct wh_token new = {.role = role, .created_us = wh_now_us(), .expires_us = expires_us};
	if (!good_name(name))
		return wh_fail_input(err, -EINVAL,
		                     "'%.60s': a token's name has up to %d letters, digits and -_.@, the first a letter or digit",
		                     name, WH_TOKEN_NAME);
	if (wh_secret(stpcpy(secret, MARK)))
		return wh_fail(err, -EIO, "the kernel gives no random numbers");
	snprintf(new.name, sizeof new.name, "%s", name);
	wh_sha256(secret, strlen(secret), new.hash);
	struct wh_tokens *t = calloc(1, sizeof *t);
	int fd = t ? wh_state_dir_lock(dir, err) : wh_fail(err, -ENOMEM, "out of memory"),
	    rc = fd < 0 ? fd : add(dir, fd, t, &new, err);
	if (fd >= 0)
		close(fd);
	free(t);
	return rc;
}

int wh_token_revoke(const char *dir, const char *name, struct wh_error *err)
{
	struct wh_tokens *t = calloc(1, sizeof *t);
	int fd = t ? wh_state_dir_lock(dir, err) : wh_fail(err, -ENOMEM, "out of memory"),
	    rc = fd < 0 ? fd : wh_tokens_load(dir, t, err);
	size_t at = rc ? 0 : place_of(t, name);
	if (!rc && at == t->n)
		rc = wh_fail_input(err, -ENOENT, "there is no token '%.60s' (`whittle serve token list`)", name);
	if (!rc) {
		memmove(&t->list[at], &t->list[at + 1], (--t->n - at) * sizeof *t->list);
		rc = save(fd, t, err);
	}
	if (fd >= 0)
		close(fd);
	free(t);
	return rc;
}
