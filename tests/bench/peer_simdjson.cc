/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The peer: simdjson On-Demand reading seven fields of each record, with nothing made of them. peer_simdjson FILE [ROUNDS]
 * prints what bench_read prints.
 */
#include <simdjson.h>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

using namespace simdjson;

/* CPU time of this thread: iterate_many reads ahead in a second thread if the library was built so, which then counts too. */
static double now()
{
	timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		std::fprintf(stderr, "usage: peer_simdjson FILE [ROUNDS]\n");
		return 2;
	}
	padded_string text;
	if (padded_string::load(argv[1]).get(text)) {
		std::fprintf(stderr, "%s: can't be read\n", argv[1]);
		return 2;
	}
	double best = 1e9;
	uint64_t sum = 0, records = 0;
	for (int rounds = argc > 2 ? std::atoi(argv[2]) : 3; rounds > 0; rounds--) {
		sum = records = 0;
		const double start = now();
		ondemand::parser parser;
		ondemand::document_stream stream;
		if (parser.iterate_many(text, 1 << 20).get(stream))
			return 1;
		for (auto doc : stream) {
			records++;
			std::string_view type, src, dst, proto;
			uint64_t sport = 0, dport = 0, ts = 0, tc = 0;
			if (doc["event_type"].get_string().get(type) || type != "flow")
				continue;
			if (doc["src_ip"].get_string().get(src) || doc["src_port"].get_uint64().get(sport) ||
			    doc["dest_ip"].get_string().get(dst) || doc["dest_port"].get_uint64().get(dport) ||
			    doc["proto"].get_string().get(proto))
				continue;
			ondemand::object flow;
			if (doc["flow"].get_object().get(flow) || flow["pkts_toserver"].get_uint64().get(ts) ||
			    flow["pkts_toclient"].get_uint64().get(tc))
				continue;
			sum += sport + dport + ts + tc;
		}
		const double t = now() - start;
		best = t < best ? t : best;
	}
	std::printf("%llu %.4f %.1f %llu\n", (unsigned long long)records, best, (double)text.size() / best / 1e6, (unsigned long long)sum);
	return 0;
}
