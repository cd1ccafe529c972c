/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a source to the list in the ledger: read, merge, subtract protected ranges, compare with the former size, store.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/command.h"
#include "base/json.h"
#include "base/text.h"
#include "whittle/intel.h"

enum { MAX_LIST_BYTES = 256 << 20, COMMAND_SECONDS = 120 };
static const int64_t default_max_age_s = 7 * 86400;

/* IANA's special-purpose registries (RFC 6890 and successors): never the address of a remote host on the Internet. */
static const struct { const char *text, *why;
} special[] = {
	{"0.0.0.0/8", "reserved"},
	{"10.0.0.0/8", "private"},
	{"100.64.0.0/10", "carrier-grade NAT"},
	{"127.0.0.0/8", "loopback"},
	{"169.254.0.0/16", "link-local"},
	{"172.16.0.0/12", "private"},
	{"192.0.0.0/24", "reserved"},
	{"192.0.2.0/24", "documentation"},
	{"192.168.0.0/16", "private"},
	{"198.18.0.0/15", "benchmarking"},
	{"198.51.100.0/24", "documentation"},
	{"203.0.113.0/24", "documentation"},
	{"224.0.0.0/4", "multicast"},
	{"240.0.0.0/4", "reserved"},
	{"168.63.129.16", "Azure's probes"},
	{"::/8", "reserved"},
	{"fc00::/7", "private"},
	{"fe80::/10", "link-local"},
	{"ff00::/8", "multicast"},
	{"2001:db8::/32", "documentation"},
};

struct bag {
	struct wh_prefix *p;
	size_t n, room;
};

static int collect(void *arg, const struct wh_prefix *p)
{
	struct bag *b = arg;
	if (!wh_array_grow(&b->p, b->n, &b->room, sizeof *b->p))
		return -ENOMEM;
	b->p[b->n++] = *p;
	return 0;
}

/* Removes one protected prefix from the rest of the list, noting its part of the whole list. */
static struct wh_ranges subtract(struct wh_ranges whole, struct wh_ranges left, const struct wh_prefix *p, const char *why,
                                 struct wh_arena *mem, struct wh_intel_list *out, size_t *room)
{
	struct wh_ranges cut = wh_ranges_from_prefixes(p, 1, mem), hit = wh_ranges_intersect(whole, cut, mem);
	struct wh_prefix *gone;
	size_t n;
	if (!hit.n)
		return left;
	wh_ranges_to_prefixes(hit, mem, &gone, &n);
	for (size_t i = 0; i < n; i++) {
		out->subtracted = wh_arena_grown(mem, out->subtracted, out->n_subtracted, room, sizeof *out->subtracted);
		out->subtracted[out->n_subtracted++] = (struct wh_intel_subtraction){gone[i], why};
	}
	return wh_ranges_minus(left, cut, mem);
}

static void clean(struct bag *raw, const struct wh_intel_protected *prot, size_t n_prot, struct wh_arena *mem,
                  struct wh_intel_list *out)
{
	size_t room = 0;
	raw->n = wh_prefix_merge(raw->p, raw->n);
	struct wh_ranges whole = wh_ranges_from_prefixes(raw->p, raw->n, mem), r = whole;
	/* Our own ranges come first; a part that lies in several protected ranges is reported for each. */
	for (size_t i = 0; i < n_prot; i++)
		for (size_t j = 0; j < prot[i].n; j++)
			r = subtract(whole, r, &prot[i].prefixes[j], prot[i].why, mem, out, &room);
	for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
		struct wh_prefix p;
		if (!wh_prefix_parse(special[i].text, strlen(special[i].text), &p, NULL))
			r = subtract(whole, r, &p, special[i].why, mem, out, &room);
	}
	wh_ranges_to_prefixes(r, mem, &out->prefixes, &out->n_prefixes);
}

static int read_source(const struct wh_intel_source *src, char **text, size_t *len, struct wh_error *err)
{
	if (src->command && src->file)
		return wh_fail_input(err, -EINVAL, "threat list '%s': has both a file and a command; it takes one", src->name);
	if (src->command) {
		char what[128];
		snprintf(what, sizeof what, "threat list '%.64s'", src->name);
		int rc = wh_command_output(what, src->command, MAX_LIST_BYTES, COMMAND_SECONDS, text, len, err);
		if (!rc && (rc = wh_text_decode(what, text, len, err))) {
			free(*text);
			*text = NULL;
		}
		return rc;
	}
	if (!src->file)
		return wh_fail_input(err, -EINVAL, "threat list '%s': names neither a file nor a command", src->name);
	return wh_read_file(src->file, MAX_LIST_BYTES, text, len, err);
}

/* ---- the ledger's document ---- */

/* Collections: held lists wait for a person's decision. */
static const char IN_FORCE[] = "intel", HELD[] = "intel-held";

static json_t *prefixes_json(const struct wh_prefix *p, size_t n)
{
	json_t *a = json_array();
	char buf[WH_PREFIX_STRLEN];
	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, json_string(wh_prefix_text(&p[i], buf)));
	return a;
}

static int store_list(struct wh_state *s, const char *collection, const struct wh_intel_list *l, struct wh_error *err)
{
	char buf[WH_PREFIX_STRLEN];
	json_t *sub = json_array();
	for (size_t i = 0; i < l->n_subtracted; i++)
		json_array_append_new(sub, json_pack("{s:s,s:s}", "prefix", wh_prefix_text(&l->subtracted[i].prefix, buf), "why",
		                                     l->subtracted[i].why));
	json_t *o = json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:o,s:o}", "origin", l->origin, "updated", (json_int_t)l->updated_us,
	                      "maxAge", (json_int_t)l->max_age_s, "entries", (json_int_t)l->entries, "skipped",
	                      (json_int_t)l->skipped, "unreadable", (json_int_t)l->unreadable, "prefixes",
	                      prefixes_json(l->prefixes, l->n_prefixes), "subtracted", sub);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	int rc = text ? wh_state_put(s, collection, l->name, text, err)
	              : wh_fail(err, -ENOMEM, "threat list '%s': out of memory", l->name);
	free(text);
	json_decref(o);
	return rc;
}

static int load_prefix(const json_t *v, struct wh_prefix *out)
{
	const char *t = json_string_value(v);
	return t ? wh_prefix_parse(t, strlen(t), out, NULL) : -EINVAL;
}

/* The ledger's owner could put any text there. */
static const char *printable(const char *s, struct wh_arena *mem)
{
	char *copy = wh_arena_strdup(mem, s);
	wh_text_make_printable(copy);
	return copy;
}

static int load_list(const char *name, const char *json, struct wh_arena *mem, struct wh_intel_list *l)
{
	json_t *o = json_loads(json, 0, NULL), *a, *v;
	size_t i;
	int rc = json_is_object(o) ? 0 : -EINVAL;
	const char *origin = json_string_value(json_object_get(o, "origin"));
	l->name = printable(name, mem);
	l->origin = printable(origin ? origin : "?", mem);
	l->updated_us = json_integer_value(json_object_get(o, "updated"));
	l->max_age_s = json_integer_value(json_object_get(o, "maxAge"));
	l->entries = (size_t)json_integer_value(json_object_get(o, "entries"));
	l->skipped = (size_t)json_integer_value(json_object_get(o, "skipped"));
	l->unreadable = (size_t)json_integer_value(json_object_get(o, "unreadable"));
	a = json_object_get(o, "prefixes");
	l->prefixes = wh_arena_array(mem, json_array_size(a), sizeof *l->prefixes);
	json_array_foreach(a, i, v)
		rc = rc ? rc : load_prefix(v, &l->prefixes[l->n_prefixes++]);
	a = json_object_get(o, "subtracted");
	l->subtracted = wh_arena_array(mem, json_array_size(a), sizeof *l->subtracted);
	json_array_foreach(a, i, v) {
		const char *why = json_string_value(json_object_get(v, "why"));
		l->subtracted[l->n_subtracted].why = printable(why ? why : "?", mem);
		rc = rc ? rc : load_prefix(json_object_get(v, "prefix"), &l->subtracted[l->n_subtracted++].prefix);
	}
	json_decref(o);
	return rc;
}

struct loading {
	struct wh_arena *mem;
	struct wh_intel_list *lists;
	size_t n, room;
	const char *only;
	struct wh_error *err;
};

static int load_one(void *arg, const char *key, const char *json)
{
	struct loading *ld = arg;
	if (ld->only && strcmp(ld->only, key))
		return 0;
	ld->lists = wh_arena_grown(ld->mem, ld->lists, ld->n, &ld->room, sizeof *ld->lists);
	int rc = load_list(key, json, ld->mem, &ld->lists[ld->n++]);
	return rc ? wh_fail(ld->err, rc, "the ledger's threat list '%s' is damaged: run `whittle intel update %s`", key,
	                    wh_shell_word(key, (char[WH_SHELL_WORD]){0}))
	          : 0;
}

static int lists_of(struct wh_state *s, const char *collection, struct wh_arena *mem, struct wh_intel_list **out, size_t *n,
                    struct wh_error *err)
{
	struct loading ld = {.mem = mem, .err = err};
	int rc = wh_state_each(s, collection, load_one, &ld, err);
	*out = ld.lists;
	*n = ld.n;
	return rc;
}

int wh_intel_lists(struct wh_state *s, struct wh_arena *mem, struct wh_intel_list **out, size_t *n, struct wh_error *err)
{
	return lists_of(s, IN_FORCE, mem, out, n, err);
}

int wh_intel_held(struct wh_state *s, struct wh_arena *mem, struct wh_intel_list **out, size_t *n, struct wh_error *err)
{
	return lists_of(s, HELD, mem, out, n, err);
}

static int take_away(struct wh_state *s, const char *collection, const char *name, bool *was, struct wh_error *err)
{
	char *json = NULL;
	int rc = wh_state_get(s, collection, name, &json, err);
	*was = json != NULL;
	free(json);
	return rc || !*was ? rc : wh_state_delete(s, collection, name, err);
}

int wh_intel_forget(struct wh_state *s, const char *name, struct wh_error *err)
{
	bool force = false, held = false;
	int rc = take_away(s, IN_FORCE, name, &force, err);
	if (!rc)
		rc = take_away(s, HELD, name, &held, err);
	return rc || force || held ? rc : wh_fail_input(err, -ENOENT, "there is no threat list '%s'", name);
}

int wh_intel_confirm(struct wh_state *s, const char *name, struct wh_arena *mem, struct wh_intel_list **out, struct wh_error *err)
{
	struct loading ld = {.mem = mem, .err = err, .only = name};
	bool was;
	int rc = wh_state_each(s, HELD, load_one, &ld, err);
	if (!rc && !ld.n)
		rc = wh_fail_input(err, -ENOENT, "no threat list '%s' waits to be confirmed", name);
	if (!rc)
		rc = store_list(s, IN_FORCE, *out = &ld.lists[0], err);
	return rc ? rc : take_away(s, HELD, name, &was, err);
}

/* ---- update ---- */

/* The share of all hosts' addresses that the list blocks: of IPv4, and of IPv6's 2000::/3. */
static double share_of(const struct wh_intel_list *l)
{
	double sum = 0;
	for (size_t i = 0; i < l->n_prefixes; i++)
		sum += wh_prefix_is_v4(&l->prefixes[i]) ? ldexp(1, 96 - (int)l->prefixes[i].len)
		                                        : ldexp(1, 3 - (int)l->prefixes[i].len);
	return sum;
}

/* One line can do more than a thousand: 0.0.0.0/0 blocks every peer. A list that was accepted before may stay. */
static int check_space(const struct wh_intel_list *before, const struct wh_intel_list *l, struct wh_error *err)
{
	const double most = 1.0 / 16, told_from = 1.0 / 4096;
	double was = before ? share_of(before) : 0, is = share_of(l);

	if (is > most && is > 1.5 * was)
		return wh_fail(err, -ESTALE,
		               "threat list '%s': refused: it would keep out %.0f %% of the whole Internet; --force takes it",
		               l->name, is < 1 ? 100 * is : 100);
	if (before && is > told_from && is > 3 * was)
		return wh_fail(
			err, -ESTALE,
			"threat list '%s': refused: its networks grew more than threefold, from %.2g %% to %.2g %% of the Internet; --force takes it",
			l->name, 100 * was, 100 * is);
	return 0;
}

/* Refuses a list that looks like a broken or poisoned download. */
static int check_size(struct wh_state *s, const struct wh_intel_list *l, struct wh_arena *mem, struct wh_error *err)
{
	struct loading ld = {.mem = mem, .err = err, .only = l->name};
	struct wh_error ignored;
	if (wh_state_each(s, IN_FORCE, load_one, &ld, &ignored) || !ld.n)
		return check_space(NULL, l, err); /* new, or damaged and about to be replaced */
	size_t before = ld.lists[0].entries, now = l->entries;
	if (now * 2 < before)
		return wh_fail(err, -ESTALE,
		               "threat list '%s': refused: it shrank from %zu to %zu entries, less than half; --force takes it",
		               l->name, before, now);
	if (before && now > before * 3)
		return wh_fail(
			err, -ESTALE,
			"threat list '%s': refused: it grew from %zu to %zu entries, more than threefold; --force takes it",
			l->name, before, now);
	return check_space(&ld.lists[0], l, err);
}

bool wh_intel_large(const struct wh_prefix *p)
{
	return wh_prefix_is_v4(p) ? p->len < 96 + 12 : p->len < 24;
}

/* Whether a person should review it first: its entries that no list in force contains. */
static int ask(struct wh_state *s, const struct wh_intel_list *l, wh_intel_review review, void *arg, struct wh_arena *mem,
               struct wh_error *err)
{
	struct wh_intel_list *lists;
	struct wh_prefix *known, *fresh;
	size_t n, n_fresh;
	if (wh_intel_lists(s, mem, &lists, &n, err)) /* one of them is damaged, perhaps the one being updated */
		n = 0;
	wh_intel_merged(lists, n, mem, &known, &n);
	struct wh_ranges r = wh_ranges_minus(wh_ranges_from_prefixes(l->prefixes, l->n_prefixes, mem),
	                                     wh_ranges_from_prefixes(known, n, mem), mem);
	wh_ranges_to_prefixes(r, mem, &fresh, &n_fresh);
	return n_fresh ? review(arg, l, fresh, n_fresh, err) : 0;
}

int wh_intel_update(struct wh_state *s, const struct wh_intel_update *u, struct wh_arena *mem, struct wh_intel_list **out,
                    struct wh_error *err)
{
	const struct wh_intel_source *src = u->source;
	struct bag raw = {0};
	struct wh_intel_parse_stats st;
	char *text = NULL;
	size_t len = 0;
	*out = NULL;
	int rc = read_source(src, &text, &len, err);
	if (rc)
		return rc;
	rc = wh_intel_parse(src, text, len, u->now_us, collect, &raw, &st, err);
	if (rc)
		goto out;
	struct wh_intel_list *l = wh_arena_alloc(mem, sizeof *l);
	l->name = wh_arena_strdup(mem, src->name);
	l->origin = wh_arena_strdup(mem, src->file ? src->file : "(command)");
	l->updated_us = u->now_us;
	l->max_age_s = src->max_age_s ? src->max_age_s : default_max_age_s;
	l->entries = st.entries;
	l->skipped = st.skipped;
	l->unreadable = st.unreadable;
	l->first_unreadable = st.first_unreadable_line;
	clean(&raw, u->prot, u->n_prot, mem, l);
	*out = l;
	bool held = false;
	rc = u->force ? 0 : check_size(s, l, mem, err);
	if (!rc && !u->force && u->review) {
		rc = ask(s, l, u->review, u->arg, mem, err);
		held = rc == 1;
		rc = held ? 0 : rc;
	}
	if (!rc && !u->dry_run)
		rc = store_list(s, held ? HELD : IN_FORCE, l, err);
	bool was;
	if (!rc && !u->dry_run && !held)
		rc = take_away(s, HELD, l->name, &was, err);
	if (!rc && held)
		rc = 1;
out:
	free(raw.p);
	free(text);
	return rc;
}

/* ---- use ---- */

bool wh_intel_stale(const struct wh_intel_list *l, int64_t now_us)
{
	return (now_us - l->updated_us) / 1000000 > l->max_age_s;
}

void wh_intel_merged(const struct wh_intel_list *lists, size_t n, struct wh_arena *mem, struct wh_prefix **out, size_t *n_out)
{
	size_t total = 0, at = 0;
	for (size_t i = 0; i < n; i++)
		total += lists[i].n_prefixes;
	*out = wh_arena_array(mem, total, sizeof **out);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < lists[i].n_prefixes; j++)
			(*out)[at++] = lists[i].prefixes[j];
	*n_out = wh_prefix_merge(*out, at);
}

const struct wh_prefix *wh_intel_lookup(const struct wh_intel_list *list, const struct wh_addr *a)
{
	return wh_intel_find(list->prefixes, list->n_prefixes, a);
}
