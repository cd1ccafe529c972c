/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json.h"

/*
 * jansson needs many times more memory for a value than the text takes: 11 million of `[],` fill 2.5 GB. So the values are
 * counted first, at their minimum cost on a 64-bit system with glibc's malloc: a text that needs more than 16 times its
 * length is not a document that whittle reads (rules of a group without any space or long name take 15 times). Strings are
 * skipped.
 */
enum {
	FREE_BYTES = 16 << 20,
	TIMES = 16,
	OBJECT_COST = 224,
	ARRAY_COST = 128,
	MEMBER_COST = 72,
	STRING_COST = 80,
	NUMBER_COST = 40
};

int wh_json_bounded(const char *text, size_t len)
{
	uint64_t cost = 0, most = FREE_BYTES + TIMES * (uint64_t)len;
	int line = 1;
	for (const char *p = text, *end = text + len; p < end && cost <= most; p++) {
		switch (*p) {
		case '\n': line++; break;
		case '{': cost += OBJECT_COST; break;
		case '[': cost += ARRAY_COST; break;
		case ':': cost -= STRING_COST - MEMBER_COST; break; /* its key was counted as a string */
		case '"':
			cost += STRING_COST;
			for (p++; p < end && *p != '"'; p++)
				if (*p == '\\' && p + 1 < end)
					p++;
			break;
		default:
			if ((*p >= '0' && *p <= '9') || *p == '-') {
				cost += NUMBER_COST;
				while (p + 1 < end && ((p[1] >= '0' && p[1] <= '9') || p[1] == '.' || p[1] == 'e' ||
				                       p[1] == 'E' || p[1] == '+' || p[1] == '-'))
					p++;
			}
		}
	}
	return cost > most ? line : 0;
}
