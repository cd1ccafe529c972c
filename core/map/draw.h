/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the writers of pictures. */
#pragma once
#include <stdio.h>
#include "whittle/map.h"

struct drawing { FILE *f; const struct wh_map *m; struct wh_map_layout l; };

/* ---- frame.c: coordinates as in the layout, y downwards ---- */
enum {
	WH_MAP_NAME = 22 /* characters of a name that are shown */,
	WH_MAP_LETTER = 7 /* the mean width of one, estimated from above */,
	WH_MAP_OUTSIDE = 9 /* from the line that stands for the Internet to a machine's name */
};
struct wh_map_frame { double left, top, right, bottom; };
/* The characters of a text that is cut after `most`, with its ellipsis. */
double wh_map_letters(const char *s, size_t most);
/* The size of the circles, their names and the head. */
struct wh_map_frame wh_map_frame(const struct drawing *d, const char *title);
/* hidden: lines of traffic that are not drawn. */
void wh_map_draw_head(const struct drawing *d, const struct wh_map_frame *frame, const char *title, size_t hidden);

/* Colours and lines of both: CSS rules, light, then dark if the reader prefers that. */
extern const char wh_map_style[];
/* hubs.c: the lines of virtual hubs, or the hubs; their number. A NULL d->f only counts. */
size_t wh_map_draw_hubs(const struct drawing *d, bool lines);
bool wh_map_is_hub_of(const struct wh_topology *t, size_t appliance, size_t vnet);
/* Text between tags and in attributes: markup is escaped, and what XML does not allow, or is no UTF-8, becomes U+FFFD. At most
 * `most` characters (0: all), then an ellipsis. */
void wh_map_text(FILE *f, const char *s, size_t most);
/* One picture as an element; root: as in wh_map_lay_out(). alone: it is a separate document, with the style inside. */
void wh_map_draw(FILE *f, const struct wh_map *m, size_t root, const char *title, bool alone);
const char *wh_map_kind_text(enum wh_map_kind k); /* model.c: "VNet", "subnet", "VM" */
extern const char *const wh_map_machine_texts[];  /* by enum wh_map_machine */
/* "1 VNet", "3 subnets" */
void wh_map_number(FILE *f, size_t n, enum wh_map_kind kind);
/* "3 VMs, 2 private endpoints"; "0 VMs" */
void wh_map_machines(FILE *f, const size_t machines[static WH_MAP_MACHINES]);
/* "3 high, 2 unknown, 20 healthy" */
void wh_map_counts(FILE *f, const size_t counts[static WH_MAP_STATES]);
