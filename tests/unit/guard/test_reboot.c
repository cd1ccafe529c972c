/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the restoring unit runs at boot, from directories laid out as systemd's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "whittle/persist.h"

static char root[] = "/tmp/whittle-reboot-XXXXXX";

static void sh(const char *fmt, ...)
{
	char what[1024], command[1200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	snprintf(command, sizeof command, "cd %s && { %s; }", root, what);
	assert_int_equal(system(command), 0);
}

/* A fresh root with the unit's file, which looks below /var/lib/whittle-state. */
static void fresh(void)
{
	sh("rm -rf etc usr run; mkdir -p etc/systemd/system/multi-user.target.wants usr/lib/systemd/system run/systemd/system");
	sh("printf '[Unit]\\nConditionPathExistsGlob=|/var/lib/whittle-state/var-lib-whittle/enforced.rules\\nConditionPathExistsGlob=|/var/lib/whittle-state/var-lib-whittle/jit.closed\\n' "
	   ">usr/lib/systemd/system/whittle-enforce.service");
}

static void enable(void)
{
	sh("ln -s /usr/lib/systemd/system/whittle-enforce.service etc/systemd/system/multi-user.target.wants/");
}

static void says(bool survives, const char *dir, const char *words)
{
	const char *why;
	assert_int_equal(wh_persist_survives_reboot(root, dir, &why), survives);
	if (survives)
		assert_null(why);
	else if (!strstr(why, words))
		fail_msg("'%s' lacks '%s'", why, words);
}

static void rules_survive_where_a_target_wants_the_unit(void **state)
{
	(void)state;
	fresh();
	says(false, "/var/lib/whittle-state/var-lib-whittle", "not enabled");
	enable();
	says(true, "/var/lib/whittle-state/var-lib-whittle", NULL);
	sh("rm etc/systemd/system/multi-user.target.wants/*; mkdir etc/systemd/system/nftables.service.wants; "
	   "ln -s x etc/systemd/system/nftables.service.wants/whittle-enforce.service");
	says(false, "/var/lib/whittle-state/var-lib-whittle", "not enabled"); /* only another service wants it */
}

static void a_masked_or_missing_unit_restores_nothing(void **state)
{
	(void)state;
	fresh();
	enable();
	sh("ln -s /dev/null run/systemd/system/whittle-enforce.service");
	says(false, "/var/lib/whittle-state/var-lib-whittle", "masked");
	fresh();
	enable();
	sh("rm usr/lib/systemd/system/whittle-enforce.service");
	says(false, "/var/lib/whittle-state/var-lib-whittle", "missing");
}

static void a_unit_for_another_ledger_does_not_restore_this_one(void **state)
{
	(void)state;
	fresh();
	enable();
	says(false, "/srv/whittle", "another ledger");
	sh("mkdir etc/systemd/system/whittle-enforce.service.d; printf '[Unit]\\nConditionPathExistsGlob=\\nConditionPathExists=/srv/whittle/enforced.rules\\n' "
	   ">etc/systemd/system/whittle-enforce.service.d/store.conf");
	says(true, "/srv/whittle", NULL);
	says(false, "/var/lib/whittle-state/var-lib-whittle", "another ledger");
}

static void a_unit_whose_user_is_not_there_restores_nothing(void **state)
{
	(void)state;
	fresh();
	enable();
	sh("printf '[Service]\\nUser=whittle\\n' >>usr/lib/systemd/system/whittle-enforce.service; printf 'root:x:0:0::/:/bin/sh\\n' >etc/passwd");
	says(false, "/var/lib/whittle-state/var-lib-whittle", "systemd-sysusers");
	sh("printf 'whittle:x:988:988::/:/bin/false\\n' >>etc/passwd");
	says(true, "/var/lib/whittle-state/var-lib-whittle", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_survive_where_a_target_wants_the_unit),
		cmocka_unit_test(a_masked_or_missing_unit_restores_nothing),
		cmocka_unit_test(a_unit_whose_user_is_not_there_restores_nothing),
		cmocka_unit_test(a_unit_for_another_ledger_does_not_restore_this_one),
	};
	if (!mkdtemp(root))
		return 1;
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	char command[64];
	snprintf(command, sizeof command, "rm -rf %s", root);
	return system(command) ? 1 : rc;
}
