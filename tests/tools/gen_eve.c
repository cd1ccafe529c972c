/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes EVE records as Suricata 7 does, about 600 bytes each: N flow records over M distinct edges, deterministic by seed.
 * Clients of ten servers in 10.1.0.0/16 and 2001:db8:1::/48; a tenth are scans that nobody answers.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "whittle/base.h"

static const char help[] =
	"usage: gen_eve [options] >eve.json\n"
	"  --records N   records to write (default 100000)\n"
	"  --edges M     distinct (server, port, client) among answered flows (default 10000)\n"
	"  --other P     percent of records that are dns, tls, http, alert and stats (default 0)\n"
	"  --ipv6 P      percent of edges in IPv6 (default 8)\n"
	"  --tcp         every service is of TCP\n"
	"  --clients P   clients are of this /64, four groups of four hexadecimal digits\n"
	"  --days D      days over which they are spread (default 31)\n"
	"  --seed S      (default 1)\n";

struct options {
	uint64_t records, edges, other, ipv6, days, seed;
	const char *clients; /* NULL: any */
	bool tcp;
};

/* splitmix64 */
static uint64_t mix(uint64_t z)
{
	z += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t rng;
static uint64_t next(void)
{
	return mix(rng++);
}

struct service {
	uint16_t port;
	const char *proto, *app;
};
static const struct service services[] = {
	{443, "TCP", "tls"}, {22, "TCP", "ssh"},  {80, "TCP", "http"}, {53, "UDP", "dns"},      {3389, "TCP", "rdp"},
	{5432, "TCP", NULL}, {445, "TCP", "smb"}, {123, "UDP", "ntp"}, {8081, "TCP", "failed"}, {161, "UDP", "snmp"},
};

struct edge {
	char client[46], server[46];
	const struct service *service;
};

static void edge_of(const struct options *o, uint64_t n, struct edge *e)
{
	uint64_t h = mix(o->seed ^ n << 8);
	unsigned server = (unsigned)(n % 10) + 4;
	e->service = &services[h % 10];
	if (o->clients) {
		snprintf(e->client, sizeof e->client, "%s:%04x:%04x:%04x:%04x", o->clients, 0u, (unsigned)(n >> 32 & 0xffff),
		         (unsigned)(n >> 16 & 0xffff), (unsigned)(n & 0xffff));
		snprintf(e->server, sizeof e->server, "2001:0db8:0001:0000:0000:0000:0000:%04x", server);
		return;
	}
	if (h >> 8 & 0x7f && (h >> 16) % 100 >= o->ipv6) {
		/* the edge's number is in the address, so that edges are distinct */
		snprintf(e->client, sizeof e->client, "%u.%u.%u.%u", 60 + (unsigned)(n >> 24 & 0x3f), (unsigned)(n >> 16 & 0xff),
		         (unsigned)(n >> 8 & 0xff), (unsigned)(n & 0xff));
		snprintf(e->server, sizeof e->server, "10.1.%u.%u", server % 3, server);
	} else {
		snprintf(e->client, sizeof e->client, "2a02:%x:%x:0000:%04x:%04x:%04x:%04x", (unsigned)(n >> 16 & 0xfff) + 0x1000,
		         (unsigned)(n & 0xffff) | 0x1000, (unsigned)(h >> 20 & 0xffff), (unsigned)(h >> 28 & 0xffff),
		         (unsigned)(h >> 36 & 0xffff), (unsigned)(h >> 44 & 0xffff));
		snprintf(e->server, sizeof e->server, "2001:0db8:0001:0000:0000:0000:0000:%04x", server);
	}
}

static char *stamp(int64_t us, char buf[static 40])
{
	char day[WH_TIME_STRLEN];
	wh_time_text(us, day);
	snprintf(buf, 40, "%.19s.%06u+0000", day, (unsigned)(us % 1000000));
	return buf;
}

static void write_flow(const struct edge *e, int64_t now, bool answered, bool tcp)
{
	char t[40], start[40], end[40];
	uint64_t r = next();
	unsigned length = (unsigned)(r % 4000000), pkts = 4 + (unsigned)(r >> 32) % 60,
		 back = answered ? pkts - (unsigned)(r >> 40) % 3 : 0;
	tcp |= e->service->proto[0] == 'T';
	if (!answered)
		pkts = 1 + (unsigned)(r >> 32) % 3;
	printf("{\"timestamp\":\"%s\",\"flow_id\":%" PRIu64
	       ",\"in_iface\":\"eth0\",\"event_type\":\"flow\",\"src_ip\":\"%s\",\"src_port\":%u,"
	       "\"dest_ip\":\"%s\",\"dest_port\":%u,\"proto\":\"%s\"",
	       stamp(now, t), next() >> 13, e->client, 1024 + (unsigned)(r >> 8) % 64000, e->server, e->service->port,
	       tcp ? "TCP" : "UDP");
	if (e->service->app && answered)
		printf(",\"app_proto\":\"%s\"", e->service->app);
	printf(",\"flow\":{\"pkts_toserver\":%u,\"pkts_toclient\":%u,\"bytes_toserver\":%u,\"bytes_toclient\":%u,\"start\":\"%s\",\"end\":\"%s\","
	       "\"age\":%u,\"state\":\"%s\",\"reason\":\"%s\",\"alerted\":false}",
	       pkts, back, pkts * (60 + (unsigned)(r >> 20 & 0xff)), back * (90 + (unsigned)(r >> 24 & 0x3ff)),
	       stamp(now - 60000000 - length, start), stamp(now - 60000000, end), length / 1000000,
	       !answered ? "new"
	       : tcp     ? "closed"
	                 : "established",
	       r >> 50 & 7 ? "timeout" : "shutdown");
	if (tcp && answered)
		fputs(",\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\",\"syn\":true,\"fin\":true,\"psh\":true,\"ack\":true,"
		      "\"state\":\"closed\",\"ts_max_regions\":1,\"tc_max_regions\":1}",
		      stdout);
	else if (tcp)
		fputs(",\"tcp\":{\"tcp_flags\":\"02\",\"tcp_flags_ts\":\"02\",\"tcp_flags_tc\":\"00\",\"syn\":true,\"state\":\"syn_sent\",\"ts_max_regions\":1,"
		      "\"tc_max_regions\":1}",
		      stdout);
	fputs("}\n", stdout);
}

static void write_other(const struct edge *e, int64_t now)
{
	char t[40];
	uint64_t r = next();
	printf("{\"timestamp\":\"%s\",\"flow_id\":%" PRIu64
	       ",\"in_iface\":\"eth0\",\"event_type\":\"%s\",\"src_ip\":\"%s\",\"src_port\":%u,"
	       "\"dest_ip\":\"%s\",\"dest_port\":%u,\"proto\":\"%s\",",
	       stamp(now, t), next() >> 13, (const char *[]){"dns", "tls", "http", "alert"}[r % 4], e->client,
	       1024 + (unsigned)(r >> 8) % 64000, e->server, e->service->port, e->service->proto);
	switch (r % 4) {
	case 0:
		printf("\"dns\":{\"version\":2,\"type\":\"answer\",\"id\":%u,\"flags\":\"8180\",\"qr\":true,\"rd\":true,\"ra\":true,\"rrname\":\"host%u.example.com\","
		       "\"rrtype\":\"A\",\"rcode\":\"NOERROR\",\"answers\":[{\"rrname\":\"host%u.example.com\",\"rrtype\":\"A\",\"ttl\":%u,\"rdata\":\"93.184.%u.%u\"}],"
		       "\"grouped\":{\"A\":[\"93.184.%u.%u\"]}}}\n",
		       (unsigned)(r >> 16 & 0xffff), (unsigned)(r >> 32 & 0xfff), (unsigned)(r >> 32 & 0xfff),
		       (unsigned)(r >> 20 & 0xfff), (unsigned)(r >> 8 & 0xff), (unsigned)(r >> 44 & 0xff),
		       (unsigned)(r >> 8 & 0xff), (unsigned)(r >> 44 & 0xff));
		break;
	case 1:
		printf("\"tls\":{\"subject\":\"CN=host%u.example.com\",\"issuerdn\":\"C=US, O=Example, CN=Example CA %u\",\"serial\":\"0A:01:41:42:%02X\","
		       "\"fingerprint\":\"%02x:4e:5f:2a:99:11:00:1f:c3:aa:bd:77:12:90:0e:fe:31:44:09:5c\",\"sni\":\"host%u.example.com\",\"version\":\"TLS 1.2\","
		       "\"notbefore\":\"2026-01-01T00:00:00\",\"notafter\":\"2027-01-01T00:00:00\",\"ja3\":{},\"ja3s\":{}}}\n",
		       (unsigned)(r >> 32 & 0xfff), (unsigned)(r >> 16 & 7), (unsigned)(r >> 20 & 0xff),
		       (unsigned)(r >> 28 & 0xff), (unsigned)(r >> 32 & 0xfff));
		break;
	case 2:
		printf("\"tx_id\":0,\"http\":{\"hostname\":\"www.example.com\",\"url\":\"\\/path\\/%u?q=%u\",\"http_user_agent\":\"Mozilla\\/5.0 (X11; Linux x86_64)\","
		       "\"http_content_type\":\"text\\/html\",\"http_method\":\"GET\",\"protocol\":\"HTTP\\/1.1\",\"status\":200,\"length\":%u}}\n",
		       (unsigned)(r >> 32 & 0xfff), (unsigned)(r >> 20 & 0xfff), (unsigned)(r >> 44));
		break;
	default:
		printf("\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":%u,\"rev\":3,\"signature\":\"ET SCAN Potential Scan Inbound\",\"category\":"
		       "\"Attempted Information Leak\",\"severity\":%u},\"app_proto\":\"ssh\",\"direction\":\"to_server\",\"flow\":{\"pkts_toserver\":%u,"
		       "\"pkts_toclient\":1,\"bytes_toserver\":%u,\"bytes_toclient\":66,\"start\":\"%s\"}}\n",
		       2000000 + (unsigned)(r >> 32 & 0xffff), 1 + (unsigned)(r >> 16 & 3) % 3, 1 + (unsigned)(r >> 20 & 7),
		       60 + (unsigned)(r >> 24 & 0xff), stamp(now - 1000, t));
	}
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"records", required_argument, NULL, 'r'},
		{"edges", required_argument, NULL, 'e'},
		{"other", required_argument, NULL, 'o'},
		{"ipv6", required_argument, NULL, '6'},
		{"days", required_argument, NULL, 'd'},
		{"seed", required_argument, NULL, 's'},
		{"clients", required_argument, NULL, 'c'},
		{"tcp", no_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		uint64_t n = optarg ? strtoull(optarg, NULL, 10) : 0;
		switch (c) {
		case 'r': o->records = n; break;
		case 'e': o->edges = n ? n : 1; break;
		case 'o': o->other = n; break;
		case '6': o->ipv6 = n; break;
		case 'd': o->days = n ? n : 1; break;
		case 's': o->seed = n; break;
		case 'c': o->clients = optarg; break;
		case 't': o->tcp = true; break;
		case 'h': fputs(help, stdout); exit(0);
		default: fputs(help, stderr); return 2;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = {.records = 100000, .edges = 10000, .ipv6 = 8, .days = 31, .seed = 1};
	int rc = parse(argc, argv, &o);
	if (rc)
		return rc;
	rng = mix(o.seed) << 20;
	/* In large blocks: written a page at a time, a file is in the page cache a page at a time, and reading it back takes
	 * twice the kernel's time of one that came from a disk. */
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	const int64_t from = INT64_C(1790812800000000) /* 2026-10-01 */, span = (int64_t)o.days * WH_US_PER_DAY;
	for (uint64_t i = 0; i < o.records; i++) {
		int64_t now = from + (int64_t)((double)span * (double)i / (double)o.records) + (int64_t)(next() % 1000000);
		struct edge e;
		uint64_t r = next();
		bool answered = r % 10 != 0;
		edge_of(&o, answered ? (r >> 8) % o.edges : o.edges + (r >> 8) % 60000000, &e);
		if (next() % 100 < o.other)
			write_other(&e, now);
		else
			write_flow(&e, now, answered, o.tcp);
	}
	return fflush(stdout) || ferror(stdout);
}
