/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers, texts, addresses and lists of them as bytes. */
#include "estate/image.h"

void wh_io_text(struct io *x, const char **s)
{
	size_t len = (size_t)number(x, x->out && *s ? strlen(*s) + 1 : 0, 4, MOST_TEXT);
	if (x->out) {
		wh_put(x->out, *s, len);
		return;
	}
	const uint8_t *p = len ? wh_take(&x->in, len) : NULL;
	if (p && (p[len - 1] || memchr(p, 0, len - 1)))
		x->in.failed = true;
	*s = p && !x->in.failed ? (const char *)p : NULL;
}

void wh_io_name(struct io *x, const char **s)
{
	wh_io_text(x, s);
	if (!x->out && !*s) {
		x->in.failed = true;
		*s = "";
	}
}

void wh_io_address(struct io *x, struct wh_addr *a)
{
	if (x->out)
		wh_put(x->out, a->b, sizeof a->b);
	else
		*a = wh_take_addr(&x->in);
}

void wh_io_prefix(struct io *x, struct wh_prefix *p)
{
	if (x->out)
		wh_put_prefix(x->out, p);
	else
		*p = wh_take_prefix(&x->in);
}

void wh_io_place(struct io *x, size_t *at, size_t n, size_t n_none)
{
	uint64_t v = number(x, wh_known(*at) ? *at : UINT32_MAX - (WH_NONE - *at), 4, UINT32_MAX);
	if (x->out)
		return;
	if (v < n)
		*at = (size_t)v;
	else if (UINT32_MAX - v < n_none)
		*at = WH_NONE - (size_t)(UINT32_MAX - v);
	else
		x->in.failed = true, *at = WH_NONE;
}

size_t wh_io_list(struct io *x, void *list_pointer, size_t *n, size_t size, size_t least)
{
	if (x->out) {
		wh_put_number(x->out, *n, 4);
		return *n;
	}
	*n = wh_take_count(&x->in, least, MOST);
	void *p = *n ? wh_arena_array(x->mem, *n, size) : NULL;
	memcpy(list_pointer, &p, sizeof p);
	return *n;
}

void wh_io_prefixes(struct io *x, struct wh_prefix **p, size_t *n)
{
	LIST(x, *p, *n, 17);
	for (size_t i = 0; i < *n; i++)
		wh_io_prefix(x, &(*p)[i]);
}

void wh_io_names(struct io *x, const char ***p, size_t *n)
{
	LIST(x, *p, *n, 5);
	for (size_t i = 0; i < *n; i++)
		wh_io_name(x, &(*p)[i]);
}

void wh_io_ports(struct io *x, struct wh_port_range **p, size_t *n)
{
	LIST(x, *p, *n, 4);
	for (size_t i = 0; i < *n; i++) {
		NUMBER(x, (*p)[i].from, 2, 65535);
		NUMBER(x, (*p)[i].to, 2, 65535);
		x->in.failed |= (*p)[i].from > (*p)[i].to;
	}
}

void wh_io_places(struct io *x, size_t **p, size_t *n, size_t most)
{
	LIST(x, *p, *n, 4);
	for (size_t i = 0; i < *n; i++)
		wh_io_place(x, &(*p)[i], most, 0);
}

void wh_io_tags(struct io *x, struct wh_tag **p, size_t *n)
{
	LIST(x, *p, *n, 10);
	for (size_t i = 0; i < *n; i++) {
		wh_io_name(x, &(*p)[i].name);
		wh_io_name(x, &(*p)[i].value);
	}
}
