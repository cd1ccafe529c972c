/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of whittle.yaml's reader share. */
#pragma once
#include "base/yaml.h"
#include "whittle/config.h"

/* A scalar that is not empty. */
int wh_config_text(const char *file, const struct wh_yaml *n, const char **out, struct wh_error *err);
int wh_config_duration(const char *file, const struct wh_yaml *n, int64_t *out, struct wh_error *err);
/* A path relative to the file that names it, in c->mem. */
const char *wh_config_beside(const struct wh_config *c, const char *file, const char *path);

/* Sections with maps of their own (config_jit.c). */
int wh_config_jit(struct wh_config *c, const char *file, const struct wh_yaml *n, struct wh_error *err);
int wh_config_azure(struct wh_config *c, const char *file, const struct wh_yaml *n, struct wh_error *err); /* config_azure.c */
int wh_config_nsg_scope(struct wh_config *c, const char *file, const struct wh_yaml *n, struct wh_error *err);
int wh_config_watch(struct wh_config *c, const char *file, const struct wh_yaml *n, struct wh_error *err);
