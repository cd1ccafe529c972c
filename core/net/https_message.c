/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/helper.h"
#include "net/https_message.h"

#define NO_TEXT UINT32_MAX

void wh_https_put_text(struct wh_bytes *b, const char *text)
{
	size_t n = text ? strlen(text) : NO_TEXT;
	wh_put_number(b, n, 4);
	if (text)
		wh_put(b, text, n);
}

char *wh_https_take_text(struct wh_taking *t, size_t max)
{
	size_t n = (size_t)wh_take_number(t, 4, 0, NO_TEXT);
	if (t->failed || n == NO_TEXT)
		return NULL;
	const uint8_t *p = n <= max ? wh_take(t, n) : NULL;
	t->failed |= !p || memchr(p, 0, n);
	return t->failed ? NULL : strndup((const char *)p, n);
}

void wh_https_take_into(struct wh_taking *t, char *out, size_t size)
{
	char *text = wh_https_take_text(t, size - 1);
	snprintf(out, size, "%s", text ? text : "");
	free(text);
}

int wh_https_send_message(int to, struct wh_bytes *b, int fd, int ms)
{
	int rc = b->failed || b->n > WH_HTTPS_MESSAGE ? -EMSGSIZE
	         : ms                            ? wh_helper_send_within(to, b->p, b->n, fd, ms)
	                                         : wh_helper_send_message(to, b->p, b->n, fd);
	if (b->p)
		explicit_bzero(b->p, b->n); /* a token, perhaps */
	free(b->p);
	return rc;
}

bool wh_https_speaks_to(const struct wh_https_spoken_to *to, const char *url)
{
	for (size_t i = 0; i < to->n; i++)
		if (wh_https_below(to->at[i], url))
			return true;
	return false;
}
