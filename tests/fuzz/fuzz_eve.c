/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For any bytes every walker and a naive reader of RFC 8259 give the same result: as one record, fresh and after records that
 * left their joints in memory, and as lines.
 */
#include <stdlib.h>
#include <string.h>
#include "../unit/support/eve_reference.h"
#include "whittle/fact.h"
#include "../unit/support/eve_reference.c"
#include "../unit/support/json_rfc.c"

static void compare(const char *text, size_t len, const struct eve_verdict *reference)
{
	struct eve_verdict v = {.reason = NULL};
	v.rc = wh_eve_record(text, len, &v.rec, &v.reason);
	const char *difference = eve_difference(&v, reference);
	if (difference) {
		fprintf(stderr, "%s (%s) in: %.*s\n", difference, v.reason ? v.reason : "no reason", (int)len, text);
		abort();
	}
}

static int count(void *arg, const struct wh_record *rec)
{
	(void)rec;
	++*(uint64_t *)arg;
	return 0;
}

/* Of what is well-formed, facts are within their bounds; what was cut off anywhere is read no further. */
static void facts_of(const char *text, size_t len, const struct wh_record *rec)
{
	static const char *const types[] = {"dns", "tls", "ssh", "smb", "krb5", "ldap", "ike", "ikev2", "alert", "stats"};
	struct wh_fact f[WH_FACTS_MAX];
	struct wh_record as = *rec;
	as.time_us = as.time_us ? as.time_us : 1;
	for (size_t i = 0; i <= sizeof types / sizeof *types; i++) {
		if (i)
			strcpy(as.event_type, types[i - 1]);
		for (unsigned n = wh_eve_facts(text, len, &as, f); n-- > 0;)
			for (const char *c = f[n].value; c == f[n].value || c[-1]; c++)
				if (c == f[n].value + WH_FACT_VALUE || (*c && (*c < 0x20 || *c > 0x7e)))
					abort();
	}
}

/* Lines: each gives the reference's result for it alone. */
static void lines(const char *text, size_t len)
{
	struct wh_read_stats s = {0};
	uint64_t good = 0, bad = 0, seen = 0;
	void *state = wh_reader_eve.open(&(struct wh_reader_options){0});
	if (!state || wh_reader_eve.feed(state, &(struct wh_stretch){text, len, true, 1, 0}, count, &seen, &s) != (int64_t)len)
		abort();
	wh_reader_eve.close(state);
	for (const char *p = text, *end = text + len, *nl; p < end; p = nl + 1) {
		struct eve_verdict v;
		nl = memchr(p, '\n', (size_t)(end - p));
		nl = nl ? nl : end;
		eve_judge(p, (size_t)(nl - p), &v);
		if (!v.rc)
			good++;
		else
			for (const char *q = p; q < nl; q++)
				if (!strchr(" \t\r", *q) || !*q) {
					bad++;
					break;
				}
	}
	if (s.records != good || s.malformed != bad || seen != good || s.bytes != len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eve_verdict reference;
	char *text = malloc(size ? size : 1); /* its end is the end of the readable memory */
	if (!text)
		return 0;
	memcpy(text, data, size);
	eve_judge(text, size, &reference);
	if (!reference.rc)
		facts_of(text, size, &reference.rec);
	for (const struct eve_impl *const *impl = wh_eve_impls(); *impl; impl++) {
		wh_eve_use(*impl);
		compare(text, size, &reference);
		compare(text, size, &reference);
		lines(text, size);
	}
	free(text);
	return 0;
}
