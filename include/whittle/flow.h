/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow: records of a sensor, and the readers of its formats.
 *
 * A reader turns bytes into struct wh_record, one call of the callback a record; it allocates nothing a record. One row in
 * wh_readers is one format. A log may report a flow in parts, one direction at a time or piece by piece while it lasts: struct
 * wh_pairing joins them.
 */
#pragma once
#include "whittle/base.h"

enum wh_record_kind {
	WH_RECORD_FLOW,  /* an ended (or updated) flow */
	WH_RECORD_ALERT, /* an IDS alert on a flow */
	WH_RECORD_OTHER, /* well-formed, of another kind; wh_eve_facts() of fact.h reads some of them */
};

enum wh_flow_state { WH_STATE_UNKNOWN, WH_STATE_NEW, WH_STATE_ESTABLISHED, WH_STATE_CLOSED, WH_STATE_BYPASSED,
                     WH_STATE_UNDIRECTED /* the log does not show which end opened it */ };

#define WH_TCP_FIN 0x01
#define WH_TCP_SYN 0x02
#define WH_TCP_RST 0x04
#define WH_TCP_PSH 0x08
#define WH_TCP_ACK 0x10

/* For a flow that was reported in parts while it was open: the part that a record is. The first one counts the flow. */
enum wh_flow_part {
	WH_FLOW_WHOLE,   /* the whole flow */
	WH_FLOW_BEGUN,   /* the first part that shows an answer; its length and size come with the last one */
	WH_FLOW_GOES_ON, /* packets and bytes since the part before; start_us is still the flow's */
	WH_FLOW_ENDS,    /* likewise, and the last */
};
struct wh_flow_before { int64_t end_us; uint64_t bytes; }; /* the end of the parts before, and their bytes, both ways */

/* One observed conversation, as the sensor reports it: `src` is the end that the sensor took for the initiator. */
struct wh_flow {
	struct wh_addr src, dst;
	uint16_t src_port, dst_port;  /* host order; 0 for protocols without ports */
	uint8_t proto;                /* IANA number */
	uint8_t tcp_flags_toserver;   /* all flags that src sent, or'ed; 0 when unknown */
	uint8_t tcp_flags_toclient;   /* all flags that dst sent, or'ed */
	bool has_tcp_flags;           /* each side's flags are known; else both fields may hold those of both sides together */
	bool alerted;                 /* a signature fired on it */
	bool denied;                  /* the sensor's own firewall denied it (flow logs of clouds) */
	bool app_proto_known;         /* the application protocol was recognised (so the direction is the application's) */
	uint8_t part;                 /* enum wh_flow_part */
	enum wh_flow_state state;
	char app_proto[16];           /* "ssh", "dns" …; "" when none; cut at 15 bytes */
	int64_t start_us, end_us;     /* microseconds since 1970 UTC */
	uint64_t pkts_toserver, pkts_toclient;   /* src → dst, dst → src */
	uint64_t bytes_toserver, bytes_toclient;
};

enum wh_sender { WH_SENDER_UNKNOWN, WH_SENDER_SRC, WH_SENDER_DST };

struct wh_record {
	enum wh_record_kind kind;
	struct wh_flow flow;    /* for ALERT: the addresses and the known part of its flow so far */
	uint8_t alert_severity; /* ALERT: 1 is worst; 0 when absent */
	uint8_t alert_from;     /* ALERT: enum wh_sender, the end of the flow whose packet it fired on */
	/* ALERT: the client acts for others (EVE's xff, or a source that is neither end of the flow): a proxy */
	bool proxied;
	uint32_t alert_sid;
	int64_t time_us;        /* the record's own timestamp */
	/* its line has a key vlan, tenant_id, sensor or host: read them with wh_tags_of() */
	bool tagged;
	char event_type[24];    /* "flow", "alert", "dns" …, cut at 23 bytes */
	const struct wh_tags *tags;          /* the same from other formats; NULL: nothing, or see `tagged` */
	const struct wh_flow_before *before; /* a flow's later parts; else NULL */
};

/*
 * Called once a record, in order. A negative return ends the reading with that code, and the record counts as unread. During the
 * call `stats` is at the record's beginning: a commit in mid-buffer takes stats->bytes and stats->lines.
 */
typedef int (*wh_record_cb)(void *arg, const struct wh_record *rec);

/* The results of a reading. The caller keeps it across calls; counters only grow. */
struct wh_read_stats {
	uint64_t records, flows, alerts, other, malformed, bytes;
	uint64_t lines;                /* newlines passed: the next feed() starts in line `first + lines` */
	/* set by the caller: records are checked against this clock (wh_record_bad_time); 0: unchecked */
	int64_t now_us;
	/* set by the caller: readers that pair skip flows that began before, or then or later (wh_read_leaves_out); 0: none */
	int64_t since_us, until_us;
	uint64_t left_out;             /* records left out */
	struct {
		const char *reason;   /* static text, e.g. "not JSON", "bad address" */
		uint64_t count;
		uint64_t first_line;  /* from 1 */
		uint64_t first_offset;
	} bad[16];                    /* the first of each kind */
	unsigned n_bad;
};

static inline bool wh_read_leaves_out(struct wh_read_stats *s, int64_t start_us)
{
	bool out = (s->since_us && start_us < s->since_us) || (s->until_us && start_us >= s->until_us);
	s->left_out += out;
	return out;
}

/* A record's network: Suricata's tenant and VLAN tags, the outermost first; zeros if it names none. */
struct wh_realm {
	uint32_t tenant;
	uint16_t vlan[3];
};
#define WH_REALM_STRLEN 48
bool wh_realm_eq(const struct wh_realm *a, const struct wh_realm *b);
/* "vlan10", "tenant3/vlan10.20", "untagged" */
const char *wh_realm_text(const struct wh_realm *r, char out[static WH_REALM_STRLEN]);

bool wh_realm_is(const char *text); /* whether it is such a text, or "one": all networks are one */

struct wh_tags {
	struct wh_realm realm;
	/* the sensor's name as in the line, with its escapes; NULL: it names none */
	const char *sensor; size_t sensor_len;
	bool by_sensor;                        /* the name is from "sensor", which takes precedence over "host" */
	/* the sensor is the interface of one end: only traffic that the other end's interface sees, too, is seen twice */
	bool of_one_end;
};
struct wh_tags wh_tags_of(const char *line, size_t len); /* from one well-formed EVE record */

/*
 * A sensor whose clock was never set begins in 1970, in 1980 or in 2000, as clock chips do; one whose clock is wrong may write of
 * years to come. Such a record is no evidence of days. Returns why the times of a flow or an alert are impossible: before 2001,
 * or more than five minutes after now_us; NULL if they are possible. A flow is judged by its start and end, not by the time at
 * which it was logged.
 */
#define WH_CLOCK_FIRST_US INT64_C(978307200000000)
#define WH_CLOCK_SLACK_US INT64_C(300000000)
extern const char wh_time_future[], wh_time_past[];
const char *wh_bad_time(int64_t us, int64_t now_us); /* the same for one time; now_us 0: no upper limit */
const char *wh_record_bad_time(const struct wh_record *rec, int64_t now_us);

/* Which end is the server? Inferred from the handshake and the application protocol; from port numbers only where both ends sent
 * data in a connection that the sensor met in mid-flow. */
enum wh_side { WH_SIDE_UNANSWERED, WH_SIDE_DST_SERVES, WH_SIDE_UNKNOWN };
enum wh_side wh_flow_server(const struct wh_flow *f);
/* For a flow of WH_SIDE_UNKNOWN: src is the server, whose packet was the first that the sensor saw. */
bool wh_flow_src_serves(const struct wh_flow *f);
/* True only where wh_flow_server() is not WH_SIDE_UNANSWERED, as for nearly all flows; a few comparisons, for who looks at every
 * flow for those that nobody answered. */
static inline bool wh_flow_surely_answered(const struct wh_flow *f)
{
	const uint8_t ts = f->tcp_flags_toserver, data = WH_TCP_PSH & ts & f->tcp_flags_toclient;
	if (f->denied || !f->pkts_toserver || !f->pkts_toclient)
		return false;
	return f->proto == WH_PROTO_TCP ? f->has_tcp_flags && data && (ts & WH_TCP_ACK) : f->state != WH_STATE_NEW;
}
/* For a flow that dst serves: the handshake was completed, but not both sides sent data (a health check that only connects). */
bool wh_flow_only_connects(const struct wh_flow *f);
/* Only one side was seen, and its packets show that it got answers: the sensor does not receive the other direction. */
bool wh_flow_one_sided(const struct wh_flow *f);
/* Whether only the source was seen, though its packets show that the other side sends: it answers (a reply from a system's port),
 * or continues after its SYN. *port is the source's, if it may be a service's, else 0: a sensor that receives one direction can't
 * distinguish the server from its client. */
bool wh_flow_other_side_unheard(const struct wh_flow *f, uint16_t *port);

struct wh_pairing;
struct wh_reader_options {
	const char *columns;        /* the names of a log's columns, for logs without a header line; NULL */
	struct wh_pairing *pairing; /* borrowed; for readers that pair */
};
struct wh_cut { size_t begin, end; };

/* A piece of an input, of whole lines or records: its memory, whether the input ends with it, and its line (from 1) and offset in
 * the input, for the positions of errors. */
struct wh_stretch {
	const char *buf; size_t len;
	bool last;
	uint64_t line, offset;
};

/*
 * One format. `probe` looks at the first bytes (up to 4 KiB) and returns its certainty (0–100).
 *
 * `cut` finds the boundaries of records, so that each is known by its content; most formats have one a line, and no `cut`. It
 * finds the records that are whole in a buffer, from one record's end or the input's begin on, up to `max` of them; bytes between
 * records belong to none of them. So a document that grows before its closing brackets can be read on after its last record. It
 * keeps no state.
 *
 * `header` takes a line that determines how later lines are read, and returns whether it was one. It gets every
 * skipped line: those counted before, and those before the resume position. feed() recognizes header lines by
 * itself.
 *
 * `feed` takes a stretch of whole lines or records and calls back for each; it returns the bytes consumed, which is less than
 * len only when the last record is incomplete (and `last` is false), or a negative errno from the callback. With `last`, a
 * last line without newline counts. A line of over 16 MiB is skipped, whether or not it is whole in buf. A record with
 * impossible times (wh_record_bad_time, by stats->now_us) counts as malformed. Records that were cut are fed one at a time,
 * with `last`.
 */
struct wh_reader {
	const char *name;
	const char *help;
	int (*probe)(const void *head, size_t len);
	/* the state of one input; NULL when out of memory; as member: NULL if it has none */
	void *(*open)(const struct wh_reader_options *o);
	void (*close)(void *state);
	size_t (*cut)(const char *buf, size_t len, struct wh_cut *out, size_t max); /* NULL: lines */
	bool (*header)(void *state, const char *line, size_t len);                  /* NULL: there are none */
	int64_t (*feed)(void *state, const struct wh_stretch *in, wh_record_cb each, void *arg, struct wh_read_stats *stats);
	bool pairs;          /* it joins parts of flows (wh_reader_options.pairing) */
	int64_t slack_us;    /* the greatest distance of one conversation's starts in two sources; 0: WH_SENSOR_SLACK_US */
};
extern const struct wh_reader wh_reader_eve, wh_reader_vnet, wh_reader_nsg, wh_reader_zeek, wh_reader_zeek_json, wh_reader_aws,
	wh_reader_nfdump;
extern const struct wh_reader *const wh_readers[]; /* NULL-terminated */
const struct wh_reader *wh_reader_find(const char *name);               /* NULL when unknown */
const struct wh_reader *wh_reader_probe(const void *head, size_t len);  /* NULL when none is sure */

/*
 * One EVE record (no newline needed), as Suricata's plugin API hands it over. Returns 0, or -EBADMSG with *reason (static
 * text) when it isn't valid JSON or a needed field is unusable. Never allocates, never reads past len. buf need not be padded.
 */
int wh_eve_record(const char *buf, size_t len, struct wh_record *out, const char **reason);

/* An input: a file, "-", gz or zst by content. Reads are of decoded bytes; offsets count decoded bytes. */
struct wh_input;
int wh_input_open(const char *path, struct wh_input **out, struct wh_error *err);
/* Returns the bytes read (0: end for now) or a negative errno with *err filled. */
int64_t wh_input_read(struct wh_input *in, void *buf, size_t len, struct wh_error *err);
/* To a decoded offset; gz and zst are decoded again from the start. -ERANGE when there are fewer bytes (a truncated file). */
int wh_input_seek(struct wh_input *in, uint64_t offset, struct wh_error *err);
const char *wh_input_path(const struct wh_input *in);
/* Identity that survives renaming and growing: device, inode and a hash of the first line (at most a KiB of it); "-" and pipes
 * have none (empty string). Until the first line is complete, the hash covers the existing part. */
#define WH_IDENTITY_MAX 64
const char *wh_input_identity(struct wh_input *in);
bool wh_input_packed(const struct wh_input *in); /* gz or zst; known after the first read */
/* Whether a plain file has been cut or rewritten since `offset` bytes were read: it is shorter, or begins
 * otherwise. */
bool wh_input_rewritten(struct wh_input *in, uint64_t offset);
/* Whether `path` now names another file that is not empty: its writer has switched to it. False while there is none. */
bool wh_input_replaced(const struct wh_input *in, const char *path);
void wh_input_close(struct wh_input *in);
