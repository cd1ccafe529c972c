/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One program that a person configured, run by a helper (base/helper.h) that knows its arguments from its start: the caller of a
 * run chooses only what the program reads. No shell is involved. The program runs as nobody if possible, with PATH alone as its
 * environment, no descriptor but its input, and 30 seconds of time.
 */
#pragma once
#include "whittle/base.h"

/* argv: at least the program, an absolute path. Call it once, before threads are started and before privileges are given up. */
int wh_program_start(const char *const *argv, size_t n, struct wh_error *err);
bool wh_program_ready(void); /* it was started */
/* Runs it with `input` on its standard input. 0 if it exited with 0; else -ECHILD, -ETIMEDOUT or another reason. */
int wh_program_run(const void *input, size_t len, struct wh_error *err);
