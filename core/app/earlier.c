/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "app/app.h"
#include "app/ledger_apart.h"
#include "whittle/app_firewall.h"

int wh_app_adopt_earlier(const struct wh_app *a, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_ruleset *rs = NULL;
	struct wh_error why = {.text = ""};
	bool jit = false;
	int rc = *a->beside ? wh_app_ledger_earlier(a, mem, &rs, &jit, &why) : -ENOENT;
	if (rc == -ENOENT)
		goto none;
	rc = rc ? rc : wh_firewall_adopt(rs, &why);
	if (rc == 1) /* the kept rules are trusted, and these are not */
		goto none;
	if (rc) {
		wh_fail_input(
			err, rc,
			"%s: an earlier version stored the confirmed rules here, where the ledger's owner may write. They are used only if the kernel holds the same, but %s. "
			"Run `whittle enforce` and `whittle confirm`%s",
			a->beside, why.text, jit ? ", `whittle jit on` and `whittle jit confirm`" : "");
		goto out;
	}
	wh_app_note(a, "the rules that an earlier version stored in %s are in force; they are stored in %s from now on",
	            a->beside, a->state_dir);
	wh_app_ledger_forget_earlier(a);
none:
	rc = 0;
out:
	wh_arena_free(mem);
	return rc;
}
