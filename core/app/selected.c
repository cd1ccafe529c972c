/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Some of the recommended rules alone: the ports that are chosen, and those that whittle's table narrows already. */
#include <stdlib.h>
#include <string.h>
#include "app/selected.h"

struct chosen { enum wh_direction direction; uint8_t proto; uint16_t port; bool found; };

/* "22/tcp", "out:443/tcp" */
static bool read_one(const char *text, struct chosen *out)
{
	bool outbound = !strncmp(text, "out:", 4);
	char *end;
	text += outbound ? 4 : 0;
	unsigned long port = strtoul(text, &end, 10);
	*out = (struct chosen){.direction = outbound ? WH_OUTBOUND : WH_INBOUND, .port = (uint16_t)port};
	return *text >= '0' && *text <= '9' && port && port <= 65535 && *end == '/' && !wh_proto_parse(end + 1, &out->proto);
}

static int read_all(const char *list, struct wh_arena *mem, struct chosen **out, size_t *n, struct wh_error *err)
{
	char *text = wh_arena_strdup(mem, list), *save;
	size_t room = 0;
	*out = NULL;
	*n = 0;
	for (char *part = strtok_r(text, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
		*out = wh_arena_grown(mem, *out, *n, &room, sizeof **out);
		if (!read_one(part, &(*out)[(*n)++]))
			return wh_fail_input(err, -EINVAL, "'%.60s' is not a port such as 22/tcp or out:443/tcp", part);
	}
	return *n ? 0 : wh_fail_input(err, -EINVAL, "no port is given, such as 22/tcp");
}

static bool in_force(const struct wh_nft_counts *now, const struct wh_nft_port *p)
{
	for (size_t i = 0; i < now->n; i++)
		if (now->ports[i].direction == p->direction && now->ports[i].proto == p->proto && now->ports[i].port == p->port &&
		    !now->ports[i].reopened)
			return true;
	return false;
}

int wh_app_select_ports(struct wh_nft_ruleset *rs, const char *only, const struct wh_nft_counts *now, struct wh_arena *mem,
                        struct wh_error *err)
{
	struct chosen *list;
	size_t n, kept = 0;
	int rc = read_all(only, mem, &list, &n, err);
	for (size_t i = 0; !rc && i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		bool wanted = in_force(now, p);
		for (size_t k = 0; k < n; k++)
			if (list[k].direction == p->direction && list[k].proto == p->proto && list[k].port == p->port)
				wanted = list[k].found = true;
		if (wanted)
			rs->ports[kept++] = *p;
	}
	for (size_t k = 0; !rc && k < n; k++)
		if (!list[k].found)
			rc = wh_fail_input(err, -ENOENT,
			                   "no rule of port %u is recommended for this machine (`whittle rules list`)",
			                   list[k].port);
	if (!rc)
		rs->n_ports = kept;
	return rc;
}
