/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One value of a list: an address, network or range in the usual spellings, or something of another kind. */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "intel/lines.h"
#include "whittle/intel.h"
#include "whittle/nat64.h"

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
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

bool wh_intel_is_range(const struct wh_addr *from, const struct wh_addr *to)
{
	return wh_addr_cmp(from, to) <= 0 && wh_addr_is_v4(from) == wh_addr_is_v4(to);
}

int wh_intel_range(const struct wh_addr *from, const struct wh_addr *to, wh_intel_sink each, void *arg)
{
	if (!wh_intel_is_range(from, to))
		return -EINVAL;
	struct wh_addr at = *from;
	do {
		struct wh_prefix p = largest_within(&at, to, wh_addr_is_v4(from) ? 96 : 0);
		int rc = each(arg, &p);
		if (rc)
			return rc;
		at = wh_prefix_last(&p);
	} while (!wh_addr_eq(&at, to) && wh_addr_next(&at));
	return 0;
}

bool wh_intel_one_prefix(const struct wh_addr *from, const struct wh_addr *to, struct wh_prefix *out)
{
	*out = wh_prefix_of(from, wh_addr_common_bits(from, to));
	struct wh_addr last = wh_prefix_last(out);
	return wh_intel_is_range(from, to) && wh_addr_eq(&out->addr, from) && wh_addr_eq(&last, to);
}

bool wh_intel_mask(const struct wh_addr *mask, bool *wildcard, unsigned *len)
{
	uint32_t m = wh_addr_to_v4(mask);
	if (!wh_addr_is_v4(mask))
		return false;
	*wildcard = !(m >> 31);
	m = *wildcard ? ~m : m;
	*len = 96 + wh_bits(m);
	return m && (m | (m - 1)) == UINT32_MAX;
}

static bool number(const char *s, size_t n, unsigned most)
{
	unsigned v = 0;
	if (!n || n > 5)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)s[i]))
			return false;
		v = v * 10 + (unsigned)(s[i] - '0');
	}
	return v <= most;
}

/* 192.0.2.7:443, [2001:db8::7]:443, 192.0.2.7|443: the address of it. */
static bool with_port(const char *s, size_t len, struct wh_prefix *p)
{
	struct wh_addr a;
	const char *e = s + len, *colon = memrchr(s, ':', len), *bar = memchr(s, '|', len), *cut = bar ? bar : colon;
	if (*s == '[') {
		const char *close = memchr(s, ']', len);
		bool port = close && e - close > 1 && close[1] == ':' && number(close + 2, (size_t)(e - close - 2), 65535);
		if (!close || (close + 1 != e && !port) || wh_addr_parse(s + 1, (size_t)(close - s - 1), &a) || wh_addr_is_v4(&a))
			return false;
	} else if (!cut || !number(cut + 1, (size_t)(e - cut - 1), 65535) || wh_addr_parse(s, (size_t)(cut - s), &a) ||
	           (!bar && !wh_addr_is_v4(&a))) {
		return false;
	}
	*p = wh_prefix_of(&a, 128);
	return true;
}

/* fe80::1%eth0: the zone is a name of the machine that wrote it, and says nothing elsewhere. */
static bool with_zone(const char *s, size_t len, struct wh_prefix *p)
{
	const char *sign = memchr(s, '%', len);
	struct wh_addr a;
	if (!sign || sign + 1 == s + len || wh_addr_parse(s, (size_t)(sign - s), &a) || wh_addr_is_v4(&a))
		return false;
	for (const char *c = sign + 1; c < s + len; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			return false;
	*p = wh_prefix_of(&a, 128);
	return true;
}

/* 192.0.2.0/255.255.255.0 */
static bool with_mask(const char *s, size_t len, struct wh_prefix *p)
{
	const char *slash = memchr(s, '/', len);
	struct wh_addr a, mask;
	bool wildcard;
	unsigned bits;
	if (!slash || wh_addr_parse(s, (size_t)(slash - s), &a) ||
	    wh_addr_parse(slash + 1, (size_t)(s + len - slash - 1), &mask) || !wh_addr_is_v4(&a) ||
	    !wh_intel_mask(&mask, &wildcard, &bits))
		return false;
	*p = wh_prefix_of(&a, bits);
	return !wildcard || wh_addr_eq(&p->addr, &a);
}

int wh_intel_token(const char *s, size_t len, wh_intel_sink each, void *arg)
{
	static const char *const scopes[] = {"ip:", "range:"}; /* CrowdSec's */
	struct wh_prefix p;
	struct wh_addr from, to;
	for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++)
		if (len > strlen(scopes[i]) && !strncasecmp(s, scopes[i], strlen(scopes[i])))
			s += strlen(scopes[i]), len -= strlen(scopes[i]);
	while (len && blank(*s))
		s++, len--;
	while (len && blank(s[len - 1]))
		len--;
	if (!len)
		return -EINVAL;
	if (!wh_prefix_parse(s, len, &p, NULL) || with_port(s, len, &p) || with_mask(s, len, &p) || with_zone(s, len, &p))
		return each(arg, &p);
	const char *dash = memchr(s, '-', len);
	if (!dash)
		return -EINVAL;
	size_t before = (size_t)(dash - s), after = len - before - 1;
	const char *second = dash + 1;
	while (before && blank(s[before - 1]))
		before--;
	while (after && blank(*second))
		second++, after--;
	if (wh_addr_parse(s, before, &from) || wh_addr_parse(second, after, &to))
		return -EINVAL;
	return wh_intel_range(&from, &to, each, arg);
}

static int ignore(void *arg, const struct wh_prefix *p)
{
	(void)arg;
	(void)p;
	return 0;
}

static bool is_domain(const char *s, size_t n)
{
	size_t dot = n, label = 0;
	if (n > 1 && s[0] == '*' && s[1] == '.')
		s += 2, n -= 2;
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)s[i]) && !strchr("-_.", s[i]))
			return false;
		label = s[i] == '.' ? 0 : label + 1;
		if (s[i] == '.' && i + 1 < n)
			dot = i;
	}
	return dot < n && dot && isalpha((unsigned char)s[dot + 1]) && label >= 1 && n < 254;
}

const char *wh_intel_kind(const char *s, size_t n)
{
	size_t hex = 0;
	if (!wh_intel_token(s, n, ignore, NULL))
		return "addresses";
	while (hex < n && isxdigit((unsigned char)s[hex]))
		hex++;
	if (hex == n && (n == 32 || n == 40 || n == 64 || n == 96 || n == 128))
		return "hashes";
	if (memmem(s, n, "://", 3))
		return "URLs";
	if (n > 3 && memchr(s + 1, '@', n - 1))
		return "mail addresses";
	if (n > 8 && !strncasecmp(s, "CVE-", 4))
		return "names of vulnerabilities";
	if (n > 2 && !strncasecmp(s, "AS", 2) && number(s + 2, n - 2, 99999))
		return "networks' numbers (AS)";
	return is_domain(s, n) ? "domain names" : NULL;
}

const struct wh_prefix *wh_intel_find(const struct wh_prefix *p, size_t n, const struct wh_addr *a)
{
	const struct wh_prefix *found = wh_prefix_find(p, n, a);
	if (found || !wh_addr_is_nat64(a))
		return found;
	struct wh_addr v4 = wh_nat64_embedded(a);
	return wh_prefix_find(p, n, &v4);
}
