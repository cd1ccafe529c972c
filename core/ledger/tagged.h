/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tagged: what a record's tags (wh_record.tags, or wh_tags_of its line) decide. The same private address in two VLANs or tenants
 * is refused, unless one of them alone is read or they are one network; a conversation that another sensor reported is left out.
 */
#pragma once
#include "whittle/ledger.h"

struct wh_tagged;
/* borrows both */
int wh_tagged_new(struct wh_store *s, const struct wh_ingest_options *opt, struct wh_tagged **out, struct wh_error *err);
/* For the current input: the greatest distance of one conversation's starts in two sources, if the options don't set it; 0:
 * WH_SENSOR_SLACK_US. */
void wh_tagged_slack(struct wh_tagged *t, int64_t slack_us);
void wh_tagged_free(struct wh_tagged *t);
/* 0: the record counts. 1: it does not. -EEXIST: the same private address in two networks; or another negative errno. The record
 * is the first line of `text`, which is line number `line` of `path`. */
int wh_tagged_look(struct wh_tagged *t, const struct wh_record *rec, const char *text, size_t len, const char *path,
                   uint64_t line, struct wh_error *err);
bool wh_tagged_due(const struct wh_tagged *t);      /* a commit is due */
struct wh_passed wh_tagged_passed(const struct wh_tagged *t); /* flows that were left out */
struct wh_store_seen;
/* for a commit; and once that is done: */
int wh_tagged_seen(struct wh_tagged *t, struct wh_store_seen *seen, struct wh_error *err);
void wh_tagged_written(struct wh_tagged *t);
