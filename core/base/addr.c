/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <stdlib.h>
#include <endian.h>
#include <string.h>
#include "base/array.h"
#include "whittle/base.h"

static const uint8_t v4_head[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

const struct wh_prefix wh_prefix_all_v4 = {.addr = {.b = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, .len = 96};
const struct wh_prefix wh_prefix_all_v6 = {.len = 0};

struct wh_addr wh_addr_v4(uint32_t host_order)
{
	struct wh_addr a;
	uint32_t n = htonl(host_order);
	memcpy(a.b, v4_head, 12);
	memcpy(a.b + 12, &n, 4);
	return a;
}

uint32_t wh_addr_to_v4(const struct wh_addr *a)
{
	uint32_t n;
	memcpy(&n, a->b + 12, 4);
	return ntohl(n);
}

/* An IPv6 address with all its digits, as Suricata writes them: a tenth of inet_pton's time. False: the text has another form. */
static bool parse_full6(const char *text, struct wh_addr *out)
{
	static const uint8_t digit[256] = {
		/* 16 more than the value: 0 means "no digit" */
		['0'] = 16, ['1'] = 17, ['2'] = 18, ['3'] = 19, ['4'] = 20, ['5'] = 21, ['6'] = 22, ['7'] = 23,
		['8'] = 24, ['9'] = 25, ['a'] = 26, ['b'] = 27, ['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31,
		['A'] = 26, ['B'] = 27, ['C'] = 28, ['D'] = 29, ['E'] = 30, ['F'] = 31,
	};
	const unsigned char *p = (const unsigned char *)text;
	unsigned all = 16, colons = 0;
	struct wh_addr a;
	for (int i = 0; i < 8; i++, p += 5) {
		unsigned w = digit[p[0]], x = digit[p[1]], y = digit[p[2]], z = digit[p[3]];
		all &= w & x & y & z;
		a.b[2 * i] = (uint8_t)(w << 4 | (x & 15));
		a.b[2 * i + 1] = (uint8_t)(y << 4 | (z & 15));
		colons |= i < 7 ? p[4] ^ (unsigned)':' : 0;
	}
	if (!all || colons)
		return false;
	*out = a;
	return true;
}

int wh_addr_parse(const char *text, size_t len, struct wh_addr *out)
{
	char buf[WH_ADDR_STRLEN];
	if (len == 39 && parse_full6(text, out))
		return 0;
	if (!len || len >= sizeof buf || memchr(text, 0, len))
		return -EINVAL;
	memcpy(buf, text, len);
	buf[len] = 0;
	if (!memchr(buf, ':', len)) {
		memcpy(out->b, v4_head, 12);
		return inet_pton(AF_INET, buf, out->b + 12) == 1 ? 0 : -EINVAL;
	}
	return inet_pton(AF_INET6, buf, out->b) == 1 ? 0 : -EINVAL;
}

/* Below 1000, without a terminator. */
static char *put_number(char *to, unsigned v)
{
	if (v >= 100)
		*to++ = (char)('0' + v / 100);
	if (v >= 10)
		*to++ = (char)('0' + v / 10 % 10);
	*to++ = (char)('0' + v % 10);
	return to;
}

/* The terminator's place. IPv4 by hand, as inet_ntop writes it, in a tenth of its time: lists of prefixes are hundreds of
 * thousands long. */
static char *put_addr(char *to, const struct wh_addr *a)
{
	if (!wh_addr_is_v4(a)) {
		inet_ntop(AF_INET6, a->b, to, WH_ADDR_STRLEN);
		return to + strlen(to);
	}
	for (unsigned i = 12; i < 16; i++) {
		to = put_number(to, a->b[i]);
		*to++ = '.';
	}
	*--to = 0;
	return to;
}

char *wh_addr_text(const struct wh_addr *a, char buf[static WH_ADDR_STRLEN])
{
	put_addr(buf, a);
	return buf;
}

int wh_prefix_parse(const char *text, size_t len, struct wh_prefix *out, bool *had_host_bits)
{
	const char *slash = memchr(text, '/', len);
	size_t alen = slash ? (size_t)(slash - text) : len;
	struct wh_addr a;
	if (wh_addr_parse(text, alen, &a))
		return -EINVAL;
	bool v4 = !memchr(text, ':', alen);
	unsigned max = v4 ? 32 : 128, n = max;
	if (slash) {
		size_t digits = len - alen - 1;
		if (digits < 1 || digits > 3 || (digits > 1 && slash[1] == '0'))
			return -EINVAL;
		n = 0;
		for (size_t i = 1; i <= digits; i++) {
			if (slash[i] < '0' || slash[i] > '9')
				return -EINVAL;
			n = n * 10 + (unsigned)(slash[i] - '0');
		}
		if (n > max)
			return -EINVAL;
	}
	*out = wh_prefix_of(&a, v4 ? n + 96 : n);
	if (had_host_bits)
		*had_host_bits = !wh_addr_eq(&out->addr, &a);
	return 0;
}

unsigned wh_prefix_family_len(const struct wh_prefix *p)
{
	return wh_prefix_is_v4(p) ? p->len - 96u : p->len;
}

char *wh_prefix_text(const struct wh_prefix *p, char buf[static WH_PREFIX_STRLEN])
{
	char *end = put_addr(buf, &p->addr);
	if (p->len < 128) {
		*end++ = '/';
		*put_number(end, wh_prefix_family_len(p)) = 0;
	}
	return buf;
}

int wh_prefix_cmp(const struct wh_prefix *a, const struct wh_prefix *b)
{
	int c = wh_addr_cmp(&a->addr, &b->addr);
	return c ? c : (int)a->len - (int)b->len;
}

static int cmp_prefixes(const void *a, const void *b)
{
	return wh_prefix_cmp(a, b);
}

/* True when a and b are the two halves of one prefix (a the lower); never joins the IPv4 space with its IPv6 neighbour. */
static bool siblings(const struct wh_prefix *a, const struct wh_prefix *b)
{
	if (a->len != b->len || a->len == 0 || a->len == 96)
		return false;
	struct wh_prefix up = wh_prefix_of(&a->addr, a->len - 1u);
	return wh_addr_eq(&up.addr, &a->addr) && wh_prefix_has(&up, &b->addr) && !wh_addr_eq(&a->addr, &b->addr);
}

size_t wh_prefix_lower_bound(const struct wh_prefix *p, size_t n, const struct wh_addr *a)
{
	return WH_BISECT(i, 0, n, wh_addr_cmp(&p[i].addr, a) < 0);
}

const struct wh_prefix *wh_prefix_find(const struct wh_prefix *p, size_t n, const struct wh_addr *a)
{
	/* the first prefix after a; merged prefixes do not nest, so the one before is the only candidate */
	size_t lo = WH_BISECT(i, 0, n, wh_addr_cmp(&p[i].addr, a) <= 0);
	return lo > 0 && wh_prefix_has(&p[lo - 1], a) ? &p[lo - 1] : NULL;
}

size_t wh_prefix_merge(struct wh_prefix *p, size_t n)
{
	size_t top = 0, sorted = 1;
	while (sorted < n && wh_prefix_cmp(&p[sorted - 1], &p[sorted]) <= 0)
		sorted++;
	if (sorted < n)
		qsort(p, n, sizeof *p, cmp_prefixes);
	for (size_t i = 0; i < n; i++) {
		struct wh_prefix cur = p[i];
		if (top && wh_prefix_covers(&p[top - 1], &cur))
			continue;
		while (top && siblings(&p[top - 1], &cur)) {
			cur = wh_prefix_of(&cur.addr, cur.len - 1u);
			top--;
		}
		p[top++] = cur;
	}
	return top;
}

bool wh_addr_is_private(const struct wh_addr *a)
{
	if (!wh_addr_is_v4(a))
		return (a->b[0] & 0xfe) == 0xfc;
	const uint8_t *q = a->b + 12;
	return q[0] == 10 || (q[0] == 172 && (q[1] & 0xf0) == 16) || (q[0] == 192 && q[1] == 168);
}
