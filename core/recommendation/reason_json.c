/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reasons as kept with a recommendation: objects without the members that are 0. */
#include <string.h>
#include "whittle/reason.h"
#include "whittle/recommendation.h"

/* Never renamed: kept documents have them. */
static const char *const words[WH_N_REASONS] = {
	[WH_REASON_TEXT] = "text",
	[WH_REASON_NO_TRAFFIC] = "noTraffic",
	[WH_REASON_FEW_DAYS] = "fewDays",
	[WH_REASON_SENSOR_SILENT] = "sensorSilent",
	[WH_REASON_SEEN_RARELY] = "seenRarely",
	[WH_REASON_AS_NARROW] = "asNarrow",
	[WH_REASON_NONE_OPEN] = "noneOpen",
	[WH_REASON_NO_LINES] = "noLines",
	[WH_REASON_GROUP_LINES] = "groupLines",
	[WH_REASON_GROUP_FULL] = "groupFull",
	[WH_REASON_QUIET_SINCE] = "quietSince",
	[WH_REASON_DRAWN] = "drawn",
	[WH_REASON_UNKNOWN] = "unknown",
	[WH_REASON_ADDRESSES_DIFFER] = "addressesDiffer",
	[WH_REASON_NO_ROOM] = "noRoom",
	[WH_REASON_FEWEST_LINES] = "fewestLines",
	[WH_REASON_TOO_FEW_LINES] = "tooFewLines",
	[WH_REASON_WOULD_LOSE] = "wouldLose",
	[WH_REASON_WOULD_LET_IN] = "wouldLetIn",
	[WH_REASON_WINDOW_SHORT] = "windowShort",
	[WH_REASON_UNSTABLE] = "unstable",
	[WH_REASON_ALERTED] = "alerted",
	[WH_REASON_FORGED] = "forged",
	[WH_REASON_NEVER_HEARD] = "neverHeard",
	[WH_REASON_NOT_HEARD] = "notHeard",
	[WH_REASON_ONE_SIDED] = "oneSided",
	[WH_REASON_LEDGER_FULL] = "ledgerFull",
};
enum {
	COUNTS = sizeof((struct wh_reason *)0)->count / sizeof(uint64_t),
	DAYS = sizeof((struct wh_reason *)0)->day / sizeof(int32_t),
	LAST_DAY = 2932896 /* of the year 9999 */
};

/* The codes whose sentences contain the text, or the peer. */
static bool needs_text(enum wh_reason_code c)
{
	return c == WH_REASON_TEXT || c == WH_REASON_GROUP_LINES || c == WH_REASON_GROUP_FULL || c == WH_REASON_UNKNOWN;
}

static bool needs_peer(enum wh_reason_code c)
{
	return c == WH_REASON_WOULD_LET_IN || c == WH_REASON_ALERTED || c == WH_REASON_NEVER_HEARD || c == WH_REASON_NOT_HEARD ||
	       c == WH_REASON_LEDGER_FULL;
}

static json_t *one(const struct wh_reason *r)
{
	char proto[8], addr[WH_ADDR_STRLEN];
	_Static_assert(COUNTS == 4 && DAYS == 2, "what is packed below");
	json_t *o = json_pack("{s:s, s:[I,I,I,I], s:[i,i]}", "code", words[r->code], "count", (json_int_t)r->count[0],
	                      (json_int_t)r->count[1], (json_int_t)r->count[2], (json_int_t)r->count[3], "day", (int)r->day[0],
	                      (int)r->day[1]);
	if (r->from) {
		json_object_set_new(o, "direction", json_string(wh_direction_text(r->direction)));
		json_object_set_new(o, "protocol", json_string(wh_proto_text(r->proto, proto)));
		json_object_set_new(o, "ports", json_pack("[i,i]", (int)r->from, (int)r->to));
	}
	if (r->closing)
		json_object_set_new(o, "closing", json_true());
	if (r->proxy)
		json_object_set_new(o, "proxy", json_true());
	if (needs_peer(r->code))
		json_object_set_new(o, "peer", json_string(wh_addr_text(&r->peer, addr)));
	if (needs_text(r->code))
		json_object_set_new(o, "text", json_string(r->text));
	return o;
}

json_t *wh_reasons_json(const struct wh_reason *r, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, one(&r[i]));
	return list;
}

/* ---- in ---- */

static bool take_code(const char *word, struct wh_reason *r)
{
	for (int i = 1; word && i < WH_N_REASONS; i++)
		if (words[i] && !strcmp(words[i], word)) {
			r->code = (enum wh_reason_code)i;
			return true;
		}
	return false;
}

static bool take_ports(const json_t *o, struct wh_reason *r)
{
	const char *direction = json_string_value(json_object_get(o, "direction")),
		   *proto = json_string_value(json_object_get(o, "protocol"));
	const json_t *ports = json_object_get(o, "ports");
	json_int_t from = json_integer_value(json_array_get(ports, 0)), to = json_integer_value(json_array_get(ports, 1));

	if (!ports)
		return true;
	if (!direction || !proto || wh_proto_parse(proto, &r->proto) || from < 1 || from > to || to > 65535)
		return false;
	r->direction = strcmp(direction, wh_direction_text(WH_OUTBOUND)) ? WH_INBOUND : WH_OUTBOUND;
	r->from = (uint16_t)from;
	r->to = (uint16_t)to;
	return true;
}

static bool take_numbers(const json_t *o, struct wh_reason *r)
{
	const json_t *count = json_object_get(o, "count"), *day = json_object_get(o, "day");

	for (size_t i = 0; i < COUNTS; i++) {
		json_int_t v = json_integer_value(json_array_get(count, i));
		if (v < 0)
			return false;
		r->count[i] = (uint64_t)v;
	}
	for (size_t i = 0; i < DAYS; i++) {
		json_int_t v = json_integer_value(json_array_get(day, i));
		if (v < 0 || v > LAST_DAY)
			return false;
		r->day[i] = (int32_t)v;
	}
	return true;
}

static bool take(const json_t *o, struct wh_reason *r)
{
	const char *peer = json_string_value(json_object_get(o, "peer"));

	if (!take_code(json_string_value(json_object_get(o, "code")), r) || !take_ports(o, r) || !take_numbers(o, r))
		return false;
	r->closing = json_is_true(json_object_get(o, "closing"));
	r->proxy = json_is_true(json_object_get(o, "proxy"));
	r->text = json_string_value(json_object_get(o, "text"));
	if (needs_peer(r->code) && (!peer || wh_addr_parse(peer, strlen(peer), &r->peer)))
		return false;
	return !needs_text(r->code) || r->text;
}

int wh_reasons_read(const json_t *list, struct wh_resource_result *res, struct wh_arena *mem)
{
	size_t i;
	json_t *o;
	bool good = json_is_array(list);

	json_array_foreach((json_t *)list, i, o) {
		struct wh_reason r = {.code = WH_REASON_NONE};
		if (!(good = good && take(o, &r)))
			break;
		wh_reason_add(res, &r, mem);
	}
	if (!good)
		res->n_reasons = 0;
	return good ? 0 : -EBADMSG;
}
