/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes flow logs of clouds and of Zeek for benchmarks and tests: gen_flows vnet|nsg|zeek|aws FLOWS [PEERS] [HOURS]. The flows
 * are the same in each format: peers of the Internet and of the network connect to four servers; one flow in eight is denied,
 * and one in eight lasts and is logged in one part more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t rng = 0x9e3779b97f4a7c15u;
static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
	return (uint32_t)((rng >> 33) % n);
}

struct flow {
	char src[20], dst[20];
	unsigned sport, dport, denied, lasts;
	uint64_t start, end; /* s */
	unsigned pkts[2];
	unsigned long bytes[2];
};

static struct flow make(uint64_t t, unsigned peers)
{
	static const unsigned ports[] = {22, 443, 443, 5432};
	struct flow f = {.sport = 32768 + rnd(28000),
	                 .dport = ports[rnd(4)],
	                 .denied = !rnd(8),
	                 .lasts = !rnd(8),
	                 .start = t,
	                 .end = t + 1 + rnd(40)};
	unsigned peer = rnd(peers);
	snprintf(f.src, sizeof f.src, peer % 4 ? "203.%u.%u.%u" : "10.%u.%u.%u", peer >> 16 & 127, peer >> 8 & 255, peer & 255);
	snprintf(f.dst, sizeof f.dst, "10.200.0.%u", 4 + rnd(4));
	for (int i = 0; i < 2; i++) {
		f.pkts[i] = 4 + rnd(400);
		f.bytes[i] = f.pkts[i] * (120ul + rnd(900));
	}
	return f;
}

enum { A_RECORD = 400 };

static void azure(int nsg, unsigned long n, unsigned peers, uint64_t t0, uint64_t per_second)
{
	fputs("{\"records\":[", stdout);
	for (unsigned long i = 0; i < n; i += A_RECORD) {
		const char *between = "";
		uint64_t t = t0 + i / per_second;
		printf("%s{\"time\":\"2026-11-03T08:01:00.1234567Z\",", i ? "," : "");
		fputs(nsg ? "\"systemId\":\"00000000-0000-4000-8000-000000000031\",\"macAddress\":\"00005E005301\",\"category\":\"NetworkSecurityGroupFlowEvent\",\"resourceId\":\"/SUBSCRIPTIONS/A\","
		            "\"operationName\":\"NetworkSecurityGroupFlowEvents\",\"properties\":{\"Version\":2,\"flows\":[{\"rule\":\"UserRule_all\",\"flows\":[{\"mac\":\"00005E005301\",\"flowTuples\":["
		          : "\"flowLogVersion\":4,\"flowLogGUID\":\"00000000-0000-4000-8000-000000000001\",\"macAddress\":\"00005E005301\",\"category\":\"FlowLogFlowEvent\",\"flowLogResourceID\":\"/SUBSCRIPTIONS/A\","
		            "\"operationName\":\"FlowLogFlowEvent\",\"flowRecords\":{\"flows\":[{\"aclID\":\"00000000-0000-4000-8000-000000000011\",\"flowGroups\":[{\"rule\":\"UserRule_all\",\"flowTuples\":[",
		      stdout);
		for (unsigned long k = i; k < n && k < i + A_RECORD; k++) {
			struct flow f = make(t, peers);
			if (nsg && f.denied)
				printf("%s\"%" PRIu64 ",%s,%s,%u,%u,T,I,D,B,,,,\"", between, f.start, f.src, f.dst, f.sport,
				       f.dport);
			else if (f.denied)
				printf("%s\"%" PRIu64 "000,%s,%s,%u,%u,6,I,D,NX,0,0,0,0\"", between, f.start, f.src, f.dst,
				       f.sport, f.dport);
			else if (nsg)
				printf("%s\"%" PRIu64 ",%s,%s,%u,%u,T,I,A,B,,,,\",\"%" PRIu64
				       ",%s,%s,%u,%u,T,I,A,E,%u,%lu,%u,%lu\"",
				       between, f.start, f.src, f.dst, f.sport, f.dport, f.end, f.src, f.dst, f.sport, f.dport,
				       f.pkts[0], f.bytes[0], f.pkts[1], f.bytes[1]);
			else
				printf("%s\"%" PRIu64 "000,%s,%s,%u,%u,6,I,B,NX,0,0,0,0\",\"%" PRIu64
				       "000,%s,%s,%u,%u,6,I,E,NX,%u,%lu,%u,%lu\"",
				       between, f.start, f.src, f.dst, f.sport, f.dport, f.end, f.src, f.dst, f.sport, f.dport,
				       f.pkts[0], f.bytes[0], f.pkts[1], f.bytes[1]);
			between = ",";
		}
		fputs(nsg ? "]}]}]}}" : "]}]}]}}", stdout);
	}
	puts("]}");
}

int main(int argc, char **argv)
{
	const uint64_t t0 = 1793692800, per_second = 200;
	unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
	unsigned peers = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1600;
	const char *what = argc > 1 ? argv[1] : "";
	if (!strcmp(what, "vnet") || !strcmp(what, "nsg")) {
		azure(!strcmp(what, "nsg"), n, peers, t0, per_second);
		return 0;
	}
	if (!strcmp(what, "zeek"))
		puts("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2026-11-03-08-00-00\n"
		     "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents");
	else if (!strcmp(what, "aws"))
		puts("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status");
	else {
		fputs("usage: gen_flows vnet|nsg|zeek|aws FLOWS [PEERS]\n", stderr);
		return 2;
	}
	for (unsigned long i = 0; i < n; i++) {
		struct flow f = make(t0 + i / per_second, peers);
		const char *eni = "2 000011112222 eni-0a1b2c3d4e5f60718";
		if (*what == 'z' && f.denied)
			printf("%" PRIu64 ".%06u\tC%017lx\t%s\t%u\t%s\t%u\ttcp\t-\t-\t-\t-\tS0\t-\t-\t0\tS\t1\t60\t0\t0\t-\n",
			       f.start, rnd(1000000), i, f.src, f.sport, f.dst, f.dport);
		else if (*what == 'z')
			printf("%" PRIu64 ".%06u\tC%017lx\t%s\t%u\t%s\t%u\ttcp\t-\t%" PRIu64
			       ".%06u\t%lu\t%lu\tSF\t-\t-\t0\tShADadFf\t%u\t%lu\t%u\t%lu\t-\n",
			       f.start, rnd(1000000), i, f.src, f.sport, f.dst, f.dport, f.end - f.start, rnd(1000000),
			       f.bytes[0] / 2, f.bytes[1] / 2, f.pkts[0], f.bytes[0], f.pkts[1], f.bytes[1]);
		else if (f.denied)
			printf("%s %s %s %u %u 6 1 60 %" PRIu64 " %" PRIu64 " REJECT OK\n", eni, f.src, f.dst, f.sport, f.dport,
			       f.start, f.end);
		else
			printf("%s %s %s %u %u 6 %u %lu %" PRIu64 " %" PRIu64 " ACCEPT OK\n%s %s %s %u %u 6 %u %lu %" PRIu64
			       " %" PRIu64 " ACCEPT OK\n",
			       eni, f.src, f.dst, f.sport, f.dport, f.pkts[0], f.bytes[0], f.start, f.end, eni, f.dst, f.src,
			       f.dport, f.sport, f.pkts[1], f.bytes[1], f.start, f.end);
	}
	return 0;
}
