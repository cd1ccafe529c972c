/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * eve: inside of the EVE reader.
 *
 * The algorithm. A record is a row of scalars (strings, numbers, words) with punctuation and keys between them. The text between
 * two scalars, the "joint", is nearly always the same as in an earlier record: `,"dest_port":` after the destination address, and
 * so on. So there are two ways over a joint:
 *
 *   wh_eve_step()   reads it byte by byte as JSON demands: whitespace, brackets with their stack, keys with escapes and
 *                   UTF-8, and works out what the next scalar is (a struct eve_node): how long the joint is, which
 *                   containers are open after it, which field the scalar is, what the joint did to the fields.
 *   the walker      (eve_walk.h) compares the bytes with the joints that followed the same joints before, and where one is
 *                   equal takes the node as it stands.
 *
 * The result of step() depends only on the joint's bytes, the kind of scalar that its first byte begins, and the containers open
 * before, which the path of nodes from the start of the record determines. So a remembered node is what step() would have
 * returned, and the walker is exact, not a guess: the memory (struct eve_cache) is a trie of joints with step() as its oracle.
 * Scalars are always read and checked in full. An example, in which // marks where joints end:
 *
 *   {"src_ip":"//10.0.0.1//","src_port"://4711//,"flow":{"pkts_toserver"://3//}}
 *
 * Cost: one comparison of up to 64 bytes a joint, and one of 32 bytes to find the end of a scalar.
 *
 * Shortcuts (eve_shortcut.c). Many scalars hardly vary: "proto":"TCP", "alerted":false, "state":"closed". If one was the same
 * several times in a row, the joint before it, the scalar, and the joint after it are combined into a longer piece, a shortcut,
 * with their common effect on the record: one comparison does the work of many steps. Shortcuts grow by a scalar at a time, up to
 * 256 bytes; the tail of a TCP flow record, a dozen scalars long, becomes one. The same argument holds: equal bytes, equal
 * meaning. Shortcuts are looked for in the first records and then in one of sixteen: comparing costs more than it finds.
 *
 * Duplicate keys: the last wins. A scalar simply overwrites; opening a known object (flow, tcp, alert) clears the fields that an
 * earlier one of that name set (`clear`).
 */
#pragma once
#include <string.h>
#include "whittle/flow.h"

#define EVE_MAX_RECORD (16u << 20)
#define EVE_MAX_DEPTH 2048   /* counts a scalar as one level */
#define EVE_LITERAL 64       /* the longest joint that is remembered */
#define EVE_NODES 512        /* 64 KiB of memory a reader */
#define EVE_NODES_OTHER 256  /* records of kinds that we don't use may take this many of them */
#define EVE_BRANCHES 12      /* joints remembered after one joint */
#define EVE_SHORTCUT 256         /* the longest shortcut */
#define EVE_SHORTCUTS 128
#define EVE_SHORTCUT_BRANCHES 12 /* shortcuts after one joint */
#define EVE_MARGIN 320 /* bytes that must be readable where the walker compares: a shortcut and its next scalar's first 32 */

enum eve_field {
	EVE_TIMESTAMP,
	EVE_EVENT_TYPE,
	EVE_SRC_IP,
	EVE_DEST_IP,
	EVE_SRC_PORT,
	EVE_DEST_PORT,
	EVE_PROTO,
	EVE_APP_PROTO,
	EVE_DIRECTION,
	EVE_XFF,
	EVE_FLOW,
	EVE_TCP,
	EVE_ALERT,
	EVE_PKTS_TS,
	EVE_PKTS_TC,
	EVE_BYTES_TS,
	EVE_BYTES_TC,
	EVE_START,
	EVE_END,
	EVE_STATE,
	EVE_ALERTED,
	EVE_FLOW_SRC_IP,
	EVE_FLOW_DEST_IP,
	EVE_FLOW_SRC_PORT,
	EVE_FLOW_DEST_PORT,
	EVE_FLAGS_TS,
	EVE_FLAGS_TC,
	EVE_FIN,
	EVE_SYN,
	EVE_RST,
	EVE_PSH,
	EVE_ACK,
	EVE_SEVERITY,
	EVE_SID,
	EVE_TAG, /* any of the keys of struct wh_tags: only its presence counts, not its value */
	EVE_NONE,
};
#define EVE_BIT(f) (UINT64_C(1) << (f))
#define EVE_BITS(from, to) ((EVE_BIT(to) << 1) - EVE_BIT(from)) /* both included */
#define EVE_IN_FLOW EVE_BITS(EVE_PKTS_TS, EVE_FLOW_DEST_PORT)
#define EVE_IN_TCP EVE_BITS(EVE_FLAGS_TS, EVE_ACK)
#define EVE_IN_ALERT EVE_BITS(EVE_SEVERITY, EVE_SID)

/* The object that contains a key, as far as it matters. */
enum eve_group { EVE_TOP, EVE_G_FLOW, EVE_G_TCP, EVE_G_ALERT, EVE_G_OTHER };

/* The handling of the scalar after a joint. */
enum eve_op {
	EVE_OP_END,    /* the record is complete */
	EVE_OP_STRING, EVE_OP_NUMBER, EVE_OP_WORD, /* check and skip */
	EVE_OP_TIME, EVE_OP_ADDR, EVE_OP_TEXT,     /* wanted strings; up to here the joint ends after the opening quote */
	EVE_OP_PORT, EVE_OP_COUNT, EVE_OP_SMALL,   /* wanted numbers */
	EVE_OP_FLAG,                               /* wanted words */
};
static inline bool eve_op_is_string(unsigned op)
{
	return op == EVE_OP_STRING || (op >= EVE_OP_TIME && op <= EVE_OP_TEXT);
}

struct eve_shortcut;
struct eve_node {
	uint8_t literal[EVE_LITERAL]; /* the joint, up to the scalar's first byte (a string's: after the quote) */
	uint32_t mask[2];             /* which of its bytes count */
	uint32_t len;
	/* the scalar's first byte: first … first + span; any for strings, whose quote is in the joint */
	uint8_t first, span;
	uint8_t op, field;
	uint16_t at;                  /* where in struct eve_values the field goes */
	bool effects;                 /* any of clear, set and wrong */
	bool ripe;                    /* the scalar has been the same for long enough to be in a shortcut */
	uint64_t bit;                 /* EVE_BIT(field) */
	struct eve_shortcut *shortcuts; /* pieces that may follow this joint's scalar, longest first */
	struct eve_node *next;        /* joints that may follow it, */
	struct eve_node *alt;         /* chained by this */
	uint16_t depth;               /* containers open after the joint */
	uint8_t group;                /* of the open container at depth 2 */
	uint8_t same, last_len;       /* how many times running the scalar was `last` */
	uint8_t last[32];
	uint64_t stack;               /* bit d: the container at depth d+1 is an object */
	uint64_t clear, set, wrong;   /* the joint's effect on fields: cleared, seen, seen with the wrong type */
};

/* From the end of one scalar, over joints and scalars, to the joint of node `to`, whose scalar comes next. */
struct eve_shortcut {
	uint8_t literal[EVE_SHORTCUT];
	uint32_t mask[EVE_SHORTCUT / 32];
	uint16_t len, blocks;
	uint8_t first, span;           /* as to's */
	bool typed;                    /* it holds event_type */
	struct eve_node *to;
	struct eve_shortcut *alt;      /* the next choice */
	uint64_t clear, set, wrong;    /* of all its joints and scalars together */
	uint64_t flow_mask[4], flow_data[4]; /* bytes to be put over the 32 from rec.flow.src_port on */
	uint64_t word_mask, word_data; /* and over the 8 of eve_values.words */
	enum wh_record_kind kind;
	char event_type[24];
};

/* The values during the walk; the caller gets rec. */
struct eve_values {
	struct wh_record rec;
	struct wh_addr flow_src, flow_dst; /* flow.src_ip of alerts: the initiator, where src_ip is the packet's sender */
	uint16_t flow_sport, flow_dport;
	uint32_t severity;
	struct {
		bool flag[EVE_ACK - EVE_FIN + 1];
		uint8_t direction; /* enum wh_sender: to_server is the flow's src */
		bool app_failed, proxied;
	} words __attribute__((aligned(8)));
};
_Static_assert(offsetof(struct wh_flow, start_us) - offsetof(struct wh_flow, src_port) == 32,
               "ports, flags, state and app_proto");

/* The head "YYYY-MM-DDT" and zone of the last time seen in a field, and their value in microseconds. */
struct eve_day {
	uint8_t pattern[32];
	int64_t base_us;
};

/* timestamp, start and end have a day each, identified by their places in struct eve_values */
#define EVE_DAY_OF(at) ((at) / 8 % 4)
#define EVE_DAY_AT(member) EVE_DAY_OF(offsetof(struct eve_values, rec.member))
_Static_assert(EVE_DAY_AT(time_us) != EVE_DAY_AT(flow.start_us) && EVE_DAY_AT(time_us) != EVE_DAY_AT(flow.end_us) &&
               EVE_DAY_AT(flow.start_us) != EVE_DAY_AT(flow.end_us), "three different days");

struct eve_cache {
	struct eve_node nodes[EVE_NODES]; /* nodes[0] is the start of a record */
	struct eve_shortcut shortcuts[EVE_SHORTCUTS]; /* from 1 on */
	struct eve_day day[4];
	unsigned used, used_shortcuts;   /* 0: not yet initialised */
	unsigned records;                 /* read so far, modulo 2^32 */
	unsigned lost;                    /* joints that found no room since the last clearing */
	unsigned lost_shortcuts;
};

struct eve_walker {
	struct eve_values v;
	uint64_t seen, wrong, bad; /* fields: there; with the wrong type; with an impossible value */
	bool lines;                /* a newline ends the record */
	bool redone;               /* something was cleared that had been seen */
	bool ours;                 /* known to be a flow or alert record */
	bool faulty;               /* wrong or bad may have bits */
	/* this record's scalars are compared with the last ones', to find possible shortcuts */
	bool learning;
	/* fields that shortcuts have set; and their bytes, as in struct eve_shortcut, not yet put over v */
	uint64_t brought;
	uint64_t flow_mask[4], flow_data[4], word_mask, word_data;
	const char *reason;
	const char *safe;          /* up to here bytes may be read, though the record may end before */
	struct eve_cache *cache;
	unsigned depth, group;     /* these and stack: only while step() leads (the scratch node) */
	uint64_t stack[EVE_MAX_DEPTH / 64];
	struct eve_node scratch;
};

/* ---- eve_step.c ---- */
/* From `p`, just after the scalar of `cur` (at a string's closing quote), to the next scalar. Returns its node, or NULL with
 * w->reason. *after is where the joint ends. */
struct eve_node *wh_eve_step(struct eve_walker *w, struct eve_node *cur, const char *p, const char *end, const char **after);
void wh_eve_cache_init(struct eve_cache *c);

/* ---- eve_shortcut.c ---- */
/* After `from`, by way of `shortcut` (NULL: of the joint of `over` alone), came the scalar of `over`, which is `over->last`, and
 * then, by way of `next` (NULL: of its joint alone), `to`: make one shortcut of it all. */
void wh_eve_shorten(struct eve_cache *c, struct eve_node *from, struct eve_shortcut *shortcut, struct eve_node *over,
                    struct eve_shortcut *next, struct eve_node *to);
void wh_eve_forget_shortcuts(struct eve_cache *c);

/* ---- eve_scan.c: scalars, exactly ---- */
/* From after the opening quote. Returns the closing quote's place, or NULL with w->reason. With `out`: the decoded text, its
 * first `cap` bytes; *len counts all of it. */
const char *wh_eve_string(struct eve_walker *w, const char *p, const char *end, char *out, size_t cap, size_t *len);
/* *value is EVE_TOO_LARGE for an integer that is beyond 63 bits on either side. */
#define EVE_TOO_LARGE INT64_MIN
const char *wh_eve_number(struct eve_walker *w, const char *p, const char *end, bool *integer, int64_t *value);
enum eve_word { EVE_NULL, EVE_FALSE, EVE_TRUE };
const char *wh_eve_word(struct eve_walker *w, const char *p, const char *end, enum eve_word *word);

/* ---- eve_fields.c ---- */
struct eve_key {
	uint8_t group, len, field, op;
	uint16_t at;
	const char *name;
};
const struct eve_key *wh_eve_key(unsigned group, const char *name, size_t len); /* NULL: not wanted */
/* The scalar of node n, by the exact way. Returns the place after it (a string's closing quote) or NULL. */
const char *wh_eve_scalar(struct eve_walker *w, const struct eve_node *n, const char *p, const char *end);
void wh_eve_set_text(struct eve_walker *w, const struct eve_node *n, const char *text, size_t len);
void wh_eve_set_number(struct eve_walker *w, const struct eve_node *n, bool integer, int64_t value);
bool wh_eve_proto(const char *text, size_t len, uint8_t *proto); /* Suricata's names, any case, and numbers */

/* ---- eve_finish.c ---- */
/* Converts the values to the record. Returns 0, or -EBADMSG with w->reason. */
int wh_eve_finish(struct eve_walker *w);

/* ---- the walkers, one an instruction set; eve.c chooses ---- */
struct eve_impl {
	const char *name;
	/* Reads one record. Returns 0 with *stop at its end (the newline, or end), or -EBADMSG with w->reason. */
	int (*walk)(struct eve_walker *w, const char *p, const char *end, const char **stop);
};
extern const struct eve_impl wh_eve_portable;
#if defined(__x86_64__)
extern const struct eve_impl wh_eve_sse2, wh_eve_avx2;
#elif defined(__aarch64__)
extern const struct eve_impl wh_eve_neon;
#endif
/* For tests: the implementations that this machine can run (NULL-terminated), and to use one of them instead of the best. */
const struct eve_impl *const *wh_eve_impls(void);
void wh_eve_use(const struct eve_impl *impl); /* NULL: the best again */

/* Reasons, so that tests can name them. */
extern const char wh_eve_not_json[], wh_eve_cut_short[], wh_eve_not_utf8[], wh_eve_deep[], wh_eve_not_object[],
	wh_eve_too_long[], wh_eve_empty[], wh_eve_no_type[], wh_eve_wrong_type[], wh_eve_bad_time[], wh_eve_bad_addr[],
	wh_eve_bad_port[], wh_eve_bad_proto[], wh_eve_bad_count[], wh_eve_bad_flags[], wh_eve_bad_alert[], wh_eve_missing[];
/* Whether a signature is one of ours (rules/suricata), whose alerts are evidence. */
bool eve_own_sid(uint32_t sid);
