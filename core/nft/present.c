/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of other programs that existed before ours, and that apply as well. */
#include <string.h>
#include "nft/filter.h"
#include "whittle/nft.h"

int wh_nft_present(const char *interface, uint32_t index, enum wh_direction d, struct wh_arena *mem,
                   const struct wh_filter *const **out, size_t *n, bool *legacy, struct wh_error *err)
{
	struct wh_nft_view v;
	char unread[256] = "";
	int rc = wh_nft_view_present(mem, &v, err);
	*n = 0;
	if (rc)
		return rc;
	v.index = index;
	v.interface = *interface ? interface : NULL;
	*n = wh_nft_filters(&v, d, mem, out);
	wh_nft_unread_legacy("filter", unread, sizeof unread);
	*legacy = *unread;
	wh_nft_view_free(&v);
	return 0;
}
