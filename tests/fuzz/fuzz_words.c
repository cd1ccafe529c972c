/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, prefixes, times, durations and sizes as people and files write them: an accepted value prints as a text that is
 * accepted as the same value. */
#include <stdlib.h>
#include <string.h>
#include "guard/watch.h"
#include "whittle/base.h"
#include "whittle/estate.h"
#include "whittle/nsg.h"
#include "whittle/recommendation.h"

static void need(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[257], buf[WH_PREFIX_STRLEN], addr[WH_ADDR_STRLEN], time[WH_TIME_STRLEN], name[8];
	size_t n = size < 256 ? size : 256;
	struct wh_addr a, b;
	struct wh_prefix p, q;
	struct wh_arena *mem = wh_arena_new();
	struct wh_kept kept;
	struct wh_drop drop;
	enum wh_nsg_scope scope;
	enum wh_directions directions;
	int64_t t, again, seconds;
	uint64_t bytes;
	uint8_t proto, proto2;
	bool host;
	memcpy(text, data, n);
	text[n] = 0;
	if (!wh_addr_parse(text, strlen(text), &a)) {
		wh_addr_text(&a, addr);
		need(!wh_addr_parse(addr, strlen(addr), &b) && wh_addr_eq(&a, &b));
	}
	if (!wh_prefix_parse(text, strlen(text), &p, &host)) {
		need(p.len <= 128);
		wh_prefix_text(&p, buf);
		need(!wh_prefix_parse(buf, strlen(buf), &q, &host) && !host && q.len == p.len && wh_addr_eq(&p.addr, &q.addr));
	}
	if (!wh_time_parse(text, strlen(text), &t)) {
		wh_time_text(t, time);
		need(!wh_time_parse(time, strlen(time), &again) &&
		     again / 1000000 == (t - (t % 1000000 + 1000000) % 1000000) / 1000000);
	}
	if (!wh_proto_parse(text, &proto))
		need(!wh_proto_parse(wh_proto_text(proto, name), &proto2) && proto == proto2);
	if (!wh_duration_parse(text, &seconds))
		need(seconds >= 0);
	wh_size_parse(text, &bytes);
	wh_nsg_scope_parse(text, &scope);
	wh_directions_parse(text, &directions);
	if (wh_kept_parse(text, mem, &kept))
		need(*kept.rule && strlen(kept.until) == 10);
	/* a packet that a rule of ours dropped, after the rule's prefix */
	const uint8_t *zero = memchr(data, 0, size);
	size_t prefix = zero ? (size_t)(zero - data) : 0;
	if (zero && wh_drop_parse((const char *)data, prefix, zero + 1, size - prefix - 1, &drop))
		need(drop.direction == WH_INBOUND || drop.direction == WH_OUTBOUND);
	wh_arena_free(mem);
	return 0;
}
