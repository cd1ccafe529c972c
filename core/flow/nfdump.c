/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfdump's CSV. Version 1.6 and 1.7 up to 1.7.1 write 43 to 48 columns, local time and protocols by name; later ones write the
 * format's columns, times in seconds since 1970 and protocols by number. A summary, which is not a flow, follows the flows.
 *
 *   ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,…
 *   firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,flags,packets,bytes
 *
 * A line is one direction of a flow, unless nfdump was asked to put both together (-B), which shows by its second pair of
 * counters. It has one direction's flags then, and a refusal would look like an answer: they are not taken for both.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "flow/lines.h"

enum column { START, END, SRC, DST, SRC_PORT, DST_PORT, PROTO, FLAGS, PACKETS, BYTES, OUT_PACKETS, OUT_BYTES, COLUMNS };
static const char *const old_names[COLUMNS + 1] = {"ts",  "te",   "sa",   "da",   "sp",   "dp", "pr",
                                                   "flg", "ipkt", "ibyt", "opkt", "obyt", NULL};
static const char *const new_names[COLUMNS + 1] = {"firstSeen",  "lastSeen", "srcAddr", "dstAddr", "srcPort",
                                                   "dstPort",    "proto",    "flags",   "packets", "bytes",
                                                   "outPackets", "outBytes", NULL};
enum { FIELDS = 128, MINUTE = 16 /* bytes of "2026-11-03 07:59" */ };

struct reader {
	struct lines lines;
	size_t n_columns;
	bool summary;        /* behind the flows */
	int16_t at[COLUMNS];
	char minute[MINUTE]; /* the last one that was looked up, and when it began */
	int64_t minute_us;
};

/* The number of columns in a header line, and the places of the used ones; 0: it is not a header. */
static size_t columns_of(const char *line, size_t len, int16_t at[static COLUMNS])
{
	static const char *const *const both[] = {old_names, new_names};
	struct field f[FIELDS];
	int16_t found[COLUMNS];
	size_t n = len && *line >= 'a' && *line <= 'z' ? field_split(line, len, ',', f, FIELDS) : 0;
	if (n > FIELDS)
		return 0;
	for (size_t i = 0; i < 2; i++) {
		field_columns(f, n, both[i], found);
		if (found[SRC] < 0 || found[DST] < 0)
			continue;
		memcpy(at, found, sizeof found);
		return n;
	}
	return 0;
}

static bool header(void *state, const char *line, size_t len)
{
	struct reader *r = state;
	size_t n;
	len = lines_length(line, len);
	bool summary = len == 7 && !memcmp(line, "Summary", 7);
	if (!summary && !(n = columns_of(line, len, r->at)))
		return false;
	if (!summary)
		r->n_columns = n;
	r->summary = summary;
	return true;
}

static bool two_digits(const char *p, int *out)
{
	*out = (p[0] - '0') * 10 + (p[1] - '0');
	return p[0] >= '0' && p[0] <= '9' && p[1] >= '0' && p[1] <= '9';
}

/* "2026-11-03 07:59:40.123", by this machine's clock, as nfdump writes it. */
static bool local_time(struct reader *r, struct field f, int64_t *us)
{
	int64_t fraction = 0;
	int century, year, second;
	struct tm tm = {.tm_isdst = -1};
	if (f.len < 19 || f.p[16] != ':' || !two_digits(f.p + 17, &second) || second > 60)
		return false;
	if (memcmp(f.p, r->minute, MINUTE)) {
		if (f.p[4] != '-' || f.p[7] != '-' || f.p[10] != ' ' || f.p[13] != ':' || !two_digits(f.p, &century) ||
		    !two_digits(f.p + 2, &year) || !two_digits(f.p + 5, &tm.tm_mon) || !two_digits(f.p + 8, &tm.tm_mday) ||
		    !two_digits(f.p + 11, &tm.tm_hour) || !two_digits(f.p + 14, &tm.tm_min))
			return false;
		tm.tm_year = century * 100 + year - 1900;
		tm.tm_mon--;
		r->minute_us = (int64_t)mktime(&tm) * 1000000;
		memcpy(r->minute, f.p, MINUTE);
	}
	if (f.len > 19 && (f.p[19] != '.' || !field_seconds((struct field){f.p + 18, f.len - 18}, &fraction)))
		return false;
	*us = r->minute_us + (f.len > 19 ? fraction + second / 10 * INT64_C(10000000) : second * INT64_C(1000000));
	return true;
}

static bool time_of(struct reader *r, struct field f, int64_t *us)
{
	return memchr(f.p, '-', f.len) ? local_time(r, f, us) : field_seconds(f, us);
}

static bool proto_of(struct field f, uint8_t *out)
{
	char name[16];
	while (f.len && f.p[f.len - 1] == ' ')
		f.len--;
	if (!f.len || f.len >= sizeof name)
		return false;
	memcpy(name, f.p, f.len);
	name[f.len] = 0;
	static const struct {
		const char *name;
		uint8_t number;
	} more[] = {{"ICMP6", WH_PROTO_ICMPV6},
	            {"GRE", 47},
	            {"ESP", 50},
	            {"AH", 51},
	            {"SCTP", 132},
	            {"IGMP", 2},
	            {"IPIP", 4},
	            {"IPv6", 41},
	            {"OSPF", 89},
	            {"PIM", 103},
	            {"UDPlit", 136}};
	for (size_t i = 0; i < sizeof more / sizeof *more; i++)
		if (!strcasecmp(name, more[i].name)) {
			*out = more[i].number;
			return true;
		}
	return !wh_proto_parse(name, out);
}

/* ".AP.SF", eight letters of which the first three mean nothing here, or a number in hexadecimal. */
static uint8_t flags_of(struct field f)
{
	uint8_t flags = 0;
	if (f.len > 2 && f.p[0] == '0' && f.p[1] == 'x')
		return (uint8_t)(strtoul(f.p, NULL, 16) & 0x1f);
	for (size_t i = 0; i < f.len; i++)
		flags |= f.p[i] == 'F'   ? WH_TCP_FIN
		         : f.p[i] == 'S' ? WH_TCP_SYN
		         : f.p[i] == 'R' ? WH_TCP_RST
		         : f.p[i] == 'P' ? WH_TCP_PSH
		         : f.p[i] == 'A' ? WH_TCP_ACK
		                         : 0;
	if ((flags & (WH_TCP_SYN | WH_TCP_ACK)) == WH_TCP_SYN)
		flags |= WH_PART_OPENS;
	return flags;
}

static bool number(struct field f, uint64_t *out)
{
	return !f.len || field_number(f, out);
}

static const char *read_line(struct lines *l, const char *p, size_t len)
{
	struct reader *r = (struct reader *)l;
	struct field all[FIELDS], f[COLUMNS];
	struct wh_part part = {.one_way = true};
	struct wh_flow *flow = &part.flow;
	if (header(r, p, len) || r->summary || (len == 17 && !memcmp(p, "No matching flows", 17)))
		return NULL;
	if (!r->n_columns)
		return "no header line before it";
	if (field_split(p, len, ',', all, FIELDS) != r->n_columns)
		return "not as many fields as the header names";
	for (unsigned i = 0; i < COLUMNS; i++)
		f[i] = r->at[i] < 0 ? (struct field){"", 0} : all[r->at[i]];
	if (!time_of(r, f[START], &flow->start_us) || !time_of(r, f[END], &flow->end_us))
		return "a time can't be read";
	if (flow->end_us < flow->start_us) /* as some exporters' are */
		flow->end_us = flow->start_us;
	if (!field_addr(f[SRC], &flow->src) || !field_addr(f[DST], &flow->dst))
		return "an address can't be read";
	if (!proto_of(f[PROTO], &flow->proto))
		return "the protocol can't be read";
	bool ports = flow->proto != WH_PROTO_ICMP && flow->proto != WH_PROTO_ICMPV6; /* else type and code */
	if (ports && (!field_port(f[SRC_PORT], &flow->src_port) || !field_port(f[DST_PORT], &flow->dst_port)))
		return "a port can't be read";
	if (!number(f[PACKETS], &flow->pkts_toserver) || !number(f[BYTES], &flow->bytes_toserver) ||
	    !number(f[OUT_PACKETS], &flow->pkts_toclient) || !number(f[OUT_BYTES], &flow->bytes_toclient))
		return "a counter can't be read";
	if (flow->pkts_toclient) {
		part.one_way = false;
		part.ends = true;
	} else if (flow->proto == WH_PROTO_TCP && f[FLAGS].len) {
		flow->has_tcp_flags = true;
		flow->tcp_flags_toserver = flags_of(f[FLAGS]);
	}
	return lines_part(l, &part, NULL);
}

static void *open_state(const struct wh_reader_options *o)
{
	return lines_open(sizeof(struct reader), read_line, o);
}

static int probe(const void *head, size_t len)
{
	int16_t at[COLUMNS];
	return columns_of(head, lines_length(head, len), at) ? 90 : 0;
}

const struct wh_reader wh_reader_nfdump = {
	.name = "nfdump",
	.help = "nfdump's CSV",
	.probe = probe,
	.open = open_state,
	.close = free,
	.header = header,
	.feed = lines_feed,
	.pairs = true,
};
