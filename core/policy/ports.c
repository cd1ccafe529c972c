/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of ports are sets of the addresses ::0 to ::ffff: the algebra of ranges serves both. */
#include <stdio.h>
#include <string.h>
#include "whittle/filter.h"

struct wh_addr wh_port_addr(uint16_t port)
{
	return wh_addr_of_halves(0, port);
}

bool wh_ports_have(struct wh_ranges ports, uint16_t port)
{
	struct wh_addr a = wh_port_addr(port);
	return wh_ranges_has(ports, &a);
}

size_t wh_ports_count(struct wh_ranges ports)
{
	return (size_t)wh_ranges_size(ports);
}

struct wh_ranges wh_ports(const struct wh_port_range *r, size_t n, struct wh_arena *mem)
{
	struct wh_ranges out = {0};
	for (size_t i = 0; i < n; i++) {
		struct wh_range one = {wh_port_addr(r[i].from), wh_port_addr(r[i].to)};
		if (r[i].from <= r[i].to)
			out = wh_ranges_union(out, (struct wh_ranges){&one, 1}, mem);
	}
	return out;
}

size_t wh_ports_list(struct wh_ranges ports, struct wh_arena *mem, struct wh_port_range **out)
{
	*out = wh_arena_array(mem, ports.n, sizeof **out);
	for (size_t i = 0; i < ports.n; i++)
		(*out)[i] = (struct wh_port_range){(uint16_t)wh_addr_low(&ports.r[i].from),
		                                   (uint16_t)wh_addr_low(&ports.r[i].to)};
	return ports.n;
}

const char *wh_ports_text(struct wh_ranges ports, struct wh_arena *mem)
{
	size_t room = ports.n * 12 + 3, n = 1; /* "65535-65535," */
	char *text = wh_arena_array(mem, room, 1);
	text[0] = '[';
	for (size_t i = 0; i < ports.n; i++) {
		unsigned from = (unsigned)wh_addr_low(&ports.r[i].from), to = (unsigned)wh_addr_low(&ports.r[i].to);
		n += (size_t)snprintf(text + n, room - n, from == to ? "%s%u" : "%s%u-%u", i ? "," : "", from, to);
	}
	snprintf(text + n, room - n, "]");
	return text;
}
