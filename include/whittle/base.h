/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: the foundation of every room. Errors, addresses and prefixes, arenas, time.
 *
 * One error idiom in the whole library: a function that can fail returns 0 or a negative errno and fills a
 * struct wh_error with one sentence for a person. Nothing in the library prints or exits.
 */
#pragma once

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define WH_VERSION "0.2.0"

/* The reason of a failure. `text` is complete: "what: why", with file, line and offset where there are any. */
struct wh_error {
	int code;        /* negative errno; -EINVAL and the like for bad input */
	bool input;      /* true if the caller's input (file, option) is at fault: exit status 2 */
	char text[512];
};
/* The first byte of a character that controls a terminal instead of being displayed (a control character, a change of the writing
 * direction, invalid UTF-8), or NULL. Names from files that contain one are refused. */
const char *wh_text_unprintable(const char *s);
/* Replaces each such character by '?': for displayed texts from a file, the ledger or the network. Error messages are treated
 * like this automatically. */
void wh_text_make_printable(char *s);
/* What follows the last slash: a file's name, the last name of an Azure id. All of the text if it has none; NULL gives NULL. */
const char *wh_last_part(const char *path);

/* Fills *err (which may be NULL) and returns `code`, so that callers write `return wh_fail(err, -ENOMEM, …)`. */
int wh_fail(struct wh_error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same for bad input from a person or file: marks the error so that the program exits with status 2. */
int wh_fail_input(struct wh_error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Both return a negative value, whatever `code` was: the compiler and the analyzers may rely on it. */
#define wh_fail(...) wh_negative((wh_fail)(__VA_ARGS__))
#define wh_fail_input(...) wh_negative((wh_fail_input)(__VA_ARGS__))
static inline int wh_negative(int rc)
{
	if (rc >= 0)
		__builtin_unreachable();
	return rc;
}

/*
 * An address, always 16 bytes in network order. IPv4 is held as its IPv4-mapped form ::ffff:a.b.c.d, so that both
 * families sort, hash and compare alike, and a mapped address in an input is the IPv4 address that it means.
 */
struct wh_addr {
	uint8_t b[16];
};

/* A prefix: host bits are zero; `len` counts in the 128-bit form, so an IPv4 /24 has len 120. */
struct wh_prefix {
	struct wh_addr addr;
	uint8_t len; /* 0–128 */
};

/* The two halves of an address as numbers. */
static inline uint64_t wh_addr_high(const struct wh_addr *a)
{
	uint64_t x;
	__builtin_memcpy(&x, a->b, 8);
	return be64toh(x);
}
static inline uint64_t wh_addr_low(const struct wh_addr *a)
{
	uint64_t x;
	__builtin_memcpy(&x, a->b + 8, 8);
	return be64toh(x);
}
static inline struct wh_addr wh_addr_of_halves(uint64_t high, uint64_t low)
{
	struct wh_addr a;
	high = htobe64(high);
	low = htobe64(low);
	__builtin_memcpy(a.b, &high, 8);
	__builtin_memcpy(a.b + 8, &low, 8);
	return a;
}
static inline bool wh_addr_is_v4(const struct wh_addr *a)
{
	return !wh_addr_high(a) && wh_addr_low(a) >> 32 == 0xffff;
}
/* The address after, or before: false if there is none, and *a is then the first, or the last. */
static inline bool wh_addr_next(struct wh_addr *a)
{
	uint64_t low = wh_addr_low(a) + 1, high = wh_addr_high(a) + !low;
	*a = wh_addr_of_halves(high, low);
	return high || low;
}
static inline bool wh_addr_previous(struct wh_addr *a)
{
	uint64_t low = wh_addr_low(a), high = wh_addr_high(a);
	*a = wh_addr_of_halves(high - !low, low - 1);
	return high || low;
}
struct wh_addr wh_addr_v4(uint32_t host_order);
uint32_t wh_addr_to_v4(const struct wh_addr *a); /* host order; meaningless unless wh_addr_is_v4() */
/* memcmp order, IPv4 before most of IPv6. Defined here because searches and sorts call it more than anything else. */
static inline int wh_addr_cmp(const struct wh_addr *a, const struct wh_addr *b)
{
	uint64_t x, y;
	__builtin_memcpy(&x, a->b, 8);
	__builtin_memcpy(&y, b->b, 8);
	if (x == y) {
		__builtin_memcpy(&x, a->b + 8, 8);
		__builtin_memcpy(&y, b->b + 8, 8);
	}
	x = be64toh(x);
	y = be64toh(y);
	return (x > y) - (x < y);
}
static inline int wh_addr_order(const void *a, const void *b) /* the same, for qsort and bsearch */
{
	return wh_addr_cmp(a, b);
}
static inline bool wh_addr_eq(const struct wh_addr *a, const struct wh_addr *b)
{
	return __builtin_memcmp(a->b, b->b, 16) == 0;
}
static inline unsigned wh_addr_common_bits(const struct wh_addr *a, const struct wh_addr *b) /* 0–128, from the front */
{
	uint64_t x = wh_addr_high(a) ^ wh_addr_high(b), y = wh_addr_low(a) ^ wh_addr_low(b);
	return x ? (unsigned)__builtin_clzll(x) : y ? 64 + (unsigned)__builtin_clzll(y) : 128;
}
/* "41,203" */
#define WH_NUMBER_STRLEN 32
const char *wh_number_text(uint64_t n, char buf[static WH_NUMBER_STRLEN]);
/* The same for a count that may be beyond any whole number ("2^64"), or a fraction ("0.5"). */
const char *wh_count_text(double n, char buf[static WH_NUMBER_STRLEN]);
/* Parses exactly `len` bytes of text (no zone, no brackets, no spaces). Returns 0 or -EINVAL. */
int wh_addr_parse(const char *text, size_t len, struct wh_addr *out);
#define WH_ADDR_STRLEN 46
#define WH_PREFIX_STRLEN 50
/* Writes the canonical text (RFC 5952; dotted quad for IPv4) and returns buf. */
char *wh_addr_text(const struct wh_addr *a, char buf[static WH_ADDR_STRLEN]);

/* Parses "10.0.0.0/8", "2001:db8::/32" or a bare address. Host bits are cleared and *had_host_bits (may be NULL) set. */
int wh_prefix_parse(const char *text, size_t len, struct wh_prefix *out, bool *had_host_bits);
/* "10.0.0.0/8"; a host prefix prints without its length. */
char *wh_prefix_text(const struct wh_prefix *p, char buf[static WH_PREFIX_STRLEN]);
/* The bits of an address after the first `len` (0–128), of each half. */
static inline uint64_t wh_host_bits_high(unsigned len)
{
	return len >= 64 ? 0 : UINT64_MAX >> len;
}
static inline uint64_t wh_host_bits_low(unsigned len)
{
	return len >= 128 ? 0 : len <= 64 ? UINT64_MAX : UINT64_MAX >> (len - 64);
}
static inline struct wh_prefix wh_prefix_of(const struct wh_addr *a, unsigned len128)
{
	struct wh_prefix p = {.len = (uint8_t)(len128 > 128 ? 128 : len128)};
	p.addr = wh_addr_of_halves(wh_addr_high(a) & ~wh_host_bits_high(p.len), wh_addr_low(a) & ~wh_host_bits_low(p.len));
	return p;
}
static inline bool wh_prefix_is_v4(const struct wh_prefix *p)
{
	return p->len >= 96 && wh_addr_is_v4(&p->addr);
}
unsigned wh_prefix_family_len(const struct wh_prefix *p); /* 0–32 for IPv4, 0–128 for IPv6 */
static inline bool wh_prefix_has(const struct wh_prefix *p, const struct wh_addr *a)
{
	return !((wh_addr_high(&p->addr) ^ wh_addr_high(a)) & ~wh_host_bits_high(p->len)) &&
	       !((wh_addr_low(&p->addr) ^ wh_addr_low(a)) & ~wh_host_bits_low(p->len)) && (p->len >= 96 || !wh_addr_is_v4(a));
}
static inline bool wh_prefix_covers(const struct wh_prefix *outer, const struct wh_prefix *inner) /* equal counts */
{
	return outer->len <= inner->len && wh_prefix_has(outer, &inner->addr);
}
int wh_prefix_cmp(const struct wh_prefix *a, const struct wh_prefix *b); /* by address, shorter first */
static inline struct wh_addr wh_prefix_last(const struct wh_prefix *p)
{
	return wh_addr_of_halves(wh_addr_high(&p->addr) | wh_host_bits_high(p->len),
	                         wh_addr_low(&p->addr) | wh_host_bits_low(p->len));
}
/* In sorted prefixes: the index of the first that does not begin below a. */
size_t wh_prefix_lower_bound(const struct wh_prefix *p, size_t n, const struct wh_addr *a);
/* In sorted, merged prefixes: the one that contains a; NULL if none does. */
const struct wh_prefix *wh_prefix_find(const struct wh_prefix *p, size_t n, const struct wh_addr *a);
/* Sorts, and removes duplicates and prefixes covered by others, in place; joins sibling halves. Returns the new count. */
size_t wh_prefix_merge(struct wh_prefix *p, size_t n);
/* RFC 1918, unique-local fc00::/7, carrier-grade NAT 100.64/10 is not private. */
bool wh_addr_is_private(const struct wh_addr *a);
/* The two "everything" prefixes: 0.0.0.0/0 (len 96) and ::/0 (len 0). An IPv6 prefix never contains an IPv4 address, though the
 * 128-bit span of ::/0 surrounds them: code that works on spans (wh_prefix_last) must cut ::ffff:0:0/96 out. */
extern const struct wh_prefix wh_prefix_all_v4, wh_prefix_all_v6;

/* Protocol numbers are IANA's; text is upper case "TCP", "UDP", "ICMP", else the number. */
enum { WH_PROTO_ANY = 0, WH_PROTO_ICMP = 1, WH_PROTO_TCP = 6, WH_PROTO_UDP = 17, WH_PROTO_ICMPV6 = 58 };
const char *wh_proto_text(uint8_t proto, char buf[static 8]);
int wh_proto_parse(const char *text, uint8_t *out); /* any case, or a number */

enum wh_direction { WH_INBOUND = 0, WH_OUTBOUND = 1 };
const char *wh_direction_text(enum wh_direction d); /* "Inbound", "Outbound" */

static inline uint64_t wh_saturating_add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* The number of set bits. Without an instruction for it, which old processors lack, the compiler generates a call with eight
 * look-ups. */
static inline unsigned wh_bits(uint64_t x)
{
	x -= x >> 1 & 0x5555555555555555u;
	x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
	return (unsigned)(((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56);
}

/* An arena: everything an analysis allocates, dropped whole. Allocation never returns NULL: it aborts on exhaustion only after
 * `limit` (0: none) by calling abort(); analyses limit their input first. Memory is zeroed. */
struct wh_arena;
struct wh_arena *wh_arena_new(void);
void *wh_arena_alloc(struct wh_arena *a, size_t size) __attribute__((malloc, alloc_size(2)));
void *wh_arena_array(struct wh_arena *a, size_t n, size_t size); /* overflow-checked */
/* the same, for a large array that is about to be filled: not zeroed */
void *wh_arena_unset(struct wh_arena *a, size_t n, size_t size);
/* An array of `n` elements that has room for one more: `old`, or a copy twice as long, with *room set. */
void *wh_arena_grown(struct wh_arena *a, void *old, size_t n, size_t *room, size_t size);
char *wh_arena_strdup(struct wh_arena *a, const char *s);
char *wh_arena_printf(struct wh_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Moves the contents of `from` to `a`; `from` is freed. */
void wh_arena_adopt(struct wh_arena *a, struct wh_arena *from);
/* Forgets its contents, but keeps the memory for reuse: in repeated work, page faults are most of the
 * cost. */
void wh_arena_reset(struct wh_arena *a);
size_t wh_arena_bytes(const struct wh_arena *a);
void wh_arena_free(struct wh_arena *a); /* NULL is fine */

/* Time: microseconds since 1970 UTC; a day is time / 86,400,000,000 rounded down. */
#define WH_US_PER_DAY INT64_C(86400000000)
static inline int32_t wh_day(int64_t us)
{
	return (int32_t)(us / WH_US_PER_DAY - (us % WH_US_PER_DAY < 0));
}
int64_t wh_now_us(void);
int64_t wh_monotonic_us(void); /* from a clock that is never set (CLOCK_MONOTONIC): for time-outs and durations */
#define WH_TIME_STRLEN 32
char *wh_time_text(int64_t us, char buf[static WH_TIME_STRLEN]); /* 2026-11-01T00:00:00Z */
/* ISO 8601 with or without fraction, zone as Z, +0000 or +00:00. Returns 0 or -EINVAL. */
int wh_time_parse(const char *text, size_t len, int64_t *us);
/* "90", "90s", "5m", "3h", "2d" to seconds. Returns 0 or -EINVAL. */
int wh_duration_parse(const char *text, int64_t *seconds);
/* "64MiB", "64M", "1048576" to bytes. Returns 0 or -EINVAL. */
int wh_size_parse(const char *text, uint64_t *bytes);

/* The file `name` ("ports.yaml") of rules/: from rules_dir (NULL: none is set), $WHITTLE_RULES, the source tree next to the
 * binary, or the installed place. */
int wh_rules_path(const char *rules_dir, const char *name, char *buf, size_t size, struct wh_error *err);
