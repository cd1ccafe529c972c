/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ledger's URL: "PATH" or "sqlite:PATH" names a file, "memory:" and "KIND://…" do not. For a cluster ("clickhouse://…",
 * ledger/clickhouse/) this machine has a file, too: with its documents and its journal, and with its own observations. The URL's
 * last parameter names it, "local=PATH". Only this file reads the part before a path.
 */
#pragma once
#include <stdbool.h>

#define WH_STORE_FILE "/var/lib/whittle/ledger.db" /* used if a cluster's URL names none */

bool wh_store_is_file(const char *url);
bool wh_store_is_fleet(const char *url);  /* "clickhouse://…" or, over TLS, "clickhouses://…" */
bool wh_store_has_file(const char *url);  /* either: wh_store_path() is a file of this machine */
/* The path of the ledger's file on this machine, a part of `url` or WH_STORE_FILE; if it has no file, the whole URL, for
 * messages. */
const char *wh_store_path(const char *url);
