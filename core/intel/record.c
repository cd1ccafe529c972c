/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A row of a table or an object of JSON: named fields, one of which holds the address, or two the ends of a range, or two a
 * network and its length or mask. This file decides the fields' common meaning, so that no network is ever read as only its first
 * address.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "intel/record.h"

static const struct { enum wh_intel_role role; const char *names;
} roles[] = {
	/* ignoring case, blanks, '_' and '-' */
	{WH_INTEL_ADDRESS,
         " ip cidr address ipaddress ipaddr addr dstip srcip sourceip destinationip destip dst src source network net prefix subnet indicator value ipdst ipsrc "
         "netblock host ipv4 ipv6 ipprefix ipv4prefix ipv6prefix ipv4address ipv6address ioc iocvalue observable attacker attackerip remoteip remoteaddress "
         "sourceaddress iprange range cidrblock ipcidr ipornetwork clientip badip maliciousip ipnet inetnum "},
	{WH_INTEL_START,
         " start startip ipstart rangestart startaddress startrange begin beginip beginaddress from fromip ipfrom first firstip firstaddress low lowip networkstart "
         "startofrange ipbegin rangebegin rangefrom "},
	{WH_INTEL_END,
         " end endip ipend rangeend endaddress endrange finish to toip ipto last lastip lastaddress high highip networkend endofrange rangeto stop "},
	{WH_INTEL_LENGTH,
         " netmask mask subnetmask networkmask bits maskbits prefixlength prefixlen masklength masklen cidrbits prefixbits length prefixsize netmaskbits subnetbits "},
	{WH_INTEL_MARKED, " toids "},
};

enum wh_intel_role wh_intel_role(const char *name, size_t n)
{
	char key[40] = " ";
	size_t len = 1;
	for (size_t i = 0; i < n; i++) {
		if (name[i] == '_' || name[i] == '-' || name[i] == ' ' || name[i] == '.')
			continue;
		if (len + 2 >= sizeof key || !isalnum((unsigned char)name[i]))
			return WH_INTEL_OTHER;
		key[len++] = (char)tolower((unsigned char)name[i]);
	}
	if (len == 1)
		return WH_INTEL_OTHER;
	key[len++] = ' ';
	key[len] = 0;
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (strstr(roles[i].names, key))
			return roles[i].role;
	return WH_INTEL_OTHER;
}

static int first(void *arg, const struct wh_prefix *p)
{
	*(struct wh_prefix *)arg = *p;
	return 1;
}

static bool is_address(const struct wh_intel_field *f, struct wh_prefix *out)
{
	return wh_intel_token(f->text, f->len, first, out) == 1;
}

static bool bare(const struct wh_intel_field *f, struct wh_addr *out)
{
	return !wh_addr_parse(f->text, f->len, out);
}

/* "24", or a netmask; 0–128 in the form of 16 bytes. */
static bool length_of(const struct wh_intel_field *f, bool v4, unsigned *len)
{
	struct wh_addr mask;
	bool wildcard;
	if (bare(f, &mask))
		return v4 && wh_intel_mask(&mask, &wildcard, len);
	unsigned n = 0;
	for (size_t i = 0; i < f->len; i++) {
		if (!isdigit((unsigned char)f->text[i]) || i > 2)
			return false;
		n = n * 10 + (unsigned)(f->text[i] - '0');
	}
	*len = v4 ? n + 96 : n;
	return f->len && *len <= 128;
}

static const struct wh_intel_field *with_role(const struct wh_intel_field *f, size_t n, enum wh_intel_role role)
{
	for (size_t i = 0; i < n; i++)
		if (f[i].role == role && f[i].len)
			return &f[i];
	return NULL;
}

static int range_record(const struct wh_intel_field *f, size_t n, wh_intel_sink each, void *arg, const char **why)
{
	const struct wh_intel_field *length = with_role(f, n, WH_INTEL_LENGTH);
	struct wh_addr from, to;
	struct wh_prefix whole;
	unsigned len;
	*why = "the start and the end are no range of addresses";
	if (!bare(with_role(f, n, WH_INTEL_START), &from) || !bare(with_role(f, n, WH_INTEL_END), &to) ||
	    !wh_intel_is_range(&from, &to))
		return -EINVAL;
	*why = "the start, the end and the length of the network disagree";
	if (length && length_of(length, wh_addr_is_v4(&from), &len) &&
	    (!wh_intel_one_prefix(&from, &to, &whole) || whole.len != len))
		return -EINVAL;
	return wh_intel_range(&from, &to, each, arg);
}

static int network_record(const struct wh_intel_field *at, const struct wh_intel_field *length, wh_intel_sink each, void *arg,
                          const char **why)
{
	struct wh_addr a;
	unsigned len;
	if (!length || !bare(at, &a)) /* it contains its own length, or a port */
		return wh_intel_token(at->text, at->len, each, arg);
	*why = "the length or mask of the network can't be read";
	if (!length_of(length, wh_addr_is_v4(&a), &len) || len < (wh_addr_is_v4(&a) ? 97u : 1u))
		return -EINVAL;
	struct wh_prefix p = wh_prefix_of(&a, len);
	return each(arg, &p);
}

int wh_intel_record(const struct wh_intel_field *f, size_t n, wh_intel_sink each, void *arg, const char **why)
{
	const struct wh_intel_field *at = NULL, *marked = with_role(f, n, WH_INTEL_MARKED),
				    *length = with_role(f, n, WH_INTEL_LENGTH);
	struct wh_prefix p, other;
	*why = "neither address, network nor range";
	if (marked &&
	    ((marked->len == 1 && *marked->text == '0') || (marked->len == 5 && !strncasecmp(marked->text, "false", 5)))) {
		*why = "entries that are not meant for detection";
		return 1;
	}
	const struct wh_intel_field *start = with_role(f, n, WH_INTEL_START), *end = with_role(f, n, WH_INTEL_END);
	struct wh_addr a;
	if (start && end && (bare(start, &a) || bare(end, &a))) /* else they may be times */
		return range_record(f, n, each, arg, why);
	for (size_t i = 0; i < n; i++) {
		if (f[i].role != WH_INTEL_ADDRESS || !is_address(&f[i], &p))
			continue;
		if (at && is_address(at, &other) && (other.len != p.len || !wh_addr_eq(&other.addr, &p.addr))) {
			*why = "several addresses stand in one entry: say with `column` which is meant";
			return -EINVAL;
		}
		at = &f[i];
	}
	for (size_t i = 0; i < n && at && !length; i++) { /* "cidr": 24, next to the network */
		unsigned len;
		if (f[i].role == WH_INTEL_ADDRESS && &f[i] != at && f[i].len && f[i].len < 4 &&
		    length_of(&f[i], is_address(at, &p) && wh_prefix_is_v4(&p), &len))
			length = &f[i];
	}
	if (at)
		return network_record(at, length, each, arg, why);
	for (size_t i = 0; i < n; i++) {
		const char *kind = f[i].role == WH_INTEL_ADDRESS && f[i].len ? wh_intel_kind(f[i].text, f[i].len) : NULL;
		if (kind) {
			*why = kind;
			return 1;
		}
	}
	return -EINVAL;
}
