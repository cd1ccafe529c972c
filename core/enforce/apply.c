/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Apply: plan each port from what the kernel holds, fill chains that no packet reaches, switch in one transaction. See enforce/nft.h. */
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "enforce/nft.h"

enum { DELTA_MAX = 1024, SPANS_AT_ONCE = 1024, SPANS_BYTES = 100000 };

struct plan {
	const struct wh_nft_port *want;
	enum { SAME, DELTA, FULL } how;
	const char *confirmed;          /* the chain that was confirmed for this port, or NULL */
	char chain[WH_NFT_NAME];        /* the one to fill */
	struct wh_tiles tiles[2];       /* of the confirmed chain, or, when the port is filled anew, of that */
	struct wh_spans plus[2], minus[2];
};

struct job {
	struct wh_nl *nl;
	struct wh_arena *mem;
	const struct wh_nft_ruleset *rs;
	int64_t timeout_ms;
	struct wh_nft_live live;
	struct plan *plans;             /* one a port */
	uint32_t generation;
	struct wh_batch b;
	struct wh_error *err;
};

/* ---- planning ---- */

static int differences(struct job *j, struct plan *p, const struct wh_chain_spec *s)
{
	size_t n = 0;
	for (int v6 = 0; v6 < 2; v6++) {
		int rc = wh_spans_differ(j->nl, &s->tiles[v6], v6 ? p->want->v6 : p->want->v4, v6 ? p->want->n_v6 : p->want->n_v4, v6, j->mem, &p->plus[v6], &p->minus[v6]);
		if (rc)
			return rc;
		n += p->plus[v6].n + p->minus[v6].n;
	}
	p->how = n == 0 ? SAME : n <= DELTA_MAX ? DELTA : FULL;
	return 0;
}

static int plan_port(struct job *j, struct plan *p)
{
	const struct wh_nft_dispatch *confirmed = wh_nft_dispatched(&j->live, p->want->direction, p->want->proto, p->want->port, false);
	const struct wh_nft_dispatch *pending = wh_nft_dispatched(&j->live, p->want->direction, p->want->proto, p->want->port, true);
	p->how = FULL;
	for (char letter = 'a'; letter <= 'c'; letter++) { /* two are in use at most */
		wh_nft_base_name(p->want, letter, p->chain);
		if ((!confirmed || strcmp(confirmed->chain, p->chain)) && (!pending || strcmp(pending->chain, p->chain)))
			break;
	}
	if (confirmed && confirmed->chain[0]) {
		struct wh_chain_spec s = {.name = confirmed->chain, .port = p->want, .audit = j->rs->audit, .nflog_group = j->rs->nflog_group};
		p->confirmed = confirmed->chain;
		int rc = wh_tiles_live(&j->live, s.name, false, j->mem, &s.tiles[0]);
		if (!rc)
			rc = wh_tiles_live(&j->live, s.name, true, j->mem, &s.tiles[1]);
		if (!rc && wh_nft_chain_is(&j->live, &s, j->mem))
			rc = differences(j, p, &s);
		memcpy(p->tiles, s.tiles, sizeof p->tiles);
		if (rc && rc != -ENOENT && rc != -EBADMSG)
			return wh_fail(j->err, rc, "our table can't be read: %s", strerror(-rc));
	}
	if (p->how == FULL) {
		wh_tiles_wanted(p->chain, p->want->v4, p->want->n_v4, false, j->mem, &p->tiles[0]);
		wh_tiles_wanted(p->chain, p->want->v6, p->want->n_v6, true, j->mem, &p->tiles[1]);
	}
	return 0;
}

/* ---- filling ---- */

static bool belongs(const char *set, const char *chain)
{
	size_t len = strlen(chain);
	return !strncmp(set, chain, len) && !strncmp(set + len, "_v", 2);
}

/* Whether a dispatch element of before leads to the chain. */
static bool reached(const struct job *j, const char *chain)
{
	for (size_t i = 0; i < j->live.n_dispatch; i++)
		if (!strcmp(j->live.dispatch[i].chain, chain))
			return true;
	return false;
}

/* Whether the chain still serves once the new rules stand: it is new, or confirmed and in use or to be fallen back upon. */
static bool kept(const struct job *j, const char *chain)
{
	for (size_t i = 0; i < j->rs->n_ports; i++) {
		const struct plan *p = &j->plans[i];
		if (p->how == FULL || (p->how == DELTA && j->timeout_ms))
			if (!strcmp(p->chain, chain))
				return true;
		if (p->confirmed && p->how != FULL && !strcmp(p->confirmed, chain))
			return true;
	}
	for (size_t i = 0; i < j->live.n_dispatch && j->timeout_ms; i++)
		if (!j->live.dispatch[i].pending && !strcmp(j->live.dispatch[i].chain, chain))
			return true;
	return false;
}

static bool port_chain(const char *name)
{
	return wh_nft_name_is_ours(name) && name[1] == '_';
}

/* An element whose time is up is not told any more, but holds its chain until the kernel collects it, which may be minutes later. */
static void flush_expired(struct job *j)
{
	char map[WH_NFT_NAME];
	for (int d = 0; d < 2; d++) {
		bool pending = false;
		wh_nft_map_name(map, (enum wh_direction)d, true);
		for (size_t i = 0; i < j->live.n_dispatch; i++)
			pending |= j->live.dispatch[i].pending && j->live.dispatch[i].direction == (enum wh_direction)d;
		if (!pending && wh_nft_has_set(&j->live, map))
			wh_flush_map(&j->b, map);
	}
}

/* Deletes our chains and sets that are not reached (before the switch), or reached but not kept (after it). */
static void sweep(struct job *j, bool after_switch)
{
	if (!after_switch)
		flush_expired(j);
	bool *gone = wh_arena_array(j->mem, j->live.n_chains + 1, sizeof *gone);
	for (size_t i = 0; i < j->live.n_chains; i++) {
		const char *name = j->live.chains[i].name;
		gone[i] = port_chain(name) && (after_switch ? reached(j, name) && !kept(j, name) : !reached(j, name));
		if (gone[i])
			wh_flush_chain(&j->b, name);
	}
	for (size_t i = 0; i < j->live.n_chains; i++)
		if (gone[i])
			wh_del_chain(&j->b, j->live.chains[i].name);
	for (size_t k = 0; k < j->live.n_sets; k++) {
		bool owner_stays = false, owner_goes = false;
		for (size_t i = 0; i < j->live.n_chains; i++)
			if (belongs(j->live.sets[k], j->live.chains[i].name))
				*(gone[i] ? &owner_goes : &owner_stays) = true;
		if (owner_goes || (!after_switch && !owner_stays && port_chain(j->live.sets[k])))
			wh_del_set(&j->b, j->live.sets[k]);
	}
}

/* What stands in our table without being ours. */
static void sweep_strangers(struct job *j)
{
	const struct wh_nft_live *l = &j->live;
	for (int step = 0; step < 2; step++)
		for (size_t i = 0; i < l->n_chains; i++)
			if (!wh_nft_name_is_ours(l->chains[i].name))
				(step ? wh_del_chain : wh_flush_chain)(&j->b, l->chains[i].name);
	for (size_t i = 0; i < l->n_sets; i++)
		if (!wh_nft_name_is_ours(l->sets[i]))
			wh_del_set(&j->b, l->sets[i]);
}

/* Sends what was filled, when `more` bytes could be too many for one transaction, and begins the next. */
static int make_room(struct job *j, size_t more)
{
	if (j->b.len + more <= wh_nl_room(j->nl))
		return 0;
	bool flushes_only = j->b.n == j->b.flushes;
	uint32_t next = j->generation + 1 ? j->generation + 1 : 1, now = j->generation;
	int rc = wh_nl_commit(j->nl, &j->b, j->err);
	if (!rc && j->b.n) {
		/* a transaction of ours counts one, or none where there was nothing to flush; anything else is somebody's */
		now = wh_nl_generation(j->nl, j->err);
		if (now != next && !(flushes_only && now == j->generation))
			rc = wh_fail(j->err, -ERESTART, "somebody else changed the firewall meanwhile; nothing was applied: run it again");
	}
	j->generation = now;
	wh_batch_free(&j->b);
	wh_batch_begin(&j->b, j->generation);
	return rc;
}

static int fill_set(struct job *j, const char *name, struct wh_nft_cursor *c, const struct wh_addr *end, bool v6)
{
	struct wh_span part[SPANS_AT_ONCE];
	size_t n;
	int rc = make_room(j, SPANS_BYTES);
	wh_put_interval_set(&j->b, name, v6);
	do {
		for (n = 0; n < SPANS_AT_ONCE && wh_nft_next_span(c, end, &part[n]); n++)
			;
		rc = rc ? rc : make_room(j, SPANS_BYTES);
		if (!rc)
			wh_put_spans(&j->b, name, part, n, v6, false);
	} while (!rc && n == SPANS_AT_ONCE);
	return rc;
}

static int fill_differences(struct job *j, const struct plan *p)
{
	int rc = 0;
	char set[WH_NFT_NAME];
	for (int v6 = 0; v6 < 2; v6++)
		for (int gone = 0; gone < 2; gone++) {
			const struct wh_spans *s = gone ? &p->minus[v6] : &p->plus[v6];
			snprintf(set, sizeof set, "%.40s_v%c_%s", p->chain, v6 ? '6' : '4', gone ? "minus" : "plus");
			if (!s->n)
				continue;
			rc = rc ? rc : make_room(j, SPANS_BYTES);
			wh_put_interval_set(&j->b, set, v6);
			wh_put_spans(&j->b, set, s->s, s->n, v6, false);
		}
	return rc;
}

static int fill_port(struct job *j, const struct plan *p)
{
	struct wh_chain_spec s = {.name = p->chain, .port = p->want, .audit = j->rs->audit, .nflog_group = j->rs->nflog_group};
	struct wh_rules rules;
	int rc = 0;
	memcpy(s.tiles, p->tiles, sizeof s.tiles);
	for (int v6 = 0; v6 < 2; v6++) {
		struct wh_nft_cursor c = {.p = v6 ? p->want->v6 : p->want->v4, .n = v6 ? p->want->n_v6 : p->want->n_v4};
		for (size_t i = 0; i < p->tiles[v6].n && p->how == FULL && !rc; i++)
			rc = fill_set(j, p->tiles[v6].t[i].name, &c, &p->tiles[v6].t[i].range.last, v6);
		s.plus[v6] = p->how == DELTA && p->plus[v6].n;
		s.minus[v6] = p->how == DELTA && p->minus[v6].n;
	}
	s.then = p->how == DELTA ? p->confirmed : NULL;
	if (!rc && p->how == DELTA)
		rc = fill_differences(j, p);
	if (!rc)
		rc = make_room(j, SPANS_BYTES);
	wh_put_chain(&j->b, p->chain, -1);
	wh_rules_of_port(&s, &rules);
	wh_put_rules(&j->b, &rules);
	return rc;
}

static void put_skeleton(struct wh_batch *b)
{
	static const char *const hooks[] = {"input", "output"};
	char map[WH_NFT_NAME];
	struct wh_rules rules;
	wh_put_table(b);
	for (int d = 0; d < 2; d++) {
		for (int pending = 0; pending < 2; pending++) {
			wh_nft_map_name(map, (enum wh_direction)d, pending);
			wh_put_map(b, map);
		}
		wh_put_chain(b, hooks[d], d == WH_INBOUND ? NF_INET_LOCAL_IN : NF_INET_LOCAL_OUT);
		wh_flush_chain(b, hooks[d]);
		wh_rules_of_hook((enum wh_direction)d, &rules);
		wh_put_rules(b, &rules);
	}
}

static int fill(struct job *j)
{
	int rc = 0;
	wh_batch_begin(&j->b, j->generation);
	sweep(j, false);
	if (!j->live.present)
		put_skeleton(&j->b);
	for (size_t i = 0; i < j->rs->n_ports && !rc; i++)
		if (j->plans[i].how == FULL || (j->plans[i].how == DELTA && j->timeout_ms))
			rc = fill_port(j, &j->plans[i]);
	return rc ? rc : make_room(j, SIZE_MAX / 2); /* send the rest */
}

/* ---- switching ---- */

static bool narrows(const struct wh_nft_ruleset *rs, const struct wh_nft_dispatch *d)
{
	for (size_t i = 0; i < rs->n_ports; i++)
		if (rs->ports[i].direction == d->direction && rs->ports[i].proto == d->proto && rs->ports[i].port == d->port)
			return true;
	return false;
}

static void flush_pending(struct job *j)
{
	char map[WH_NFT_NAME];
	for (int d = 0; d < 2; d++) {
		wh_nft_map_name(map, (enum wh_direction)d, true);
		for (size_t i = 0; i < j->live.n_dispatch; i++)
			if (j->live.dispatch[i].pending && j->live.dispatch[i].direction == (enum wh_direction)d) {
				wh_flush_map(&j->b, map);
				break;
			}
	}
}

static void switch_pending(struct job *j)
{
	char map[WH_NFT_NAME];
	for (size_t i = 0; i < j->rs->n_ports; i++) {
		const struct plan *p = &j->plans[i];
		wh_nft_map_name(map, p->want->direction, true);
		if (p->how != SAME)
			wh_put_dispatch(&j->b, map, p->want->proto, p->want->port, p->chain, j->timeout_ms);
	}
	for (size_t i = 0; i < j->live.n_dispatch; i++) {
		const struct wh_nft_dispatch *d = &j->live.dispatch[i];
		wh_nft_map_name(map, d->direction, true);
		if (!d->pending && !narrows(j->rs, d))
			wh_put_dispatch(&j->b, map, d->proto, d->port, NULL, j->timeout_ms);
	}
}

static void switch_lasting(struct job *j)
{
	char map[WH_NFT_NAME];
	for (size_t i = 0; i < j->rs->n_ports; i++) {
		const struct plan *p = &j->plans[i];
		wh_nft_map_name(map, p->want->direction, false);
		for (int v6 = 0; v6 < 2 && p->how == DELTA; v6++) {
			wh_put_spans_tiled(&j->b, &p->tiles[v6], &p->minus[v6], v6, true);
			wh_put_spans_tiled(&j->b, &p->tiles[v6], &p->plus[v6], v6, false);
		}
		if (p->how != FULL)
			continue;
		if (wh_nft_dispatched(&j->live, p->want->direction, p->want->proto, p->want->port, false))
			wh_del_dispatch(&j->b, map, p->want->proto, p->want->port);
		wh_put_dispatch(&j->b, map, p->want->proto, p->want->port, p->chain, 0);
	}
	for (size_t i = 0; i < j->live.n_dispatch; i++) {
		const struct wh_nft_dispatch *d = &j->live.dispatch[i];
		wh_nft_map_name(map, d->direction, false);
		if (!d->pending && !narrows(j->rs, d))
			wh_del_dispatch(&j->b, map, d->proto, d->port);
	}
}

static int switch_over(struct job *j)
{
	if (j->live.present && wh_nft_skeleton_differs(&j->live, j->mem)) {
		put_skeleton(&j->b);
		sweep_strangers(j);
	}
	flush_pending(j);
	if (j->timeout_ms)
		switch_pending(j);
	else
		switch_lasting(j);
	sweep(j, true);
	return wh_nl_commit(j->nl, &j->b, j->err);
}

/* ---- all of it ---- */

/* After a failure nothing that was filled is reached by any packet; take it away all the same, as well as it goes. */
static void clean_up(struct job *j)
{
	bool was_there = j->live.present;
	wh_batch_free(&j->b);
	wh_batch_begin(&j->b, 0);
	if (wh_nft_live(j->nl, j->mem, &j->live, NULL) || !j->live.present)
		return;
	if (!was_there && !j->live.n_dispatch)
		wh_del_table(&j->b);
	else
		sweep(j, false);
	wh_nl_commit(j->nl, &j->b, NULL);
}

static int apply(struct job *j, struct wh_enforce_result *out)
{
	struct timespec t0, t1;
	clock_gettime(CLOCK_MONOTONIC, &t0);
	j->generation = wh_nl_generation(j->nl, j->err);
	if (!j->generation)
		return j->err ? j->err->code : -EIO;
	int rc = wh_nft_live(j->nl, j->mem, &j->live, j->err);
	if (rc)
		return rc;
	out->unchanged = j->live.present;
	for (size_t i = 0; i < j->rs->n_ports && !rc; i++) {
		j->plans[i].want = &j->rs->ports[i];
		rc = plan_port(j, &j->plans[i]);
		out->unchanged &= j->plans[i].how == SAME;
	}
	for (size_t i = 0; i < j->live.n_dispatch; i++)
		out->unchanged &= narrows(j->rs, &j->live.dispatch[i]);
	if (!rc) {
		rc = fill(j);
		rc = rc ? rc : switch_over(j);
		if (rc)
			clean_up(j);
	}
	wh_batch_free(&j->b);
	wh_nl_sent(j->nl, &out->messages, &out->bytes);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	out->apply_seconds = (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
	out->generation = j->generation;
	return rc;
}

static int verify(const struct wh_nft_ruleset *rs, struct wh_enforce_result *out, struct wh_error *err)
{
	char *difference;
	int rc = wh_nft_compare(rs, &difference, err);
	out->verified = rc == 0;
	for (char *p = difference; p && *p; p++)
		if (*p == '\n')
			*p = ';';
	if (rc == 1)
		rc = wh_fail(err, -EIO, "what the kernel holds is not what was sent: %s; `whittle rollback` takes it away", difference ? difference : "?");
	free(difference);
	return rc;
}

/* A refusal may mean that the kernel cannot do what is asked: then that is what to say. */
static int explain_lack(int rc, struct wh_error *err)
{
	char what[360];
	struct wh_error ignored;
	if (rc != -ENOENT && rc != -EOPNOTSUPP && rc != -EAFNOSUPPORT && rc != -EINVAL && rc != -EPROTONOSUPPORT)
		return rc;
	if (wh_nft_lacks(what, sizeof what, &ignored) > 0)
		return wh_fail(err, -EOPNOTSUPP, "nothing was applied: this kernel lacks %s", what);
	return rc;
}

int wh_nft_apply(const struct wh_nft_ruleset *rs, const struct wh_enforce_options *opt, struct wh_enforce_result *out, struct wh_error *err)
{
	struct job j = {.mem = wh_arena_new(), .rs = rs, .timeout_ms = opt->confirm_within_s * 1000, .err = err};
	memset(out, 0, sizeof *out);
	out->ports = rs->n_ports;
	for (size_t i = 0; i < rs->n_ports; i++)
		out->prefixes += rs->ports[i].n_v4 + rs->ports[i].n_v6;
	struct wh_nft_host host;
	wh_nft_host_read("/etc", j.mem, &host);
	int rc = wh_nft_check(rs, &host, err);
	j.plans = wh_arena_array(j.mem, rs->n_ports + 1, sizeof *j.plans);
	rc = rc ? rc : wh_nl_open(&j.nl, err);
	if (!rc) {
		rc = apply(&j, out);
		wh_nl_close(j.nl);
		rc = rc ? explain_lack(rc, err) : 0;
	}
	wh_arena_free(j.mem);
	return rc ? rc : verify(rs, out, err);
}
