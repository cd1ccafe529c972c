/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The short way to an answer about a flow never says otherwise than the long one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "whittle/flow.h"

static unsigned of(unsigned n)
{
	static uint64_t seed = 7;
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static struct wh_flow any_flow(void)
{
	static const uint8_t protos[] = {WH_PROTO_TCP, WH_PROTO_TCP, WH_PROTO_UDP, WH_PROTO_ICMP};
	static const uint64_t sizes[] = {0, 40, 60, 94, 95, 1500};
	static const uint16_t ports[] = {0, 53, 443, 1023, 1024, 32767, 32768, 60000};
	struct wh_flow f = {.proto = protos[of(4)],
	                    .src_port = ports[of(8)],
	                    .dst_port = ports[of(8)],
	                    .tcp_flags_toserver = (uint8_t)of(32),
	                    .tcp_flags_toclient = (uint8_t)of(32),
	                    .has_tcp_flags = of(4) != 0,
	                    .denied = of(8) == 0,
	                    .app_proto_known = of(3) == 0,
	                    .part = (uint8_t)(of(8) ? 0 : of(4)),
	                    .state = (enum wh_flow_state)of(6),
	                    .pkts_toserver = of(4),
	                    .pkts_toclient = of(4)};
	f.bytes_toserver = f.pkts_toserver * sizes[of(6)];
	f.bytes_toclient = f.pkts_toclient * sizes[of(6)];
	return f;
}

static void what_is_surely_answered_is_not_unanswered(void **state)
{
	unsigned sure = 0, unanswered = 0;
	(void)state;
	for (int i = 0; i < 2000000; i++) {
		struct wh_flow f = any_flow();
		bool not = wh_flow_server(&f) == WH_SIDE_UNANSWERED;
		unanswered += not;
		sure += wh_flow_surely_answered(&f);
		if (not && wh_flow_surely_answered(&f))
			fail_msg("protocol %u, flags %02x %02x, packets %llu %llu, state %d", f.proto, f.tcp_flags_toserver,
			         f.tcp_flags_toclient, (unsigned long long)f.pkts_toserver,
			         (unsigned long long)f.pkts_toclient, (int)f.state);
	}
	assert_true(sure > 100000 && unanswered > 100000); /* both kinds were met */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_surely_answered_is_not_unanswered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
