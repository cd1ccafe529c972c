/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the contents of the table inet whittle_jit from the kernel. */
#include <string.h>
#include "nft/jit_table.h"
#include "nft/read.h"

struct reading {
	struct wh_arena *mem;
	struct wh_jit_live *live;
	size_t room_closed, room_open;
	int which; /* 0 closed, 1 open4, 2 open6 */
};

static const uint8_t *key_of(const struct nlattr *elem, uint16_t type, size_t len)
{
	const struct nlattr *v = nested(nested(elem, type), NFTA_DATA_VALUE);
	return v && mnl_attr_get_payload_len(v) >= len ? mnl_attr_get_payload(v) : NULL;
}

static void one_element(void *arg, const struct nlattr *elem)
{
	struct reading *r = arg;
	struct wh_jit_live *l = r->live;
	size_t width = r->which == 0 ? 0 : r->which == 1 ? 4 : 16;
	const uint8_t *k = key_of(elem, NFTA_SET_ELEM_KEY, width + (width ? 8 : 6)),
		      *end = key_of(elem, NFTA_SET_ELEM_KEY_END, width + 8);
	if (!k)
		return;
	struct wh_jit_port port = {.proto = k[width], .port = (uint16_t)(k[width + 4] << 8 | k[width + 5])};
	if (r->which == 0) {
		l->closed = wh_arena_grown(r->mem, l->closed, l->n_closed, &r->room_closed, sizeof *l->closed);
		const struct nlattr *chain = nested(nested(nested(elem, NFTA_SET_ELEM_DATA), NFTA_DATA_VERDICT),
		                                    NFTA_VERDICT_CHAIN);
		l->closed[l->n_closed].asks = chain && mnl_attr_validate(chain, MNL_TYPE_NUL_STRING) >= 0 &&
		                              !strcmp(mnl_attr_get_str(chain), "ask");
		l->closed[l->n_closed].port = port;
		l->closed[l->n_closed++].expires_ms = expires_ms(elem);
		return;
	}
	l->open = wh_arena_grown(r->mem, l->open, l->n_open, &r->room_open, sizeof *l->open);
	struct wh_addr first = wh_addr_v4(0), last = first;
	memcpy(first.b + 16 - width, k, width);
	memcpy(last.b + 16 - width, end ? end : k, width);
	l->open[l->n_open].port = port;
	l->open[l->n_open].first = first;
	l->open[l->n_open].last = last;
	l->open[l->n_open++].expires_ms = expires_ms(elem);
}

static int elements(const struct nlmsghdr *h, void *arg)
{
	return each_element(h, one_element, arg);
}

static int ignore(const struct nlmsghdr *h, void *arg)
{
	(void)h;
	(void)arg;
	return MNL_CB_OK;
}

static int read_once(struct wh_nl *nl, struct wh_arena *mem, struct wh_jit_live *out)
{
	static const char *const sets[] = {"closed", "open4", "open6"};
	struct reading r = {.mem = mem, .live = out};
	memset(out, 0, sizeof *out);
	int rc = wh_nl_dump(nl, NFT_MSG_GETTABLE, NLM_F_ACK, WH_JIT_TABLE, NULL, ignore, NULL);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	out->present = true;
	for (r.which = 0; r.which < 3 && !rc; r.which++)
		rc = wh_nl_dump(nl, NFT_MSG_GETSETELEM, NLM_F_DUMP, WH_JIT_TABLE, sets[r.which], elements, &r);
	return rc;
}

int wh_jit_read(struct wh_nl *nl, struct wh_arena *mem, struct wh_jit_live *out, struct wh_error *err)
{
	int rc = -EAGAIN;
	for (int tries = 0; tries < 20 && rc == -EAGAIN; tries++)
		rc = read_once(nl, mem, out);
	return rc ? wh_fail(err, rc, "the table inet %s can't be read: %s%s", WH_JIT_TABLE, strerror(-rc),
	                    rc == -ENOENT ? "; another program changed it: `whittle jit off` removes it" : "") : 0;
}

int wh_jit_nft_live(struct wh_arena *mem, struct wh_jit_live *out, struct wh_error *err)
{
	struct wh_nl *nl;
	int rc = wh_nl_open(&nl, err);
	if (rc)
		return rc;
	rc = wh_jit_read(nl, mem, out, err);
	wh_nl_close(nl);
	return rc;
}
