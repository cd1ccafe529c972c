/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a dropped packet: a stranger chose every byte of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "guard/watch_inside.h"

static const char prefix[] = "whittle drop in TCP 22 ";

static void an_ipv4_packet_gives_its_source_and_port(void **state)
{
	(void)state;
	uint8_t p[40] = {0x46, 0, 0, 44, 0, 0, 0x40, 0, 64, 6, 0, 0, 203, 0, 113, 7, 10, 0, 0, 4, 1, 1, 1, 1, 0x9c, 0x40, 0, 22};
	struct wh_drop d;
	char text[WH_ADDR_STRLEN];
	assert_true(wh_drop_parse(prefix, sizeof prefix, p, sizeof p, &d));
	assert_string_equal(wh_addr_text(&d.peer, text), "203.0.113.7");
	assert_int_equal(d.port, 22); /* behind four bytes of options */
	assert_int_equal(d.proto, 6);
	assert_true(wh_drop_parse("whittle drop out TCP 22 ", 24, p, sizeof p, &d));
	assert_string_equal(wh_addr_text(&d.peer, text), "10.0.0.4"); /* outbound the peer is the destination */
	p[7] = 9; /* a later fragment: where the ports would be stands something else */
	assert_false(wh_drop_parse(prefix, sizeof prefix, p, sizeof p, &d));
}

static void an_ipv6_packet_is_followed_through_its_extension_headers(void **state)
{
	(void)state;
	uint8_t p[64] = {0x60, 0, 0, 0, 0, 24, 60, 64, 0x20, 1, 0xd, 0xb8};
	struct wh_drop d;
	char text[WH_ADDR_STRLEN];
	p[23] = 7;
	p[40] = 17; /* destination options, then UDP */
	p[50] = 0;
	p[51] = 161;
	assert_true(wh_drop_parse(prefix, sizeof prefix, p, sizeof p, &d));
	assert_string_equal(wh_addr_text(&d.peer, text), "2001:db8::7");
	assert_int_equal(d.proto, 17);
	assert_int_equal(d.port, 161);
}

static void a_packet_that_whittle_did_not_drop_is_ignored(void **state)
{
	(void)state;
	uint8_t p[40] = {0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6};
	struct wh_drop d;
	assert_false(wh_drop_parse("ufw block ", 10, p, sizeof p, &d));
	assert_false(wh_drop_parse("whittle audit in TCP 22 ", 24, p, sizeof p, &d));
	assert_true(wh_audit_parse("whittle audit in TCP 22 ", 24, p, sizeof p, &d)); /* which is another question */
	assert_false(wh_audit_parse("whittle drop in TCP 22 ", 23, p, sizeof p, &d));
	assert_false(wh_drop_parse("whittle jit closed ", 19, p, sizeof p, &d));
	assert_false(wh_drop_parse("whittle drop", 12, p, sizeof p, &d));
	p[9] = 1; /* ICMP has no ports */
	assert_false(wh_drop_parse(prefix, sizeof prefix, p, sizeof p, &d));
}

/* Each packet stands at the end of a block of its own, so that the sanitizer sees one byte too many. */
static void no_packet_is_read_beyond_its_end(void **state)
{
	(void)state;
	static const uint8_t next[] = {6, 17, 0, 43, 44, 60};
	srand(5);
	for (int i = 0; i < 300000; i++) {
		size_t len = (size_t)(rand() % 90);
		uint8_t *p = malloc(len ? len : 1);
		struct wh_drop d;
		assert_non_null(p);
		for (size_t k = 0; k < len; k++)
			p[k] = (uint8_t)rand();
		if (len && i % 8)
			p[0] = (uint8_t)((i % 2 ? 0x40 : 0x60) | (p[0] & 15));
		if (len > 9 && i % 3)
			p[6] = p[9] = next[i % 6];
		wh_drop_parse(prefix, sizeof prefix, p, len, &d);
		free(p);
	}
}

struct heard { unsigned n; char text[512]; };

static void hear(void *arg, const struct wh_watch_alert *a)
{
	struct heard *h = arg;
	assert_string_equal(a->kind, "clock");
	snprintf(h->text, sizeof h->text, "%s", a->text);
	h->n++;
}

static void a_clock_that_was_set_is_told_and_one_that_is_slewed_is_not(void **state)
{
	const int64_t second = 1000000, start = INT64_C(1790000000) * second;
	struct heard h = {.n = 0};
	const struct wh_watch_options opt = {.alert = hear, .arg = &h};
	struct wh_watcher w = {.opt = &opt};
	(void)state;
	wh_watch_clock(&w, start, 0);
	for (int i = 1; i < 7200; i++) /* a second an hour ahead, and steps of 59 s */
		wh_watch_clock(&w, start + i * second + i * 500 + (i > 3600) * 59 * second, i * second);
	assert_int_equal(h.n, 0);
	wh_watch_clock(&w, start + 10800 * second, 7200 * second);
	assert_int_equal(h.n, 1);
	assert_non_null(strstr(h.text, "set forward, from 2026-09-21T"));
	wh_watch_clock(&w, start + 10801 * second, 7201 * second);
	assert_int_equal(h.n, 1);
	wh_watch_clock(&w, start, 7202 * second);
	assert_int_equal(h.n, 2);
	assert_non_null(strstr(h.text, "set back, from "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ipv4_packet_gives_its_source_and_port),
		cmocka_unit_test(a_clock_that_was_set_is_told_and_one_that_is_slewed_is_not),
		cmocka_unit_test(an_ipv6_packet_is_followed_through_its_extension_headers),
		cmocka_unit_test(a_packet_that_whittle_did_not_drop_is_ignored),
		cmocka_unit_test(no_packet_is_read_beyond_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
