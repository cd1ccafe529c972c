/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings of programs, out of files below a directory: each grammar, which of several values counts, and hostile bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "app/host_settings.h"

static char root[] = "/tmp/whittle-settings-XXXXXX";

static void put(const char *path, const char *text)
{
	char file[512];
	snprintf(file, sizeof file, "%s%s", root, path);
	for (char *c = file + strlen(root) + 1; (c = strchr(c, '/')); *c++ = '/') {
		*c = 0;
		mkdir(file, 0700);
	}
	FILE *f = fopen(file, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static const char *value(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));
	return s ? s : "none";
}

static void each_grammar_has_the_value_that_counts(void **state)
{
	(void)state;
	put("/etc/ssh/sshd_config.d/10-own.conf", "Ciphers aes256-ctr\n");
	put("/etc/ssh/sshd_config",
	    "# Ciphers none\nInclude /etc/ssh/sshd_config.d/*.conf\n  ciphers 3des-cbc\nMACs=hmac-sha2-256\n"
	    "Match User git\n  PermitEmptyPasswords yes\n");
	put("/etc/samba/smb.conf", "[global]\n\tserver min protocol = NT1\r\n ; ntlm auth = yes\n server min protocol = SMB3\n"
	                           "[share]\n ntlm auth = yes\n");
	put("/etc/systemd/resolved.conf", "[Resolve]\nLLMNR=yes\n");
	put("/etc/systemd/resolved.conf.d/a.conf", "[Resolve]\nLLMNR=no\n");
	put("/etc/ssl/openssl.cnf", "MinProtocol = TLSv1.2\n[old]\nMinProtocol = TLSv1\n");
	json_t *o = wh_host_settings_json(root);
	assert_string_equal(value(o, "sshd"), "read");
	assert_string_equal(value(o, "sshd.ciphers"), "aes256-ctr");
	assert_string_equal(value(o, "sshd.macs"), "hmac-sha2-256");
	assert_string_equal(value(o, "sshd.permitemptypasswords"), "none");
	assert_string_equal(value(o, "samba.server min protocol"), "SMB3");
	assert_string_equal(value(o, "samba.ntlm auth"), "none");
	assert_string_equal(value(o, "resolved.llmnr"), "no");
	assert_string_equal(value(o, "openssl.minprotocol"), "TLSv1.2,TLSv1");
	assert_string_equal(value(o, "kerberos"), "none");
	json_decref(o);
}

static void odd_bytes_and_long_values_are_cut(void **state)
{
	char text[2048], *long_value = text + 1024;
	(void)state;
	memset(long_value, 'a', 900);
	long_value[900] = 0;
	snprintf(text, 1024, "[libdefaults]\npermitted_enctypes = \x1b[31m\xc3\xa4%.200s\n=\n==\nallow_weak_crypto\n[",
	         long_value);
	put("/etc/krb5.conf", text);
	snprintf(text, 1024, "SecRuleEngine %.900s\n", long_value);
	put("/etc/modsecurity/modsecurity.conf", text);
	json_t *o = wh_host_settings_json(root);
	assert_memory_equal(value(o, "kerberos.permitted_enctypes"), "?[31m??aaa", 10);
	assert_int_equal(strlen(value(o, "modsecurity.secruleengine")), 255);
	assert_string_equal(value(o, "kerberos.allow_weak_crypto"), "none");
	json_decref(o);
}

static void programs_are_those_of_the_own_user(void **state)
{
	(void)state;
	put("/proc/7/comm", "auditd\n");
	put("/proc/8/comm", "bash\n");
	put("/proc/9/comm", "ossec-syscheckd"); /* the kernel keeps 15 bytes */
	put("/proc/x/comm", "falco\n");
	json_t *o = wh_host_programs(root);
	char *text = json_dumps(o, JSON_COMPACT);
	assert_string_equal(text, "[\"auditd\",\"ossec-syscheckd\"]");
	free(text);
	json_decref(o);
}

static int begin(void **state)
{
	(void)state;
	return !mkdtemp(root);
}

static int end(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -r %s", root);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_grammar_has_the_value_that_counts),
		cmocka_unit_test(odd_bytes_and_long_values_are_cut),
		cmocka_unit_test(programs_are_those_of_the_own_user),
	};
	return cmocka_run_group_tests_name("host_settings", tests, begin, end);
}
