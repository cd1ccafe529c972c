/* SPDX-License-Identifier: GPL-2.0-or-later */
/* build_id: which build of the program this is, as the linker numbers it. */
#pragma once

#define WH_BUILD_ID_STRLEN 129
/* In hex: equal for equal code only; "" if the linker gave none. */
const char *wh_build_id(char out[static WH_BUILD_ID_STRLEN]);
