/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules in force, on this machine and in groups at Azure: applied, confirmed, rolled back, compared. */
#pragma once
#include "whittle/app.h"
#include "whittle/azure_groups.h"
#include "whittle/firewall.h"
#include "whittle/harden.h"
#include "whittle/recommendation.h"

/* ---- this machine's firewall ---- */
enum { WH_APP_OWN = 64 };
/* The rules for this machine, proved to lie within the rules in force, and what they do and do not judge. In `mem`. */
struct wh_app_own {
	const char *names[WH_APP_OWN]; size_t n; /* the resources that this machine is */
	/* the assumed rules in force if no group guards this machine, and whether they could not be read; also after a failure.
	 * NULL: groups do */
	const char *present; bool assumed;
	struct wh_nft_ruleset *rs;
	struct wh_covered *covered; size_t n_covered;
	int64_t memory_us;                       /* the start of the time that the ledger can know */
	struct wh_app_door *doors; size_t n_doors;  /* unjudged ports through which a judged one is reached */
	const char *doors_unread;                /* the part of this machine's translations that could not be read; NULL: none */
	char digest[WH_DIGEST_STRLEN];           /* wh_rules_digest() if n is 1, else "" */
};
struct wh_app_door { struct wh_door is; const char *text, *remedy; /* one sentence; the command that closes it */ };
/* names (none: the resources that have this machine's addresses). -EPERM if they would allow what the present policy
 * denies. */
int wh_app_own_rules(const struct wh_app *a, const char *const *names, size_t n, bool all_addresses, struct wh_arena *mem,
                     struct wh_app_own *out, struct wh_error *err);
bool wh_app_own_is_met(const struct wh_app_own *own); /* one of their addresses is this machine's */
/* those that have this machine's addresses */
size_t wh_app_own_resources(const struct wh_estate *e, const char **names, size_t max);
/* own->doors: needs own->rs. */
void wh_app_find_doors(const struct wh_estate *e, struct wh_arena *mem, struct wh_app_own *own);
/* "Judged: 10.0.0.4 (eth0); not covered: 172.17.0.1 (docker0), …" In `mem`. */
char *wh_app_coverage_line(const struct wh_covered *c, size_t n, struct wh_arena *mem);
json_t *wh_app_doors_json(const struct wh_app_own *own);
json_t *wh_app_reject_json(const struct wh_nft_reject *r); /* the prefixes; a new reference */
json_t *wh_app_coverage_json(const struct wh_covered *c, size_t n);

struct wh_app_enforced {
	struct wh_app_own own;
	bool applied, audit;             /* not applied: a dry run */
	int64_t confirm_within_s, expires_us;
	struct wh_enforce_result result; /* if applied */
	json_t *open;                    /* open connections that could not be made again; borrowed */
	const struct wh_replay *replay;  /* these rules, on the past traffic of the resources; NULL: see unreplayed */
	const char *unreplayed;          /* why they could not be replayed, or NULL */
};
struct wh_app_enforce {
	const char *const *resources; size_t n_resources; /* names; none: those that have this machine's addresses */
	bool all_addresses, audit, dry;
	bool force; /* apply even rules that would shut out the person, or cut an old or large open connection, or that are
	                                                     uncertain or would have cut off allowed peers */
	int64_t confirm_within_s;
	/* the digest of the one resource's rules that a person reviewed; NULL: the present ones */
	const char *reviewed;
	/* only these ports' rules, "22/tcp,out:443/tcp", and those in force; NULL: all */
	const char *only;
	const char *reject; /* as in wh_reject_parse(), instead of whittle.yaml's; NULL: as configured */
	/* Called after it was applied (or would be) and before the journal is written, which may wait for the ledger; *e is valid
	 * until it returns. */
	void (*done)(void *arg, const struct wh_app_enforced *e);
	void *arg;
};
/* Proves the reviewed rules again and applies them until they are confirmed. */
int wh_app_enforce(const struct wh_app *a, const struct wh_app_enforce *ask, struct wh_error *err);
/* confirm_command: the command that a person types to confirm. A new reference. */
json_t *wh_app_enforced_json(const struct wh_app_enforced *e, const char *confirm_command);
/* Restores the kept rules; *was (free() it) describes what was changed, NULL: nothing. */
int wh_app_repair(const struct wh_app *a, void (*done)(void *arg, const char *was), void *arg, struct wh_error *err);

struct wh_app_confirmed {
	struct wh_confirmed is;
	struct wh_error unstored;  /* the reason, if !is.stored or is.too_late */
	bool survives_reboot;
	const char *survives_not;  /* the reason why the rules do not survive a reboot; NULL if they do */
	struct wh_nft_state state;
};
/* Keeps the rules that enforce applied. Too late is not an error: see is.too_late. `done` as above. */
int wh_app_confirm(const struct wh_app *a, void (*done)(void *arg, const struct wh_app_confirmed *c), void *arg,
                   struct wh_error *err);
json_t *wh_app_confirmed_json(const struct wh_app_confirmed *c);

struct wh_app_rolled_back { struct wh_rolled_back is; bool all; struct wh_error unstored; /* the reason, if !is.stored */ };
int wh_app_rollback(const struct wh_app *a, bool all, void (*done)(void *arg, const struct wh_app_rolled_back *r), void *arg,
                    struct wh_error *err);
json_t *wh_app_rolled_back_json(const struct wh_app_rolled_back *r);

struct wh_app_drift {
	char **lines; size_t n;       /* the differences from the applied rules; in mem */
	struct wh_nft_state state;
	struct wh_nft_counts counts;  /* the ports that are narrowed; none: they could not be read, too */
	struct wh_error jit_unknown;  /* code 0, or why the ports that just-in-time access keeps closed could not be compared */
};
int wh_app_drift(const struct wh_app *a, struct wh_arena *mem, struct wh_app_drift *out, struct wh_error *err);
json_t *wh_app_drift_json(const struct wh_app_drift *d);

/* Keeps rules that an earlier version kept next to the ledger, if the kernel holds exactly those. */
int wh_app_adopt_earlier(const struct wh_app *a, struct wh_error *err);

int wh_app_uninstall(const struct wh_app *a, bool verify, struct wh_uninstalled *out, struct wh_error *err);
json_t *wh_app_uninstalled_json(const struct wh_uninstalled *u);
/* Restores the confirmed rules; `done` as above, also if a part of it failed. */
int wh_app_restore(const struct wh_app *a, void (*done)(void *arg, const struct wh_restored *r), void *arg, struct wh_error *err);

/* ---- groups at Azure ---- */
struct wh_app_azure {
	const struct wh_azure_group *groups; size_t n;
	bool dry, applied;          /* applied: it was tried, see rc */
	int rc; const struct wh_error *err; /* err is NULL if rc is 0 */
	struct wh_arena *mem;
};
struct wh_app_azure_ask {
	struct wh_azure_options options; /* except who, today and nsg_scope_default; names also as ids or addresses */
	struct wh_arm_options *arm;
	bool dry;
	void (*planned)(void *arg, const struct wh_app_azure *x); /* enforce: before anything is written */
	void (*done)(void *arg, const struct wh_app_azure *x);
	void *arg;
};
int wh_app_azure_enforce(const struct wh_app *a, const struct wh_app_azure_ask *ask, struct wh_error *err);
int wh_app_azure_rollback(const struct wh_app *a, const struct wh_app_azure_ask *ask, struct wh_error *err);
json_t *wh_app_azure_json(const struct wh_app_azure *x);
