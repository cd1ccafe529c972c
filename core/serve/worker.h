/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "serve/call.h"
#include "serve/refused.h"

/* Answers requests that come by `web` until it ends. Credentials that are not accepted are counted in `refused`. */
void wh_worker(const struct wh_app *a, int web, int gate, struct wh_refused *refused);
/* One request: authenticated, routed, run; the reply goes to `web`. For a request with an unknown route, only its bytes are
 * known. 0, or a negative errno where the other side has ended. */
int wh_worker_answer(const struct wh_app *a, int gate, const struct wh_frame_request *r, int peer, int web,
                     struct wh_refused *refused /* NULL: not counted */);
