/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "whittle/base.h"

struct ingest_path {
	char *path;
	bool found;     /* in a directory: it may be no log */
	uint64_t bytes;
};
struct ingest_paths {
	struct ingest_path *list; size_t n, room;
	uint64_t bytes; /* of all of them */
};
int ingest_paths_find(struct ingest_paths *p, size_t n, const char *const *words, struct wh_error *err);
void ingest_paths_free(struct ingest_paths *p);
