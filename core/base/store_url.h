/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ledger's URL: "PATH" or "sqlite:PATH" names a file, "memory:" and "KIND://…" something else. What stands before the path is
 * read here and nowhere else.
 */
#pragma once
#include <stdbool.h>

bool wh_store_is_file(const char *url);
/* The path of the ledger's file, a part of `url`; of what is no file, all of it, for messages. */
const char *wh_store_path(const char *url);
