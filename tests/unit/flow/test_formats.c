/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readers of flow logs, format by format, and the pairing of flows that come in parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "flow/json_scan.h"
#include "flow/pairing.h"

static const uint8_t key[WH_PAIRING_KEY_BYTES] = {1, 2, 3};
static struct wh_pairing *pairing;
static struct wh_read_stats stats;
static struct wh_record got[64];
static struct wh_flow_before before[64];
static unsigned n_got;

static int keep(void *arg, const struct wh_record *rec)
{
	(void)arg;
	assert_true(n_got < 64);
	if (rec->before)
		before[n_got] = *rec->before;
	got[n_got++] = *rec;
	return 0;
}

static void begin(void)
{
	wh_pairing_free(pairing);
	pairing = wh_pairing_new(key);
	memset(&stats, 0, sizeof stats);
	n_got = 0;
}

/* Reads a text as ingest does; in pieces where the reader cuts. */
static void more(const struct wh_reader *r, const char *text, const char *columns)
{
	const struct wh_reader_options o = {.pairing = pairing, .columns = columns};
	void *state = r->open(&o);
	size_t len = strlen(text);
	struct wh_cut cuts[4];
	if (!r->cut)
		assert_int_equal(r->feed(state, &(struct wh_stretch){text, len, true, 1, 0}, keep, NULL, &stats), len);
	else
		for (size_t at = 0, n; (n = r->cut(text + at, len - at, cuts, 4)); at += cuts[n - 1].end)
			for (size_t i = 0; i < n; i++)
				assert_int_equal(r->feed(state,
				                         &(struct wh_stretch){text + at + cuts[i].begin,
				                                              cuts[i].end - cuts[i].begin, true, 1, 0},
				                         keep, NULL, &stats),
				                 cuts[i].end - cuts[i].begin);
	r->close(state);
}

static void once(const struct wh_reader *r, const char *text)
{
	begin();
	more(r, text, NULL);
}

#define VNET(time, tuples)                                                                                                       \
	"{\"time\":\"" time                                                                                                      \
	"\",\"flowLogVersion\":4,\"macAddress\":\"00005E005301\",\"flowRecords\":{\"flows\":[{\"aclID\":\"a\",\"flowGroups\":"   \
	"[{\"rule\":\"r\",\"flowTuples\":[" tuples "]}]}]}}"
#define B "\"1793692801000,198.51.100.24,10.20.1.4,51514,22,6,I,B,NX,0,0,0,0\""
#define C "\"1793692830000,198.51.100.24,10.20.1.4,51514,22,6,I,C,NX,10,1700,9,4100\""
#define E "\"1793696442000,198.51.100.24,10.20.1.4,51514,22,6,I,E,NX,4,700,3,1100\""

static void tuples_of_several_hours_are_one_flow(void **s)
{
	(void)s;
	begin();
	more(&wh_reader_vnet, "{\"records\":[" VNET("2026-11-03T08:01:00Z", B "," C) "]}", NULL);
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].flow.part, WH_FLOW_BEGUN);
	more(&wh_reader_vnet, "{\"records\":[" VNET("2026-11-03T09:01:00Z", E) "]}", NULL);
	assert_int_equal(n_got, 2);
	assert_int_equal(stats.flows, 1);
	assert_int_equal(stats.records, 3);
	assert_int_equal(stats.malformed, 0);
	assert_int_equal(got[1].flow.part, WH_FLOW_ENDS);
	assert_int_equal(got[1].flow.bytes_toclient, 1100);
	assert_int_equal(before[1].bytes, 5800);
	assert_true(got[1].flow.start_us == INT64_C(1793692801000000) && got[1].flow.end_us == INT64_C(1793696442000000));
	assert_int_equal(wh_pairing_open(pairing), 0);
}

static void an_end_without_a_begin_is_a_flow(void **s)
{
	(void)s;
	once(&wh_reader_vnet, VNET("2026-11-03T09:01:00Z", E));
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].flow.part, WH_FLOW_WHOLE);
	assert_int_equal(got[0].flow.pkts_toserver, 4);
}

static void a_begin_alone_is_no_flow(void **s)
{
	(void)s;
	once(&wh_reader_vnet, VNET("2026-11-03T08:01:00Z", B));
	assert_int_equal(n_got, 0);
	assert_int_equal(wh_pairing_open(pairing), 1);
}

/* An end directly behind its begin takes no place among the open flows; behind something else, it does. The outcome is one. */
static void an_end_next_to_its_begin_is_as_one_further_on(void **s)
{
	static const char end[] = "\"1793692811000,198.51.100.24,10.20.1.4,51514,22,6,I,E,NX,4,700,3,1100\"";
	static const char other[] = "\"1793692802000,198.51.100.99,10.20.1.4,51514,22,6,I,B,NX,0,0,0,0\"";
	struct wh_flow next_to, apart;
	char text[1024];
	(void)s;
	snprintf(text, sizeof text, VNET("2026-11-03T08:01:00Z", B ",%s"), end);
	once(&wh_reader_vnet, text);
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].flow.part, WH_FLOW_WHOLE);
	assert_int_equal(stats.records, 2);
	assert_int_equal(wh_pairing_open(pairing), 0);
	next_to = got[0].flow;
	snprintf(text, sizeof text, VNET("2026-11-03T08:01:00Z", B ",%s,%s"), other, end);
	once(&wh_reader_vnet, text);
	assert_int_equal(n_got, 1);
	assert_int_equal(stats.records, 3);
	assert_int_equal(wh_pairing_open(pairing), 1);
	apart = got[0].flow;
	assert_memory_equal(&next_to, &apart, sizeof apart);
	assert_true(apart.start_us == INT64_C(1793692801000000) && apart.end_us == INT64_C(1793692811000000));
	/* an earlier flow of the same ends is open: it goes on until its own end, or the next begin */
	begin();
	more(&wh_reader_vnet,
	     VNET("2026-11-03T07:01:00Z", "\"1793690000000,198.51.100.24,10.20.1.4,51514,22,6,I,B,NX,0,0,0,0\","
	                                  "\"1793690030000,198.51.100.24,10.20.1.4,51514,22,6,I,C,NX,10,1700,9,4100\""),
	     NULL);
	snprintf(text, sizeof text, VNET("2026-11-03T08:01:00Z", B ",%s"), end);
	more(&wh_reader_vnet, text, NULL);
	assert_int_equal(n_got, 2);
	assert_int_equal(got[1].flow.part, WH_FLOW_WHOLE);
	assert_int_equal(wh_pairing_open(pairing), 0);
}

static void a_denied_flow_is_an_attempt(void **s)
{
	(void)s;
	once(&wh_reader_vnet,
	     VNET("2026-11-03T08:01:00Z", "\"1793692801500,203.0.113.77,10.20.1.4,40112,3389,6,I,D,NX,0,0,0,0\""));
	assert_int_equal(n_got, 1);
	assert_true(got[0].flow.denied);
	assert_int_equal(wh_flow_server(&got[0].flow), WH_SIDE_UNANSWERED);
}

static void seconds_and_short_tuples_are_read(void **s)
{
	(void)s;
	once(&wh_reader_vnet,
	     VNET("2026-11-03T08:03:00Z",
	          "\"1793692921,198.51.100.24,10.20.1.4,51600,22,6,I,B,NX,,,,\",\"1793692922000,198.51.100.25,10.20.1.4,51601,22,6,I,B\","
	          "\"1793692923,198.51.100.26,10.20.1.4,51602,22,6,I,E,NX,3,480,2,420\""));
	assert_int_equal(stats.malformed, 0);
	assert_int_equal(stats.records, 3);
	assert_int_equal(n_got, 1);
	assert_true(got[0].flow.start_us == INT64_C(1793692923000000));
}

static void version_1_of_a_group_shows_no_answers(void **s)
{
	(void)s;
	once(&wh_reader_nsg,
	     "{\"records\":[{\"category\":\"NetworkSecurityGroupFlowEvent\",\"properties\":{\"Version\":1,\"flows\":[{\"rule\":\"a\",\"flows\":[{\"mac\":\"00005E005301\","
	     "\"flowTuples\":[\"1793692801,203.0.113.77,10.20.1.4,40112,3389,T,I,D\",\"1793692802,198.51.100.24,10.20.1.4,51600,443,T,I,A\"]}]}]}}]}");
	assert_int_equal(stats.flows, 1);
	assert_int_equal(stats.other, 1);
	assert_true(got[0].flow.denied);
}

static void a_document_grows_before_its_brackets(void **s)
{
	static const char first[] = "{\"records\":[" VNET("2026-11-03T08:01:00Z", B) "]}";
	static const char grown[] = "{\"records\":[" VNET("2026-11-03T08:01:00Z", B) "," VNET("2026-11-03T08:02:00Z", C) "]}";
	struct wh_cut cuts[4];
	(void)s;
	assert_int_equal(wh_reader_vnet.cut(first, sizeof first - 1, cuts, 4), 1);
	assert_int_equal(cuts[0].end, sizeof first - 3);
	assert_int_equal(wh_reader_vnet.cut(grown + cuts[0].end, sizeof grown - 1 - cuts[0].end, cuts, 4), 1);
	assert_memory_equal(grown + sizeof first - 3 + cuts[0].begin, "{\"time\":\"2026-11-03T08:02", 24);
	/* at every place where a download may have been cut, only whole records come */
	for (size_t len = 0; len < sizeof grown; len++)
		assert_int_equal(wh_reader_vnet.cut(grown, len, cuts, 4), (len >= sizeof first - 3) + (len >= sizeof grown - 3));
}

static void cuts_are_exact_in_strings_and_nesting(void **s)
{
	static const struct { const char *text; size_t n; const char *first; } rows[] = {
		{"{\"records\":[{\"a\":\"]}{\\\"\\\\\"}]}", 1, "{\"a\":\"]}{\\\"\\\\\"}"},
		{"{ \"Records\" : [ {\"a\":[{}]} ,\n{\"b\":1} ] }", 2, "{\"a\":[{}]}"},
		{"{\"a\":1}\n{\"b\":2}\n", 2, "{\"a\":1}"},
		{",{\"a\":1}]}", 1, "{\"a\":1}"},
		{"{\"records\":[]}", 0, ""},
		{"{\"events\":[{\"m\":1}],\"more\":[],\"next\":\"x\"}", 1, "{\"m\":1}"},
		{"garbage {\"a\":1}", 2, "garbage "},
	};
	struct wh_cut cuts[4];
	(void)s;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(wh_reader_vnet.cut(rows[i].text, strlen(rows[i].text), cuts, 4), rows[i].n);
		if (rows[i].n)
			assert_memory_equal(rows[i].text + cuts[0].begin, rows[i].first, strlen(rows[i].first));
	}
}

static void hostile_tuples_are_counted_and_passed_over(void **s)
{
	(void)s;
	once(&wh_reader_vnet,
	     VNET("2026-11-03T08:01:00Z",
	          "\"\",\"99999999999999999999,1.1.1.1,2.2.2.2,1,1,6,I,B,NX\",\"1793692801000,1.1.1.999,2.2.2.2,1,1,6,I,B,NX\","
	          "\"1793692801000,1.1.1.1,2.2.2.2,1,65536,6,I,B,NX\",\"1793692801000,1.1.1.1,2.2.2.2,1,1,256,I,B,NX\",\"1793692801000,1.1.1.1,2.2.2.2,1,1,6,I,X,NX\","
	          "\"1793692801000,1.1.1.1,2.2.2.2,1,1,6,I,E,NX,-1,0,0,0\",\"1793692801000,1.1.1.1,2.2.2.2,1,1,6,I,E,NX,1,1,1,1,1,1,1,1,1,1,1,1,1\"," E));
	assert_int_equal(stats.malformed, 8);
	assert_int_equal(stats.records, 1);
}

/* ---- Zeek ---- */
#define ZEEK_HEAD "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
#define ZEEK_FIELDS                                                                                                              \
	"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes"

static void history_shows_which_end_answered(void **s)
{
	(void)s;
	once(&wh_reader_zeek, ZEEK_HEAD ZEEK_FIELDS
	     "\n"
	     "1793692801.200000\tC1\t198.51.100.24\t51514\t10.20.1.4\t22\ttcp\tssh\t40.900000\t2100\t4700\tSF\tShAdDaFf\t14\t2400\t12\t5200\n"
	     "1793692801.500000\tC2\t203.0.113.77\t40112\t10.20.1.4\t3389\ttcp\t-\t0.000210\t0\t0\tREJ\tSr\t1\t60\t1\t40\n"
	     "1793692801.900000\tC3\t203.0.113.77\t40113\t10.20.1.4\t23\ttcp\t-\t-\t-\t-\tS0\tS\t1\t60\t0\t0\n"
	     "1793692802.100000\tC5\t192.0.2.9\t8\t10.20.1.4\t0\ticmp\t-\t3.000000\t224\t224\tOTH\t-\t4\t336\t4\t336\n"
	     "1793692802.500000\tC6\t192.0.2.9\t40000\t10.20.1.4\t80\ttcp\t-\t3.000000\t0\t0\tSF\t-\t4\t240\t3\t180\n");
	assert_int_equal(n_got, 5);
	assert_int_equal(stats.malformed, 0);
	assert_int_equal(wh_flow_server(&got[0].flow), WH_SIDE_DST_SERVES);
	assert_int_equal(wh_flow_server(&got[1].flow), WH_SIDE_UNANSWERED);
	assert_int_equal(wh_flow_server(&got[2].flow), WH_SIDE_UNANSWERED);
	assert_int_equal(wh_flow_server(&got[3].flow), WH_SIDE_DST_SERVES);
	assert_int_equal(got[3].flow.src_port, 0);
	assert_int_equal(wh_flow_server(&got[4].flow), WH_SIDE_DST_SERVES); /* the state alone */
	assert_true(got[0].flow.end_us == INT64_C(1793692842100000));
}

static void a_second_header_brings_other_columns(void **s)
{
	(void)s;
	once(&wh_reader_zeek, ZEEK_HEAD ZEEK_FIELDS
	     "\n#close\t2026-11-03-08-10-00\n" ZEEK_HEAD ZEEK_FIELDS "\tip_proto\n"
	     "1793692803.000000\tC9\t10.20.5.1\t0\t10.20.1.4\t0\tunknown_transport\t-\t0.085447\t0\t0\tOTH\t-\t37\t33256\t37\t33524\t132\n"
	     "1793692803.000000\tC9\t10.20.5.1\t0\t10.20.1.4\t0\tunknown_transport\t-\t0.085447\t0\t0\tOTH\t-\t37\t33256\t37\t33524\n");
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].flow.proto, 132);
	assert_int_equal(stats.malformed, 1);
}

static void json_of_zeek_has_dots_nulls_and_three_kinds_of_time(void **s)
{
	(void)s;
	once(&wh_reader_zeek_json,
	     "{\"ts\":1793692801.2,\"uid\":\"C\",\"id.orig_h\":\"198.51.100.24\",\"id.orig_p\":51514,\"id.resp_h\":\"10.20.1.4\",\"id.resp_p\":22,\"proto\":\"tcp\",\"service\":\"-ssl,ssh\",\"conn_state\":\"SF\",\"history\":\"ShADad\",\"orig_pkts\":4,\"resp_pkts\":4,\"tunnel_parents\":null}\n"
	     "{\"_path\":\"conn\",\"ts\":\"2026-11-03T08:00:01.200000Z\",\"id.orig_h\":\"198.51.100.24\",\"id.orig_p\":51514,\"id.resp_h\":\"10.20.1.4\",\"id.resp_p\":22,\"proto\":\"tcp\",\"service\":null,\"conn_state\":\"S0\",\"history\":\"S\",\"orig_pkts\":4,\"resp_pkts\":0}\n"
	     "{\"ts\":1793692801200,\"id.orig_h\":\"198.51.100.24\",\"id.orig_p\":51514,\"id.resp_h\":\"10.20.1.4\",\"id.resp_p\":22,\"proto\":\"tcp\",\"conn_state\":\"SF\",\"history\":\"ShADad\",\"vlan\":20}\n"
	     "{\"_path\":\"dns\",\"ts\":1793692801.2,\"id.orig_h\":\"198.51.100.24\",\"query\":\"a\"}\n");
	assert_int_equal(n_got, 3);
	assert_int_equal(stats.other, 1);
	for (unsigned i = 0; i < 3; i++)
		assert_true(got[i].flow.start_us == INT64_C(1793692801200000));
	assert_string_equal(got[0].flow.app_proto, "ssh");
	assert_false(got[1].flow.app_proto_known);
	assert_non_null(got[2].tags);
}

/* ---- AWS ---- */
#define AWS2                                                                                                                     \
	"version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"
#define ENI "000011112222 eni-0a1b2c3d4e5f60718 "

static void lines_of_both_directions_are_one_flow(void **s)
{
	(void)s;
	once(&wh_reader_aws, AWS2 "2 " ENI "10.30.1.4 198.51.100.24 22 51514 6 12 5200 1793692800 1793692858 ACCEPT OK\n"
	     "2 " ENI "198.51.100.24 10.30.1.4 51514 22 6 14 2400 1793692800 1793692858 ACCEPT OK\n"
	     "2 " ENI "198.51.100.24 10.30.1.4 51514 22 6 14 2400 1793692860 1793692918 ACCEPT OK\n"
	     "2 " ENI "- - - - - - - 1793692860 1793692918 - NODATA\n2 " ENI "- - - - - - - 1793692920 1793692978 - SKIPDATA\n");
	assert_int_equal(stats.flows, 1);
	assert_int_equal(stats.other, 2);
	assert_int_equal(n_got, 2);
	assert_int_equal(got[0].flow.dst_port, 22);
	assert_int_equal(wh_flow_server(&got[0].flow), WH_SIDE_DST_SERVES);
	assert_int_equal(got[1].flow.part, WH_FLOW_GOES_ON);
	assert_int_equal(got[1].flow.bytes_toserver, 2400);
}

static void one_direction_is_no_answer(void **s)
{
	(void)s;
	once(&wh_reader_aws, AWS2 "2 " ENI "198.51.100.24 10.30.1.4 51514 22 6 14 2400 1793692800 1793692858 ACCEPT OK\n"
	     "2 " ENI "203.0.113.77 10.30.1.4 40112 3389 6 2 120 1793692800 1793692858 REJECT OK\n");
	assert_int_equal(n_got, 1);
	assert_true(got[0].flow.denied);
}

static void columns_come_from_the_header_or_the_format(void **s)
{
	(void)s;
	begin();
	more(&wh_reader_aws,
	     "2 10.30.1.4 198.51.100.24 22 51514 6 1793692800 1793692858 18 12 5200\n2 198.51.100.24 10.30.1.4 51514 22 6 1793692800 1793692858 2 14 2400\n",
	     "${version} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${start} ${end} ${tcp-flags} ${packets} ${bytes}");
	assert_int_equal(stats.malformed, 0);
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].flow.dst_port, 22);
	once(&wh_reader_aws, "srcaddr dstaddr dstport protocol action\n198.51.100.24 10.30.1.4 22 6 ACCEPT\n");
	assert_int_equal(stats.malformed, 1);
	assert_non_null(strstr(stats.bad[0].reason, "srcport"));
}

static void a_refused_connection_is_no_answer(void **s)
{
	(void)s;
	once(&wh_reader_nfdump, "firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,flags,packets,bytes\n"
	     "1793692750.000,1793692751.000,6,203.0.113.77,40112,10.20.1.4,3389,......S.,2,120\n"
	     "1793692750.000,1793692751.000,6,10.20.1.4,3389,203.0.113.77,40112,...A.R..,2,80\n"
	     "1793692760.000,1793692763.000,1,192.0.2.9,0,10.20.1.4,8.0,........,4,336\n"
	     "1793692760.000,1793692763.000,1,10.20.1.4,0,192.0.2.9,0.0,........,4,336\n"
	     "Summary\nflows,bytes\n1,2\n");
	assert_int_equal(stats.malformed, 0);
	assert_int_equal(stats.records, 4);
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].flow.proto, WH_PROTO_ICMP);
}

/* ---- pairing ---- */
static int no_page(void *arg, uint32_t page, const void *bytes, size_t len)
{
	(void)page, (void)bytes, (void)len;
	++*(unsigned *)arg;
	return 0;
}

static int load(void *arg, uint32_t page, const void *bytes, size_t len)
{
	return wh_pairing_load(arg, page, bytes, len);
}

static int drop(void *arg, const struct wh_record *rec)
{
	uint64_t *sum = arg;
	*sum = *sum * 31 + rec->flow.src_port + (uint64_t)rec->flow.end_us;
	return 0;
}

static struct wh_part part_of(unsigned i)
{
	return (struct wh_part){.flow = {.src = wh_addr_v4(0xc6336400 + i % 251),
	                                 .dst = wh_addr_v4(0x0a140104),
	                                 .src_port = (uint16_t)(i * 7919),
	                                 .dst_port = 22,
	                                 .proto = WH_PROTO_TCP,
	                                 .pkts_toserver = 1,
	                                 .bytes_toserver = 60,
	                                 .start_us = i * INT64_C(1000),
	                                 .end_us = i * INT64_C(1000)},
	                        .one_way = true,
	                        .source = i % 3};
}

static void memory_is_bounded_and_a_saved_state_continues_unchanged(void **s)
{
	enum { PARTS = 300000, AT = 170001 };
	uint64_t whole = 0, parted = 0;
	struct wh_pairing *a = wh_pairing_new(key), *b = wh_pairing_new(key), *c = wh_pairing_new(key);
	unsigned pages = 0;
	(void)s;
	for (unsigned i = 0; i < PARTS; i++) {
		struct wh_part p = part_of(i);
		assert_int_equal(wh_pairing_add(a, &p, NULL, drop, &whole), 0);
		assert_int_equal(wh_pairing_add(i < AT ? b : c, &p, NULL, drop, &parted), 0);
		if (i == AT - 1) {
			assert_int_equal(wh_pairing_changes(b, load, c), 0);
			assert_int_equal(wh_pairing_loaded(c), 0);
			wh_pairing_saved(b);
			assert_int_equal(wh_pairing_changes(b, no_page, &pages), 0);
			assert_int_equal(pages, 0);
		}
	}
	assert_true(wh_pairing_open(a) <= 100000);
	assert_int_equal(wh_pairing_open(a), wh_pairing_open(c));
	assert_true(whole == parted && whole);
	wh_pairing_free(a);
	wh_pairing_free(b);
	wh_pairing_free(c);
}

static void a_damaged_page_is_refused(void **s)
{
	uint8_t page[113] = {0};
	struct wh_pairing *p = wh_pairing_new(key);
	(void)s;
	assert_int_equal(wh_pairing_load(p, 0, page, 16), -EBADMSG);
	assert_int_equal(wh_pairing_load(p, 1, page, 112), -EBADMSG);
	assert_int_equal(wh_pairing_load(p, 1, page, 113), -EBADMSG);
	assert_int_equal(wh_pairing_load(p, 17, page, 113), -EBADMSG);
	wh_pairing_free(p);
}

static void formats_are_recognised_by_their_content(void **s)
{
	static const struct { const char *text; const struct wh_reader *reader;
	} rows[] = {
		{"{\"timestamp\":\"x\",\"event_type\":\"flow\"}", &wh_reader_eve},
		{"{\"records\":[" VNET("x", B), &wh_reader_vnet},
		{"{\"records\":[]}", &wh_reader_vnet},
		{"      \"category\": \"NetworkSecurityGroupFlowEvent\",", &wh_reader_nsg},
		{"#separator \\x09", &wh_reader_zeek},
		{"#fields\tts\tuid", &wh_reader_zeek},
		{"{\"ts\":1,\"id.orig_h\":\"1.1.1.1\",\"conn_state\":\"SF\"}", &wh_reader_zeek_json},
		{AWS2, &wh_reader_aws},
		{"2 " ENI "- - - - - - - 1 2 - NODATA", &wh_reader_aws},
		{"2026-11-03T08:00:00.000Z 2 " ENI "1.1.1.1 2.2.2.2 1 2 6 1 1 1 2 ACCEPT OK", &wh_reader_aws},
		{"ts,te,td,sa,da,sp,dp,pr,flg", &wh_reader_nfdump},
		{"firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort", &wh_reader_nfdump},
		{"Nov  3 08:00:00 host sshd: hello", NULL},
		{"ts,sa,da,pr\r", &wh_reader_nfdump},
		{"{\"flowLogVersion\" : 4}", &wh_reader_vnet},
		{"{\"a\":\"flowRecords\",\"b\":\"NetworkSecurityGroupFlowEvent\"}", NULL},
		{"\x7f"
	         "ELF \"flowLogVersion\" \"flowRecords\" \"NetworkSecurityGroupFlowEvent",
	         NULL},
		{"usage: srcAddr,dstAddr", NULL},
		{"p(srcAddr,dstAddr,n)", NULL},
		{"the fields srcaddr dstaddr are needed (pkt-srcaddr too)", NULL},
		{"#fields", NULL},
	};
	(void)s;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_ptr_equal(wh_reader_probe(rows[i].text, strlen(rows[i].text)), rows[i].reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tuples_of_several_hours_are_one_flow),
		cmocka_unit_test(an_end_without_a_begin_is_a_flow),
		cmocka_unit_test(a_begin_alone_is_no_flow),
		cmocka_unit_test(an_end_next_to_its_begin_is_as_one_further_on),
		cmocka_unit_test(a_denied_flow_is_an_attempt),
		cmocka_unit_test(seconds_and_short_tuples_are_read),
		cmocka_unit_test(version_1_of_a_group_shows_no_answers),
		cmocka_unit_test(a_document_grows_before_its_brackets),
		cmocka_unit_test(cuts_are_exact_in_strings_and_nesting),
		cmocka_unit_test(hostile_tuples_are_counted_and_passed_over),
		cmocka_unit_test(history_shows_which_end_answered),
		cmocka_unit_test(a_second_header_brings_other_columns),
		cmocka_unit_test(json_of_zeek_has_dots_nulls_and_three_kinds_of_time),
		cmocka_unit_test(lines_of_both_directions_are_one_flow),
		cmocka_unit_test(one_direction_is_no_answer),
		cmocka_unit_test(columns_come_from_the_header_or_the_format),
		cmocka_unit_test(a_refused_connection_is_no_answer),
		cmocka_unit_test(memory_is_bounded_and_a_saved_state_continues_unchanged),
		cmocka_unit_test(a_damaged_page_is_refused),
		cmocka_unit_test(formats_are_recognised_by_their_content),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	wh_pairing_free(pairing);
	return rc;
}
