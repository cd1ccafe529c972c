/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removes everything of ours, and shows that nothing else was touched. */
#include <string.h>
#include "whittle/persist.h"

static int present(struct wh_uninstalled *out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_state st;
	struct wh_jit_live live;
	int rc = wh_nft_state(&st, err);
	if (!rc)
		out->rules = st.present;
	if (!rc && !(rc = wh_jit_nft_live(mem, &live, err)))
		out->jit = live.present;
	wh_arena_free(mem);
	return rc;
}

int wh_uninstall(const char *dir, bool verify, struct wh_uninstalled *out, struct wh_error *err)
{
	struct wh_nft_survey before, after;
	struct wh_error ignored;
	memset(out, 0, sizeof *out);
	if (present(out, &ignored)) /* our tables were changed and can't be read: remove them all the same */
		out->rules = out->jit = false;
	int rc = verify ? wh_nft_survey(&before, err) : 0;
	if (!rc) /* the files first: after a kill half-way the rules must not come back at the next start */
		rc = wh_persist_forget(dir, true, true, &out->files, err);
	if (!rc)
		rc = wh_nft_rollback(err);
	if (!rc)
		rc = wh_jit_nft_off(err);
	if (!rc && verify)
		rc = wh_nft_survey(&after, err);
	if (!rc && verify) {
		out->verified = true;
		out->others = before.n[WH_NFT_TABLES];
		const char *differs = wh_nft_surveys_differ(&before, &after);
		if (differs)
			snprintf(out->differs, sizeof out->differs, "%s", differs);
	}
	return rc;
}
