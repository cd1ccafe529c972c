/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running a command that a person configured, for its output. */
#pragma once
#include "whittle/base.h"

/* Runs `command` by /bin/sh with an empty standard input, and this process's environment without $WHITTLE_AZURE_TOKEN, and
 * returns its standard output (at most `max` bytes, NUL-terminated, freed by the caller). Fails when it exits non-zero, says
 * nothing for `timeout_s` seconds in all, or writes more. The command's text and output are never part of an error (they may hold
 * a secret); `what` names it for people. */
int wh_command_output(const char *what, const char *command, size_t max, int timeout_s, char **out, size_t *len,
                      struct wh_error *err);
