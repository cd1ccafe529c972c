/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include "app/pseudonym.h"

/* Ranges that stay what they are; of the Internet's IPv6 addresses, that they are such. 168.63.129.16 is Azure's own. */
static const char *const kept[] = {
	"0.0.0.0/8",     "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24",  "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3", "::/127",           "64:ff9b::/96",   "2000::/3",
	"fc00::/7",      "fe80::/10",      "ff00::/8",
};
enum { KEPT = sizeof kept / sizeof *kept };

int wh_pseudonyms_draw(struct wh_pseudonyms *p, struct wh_error *err)
{
	return getrandom(&p->key, sizeof p->key, 0) == sizeof p->key ? 0 : wh_fail(err, -EIO, "the system has no random numbers");
}

/* ---- addresses ---- */

/* The first `len` bits of it. */
static struct wh_addr begin_of(const struct wh_addr *a, unsigned len)
{
	return wh_prefix_of(a, len).addr;
}

/* Whether some kept range begins with the first `len` bits of the address and is longer. */
static bool leads_to_kept(const struct wh_prefix ranges[static KEPT], const struct wh_addr *a, unsigned len)
{
	for (size_t i = 0; i < KEPT; i++) {
		struct wh_addr x = begin_of(&ranges[i].addr, len), y = begin_of(a, len);
		if (ranges[i].len > len && wh_addr_is_v4(&ranges[i].addr) == wh_addr_is_v4(a) && wh_addr_eq(&x, &y))
			return true;
	}
	return false;
}

void wh_pseudonym_addr(const struct wh_pseudonyms *p, struct wh_addr *a)
{
	static struct wh_prefix ranges[KEPT];
	static bool parsed;
	struct wh_addr out = *a;
	bool host_bits;
	for (size_t i = 0; !parsed && i < KEPT; i++)
		wh_prefix_parse(kept[i], strlen(kept[i]), &ranges[i], &host_bits);
	parsed = true;
	for (unsigned i = wh_addr_is_v4(a) ? 96 : 0; i < 128; i++) {
		struct wh_addr before = begin_of(a, i);
		if (!leads_to_kept(ranges, a, i) && wh_siphash(p->key, before.b, 2, i) & 1)
			out.b[i / 8] = (uint8_t)(out.b[i / 8] ^ 1 << (7 - i % 8));
	}
	*a = out;
}

void wh_pseudonym_prefix(const struct wh_pseudonyms *p, struct wh_prefix *x)
{
	wh_pseudonym_addr(p, &x->addr);
	*x = wh_prefix_of(&x->addr, x->len);
}

/* ---- names ---- */

char *wh_pseudonym_name(const struct wh_pseudonyms *p, const char *name, char out[static WH_PSEUDONYM_STRLEN])
{
	uint64_t h = 0, word;
	for (size_t n = strlen(name), i = 0; i <= n; i += 8) {
		word = 0;
		memcpy(&word, name + i, n - i < 8 ? n - i : 8);
		h = wh_siphash(p->key, &word, 1, h ^ (uint64_t)(i + 0x6e616d65));
	}
	snprintf(out, WH_PSEUDONYM_STRLEN, "n%012llx", (unsigned long long)(h & 0xffffffffffff));
	return out;
}

/* "/subscriptions/ID/resourceGroups/NAME/providers/Microsoft.Network/TYPE/NAME": the words stay, after "providers" one more. */
static json_t *arm_id(const struct wh_pseudonyms *p, const char *id)
{
	char out[1024] = "", name[WH_PSEUDONYM_STRLEN];
	size_t n = 0;
	bool word = true;
	for (const char *at = id; *at == '/' && n + 80 < sizeof out;) {
		size_t len = strcspn(at + 1, "/");
		char part[80];
		snprintf(part, sizeof part, "%.*s", (int)(len < 79 ? len : 79), at + 1);
		bool again = word && !strcasecmp(part, "providers");
		bool provider = !word && !strncasecmp(part, "Microsoft.", 10);
		n += (size_t)snprintf(out + n, sizeof out - n, "/%s", word || provider ? part : wh_pseudonym_name(p, part, name));
		word = again ? false : provider ? true : !word;
		at += 1 + len;
	}
	return json_string(out);
}

static bool is_in(const char *const *list, const char *key)
{
	for (; *list; list++)
		if (!strcasecmp(*list, key))
			return true;
	return false;
}

static json_t *text(const struct wh_pseudonyms *p, const char *key, const char *is)
{
	static const char *const as_it_is[] = {"protocol", "access", "direction", "sourcePortRange", "sourcePortRanges",
	                                       "destinationPortRange", "destinationPortRanges", "type", "platform", "nsgScope",
	                                       "location", "provisioningState", NULL},
	                         *const sources[] = {"sourceAddressPrefix", "sourceAddressPrefixes", "destinationAddressPrefix",
	                                             "destinationAddressPrefixes", NULL};
	char buf[WH_PREFIX_STRLEN], name[WH_PSEUDONYM_STRLEN];
	struct wh_prefix x;
	bool host_bits;
	if (is_in(as_it_is, key))
		return json_string(is);
	if (!wh_prefix_parse(is, strlen(is), &x, &host_bits)) {
		wh_pseudonym_prefix(p, &x);
		return json_string(strchr(is, '/') ? wh_prefix_text(&x, buf) : wh_addr_text(&x.addr, buf));
	}
	if (is_in(sources, key) && !strpbrk(is, "-/:")) /* a service tag, or anybody */
		return json_string(is);
	return *is == '/' ? arm_id(p, is) : json_string(*is ? wh_pseudonym_name(p, is, name) : "");
}

static json_t *value(const struct wh_pseudonyms *p, const char *key, const json_t *v)
{
	json_t *out, *member;
	const char *k;
	size_t i;
	if (json_is_string(v))
		return text(p, key, json_string_value(v));
	if (!json_is_object(v) && !json_is_array(v))
		return json_deep_copy(v);
	out = json_is_object(v) ? json_object() : json_array();
	json_array_foreach(v, i, member)
		json_array_append_new(out, value(p, key, member));
	json_object_foreach((json_t *)(uintptr_t)v, k, member) {
		if (!strcasecmp(k, "serviceTags") || !strcasecmp(k, "tags") || !strcasecmp(k, "description"))
			continue;
		json_object_set_new(out, k, value(p, k, member));
	}
	return out;
}

json_t *wh_pseudonym_json(const struct wh_pseudonyms *p, const json_t *doc)
{
	return value(p, "", doc);
}
