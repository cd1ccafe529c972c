/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ingest_listen: EVE records from a socket into a store, as they come. */
#pragma once
#include "whittle/ledger.h"

/*
 * Reads what others send to the socket `fd` (flow/listen.h; closed at the end), until *opt->stop: that is committed every few
 * seconds, and at the end. What was sent can't be read again, so that there is no place to go on at. `path` is for people. Of
 * `opt` format, columns, follow have no meaning.
 */
int wh_ingest_listen(struct wh_store *s, int fd, const char *path, const struct wh_ingest_options *opt,
                     struct wh_ingest_result *out, struct wh_error *err);
