/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rooms' tables of keys, in the order in which they are shown. */
#pragma once
#include "whittle/config.h"

struct wh_key_table { const struct wh_key *keys; size_t at; /* offset of the room's options in struct wh_config */ };
extern const struct wh_key_table wh_key_tables[]; /* keys NULL at the end */

struct wh_bytes;
struct wh_taking;
/* All options as bytes, and back: 0 or -EBADMSG. */
void wh_config_put(struct wh_bytes *b, const struct wh_config *c);
int wh_config_take(struct wh_taking *t, struct wh_config *c);
/* whittle.yaml's text into *c. */
int wh_config_fill(struct wh_config *c, const char *file, const char *text, size_t len, struct wh_error *err);
/* The same by a process without privileges, from the descriptor of the file. */
int wh_config_fill_apart(struct wh_config *c, const char *file, int fd, struct wh_error *err);
