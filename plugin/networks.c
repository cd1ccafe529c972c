/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "host.h"
#include "networks.h"
#include "settings.h"

static const struct wh_realm untagged;

enum { TWICE_SHARE = 32 }; /* of the memory */

int wh_networks_init(struct wh_networks *n, const struct wh_settings *s, struct wh_error *err)
{
	bool one = s->realm && !strcmp(s->realm, "one");
	pthread_mutex_init(&n->lock, NULL);
	n->realm = s->realm;
	n->met = wh_realms_new();
	n->twice = one ? wh_twice_new(s->memory / TWICE_SHARE, s->sensor_slack_us ? s->sensor_slack_us : WH_SENSOR_SLACK_US)
	               : NULL;
	return n->met && (n->twice || !one) ? 0 : wh_fail(err, -ENOMEM, "out of memory");
}

void wh_networks_clear(struct wh_networks *n)
{
	if (n->met)
		pthread_mutex_destroy(&n->lock);
	wh_realms_free(n->met);
	wh_realms_free(n->writing);
	wh_twice_free(n->twice);
}

/* Call it under the lock. An alert follows its flow: it never assigns an address to a network. */
static bool is_elsewhere(struct wh_networks *n, const struct wh_record *rec, const struct wh_addr *a, const struct wh_realm *here,
                         struct wh_realm *there)
{
	if (rec->kind != WH_RECORD_FLOW)
		return wh_realms_find(n->met, a, there) && !wh_realm_eq(there, here);
	int rc = wh_realms_meet(n->met, a, here, there);
	n->fresh |= rc == 0;
	return rc == 1;
}

static bool is_apart(struct wh_networks *n, const struct wh_record *rec, const struct wh_realm *here,
                     const struct wh_locals *locals)
{
	const struct wh_flow *f = &rec->flow;
	struct wh_realm there;
	bool apart = false;
	pthread_mutex_lock(&n->lock);
	for (int i = 0; i < 2 && !apart; i++) {
		const struct wh_addr *a = i ? &f->src : &f->dst;
		apart = wh_addr_is_private(a) && wh_locals_has(locals, a) && is_elsewhere(n, rec, a, here, &there);
		if (apart && n->apart == n->told) {
			n->first.addr = *a;
			n->first.here = *here;
			n->first.there = there;
		}
	}
	n->apart += apart;
	pthread_mutex_unlock(&n->lock);
	return apart;
}

/* For the case that all are one network. Traffic without an end of ours makes no edge, so it needs no memory. */
static bool is_again(struct wh_networks *n, const struct wh_record *rec, const char *line, size_t len,
                     const struct wh_locals *locals)
{
	struct wh_tags tags = {0};
	if (rec->kind != WH_RECORD_FLOW || (!wh_locals_has(locals, &rec->flow.src) && !wh_locals_has(locals, &rec->flow.dst)))
		return false;
	if (rec->tagged)
		tags = wh_tags_of(line, len);
	pthread_mutex_lock(&n->lock);
	bool again = wh_twice_met(n->twice, &rec->flow, &tags);
	n->again += again;
	pthread_mutex_unlock(&n->lock);
	return again;
}

bool wh_networks_count(struct wh_networks *n, const struct wh_record *rec, const char *line, size_t len,
                       const struct wh_locals *locals)
{
	char here[WH_REALM_STRLEN];
	if (n->twice)
		return !is_again(n, rec, line, len, locals);
	if (rec->kind == WH_RECORD_OTHER || (!rec->tagged && !n->realm))
		return true;
	struct wh_tags tags = wh_tags_of(line, len);
	if (n->realm && strcmp(n->realm, wh_realm_text(&tags.realm, here)))
		return false;
	if (wh_realm_eq(&tags.realm, &untagged) ||
	    (rec->kind == WH_RECORD_FLOW && wh_flow_server(&rec->flow) != WH_SIDE_DST_SERVES))
		return true;
	return !is_apart(n, rec, &tags.realm, locals);
}

/* ---- the flusher's ---- */

int wh_networks_load(struct wh_networks *n, struct wh_store *s, struct wh_error *err)
{
	pthread_mutex_lock(&n->lock);
	int rc = wh_realms_load(n->met, s, err);
	pthread_mutex_unlock(&n->lock);
	return rc;
}

void wh_networks_anew(struct wh_networks *n)
{
	pthread_mutex_lock(&n->lock);
	wh_realms_unwritten(n->met);
	n->fresh = true;
	pthread_mutex_unlock(&n->lock);
}

int wh_networks_seen(struct wh_networks *n, struct wh_store_seen *seen, struct wh_error *err)
{
	wh_realms_free(n->writing);
	n->writing = NULL;
	pthread_mutex_lock(&n->lock);
	bool fresh = n->fresh;
	n->writing = fresh ? wh_realms_copy(n->met) : NULL;
	pthread_mutex_unlock(&n->lock);
	if (fresh && !n->writing)
		return wh_fail(err, -ENOMEM, "out of memory");
	return fresh ? wh_realms_seen(n->writing, seen, err) : 0; /* without the lock: lanes go on */
}

void wh_networks_written(struct wh_networks *n)
{
	if (!n->writing)
		return;
	pthread_mutex_lock(&n->lock);
	n->fresh = wh_realms_written_as(n->met, n->writing);
	pthread_mutex_unlock(&n->lock);
}

void wh_networks_tell(struct wh_networks *n)
{
	char addr[WH_ADDR_STRLEN], here[WH_REALM_STRLEN], there[WH_REALM_STRLEN];
	int64_t now = wh_monotonic_us() + 60000000;
	pthread_mutex_lock(&n->lock);
	uint64_t more = n->apart - n->told;
	bool tell = more && (!n->told_us || now - n->told_us >= 60000000);
	if (tell) {
		wh_addr_text(&n->first.addr, addr);
		wh_realm_text(&n->first.here, here);
		wh_realm_text(&n->first.there, there);
		n->told = n->apart;
		n->told_us = now;
	}
	pthread_mutex_unlock(&n->lock);
	if (tell)
		wh_host_log(
			WH_LOG_WARNING,
			"%" PRIu64
			" records are left out: %s was seen in %s, and then in %s: are these two machines? Set 'realm' of eve-log's whittle section to "
			"%s or %s, with a ledger for each network, or to one where they are one network",
			more, addr, there, here, there, here);
}
