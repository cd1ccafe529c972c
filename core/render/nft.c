/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ruleset that `enforce` would apply, in nft's own language: made from the same ruleset by the same functions. */
#include "whittle/render.h"

static int render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, char **out,
                  struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_ruleset *rs;
	struct wh_nft_options choice = {0};
	if (opt)
		choice = (struct wh_nft_options){.resources = opt->resources,
		                                 .n_resources = opt->n_resources,
		                                 .heard = opt->heard,
		                                 .all_addresses = opt->all_addresses,
		                                 .reject = opt->reject};
	int rc = wh_nft_ruleset_from(r, e, &choice, mem, &rs, err);
	if (!rc && !rs->n_ports)
		rc = wh_fail(err, -ENODATA, "there is nothing to export: no rule is recommended");
	if (!rc) {
		rs->audit = opt && opt->audit;
		*out = wh_nft_text(rs, 0);
		if (!*out)
			rc = wh_fail(err, -ENOMEM, "out of memory");
	}
	wh_arena_free(mem);
	return rc;
}

const struct wh_renderer wh_render_nft = {"nft", "what `whittle enforce` applies, in nft's language", render};
