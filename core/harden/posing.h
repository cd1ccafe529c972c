/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "harden/evidence.h"

/* The lesser of both histograms' shares in the buckets of a failed login; with `doubts` flows added of which nothing is known. */
double wh_failed_logins(const struct wh_edge *e, double doubts);
/* Sets `like` and `works`, which the sizes and lengths of a peer's sessions give. */
void wh_measure_sessions(struct wh_evidence_peer *p);
/* Sets `posing` of all peers, which are measured and whose n_days, score and `alone` are set; returns whether any does. ln[i] is
 * the logarithm of i, up to 65. */
bool wh_find_posing(struct wh_evidence_peer *peers, size_t n, const double *ln);
