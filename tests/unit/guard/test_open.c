/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Open connections that could not come back, and those of them that are a reason to refuse. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include "net/conntrack.h"
#include "whittle/ledger.h"
#include "whittle/open.h"

#define NOW (INT64_C(1790000000) * 1000000)
#define DAYS(n) ((n) * INT64_C(86400) * 1000000)

static struct wh_addr addr(const char *text)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(text, strlen(text), &a), 0);
	return a;
}

static struct wh_open from(const char *peer)
{
	return (struct wh_open){.direction = WH_INBOUND, .proto = WH_PROTO_TCP, .port = 22, .peer = addr(peer), .idle_us = -1};
}

static void a_connection_that_could_not_come_back_is_listed_and_an_old_or_large_one_refused(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_prefix allowed = wh_prefix_of(&(struct wh_addr){{0}}, 0);
	assert_int_equal(wh_prefix_parse("140.20.30.8/29", 14, &allowed, NULL), 0);
	struct wh_nft_port port = {.direction = WH_INBOUND, .proto = WH_PROTO_TCP, .port = 22, .v4 = &allowed, .n_v4 = 1};
	struct wh_nft_ruleset rs = {.ports = &port, .n_ports = 1};
	struct wh_open c[] = {from("140.20.30.9"), from("203.0.113.1"), from("203.0.113.2"), from("203.0.113.3"),
	                      from("203.0.113.4")};
	struct wh_open_list l = {.c = c, .n = 5};
	char text[200];
	size_t n, refused;
	c[0].start_us = NOW - DAYS(100); /* allowed: it may come back */
	c[2].start_us = NOW - DAYS(55);  /* from before the ledger's first day */
	c[3].has_bytes = true, c[3].bytes_in = 16 << 20;
	c[4].idle_us = DAYS(40);         /* idle since before it: at least so old */
	struct wh_open_cut *cuts = wh_open_cuts(&rs, &l, NOW - DAYS(30), NOW, mem, &n, &refused);
	assert_int_equal(n, 4);
	assert_int_equal(refused, 3);
	assert_int_equal(cuts[0].why, WH_OPEN_IS_LARGE);
	assert_ptr_equal(cuts[0].c, &c[3]);
	assert_int_equal(cuts[1].why, WH_OPEN_OLD);
	assert_int_equal(cuts[2].why, WH_OPEN_OLD);
	assert_int_equal(cuts[3].why, WH_OPEN_OTHER);
	assert_string_equal(wh_open_text(&c[2], NOW, text), "203.0.113.2 on port 22/TCP, open for 55 d, bytes unknown");
	assert_string_equal(wh_open_text(&c[4], NOW, text), "203.0.113.4 on port 22/TCP, open for 40 d at least, bytes unknown");
	assert_string_equal(wh_open_text(&c[3], NOW, text), "203.0.113.3 on port 22/TCP, age unknown, 16 MiB");
	wh_arena_free(mem);
}

static int count(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	int64_t *n = arg;
	(void)k;
	n[0]++;
	n[1] = (e->last_us - e->first_us) / 1000000;
	return 0;
}

/* The list comes from another process. */
static void an_entry_that_is_no_connection_is_no_evidence(void **state)
{
	(void)state;
	char dir[] = "/tmp/whittle-note-XXXXXX", db[64], rm[80];
	struct wh_open good = from("140.20.30.9");
	good.local = addr("10.0.0.4"), good.client_port = 40000, good.idle_us = 90 * INT64_C(1000000);
	struct wh_open c[] = {good, good, good, good, good};
	struct wh_open_list l = {.c = c, .n = 5};
	struct wh_ledger ledger;
	struct wh_error err;
	int64_t n[2] = {0};
	for (unsigned i = 1; i < 5; i++)
		c[i].peer = wh_addr_v4(0x8c141e00u + 20 + i);
	c[1].direction = 9, c[2].proto = 1, c[3].port = 0, c[4].client_port = 0;
	assert_non_null(mkdtemp(dir));
	snprintf(db, sizeof db, "%s/l.db", dir);
	assert_int_equal(wh_ledger_open(db, WH_STATE_CREATE, &ledger, &err), 0);
	assert_int_equal(wh_open_note(db, NULL, &l, NOW, &err), 0);
	wh_ledger_close(&ledger);
	assert_int_equal(wh_ledger_open(db, WH_STATE_READ, &ledger, &err), 0);
	assert_int_equal(wh_store_edges(ledger.store, NULL, count, n, &err), 0);
	assert_int_equal(n[0], 1);
	assert_int_equal(n[1], 90); /* at least as old as it is idle */
	wh_ledger_close(&ledger);
	snprintf(rm, sizeof rm, "rm -rf %s", dir);
	assert_int_equal(system(rm), 0);
}

static void put_tuple(struct nlmsghdr *h, uint16_t type, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport)
{
	struct nlattr *t = mnl_attr_nest_start(h, type), *ip = mnl_attr_nest_start(h, CTA_TUPLE_IP);
	mnl_attr_put_u32(h, CTA_IP_V4_SRC, htonl(src));
	mnl_attr_put_u32(h, CTA_IP_V4_DST, htonl(dst));
	mnl_attr_nest_end(h, ip);
	struct nlattr *p = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(h, CTA_PROTO_NUM, 6);
	mnl_attr_put_u16(h, CTA_PROTO_SRC_PORT, htons(sport));
	mnl_attr_put_u16(h, CTA_PROTO_DST_PORT, htons(dport));
	mnl_attr_nest_end(h, p);
	mnl_attr_nest_end(h, t);
}

static struct nlmsghdr *message(char *buf)
{
	memset(buf, 0, 1024);
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->nfgen_family = AF_INET;
	put_tuple(h, CTA_TUPLE_ORIG, 0xcb007101, 0x0a000004, 40000, 2222);
	return h;
}

static void a_message_of_the_kernel_is_read_and_a_cut_one_refused(void **state)
{
	(void)state;
	char buf[1024];
	struct wh_ct_flow f;
	struct nlmsghdr *h = message(buf);
	assert_false(wh_ct_parse(h, &f)); /* no reply */
	put_tuple(h, CTA_TUPLE_REPLY, 0x0a000004, 0xcb007101, 22, 40000);
	mnl_attr_put_u32(h, CTA_STATUS, htonl(0x2e));
	assert_true(wh_ct_parse(h, &f));
	assert_int_equal(f.orig.dst_port, 2222);
	assert_int_equal(f.reply.src_port, 22);
	assert_int_equal(f.status, 0x2e);
	assert_false(f.has_bytes);
	assert_int_equal(f.start_us, 0);
	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	assert_false(wh_ct_parse(h, &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_that_could_not_come_back_is_listed_and_an_old_or_large_one_refused),
		cmocka_unit_test(an_entry_that_is_no_connection_is_no_evidence),
		cmocka_unit_test(a_message_of_the_kernel_is_read_and_a_cut_one_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
