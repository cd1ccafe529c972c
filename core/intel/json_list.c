/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One JSON document: a list of addresses or of objects that name one each, alone or in an envelope ({"data":[…]},
 * {"decisions":[…]}, numbered lists, one list a family), or an object whose keys are the addresses. Lists that an envelope calls
 * deleted or allowed are skipped. Two lists are refused unless their names show that both are meant.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "intel/record.h"

enum { MOST_FIELDS = 64, MOST_LEVELS = 6 };

struct walk {
	const struct wh_intel_source *src;
	const char *text; size_t len;
	wh_intel_sink each; void *arg;
	struct wh_intel_parse_stats *st;
	struct wh_error *err;
	char path[256];
};

static size_t line_of(const struct walk *w)
{
	/* scans from the start each time: only done when an error is reported, and once */
	int line = w->st->first_unreadable_line && w->st->first_other_line ? 0 : wh_json_line(w->text, w->len, w->path);
	return line > 0 ? (size_t)line : 0;
}

static int count(struct walk *w, int rc, const char *why)
{
	size_t line = (rc == -EINVAL && !w->st->unreadable) || (rc == 1 && !w->st->other_kind) ? line_of(w) : 0;
	return wh_intel_count(w->st, line, rc, why);
}

static int take_text(struct walk *w, const char *s, size_t n)
{
	int rc = wh_intel_token(s, n, w->each, w->arg);
	const char *kind = rc == -EINVAL ? wh_intel_kind(s, n) : NULL;
	return count(w, kind ? 1 : rc, kind ? kind : "neither address, network nor range");
}

static size_t fields_of(const json_t *o, const char *column, struct wh_intel_field *f, char (*numbers)[24])
{
	const char *key;
	json_t *v;
	size_t n = 0;
	json_object_foreach((json_t *)(uintptr_t)o, key, v) {
		enum wh_intel_role role = wh_intel_role(key, strlen(key));
		if (column && !strcasecmp(key, column))
			role = role == WH_INTEL_START ? role : WH_INTEL_ADDRESS;
		else if (column && (role == WH_INTEL_ADDRESS || role == WH_INTEL_START))
			role = WH_INTEL_OTHER;
		if (role == WH_INTEL_OTHER || n == MOST_FIELDS)
			continue;
		f[n] = (struct wh_intel_field){role, json_string_value(v), json_string_length(v)};
		if (json_is_integer(v))
			snprintf(numbers[n], sizeof *numbers, "%lld", (long long)json_integer_value(v));
		else if (json_is_boolean(v))
			snprintf(numbers[n], sizeof *numbers, "%d", json_is_true(v));
		else if (!json_is_string(v))
			continue;
		if (!json_is_string(v))
			f[n].text = numbers[n], f[n].len = strlen(numbers[n]);
		n++;
	}
	return n;
}

int wh_intel_object(const json_t *o, const char *column, wh_intel_sink each, void *arg, const char **why)
{
	struct wh_intel_field f[MOST_FIELDS];
	char numbers[MOST_FIELDS][24];
	size_t n = fields_of(o, column, f, numbers);
	return wh_intel_record(f, n, each, arg, why);
}

static int ignore(void *arg, const struct wh_prefix *p)
{
	(void)arg;
	(void)p;
	return 0;
}

static bool is_entry(const json_t *o, const char *column)
{
	const char *why;
	return wh_intel_object(o, column, ignore, NULL, &why) == 0;
}

static bool any_of(const char *name, const char *words)
{
	char key[34] = " ";
	size_t n = 1;
	for (; *name && n + 2 < sizeof key; name++)
		if (isalnum((unsigned char)*name))
			key[n++] = (char)tolower((unsigned char)*name);
	key[n++] = ' ';
	key[n] = 0;
	return strstr(words, key) != NULL;
}

/* Lists of entries that are not, or no longer, hostile. */
static bool left_out(const char *name)
{
	return any_of(
		name,
		" deleted removed expired revoked allow allowed allowlist allowlisted white whitelist whitelisted safe benign trusted exclude excluded exceptions except "
		"falsepositives falsepositive meta metadata pagination links errors source events query ");
}

/* Names of lists that are parts of one. */
static bool part_of_one(const char *name)
{
	if (name[strspn(name, "0123456789")] == 0)
		return true;
	return any_of(
		name,
		" ipv4 ipv6 v4 v6 ip4 ip6 inet inet6 prefixes ipv6prefixes ipv4prefixes ips networks cidrs ranges addresses hosts subnets ipv4cidrs ipv6cidrs "
		"ipv4addresses ipv6addresses new ");
}

static bool holds_entry(const json_t *v, const char *column, int level);

static bool member_holds(const char *key, const json_t *v, const char *column, int level)
{
	return (json_is_array(v) || json_is_object(v)) && !left_out(key) && holds_entry(v, column, level + 1);
}

/* Looks only at the first elements of lists, to be quick. */
static bool holds_entry(const json_t *v, const char *column, int level)
{
	enum { LOOK = 50 };
	const char *key;
	size_t i;
	json_t *e;
	if (level > MOST_LEVELS)
		return false;
	if (json_is_string(v))
		return !wh_intel_token(json_string_value(v), json_string_length(v), ignore, NULL);
	if (json_is_object(v)) {
		size_t looked = 0;
		if (is_entry(v, column))
			return true;
		json_object_foreach((json_t *)(uintptr_t)v, key, e)
			if (looked++ < LOOK &&
			    (!wh_intel_token(key, strlen(key), ignore, NULL) || member_holds(key, e, column, level)))
				return true;
		return false;
	}
	json_array_foreach((json_t *)(uintptr_t)v, i, e)
		if (i < LOOK && holds_entry(e, column, level + 1))
			return true;
	return false;
}

static int walk(struct walk *w, const json_t *v, bool in_list, int level);

static int into(struct walk *w, const char *step, const json_t *v, bool in_list, int level)
{
	size_t n = strlen(w->path);
	snprintf(w->path + n, sizeof w->path - n, "%s%s", n ? "/" : "", step);
	int rc = walk(w, v, in_list, level + 1);
	w->path[n] = 0;
	return rc;
}

/* {"data":[]}: a list without an entry, which is no mistake. */
static bool holds_empty_list(const json_t *o)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)o, key, v)
		if (json_is_array(v) && !json_array_size(v))
			return true;
	return false;
}

/* An object that is not an entry itself: keys that are addresses, or the lists in it. */
static int walk_envelope(struct walk *w, const json_t *o, bool in_list, int level)
{
	const char *key, *first = NULL;
	json_t *v;
	size_t keys = 0, lists = 0;
	bool parts = true;
	int rc = 0;
	json_object_foreach((json_t *)(uintptr_t)o, key, v) {
		keys += !wh_intel_token(key, strlen(key), ignore, NULL);
		if (!member_holds(key, v, w->src->column, level))
			continue;
		if (lists++ && !(parts && part_of_one(key)))
			return wh_fail_input(
				w->err, -EINVAL,
				"%s: there are addresses under '%.40s' and under '%.40s': give only the part that is the list",
				w->src->name, first, key);
		parts = parts && part_of_one(key);
		first = key;
	}
	if (keys * 2 > json_object_size(o)) {
		json_object_foreach((json_t *)(uintptr_t)o, key, v)
			if (!rc)
				rc = take_text(w, key, strlen(key));
		return rc;
	}
	if (!lists && in_list && holds_empty_list(o))
		return 0;
	if (!lists && in_list) {
		const char *why;
		rc = wh_intel_object(o, w->src->column, ignore, NULL, &why);
		return count(w, rc ? rc : -EINVAL, why);
	}
	json_object_foreach((json_t *)(uintptr_t)o, key, v) {
		if (rc || (!json_is_array(v) && !json_is_object(v)))
			continue;
		if (left_out(key) && holds_entry(v, w->src->column, level + 1))
			wh_intel_other_kind(w->st, 0, "entries that are taken back or allowed");
		else if (!left_out(key) && (!lists || part_of_one(key) || member_holds(key, v, w->src->column, level)))
			rc = into(w, key, v, false, level); /* beside a list: not what else is said of it, such as tags */
	}
	return rc;
}

static int walk(struct walk *w, const json_t *v, bool in_list, int level)
{
	char step[24];
	const char *why;
	size_t i;
	json_t *e;
	int rc = 0;
	if (level > MOST_LEVELS)
		return count(w, -EINVAL, "nested too deeply to be a list");
	if (json_is_object(v)) {
		rc = wh_intel_object(v, w->src->column, w->each, w->arg, &why);
		if (rc == -EINVAL && !strncmp(why, "neither", 7))
			return walk_envelope(w, v, in_list, level);
		return count(w, rc, why);
	}
	if (json_is_string(v) && in_list)
		return take_text(w, json_string_value(v), json_string_length(v));
	if (!json_is_array(v))
		return in_list ? count(w, -EINVAL, "neither address, network nor range") : 0;
	json_array_foreach((json_t *)(uintptr_t)v, i, e) {
		snprintf(step, sizeof step, "%zu", i);
		if ((rc = into(w, step, e, true, level)))
			return rc;
	}
	return 0;
}

static int json_probe(const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	struct wh_line l = {0};
	if (!wh_intel_any_line(&at, end, &l) || (*l.text != '{' && *l.text != '['))
		return 0;
	const char *inside = l.text + 1 + strspn(l.text + 1, " \t\r\n");
	if (*l.text == '[') /* [2001:db8::1]:443 is not one */
		return *inside && strchr("[{\"]", *inside) ? 75 : 0;
	if (l.text[l.len - 1] != '}')
		return 65;
	struct wh_line next = {0};
	return wh_intel_any_line(&at, end, &next) && *next.text == '{' ? 0 : 75; /* else one object a line */
}

static int json_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each,
                      void *arg, struct wh_intel_parse_stats *st, struct wh_error *err)
{
	(void)now_us;
	struct walk w = {.src = src, .text = text, .len = len, .each = each, .arg = arg, .st = st, .err = err};
	json_t *doc;
	int rc = wh_json_parse(src->name, text, len, &doc, err);
	if (rc)
		return rc;
	rc = walk(&w, doc, false, 0);
	bool empty = !json_object_size(doc) || json_array_size(doc) || holds_empty_list(doc);
	json_decref(doc);
	if (!rc && !st->entries && !st->skipped && !st->unreadable && !empty)
		rc = wh_fail_input(err, -EINVAL, "%s: line 1: there is no list of addresses in the document", src->name);
	return rc;
}

const struct wh_intel_format wh_intel_json = {
	"json", "one JSON document: a list, alone or in an envelope; `column` names the key", json_probe, json_parse};
