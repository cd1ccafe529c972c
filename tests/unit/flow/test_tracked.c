/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows from the kernel's messages about tracked connections. */
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "flow/tracked.h"

#define S INT64_C(1000000)
#define NOW (INT64_C(1790000000) * S)

static struct wh_flow got[16];
static size_t n_got;
static enum wh_sender opener;

static void take(void *arg, const struct wh_record *rec)
{
	(void)arg;
	assert_true(n_got < 16);
	got[n_got++] = rec->flow;
}

static enum wh_sender opened(void *arg, const struct wh_ct_flow *f)
{
	(void)arg;
	(void)f;
	return opener;
}

static struct wh_tracked *fresh(size_t most)
{
	struct wh_tracked *t;
	const struct wh_tracked_options o = {.most = most, .flow = take, .opened = opened};
	assert_int_equal(wh_tracked_new(&o, &t), 0);
	n_got = 0;
	opener = WH_SENDER_UNKNOWN;
	return t;
}

static struct wh_ct_flow of(uint8_t proto, uint16_t port, uint32_t status, uint8_t state)
{
	struct wh_ct_flow f = {.proto = proto, .status = status, .tcp_state = state};
	f.orig = (struct wh_ct_tuple){wh_addr_v4(0xcb007101), wh_addr_v4(0x0a000004), 40000, port};
	f.reply = (struct wh_ct_tuple){f.orig.dst, f.orig.src, port, 40000};
	return f;
}

static struct wh_ct_flow counted(struct wh_ct_flow f, uint64_t packets, uint64_t bytes, uint64_t packets_back,
                                 uint64_t bytes_back)
{
	f.has_bytes = true;
	f.packets_orig = packets, f.bytes_orig = bytes, f.packets_reply = packets_back, f.bytes_reply = bytes_back;
	return f;
}

static void say(struct wh_tracked *t, enum wh_ct_kind kind, struct wh_ct_flow f, int64_t at)
{
	wh_tracked_event(t, kind, &f, NOW + at * S);
}

static const uint32_t answered = IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED;

static void a_completed_connection_is_answered_and_ends_with_its_last_packet(void **s)
{
	(void)s;
	struct wh_tracked *t = fresh(0);
	say(t, WH_CT_BEGAN, of(6, 22, IPS_CONFIRMED, TCP_CONNTRACK_SYN_SENT), 0);
	say(t, WH_CT_CHANGED, of(6, 22, answered, TCP_CONNTRACK_ESTABLISHED), 0);
	assert_int_equal(n_got, 0);
	say(t, WH_CT_ENDED, counted(of(6, 22, answered | IPS_DYING, TCP_CONNTRACK_TIME_WAIT), 10, 5000, 9, 90000), 420);
	assert_int_equal(n_got, 1);
	assert_int_equal(wh_flow_server(&got[0]), WH_SIDE_DST_SERVES);
	assert_true(got[0].start_us == NOW && got[0].end_us == NOW + 300 * S);
	assert_int_equal(got[0].bytes_toclient, 90000);
	assert_int_equal(got[0].pkts_toserver, 10);
	assert_int_equal(wh_tracked_counts(t).open, 0);
	wh_tracked_free(t);
}

static void without_counters_it_is_answered_and_shows_no_data(void **s)
{
	(void)s;
	struct wh_tracked *t = fresh(0);
	say(t, WH_CT_BEGAN, of(6, 22, IPS_CONFIRMED, TCP_CONNTRACK_SYN_SENT), 0);
	say(t, WH_CT_ENDED, of(6, 22, answered, TCP_CONNTRACK_TIME_WAIT), 130);
	assert_int_equal(wh_flow_server(&got[0]), WH_SIDE_DST_SERVES);
	assert_true(wh_flow_only_connects(&got[0]));
	assert_false(wh_tracked_counts(t).has_bytes);
	wh_tracked_free(t);
}

static void a_refused_connection_is_an_attempt(void **s)
{
	(void)s;
	struct wh_tracked *t = fresh(0);
	say(t, WH_CT_BEGAN, of(6, 23, IPS_CONFIRMED, TCP_CONNTRACK_SYN_SENT), 0);
	say(t, WH_CT_ENDED, counted(of(6, 23, 0x208 | IPS_SEEN_REPLY, TCP_CONNTRACK_CLOSE), 1, 60, 1, 40), 10);
	assert_int_equal(n_got, 1);
	assert_int_equal(wh_flow_server(&got[0]), WH_SIDE_UNANSWERED);
	assert_int_equal(got[0].pkts_toclient, 1);
	/* a scanner's half of a handshake */
	say(t, WH_CT_BEGAN, of(6, 22, IPS_CONFIRMED, TCP_CONNTRACK_SYN_SENT), 20);
	say(t, WH_CT_ENDED, counted(of(6, 22, IPS_SEEN_REPLY, TCP_CONNTRACK_SYN_RECV), 1, 60, 5, 300), 90);
	assert_int_equal(wh_flow_server(&got[1]), WH_SIDE_UNANSWERED);
	assert_int_equal(wh_tracked_counts(t).attempts, 2);
	wh_tracked_free(t);
}

static void a_connection_seen_from_its_middle_has_no_known_server(void **s)
{
	(void)s;
	struct wh_tracked *t = fresh(0);
	say(t, WH_CT_BEGAN, of(6, 50000, answered, TCP_CONNTRACK_ESTABLISHED), 0);
	say(t, WH_CT_ENDED, counted(of(6, 50000, answered, TCP_CONNTRACK_TIME_WAIT), 10, 5000, 9, 90000), 200);
	assert_int_equal(wh_flow_server(&got[0]), WH_SIDE_UNKNOWN);
	opener = WH_SENDER_SRC; /* a listening socket shows it */
	say(t, WH_CT_BEGAN, of(6, 22, answered, TCP_CONNTRACK_ESTABLISHED), 0);
	say(t, WH_CT_ENDED, counted(of(6, 22, answered, TCP_CONNTRACK_TIME_WAIT), 10, 5000, 9, 90000), 200);
	assert_int_equal(wh_flow_server(&got[1]), WH_SIDE_DST_SERVES);
	/* a bare ACK to a closed port leaves nothing */
	opener = WH_SENDER_UNKNOWN;
	say(t, WH_CT_BEGAN, of(6, 25, IPS_CONFIRMED, TCP_CONNTRACK_ESTABLISHED), 0);
	say(t, WH_CT_ENDED, of(6, 25, 0x208, TCP_CONNTRACK_CLOSE), 10);
	assert_int_equal(n_got, 2);
	wh_tracked_free(t);
}

static void a_datagram_is_answered_where_that_was_reported_while_it_was_open(void **s)
{
	(void)s;
	struct wh_tracked *t = fresh(0);
	say(t, WH_CT_BEGAN, of(17, 53, IPS_CONFIRMED, 0), 0);
	say(t, WH_CT_CHANGED, of(17, 53, IPS_SEEN_REPLY | IPS_CONFIRMED, 0), 0);
	say(t, WH_CT_ENDED, counted(of(17, 53, IPS_SEEN_REPLY, 0), 1, 60, 1, 200), 30);
	assert_int_equal(wh_flow_server(&got[0]), WH_SIDE_DST_SERVES);
	/* an answer that the output chain dropped is in the last message alone */
	say(t, WH_CT_BEGAN, of(17, 53, IPS_CONFIRMED, 0), 40);
	say(t, WH_CT_ENDED, counted(of(17, 53, IPS_SEEN_REPLY, 0), 1, 60, 1, 200), 70);
	assert_int_equal(wh_flow_server(&got[1]), WH_SIDE_UNANSWERED);
	/* unless messages were lost meanwhile */
	say(t, WH_CT_BEGAN, of(17, 53, IPS_CONFIRMED, 0), 80);
	wh_tracked_lost(t);
	say(t, WH_CT_ENDED, counted(of(17, 53, IPS_SEEN_REPLY, 0), 1, 60, 1, 200), 110);
	assert_int_equal(wh_flow_server(&got[2]), WH_SIDE_DST_SERVES);
	wh_tracked_free(t);
}

static void the_same_tuple_again_ends_the_one_before(void **s)
{
	(void)s;
	struct wh_tracked *t = fresh(0);
	say(t, WH_CT_BEGAN, of(6, 22, IPS_CONFIRMED, TCP_CONNTRACK_SYN_SENT), 0);
	say(t, WH_CT_CHANGED, of(6, 22, answered, TCP_CONNTRACK_ESTABLISHED), 1);
	say(t, WH_CT_BEGAN, of(6, 22, IPS_CONFIRMED, TCP_CONNTRACK_SYN_SENT), 300);
	assert_int_equal(n_got, 1);
	assert_int_equal(wh_flow_server(&got[0]), WH_SIDE_DST_SERVES);
	assert_true(got[0].end_us == NOW + S);
	struct wh_ct_flow other = of(6, 22, IPS_CONFIRMED, TCP_CONNTRACK_SYN_SENT);
	other.zone = 7;
	say(t, WH_CT_BEGAN, other, 300);
	assert_int_equal(wh_tracked_counts(t).open, 2);
	wh_tracked_free(t);
}

static void a_dump_restores_lost_connections_and_ends_missing_ones(void **s)
{
	(void)s;
	struct wh_tracked *t = fresh(0);
	struct wh_ct_flow a = of(6, 22, answered, TCP_CONNTRACK_ESTABLISHED), b = of(6, 443, answered, TCP_CONNTRACK_ESTABLISHED);
	say(t, WH_CT_BEGAN, of(6, 22, IPS_CONFIRMED, TCP_CONNTRACK_SYN_SENT), 0);
	say(t, WH_CT_CHANGED, a, 0);
	say(t, WH_CT_BEGAN, of(6, 80, IPS_CONFIRMED, TCP_CONNTRACK_SYN_SENT), 0);
	wh_tracked_lost(t);
	wh_tracked_dump_begin(t);
	opener = WH_SENDER_SRC;
	wh_tracked_open(t, &a, NOW + 5 * S);
	wh_tracked_open(t, &b, NOW + 5 * S);
	say(t, WH_CT_BEGAN, of(6, 81, IPS_CONFIRMED, TCP_CONNTRACK_SYN_SENT), 6); /* began while the dump was read */
	wh_tracked_dump_end(t, false, NOW + 6 * S); /* torn: nothing is concluded */
	assert_int_equal(wh_tracked_counts(t).open, 4);
	wh_tracked_dump_end(t, true, NOW + 6 * S);
	assert_int_equal(wh_tracked_counts(t).open, 3);
	assert_int_equal(n_got, 0); /* that the one to port 80 was answered may be among the lost: nothing is said of it */
	say(t, WH_CT_ENDED, counted(of(6, 443, answered, TCP_CONNTRACK_TIME_WAIT), 10, 5000, 9, 90000), 300);
	assert_int_equal(wh_flow_server(&got[0]), WH_SIDE_DST_SERVES);
	wh_tracked_dump_begin(t);
	wh_tracked_open(t, &a, NOW + 310 * S);
	wh_tracked_dump_end(t, true, NOW + 310 * S);
	assert_int_equal(n_got, 2);
	assert_int_equal(got[1].dst_port, 81); /* nothing was lost since it began */
	assert_int_equal(wh_flow_server(&got[1]), WH_SIDE_UNANSWERED);
	wh_tracked_free(t);
}

static void memory_is_bounded_and_connections_without_room_are_counted(void **s)
{
	(void)s;
	struct wh_tracked *t = fresh(100);
	for (uint16_t i = 0; i < 150; i++) {
		struct wh_ct_flow f = of(17, 53, IPS_CONFIRMED, 0);
		f.orig.src_port = (uint16_t)(1024 + i);
		say(t, WH_CT_BEGAN, f, 0);
	}
	assert_int_equal(wh_tracked_counts(t).open, 100);
	assert_int_equal(wh_tracked_counts(t).no_room, 50);
	struct wh_ct_flow f = of(17, 53, 0, 0);
	f.orig.src_port = 1024;
	say(t, WH_CT_ENDED, f, 1);
	f.orig.src_port = 9999;
	say(t, WH_CT_BEGAN, f, 2);
	assert_int_equal(wh_tracked_counts(t).open, 100);
	assert_int_equal(wh_tracked_counts(t).no_room, 50);
	wh_tracked_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_completed_connection_is_answered_and_ends_with_its_last_packet),
		cmocka_unit_test(without_counters_it_is_answered_and_shows_no_data),
		cmocka_unit_test(a_refused_connection_is_an_attempt),
		cmocka_unit_test(a_connection_seen_from_its_middle_has_no_known_server),
		cmocka_unit_test(a_datagram_is_answered_where_that_was_reported_while_it_was_open),
		cmocka_unit_test(the_same_tuple_again_ends_the_one_before),
		cmocka_unit_test(a_dump_restores_lost_connections_and_ends_missing_ones),
		cmocka_unit_test(memory_is_bounded_and_connections_without_room_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
