/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The peer: simdjson On-Demand reading seven fields of each record, with nothing made of them. peer_simdjson FILE [ROUNDS]
 * has the text in memory before the clock starts, and prints what bench_read prints. peer_simdjson FILE stream reads its file as
 * ingest does, in pieces that stay in the processor's cache, and prints the same for the whole process.
 */
#include <simdjson.h>
#include <fcntl.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <string_view>

using namespace simdjson;

namespace {
constexpr size_t PIECE = 256 << 10, LONGEST = 16 << 20;

struct Sums {
	uint64_t records = 0, sum = 0;
};

/* CPU time of the process: iterate_many reads ahead in a second thread if the library was built so, which then counts too. */
double now()
{
	timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void take(ondemand::document_reference doc, Sums &s)
{
	std::string_view type, src, dst, proto;
	uint64_t sport = 0, dport = 0, ts = 0, tc = 0;
	ondemand::object flow;
	s.records++;
	if (doc["event_type"].get_string().get(type) || type != "flow")
		return;
	if (doc["src_ip"].get_string().get(src) || doc["src_port"].get_uint64().get(sport) || doc["dest_ip"].get_string().get(dst) ||
	    doc["dest_port"].get_uint64().get(dport) || doc["proto"].get_string().get(proto))
		return;
	if (doc["flow"].get_object().get(flow) || flow["pkts_toserver"].get_uint64().get(ts) || flow["pkts_toclient"].get_uint64().get(tc))
		return;
	s.sum += sport + dport + ts + tc;
}

/* `len` bytes of whole lines, SIMDJSON_PADDING more of which may be read. */
bool parse(ondemand::parser &parser, const char *text, size_t len, Sums &s)
{
	ondemand::document_stream stream;
	if (parser.iterate_many(text, len, 1 << 20).get(stream))
		return false;
	for (auto doc : stream)
		take(doc.value(), s);
	return true;
}

bool from_file(const char *path, Sums &s, uint64_t &bytes)
{
	ondemand::parser parser;
	std::unique_ptr<char[]> buffer(new char[PIECE + LONGEST + SIMDJSON_PADDING]); /* of which lines of usual length touch little */
	size_t have = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	while ((n = read(fd, buffer.get() + have, PIECE)) > 0) {
		have += (size_t)n;
		bytes += (uint64_t)n;
		const char *newline = (const char *)memrchr(buffer.get(), '\n', have);
		size_t whole = newline ? (size_t)(newline + 1 - buffer.get()) : 0;
		if ((!newline && have > LONGEST) || (whole && !parse(parser, buffer.get(), whole, s)))
			return false;
		memmove(buffer.get(), buffer.get() + whole, have - whole);
		have -= whole;
	}
	close(fd);
	return n == 0 && (!have || parse(parser, buffer.get(), have, s));
}
}

int main(int argc, char **argv)
{
	Sums s;
	double best = 1e9;
	uint64_t bytes = 0;
	if (argc < 2) {
		std::fprintf(stderr, "usage: peer_simdjson FILE [ROUNDS|stream]\n");
		return 2;
	}
	if (argc > 2 && !strcmp(argv[2], "stream")) {
		if (!from_file(argv[1], s, bytes)) {
			std::fprintf(stderr, "%s: can't be read\n", argv[1]);
			return 2;
		}
		best = now(); /* since the process began */
	} else {
		padded_string text;
		if (padded_string::load(argv[1]).get(text)) {
			std::fprintf(stderr, "%s: can't be read\n", argv[1]);
			return 2;
		}
		bytes = text.size();
		for (int rounds = argc > 2 ? std::atoi(argv[2]) : 3; rounds > 0; rounds--) {
			ondemand::parser parser;
			s = Sums();
			const double start = now();
			if (!parse(parser, text.data(), text.size(), s))
				return 1;
			const double t = now() - start;
			best = t < best ? t : best;
		}
	}
	std::printf("%llu %.4f %.1f %llu\n", (unsigned long long)s.records, best, (double)bytes / best / 1e6, (unsigned long long)s.sum);
	return 0;
}
