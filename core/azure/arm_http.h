/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One HTTP request to Azure Resource Manager, with the retries that its status codes require. */
#pragma once
#include "net/https.h"
#include "whittle/azure.h"

/*
 * method "GET" or "PUT"; path_or_url a path below the endpoint, or a whole URL of the same host (another host is refused: it
 * would get the token). Waits and retries on 429, 409, 5xx; a GET also if it was cut. A cut PUT returns with r->cut. Returns 0
 * whatever the final status is, negative if there was no reply.
 */
int wh_arm_request(struct wh_arm *arm, const char *method, const char *path_or_url, const char *if_match, const char *body,
                   struct wh_https_reply *r, struct wh_error *err);
int wh_arm_wait(struct wh_arm *arm, int64_t ms, struct wh_error *err); /* sleeps, within max_wait_ms */
void wh_arm_count(struct wh_arm *arm); /* the last request was in vain: its time counts as waited, too */
void wh_arm_more_time(struct wh_arm *arm);                                /* max_wait_ms counts from now: for a rollback */
const char *wh_arm_api_version(const struct wh_arm *arm);
void wh_arm_say(const struct wh_arm *arm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
unsigned wh_arm_requests(const struct wh_arm *arm);
/* The service's own text for a failure ("code: message"), or its status. buf is returned. */
const char *wh_arm_reason(const struct wh_arm *arm, const struct wh_https_reply *r, char buf[static 256]);
/* A service may echo the token: replaces it by asterisks in the service's text. */
void wh_arm_hide_token(const struct wh_arm *arm, char *text);
