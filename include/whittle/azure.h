/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * azure: replacing one network security group at Azure Resource Manager, completely or not at all.
 *
 * GET it with its etag, let the caller build the new one, PUT it with If-Match, wait until Azure is done, read it back and
 * compare; if the result differs from what was sent, PUT the former one again. A group is replaced by one PUT, which Azure
 * applies as a whole: there is no intermediate state. Sources: Azure REST guidelines (etags, Azure-AsyncOperation, Retry-After)
 * and the reference of Microsoft.Network networkSecurityGroups.
 */
#pragma once
#include <jansson.h>
#include "whittle/base.h"
#include "whittle/key.h"

#define WH_AZURE_ENDPOINT "https://management.azure.com" /* Azure's public cloud */

/* Settings of this room. */
struct wh_azure_config {
	const char *endpoint;       /* NULL: Azure's public cloud */
	const char *token_command;  /* run by /bin/sh; prints a bearer token. NULL: $WHITTLE_AZURE_TOKEN */
	const char *ca_file;        /* NULL: the system's */
	int64_t wait_s;             /* for all waiting of one exchange; 0: 5 min */
};
extern const struct wh_key wh_azure_keys[];

struct wh_arm_options {
	const char *endpoint;      /* NULL: Azure's public cloud; http is refused but to a loopback address */
	const char *token;         /* a bearer token, or … */
	const char *token_command; /* … a command that prints one; run again if the token is refused */
	const char *ca_file;       /* NULL: the system's */
	const char *api_version;   /* NULL: 2023-09-01 */
	unsigned max_tries;        /* of one request, for 409, 429, 5xx and cut connections; 0: 6 */
	int64_t max_wait_ms;       /* for all waiting together; 0: five minutes */
	void (*say)(void *arg, const char *sentence); /* progress; NULL: silent. Never holds a secret */
	void *say_arg;
};
struct wh_arm;
int wh_arm_open(const struct wh_arm_options *opt, struct wh_arm **out, struct wh_error *err);
void wh_arm_close(struct wh_arm *arm);

/* The resource as it is now (new reference), with its "etag". *etag is freed by the caller. id is an ARM id,
 * "/subscriptions/…". */
int wh_arm_get(struct wh_arm *arm, const char *id, json_t **out, char **etag, struct wh_error *err);

/* Builds the new group from the present one: returns 0 with a new reference, 1 if nothing changes, <0 on error. */
typedef int (*wh_arm_build)(void *arg, const json_t *present, json_t **wanted, struct wh_error *err);
struct wh_arm_result {
	bool changed;       /* false: nothing to do */
	bool rolled_back;   /* the result differed, or the change failed half-way: the former group was put back */
	/* it failed, and the group could not be read again: it is the former or the new one */
	bool uncertain;
	unsigned requests;  /* sent in all, tries included */
	char etag[256];     /* of the group as read back, if it was changed and compared; else "" */
};
/* The whole exchange. Fails with -EAGAIN if somebody else changed the group meanwhile (nothing of ours was applied). */
int wh_arm_replace_nsg(struct wh_arm *arm, const char *id, wh_arm_build build, void *arg, struct wh_arm_result *out,
                       struct wh_error *err);

/* The group without what only Azure writes (etags, provisioning states, default rules, back-references): the body of the PUT. */
json_t *wh_arm_nsg_body(const json_t *nsg);
/* Whether `got` has everything in `sent`; *where (512 bytes) names the first difference. */
bool wh_arm_nsg_same(const json_t *sent, const json_t *got, char where[static 512]);
