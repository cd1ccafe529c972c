/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rule set that breaks an essential service is refused by the service's name, and any other is not. */
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
	rule(&o, WH_INBOUND, WH_PROTO_UDP, 53, ""); /* a host that serves no names may close the port */
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
	struct wh_nft_packet p = {
		.proto = WH_PROTO_TCP, .port = 22, .peer = addr("203.0.113.7"), .established = true, .opens = true};
	struct one o;
	rule(&o, WH_INBOUND, WH_PROTO_TCP, 22, "");
	assert_true(wh_nft_passes(&o.rs, &p));
	p.established = false;
	assert_false(wh_nft_passes(&o.rs, &p));
	p.opens = false; /* of a connection from before conntrack watched */
	assert_true(wh_nft_passes(&o.rs, &p));
}

static void azures_probes_reach_the_probed_ports(void **state)
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
	rule(&o, WH_INBOUND, WH_PROTO_UDP, 443, "140.20.30.0/24"); /* probes are TCP, from outside */
	o.rs.azure = true;
	taken(&o, &nothing);
	rule(&o, WH_OUTBOUND, WH_PROTO_TCP, 443, "140.20.30.0/24");
	o.rs.azure = true;
	taken(&o, &nothing);
}

static void the_rules_of_an_azure_machine_let_the_probes_in(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_prefix p = wh_prefix_of(&(struct wh_addr){{[10] = 0xff, [11] = 0xff, [12] = 140}}, 128);
	struct wh_recommended_rule r = {.proto = WH_PROTO_TCP, .port = 22, .prefixes = &p, .n_prefixes = 1};
	struct wh_addr own = addr("10.0.0.4");
	struct wh_resource res = {.name = "vm1", .id = "/subscriptions/s/vm1", .addrs = &own, .n_addrs = 1};
	struct wh_resource_result result = {.resource = &res, .rules = &r, .n_rules = 1};
	struct wh_recommendation rec = {.resources = &result, .n_resources = 1};
	struct wh_nft_packet probe = {.proto = WH_PROTO_TCP, .port = 22, .peer = wh_azure_probe, .opens = true};
	struct wh_nft_ruleset *rs;
	struct wh_error err;
	assert_int_equal(wh_nft_ruleset_from(&rec, NULL, &(struct wh_nft_options){0}, mem, &rs, &err), 0);
	assert_true(rs->azure && wh_nft_passes(rs, &probe));
	assert_int_equal(wh_nft_check(rs, &nothing, &err), 0);
	res.id = NULL;
	assert_int_equal(wh_nft_ruleset_from(&rec, NULL, &(struct wh_nft_options){0}, mem, &rs, &err), 0);
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

/* A root directory with what a machine keeps in /etc and /run. */
struct root { char dir[40]; struct wh_arena *mem; struct wh_nft_host host; };

static void begin_root(struct root *r)
{
	static const char *const dirs[] = {"etc",
	                                   "run",
	                                   "etc/systemd",
	                                   "etc/chrony",
	                                   "run/systemd",
	                                   "run/systemd/resolve",
	                                   "etc/dnsmasq.d",
	                                   "etc/unbound",
	                                   "etc/unbound/unbound.conf.d",
	                                   "etc/bind",
	                                   "run/NetworkManager",
	                                   "run/dnsmasq"};
	char path[128];
	snprintf(r->dir, sizeof r->dir, "/tmp/whittle-root.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
		snprintf(path, sizeof path, "%s/%s", r->dir, dirs[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	r->mem = wh_arena_new();
}

static void end_root(struct root *r)
{
	char command[64];
	wh_arena_free(r->mem);
	snprintf(command, sizeof command, "rm -rf %s", r->dir);
	assert_int_equal(system(command), 0);
}

/* "9.9.9.9 53, 1.1.1.1 853": what the resolver behind the stub asks, or "?" and the reason. */
static const char *asks(struct root *r)
{
	static char text[512];
	char buf[WH_ADDR_STRLEN];
	size_t len = 0;
	wh_nft_host_read(r->dir, r->mem, &r->host);
	text[0] = 0;
	for (size_t i = 0; i < r->host.n_upstreams; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %u", i ? ", " : "",
		                        wh_addr_text(&r->host.upstreams[i].addr, buf), r->host.upstreams[i].port);
	if (r->host.unchecked)
		snprintf(text + len, sizeof text - len, "? %s", r->host.unchecked);
	return text;
}

static void the_servers_are_read_from_the_hosts_files(void **state)
{
	(void)state;
	struct root r;
	begin_root(&r);
	write_file(
		r.dir, "etc/resolv.conf",
		"# nameserver 1.1.1.1\nsearch example.com\nnameserver 10.0.0.53\nnameserver fe80::1%eth0\nnameservers 9.9.9.9\n");
	write_file(r.dir, "etc/systemd/timesyncd.conf",
	           "[Time]\nNTP=192.0.2.1 time.example.com 2001:db8::123\n#FallbackNTP=192.0.2.9\n");
	write_file(r.dir, "etc/ntp.conf", "server 192.0.2.2 iburst\npool pool.example.com\n");
	wh_nft_host_read(r.dir, r.mem, &r.host);
	assert_int_equal(r.host.n_resolvers, 2);
	assert_int_equal(r.host.n_time_servers, 3);
	assert_int_equal(r.host.n_upstreams, 0);
	assert_null(r.host.unchecked);
	wh_nft_host_read("/nonexistent", r.mem, &r.host);
	assert_int_equal(r.host.n_resolvers + r.host.n_time_servers, 0);
	end_root(&r);
}

static void behind_systemds_stub_its_own_servers_are_read(void **state)
{
	(void)state;
	struct root r;
	begin_root(&r);
	write_file(r.dir, "etc/resolv.conf", "nameserver 127.0.0.53\n");
	assert_non_null(strstr(asks(&r), "? 127.0.0.53 is systemd-resolved"));
	write_file(r.dir, "etc/systemd/resolved.conf",
	           "[Resolve]\nDNS=1.1.1.1#cloudflare-dns.com 1.0.0.1:5353 [2606:4700::1111]:853\nFallbackDNS=8.8.8.8\n");
	assert_string_equal(asks(&r), "1.1.1.1 53, 1.0.0.1 5353, 2606:4700::1111 853");
	write_file(r.dir, "run/NetworkManager/no-stub-resolv.conf", "nameserver 10.0.0.2\n");
	write_file(r.dir, "run/systemd/resolve/resolv.conf", "nameserver 9.9.9.9\nnameserver 2620:fe::fe\n");
	assert_string_equal(asks(&r), "9.9.9.9 53, 2620:fe::fe 53");
	end_root(&r);
}

static void behind_dnsmasq_its_servers_are_read(void **state)
{
	(void)state;
	struct root r;
	begin_root(&r);
	write_file(r.dir, "etc/resolv.conf", "nameserver 127.0.0.1\n");
	assert_non_null(strstr(asks(&r), "? 127.0.0.1 answers on this machine"));
	write_file(
		r.dir, "etc/dnsmasq.conf",
		"# server=8.8.8.8\nno-resolv\nserver=9.9.9.9\nserver=/corp.example/10.1.1.1#5353\nserver=//\nconf-dir=/etc/dnsmasq.d,*.conf\n");
	write_file(r.dir, "etc/dnsmasq.d/more.conf", "server = 1.1.1.1@eth0\nresolv-file=/etc/upstream\n");
	write_file(r.dir, "etc/upstream", "nameserver 10.0.0.53\nnameserver 127.0.0.1\n");
	assert_string_equal(asks(&r), "9.9.9.9 53, 10.1.1.1 5353, 1.1.1.1 53, 10.0.0.53 53");
	write_file(r.dir, "etc/dnsmasq.conf", "server=127.0.0.53\n"); /* one stub behind another */
	write_file(r.dir, "etc/dnsmasq.d/more.conf", "");
	write_file(r.dir, "run/systemd/resolve/resolv.conf", "nameserver 9.9.9.10\n");
	assert_string_equal(asks(&r), "9.9.9.10 53");
	end_root(&r);
}

static void behind_unbound_and_bind_their_forwarders_are_read(void **state)
{
	(void)state;
	struct root r;
	begin_root(&r);
	write_file(r.dir, "etc/resolv.conf", "nameserver ::1\n");
	write_file(r.dir, "etc/unbound/unbound.conf",
	           "server:\n  interface: ::1\ninclude: \"/etc/unbound/unbound.conf.d/*.conf\"\n");
	assert_non_null(strstr(asks(&r), "? unbound at ::1 asks the servers of each name"));
	write_file(r.dir, "etc/unbound/unbound.conf.d/f.conf",
	           "forward-zone:\n  name: \".\"\n  forward-addr: 9.9.9.9@853#dns.quad9.net\n  forward-addr: 10.0.0.53 # ours\n");
	assert_string_equal(asks(&r), "9.9.9.9 853, 10.0.0.53 53");
	end_root(&r);
	begin_root(&r);
	write_file(r.dir, "etc/resolv.conf", "nameserver 127.0.0.1\n");
	write_file(r.dir, "etc/bind/named.conf.options",
	           "options {\n\t// forwarders { 8.8.8.8; };\n\tforwarders { 9.9.9.9; 10.0.0.1 port 5353; };\n};\n");
	assert_string_equal(asks(&r), "9.9.9.9 53, 10.0.0.1 5353");
	end_root(&r);
}

static void names_behind_a_stub_stay_within_reach(void **state)
{
	(void)state;
	struct wh_addr stub = addr("127.0.0.53");
	struct wh_nft_upstream up[] = {{addr("9.9.9.9"), 53}, {addr("1.1.1.1"), 853}};
	struct wh_nft_host host = {.resolvers = &stub, .n_resolvers = 1, .upstreams = up, .n_upstreams = 2};
	struct wh_arena *mem = wh_arena_new();
	struct one o;
	rule(&o, WH_OUTBOUND, WH_PROTO_UDP, 53, "10.0.0.53");
	refused(&o, &host, "would break DNS: the rule for outbound port 53/UDP leaves out 9.9.9.9");
	rule(&o, WH_OUTBOUND, WH_PROTO_TCP, 853, "9.9.9.9");
	refused(&o, &host, "leaves out 1.1.1.1");
	rule(&o, WH_OUTBOUND, WH_PROTO_UDP, 853, "9.9.9.9"); /* TLS is over TCP */
	taken(&o, &host);
	rule(&o, WH_OUTBOUND, WH_PROTO_UDP, 53, "9.9.9.9");
	taken(&o, &host);
	assert_null(wh_nft_unchecked(&o.rs, &host, mem));
	host = (struct wh_nft_host){.resolvers = &stub, .n_resolvers = 1, .unchecked = "why"};
	taken(&o, &host);
	assert_non_null(strstr(wh_nft_unchecked(&o.rs, &host, mem), "can't check whether names can still be resolved: why"));
	rule(&o, WH_OUTBOUND, WH_PROTO_UDP, 53, "");
	refused(&o, &host, "allows nobody");
	rule(&o, WH_OUTBOUND, WH_PROTO_TCP, 443, "9.9.9.9");
	assert_null(wh_nft_unchecked(&o.rs, &host, mem)); /* these rules say nothing about DNS */
	wh_arena_free(mem);
}

static void only_a_resources_own_addresses_are_judged(void **state)
{
	(void)state;
	struct wh_addr own = addr("10.0.0.4"), vpn = addr("10.8.0.1");
	struct wh_nft_packet p = {.proto = WH_PROTO_TCP, .port = 22, .peer = addr("203.0.113.7"), .opens = true, .local = &own};
	struct one o;
	rule(&o, WH_INBOUND, WH_PROTO_TCP, 22, "140.20.30.0/24");
	o.port.locals = &own;
	o.port.n_locals = 1;
	assert_false(wh_nft_passes(&o.rs, &p));
	p.local = &vpn;
	assert_true(wh_nft_passes(&o.rs, &p));
	p.local = NULL; /* whichever it is */
	assert_false(wh_nft_passes(&o.rs, &p));
}

static void a_published_port_is_judged_by_the_port_that_the_peer_asked_for(void **state)
{
	(void)state;
	struct wh_addr own = addr("10.0.0.4");
	struct wh_nft_packet p = {.proto = WH_PROTO_TCP,
	                          .port = 8081,
	                          .peer = addr("203.0.113.7"),
	                          .opens = true,
	                          .local = &own,
	                          .translated = true,
	                          .forwarded = true,
	                          .translated_port = 80};
	struct one o;
	rule(&o, WH_INBOUND, WH_PROTO_TCP, 8081, "140.20.30.0/24");
	o.port.locals = &own;
	o.port.n_locals = 1;
	assert_false(wh_nft_passes(&o.rs, &p));
	p.forwarded = false; /* redirected to the machine itself: the same */
	assert_false(wh_nft_passes(&o.rs, &p));
	o.port.port = 80; /* the port behind it is judged for peers that ask for it */
	assert_true(wh_nft_passes(&o.rs, &p));
	p.translated = false;
	p.forwarded = true; /* somebody else's packet */
	p.port = 80;
	assert_true(wh_nft_passes(&o.rs, &p));
	p.forwarded = false;
	assert_false(wh_nft_passes(&o.rs, &p));
}

static void an_address_that_is_not_covered_is_named_with_its_reason(void **state)
{
	(void)state;
	struct wh_covered c[] = {{addr("10.0.0.4"), "eth0", WH_COVERED, "vm1", 2},
	                         {addr("172.17.0.1"), "docker0", WH_UNCLAIMED, NULL, 0},
	                         {addr("2001:db8::4"), "eth0", WH_NOTHING_LEARNED, NULL, 0},
	                         {addr("10.0.1.4"), "eth1", WH_NO_RULE, "vm2", 0},
	                         {addr("fe80::1"), "eth0", WH_LINK_LOCAL, NULL, 0}};
	struct wh_arena *mem = wh_arena_new();
	assert_string_equal(
		wh_nft_not_covered(c, 5, mem),
		"172.17.0.1 (docker0), 2001:db8::4 (nothing learned), 10.0.1.4 (no rule for vm2), link-local addresses");
	assert_null(wh_nft_not_covered(c, 1, mem));
	wh_arena_free(mem);
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
		cmocka_unit_test(azures_probes_reach_the_probed_ports),
		cmocka_unit_test(the_rules_of_an_azure_machine_let_the_probes_in),
		cmocka_unit_test(the_servers_are_read_from_the_hosts_files),
		cmocka_unit_test(behind_systemds_stub_its_own_servers_are_read),
		cmocka_unit_test(behind_dnsmasq_its_servers_are_read),
		cmocka_unit_test(behind_unbound_and_bind_their_forwarders_are_read),
		cmocka_unit_test(names_behind_a_stub_stay_within_reach),
		cmocka_unit_test(only_a_resources_own_addresses_are_judged),
		cmocka_unit_test(a_published_port_is_judged_by_the_port_that_the_peer_asked_for),
		cmocka_unit_test(an_address_that_is_not_covered_is_named_with_its_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
