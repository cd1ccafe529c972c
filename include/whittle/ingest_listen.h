/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ingest_listen: EVE records from a socket into a store, as they come. */
#pragma once
#include "whittle/ledger.h"

/*
 * Reads the data that others send to the socket `fd` (flow/listen.h; closed at the end), until *opt->stop; commits every few
 * seconds, and at the end. The data can't be read again, so no position is kept. `path` is for people. In `opt`, format, columns
 * and follow have no meaning.
 */
int wh_ingest_listen(struct wh_store *s, int fd, const char *path, const struct wh_ingest_options *opt,
                     struct wh_ingest_result *out, struct wh_error *err);
