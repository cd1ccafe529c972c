/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares the table in the kernel with the wanted one: rules as text, elements one by one. */
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "nft/known.h"
#include "nft/table.h"

enum { MAX_LINES = 20 };

struct comparison {
	struct wh_nl *nl;
	const struct wh_nft_ruleset *rs;
	const struct wh_nft_live *live;
	struct wh_arena *mem;
	FILE *out;
	size_t n;
};

__attribute__((format(printf, 2, 3)))
static void tell(struct comparison *c, const char *fmt, ...)
{
	va_list ap;
	if (c->n++ >= MAX_LINES)
		return;
	if (c->n > 1)
		fputc('\n', c->out);
	va_start(ap, fmt);
	vfprintf(c->out, fmt, ap);
	va_end(ap);
}

/* ---- rules ---- */

/* The next line of a text; NULL at the end. Cuts the text. */
static char *line(char **rest)
{
	char *start = *rest;
	if (!start || !*start)
		return NULL;
	char *end = strchr(start, '\n');
	if (end)
		*end++ = 0;
	*rest = end;
	return start;
}

/* 0: the rules of the chain are as wanted; else the number (from 1) of the first that differs, or -1 if there is one too many. */
static int rules_differ(const char *want, const char *have, struct wh_arena *mem)
{
	char *w = wh_arena_strdup(mem, want), *h = wh_arena_strdup(mem, have), *wl, *hl;
	for (int i = 1;; i++) {
		hl = line(&h);
		wl = line(&w);
		if (!wl)
			return hl ? -1 : 0;
		if (!hl || strcmp(wl, hl))
			return i;
	}
}

/* The purpose of the first rules of a chain at a hook; translated connections and the maps follow them. */
static const char *purpose(int at, const char *rule)
{
	static const char *const first[] = {"loopback", "established connections", "TCP that opens no connection"};
	return at <= 3                    ? first[at - 1]
	       : strstr(rule, "_pending") ? "what is not confirmed yet"
	       : strstr(rule, "_ports")   ? "what was confirmed"
	                                  : "translated connections";
}

/* Line `at` of a text, from 1. */
static const char *line_at(const char *text, int at)
{
	while (--at > 0 && (text = strchr(text, '\n')))
		text++;
	return text ? text : "";
}

static void fixed_chain(struct comparison *c, const struct wh_nft_fixed *f)
{
	const struct wh_nft_chain *have = wh_nft_chain_named(c->live, f->name);
	struct wh_rules want = {0};
	if (!have) {
		tell(c, "the chain %s is not there", f->name);
		return;
	}
	if (have->hooked != (f->hook >= 0) ||
	    (have->hooked && (have->hook != (uint32_t)f->hook || have->priority != WH_NFT_HOOK_PRIORITY)))
		tell(c, "the chain %s is not at its hook", f->name);
	else if (have->hooked && have->policy != NF_ACCEPT)
		tell(c, "the chain %s drops what it does not name", f->name);
	f->rules(&want);
	char *text = wh_rules_text(&want);
	int at = text ? rules_differ(text, have->rules, c->mem) : 0;
	if (at > 0) {
		char *wanted = wh_arena_strdup(c->mem, line_at(text, at));
		wanted[strcspn(wanted, "\n")] = 0;
		tell(c, "the chain %s does not have its rule for %s where it belongs", f->name,
		     purpose(f->hook < 0 ? 4 : at, wanted));
	} else if (at < 0) {
		tell(c, "the chain %s has a rule that is not ours", f->name);
	}
	free(text);
	wh_rules_free(&want);
}

static void skeleton(struct comparison *c)
{
	char map[WH_NFT_NAME];
	if (c->live->dormant)
		tell(c, "the table is dormant: it filters nothing");
	for (int i = 0; i < 4 * WH_NFT_KINDS; i++) {
		wh_nft_map_name(map, (enum wh_direction)(i & 1), i & 2, (enum wh_nft_kind)(i / 4));
		if (!wh_nft_has_set(c->live, map))
			tell(c, "the map %s is not there", map);
	}
	for (int i = 0; i < WH_NFT_N_FIXED; i++)
		fixed_chain(c, &wh_nft_fixed[i]);
	for (size_t i = 0; i < c->live->n_chains; i++)
		if (!wh_nft_name_is_ours(c->live->chains[i].name))
			tell(c, "the chain %s is not ours", c->live->chains[i].name);
	for (size_t i = 0; i < c->live->n_sets; i++)
		if (!wh_nft_name_is_ours(c->live->sets[i]))
			tell(c, "the set %s is not ours", c->live->sets[i]);
}

char *wh_nft_skeleton_differs(const struct wh_nft_live *l, struct wh_arena *mem)
{
	char *text = NULL, *out = NULL;
	size_t len;
	struct comparison c = {.live = l, .mem = mem, .out = open_memstream(&text, &len)};
	if (!c.out)
		return NULL;
	skeleton(&c);
	fclose(c.out);
	if (c.n)
		out = wh_arena_strdup(mem, text);
	free(text);
	return out;
}

bool wh_nft_chain_is(const struct wh_nft_live *l, const struct wh_chain_spec *spec, struct wh_arena *mem)
{
	const struct wh_nft_chain *have = wh_nft_chain_named(l, spec->name);
	struct wh_rules want;
	if (!have)
		return false;
	wh_rules_of_port(spec, &want);
	char *text = wh_rules_text(&want);
	bool same = text && !rules_differ(text, have->rules, mem);
	free(text);
	wh_rules_free(&want);
	return same;
}

/* ---- elements ---- */

static const char *first_of(const struct wh_spans *s, char buf[static 2 * WH_ADDR_STRLEN])
{
	char last[WH_ADDR_STRLEN];
	wh_addr_text(&s->s[0].first, buf);
	if (!wh_addr_eq(&s->s[0].first, &s->s[0].last)) {
		strcat(buf, "-");
		strcat(buf, wh_addr_text(&s->s[0].last, last));
	}
	return buf;
}

static void tell_spans(struct comparison *c, const char *port, const struct wh_spans *missing, const struct wh_spans *beyond)
{
	char buf[2 * WH_ADDR_STRLEN];
	if (missing->n)
		tell(c, "%s: %zu range%s %s missing, the first %s", port, missing->n, missing->n == 1 ? "" : "s",
		     missing->n == 1 ? "is" : "are", first_of(missing, buf));
	if (beyond->n)
		tell(c, "%s: %zu range%s %s allowed beyond the rules, the first %s", port, beyond->n, beyond->n == 1 ? "" : "s",
		     beyond->n == 1 ? "is" : "are", first_of(beyond, buf));
}

static bool same_spans(const struct wh_spans *a, const struct wh_spans *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!wh_addr_eq(&a->s[i].first, &b->s[i].first) || !wh_addr_eq(&a->s[i].last, &b->s[i].last))
			return false;
	return true;
}

bool wh_nft_delta_sets(const struct wh_nft_live *l, const char *chain, bool plus[2], bool minus[2])
{
	char set[WH_NFT_NAME];
	bool any = false;
	for (int v6 = 0; v6 < 2; v6++) {
		snprintf(set, sizeof set, "%.40s_v%c_plus", chain, v6 ? '6' : '4');
		plus[v6] = wh_nft_has_set(l, set);
		snprintf(set, sizeof set, "%.40s_v%c_minus", chain, v6 ? '6' : '4');
		minus[v6] = wh_nft_has_set(l, set);
		any |= plus[v6] || minus[v6];
	}
	return any;
}

/* The sets of differences hold the differences from the confirmed sets. */
static int delta_elements(struct comparison *c, const struct wh_chain_spec *s, const char *port, const struct wh_spans *plus,
                          const struct wh_spans *minus, bool v6)
{
	struct wh_spans p = {0}, m = {0};
	char set[WH_NFT_NAME];
	int rc = 0;
	snprintf(set, sizeof set, "%.40s_v%c_plus", s->name, v6 ? '6' : '4');
	if (s->plus[v6])
		rc = wh_read_spans(c->nl, set, v6, c->mem, &p);
	snprintf(set, sizeof set, "%.40s_v%c_minus", s->name, v6 ? '6' : '4');
	if (!rc && s->minus[v6])
		rc = wh_read_spans(c->nl, set, v6, c->mem, &m);
	if (!rc && (!same_spans(&p, plus) || !same_spans(&m, minus)))
		tell(c, "%s: the sets of what is new and what is gone are not as they were", port);
	return rc;
}

/* "input_tcp_22"; for a twin, also its address. */
static const char *port_name(struct comparison *c, const struct wh_nft_port *p, const struct wh_nft_key *k)
{
	char name[WH_NFT_NAME], addr[WH_ADDR_STRLEN];
	struct wh_nft_port first = *p;
	first.twin = 0;
	wh_nft_base_name(&first, 'a', name);
	return k->any ? wh_arena_strdup(c->mem, name + 2)
	              : wh_arena_printf(c->mem, "%s at %s", name + 2, wh_addr_text(&k->local, addr));
}

/* The element that decides for all addresses of a port; NULL, with a report, if there is none or they differ. */
static const struct wh_nft_dispatch *decides_for_all(struct comparison *c, const struct wh_nft_port *p)
{
	const struct wh_nft_dispatch *first = NULL;
	for (size_t i = 0; i < wh_nft_n_keys(p); i++) {
		struct wh_nft_key k = wh_nft_key(p, i);
		const struct wh_nft_dispatch *d = wh_nft_decides(c->live, &k);
		if (!d || !d->chain[0] || (!k.any && d->key.any)) {
			tell(c, "%s is not narrowed any more", port_name(c, p, &k));
			return NULL;
		}
		if (first && strcmp(first->chain, d->chain) != 0) {
			tell(c, "%s leads to other rules", port_name(c, p, &k));
			return NULL;
		}
		first = first ? first : d;
	}
	return first;
}

static int one_port(struct comparison *c, const struct wh_nft_port *p)
{
	struct wh_nft_key key = wh_nft_key(p, 0);
	const struct wh_nft_dispatch *confirmed = wh_nft_dispatched(c->live, &key, false), *now = decides_for_all(c, p);
	const char *port = port_name(c, p, &key);
	if (!now)
		return 0;
	struct wh_chain_spec s = wh_chain_spec_of(c->rs, p, now->chain);
	bool delta = wh_nft_delta_sets(c->live, now->chain, s.plus, s.minus) && confirmed;
	struct wh_chain_spec whole = s;
	if (delta) {
		s.then = whole.name = confirmed->chain;
		memset(whole.plus, 0, sizeof whole.plus);
		memset(whole.minus, 0, sizeof whole.minus);
	}
	for (int v6 = 0; v6 < 2; v6++) {
		struct wh_spans missing = {0}, beyond = {0};
		int rc = wh_tiles_live(c->live, whole.name, v6, c->mem, &whole.tiles[v6]);
		if (!rc)
			rc = wh_spans_differ(c->nl, &whole.tiles[v6], v6 ? p->v6 : p->v4, v6 ? p->n_v6 : p->n_v4, v6, c->mem,
			                     &missing, &beyond);
		if (!rc && delta)
			rc = delta_elements(c, &s, port, &missing, &beyond, v6);
		else if (!rc)
			tell_spans(c, port, &missing, &beyond);
		if (rc == -ENOENT || rc == -EBADMSG) {
			tell(c, "%s: its set of IPv%c addresses is not there", port, v6 ? '6' : '4');
			return 0;
		}
		if (rc)
			return rc;
	}
	if (!wh_nft_chain_is(c->live, &whole, c->mem) || (delta && !wh_nft_chain_is(c->live, &s, c->mem)))
		tell(c, "%s: the rules of its chain were changed", port);
	return 0;
}

static int everything(struct comparison *c)
{
	int rc = 0;
	skeleton(c);
	for (size_t i = 0; i < c->rs->n_ports && !rc; i++)
		rc = one_port(c, &c->rs->ports[i]);
	for (size_t i = 0; i < c->live->n_dispatch; i++) {
		const struct wh_nft_dispatch *d = &c->live->dispatch[i];
		char proto[8], addr[WH_ADDR_STRLEN] = "any address";
		if (!d->chain[0] || wh_nft_decides(c->live, &d->key) != d || wh_nft_wants(c->rs, &d->key))
			continue;
		if (!d->key.any)
			wh_addr_text(&d->key.local, addr);
		tell(c, "%s port %u/%s is narrowed for %s, which the rules do not ask for", wh_direction_text(d->key.direction),
		     d->key.port, wh_proto_text(d->key.proto, proto), addr);
	}
	return rc;
}

int wh_nft_compare_live(struct wh_nl *nl, const struct wh_nft_ruleset *rs, const struct wh_nft_live *live, struct wh_arena *mem,
                        char **difference, struct wh_error *err)
{
	char *text = NULL;
	size_t len;
	*difference = NULL;
	struct comparison c = {.nl = nl, .rs = rs, .live = live, .mem = mem, .out = open_memstream(&text, &len)};
	if (!c.out)
		return wh_fail(err, -ENOMEM, "out of memory");
	int rc = 0;
	if (live->present)
		rc = everything(&c);
	else
		tell(&c, "the table inet %s is not there", WH_NFT_TABLE);
	if (c.n > MAX_LINES)
		fprintf(c.out, "\nand %zu more", c.n - MAX_LINES);
	fclose(c.out);
	if (rc)
		wh_fail(err, rc, "whittle's table can't be read: %s", strerror(-rc));
	else if (c.n)
		*difference = text;
	if (rc || !c.n)
		free(text);
	return rc ? rc : c.n != 0;
}

int wh_nft_compare_known(const struct wh_nft_ruleset *rs, struct wh_nft_known *known, char **difference, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_live live;
	struct wh_nl *nl;
	*difference = NULL;
	int rc = wh_nl_open(&nl, err);
	if (!rc) {
		if (known)
			wh_nft_known_begin(known, nl, wh_nl_generation(nl, NULL));
		rc = wh_nft_live(nl, mem, &live, err);
		live.known = known;
		if (!rc)
			rc = wh_nft_compare_live(nl, rs, &live, mem, difference, err);
		wh_nft_known_end(known, nl);
		wh_nl_close(nl);
	}
	wh_arena_free(mem);
	return rc;
}

int wh_nft_compare(const struct wh_nft_ruleset *rs, char **difference, struct wh_error *err)
{
	return wh_nft_compare_known(rs, NULL, difference, err);
}
