/* SPDX-License-Identifier: GPL-2.0-or-later */
/* whittle.yaml of any bytes gives an error with its line, or settings within their bounds. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/bytes.h"
#include "config/tables.h"

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void check_jit(const struct wh_jit_config *c)
{
	for (size_t i = 0; i < c->n_policies; i++) {
		const struct wh_jit_policy *p = &c->policies[i];
		struct wh_error err = {0};
		need(p->resource && p->n_ports && p->longest_s > 0 && p->longest_s <= 30 * 86400);
		for (size_t k = 0; k < p->n_ports; k++)
			need(p->ports[k].port && (p->ports[k].proto == WH_PROTO_TCP || p->ports[k].proto == WH_PROTO_UDP));
		/* a request outside the policy is refused with the reason */
		struct wh_jit_grant g = {.resource = p->resource,
		                         .proto = p->ports[0].proto,
		                         .port = p->ports[0].port,
		                         .who = "root",
		                         .expires_us = (p->longest_s + 1) * 1000000};
		need(wh_jit_allowed(c, &g, &err) < 0 && !strncmp(err.text, "refused (", 9));
	}
}

/* Settings that one process read are the same in another; forged bytes break nothing. */
static void check_bytes(const struct wh_config *c, const uint8_t *data, size_t size)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_config *back = wh_arena_alloc(mem, sizeof *back);
	struct wh_bytes sent = {0}, again = {0};
	back->mem = mem;
	if (c) {
		wh_config_put(&sent, c);
		need(!wh_config_take(&(struct wh_taking){.p = sent.p, .n = sent.n}, back));
		check_jit(&back->jit);
	} else if (wh_config_take(&(struct wh_taking){.p = data, .n = size}, back)) {
		goto out;
	}
	wh_config_put(&again, back);
	need(c ? again.n == sent.n && !memcmp(again.p, sent.p, sent.n) : again.n == size);
out:
	free(sent.p);
	free(again.p);
	wh_arena_free(mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_config *c = NULL;
	struct wh_error err = {0};
	char path[64];
	if (size > 4096) /* keys are compared with each other: quadratic */
		size = 4096;
	int fd = memfd_create("whittle.yaml", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (wh_config_load(path, &c, &err)) {
		need(strstr(err.text, path) != NULL);
	} else {
		check_jit(&c->jit);
		check_bytes(c, NULL, 0);
		wh_config_free(c);
	}
	check_bytes(NULL, data, size);
	close(fd);
	return 0;
}
