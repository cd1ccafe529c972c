/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linux hosts, by facts that were written by hand: one sound host, and for each question one that is not. */
#include "scene.h"

/* A host with one address of each family outside and a bridge; the ruleset is the caller's. */
#define FACTS(ruleset, more) FACTS_OF("2025-11-24", ruleset, more)
#define FACTS_OF(day, ruleset, more)                                                                                             \
	"{\"kind\":\"whittle host facts\",\"version\":1,\"name\":\"db-1\",\"at\":\"" day "T10:00:00Z\",\"addresses\":["          \
	"{\"interface\":\"eth0\",\"address\":\"203.0.113.7\",\"outside\":true},"                                                 \
	"{\"interface\":\"eth0\",\"address\":\"2001:db8::7\",\"outside\":true},"                                                 \
	"{\"interface\":\"br0\",\"address\":\"172.17.0.1\",\"outside\":false}]," more "\"ruleset\":{" ruleset "}}"
#define ROW(address, ports, peers, more)                                                                                         \
	"{\"interface\":\"eth0\",\"address\":\"" address "\",\"protocol\":\"TCP\"," ports ",\"peers\":[" peers "]" more "}"
#define FOUR(ports, peers) ROW("203.0.113.7", ports, peers, ",\"by\":\"rule 3 of filter input\"")
#define SIX(ports, peers) ROW("2001:db8::7", ports, peers, "")
#define PORT(n) "\"port\":" n ",\"lastPort\":" n
#define EVERY "\"port\":0,\"lastPort\":65535"
#define SOUND                                                                                                                    \
	"\"chains\":[\"filter input\"],\"forwards4\":\"denied\",\"forwards6\":\"denied\",\"inbound\":["                          \
	"{\"interface\":\"br0\",\"address\":\"172.17.0.1\",\"protocol\":\"TCP\"," EVERY                                          \
	",\"peers\":[\"0.0.0.0/0\"]}," FOUR(PORT("22"), "\"198.51.100.0/24\"") "]"
#define RULES(inbound, more)                                                                                                     \
	"\"chains\":[\"filter input\"],\"forwards4\":\"denied\",\"forwards6\":\"denied\",\"inbound\":[" inbound "]" more
#define SETTINGS(forward, rp)                                                                                                    \
	"\"sysctls\":{\"net.ipv4.ip_forward\":\"" forward                                                                        \
	"\",\"net.ipv6.conf.all.forwarding\":\"0\",\"net.ipv4.conf.all.rp_filter\":\"" rp                                        \
	"\",\"net.ipv4.conf.default.rp_filter\":\"0\",\"net.ipv4.tcp_syncookies\":\"1\"},"

static const char *judged(const char *key, const char *facts, const char **cause)
{
	struct wh_host_facts f;
	struct wh_error err = {0};
	struct scene s;
	json_t *doc = json_loads(facts, 0, NULL);
	assert_non_null(doc);
	if (wh_host_facts_read("facts", doc, mem, &f, &err))
		fail_msg("%s", err.text);
	scene_read(&s, NULL);
	s.in.hosts = &f;
	s.in.n_hosts = 1;
	scene_run(&s);
	const struct wh_posture_verdict *v = scene_verdict(&s, key, "db-1");
	const char *status = v ? wh_arena_strdup(mem, wh_posture_text(v->status)) : "none";
	if (cause)
		*cause = v && v->cause ? wh_arena_strdup(mem, v->cause) : "";
	scene_close(&s);
	json_decref(doc);
	return status;
}

static void a_sound_host_passes_and_each_question_has_one_that_fails(void **state)
{
	(void)state;
	static const char sound[] = FACTS(
		SOUND,
		SETTINGS(
			"0",
			"1") "\"resolvers\":[\"10.0.0.2\"],\"listeners\":[{\"protocol\":\"TCP\",\"address\":\"0.0.0.0\",\"port\":6379}],");
	static const struct { const char *key, *bad;
	} rows[] = {
		{"host-ports-restricted", FACTS(RULES(FOUR(PORT("443"), "\"0.0.0.0/0\""), ""), "")},
		{"host-management-ports", FACTS(RULES(FOUR(PORT("22"), "\"0.0.0.0/1\",\"128.0.0.0/1\""), ""), "")},
		{"host-jit", FACTS(RULES(SIX(PORT("22"), "\"::/0\""), ""), "")},
		{"host-intranet-ports", FACTS(RULES(FOUR(PORT("445"), "\"0.0.0.0/0\""), ""), "")},
		{"host-default-drop", FACTS(RULES(FOUR(EVERY, "\"0.0.0.0/0\""), ""), "")},
		{"host-ipv6-twins",
	         FACTS(RULES(FOUR(PORT("443"), "\"0.0.0.0/0\"") "," SIX("\"port\":443,\"lastPort\":444", "\"::/0\""), ""), "")},
		{"host-published-ports", FACTS(RULES("", ",\"published\":[" ROW("203.0.113.7", PORT("8080"), "\"0.0.0.0/0\"",
	                                                                        ",\"to\":\"172.17.0.2\",\"toPort\":80") "]"),
	                                       "")},
		{"host-forwarding", FACTS("\"chains\":[],\"forwards4\":\"allowed\"", SETTINGS("1", "1"))},
		{"host-egress", FACTS(RULES("", ",\"outbound\":[" FOUR(EVERY, "\"0.0.0.0/0\"") "]"), "")},
		{"host-forged-senders", FACTS(SOUND, SETTINGS("0", "0"))},
		{"host-floods", FACTS(SOUND, "\"sysctls\":{\"net.ipv4.tcp_syncookies\":\"0\"},")},
		{"host-open-daemons", FACTS(RULES(FOUR(PORT("6379"), "\"0.0.0.0/0\""), ""),
	                                    "\"listeners\":[{\"protocol\":\"TCP\",\"address\":\"0.0.0.0\",\"port\":6379}],")},
		{"host-one-owner",
	         FACTS("\"chains\":[\"firewalld filter_INPUT\",\"filter INPUT\",\"mangle INPUT\",\"whittle input\"],\"forwards4\":\"denied\",\"forwards6\":\"denied\"",
	               "")},
		{"host-resolvers", FACTS(SOUND, "\"resolvers\":[\"10.0.0.2\",\"8.8.8.8\"],")},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *cause;
		if (strcmp(judged(rows[i].key, sound, &cause), "Healthy") != 0)
			fail_msg("%s, of the sound one: %s (%s)", rows[i].key, judged(rows[i].key, sound, NULL), cause);
		if (strcmp(judged(rows[i].key, rows[i].bad, &cause), "Unhealthy") != 0)
			fail_msg("%s: %s (%s)", rows[i].key, judged(rows[i].key, rows[i].bad, NULL), cause);
	}
}

/* ---- programs and their settings ---- */

#define SET(more) "\"settings\":{" more "},\"programs\":[\"auditd\"],"

static void settings_of_programs_are_judged_by_what_they_state_and_what_they_do_by_themselves(void **state)
{
	static const struct { const char *key, *settings, *want, *cause;
	} rows[] = {
		{"host-ssh-settings", "\"sshd\":\"read\"", "Healthy", ""},
		{"host-ssh-settings", "\"sshd\":\"read\",\"sshd.ciphers\":\"aes256-gcm@openssh.com,3des-cbc\"", "Unhealthy",
	         "by its configuration sshd.ciphers is aes256-gcm@openssh.com,3des-cbc"},
		{"host-ssh-settings", "\"sshd\":\"read\",\"sshd.ciphers\":\"+aes128-cbc\"", "Unhealthy",
	         "by its configuration sshd.ciphers is +aes128-cbc"},
		{"host-ssh-settings", "\"sshd\":\"read\",\"sshd.ciphers\":\"-3des-cbc\"", "Healthy", ""},
		{"host-ssh-settings", "\"sshd\":\"read\",\"sshd.permitemptypasswords\":\"Yes\"", "Unhealthy",
	         "by its configuration sshd.permitemptypasswords is Yes"},
		{"host-ssh-settings", "", "NotApplicable", "it has no configuration of such a program"},
		{"host-smb-settings", "\"samba\":\"read\"", "Healthy", ""},
		{"host-smb-settings", "\"samba\":\"read\",\"samba.server min protocol\":\"NT1\"", "Unhealthy",
	         "by its configuration samba.server min protocol is NT1"},
		{"host-smb-signing", "\"samba\":\"read\"", "Unhealthy", "by its configuration samba.server signing is default"},
		{"host-smb-signing", "\"samba\":\"read\",\"samba.server smb encrypt\":\"required\"", "Healthy", ""},
		{"host-tls-settings", "\"openssl\":\"read\",\"openssl.minprotocol\":\"TLSv1.2,TLSv1\"", "Unhealthy",
	         "by its configuration openssl.minprotocol is TLSv1.2,TLSv1"},
		{"host-tls-settings", "\"openssl\":\"read\",\"openssl.cipherstring\":\"DEFAULT@SECLEVEL=2\"", "Healthy", ""},
		{"host-tls-settings", "\"openssl\":\"read\"", "NoEvidence",
	         "its configuration says nothing of it: what the program does by itself depends on its version"},
		{"host-kerberos-settings", "\"kerberos\":\"read\",\"kerberos.permitted_enctypes\":\"aes256-cts rc4-hmac\"",
	         "Unhealthy", "by its configuration kerberos.permitted_enctypes is aes256-cts rc4-hmac"},
		{"host-kerberos-settings", "\"kerberos\":\"read\"", "Healthy", ""},
		{"host-ipsec-settings", "\"swanctl\":\"read\",\"swanctl.proposals\":\"aes256-sha256-modp1024\"", "Unhealthy",
	         "by its configuration swanctl.proposals is aes256-sha256-modp1024"},
		{"host-ipsec-settings",
	         "\"ipsec\":\"read\",\"ipsec.keyexchange\":\"ikev2\",\"ipsec.ike\":\"aes256-sha256-ecp256!\"", "Healthy", ""},
		{"host-name-services", "\"resolved\":\"read\",\"resolved.llmnr\":\"yes\"", "Unhealthy",
	         "by its configuration resolved.llmnr is yes"},
		{"host-name-services", "\"resolved\":\"read\",\"resolved.llmnr\":\"no\",\"resolved.dnssec\":\"allow-downgrade\"",
	         "Healthy", ""},
		{"host-waf", "\"modsecurity\":\"read\",\"modsecurity.secruleengine\":\"DetectionOnly\"", "Unhealthy",
	         "by its configuration modsecurity.secruleengine is DetectionOnly"},
		{"host-waf", "\"modsecurity\":\"read\",\"modsecurity.secruleengine\":\"on\"", "Healthy", ""},
		{"host-detection", "", "Healthy", "auditd runs"},
	};
	const char *cause;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *facts = wh_arena_printf(mem, FACTS(SOUND, SET("%s")), rows[i].settings);
		const char *status = judged(rows[i].key, facts, &cause);
		if (strcmp(status, rows[i].want) != 0 || strcmp(cause, rows[i].cause) != 0)
			fail_msg("%s (%s): %s, %s", rows[i].key, rows[i].settings, status, cause);
	}
	assert_string_equal(judged("host-detection", FACTS(SOUND, "\"settings\":{},\"programs\":[\"suricata\"],"), NULL),
	                    "Unhealthy");
}

static void facts_without_settings_of_programs_are_no_evidence(void **state)
{
	static const char *const keys[] = {"host-ssh-settings",  "host-smb-settings",      "host-smb-signing",
	                                   "host-tls-settings",  "host-kerberos-settings", "host-ipsec-settings",
	                                   "host-name-services", "host-waf",               "host-detection"};
	const char *cause;
	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		assert_string_equal(judged(keys[i], FACTS(SOUND, ""), &cause), "NoEvidence");
		assert_non_null(strstr(cause, "its facts have no settings of programs"));
	}
}

static void the_cause_names_port_and_rule(void **state)
{
	const char *cause;
	(void)state;
	judged("host-management-ports", FACTS(RULES(FOUR(PORT("22"), "\"0.0.0.0/0\""), ""), ""), &cause);
	assert_string_equal(cause, "its ruleset lets the Internet reach TCP 22 (SSH), by rule 3 of filter input");
	judged("host-ipv6-twins", FACTS(RULES(SIX(PORT("25"), "\"::/0\""), ""), ""), &cause);
	assert_string_equal(cause, "by IPv6 the Internet reaches TCP 25, which IPv4's rules keep closed");
}

static void an_office_is_not_the_internet_and_a_bridge_leads_nowhere(void **state)
{
	(void)state;
	assert_string_equal(judged("host-management-ports", FACTS(SOUND, ""), NULL), "Healthy");
	assert_string_equal(judged("host-default-drop", FACTS(SOUND, ""), NULL), "Healthy");
}

static void an_unknown_state_is_never_healthy(void **state)
{
	static const char
		unread[] = FACTS(SOUND ",\"unread\":\"a table of iptables-legacy\"", ""),
		doubtful[] = FACTS(
			RULES(ROW("203.0.113.7", PORT("22"), "\"0.0.0.0/0\"", ",\"certain\":false,\"by\":\"a mark\""), ""), ""),
		old[] = FACTS_OF("2025-11-01", SOUND, ""),
		none[] = "{\"kind\":\"whittle host facts\",\"version\":1,\"name\":\"db-1\",\"at\":\"2025-11-24T10:00:00Z\"}";
	static const char *const all[] = {unread, doubtful, old, none};
	const char *cause;
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		assert_string_equal(judged("host-management-ports", all[i], NULL), "NoEvidence");
	judged("host-management-ports", none, &cause);
	assert_non_null(strstr(cause, "its ruleset was not read"));
	assert_string_equal(judged("host-forwarding", FACTS(SOUND, ""), NULL), "NoEvidence");
}

static void a_host_of_the_estate_without_facts_has_no_evidence_and_one_with_facts_is_found_by_its_address(void **state)
{
	static const char facts[] = FACTS(RULES(FOUR(PORT("22"), "\"0.0.0.0/0\""), ""), "");
	struct wh_addr addrs[2] = {wh_addr_v4(0xcb007107), wh_addr_v4(0xac110001)};
	struct wh_resource r[] = {{.name = "bridge", .addrs = &addrs[1], .n_addrs = 1},
	                          {.name = "cloud", .id = "/subscriptions/s/virtualMachines/cloud"},
	                          {.name = "shop", .addrs = addrs, .n_addrs = 1}};
	struct wh_estate e = {.resources = r, .n_resources = 3};
	struct wh_host_facts f;
	struct wh_error err = {0};
	struct scene s;
	(void)state;
	json_t *doc = json_loads(facts, 0, NULL);
	assert_int_equal(wh_host_facts_read("facts", doc, mem, &f, &err), 0);
	scene_read(&s, NULL);
	s.in.hosts = &f;
	s.in.n_hosts = 1;
	s.in.estate = &e;
	scene_run(&s);
	assert_string_equal(scene_status(&s, "host-management-ports", "shop"), "Unhealthy");
	assert_string_equal(scene_status(&s, "host-management-ports", "bridge"), "NoEvidence");
	assert_string_equal(scene_status(&s, "host-management-ports", "cloud"), "none");
	assert_string_equal(scene_status(&s, "host-management-ports", "db-1"), "none");
	scene_close(&s);
	json_decref(doc);
}

static void a_host_whose_ports_whittle_opens_just_in_time_passes(void **state)
{
	static const char facts[] = FACTS(RULES(FOUR(PORT("22"), "\"0.0.0.0/0\""), ""), "");
	struct wh_host_facts f;
	struct wh_error err = {0};
	struct scene s;
	(void)state;
	json_t *doc = json_loads(facts, 0, NULL);
	assert_int_equal(wh_host_facts_read("facts", doc, mem, &f, &err), 0);
	scene_read(&s, NULL);
	s.in.hosts = &f;
	s.in.n_hosts = 1;
	s.in.jit[0] = "db-1";
	s.in.n_jit = 1;
	scene_run(&s);
	assert_string_equal(scene_status(&s, "host-jit", "db-1"), "Healthy");
	scene_close(&s);
	json_decref(doc);
}

static void facts_that_are_wrong_are_refused_by_file_and_place(void **state)
{
	static const struct { const char *facts, *says;
	} rows[] = {
		{"{\"kind\":\"x\"}", "f.json: it is not a document of host facts"},
		{"{\"kind\":\"whittle host facts\",\"version\":2}", "f.json: host facts of another version than 1"},
		{"{\"kind\":\"whittle host facts\",\"version\":1,\"name\":\"\"}", "f.json: 'name' is the host's name"},
		{"{\"kind\":\"whittle host facts\",\"version\":1,\"name\":\"a\"}", "f.json: 'at' is the time"},
		{FACTS(RULES(FOUR(PORT("22"), "\"x\""), ""), ""), "f.json: inbound[0]: 'peers' is no list of prefixes"},
		{FACTS(RULES(FOUR(PORT("70000"), "\"0.0.0.0/0\""), ""), ""), "f.json: inbound[0]: it needs interface"},
		{FACTS(RULES("", ",\"published\":[" FOUR(PORT("1"), "") "]"), ""), "f.json: published[0]: it needs 'to'"},
		{FACTS(RULES("", ""), "\"settings\":[],"), "f.json: 'settings' must be an object"},
		{FACTS(RULES("", ""), "\"programs\":[1],"), "f.json: programs[0]: it is no name"},
		{FACTS("\"forwards4\":\"yes\"", ""), "f.json: 'forwards4' must be denied, allowed or unknown"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wh_host_facts f;
		struct wh_error err = {0};
		json_t *doc = json_loads(rows[i].facts, 0, NULL);
		assert_non_null(doc);
		assert_int_equal(wh_host_facts_read("f.json", doc, mem, &f, &err), -EINVAL);
		if (strncmp(err.text, rows[i].says, strlen(rows[i].says)) != 0)
			fail_msg("%s", err.text);
		json_decref(doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_host_passes_and_each_question_has_one_that_fails),
		cmocka_unit_test(settings_of_programs_are_judged_by_what_they_state_and_what_they_do_by_themselves),
		cmocka_unit_test(facts_without_settings_of_programs_are_no_evidence),
		cmocka_unit_test(the_cause_names_port_and_rule),
		cmocka_unit_test(an_office_is_not_the_internet_and_a_bridge_leads_nowhere),
		cmocka_unit_test(an_unknown_state_is_never_healthy),
		cmocka_unit_test(a_host_of_the_estate_without_facts_has_no_evidence_and_one_with_facts_is_found_by_its_address),
		cmocka_unit_test(a_host_whose_ports_whittle_opens_just_in_time_passes),
		cmocka_unit_test(facts_that_are_wrong_are_refused_by_file_and_place),
	};
	return cmocka_run_group_tests_name("hosts", tests, arena_begin, arena_end);
}
