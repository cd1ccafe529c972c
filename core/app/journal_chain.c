/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal is read and proved, and its head is kept. */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "app/journal.h"
#include "base/json.h"
#include "base/opener.h"

#define HEAD_FORMAT "whittle-journal-head 1\n"
enum { HEAD_MAX = 256, HEX = 2 * sizeof((struct wh_journal_mark *)0)->hash };

/* ---- the head ---- */

int wh_app_journal_head_path(const char *state_dir, char *out, size_t size)
{
	return !*state_dir || snprintf(out, size, "%s/journal.head", state_dir) >= (int)size ? -ENOENT : 0;
}

static const char *hex(const struct wh_journal_mark *m, char out[static HEX + 1])
{
	for (size_t i = 0; i < sizeof m->hash; i++)
		snprintf(out + 2 * i, 3, "%02x", m->hash[i]);
	return out;
}

struct wh_journal_mark wh_app_journal_head_parse(const char *text)
{
	struct wh_journal_mark m = {.seq = 0};
	char digits[HEX + 1];
	long long seq;
	bool good = sscanf(text, HEAD_FORMAT "%lld %64[0-9a-f]", &seq, digits) == 2 && seq > 0 && strlen(digits) == HEX;
	for (size_t i = 0; good && i < sizeof m.hash; i++)
		good = sscanf(digits + 2 * i, "%2hhx", &m.hash[i]) == 1;
	m.seq = good ? seq : 0;
	return m;
}

struct wh_journal_mark wh_app_journal_head(const struct wh_app *a)
{
	char path[PATH_MAX], *text = NULL;
	size_t len;
	if (wh_app_journal_head_path(a->state_dir, path, sizeof path) ||
	    wh_read_file(path, HEAD_MAX, &text, &len, &(struct wh_error){0}))
		return (struct wh_journal_mark){.seq = 0};
	const struct wh_journal_mark m = wh_app_journal_head_parse(text);
	free(text);
	return m;
}

void wh_app_journal_set_head(const struct wh_app *a, const struct wh_journal_mark *tip)
{
	char path[PATH_MAX], digits[HEX + 1], text[HEAD_MAX];
	if (wh_app_journal_head_path(a->state_dir, path, sizeof path))
		return;
	int n = snprintf(text, sizeof text, HEAD_FORMAT "%lld %s\n", (long long)tip->seq, hex(tip, digits));
	wh_write_file(path, text, (size_t)n, &(struct wh_error){0}); /* without a state directory there is none */
}

static bool same(const struct wh_journal_mark *a, const struct wh_journal_mark *b)
{
	return a->seq == b->seq && !memcmp(a->hash, b->hash, sizeof a->hash);
}

void wh_app_journal_hold(const struct wh_app *a, const struct wh_journal_mark *head, const struct wh_journal_mark *at,
                         const struct wh_journal_mark *tip)
{
	char path[PATH_MAX];
	if (wh_app_journal_head_path(a->state_dir, path, sizeof path) || (head->seq && same(head, tip)))
		return;
	if (head->seq && !same(head, at)) {
		wh_app_note(
			a,
			"the journal was changed since this machine last wrote to it: `whittle journal verify` shows where");
		return;
	}
	if (head->seq > tip->seq) /* another command was faster */
		return;
	wh_app_journal_set_head(a, tip);
}

void wh_app_journal_seal(const struct wh_app *a)
{
	const struct wh_journal_mark head = wh_app_journal_head(a);
	struct wh_journal_mark tip = {.seq = 0}, at = tip;
	struct wh_error ignored;
	struct wh_state *s;
	if (wh_ledger_state(a->store_url, WH_STATE_READ, &s, &ignored))
		return;
	if (!wh_state_journal_tip(s, &tip, &ignored) && tip.seq &&
	    !(head.seq && wh_state_journal_mark(s, head.seq, &at, &ignored)))
		wh_app_journal_hold(a, &head, &at, &tip);
	wh_state_close(s);
}

/* ---- reading ---- */

static json_t *entry_json(int64_t seq, int64_t time_us, const char *who, const char *what, const char *json)
{
	char t[WH_TIME_STRLEN];
	json_t *data = json_loads(json, JSON_DECODE_ANY, NULL);
	return json_pack("{s:I, s:s, s:s, s:s, s:o}", "number", (json_int_t)seq, "time", wh_time_text(time_us, t), "who", who,
	                 "what", what, "data", data ? data : json_string(json));
}

struct reading { json_t *list; size_t last; int64_t only; };

static int read_one(void *arg, int64_t seq, int64_t time_us, const char *who, const char *what, const char *json)
{
	struct reading *r = arg;
	if (r->only && seq != r->only)
		return 0;
	if (json_array_append_new(r->list, entry_json(seq, time_us, who, what, json)))
		return -ENOMEM;
	if (r->last && json_array_size(r->list) > r->last)
		json_array_remove(r->list, 0);
	return r->only ? 1 : 0;
}

static int read_entries(const struct wh_app *a, const char *what, struct reading *r, struct wh_state **s, struct wh_error *err)
{
	int rc = wh_ledger_state(a->store_url, WH_STATE_READ, s, err);
	r->list = json_array();
	rc = rc ? rc : wh_state_log_each(*s, what, read_one, r, err);
	return rc == -ENOMEM ? wh_fail(err, rc, "out of memory") : rc < 0 ? rc : 0;
}

int wh_app_journal_list(const struct wh_app *a, const char *what, size_t last, json_t **out, struct wh_error *err)
{
	struct reading r = {.last = last};
	struct wh_state *s = NULL;
	int rc = read_entries(a, what, &r, &s, err);
	*out = rc ? NULL : json_pack("{s:O}", "entries", r.list);
	wh_state_close(s);
	json_decref(r.list);
	return rc;
}

int wh_app_journal_show(const struct wh_app *a, int64_t number, json_t **out, struct wh_error *err)
{
	struct reading r = {.only = number};
	struct wh_journal_mark m;
	struct wh_state *s = NULL;
	char digits[HEX + 1];
	int rc = read_entries(a, NULL, &r, &s, err);
	*out = NULL;
	if (!rc && !json_array_size(r.list))
		rc = wh_fail_input(err, -ENOENT, "the journal has no entry %lld; `whittle journal list` lists them",
		                   (long long)number);
	rc = rc ? rc : wh_state_journal_mark(s, number, &m, err);
	if (!rc) {
		*out = json_incref(json_array_get(r.list, 0));
		if (m.seq)
			json_object_set_new(*out, "hash", json_string(hex(&m, digits)));
	}
	wh_state_close(s);
	json_decref(r.list);
	return rc;
}

/* ---- proving ---- */

static const char *const faults[] = {
	[WH_JOURNAL_CHANGED] = "the entry was changed, or an entry before it was inserted, removed or moved",
	[WH_JOURNAL_MISSING] = "it is not there",
	[WH_JOURNAL_UNCHAINED] = "the entry has no hash: another program wrote it, or its hash was removed",
	[WH_JOURNAL_EARLIER] = "an entry from before the chain was changed after the chain began here",
	[WH_JOURNAL_HEAD] =
		"the hashes fit each other, but not the head: they were computed again, or this is another ledger",
	[WH_JOURNAL_CUT] = "the head has this entry, but the journal ends before it",
};

int wh_app_journal_verify(const struct wh_app *a, json_t **out, struct wh_error *err)
{
	const struct wh_journal_mark head = wh_app_journal_head(a);
	struct wh_journal_proof p;
	struct wh_state *s;
	char path[PATH_MAX] = "";
	*out = NULL;
	int rc = wh_ledger_state(a->store_url, WH_STATE_READ, &s, err);
	rc = rc ? rc : wh_state_journal_prove(s, &head, &p, err);
	wh_state_close(s);
	if (rc)
		return rc;
	wh_app_journal_head_path(a->state_dir, path, sizeof path);
	*out = json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:s?}", "fits", p.fault == WH_JOURNAL_FITS, "entries",
	                 (json_int_t)p.entries, "beforeTheChain", (json_int_t)p.before, "first", (json_int_t)p.first, "last",
	                 (json_int_t)p.last, "held", (json_int_t)p.held, "head", head.seq ? path : NULL);
	if (p.fault != WH_JOURNAL_FITS)
		json_object_update_new(*out,
		                       json_pack("{s:I, s:s}", "entry", (json_int_t)p.seq, "why", faults[p.fault]));
	return 0;
}
