/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program that loaded the plugin: which major it is, its log, its configuration. All is looked up by name at run time. */
#pragma once
#include "whittle/base.h"

/* 7 or 8; 0 if the program is no Suricata that we know. */
int wh_host_major(void);
/* Registers a struct sc7_eve_filetype or sc8_eve_filetype. False: there is no such function, or the name is in use. */
bool wh_host_register(void *filetype);

/* Whether the program reads a capture, as far as it has reported: then no packet is missed while it waits. */
bool wh_host_reads_capture(void);

enum wh_level { WH_LOG_ERROR = 1, WH_LOG_WARNING, WH_LOG_NOTICE, WH_LOG_INFO };
/* One line in Suricata's own log, or on standard error if there is none. May block on I/O: never call it from Write. */
void wh_host_log(enum wh_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Calls `each` for every child of `section: {NAME: {…}}`, in order; value is NULL for lists, maps and empty values. Returns 0, or
 * the first result of `each` that is not 0. If the host's nodes have an unknown layout, only the settings in `known` are read.
 */
typedef int (*wh_setting_cb)(void *arg, const char *setting, const char *value, struct wh_error *err);
int wh_host_settings(const void *section, const char *name, const char *const known[], wh_setting_cb each, void *arg,
                     struct wh_error *err);
