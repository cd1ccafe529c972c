/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "base/pages.h"
#include "base/replace_file.h"
#include "base/sha256.h"
#include "net/curl.h"
#include "net/https.h"

/*
 * The service is not trusted with the library's memory. libcurl 7.88.1 keeps the last header line of an answer in the handle,
 * beyond the answer and after its memory was freed, and appends to it if the next answer begins with a continuation line. So each
 * request gets a handle of its own, freed with its answer. Continuation lines, which HTTP has deprecated, are refused everywhere,
 * header lines and bytes are limited, and HTTP/2, a second and larger parser, is not offered.
 */
enum { AT_ONCE = 512 << 10, MAX_HEADER_LINES = 256, MAX_HEADER_BYTES = 64 << 10 };
enum { MAX_RETRY_AFTER = 3600 }; /* s: longer than anybody waits */

static char secret_of_posts[256];
static size_t secret_len;

int wh_https_sign_with(const char *secret, size_t len, struct wh_error *err)
{
	if (len < 16 || len > sizeof secret_of_posts)
		return wh_fail_input(err, -EINVAL, "a secret has 16 to %zu bytes, this one %zu", sizeof secret_of_posts, len);
	memcpy(secret_of_posts, secret, len);
	secret_len = len;
	return 0;
}

static struct {
	bool is;
	char user[256], password[1024];
} login;

int wh_https_log_in(const char *user, const char *password, struct wh_error *err)
{
	if (user && (strlen(user) >= sizeof login.user || strlen(password) >= sizeof login.password))
		return wh_fail_input(err, -EINVAL, "a name has up to %zu bytes, a password up to %zu", sizeof login.user - 1,
		                     sizeof login.password - 1);
	login.is = user;
	snprintf(login.user, sizeof login.user, "%s", user ? user : "");
	snprintf(login.password, sizeof login.password, "%s", user ? password : "");
	return 0;
}

void wh_https_forget_secrets(void)
{
	explicit_bzero(secret_of_posts, sizeof secret_of_posts);
	explicit_bzero(&login, sizeof login);
	secret_len = 0;
}

static struct curl_slist *sign(const struct wh_curl *lib, struct curl_slist *headers, const char *body)
{
	char line[128] = "X-Whittle-Signature: sha256=";
	size_t n = strlen(line);
	_Static_assert(sizeof line > 28 + 2 * WH_SHA256_BYTES, "room for the signature");
	if (!secret_len)
		return headers;
	wh_hmac_sha256_hex(secret_of_posts, secret_len, body, strlen(body), line + n);
	return lib->append(headers, line);
}

static void wipe(char *secret)
{
	explicit_bzero(secret, strlen(secret));
	free(secret);
}

void wh_https_body_free(void *body, size_t room)
{
	if (room)
		wh_pages_free(body, room);
	else
		free(body);
}

void wh_https_reply_again(struct wh_https_reply *r)
{
	char *body = r->room ? r->body : NULL;
	const size_t room = r->room;
	if (!room)
		free(r->body);
	*r = (struct wh_https_reply){.body = body, .room = room};
}

void wh_https_reply_free(struct wh_https_reply *r)
{
	wh_https_body_free(r->body, r->room);
	memset(r, 0, sizeof *r);
}

int wh_https_read_body(int fd, struct wh_https_reply *r, struct wh_error *err)
{
	struct stat st;
	errno = EFBIG;
	if (fstat(fd, &st) || st.st_size > WH_HTTPS_MOST)
		return wh_fail(err, -EPROTO, "an answer could not be stored: %s", strerror(errno));
	const size_t n = (size_t)st.st_size;
	if (r->room <= n) { /* in large pages: to map the file would take a fault for each 4 KiB */
		wh_pages_free(r->body, r->room);
		r->body = wh_pages_new(n + 1);
		r->room = r->body ? n + 1 : 0;
	}
	if (!r->body)
		return wh_fail(err, -ENOMEM, "out of memory");
	for (ssize_t got; r->len < n && (got = pread(fd, r->body + r->len, n - r->len, (off_t)r->len)) > 0;)
		r->len += (size_t)got;
	r->body[r->len] = 0;
	return r->len == n ? 0 : wh_fail(err, -EPROTO, "an answer changed while it was read");
}

/* One answer during its reading. `refused` is the reason why reading was stopped, or NULL. */
struct reading {
	struct wh_https_reply *r;
	int into;    /* where the body is written; -1: it is r->body */
	size_t room; /* of r->body */
	size_t header_lines, header_bytes;
	const char *refused;
	bool quota_used;         /* Resource Graph: no request is left until … */
	int64_t quota_resets_ms; /* … this much later; -1: not reported */
};

/* Parses "00:00:05"; -1: malformed. */
static int64_t span_ms(const char *text)
{
	unsigned h, m, s;
	int end = 0;
	return sscanf(text, "%2u:%2u:%2u%n", &h, &m, &s, &end) == 3 && !text[end] && h == 0 ? (m * 60 + s) * INT64_C(1000) : -1;
}

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct reading *in = arg;
	struct wh_https_reply *r = in->r;
	size_t add = size * n;
	if (add > (size_t)(in->into >= 0 ? WH_HTTPS_MOST : WH_HTTPS_MOST / 2) - r->len) {
		in->refused = in->into >= 0 ? "the answer is longer than 64 MiB" : "the answer is longer than 32 MiB";
		return 0;
	}
	if (in->into >= 0) {
		r->len += add;
		return wh_write_all(in->into, data, add) ? 0 : add;
	}
	if (r->len + add >= in->room) {
		size_t room = 2 * in->room > r->len + add ? 2 * in->room : r->len + add + 1;
		char *more = realloc(r->body, room);
		if (!more)
			return 0;
		r->body = more;
		in->room = room;
	}
	memcpy(r->body + r->len, data, add);
	r->len += add;
	r->body[r->len] = 0;
	return add;
}

static bool header_is(const char *line, size_t len, const char *name, char *out, size_t size)
{
	size_t n = strlen(name);
	if (len <= n || strncasecmp(line, name, n) || line[n] != ':')
		return false;
	const char *v = line + n + 1, *end = line + len;
	while (v < end && (*v == ' ' || *v == '\t'))
		v++;
	while (end > v && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
		end--;
	if ((size_t)(end - v) >= size)
		return false;
	memcpy(out, v, (size_t)(end - v));
	out[end - v] = 0;
	return true;
}

static size_t take_header(char *line, size_t size, size_t n, void *arg)
{
	struct reading *in = arg;
	struct wh_https_reply *r = in->r;
	size_t len = size * n;
	char num[32];
	in->header_bytes += len;
	if (++in->header_lines > MAX_HEADER_LINES || in->header_bytes > MAX_HEADER_BYTES)
		in->refused = "the answer's header has more than 256 lines or 64 KiB";
	else if (len && (*line == ' ' || *line == '\t'))
		in->refused = "the answer's header has a continuation line";
	if (in->refused)
		return 0;
	header_is(line, len, "ETag", r->etag, sizeof r->etag);
	header_is(line, len, "Azure-AsyncOperation", r->async_url, sizeof r->async_url);
	header_is(line, len, "Location", r->location, sizeof r->location);
	if (header_is(line, len, "x-ms-user-quota-remaining", num, sizeof num))
		in->quota_used = !strcmp(num, "0");
	if (header_is(line, len, "x-ms-user-quota-resets-after", num, sizeof num))
		in->quota_resets_ms = span_ms(num);
	if (header_is(line, len, "Retry-After", num, sizeof num)) {
		char *end;
		long s = strtol(num, &end, 10);
		if (!*end && s >= 0)
			r->retry_after_ms = (s < MAX_RETRY_AFTER ? s : MAX_RETRY_AFTER) * 1000;
	}
	return len;
}

bool wh_https_below(const char *endpoint, const char *url)
{
	size_t n = strlen(endpoint);
	return !strncasecmp(url, endpoint, n) && (url[n] == '/' || url[n] == '?');
}

/* The request's header lines; a list of libcurl's. */
static struct curl_slist *headers_of(const struct wh_curl *lib, const struct wh_https_request *q, char *bearer)
{
	struct curl_slist *headers = NULL;
	char *line = NULL;
	if (bearer)
		headers = lib->append(headers, bearer);
	if (q->if_match && asprintf(&line, "If-Match: %s", q->if_match) >= 0) {
		headers = lib->append(headers, line);
		free(line);
	}
	headers = lib->append(headers, "Expect:");
	if (q->bytes) {
		headers = lib->append(headers, "Content-Type: application/octet-stream");
		return q->bytes->gzip ? lib->append(headers, "Content-Encoding: gzip") : headers;
	}
	headers = lib->append(headers, "Accept: application/json");
	if (q->body) {
		headers = lib->append(headers, "Content-Type: application/json");
		if (!strcmp(q->method, "POST"))
			headers = sign(lib, headers, q->body);
	}
	return headers;
}

/* Options of every request: to this host alone, with a time limit, over a connection of its own. */
static void set_up(const struct wh_curl *lib, CURL *c, const char *ca_path)
{
	lib->setopt(c, CURLOPT_PROTOCOLS_STR, "https,http");
	lib->setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	lib->setopt(c, CURLOPT_NOSIGNAL, 1L);
	lib->setopt(c, CURLOPT_CONNECTTIMEOUT, 15L);
	lib->setopt(c, CURLOPT_BUFFERSIZE, (long)AT_ONCE); /* that of 16 KiB takes ten times as many calls for a long answer */
	lib->setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	lib->setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	lib->setopt(c, CURLOPT_USERAGENT, "whittle/" WH_VERSION);
	lib->setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	/* one request a connection: on one kept alive, libcurl itself would send a lost PUT again */
	lib->setopt(c, CURLOPT_FORBID_REUSE, 1L);
	if (ca_path) {
		lib->setopt(c, CURLOPT_CAINFO, ca_path);
		/* libcurl would also trust the directory of certificates that it was built with */
		lib->setopt(c, CURLOPT_CAPATH, NULL);
	}
}

/* Whether the answer may have been under way: the request may then have taken effect. */
static bool was_cut(CURLcode code)
{
	return code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
	       code == CURLE_OPERATION_TIMEDOUT || code == CURLE_WEIRD_SERVER_REPLY;
}

/* Compresses `bytes` with gzip; free() *p. */
static int pack(const struct wh_https_bytes *bytes, void **p, size_t *n, struct wh_error *err)
{
	enum { GZIP = 15 + 16, LEVEL = 1 };
	z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes->p, .avail_in = (uInt)bytes->n};
	*p = NULL;
	if (bytes->n > UINT32_MAX / 2 || deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return wh_fail(err, -ENOMEM, "out of memory");
	size_t room = deflateBound(&z, bytes->n);
	z.next_out = *p = malloc(room);
	z.avail_out = (uInt)room;
	int rc = *p && deflate(&z, Z_FINISH) == Z_STREAM_END ? 0 : wh_fail(err, -ENOMEM, "out of memory");
	*n = room - z.avail_out;
	deflateEnd(&z);
	return rc;
}

/* Sets the method, the body, and the options that belong to it. `packed` must outlive the request. */
static int set_body(const struct wh_curl *lib, CURL *c, const struct wh_https_request *q, void **packed, struct wh_error *err)
{
	const struct wh_https_bytes *bytes = q->bytes;
	lib->setopt(c, CURLOPT_CUSTOMREQUEST, q->method);
	if (!bytes) {
		if (q->body)
			lib->setopt(c, CURLOPT_POSTFIELDS, q->body);
		return 0;
	}
	const void *p = bytes->p;
	size_t n = bytes->n;
	int rc = bytes->gzip ? pack(bytes, packed, &n, err) : 0;
	p = bytes->gzip ? *packed : p;
	lib->setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
	lib->setopt(c, CURLOPT_POSTFIELDS, p ? p : "");
	if (bytes->gzip)
		lib->setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip");
	if (login.is) {
		lib->setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		lib->setopt(c, CURLOPT_USERNAME, login.user);
		lib->setopt(c, CURLOPT_PASSWORD, login.password);
	}
	return rc;
}

/* The request's name in messages: a webhook's URL may be a secret, and the part after a service's host may be long. */
static void name_of(const struct wh_https_request *q, char *out, size_t size)
{
	const char *host = strstr(q->url, "://"), *end = host ? strpbrk(host + 3, "/?") : NULL;
	if (q->bytes && end)
		snprintf(out, size, "%.*s", (int)(end - q->url), q->url);
	else
		snprintf(out, size, "%s %.200s", q->method, strcmp(q->method, "POST") || q->token ? q->url : "to the webhook");
}

int wh_https_send(const struct wh_https_request *q, const char *ca_path, int into, struct wh_https_reply *r, struct wh_error *err)
{
	char *bearer = NULL, why[CURL_ERROR_SIZE] = "", name[220];
	void *packed = NULL;
	const struct wh_curl *lib;
	struct reading in = {.r = r, .into = into, .quota_resets_ms = -1};
	wh_https_reply_free(r);
	int rc = wh_curl_load(&lib, err);
	if (rc)
		return rc;
	r->retry_after_ms = -1;
	CURL *c = lib->init();
	if (!c || (q->token && asprintf(&bearer, "Authorization: Bearer %s", q->token) < 0)) {
		lib->cleanup(c);
		return wh_fail(err, -ENOMEM, "out of memory");
	}
	struct curl_slist *headers = headers_of(lib, q, bearer);
	if (bearer)
		wipe(bearer);
	set_up(lib, c, ca_path);
	lib->setopt(c, CURLOPT_URL, q->url);
	lib->setopt(c, CURLOPT_TIMEOUT, (long)(q->seconds ? q->seconds : WH_HTTPS_SECONDS));
	lib->setopt(c, CURLOPT_HTTPHEADER, headers);
	lib->setopt(c, CURLOPT_ERRORBUFFER, why);
	lib->setopt(c, CURLOPT_WRITEDATA, &in);
	lib->setopt(c, CURLOPT_HEADERDATA, &in);
	rc = set_body(lib, c, q, &packed, err);
	CURLcode code = rc ? CURLE_OK : lib->perform(c);
	lib->getinfo(c, CURLINFO_RESPONSE_CODE, &r->status);
	lib->free_list(headers);
	const char *reason = in.refused ? in.refused : *why ? why : lib->strerror(code);
	lib->cleanup(c);
	free(packed);
	if (r->retry_after_ms < 0 && in.quota_used)
		r->retry_after_ms = in.quota_resets_ms;
	if (rc || code == CURLE_OK)
		return rc;
	r->cut = in.refused || was_cut(code);
	name_of(q, name, sizeof name);
	return wh_fail(err, -EIO, "%s: %s", name, reason);
}
