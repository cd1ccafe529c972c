/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The common input of recommend, explain, replay and the watcher: whittle.yaml, the files of rules/, and threat intelligence. */
#include <limits.h>
#include "whittle/harden.h"
#include "whittle/intel.h"
#include "whittle/ledger.h"

int wh_harden_options_load(const struct wh_harden_config *c, struct wh_state *s, const char *ports, struct wh_arena *mem,
                           struct wh_harden_options *out, struct wh_error *err)
{
	char path[PATH_MAX];
	struct wh_port_list *list;
	struct wh_intel_list *lists;
	struct wh_prefix *hostile;
	int64_t *hours;
	size_t n;
	int rc;

	*out = (struct wh_harden_options){.trusted = c->trusted,
	                                  .n_trusted = c->n_trusted,
	                                  .min_days = (unsigned)c->min_days,
	                                  .max_prefixes = (unsigned)c->max_prefixes,
	                                  .max_prefixes_nsg = (unsigned)c->max_prefixes_nsg,
	                                  .stable_days = (unsigned)c->stable_days,
	                                  .window_days = (unsigned)c->window_days,
	                                  .directions = c->directions};
	if ((rc = wh_rules_path(c->rules_dir, "evidence.yaml", path, sizeof path, err)))
		return rc;
	out->evidence_yaml = wh_arena_strdup(mem, path);
	if (!ports)
		ports = c->ports;
	if ((rc = wh_rules_path(c->rules_dir, "ports.yaml", path, sizeof path, err)) ||
	    (rc = wh_port_list_load(ports, path, mem, &list, err)))
		return rc;
	out->ports = list;
	out->ports_outbound = ports ? list : NULL; /* the list of the rules is of services, not of their users' needs */
	if ((rc = wh_intel_lists(s, mem, &lists, &n, err)))
		return rc;
	wh_intel_merged(lists, n, mem, &hostile, &n);
	out->hostile = hostile;
	out->n_hostile = n;
	if ((rc = wh_lost_hours(s, mem, &hours, &n, err)))
		return rc;
	out->lost_hours = hours;
	out->n_lost_hours = n;
	return 0;
}
