/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registered part of a name. The public suffix list, some 10,000 rows that change each week, would be exact; the second
 * levels below suffice for most country codes. If one is missing, domains of that registry count as one: that makes a detection
 * coarser, not wrong.
 */
#include <string.h>
#include "whittle/fact.h"

static bool is_second_level(const char *label, size_t len)
{
	static const char *const known[] = {"ac",  "co",  "com", "edu", "gob", "gov", "gouv", "go",  "gv", "id",
	                                    "ltd", "mil", "ne",  "net", "nom", "or",  "org",  "plc", "sch"};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strlen(known[i]) == len && !memcmp(known[i], label, len))
			return true;
	return false;
}

static bool ends_with(const char *name, size_t len, const char *end)
{
	size_t n = strlen(end);
	return len >= n && !memcmp(name + len - n, end, n);
}

const char *wh_registered_domain(const char *name)
{
	size_t len = strlen(name), n = 0;
	const char *label[4]; /* begins of the last ones, the last first */
	if (ends_with(name, len, ".arpa") || ends_with(name, len, ".local") || ends_with(name, len, ".localhost"))
		return "";
	for (const char *p = name + len; n < 4; p--)
		if (p == name || p[-1] == '.') {
			label[n++] = p;
			if (p == name)
				break;
		}
	if (n < 2)
		return "";
	size_t top = len - (size_t)(label[0] - name);
	bool deep = n > 2 && top == 2 && is_second_level(label[1], (size_t)(label[0] - 1 - label[1]));
	return label[deep ? 2 : 1];
}
