/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared parts of the use cases of just-in-time access. */
#pragma once
#include "whittle/app.h"
#include "whittle/app_jit.h"

bool wh_app_jit_is_own(const struct wh_estate *e, const char *resource); /* this machine is the resource */
/* The ports that the policy names for this machine, in mem. */
struct wh_app_ports wh_app_jit_own_ports(const struct wh_app *a, const struct wh_estate *e, struct wh_arena *mem);
