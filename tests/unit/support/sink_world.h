/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plugin's sink without Suricata, and the ledger that it writes. */
#pragma once
#include "../../../plugin/sink.h"

enum { SINK_BY_HAND = 3 }; /* `started`: neither to be started nor running; the test drains and commits */

extern char sink_dir[32], sink_path[96]; /* a directory of each test, and the ledger's path, in it at first */
int sink_dir_make(void **state);
int sink_dir_remove(void **state);

struct wh_sink *sink_open(const char *path, const char *memory, bool threaded, bool by_hand);
void sink_close(struct wh_sink *s);

/* An answered flow from a peer numbered n to the server's port 22. */
int sink_flow_text(char *buf, size_t size, uint32_t n, const char *server);
void sink_flow_to(struct wh_sink *s, struct wh_lane *lane, uint32_t n, const char *server);
/* To 10.0.0.4. */
void sink_flow(struct wh_sink *s, struct wh_lane *lane, uint32_t n);
/* Does at once what would happen over time: the records that wait in the first lane are in its table, or lost. */
void sink_fold(struct wh_sink *s);

struct sink_seen { uint64_t edges, flows, hash; };
/* All edges of the ledger at sink_path. */
struct sink_seen sink_ledger(void);
