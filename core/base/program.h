/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One program that a person configured, run by a helper (base/helper.h) that knows its arguments from its start: whoever asks for
 * a run chooses what the program reads, and nothing else. There is no shell. The program is nobody's where that can be, has an
 * environment of PATH alone, no descriptors but its input, and 30 seconds.
 */
#pragma once
#include "whittle/base.h"

/* argv: at least the program, an absolute path. Call it once, before there are threads and before privileges are given up. */
int wh_program_start(const char *const *argv, size_t n, struct wh_error *err);
bool wh_program_ready(void); /* it was started */
/* Runs it with `input` on its standard input. 0 where it ended with 0; -ECHILD, -ETIMEDOUT or another reason else. */
int wh_program_run(const void *input, size_t len, struct wh_error *err);
