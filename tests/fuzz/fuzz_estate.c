/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An estate of any bytes gives an error that names the file, and the ledger keeps the estate that it had; or it is imported,
 * and loading it gives what was counted. The input is estate.yaml and, after a zero byte, the file web.json next to it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "whittle/estate.h"

static char dir[64];
static struct wh_ledger ledger;

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void put(const char *name, const void *data, size_t n)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	need(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	close(fd);
}

static void sweep(void)
{
	static const char *const names[] = {"estate.yaml", "web.json", "l.db", "l.db-wal", "l.db-shm"};
	char path[128];
	wh_ledger_close(&ledger);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static void begin(void)
{
	char path[128];
	struct wh_error err;
	snprintf(dir, sizeof dir, "/dev/shm/fuzz-estate-XXXXXX");
	need(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/l.db", dir);
	need(!wh_ledger_open(path, WH_STATE_CREATE, &ledger, &err));
	atexit(sweep);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_estate_summary sum = {0};
	struct wh_error err = {0};
	struct wh_estate *e = NULL;
	char path[128];
	const uint8_t *zero = memchr(data, 0, size);
	size_t n = zero ? (size_t)(zero - data) : size;
	if (n > 4096)
		return 0; /* keys are compared with each other: quadratic */
	if (!ledger.state)
		begin();
	put("estate.yaml", data, n);
	put("web.json", zero ? (const void *)(zero + 1) : "", zero ? size - n - 1 : 0);
	snprintf(path, sizeof path, "%s/estate.yaml", dir);
	int rc = wh_estate_import(ledger.state, path, &sum, &err);
	if (rc) {
		need(err.text[0] != 0);
	} else {
		struct wh_arena *mem = wh_arena_new();
		need(!wh_estate_load(&ledger, mem, &e, &err));
		need(e->imported && e->n_resources == sum.resources && e->n_nsgs == sum.nsgs);
		wh_estate_free(e);
		wh_arena_free(mem);
	}
	free(sum.note_texts);
	return 0;
}
