/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The openings of a ruleset, in, out and through: of chains made by hand, as Docker and a firewall of one's own have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <cmocka.h>
#include "nft/expr.h"
#include "nft/filter.h"
#include "nft/table.h"
#include "tests/unit/support/arena.h"

static const struct wh_nft_way ways[] = {
	{"eth0", 2, {{[10] = 255, 255, 203, 0, 113, 7}}, 120, true},
	{"docker0", 3, {{[10] = 255, 255, 172, 17, 0, 1}}, 112, false},
};

/* ---- rules ---- */

static void tcp_port(struct nftnl_rule *r, uint8_t high, uint8_t low)
{
	uint8_t family = NFPROTO_IPV4, tcp = WH_PROTO_TCP, port[] = {high, low};
	meta(r, NFT_META_NFPROTO, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &family, 1);
	meta(r, NFT_META_L4PROTO, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &tcp, 1);
	payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG_1);
	compare(r, NFT_CMP_EQ, port, 2);
}

static void ssh_accepts(struct nftnl_rule *r)
{
	tcp_port(r, 0, 22);
	verdict(r, NF_ACCEPT);
}

static void constant(struct nftnl_rule *r, uint32_t reg, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr(r, "immediate");
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, reg);
	nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, data, len);
}

static void publishes_8080(struct nftnl_rule *r) /* tcp dport 8080 dnat ip to 172.17.0.2:80 */
{
	static const uint8_t to[] = {172, 17, 0, 2}, port[] = {0, 80};
	tcp_port(r, 31, 144);
	constant(r, NFT_REG_1, to, sizeof to);
	constant(r, NFT_REG_2, port, sizeof port);
	struct nftnl_expr *e = expr(r, "nat");
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV4);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED);
}

static void publishes_8080_to_ten(struct nftnl_rule *r) /* ip saddr 10.0.0.0/8 … */
{
	static const uint8_t ten[] = {10}, family = NFPROTO_IPV4;
	meta(r, NFT_META_NFPROTO, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &family, 1);
	payload(r, NFT_PAYLOAD_NETWORK_HEADER, 12, 1, NFT_REG_1);
	compare(r, NFT_CMP_EQ, ten, 1);
	publishes_8080(r);
}

static void docker_accepts(struct nftnl_rule *r) /* oifname "docker0" tcp dport 80 accept */
{
	static const char name[16] = "docker0";
	meta(r, NFT_META_OIFNAME, NFT_REG_1);
	compare(r, NFT_CMP_EQ, name, sizeof name);
	tcp_port(r, 0, 80);
	verdict(r, NF_ACCEPT);
}

static void other_bridge_accepts(struct nftnl_rule *r)
{
	static const char name[16] = "br9";
	meta(r, NFT_META_OIFNAME, NFT_REG_1);
	compare(r, NFT_CMP_EQ, name, sizeof name);
	verdict(r, NF_ACCEPT);
}

static void ct(struct nftnl_rule *r, uint32_t key, bool original)
{
	struct nftnl_expr *e = expr(r, "ct");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	if (original)
		nftnl_expr_set_u8(e, NFTNL_EXPR_CT_DIR, 0);
}

static void what_was_asked_for_accepts(struct nftnl_rule *r) /* ct status dnat ct original proto-dst 8080 accept */
{
	static const uint8_t dnat[] = {0x20, 0, 0, 0}, none[4], port[] = {31, 144};
	ct(r, NFT_CT_STATUS, false);
	mask(r, dnat, 4);
	compare(r, NFT_CMP_NEQ, none, 4);
	ct(r, NFT_CT_PROTO_DST, true);
	compare(r, NFT_CMP_EQ, port, 2);
	verdict(r, NF_ACCEPT);
}

/* ---- chains ---- */

static struct wh_rules made[3];

static void chain(struct wh_nft_view *v, int hook, int priority, bool filters, bool drops, void (*rule)(struct nftnl_rule *r))
{
	struct wh_rules *rules = &made[v->n_chains];
	*rules = (struct wh_rules){0};
	if (rule)
		rule(wh_rules_add(rules, "filter", "c"));
	v->chains = v->chains ? v->chains : wh_arena_array(mem, 3, sizeof *v->chains);
	v->chains[v->n_chains++] = (struct wh_nft_view_chain){.family = NFPROTO_INET,
	                                                      .table = "filter",
	                                                      .name = "c",
	                                                      .hook = hook,
	                                                      .priority = priority,
	                                                      .filters = filters,
	                                                      .drops = drops,
	                                                      .rules = rules->r,
	                                                      .n = rules->n};
}

static struct wh_nft_openings openings(struct wh_nft_view *v)
{
	struct wh_nft_openings o;
	wh_nft_view_openings(v, ways, 2, mem, &o);
	for (size_t i = 0; i < v->n_chains; i++)
		wh_rules_free(&made[i]);
	return o;
}

static const struct wh_nft_opening *first(const struct wh_nft_openings *o, enum wh_nft_opening_kind kind, uint16_t way,
                                          uint8_t proto)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->o[i].kind == kind && o->o[i].way == way && o->o[i].proto == proto)
			return &o->o[i];
	return NULL;
}

static void a_port_that_no_chain_judges_is_open(void **state)
{
	struct wh_nft_view v = {.mem = mem};
	(void)state;
	struct wh_nft_openings o = openings(&v);
	const struct wh_nft_opening *in = first(&o, WH_NFT_LETS_IN, 0, WH_PROTO_TCP);
	assert_non_null(in);
	assert_true(in->certain && in->first == 0 && in->last == 65535);
	assert_string_equal(in->by, "default: no chain of the ruleset judges it");
	assert_int_equal(o.forwards[0], WH_ALLOWED);
}

static void a_policy_to_drop_leaves_the_ports_that_rules_name(void **state)
{
	struct wh_nft_view v = {.mem = mem};
	(void)state;
	chain(&v, NF_INET_LOCAL_IN, 0, true, true, ssh_accepts);
	struct wh_nft_openings o = openings(&v);
	const struct wh_nft_opening *in = first(&o, WH_NFT_LETS_IN, 0, WH_PROTO_TCP);
	assert_non_null(in);
	assert_true(in->certain && in->first == 22 && in->last == 22);
	assert_string_equal(in->by, "rule 1 of filter c");
	assert_null(first(&o, WH_NFT_LETS_IN, 0, WH_PROTO_UDP));
	assert_non_null(first(&o, WH_NFT_LETS_OUT, 0, WH_PROTO_UDP));
	assert_string_equal(o.chains, "filter c\n");
}

static const struct wh_nft_opening *published(void (*forwarding)(struct nftnl_rule *r), struct wh_nft_openings *o)
{
	struct wh_nft_view v = {.mem = mem};
	chain(&v, NF_INET_PRE_ROUTING, -100, false, false, publishes_8080);
	chain(&v, NF_INET_LOCAL_IN, 0, true, true, NULL);
	chain(&v, NF_INET_FORWARD, 0, true, true, forwarding);
	*o = openings(&v);
	const struct wh_nft_opening *p = first(o, WH_NFT_PUBLISHES, 0, WH_PROTO_TCP);
	assert_non_null(p);
	assert_int_equal(p->first, 8080);
	assert_int_equal(p->to_port, 80);
	return p;
}

static void a_published_port_is_open_to_those_that_forwarding_lets_through(void **state)
{
	struct wh_nft_openings o;
	(void)state;
	const struct wh_nft_opening *p = published(docker_accepts, &o);
	assert_true(p->certain && !p->nobody);
	assert_int_equal(o.forwards[0], WH_DENIED);
	assert_true(published(other_bridge_accepts, &o)->nobody); /* it leaves by docker0, which has the network of the address */
	assert_true(published(NULL, &o)->nobody);
}

static void a_port_that_is_published_to_some_sources_is_open_to_these_alone(void **state)
{
	struct wh_nft_view v = {.mem = mem};
	char from[WH_ADDR_STRLEN], until[WH_ADDR_STRLEN];
	size_t rows = 0;
	(void)state;
	chain(&v, NF_INET_PRE_ROUTING, -100, false, false, publishes_8080_to_ten);
	chain(&v, NF_INET_FORWARD, 0, true, true, docker_accepts);
	struct wh_nft_openings o = openings(&v);
	const struct wh_nft_opening *p = first(&o, WH_NFT_PUBLISHES, 0, WH_PROTO_TCP);
	assert_non_null(p);
	assert_string_equal(wh_addr_text(&p->from, from), "10.0.0.0");
	assert_string_equal(wh_addr_text(&p->until, until), "10.255.255.255");
	for (size_t i = 0; i < o.n; i++)
		rows += o.o[i].kind == WH_NFT_PUBLISHES && o.o[i].way == p->way && o.o[i].proto == p->proto;
	assert_int_equal(rows, 1);
}

static void the_port_that_a_translated_packet_asked_for_is_known(void **state)
{
	struct wh_nft_openings o;
	(void)state;
	const struct wh_nft_opening *p = published(what_was_asked_for_accepts, &o);
	assert_true(p->certain && !p->nobody);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_that_no_chain_judges_is_open),
		cmocka_unit_test(a_policy_to_drop_leaves_the_ports_that_rules_name),
		cmocka_unit_test(a_published_port_is_open_to_those_that_forwarding_lets_through),
		cmocka_unit_test(a_port_that_is_published_to_some_sources_is_open_to_these_alone),
		cmocka_unit_test(the_port_that_a_translated_packet_asked_for_is_known),
	};
	return cmocka_run_group_tests_name("openings", tests, arena_begin, arena_end);
}
