/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Long-running operations, as Resource Manager's clients poll them: each is a document of the ledger, so that any worker answers,
 * also after a restart. A client that lost the answer sends its request again with the same x-ms-client-request-id, and gets the
 * operation that it began.
 */
#pragma once
#include "serve/call.h"

/* The operation that this request began before, or a new one (*fresh). *id in c->mem. */
int wh_operation_begin(struct wh_call *c, const char *what, const char *resource, const char **id, bool *fresh,
                       struct wh_error *err);
/* Its outcome: rc 0 with a document (NULL: none, its reference is taken), or a failure. */
int wh_operation_end(struct wh_call *c, const char *id, int rc, json_t *result, const struct wh_error *why, struct wh_error *err);
/* 202, with Location. */
int wh_operation_accepted(struct wh_call *c, const char *id);
