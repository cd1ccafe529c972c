/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plain lists: an address, a network or a range first-last at the start of each line; what follows white space, ';' or '#' is
 * a remark (FireHOL, Spamhaus, ipsum with its counts). And Suricata's own reputation lists: address,category,score.
 */
#include <stdlib.h>
#include <string.h>
#include "intel/lines.h"

static int ignore(void *arg, const struct wh_prefix *p)
{
	(void)arg;
	(void)p;
	return 0;
}

static size_t token_len(const struct wh_line *l, const char *stop)
{
	size_t n = 0;
	while (n < l->len && !strchr(stop, l->text[n]) && l->text[n])
		n++;
	return n;
}

static int plain_probe(const char *text, size_t len)
{
	const char *at = text;
	struct wh_line l = {0};
	return wh_intel_next_line(&at, text + len, &l) && !wh_intel_token(l.text, token_len(&l, " \t;#"), ignore, NULL) ? 60 : 1;
}

static int plain_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each, void *arg,
                       struct wh_intel_parse_stats *st, struct wh_error *err)
{
	(void)src;
	(void)now_us;
	(void)err;
	const char *at = text;
	for (struct wh_line l = {0}; wh_intel_next_line(&at, text + len, &l);) {
		int rc = wh_intel_token(l.text, token_len(&l, " \t;#"), each, arg);
		if (rc == -EINVAL)
			wh_intel_unreadable(st, l.number);
		else if (rc)
			return rc;
		else
			st->entries++;
	}
	return 0;
}

const struct wh_intel_format wh_intel_plain = {"plain", "one address, network or range a line", plain_probe, plain_parse};

/* address,category,score with both numbers in 0–127 or so; says whether the line has that shape. */
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
	return wh_intel_next_line(&at, text + len, &l) && iprep_line(&l, &n, &score) && !wh_intel_token(l.text, n, ignore, NULL) ? 90 : 0;
}

static int iprep_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each, void *arg,
                       struct wh_intel_parse_stats *st, struct wh_error *err)
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

const struct wh_intel_format wh_intel_iprep = {"iprep", "Suricata's reputation list: address,category,score", iprep_probe, iprep_parse};
