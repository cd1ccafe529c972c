/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy of just-in-time access: read from whittle.yaml, and asked. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "jit/grants.h"
#include "whittle/config.h"

static struct wh_config *config(const char *text, struct wh_error *err)
{
	char path[] = "/tmp/wh-jit-XXXXXX";
	struct wh_config *c = NULL;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	wh_config_load(path, &c, err);
	unlink(path);
	return c;
}

static const char policy[] =
	"jit:\n  - {resource: vm1, ports: [22, 53/udp], from: [203.0.113.0/24, \"2001:db8::/64\"], who: [ada], longest: 3h}\n  - {resource: vm2, ports: 3389}\n";

static struct wh_jit_grant grant(const char *resource, uint16_t port, uint8_t proto, const char *from, const char *who,
                                 int64_t hours)
{
	struct wh_jit_grant g = {.resource = resource,
	                         .port = port,
	                         .proto = proto,
	                         .who = who,
	                         .opened_us = 1000,
	                         .expires_us = 1000 + hours * INT64_C(3600000000)};
	assert_int_equal(wh_prefix_parse(from, strlen(from), &g.from, NULL), 0);
	return g;
}

static void refused(const struct wh_config *c, struct wh_jit_grant g, const char *word)
{
	struct wh_error err = {0};
	char want[64];
	int rc = wh_jit_allowed(&c->jit, &g, &err);
	if (!word) {
		if (rc)
			fail_msg("%s", err.text);
		return;
	}
	snprintf(want, sizeof want, "refused (%s): ", word);
	assert_int_equal(rc, -EPERM);
	if (strncmp(err.text, want, strlen(want)) != 0)
		fail_msg("%s", err.text);
}

static void a_refusal_names_the_missing_part_of_the_policy(void **state)
{
	(void)state;
	struct wh_error err = {.text = ""};
	struct wh_config *c = config(policy, &err);
	if (!c)
		fail_msg("%s", err.text);
	refused(c, grant("vm1", 22, 6, "203.0.113.7", "ada", 3), NULL);
	refused(c, grant("vm1", 53, 17, "2001:db8::7", "ada", 1), NULL);
	refused(c, grant("vm3", 22, 6, "203.0.113.7", "ada", 1), "resource");
	refused(c, grant("vm1", 53, 6, "203.0.113.7", "ada", 1), "port");
	refused(c, grant("vm1", 22, 17, "203.0.113.7", "ada", 1), "port");
	refused(c, grant("vm1", 22, 6, "203.0.114.7", "ada", 1), "source");
	refused(c, grant("vm1", 22, 6, "203.0.112.0/23", "ada", 1), "source");
	refused(c, grant("vm1", 22, 6, "0.0.0.0/0", "ada", 1), "source");
	refused(c, grant("vm1", 22, 6, "::/0", "ada", 1), "source");
	refused(c, grant("vm1", 22, 6, "203.0.113.7", "bob", 1), "user");
	refused(c, grant("vm1", 22, 6, "203.0.113.7", "root", 1), "user");
	refused(c, grant("vm1", 22, 6, "203.0.113.7", "ada", 4), "time");
	wh_config_free(c);
}

static void by_default_only_root_may_open_and_for_three_hours_at_most(void **state)
{
	(void)state;
	struct wh_error err = {.text = ""};
	struct wh_config *c = config(policy, &err);
	assert_non_null(c);
	refused(c, grant("vm2", 3389, 6, "198.51.100.1", "root", 3), NULL);
	refused(c, grant("vm2", 3389, 6, "198.51.100.1", "ada", 3), "user");
	refused(c, grant("vm2", 3389, 6, "198.51.100.1", "root", 4), "time");
	wh_config_free(c);
}

static void a_wrong_policy_is_reported_with_its_line(void **state)
{
	(void)state;
	static const struct { const char *text, *says; } bad[] = {
		{"jit: {resource: vm1}\n", "must be a list"},
		{"jit:\n  - vm1\n", "is a map"},
		{"jit:\n  - {resource: vm1}\n", ":2: a policy of 'jit' needs a resource and its ports"},
		{"jit:\n  - {ports: [22]}\n", ":2: a policy of 'jit' needs a resource"},
		{"jit:\n  - {resource: vm1, ports: []}\n", "at least one"},
		{"jit:\n  - {resource: vm1, ports: [0]}\n", "not a port"},
		{"jit:\n  - {resource: vm1, ports: [65536]}\n", "not a port"},
		{"jit:\n  - {resource: vm1, ports: [22/icmp]}\n", "not a port"},
		{"jit:\n  - {resource: vm1, ports: [22], from: [10.0.0.1/8]}\n", "host bits"},
		{"jit:\n  - {resource: vm1, ports: [22], from: [here]}\n", "neither an address"},
		{"jit:\n  - {resource: vm1, ports: [22], longest: 31d}\n", "at most 30 days"},
		{"jit:\n  - {resource: vm1, ports: [22], longer: 1h}\n", "did you mean 'longest'"},
		{"jit:\n  - {resource: vm1, ports: [22]}\n  - {resource: vm1, ports: [23]}\n", ":3: there are two"},
		{"watch: yes\n", "must be a map"},
		{"watch: {hits: 0}\n", "hits"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct wh_error err = {.text = ""};
		struct wh_config *c = config(bad[i].text, &err);
		if (c || !strstr(err.text, bad[i].says))
			fail_msg("%s: %s", bad[i].text, c ? "was taken" : err.text);
	}
}

static size_t rules_written(const struct wh_config *c, const struct wh_estate *e, const struct wh_nsg *nsg)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_error err = {.text = ""};
	json_t *group = NULL;
	char *notes = NULL;
	if (wh_jit_nsg(&(struct wh_jit_openings){.config = &c->jit, .estate = e, .now_us = 1000}, nsg, mem, &group, &notes, &err))
		fail_msg("%s", err.text);
	size_t n = json_array_size(wh_nsg_rules(group));
	free(notes);
	json_decref(group);
	wh_arena_free(mem);
	return n;
}

/* Two resource groups may each have a group "web"; another reading of one of them has its id. */
static void a_port_is_closed_in_the_groups_that_guard_its_resource_and_in_no_other_of_their_name(void **state)
{
	(void)state;
	static const char text[] = "[{\"name\":\"web\",\"securityRules\":[]},{\"name\":\"web\",\"securityRules\":[]},"
	                           "{\"name\":\"web\",\"id\":\"/subscriptions/S/web\",\"securityRules\":[]}]";
	static const char reread[] = "{\"name\":\"web\",\"id\":\"/subscriptions/s/WEB\",\"securityRules\":[]}";
	struct wh_arena *mem = wh_arena_new();
	struct wh_error err = {.text = ""};
	struct wh_nsg *nsgs, *again;
	size_t n, m;
	struct wh_config *c = config("jit:\n  - {resource: vm1, ports: 22}\n", &err);
	assert_non_null(c);
	assert_int_equal(wh_nsg_parse("all.json", text, strlen(text), mem, &nsgs, &n, &err), 0);
	assert_int_equal(wh_nsg_parse("web", reread, strlen(reread), mem, &again, &m, &err), 0);
	struct wh_addr own = wh_addr_v4(0x0a000004);
	const struct wh_nsg *its[] = {&nsgs[0], &nsgs[2]};
	struct wh_resource res = {.name = "vm1", .addrs = &own, .n_addrs = 1, .nsgs = its, .n_nsgs = 2};
	struct wh_estate e = {.resources = &res, .n_resources = 1, .nsgs = nsgs, .n_nsgs = n};
	assert_int_equal(rules_written(c, &e, &nsgs[0]), 1);
	assert_int_equal(rules_written(c, &e, &nsgs[1]), 0);
	assert_int_equal(rules_written(c, &e, &nsgs[2]), 1);
	assert_int_equal(rules_written(c, &e, &again[0]), 1);
	wh_nsgs_free(nsgs, n);
	wh_nsgs_free(again, m);
	wh_config_free(c);
	wh_arena_free(mem);
}

/* whittle.yaml's policy of a resource wins; a line that cannot be read makes the file fail. */
static void kept_policies_are_added_to_those_of_the_configuration(void **state)
{
	(void)state;
	char dir[] = "/tmp/wh-kept-XXXXXX", path[64];
	struct wh_error err = {.text = ""};
	struct wh_config *c = config(policy, &err);
	struct wh_jit_policy p;
	struct wh_jit_policy_text t = {
		.resource = "vm3", .ports = "22,53/udp", .from = "203.0.113.0/24,2001:db8::/64", .who = "*", .longest_s = 3600};
	assert_non_null(mkdtemp(dir));
	assert_int_equal(wh_jit_kept_load(dir, c->mem, &c->jit, &err), 0);
	assert_int_equal(c->jit.n_policies, 2);
	assert_int_equal(wh_jit_policy_read(&t, c->mem, &p, &err), 0);
	assert_int_equal(wh_jit_kept_set(dir, &p, &err), 0);
	t = (struct wh_jit_policy_text){.resource = "vm1", .ports = "1", .longest_s = 60};
	assert_int_equal(wh_jit_policy_read(&t, c->mem, &p, &err), 0);
	assert_int_equal(wh_jit_kept_set(dir, &p, &err), 0);
	assert_int_equal(wh_jit_kept_load(dir, c->mem, &c->jit, &err), 0);
	assert_int_equal(c->jit.n_policies, 3);
	refused(c, grant("vm3", 53, 17, "2001:db8::7", "anybody", 1), NULL);
	refused(c, grant("vm3", 22, 6, "203.0.113.7", "anybody", 2), "time");
	refused(c, grant("vm1", 1, 6, "203.0.113.7", "root", 1), "port");
	assert_int_equal(wh_jit_kept_delete(dir, "vm1", &err), 0);
	assert_int_equal(wh_jit_kept_delete(dir, "vm1", &err), -ENOENT);
	snprintf(path, sizeof path, "%s/jit-policies", dir);
	FILE *f = fopen(path, "a");
	fputs("1\tvm4\t22/tcp\t-\t-\n", f);
	fclose(f);
	assert_int_equal(wh_jit_kept_load(dir, c->mem, &c->jit, &err), -EBADMSG);
	unlink(path);
	char other[64];
	snprintf(other, sizeof other, "%s/other", dir);
	fclose(fopen(other, "w"));
	assert_int_equal(symlink(other, path), 0); /* a link is none of ours */
	assert_int_equal(wh_jit_kept_load(dir, c->mem, &c->jit, &err), -ELOOP);
	unlink(other);
	unlink(path);
	rmdir(dir);
	wh_config_free(c);
}

static void arguments_that_make_no_policy_are_refused(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_jit_policy p;
	struct wh_error err;
	const struct wh_jit_policy_text wrong[] = {
		{.resource = "", .ports = "22", .longest_s = 60},
		{.resource = "a\tb", .ports = "22", .longest_s = 60},
		{.resource = "a", .ports = "", .longest_s = 60},
		{.resource = "a", .ports = "22,", .longest_s = 60},
		{.resource = "a", .ports = "0", .longest_s = 60},
		{.resource = "a", .ports = "22/icmp", .longest_s = 60},
		{.resource = "a", .ports = "65536", .longest_s = 60},
		{.resource = "a", .ports = "22", .longest_s = 59},
		{.resource = "a", .ports = "22", .longest_s = 2592001},
		{.resource = "a", .ports = "22", .from = "x", .longest_s = 60},
		{.resource = "a", .ports = "22", .from = "192.0.2.1/24", .longest_s = 60},
		{.resource = "a", .ports = "22", .who = "a\nb", .longest_s = 60},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(wh_jit_policy_read(&wrong[i], mem, &p, &err), -EINVAL);
	wh_arena_free(mem);
}

/* ---- requests ---- */

static size_t opened, closed;
static int kernel_open(const struct wh_jit_grant *g, int64_t timeout_ms, struct wh_error *err)
{
	(void)g, (void)timeout_ms, (void)err;
	opened++;
	return 0;
}
static int kernel_close(const struct wh_jit_grant *g, struct wh_error *err)
{
	(void)g, (void)err;
	closed++;
	return 0;
}
static int kernel_live(struct wh_arena *mem, struct wh_jit_live *out, struct wh_error *err)
{
	(void)mem, (void)err;
	*out = (struct wh_jit_live){.n_open = 0};
	return 0;
}
static const struct wh_jit_kernel kernel = {.open = kernel_open, .close = kernel_close, .live = kernel_live};

static int count(void *arg, const struct wh_jit_event *e)
{
	char *all = arg;
	snprintf(all + strlen(all), 400 - strlen(all), "%s by %s (%s); ", e->what, e->who, e->why ? e->why : "-");
	return 0;
}

static struct wh_state *state_in(char dir[static 32])
{
	char path[64];
	struct wh_state *s;
	struct wh_error err = {.text = ""};
	strcpy(dir, "/tmp/wh-jit-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/l.db", dir);
	if (wh_state_open(path, WH_STATE_CREATE, &s, &err))
		fail_msg("%s", err.text);
	return s;
}

static void remove_state(struct wh_state *s, const char *dir)
{
	char path[64];
	wh_state_close(s);
	for (const char *const *end = (const char *const[]){"", "-wal", "-shm", NULL}; *end; end++) {
		snprintf(path, sizeof path, "%s/l.db%s", dir, *end);
		unlink(path);
	}
	rmdir(dir);
}

static void a_request_opens_nothing_until_someone_who_may_open_approves_it(void **unused)
{
	(void)unused;
	char dir[32], log[400] = "";
	struct wh_error err = {.text = ""};
	struct wh_config *c = config(policy, &err);
	struct wh_state *s = state_in(dir);
	struct wh_jit_grant g = grant("vm1", 22, 6, "203.0.113.7", "eve", 1), *list, out;
	size_t n;
	opened = closed = 0;
	g.why = "the disk is full";
	assert_int_equal(wh_jit_request(s, &c->jit, &g, &err), 0);
	struct wh_jit_grant too_far = grant("vm1", 22, 6, "198.51.100.7", "eve", 1);
	assert_int_equal(wh_jit_request(s, &c->jit, &too_far, &err), -EPERM);
	assert_int_equal(wh_jit_requests(s, c->mem, &list, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].who, "eve");
	assert_int_equal(list[0].expires_us - list[0].opened_us, INT64_C(3600000000));
	assert_int_equal(opened, 0);
	assert_int_equal(wh_jit_approve(s, &kernel, &c->jit, g.id, "eve", c->mem, &out, &err), -EPERM);
	assert_int_equal(wh_jit_requests(s, c->mem, &list, &n, &err), 0);
	assert_int_equal(n, 1); /* it still waits */
	assert_int_equal(wh_jit_approve(s, &kernel, &c->jit, g.id, "ada", c->mem, &out, &err), 0);
	assert_int_equal(opened, 1);
	assert_string_equal(out.who, "ada");
	assert_string_equal(out.why, "the disk is full; asked for by eve");
	assert_int_equal(wh_jit_approve(s, &kernel, &c->jit, g.id, "ada", c->mem, &out, &err), -ENOENT);
	assert_int_equal(wh_jit_log(s, count, log, &err), 0);
	assert_string_equal(log, "request by eve (the disk is full); open by ada (the disk is full; asked for by eve); ");
	remove_state(s, dir);
	wh_config_free(c);
}

/* A clock that was set back must not lengthen what was opened for a time. */
static void what_was_opened_in_the_future_has_ended(void **unused)
{
	(void)unused;
	enum { DAY_S = 86400 };
	char dir[32];
	struct wh_error err = {.text = ""};
	struct wh_config *c = config(policy, &err);
	struct wh_state *s = state_in(dir);
	struct wh_jit_grant g = grant("vm1", 22, 6, "203.0.113.7", "ada", 1), *list;
	const int64_t now = wh_now_us();
	size_t n;
	g.nsg = true;
	for (int ahead_s = 60; ahead_s <= DAY_S; ahead_s += DAY_S - 60) {
		g.opened_us = now + ahead_s * INT64_C(1000000);
		g.expires_us = g.opened_us + INT64_C(3600000000);
		assert_int_equal(wh_jit_in_time(&g, now), ahead_s == 60);
		assert_int_equal(wh_state_put_json(s, "jit", "7", wh_jit_grant_json(&g), &err), 0);
		assert_int_equal(wh_state_put_json(s, "jit.request", "7", wh_jit_grant_json(&g), &err), 0);
		assert_int_equal(wh_jit_list(s, &kernel, c->mem, &list, &n, &err), 0);
		assert_int_equal(n, ahead_s == 60);
		assert_int_equal(wh_jit_requests(s, c->mem, &list, &n, &err), 0);
		assert_int_equal(n, ahead_s == 60);
	}
	remove_state(s, dir);
	wh_config_free(c);
}

static void a_refused_request_is_gone_and_its_number_is_not_used_again(void **unused)
{
	(void)unused;
	char dir[32];
	struct wh_error err = {.text = ""};
	struct wh_config *c = config(policy, &err);
	struct wh_state *s = state_in(dir);
	struct wh_jit_grant g = grant("vm1", 22, 6, "203.0.113.7", "eve", 1), again = g, *list;
	size_t n;
	assert_int_equal(wh_jit_request(s, &c->jit, &g, &err), 0);
	assert_int_equal(wh_jit_refuse(s, g.id, "ada", "no ticket", &err), 0);
	assert_int_equal(wh_jit_refuse(s, g.id, "ada", NULL, &err), -ENOENT);
	assert_int_equal(wh_jit_request(s, &c->jit, &again, &err), 0);
	assert_string_not_equal(again.id, g.id);
	assert_int_equal(wh_jit_request(s, &c->jit, &again, &err), 0); /* the same once more replaces it */
	assert_int_equal(wh_jit_requests(s, c->mem, &list, &n, &err), 0);
	assert_int_equal(n, 1);
	remove_state(s, dir);
	wh_config_free(c);
}

static void one_person_has_a_few_requests_that_wait(void **unused)
{
	(void)unused;
	char dir[32], from[32];
	struct wh_error err = {.text = ""};
	struct wh_config *c = config(policy, &err);
	struct wh_state *s = state_in(dir);
	for (int i = 1; i <= WH_JIT_REQUESTS + 1; i++) {
		snprintf(from, sizeof from, "203.0.113.%d", i);
		struct wh_jit_grant g = grant("vm1", 22, 6, from, "eve", 1);
		assert_int_equal(wh_jit_request(s, &c->jit, &g, &err), i <= WH_JIT_REQUESTS ? 0 : -EDQUOT);
	}
	assert_non_null(strstr(err.text, "of yours"));
	struct wh_jit_grant other = grant("vm1", 22, 6, "203.0.113.9", "bob", 1);
	assert_int_equal(wh_jit_request(s, &c->jit, &other, &err), 0);
	remove_state(s, dir);
	wh_config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_names_the_missing_part_of_the_policy),
		cmocka_unit_test(by_default_only_root_may_open_and_for_three_hours_at_most),
		cmocka_unit_test(a_wrong_policy_is_reported_with_its_line),
		cmocka_unit_test(kept_policies_are_added_to_those_of_the_configuration),
		cmocka_unit_test(arguments_that_make_no_policy_are_refused),
		cmocka_unit_test(a_request_opens_nothing_until_someone_who_may_open_approves_it),
		cmocka_unit_test(what_was_opened_in_the_future_has_ended),
		cmocka_unit_test(a_refused_request_is_gone_and_its_number_is_not_used_again),
		cmocka_unit_test(one_person_has_a_few_requests_that_wait),
		cmocka_unit_test(a_port_is_closed_in_the_groups_that_guard_its_resource_and_in_no_other_of_their_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
