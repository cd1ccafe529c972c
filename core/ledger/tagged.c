/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "ledger/conversations.h"
#include "ledger/realms.h"
#include "ledger/tagged.h"

struct wh_tagged {
	struct wh_store *store;
	const struct wh_ingest_options *opt;
	struct wh_realms *realms;               /* NULL: VLANs and tenants are one network */
	struct wh_conversations *conversations; /* NULL: no source had a name yet */
	int64_t slack_us;
	struct wh_passed passed;
	/* the source of the flow before */
	struct { char sensor[64]; size_t len; struct wh_realm realm; uint64_t hash; bool is; } last;
};

static const struct wh_realm untagged;

int wh_tagged_new(struct wh_store *s, const struct wh_ingest_options *opt, struct wh_tagged **out, struct wh_error *err)
{
	struct wh_tagged *t = *out = calloc(1, sizeof *t);
	if (!t)
		return wh_fail(err, -ENOMEM, "out of memory");
	*t = (struct wh_tagged){.store = s, .opt = opt};
	if (opt->realm && !strcmp(opt->realm, "one"))
		return 0;
	return (t->realms = wh_realms_new()) ? wh_realms_load(t->realms, s, err) : wh_fail(err, -ENOMEM, "out of memory");
}

void wh_tagged_slack(struct wh_tagged *t, int64_t slack_us)
{
	t->slack_us = t->opt->sensor_slack_us ? t->opt->sensor_slack_us : slack_us ? slack_us : WH_SENSOR_SLACK_US;
}

void wh_tagged_free(struct wh_tagged *t)
{
	if (!t)
		return;
	wh_realms_free(t->realms);
	wh_conversations_free(t->conversations);
	free(t);
}

/* Whether each private address of ours in this flow was met in no other network. */
static int look_at_realm(struct wh_tagged *t, const struct wh_flow *f, const struct wh_realm *realm, const char *path,
                         uint64_t line, struct wh_error *err)
{
	char addr[WH_ADDR_STRLEN], here[WH_REALM_STRLEN], there[WH_REALM_STRLEN];
	struct wh_realm other;
	for (int i = 0; i < 2; i++) {
		const struct wh_addr *a = i ? &f->src : &f->dst;
		int rc = wh_addr_is_private(a) && wh_locals_has(t->opt->locals, a) ? wh_realms_meet(t->realms, a, realm, &other)
		                                                                   : 0;
		if (rc < 0)
			return wh_fail(err, rc, "out of memory");
		if (rc)
			return wh_fail_input(
				err, -EEXIST,
				"%s:%llu: %s was seen in %s, and here in %s: are these two machines? Read each network into a ledger of "
				"its own with --realm %s and --realm %s, or use --realm one if they are one network",
				path, (unsigned long long)line, wh_addr_text(a, addr), wh_realm_text(&other, there),
				wh_realm_text(realm, here), there, here);
	}
	return 0;
}

/* Whether an address may be in a network whose interfaces are captured. */
static bool within(const struct wh_tagged *t, const struct wh_addr *a)
{
	return wh_addr_is_private(a) || wh_locals_has(t->opt->locals, a);
}

/* Flow after flow is of the same source. */
static uint64_t source_of(struct wh_tagged *t, const char *sensor, size_t len, const struct wh_realm *realm)
{
	if (t->last.is && len == t->last.len && !memcmp(sensor, t->last.sensor, len) && wh_realm_eq(realm, &t->last.realm))
		return t->last.hash;
	uint64_t hash = wh_conversations_source(t->conversations, sensor, len, realm);
	t->last.is = len <= sizeof t->last.sensor;
	if (t->last.is) {
		memcpy(t->last.sensor, sensor, len);
		t->last.len = len;
		t->last.realm = *realm;
		t->last.hash = hash;
	}
	return hash;
}

/* 1: another source reported this conversation. A source is a sensor; and, if networks are one, each of them, and untagged
 * records. */
static int look_at_source(struct wh_tagged *t, const struct wh_flow *f, const struct wh_tags *tags, bool answered,
                          struct wh_error *err)
{
	const char *sensor = tags->sensor ? tags->sensor : t->opt->sensor;
	size_t len = tags->sensor ? tags->sensor_len : sensor ? strlen(sensor) : 0;
	const struct wh_realm *realm = t->realms ? &untagged : &tags->realm;
	if ((!sensor && t->realms) || (!wh_locals_has(t->opt->locals, &f->src) && !wh_locals_has(t->opt->locals, &f->dst)))
		return 0;
	if (tags->of_one_end && !(within(t, &f->src) && within(t, &f->dst)))
		return 0;
	int rc = t->conversations ? 0 : wh_conversations_new(t->store, t->slack_us, &t->conversations, err);
	if (rc)
		return rc;
	return wh_conversations_meet(t->conversations, f, source_of(t, sensor ? sensor : "", len, realm),
	                             answered, err);
}

/*
 * 1: another source reported such events between these ends in that minute. An event is an alert of a signature, or a protocol's
 * record. It has a protocol number that no flow has, so that a source which reports only flows removes no event; and only minutes
 * are kept, so that a client which looks up a thousand names in one takes no more room than for one.
 */
static int look_at_event(struct wh_tagged *t, const struct wh_record *rec, const struct wh_tags *tags, struct wh_error *err)
{
	enum { NO_PROTOCOL = 255 /* reserved */, MINUTE_US = 60000000 };
	uint32_t what = rec->alert_sid;
	for (const char *c = rec->alert_sid ? "" : rec->event_type; *c; c++)
		what = (what ^ (uint8_t)*c) * 16777619u;
	const struct wh_flow f = {.src = rec->flow.src,
	                          .dst = rec->flow.dst,
	                          .dst_port = (uint16_t)(what ^ what >> 16),
	                          .proto = NO_PROTOCOL,
	                          .start_us = rec->time_us - rec->time_us % MINUTE_US};
	bool judged = !rec->alert_sid; /* an alert's flow may be unanswered */
	return look_at_source(t, &f, tags, judged || wh_flow_server(&rec->flow) == WH_SIDE_DST_SERVES, err);
}

static struct wh_tags tags_of_line(const char *text, size_t len)
{
	const char *nl = memchr(text, '\n', len);
	return wh_tags_of(text, nl ? (size_t)(nl - text) : len);
}

int wh_tagged_look(struct wh_tagged *t, const struct wh_record *rec, const char *text, size_t len, const char *path,
                   uint64_t line, struct wh_error *err)
{
	char here[WH_REALM_STRLEN];
	if (rec->kind == WH_RECORD_OTHER || (!rec->tagged && !rec->tags && !t->opt->sensor && !t->opt->realm))
		return 0;
	struct wh_tags tags = {0};
	if (rec->tags)
		tags = *rec->tags;
	else if (rec->tagged)
		tags = tags_of_line(text, len);
	if (t->realms && t->opt->realm && strcmp(t->opt->realm, wh_realm_text(&tags.realm, here))) {
		if (rec->kind == WH_RECORD_FLOW && !t->passed.elsewhere++)
			t->passed.where = tags.realm;
		return 1;
	}
	if (rec->kind != WH_RECORD_FLOW)
		return look_at_event(t, rec, &tags, err);
	int rc = 0;
	if (t->realms && !wh_realm_eq(&tags.realm, &untagged) && wh_flow_server(&rec->flow) == WH_SIDE_DST_SERVES)
		rc = look_at_realm(t, &rec->flow, &tags.realm, path, line, err);
	if (!rc)
		rc = look_at_source(t, &rec->flow, &tags, wh_flow_server(&rec->flow) == WH_SIDE_DST_SERVES, err);
	t->passed.twice += rc == 1;
	return rc;
}

bool wh_tagged_due(const struct wh_tagged *t)
{
	return t->conversations && wh_conversations_due(t->conversations);
}

struct wh_passed wh_tagged_passed(const struct wh_tagged *t)
{
	return t->passed;
}

int wh_tagged_seen(struct wh_tagged *t, struct wh_store_seen *seen, struct wh_error *err)
{
	if (t->conversations)
		wh_conversations_seen(t->conversations, seen);
	return t->realms ? wh_realms_seen(t->realms, seen, err) : 0;
}

void wh_tagged_written(struct wh_tagged *t)
{
	if (t->realms)
		wh_realms_written(t->realms);
	if (t->conversations)
		wh_conversations_written(t->conversations);
}
