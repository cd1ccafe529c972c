/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What no rule set may break is refused by its name, and what breaks nothing is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "whittle/enforce.h"

static struct wh_addr addr(const char *s)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(s, strlen(s), &a), 0);
	return a;
}

/* One port and the prefixes that it allows. */
struct one {
	struct wh_nft_port port;
	struct wh_prefix v4[4], v6[4];
	struct wh_nft_ruleset rs;
};

static void rule(struct one *o, enum wh_direction d, uint8_t proto, uint16_t port, const char *prefixes)
{
	char text[256], *save, *word;
	memset(o, 0, sizeof *o);
	o->port = (struct wh_nft_port){.direction = d, .proto = proto, .port = port, .v4 = o->v4, .v6 = o->v6};
	o->rs = (struct wh_nft_ruleset){.ports = &o->port, .n_ports = 1};
	snprintf(text, sizeof text, "%s", prefixes);
	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		struct wh_prefix p;
		assert_int_equal(wh_prefix_parse(word, strlen(word), &p, NULL), 0);
		if (wh_prefix_is_v4(&p))
			o->v4[o->port.n_v4++] = p;
		else
			o->v6[o->port.n_v6++] = p;
	}
}

static struct wh_nft_host nothing;

static void refused(struct one *o, const struct wh_nft_host *host, const char *name)
{
	struct wh_error err;
	assert_int_equal(wh_nft_check(&o->rs, host, &err), -EPERM);
	assert_true(err.input);
	if (!strstr(err.text, name))
		fail_msg("'%s' does not name %s", err.text, name);
	if (o->port.proto == WH_PROTO_TCP || o->port.proto == WH_PROTO_UDP) {
		o->rs.audit = true; /* an audit breaks nothing */
		assert_int_equal(wh_nft_check(&o->rs, host, &err), 0);
	}
}

static void taken(struct one *o, const struct wh_nft_host *host)
{
	struct wh_error err;
	if (wh_nft_check(&o->rs, host, &err))
		fail_msg("%s", err.text);
}

static void dns_stays_within_reach(void **state)
{
	(void)state;
	struct wh_addr resolvers[] = {addr("10.0.0.53"), addr("127.0.0.53"), addr("2001:db8::53")};
	struct wh_nft_host host = {.resolvers = resolvers, .n_resolvers = 3};
	struct one o;
	rule(&o, WH_OUTBOUND, WH_PROTO_UDP, 53, "8.8.8.0/24");
	refused(&o, &host, "DNS");
	rule(&o, WH_OUTBOUND, WH_PROTO_TCP, 53, "10.0.0.0/8");
	refused(&o, &host, "2001:db8::53");
	rule(&o, WH_OUTBOUND, WH_PROTO_UDP, 53, "10.0.0.0/8 2001:db8::/32");
	taken(&o, &host);
	rule(&o, WH_OUTBOUND, WH_PROTO_UDP, 53, "");
	refused(&o, &nothing, "DNS");
	rule(&o, WH_INBOUND, WH_PROTO_UDP, 53, ""); /* who serves no names may close the port */
	taken(&o, &host);
}

static void dhcp_stays_within_reach(void **state)
{
	(void)state;
	struct one o;
	rule(&o, WH_OUTBOUND, WH_PROTO_UDP, 67, "10.0.0.1");
	refused(&o, &nothing, "DHCP");
	rule(&o, WH_OUTBOUND, WH_PROTO_UDP, 67, "10.0.0.1 255.255.255.255");
	taken(&o, &nothing);
	rule(&o, WH_INBOUND, WH_PROTO_UDP, 68, "10.0.0.1");
	refused(&o, &nothing, "DHCP");
	rule(&o, WH_INBOUND, WH_PROTO_UDP, 68, "0.0.0.0/0");
	taken(&o, &nothing);
	rule(&o, WH_INBOUND, WH_PROTO_UDP, 67, "10.0.0.0/8");
	refused(&o, &nothing, "DHCP");
	rule(&o, WH_INBOUND, WH_PROTO_UDP, 67, "");
	taken(&o, &nothing);
	rule(&o, WH_OUTBOUND, WH_PROTO_UDP, 547, "2001:db8::/32");
	refused(&o, &nothing, "DHCP");
	rule(&o, WH_INBOUND, WH_PROTO_UDP, 546, "fe80::1");
	refused(&o, &nothing, "DHCP");
	rule(&o, WH_INBOUND, WH_PROTO_UDP, 546, "fe80::/10");
	taken(&o, &nothing);
}

static void ntp_stays_within_reach(void **state)
{
	(void)state;
	struct wh_addr servers[] = {addr("192.0.2.123")};
	struct wh_nft_host host = {.time_servers = servers, .n_time_servers = 1};
	struct one o;
	rule(&o, WH_OUTBOUND, WH_PROTO_UDP, 123, "192.0.2.1");
	refused(&o, &host, "NTP");
	rule(&o, WH_OUTBOUND, WH_PROTO_UDP, 123, "192.0.2.0/24");
	taken(&o, &host);
	rule(&o, WH_OUTBOUND, WH_PROTO_UDP, 123, "");
	refused(&o, &nothing, "NTP");
	rule(&o, WH_INBOUND, WH_PROTO_UDP, 123, "");
	taken(&o, &host);
}

static void neighbour_discovery_is_never_judged(void **state)
{
	(void)state;
	struct one o;
	rule(&o, WH_INBOUND, WH_PROTO_ICMPV6, 135, "2001:db8::/32");
	refused(&o, &nothing, "neighbour discovery");
}

static void path_mtu_is_never_judged(void **state)
{
	(void)state;
	struct one o;
	rule(&o, WH_INBOUND, WH_PROTO_ICMP, 3, "10.0.0.0/8");
	refused(&o, &nothing, "path MTU");
	rule(&o, WH_INBOUND, 47, 0, "10.0.0.0/8");
	refused(&o, &nothing, "protocols without ports");
}

static void loopback_is_never_judged(void **state)
{
	(void)state;
	struct wh_addr lo = addr("127.0.0.1");
	struct wh_nft_packet p = {.proto = WH_PROTO_TCP, .port = 22, .peer = lo, .opens = true};
	struct one o;
	rule(&o, WH_INBOUND, WH_PROTO_TCP, 22, "");
	assert_false(wh_nft_passes(&o.rs, &p));
	p.loopback = true;
	assert_true(wh_nft_passes(&o.rs, &p));
	o.port.locals = &lo;
	o.port.n_locals = 1;
	struct wh_error err;
	assert_int_equal(wh_nft_check(&o.rs, &nothing, &err), -EPERM);
	assert_non_null(strstr(err.text, "loopback"));
}

static void established_flows_are_never_judged(void **state)
{
	(void)state;
	struct wh_nft_packet p = {.proto = WH_PROTO_TCP, .port = 22, .peer = addr("203.0.113.7"), .established = true, .opens = true};
	struct one o;
	rule(&o, WH_INBOUND, WH_PROTO_TCP, 22, "");
	assert_true(wh_nft_passes(&o.rs, &p));
	p.established = false;
	assert_false(wh_nft_passes(&o.rs, &p));
	p.opens = false; /* of a connection from before conntrack watched */
	assert_true(wh_nft_passes(&o.rs, &p));
}

static void azures_probes_reach_what_they_probe(void **state)
{
	(void)state;
	struct one o;
	rule(&o, WH_INBOUND, WH_PROTO_TCP, 443, "140.20.30.0/24");
	taken(&o, &nothing);
	o.rs.azure = true;
	refused(&o, &nothing, "Azure's load-balancer probes");
	rule(&o, WH_INBOUND, WH_PROTO_TCP, 443, "140.20.30.0/24 168.63.129.16");
	o.rs.azure = true;
	taken(&o, &nothing);
}

static void what_an_azure_machine_gets_lets_the_probes_in(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_prefix p = wh_prefix_of(&(struct wh_addr){{[10] = 0xff, [11] = 0xff, [12] = 140}}, 128);
	struct wh_recommended_rule r = {.proto = WH_PROTO_TCP, .port = 22, .prefixes = &p, .n_prefixes = 1};
	struct wh_resource res = {.name = "vm1", .id = "/subscriptions/s/vm1"};
	struct wh_resource_result result = {.resource = &res, .rules = &r, .n_rules = 1};
	struct wh_recommendation rec = {.resources = &result, .n_resources = 1};
	struct wh_nft_packet probe = {.proto = WH_PROTO_TCP, .port = 22, .peer = wh_azure_probe, .opens = true};
	struct wh_nft_ruleset *rs;
	struct wh_error err;
	assert_int_equal(wh_nft_ruleset_from(&rec, NULL, NULL, 0, mem, &rs, &err), 0);
	assert_true(rs->azure && wh_nft_passes(rs, &probe));
	assert_int_equal(wh_nft_check(rs, &nothing, &err), 0);
	res.id = NULL;
	assert_int_equal(wh_nft_ruleset_from(&rec, NULL, NULL, 0, mem, &rs, &err), 0);
	assert_false(rs->azure || wh_nft_passes(rs, &probe));
	wh_arena_free(mem);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void the_host_says_which_servers_it_uses(void **state)
{
	(void)state;
	char dir[] = "/tmp/whittle-etc.XXXXXX", path[64];
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_host host;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/systemd", dir);
	mkdir(path, 0700);
	write_file(dir, "resolv.conf", "# nameserver 1.1.1.1\nsearch example.com\nnameserver 10.0.0.53\nnameserver fe80::1%eth0\nnameservers 9.9.9.9\n");
	write_file(dir, "systemd/timesyncd.conf", "[Time]\nNTP=192.0.2.1 time.example.com 2001:db8::123\n#FallbackNTP=192.0.2.9\n");
	write_file(dir, "ntp.conf", "server 192.0.2.2 iburst\npool pool.example.com\n");
	wh_nft_host_read(dir, mem, &host);
	assert_int_equal(host.n_resolvers, 2);
	assert_int_equal(host.n_time_servers, 3);
	wh_nft_host_read("/nonexistent", mem, &host);
	assert_int_equal(host.n_resolvers + host.n_time_servers, 0);
	wh_arena_free(mem);
	snprintf(path, sizeof path, "rm -rf %s", dir);
	assert_int_equal(system(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dns_stays_within_reach),
		cmocka_unit_test(dhcp_stays_within_reach),
		cmocka_unit_test(ntp_stays_within_reach),
		cmocka_unit_test(neighbour_discovery_is_never_judged),
		cmocka_unit_test(path_mtu_is_never_judged),
		cmocka_unit_test(loopback_is_never_judged),
		cmocka_unit_test(established_flows_are_never_judged),
		cmocka_unit_test(azures_probes_reach_what_they_probe),
		cmocka_unit_test(what_an_azure_machine_gets_lets_the_probes_in),
		cmocka_unit_test(the_host_says_which_servers_it_uses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
