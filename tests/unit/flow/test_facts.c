/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts from protocol records as Suricata 6 to 9 write them, with their traps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/fact.h"

static struct wh_fact facts[WH_FACTS_MAX];

/* A record from 10.0.0.4:40000 to 192.0.2.9:PORT. Returns how many facts. */
static unsigned read_as(const char *type, const char *object, const char *src, unsigned sport, const char *dst, unsigned dport,
                        const char *proto)
{
	char line[4096];
	const char *why = NULL;
	struct wh_record rec;
	int n = snprintf(
		line, sizeof line,
		"{\"timestamp\":\"2026-10-01T09:00:00.000000+0000\",\"flow_id\":1,\"event_type\":\"%s\",\"src_ip\":\"%s\",\"src_port\":%u,"
		"\"dest_ip\":\"%s\",\"dest_port\":%u,\"proto\":\"%s\",\"%s\":%s}",
		type, src, sport, dst, dport, proto, type, object);
	if (wh_eve_record(line, (size_t)n, &rec, &why))
		fail_msg("%s: %s", line, why);
	char *exact = malloc((size_t)n); /* so that nothing behind it may be read */
	memcpy(exact, line, (size_t)n);
	unsigned found = wh_eve_facts(exact, (size_t)n, &rec, facts);
	free(exact);
	return found;
}

static unsigned read(const char *type, const char *object, unsigned port)
{
	return read_as(type, object, "10.0.0.4", 40000, "192.0.2.9", port, "TCP");
}

static const char *text(const struct wh_addr *a)
{
	static char buf[WH_ADDR_STRLEN];
	return wh_addr_text(a, buf);
}

static void expect(unsigned i, enum wh_fact_kind kind, const char *value)
{
	assert_int_equal(facts[i].kind, kind);
	assert_string_equal(facts[i].value, value);
	assert_int_equal(facts[i].time_us, INT64_C(1790845200000000));
}

static void a_version_of_tls_counts_where_the_server_agreed_to_it(void **state)
{
	(void)state;
	assert_int_equal(read("tls", "{\"subject\":\"CN=a\",\"version\":\"TLSv1\"}", 443), 1);
	expect(0, WH_FACT_TLS, "1.0");
	assert_string_equal(text(&facts[0].client), "10.0.0.4");
	assert_string_equal(text(&facts[0].server), "192.0.2.9");
	assert_int_equal(facts[0].port, 443);
	assert_int_equal(facts[0].count, 1);
	assert_int_equal(read("tls", "{\"version\":\"TLSv1\"}", 443), 0); /* an alert refused the handshake */
	assert_int_equal(read("tls", "{\"session_resumed\":true,\"version\":\"TLS 1.1\"}", 443), 1);
	/* its certificate is encrypted */
	assert_int_equal(read("tls", "{\"sni\":\"a.example\",\"version\":\"TLS 1.3\"}", 443), 1);
	expect(0, WH_FACT_TLS, "1.3");
	assert_int_equal(read("tls", "{\"sni\":\"a\\\",\\\"version\\\":\\\"SSLv3\",\"version\":\"UNDETERMINED\"}", 443), 0);
}

static void ssh_smb_and_ntlm_show_versions_and_never_a_user(void **state)
{
	(void)state;
	assert_int_equal(
		read("ssh",
	             "{\"client\":{\"proto_version\":\"2.0\",\"software_version\":\"x\"},\"server\":{\"proto_version\":\"1.99\"}}",
	             22),
		1);
	expect(0, WH_FACT_SSH, "1.99");
	assert_int_equal(read("ssh", "{\"client\":{\"proto_version\":\"2.0\"}}", 22), 1);
	assert_int_equal(read("smb",
	                      "{\"dialect\":\"NT LM 0.12\",\"session_id\":18446744073709551615,\"status\":\"STATUS_SUCCESS\"}",
	                      445),
	                 1);
	expect(0, WH_FACT_SMB, "1");
	assert_int_equal(read("smb", "{\"dialect\":\"2.??\",\"client_dialects\":[\"NT LM 0.12\"]}", 445), 0);
	assert_int_equal(read("smb", "{\"dialect\":\"unknown\"}", 445), 0);
	assert_int_equal(
		read("smb",
	             "{\"dialect\":\"3.11\",\"status\":\"STATUS_LOGON_FAILURE\",\"ntlmssp\":{\"domain\":\"D\",\"user\":\"bob\",\"host\":\"H\",\"version\":\"10.0 build 19041 rev 15\"}}",
	             445),
		2);
	expect(0, WH_FACT_SMB, "3.11");
	expect(1, WH_FACT_NTLM, "10.0 build 19041 rev 15");
	assert_int_equal(facts[1].failed, 1);
}

static void kerberos_is_detected_by_its_answers_and_the_server_by_its_port(void **state)
{
	(void)state;
	assert_int_equal(read_as("krb5", "{\"msg_type\":\"KRB_AS_REQ\",\"encryption\":\"<none>\",\"weak_encryption\":false}",
	                         "192.0.2.9", 88, "10.0.0.4", 40000, "TCP"),
	                 0);
	assert_int_equal(read("krb5", "{\"msg_type\":\"KRB_AS_REP\",\"encryption\":\"rc4-hmac\",\"weak_encryption\":true}", 88),
	                 1);
	expect(0, WH_FACT_KERBEROS, "weak rc4-hmac");
	assert_int_equal(
		read_as("krb5",
	                "{\"msg_type\":\"KRB_ERROR\",\"error_code\":\"KDC_ERR_PREAUTH_FAILED\",\"encryption\":\"<none>\"}",
	                "192.0.2.9", 88, "10.0.0.4", 40000, "TCP"),
		1);
	expect(0, WH_FACT_KERBEROS, "refused");
	assert_int_equal(facts[0].failed, 1);
	assert_int_equal(facts[0].port, 88);
	assert_string_equal(text(&facts[0].server), "192.0.2.9");
}

static void a_bind_in_clear_is_simple_where_it_names_somebody(void **state)
{
	(void)state;
	assert_int_equal(
		read("ldap",
	             "{\"request\":{\"operation\":\"bind_request\",\"bind_request\":{\"version\":3,\"name\":\"cn=a\"}},\"responses\":[{\"operation\":\"bind_response\","
	             "\"bind_response\":{\"result_code\":\"InvalidCredentials\"}}]}",
	             389),
		1);
	expect(0, WH_FACT_LDAP, "simple");
	assert_int_equal(facts[0].failed, 1);
	assert_int_equal(read("ldap",
	                      "{\"request\":{\"operation\":\"bind_request\",\"bind_request\":{\"version\":3,\"name\":\"\"}}}",
	                      389),
	                 1);
	expect(0, WH_FACT_LDAP, "anonymous");
	assert_int_equal(
		read("ldap",
	             "{\"request\":{\"operation\":\"bind_request\",\"bind_request\":{\"version\":3,\"name\":\"\",\"sasl\":{\"mechanism\":\"GSS\",\"credentials\":\"6082\"}}}}",
	             389),
		1);
	expect(0, WH_FACT_LDAP, "sasl");
	assert_int_equal(read("ldap", "{\"request\":{\"operation\":\"search_request\"}}", 389), 0);
}

static void what_both_ends_of_ipsec_agreed_on_stands_in_the_answer(void **state)
{
	(void)state;
	static const struct { const char *object, *value;
	} told[] = {
		{"{\"version_major\":1,\"version_minor\":0,\"exchange_type\":4,\"alg_enc\":\"EncTripleDesCbc\",\"alg_hash\":\"HashMd5\","
	         "\"alg_auth\":\"AuthPreSharedKey\",\"alg_dh\":\"GroupAlternate1024BitModpGroup\",\"sa_key_length\":\"Unknown\"}",
	         "IKEv1 aggressive, 3DES, MD5, 1024-bit group"},
		{"{\"version_major\":1,\"version_minor\":0,\"exchange_type\":2,\"alg_enc\":\"EncAesCbc\",\"alg_hash\":\"HashSha2_256\","
	         "\"alg_auth\":\"AuthPreSharedKey\",\"alg_dh\":\"GroupModp2048Bit\"}",
	         "IKEv1"},
		{"{\"version_major\":2,\"version_minor\":0,\"exchange_type\":34,\"role\":\"responder\",\"alg_enc\":\"ENCR_3DES\","
	         "\"alg_auth\":\"AUTH_HMAC_MD5_96\",\"alg_prf\":\"PRF_HMAC_MD5\",\"alg_dh\":\"Modp1024\",\"alg_esn\":\"NoESN\"}",
	         "IKEv2, 3DES, MD5, 1024-bit group"},
		{"{\"version_major\":2,\"version_minor\":0,\"exchange_type\":34,\"role\":\"responder\",\"alg_enc\":\"ENCR_AES_CBC\","
	         "\"alg_auth\":\"AUTH_HMAC_SHA2_256_128\",\"alg_prf\":\"PRF_HMAC_SHA2_256\",\"alg_dh\":\"Modp2048\"}",
	         "IKEv2"},
		{"{\"version_major\":2,\"alg_enc\":\"ENCR_DES\",\"alg_auth\":\"AUTH_DES_MAC\",\"alg_dh\":\"Modp768\"}",
	         "IKEv2, DES, DES-MAC, 768-bit group"}};
	for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
		assert_int_equal(read_as("ike", told[i].object, "192.0.2.9", 500, "10.0.0.4", 4500, "UDP"), 1);
		expect(0, WH_FACT_IKE, told[i].value);
		assert_string_equal(text(&facts[0].server), "192.0.2.9");
		assert_int_equal(facts[0].port, 500);
	}
	/* as Suricata 9 lists them, and as Suricata 6 calls the record */
	assert_int_equal(
		read_as("ike",
	                "{\"_v\":2,\"version_major\":1,\"exchange_type\":2,\"attributes\":[{\"key\":\"alg_enc\",\"value\":\"EncDesCbc\","
	                "\"raw\":1},{\"key\":\"sa_key_length\",\"value\":\"Unknown\",\"raw\":128},{\"key\":\"alg_hash\",\"value\":\"HashMd5\"}]}",
	                "192.0.2.9", 500, "10.0.0.4", 500, "UDP"),
		1);
	expect(0, WH_FACT_IKE, "IKEv1, DES, MD5");
	assert_int_equal(read_as("ikev2", told[2].object, "192.0.2.9", 500, "10.0.0.4", 500, "UDP"), 1);
	expect(0, WH_FACT_IKE, told[2].value);
	/* an answer before any choice */
	assert_int_equal(
		read("ikev2",
	             "{\"version_major\":2,\"exchange_type\":34,\"role\":\"responder\",\"alg_enc\":\"ENCR_NULL\",\"alg_auth\":\"NONE\","
	             "\"alg_prf\":\"PRF_NULL\",\"alg_dh\":\"None\",\"notify\":[\"NO_PROPOSAL_CHOSEN\"]}",
	             500),
		0);
	/* what was offered is no agreement */
	assert_int_equal(
		read("ike",
	             "{\"version_major\":1,\"exchange_type\":4,\"ikev1\":{\"client\":{\"proposals\":[{\"alg_enc\":\"EncDesCbc\"}]}}}",
	             500),
		0);
	assert_int_equal(read("ike", "{\"version_major\":2,\"exchange_type\":34,\"role\":\"initiator\"}", 500), 0);
	assert_int_equal(read("ike", "{\"version_major\":3,\"alg_enc\":\"ENCR_DES\"}", 500), 0);
}

static void both_layouts_of_dns_give_the_same_facts(void **state)
{
	struct wh_fact two[3];
	(void)state;
	assert_int_equal(read_as("dns",
	                         "{\"version\":2,\"type\":\"query\",\"id\":1,\"rrname\":\"WWW.Example.co.uk\",\"rrtype\":\"A\"}",
	                         "10.0.0.4", 40000, "192.0.2.53", 53, "UDP"),
	                 3);
	memcpy(two, facts, sizeof two);
	expect(0, WH_FACT_DNS, "");
	expect(1, WH_FACT_DNS_NAME, "www.example.co.uk");
	expect(2, WH_FACT_DNS_DOMAIN, "example.co.uk");
	assert_int_equal(facts[2].up, 4);
	assert_int_equal(
		read_as("dns",
	                "{\"version\":3,\"type\":\"request\",\"rcode\":\"NOERROR\",\"queries\":[{\"rrname\":\"www.example.co.uk\",\"rrtype\":\"A\"}]}",
	                "10.0.0.4", 40000, "192.0.2.53", 53, "UDP"),
		3);
	assert_memory_equal(two, facts, sizeof two);
}

static void an_answer_belongs_to_the_client_in_either_order_of_the_ends(void **state)
{
	static const char two[] =
		"{\"version\":2,\"type\":\"answer\",\"rrname\":\"a.t.example.com\",\"rcode\":\"NOERROR\",\"answers\":[{\"rrname\":\"a.t.example.com\",\"rrtype\":\"TXT\",\"rdata\":\"0123456789\"}]}";
	static const char three[] =
		"{\"version\":3,\"type\":\"response\",\"rcode\":\"NOERROR\",\"queries\":[{\"rrname\":\"a.t.example.com\",\"rrtype\":\"TXT\"}],\"answers\":[{\"rrtype\":\"TXT\",\"rdata\":\"0123456789\"}]}";
	(void)state;
	for (int v = 0; v < 2; v++) {
		assert_int_equal(v ? read_as("dns", three, "192.0.2.53", 53, "10.0.0.4", 40000, "UDP")
		                   : read_as("dns", two, "10.0.0.4", 40000, "192.0.2.53", 53, "UDP"),
		                 1);
		expect(0, WH_FACT_DNS_DOMAIN, "example.com");
		assert_string_equal(text(&facts[0].client), "10.0.0.4");
		assert_int_equal(facts[0].port, 53);
		assert_int_equal(facts[0].down, 10);
		assert_int_equal(facts[0].count, 0);
	}
}

static void a_missing_name_counts_its_domain_and_the_target_of_its_alias(void **state)
{
	(void)state;
	assert_int_equal(
		read_as("dns",
	                "{\"version\":3,\"type\":\"response\",\"rcode\":\"NXDOMAIN\",\"queries\":[{\"rrname\":\"shop.example.com\",\"rrtype\":\"A\"}],"
	                "\"answers\":[{\"rrname\":\"shop.example.com\",\"rrtype\":\"CNAME\",\"rdata\":\"old-shop.azurewebsites.net\"}]}",
	                "192.0.2.53", 53, "10.0.0.4", 40000, "UDP"),
		2);
	expect(0, WH_FACT_DNS_DANGLING, "old-shop.azurewebsites.net");
	expect(1, WH_FACT_DNS_FAILED, "");
	assert_true(facts[1].hash != 0);
}

static void names_of_any_bytes_become_printable(void **state)
{
	(void)state;
	assert_int_equal(
		read_as("dns",
	                "{\"version\":2,\"type\":\"query\",\"rrname\":\"a\\u0000\\\\\\\"\xc3\xa9.Example.com.\",\"rrtype\":\"A\"}",
	                "10.0.0.4", 40000, "192.0.2.53", 53, "UDP"),
		3);
	expect(1, WH_FACT_DNS_NAME, "a?????.example.com");
	assert_int_equal(read_as("dns",
	                         "{\"version\":2,\"type\":\"query\",\"rrname\":\"4.0.0.10.in-addr.arpa\",\"rrtype\":\"PTR\"}",
	                         "10.0.0.4", 40000, "192.0.2.53", 53, "UDP"),
	                 2);
}

static void registered_domains_are_found_within_names(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {{"example.com", "example.com"},
	                                       {"a.b.example.com", "example.com"},
	                                       {"a.example.co.uk", "example.co.uk"},
	                                       {"co.uk", "co.uk"},
	                                       {"localhost", ""},
	                                       {"printer.local", ""},
	                                       {"1.ip6.arpa", ""},
	                                       {"", ""},
	                                       {".", "."},
	                                       {"a..b", ".b"}};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		assert_string_equal(wh_registered_domain(pairs[i][0]), pairs[i][1]);
}

static void the_sensors_own_counters_are_a_fact_where_it_captures(void **state)
{
	(void)state;
	assert_int_equal(
		read("stats",
	             "{\"uptime\":3600,\"capture\":{\"kernel_packets\":1000,\"kernel_drops\":7,\"errors\":0},\"decoder\":{\"pkts\":993}}",
	             0),
		1);
	assert_int_equal(facts[0].kind, WH_FACT_CAPTURE);
	assert_int_equal(facts[0].up, 1000);
	assert_int_equal(facts[0].down, 7);
	assert_int_equal(read("stats", "{\"uptime\":1,\"decoder\":{\"pkts\":993}}", 0), 0);
}

static void the_sensors_signatures_are_a_fact_of_each_day(void **state)
{
	(void)state;
	assert_int_equal(
		read("stats",
	             "{\"uptime\":60,\"detect\":{\"engines\":[{\"id\":0,\"last_reload\":\"2026-11-29T10:00:00.1+0000\",\"rules_loaded\":30000,"
	             "\"rules_failed\":5},{\"id\":1,\"last_reload\":\"2026-11-30T10:00:00.1+0000\",\"rules_loaded\":7}]}}",
	             0),
		1);
	assert_int_equal(facts[0].kind, WH_FACT_SIGNATURES);
	assert_string_equal(facts[0].value, "30007 loaded, 5 failed, since 2026-11-30");
	struct wh_signatures s;
	assert_int_equal(wh_signatures_parse(facts[0].value, &s), 0);
	assert_true(s.loaded == 30007 && s.failed == 5 && s.since_us == INT64_C(1795996800) * 1000000);
	assert_int_equal(wh_signatures_parse("30007 loaded, 5 failed, since 2026-11-30 or so", &s), -EINVAL);
	assert_int_equal(wh_signatures_parse("30007 loaded, 5 failed, since 2026-13-30", &s), -EINVAL);
	assert_true(wh_fact_by_day(WH_FACT_SIGNATURES) && wh_fact_of_sensor(WH_FACT_SIGNATURES));
	assert_int_equal(read("stats", "{\"detect\":{\"engines\":[{\"last_reload\":\"x\"},7,[]]}}", 0), 0);
	assert_int_equal(read("stats", "{\"detect\":{\"engines\":{}},\"capture\":[]}", 0), 0);
}

static void an_unusable_record_is_no_fact(void **state)
{
	(void)state;
	assert_int_equal(read("tls", "\"text\"", 443), 0);
	assert_int_equal(read("dns", "{\"type\":7,\"queries\":[1,{}],\"answers\":[[]],\"rrname\":{}}", 53), 0);
	assert_int_equal(read_as("tls", "{\"version\":\"TLS 1.3\"}", "nobody", 1, "10.0.0.4", 443, "TCP"), 0);
	assert_int_equal(read_as("tls", "{\"version\":\"TLS 1.3\"}", "10.0.0.5", 1, "10.0.0.4", 70000, "TCP"), 0);
	assert_int_equal(read_as("http", "{\"version\":\"TLS 1.3\"}", "10.0.0.5", 1, "10.0.0.4", 443, "TCP"), 0);
}

static void alerts_of_our_own_signatures_are_evidence_and_others_are_none(void **state)
{
	(void)state;
	assert_int_equal(read("alert", "{\"gid\":1,\"signature_id\":1840012,\"severity\":4,\"signature\":\"x\"}", 445), 1);
	expect(0, WH_FACT_NTLM, "ntlmv1 response");
	assert_string_equal(text(&facts[0].client), "10.0.0.4");
	assert_int_equal(facts[0].port, 445);
	assert_int_equal(read("alert", "{\"signature_id\":1840002,\"severity\":4}", 443), 1);
	expect(0, WH_FACT_TLS, "offers 1.0");
	assert_true(wh_fact_is_offer(facts[0].kind, facts[0].value));
	assert_int_equal(read("alert", "{\"signature_id\":1840999,\"severity\":4}", 443), 0); /* of ours, and of no meaning yet */
	assert_int_equal(read("alert", "{\"signature_id\":2019401,\"severity\":1}", 443), 0);
}

static void only_alerts_of_others_speak_against_a_peer(void **state)
{
	static const char line[] =
		"{\"timestamp\":\"2026-10-01T09:00:00.000000+0000\",\"event_type\":\"alert\",\"src_ip\":\"192.0.2.9\",\"src_port\":40000,"
		"\"dest_ip\":\"10.0.0.4\",\"dest_port\":445,\"proto\":\"TCP\",\"alert\":{\"signature_id\":%s,\"severity\":1}}";
	static const struct {
		const char *sid;
		enum wh_record_kind kind;
	} as[] = {{"1839999", WH_RECORD_ALERT},
	          {"1840000", WH_RECORD_OTHER},
	          {"1840999", WH_RECORD_OTHER},
	          {"1841000", WH_RECORD_ALERT}};
	(void)state;
	for (size_t i = 0; i < sizeof as / sizeof *as; i++) {
		char text[512];
		const char *why = NULL;
		struct wh_record rec;
		int n = snprintf(text, sizeof text, line, as[i].sid);
		assert_int_equal(wh_eve_record(text, (size_t)n, &rec, &why), 0);
		assert_int_equal(rec.kind, as[i].kind);
	}
}

static void a_certificate_is_its_last_day_and_whether_it_signs_for_itself(void **state)
{
	(void)state;
	assert_int_equal(
		read("tls",
	             "{\"subject\":\"CN=a\",\"issuerdn\":\"CN=ca\",\"version\":\"TLS 1.2\",\"notafter\":\"2027-01-01T23:59:59\"}",
	             443),
		2);
	expect(0, WH_FACT_TLS, "1.2");
	expect(1, WH_FACT_CERTIFICATE, "until 2027-01-01");
	assert_int_equal(
		read("tls",
	             "{\"subject\":\"CN=a\",\"issuerdn\":\"CN=a\",\"version\":\"TLS 1.2\",\"notafter\":\"2027-01-01T23:59:59\"}",
	             443),
		2);
	expect(1, WH_FACT_CERTIFICATE, "until 2027-01-01, self-signed");
	static const char *const no_days[] = {"2027-1-1T00:00:00", "2027-01-01", "", "x", "2027-01-0\\u0031T00:00:00"};
	for (size_t i = 0; i < sizeof no_days / sizeof *no_days; i++) {
		char object[160];
		snprintf(object, sizeof object, "{\"subject\":\"CN=a\",\"version\":\"TLS 1.2\",\"notafter\":\"%s\"}", no_days[i]);
		assert_int_equal(read("tls", object, 443), 1);
	}
	assert_int_equal(read("tls", "{\"version\":\"TLS 1.3\",\"notafter\":\"2027-01-01T23:59:59\"}", 443), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_its_last_day_and_whether_it_signs_for_itself),
#define TEST(name) cmocka_unit_test(name)
		TEST(a_version_of_tls_counts_where_the_server_agreed_to_it),
		TEST(ssh_smb_and_ntlm_show_versions_and_never_a_user),
		TEST(kerberos_is_detected_by_its_answers_and_the_server_by_its_port),
		TEST(a_bind_in_clear_is_simple_where_it_names_somebody),
		TEST(what_both_ends_of_ipsec_agreed_on_stands_in_the_answer),
		TEST(both_layouts_of_dns_give_the_same_facts),
		TEST(an_answer_belongs_to_the_client_in_either_order_of_the_ends),
		TEST(a_missing_name_counts_its_domain_and_the_target_of_its_alias),
		TEST(names_of_any_bytes_become_printable),
		TEST(registered_domains_are_found_within_names),
		TEST(the_sensors_own_counters_are_a_fact_where_it_captures),
		TEST(the_sensors_signatures_are_a_fact_of_each_day),
		TEST(an_unusable_record_is_no_fact),
		TEST(alerts_of_our_own_signatures_are_evidence_and_others_are_none),
		TEST(only_alerts_of_others_speak_against_a_peer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
