/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the table inet whittle_jit holds, read from the kernel. */
#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include "enforce/jit_nft.h"

struct reading {
	struct wh_arena *mem;
	struct wh_jit_live *live;
	size_t room_closed, room_open;
	int which; /* 0 closed, 1 open4, 2 open6 */
};

static const struct nlattr *find(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;
	if (nest)
		mnl_attr_for_each_nested(a, nest)
			if (mnl_attr_get_type(a) == type)
				return a;
	return NULL;
}

static const uint8_t *key_of(const struct nlattr *elem, uint16_t type, size_t len)
{
	const struct nlattr *v = find(find(elem, type), NFTA_DATA_VALUE);
	return v && mnl_attr_get_payload_len(v) >= len ? mnl_attr_get_payload(v) : NULL;
}

static void *grown(struct wh_arena *mem, void *old, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return old;
	size_t more = *room ? *room * 2 : 16;
	void *fresh = wh_arena_array(mem, more, size);
	if (n)
		memcpy(fresh, old, n * size);
	*room = more;
	return fresh;
}

static void one_element(struct reading *r, const struct nlattr *elem)
{
	struct wh_jit_live *l = r->live;
	size_t width = r->which == 0 ? 0 : r->which == 1 ? 4 : 16;
	const uint8_t *k = key_of(elem, NFTA_SET_ELEM_KEY, width + (width ? 8 : 6)), *end = key_of(elem, NFTA_SET_ELEM_KEY_END, width + 8);
	const struct nlattr *expires = find(elem, NFTA_SET_ELEM_EXPIRATION);
	int64_t ms = expires && mnl_attr_get_payload_len(expires) == 8 ? (int64_t)be64toh(mnl_attr_get_u64(expires)) : 0;
	if (!k)
		return;
	struct wh_jit_port port = {.proto = k[width], .port = (uint16_t)(k[width + 4] << 8 | k[width + 5])};
	if (r->which == 0) {
		l->closed = grown(r->mem, l->closed, l->n_closed, &r->room_closed, sizeof *l->closed);
		l->closed[l->n_closed].port = port;
		l->closed[l->n_closed++].expires_ms = ms;
		return;
	}
	l->open = grown(r->mem, l->open, l->n_open, &r->room_open, sizeof *l->open);
	struct wh_addr first = wh_addr_v4(0), last = first;
	memcpy(first.b + 16 - width, k, width);
	memcpy(last.b + 16 - width, end ? end : k, width);
	l->open[l->n_open].port = port;
	l->open[l->n_open].first = first;
	l->open[l->n_open].last = last;
	l->open[l->n_open++].expires_ms = ms;
}

static int elements(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *a, *elem;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == NFTA_SET_ELEM_LIST_ELEMENTS)
			mnl_attr_for_each_nested(elem, a)
				one_element(arg, elem);
	return MNL_CB_OK;
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
	                    rc == -ENOENT ? "; it was changed by somebody else: `whittle jit off` takes it away" : "") : 0;
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
