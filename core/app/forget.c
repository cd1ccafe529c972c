/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forgetting peers, or what is old. Edges, sketches and evidence are the store's to remove; alerts and notes of what was sighted
 * go here. Other documents are what people decided, or are made anew by the next command, and the journal is a chain of hashes:
 * those that name the peers are listed, and stay.
 */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "app/forget.h"
#include "base/json.h"
#include "ledger/forget.h"
#include "state/forget.h"
#include "whittle/app_forget.h"

enum { LISTED = 100 };

/* Collections of which a document goes that names a peer, or is too old. */
static const char *const sightings[] = {"alert", "watch-noticed"};

struct forgetting {
	const struct wh_forget *what;
	struct wh_state *s;
	struct { char *collection, *key; } *gone;
	size_t n_gone, room;
	uint64_t alerts, notes;
	json_t *documents, *entries;
	json_int_t more_documents, more_entries;
};

/* ---- whether a text names one ---- */

/* Of "10.0.0.5:22", "10.0.0.0/24", "2001:db8::1": the longest part that is an address or a prefix. */
static bool is_of(const struct wh_forget *f, const char *word, size_t len)
{
	struct wh_prefix p;
	bool host_bits;
	while (len && word[len - 1] == '.')
		len--;
	if (!wh_prefix_parse(word, len, &p, &host_bits))
		return wh_prefix_covers(&f->peers, &p);
	const char *colon = len ? memrchr(word, ':', len) : NULL;
	return colon && !wh_prefix_parse(word, (size_t)(colon - word), &p, &host_bits) && wh_prefix_covers(&f->peers, &p);
}

static bool names(const struct wh_forget *f, const char *text)
{
	static const char of_address[] = "0123456789abcdefABCDEF.:/";
	while (*text) {
		size_t n = strspn(text, of_address);
		if (n >= 2 && is_of(f, text, n))
			return true;
		text += n;
		text += strcspn(text, of_address);
	}
	return false;
}

/* "2026-11-30…" as a day; false: it is none. */
static bool day_of(const char *text, int32_t *day)
{
	int64_t us;
	char time[] = "0000-00-00T00:00:00Z";
	if (!text || strlen(text) < 10)
		return false;
	memcpy(time, text, 10);
	if (wh_time_parse(time, strlen(time), &us))
		return false;
	*day = wh_day(us);
	return true;
}

/* The end of an alert. */
static bool is_old(const struct wh_forget *f, const char *json)
{
	json_t *doc = json_loads(json, 0, NULL), *p = json_object_get(doc, "properties");
	const char *end = json_string_value(json_object_get(p, "endTimeUtc"));
	int32_t day;
	bool old = day_of(end, &day) && day < f->before;
	json_decref(doc);
	return old;
}

/* ---- documents and the journal ---- */

static int look_at_document(void *arg, const char *collection, const char *key, const char *json)
{
	struct forgetting *f = arg;
	bool sighting = false;
	for (size_t i = 0; i < sizeof sightings / sizeof *sightings; i++)
		sighting |= !strcmp(collection, sightings[i]);
	if (!(f->what->by_peer ? names(f->what, json) || names(f->what, key) : sighting && is_old(f->what, json)))
		return 0;
	if (!sighting) {
		if (json_array_size(f->documents) < LISTED)
			json_array_append_new(f->documents, json_pack("{s:s, s:s}", "collection", collection, "key", key));
		else
			f->more_documents++;
		return 0;
	}
	if (f->n_gone == f->room) {
		f->room = f->room ? 2 * f->room : 64;
		void *grown = reallocarray(f->gone, f->room, sizeof *f->gone);
		if (!grown)
			return -ENOMEM;
		f->gone = grown;
	}
	f->gone[f->n_gone].collection = strdup(collection);
	f->gone[f->n_gone++].key = strdup(key);
	f->alerts += !strcmp(collection, sightings[0]);
	f->notes += strcmp(collection, sightings[0]) != 0;
	return 0;
}

static int look_at_entry(void *arg, int64_t seq, int64_t time_us, const char *who, const char *what, const char *json)
{
	struct forgetting *f = arg;
	(void)time_us, (void)what;
	if (!names(f->what, json) && !names(f->what, who))
		return 0;
	if (json_array_size(f->entries) < LISTED)
		json_array_append_new(f->entries, json_integer(seq));
	else
		f->more_entries++;
	return 0;
}

static int drop_documents(struct forgetting *f, bool dry_run, struct wh_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < f->n_gone && !rc && !dry_run; i++)
		rc = f->gone[i].collection && f->gone[i].key
		             ? wh_state_delete(f->s, f->gone[i].collection, f->gone[i].key, err)
		             : wh_fail(err, -ENOMEM, "out of memory");
	return rc;
}

static int look(struct forgetting *f, struct wh_error *err)
{
	int rc = wh_state_all(f->s, look_at_document, f, err);
	if (!rc && f->what->by_peer)
		rc = wh_state_log_each(f->s, NULL, look_at_entry, f, err);
	return rc == -ENOMEM ? wh_fail(err, rc, "out of memory") : rc;
}

/* ---- the whole ---- */

static int read_words(const struct wh_app_forget *ask, struct wh_forget *what, struct wh_error *err)
{
	bool host_bits;
	*what = (struct wh_forget){.by_peer = ask->peers != NULL};
	if (ask->peers && (wh_prefix_parse(ask->peers, strlen(ask->peers), &what->peers, &host_bits) || host_bits))
		return wh_fail(err, WH_APP_USAGE, "'%.60s' is neither an address nor a prefix without host bits", ask->peers);
	if (!ask->peers && (!day_of(ask->before, &what->before) || strlen(ask->before) != 10))
		return wh_fail(err, WH_APP_USAGE, "'%.40s' is not a day such as 2026-11-30", ask->before);
	return 0;
}

int wh_app_forget_check(const struct wh_app_forget *ask, struct wh_error *err)
{
	return read_words(ask, &(struct wh_forget){.by_peer = false}, err);
}

static json_t *document(const struct wh_app_forget *ask, const struct forgetting *f, const struct wh_forgotten *r, bool busy)
{
	json_t *removed = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "edges", (json_int_t)r->edges, "openConnections",
	                            (json_int_t)r->open, "sketches", (json_int_t)r->sketches, "evidence", (json_int_t)r->facts,
	                            "pages", (json_int_t)r->pages, "conversations", (json_int_t)r->conversations, "alerts",
	                            (json_int_t)f->alerts, "notes", (json_int_t)f->notes);
	json_t *stays = json_pack("{s:I, s:O, s:I, s:O, s:I}", "edges", (json_int_t)r->kept, "documents", f->documents,
	                          "documentsMore", f->more_documents, "journal", f->entries, "journalMore", f->more_entries);
	return json_pack("{s:s, s:b, s:b, s:o, s:o}", ask->peers ? "peers" : "before", ask->peers ? ask->peers : ask->before,
	                 "done", !ask->dry_run, "busy", busy, "removed", removed, "stays", stays);
}

/* Neither the address nor the prefix: the journal is kept for ever. */
static int journal(const struct wh_app *a, const struct forgetting *f, const struct wh_forgotten *r, struct wh_error *err)
{
	json_t *doc = json_pack("{s:s, s:I, s:I, s:I}", "by", f->what->by_peer ? "peers" : "day", "edges", (json_int_t)r->edges,
	                        "evidence", (json_int_t)r->facts, "alerts", (json_int_t)f->alerts);
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	int rc = text ? wh_state_log(f->s, a->who, "ledger.forget", text, err) : wh_fail(err, -ENOMEM, "out of memory");
	free(text);
	json_decref(doc);
	return rc;
}

static void free_all(struct forgetting *f)
{
	for (size_t i = 0; i < f->n_gone; i++) {
		free(f->gone[i].collection);
		free(f->gone[i].key);
	}
	free(f->gone);
	json_decref(f->documents);
	json_decref(f->entries);
}

/* In one transaction with what the store removes: its own one is a part of it. */
static int forget(const struct wh_app *a, const struct wh_app_forget *ask, struct wh_ledger *l, struct forgetting *f,
                  struct wh_forgotten *r, struct wh_error *err)
{
	int rc = wh_state_begin(f->s, err);
	if (rc)
		return rc;
	rc = wh_store_forget(l->store, f->what, false, r, err);
	rc = rc ? rc : look(f, err);
	rc = rc ? rc : drop_documents(f, ask->dry_run, err);
	rc = rc || ask->dry_run ? rc : journal(a, f, r, err);
	int end = wh_state_end(f->s, !rc && !ask->dry_run, rc ? NULL : err);
	return rc ? rc : end;
}

int wh_app_forget(const struct wh_app *a, const struct wh_app_forget *ask, json_t **out, struct wh_error *err)
{
	struct wh_forget what;
	struct wh_forgotten r;
	struct wh_ledger l = {NULL, NULL};
	bool busy = false;
	*out = NULL;
	int rc = read_words(ask, &what, err);
	struct forgetting f = {.what = &what, .documents = json_array(), .entries = json_array()};
	rc = rc ? rc : wh_ledger_open(a->store_url, WH_STATE_WRITE, &l, err);
	f.s = l.state;
	rc = rc ? rc : forget(a, ask, &l, &f, &r, err);
	if (!rc && !ask->dry_run)
		rc = wh_state_overwrite(f.s, &busy, err);
	if (!rc && !(*out = document(ask, &f, &r, busy)))
		rc = wh_fail(err, -ENOMEM, "out of memory");
	wh_ledger_close(&l);
	free_all(&f);
	return rc;
}

/* ---- what grows old ---- */

#define RETAINED "retained"

struct newest { int32_t today, day, first; };

static int see_day(void *arg, int32_t day, uint64_t flows)
{
	struct newest *n = arg;
	if (flows && day <= n->today && day > n->day)
		n->day = day;
	if (flows && day < n->first)
		n->first = day;
	return 0;
}

static int64_t retained_before(struct wh_state *s)
{
	char *json = NULL;
	json_t *doc = wh_state_get(s, RETAINED, RETAINED, &json, &(struct wh_error){0}) || !json ? NULL
	                                                                                         : json_loads(json, 0, NULL);
	int64_t before = json_integer_value(json_object_get(doc, "before"));
	json_decref(doc);
	free(json);
	return before;
}

struct due { int64_t before, done, first; }; /* what is before goes; it went before `done`; the first day with data */

static int due(const struct wh_app *a, struct wh_ledger *l, struct due *out, struct wh_error *err)
{
	struct newest n = {.today = wh_day(wh_now_us()), .first = INT32_MAX};
	*out = (struct due){.before = INT32_MIN, .done = INT32_MIN};
	if (!a->config || !a->config->ledger.keep_days)
		return 0;
	int rc = wh_store_days(l->store, see_day, &n, err);
	*out = (struct due){n.day - a->config->ledger.keep_days + 1, rc ? 0 : retained_before(l->state), n.first};
	return rc;
}

int wh_app_retain_late(const struct wh_app *a, struct wh_ledger *l, struct wh_error *err)
{
	struct due d;
	int rc = due(a, l, &d, err);
	int64_t since = d.done > d.first ? d.done : d.first;
	return rc ? rc : since < d.before ? (int)(d.before - since) : 0;
}

int wh_app_retain(const struct wh_app *a, struct wh_ledger *l, struct wh_error *err)
{
	struct wh_forget what = {.by_peer = false};
	struct forgetting f = {.what = &what, .s = l->state};
	struct wh_forgotten r;
	struct due d;
	int rc = due(a, l, &d, err);
	if (rc || d.before <= d.done)
		return rc;
	what.before = (int32_t)d.before;
	if ((rc = wh_state_begin(l->state, err)))
		return rc;
	rc = wh_store_forget(l->store, &what, false, &r, err);
	rc = rc == -ENOTSUP ? 0 : rc; /* of a cluster: its own administrator's; alerts are here */
	rc = rc ? rc : look(&f, err);
	rc = rc ? rc : drop_documents(&f, false, err);
	rc = rc ? rc : wh_state_put_json(l->state, RETAINED, RETAINED, json_pack("{s:i}", "before", (int)what.before), err);
	rc = wh_state_finish(l->state, rc, err);
	free_all(&f);
	return rc;
}
