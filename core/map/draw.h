/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the writers of pictures. */
#pragma once
#include <stdio.h>
#include "whittle/map.h"

/* Colours and lines of both: rules of CSS, light, then dark where the reader prefers that. */
extern const char wh_map_style[];
/* Text between tags and in attributes: markup is escaped, and what XML does not allow, or is no UTF-8, becomes U+FFFD. At most `most` characters (0: all), then an ellipsis. */
void wh_map_text(FILE *f, const char *s, size_t most);
/* One picture as an element; `title` may be NULL. root: as in wh_map_lay_out(). alone: it is a document of its own, with the style inside. */
void wh_map_draw(FILE *f, const struct wh_map *m, size_t root, const char *title, bool alone);
/* "3 high, 2 unknown, 20 healthy" */
void wh_map_counts(FILE *f, const size_t counts[static WH_MAP_STATES]);
