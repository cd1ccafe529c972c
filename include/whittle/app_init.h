/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first files of an installation. */
#pragma once
#include <jansson.h>
#include "whittle/base.h"

/* "suricata": it runs Suricata; "host": it does not; "azure": a VM whose flow logs are read; NULL at the end */
extern const char *const wh_app_init_kinds[];
extern const char *const wh_app_init_modes[]; /* "dry-run", "audit" */
struct wh_app_init_found {
	const char *kind;                   /* the most likely kind of this machine */
	const char *suricata_yaml;          /* NULL: there is none */
	char name[64];                      /* of the machine, in letters, digits, dots and dashes */
	struct wh_addr *addrs; size_t n_addrs; /* without loopback and link-local ones */
};
/* Looks; changes nothing. The addresses are in mem. */
int wh_app_init_find(struct wh_arena *mem, struct wh_app_init_found *out, struct wh_error *err);
const char *wh_app_init_logs(const char *kind); /* the usual place of its logs; NULL: none are read */

struct wh_app_init {
	const char *kind, *mode;
	const char *logs;                   /* a file or directory for a unit that reads it; NULL: none */
	const char *directory, *units;      /* /etc/whittle, /etc/systemd/system */
	/* whether an existing file with other content may be replaced; NULL: never */
	bool (*replace)(void *arg, const char *path);
	void *arg;
};
/* {"kind", "name", "logs", "mode", "did":[{"what":"made|written|replaced|kept|unchanged", "path", "undo"}…], "next":[{"command",
 * "why"}…]}: *out, a new reference, also where it fails half-way (NULL: nothing was begun). */
int wh_app_init(const struct wh_app_init *ask, const struct wh_app_init_found *found, json_t **out, struct wh_error *err);
