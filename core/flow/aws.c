/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AWS VPC flow logs, versions 2 to 11: whichever fields their owner chose, in the order of the header line, of --aws-format, or
 * else of the default format. A line is one direction of a flow in an interval of up to ten minutes, on one interface.
 *
 * If a line has its packets' own addresses (pkt-srcaddr, pkt-dstaddr), these count: srcaddr and dstaddr are the interface's own
 * there. TCP flags are those seen in the interval, ACK only with SYN: 2 is a client's, 18 a server's. NODATA and SKIPDATA are no
 * flows.
 */
#include <stdlib.h>
#include <string.h>
#include "flow/lines.h"

enum column {
	INTERFACE,
	SRC,
	DST,
	SRC_PORT,
	DST_PORT,
	PROTO,
	PACKETS,
	BYTES,
	START,
	END,
	ACTION,
	STATUS,
	FLAGS,
	PKT_SRC,
	PKT_DST,
	COLUMNS
};
static const char *const names[COLUMNS + 1] = {"interface-id", "srcaddr",     "dstaddr",     "srcport", "dstport", "protocol",
                                               "packets",      "bytes",       "start",       "end",     "action",  "log-status",
                                               "tcp-flags",    "pkt-srcaddr", "pkt-dstaddr", NULL};
static const char by_default[] =
	"version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
enum { FIELDS = 128, NAME = 32 };

struct interface {
	char name[NAME];
	struct wh_tags tags;
	uint64_t source;
};
struct reader {
	struct lines lines;
	size_t n_columns;
	int16_t at[COLUMNS];
	/* those of the last lines, round: more than there are held lines, which have their tags here */
	struct interface interfaces[LINES_HELD + 1];
	unsigned now;
};

/* A column's name in a header, or ${name} in a format. */
static struct field bare(struct field f)
{
	if (f.len > 3 && f.p[0] == '$' && f.p[1] == '{' && f.p[f.len - 1] == '}')
		return (struct field){f.p + 2, f.len - 3};
	return f;
}

static bool take_columns(struct reader *r, const char *p, size_t len)
{
	struct field f[FIELDS];
	size_t n = field_split(p, len, ' ', f, FIELDS);
	if (n > FIELDS)
		return false;
	for (size_t i = 0; i < n; i++)
		f[i] = bare(f[i]);
	int16_t at[COLUMNS];
	field_columns(f, n, names, at);
	if (at[SRC] < 0 && at[DST] < 0 && at[PKT_SRC] < 0)
		return false;
	memcpy(r->at, at, sizeof at);
	r->n_columns = n;
	return true;
}

static bool header(void *state, const char *line, size_t len)
{
	len = lines_length(line, len);
	return len && ((*line >= 'a' && *line <= 'z') || *line == '$') && take_columns(state, line, len);
}

static bool have(struct field f)
{
	return f.len && !(f.len == 1 && *f.p == '-');
}

static const struct interface *interface_of(struct reader *r, struct field f)
{
	size_t n = f.len < NAME ? f.len : NAME;
	struct interface *x = &r->interfaces[r->now];
	if (n == x->tags.sensor_len && !memcmp(x->name, f.p, n))
		return x;
	r->now = (r->now + 1) % (LINES_HELD + 1);
	x = &r->interfaces[r->now];
	memcpy(x->name, f.p, n);
	x->tags = (struct wh_tags){.sensor = x->name, .sensor_len = n, .by_sensor = true, .of_one_end = true};
	x->source = field_hash((struct field){f.p, n});
	return x;
}

static const char *numbers(const struct field f[static COLUMNS], struct wh_part *part)
{
	struct wh_flow *flow = &part->flow;
	uint64_t proto, flags, start, end;
	if (!field_number(f[PROTO], &proto) || proto > 255)
		return "the protocol can't be read";
	flow->proto = (uint8_t)proto;
	if (!field_number(f[START], &start) || !field_number(f[END], &end) || start > UINT64_C(100000000000) ||
	    end > UINT64_C(100000000000))
		return "a time can't be read";
	flow->start_us = (int64_t)start * 1000000;
	flow->end_us = end < start ? flow->start_us : (int64_t)end * 1000000;
	if (!field_port(f[SRC_PORT], &flow->src_port) || !field_port(f[DST_PORT], &flow->dst_port))
		return "a port can't be read";
	if ((have(f[PACKETS]) && !field_number(f[PACKETS], &flow->pkts_toserver)) ||
	    (have(f[BYTES]) && !field_number(f[BYTES], &flow->bytes_toserver)))
		return "a counter can't be read";
	if (!flow->pkts_toserver)
		flow->pkts_toserver = 1; /* it was logged */
	if (flow->proto != WH_PROTO_TCP || !have(f[FLAGS]))
		return NULL;
	if (!field_number(f[FLAGS], &flags) || flags > 255)
		return "the TCP flags can't be read";
	flow->has_tcp_flags = true;
	flow->tcp_flags_toserver = (uint8_t)(flags & 0x1f);
	if (flags & WH_TCP_SYN)
		flow->tcp_flags_toserver |= flags & WH_TCP_ACK ? WH_PART_ANSWERS : WH_PART_OPENS;
	if (flags & WH_TCP_FIN)
		flow->tcp_flags_toserver |= WH_TCP_ACK; /* as the end of every open connection has */
	return NULL;
}

static const char *read_line(struct lines *l, const char *p, size_t len)
{
	struct reader *r = (struct reader *)l;
	static const enum column needed[] = {SRC_PORT, DST_PORT, PROTO, START, END};
	static const char *const lacks[] = {"its format has no srcport", "its format has no dstport",
	                                    "its format has no protocol", "its format has no start: its time is not known",
	                                    "its format has no end: its time is not known"};
	struct field all[FIELDS], f[COLUMNS];
	struct wh_part part = {.one_way = true};
	struct wh_flow *flow = &part.flow;
	if (header(r, p, len))
		return NULL;
	size_t n = field_split(p, len, ' ', all, FIELDS), from = 0;
	if (n == r->n_columns + 1 && all[0].len > 10 && all[0].p[10] == 'T') /* an export puts the time of logging first */
		from = 1;
	if (n != r->n_columns + from)
		return "not as many fields as the header, or the format, names";
	for (unsigned i = 0; i < COLUMNS; i++)
		f[i] = r->at[i] < 0 ? (struct field){"", 0} : all[from + (size_t)r->at[i]];
	if (field_is(f[STATUS], "NODATA") || field_is(f[STATUS], "SKIPDATA"))
		return lines_other(l);
	for (unsigned i = 0; i < sizeof needed / sizeof *needed; i++)
		if (r->at[needed[i]] < 0)
			return lacks[i];
	struct field src = have(f[PKT_SRC]) ? f[PKT_SRC] : f[SRC], dst = have(f[PKT_DST]) ? f[PKT_DST] : f[DST];
	if (!field_addr(src, &flow->src) || !field_addr(dst, &flow->dst))
		return "an address can't be read";
	const char *why = numbers(f, &part);
	if (why)
		return why;
	const struct interface *at = interface_of(r, f[INTERFACE]);
	part.source = at->source;
	return field_is(f[ACTION], "REJECT") ? lines_denied(l, flow, &at->tags) : lines_part(l, &part, &at->tags);
}

static void *open_state(const struct wh_reader_options *o)
{
	struct reader *r = lines_open(sizeof *r, read_line, o);
	if (r && (!o->columns || !take_columns(r, o->columns, strlen(o->columns))))
		take_columns(r, by_default, sizeof by_default - 1);
	return r;
}

static bool is_name(struct field f)
{
	size_t i = 0;
	while (i < f.len && ((f.p[i] >= 'a' && f.p[i] <= 'z') || (f.p[i] >= '0' && f.p[i] <= '9') || f.p[i] == '-'))
		i++;
	return i && i == f.len;
}

/* A header; or a line of the default format, perhaps behind the time of its logging: version, account, interface. */
static int probe(const void *head, size_t len)
{
	struct field f[FIELDS];
	uint64_t version;
	size_t n = field_split(head, lines_length(head, len), ' ', f, FIELDS);
	if (n < 4 || n > FIELDS)
		return 0;
	size_t addresses = 0, i = 0;
	for (; i < n && is_name(f[i]); i++)
		addresses += field_is(f[i], "srcaddr") || field_is(f[i], "dstaddr") || field_is(f[i], "pkt-srcaddr");
	if (i == n && addresses >= 2)
		return 90;
	size_t from = f[0].len > 10 && f[0].p[10] == 'T';
	bool account = f[from + 1].len == 12 || field_is(f[from + 1], "unknown");
	return field_number(f[from], &version) && version >= 2 && version < 100 && account && f[from + 2].len > 4 &&
	       !memcmp(f[from + 2].p, "eni-", 4) ? 85 : 0;
}

const struct wh_reader wh_reader_aws = {
	.name = "aws",
	.help = "AWS VPC flow logs",
	.probe = probe,
	.open = open_state,
	.close = free,
	.header = header,
	.feed = lines_feed,
	.pairs = true,
	.slack_us = INT64_C(120000000), /* a start is logged up to a minute late, at each end */
};
