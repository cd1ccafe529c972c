/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/bytes.h"
#include "config/tables.h"

static char dir[] = "/tmp/wh-config-XXXXXX", path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof path, "%s/whittle.yaml", dir);
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static int load(const char *text, struct wh_config **c, struct wh_error *err)
{
	FILE *f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
	return wh_config_load(path, c, err);
}

static void refused(const char *text, const char *sentence)
{
	struct wh_config *c;
	struct wh_error err;
	assert_true(load(text, &c, &err) < 0);
	assert_null(c);
	assert_true(err.input);
	assert_int_equal(strncmp(err.text, path, strlen(path)), 0);
	if (strcmp(err.text + strlen(path), sentence))
		fail_msg("'%s' is not '%s'", err.text + strlen(path), sentence);
}

static void every_key_is_read(void **state)
{
	(void)state;
	struct wh_config *c;
	struct wh_error err;
	char want[96];
	if (load("store: led.db\ndiscover: [10.0.0.0/8, 'fd00::/8']\nports: [22, 443/tcp]\nrules-dir: /r\nmemory-limit: 128MiB\n"
	         "flush-interval: 5s\nmin-days: 14\nmax-prefixes: 50\nmax-prefixes-nsg: 900\nstable-days: 3\nwindow-days: 40\ntrusted: [192.0.2.0/24, '2001:db8::1']\nthreat-intel: bad.txt\n"
	         "azure: {endpoint: 'https://management.usgovcloudapi.net', token-command: get token, ca-file: ca.pem, wait: 2m}\nnsg-scope: nic\n",
	         &c, &err))
		fail_msg("%s", err.text);
	snprintf(want, sizeof want, "%s/led.db", dir);
	assert_string_equal(c->ledger.store, want);
	assert_string_equal(c->estate.discover, "10.0.0.0/8,fd00::/8");
	assert_string_equal(c->harden.ports, "22,443/tcp");
	assert_string_equal(c->harden.rules_dir, "/r");
	assert_int_equal(c->ledger.memory_limit, 128 << 20);
	assert_int_equal(c->ledger.flush_interval, 5);
	assert_int_equal(c->harden.min_days, 14);
	assert_int_equal(c->harden.max_prefixes, 50);
	assert_int_equal(c->harden.max_prefixes_nsg, 900);
	assert_int_equal(c->harden.stable_days, 3);
	assert_int_equal(c->harden.window_days, 40);
	assert_int_equal(c->harden.n_trusted, 2);
	assert_int_equal(c->harden.trusted[0].len, 120);
	assert_int_equal(c->intel.n_lists, 1);
	snprintf(want, sizeof want, "%s/bad.txt", dir);
	assert_string_equal(c->intel.lists[0].file, want);
	assert_string_equal(c->intel.lists[0].name, "bad.txt");
	assert_string_equal(c->azure.endpoint, "https://management.usgovcloudapi.net");
	assert_string_equal(c->azure.token_command, "get token");
	snprintf(want, sizeof want, "%s/ca.pem", dir);
	assert_string_equal(c->azure.ca_file, want);
	assert_int_equal(c->azure.wait_s, 120);
	assert_int_equal(c->estate.nsg_scope, WH_NSG_NIC);
	wh_config_free(c);
}

static void an_empty_file_is_all_defaults(void **state)
{
	(void)state;
	struct wh_config *c;
	struct wh_error err;
	assert_int_equal(load("# nothing\n", &c, &err), 0);
	assert_null(c->ledger.store);
	assert_int_equal(c->harden.min_days, 0);
	wh_config_free(c);
}

static void a_bad_setting_is_reported_with_its_line(void **state)
{
	(void)state;
	refused("nsg-scope: vm\n", ":1: 'nsg-scope' must be nic, subnet or both, not 'vm'");
	refused("azure: here\n", ":1: 'azure' must be a map");
	refused("azure:\n  wait: long\n", ":2: 'wait' must be a time such as 10s, 5m or 2h, not 'long'");
	refused("store: x\nmin-day: 3\n", ":2: unknown key 'min-day'; did you mean 'min-days'?");
	refused("min-days: many\n", ":1: 'min-days' must be a whole number from 1 to 64, not 'many'");
	refused("trusted:\n  - 192.0.2.0/24\n  - 192.0.2.256\n", ":3: '192.0.2.256' is neither an address nor a prefix");
	refused("trusted: 192.0.2.9/24\n", ":1: '192.0.2.9/24' has host bits set; did you mean '192.0.2.0/24'?");
	refused("reject:\n  - 10.0.0.0/8\n  - everybody\n", ":3: 'everybody' is neither an address nor a prefix");
	refused("reject: 10.0.0.1/8\n", ":1: '10.0.0.1/8' has host bits set; did you mean '10.0.0.0/8'?");
	refused("trusted: {a: b}\n", ":1: 'trusted' must be a list, not a map");
	refused("memory-limit: 3\n", ":1: 'memory-limit' must be a size of at least 1MiB such as 64MiB, not '3'");
	refused("flush-interval: soon\n", ":1: 'flush-interval' must be a time such as 10s, 5m or 2h, not 'soon'");
	refused("ports: {22: tcp}\n", ":1: 'ports' must be a text or a list such as [22, 443/tcp], not a map");
	refused("discover: []\n", ":1: 'discover' must be a text or a list such as [10.0.0.0/8, fd00::/8], not an empty list");
	refused("platform: aws\n", ":1: 'platform' must be auto, azure or other, not 'aws'");
	refused("jit:\n - {resource: vm1, ports: []}\n", ":2: 'ports' must be a list with at least one entry");
	refused("jit:\n - {resource: vm1, ports: 22, longest: 31d}\n", ":2: 'longest' may be at most 30 days");
	refused("jit: {resource: vm1}\n",
	        ":1: 'jit' must be a list of policies: [{resource: …, ports: […], from: […], who: […], longest: 3h}]");
	refused("jit: [vm1]\n", ":1: a policy of 'jit' is a map with resource and ports");
	refused("watch: {hits: 0}\n", ":1: 'hits' must be a whole number from 1 to 1000000, not '0'");
	refused("watch: {alert: x}\n", ":1: unknown key 'alert'; did you mean 'alerts'?");
	refused("threat-intel: {file: x}\n", ":1: 'threat-intel' must be a list, not a map");
	refused("threat-intel: [{name: x}]\n", ":1: a threat list takes either a file or a command");
	refused("store: [a]\n", ":1: 'store' must be a text, not a list");
	refused("- a\n", ":1: a map of keys is wanted here ('store: …')");
}

static void a_named_file_must_exist(void **state)
{
	(void)state;
	struct wh_config *c;
	struct wh_error err;
	assert_true(wh_config_load("/nonexistent/whittle.yaml", &c, &err) < 0);
	assert_true(err.input);
}

static void rules_are_read_from_the_configured_directory(void **state)
{
	(void)state;
	struct wh_error err;
	char buf[256];
	assert_true(wh_rules_path(dir, "none.yaml", buf, sizeof buf, &err) < 0);
	assert_non_null(strstr(err.text, "none.yaml: cannot be read"));
	struct wh_config *other;
	assert_int_equal(load("# a file\n", &other, &err), 0);
	wh_config_free(other);
	assert_int_equal(wh_rules_path(dir, "whittle.yaml", buf, sizeof buf, &err), 0);
	assert_string_equal(buf, path);
}

/* Takes the '#' away before every line that sets something: "#key: value", "#   - key: value # help". */
static char *set_all(char *sample)
{
	for (char *line = sample; line && *line; line = strchr(line, '\n'), line += line != NULL)
		if (*line == '#' && (line[1] != ' ' || !strncmp(line, "#   ", 4)))
			*line = ' ';
	return sample;
}

static void the_sample_is_a_configuration_without_a_setting(void **state)
{
	(void)state;
	struct wh_config *c;
	struct wh_error err;
	char *sample = wh_config_sample();
	assert_non_null(sample);
	if (load(sample, &c, &err))
		fail_msg("%s", err.text);
	assert_null(c->ledger.store);
	assert_int_equal(c->jit.n_policies, 0);
	wh_config_free(c);
	free(sample);
}

static void every_key_of_the_sample_is_read_once_its_mark_is_gone(void **state)
{
	(void)state;
	struct wh_config *c;
	struct wh_error err;
	char *sample = set_all(wh_config_sample()), *both = strstr(sample, "command: curl");
	assert_non_null(both);
	memcpy(both, "#", 1); /* a threat list has a file or a command */
	if (load(sample, &c, &err))
		fail_msg("%s", err.text);
	assert_string_equal(c->ledger.store, WH_DEFAULT_STORE);
	assert_int_equal(c->harden.n_trusted, 2);
	assert_int_equal(c->jit.n_policies, 1);
	assert_int_equal(c->jit.policies[0].n_ports, 2);
	assert_int_equal(c->intel.n_lists, 1);
	assert_int_equal(c->watch.hits, 3);
	assert_int_equal(c->azure.wait_s, 300);
	wh_config_free(c);
	free(sample);
}

static struct wh_config *empty(void)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_config *c = wh_arena_alloc(mem, sizeof *c);
	c->mem = mem;
	return c;
}

static void values_come_back_from_another_process_as_they_were_read(void **state)
{
	(void)state;
	struct wh_config *c, *back = empty();
	struct wh_error err;
	struct wh_bytes sent = {0}, again = {0};
	char *sample = set_all(wh_config_sample()), *both = strstr(sample, "command: curl");
	memcpy(both, "#", 1);
	assert_int_equal(load(sample, &c, &err), 0);
	wh_config_put(&sent, c);
	struct wh_taking t = {.p = sent.p, .n = sent.n};
	assert_int_equal(wh_config_take(&t, back), 0);
	assert_string_equal(back->azure.token_command, c->azure.token_command);
	assert_int_equal(back->jit.policies[0].ports[1].port, 3389);
	assert_int_equal(back->jit.policies[0].n_who, 1);
	assert_string_equal(back->intel.lists[0].name, c->intel.lists[0].name);
	wh_config_put(&again, back);
	assert_int_equal(again.n, sent.n);
	assert_memory_equal(again.p, sent.p, sent.n);
	for (size_t n = 0; n < sent.n; n++) { /* cut anywhere it is none */
		struct wh_config *cut = empty();
		assert_int_equal(wh_config_take(&(struct wh_taking){.p = sent.p, .n = n}, cut), -EBADMSG);
		wh_config_free(cut);
	}
	free(sent.p);
	free(again.p);
	free(sample);
	wh_config_free(c);
	wh_config_free(back);
}

static bool believed(struct wh_config *c)
{
	struct wh_config *back = empty();
	struct wh_bytes b = {0};
	wh_config_put(&b, c);
	int rc = wh_config_take(&(struct wh_taking){.p = b.p, .n = b.n}, back);
	free(b.p);
	wh_config_free(back);
	return !rc;
}

static void a_value_that_no_file_could_have_is_not_believed(void **state)
{
	(void)state;
	struct wh_jit_port port = {WH_PROTO_TCP, 22};
	struct wh_jit_policy policy = {.resource = "vm1", .ports = &port, .n_ports = 1, .longest_s = 3600};
	struct wh_prefix trusted = wh_prefix_all_v4;
	struct wh_config *c = empty();
	c->jit.policies = &policy;
	c->jit.n_policies = c->harden.n_trusted = 1;
	c->harden.trusted = &trusted;
	c->harden.min_days = 64;
	assert_true(believed(c));
	policy.longest_s = 31 * 86400;
	assert_false(believed(c));
	policy.longest_s = 3600;
	port.proto = 1;
	assert_false(believed(c));
	port = (struct wh_jit_port){WH_PROTO_UDP, 0};
	assert_false(believed(c));
	port.port = 53;
	trusted.len = 129;
	assert_false(believed(c));
	trusted = (struct wh_prefix){.addr = wh_addr_v4(0x0a000001), .len = 104};
	assert_false(believed(c));
	trusted = wh_prefix_all_v4;
	c->harden.min_days = 65;
	assert_false(believed(c));
	c->harden.min_days = 64;
	c->estate.platform = (enum wh_platform)3;
	assert_false(believed(c));
	c->estate.platform = WH_PLATFORM_AZURE;
	assert_true(believed(c));
	wh_config_free(c);
}

static void a_privileged_process_lets_another_one_read_it(void **state)
{
	(void)state;
	struct wh_config *c, *apart;
	struct wh_error err;
	struct wh_bytes a = {0}, b = {0};
	assert_int_equal(load("min-days: 14\ntrusted: [192.0.2.0/24]\nwatch: {hits: 9}\n", &c, &err), 0);
	assert_int_equal(wh_config_load_apart(path, &apart, &err), 0);
	wh_config_put(&a, c);
	wh_config_put(&b, apart);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.p, b.p, a.n);
	wh_config_free(apart);
	wh_config_free(c);
	free(a.p);
	free(b.p);
	assert_true(load("min-days: 14\nmin-day: 3\n", &c, &err) < 0);
	struct wh_error other;
	assert_true(wh_config_load_apart(path, &apart, &other) < 0);
	assert_string_equal(err.text, other.text);
	assert_int_equal(err.code, other.code);
	assert_true(other.input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(an_empty_file_is_all_defaults),
		cmocka_unit_test(a_bad_setting_is_reported_with_its_line),
		cmocka_unit_test(the_sample_is_a_configuration_without_a_setting),
		cmocka_unit_test(every_key_of_the_sample_is_read_once_its_mark_is_gone),
		cmocka_unit_test(values_come_back_from_another_process_as_they_were_read),
		cmocka_unit_test(a_value_that_no_file_could_have_is_not_believed),
		cmocka_unit_test(a_privileged_process_lets_another_one_read_it),
		cmocka_unit_test(a_named_file_must_exist),
		cmocka_unit_test(rules_are_read_from_the_configured_directory),
	};
	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
