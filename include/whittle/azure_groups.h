/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * azure_groups: enforcing a recommendation in the network security groups at Azure that protect the resources, all of them or
 * none.
 *
 * Each group is read as it is now. It must be what was imported, or what whittle itself applied last: if somebody else changed a
 * rule meanwhile, the plan is refused (-ESTALE) unless it is forced, and then based on the present group. Rules that whittle
 * applied before and nobody changed since are taken out first, so the recommendation itself is enforced, not a narrowing of it;
 * then the rules are proved to be within what the group allows without them, and merged as `export` merges them.
 *
 * The former group is kept in the state directory (file azure.steps, by the group's id) before anything is written:
 * wh_azure_rollback() puts it back. A rule counts as whittle's own only if that file lists it, and the rule bears whittle's mark.
 */
#pragma once
#include <limits.h>
#include "whittle/azure.h"
#include "whittle/estate.h"
#include "whittle/recommendation.h"
#include "whittle/nsg.h"

enum wh_azure_state {
	WH_AZURE_PLANNED,     /* nothing was written yet */
	WH_AZURE_UNCHANGED,   /* there is nothing to change */
	WH_AZURE_APPLIED,     /* written, read back, compared */
	WH_AZURE_ROLLED_BACK, /* the former group was put back */
	WH_AZURE_UNCERTAIN,   /* Azure could not be read again */
	WH_AZURE_FAILED,      /* ours is in place, and the former could not be put back */
};
/* "planned", "unchanged", "applied", "rolled back", "uncertain", "failed" */
const char *wh_azure_state_text(enum wh_azure_state s);

struct wh_azure_group {
	const char *name, *id;
	enum wh_azure_state state;
	/* the changes of others since the import, or since whittle applied */
	struct wh_nsg_change *drift; size_t n_drift;
	struct wh_nsg_change *changes; size_t n_changes; /* the planned or applied changes */
	const char *notes;                               /* lines for a person, "" when there are none */
	/* somebody changed it between plan and apply: the changes are those of the second plan */
	bool replanned;
};

struct wh_azure_options {
	const char *const *resources; size_t n_resources; /* names as in the estate; 0: all */
	/* only this group, by name or id; NULL: all that protect the resources */
	const char *nsg;
	bool force;                                       /* plan even if somebody else changed the group */
	enum wh_nsg_scope nsg_scope, nsg_scope_default;   /* as in struct wh_render_options */
	const char *keep_until, *today;                   /* as in struct wh_render_options */
	const char *who;                                  /* for the ledger */
};

/* Reads and plans; writes nothing. The estate's groups are replaced by those that were read. `arm`, `s`, `e`, `r`, the options
 * and `mem` must outlive *out, which is freed with wh_azure_free(), also after an error: then the groups read so far say why. */
struct wh_azure;
/* The file of the former groups. -ENAMETOOLONG also if there is no state directory. */
int wh_azure_steps_path(const char *state, char out[static PATH_MAX], struct wh_error *err);
int wh_azure_plan(struct wh_arm *arm, const char *state, struct wh_estate *e, const struct wh_recommendation *r,
                  const struct wh_azure_options *opt, struct wh_arena *mem, struct wh_azure **out, struct wh_error *err);
/* Applies them one after another; if one fails, those before it are put back. A group that somebody changed since the plan is
 * read and planned again. */
int wh_azure_apply(struct wh_azure *a, struct wh_error *err);
/* "allow-web was added", in mem. */
const char *wh_azure_drift_text(const struct wh_nsg_change *c, struct wh_arena *mem);
const struct wh_azure_group *wh_azure_groups(const struct wh_azure *a, size_t *n);
void wh_azure_free(struct wh_azure *a);

/* The originals that are kept, disabled, until a given day: in each group of the estate as imported or, if there are none, as
 * whittle wrote it last. */
int wh_azure_kept(const char *state, const struct wh_estate *e, struct wh_arena *mem, struct wh_kept **out, size_t *n,
                  struct wh_error *err);

/* Puts the rules that a group had before the last apply back (nsg NULL: of every group), unless somebody changed it since
 * (-ESTALE; not when forced). Rules of just-in-time access stay as they are now. *groups lists the results, in mem. -ENOENT:
 * nothing to put back. */
int wh_azure_rollback(struct wh_arm *arm, const char *state, const char *nsg, bool force, struct wh_arena *mem,
                      struct wh_azure_group **groups, size_t *n, struct wh_error *err);
