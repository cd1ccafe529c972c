/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Use cases that need no kernel, as a second caller has them: what each returns, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/support/scene.h"
#include "whittle/app_alerts.h"
#include "whittle/app_firewall.h"
#include "whittle/app_health.h"
#include "whittle/app_jit.h"
#include "whittle/app_learning.h"
#include "whittle/app_rules.h"

static struct wh_config config;
static const char *const vm1[] = {"vm1"};

/* Five partners for 31 days in a ledger with a kept recommendation, and the app that a caller makes of it. */
static struct wh_app begin(struct scene *s)
{
	struct wh_error err;
	struct wh_app_recommended r;
	scene_open(s, SCENE_NSG("140.20.30.10/24", "\"22\""), 0);
	scene_partner_days(s, 0, 31);
	scene_recommend(s); /* commits */
	memset(&config, 0, sizeof config);
	config.harden.ports = "22,443,3389";
	const struct wh_app a = {.store_url = s->db, .config = &config, .who = "alice", .state_dir = s->dir, .beside = ""};
	if (wh_app_recommend(&a, &(struct wh_app_recommend){.resources = NULL}, s->mem, &r, &err))
		fail_msg("%s", err.text);
	wh_estate_free(r.estate);
	return a;
}

static const char *file(const struct scene *s, const char *name, const char *text)
{
	char *path = wh_arena_printf(s->mem, "%s/%s", s->dir, name);
	FILE *f = fopen(path, "w");
	assert_true(f && fputs(text, f) >= 0 && !fclose(f));
	return path;
}

static size_t members(json_t *doc, const char *key)
{
	size_t n = json_array_size(json_object_get(doc, key));
	json_decref(doc);
	return n;
}

/* ---- the estate, edges, logs ---- */

static void an_estate_file_may_be_json_or_yaml(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	struct wh_estate_summary sum;
	struct wh_estate *e;
	const struct wh_app a = begin(&s);
	const char *const path[] = {file(
		&s, "own.json",
		"{\"resources\":[{\"name\":\"vm7\",\"addresses\":[\"10.0.0.7\"]},{\"name\":\"vm8\",\"addresses\":[\"10.0.0.8\"]}]}")};
	if (wh_app_estate_import(&a, path, 1, &sum, &err))
		fail_msg("%s", err.text);
	json_t *doc = wh_app_estate_imported_json(&sum);
	assert_int_equal(json_integer_value(json_object_get(doc, "resources")), 2);
	json_decref(doc);
	free(sum.note_texts);
	if (wh_app_estate(&a, s.mem, &e, &err))
		fail_msg("%s", err.text);
	assert_non_null(wh_estate_find(e, "vm8"));
	assert_int_equal(members(wh_app_estate_json(e), "resources"), e->n_resources);
	wh_estate_free(e);
	unlink(path[0]);
	scene_close(&s);
}

static int read_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	size_t *n = arg;
	char line[WH_APP_EDGE_JSON];
	json_t *doc = json_loads(wh_app_edge_json(k, e, line), JSON_REJECT_DUPLICATES, NULL);
	assert_string_equal(json_string_value(json_object_get(doc, "local")), "10.0.0.4");
	assert_true(json_integer_value(json_object_get(doc, "days")) == 31 && json_is_string(json_object_get(doc, "first")));
	json_decref(doc);
	++*n;
	return 0;
}

static void each_edge_is_a_document_and_one_of_alerts_alone_has_no_times(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	char line[WH_APP_EDGE_JSON];
	size_t n = 0;
	const struct wh_app a = begin(&s);
	if (wh_app_edges(&a, NULL, read_edge, &n, &err))
		fail_msg("%s", err.text);
	assert_int_equal(n, SCENE_PARTNERS);
	struct wh_addr other = wh_addr_v4(0x0a090909);
	assert_int_equal(wh_app_edges(&a, &other, read_edge, &n, &err), 0);
	assert_int_equal(n, SCENE_PARTNERS);
	json_t *doc = json_loads(
		wh_app_edge_json(&(struct wh_edge_key){.proto = WH_PROTO_TCP}, &(struct wh_edge){.alerts = {1}}, line), 0, NULL);
	assert_true(json_is_null(json_object_get(doc, "first")) && json_is_null(json_object_get(doc, "last")));
	json_decref(doc);
	scene_close(&s);
}

struct files { size_t logs, strange, failed; bool began; };

static void began(void *arg)
{
	((struct files *)arg)->began = true;
}

static void on_file(void *arg, const char *path, const struct wh_ingest_result *r, const struct wh_error *err)
{
	struct files *f = arg;
	assert_true(*path);
	f->logs += r && !err;
	f->strange += !r;
	f->failed += err != NULL;
}

static void ingest_reports_each_file_and_counts_all_of_them(void **state)
{
	(void)state;
	static const char record[] =
		"{\"timestamp\":\"2026-10-31T08:10:00.0+0000\",\"flow_id\":1,\"event_type\":\"flow\",\"src_ip\":\"140.20.30.12\",\"src_port\":40001,"
		"\"dest_ip\":\"10.0.0.4\",\"dest_port\":22,\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":44,\"pkts_toclient\":43,\"bytes_toserver\":9196,"
		"\"bytes_toclient\":27009,\"start\":\"2026-10-31T08:00:00.0+0000\",\"end\":\"2026-10-31T08:05:00.0+0000\",\"state\":\"closed\"}}\n";
	struct scene s;
	struct wh_error err;
	struct files f = {.logs = 0};
	struct wh_app_ingested r;
	const struct wh_app a = begin(&s);
	const char *log = file(&s, "a.log", record), *strange = file(&s, "b.log", "hello\n"), *none[] = {"/nowhere/at/all"};
	const char *const paths[] = {wh_arena_printf(s.mem, "%s/[ab].log", s.dir)}, *const one[] = {log};
	struct wh_app_ingest ask = {.paths = paths, .n_paths = 1, .begins = began, .read = on_file, .arg = &f};
	int rc = wh_app_ingest(&a, &ask, &r, &err);
	assert_true(f.began && f.logs == 1 && f.strange + f.failed == 1);
	assert_true(!rc && r.stats.records == 1 && r.stats.flows == 1 && !r.nothing_new);
	json_t *doc = wh_app_ingested_json(&r);
	assert_int_equal(json_integer_value(json_object_get(doc, "flows")), 1);
	json_decref(doc);
	ask.paths = one;
	assert_int_equal(wh_app_ingest(&a, &ask, &r, &err), 0);
	assert_true(r.nothing_new && !r.failed);
	ask.paths = none;
	assert_true(wh_app_ingest(&a, &ask, &r, &err) || r.failed == 1);
	unlink(log);
	unlink(strange);
	scene_close(&s);
}

/* ---- threat lists ---- */

struct updated { size_t n, held, cuts, failed; };

static void on_list(void *arg, const struct wh_app_intel_updated *u)
{
	struct updated *x = arg;
	x->n++;
	x->held += u->held;
	x->cuts += u->n_cuts;
	x->failed += u->failed.code != 0;
	assert_true(u->list || u->failed.code);
}

static void a_list_that_would_cut_off_peers_that_belong_is_held_for_every_caller(void **state)
{
	(void)state;
	static const char *const unknown[] = {"unknown"};
	struct scene s;
	struct wh_error err;
	struct updated u = {0};
	struct wh_app_intel x;
	struct wh_intel_list *l;
	struct wh_addr partner;
	const struct wh_app a = begin(&s);
	struct wh_intel_source lists[] = {{.name = "good", .file = file(&s, "good.txt", "192.0.2.0/24\n198.51.100.9\n")},
	                                  {.name = "cuts", .file = file(&s, "cuts.txt", "140.20.30.10\n")},
	                                  {.name = "gone", .file = "/nowhere/at/all"}};
	struct wh_app_intel_update ask = {.names = unknown, .n_names = 1, .each = on_list, .arg = &u};
	assert_true(wh_app_intel_update(&a, &ask, &err) && err.input && strstr(err.text, "names no threat list"));
	config.intel = (struct wh_intel_config){lists, 3};
	assert_true(wh_app_intel_update(&a, &ask, &err) && strstr(err.text, "'unknown'"));
	ask.n_names = 0;
	if (wh_app_intel_update(&a, &ask, &err))
		fail_msg("%s", err.text);
	assert_true(u.n == 3 && u.held == 1 && u.cuts == 1 && u.failed == 1);
	if (wh_app_intel(&a, s.mem, &x, &err))
		fail_msg("%s", err.text);
	assert_true(x.n == 1 && x.n_held == 1);
	assert_int_equal(members(wh_app_intel_json(&a, &x), "held"), 1);
	assert_int_equal(wh_addr_parse("140.20.30.10", 12, &partner), 0);
	json_t *hits = wh_app_intel_holding(&x, &partner);
	assert_int_equal(json_array_size(hits), 0);
	json_decref(hits);
	if (wh_app_intel_confirm(&a, "cuts", s.mem, &l, &err) || wh_app_intel(&a, s.mem, &x, &err))
		fail_msg("%s", err.text);
	hits = wh_app_intel_holding(&x, &partner);
	assert_int_equal(json_array_size(hits), 1);
	json_decref(hits);
	assert_int_equal(wh_app_intel_forget(&a, "cuts", &err), 0);
	assert_int_equal(wh_app_intel_forget(&a, "cuts", &err), -ENOENT);
	unlink(lists[0].file);
	unlink(lists[1].file);
	scene_close(&s);
}

/* ---- review ---- */

static void a_change_is_in_the_list_and_the_history_until_it_is_undone(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	struct wh_app_rules x;
	struct wh_app_steps h;
	const char *said;
	const struct wh_app a = begin(&s);
	struct wh_prefix also = scene_prefix("140.20.30.77");
	const struct wh_review_change edit = {.op = WH_REVIEW_EDIT,
	                                      .resource = "vm1",
	                                      .rule = "22",
	                                      .prefixes = &also,
	                                      .n_prefixes = 1,
	                                      .adding = true,
	                                      .who = "alice",
	                                      .why = "new"};
	if (wh_app_rules_change(&a, &edit, s.mem, &said, &err) || wh_app_rules_list(&a, vm1, 1, s.mem, &x, &err))
		fail_msg("%s", err.text);
	assert_true(x.recommendation->n_resources == 1 && !x.last[0].time_us && x.last[0].changed_us > 0 &&
	            !x.last_unknown.code && !x.kept_unknown.code);
	assert_true(scene_allows(scene_rule(x.recommendation, 22), "140.20.30.77"));
	wh_estate_free(x.estate);
	if (wh_app_rules_history(&a, "vm1", s.mem, &h, &err))
		fail_msg("%s", err.text);
	assert_true(h.n == 1 && !strcmp(h.list[0].who, "alice") && !strcmp(h.list[0].why, "new"));
	json_t *doc = wh_app_history_json(&h);
	assert_int_equal(json_array_size(doc), 1);
	json_decref(doc);
	if (wh_app_rules_undo(&a, NULL, s.mem, &said, &err) || wh_app_rules_list(&a, NULL, 0, s.mem, &x, &err))
		fail_msg("%s", err.text);
	assert_false(scene_allows(scene_rule(x.recommendation, 22), "140.20.30.77"));
	wh_estate_free(x.estate);
	assert_int_equal(wh_app_rules_reset(&a, NULL, s.mem, &said, &err), 0);
	assert_non_null(strstr(said, "forgotten"));
	assert_true(wh_app_rules_history(&a, "vm9", s.mem, &h, &err) && err.input);
	assert_true(wh_app_rules_list(&a, (const char *const[]){"vm9"}, 1, s.mem, &x, &err) && !x.estate);
	scene_close(&s);
}

/* ---- just-in-time access, Azure ---- */

static void just_in_time_access_names_wrong_arguments_before_it_asks_the_kernel(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	struct wh_app_ports closed;
	struct wh_jit_grant g;
	json_t *doc;
	char *notes, text[24];
	const struct wh_app a = begin(&s);
	assert_true(wh_app_jit_on(&a, 60, true, s.mem, &closed, &err) == WH_APP_USAGE && strstr(err.text, "no policy"));
	assert_true(wh_app_jit_open(&a, &(struct wh_app_jit_open){.resource = "vm9"}, s.mem, &g, &err) &&
	            strstr(err.text, "vm9"));
	assert_true(wh_app_jit_open(&a, &(struct wh_app_jit_open){.resource = "vm1", .to = "nft"}, s.mem, &g, &err) ==
	                    WH_APP_USAGE &&
	            strstr(err.text, "no address of this machine"));
	assert_true(wh_app_jit_nsg(&a, "elsewhere", &doc, &notes, &err) == WH_APP_USAGE && !doc);
	if (wh_app_jit_log(&a, &doc, &err))
		fail_msg("%s", err.text);
	assert_int_equal(members(doc, "events"), 0);
	assert_string_equal(wh_app_jit_port_text(WH_PROTO_UDP, 161, text), "161/udp");
	scene_close(&s);
}

static void never(void *arg, const struct wh_app_azure *x)
{
	(void)arg, (void)x;
	fail_msg("nothing was planned, so nothing is reported");
}

static void azure_is_not_asked_for_a_resource_that_is_not_there(void **state)
{
	(void)state;
	static const char *const vm9[] = {"vm9"};
	struct scene s;
	struct wh_error err;
	struct wh_arm_options arm = {.endpoint = "http://127.0.0.1:1"};
	const struct wh_app a = begin(&s);
	const struct wh_app_azure_ask ask = {
		.options = {.resources = vm9, .n_resources = 1}, .arm = &arm, .planned = never, .done = never};
	assert_true(wh_app_azure_enforce(&a, &ask, &err) == -ENXIO && strstr(err.text, "vm9"));
	struct wh_error why = {.text = "the group is locked"};
	json_t *doc = wh_app_azure_json(&(struct wh_app_azure){.dry = true, .rc = -EIO, .err = &why, .mem = s.mem});
	assert_string_equal(json_string_value(json_object_get(doc, "error")), why.text);
	assert_true(json_is_true(json_object_get(doc, "dryRun")) && json_is_array(json_object_get(doc, "groups")));
	json_decref(doc);
	scene_close(&s);
}

/* ---- health ---- */

static void doctor_names_each_fault_and_its_remedy(void **state)
{
	(void)state;
	struct scene s;
	struct wh_app_doctor r;
	struct wh_app a = begin(&s);
	struct wh_app_doctor_ask ask = {.config_path = "/nowhere.yaml",
	                                .bad_config = {.code = -EINVAL, .text = "/nowhere.yaml:1: no"},
	                                .plugin = "/nowhere.so"};
	wh_app_doctor(&a, &ask, s.mem, &r);
	assert_true(r.worst == WH_APP_CHECK_FAIL && r.n > 5);
	assert_true(!strcmp(r.checks[0].name, "configuration") && r.checks[0].state == WH_APP_CHECK_FAIL && *r.checks[0].remedy);
	assert_true(!strcmp(r.checks[1].name, "ledger") && r.checks[1].state == WH_APP_CHECK_OK);
	assert_int_equal(members(wh_app_doctor_json(&r), "checks"), r.n);
	a.store_url = "/nowhere/l.db";
	wh_app_doctor(&a, &ask, s.mem, &r);
	assert_true(r.checks[1].state == WH_APP_CHECK_FAIL && strstr(r.checks[1].found, "does not exist"));
	assert_string_equal(wh_app_check_state_text(WH_APP_CHECK_WARN), "warn");
	scene_close(&s);
}

static void selftest_reports_why_a_sensor_is_deaf(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	struct wh_selftest out, t = {.sent = 3, .arrived = 3};
	struct wh_selftest_options o = {.to = wh_addr_v4(0xc0000201)};
	config.estate.discover = NULL;
	const struct wh_app a = begin(&s);
	assert_null(wh_app_selftest_reason(&o, &t));
	t.arrived = 0;
	assert_non_null(strstr(wh_app_selftest_reason(&o, &t), "nothing at all came into the ledger"));
	json_t *doc = wh_app_selftest_json(&o, &t);
	assert_true(json_is_false(json_object_get(doc, "hears")) && json_is_string(json_object_get(doc, "reason")));
	json_decref(doc);
	assert_true(wh_app_selftest(&a, &o, &out, &err) && strstr(err.text, "192.0.2.1 is not an address of a resource"));
	scene_close(&s);
}

static void the_result_of_the_firewall_is_a_document(void **state)
{
	(void)state;
	struct wh_uninstalled u = {.rules = true, .files = 2, .verified = true};
	json_t *doc = wh_app_uninstalled_json(&u);
	assert_true(json_is_true(json_object_get(doc, "verified")) && json_is_null(json_object_get(doc, "differs")));
	json_decref(doc);
	doc = wh_app_watch_json(
		&(struct wh_watch_alert){.kind = "blocked", .text = "x", .has_peer = true, .proto = WH_PROTO_TCP, .port = 22});
	assert_true(json_integer_value(json_object_get(doc, "port")) == 22 && json_is_string(json_object_get(doc, "peer")) &&
	            !json_object_get(doc, "by"));
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_estate_file_may_be_json_or_yaml),
		cmocka_unit_test(each_edge_is_a_document_and_one_of_alerts_alone_has_no_times),
		cmocka_unit_test(ingest_reports_each_file_and_counts_all_of_them),
		cmocka_unit_test(a_list_that_would_cut_off_peers_that_belong_is_held_for_every_caller),
		cmocka_unit_test(a_change_is_in_the_list_and_the_history_until_it_is_undone),
		cmocka_unit_test(just_in_time_access_names_wrong_arguments_before_it_asks_the_kernel),
		cmocka_unit_test(azure_is_not_asked_for_a_resource_that_is_not_there),
		cmocka_unit_test(doctor_names_each_fault_and_its_remedy),
		cmocka_unit_test(selftest_reports_why_a_sensor_is_deaf),
		cmocka_unit_test(the_result_of_the_firewall_is_a_document),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
