/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/support/scene.h"

const int64_t scene_day0_us = INT64_C(1790812800000000);

#define MUST(call) do { struct wh_error err = {.text = ""}; if ((call) < 0) fail_msg("%s: %s", #call, err.text); } while (0)

static struct wh_addr addr(const char *text)
{
	struct wh_addr a;
	if (wh_addr_parse(text, strlen(text), &a))
		fail_msg("%s is no address", text);
	return a;
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[96];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

void scene_open(struct scene *s, const char *nsg_json, size_t byte_limit)
{
	char path[96];
	struct wh_estate_summary sum = {0};
	memset(s, 0, sizeof *s);
	strcpy(s->dir, "/tmp/wh-scene-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->db, sizeof s->db, "%s/l.db", s->dir);
	MUST(wh_ledger_open(s->db, WH_STATE_CREATE, &s->ledger, &err));
	if (nsg_json)
		write_file(s->dir, "web.json", nsg_json);
	write_file(s->dir, "estate.yaml",
	           nsg_json ? "resources:\n  - {name: vm1, addresses: [10.0.0.4], internet-facing: true, nsgs: [web.json]}\n"
	                    : "resources:\n  - {name: vm1, addresses: [10.0.0.4], internet-facing: true}\n");
	snprintf(path, sizeof path, "%s/estate.yaml", s->dir);
	MUST(wh_estate_import(s->ledger.state, path, &sum, &err));
	free(sum.note_texts);
	MUST(wh_estate_locals(s->ledger.state, NULL, &s->locals, &err));
	s->table = wh_edge_table_new(s->locals, byte_limit ? byte_limit : 64 << 20);
	assert_non_null(s->table);
	s->mem = wh_arena_new();
}

void scene_close(struct scene *s)
{
	char cmd[64];
	wh_edge_table_free(s->table);
	wh_locals_free(s->locals);
	if (s->estate)
		wh_estate_free(s->estate);
	wh_ledger_close(&s->ledger);
	wh_arena_free(s->mem);
	snprintf(cmd, sizeof cmd, "rm -rf %s", s->dir);
	assert_int_equal(system(cmd), 0);
}

static void flush(struct scene *s)
{
	struct wh_read_stats delta = {0};
	MUST(wh_store_commit(s->ledger.store, s->table, NULL, &delta, &err));
	wh_edge_table_clear(s->table);
}

static void fold(struct scene *s, const struct wh_record *r)
{
	int rc = wh_edge_table_fold(s->table, r);
	if (rc == -ENOSPC) {
		flush(s);
		rc = wh_edge_table_fold(s->table, r);
	}
	assert_int_equal(rc, 0);
}

static struct wh_record tcp(struct wh_addr src, uint16_t port, int day, int hour, unsigned seconds)
{
	struct wh_record r = {.kind = WH_RECORD_FLOW, .event_type = "flow"};
	struct wh_flow *f = &r.flow;
	f->src = src;
	f->dst = addr("10.0.0.4");
	f->src_port = 40000;
	f->dst_port = port;
	f->proto = WH_PROTO_TCP;
	f->has_tcp_flags = true;
	f->state = WH_STATE_CLOSED;
	f->start_us = scene_day0_us + day * WH_US_PER_DAY + hour * INT64_C(3600000000);
	f->end_us = f->start_us + (int64_t)seconds * 1000000;
	r.time_us = f->end_us;
	return r;
}

static void answered(struct wh_flow *f, uint64_t bytes)
{
	f->tcp_flags_toserver = f->tcp_flags_toclient = WH_TCP_SYN | WH_TCP_ACK | WH_TCP_PSH | WH_TCP_FIN;
	f->bytes_toserver = f->bytes_toclient = bytes;
	f->pkts_toserver = f->pkts_toclient = 8 + bytes / 1200;
	f->app_proto_known = true;
	strcpy(f->app_proto, f->dst_port == 22 ? "ssh" : "tls");
}

void scene_fold(struct scene *s, const struct wh_record *r)
{
	fold(s, r);
}

struct wh_record scene_record(const char *src, uint16_t port, int day, int hour, unsigned kib, unsigned seconds)
{
	struct wh_record r = tcp(addr(src), port, day, hour, seconds);
	answered(&r.flow, (uint64_t)kib * 1024);
	return r;
}

void scene_estate(struct scene *s, const char *yaml)
{
	char path[96];
	struct wh_estate_summary sum = {0};
	write_file(s->dir, "estate.yaml", yaml);
	snprintf(path, sizeof path, "%s/estate.yaml", s->dir);
	MUST(wh_estate_import(s->ledger.state, path, &sum, &err));
	free(sum.note_texts);
	wh_edge_table_free(s->table);
	wh_locals_free(s->locals);
	MUST(wh_estate_locals(s->ledger.state, NULL, &s->locals, &err));
	s->table = wh_edge_table_new(s->locals, 64 << 20);
	assert_non_null(s->table);
}

void scene_session(struct scene *s, const char *src, uint16_t port, int day, int hour, unsigned kib, unsigned seconds)
{
	scene_session_to(s, src, "10.0.0.4", port, day, hour, kib, seconds);
}

void scene_session_to(struct scene *s, const char *src, const char *dst, uint16_t port, int day, int hour, unsigned kib,
                      unsigned seconds)
{
	struct wh_record r = tcp(addr(src), port, day, hour, seconds);
	r.flow.dst = addr(dst);
	answered(&r.flow, (uint64_t)kib * 1024);
	fold(s, &r);
}

const char *const scene_partners[SCENE_PARTNERS] = {"140.20.30.8", "140.20.30.9", "140.20.30.10", "140.20.30.12", "140.20.30.15"};

void scene_partner_days(struct scene *s, int from, int to)
{
	for (int day = from; day < to; day++)
		for (size_t i = 0; i < SCENE_PARTNERS; i++)
			scene_session(s, scene_partners[i], 22, day, 9, 64, 600);
}

void scene_guess(struct scene *s, const char *src, uint16_t port, int day, int hour)
{
	struct wh_record r = tcp(addr(src), port, day, hour, 2);
	answered(&r.flow, 1500);
	fold(s, &r);
}

void scene_syn(struct scene *s, struct wh_addr src, uint16_t port, int day, unsigned severity)
{
	struct wh_record r = tcp(src, port, day, 12, 0);
	r.flow.state = WH_STATE_NEW;
	r.flow.tcp_flags_toserver = WH_TCP_SYN;
	r.flow.pkts_toserver = 1;
	r.flow.bytes_toserver = 60;
	r.flow.alerted = severity > 0;
	fold(s, &r);
	if (!severity)
		return;
	r.kind = WH_RECORD_ALERT;
	strcpy(r.event_type, "alert");
	r.alert_severity = (uint8_t)severity;
	r.alert_from = WH_SENDER_SRC;
	fold(s, &r);
}

void scene_alert(struct scene *s, const char *src, uint16_t port, int day, unsigned severity, bool was_answered)
{
	struct wh_record r = tcp(addr(src), port, day, 12, 1);
	r.kind = WH_RECORD_ALERT;
	strcpy(r.event_type, "alert");
	r.alert_severity = (uint8_t)severity;
	r.alert_from = WH_SENDER_SRC;
	r.flow.state = was_answered ? WH_STATE_ESTABLISHED : WH_STATE_NEW;
	if (was_answered)
		answered(&r.flow, 4096);
	fold(s, &r);
}

struct wh_harden_options scene_options(struct scene *s, const char *list)
{
	struct wh_port_list *ports;
	MUST(wh_port_list_load(list, NULL, s->mem, &ports, &err));
	return (struct wh_harden_options){.ports = ports, .evidence_yaml = "rules/evidence.yaml", .min_days = 30};
}

struct wh_recommendation *scene_recommend_as(struct scene *s, const struct wh_harden_options *opt)
{
	struct wh_recommendation *r;
	flush(s);
	if (!s->estate)
		MUST(wh_estate_load(&s->ledger, s->mem, &s->estate, &err));
	MUST(wh_recommend(&(struct wh_harden_ask){.store = s->ledger.store, .estate = s->estate, .opt = opt}, s->mem, &r, &err));
	return r;
}

struct wh_recommendation *scene_recommend_with(struct scene *s, const struct wh_prefix *trusted, size_t n_trusted,
                                               const struct wh_prefix *listed, size_t n_listed)
{
	struct wh_harden_options opt = scene_options(s, "22,443,3389");
	opt.trusted = trusted;
	opt.n_trusted = n_trusted;
	opt.hostile = listed;
	opt.n_hostile = n_listed;
	return scene_recommend_as(s, &opt);
}

struct wh_prefix scene_prefix(const char *text)
{
	struct wh_prefix p;
	if (wh_prefix_parse(text, strlen(text), &p, NULL))
		fail_msg("%s is no prefix", text);
	return p;
}

struct wh_recommendation *scene_recommend(struct scene *s)
{
	struct wh_harden_options opt = scene_options(s, "22,443,3389");
	return scene_recommend_as(s, &opt);
}

const struct wh_recommended_rule *scene_rule(const struct wh_recommendation *r, uint16_t port)
{
	for (size_t i = 0; i < r->n_resources; i++)
		for (size_t j = 0; j < r->resources[i].n_rules; j++)
			if (r->resources[i].rules[j].port == port)
				return &r->resources[i].rules[j];
	return NULL;
}

bool scene_allows(const struct wh_recommended_rule *r, const char *text)
{
	struct wh_addr a = addr(text);
	for (size_t i = 0; i < r->n_except; i++)
		if (wh_prefix_has(&r->except[i], &a))
			return false;
	for (size_t i = 0; i < r->n_prefixes; i++)
		if (wh_prefix_has(&r->prefixes[i], &a))
			return true;
	return false;
}
