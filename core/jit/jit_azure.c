/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Openings in a network security group at Azure: the group is read, written by wh_jit_nsg(), and replaced completely or not at
 * all. */
#include <stdlib.h>
#include <string.h>
#include "azure/arm_http.h"
#include "whittle/jit.h"

struct job {
	const struct wh_jit_openings *openings;
	const struct wh_nsg *nsg;
	struct wh_arena *mem;
	char *notes;
};

static int build(void *arg, const json_t *present, json_t **wanted, struct wh_error *err)
{
	struct job *j = arg;
	struct wh_nsg now;
	char where[512];
	free(j->notes); /* a group that was changed meanwhile is the base of another attempt */
	j->notes = NULL;
	int rc = wh_nsg_read(j->nsg->name, present, j->mem, &now, err);
	if (rc)
		return rc;
	rc = wh_jit_nsg(j->openings, &now, j->mem, wanted, &j->notes, err);
	wh_nsgs_free(&now, 1);
	if (rc)
		return rc;
	json_t *body = wh_arm_nsg_body(*wanted);
	bool same = body && wh_arm_nsg_same(body, present, where);
	json_decref(body);
	if (!same)
		return 0;
	json_decref(*wanted);
	*wanted = NULL;
	return 1;
}

int wh_jit_azure(struct wh_arm *arm, const struct wh_jit_openings *o, const struct wh_nsg *nsg, struct wh_arm_result *out,
                 char **notes, struct wh_error *err)
{
	struct job j = {o, nsg, wh_arena_new(), NULL};
	memset(out, 0, sizeof *out);
	*notes = NULL;
	int rc = nsg->id ? -EAGAIN
	                 : wh_fail_input(err, -EINVAL, "%s has no ARM id: import it as `az network nsg show` prints it",
	                                 nsg->name);
	wh_arm_more_time(arm); /* each group has its own */
	for (int tries = 0; tries < 3 && rc == -EAGAIN;
	     tries++) /* somebody else was faster: the openings are added to the present state */
		rc = wh_arm_replace_nsg(arm, nsg->id, build, &j, out, err);
	*notes = j.notes;
	wh_arena_free(j.mem);
	return rc;
}
