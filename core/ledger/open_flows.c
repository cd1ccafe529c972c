/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "ledger/store.h"

static int load_page(void *arg, uint32_t page, const void *bytes, size_t len)
{
	return wh_pairing_load(arg, page, bytes, len);
}

int wh_open_flows_load(struct wh_open_flows *o, struct wh_store *s, struct wh_error *err)
{
	uint8_t key[WH_LINE_KEY_BYTES];
	int64_t ignored;
	_Static_assert(sizeof key == WH_PAIRING_KEY_BYTES, "the ledger's key");
	*o = (struct wh_open_flows){.generation = 0};
	int rc = s->ops->content_key(s, key, &ignored, err);
	if (!rc && (!(o->pairing = wh_pairing_new(key)) || !(o->mem = wh_arena_new())))
		rc = wh_fail(err, -ENOMEM, "out of memory");
	if (!rc) {
		err->text[0] = 0;
		rc = s->ops->open_flows(s, load_page, o->pairing, &o->generation, err);
		rc = rc ? rc : wh_pairing_loaded(o->pairing);
		if (rc && !*err->text)
			rc = wh_fail(err, rc, "%s",
			             rc == -ENOMEM ? "out of memory" : "the ledger can't be read: its open flows are damaged");
	}
	if (rc)
		wh_open_flows_free(o);
	return rc;
}

void wh_open_flows_free(struct wh_open_flows *o)
{
	wh_pairing_free(o->pairing);
	wh_arena_free(o->mem);
	free(o->pages);
	*o = (struct wh_open_flows){.generation = 0};
}

static int write_page(void *arg, uint32_t page, const void *bytes, size_t len)
{
	struct wh_open_flows *o = arg;
	if (!wh_array_grow(&o->pages, o->n, &o->room, sizeof *o->pages))
		return -ENOMEM;
	void *copy = wh_arena_unset(o->mem, len ? len : 1, 1);
	memcpy(copy, bytes, len);
	o->pages[o->n++] = (struct wh_open_page){page, copy, len};
	return 0;
}

int wh_open_flows_seen(struct wh_open_flows *o, struct wh_store_seen *seen, struct wh_error *err)
{
	if (!o->pairing)
		return 0;
	o->n = 0;
	wh_arena_reset(o->mem);
	if (wh_pairing_changes(o->pairing, write_page, o))
		return wh_fail(err, -ENOMEM, "out of memory");
	seen->pages = o->pages;
	seen->n_pages = o->n;
	seen->pages_generation = o->generation;
	return 0;
}

void wh_open_flows_written(struct wh_open_flows *o)
{
	if (!o->pairing)
		return;
	o->generation += o->n > 0;
	o->n = 0;
	wh_pairing_saved(o->pairing);
}
