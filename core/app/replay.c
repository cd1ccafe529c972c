/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replaying rules on past traffic, of the ledger or of logs. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "app/app.h"
#include "whittle/app_rules.h"

/* The logs in a ledger of their own, which is gone when it is closed, or when this process is ended while it reads. */
static int read_logs(const struct wh_app *a, struct wh_state *s, const struct wh_app_replay *ask, struct wh_ledger *out,
                     struct wh_error *err)
{
	const char *tmp = getenv("TMPDIR");
	struct wh_ingest_options opt = {.byte_limit = a->config->ledger.memory_limit};
	struct wh_ingest_result result;
	struct wh_locals *locals = NULL;
	char dir[PATH_MAX], path[PATH_MAX + 8];
	int rc;

	snprintf(dir, sizeof dir, "%s/whittle-replay-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return wh_fail(err, -errno, "%s: %s", dir, strerror(errno));
	snprintf(path, sizeof path, "%s/log.db", dir);
	if (!(rc = wh_estate_locals(s, a->config->estate.discover, &locals, err)))
		rc = wh_ledger_open(path, WH_STATE_CREATE, out, err);
	/* open files outlive their names */
	static const char *const tails[] = {"", "-wal", "-shm"};
	for (unsigned i = 0; i < sizeof tails / sizeof *tails; i++) {
		snprintf(path, sizeof path, "%s/log.db%s", dir, tails[i]);
		unlink(path);
	}
	rmdir(dir);
	opt.locals = locals;
	for (size_t i = 0; i < ask->n_logs && !rc; i++) {
		if (ask->reading)
			ask->reading(a->arg, ask->logs[i]);
		rc = wh_ingest(out->store, ask->logs[i], &opt, &result, err);
	}
	wh_locals_free(locals);
	return rc;
}

static int replay(const struct wh_app *a, const struct wh_app_replay *ask, struct wh_app_ledger *l, struct wh_arena *mem,
                  struct wh_replay **out, struct wh_error *err)
{
	struct wh_recommendation *rec;
	struct wh_harden_options opt;
	const struct wh_harden_ask of = {l->is.store, l->estate, ask->resources, ask->n_resources, &opt};
	struct wh_ledger log = {NULL, NULL};
	int rc = wh_harden_options_load(&a->config->harden, l->is.state, ask->holdout_days ? NULL : "all", mem, &opt, err);

	if (rc)
		return rc;
	opt.progress = a->progress;
	opt.progress_arg = a->arg;
	if (ask->holdout_days)
		return wh_replay_holdout(&of, ask->holdout_days, mem, out, err);
	if ((rc = wh_app_rules(l, ask->rules, mem, &rec, err)))
		return rc;
	if (!ask->n_logs)
		return wh_replay(&of, rec, 0, mem, out, err);
	rc = read_logs(a, l->is.state, ask, &log, err);
	rc = rc ? rc : wh_replay_log(&of, log.store, rec, mem, out, err);
	wh_ledger_close(&log);
	return rc;
}

int wh_app_replay_check(const struct wh_app_replay *ask, struct wh_error *err)
{
	if (ask->holdout_days > 63)
		return wh_fail_input(err, -EINVAL, "a holdout has 1 to 63 days, not %u", ask->holdout_days);
	if (ask->rules && ask->holdout_days)
		return wh_fail_input(err, -EINVAL, "--rules and --holdout exclude each other: a holdout derives its own rules");
	if (ask->n_logs && ask->holdout_days)
		return wh_fail_input(err, -EINVAL,
		                     "--log and --holdout exclude each other: a holdout uses the ledger's days");
	return 0;
}

int wh_app_replay(const struct wh_app *a, const struct wh_app_replay *ask, struct wh_arena *mem, struct wh_app_replayed *out,
                  struct wh_error *err)
{
	struct wh_app_ledger l = {.estate = NULL};
	int rc = wh_app_replay_check(ask, err);

	*out = (struct wh_app_replayed){.estate = NULL};
	rc = rc ? rc : wh_app_open(a, WH_STATE_READ, mem, &l, err);
	if (!rc)
		wh_app_present(a, &l, mem);
	rc = rc ? rc : replay(a, ask, &l, mem, &out->replay, err);
	wh_app_close(&l, rc ? NULL : &out->estate);
	return rc;
}
