/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verdicts: the values behind the numbers of port verdicts and cells, shared by ports.c and ports_answer.c. */
#pragma once
#include "reach/policy.h"

static inline size_t words(const struct numbering *s)
{
	return 2 * s->n_sport + 1; /* allowed and undecided for each class of source ports, and the reason */
}

static inline uint32_t verdict_of(struct numbering *s, const uint32_t *v)
{
	return intern_add(&s->verdicts, v, words(s) * sizeof *v);
}

static inline const uint32_t *verdict(const struct numbering *s, uint32_t number)
{
	return intern_get(&s->verdicts, number, NULL);
}

static inline const uint32_t *cell(const struct numbering *s, uint32_t number)
{
	return intern_get(&s->cells, number, NULL);
}
