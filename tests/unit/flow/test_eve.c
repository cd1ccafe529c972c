/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "../support/eve_gen.h"
#include "../support/eve_reference.h"
#include "flow/eve.h"

#define RECORDS 200000

static const char flow_text[] =
	"{\"timestamp\":\"2026-11-01T01:02:03.000004+0000\",\"flow_id\":1234567890123456,\"in_iface\":\"eth0\",\"event_type\":\"flow\","
	"\"src_ip\":\"10.0.0.1\",\"src_port\":51234,\"dest_ip\":\"192.168.100.7\",\"dest_port\":22,\"proto\":\"TCP\",\"app_proto\":\"ssh\","
	"\"flow\":{\"pkts_toserver\":12,\"pkts_toclient\":10,\"bytes_toserver\":1234567,\"bytes_toclient\":9999999999,"
	"\"start\":\"2026-11-01T01:02:00.000004+0000\",\"end\":\"2026-11-01T01:02:02.900004+0000\",\"age\":3,\"state\":\"closed\","
	"\"reason\":\"timeout\",\"alerted\":true},\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"13\",\"syn\":true,"
	"\"fin\":true,\"psh\":true,\"ack\":true,\"state\":\"closed\"}}";

static unsigned long records(void)
{
	const char *n = getenv("WH_EVE_RECORDS");
	return n ? strtoul(n, NULL, 10) : RECORDS;
}

/* ---- memory that ends at a guard page ---- */

static struct { char *base; size_t size; } guarded;

static char *before_guard(const char *p, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), need = (len + page) / page * page;
	if (need > guarded.size) {
		if (guarded.base)
			munmap(guarded.base, guarded.size + page);
		guarded.base = mmap(NULL, need + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_true(guarded.base != MAP_FAILED);
		assert_int_equal(mprotect(guarded.base + need, page, PROT_NONE), 0);
		guarded.size = need;
	}
	memcpy(guarded.base + guarded.size - len, p, len);
	return guarded.base + guarded.size - len;
}

/* ---- the meaning of one record ---- */

static void every_field_of_a_flow_record_is_read(void **state)
{
	struct wh_record r;
	char a[WH_ADDR_STRLEN];
	(void)state;
	for (const struct eve_impl *const *impl = wh_eve_impls(); *impl; impl++) {
		wh_eve_use(*impl);
		for (int twice = 0; twice < 2; twice++) {
			assert_int_equal(wh_eve_record(flow_text, sizeof flow_text - 1, &r, NULL), 0);
			assert_int_equal(r.kind, WH_RECORD_FLOW);
			assert_string_equal(r.event_type, "flow");
			assert_string_equal(wh_addr_text(&r.flow.src, a), "10.0.0.1");
			assert_string_equal(wh_addr_text(&r.flow.dst, a), "192.168.100.7");
			assert_int_equal(r.flow.src_port, 51234);
			assert_int_equal(r.flow.dst_port, 22);
			assert_int_equal(r.flow.proto, WH_PROTO_TCP);
			assert_string_equal(r.flow.app_proto, "ssh");
			assert_true(r.flow.app_proto_known && r.flow.alerted && r.flow.has_tcp_flags);
			assert_int_equal(r.flow.state, WH_STATE_CLOSED);
			assert_int_equal(r.flow.pkts_toserver, 12);
			assert_int_equal(r.flow.pkts_toclient, 10);
			assert_int_equal(r.flow.bytes_toserver, 1234567);
			assert_int_equal(r.flow.bytes_toclient, INT64_C(9999999999));
			assert_int_equal(r.flow.start_us, INT64_C(1793494920000004));
			assert_int_equal(r.flow.end_us, INT64_C(1793494922900004));
			assert_int_equal(r.time_us, INT64_C(1793494923000004));
			assert_int_equal(r.flow.tcp_flags_toserver, 0x1b);
			assert_int_equal(r.flow.tcp_flags_toclient, 0x13);
		}
	}
	wh_eve_use(NULL);
}

/* One text against the reference: by all walkers, or only by one of them in turn. */
static void agree_by(const char *text, size_t len, bool all)
{
	static unsigned turn;
	struct eve_verdict reference;
	char *copy = before_guard(text, len);
	eve_judge(text, len, &reference);
	const struct eve_impl *const *impl = wh_eve_impls();
	for (unsigned n = turn++ % 6; !all && n; n--)
		impl = impl[1] ? impl + 1 : wh_eve_impls();
	for (; *impl; impl = all ? impl + 1 : &(const struct eve_impl *){0}) {
		struct eve_verdict v = {.reason = NULL};
		wh_eve_use(*impl);
		v.rc = wh_eve_record(copy, len, &v.rec, &v.reason);
		const char *difference = eve_difference(&v, &reference);
		if (difference)
			fail_msg("%s walker: %s (%s) in: %.*s", (*impl)->name, difference, v.reason ? v.reason : "no reason",
			         (int)(len < 3000 ? len : 3000), text);
	}
	wh_eve_use(NULL);
}

static void agree(const char *text, size_t len)
{
	agree_by(text, len, true);
}

static void every_walker_equals_the_reference_on_a_generated_corpus(void **state)
{
	struct eve_gen g;
	(void)state;
	eve_gen_init(&g, 20261101);
	for (unsigned long i = 0; i < records(); i++) {
		eve_gen_next(&g);
		agree_by(g.buf, g.len, i % 4 == 0);
	}
	eve_gen_free(&g);
}

/* So often that there are all the shortcuts that there can be. */
static void learn_flow(void)
{
	struct wh_record rec;
	for (int i = 0; i < 200; i++)
		assert_int_equal(wh_eve_record(flow_text, sizeof flow_text - 1, &rec, NULL), 0);
}

static void a_record_cut_at_any_byte_is_judged_as_the_reference_does(void **state)
{
	(void)state;
	learn_flow();
	for (size_t n = 0; n < sizeof flow_text; n++)
		agree(flow_text, n);
}

static void any_byte_replaced_is_judged_as_the_reference_does(void **state)
{
	static const unsigned char by[] = "\"\\}]0\n\x80 ,:";
	char copy[sizeof flow_text];
	(void)state;
	learn_flow();
	for (size_t i = 0; i + 1 < sizeof flow_text; i++)
		for (size_t k = 0; k < sizeof by; k += 1 + (i & 1)) {
			memcpy(copy, flow_text, sizeof copy);
			copy[i] = (char)by[k];
			agree(copy, sizeof copy - 1);
		}
}

/* A later key of the same name takes back the value that a shortcut brought, whether it is in a shortcut itself or not. */
static void a_key_that_comes_again_after_a_shortcut_is_judged_as_the_reference_does(void **state)
{
	static const char *const again[] = {
		"\"proto\":\"UDP\"",
		"\"proto\":\"TCP\"",
		"\"proto\":\"no such\"",
		"\"proto\":6",
		"\"app_proto\":\"failed\"",
		"\"dest_port\":23",
		"\"event_type\":\"alert\"",
		"\"event_type\":\"dns\"",
		"\"src_ip\":\"10.9.8.7\"",
		"\"direction\":\"to_client\"",
		"\"direction\":\"to_server\"",
		"\"xff\":\"10.1.1.1\"",
		"\"xff\":\"\"",
		"\"xff\":7",
		"\"flow\":{\"alerted\":false,\"state\":\"new\"}",
		"\"flow\":{\"pkts_toserver\":1,\"alerted\":true}",
		"\"flow\":3",
		"\"tcp\":{\"syn\":true}",
		"\"tcp\":{\"tcp_flags_ts\":\"02\",\"tcp_flags_tc\":\"12\"}",
		"\"tcp\":[]",
	};
	char text[sizeof flow_text + 200];
	const size_t n = sizeof again / sizeof *again;
	struct wh_record rec;
	(void)state;
	for (unsigned learnt = 0; learnt < 2; learnt++)
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < n; k++) {
				int len = snprintf(text, sizeof text, "%.*s,%s,%s}", (int)sizeof flow_text - 2, flow_text,
				                   again[i], again[k]);
				assert_true(len > 0 && (size_t)len < sizeof text);
				learn_flow();
				for (unsigned times = 0; learnt && times < 40; times++)
					(void)wh_eve_record(text, (size_t)len, &rec, NULL);
				agree(text, (size_t)len);
			}
}

static void every_two_byte_sequence_in_a_string_is_judged_as_the_reference_does(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 0x10000; c += 7) {
		char text[64];
		int n = snprintf(text, sizeof text, "{\"event_type\":\"dns\",\"x\":\"__\"}");
		text[n - 4] = (char)(c >> 8);
		text[n - 3] = (char)c;
		agree(text, (size_t)n);
	}
}

/* ---- lines ---- */

struct seen {
	uint64_t n;
	uint64_t sum;
	int answer_at, answer;
};

static int count_record(void *arg, const struct wh_record *rec)
{
	struct seen *s = arg;
	if (s->answer && s->n == (uint64_t)s->answer_at)
		return s->answer;
	s->n++;
	s->sum += (uint64_t)rec->time_us * s->n + rec->flow.src_port;
	return 0;
}

/* Lines of a corpus, fed in pieces of any size, give the same records, counts and error positions as fed at once. */
static void feeding_in_pieces_equals_feeding_at_once(void **state)
{
	struct eve_gen g;
	size_t len = 0, cap = 8u << 20;
	char *all = malloc(cap);
	(void)state;
	assert_non_null(all);
	eve_gen_init(&g, 11);
	while (len < 600000) {
		eve_gen_next(&g);
		if (g.len > 100000)
			continue;
		memcpy(all + len, g.buf, g.len);
		len += g.len;
		all[len++] = '\n';
	}
	struct wh_read_stats once = {0};
	struct seen a = {0};
	void *st = wh_reader_eve.open(&(struct wh_reader_options){0});
	assert_int_equal(wh_reader_eve.feed(st, &(struct wh_stretch){all, len, true, 1, 0}, count_record, &a, &once), len);
	wh_reader_eve.close(st);
	assert_int_equal(once.bytes, len);
	assert_int_equal(once.records, a.n);
	assert_true(once.malformed > 100 && once.flows > 100 && once.alerts > 10);
	for (size_t step = 1; step < 300000; step = step * 7 + 3) {
		struct wh_read_stats s = {0};
		struct seen b = {0};
		size_t at = 0, end = 0;
		size_t limit = step < 100 ? 40000 : len;
		st = wh_reader_eve.open(&(struct wh_reader_options){0});
		while (at < limit) {
			bool last = false;
			end = end + step > limit ? limit : end + step;
			if (end == limit)
				last = true;
			int64_t n = wh_reader_eve.feed(
				st, &(struct wh_stretch){before_guard(all + at, end - at), end - at, last, 1 + s.lines, at},
				count_record, &b, &s);
			assert_true(n >= 0);
			at += (size_t)n;
			assert_int_equal(s.bytes, at);
		}
		wh_reader_eve.close(st);
		if (limit == len) {
			assert_int_equal(b.n, a.n);
			assert_int_equal(b.sum, a.sum);
			assert_memory_equal(&s, &once, sizeof s);
		}
	}
	free(all);
	eve_gen_free(&g);
}

/* The reference's verdict on each line, and the reader's position. */
struct expected {
	const char *text;
	struct eve_verdict verdict; /* of the next good line */
	const char *line, *end;     /* the line after it */
	void *reader;               /* that is given lines alone */
	struct wh_read_stats stats;
};

static bool blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p == end;
}

static void expect_bad(struct expected *e, const char *reason, uint64_t offset)
{
	struct wh_read_stats *s = &e->stats;
	unsigned i;
	s->malformed++;
	for (i = 0; i < s->n_bad && s->bad[i].reason != reason; i++)
		;
	if (i == s->n_bad) {
		s->bad[i].reason = reason;
		s->bad[i].first_line = s->lines;
		s->bad[i].first_offset = offset;
		s->n_bad++;
	}
	s->bad[i].count++;
}

static int ignore_record(void *arg, const struct wh_record *rec)
{
	(void)arg, (void)rec;
	return 0;
}

/* Why the reader refuses a line that it is given alone (with its newline); NULL when it passes over it. jansson has other
 * words. */
static const char *refusal(void *reader, const char *p, size_t len, bool newline)
{
	struct wh_read_stats s = {0};
	assert_int_equal(wh_reader_eve.feed(reader, &(struct wh_stretch){p, len + newline, true, 1, 0}, ignore_record, NULL, &s),
	                 len + newline);
	assert_int_equal(s.records, 0);
	return s.bad[0].reason;
}

/* To the next line that the reference takes. */
static bool next_good(struct expected *e)
{
	while (e->line < e->end) {
		const char *p = e->line, *nl = memchr(p, '\n', (size_t)(e->end - p)), *stop = nl ? nl : e->end;
		e->line = nl ? nl + 1 : e->end;
		e->stats.lines++;
		eve_judge(p, (size_t)(stop - p), &e->verdict);
		if (!e->verdict.rc)
			return true;
		const char *why = refusal(e->reader, p, (size_t)(stop - p), nl);
		assert_int_equal(!why, blank(p, stop));
		if (why)
			expect_bad(e, why, (uint64_t)(p - e->text));
	}
	return false;
}

static int compare_record(void *arg, const struct wh_record *rec)
{
	struct expected *e = arg;
	struct eve_verdict v = {.rec = *rec};
	const char *before = e->line;
	assert_true(next_good(e));
	const char *difference = eve_difference(&v, &e->verdict);
	if (difference)
		fail_msg("%s, in a line from byte %zu on", difference, (size_t)(before - e->text));
	e->stats.records++;
	return 0;
}

/* Many lines at once, as ingest reads them: each, in the middle of a buffer or at its end, gives jansson's result for it
 * alone. */
static void every_line_of_a_corpus_equals_the_reference_wherever_a_buffer_ends(void **state)
{
	static const size_t pieces[] = {64 << 10, 5000, 2049, 700};
	struct eve_gen g;
	size_t len = 0, cap = 24u << 20;
	char *all = malloc(cap);
	(void)state;
	assert_non_null(all);
	eve_gen_init(&g, 77);
	for (unsigned long i = 0; i < records() / 20; i++) {
		eve_gen_next(&g);
		if (g.len > 300000 || len + g.len + 1 > cap)
			continue;
		memcpy(all + len, g.buf, g.len);
		len += g.len;
		all[len++] = '\n';
	}
	for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
		struct wh_read_stats s = {0};
		struct expected e = {
			.text = all, .line = all, .end = all + len, .reader = wh_reader_eve.open(&(struct wh_reader_options){0})};
		void *st = wh_reader_eve.open(&(struct wh_reader_options){0});
		size_t room = pieces[k];
		for (size_t at = 0; at < len;) {
			size_t n = len - at < room ? len - at : room;
			int64_t used = wh_reader_eve.feed(
				st, &(struct wh_stretch){before_guard(all + at, n), n, n == len - at, 1 + s.lines, at},
				compare_record, &e, &s);
			assert_true(used >= 0);
			room = used ? pieces[k] : room * 2; /* a line that is longer */
			at += (size_t)used;
		}
		wh_reader_eve.close(st);
		assert_false(next_good(&e));
		wh_reader_eve.close(e.reader);
		assert_int_equal(s.records, e.stats.records);
		assert_int_equal(s.lines, e.stats.lines);
		assert_int_equal(s.malformed, e.stats.malformed);
		assert_int_equal(s.n_bad, e.stats.n_bad);
		for (unsigned i = 0; i < s.n_bad; i++) {
			assert_ptr_equal(s.bad[i].reason, e.stats.bad[i].reason);
			assert_int_equal(s.bad[i].count, e.stats.bad[i].count);
			assert_int_equal(s.bad[i].first_line, e.stats.bad[i].first_line);
			assert_int_equal(s.bad[i].first_offset, e.stats.bad[i].first_offset);
		}
	}
	free(all);
	eve_gen_free(&g);
}

static void malformed_lines_are_counted_with_the_first_place_of_each_kind(void **state)
{
	static const char text[] =
		"{\"event_type\":\"dns\"}\nnonsense\n\n  \r\n{\"event_type\":\"flow\"}\n{\"event_type\":\"dns\"\nrubbish\n"
		"{\"event_type\":\"x\xff\"}\n{\"event_type\":\"dns\"}";
	struct wh_read_stats s = {0};
	struct seen a = {0};
	void *st = wh_reader_eve.open(&(struct wh_reader_options){0});
	(void)state;
	assert_int_equal(
		wh_reader_eve.feed(st, &(struct wh_stretch){text, sizeof text - 1, true, 10, 1000}, count_record, &a, &s),
		sizeof text - 1);
	wh_reader_eve.close(st);
	assert_int_equal(s.records, 2);
	assert_int_equal(s.other, 2);
	assert_int_equal(s.malformed, 5);
	assert_int_equal(s.lines, 8);
	assert_int_equal(s.n_bad, 4);
	assert_ptr_equal(s.bad[0].reason, wh_eve_not_json);
	assert_int_equal(s.bad[0].count, 2);
	assert_int_equal(s.bad[0].first_line, 11);
	assert_int_equal(s.bad[0].first_offset, 1021);
	assert_ptr_equal(s.bad[1].reason, wh_eve_missing);
	assert_int_equal(s.bad[1].first_line, 14);
	assert_ptr_equal(s.bad[2].reason, wh_eve_cut_short);
	assert_ptr_equal(s.bad[3].reason, wh_eve_not_utf8);
}

static void an_incomplete_last_line_waits_for_more(void **state)
{
	struct wh_read_stats s = {0};
	struct seen a = {0};
	void *st = wh_reader_eve.open(&(struct wh_reader_options){0});
	char text[2 * sizeof flow_text];
	int len = snprintf(text, sizeof text, "%s\n%s", flow_text, flow_text);
	(void)state;
	assert_int_equal(wh_reader_eve.feed(st, &(struct wh_stretch){text, (size_t)len, false, 1, 0}, count_record, &a, &s),
	                 sizeof flow_text);
	assert_int_equal(s.records, 1);
	text[len++] = 'x';
	assert_int_equal(wh_reader_eve.feed(st,
	                                    &(struct wh_stretch){text + sizeof flow_text, (size_t)len - sizeof flow_text, true, 2,
	                                                         sizeof flow_text},
	                                    count_record, &a, &s),
	                 len - (int)sizeof flow_text);
	assert_int_equal(s.malformed, 1);
	assert_int_equal(s.bad[0].first_line, 2);
	wh_reader_eve.close(st);
}

static void a_line_over_16_MiB_is_passed_over_whole_or_in_pieces(void **state)
{
	size_t len = EVE_MAX_RECORD + 100000, piece = 5u << 20;
	char *text = malloc(len + 200);
	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	memcpy(text, "{\"event_type\":\"dns\",\"x\":\"", 25);
	memcpy(text + len - 3, "\"}\n", 3);
	memcpy(text + len, "{\"event_type\":\"dns\"}\n", 21);
	len += 21;
	for (int pieces = 0; pieces < 2; pieces++) {
		struct wh_read_stats s = {0};
		struct seen a = {0};
		void *st = wh_reader_eve.open(&(struct wh_reader_options){0});
		size_t at = 0, end = pieces ? piece : len;
		while (at < len) {
			int64_t n = wh_reader_eve.feed(st, &(struct wh_stretch){text + at, end - at, end == len, 1 + s.lines, at},
			                               count_record, &a, &s);
			assert_true(n >= 0);
			at += (size_t)n;
			end = end + piece > len ? len : end + piece;
		}
		wh_reader_eve.close(st);
		assert_int_equal(s.records, 1);
		assert_int_equal(s.malformed, 1);
		assert_ptr_equal(s.bad[0].reason, wh_eve_too_long);
		assert_int_equal(s.bytes, len);
		assert_int_equal(s.lines, 2);
	}
	const char *reason;
	struct wh_record rec;
	assert_int_equal(wh_eve_record(text, EVE_MAX_RECORD + 1, &rec, &reason), -EBADMSG);
	assert_ptr_equal(reason, wh_eve_too_long);
	free(text);
}

static void a_refusal_of_the_callback_ends_the_reading_before_that_record(void **state)
{
	struct wh_read_stats s = {0};
	struct seen a = {.answer_at = 1, .answer = -ENOSPC};
	void *st = wh_reader_eve.open(&(struct wh_reader_options){0});
	char text[3 * sizeof flow_text];
	int len = snprintf(text, sizeof text, "%s\n%s\n", flow_text, flow_text);
	(void)state;
	assert_int_equal(wh_reader_eve.feed(st, &(struct wh_stretch){text, (size_t)len, true, 1, 0}, count_record, &a, &s),
	                 -ENOSPC);
	assert_int_equal(s.bytes, sizeof flow_text);
	assert_int_equal(s.records, 1);
	assert_int_equal(s.lines, 1);
	wh_reader_eve.close(st);
}

static void eve_is_recognised_and_other_text_is_not(void **state)
{
	(void)state;
	assert_ptr_equal(wh_reader_probe(flow_text, sizeof flow_text - 1), &wh_reader_eve);
	assert_ptr_not_equal(wh_reader_probe("{\"records\":[", 12), &wh_reader_eve);
	assert_ptr_not_equal(wh_reader_probe("#fields\tts\n", 11), &wh_reader_eve);
	assert_null(wh_reader_probe("", 0));
	assert_ptr_equal(wh_reader_find("eve"), &wh_reader_eve);
	assert_null(wh_reader_find("nonsense"));
}

/* ---- numbers at the edge ---- */

/* Values that an attacker, or a protocol, puts into fields that are not needed. */
static void a_record_with_odd_values_in_unneeded_fields_is_read(void **state)
{
	static const char *const odd[] = {
		"\"\\u0000\"",
		"\"a\\u0000b\"",
		"\"\\ud800\"",
		"\"\\udc00\\ud800\"",
		"\"\\ud83d\\u0041\"",
		"18446744073709551615",
		"99999999999999999999999",
		"-9223372036854775809",
		"1e400",
		"-1e999999",
		"1E-999999",
		"{\"a\":1,\"a\":{\"\\u0000\":2}}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
		"\"\\ud800",
	};
	char text[2048];
	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		struct wh_record rec;
		const char *reason = NULL;
		int n = snprintf(
			text, sizeof text,
			"{\"timestamp\":\"2026-10-01T00:00:00.448226+0000\",\"event_type\":\"alert\",\"http\":{\"http_user_agent\":%s},\"x\":%s,"
			"\"src_ip\":\"60.1.123.95\",\"src_port\":1,\"dest_ip\":\"10.1.1.13\",\"dest_port\":443,\"proto\":\"TCP\",\"alert\":{\"severity\":1}}",
			odd[i], odd[i]);
		int rc = wh_eve_record(text, (size_t)n, &rec, &reason);
		assert_int_equal(rc, i == sizeof odd / sizeof *odd - 1 ? -EBADMSG : 0); /* the last is not JSON */
		if (!rc)
			assert_int_equal(rec.alert_severity, 1);
	}
}

static struct eve_verdict verdict_of(const char *top, const char *flow)
{
	struct eve_verdict v = {.reason = NULL};
	char text[1024];
	int n = snprintf(
		text, sizeof text,
		"{\"timestamp\":\"2026-10-01T00:00:00.448226+0000\",\"event_type\":\"flow\",\"src_ip\":\"60.1.123.95\",\"src_port\":4000,"
		"\"dest_ip\":\"10.1.1.13\",\"dest_port\":443,\"proto\":\"TCP\"%s,\"flow\":{\"pkts_toserver\":9,\"pkts_toclient\":8%s}}",
		top, flow);
	agree(text, (size_t)n);
	v.rc = wh_eve_record(text, (size_t)n, &v.rec, &v.reason);
	return v;
}

/* Pipelines between a sensor and its log write null for what they do not know. */
static void null_is_as_if_the_key_were_not_there(void **state)
{
	static const struct { const char *top, *flow; } with[] = {
		{",\"app_proto\":null", ""},
		{",\"tcp\":null", ""},
		{",\"tcp\":{\"tcp_flags_ts\":null,\"syn\":null,\"ack\" : null}", ""},
		{",\"alert\":null,\"direction\":null,\"xff\":null", ""},
		{"", ",\"state\":null"},
		{"", ",\"alerted\":null,\"start\":null,\"end\":null"},
		{",\"src_port\":7,\"src_port\":null,\"src_port\":4000", ",\"alerted\":true,\"alerted\":null"},
	};
	const struct eve_verdict without = verdict_of("", "");
	(void)state;
	assert_int_equal(without.rc, 0);
	for (int round = 0; round < 40; round++) /* for the first time, and as a shortcut */
		for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
			struct eve_verdict v = verdict_of(with[i].top, with[i].flow);
			const char *difference = eve_difference(&v, &without);
			if (difference)
				fail_msg("%s %s: %s", with[i].top, with[i].flow, difference);
		}
	struct eve_verdict needed = verdict_of(",\"src_ip\":null", "");
	assert_int_equal(needed.rc, -EBADMSG);
	assert_string_equal(needed.reason, wh_eve_missing);
	needed = verdict_of(",\"proto\":true", "");
	assert_string_equal(needed.reason, wh_eve_wrong_type);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_a_flow_record_is_read),
		cmocka_unit_test(every_walker_equals_the_reference_on_a_generated_corpus),
		cmocka_unit_test(a_record_cut_at_any_byte_is_judged_as_the_reference_does),
		cmocka_unit_test(any_byte_replaced_is_judged_as_the_reference_does),
		cmocka_unit_test(a_key_that_comes_again_after_a_shortcut_is_judged_as_the_reference_does),
		cmocka_unit_test(every_two_byte_sequence_in_a_string_is_judged_as_the_reference_does),
		cmocka_unit_test(feeding_in_pieces_equals_feeding_at_once),
		cmocka_unit_test(every_line_of_a_corpus_equals_the_reference_wherever_a_buffer_ends),
		cmocka_unit_test(malformed_lines_are_counted_with_the_first_place_of_each_kind),
		cmocka_unit_test(an_incomplete_last_line_waits_for_more),
		cmocka_unit_test(null_is_as_if_the_key_were_not_there),
		cmocka_unit_test(a_line_over_16_MiB_is_passed_over_whole_or_in_pieces),
		cmocka_unit_test(a_refusal_of_the_callback_ends_the_reading_before_that_record),
		cmocka_unit_test(eve_is_recognised_and_other_text_is_not),
		cmocka_unit_test(a_record_with_odd_values_in_unneeded_fields_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
