/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `recommend` run again has the bytes of a derivation, whatever happened in between; if nothing did, it derives nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/support/scene.h"
#include "whittle/app_rules.h"
#include "whittle/intel.h"
#include "whittle/recommended.h"

#define MUST(call) do { struct wh_error err = {.text = ""}; if ((call) < 0) fail_msg("%s: %s", #call, err.text); } while (0)

/* A ledger with its settings, and the options of the next run. */
struct world {
	struct scene s;
	struct wh_config config;
	struct wh_app a;
	struct wh_app_recommend ask;
	struct wh_prefix trusted;
	uint32_t random;
	int last_day;
	unsigned reused, derived;
};

static unsigned pick(struct world *w, unsigned n)
{
	w->random = w->random * 1664525u + 1013904223u;
	return (w->random >> 16) % n;
}

static void begin(struct world *w, uint32_t seed)
{
	memset(w, 0, sizeof *w);
	scene_open(&w->s, SCENE_NSG("140.20.0.0/16", "\"22\", \"443\""), 0);
	scene_partner_days(&w->s, 0, 31);
	scene_recommend(&w->s); /* commits */
	w->last_day = 30;
	w->random = seed;
	w->config.harden.ports = "22,443";
	w->a = (struct wh_app){.store_url = w->s.db, .config = &w->config, .who = "alice", .state_dir = w->s.dir, .beside = ""};
}

static int64_t serial_of(struct world *w)
{
	char *text = NULL;
	MUST(wh_state_get(w->s.ledger.state, "recommendation", "serial", &text, &err));
	int64_t n = text ? strtoll(text, NULL, 10) : 0;
	free(text);
	return n;
}

/* The ledger's present content, derived without anything that was saved. */
static char *derived(struct world *w, struct wh_arena *mem)
{
	struct wh_ledger ledger;
	struct wh_harden_options opt;
	struct wh_estate *estate;
	struct wh_recommendation *rec;
	MUST(wh_ledger_open(w->s.db, WH_STATE_READ, &ledger, &err));
	MUST(wh_estate_load(&ledger, mem, &estate, &err));
	MUST(wh_harden_options_load(&w->config.harden, ledger.state, w->ask.ports, mem, &opt, &err));
	for (size_t i = 0; i < WH_APP_NUMBERS; i++)
		if (w->ask.given[i])
			*(unsigned *)((char *)&opt + wh_app_numbers[i].field) = w->ask.number[i];
	opt.permissiveness = w->ask.permissiveness;
	opt.directions = w->ask.directed ? w->ask.directions : opt.directions;
	MUST(wh_recommend(&(struct wh_harden_ask){.store = ledger.store, .estate = estate, .opt = &opt}, mem, &rec, &err));
	char *text = wh_recommendation_json(rec, NULL);
	wh_estate_free(estate);
	wh_ledger_close(&ledger);
	return text;
}

/* Runs `recommend`; whether it took the saved outcome. */
static bool run(struct world *w)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_app_recommended r;
	int64_t before = serial_of(w); /* each run is a calculation of its own */
	char *want = derived(w, mem);
	MUST(wh_app_recommend(&w->a, &w->ask, mem, &r, &err));
	char *got = wh_recommendation_json(r.recommendation, NULL);
	assert_string_equal(got, want);
	assert_true(serial_of(w) == r.recommendation->serial && r.recommendation->serial == before + 1);
	*(r.derived ? &w->derived : &w->reused) += 1;
	free(got);
	free(want);
	wh_estate_free(r.estate);
	wh_arena_free(mem);
	return !r.derived;
}

/* ---- what may happen in between ---- */

static const char *address(struct world *w)
{
	return wh_arena_printf(w->s.mem, "140.20.%u.%u", 30 + pick(w, 3), 8 + pick(w, 40));
}

static void traffic(struct world *w)
{
	if (pick(w, 2))
		w->last_day++;
	for (unsigned i = 1 + pick(w, 5); i > 0; i--)
		scene_session(&w->s, address(w), pick(w, 3) ? 22 : 443, w->last_day, 1 + (int)pick(w, 20), 40, 600);
	if (!pick(w, 3))
		scene_alert(&w->s, address(w), 22, w->last_day, 1 + pick(w, 3), true);
	MUST(wh_store_commit(w->s.ledger.store, w->s.table, NULL, NULL, &err));
	wh_edge_table_clear(w->s.table);
}

static const char *file(struct world *w, const char *name, const char *text)
{
	const char *path = wh_arena_printf(w->s.mem, "%s/%s", w->s.dir, name);
	FILE *f = fopen(path, "w");
	assert_true(f && fputs(text, f) >= 0 && !fclose(f));
	return path;
}

static void list(struct world *w)
{
	struct wh_intel_list *out;
	const char *path = file(w, "list.txt", wh_arena_printf(w->s.mem, "%s\n", address(w)));
	const struct wh_intel_source source = {.name = "list", .file = path};
	MUST(wh_intel_update(w->s.ledger.state,
	                     &(struct wh_intel_update){.source = &source, .now_us = scene_day0_us, .force = true}, w->s.mem, &out,
	                     &err));
}

static void settings(struct world *w)
{
	w->trusted = scene_prefix(wh_arena_printf(w->s.mem, "%s/32", address(w)));
	w->config.harden.trusted = &w->trusted;
	w->config.harden.n_trusted = pick(w, 2);
	w->config.harden.min_days = 20 + pick(w, 12);
	w->config.harden.ports = pick(w, 2) ? "22,443" : "22";
}

static void options(struct world *w)
{
	w->ask = (struct wh_app_recommend){.permissiveness = pick(w, 2) ? 1 + pick(w, 4) * 1e-7 : 0};
	w->ask.given[1] = !pick(w, 3);
	w->ask.number[1] = 1 + pick(w, 6); /* max-prefixes */
	w->ask.directed = !pick(w, 3);
	w->ask.directions = WH_DIRECTIONS_BOTH;
	w->ask.ports = pick(w, 3) ? NULL : "443";
}

static void group(struct world *w, const char *nsg)
{
	struct wh_estate_summary sum = {0};
	file(w, "web.json", nsg);
	const char *path = wh_arena_printf(w->s.mem, "%s/estate.yaml", w->s.dir);
	MUST(wh_estate_import(w->s.ledger.state, path, &sum, &err));
	free(sum.note_texts);
}

static void estate(struct world *w)
{
	group(w, pick(w, 2) ? SCENE_NSG("140.20.0.0/16", "\"22\", \"443\"") : SCENE_NSG("140.20.30.0/24", "\"22\""));
}

static void nothing(struct world *w)
{
	(void)w;
}

static void whatever_happens_the_outcome_is_that_of_a_derivation(void **state)
{
	static void (*const steps[])(struct world *) = {nothing, traffic, traffic, list, settings, options, estate};
	(void)state;
	for (uint32_t seed = 1; seed <= 4; seed++) {
		struct world w;
		begin(&w, seed);
		run(&w);
		for (int i = 0; i < 20; i++) {
			steps[pick(&w, sizeof steps / sizeof *steps)](&w);
			run(&w);
			if (!pick(&w, 2)) /* what an earlier run kept of other ports is not derived */
				assert_true(run(&w) || w.ask.ports || w.ask.directed);
		}
		assert_true(w.reused > 3 && w.derived > 8);
		scene_close(&w.s);
	}
}

static void each_thing_that_a_derivation_reads_makes_it_derive(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 7);
	assert_false(run(&w));
	assert_true(run(&w));
	scene_session(&w.s, scene_partners[0], 22, w.last_day, 1, 40, 600);
	MUST(wh_store_commit(w.s.ledger.store, w.s.table, NULL, NULL, &err));
	wh_edge_table_clear(w.s.table);
	assert_false(run(&w));
	assert_true(run(&w));
	list(&w);
	assert_false(run(&w));
	assert_true(run(&w));
	w.ask.permissiveness = 1.0000001; /* not the same as without it */
	assert_false(run(&w));
	w.ask.permissiveness = 1.00000011;
	assert_false(run(&w));
	assert_true(run(&w));
	w.config.harden.min_days = 29;
	assert_false(run(&w));
	group(&w, SCENE_NSG("140.20.0.0/17", "\"22\""));
	assert_false(run(&w));
	assert_true(run(&w));
	char *text = NULL; /* days ahead of the clock do not count, and tomorrow others are */
	MUST(wh_state_get(w.s.ledger.state, "recommendation", "standing", &text, &err));
	json_t *doc = json_loads(text, 0, NULL), *at = json_object_get(doc, "derivedAt");
	free(text);
	json_integer_set(at, json_integer_value(at) - WH_US_PER_DAY);
	text = json_dumps(doc, JSON_COMPACT);
	MUST(wh_state_put(w.s.ledger.state, "recommendation", "standing", text, &err));
	json_decref(doc);
	free(text);
	assert_false(run(&w));
	assert_true(run(&w));
	scene_close(&w.s);
}

static void another_window_of_the_same_ledger_is_derived(void **state)
{
	(void)state;
	struct world w;
	struct wh_recommendation *saved, *out;
	begin(&w, 7);
	run(&w);
	struct wh_harden_options opt = scene_options(&w.s, "22,443");
	MUST(wh_recommendation_load(w.s.ledger.state, w.s.estate, w.s.mem, &saved, &err));
	const struct wh_harden_ask ask = {.store = w.s.ledger.store, .estate = w.s.estate, .opt = &opt};
	struct wh_error err;
	assert_int_equal(wh_recommend_again(&ask, saved, w.s.mem, &out, &err), 0);
	assert_non_null(out);
	opt.today = (int32_t)(scene_day0_us / WH_US_PER_DAY) + w.last_day - 1;
	assert_int_equal(wh_recommend_again(&ask, saved, w.s.mem, &out, &err), 1);
	assert_null(out);
	opt.today++;
	opt.window_days = 30;
	assert_int_equal(wh_recommend_again(&ask, saved, w.s.mem, &out, &err), 1);
	scene_close(&w.s);
}

/* The saved rule of vm1's port 22, as somebody who can write the ledger would have it. */
static void forge(struct world *w, const char *prefixes)
{
	char *text = NULL, *from, *to;
	MUST(wh_state_get(w->s.ledger.state, "recommended", "vm1", &text, &err));
	assert_non_null(from = strstr(text, "\"ipAddresses\":["));
	assert_non_null(to = strchr(from, ']'));
	const char *forged = wh_arena_printf(w->s.mem, "%.*s\"ipAddresses\":[%s%s", (int)(from - text), text, prefixes, to);
	free(text);
	MUST(wh_state_put(w->s.ledger.state, "recommended", "vm1", forged, &err));
}

static void a_forged_outcome_that_no_traffic_could_have_is_not_taken(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 7);
	w.trusted = scene_prefix("140.20.30.200/32");
	w.config.harden.trusted = &w.trusted;
	w.config.harden.n_trusted = 1;
	run(&w);
	assert_true(run(&w));
	forge(&w, "\"140.0.0.0/8\""); /* wider than the rules in force */
	assert_false(run(&w));
	forge(&w, "\"140.20.30.8/29\""); /* without the trusted address */
	assert_false(run(&w));
	forge(&w, "\"nonsense\"");
	assert_false(run(&w));
	assert_true(run(&w));
	scene_close(&w.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_happens_the_outcome_is_that_of_a_derivation),
		cmocka_unit_test(each_thing_that_a_derivation_reads_makes_it_derive),
		cmocka_unit_test(another_window_of_the_same_ledger_is_derived),
		cmocka_unit_test(a_forged_outcome_that_no_traffic_could_have_is_not_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
