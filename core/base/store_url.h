/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ledger's URL: "PATH" or "sqlite:PATH" names a file, "memory:" and "KIND://…" something else. Of a cluster
 * ("clickhouse://…", ledger/clickhouse/) this machine has a file, too: with its documents and its journal, and with what it
 * observed itself. The URL's last parameter names it, "local=PATH". What stands before a path is read here and nowhere else.
 */
#pragma once
#include <stdbool.h>

#define WH_STORE_FILE "/var/lib/whittle/ledger.db" /* where a URL of a cluster names none */

bool wh_store_is_file(const char *url);
bool wh_store_is_fleet(const char *url);  /* "clickhouse://…" or, over TLS, "clickhouses://…" */
bool wh_store_has_file(const char *url);  /* either: wh_store_path() is a file of this machine */
/* The path of the ledger's file on this machine, a part of `url` or WH_STORE_FILE; of what has no file, all of it, for
 * messages. */
const char *wh_store_path(const char *url);
