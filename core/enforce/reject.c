/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The refused peers that get an answer: the key of whittle.yaml, and the words of a command line. */
#include <stddef.h>
#include <string.h>
#include "whittle/enforce.h"

enum { MOST = 64 /* each is one more rule that refused packets pass */ };

static int entry_of(const struct wh_key_source *src, const struct wh_yaml *entry, const char *text, void *element,
                    struct wh_error *err)
{
	struct wh_reject_entry *e = element;
	if ((e->all = !strcmp(text, "all")))
		return 0;
	return wh_key_prefix(src, entry, text, &e->prefix, err);
}

static bool sound(const void *element)
{
	const struct wh_reject_entry *e = element;
	return wh_key_prefix_sound(&e->prefix);
}

static const struct wh_key_list reject = {offsetof(struct wh_enforce_config, n_reject), sizeof(struct wh_reject_entry),
                                          .text = entry_of, .sound = sound};

const struct wh_key wh_enforce_keys[] = {
	{"reject", WH_KEY_LIST, offsetof(struct wh_enforce_config, reject), .list = &reject, .example = "[10.0.0.0/8, fd00::/8]",
         .help = "Peers whose refused connections are answered (TCP reset, else ICMP port unreachable) instead of dropped: prefixes, or all. "
                 "Without it: none."},
	{0},
};

static void add(const struct wh_reject_entry *e, struct wh_nft_reject *out)
{
	if (e->all || wh_prefix_is_v4(&e->prefix))
		out->v4[out->n_v4++] = e->all ? wh_prefix_all_v4 : e->prefix;
	if (e->all || !wh_prefix_is_v4(&e->prefix))
		out->v6[out->n_v6++] = e->all ? wh_prefix_all_v6 : e->prefix;
}

int wh_reject_from(const struct wh_enforce_config *c, struct wh_arena *mem, struct wh_nft_reject *out, struct wh_error *err)
{
	*out = (struct wh_nft_reject){.v4 = wh_arena_array(mem, c->n_reject + 1, sizeof *out->v4),
	                              .v6 = wh_arena_array(mem, c->n_reject + 1, sizeof *out->v6)};
	for (size_t i = 0; i < c->n_reject; i++)
		add(&c->reject[i], out);
	out->n_v4 = wh_prefix_merge(out->v4, out->n_v4);
	out->n_v6 = wh_prefix_merge(out->v6, out->n_v6);
	if (out->n_v4 > MOST || out->n_v6 > MOST)
		return wh_fail_input(err, -E2BIG, "reject: at most %d prefixes of each family; join some, or write all", MOST);
	return 0;
}

int wh_reject_parse(const char *words, struct wh_arena *mem, struct wh_nft_reject *out, struct wh_error *err)
{
	struct wh_enforce_config c = {0};
	bool host;
	*out = (struct wh_nft_reject){0};
	if (!strcmp(words, "no"))
		return 0;
	c.reject = wh_arena_array(mem, strlen(words) + 1, sizeof *c.reject);
	for (const char *p = words; *p; p += strspn(p, ", ")) {
		size_t n = strcspn(p, ", ");
		struct wh_reject_entry *e = &c.reject[c.n_reject++];
		e->all = n == 3 && !strncmp(p, "all", 3);
		if (!e->all && (wh_prefix_parse(p, n, &e->prefix, &host) || host))
			return wh_fail_input(err, -EINVAL,
			                     "--reject takes all, no, or prefixes such as 10.0.0.0/8,fd00::/8, not '%.60s'",
			                     words);
		p += n;
	}
	return c.n_reject ? wh_reject_from(&c, mem, out, err)
	                  : wh_fail_input(err, -EINVAL, "--reject takes all, no, or prefixes such as 10.0.0.0/8,fd00::/8");
}
