/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: its checks, each in the file that its comment names. A check adds its result, and the command that repairs it. */
#pragma once
#include "app/app.h"
#include "whittle/app_health.h"

__attribute__((format(printf, 4, 5))) struct wh_app_check *wh_doctor_note(struct wh_app_doctor *r, const char *name,
                                                                          enum wh_app_check_state state, const char *fmt, ...);
__attribute__((format(printf, 2, 3)))
void wh_doctor_remedy(struct wh_app_check *c, const char *fmt, ...);

/* The values of whittle.yaml (doctor_values.c). `l`: the open ledger, or NULL where there is none. */
void wh_doctor_values(const struct wh_app *a, struct wh_app_ledger *l, struct wh_arena *mem, struct wh_app_doctor *r);
/* suricata.yaml, where it is: the plugin, the ledger it writes and its user's rights (doctor_suricata.c). */
void wh_doctor_suricata(const struct wh_app *a, struct wh_arena *mem, struct wh_app_doctor *r);
/* The rules in force, the services, the clock and the last flow (doctor_around.c). */
void wh_doctor_around(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_app_doctor *r);
