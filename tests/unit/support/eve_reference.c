/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <strings.h>
#include "eve_reference.h"
#include "flow/eve.h"
#include "json_rfc.h"

struct reading {
	const char *wrong, *bad; /* the first reason of each */
	int bad_rank;
};

/* The value of a key; null is as if the key were not there. */
static const struct rj *value_of(const struct rj *in, const char *key)
{
	const struct rj *v = rj_get(in, key);
	return v && v->type == RJ_NULL ? NULL : v;
}

static void note_bad(struct reading *r, int rank, const char *reason)
{
	if (!r->bad || rank < r->bad_rank) {
		r->bad = reason;
		r->bad_rank = rank;
	}
}

static const struct rj *object_of(const struct rj *in, const char *key, struct reading *r)
{
	const struct rj *v = value_of(in, key);
	if (v && !(v->type == RJ_OBJECT)) {
		r->wrong = wh_eve_wrong_type;
		return NULL;
	}
	return v;
}

static const char *text_of(const struct rj *in, const char *key, size_t *len, struct reading *r)
{
	const struct rj *v = value_of(in, key);
	if (v && v->type != RJ_STRING)
		r->wrong = wh_eve_wrong_type;
	if (!v || v->type != RJ_STRING)
		return NULL;
	*len = v->len;
	return v->text;
}

static bool time_of(const struct rj *in, const char *key, int64_t *us, struct reading *r)
{
	size_t len;
	const char *t = text_of(in, key, &len, r);
	if (!t)
		return false;
	if (len > 64 || wh_time_parse(t, len, us)) {
		note_bad(r, 0, wh_eve_bad_time);
		return false;
	}
	return true;
}

static bool addr_of(const struct rj *in, const char *key, struct wh_addr *a, struct reading *r)
{
	size_t len;
	const char *t = text_of(in, key, &len, r);
	if (!t)
		return false;
	if (wh_addr_parse(t, len, a)) {
		note_bad(r, 1, wh_eve_bad_addr);
		return false;
	}
	return true;
}

static uint64_t number_of(const struct rj *in, const char *key, uint64_t max, int rank, const char *reason, struct reading *r)
{
	const struct rj *v = value_of(in, key);
	if (!v)
		return 0;
	if (v->type != RJ_NUMBER || strpbrk(v->text, ".eE")) {
		r->wrong = wh_eve_wrong_type;
		return 0;
	}
	errno = 0;
	long long n = strtoll(v->text, NULL, 10);
	if (errno || n < 0 || (uint64_t)n > max) {
		note_bad(r, rank, reason);
		return 0;
	}
	return (uint64_t)n;
}

static bool bool_of(const struct rj *in, const char *key, struct reading *r)
{
	const struct rj *v = value_of(in, key);
	if (v && v->type != RJ_TRUE && v->type != RJ_FALSE)
		r->wrong = wh_eve_wrong_type;
	return v && v->type == RJ_TRUE;
}

static bool flags_of(const struct rj *in, const char *key, uint8_t *flags, struct reading *r)
{
	size_t len;
	const char *t = text_of(in, key, &len, r);
	if (!t)
		return false;
	unsigned v;
	char rest;
	if (len < 1 || len > 2 || strspn(t, "0123456789abcdefABCDEF") != len || sscanf(t, "%x%c", &v, &rest) != 1) {
		note_bad(r, 5, wh_eve_bad_flags);
		return false;
	}
	*flags = (uint8_t)v;
	return true;
}

static bool is(const char *t, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(t, word, len);
}

static void cut(char *to, size_t size, const char *t, size_t len)
{
	memset(to, 0, size);
	memcpy(to, t, len < size - 1 ? len : size - 1);
}

static void flow_object(const struct rj *flow, struct wh_record *rec, struct reading *r)
{
	struct wh_flow *f = &rec->flow;
	size_t len;
	f->pkts_toserver = number_of(flow, "pkts_toserver", INT64_MAX, 4, wh_eve_bad_count, r);
	f->pkts_toclient = number_of(flow, "pkts_toclient", INT64_MAX, 4, wh_eve_bad_count, r);
	f->bytes_toserver = number_of(flow, "bytes_toserver", INT64_MAX, 4, wh_eve_bad_count, r);
	f->bytes_toclient = number_of(flow, "bytes_toclient", INT64_MAX, 4, wh_eve_bad_count, r);
	if (!time_of(flow, "start", &f->start_us, r))
		f->start_us = rec->time_us;
	if (!time_of(flow, "end", &f->end_us, r))
		f->end_us = f->start_us;
	f->alerted = bool_of(flow, "alerted", r);
	const char *state = text_of(flow, "state", &len, r);
	f->state = !state ? WH_STATE_UNKNOWN : is(state, len, "new") ? WH_STATE_NEW : is(state, len, "established") ?
	           WH_STATE_ESTABLISHED : is(state, len, "closed") ? WH_STATE_CLOSED : is(state, len, "bypassed") ||
	           is(state, len, "local_bypassed") || is(state, len, "capture_bypassed") ? WH_STATE_BYPASSED : WH_STATE_UNKNOWN;
}

static void tcp_object(const struct rj *tcp, struct wh_flow *f, struct reading *r)
{
	static const char *const words[] = {"fin", "syn", "rst", "psh", "ack"};
	bool ts = flags_of(tcp, "tcp_flags_ts", &f->tcp_flags_toserver, r);
	bool tc = flags_of(tcp, "tcp_flags_tc", &f->tcp_flags_toclient, r);
	uint8_t both = 0;
	for (unsigned i = 0; i < 5; i++)
		both |= (uint8_t)(bool_of(tcp, words[i], r) << i);
	f->has_tcp_flags = ts && tc;
	if (!f->has_tcp_flags) {
		f->tcp_flags_toserver = both;
		f->tcp_flags_toclient = f->pkts_toclient ? both : 0;
	}
}

static void alert_sides(const struct rj *top, const struct rj *flow, struct wh_record *rec, struct reading *r)
{
	struct wh_flow *f = &rec->flow;
	struct wh_addr src, dst, other = f->src;
	size_t len;
	const char *direction = text_of(top, "direction", &len, r);
	bool has_src = addr_of(flow, "src_ip", &src, r), has_dst = addr_of(flow, "dest_ip", &dst, r);
	uint16_t sport = (uint16_t)number_of(flow, "src_port", UINT16_MAX, 2, wh_eve_bad_port, r);
	uint16_t dport = (uint16_t)number_of(flow, "dest_port", UINT16_MAX, 2, wh_eve_bad_port, r), port = f->src_port;
	const struct rj *xff = value_of(top, "xff");
	rec->proxied = xff && xff->type == RJ_STRING && xff->len;
	rec->alert_from = !direction                        ? 0
	                  : is(direction, len, "to_server") ? WH_SENDER_SRC
	                  : is(direction, len, "to_client") ? WH_SENDER_DST
	                                                    : 0;
	if (has_src && has_dst) {
		bool is_src = wh_addr_eq(&f->src, &src), is_dst = wh_addr_eq(&f->src, &dst);
		unsigned from = is_src && f->src_port == sport   ? WH_SENDER_SRC
		                : is_dst && f->src_port == dport ? WH_SENDER_DST
		                                                 : 0;
		if (!rec->alert_from)
			rec->alert_from = (uint8_t)from;
		rec->proxied = rec->proxied || (!is_src && !is_dst && f->proto == WH_PROTO_TCP);
		f->src = src;
		f->dst = dst;
		f->src_port = sport;
		f->dst_port = dport;
	} else if (rec->alert_from != WH_SENDER_DST) {
		rec->alert_from = WH_SENDER_SRC;
	} else {
		f->src = f->dst;
		f->dst = other;
		f->src_port = f->dst_port;
		f->dst_port = port;
	}
}

static int wanted(const struct rj *top, struct wh_record *rec, const char **reason)
{
	struct reading r = {0};
	struct wh_flow *f = &rec->flow;
	size_t len;
	bool alert = rec->kind == WH_RECORD_ALERT;
	bool has_time = time_of(top, "timestamp", &rec->time_us, &r);
	bool has_src = addr_of(top, "src_ip", &f->src, &r), has_dst = addr_of(top, "dest_ip", &f->dst, &r);
	f->src_port = (uint16_t)number_of(top, "src_port", UINT16_MAX, 2, wh_eve_bad_port, &r);
	f->dst_port = (uint16_t)number_of(top, "dest_port", UINT16_MAX, 2, wh_eve_bad_port, &r);
	const char *proto = text_of(top, "proto", &len, &r);
	if (proto && !wh_eve_proto(proto, len, &f->proto))
		note_bad(&r, 3, wh_eve_bad_proto);
	const char *app = text_of(top, "app_proto", &len, &r);
	if (app)
		cut(f->app_proto, sizeof f->app_proto, app, len);
	f->app_proto_known = app && !is(app, len, "failed");
	const struct rj *flow = object_of(top, "flow", &r), *tcp = object_of(top, "tcp", &r);
	flow_object(flow, rec, &r);
	tcp_object(tcp, f, &r);
	if (alert) {
		const struct rj *a = object_of(top, "alert", &r);
		rec->alert_severity = (uint8_t)number_of(a, "severity", UINT8_MAX, 9, wh_eve_bad_alert, &r);
		rec->alert_sid = (uint32_t)number_of(a, "signature_id", UINT32_MAX, 9, wh_eve_bad_alert, &r);
		alert_sides(top, flow, rec, &r);
	}
	if (f->proto == WH_PROTO_ICMP || f->proto == WH_PROTO_ICMPV6)
		f->src_port = f->dst_port = 0;
	*reason = r.wrong ? r.wrong : r.bad ? r.bad : !has_time || !has_src || !has_dst || !proto || (!alert && !flow) ?
	          wh_eve_missing : NULL;
	return *reason ? -EBADMSG : 0;
}

/* A signature of our own (rules/suricata): evidence, and no alert. */
static bool of_our_own(const struct rj *top)
{
	const struct rj *a = value_of(top, "alert"), *sid = a && a->type == RJ_OBJECT ? value_of(a, "signature_id") : NULL;
	long long n = sid && sid->type == RJ_NUMBER && !strpbrk(sid->text, ".eE") ? strtoll(sid->text, NULL, 10) : 0;
	return n >= 1840000 && n <= 1840999;
}

static int read_object(const struct rj *top, struct wh_record *rec, const char **reason)
{
	struct reading r = {0};
	size_t len;
	const char *type = text_of(top, "event_type", &len, &r);
	if (!type) {
		*reason = r.wrong ? r.wrong : wh_eve_no_type;
		return -EBADMSG;
	}
	cut(rec->event_type, sizeof rec->event_type, type, len);
	rec->kind = is(type, len, "flow") ? WH_RECORD_FLOW : is(type, len, "alert") ? WH_RECORD_ALERT : WH_RECORD_OTHER;
	if (rec->kind == WH_RECORD_ALERT && (of_our_own(top) || (!value_of(top, "src_ip") && !value_of(top, "dest_ip"))))
		rec->kind = WH_RECORD_OTHER;
	if (rec->kind != WH_RECORD_OTHER)
		return wanted(top, rec, reason);
	if (!time_of(top, "timestamp", &rec->time_us, &r))
		rec->time_us = 0;
	return 0;
}

static int read_text(const char *buf, size_t len, struct wh_record *out, const char **reason)
{
	memset(out, 0, sizeof *out);
	*reason = NULL;
	const struct rj *top = rj_read(buf, len);
	return top && top->type == RJ_OBJECT ? read_object(top, out, reason) : -EBADMSG;
}

static bool syntax(const char *reason)
{
	return reason == wh_eve_not_json || reason == wh_eve_cut_short || reason == wh_eve_not_utf8 ||
	       reason == wh_eve_deep || reason == wh_eve_not_object || reason == wh_eve_empty;
}

static const char *flow_difference(const struct wh_flow *a, const struct wh_flow *b)
{
#define SAME(member) \
	if (a->member != b->member) \
		return #member;
	if (!wh_addr_eq(&a->src, &b->src))
		return "src";
	if (!wh_addr_eq(&a->dst, &b->dst))
		return "dst";
	SAME(src_port) SAME(dst_port) SAME(proto) SAME(tcp_flags_toserver) SAME(tcp_flags_toclient) SAME(has_tcp_flags)
	SAME(alerted) SAME(denied) SAME(app_proto_known) SAME(state) SAME(start_us) SAME(end_us)
	SAME(pkts_toserver) SAME(pkts_toclient) SAME(bytes_toserver) SAME(bytes_toclient)
#undef SAME
	return memcmp(a->app_proto, b->app_proto, sizeof a->app_proto) ? "app_proto" : NULL;
}

void eve_judge(const char *buf, size_t len, struct eve_verdict *reference)
{
	reference->rc = read_text(buf, len, &reference->rec, &reference->reason);
}

const char *eve_difference(const struct eve_verdict *reader, const struct eve_verdict *reference)
{
	const struct wh_record *a = &reader->rec, *b = &reference->rec;
	if (reader->rc != reference->rc)
		return reader->rc ? "the reader refuses what the reference takes" : "the reader takes what the reference refuses";
	if (reader->rc)
		return (reference->reason ? reference->reason == reader->reason : syntax(reader->reason)) ? NULL
		                                                                                          : "the reasons differ";
	if (a->kind != b->kind)
		return "kind";
	if (a->time_us != b->time_us)
		return "time_us";
	if (memcmp(a->event_type, b->event_type, sizeof b->event_type))
		return "event_type";
	if (a->alert_severity != b->alert_severity || a->alert_sid != b->alert_sid)
		return "alert";
	if (a->alert_from != b->alert_from || a->proxied != b->proxied)
		return "alert's sender";
	return flow_difference(&a->flow, &b->flow);
}
