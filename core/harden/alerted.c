/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The weight of an alert against a peer. Two kinds of peers would be allowed but for an alert:
 *
 *   held        it belonged before (evidence.c): it stays allowed, and is named
 *   alert alone it raised alerts from its first days on, or on many of its flows: it is kept out, and is named. Where no other
 *   peer belongs, the port
 *               is not closed for it, since it may be an address that others share (a proxy, a load balancer, NAT, a jump host)
 *
 * Both wait for a person: 'trusted' in whittle.yaml keeps a peer in, a threat list keeps it out.
 */
#include "harden/advice.h"

const char *wh_alert_text(const struct wh_edge *e, char buf[static WH_ALERT_STRLEN])
{
	return wh_alert_words(e->alerts[0] ? 1 : 2, e->alert_sid, e->alert_last, buf);
}

static bool is_held(const struct wh_evidence_peer *p)
{
	return p->verdict == WH_PEER_HELD;
}

/* The number of such peers, and the one with the most flows; *first is NULL if there is none. */
static size_t count(const struct wh_port_traffic *t, bool (*is)(const struct wh_evidence_peer *p),
                    const struct wh_evidence_peer **first)
{
	size_t n = 0;

	*first = NULL;
	for (size_t i = 0; i < t->n; i++)
		if (is(&t->peers[i])) {
			*first = !*first || t->peers[i].edge->flows > (*first)->edge->flows ? &t->peers[i] : *first;
			n++;
		}
	return n;
}

/* "10.0.0.7 and 2 more"; NULL where there is none. */
static const char *those(const struct wh_port_traffic *t, bool (*is)(const struct wh_evidence_peer *p), struct wh_arena *mem,
                         const struct wh_evidence_peer **first)
{
	char addr[WH_ADDR_STRLEN];
	size_t n = count(t, is, first);

	if (!n)
		return NULL;
	wh_addr_text(&(*first)->addr, addr);
	return n > 1 ? wh_arena_printf(mem, "%s and %zu more", addr, n - 1) : wh_arena_strdup(mem, addr);
}

static const char *shares_its_address(const struct wh_edge *e)
{
	return e->marks & WH_EDGE_PROXY ? WH_PROXY_WORDS : "";
}

static const char *joined(const char *note, const char *more, struct wh_arena *mem)
{
	return note ? wh_arena_printf(mem, "%s; %s", note, more) : more;
}

const char *wh_alert_note(const struct wh_port_traffic *t, const char *note, struct wh_arena *mem)
{
	const struct wh_evidence_peer *p;
	char alert[WH_ALERT_STRLEN];
	const char *who = those(t, is_held, mem, &p);

	if (who)
		note = joined(
			note,
			wh_arena_printf(
				mem,
				"%s would be kept out by an alert (%s%s), and belonged before: it stays allowed until you decide. "
				"To keep it, add it to 'trusted' in whittle.yaml; to keep it out, add it to a threat list and run 'whittle intel update'",
				who, wh_alert_text(p->edge, alert), shares_its_address(p->edge)),
			mem);
	if ((who = those(t, wh_alert_alone, mem, &p)))
		note = joined(
			note,
			wh_arena_printf(
				mem,
				"%s is kept out by an alert (%s%s), and would belong without it. To keep it, add it to 'trusted' in whittle.yaml",
				who, wh_alert_text(p->edge, alert), shares_its_address(p->edge)),
			mem);
	return note;
}

bool wh_why_alerted(const struct wh_port_traffic *t, struct wh_reason *out)
{
	const struct wh_evidence_peer *p;
	size_t n = count(t, wh_alert_alone, &p);

	if (n)
		*out = (struct wh_reason){.code = WH_REASON_ALERTED,
		                          .peer = p->addr,
		                          .count = {n - 1, p->edge->alerts[0] ? 1 : 2, p->edge->alert_sid, p->edge->flows},
		                          .day = {p->edge->alert_last},
		                          .proxy = p->edge->marks & WH_EDGE_PROXY};
	return n > 0;
}
