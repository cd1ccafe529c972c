/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of this machine's programs, for its facts: which protocols and ciphers sshd, Samba, OpenSSL, Kerberos,
 * systemd-resolved and IPsec allow, and which of some programs run. Of files only the keys below are read: no secret is among
 * them.
 *
 * Three grammars: words ("Ciphers aes256-ctr"; the first value counts, and what follows Match is not for all), assignments below
 * a section ("[global] ntlm auth = no"; the last counts), and those of connections, of which all count.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "app/host_settings.h"
#include "base/directory.h"
#include "base/json.h"

enum { MOST_FILE = 1 << 20, MOST_VALUE = 255, KEYS = 8 };
enum grammar { WORDS, SECTION, ALL };
static const struct program {
	const char *name;
	enum grammar grammar;
	const char *section;             /* of SECTION */
	const char *files[3], *drop_ins; /* the first file that is there; a directory of *.conf */
	const char *keys[KEYS];
} programs[] = {
	{"sshd", WORDS, NULL, {"/etc/ssh/sshd_config"}, "/etc/ssh/sshd_config.d",
	 {"Protocol", "Ciphers", "MACs", "KexAlgorithms", "PermitEmptyPasswords"}},
	{"modsecurity", WORDS, NULL, {"/etc/modsecurity/modsecurity.conf", "/etc/nginx/modsec/modsecurity.conf"}, NULL,
	 {"SecRuleEngine"}},
	{"samba", SECTION, "global", {"/etc/samba/smb.conf"}, NULL,
	 {"server min protocol", "min protocol", "ntlm auth", "lanman auth", "server signing", "server smb encrypt"}},
	{"resolved", SECTION, "Resolve", {"/etc/systemd/resolved.conf", "/usr/lib/systemd/resolved.conf"},
	 "/etc/systemd/resolved.conf.d", {"LLMNR", "MulticastDNS", "DNSSEC", "DNSOverTLS"}},
	{"kerberos", SECTION, "libdefaults", {"/etc/krb5.conf"}, "/etc/krb5.conf.d",
	 {"allow_weak_crypto", "permitted_enctypes", "default_tkt_enctypes", "default_tgs_enctypes"}},
	{"openssl", ALL, NULL, {"/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf"}, NULL, {"MinProtocol", "CipherString"}},
	{"ipsec", ALL, NULL, {"/etc/ipsec.conf"}, "/etc/ipsec.d", {"ike", "esp", "keyexchange", "aggressive"}},
	{"swanctl", ALL, NULL, {"/etc/swanctl/swanctl.conf"}, "/etc/swanctl/conf.d",
	 {"proposals", "esp_proposals", "version", "aggressive"}},
};

/* ---- lines ---- */

static char *trimmed(char *s)
{
	size_t n = strlen(s += strspn(s, " \t"));
	while (n && strchr(" \t\r", s[n - 1]))
		s[--n] = 0;
	return s;
}

/* Takes a value, cut to a length and to printable ASCII. */
static void put(json_t *out, const struct program *p, const char *key, char *value)
{
	char name[128], text[MOST_VALUE + 1];
	snprintf(name, sizeof name, "%s.%s", p->name, key);
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	const char *old = json_string_value(json_object_get(out, name));
	if (old && p->grammar == WORDS)
		return;
	for (char *c = value; *c; c++)
		*c = *c >= ' ' && *c < 127 ? *c : '?';
	snprintf(text, sizeof text, "%s%s%s", old && p->grammar == ALL ? old : "", old && p->grammar == ALL ? "," : "", value);
	json_object_set_new(out, name, json_string(text));
}

static void take_line(json_t *out, const struct program *p, char *line)
{
	char *value = strpbrk(line, p->grammar == WORDS ? " \t=" : "=");
	if (!value)
		return;
	*value++ = 0;
	value = trimmed(value);
	value = trimmed(value + (*value == '='));
	char *key = trimmed(line);
	for (size_t i = 0; i < KEYS && p->keys[i]; i++)
		if (!strcasecmp(key, p->keys[i]))
			put(out, p, p->keys[i], value);
}

static void take_text(json_t *out, const struct program *p, char *text)
{
	bool here = p->grammar != SECTION;
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		line = trimmed(line);
		size_t end = strcspn(line, "]");
		if (p->grammar == WORDS && !strncasecmp(line, "Match", 5) && strchr(" \t", line[5]))
			return;
		if (*line == '[' && p->grammar == SECTION)
			here = !strncasecmp(line + 1, p->section, strlen(p->section)) && end == strlen(p->section) + 1;
		else if (here && *line && *line != '#' && *line != ';' && *line != '[')
			take_line(out, p, line);
	}
}

/* ---- files ---- */

static bool take_file(json_t *out, const struct program *p, const char *path)
{
	struct wh_error ignored;
	char *text;
	size_t len;
	if (wh_read_file(path, MOST_FILE, &text, &len, &ignored))
		return false;
	if (!strlen(text) || strlen(text) == len) /* no NUL within */
		take_text(out, p, text);
	free(text);
	return true;
}

static int is_conf(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return *d->d_name != '.' && n > 5 && !strcmp(d->d_name + n - 5, ".conf");
}

static bool take_directory(json_t *out, const struct program *p, const char *path)
{
	struct dirent **names;
	char file[1024];
	int n = wh_scan_directory(path, is_conf, &names);
	for (int i = 0; i < n; i++) {
		snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
		take_file(out, p, file);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return n > 0;
}

/* Drop-ins are before a file of words, whose first value counts, and behind others, whose last one does. */
static void take_program(json_t *out, const struct program *p, const char *root)
{
	char path[512];
	bool there = false;
	for (int pass = 0; pass < 2; pass++) {
		if (p->drop_ins && (pass == 0) == (p->grammar == WORDS)) {
			snprintf(path, sizeof path, "%s%s", root, p->drop_ins);
			there |= take_directory(out, p, path);
		}
		for (size_t i = 0; pass == (p->grammar == WORDS) && i < 3 && p->files[i]; i++) {
			snprintf(path, sizeof path, "%s%s", root, p->files[i]);
			if (take_file(out, p, path)) {
				there = true;
				break;
			}
		}
	}
	if (there)
		json_object_set_new(out, p->name, json_string("read"));
}

json_t *wh_host_settings_json(const char *root)
{
	json_t *out = json_object();
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
		take_program(out, &programs[i], root);
	return out;
}

/* ---- what runs ---- */

static const char *known(const char *name)
{
	static const char *const names[] = {"auditd",      "wazuh-agentd", "ossec-agentd", "ossec-syscheckd", "falco",
	                                    "osqueryd",    "wdavdaemon",   "mdatp",        "falcon-sensor",   "sysmon",
	                                    "aide",        "samhain",      "suricata",     "snort",           "zeek",
	                                    "sentinelone", "cbagentd",     "tetragon",     NULL};
	for (size_t i = 0; names[i]; i++)
		if (!strncmp(name, names[i], 15)) /* the kernel keeps 15 bytes */
			return names[i];
	return NULL;
}

static int is_process(const struct dirent *d)
{
	return d->d_name[strspn(d->d_name, "0123456789")] == 0;
}

json_t *wh_host_programs(const char *root)
{
	struct dirent **ids;
	struct stat st;
	char path[512], *text;
	struct wh_error ignored;
	json_t *seen = json_object(), *out = json_array(), *v;
	const char *key;
	size_t len;
	snprintf(path, sizeof path, "%s/proc", root);
	int n = wh_scan_directory(path, is_process, &ids);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/proc/%s/comm", root, ids[i]->d_name);
		free(ids[i]);
		if (stat(path, &st) || st.st_uid != geteuid()) /* root's: anybody can give a process a name */
			continue;
		if (wh_read_file(path, MOST_VALUE, &text, &len, &ignored))
			continue;
		text[strcspn(text, "\n")] = 0;
		const char *name = *text ? known(text) : NULL;
		if (name)
			json_object_set_new(seen, name, json_true());
		free(text);
	}
	if (n >= 0)
		free(ids);
	json_object_foreach(seen, key, v)
		json_array_append_new(out, json_string(key));
	json_decref(seen);
	return out;
}
