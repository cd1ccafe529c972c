/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data of an input's reading go into a copy of the stored data. */
#include <string.h>
#include "ledger/memory/memory_store.h"

enum { MOST_DAYS = 64 };

static struct wh_content_row *content_of(struct memory_data *d, int64_t id)
{
	for (size_t i = 0; id && i < d->n_contents; i++)
		if (d->contents[i].id == id)
			return &d->contents[i];
	d->contents = wh_arena_grown(d->mem, d->contents, d->n_contents, &d->content_room, sizeof *d->contents);
	return &d->contents[d->n_contents++];
}

static void put_content(struct memory_data *d, const struct wh_content_row *row)
{
	struct wh_content_row *to = content_of(d, row->id);
	*to = *row;
	if (!row->id)
		to->id = ++d->last_id;
	to->marks = memcpy(wh_arena_array(d->mem, row->n_marks + 1, sizeof *row->marks), row->marks,
	                   row->n_marks * sizeof *row->marks);
	to->tail = memcpy(wh_arena_array(d->mem, row->n_tail + 1, sizeof *row->tail), row->tail, row->n_tail * sizeof *row->tail);
	to->checks = memcpy(wh_arena_array(d->mem, row->lines + (size_t)1, sizeof *row->checks), row->checks,
	                    row->lines * sizeof *row->checks);
}

static void put_realm(struct memory_data *d, const struct wh_realm_met *m)
{
	for (size_t i = 0; i < d->n_realms; i++)
		if (wh_addr_eq(&d->realms[i].addr, &m->addr)) {
			d->realms[i] = *m;
			return;
		}
	d->realms = wh_arena_grown(d->mem, d->realms, d->n_realms, &d->realm_room, sizeof *d->realms);
	d->realms[d->n_realms++] = *m;
}

static void put_conversations(struct memory_data *d, const struct wh_conversations_of_day *of)
{
	for (size_t i = 0; i < of->n; i++) {
		d->conversations = wh_arena_grown(d->mem, d->conversations, d->n_conversations, &d->conversation_room,
		                                  sizeof *d->conversations);
		d->conversations[d->n_conversations++] = (struct memory_conversation){of->day, of->rows[i]};
	}
}

static void forget_old_conversations(struct memory_data *d)
{
	int32_t last = INT32_MIN;
	size_t kept = 0;
	for (size_t i = 0; i < d->n_conversations; i++)
		last = d->conversations[i].day > last ? d->conversations[i].day : last;
	for (size_t i = 0; i < d->n_conversations; i++)
		if ((int64_t)last - d->conversations[i].day < MOST_DAYS)
			d->conversations[kept++] = d->conversations[i];
	d->n_conversations = kept;
}

static void put_page(struct memory_data *d, const struct wh_open_page *p)
{
	size_t i = 0;
	void *bytes = wh_arena_unset(d->mem, p->len ? p->len : 1, 1);
	memcpy(bytes, p->bytes, p->len);
	while (i < d->n_pages && d->pages[i].page < p->page)
		i++;
	if (i == d->n_pages || d->pages[i].page != p->page) {
		d->pages = wh_arena_grown(d->mem, d->pages, d->n_pages, &d->page_room, sizeof *d->pages);
		memmove(d->pages + i + 1, d->pages + i, (d->n_pages++ - i) * sizeof *d->pages);
	}
	d->pages[i] = (struct wh_open_page){p->page, bytes, p->len};
}

void wh_memory_put_seen(struct memory_data *d, const struct wh_store_seen *seen)
{
	for (size_t i = 0; i < seen->n_realms; i++)
		put_realm(d, &seen->realms[i]);
	for (size_t i = 0; i < seen->n_conversations; i++)
		put_conversations(d, &seen->conversations[i]);
	forget_old_conversations(d);
	for (size_t i = 0; i < seen->n_contents; i++)
		put_content(d, seen->contents[i]);
	d->generation += seen->n_contents > 0;
	for (size_t i = 0; i < seen->n_pages; i++)
		put_page(d, &seen->pages[i]);
	d->pages_generation += seen->n_pages > 0;
}

static void forget_place(struct memory_data *d, const char *identity)
{
	size_t kept = 0;
	for (size_t i = 0; i < d->n_places; i++)
		if (strcmp(d->places[i].identity, identity))
			d->places[kept++] = d->places[i];
	d->n_places = kept;
}

void wh_memory_put_place(struct memory_data *d, const struct wh_store_progress *p)
{
	if (p->identity) {
		forget_place(d, p->identity);
		d->places = wh_arena_grown(d->mem, d->places, d->n_places, &d->place_room, sizeof *d->places);
		d->places[d->n_places++] = (struct memory_place){wh_arena_strdup(d->mem, p->identity), p->offset, p->line};
	}
	if (p->outdated)
		forget_place(d, p->outdated);
}
