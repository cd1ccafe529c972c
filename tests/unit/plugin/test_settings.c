/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../../plugin/settings.h"

static char yaml[64];

static void write_yaml(const char *text)
{
	strcpy(yaml, "/tmp/whittle-settings-XXXXXX");
	int fd = mkstemp(yaml);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int clean(void **state)
{
	(void)state;
	if (*yaml)
		unlink(yaml);
	*yaml = 0;
	unsetenv("WHITTLE_STORE");
	return 0;
}

/* Sets one setting and completes; whichever fails must say `sentence`. */
static void refused(const char *name, const char *value, const char *sentence)
{
	struct wh_settings s = {0};
	struct wh_error err = {0};
	int rc = wh_settings_set(&s, "config", "/dev/null", &err);
	if (!rc)
		rc = wh_settings_set(&s, name, value, &err);
	if (!rc)
		rc = wh_settings_complete(&s, &err);
	assert_int_not_equal(rc, 0);
	assert_true(err.input);
	if (!strstr(err.text, sentence))
		fail_msg("'%s' does not say '%s'", err.text, sentence);
	wh_settings_clear(&s);
}

static void a_bad_setting_is_refused_with_the_right_one(void **state)
{
	(void)state;
	refused("memroy", "64MiB", "unknown setting 'memroy'; did you mean 'memory'?");
	refused("memory", "lots", "'memory' must be a size of at least 4MiB such as 64MiB, not 'lots'");
	refused("memory", "1MiB", "at least 4MiB");
	refused("flush-interval", "soon", "'flush-interval' must be a time from 1s to 1d such as 10s, not 'soon'");
	refused("flush-interval", "0", "from 1s");
	refused("flush-interval", "-3", "from 1s");
	refused("store", "ledger.db", "'store' must be an absolute path, not 'ledger.db'");
	refused("store", "mysql://x/y", "mysql://x/y");
	refused("store", NULL, "'store' must be one text");
	refused("config", "whittle.yaml", "'config' must be an absolute path");
	refused("config", "/nonexistent/whittle.yaml", "/nonexistent/whittle.yaml");
	refused("discover", "10.0.0.0/33", "'discover' must be off, or prefixes such as 10.0.0.0/8,fd00::/8, not '10.0.0.0/33'");
}

static void a_mistake_in_whittle_yaml_names_file_and_line(void **state)
{
	struct wh_settings s = {0};
	struct wh_error err = {0};
	char want[128];
	(void)state;
	write_yaml("store: /x/y.db\nflush-intervall: 3\n");
	assert_int_equal(wh_settings_set(&s, "config", yaml, &err), 0);
	assert_int_not_equal(wh_settings_complete(&s, &err), 0);
	snprintf(want, sizeof want, "%s:2: unknown key 'flush-intervall'", yaml);
	assert_non_null(strstr(err.text, want));
	wh_settings_clear(&s);
}

static void the_section_precedes_whittle_yaml_and_whittle_yaml_precedes_the_defaults(void **state)
{
	struct wh_settings s = {0};
	struct wh_error err = {0};
	(void)state;
	write_yaml("store: /from/yaml.db\nflush-interval: 3\ndiscover: 'off'\n");
	assert_int_equal(wh_settings_set(&s, "config", yaml, &err), 0);
	assert_int_equal(wh_settings_set(&s, "store", "/from/section.db", &err), 0);
	assert_int_equal(wh_settings_complete(&s, &err), 0);
	assert_string_equal(s.store, "/from/section.db");
	assert_int_equal(s.flush_interval, 3);
	assert_string_equal(s.discover, "off");
	assert_int_equal(s.memory, 64 << 20);
	wh_settings_clear(&s);

	assert_int_equal(wh_settings_set(&s, "config", yaml, &err), 0);
	assert_int_equal(wh_settings_complete(&s, &err), 0);
	assert_string_equal(s.store, "/from/yaml.db");
	wh_settings_clear(&s);

	setenv("WHITTLE_STORE", "/from/environment.db", 1);
	assert_int_equal(wh_settings_set(&s, "config", "/dev/null", &err), 0);
	assert_int_equal(wh_settings_complete(&s, &err), 0);
	assert_string_equal(s.store, "/from/environment.db");
	assert_int_equal(s.flush_interval, 10);
	wh_settings_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_bad_setting_is_refused_with_the_right_one, clean),
		cmocka_unit_test_teardown(a_mistake_in_whittle_yaml_names_file_and_line, clean),
		cmocka_unit_test_teardown(the_section_precedes_whittle_yaml_and_whittle_yaml_precedes_the_defaults, clean),
	};
	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
