/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/count.h"

void wh_count_bad(struct wh_read_stats *s, const char *reason, uint64_t line, uint64_t offset)
{
	unsigned i;
	s->malformed++;
	for (i = 0; i < s->n_bad && s->bad[i].reason != reason; i++)
		;
	if (i == s->n_bad) {
		if (i == sizeof s->bad / sizeof *s->bad)
			return;
		s->bad[i].reason = reason;
		s->bad[i].first_line = line;
		s->bad[i].first_offset = offset;
		s->n_bad++;
	}
	s->bad[i].count++;
}
