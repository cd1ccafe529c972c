/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of formats, and reading a list in any of them. */
#include <string.h>
#include "whittle/intel.h"

extern const struct wh_intel_format wh_intel_plain, wh_intel_iprep, wh_intel_csv, wh_intel_jsonl, wh_intel_json, wh_intel_nft,
	wh_intel_stix, wh_intel_misp;
const struct wh_intel_format *const wh_intel_formats[] = {
	&wh_intel_plain, &wh_intel_csv, &wh_intel_jsonl, &wh_intel_iprep, &wh_intel_stix, &wh_intel_misp, &wh_intel_json,
	&wh_intel_nft,   NULL,
};

static const struct wh_intel_format *choose(const struct wh_intel_source *src, const char *text, size_t len, struct wh_error *err)
{
	const struct wh_intel_format *best = NULL;
	char known[160] = "";
	int sure = 0;
	for (size_t i = 0; wh_intel_formats[i]; i++) {
		const struct wh_intel_format *f = wh_intel_formats[i];
		if (src->format && !strcmp(src->format, f->name))
			return f;
		snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", f->name);
		int p = src->format ? 0 : f->probe(text, len);
		if (p > sure) {
			sure = p;
			best = f;
		}
	}
	if (src->format)
		wh_fail_input(err, -EINVAL, "%s: unknown list format '%s' (there are %s)", src->name, src->format, known);
	return best;
}

/* Events and bundles may have no address today. */
static bool never_refused(const struct wh_intel_format *f)
{
	return f == &wh_intel_stix || f == &wh_intel_misp;
}

int wh_intel_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each, void *arg,
                   struct wh_intel_parse_stats *stats, struct wh_error *err)
{
	memset(stats, 0, sizeof *stats);
	if (len >= 2 && (!memcmp(text, "\x1f\x8b", 2) || !memcmp(text, "\x28\xb5", 2)))
		return wh_fail_input(err, -EINVAL, "%s: it is compressed; let a command unpack it, such as command: 'zcat FILE'",
		                     src->name);
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) { /* UTF-8's mark, as Windows writes it */
		text += 3;
		len -= 3;
	}
	if (memchr(text, 0, len))
		return wh_fail_input(err, -EINVAL, "%s: not a text: it holds a NUL byte", src->name);
	const struct wh_intel_format *f = choose(src, text, len, err);
	if (!f)
		return src->format ? -EINVAL : wh_fail_input(err, -EINVAL, "%s: the list is empty", src->name);
	int rc = f->parse(src, text, len, now_us, each, arg, stats, err);
	if (rc)
		return rc;
	char where[32] = "";
	if (!stats->entries && !stats->unreadable && stats->other_kind && !never_refused(f)) {
		if (stats->first_other_line)
			snprintf(where, sizeof where, "line %zu: ", stats->first_other_line);
		return wh_fail_input(err, -EINVAL,
		                     "%s: %sno address in it, but %s (%zu entr%s, read as %s): whittle keeps out addresses alone",
		                     src->name, where, stats->other_kind, stats->skipped, stats->skipped == 1 ? "y" : "ies",
		                     f->name);
	}
	if (!stats->exceptions && stats->unreadable * 10 <= stats->entries + stats->skipped + stats->unreadable)
		return 0;
	if (stats->first_unreadable_line) /* some entries of documents that are one JSON value have no line */
		snprintf(where, sizeof where, "line %zu: ", stats->first_unreadable_line);
	return wh_fail_input(err, -EINVAL, "%s: %s%s (%zu such entr%s, %zu good, read as %s)", src->name, where,
	                     stats->why ? stats->why : "neither address, network nor range", stats->unreadable,
	                     stats->unreadable == 1 ? "y" : "ies", stats->entries, f->name);
}
