/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two sides of ledger_copy.h say to each other. */
#pragma once
#include "app/ledger_copy.h"

/* A question is one of these in a byte, and what it needs: READ a place 8; WRITE whether it is the first part 1, its bytes; PROVE
 * a mark (number 8, hash 32). An answer: MAKE, REPLACE, DROP, PSEUDONYMS nothing; STEP the pages that are left 4, of all 4; MADE
 * bytes 8, the tip's mark; READ bytes; PROVE the struct's members in their order. */
enum wh_ledger_copy_question {
	WH_COPY_MAKE, WH_COPY_STEP, WH_COPY_MADE, WH_COPY_READ, WH_COPY_WRITE, WH_COPY_PROVE, WH_COPY_REPLACE, WH_COPY_DROP,
	WH_COPY_PSEUDONYMS, WH_COPY_QUESTIONS
};

static inline void wh_ledger_copy_put_mark(struct wh_bytes *b, const struct wh_journal_mark *m)
{
	wh_put_number(b, (uint64_t)m->seq, 8);
	wh_put(b, m->hash, sizeof m->hash);
}
