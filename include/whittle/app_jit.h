/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Just-in-time access. */
#pragma once
#include "whittle/app.h"
#include "whittle/azure.h"
#include "whittle/jit.h"

enum { WH_APP_JIT_PORTS = 256 };
struct wh_app_ports { struct wh_jit_port *list; size_t n; };
/* Closes the policy's ports of this machine (*out). Refused, unless forced, if it would shut out the person at this
 * terminal. */
int wh_app_jit_on(const struct wh_app *a, int64_t confirm_within_s, bool force, struct wh_arena *mem, struct wh_app_ports *out,
                  struct wh_error *err);
struct wh_app_jit_confirmed {
	struct wh_app_ports closed, open;      /* open: the policy closes these, but their time was up */
	struct wh_error not_compared, unread;  /* code 0, or why the policy, or the kernel's table, could not be read */
};
/* Neither needs the ledger. `done` is called before the journal is written. */
int wh_app_jit_confirm(const struct wh_app *a, struct wh_arena *mem,
                       void (*done)(void *arg, const struct wh_app_jit_confirmed *c), void *arg, struct wh_error *err);
struct wh_app_jit_off { bool was_there; struct wh_app_ports closed; };
int wh_app_jit_off(const struct wh_app *a, struct wh_arena *mem, void (*done)(void *arg, const struct wh_app_jit_off *o),
                   void *arg, struct wh_error *err);
struct wh_app_jit_open {
	const char *resource, *to, *why; /* to: "nft", "nsg", or NULL: this machine's table if the resource is this machine */
	uint8_t proto;
	uint16_t port;
	struct wh_prefix from;
	int64_t length_s;
};
int wh_app_jit_open(const struct wh_app *a, const struct wh_app_jit_open *ask, struct wh_arena *mem, struct wh_jit_grant *out,
                    struct wh_error *err);
/* The same, but it waits for approval (*out: its id): needs no right to open. */
int wh_app_jit_request(const struct wh_app *a, const struct wh_app_jit_open *ask, struct wh_arena *mem, struct wh_jit_grant *out,
                       struct wh_error *err);
int wh_app_jit_approve(const struct wh_app *a, const char *id, struct wh_arena *mem, struct wh_jit_grant *out,
                       struct wh_error *err);
int wh_app_jit_refuse(const struct wh_app *a, const char *id, const char *why, struct wh_error *err);
int wh_app_jit_close(const struct wh_app *a, const char *id, const char *why, struct wh_error *err);
struct wh_app_jit_list {
	struct wh_jit_grant *list;
	size_t n;
	struct wh_jit_grant *requests; /* that wait */
	size_t n_requests;
	const char *not_closed; /* a sentence about ports that should be closed; NULL: all are */
};
int wh_app_jit_list(const struct wh_app *a, struct wh_arena *mem, struct wh_app_jit_list *out, struct wh_error *err);
json_t *wh_app_jit_list_json(const struct wh_app_jit_list *x);
const char *wh_app_jit_port_text(uint8_t proto, uint16_t port, char buf[static 24]); /* "22/tcp" */
/* {"policies":[{"resource", "ports":"22/tcp,…", "from":"prefix,…"|null, "who"|null, "longest":"3h", "longestSeconds",
 * "madeBy":"whittle.yaml"|"command"}…]}. */
json_t *wh_app_jit_policies_json(const struct wh_app *a);
/* {"events":[{"time", "who", "what", "id", "resource", "port", "from", "until", "why", "nsg", "state"}…]}, oldest first. */
int wh_app_jit_log(const struct wh_app *a, json_t **out, struct wh_error *err);
/* The group in its present wanted state; *notes (free() it): lines for a person, NULL for none. */
int wh_app_jit_nsg(const struct wh_app *a, const char *name, json_t **out, char **notes, struct wh_error *err);
struct wh_app_jit_group {
	const struct wh_nsg *nsg;
	const struct wh_arm_result *result;
	const char *notes;
	int rc;
	const struct wh_error *err;
};
struct wh_app_jit_azure {
	const char *nsg;                 /* NULL: all groups that guard a resource with a policy */
	bool until_closed;               /* stay, and end each opening at its time */
	void (*each)(void *arg, const struct wh_app_jit_group *g); /* after each group */
	void *arg;
};
/* *out: {"groups":[…]} of the last round, also after an error at Azure; NULL: no request was made. *ends_later: an opening needs
 * another call after its time. */
int wh_app_jit_azure(const struct wh_app *a, const struct wh_app_jit_azure *ask, struct wh_arm_options *arm, json_t **out,
                     bool *ends_later, struct wh_error *err);
