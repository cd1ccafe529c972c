/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request's target taken apart: "/a/b%2Fc?x=1" is the segments "a", "b/c" and the parameter x. */
#pragma once
#include "whittle/base.h"

enum { WH_SEGMENTS = 32, WH_PARAMETERS = 24 };
struct wh_target {
	const char *segments[WH_SEGMENTS]; size_t n; /* decoded: UTF-8 without control characters, none empty, none "." or ".." */
	struct { const char *name, *value; } parameters[WH_PARAMETERS]; size_t n_parameters;
};
/* One slash more at the front is no matter. 0, or -EINVAL with the reason: a percent that encodes nothing, an empty or relative
 * segment, too many of them, one parameter twice. In `mem`. */
int wh_target_parse(const char *text, struct wh_arena *mem, struct wh_target *out, struct wh_error *err);
/* "" where there is none. */
const char *wh_target_parameter(const struct wh_target *t, const char *name);
/* Whether the segments are those of the pattern "/subscriptions/{sub}/…", words in any case; values[i] is the i-th in braces, in
 * order. "{scope*}" matches one segment or more; its value is their path, "/a/b". At most one, at the front. */
enum { WH_PATTERN_VALUES = 12 };
bool wh_target_matches(const struct wh_target *t, const char *pattern, struct wh_arena *mem,
                       const char *values[static WH_PATTERN_VALUES]);
/* Encodes for a path: any character but letters, digits and -._~ becomes %XX. In `mem`. */
const char *wh_target_encode(const char *segment, struct wh_arena *mem);
