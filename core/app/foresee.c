/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "app/foresee.h"
#include "base/text.h"
#include "whittle/review.h"

int wh_app_foresee(const struct wh_app *a, const char *const *names, size_t n, struct wh_arena *mem, struct wh_replay **out,
                   struct wh_error *err)
{
	struct wh_recommendation *rec;
	struct wh_harden_options opt;
	struct wh_app_ledger l;
	struct wh_app silent = *a;
	int rc = wh_app_open(a, WH_STATE_READ, mem, &l, err);
	rc = rc ? rc : wh_review_load(l.is.state, l.estate, mem, &rec, err);
	silent.note = NULL; /* its caller read the same rules */
	if (!rc)
		wh_app_present(&silent, &l, mem);
	rc = rc ? rc : wh_harden_options_load(&a->config->harden, l.is.state, "all", mem, &opt, err);
	rc = rc ? rc : wh_replay(&(struct wh_harden_ask){l.is.store, l.estate, names, n, &opt}, rec, 0, mem, out, err);
	wh_app_close(&l, NULL);
	return rc;
}

static const char *port_of(const struct wh_replay_rule *r, struct wh_arena *mem)
{
	return wh_port_label(r->rule->direction, r->rule->port, r->rule->proto, mem);
}

void wh_app_note_cut_off(const struct wh_app *a, const struct wh_replay *r)
{
	struct wh_arena *mem = wh_arena_new();
	for (size_t i = 0; i < r->n_rules; i++) {
		const struct wh_replay_rule *x = &r->rules[i];
		char addr[WH_ADDR_STRLEN], at[WH_TIME_STRLEN];
		for (unsigned k = 0; k < x->n_worst; k++) {
			const struct wh_replay_peer *p = &x->worst[k];
			wh_app_note(a, "%s will be cut off from port %s: %llu flow%s, last seen on %.10s%s",
			            wh_addr_text(&p->addr, addr), port_of(x, mem), (unsigned long long)p->flows,
			            p->flows == 1 ? "" : "s", wh_time_text(p->last_us, at),
			            x->rule->review ? " (the rule was edited by hand)" : "");
		}
		if (x->peers.lost > x->n_worst)
			wh_app_note(a, "and %llu more peers that belong on port %s: `whittle replay` counts them",
			            (unsigned long long)(x->peers.lost - x->n_worst), port_of(x, mem));
	}
	wh_arena_free(mem);
}

const char *wh_app_doubtful(const struct wh_replay *r, struct wh_arena *mem)
{
	char word[WH_SHELL_WORD];
	for (size_t i = 0; i < r->n_rules; i++) {
		const struct wh_replay_rule *x = &r->rules[i];
		const struct wh_breakage *e = &x->rule->expected;
		uint64_t of = x->flows.kept + x->flows.lost;
		if (x->rule->review) /* a person's own edit */
			continue;
		if ((double)x->flows.lost > WH_APP_MOST_BROKEN * (double)of)
			return wh_arena_printf(
				mem,
				"port %s would have lost %llu of %llu flows of peers that belong; `whittle explain %s %u` lists the peers",
				port_of(x, mem), (unsigned long long)x->flows.lost, (unsigned long long)of,
				wh_shell_word(x->resource->name, word), x->rule->port);
		if (e->days && (double)e->flows > WH_APP_MOST_BROKEN * (double)e->of)
			return wh_arena_printf(
				mem,
				"on port %s the rule of %u days ago would have lost %llu of %llu flows since: its peers still change; let it learn longer",
				port_of(x, mem), e->days, (unsigned long long)e->flows, (unsigned long long)e->of);
		if (x->rule->confidence < WH_APP_LEAST_SURE)
			return wh_arena_printf(
				mem,
				"the rule for port %s is only %.0f %% sure; let it learn longer, or see `whittle explain %s %u`",
				port_of(x, mem), 100 * x->rule->confidence, wh_shell_word(x->resource->name, word),
				x->rule->port);
	}
	return NULL;
}

static json_t *peers_json(const struct wh_replay_rule *x)
{
	json_t *list = json_array();
	char addr[WH_ADDR_STRLEN], at[WH_TIME_STRLEN];
	for (unsigned k = 0; k < x->n_worst; k++)
		json_array_append_new(list,
		                      json_pack("{s:s, s:s, s:I}", "peer", wh_addr_text(&x->worst[k].addr, addr), "lastSeen",
		                                wh_time_text(x->worst[k].last_us, at), "flows", (json_int_t)x->worst[k].flows));
	return list;
}

json_t *wh_app_cut_off_json(const struct wh_replay *r)
{
	json_t *list = json_array();
	char proto[8];
	for (size_t i = 0; r && i < r->n_rules; i++) {
		const struct wh_replay_rule *x = &r->rules[i];
		if (x->peers.lost)
			json_array_append_new(list,
			                      json_pack("{s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:o}", "resource", x->resource->name,
			                                "direction", wh_direction_text(x->rule->direction), "protocol",
			                                wh_proto_text(x->rule->proto, proto), "port", (int)x->rule->port, "peers",
			                                (json_int_t)x->peers.lost, "flows", (json_int_t)x->flows.lost, "of",
			                                (json_int_t)(x->flows.kept + x->flows.lost), "cutOff", peers_json(x)));
	}
	return list;
}
