/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Detections by protocol evidence, by single peers and by what was noticed of the firewall; and that days of ordinary traffic
 * raise none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/support/scene.h"
#include "ledger/store.h"
#include "whittle/alert.h"
#include "whittle/recommendation.h"

struct world {
	struct scene s;
	struct wh_alert_types types;
	struct wh_alert_domains domains;
	struct wh_alert_config config;
	struct wh_recommendation *rec;
	struct wh_facts facts;
	const struct wh_prefix *trusted;
	const struct wh_intel_list *lists;
	int days;
	uint16_t port; /* of facts; 0: 443 */
};

#define MUST(call) do { struct wh_error err = {.text = ""}; if ((call) < 0) fail_msg("%s: %s", #call, err.text); } while (0)

static void open_estate(struct world *w, const char *yaml, int days)
{
	memset(w, 0, sizeof *w);
	scene_open(&w->s, NULL, 0);
	if (yaml)
		scene_estate(&w->s, yaml);
	scene_partner_days(&w->s, 0, days);
	w->rec = scene_recommend(&w->s);
	w->days = days;
	w->facts.locals = w->s.locals;
	MUST(wh_alert_types_load("rules/alerts.yaml", w->s.mem, &w->types, &err));
	MUST(wh_alert_domains_load("rules/domains.yaml", w->s.mem, &w->domains, &err));
}

static void open_world(struct world *w, int days)
{
	open_estate(w, NULL, days);
}

static void close_world(struct world *w)
{
	wh_facts_free(&w->facts);
	scene_close(&w->s);
}

static struct wh_addr address(const char *text)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(text, strlen(text), &a), 0);
	return a;
}

/* vm1 is the client, or the server where `inbound`. */
static void fact(struct world *w, enum wh_fact_kind kind, const char *value, int day, bool inbound, uint64_t up, uint64_t down,
                 uint64_t hash)
{
	struct wh_fact f = {.kind = kind,
	                    .client = address(inbound ? "203.0.113.9" : "10.0.0.4"),
	                    .server = address(inbound ? "10.0.0.4" : "203.0.113.9"),
	                    .port = w->port ? w->port : 443,
	                    .proto = WH_PROTO_TCP,
	                    .count = 1,
	                    .up = up,
	                    .down = down,
	                    .hash = hash,
	                    .time_us = scene_day0_us + day * WH_US_PER_DAY + 3600000000};
	snprintf(f.value, sizeof f.value, "%s", value);
	if (kind >= WH_FACT_DNS && kind <= WH_FACT_DNS_DANGLING)
		f.port = 53;
	assert_int_equal(wh_facts_add(&w->facts, &f, 1), 0);
}

/* Looks, and returns the kept alerts; the caller's. */
static json_t *look(struct world *w, struct wh_alert_counts *n)
{
	struct wh_recommendation *rec = w->rec;
	json_t *list;
	struct wh_store_seen seen = {0};
	wh_facts_seen(&w->facts, &seen);
	MUST(wh_store_commit(w->s.ledger.store, w->s.table, &(struct wh_store_progress){.path = "a", .seen = &seen}, NULL, &err));
	wh_edge_table_clear(w->s.table);
	wh_facts_clear(&w->facts);
	const struct wh_alert_look l = {.ledger = &w->s.ledger,
	                                .estate = w->s.estate,
	                                .rec = rec,
	                                .config = &w->config,
	                                .trusted = w->trusted,
	                                .n_trusted = w->trusted != NULL,
	                                .lists = w->lists,
	                                .n_lists = w->lists != NULL,
	                                .types = &w->types,
	                                .domains = &w->domains,
	                                .now_us = scene_day0_us + w->days * WH_US_PER_DAY + 3600000000};
	MUST(wh_alerts_update(&l, n, &err));
	MUST(wh_alerts_list(w->s.ledger.state, &list, &err));
	return list;
}

static unsigned of_type(const json_t *list, const char *type, const char *words)
{
	unsigned n = 0;
	size_t i;
	json_t *a;
	json_array_foreach((json_t *)list, i, a)
		n += !strcmp(wh_alert_property(a, "alertType"), type) && strstr(wh_alert_property(a, "description"), words);
	return n;
}

static void raises(struct world *w, const char *type, const char *words)
{
	struct wh_alert_counts n, again;
	json_t *list = look(w, &n);
	if (of_type(list, type, words) != 1) {
		char *all = json_dumps(list, 0);
		fail_msg("no %s: %s", type, all);
	}
	json_decref(list);
	list = look(w, &again); /* one incident, however often one looks */
	assert_int_equal(again.made, 0);
	json_decref(list);
}

static void raises_nothing(struct world *w)
{
	struct wh_alert_counts n;
	json_t *list = look(w, &n);
	if (n.made) {
		char *all = json_dumps(list, 0);
		fail_msg("%s", all);
	}
	json_decref(list);
}

static uint64_t mixed(uint64_t x)
{
	x = (x ^ x >> 31) * UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	return (x ^ x >> 32) | 1;
}
#define HASH(i) mixed(i)

static void long_names_below_one_domain_are_a_tunnel(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	for (unsigned i = 1; i <= 400; i++)
		fact(&w, WH_FACT_DNS_DOMAIN, "pirate.example", 30, false, 48, 0, HASH(i));
	raises(&w, "AzureDNS_DataExfiltration", "below pirate.example");
	close_world(&w);
}

static void text_in_answers_is_a_download_and_both_are_a_transfer(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	for (unsigned i = 1; i <= 400; i++) {
		fact(&w, WH_FACT_DNS_DOMAIN, "in.example", 30, false, 8, 200, HASH(i));
		fact(&w, WH_FACT_DNS_DOMAIN, "both.example", 30, false, 48, 200, HASH(i));
	}
	struct wh_alert_counts n;
	json_t *list = look(&w, &n);
	assert_int_equal(of_type(list, "AzureDNS_DataInfiltration", "in.example"), 1);
	assert_int_equal(of_type(list, "AzureDNS_DataObfuscation", "both.example"), 1);
	assert_int_equal(n.made, 2);
	json_decref(list);
	close_world(&w);
}

/* A browser's day: many names of many domains, short ones, a typing error or two, a block list that a mail server asks. */
static void ordinary_names_raise_nothing(void **state)
{
	struct world w;
	char name[64];
	(void)state;
	open_world(&w, 31);
	for (int day = 24; day < 31; day++)
		for (unsigned i = 1; i <= 600; i++) {
			snprintf(name, sizeof name, "site%u.example", i);
			fact(&w, WH_FACT_DNS_DOMAIN, name, day, false, 9, 40, HASH(i % 7 + 1));
			fact(&w, WH_FACT_DNS_DOMAIN, "blocklist.example", day, false, 15, 0, HASH(i));
			fact(&w, WH_FACT_DNS_DOMAIN, "cdn.example", day, false, 30, 20, HASH(i % 20 + 1));
			fact(&w, WH_FACT_DNS, "", day, false, 0, 0, 0);
			if (i % 100 == 0)
				fact(&w, WH_FACT_DNS_FAILED, "", day, false, 0, 0, HASH(i));
			fact(&w, WH_FACT_TLS, i % 2 ? "1.3" : "1.2", day, i % 3 == 0, 0, 0, 0);
			fact(&w, WH_FACT_SSH, "2.0", day, true, 0, 0, 0);
			fact(&w, WH_FACT_SMB, "3.11", day, true, 0, 0, 0);
		}
	raises_nothing(&w);
	close_world(&w);
}

static void many_domains_that_do_not_exist_are_computed_ones(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	for (unsigned i = 1; i <= 120; i++)
		fact(&w, WH_FACT_DNS_FAILED, "", 30, false, 0, 0, HASH(i));
	raises(&w, "AzureDNS_DomainGenerationAlgorithm", "that do not exist");
	close_world(&w);
}

static void names_are_looked_for_by_their_category(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	fact(&w, WH_FACT_DNS_NAME, "xmr.pool.minexmr.com", 30, false, 0, 0, 0);
	fact(&w, WH_FACT_DNS_NAME, "duskgytldkxiuqc6.onion", 30, false, 0, 0, 0);
	fact(&w, WH_FACT_DNS_NAME, "duskgytldkxiuqc6.onion.ws", 30, false, 0, 0, 0);
	fact(&w, WH_FACT_DNS_NAME, "notminexmr.com", 30, false, 0, 0, 0);
	fact(&w, WH_FACT_DNS_NAME, "app.azurewebsites.net", 30, false, 0, 0, 0); /* it exists */
	fact(&w, WH_FACT_DNS_DANGLING, "old-shop.azurewebsites.net", 30, false, 0, 0, 0);
	fact(&w, WH_FACT_DNS_DANGLING, "www.partner.example", 30, false, 0, 0, 0);
	struct wh_alert_counts n;
	json_t *list = look(&w, &n);
	assert_int_equal(of_type(list, "AzureDNS_CurrencyMining", "xmr.pool.minexmr.com"), 1);
	assert_int_equal(of_type(list, "AzureDNS_DarkWeb", "duskgytldkxiuqc6.onion,"), 1);
	assert_int_equal(of_type(list, "AzureDNS_DarkWebProxy", "duskgytldkxiuqc6.onion.ws"), 1);
	assert_int_equal(of_type(list, "AppServices_DanglingDomain", "old-shop.azurewebsites.net"), 1);
	assert_int_equal(n.made, 4);
	json_decref(list);
	close_world(&w);
}

static void tls_or_ssh_on_the_port_of_dns_is_an_alert(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	fact(&w, WH_FACT_TLS, "1.3", 30, false, 0, 0, 0); /* on 443 */
	raises_nothing(&w);
	w.port = 53;
	fact(&w, WH_FACT_TLS, "1.3", 30, false, 0, 0, 0);
	raises(&w, "AzureDNS_ProtocolAnomaly", "TLS on port 53");
	close_world(&w);
}

static void old_protocols_are_one_alert_a_port_with_their_peers(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	fact(&w, WH_FACT_TLS, "1.0", 30, true, 0, 0, 0);
	fact(&w, WH_FACT_TLS, "1.1", 30, true, 0, 0, 0);
	fact(&w, WH_FACT_SMB, "1", 30, false, 0, 0, 0);
	fact(&w, WH_FACT_LDAP, "simple", 30, true, 0, 0, 0);
	fact(&w, WH_FACT_KERBEROS, "weak rc4-hmac", 30, false, 0, 0, 0);
	fact(&w, WH_FACT_SSH, "1.5", 10, true, 0, 0, 0); /* before the window */
	struct wh_alert_counts n;
	json_t *list = look(&w, &n);
	assert_int_equal(of_type(list, "Whittle_InsecureProtocol", "TLS below 1.2"), 1);
	assert_int_equal(of_type(list, "Whittle_InsecureProtocol", "SMB 1"), 1);
	assert_int_equal(of_type(list, "Whittle_InsecureProtocol", "LDAP with passwords in clear"), 1);
	assert_int_equal(of_type(list, "Whittle_InsecureProtocol", "Kerberos with weak"), 1);
	assert_int_equal(n.made, 4);
	json_decref(list);
	close_world(&w);
}

static void a_capture_that_lost_packets_on_a_day_is_an_alert_and_a_restart_is_none(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	fact(&w, WH_FACT_CAPTURE, "run 1", 29, true, 1000, 0, 0);
	fact(&w, WH_FACT_CAPTURE, "run 2", 29, true, 5000000, 400000, 0); /* counters of an earlier day */
	raises_nothing(&w);
	struct wh_fact late = {.kind = WH_FACT_CAPTURE,
	                       .up = 21000,
	                       .down = 900,
	                       .value = "run 1",
	                       .time_us = scene_day0_us + 29 * WH_US_PER_DAY + 7200000000};
	assert_int_equal(wh_facts_add(&w.facts, &late, 1), 0);
	raises(&w, "Whittle_CaptureLoss", "lost 900 of 20000 packets");
	close_world(&w);
}

static void a_peer_over_ipv6_is_an_alert_if_the_rule_has_only_ipv4(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	scene_session(&w.s, "2001:db8::7", 22, 32, 3, 200, 300);
	raises(&w, "Whittle_IPv6Bypass", "only IPv4");
	close_world(&w);
}

static void a_port_that_is_new_and_answers_the_world_is_an_alert(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	scene_session(&w.s, "198.51.100.7", 8443, 30, 3, 200, 300);
	scene_session(&w.s, "192.168.4.7", 9000, 30, 3, 200, 300); /* not from outside */
	struct wh_alert_counts n;
	json_t *list = look(&w, &n);
	assert_int_equal(of_type(list, "Whittle_UnjudgedPort", "Port 8443/TCP"), 1);
	assert_int_equal(of_type(list, "Whittle_UnjudgedPort", ""), 1);
	json_decref(list);
	close_world(&w);
}

static void a_large_upload_to_a_new_peer_is_an_alert_and_a_usual_one_is_none(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	w.config.upload = 100 << 20;
	for (int day = 0; day < 31; day += 3)
		scene_session_to(&w.s, "10.0.0.4", "198.51.100.20", 443, day, 4, 20 << 10, 600);
	scene_session_to(&w.s, "10.0.0.4", "198.51.100.21", 443, 30, 4, 120 << 10, 600);
	raises_nothing(&w);
	scene_session_to(&w.s, "10.0.0.4", "198.51.100.22", 443, 30, 5, 900 << 10, 600);
	raises(&w, "Whittle_OutboundVolume", "a peer that is new");
	close_world(&w);
}

static void a_daily_backup_hides_no_upload(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	for (int day = 0; day < 31; day++)
		scene_session_to(&w.s, "10.0.0.4", "198.51.100.20", 443, day, 4, 1 << 20, 600);
	scene_session_to(&w.s, "10.0.0.4", "198.51.100.20", 443, 30, 5, 9 << 20, 600); /* a larger one */
	raises_nothing(&w);
	scene_session_to(&w.s, "10.0.0.4", "198.51.100.22", 443, 30, 5, 3 << 20, 600);
	raises(&w, "Whittle_OutboundVolume", "a peer that is new");
	close_world(&w);
}

static void regular_connections_to_a_new_peer_are_an_alert_and_those_of_a_person_are_none(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	for (int i = 0; i < 3 * 24 * 5; i++) {
		int day = 28 + i / (24 * 5), hour = i / 5 % 24;
		scene_session_to(&w.s, "10.0.0.4", "198.51.100.31", 443, day, hour, 2, 3);
		scene_session_to(&w.s, "10.0.0.4", "198.51.100.32", 443, day, 8 + hour % 9, 2, 3); /* in office hours */
		scene_session_to(&w.s, "10.0.0.4", "198.51.100.33", 443, day, hour, 1u << i % 9, 1 + i % 300); /* of all sizes */
		scene_session_to(&w.s, "10.0.0.4", "10.9.9.9", 443, day, hour, 2, 3); /* not outside */
	}
	raises(&w, "Whittle_Beaconing", "120 connections a day");
	close_world(&w);
}

static void a_program_without_a_pause_is_no_clock(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	for (int i = 0; i < 24 * 400; i++) {
		for (int day = 28; day < 30; day++) /* 9,600 a day */
			scene_session_to(&w.s, "10.0.0.4", "198.51.100.31", 443, day, i / 400, 2, 3);
		if (i % 3 == 0) /* one day's work, which ends on the next */
			scene_session_to(&w.s, "10.0.0.4", "198.51.100.32", 443, 28, i / 400, 2, i == 23 * 400 ? 4000 : 3);
	}
	raises_nothing(&w);
	close_world(&w);
}

static void a_peer_that_returns_after_a_long_silence_is_an_alert_and_a_monthly_one_is_none(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 62);
	scene_session(&w.s, "140.20.30.9", 443, 1, 3, 200, 300);
	scene_session(&w.s, "140.20.30.10", 443, 30, 3, 200, 300);
	scene_session(&w.s, "140.20.30.10", 443, 61, 3, 200, 300);
	raises_nothing(&w);
	scene_session(&w.s, "140.20.30.9", 443, 60, 3, 200, 300); /* and on the next day again */
	scene_session(&w.s, "140.20.30.9", 443, 61, 3, 200, 300);
	raises(&w, "Whittle_DormantPath", "58 days");
	close_world(&w);
}

static void a_source_that_tries_many_ports_scans(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	for (uint16_t port = 1000; port < 1015; port++)
		scene_syn(&w.s, address("198.51.100.9"), port, 30, 0);
	raises_nothing(&w);
	for (uint16_t port = 2000; port < 2015; port++)
		scene_syn(&w.s, address("198.51.100.9"), port, 30, 0);
	raises(&w, "Whittle_IncomingScan", "many ports of vm1");
	close_world(&w);
}

static void a_trusted_scanner_is_no_alert(void **state)
{
	struct world w;
	const struct wh_prefix ours = scene_prefix("198.51.100.9/32");
	(void)state;
	open_world(&w, 31);
	w.trusted = &ours;
	for (uint16_t port = 1000; port < 1030; port++)
		scene_syn(&w.s, address("198.51.100.9"), port, 30, 0);
	raises_nothing(&w);
	close_world(&w);
}

static void the_first_attempts_at_a_port_are_seen_if_a_look_before_saw_none(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	raises_nothing(&w);
	scene_syn(&w.s, address("198.51.100.9"), 22, 31, 0);
	w.days = 32;
	raises(&w, "Network_TrafficFromUnrecommendedIP", "outside the recommended ranges");
	close_world(&w);
}

/* vm1 tries to open a connection, in vain. */
static void try(struct world *w, const char *to, uint16_t port, uint8_t proto, int day)
{
	struct wh_record r = {.kind = WH_RECORD_FLOW,
	                      .flow = {.src = address("10.0.0.4"),
	                               .dst = address(to),
	                               .src_port = (uint16_t)(40000 + w->facts.n % 20000),
	                               .dst_port = port,
	                               .proto = proto,
	                               .start_us = scene_day0_us + day * WH_US_PER_DAY + 3600000000,
	                               .pkts_toserver = 1,
	                               .bytes_toserver = 60,
	                               .has_tcp_flags = true,
	                               .tcp_flags_toserver = WH_TCP_SYN}};
	assert_true(wh_facts_is_attempt(&r, w->s.locals));
	assert_int_equal(wh_facts_count_day(&w->facts, &r), 0);
	assert_int_equal(wh_facts_add_attempt(&w->facts, &r), 0);
}

/* `targets` addresses that answer nothing. */
static void sweep(struct world *w, int targets, uint16_t port, int day)
{
	char to[32];
	for (int i = 0; i < targets; i++) {
		snprintf(to, sizeof to, "198.18.%d.%d", i / 250, 1 + i % 250);
		try(w, to, port, WH_PROTO_TCP, day);
	}
}

static void a_sweep_of_which_no_target_answers_is_an_alert_that_names_one(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	for (int day = 0; day < 30; day++)
		sweep(&w, 3, 445, day);
	sweep(&w, 12, 445, 30);
	raises_nothing(&w);
	sweep(&w, 60, 445, 30);
	raises(&w, "PortScanning", "445/TCP");
	close_world(&w);
}

static void who_tries_as_many_every_day_does_not_scan(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	for (int day = 0; day < 30; day++)
		sweep(&w, 40, 25, day);
	sweep(&w, 90, 25, 30);
	raises_nothing(&w);
	close_world(&w);
}

static void days_on_which_attempts_were_not_counted_are_no_measure(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	for (int day = 18; day < 31; day++) /* six days before the window */
		sweep(&w, 60, 445, day);
	raises_nothing(&w);
	close_world(&w);
}

static void targets_that_answer_and_those_that_do_not_count_together(void **state)
{
	struct world w;
	char to[32];
	(void)state;
	open_world(&w, 31);
	for (int day = 0; day < 30; day++)
		sweep(&w, 1, 6379, day);
	sweep(&w, 14, 6379, 30);
	for (int i = 0; i < 14; i++) {
		snprintf(to, sizeof to, "198.51.100.%d", i + 1);
		scene_session_to(&w.s, "10.0.0.4", to, 6379, 30, 4, 2, 3);
	}
	raises(&w, "PortScanning", "6379/TCP");
	close_world(&w);
}

static void many_ports_of_one_target_are_a_scan_and_a_traceroute_is_none(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	for (int day = 0; day < 30; day++)
		sweep(&w, 1, 443, day);
	for (uint16_t port = 33434; port < 33634; port++)
		try(&w, "198.18.0.1", port, WH_PROTO_UDP, 30);
	for (uint16_t port = 1; port <= 60; port++)
		try(&w, "198.18.0.1", port, WH_PROTO_TCP, 30);
	raises_nothing(&w);
	for (uint16_t port = 61; port <= 300; port++)
		try(&w, "198.18.0.1", port, WH_PROTO_TCP, 30);
	raises(&w, "PortScanning", "ports in vain on one day");
	close_world(&w);
}

static void handshakes_that_drown_one_target_are_a_flood_and_datagrams_without_an_answer_are_none(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, 31);
	w.config.flood = 2000;
	for (int day = 0; day < 30; day++)
		sweep(&w, 1, 80, day);
	for (int i = 0; i < 3000; i++)
		try(&w, "198.18.0.1", 514, WH_PROTO_UDP, 30);
	for (int i = 0; i < 1500; i++)
		try(&w, "203.0.113.80", 80, WH_PROTO_TCP, 30);
	raises_nothing(&w);
	for (int i = 0; i < 1500; i++)
		try(&w, "203.0.113.80", 80, WH_PROTO_TCP, 30);
	raises(&w, "DDOS", "203.0.113.80");
	close_world(&w);
}

static void a_list_that_names_our_own_address_is_an_alert_and_one_that_names_its_network_is_none(void **state)
{
	struct world w;
	struct wh_prefix network = scene_prefix("20.50.60.10/32");
	struct wh_intel_subtraction ours = {scene_prefix("20.50.60.11/32"), "the estate's own"};
	struct wh_intel_list list = {
		.name = "list", .prefixes = &network, .n_prefixes = 1, .subtracted = &ours, .n_subtracted = 1};
	(void)state;
	open_estate(&w, "resources: [{name: vm1, addresses: [10.0.0.4, 20.50.60.11]}]\n", 31);
	w.lists = &list;
	raises_nothing(&w);
	list.n_prefixes = 0;
	raises(&w, "Network_ResourceIpIndicatedAsMalicious", "An address of vm1 itself is on a threat list");
	close_world(&w);
}

static void a_finding_of_the_watcher_is_an_alert(void **state)
{
	struct world w;
	struct wh_addr peer = address("140.20.30.9"), local = address("10.0.0.4");
	(void)state;
	open_world(&w, 31);
	struct wh_alert_noticed n = {.kind = "blocked",
	                             .text = "140.20.30.9 is being dropped",
	                             .time_us = scene_day0_us + 31 * WH_US_PER_DAY,
	                             .peer = &peer,
	                             .local = &local,
	                             .proto = WH_PROTO_TCP,
	                             .port = 22,
	                             .drops = 3};
	MUST(wh_alert_noticed(w.s.ledger.state, &n, &err));
	raises(&w, "Whittle_RuleBlocksNormal", "is being dropped");
	n = (struct wh_alert_noticed){.kind = "flushed", .text = "nft deleted whittle's table", .time_us = n.time_us};
	MUST(wh_alert_noticed(w.s.ledger.state, &n, &err));
	raises(&w, "Whittle_FirewallChanged", "nft deleted whittle's table");
	n = (struct wh_alert_noticed){.kind = "clock", .text = "the clock was set back", .time_us = n.time_us};
	MUST(wh_alert_noticed(w.s.ledger.state, &n, &err));
	raises(&w, "Whittle_ClockStep", "the clock was set back");
	n.kind = "repaired";
	MUST(wh_alert_noticed(w.s.ledger.state, &n, &err));
	MUST(wh_state_put(w.s.ledger.state, "watch-noticed", "crafted",
	                  "{\"kind\":\"changed\",\"text\":7,\"last\":\"x\",\"port\":-1}", &err));
	raises_nothing(&w);
	close_world(&w);
}

static void an_incident_of_a_month_is_one_alert(void **state)
{
	struct world w;
	struct wh_alert_counts n;
	size_t made = 0, reopened = 0, followed = 0;
	(void)state;
	open_world(&w, 31);
	for (int day = 31; day < 61; day++) {
		scene_partner_days(&w.s, day, day + 1);
		w.days = day + 1;
		fact(&w, WH_FACT_TLS, "1.0", day, true, 0, 0, 0);
		for (unsigned i = 1; i <= 400; i++)
			fact(&w, WH_FACT_DNS_DOMAIN, "pirate.example", day, false, 48, 0, HASH(i + (unsigned)day * 1000));
		json_decref(look(&w, &n));
		made += n.made;
		followed += n.followed;
		reopened += n.reopened;
	}
	assert_int_equal(made, 2);
	assert_int_equal(followed, 58);
	assert_int_equal(reopened, 0);
	close_world(&w);
}

static void a_bad_list_of_domains_names_its_line(void **state)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_alert_domains d;
	struct wh_error why = {.text = ""};
	char path[] = "/tmp/wh-domains-XXXXXX";
	int fd = mkstemp(path);
	(void)state;
	assert_true(dprintf(fd, "mining: [a.example]\nphishing:\n  - Not A Domain\n") > 0);
	assert_int_equal(wh_alert_domains_load(path, mem, &d, &why), -EINVAL);
	assert_non_null(strstr(why.text, ":3: 'Not A Domain'"));
	close(fd);
	unlink(path);
	wh_arena_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test(name)
		TEST(long_names_below_one_domain_are_a_tunnel),
		TEST(text_in_answers_is_a_download_and_both_are_a_transfer),
		TEST(ordinary_names_raise_nothing),
		TEST(many_domains_that_do_not_exist_are_computed_ones),
		TEST(names_are_looked_for_by_their_category),
		TEST(old_protocols_are_one_alert_a_port_with_their_peers),
		TEST(a_capture_that_lost_packets_on_a_day_is_an_alert_and_a_restart_is_none),
		TEST(a_peer_over_ipv6_is_an_alert_if_the_rule_has_only_ipv4),
		TEST(a_port_that_is_new_and_answers_the_world_is_an_alert),
		TEST(a_large_upload_to_a_new_peer_is_an_alert_and_a_usual_one_is_none),
		TEST(a_daily_backup_hides_no_upload),
		TEST(a_program_without_a_pause_is_no_clock),
		TEST(a_trusted_scanner_is_no_alert),
		TEST(the_first_attempts_at_a_port_are_seen_if_a_look_before_saw_none),
		TEST(a_list_that_names_our_own_address_is_an_alert_and_one_that_names_its_network_is_none),
		TEST(tls_or_ssh_on_the_port_of_dns_is_an_alert),
		TEST(regular_connections_to_a_new_peer_are_an_alert_and_those_of_a_person_are_none),
		TEST(a_peer_that_returns_after_a_long_silence_is_an_alert_and_a_monthly_one_is_none),
		TEST(a_source_that_tries_many_ports_scans),
		TEST(a_sweep_of_which_no_target_answers_is_an_alert_that_names_one),
		TEST(who_tries_as_many_every_day_does_not_scan),
		TEST(days_on_which_attempts_were_not_counted_are_no_measure),
		TEST(targets_that_answer_and_those_that_do_not_count_together),
		TEST(many_ports_of_one_target_are_a_scan_and_a_traceroute_is_none),
		TEST(handshakes_that_drown_one_target_are_a_flood_and_datagrams_without_an_answer_are_none),
		TEST(a_finding_of_the_watcher_is_an_alert),
		TEST(an_incident_of_a_month_is_one_alert),
		TEST(a_bad_list_of_domains_names_its_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
