/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sentences of reasons. */
#include <string.h>
#include "whittle/reason.h"
#include "whittle/recommendation.h"

typedef unsigned long long ull;

/* ---- one reason ---- */

static const char *of_resource(const struct wh_reason *r, struct wh_arena *mem)
{
	const uint64_t *c = r->count;
	char at[WH_TIME_STRLEN];

	switch (r->code) {
	case WH_REASON_NO_TRAFFIC: return "no traffic was seen";
	case WH_REASON_FEW_DAYS: return wh_arena_printf(mem, "not enough data: %llu of %llu days", (ull)c[0], (ull)c[1]);
	case WH_REASON_SENSOR_SILENT:
		return wh_arena_printf(mem, "the sensor was silent on %llu of %llu days", (ull)c[0], (ull)c[1]);
	case WH_REASON_SEEN_RARELY:
		return wh_arena_printf(mem, "not enough data: it was seen on %llu of %llu days, and must have been on %llu",
		                       (ull)c[0], (ull)c[1], (ull)c[2]);
	case WH_REASON_AS_NARROW: return "the rules in force are as narrow as the traffic";
	case WH_REASON_NONE_OPEN: return "no checked port is open";
	case WH_REASON_NO_LINES:
		return wh_arena_printf(mem, "even the fewest lines of its %llu ports are more than %llu", (ull)c[0], (ull)c[1]);
	case WH_REASON_GROUP_LINES:
		return wh_arena_printf(
			mem,
			"%s: even the fewest lines of its %llu resources' rules make more than the %llu prefixes that it holds: split it",
			r->text, (ull)c[0], (ull)c[1]);
	case WH_REASON_GROUP_FULL:
		return wh_arena_printf(mem, "%s has no room for narrower rules: it holds %llu prefixes; split it", r->text,
		                       (ull)c[0]);
	case WH_REASON_QUIET_SINCE:
		wh_time_text(r->day[0] * WH_US_PER_DAY, at);
		return wh_arena_printf(
			mem,
			"the sensor has seen none of its traffic since %.10s, but that of others on %llu days: check that it still sees it. No peer counts as gone for these days",
			at, (ull)c[0]);
	default: return r->text ? r->text : "";
	}
}

const char *wh_alert_words(unsigned severity, uint32_t signature, int32_t last_day, char buf[static WH_ALERT_STRLEN])
{
	char at[WH_TIME_STRLEN];
	int n = snprintf(buf, WH_ALERT_STRLEN, "severity %u", severity);

	if (signature)
		n += snprintf(buf + n, WH_ALERT_STRLEN - (size_t)n, ", signature %u", signature);
	if (last_day)
		snprintf(buf + n, WH_ALERT_STRLEN - (size_t)n, ", last on %.10s", wh_time_text(last_day * WH_US_PER_DAY, at));
	return buf;
}

static const char *alerted(const struct wh_reason *r, struct wh_arena *mem)
{
	char alert[WH_ALERT_STRLEN], addr[WH_ADDR_STRLEN];
	const char *more = r->count[0] ? wh_arena_printf(mem, " and %llu more", (ull)r->count[0]) : "";

	return wh_arena_printf(
		mem,
		"%s%s is kept out by an alert (%s%s) alone, %llu answered flow%s of it: is it an address that others share (proxy, balancer, NAT)? "
		"To keep it, add it to 'trusted' in whittle.yaml; to close the port, add it to a threat list and run 'whittle intel update'",
		wh_addr_text(&r->peer, addr), more,
		wh_alert_words((unsigned)r->count[1], (uint32_t)r->count[2], r->day[0], alert), r->proxy ? WH_PROXY_WORDS : "",
		(ull)r->count[3], r->count[3] == 1 ? "" : "s");
}

static const char *unheard(const struct wh_reason *r, struct wh_arena *mem)
{
	char addr[WH_ADDR_STRLEN], first[WH_TIME_STRLEN], last[WH_TIME_STRLEN];

	wh_addr_text(&r->peer, addr);
	if (r->code == WH_REASON_ONE_SIDED)
		return wh_arena_printf(
			mem,
			"the sensor heard one side alone of %llu flows on %llu days: it misses answers on this port, so some peers are not known",
			(ull)r->count[0], (ull)r->count[1]);
	if (r->code == WH_REASON_NEVER_HEARD)
		return wh_arena_printf(
			mem,
			"the sensor never heard both directions of %s: does it see what the host answers (a mirror of both directions, "
			"and of the VLAN of this address)? 'whittle selftest' tries it",
			addr);
	wh_time_text(r->day[0] * WH_US_PER_DAY, first);
	if (r->code == WH_REASON_LEDGER_FULL)
		return wh_arena_printf(
			mem,
			"the ledger had reached ledger-size, and did not take peers of %s that it does not know, last on %.10s: 'whittle edges' shows what fills "
			"it; set ledger-size higher",
			addr, first);
	wh_time_text(r->day[1] * WH_US_PER_DAY, last);
	return wh_arena_printf(
		mem,
		"the sensor did not hear both directions of %s from %.10s to %.10s, and would have missed peers that came then",
		addr, first, last);
}

const char *wh_reason_why(const struct wh_reason *r, struct wh_arena *mem)
{
	const uint64_t *c = r->count;
	char addr[WH_ADDR_STRLEN];

	switch (r->code) {
	case WH_REASON_DRAWN:
		return wh_arena_printf(
			mem,
			"each connection or start of the server uses others of them (%llu were used so far, by %llu recurring peer%s), so rules for these would close "
			"the next ones",
			(ull)c[0], (ull)c[1], c[1] == 1 ? "" : "s");
	case WH_REASON_ADDRESSES_DIFFER: return "the rules in force treat the resource's addresses differently";
	case WH_REASON_NO_ROOM: return "the budget has no room for a rule";
	case WH_REASON_FEWEST_LINES:
		return wh_arena_printf(mem, "%llu lines are the fewest that let every peer in, and the limit is %llu", (ull)c[0],
		                       (ull)c[1]);
	case WH_REASON_TOO_FEW_LINES:
		return wh_arena_printf(mem, "%llu line%s would let in every address; allow more lines (--lines, max-prefixes)",
		                       (ull)c[0], c[0] == 1 ? "" : "s");
	case WH_REASON_WOULD_LOSE:
		return wh_arena_printf(mem, "a replay of its own days would lose %llu peers that belong", (ull)c[0]);
	case WH_REASON_WOULD_LET_IN:
		return wh_arena_printf(mem, "it would let in %s, which must stay out", wh_addr_text(&r->peer, addr));
	case WH_REASON_WINDOW_SHORT:
		return wh_arena_printf(
			mem, "a rule must be stable for %llu days, and the window of %llu days is too short to judge that",
			(ull)c[0], (ull)c[1]);
	case WH_REASON_UNSTABLE:
		return wh_arena_printf(
			mem,
			"it has not been stable for %llu days: %llu of %llu flows since came from peers that it did not know then",
			(ull)c[0], (ull)c[1], (ull)c[2]);
	case WH_REASON_ALERTED: return alerted(r, mem);
	case WH_REASON_FORGED:
		return wh_arena_printf(
			mem,
			"%llu flows were answered whose sources may be forged (one exchange each, or a flood): they show neither who belongs nor "
			"that nobody does. 'whittle explain' lists them; a deny rule of your own closes the port",
			(ull)c[0]);
	case WH_REASON_NEVER_HEARD:
	case WH_REASON_NOT_HEARD:
	case WH_REASON_ONE_SIDED:
	case WH_REASON_LEDGER_FULL:
		return unheard(r, mem);
	default: return of_resource(r, mem);
	}
}

/* A port's outcome by its reason; NULL if the reason is about the whole resource. */
static const char *outcome(const struct wh_reason *r)
{
	switch (r->code) {
	case WH_REASON_DRAWN:
	case WH_REASON_UNKNOWN:
	case WH_REASON_ADDRESSES_DIFFER:
	case WH_REASON_NO_ROOM:
		return "left alone";
	case WH_REASON_FEWEST_LINES:
	case WH_REASON_TOO_FEW_LINES:
	case WH_REASON_WOULD_LOSE:
	case WH_REASON_WOULD_LET_IN:
	case WH_REASON_WINDOW_SHORT:
	case WH_REASON_UNSTABLE:
		return "not narrowed";
	case WH_REASON_ALERTED: case WH_REASON_FORGED: return "not closed";
	case WH_REASON_NEVER_HEARD:
	case WH_REASON_NOT_HEARD:
	case WH_REASON_ONE_SIDED:
	case WH_REASON_LEDGER_FULL:
		return r->closing ? "not closed" : "not narrowed";
	default: return NULL;
	}
}

const char *wh_reason_outcome(const struct wh_reason *r, struct wh_arena *mem)
{
	const char *is = outcome(r), *why = wh_reason_why(r, mem);
	return is ? wh_arena_printf(mem, "%s: %s", is, why) : why;
}

const char *wh_port_label(enum wh_direction d, uint16_t port, uint8_t proto, struct wh_arena *mem)
{
	char text[8];
	return wh_arena_printf(mem, "%u/%s%s", port, wh_proto_text(proto, text), d == WH_OUTBOUND ? " out" : "");
}

/* ---- a list of them ---- */

static const char *joined(const char *text, const char *more, struct wh_arena *mem)
{
	return text ? wh_arena_printf(mem, "%s; %s", text, more) : more;
}

static const char *whole_text(const struct wh_reason *r, struct wh_arena *mem)
{
	const char *outcome = wh_reason_outcome(r, mem);
	char proto[8];

	if (!r->from)
		return outcome;
	if (r->from == r->to)
		return wh_arena_printf(mem, "port %s is %s", wh_port_label(r->direction, r->from, r->proto, mem), outcome);
	return wh_arena_printf(mem, "ports %u-%u/%s%s are %s", r->from, r->to, wh_proto_text(r->proto, proto),
	                       r->direction == WH_OUTBOUND ? " out" : "", outcome);
}

const char *wh_reasons_text(const struct wh_reason *r, size_t n, struct wh_arena *mem)
{
	const char *text = NULL;
	for (size_t i = 0; i < n; i++)
		text = joined(text, whole_text(&r[i], mem), mem);
	return text;
}

static bool one_port(const struct wh_reason *r)
{
	return r->from && r->from == r->to;
}

/* "ports 22/TCP, 23/TCP and 80/TCP and 4 more are left alone: …", for those from `at` on with the same text; marks them in
 * `printed`. */
static const char *together(const struct wh_reason *r, const char *const *said, size_t n, size_t at, bool *printed,
                            struct wh_arena *mem)
{
	enum { SHOWN = 3 };
	const char *ports = "";
	size_t of = 0, shown = 0;

	for (size_t k = at; k < n; k++)
		of += one_port(&r[k]) && !strcmp(said[k], said[at]);
	if (of < 2)
		return whole_text(&r[at], mem);
	for (size_t k = at; k < n; k++) {
		if (!one_port(&r[k]) || strcmp(said[k], said[at]))
			continue;
		printed[k] = true;
		if (shown < SHOWN)
			ports = wh_arena_printf(mem, "%s%s%s", ports, !shown ? "" : shown + 1 == of ? " and " : ", ",
			                        wh_port_label(r[k].direction, r[k].from, r[k].proto, mem));
		shown++;
	}
	if (of > SHOWN)
		ports = wh_arena_printf(mem, "%s and %zu more", ports, of - SHOWN);
	return wh_arena_printf(mem, "ports %s are %s", ports, said[at]);
}

const char *wh_reasons_summary(const struct wh_reason *r, size_t n, struct wh_arena *mem)
{
	const char **said = wh_arena_array(mem, n + 1, sizeof *said), *text = NULL;
	bool *printed = wh_arena_array(mem, n + 1, sizeof *printed);

	for (size_t i = 0; i < n; i++)
		said[i] = wh_reason_outcome(&r[i], mem);
	for (size_t i = 0; i < n; i++)
		if (!printed[i])
			text = joined(text, one_port(&r[i]) ? together(r, said, n, i, printed, mem) : whole_text(&r[i], mem),
			              mem);
	return text;
}

void wh_reason_add(struct wh_resource_result *res, const struct wh_reason *r, struct wh_arena *mem)
{
	res->reasons = wh_arena_grown(mem, res->reasons, res->n_reasons, &res->room_reasons, sizeof *res->reasons);
	res->reasons[res->n_reasons] = *r;
	res->reasons[res->n_reasons++].text = r->text ? wh_arena_strdup(mem, r->text) : NULL;
}

const struct wh_reason *wh_reason_of_port(const struct wh_resource_result *res, enum wh_direction d, uint16_t port, uint8_t proto)
{
	for (size_t i = 0; i < res->n_reasons; i++) {
		const struct wh_reason *r = &res->reasons[i];
		if (one_port(r) && r->from == port && r->direction == d && r->proto == proto)
			return r;
	}
	return NULL;
}
