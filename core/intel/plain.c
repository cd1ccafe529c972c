/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists with one entry a line, after the words of firewalls and web servers ("add NAME", "deny from"), with a remark after it:
 * FireHOL, Spamhaus, ipsum, blocklist.de, `ipset save`. A second address in a line is read by its meaning (the end of a range, a
 * mask), or the line is refused: its first address alone would mean something else. And Suricata's own reputation lists:
 * address,category,score.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "intel/lines.h"

enum { MOST_WORDS = 64, SAMPLE = 2000 };
struct word { const char *s; size_t n; };
struct words { struct word w[MOST_WORDS]; size_t n; bool more; };

static int ignore(void *arg, const struct wh_prefix *p)
{
	(void)arg;
	(void)p;
	return 0;
}

static bool is(const struct word *w, const char *text)
{
	return w->n == strlen(text) && !strncasecmp(w->s, text, w->n);
}

static bool entry(const struct word *w)
{
	return w->n && !wh_intel_token(w->s, w->n, ignore, NULL);
}

/* The length of a line without its final remark. */
static size_t without_remark(const struct wh_line *l)
{
	size_t n = 0;
	while (n < l->len && l->text[n] != ';' && l->text[n] != '#' &&
	       !(n && n + 1 < l->len && !memcmp(l->text + n, "//", 2) && isblank((unsigned char)l->text[n - 1])))
		n++;
	return n;
}

static void split(const struct wh_line *l, struct words *out)
{
	out->n = 0;
	out->more = false;
	for (const char *s = l->text, *end = s + without_remark(l); s < end;) {
		const char *e = s;
		while (e < end && *e != ' ' && *e != '\t')
			e++;
		if (e > s && out->n < MOST_WORDS)
			out->w[out->n++] = (struct word){s, (size_t)(e - s)};
		else if (e > s)
			out->more = true;
		s = e + (e < end);
	}
}

/* Removes the words before an entry in other programs' files. Returns false for a line without an entry (`create
 * …`). */
static bool strip(struct words *x)
{
	static const char *const phrases[][3] = {
		{"deny", "from"},     {"require", "not", "ip"},     {"all:"}, {"deny"}, {"block"}, {"drop"}, {"blackhole"},
		{"add", "blackhole"}, {"route", "add", "blackhole"}};
	static const char *const others[] = {"create", "-N", "flush", "destroy", "COMMIT"};
	for (size_t i = 0; x->n && i < sizeof others / sizeof *others; i++)
		if (is(&x->w[0], others[i]))
			return false;
	size_t off = 0;
	if (x->n > 2 && (is(&x->w[0], "add") || is(&x->w[0], "-A")) && !is(&x->w[1], "blackhole"))
		off = 2; /* add SET ENTRY */
	for (size_t i = 0; !off && i < sizeof phrases / sizeof *phrases; i++) {
		size_t k = 0;
		while (k < 3 && phrases[i][k] && k + 1 < x->n && is(&x->w[k], phrases[i][k]))
			k++;
		off = k == 3 || !phrases[i][k] ? k : 0;
	}
	memmove(x->w, x->w + off, (x->n - off) * sizeof *x->w);
	x->n -= off;
	return true;
}

/* "192.0.2.7,tcp:443": ipset's address with a port; "192.0.2.7," in a list. */
static void cut_comma(struct words *x)
{
	const char *comma = x->n ? memchr(x->w[0].s, ',', x->w[0].n) : NULL;
	if (!comma)
		return;
	struct word rest = {comma + 1, x->w[0].n - (size_t)(comma + 1 - x->w[0].s)};
	x->w[0].n -= rest.n + 1;
	if (!rest.n || x->n == MOST_WORDS)
		return;
	memmove(x->w + 2, x->w + 1, (x->n - 1) * sizeof *x->w);
	x->w[1] = rest;
	x->n++;
}

static bool any_entry(const struct words *x, size_t from)
{
	for (size_t i = from; i < x->n; i++) {
		struct word w = x->w[i];
		while (w.n && (w.s[w.n - 1] == ',' || w.s[w.n - 1] == ')'))
			w.n--;
		while (w.n && (*w.s == '(' || *w.s == ','))
			w.s++, w.n--;
		if (entry(&w) && !(w.n < 5 && strspn(w.s, "0123456789") >= w.n))
			return true;
	}
	return false;
}

static bool small_number(const struct word *w, unsigned *v)
{
	*v = 0;
	for (size_t i = 0; i < w->n; i++) {
		if (!isdigit((unsigned char)w->s[i]) || i > 2)
			return false;
		*v = *v * 10 + (unsigned)(w->s[i] - '0');
	}
	return w->n > 0;
}

/* "192.0.2.0 24": a network, if its host bits are zero. */
static bool network(const struct words *x, struct wh_prefix *out)
{
	struct wh_addr a;
	unsigned bits;
	if (x->n < 2 || wh_addr_parse(x->w[0].s, x->w[0].n, &a) || !small_number(&x->w[1], &bits))
		return false;
	bits += wh_addr_is_v4(&a) ? 96 : 0;
	*out = wh_prefix_of(&a, bits);
	return bits <= 128 && bits > (wh_addr_is_v4(&a) ? 96 : 0) && wh_addr_eq(&out->addr, &a);
}

/* A number after each address may be a count of reports (ipsum), or the length of a network: it is a length if all host bits are
 * zero. */
enum numbers { COUNTS, LENGTHS, DOUBTFUL };
static enum numbers meaning_of_numbers(const char *text, size_t len)
{
	size_t fits = 0, others = 0, shorter = 0;
	struct words x;
	const char *at = text;
	for (struct wh_line l = {0}; fits + others < SAMPLE && wh_intel_next_line(&at, text + len, &l);) {
		struct wh_prefix p;
		struct wh_addr a;
		unsigned v;
		split(&l, &x);
		if (x.n < 2 || wh_addr_parse(x.w[0].s, x.w[0].n, &a) || !small_number(&x.w[1], &v))
			continue;
		bool fit = network(&x, &p);
		fits += fit;
		shorter += fit && p.len < 128;
		others += !fit;
	}
	return !others && shorter ? LENGTHS : fits > others && shorter ? DOUBTFUL : COUNTS;
}

static const char two[] =
	"a second address in the line that is neither the end of a range nor a mask: nothing says what it means";

/* Two addresses. 0 and *p or *to: the network or range. */
static const char *pair(const struct words *x, struct wh_addr *from, struct wh_addr *to, struct wh_prefix *p, bool *is_prefix)
{
	bool wildcard;
	unsigned len, bits;
	*is_prefix = true;
	if (wh_addr_is_v4(from) && wh_intel_mask(to, &wildcard, &len)) {
		*p = wh_prefix_of(from, len);
		if (!wildcard || wh_addr_eq(&p->addr, from))
			return any_entry(x, 2) ? two : NULL;
	}
	if (wh_intel_one_prefix(from, to, p)) {
		struct wh_addr mask;
		if (x->n > 2 && small_number(&x->w[2], &bits) && bits <= 32 && wh_addr_is_v4(from) && bits + 96 != p->len &&
		    bits > 7 && !any_entry(x, 3))
			return "the end of the range and the length of the network disagree";
		if (x->n > 2 && !wh_addr_parse(x->w[2].s, x->w[2].n, &mask) && wh_intel_mask(&mask, &wildcard, &len) &&
		    len == p->len)
			return any_entry(x, 3) ? two : NULL;
		return any_entry(x, 2) ? two : NULL;
	}
	*is_prefix = false;
	return two;
}

static bool all_entries(const struct words *x)
{
	for (size_t i = 0; i < x->n; i++) {
		struct word w = x->w[i];
		if (w.n && w.s[w.n - 1] == ',')
			w.n--;
		if (!entry(&w))
			return false;
	}
	return x->n > 2 && !x->more;
}

/* "a - b" with spaces. */
static int spaced_range(const struct words *x, wh_intel_sink each, void *arg, const char **why)
{
	struct wh_addr from, to;
	if (any_entry(x, 3))
		*why = two;
	else if (!wh_addr_parse(x->w[0].s, x->w[0].n, &from) && !wh_addr_parse(x->w[2].s, x->w[2].n, &to))
		return wh_intel_range(&from, &to, each, arg);
	return -EINVAL;
}

/* A line that begins with no address: 1 if it is of a known other kind. */
static int other_kind(const struct words *x, const char **why)
{
	const char *kind = wh_intel_kind(x->w[0].s, x->w[0].n);
	if (any_entry(x, 1)) {
		*why = "an address stands in the line, but not at its start: nothing says what it means";
		return -EINVAL;
	}
	*why = kind ? kind : *why;
	return kind ? 1 : -EINVAL;
}

/* A line of a file of hosts: an address of this machine, then names. */
static bool line_of_hosts(const struct words *x)
{
	const struct word *w = &x->w[0];
	return x->n > 1 && (is(w, "0.0.0.0") || is(w, "127.0.0.1") || is(w, "::") || is(w, "::1")) && !any_entry(x, 1);
}

static bool has_word(const struct words *x, const char *word)
{
	for (size_t i = 1; i < x->n; i++)
		if (is(&x->w[i], word))
			return true;
	return false;
}

/* "a /24" with a space. */
static int spaced_length(const struct words *x, wh_intel_sink each, void *arg, const char **why)
{
	char both[80];
	snprintf(both, sizeof both, "%.*s%.*s", (int)x->w[0].n, x->w[0].s, (int)(x->w[1].n < 5 ? x->w[1].n : 5), x->w[1].s);
	*why = "an invalid prefix length";
	return wh_intel_token(both, strlen(both), each, arg);
}

static int each_entry(const struct words *x, wh_intel_sink each, void *arg)
{
	int rc = 0;
	for (size_t i = 0; i < x->n && !rc; i++)
		rc = wh_intel_token(x->w[i].s, x->w[i].n - (x->w[i].s[x->w[i].n - 1] == ','), each, arg);
	return rc;
}

static int take_line(const struct words *x, enum numbers numbers, wh_intel_sink each, void *arg, const char **why)
{
	struct wh_addr from, to;
	struct wh_prefix p;
	bool is_prefix;
	*why = "neither address, network nor range";
	if (x->n > 2 && x->w[1].n == 1 && *x->w[1].s == '-')
		return spaced_range(x, each, arg, why);
	if (!x->n)
		return -EINVAL;
	if (!entry(&x->w[0]))
		return other_kind(x, why);
	bool address = !wh_addr_parse(x->w[0].s, x->w[0].n, &from);
	if (address && line_of_hosts(x)) {
		*why = "domain names";
		return 1;
	}
	if (has_word(x, "nomatch")) {
		*why = wh_intel_exception;
		return -EINVAL;
	}
	if (address && x->n > 1 && !wh_addr_parse(x->w[1].s, x->w[1].n, &to)) {
		*why = pair(x, &from, &to, &p, &is_prefix);
		if (!*why)
			return each(arg, &p);
		if (!all_entries(x))
			return -EINVAL;
	}
	if (address && x->n > 1 && *x->w[1].s == '/')
		return spaced_length(x, each, arg, why);
	if (address && numbers != COUNTS && network(x, &p)) {
		*why = "the number after the address may be a length or a count: write it behind a slash, or give a header";
		return numbers == LENGTHS ? each(arg, &p) : -EINVAL;
	}
	if (all_entries(x))
		return each_entry(x, each, arg);
	*why = two;
	return any_entry(x, 1) ? -EINVAL : wh_intel_token(x->w[0].s, x->w[0].n, each, arg);
}

static int plain_probe(const char *text, size_t len)
{
	const char *at = text;
	struct wh_line l = {0};
	struct words x;
	if (!wh_intel_next_line(&at, text + len, &l))
		return 1;
	split(&l, &x);
	if (!strip(&x))
		return 60;
	cut_comma(&x);
	return x.n && entry(&x.w[0]) && !memchr(l.text, ',', without_remark(&l)) ? 60 : x.n && entry(&x.w[0]) ? 30 : 1;
}

static int plain_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each,
                       void *arg, struct wh_intel_parse_stats *st, struct wh_error *err)
{
	(void)src;
	(void)now_us;
	(void)err;
	enum numbers numbers = meaning_of_numbers(text, len);
	const char *at = text;
	for (struct wh_line l = {0}; wh_intel_next_line(&at, text + len, &l);) {
		struct words x;
		const char *why;
		split(&l, &x);
		if (!strip(&x))
			continue;
		cut_comma(&x);
		int rc = take_line(&x, numbers, each, arg, &why);
		if ((rc = wh_intel_count(st, l.number, rc, why)))
			return rc;
	}
	return 0;
}

const struct wh_intel_format wh_intel_plain = {"plain", "one address, network or range a line", plain_probe, plain_parse};

/* address,category,score with both numbers in 0–127 or so; returns whether the line has that shape. */
static bool iprep_line(const struct wh_line *l, size_t *addr_len, long *score)
{
	char buf[96];
	if (l->len >= sizeof buf)
		return false;
	memcpy(buf, l->text, l->len);
	buf[l->len] = 0;
	char *first = strchr(buf, ','), *second = first ? strchr(first + 1, ',') : NULL, *end;
	if (!second || strchr(second + 1, ','))
		return false;
	strtol(first + 1, &end, 10);
	if (end != second)
		return false;
	*score = strtol(second + 1, &end, 10);
	*addr_len = (size_t)(first - buf);
	return !*end && end != second + 1;
}

static int iprep_probe(const char *text, size_t len)
{
	const char *at = text;
	struct wh_line l = {0};
	size_t n;
	long score;
	return wh_intel_next_line(&at, text + len, &l) && iprep_line(&l, &n, &score) && !wh_intel_token(l.text, n, ignore, NULL)
	               ? 90
	               : 0;
}

static int iprep_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each,
                       void *arg, struct wh_intel_parse_stats *st, struct wh_error *err)
{
	(void)now_us;
	(void)err;
	const char *at = text;
	for (struct wh_line l = {0}; wh_intel_next_line(&at, text + len, &l);) {
		size_t n;
		long score;
		if (!iprep_line(&l, &n, &score)) {
			wh_intel_unreadable(st, l.number);
			continue;
		}
		if (score < src->min_score) {
			st->skipped++;
			continue;
		}
		int rc = wh_intel_token(l.text, n, each, arg);
		if (rc == -EINVAL)
			wh_intel_unreadable(st, l.number);
		else if (rc)
			return rc;
		else
			st->entries++;
	}
	return 0;
}

const struct wh_intel_format wh_intel_iprep = {"iprep", "Suricata's reputation list: address,category,score", iprep_probe,
                                               iprep_parse};
