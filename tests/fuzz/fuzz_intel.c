/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A threat list of any bytes, read in each format and by its content, gives prefixes without host bits and counts that add up,
 * or an error. The first byte chooses the format.
 */
#include <stdlib.h>
#include <string.h>
#include "whittle/intel.h"

static void need(bool ok)
{
	if (!ok)
		abort();
}

static int each(void *arg, const struct wh_prefix *p)
{
	struct wh_prefix whole = wh_prefix_of(&p->addr, p->len);
	need(p->len <= 128 && wh_addr_eq(&whole.addr, &p->addr));
	++*(size_t *)arg;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_intel_parse_stats stats;
	struct wh_error err = {0};
	size_t formats = 0, taken = 0;
	if (!size)
		return 0;
	while (wh_intel_formats[formats])
		formats++;
	size_t choice = (*data - '0') % (formats + 1);
	struct wh_intel_source src = {.name = "f", .format = choice < formats ? wh_intel_formats[choice]->name : NULL};
	char *text = malloc(size); /* NUL-terminated, as the contract has it */
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	memset(&stats, 0, sizeof stats);
	int rc = wh_intel_parse(&src, text, size - 1, 1790000000000000, each, &taken, &stats, &err);
	need(rc ? err.text[0] != 0 : taken >= stats.entries);
	need(stats.unreadable || !stats.first_unreadable_line);
	free(text);
	return 0;
}
