/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/forget.h"
#include "ledger/store.h"

bool wh_forget_peer(const struct wh_forget *f, const struct wh_addr *peer)
{
	return wh_prefix_has(&f->peers, peer);
}

int wh_store_forget(struct wh_store *s, const struct wh_forget *what, bool dry_run, struct wh_forgotten *out,
                    struct wh_error *err)
{
	if (s->ops->forget)
		return s->ops->forget(s, what, dry_run, out, err);
	return wh_fail_input(
		err, -ENOTSUP,
		"only what is in a ledger file can be forgotten; rows in a cluster are deleted by its administrator, with ALTER TABLE … DELETE");
}
