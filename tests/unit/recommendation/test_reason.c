/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reasons: lists of structs, of which sentences are made, and which come back from what is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/recommendation.h"

static struct wh_addr addr(const char *text)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(text, strlen(text), &a), 0);
	return a;
}

static struct wh_reason of_port(struct wh_reason r, uint16_t port)
{
	r.direction = WH_INBOUND;
	r.proto = WH_PROTO_TCP;
	r.from = r.to = port;
	return r;
}

/* One of each code, with every parameter set. */
static size_t one_of_each(struct wh_reason *out)
{
	size_t n = 0;
	for (int c = 1; c < WH_N_REASONS; c++)
		out[n++] = (struct wh_reason){.code = (enum wh_reason_code)c,
		                              .closing = c % 2,
		                              .proxy = c % 3 == 0,
		                              .count = {11, 12, 13, 14},
		                              .day = {20000, 20001},
		                              .peer = addr("203.0.113.7"),
		                              .text = "web",
		                              .proto = WH_PROTO_UDP,
		                              .direction = WH_OUTBOUND,
		                              .from = c < WH_REASON_DRAWN ? 0 : 5000,
		                              .to = c < WH_REASON_DRAWN    ? 0
		                                    : c == WH_REASON_DRAWN ? 5100
		                                                           : 5000};
	return n;
}

static void each_code_has_a_sentence_and_comes_back_as_it_was_kept(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_reason list[WH_N_REASONS];
	struct wh_resource_result res = {0};
	size_t n = one_of_each(list);
	json_t *kept = wh_reasons_json(list, n);
	assert_int_equal(wh_reasons_read(kept, &res, mem), 0);
	json_decref(kept);
	assert_int_equal(res.n_reasons, n);
	for (size_t i = 0; i < n; i++) {
		assert_true(*wh_reason_why(&list[i], mem) != 0);
		assert_int_equal(res.reasons[i].code, list[i].code);
		assert_int_equal(res.reasons[i].closing, list[i].closing);
	}
	assert_string_equal(wh_reasons_text(res.reasons, n, mem), wh_reasons_text(list, n, mem));
	wh_arena_free(mem);
}

static void the_reason_of_a_port_is_whole_though_a_semicolon_is_in_it(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_resource_result res = {0};
	struct wh_reason alerted = {.code = WH_REASON_ALERTED,
	                            .peer = addr("203.0.113.7"),
	                            .count = {0, 1, 2034647, 3},
	                            .day = {20400},
	                            .proxy = true};
	alerted = of_port(alerted, 22);
	wh_reason_add(&res, &alerted, mem);
	const struct wh_reason *found = wh_reason_of_port(&res, WH_INBOUND, 22, WH_PROTO_TCP);
	assert_non_null(found);
	const char *text = wh_reason_outcome(found, mem);
	assert_non_null(strstr(
		text,
		"not closed: 203.0.113.7 is kept out by an alert (severity 1, signature 2034647, last on 2025-11-08; it speaks for others"));
	assert_non_null(strstr(text, "run 'whittle intel update'"));
	assert_null(wh_reason_of_port(&res, WH_OUTBOUND, 22, WH_PROTO_TCP));
	assert_null(wh_reason_of_port(&res, WH_INBOUND, 22, WH_PROTO_UDP));
	assert_null(wh_reason_of_port(&res, WH_INBOUND, 2, WH_PROTO_TCP));
	wh_arena_free(mem);
}

static void several_ports_with_one_reason_are_named_together(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_resource_result res = {0};
	struct wh_reason alerted = {.code = WH_REASON_ALERTED, .peer = addr("203.0.113.7"), .count = {0, 1, 0, 3}, .proxy = true};
	struct wh_reason full = {.code = WH_REASON_GROUP_FULL, .text = "web", .count = {5}},
			 drawn = {.code = WH_REASON_DRAWN, .proto = WH_PROTO_TCP, .from = 5000, .to = 5100, .count = {30, 1}};
	wh_reason_add(&res, &drawn, mem);
	for (uint16_t port = 20; port < 24; port++) {
		struct wh_reason r = of_port((struct wh_reason){.code = WH_REASON_NO_ROOM}, port);
		wh_reason_add(&res, &r, mem);
		if (port < 22)
			wh_reason_add(&res,
			              &(struct wh_reason){.code = WH_REASON_ALERTED,
			                                  .peer = alerted.peer,
			                                  .count = {0, 1, 0, 3},
			                                  .proxy = true,
			                                  .proto = WH_PROTO_UDP,
			                                  .from = port,
			                                  .to = port},
			              mem);
	}
	wh_reason_add(&res, &full, mem);
	char *alert = wh_arena_printf(mem, "ports 20/UDP and 21/UDP are %s", wh_reason_outcome(&alerted, mem));
	assert_string_equal(
		wh_reasons_summary(res.reasons, res.n_reasons, mem),
		wh_arena_printf(
			mem,
			"ports 5000-5100/TCP are left alone: each connection or start of the server uses others of them (30 were used so far, by 1 recurring peer), "
			"so rules for these would close the next ones; ports 20/TCP, 21/TCP, 22/TCP and 1 more are left alone: "
			"the budget has no room for a rule; %s; web has no room for narrower rules: it holds 5 prefixes; split it",
			alert));
	assert_null(wh_reasons_summary(NULL, 0, mem));
	assert_null(wh_reasons_text(NULL, 0, mem));
	wh_arena_free(mem);
}

static void a_malformed_stored_list_gives_no_reason(void **state)
{
	(void)state;
	static const char *const lists[] = {
		"{}",
		"7",
		"[7]",
		"[{}]",
		"[{\"code\":\"of no version\"}]",
		"[{\"code\":\"unknown\"}]",
		"[{\"code\":\"alerted\"}]",
		"[{\"code\":\"alerted\",\"peer\":\"x\"}]",
		"[{\"code\":\"noRoom\",\"direction\":\"Inbound\",\"protocol\":\"TCP\",\"ports\":[0,0]}]",
		"[{\"code\":\"noRoom\",\"direction\":\"Inbound\",\"protocol\":\"TCP\",\"ports\":[9,8]}]",
		"[{\"code\":\"noRoom\",\"direction\":\"Inbound\",\"protocol\":\"TCP\",\"ports\":[9,65536]}]",
		"[{\"code\":\"noRoom\",\"ports\":[9,9]}]",
		"[{\"code\":\"forged\",\"count\":[-1]}]",
		"[{\"code\":\"quietSince\",\"day\":[2932897]}]",
		"[{\"code\":\"quietSince\",\"day\":[-1]}]",
		"[{\"code\":\"noTraffic\"},{}]",
	};
	struct wh_arena *mem = wh_arena_new();
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct wh_resource_result res = {0};
		json_t *doc = json_loads(lists[i], JSON_DECODE_ANY, NULL);
		assert_non_null(doc);
		if (wh_reasons_read(doc, &res, mem) != -EBADMSG || res.n_reasons)
			fail_msg("taken: %s", lists[i]);
		json_decref(doc);
	}
	wh_arena_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_has_a_sentence_and_comes_back_as_it_was_kept),
		cmocka_unit_test(the_reason_of_a_port_is_whole_though_a_semicolon_is_in_it),
		cmocka_unit_test(several_ports_with_one_reason_are_named_together),
		cmocka_unit_test(a_malformed_stored_list_gives_no_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
