/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of formats, and reading a list in one of them. */
#include <string.h>
#include "whittle/intel.h"

extern const struct wh_intel_format wh_intel_plain, wh_intel_iprep, wh_intel_csv, wh_intel_jsonl, wh_intel_stix, wh_intel_misp;
const struct wh_intel_format *const wh_intel_formats[] = {
	&wh_intel_plain, &wh_intel_csv, &wh_intel_jsonl, &wh_intel_iprep, &wh_intel_stix, &wh_intel_misp, NULL,
};

static const struct wh_intel_format *choose(const struct wh_intel_source *src, const char *text, size_t len, struct wh_error *err)
{
	const struct wh_intel_format *best = NULL;
	char known[96] = "";
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

int wh_intel_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each, void *arg,
                   struct wh_intel_parse_stats *stats, struct wh_error *err)
{
	memset(stats, 0, sizeof *stats);
	if (len >= 2 && (!memcmp(text, "\x1f\x8b", 2) || !memcmp(text, "\x28\xb5", 2)))
		return wh_fail_input(err, -EINVAL, "%s: it is compressed; let a command unpack it, such as command: 'zcat FILE'", src->name);
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
	if (rc || stats->unreadable * 10 <= stats->entries + stats->skipped + stats->unreadable)
		return rc;
	char where[32] = "";
	if (stats->first_unreadable_line) /* documents that are one JSON value have no lines to tell */
		snprintf(where, sizeof where, "line %zu: ", stats->first_unreadable_line);
	return wh_fail_input(err, -EINVAL, "%s: %sneither address, network nor range (%zu such entries, %zu good ones, read as %s)", src->name, where,
	                     stats->unreadable, stats->entries, f->name);
}
