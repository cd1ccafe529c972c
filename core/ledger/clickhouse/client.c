/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A statement and its answer, over HTTP (net/https.h). Answers are untrusted: their length is limited there, their text is only
 * printed, and rows.c reads their rows.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "ledger/clickhouse/fleet.h"
#include "net/https.h"

enum { MAX_URL = 8000, SECONDS = 300, OK = 200 };

/* An insert is done when each shard has its rows. A select whose shard is not reachable is an error, never an answer with a part
 * of the rows, and an error in the middle of one is not the last line of an answer that says 200. */
static const char settings[] = "insert_distributed_sync=1&skip_unavailable_shards=0"
			       "&max_bytes_before_external_sort=1000000000&max_bytes_before_external_group_by=1000000000";
static const char whole[] = "&wait_end_of_query=1&buffer_size=33554432";

/* Parts of a table are read one after another: so each comes in key order (page.c), and costs less. */
static const char threads[] = "&max_threads=1";

struct statement {
	const char *sql;
	const struct wh_bytes *data; /* of an INSERT; NULL: it is none */
	bool streams, packs;         /* see fleet_query_stream() */
};

static int url_of(const struct fleet_client *c, size_t host, const struct statement *s, char out[static MAX_URL])
{
	size_t n = (size_t)snprintf(out, MAX_URL, "%s/?%s%s%s%s%s", c->url.origins[host], settings, s->streams ? "" : whole,
	                            s->data ? "" : threads, c->url.gzip ? "&enable_http_compression=1" : "",
	                            s->packs ? "&compress=1" : "");
	if (!s->data)
		return 0;
	n += (size_t)snprintf(out + n, MAX_URL - n, "&query=");
	for (const char *p = s->sql; *p && n + 4 < MAX_URL; p++)
		n += (size_t)snprintf(out + n, MAX_URL - n, isalnum((unsigned char)*p) ? "%c" : "%%%02X", (unsigned char)*p);
	return n + 4 < MAX_URL ? 0 : -E2BIG;
}

/* The number in "Code: 279, e.displayText() = …", or of newer servers "Code: 279. DB::Exception: …"; 0: none. */
static long code_of(const char *text)
{
	const char *at = strstr(text, "Code: ");
	long code = at ? strtol(at + 6, NULL, 10) : 0;
	return code > 0 && code < 100000 ? code : 0;
}

/* Errors that another attempt may overcome: no connection to a shard, a time-out, too many queries or parts, a lack of memory or
 * of replicas. */
static bool is_passing(long status, long code)
{
	static const int codes[] = {159, 202, 203, 209, 210, 225, 236, 241, 242, 252, 279, 285, 319, 394, 999};
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (code == codes[i])
			return true;
	return !code && status >= 500;
}

static int refused(const struct fleet_client *c, size_t host, long status, const char *text, struct wh_error *err)
{
	const char *why = strstr(text, "DB::Exception: ");
	char line[301];
	size_t n = 0;
	why = why ? why + 15 : text;
	for (; *why && *why != '\n' && n < sizeof line - 1; why++)
		line[n++] = isprint((unsigned char)*why) ? *why : '?';
	line[n] = 0;
	long code = code_of(text);
	return wh_fail(err, is_passing(status, code) ? -EHOSTUNREACH : -EPROTO, "%s: %s (HTTP %ld, code %ld)",
	               c->url.origins[host], n ? line : "no reason given", status, code);
}

/* The reply's body becomes the answer. The reason of a refusal may be packed, or be text. */
static int take(const struct fleet_client *c, size_t host, const struct statement *s, const struct wh_https_reply *r,
                struct fleet_answer *out, struct wh_error *err)
{
	const int rc = s->packs ? fleet_unpack((const uint8_t *)r->body, r->len, out) : 0;
	const char *text = s->packs && !rc ? (const char *)out->bytes : r->body;
	if (r->status != OK)
		return refused(c, host, r->status, text ? text : "", err);
	return rc == -ENOMEM ? wh_fail(err, rc, "out of memory")
	       : rc          ? wh_fail(err, rc, "%s: an answer is damaged", c->url.origins[host])
	                     : 0;
}

static int ask(struct fleet_client *c, size_t host, const struct statement *s, struct wh_https_reply *r,
               struct fleet_answer *out, struct wh_error *err)
{
	char url[MAX_URL];
	const struct wh_https_bytes body = {.p = s->data ? (const void *)s->data->p : s->sql,
	                                    .n = s->data ? s->data->n : strlen(s->sql),
	                                    .gzip = c->url.gzip};
	if (url_of(c, host, s, url))
		return wh_fail(err, -E2BIG, "%s: the statement is too long", c->url.origins[host]);
	const struct wh_https_request q = {.method = "POST",
	                                   .url = url,
	                                   .ca_file = *c->url.ca_file ? c->url.ca_file : NULL,
	                                   .bytes = &body,
	                                   .seconds = SECONDS};
	int rc = wh_https_exchange(&q, r, err);
	if (rc == -EIO) { /* no answer: another host may have one */
		const struct wh_error why = *err;
		return wh_fail(err, -EHOSTUNREACH, "%s", why.text);
	}
	return rc ? rc : take(c, host, s, r, out, err);
}

void fleet_client_again(const struct fleet_client *of, struct fleet_client *out)
{
	*out = (struct fleet_client){.url = of->url, .host = of->host, .ready = of->ready, .shards = of->shards};
	memcpy(out->shard_hosts, of->shard_hosts, sizeof out->shard_hosts);
}

void fleet_answer_free(struct fleet_answer *a)
{
	wh_https_body_free((void *)(uintptr_t)a->bytes, a->room);
	wh_https_body_free(a->packed, a->packed_room);
	*a = (struct fleet_answer){.n = 0};
}

/* Where the reply's body is: also a body of the last reply, whose memory may be used again. */
static struct wh_https_reply reply_in(const struct statement *s, const struct fleet_answer *out)
{
	if (!out)
		return (struct wh_https_reply){.status = 0};
	return s->packs ? (struct wh_https_reply){.body = out->packed, .room = out->packed_room}
	                : (struct wh_https_reply){.body = (char *)(uintptr_t)out->bytes, .room = out->room};
}

static void keep_reply(const struct statement *s, struct wh_https_reply *r, bool good, struct fleet_answer *out)
{
	if (out && s->packs) {
		out->packed = r->body;
		out->packed_room = r->room;
		out->n = good ? out->n : 0;
	} else if (out) {
		*out = (struct fleet_answer){(const uint8_t *)r->body, good ? r->len : 0, r->room, out->packed, out->packed_room};
	}
	if (out)
		*r = (struct wh_https_reply){.status = 0};
	wh_https_reply_free(r);
}

static int query(struct fleet_client *c, int at, const struct statement *s, struct fleet_answer *out, struct wh_error *err)
{
	size_t tries = at < 0 ? c->url.n : 1;
	int rc = -EHOSTUNREACH;
	for (size_t i = 0; i < tries && rc == -EHOSTUNREACH; i++) {
		struct wh_https_reply r = reply_in(s, out);
		size_t host = at < 0 ? (c->host + i) % c->url.n : (size_t)at;
		rc = ask(c, host, s, &r, out, err);
		if (!rc && at < 0)
			c->host = host;
		keep_reply(s, &r, !rc, out);
	}
	return rc;
}

int fleet_query(struct fleet_client *c, int at, const char *sql, const struct wh_bytes *data, struct fleet_answer *out,
                struct wh_error *err)
{
	return query(c, at, &(struct statement){.sql = sql, .data = data}, out, err);
}

/* The error's text is at the end. A peer's address may look like a part of it: so this alone is no error. */
int fleet_query_stream(struct fleet_client *c, int at, const char *sql, bool packs, struct fleet_answer *out, bool *doubtful,
                       struct wh_error *err)
{
	enum { TAIL = 16384 };
	static const char sign[] = "DB::Exception";
	packs = packs && !c->url.gzip && fleet_can_unpack();
	int rc = query(c, at, &(struct statement){.sql = sql, .streams = true, .packs = packs}, out, err);
	if (!rc && packs && !out->n) /* 18.16 loses one that has less than 1 MiB */
		rc = query(c, at, &(struct statement){.sql = sql, .streams = true}, out, err);
	const size_t n = rc ? 0 : out->n < TAIL ? out->n : TAIL;
	if (n && memmem(out->bytes + out->n - n, n, sign, sizeof sign - 1))
		*doubtful = true;
	return rc;
}

int fleet_query_number(struct fleet_client *c, int at, const char *sql, uint64_t *out, struct wh_error *err)
{
	struct fleet_answer a = {0};
	int rc = fleet_query(c, at, sql, NULL, &a, err);
	*out = 0;
	if (rc)
		return rc;
	struct wh_taking t = {.p = a.bytes, .n = a.n};
	*out = wh_take_number(&t, 8, 0, UINT64_MAX);
	if (t.failed || t.n)
		rc = wh_fail(err, -EBADMSG, "%s: the answer is not a number", c->url.origins[at < 0 ? c->host : (size_t)at]);
	fleet_answer_free(&a);
	return rc;
}
