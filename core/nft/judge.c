/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judges one packet by all base chains that it passes, whatever program created them. */
#include <stdio.h>
#include <string.h>
#include "nft/filter.h"
#include "whittle/nft.h"


static void judge(const struct wh_filter *const *filters, size_t n, const struct wh_filter_packet *p, struct wh_nft_judged *out)
{
	out->verdict = WH_ALLOWED;
	for (size_t i = 0; i < n && out->verdict != WH_DENIED; i++) {
		struct wh_nft_judged_chain *c = &out->chains[out->n++];
		struct wh_filter_decision d = wh_filter_decide(filters[i], p);
		const char *by = d.verdict == WH_UNDECIDED ? d.doubt ? d.doubt->may : filters[i]->why
		                 : d.rule                  ? d.rule->name
		                                           : "its policy";
		snprintf(c->chain, sizeof c->chain, "%s", filters[i]->name);
		snprintf(c->by, sizeof c->by, "%s", by ? by : "");
		c->verdict = (uint8_t)d.verdict;
		if (d.verdict != WH_ALLOWED)
			out->verdict = (uint8_t)d.verdict;
	}
}

int wh_nft_judge(const struct wh_nft_question *q, struct wh_arena *mem, struct wh_nft_judged *out, struct wh_error *err)
{
	const struct wh_filter_packet p = {.direction = q->direction,
	                                   .proto = q->proto,
	                                   .local = q->local,
	                                   .peer = q->peer,
	                                   .sport = WH_EPHEMERAL_PORT,
	                                   .dport = q->port};
	const struct wh_filter *const *filters;
	struct wh_nft_view v;
	*out = (struct wh_nft_judged){.n = 0};
	int rc = wh_nft_view_live(mem, &v, err);
	if (rc)
		return rc;
	v.index = q->index;
	v.interface = *q->interface ? q->interface : NULL;
	size_t n = wh_nft_filters(&v, q->direction, mem, &filters);
	out->chains = wh_arena_array(mem, n + 1, sizeof *out->chains);
	judge(filters, n, &p, out);
	wh_nft_view_free(&v);
	return 0;
}
