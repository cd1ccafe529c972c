/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A finding in the ledger becomes an alert, once, and a person's decision about it stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/support/scene.h"
#include "base/json.h"
#include "whittle/alert.h"
#include "whittle/recommendation.h"

struct world {
	struct scene s;
	struct wh_alert_types types;
	struct wh_alert_config config;
	struct wh_recommendation *rec;
	struct wh_intel_list list;
	int64_t now_us;
};

/* Thirty days of partners on SSH, and the rule that follows from them. */
static void open_world(struct world *w, int days)
{
	struct wh_error err = {0};
	memset(w, 0, sizeof *w);
	scene_open(&w->s, NULL, 0);
	scene_partner_days(&w->s, 0, days);
	w->rec = scene_recommend(&w->s);
	if (wh_alert_types_load("rules/alerts.yaml", w->s.mem, &w->types, &err))
		fail_msg("%s", err.text);
	w->now_us = scene_day0_us + (days + 1) * WH_US_PER_DAY;
}

static struct wh_alert_counts update(struct world *w)
{
	struct wh_error err = {0};
	struct wh_alert_counts n;
	struct wh_recommendation *rec = w->rec;
	scene_recommend(&w->s); /* commits what was folded */
	const struct wh_alert_look look = {.ledger = &w->s.ledger,
	                                   .estate = w->s.estate,
	                                   .rec = rec,
	                                   .lists = &w->list,
	                                   .n_lists = w->list.name != NULL,
	                                   .config = &w->config,
	                                   .types = &w->types,
	                                   .now_us = w->now_us};
	if (wh_alerts_update(&look, &n, &err))
		fail_msg("%s", err.text);
	return n;
}

static json_t *alerts(struct world *w)
{
	struct wh_error err;
	json_t *list;
	assert_int_equal(wh_alerts_list(w->s.ledger.state, &list, &err), 0);
	return list;
}

/* The kept alert of that type; NULL. The list is the caller's. */
static const json_t *of_type(const json_t *list, const char *type)
{
	size_t i;
	json_t *a;
	json_array_foreach((json_t *)list, i, a)
		if (!strcmp(json_string_value(json_object_get(json_object_get(a, "properties"), "alertType")), type))
			return a;
	return NULL;
}

static const char *text(const json_t *a, const char *key)
{
	return json_string_value(json_object_get(json_object_get(a, "properties"), key));
}

static void a_month_of_partners_raises_nothing(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, 40);
	w.now_us = scene_day0_us + 40 * WH_US_PER_DAY;
	struct wh_alert_counts n = update(&w);
	assert_int_equal(n.made, 0);
	scene_close(&w.s);
}

#define UNRECOMMENDED "Network_TrafficFromUnrecommendedIP"

static void a_peer_outside_the_rule_is_one_alert_with_the_rule_and_the_source(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, 31);
	scene_session(&w.s, "198.51.100.7", 22, 32, 3, 2, 5);
	scene_session(&w.s, "198.51.100.7", 22, 32, 4, 2, 5);
	assert_int_equal(update(&w).made, 1);
	json_t *list = alerts(&w);
	const json_t *a = of_type(list, UNRECOMMENDED);
	assert_non_null(a);
	assert_string_equal(text(a, "alertDisplayName"), "Traffic detected from IP addresses recommended for blocking");
	assert_string_equal(text(a, "compromisedEntity"), "vm1");
	assert_string_equal(text(a, "status"), "Active");
	const json_t *x = json_object_get(json_object_get(a, "properties"), "extendedProperties");
	assert_string_equal(json_string_value(json_object_get(x, "Source IP(s) [Number of attempts]")), "IP: 198.51.100.7 [2]");
	assert_string_equal(json_string_value(json_object_get(x, "Destination Port")), "22");
	assert_non_null(strstr(text(a, "description"), "The rule would have stopped it."));
	json_decref(list);
	assert_int_equal(update(&w).followed, 0); /* nothing came since: nothing is reported again */
	scene_close(&w.s);
}

static void a_name_in_a_step_to_take_is_one_word_for_the_shell(void **state)
{
	(void)state;
	struct world w = {0};
	struct wh_error err;
	scene_open(&w.s, NULL, 0);
	scene_estate(&w.s, "resources:\n  - {name: \"v; id\", addresses: [10.0.0.4], internet-facing: true}\n");
	scene_partner_days(&w.s, 0, 31);
	w.rec = scene_recommend(&w.s);
	assert_int_equal(wh_alert_types_load("rules/alerts.yaml", w.s.mem, &w.types, &err), 0);
	w.now_us = scene_day0_us + 32 * WH_US_PER_DAY;
	scene_session(&w.s, "198.51.100.7", 22, 32, 3, 2, 5);
	update(&w);
	json_t *list = alerts(&w);
	const json_t *a = of_type(list, UNRECOMMENDED);
	assert_non_null(a);
	char *all = json_dumps(a, 0);
	assert_non_null(strstr(all, "`whittle explain 'v; id' 22`"));
	assert_string_equal(text(a, "compromisedEntity"), "v; id");
	free(all);
	json_decref(list);
	scene_close(&w.s);
}

static void a_partner_inside_the_rule_is_no_alert(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, 31);
	scene_partner_days(&w.s, 31, 33);
	w.now_us = scene_day0_us + 33 * WH_US_PER_DAY;
	assert_int_equal(update(&w).made, 0);
	scene_close(&w.s);
}

/* Where the rule is in force nobody answers: the attempts since the last look are the difference. */
static void unanswered_connections_are_counted_from_the_second_look_on(void **state)
{
	(void)state;
	struct world w;
	struct wh_addr stranger;
	open_world(&w, 31);
	assert_int_equal(wh_addr_parse("198.51.100.9", 12, &stranger), 0);
	for (int i = 0; i < 5; i++)
		scene_syn(&w.s, stranger, 22, 31, 0);
	assert_int_equal(update(&w).made, 0);
	for (int i = 0; i < 7; i++)
		scene_syn(&w.s, stranger, 22, 32, 0);
	assert_int_equal(update(&w).made, 1);
	json_t *list = alerts(&w);
	const json_t *s = json_array_get(json_object_get(json_object_get(of_type(list, UNRECOMMENDED), "whittle"), "sources"), 0);
	assert_int_equal(json_integer_value(json_object_get(s, "unanswered")), 7);
	assert_string_equal(text(of_type(list, UNRECOMMENDED), "severity"), "Informational");
	json_decref(list);
	for (int i = 0; i < 4; i++)
		scene_syn(&w.s, stranger, 22, 33, 0);
	assert_int_equal(update(&w).followed, 1);
	list = alerts(&w);
	assert_int_equal(json_array_size(list), 1);
	s = json_array_get(json_object_get(json_object_get(of_type(list, UNRECOMMENDED), "whittle"), "sources"), 0);
	assert_int_equal(json_integer_value(json_object_get(s, "unanswered")), 11);
	json_decref(list);
	scene_close(&w.s);
}

static void a_password_guesser_is_an_alert_and_a_monitor_inside_the_rule_is_none(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, 31);
	w.config.sessions_a_day = 20;
	for (int hour = 0; hour < 24; hour++) {
		scene_guess(&w.s, "198.51.100.7", 22, 32, hour);
		scene_guess(&w.s, "140.20.30.12", 22, 32, hour);
	}
	update(&w);
	json_t *list = alerts(&w);
	const json_t *a = of_type(list, "SSH_Incoming_BF_OneToOne");
	assert_non_null(a);
	assert_non_null(strstr(text(a, "description"), "198.51.100.7"));
	assert_string_equal(text(a, "severity"), "Medium");
	assert_int_equal(json_array_size(list), 2); /* this one, and that it is outside the rule */
	json_decref(list);
	scene_session(&w.s, "198.51.100.7", 22, 32, 23, 8000, 3000);
	update(&w);
	list = alerts(&w);
	assert_string_equal(text(of_type(list, "SSH_Incoming_BF_OneToOne"), "severity"), "High");
	assert_non_null(strstr(text(of_type(list, "SSH_Incoming_BF_OneToOne"), "description"), "may have succeeded"));
	json_decref(list);
	scene_close(&w.s);
}

static void many_strangers_on_one_day_are_one_alert(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, 31);
	for (int i = 0; i < 25; i++) {
		char addr[32];
		snprintf(addr, sizeof addr, "203.0.113.%d", i);
		scene_session(&w.s, addr, 22, 32, 3, 2, 5);
	}
	update(&w);
	json_t *list = alerts(&w);
	assert_non_null(of_type(list, "SSH_Incoming_BF_ManyToOne"));
	json_decref(list);
	scene_close(&w.s);
}

/* A service that strangers come to every day, and a client that meets new servers every day: no day is unlike the others. */
static void traffic_of_every_day_is_no_alert(void **state)
{
	(void)state;
	struct world w;
	char addr[32];
	open_world(&w, 31);
	for (int day = 5; day < 33; day++)
		for (int i = 0; i < 25; i++) {
			snprintf(addr, sizeof addr, "203.0.%d.%d", day, i);
			scene_session(&w.s, addr, 2222, day, 3, 2, 5);
			scene_session(&w.s, addr, 3389, day, 3, 64, 600);
			snprintf(addr, sizeof addr, "192.0.%d.%d", day, i);
			scene_session_to(&w.s, "10.0.0.4", addr, 443, day, 3, 64, 60);
		}
	scene_partner_days(&w.s, 31, 33);
	w.now_us = scene_day0_us + 33 * WH_US_PER_DAY;
	update(&w);
	json_t *list = alerts(&w);
	assert_null(of_type(list, "RDP_Incoming_BF_ManyToOne"));
	assert_null(of_type(list, "PortScanning"));
	json_decref(list);
	for (int i = 0; i < 130; i++) {
		snprintf(addr, sizeof addr, "198.18.0.%d", i);
		scene_session_to(&w.s, "10.0.0.4", addr, 443, 33, 3, 64, 60);
		scene_session(&w.s, addr, 3389, 33, 3, 64, 600);
	}
	update(&w);
	list = alerts(&w);
	assert_non_null(of_type(list, "RDP_Incoming_BF_ManyToOne"));
	assert_non_null(of_type(list, "PortScanning"));
	json_decref(list);
	scene_close(&w.s);
}

static void no_day_of_a_ledger_of_two_weeks_is_unusual(void **state)
{
	(void)state;
	struct world w;
	char addr[32];
	open_world(&w, 13);
	for (int i = 0; i < 30; i++) {
		snprintf(addr, sizeof addr, "198.18.0.%d", i);
		scene_session(&w.s, addr, 22, 12, 3, 2, 5);
	}
	update(&w);
	json_t *list = alerts(&w);
	assert_null(of_type(list, "SSH_Incoming_BF_ManyToOne"));
	json_decref(list);
	scene_close(&w.s);
}

static void a_peer_on_a_threat_list_is_an_alert_that_names_the_list(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, 31);
	struct wh_prefix bad = scene_prefix("203.0.113.0/24");
	w.list = (struct wh_intel_list){.name = "drop.txt", .prefixes = &bad, .n_prefixes = 1};
	scene_session(&w.s, "203.0.113.5", 443, 32, 3, 64, 60);
	update(&w);
	json_t *list = alerts(&w);
	const json_t *a = of_type(list, "Network_CommunicationWithC2");
	assert_non_null(a);
	const json_t *s = json_array_get(json_object_get(json_object_get(a, "whittle"), "sources"), 0);
	assert_string_equal(json_string_value(json_object_get(s, "list")), "drop.txt");
	json_decref(list);
	scene_close(&w.s);
}

static void a_ledger_without_flows_for_a_day_is_a_blind_sensor(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, 31);
	w.now_us = scene_day0_us + 35 * WH_US_PER_DAY;
	update(&w);
	json_t *list = alerts(&w);
	assert_non_null(of_type(list, "Whittle_SensorBlind"));
	json_decref(list);
	scene_close(&w.s);
}

/* ---- decisions of a person ---- */

static const char *only_name(struct world *w)
{
	json_t *list = alerts(w);
	assert_int_equal(json_array_size(list), 1);
	const char *name = wh_arena_strdup(w->s.mem, json_string_value(json_object_get(json_array_get(list, 0), "name")));
	json_decref(list);
	return name;
}

static enum wh_alert_status status(struct world *w, const char *name)
{
	struct wh_error err;
	json_t *a;
	assert_int_equal(wh_alert_find(w->s.ledger.state, name, &a, &err), 0);
	int is = wh_key_choice(wh_alert_status_words, text(a, "status"));
	json_decref(a);
	assert_true(is >= 0);
	return (enum wh_alert_status)is;
}

static void a_resolved_alert_opens_again_when_its_traffic_comes_back_and_not_before(void **state)
{
	(void)state;
	struct world w;
	struct wh_error err;
	open_world(&w, 31);
	scene_session(&w.s, "198.51.100.7", 22, 32, 3, 2, 5);
	update(&w);
	const char *name = only_name(&w);
	assert_int_equal(wh_alert_set(w.s.ledger.state, name, WH_ALERT_RESOLVED, "alice", "ours", &err), 0);
	assert_int_equal(update(&w).reopened, 0);
	assert_int_equal(status(&w, name), WH_ALERT_RESOLVED);
	scene_session(&w.s, "198.51.100.7", 22, 33, 3, 2, 5);
	assert_int_equal(update(&w).reopened, 1);
	assert_int_equal(status(&w, name), WH_ALERT_ACTIVE);
	assert_string_equal(only_name(&w), name);
	scene_close(&w.s);
}

static int count_line(void *arg, int64_t seq, int64_t time_us, const char *who, const char *what, const char *json)
{
	(void)seq, (void)time_us, (void)what;
	*(unsigned *)arg += !strcmp(who, "alice") && strstr(json, "\"Dismissed\"") != NULL;
	return 0;
}

static void a_dismissed_alert_stays_dismissed(void **state)
{
	(void)state;
	struct world w;
	struct wh_error err;
	open_world(&w, 31);
	scene_session(&w.s, "198.51.100.7", 22, 32, 3, 2, 5);
	update(&w);
	const char *name = only_name(&w);
	assert_int_equal(wh_alert_set(w.s.ledger.state, name, WH_ALERT_DISMISSED, "alice", NULL, &err), 0);
	scene_session(&w.s, "198.51.100.7", 22, 33, 3, 2, 5);
	assert_int_equal(update(&w).followed, 0);
	assert_int_equal(status(&w, name), WH_ALERT_DISMISSED);
	unsigned lines = 0;
	assert_int_equal(wh_state_log_each(w.s.ledger.state, "alert", count_line, &lines, &err), 0);
	assert_int_equal(lines, 1);
	assert_int_equal(wh_alert_set(w.s.ledger.state, name, WH_ALERT_IN_PROGRESS, "alice", NULL, &err), -EINVAL);
	assert_int_equal(wh_alert_set(w.s.ledger.state, name, WH_ALERT_ACTIVE, "alice", NULL, &err), 0);
	assert_int_equal(wh_alert_set(w.s.ledger.state, name, WH_ALERT_ACTIVE, "alice", NULL, &err), -EALREADY);
	assert_int_equal(wh_alert_set(w.s.ledger.state, "nobody", WH_ALERT_ACTIVE, "alice", NULL, &err), -ENOENT);
	scene_close(&w.s);
}

static void a_rule_suppresses_what_it_names_until_it_expires(void **state)
{
	(void)state;
	struct world w;
	struct wh_error err = {0};
	struct wh_prefix scanner = scene_prefix("198.51.100.0/28");
	size_t would, of;
	open_world(&w, 31);
	struct wh_alert_rule r = {.name = "scanner",
	                          .type = UNRECOMMENDED,
	                          .reason = "our own scanner",
	                          .sources = &scanner,
	                          .expires_us = w.now_us + 2 * WH_US_PER_DAY};
	scene_session(&w.s, "198.51.100.7", 22, 32, 3, 2, 5);
	update(&w);
	assert_int_equal(wh_alert_rule_simulate(w.s.ledger.state, &r, &w.types, &would, &of, &err), 0);
	assert_int_equal(would, 1);
	assert_int_equal(of, 1);
	assert_int_equal(wh_alert_rule_put(w.s.ledger.state, &r, &w.types, "alice", &err), 0);
	assert_int_equal(status(&w, only_name(&w)), WH_ALERT_ACTIVE); /* earlier content stays */
	struct world later;
	open_world(&later, 31);
	r.expires_us = later.now_us + WH_US_PER_DAY;
	assert_int_equal(wh_alert_rule_put(later.s.ledger.state, &r, &later.types, "alice", &err), 0);
	scene_session(&later.s, "198.51.100.7", 22, 32, 3, 2, 5);
	struct wh_alert_counts n = update(&later);
	assert_int_equal(n.made, 1);
	assert_int_equal(n.suppressed, 1);
	assert_int_equal(status(&later, only_name(&later)), WH_ALERT_DISMISSED);
	scene_close(&later.s);
	open_world(&later, 31);
	assert_int_equal(wh_alert_rule_put(later.s.ledger.state, &r, &later.types, "alice", &err), 0);
	scene_session(&later.s, "198.51.100.7", 22, 32, 3, 2, 5);
	later.now_us = r.expires_us;
	assert_int_equal(update(&later).suppressed, 0);
	scene_close(&later.s);
	scene_close(&w.s);
}

static void a_rule_that_would_hide_everything_or_nothing_known_is_refused(void **state)
{
	(void)state;
	struct world w;
	struct wh_error err;
	open_world(&w, 31);
	struct wh_state *s = w.s.ledger.state;
	assert_int_equal(wh_alert_rule_put(s, &(struct wh_alert_rule){.name = "all", .type = "*", .reason = "quiet"}, &w.types,
	                                   "alice", &err),
	                 -EINVAL);
	assert_int_equal(wh_alert_rule_put(s, &(struct wh_alert_rule){.name = "typo", .type = "SSH_In", .reason = "quiet"},
	                                   &w.types, "alice", &err),
	                 -EINVAL);
	assert_int_equal(wh_alert_rule_put(s, &(struct wh_alert_rule){.name = "-x", .type = "*", .port = 22, .reason = "quiet"},
	                                   &w.types, "alice", &err),
	                 -EINVAL);
	assert_int_equal(wh_alert_rule_put(s, &(struct wh_alert_rule){.name = "mute", .type = "*", .port = 22, .reason = ""},
	                                   &w.types, "alice", &err),
	                 -EINVAL);
	assert_int_equal(wh_alert_rule_delete(s, "mute", "alice", &err), -ENOENT);
	scene_close(&w.s);
}

/* Nothing of a name from outside ends a line, a value or the header. */
static void a_line_for_another_program_holds_no_text_that_ends_it(void **state)
{
	(void)state;
	bool inexact;
	static const char doc[] =
		"{\"name\":\"n\",\"properties\":{\"severity\":\"High\",\"compromisedEntity\":\"vm 1\\n\",\"endTimeUtc\":\"2026-10-01T00:00:00Z\","
		"\"alertType\":\"PortScanning\",\"alertDisplayName\":\"t\",\"intent\":\"a\\\"b]c\\\\\",\"status\":\"Active\",\"description\":\"one\\ntwo\"},"
		"\"whittle\":{\"port\":22,\"protocol\":\"TCP\",\"sources\":[{\"address\":\"198.51.100.7\"}]}}";
	json_t *a = wh_json_load(doc, sizeof doc - 1, 0, &inexact, NULL);
	assert_non_null(a);
	char *line = wh_alert_line(a, 1);
	assert_string_equal(
		line,
		"<106>1 2026-10-01T00:00:00Z vm1 whittle - PortScanning [alert@32473 name=\"n\" severity=\"High\" intent=\"a\\\"b\\]c\\\\\" "
		"status=\"Active\" port=\"22\" src=\"198.51.100.7\"] \xef\xbb\xbf"
		"one two");
	free(line);
	line = wh_alert_line(a, 0);
	assert_null(strchr(line, '\n'));
	json_t *e = wh_json_load(line, strlen(line), 0, &inexact, NULL);
	assert_string_equal(json_string_value(json_object_get(e, "event_type")), "alert");
	assert_string_equal(json_string_value(json_object_get(e, "src_ip")), "198.51.100.7");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(e, "alert"), "severity")), 1);
	json_decref(e);
	free(line);
	json_decref(a);
}

/* The ledger's owner may write any document into it. */
static void a_document_that_is_no_alert_is_passed_over(void **state)
{
	(void)state;
	static const char *const crafted[] = {
		"[]", "{\"name\":1}", "{\"name\":\"x\",\"properties\":{\"startTimeUtc\":\"x\"}}", "{",
		"{\"name\":\"x\",\"properties\":{\"startTimeUtc\":\"x\",\"status\":7},\"whittle\":{\"sources\":[1,{}],\"timeline\":[]}}"};
	struct world w;
	struct wh_error err;
	open_world(&w, 31);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(wh_state_put(w.s.ledger.state, "alert", UNRECOMMENDED "|vm1|Inbound|6|22|", crafted[i], &err),
		                 0);
		assert_int_equal(wh_state_put(w.s.ledger.state, "alert-rule", "r", crafted[i], &err), 0);
		scene_session(&w.s, "198.51.100.7", 22, 32, (int)i, 2, 5);
		update(&w);
		json_t *list = alerts(&w);
		json_decref(list);
	}
	scene_close(&w.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test(name)
		TEST(a_month_of_partners_raises_nothing),
		TEST(a_peer_outside_the_rule_is_one_alert_with_the_rule_and_the_source),
		TEST(a_name_in_a_step_to_take_is_one_word_for_the_shell),
		TEST(a_partner_inside_the_rule_is_no_alert),
		TEST(unanswered_connections_are_counted_from_the_second_look_on),
		TEST(a_password_guesser_is_an_alert_and_a_monitor_inside_the_rule_is_none),
		TEST(many_strangers_on_one_day_are_one_alert),
		TEST(traffic_of_every_day_is_no_alert),
		TEST(no_day_of_a_ledger_of_two_weeks_is_unusual),
		TEST(a_peer_on_a_threat_list_is_an_alert_that_names_the_list),
		TEST(a_ledger_without_flows_for_a_day_is_a_blind_sensor),
		TEST(a_resolved_alert_opens_again_when_its_traffic_comes_back_and_not_before),
		TEST(a_dismissed_alert_stays_dismissed),
		TEST(a_rule_suppresses_what_it_names_until_it_expires),
		TEST(a_rule_that_would_hide_everything_or_nothing_known_is_refused),
		TEST(a_line_for_another_program_holds_no_text_that_ends_it),
		TEST(a_document_that_is_no_alert_is_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
