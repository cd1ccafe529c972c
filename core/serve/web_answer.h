/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The web side's answers, queued at the connection. */
#pragma once
#include "serve/library.h"
#include "serve/web.h"

/* Also ends the connection: its further bytes may be the rest of the refused request. */
enum MHD_Result wh_web_refuse(struct MHD_Connection *c, unsigned status, const char *why);
enum MHD_Result wh_web_file(struct MHD_Connection *c, const struct wh_console_file *f);
/* The reply's texts are borrowed until the answer was written. A compressed body is sent as it is, or as text, depending on the
 * request's head. */
enum MHD_Result wh_web_reply(struct MHD_Connection *c, const struct wh_frame_reply *p, const struct wh_web_head *head, bool tls);
