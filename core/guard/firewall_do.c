/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The requests that the firewall's process carries out, and its checks before each. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/state_dir.h"
#include "guard/known_file.h"
#include "guard/firewall_inside.h"
#include "guard/persist_file.h"
#include "guard/ways.h"
#include "net/conntrack.h"
#include "net/nf_listen.h"
#include "whittle/filter.h"

/* ---- rules ---- */

/* Rules never shut out the person who applies them, unless that person asked for it by more than a word in the message. */
static int apply(struct wh_firewall_doing *d, struct wh_error *err)
{
	const struct wh_request *r = d->r;
	struct wh_enforce_options opt = {.confirm_within_s = r->number, .audit = r->flag};
	struct wh_error unstored = {.text = ""};
	r->rs->audit = r->flag;
	const struct wh_session *cut = wh_session_cut(r->rs, d->g->sessions, d->g->n_sessions);
	char client[WH_ADDR_STRLEN];
	if (cut && !(r->force && d->g->force))
		return wh_fail_input(err, -EPERM,
		                     "refused: you are connected from %s, which could not connect to port %u again after this; "
		                     "add it with `whittle rules edit`, or use --force",
		                     wh_addr_text(&cut->client, client), cut->port);
	if (!r->rs->n_ports)
		return wh_fail(err, -ENODATA, "there is nothing to enforce");
	int stored = wh_state_dir_check(d->g->state_dir, true, &unstored);
	if (stored == -EPERM) {
		*err = unstored;
		return stored;
	}
	d->out->expires_us = wh_now_us() + opt.confirm_within_s * 1000000; /* rather too early than too late */
	struct wh_nft_known sets;
	wh_known_load(d->g->state_dir, &sets);
	opt.known = &sets;
	int rc = wh_nft_apply(r->rs, &opt, &d->out->applied, err);
	wh_known_save(d->g->state_dir, &sets);
	wh_nft_known_free(&sets);
	if (rc)
		return rc;
	if (d->out->applied.unchanged)
		stored = wh_persist_unchanged(d->g->state_dir, r->rs, &unstored);
	else
		stored = wh_persist_applied(d->g->state_dir, r->rs, d->out->expires_us, &unstored);
	if (stored)
		wh_firewall_put_text(d, strdup(unstored.text));
	return 0;
}

static int repair_rules(const struct wh_nft_ruleset *rs, const struct wh_nft_state *state, char **difference,
                        struct wh_error *err)
{
	struct wh_enforce_options opt = {.audit = rs->audit, .confirm_within_s = (state->expires_in_ms + 999) / 1000};
	struct wh_enforce_result res;
	int rc = wh_nft_compare(rs, difference, err);
	return rc == 1 ? wh_nft_apply(rs, &opt, &res, err) : rc;
}

static int repair(struct wh_firewall_doing *d, struct wh_error *err)
{
	struct wh_restored restored = {0};
	struct wh_nft_ruleset *rs;
	struct wh_nft_state state;
	struct wh_error none;
	char *difference = NULL, *jit = NULL, *all = NULL;
	int known = wh_firewall_load(d, WH_STORED_WANTED, &state, &rs, &none), rc = known == -ENOENT ? 0 : known;
	if (rc)
		*err = none;
	rc = rc || known ? rc : repair_rules(rs, &state, &difference, err);
	int also = rc ? 0 : wh_persist_jit_differs(d->g->state_dir, &jit, err);
	if (also)
		rc = also == 1 ? wh_persist_restore_jit(d->g->state_dir, &restored, err) : also;
	if (!rc && known && !jit) { /* no rules are expected here */
		rc = known;
		*err = none;
	}
	if (!rc && (difference || jit) &&
	    asprintf(&all, "%s%s%s", difference ? difference : "", difference && jit ? "\n" : "", jit ? jit : "") < 0)
		all = NULL;
	wh_firewall_put_text(d, all);
	free(difference);
	free(jit);
	return rc;
}

/* The kernel holds these rules: as this version writes them, or as an earlier one did, and then they are written anew. Only root
 * can change the table. */
static int held(const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	struct wh_enforce_options lasting = {.audit = rs->audit};
	struct wh_enforce_result ignored;
	char *difference = NULL;
	int rc = wh_nft_compare(rs, &difference, err);
	if (rc == 1 && !wh_nft_equivalent(rs, err)) {
		rc = wh_nft_apply(rs, &lasting, &ignored, err);
	} else if (rc == 1) {
		for (char *c = difference; c && *c; c++)
			*c = *c == '\n' ? ';' : *c;
		rc = wh_fail(err, -ESTALE, "the kernel holds other rules: %.120s", difference ? difference : "");
	}
	free(difference);
	return rc;
}

static int adopt(struct wh_firewall_doing *d, struct wh_error *err)
{
	const char *dir = d->g->state_dir;
	struct wh_persist_times times = {.confirmed_us = wh_now_us()};
	struct wh_nft_ruleset *kept;
	struct wh_nft_state state;
	struct wh_jit_live live = {0};
	struct wh_error ignored;
	int rc = d->r->rs ? wh_persist_load(dir, d->mem, &kept, &ignored) : -ENOENT;
	if (rc != -ENOENT)
		return 1;
	rc = d->r->rs ? wh_nft_state(&state, err) : 0;
	if (!rc && d->r->rs)
		rc = state.expires_in_ms ? wh_fail(err, -ESTALE, "other rules wait for their confirmation")
		                         : held(d->r->rs, err);
	if (!rc && d->r->rs)
		rc = wh_persist_write_rules(dir, WH_PERSIST_RULES, d->r->rs, &times, err);
	if (!rc && !wh_jit_nft_live(d->mem, &live, &ignored) && live.n_closed && !wh_persist_has_jit(dir))
		rc = wh_persist_jit(dir, err);
	return rc;
}

/* ---- just-in-time access ---- */

static bool in_policy(const struct wh_jit_config *c, struct wh_jit_port p)
{
	for (size_t i = 0; c && i < c->n_policies; i++)
		for (size_t k = 0; k < c->policies[i].n_ports; k++)
			if (c->policies[i].ports[k].proto == p.proto && c->policies[i].ports[k].port == p.port)
				return true;
	return false;
}

static int jit_on(struct wh_firewall_doing *d, struct wh_error *err)
{
	for (size_t i = 0; i < d->r->n_ports; i++)
		if (!in_policy(d->g->jit, d->r->ports[i]))
			return wh_fail_input(err, -EPERM, "refused (port): no policy under 'jit' in whittle.yaml has port %u",
			                     d->r->ports[i].port);
	return wh_jit_nft_on(d->r->ports, d->r->n_ports, d->r->number, err);
}

static int jit_confirm(struct wh_firewall_doing *d, struct wh_error *err)
{
	int rc = wh_jit_nft_confirm(err);
	return rc ? rc : wh_persist_jit(d->g->state_dir, err);
}

static int jit_off(struct wh_firewall_doing *d, struct wh_error *err)
{
	size_t n;
	int rc = wh_persist_forget(d->g->state_dir, false, true, &n, err);
	return rc ? rc : wh_jit_nft_off(err);
}

static int jit_open(struct wh_firewall_doing *d, struct wh_error *err)
{
	struct wh_jit_grant grant = d->r->opening;
	grant.who = d->g->who ? d->g->who : "unknown";
	grant.opened_us = 0;
	grant.expires_us = d->r->number * 1000;
	int rc = d->g->jit ? wh_jit_allowed(d->g->jit, &grant, err)
	                   : wh_fail_input(err, -EPERM, "refused (resource): there is no whittle.yaml");
	return rc ? rc : wh_jit_nft_open(grant.proto, grant.port, &grant.from, d->r->number, err);
}

/* ---- all ---- */

static int hear(struct wh_firewall_doing *d, int fd)
{
	*d->fd = fd;
	return fd < 0 ? fd : 0;
}

/* If possible: where a unit or a container makes these read-only, the watcher reports it. They count for connections that begin
 * from now on. */
static void count_tracked(void)
{
	static const char *const files[] = {"/proc/sys/net/netfilter/nf_conntrack_acct",
	                                    "/proc/sys/net/netfilter/nf_conntrack_timestamp"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		int fd = open(files[i], O_WRONLY | O_CLOEXEC);
		ssize_t ignored = fd < 0 ? 0 : write(fd, "1", 1);
		(void)ignored;
		if (fd >= 0)
			close(fd);
	}
}

static int hear_tracked(struct wh_firewall_doing *d)
{
	if (d->r->flag)
		count_tracked();
	return hear(d, wh_ct_events_open((unsigned)d->r->number));
}

static int tracks(struct wh_firewall_doing *d)
{
	d->out->tracks.v4 = wh_ct_tracks(AF_INET);
	d->out->tracks.v6 = wh_ct_tracks(AF_INET6);
	return 0;
}

static int act(struct wh_firewall_doing *d, struct wh_error *err)
{
	const char *dir = d->g->state_dir;
	const struct wh_request *r = d->r;
	struct wh_firewall_answer *o = d->out;
	switch (r->what) {
	case WH_ASK_STATE: return wh_nft_state(&o->state, err);
	case WH_ASK_MISSING_FEATURES: return wh_firewall_look_missing_features(d, err);
	case WH_ASK_COMPARE: return wh_firewall_look_compare(d, err);
	case WH_ASK_CONFIRMED: o->number = wh_persist_confirmed_us(dir); return 0;
	case WH_ASK_CONNECTIONS: return wh_firewall_look_connections(d);
	case WH_ASK_JIT_LIVE: return wh_firewall_look_jit_live(d, err);
	case WH_ASK_JIT_DIFFERS: return wh_firewall_look_jit_differs(d, err);
	case WH_ASK_APPLY: return apply(d, err);
	case WH_ASK_CONFIRM: return wh_persist_confirm(dir, &o->confirmed, err);
	case WH_ASK_ROLLBACK: return wh_persist_rollback(dir, r->flag, &o->back, err);
	case WH_ASK_REPAIR: return repair(d, err);
	case WH_ASK_RESTORE: return wh_persist_restore(dir, &o->restored, err);
	case WH_ASK_UNINSTALL: return wh_uninstall(dir, r->flag, &o->uninstalled, err);
	case WH_ASK_ADOPT: return adopt(d, err);
	case WH_ASK_JIT_ON: return jit_on(d, err);
	case WH_ASK_JIT_CONFIRM: return jit_confirm(d, err);
	case WH_ASK_JIT_OFF: return jit_off(d, err);
	case WH_ASK_JIT_OPEN: return jit_open(d, err);
	case WH_ASK_JIT_CLOSE: return wh_jit_nft_close(r->opening.proto, r->opening.port, &r->opening.from, err);
	case WH_ASK_HEAR_DROPS: return hear(d, wh_nf_log_open(d->g->nflog_group));
	case WH_ASK_HEAR_EVENTS: return hear(d, wh_nf_events_open());
	case WH_ASK_HEAR_TRACKED: return hear_tracked(d);
	case WH_ASK_DUMP_TRACKED: return hear(d, wh_ct_dump_open());
	case WH_ASK_TRACKS: return tracks(d);
	case WH_ASK_COUNTS: return wh_firewall_look_counts(d, err);
	case WH_ASK_WATCHED: o->number = wh_nf_events_heard("/proc"); return 0;
	case WH_ASK_PUBLISHED: return wh_firewall_look_published(d, err);
	case WH_ASK_JUDGE: return wh_firewall_look_judged(d, err);
	case WH_ASK_OPENINGS: return wh_put_openings(d->mem, o, d->bytes, err);
	case WH_ASK_PRESENT: return wh_firewall_look_present(d, err);
	case WH_ASKS: break;
	}
	return wh_fail(err, -EBADMSG, "no such request");
}

void wh_firewall_do(const struct wh_firewall_grants *g, const struct wh_request *r, struct wh_arena *mem,
                    struct wh_firewall_answer *out, struct wh_bytes *bytes, int *fd)
{
	struct wh_firewall_doing d = {.g = g, .r = r, .mem = mem, .out = out, .bytes = bytes, .fd = fd};
	memset(out, 0, sizeof *out);
	*fd = -1;
	if (g->may & wh_request_needs(r))
		out->rc = act(&d, &out->err);
	else
		out->rc = wh_fail(&out->err, -EPERM, "refused: this command may not ask for that");
	out->has_err = out->err.text[0] != 0;
	if (bytes->failed) {
		out->rc = wh_fail(&out->err, -ENOMEM, "out of memory");
		out->has_err = true;
		bytes->n = 0;
	}
	out->len = bytes->n;
}
