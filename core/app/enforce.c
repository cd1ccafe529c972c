/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applying the reviewed rules to this machine after all checks: the proof, the kernel, open connections, the person's
 * own. */
#include <stdlib.h>
#include <string.h>
#include "app/foresee.h"
#include "app/selected.h"

struct job {
	const struct wh_app *a;
	const struct wh_app_enforce *ask;
	struct wh_arena *mem;
	struct wh_app_enforced *out;
};

static int leave_to_jit(const struct job *j, struct wh_error *err)
{
	struct wh_jit_live now;
	int rc = wh_firewall_jit_live(j->mem, &now, err);
	if (rc) /* a dry run without the right to read them; an apply fails anyway */
		return rc == -EPERM ? 0 : rc;
	const char *left = wh_jit_leave_out(j->out->own.rs, &now, j->mem);
	if (left)
		wh_app_note(j->a, "port %s is left to just-in-time access, which keeps it closed (whittle jit)", left);
	return 0;
}

static int check_own_sessions(const struct job *j, struct wh_error *err)
{
	const struct wh_session *cut = wh_session_cut(j->out->own.rs, j->a->sessions, j->a->n_sessions);
	char client[WH_ADDR_STRLEN];
	if (cut && !j->ask->force)
		return wh_fail_input(err, -EPERM,
		                     "refused: you are connected from %s, which could not connect to port %u again after this; "
		                     "add it with `whittle rules edit`, or use --force",
		                     wh_addr_text(&cut->client, client), cut->port);
	if (cut)
		wh_app_note(j->a, "your own address %s will not be able to connect again to port %u",
		            wh_addr_text(&cut->client, client), cut->port);
	return 0;
}

/* Rules for addresses that are on no interface stop no peer. A machine without any address yet can't be checked. */
static int check_addresses(const struct job *j, struct wh_error *err)
{
	struct wh_app_own *own = &j->out->own;
	struct wh_nft_host host;
	wh_nft_host_read("", j->mem, &host);
	int rc = wh_nft_check(own->rs, &host, err);
	char *unchecked = rc ? NULL : wh_nft_unchecked(own->rs, &host, j->mem);
	if (unchecked)
		wh_app_note(j->a, "%s", unchecked);
	if (rc || wh_app_own_is_met(own))
		return rc;
	if (own->n_covered && !j->ask->dry)
		return wh_fail_input(
			err, -EADDRNOTAVAIL,
			"the rules of %s would judge no packet: this machine has none of their addresses (it has %s). "
			"Add the right one to the estate, or use --force-all-addresses",
			own->names[0], wh_nft_not_covered(own->covered, own->n_covered, j->mem));
	wh_app_note(j->a, "this machine now has none of the addresses of the rules: they judge no packet");
	return 0;
}

static json_t *open_json(const struct wh_open_cut *cut)
{
	const struct wh_open *o = cut->c;
	char addr[WH_ADDR_STRLEN], proto[8], t[WH_TIME_STRLEN];
	json_t *j = json_pack("{s:s,s:s,s:s,s:i,s:b}", "peer", wh_addr_text(&o->peer, addr), "direction",
	                      wh_direction_text(o->direction), "protocol", wh_proto_text(o->proto, proto), "port", (int)o->port,
	                      "refused", cut->why != WH_OPEN_OTHER);
	if (o->start_us)
		json_object_set_new(j, "since", json_string(wh_time_text(o->start_us, t)));
	if (o->idle_us >= 0)
		json_object_set_new(j, "idleSeconds", json_integer(o->idle_us / 1000000));
	if (o->has_bytes)
		json_object_set_new(j, "bytes", json_integer((json_int_t)(o->bytes_in + o->bytes_out)));
	return j;
}

/* Lists open connections that could not be opened again, and refuses if one is too old for the ledger to know it, or large. */
static int check_open(const struct job *j, struct wh_error *err)
{
	enum { SHOWN = 20, SHOWN_JSON = 1000 };
	struct wh_open_list l;
	size_t n, refused;
	char text[200];
	int64_t now = wh_now_us();
	struct wh_error unnoted;
	wh_firewall_connections(j->mem, &l);
	if (*l.unread)
		wh_app_note(j->a, "some open connections can't be judged: %s", l.unread);
	if (!j->ask->dry && wh_open_note(j->a->store_url, j->a->config->estate.discover, &l, now, &unnoted))
		wh_app_note(j->a, "the open connections are not recorded as evidence: %s", unnoted.text);
	const struct wh_open_cut *cuts = wh_open_cuts(j->out->own.rs, &l, j->out->own.memory_us, now, j->mem, &n, &refused);
	for (size_t i = 0; i < n && i < SHOWN_JSON; i++)
		json_array_append_new(j->out->open, open_json(&cuts[i]));
	for (size_t i = 0; i < n && i < SHOWN; i++)
		wh_app_note(j->a, "this open connection could not be opened again: %s%s", wh_open_text(cuts[i].c, now, text),
		            cuts[i].why == WH_OPEN_OLD ? ": older than the ledger's memory" : "");
	if (n > SHOWN || l.more)
		wh_app_note(j->a, "and %s%zu more", l.more ? "at least " : "", n > SHOWN ? n - SHOWN : 0);
	if (refused && !j->ask->force)
		return wh_fail_input(
			err, -EPERM,
			"refused: %s (older than the ledger's memory, or with 16 MiB moved) could not be opened again: the first is %s.  "
			"Add what belongs with `whittle rules edit`, or use --force",
			refused == 1 ? "an open connection" : wh_arena_printf(j->mem, "%zu open connections", refused),
			wh_open_text(cuts[0].c, now, text));
	return 0;
}

/* Ports that lead to a narrowed one are a way around its rule: a person decides. */
static void note_doors(const struct job *j)
{
	enum { SHOWN = 12 };
	const struct wh_app_own *own = &j->out->own;
	for (size_t i = 0; i < own->n_doors && i < SHOWN; i++)
		wh_app_note(j->a, "%s; `%s` judges %s too", own->doors[i].text, own->doors[i].remedy,
		            own->doors[i].is.port == own->doors[i].is.last ? "it" : "them");
	if (own->n_doors > SHOWN)
		wh_app_note(j->a, "and %zu more such ports (--json names all)", own->n_doors - SHOWN);
	if (own->doors_unread)
		wh_app_note(j->a, "not all ports that this machine translates are known: %s", own->doors_unread);
}

/* The past traffic of this machine: the peers that would be cut off, and whether the rules are certain enough for that. */
static int check_replay(const struct job *j, struct wh_error *err)
{
	struct wh_replay *r;
	struct wh_error unknown;
	if (wh_app_foresee(j->a, j->out->own.names, j->out->own.n, j->mem, &r, &unknown)) {
		j->out->unreplayed = wh_arena_strdup(j->mem, unknown.text);
		return 0;
	}
	j->out->replay = r;
	wh_app_note_cut_off(j->a, r);
	const char *doubt = j->ask->audit || j->ask->force ? NULL : wh_app_doubtful(r, j->mem);
	if (doubt && !j->ask->dry)
		return wh_fail_input(err, -EPERM, "refused: %s, or use --force (--audit drops nothing)", doubt);
	if (doubt)
		wh_app_note(j->a, "enforce will refuse this without --force: %s", doubt);
	return 0;
}

/* Checks the rules against the kernel and the session, with few privileges. */
static int check(const struct job *j, struct wh_error *err)
{
	int rc = leave_to_jit(j, err);
	if (!rc && !j->out->own.rs->n_ports)
		rc = wh_fail(err, -ENODATA,
		             "nothing to enforce: no rule is recommended for this machine (`whittle status` gives the reason)");
	j->out->own.rs->audit = j->ask->audit;
	rc = rc ? rc : check_addresses(j, err);
	if (!rc)
		note_doors(j);
	rc = rc ? rc : check_own_sessions(j, err);
	rc = rc ? rc : check_replay(j, err);
	return rc ? rc : check_open(j, err);
}

static int apply(const struct job *j, struct wh_error *err)
{
	const struct wh_enforce_options opt = {.confirm_within_s = j->ask->confirm_within_s, .audit = j->ask->audit};
	struct wh_app_enforced *out = j->out;
	char *unstored;
	int rc = wh_firewall_apply(out->own.rs, &opt, j->ask->force, &out->result, &out->expires_us, &unstored, err);
	if (rc)
		return rc;
	if (unstored) /* confirm will report it again */
		wh_app_note(j->a, "%s", unstored);
	free(unstored);
	out->applied = true;
	if (j->ask->done)
		j->ask->done(j->ask->arg, out);
	wh_app_journal(j->a, "enforce.apply",
	               json_pack("{s:I,s:I,s:b,s:I}", "ports", (json_int_t)out->result.ports, "prefixes",
	                         (json_int_t)out->result.prefixes, "audit", opt.audit, "confirmWithin",
	                         (json_int_t)opt.confirm_within_s));
	return 0;
}

/* In a dry run without the right to read the kernel's rules, none are known to be in force. */
static int select_ports(const struct job *j, struct wh_error *err)
{
	struct wh_nft_counts now = {.n = 0};
	int rc = wh_firewall_counts(j->mem, &now, err);
	if (rc && !(j->ask->dry && rc == -EPERM))
		return rc;
	return wh_app_select_ports(j->out->own.rs, j->ask->only, &now, j->mem, err);
}

int wh_app_enforce(const struct wh_app *a, const struct wh_app_enforce *ask, struct wh_error *err)
{
	struct wh_app_enforced out = {.audit = ask->audit, .confirm_within_s = ask->confirm_within_s, .open = json_array()};
	const struct job j = {a, ask, wh_arena_new(), &out};
	struct wh_nft_reject reject = {0};
	int rc = ask->dry ? 0 : wh_firewall_ready(err);

	rc = rc || !ask->reject ? rc : wh_reject_parse(ask->reject, j.mem, &reject, err);
	rc = rc ? rc : wh_app_own_rules(a, ask->resources, ask->n_resources, ask->all_addresses, j.mem, &out.own, err);
	if (!rc && ask->reject)
		out.own.rs->reject = reject;
	if (!rc && ask->reviewed && strcmp(ask->reviewed, out.own.digest))
		rc = wh_fail_input(err, -ESTALE,
		                   "refused: the rules of %s have changed since they were reviewed; review them again",
		                   out.own.names[0]);
	rc = rc || !ask->only ? rc : select_ports(&j, err);
	rc = rc ? rc : check(&j, err);
	if (!rc && !ask->dry)
		rc = apply(&j, err);
	else if (!rc && ask->done)
		ask->done(ask->arg, &out);
	if (!rc && out.unreplayed)
		wh_app_note(a, "the rules were not replayed on past traffic, so it is not known which peers they cut off: %s",
		            out.unreplayed);
	json_decref(out.open);
	wh_arena_free(j.mem);
	return rc;
}

json_t *wh_app_reject_json(const struct wh_nft_reject *r)
{
	char buf[WH_PREFIX_STRLEN];
	json_t *list = json_array();
	for (size_t i = 0; i < r->n_v4 + r->n_v6; i++)
		json_array_append_new(list,
		                      json_string(wh_prefix_text(i < r->n_v4 ? &r->v4[i] : &r->v6[i - r->n_v4], buf)));
	return list;
}

static json_t *dry_json(const struct wh_app_enforced *e)
{
	char *text = wh_nft_text(e->own.rs, e->confirm_within_s);
	json_t *o = json_pack("{s:b,s:b,s:I,s:o,s:o,s:s}", "applied", 0, "audit", e->own.rs->audit, "ports",
	                      (json_int_t)e->own.rs->n_ports, "addresses", wh_app_coverage_json(e->own.covered, e->own.n_covered),
	                      "unjudgedPorts", wh_app_doors_json(&e->own), "ruleset", text ? text : "");
	json_object_set_new(o, "reject", wh_app_reject_json(&e->own.rs->reject));
	json_object_set_new(o, "cutOff", wh_app_cut_off_json(e->replay));
	free(text);
	return o;
}

json_t *wh_app_enforced_json(const struct wh_app_enforced *e, const char *confirm_command)
{
	const struct wh_enforce_result *res = &e->result;
	char until[WH_TIME_STRLEN];
	if (!e->applied)
		return dry_json(e);
	json_t *o = json_pack("{s:b,s:b,s:b,s:b,s:I,s:I,s:I,s:I,s:f}", "applied", 1, "verified", res->verified, "unchanged",
	                      res->unchanged, "audit", e->audit, "ports", (json_int_t)res->ports, "prefixes",
	                      (json_int_t)res->prefixes, "messages", (json_int_t)res->messages, "bytes", (json_int_t)res->bytes,
	                      "seconds", res->apply_seconds);
	json_object_set_new(o, "addresses", wh_app_coverage_json(e->own.covered, e->own.n_covered));
	json_object_set_new(o, "unjudgedPorts", wh_app_doors_json(&e->own));
	if (!res->unchanged) {
		json_object_set_new(o, "confirmWithin", json_integer(e->confirm_within_s));
		json_object_set_new(o, "confirmBefore", json_string(wh_time_text(e->expires_us, until)));
		json_object_set_new(o, "confirmCommand", json_string(confirm_command));
	}
	json_object_set_new(o, "reject", wh_app_reject_json(&e->own.rs->reject));
	json_object_set(o, "openConnections", e->open);
	json_object_set_new(o, "cutOff", wh_app_cut_off_json(e->replay));
	return o;
}

int wh_app_repair(const struct wh_app *a, void (*done)(void *arg, const char *was), void *arg, struct wh_error *err)
{
	char *was = NULL;
	int rc = wh_firewall_ready(err);
	if (!rc)
		wh_app_adopt_earlier(a, &(struct wh_error){0});
	rc = rc ? rc : wh_firewall_repair(&was, err);
	if (!rc && done)
		done(arg, was);
	if (!rc && was)
		wh_app_journal(a, "enforce.repair", json_pack("{s:s}", "was", was));
	free(was);
	return rc;
}
