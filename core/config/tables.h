/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rooms' tables of keys, in the order in which they are shown. */
#pragma once
#include "whittle/config.h"

struct wh_key_table { const struct wh_key *keys; size_t at; /* offset of the room's options in struct wh_config */ };
extern const struct wh_key_table wh_key_tables[]; /* keys NULL at the end */
