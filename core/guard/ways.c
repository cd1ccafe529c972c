/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/socket_addr.h"
#include "guard/ways.h"

/* ---- default routes ---- */

enum { MOST_ROUTES = 1 << 18 };

static char *whole(const char *path, char *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got = 0;
	while (fd >= 0 && n < MOST_ROUTES - 1 && (got = read(fd, text + n, MOST_ROUTES - 1 - n)) > 0)
		n += (size_t)got;
	if (fd >= 0)
		close(fd);
	text[n] = 0;
	return text;
}

/* The kernel's routing tables have one line per route: for IPv4 "eth0 00000000 0102A8C0 0003 0 0 100 00000000 …" (destination,
 * gateway, flags, …, mask), for IPv6 "destination length source length gateway metric … flags interface". */
static bool leads_out(const char *line, bool v6, const char *interface)
{
	char name[IFNAMSIZ] = "", to[33] = "", mask[33] = "";
	if (v6)
		return sscanf(line, "%32s %32s %*s %*s %*s %*s %*s %*s %*s %15s", to, mask, name) == 3 &&
		       strspn(to, "0") == 32 && !strcmp(mask, "00") && !strcmp(name, interface);
	return sscanf(line, "%15s %32s %*s %*s %*s %*s %*s %32s", name, to, mask) == 3 && !strcmp(to, "00000000") &&
	       !strcmp(mask, "00000000") && !strcmp(name, interface);
}

static void mark_outside(struct wh_nft_way *ways, size_t n, char *text, bool v6)
{
	char *save = NULL;
	whole(v6 ? "/proc/net/ipv6_route" : "/proc/net/route", text);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		for (size_t i = 0; i < n; i++)
			ways[i].outside |= wh_addr_is_v4(&ways[i].addr) != v6 && leads_out(line, v6, ways[i].interface);
}

/* ---- addresses ---- */

static uint8_t length(const struct ifaddrs *i, bool v6)
{
	struct wh_addr mask;
	uint8_t n = 0;
	if (!wh_addr_of_socket(i->ifa_netmask, &mask))
		return 128;
	for (unsigned k = v6 ? 0 : 96; k < 128 && mask.b[k / 8] >> (7 - k % 8) & 1; k++)
		n++;
	return (uint8_t)(v6 ? n : 96 + n);
}

static bool link_local(const struct wh_addr *a)
{
	return (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80) || (wh_addr_is_v4(a) && a->b[12] == 169 && a->b[13] == 254);
}

static int by_interface(const void *a, const void *b)
{
	const struct wh_nft_way *x = a, *y = b;
	return x->index != y->index ? (x->index > y->index) - (x->index < y->index) : wh_addr_cmp(&x->addr, &y->addr);
}

size_t wh_ways(struct wh_nft_way out[static WH_WAYS], bool *more)
{
	struct ifaddrs *list;
	size_t n = 0;
	char *text;
	*more = false;
	if (getifaddrs(&list))
		return 0;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		struct wh_addr a;
		if (i->ifa_flags & IFF_LOOPBACK || !(i->ifa_flags & IFF_UP) || !wh_addr_of_socket(i->ifa_addr, &a) ||
		    link_local(&a))
			continue;
		if (n == WH_WAYS) {
			*more = true;
			break;
		}
		out[n] = (struct wh_nft_way){.index = wh_interface_index(list, i->ifa_name),
		                             .addr = a,
		                             .bits = length(i, !wh_addr_is_v4(&a))};
		snprintf(out[n++].interface, sizeof out->interface, "%s", i->ifa_name);
	}
	freeifaddrs(list);
	qsort(out, n, sizeof *out, by_interface);
	if (n && (text = malloc(MOST_ROUTES))) {
		mark_outside(out, n, text, false);
		mark_outside(out, n, text, true);
		free(text);
	}
	return n;
}

int wh_put_openings(struct wh_arena *mem, struct wh_firewall_answer *out, struct wh_bytes *bytes, struct wh_error *err)
{
	struct wh_nft_way ways[WH_WAYS];
	struct wh_nft_openings *o = &out->openings.is;
	bool more;
	size_t n = wh_ways(ways, &more);
	int rc = wh_nft_openings(ways, n, mem, o, err);
	if (rc)
		return rc;
	if (more && !*o->unread)
		snprintf(o->unread, sizeof o->unread, "this machine has more than %d addresses", WH_WAYS);
	out->openings.n_ways = n;
	wh_put(bytes, ways, n * sizeof *ways);
	wh_put(bytes, o->o, o->n * sizeof *o->o);
	return 0;
}
