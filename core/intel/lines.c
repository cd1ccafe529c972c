/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <strings.h>
#include "intel/lines.h"

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

bool wh_intel_next_line(const char **at, const char *end, struct wh_line *line)
{
	while (*at < end) {
		const char *s = *at, *nl = memchr(s, '\n', (size_t)(end - s)), *e = nl ? nl : end;
		*at = nl ? nl + 1 : end;
		line->number++;
		while (s < e && blank(*s))
			s++;
		while (e > s && blank(e[-1]))
			e--;
		if (s == e || *s == '#' || *s == ';' || (e - s > 1 && s[0] == '/' && s[1] == '/'))
			continue;
		line->text = s;
		line->len = (size_t)(e - s);
		return true;
	}
	return false;
}

/* The longest prefix that begins at `a` and does not pass `last`. */
static struct wh_prefix largest_within(const struct wh_addr *a, const struct wh_addr *last, unsigned floor)
{
	struct wh_prefix best = wh_prefix_of(a, 128);
	for (unsigned len = 128; len-- > floor;) {
		struct wh_prefix p = wh_prefix_of(a, len);
		struct wh_addr end = wh_prefix_last(&p);
		if (!wh_addr_eq(&p.addr, a) || wh_addr_cmp(&end, last) > 0)
			break;
		best = p;
	}
	return best;
}

static bool increment(struct wh_addr *a)
{
	for (int i = 15; i >= 0; i--)
		if (++a->b[i])
			return true;
	return false;
}

static int range(const struct wh_addr *from, const struct wh_addr *to, wh_intel_sink each, void *arg)
{
	if (wh_addr_cmp(from, to) > 0 || wh_addr_is_v4(from) != wh_addr_is_v4(to))
		return -EINVAL;
	struct wh_addr at = *from;
	do {
		struct wh_prefix p = largest_within(&at, to, wh_addr_is_v4(from) ? 96 : 0);
		int rc = each(arg, &p);
		if (rc)
			return rc;
		at = wh_prefix_last(&p);
	} while (!wh_addr_eq(&at, to) && increment(&at));
	return 0;
}

int wh_intel_token(const char *s, size_t len, wh_intel_sink each, void *arg)
{
	struct wh_prefix p;
	while (len && blank(*s))
		s++, len--;
	while (len && blank(s[len - 1]))
		len--;
	if (!wh_prefix_parse(s, len, &p, NULL))
		return each(arg, &p);
	const char *dash = memchr(s, '-', len);
	struct wh_addr from, to;
	if (!dash || wh_addr_parse(s, (size_t)(dash - s), &from) || wh_addr_parse(dash + 1, len - (size_t)(dash - s) - 1, &to))
		return -EINVAL;
	return range(&from, &to, each, arg);
}

void wh_intel_unreadable(struct wh_intel_parse_stats *st, size_t line)
{
	if (!st->unreadable++)
		st->first_unreadable_line = line;
}

bool wh_intel_usual_name(const char *s, size_t len)
{
	static const char *const names[] = {"ip", "cidr", "address", "ip_address", "ipaddress", "dst_ip", "src_ip", "network", "prefix",
	                                    "indicator", "value", "ip-dst", "ip-src", "netblock", "host"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == len && !strncasecmp(names[i], s, len))
			return true;
	return false;
}
