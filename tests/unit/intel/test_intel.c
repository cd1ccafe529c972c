/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/command.h"
#include "base/json.h"
#include "intel/lines.h"
#include "whittle/intel.h"

static const int64_t now = INT64_C(1793491200000000); /* 2026-11-01 */

struct got {
	char text[4096];
};

static int note(void *arg, const struct wh_prefix *p)
{
	struct got *g = arg;
	char buf[WH_PREFIX_STRLEN];
	size_t n = strlen(g->text);
	snprintf(g->text + n, sizeof g->text - n, "%s ", wh_prefix_text(p, buf));
	return 0;
}

static struct wh_intel_parse_stats parse(const struct wh_intel_source *src, const char *text, const char *want)
{
	struct got g = {""};
	struct wh_intel_parse_stats st;
	struct wh_error err = {.text = ""};
	int rc = wh_intel_parse(src, text, strlen(text), now, note, &g, &st, &err);
	if (rc)
		fail_msg("%s", err.text);
	assert_string_equal(g.text, want);
	return st;
}

static const struct wh_intel_source plain = {.name = "t"};

static void plain_lists_carry_remarks_counts_and_ranges(void **state)
{
	(void)state;
	parse(&plain, "# head\n; too\n// and this\n1.2.3.4\t10\n 5.6.7.0/24 ; SBL1\r\n2001:db8::/32 # v6\n9.9.9.1-9.9.9.3\n",
	      "1.2.3.4 5.6.7.0/24 2001:db8::/32 9.9.9.1 9.9.9.2/31 ");
}

static void a_range_to_the_top_of_the_space_ends(void **state)
{
	(void)state;
	parse(&plain, "255.255.255.254-255.255.255.255\n", "255.255.255.254/31 ");
	parse(&plain, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n",
	      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127 ");
}

static void a_zone_behind_an_address_says_nothing(void **state)
{
	(void)state;
	parse(&plain, "1.2.3.4\n2001:500::7%eth0\n2001:500::8%2 # seen\n", "1.2.3.4 2001:500::7 2001:500::8 ");
	assert_int_equal(wh_intel_token("1.2.3.4%eth0", 12, NULL, NULL), -EINVAL);
	assert_int_equal(wh_intel_token("2001:500::7%", 12, NULL, NULL), -EINVAL);
	assert_int_equal(wh_intel_token("2001:500::7%a b", 15, NULL, NULL), -EINVAL);
}

static void lists_in_lists_are_read_and_an_empty_one_is_no_mistake(void **state)
{
	(void)state;
	struct wh_intel_parse_stats st = parse(
		&plain, "[{\"indicators\":[{\"type\":\"ipv4\",\"value\":\"1.2.3.4\"}]},{\"indicators\":[]}]", "1.2.3.4 ");
	assert_int_equal(st.unreadable, 0);
	st = parse(&plain, "{\"result\":{\"items\":[{\"indicator\":{\"ip\":\"1.2.3.4\"},\"tags\":[\"a\"]}]}}", "1.2.3.4 ");
	assert_int_equal(st.entries, 1);
}

static void csv_takes_the_named_column_through_quotes(void **state)
{
	(void)state;
	struct wh_intel_source s = {.name = "t", .column = "Dst_IP"};
	parse(&s, "# banner\n\"first,seen\",dst_ip,port\n\"a \"\"quoted\"\" 1.1.1.1\",2.2.2.2,5\n# END\n", "2.2.2.2 ");
	parse(&plain, "when,ip_address\nx,3.3.3.3\n", "3.3.3.3 ");
}

static void a_missing_column_is_named(void **state)
{
	(void)state;
	struct wh_intel_source s = {.name = "feed", .format = "csv", .column = "addr"};
	struct wh_intel_parse_stats st;
	struct wh_error err;
	struct got g = {""};
	const char *text = "a,b\n1,2\n";
	assert_true(wh_intel_parse(&s, text, strlen(text), now, note, &g, &st, &err) < 0);
	assert_non_null(strstr(err.text, "line 1"));
	assert_non_null(strstr(err.text, "'addr'"));
	assert_true(err.input);
}

static void iprep_counts_from_the_least_score(void **state)
{
	(void)state;
	struct wh_intel_source s = {.name = "t", .min_score = 50};
	struct wh_intel_parse_stats st = parse(&s, "1.1.1.1,1,30\n2.2.2.0/24,1,80\n", "2.2.2.0/24 ");
	assert_int_equal(st.skipped, 1);
}

static void json_lines_pass_over_metadata(void **state)
{
	(void)state;
	struct wh_intel_parse_stats st = parse(
		&plain, "{\"cidr\":\"1.10.16.0/20\",\"x\":\"y\"}\n{\"type\":\"metadata\",\"records\":1}\n", "1.10.16.0/20 ");
	assert_int_equal(st.unreadable, 0);
	assert_int_equal(st.skipped, 1);
}

static void stix_takes_compared_values_and_no_negated_revoked_or_expired_ones(void **state)
{
	(void)state;
	parse(&plain,
	      "{\"type\":\"bundle\",\"objects\":["
	      "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[ipv4-addr:value = '7.7.7.7' OR ipv4-addr:value IN ('8.8.1.1', '8.8.1.2')]\"},"
	      "{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value ISSUBSET '9.9.0.0/16' AND ipv4-addr:value != '9.9.9.9']\"},"
	      "{\"type\":\"indicator\",\"pattern\":\"[ipv6-addr:value = '2001:500::1' AND url:value = 'ipv4-addr:value = 1.1.1.1']\"},"
	      "{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value NOT = '6.6.6.6']\"},"
	      "{\"type\":\"indicator\",\"pattern\":\"[file:name = 'it\\\\'s ipv4-addr:value =' OR ipv4-addr:value = '9.8.7.6']\"},"
	      "{\"type\":\"indicator\",\"valid_from\":\"2099-01-01T00:00:00Z\",\"pattern\":\"[ipv4-addr:value = '6.6.6.9']\"},"
	      "{\"type\":\"indicator\",\"revoked\":true,\"pattern\":\"[ipv4-addr:value = '6.6.6.7']\"},"
	      "{\"type\":\"indicator\",\"valid_until\":\"2020-01-01T00:00:00Z\",\"pattern\":\"[ipv4-addr:value = '6.6.6.8']\"},"
	      "{\"type\":\"malware\",\"name\":\"x\"}]}",
	      "7.7.7.7 8.8.1.1 8.8.1.2 9.9.0.0/16 2001:500::1 9.8.7.6 ");
}

static void misp_takes_only_entries_marked_for_detection(void **state)
{
	(void)state;
	parse(&plain,
	      "{\"Event\":{\"Attribute\":[{\"type\":\"ip-dst\",\"to_ids\":true,\"value\":\"5.5.5.5\"},"
	      "{\"type\":\"ip-src\",\"to_ids\":false,\"value\":\"5.5.5.6\"},{\"type\":\"md5\",\"to_ids\":true,\"value\":\"aa\"}],"
	      "\"Object\":[{\"Attribute\":[{\"type\":\"ip-dst|port\",\"to_ids\":true,\"value\":\"5.5.5.7|443\"},"
	      "{\"type\":\"domain|ip\",\"to_ids\":true,\"value\":\"a.example|5.5.5.8\"}]}]}}",
	      "5.5.5.5 5.5.5.7 5.5.5.8 ");
}

static void a_list_of_something_else_is_refused_with_its_line(void **state)
{
	(void)state;
	struct wh_intel_parse_stats st;
	struct wh_error err;
	struct got g = {""};
	const char *text = "<html>\n<body>Not found</body>\n1.1.1.1\n";
	assert_true(wh_intel_parse(&plain, text, strlen(text), now, note, &g, &st, &err) < 0);
	assert_non_null(strstr(err.text, "line 1"));
}

static void lists_are_read_as_their_tools_write_them(void **state)
{
	(void)state;
	static const struct { const char *text, *want;
	} rows[] = {
		{"#\nStart\tEnd\tNetmask\tAttacks\tName\n45.33.41.0\t45.33.41.255\t24\t579\tEX\n45.33.42.0\t45.33.42.255\t24\t579\t\n",
	         "45.33.41.0/24 45.33.42.0/24 "},
		{"45.33.41.0 45.33.41.255 24\n", "45.33.41.0/24 "},
		{"start end\n45.33.41.0 45.33.41.6\n", "45.33.41.0/30 45.33.41.4/31 45.33.41.6 "},
		{"45.33.41.0 - 45.33.41.255 ; SBL1\n45.33.42.1 - 45.33.42.2\n", "45.33.41.0/24 45.33.42.1 45.33.42.2 "},
		{"45.33.41.0 255.255.255.0\n45.34.0.0 0.0.255.255\n", "45.33.41.0/24 45.34.0.0/16 "},
		{"45.33.41.0/255.255.255.0\n45.34.0.0/0.0.255.255\n", "45.33.41.0/24 45.34.0.0/16 "},
		{"45.33.41.7 // a scanner\n", "45.33.41.7 "},
		{"45.33.41.7#4#2#Malicious Host#CN#Shanghai#31.0,121.3#3\n", "45.33.41.7 "},
		{"45.33.41.0 24\n45.34.0.0 16\n", "45.33.41.0/24 45.34.0.0/16 "},
		{"77.90.185.20 10\n45.33.41.0 8\n", "77.90.185.20 45.33.41.0 "}, /* ipsum's counts */
		{"45.33.41.7:443\n[2a05::7]:443\n", "45.33.41.7 2a05::7 "},
		{"[2a05::7]:443\n", "2a05::7 "},
		{"45.33.41.7 45.33.41.8 45.33.41.9\n", "45.33.41.7 45.33.41.8 45.33.41.9 "},
		{"45.33.41.7, 45.33.41.8, 45.33.41.9\n", "45.33.41.7 45.33.41.8 45.33.41.9 "},
		{"create bl hash:net family inet\nadd bl 45.33.41.0/24 timeout 10\nadd bl 45.33.44.1,tcp:443\n",
	         "45.33.41.0/24 45.33.44.1 "},
		{"table inet f {\n set b {\n  type ipv4_addr\n  elements = { 45.33.41.7 timeout 1d,\n   45.33.43.1-45.33.43.2, 45.33.41.9 . 443 }\n }\n}\n",
	         "45.33.41.7 45.33.43.1 45.33.43.2 45.33.41.9 "},
		{"add element inet f b { 45.33.41.7, 45.33.42.0/24 }\nadd element inet f b { 45.33.41.9 }\n",
	         "45.33.41.7 45.33.42.0/24 45.33.41.9 "},
		{"deny 45.33.41.7;\nDeny from 45.33.42.0/24\n", "45.33.41.7 45.33.42.0/24 "},
		{"# Firstseen,DstIP,DstPort\n2026-11-20 10:00:00,45.33.41.7,443\n", "45.33.41.7 "},
		{"Indicator type,Indicator,Description\nIPv4,45.33.41.7,c2\ndomain,bad.example.net,c2\nFileHash-MD5,d41d8cd98f00b204e9800998ecf8427e,x\n",
	         "45.33.41.7 "},
		{"# \"first_seen_utc\",\"ioc_value\",\"ioc_type\"\n\"x\", \"45.33.41.7:443\", \"ip:port\"\n\"x\", \"bad.example\", \"domain\"\n",
	         "45.33.41.7 "},
		{"uuid,type,value,to_ids\n1,ip-dst,45.33.41.7,1\n2,ip-dst,45.33.41.8,0\n3,ip-dst|port,45.33.41.9|443,1\n",
	         "45.33.41.7 45.33.41.9 "},
		{"start_ip,end_ip,country\n45.33.41.0,45.33.41.255,US\n", "45.33.41.0/24 "},
		{"network;netmask\n45.33.41.0;255.255.255.0\n", "45.33.41.0/24 "},
		{"network,cidr\n45.33.41.0,24\n", "45.33.41.0/24 "},
		{"2026-01-01,45.33.41.7,443\n2026-01-01,45.33.41.8,443\n", "45.33.41.7 45.33.41.8 "},
		{"45.33.41.0,45.33.41.255,US\n", "45.33.41.0/24 "},
		{"id,source,ip,reason\n1,crowdsec,Ip:45.33.41.7,x\n2,CAPI,Range:45.33.42.0/24,x\n", "45.33.41.7 45.33.42.0/24 "},
		{"{\"meta\":{\"ip\":\"46.1.1.1\"},\"data\":[{\"ipAddress\":\"45.33.41.7\",\"abuseConfidenceScore\":100}]}",
	         "45.33.41.7 "},
		{"[{\"ip_address\":\"45.33.41.7\",\"port\":443}]", "45.33.41.7 "},
		{"[\n\"45.33.41.7\",\n\"45.33.42.0/24\"]", "45.33.41.7 45.33.42.0/24 "},
		{"{\"45.33.41.7\":{\"n\":1},\"45.33.41.8\":{\"n\":2}}", "45.33.41.7 45.33.41.8 "},
		{"{\"1\":[{\"ioc_value\":\"45.33.41.7:443\"}],\"2\":[{\"ioc_value\":\"bad.example\"}]}", "45.33.41.7 "},
		{"[{\"decisions\":[{\"value\":\"45.33.41.7\",\"scope\":\"Ip\"}],\"source\":{\"ip\":\"46.1.1.1\"}}]",
	         "45.33.41.7 "},
		{"{\"new\":[{\"value\":\"45.33.41.7\"}],\"deleted\":[{\"value\":\"46.1.1.1\"}]}", "45.33.41.7 "},
		{"{\"prefixes\":[{\"ip_prefix\":\"45.33.41.0/24\"}],\"ipv6_prefixes\":[{\"ipv6_prefix\":\"2a05::/32\"}]}",
	         "45.33.41.0/24 2a05::/32 "},
		{"[{\"network\":\"45.33.41.0\",\"prefixlen\":24},{\"start\":\"45.33.42.0\",\"end\":\"45.33.42.1\"}]",
	         "45.33.41.0/24 45.33.42.0/31 "},
		{"{\"more\":false,\"objects\":[{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[ipv4-addr:value = '45.33.41.7']\"}]}",
	         "45.33.41.7 "},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		parse(&plain, rows[i].text, rows[i].want);
}

static void an_ambiguous_line_is_refused_with_line_and_reason(void **state)
{
	(void)state;
	static const struct { const char *text, *words;
	} rows[] = {
		{"#\n45.33.41.7 46.1.1.1\n", "t: line 2: a second address in the line"},
		{"45.33.41.0 45.33.41.255 20\n", "line 1: the end of the range and the length of the network disagree"},
		{"45.33.41.0 24\n45.34.1.0 24\n45.33.41.7 16\n",
	         "line 1: the number after the address may be a length or a count"},
		{"0.0.0.0 bad.example.com\n127.0.0.1 worse.example\n", "line 1: no address in it, but domain names"},
		{"bad.example.com\n", "line 1: no address in it, but domain names"},
		{"d41d8cd98f00b204e9800998ecf8427e\n", "hashes"},
		{"create bl hash:net\nadd bl 45.33.0.0/16\nadd bl 45.1.1.1\nadd bl 45.1.1.2\nadd bl 45.1.1.3\nadd bl 45.1.1.4\nadd bl 45.1.1.5\nadd bl 45.1.1.6\n"
	         "add bl 45.1.1.8\nadd bl 45.1.1.9\nadd bl 45.1.1.10\nadd bl 45.1.1.11\nadd bl 45.33.41.7 nomatch\n",
	         "line 13: an exception (nomatch)"},
		{"src_ip,dst_ip\n45.33.41.7,46.1.1.1\n", "line 2: several addresses stand in one entry: say with `column`"},
		{"45.33.41.7,46.1.1.1,443\n45.33.41.8,46.1.1.1,443\n", "line 1: several columns hold addresses"},
		{"start_ip,end_ip\n45.33.41.9,45.33.41.1\n", "line 2: the start and the end are no range"},
		{"start,end,bits\n45.33.41.0,45.33.41.255,16\n",
	         "line 2: the start, the end and the length of the network disagree"},
		{"network,netmask\n45.33.41.0,x\n", "line 2: the length or mask of the network can't be read"},
		{"[{\"src_ip\":\"45.33.41.7\",\n\"dst_ip\":\"46.1.1.1\"}]", "line 1: several addresses stand in one entry"},
		{"{\"blocked\":[\"45.33.41.7\"],\"suspicious\":[\"46.1.1.1\"]}",
	         "there are addresses under 'blocked' and under 'suspicious'"},
		{"{\"error\":\"rate limit\"}", "there is no list of addresses in the document"},
		{"{\"more\":true,\"objects\":[{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = '45.33.41.7']\"}]}",
	         "one page of several"},
		{"-A INPUT -s 45.33.41.7/32 -j DROP\n", "line 1: an address stands in the line, but not at its start"},
		{"table inet f {\n map m {\n  elements = { 45.33.41.7 : accept }\n }\n}\n", "an element of a map"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wh_intel_parse_stats st;
		struct wh_error err = {.text = ""};
		struct got g = {""};
		assert_true(wh_intel_parse(&plain, rows[i].text, strlen(rows[i].text), now, note, &g, &st, &err) < 0);
		if (!strstr(err.text, rows[i].words))
			fail_msg("'%s' lacks '%s'", err.text, rows[i].words);
		assert_true(err.input);
	}
}

/* ---- lists in the ledger ---- */

struct fixture {
	char dir[32], db[64], list[64];
	struct wh_state *state;
	struct wh_arena *mem;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct wh_error err;
	strcpy(f->dir, "/tmp/wh-intel-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->db, sizeof f->db, "%s/l.db", f->dir);
	snprintf(f->list, sizeof f->list, "%s/list", f->dir);
	if (wh_state_open(f->db, WH_STATE_CREATE, &f->state, &err))
		fail_msg("%s", err.text);
	f->mem = wh_arena_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char cmd[64];
	wh_state_close(f->state);
	wh_arena_free(f->mem);
	snprintf(cmd, sizeof cmd, "rm -rf %s", f->dir);
	assert_int_equal(system(cmd), 0);
	free(f);
	return 0;
}

static void write_list(const struct fixture *f, unsigned n)
{
	FILE *out = fopen(f->list, "w");
	assert_non_null(out);
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "45.%u.%u.1\n", i / 256, i % 256);
	fclose(out);
}

static int update(struct fixture *f, const struct wh_intel_protected *p, size_t n, bool force, struct wh_intel_list **l,
                  struct wh_error *err)
{
	struct wh_intel_source s = {.name = "mine", .file = f->list};
	return wh_intel_update(f->state,
	                       &(struct wh_intel_update){.source = &s, .prot = p, .n_prot = n, .now_us = now, .force = force},
	                       f->mem, l, err);
}

static void a_list_that_halves_or_grows_threefold_needs_force(void **state)
{
	struct fixture *f = *state;
	struct wh_intel_list *l;
	struct wh_error err;
	write_list(f, 100);
	assert_int_equal(update(f, NULL, 0, false, &l, &err), 0);
	write_list(f, 49);
	assert_true(update(f, NULL, 0, false, &l, &err) < 0);
	assert_non_null(strstr(err.text, "from 100 to 49"));
	write_list(f, 301);
	assert_true(update(f, NULL, 0, false, &l, &err) < 0);
	struct wh_intel_list *all;
	size_t n;
	assert_int_equal(wh_intel_lists(f->state, f->mem, &all, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(all[0].n_prefixes, 100); /* earlier content stays */
	assert_int_equal(update(f, NULL, 0, true, &l, &err), 0);
	write_list(f, 151);
	assert_int_equal(update(f, NULL, 0, false, &l, &err), 0);
}

static void networks_that_a_list_must_not_name_are_subtracted_and_shown(void **state)
{
	struct fixture *f = *state;
	struct wh_intel_list *l, *all;
	struct wh_error err;
	struct wh_prefix own, trusted;
	size_t n;
	FILE *out = fopen(f->list, "w");
	fputs("10.0.0.0/8\n45.1.0.0/16\n45.1.2.0/24\n224.0.0.0/3\n", out);
	fclose(out);
	wh_prefix_parse("45.1.2.3", 8, &own, NULL);
	wh_prefix_parse("45.1.128.0/17", 13, &trusted, NULL);
	struct wh_intel_protected prot[] = {{&own, 1, "our own"}, {&trusted, 1, "trusted"}};
	assert_int_equal(update(f, prot, 2, false, &l, &err), 0);
	assert_int_equal(wh_intel_lists(f->state, f->mem, &all, &n, &err), 0);
	assert_int_equal(n, 1);
	struct wh_addr a = wh_addr_v4(0x2d010203);
	assert_null(wh_intel_lookup(all, &a)); /* 45.1.2.3 */
	a = wh_addr_v4(0x2d010204);
	assert_non_null(wh_intel_lookup(all, &a)); /* its neighbour */
	a = wh_addr_v4(0x2d018001);
	assert_null(wh_intel_lookup(all, &a)); /* 45.1.128.1 */
	a = wh_addr_v4(0x0a000001);
	assert_null(wh_intel_lookup(all, &a));
	assert_int_equal(wh_addr_parse("64:ff9b::2d01:204", 17, &a), 0);
	assert_non_null(wh_intel_lookup(all, &a)); /* the neighbour behind NAT64 */
	assert_int_equal(wh_addr_parse("64:ff9c::2d01:204", 17, &a), 0);
	assert_null(wh_intel_lookup(all, &a));
	bool seen_own = false, seen_private = false;
	for (size_t i = 0; i < all[0].n_subtracted; i++) {
		seen_own |= !strcmp(all[0].subtracted[i].why, "our own");
		seen_private |= !strcmp(all[0].subtracted[i].why, "private");
	}
	assert_true(seen_own && seen_private);
}

static void age_makes_a_list_stale(void **state)
{
	(void)state;
	struct wh_intel_list l = {.updated_us = now, .max_age_s = 60};
	assert_false(wh_intel_stale(&l, now + 60000000));
	assert_true(wh_intel_stale(&l, now + 61000000));
}

static void a_command_gives_its_output_and_its_failure_no_secret(void **state)
{
	(void)state;
	struct wh_error err;
	char *out;
	size_t len;
	assert_int_equal(wh_command_output("x", "printf 1.1.1.1", 100, 10, &out, &len, &err), 0);
	assert_string_equal(out, "1.1.1.1");
	free(out);
	assert_true(wh_command_output("list", "echo s3cret; exit 3", 100, 10, &out, &len, &err) < 0);
	assert_string_equal(err.text, "list: the command exited with status 3");
	assert_int_equal(wh_command_output("x", "cat /dev/zero", 100, 10, &out, &len, &err), -EFBIG);
	assert_int_equal(wh_command_output("x", "sleep 30", 100, 1, &out, &len, &err), -ETIMEDOUT);
}

/* Published lists, if the checkout has them next to it. */
static void published_lists_are_read(void **state)
{
	(void)state;
	static const struct { const char *file; size_t entries; const char *column;
	} lists[] = {
		{"firehol_dshield.netset", 19, NULL},
		{"spamhaus_drop_v4.json", 1406, NULL},
		{"abusech_feodotracker_ipblocklist.csv", 28, NULL},
		{"ipsum_head2000.txt", 0, NULL},
		{"firehol_2021_firehol_level1.netset", 2744, NULL},
		{"stix21_indicator-for-c2-ip-address.json", 1, NULL},
	};
	const char *shared = getenv("WHITTLE_SHARED");
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		char path[512], *text;
		size_t len;
		struct wh_error err;
		struct wh_intel_parse_stats st;
		struct got g = {""};
		snprintf(path, sizeof path, "%s/intel/%s", shared ? shared : "../shared", lists[i].file);
		if (wh_read_file(path, 1 << 24, &text, &len, &err)) {
			print_message("# no %s: published lists are not tried\n", path);
			skip();
		}
		if (wh_intel_parse(&plain, text, len, now, note, &g, &st, &err))
			fail_msg("%s: %s", path, err.text);
		if (lists[i].entries)
			assert_int_equal(st.entries, lists[i].entries);
		assert_int_equal(st.unreadable, 0);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_lists_carry_remarks_counts_and_ranges),
		cmocka_unit_test(a_range_to_the_top_of_the_space_ends),
		cmocka_unit_test(csv_takes_the_named_column_through_quotes),
		cmocka_unit_test(a_missing_column_is_named),
		cmocka_unit_test(iprep_counts_from_the_least_score),
		cmocka_unit_test(json_lines_pass_over_metadata),
		cmocka_unit_test(stix_takes_compared_values_and_no_negated_revoked_or_expired_ones),
		cmocka_unit_test(misp_takes_only_entries_marked_for_detection),
		cmocka_unit_test(lists_are_read_as_their_tools_write_them),
		cmocka_unit_test(an_ambiguous_line_is_refused_with_line_and_reason),
		cmocka_unit_test(a_list_of_something_else_is_refused_with_its_line),
		cmocka_unit_test_setup_teardown(a_list_that_halves_or_grows_threefold_needs_force, setup, teardown),
		cmocka_unit_test_setup_teardown(networks_that_a_list_must_not_name_are_subtracted_and_shown, setup, teardown),
		cmocka_unit_test(a_zone_behind_an_address_says_nothing),
		cmocka_unit_test(lists_in_lists_are_read_and_an_empty_one_is_no_mistake),
		cmocka_unit_test(age_makes_a_list_stale),
		cmocka_unit_test(a_command_gives_its_output_and_its_failure_no_secret),
		cmocka_unit_test(published_lists_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
