/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "guard/firewall_message.h"
#include "guard/rules_bytes.h"

enum {
	WHICH = 1,
	FLAG = 2,
	FORCE = 4,
	NUMBER = 8,
	RULES = 16,
	MAY_LACK_RULES = 32,
	PORTS = 64,
	OPENING = 128,
	TO = 256,
	INTERFACE = 512
};
enum { MAX_SECONDS = 86400 };
#define MAX_MS (INT64_C(366) * 86400 * 1000)

static const struct { unsigned may, has; int64_t min, max;
} asks[WH_ASKS] = {
	[WH_ASK_STATE] = {.may = WH_MAY_LOOK},
	[WH_ASK_MISSING_FEATURES] = {.may = WH_MAY_LOOK},
	[WH_ASK_COMPARE] = {.may = WH_MAY_LOOK, .has = WHICH},
	[WH_ASK_CONFIRMED] = {.may = WH_MAY_LOOK},
	[WH_ASK_CONNECTIONS] = {.may = WH_MAY_LOOK},
	[WH_ASK_JIT_LIVE] = {.may = WH_MAY_LOOK},
	[WH_ASK_JIT_DIFFERS] = {.may = WH_MAY_LOOK},
	[WH_ASK_COUNTS] = {.may = WH_MAY_LOOK},
	[WH_ASK_WATCHED] = {.may = WH_MAY_LOOK},
	[WH_ASK_PUBLISHED] = {.may = WH_MAY_LOOK, .has = FLAG},
	[WH_ASK_JUDGE] = {.may = WH_MAY_LOOK, .has = FLAG | NUMBER | OPENING | TO, .max = INT32_MAX},
	[WH_ASK_OPENINGS] = {.may = WH_MAY_LOOK},
	[WH_ASK_PRESENT] = {.may = WH_MAY_LOOK, .has = FLAG | NUMBER | INTERFACE, .max = INT32_MAX},
	[WH_ASK_APPLY] = {.may = WH_MAY_APPLY, .has = FLAG | FORCE | NUMBER | RULES, .min = 1, .max = MAX_SECONDS},
	[WH_ASK_CONFIRM] = {.may = WH_MAY_CONFIRM},
	[WH_ASK_ROLLBACK] = {.may = WH_MAY_ROLL_BACK, .has = FLAG},
	[WH_ASK_REPAIR] = {.may = WH_MAY_PUT_BACK},
	[WH_ASK_RESTORE] = {.may = WH_MAY_PUT_BACK},
	[WH_ASK_UNINSTALL] = {.may = WH_MAY_UNINSTALL, .has = FLAG},
	[WH_ASK_ADOPT] = {.may = WH_MAY_ADOPT, .has = MAY_LACK_RULES},
	[WH_ASK_JIT_ON] = {.may = WH_MAY_CLOSE, .has = NUMBER | PORTS, .min = 1, .max = MAX_SECONDS},
	[WH_ASK_JIT_CONFIRM] = {.may = WH_MAY_CONFIRM_CLOSED},
	[WH_ASK_JIT_OFF] = {.may = WH_MAY_STOP_CLOSING},
	[WH_ASK_JIT_OPEN] = {.may = WH_MAY_OPEN, .has = NUMBER | OPENING, .min = 1, .max = MAX_MS},
	[WH_ASK_JIT_CLOSE] = {.may = WH_MAY_CLOSE | WH_MAY_OPEN, .has = OPENING},
	[WH_ASK_HEAR_DROPS] = {.may = WH_MAY_HEAR},
	[WH_ASK_HEAR_EVENTS] = {.may = WH_MAY_HEAR},
	[WH_ASK_HEAR_TRACKED] = {.may = WH_MAY_HEAR,
                                 .has = FLAG | NUMBER,
                                 .min = WH_TRACKED_BUFFER_MIN,
                                 .max = WH_TRACKED_BUFFER_MAX},
	[WH_ASK_DUMP_TRACKED] = {.may = WH_MAY_HEAR},
	[WH_ASK_TRACKS] = {.may = WH_MAY_HEAR},
};

unsigned wh_request_needs(const struct wh_request *r)
{
	return r->what == WH_ASK_ROLLBACK && r->flag ? WH_MAY_REMOVE : asks[r->what].may;
}

static void put_name(struct wh_bytes *b, const char *name)
{
	size_t n = strlen(name);
	b->failed |= n > UINT8_MAX;
	wh_put_number(b, n, 1);
	wh_put(b, name, n);
}

void wh_put_request(struct wh_bytes *b, const struct wh_request *r)
{
	unsigned has = asks[r->what].has;
	wh_put_number(b, (uint64_t)r->what, 1);
	if (has & WHICH)
		wh_put_number(b, (uint64_t)r->which, 1);
	if (has & FLAG)
		wh_put_number(b, r->flag, 1);
	if (has & FORCE)
		wh_put_number(b, r->force, 1);
	if (has & NUMBER)
		wh_put_number(b, (uint64_t)r->number, 8);
	if (has & MAY_LACK_RULES)
		wh_put_number(b, r->rs != NULL, 1);
	if (has & RULES || (has & MAY_LACK_RULES && r->rs))
		wh_put_rules_bytes(b, r->rs);
	if (has & PORTS)
		wh_put_number(b, r->n_ports, 4);
	for (size_t i = 0; has & PORTS && i < r->n_ports; i++) {
		wh_put_number(b, r->ports[i].proto, 1);
		wh_put_number(b, r->ports[i].port, 2);
	}
	if (has & OPENING) {
		put_name(b, r->opening.resource);
		wh_put_number(b, r->opening.proto, 1);
		wh_put_number(b, r->opening.port, 2);
		wh_put_prefix(b, &r->opening.from);
	}
	if (has & TO)
		wh_put_prefix(b, &r->to);
	if (has & INTERFACE)
		put_name(b, r->interface);
}

static uint8_t take_proto(struct wh_taking *t)
{
	uint8_t proto = (uint8_t)wh_take_number(t, 1, WH_PROTO_TCP, WH_PROTO_UDP);
	t->failed |= proto != WH_PROTO_TCP && proto != WH_PROTO_UDP;
	return proto;
}

static void take_ports(struct wh_taking *t, struct wh_arena *mem, struct wh_request *out)
{
	out->n_ports = wh_take_count(t, 3, WH_ASK_MAX_PORTS);
	out->ports = wh_arena_array(mem, out->n_ports + 1, sizeof *out->ports);
	for (size_t i = 0; i < out->n_ports; i++) {
		out->ports[i].proto = take_proto(t);
		out->ports[i].port = (uint16_t)wh_take_number(t, 2, 1, 65535);
	}
}

static const char *take_name(struct wh_taking *t, struct wh_arena *mem)
{
	size_t n = (size_t)wh_take_number(t, 1, 0, UINT8_MAX);
	const uint8_t *name = wh_take(t, n);
	t->failed |= name && memchr(name, 0, n);
	return name ? wh_arena_printf(mem, "%.*s", (int)n, (const char *)name) : "";
}

static void take_opening(struct wh_taking *t, struct wh_arena *mem, struct wh_jit_grant *out)
{
	out->resource = take_name(t, mem);
	out->proto = take_proto(t);
	out->port = (uint16_t)wh_take_number(t, 2, 1, 65535);
	out->from = wh_take_prefix(t);
}

int wh_take_request(const void *bytes, size_t n, struct wh_arena *mem, struct wh_request *out)
{
	struct wh_taking t = {.p = bytes, .n = n};
	memset(out, 0, sizeof *out);
	out->what = (enum wh_ask)wh_take_number(&t, 1, WH_ASK_STATE, WH_ASKS - 1);
	unsigned has = t.failed ? 0 : asks[out->what].has;
	if (has & WHICH)
		out->which = (enum wh_firewall_stored)wh_take_number(&t, 1, WH_STORED_CONFIRMED, WH_STORED_WANTED);
	if (has & FLAG)
		out->flag = wh_take_number(&t, 1, 0, 1);
	if (has & FORCE)
		out->force = wh_take_number(&t, 1, 0, 1);
	if (has & NUMBER)
		out->number = (int64_t)wh_take_number(&t, 8, (uint64_t)asks[out->what].min, (uint64_t)asks[out->what].max);
	if (has & RULES || (has & MAY_LACK_RULES && wh_take_number(&t, 1, 0, 1)))
		out->rs = wh_take_rules(&t, mem);
	if (has & PORTS)
		take_ports(&t, mem, out);
	if (has & OPENING)
		take_opening(&t, mem, &out->opening);
	if (has & TO)
		out->to = wh_take_prefix(&t);
	if (has & INTERFACE)
		out->interface = take_name(&t, mem);
	return t.failed || t.n ? -EBADMSG : 0;
}
