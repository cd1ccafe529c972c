/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confines the process that reads the ledger, so that a crafted row which takes it over gains little. It keeps only the system
 * calls that it needs. Where root owns the ledger, the process stays uid 0, to which every file of root's belongs even without
 * privileges: there it may open only the files listed below and the directories that the user names. The same holds for the user
 * of the services, which owns what survives a reboot. Another owner gains nothing, since it already has its own files. The opener
 * (base/opener.h) opens other files that the user names.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/confine.h"
#include "base/landlock.h"
#include "base/replace_file.h"
#include "base/store_url.h"
#include "cli/cli.h"

static const struct wh_beneath always[] = {
	{"/usr", false},
	{"/lib", false},
	{"/lib32", false},
	{"/lib64", false},
	{"/proc", false},
	{"/sys", false},
	{"/dev/null", true},
	{"/dev/full", true},
	{"/dev/zero", false},
	{"/dev/urandom", false},
	{"/dev/random", false},
	{"/dev/tty", true},
	{"/dev/pts", true},
	{"/dev/console", true},
	{"/tmp", true},
	{"/var/tmp", true}, /* SQLite's sorters, and `replay` */
	{"/etc/ld.so.cache", false},
	{"/etc/ld.so.conf", false},
	{"/etc/ld.so.conf.d", false},
	{"/etc/localtime", false},
	{"/etc/nsswitch.conf", false},
	{"/etc/passwd", false},
	{"/etc/group", false},
	{"/etc/hosts", false},
	{"/etc/host.conf", false},
	{"/etc/gai.conf", false},
	{"/etc/services", false},
	{"/etc/protocols", false},
	/* the name and time servers of this machine (enforce/host.c), and whether its boot restores the rules (guard/reboot.c) */
	{"/etc/resolv.conf", false},
	{"/etc/systemd", false},
	{"/run/systemd/resolve", false},
	{"/run/systemd/system", false},
	{"/run/NetworkManager", false},
	{"/run/dnsmasq", false},
	{"/run/resolvconf", false},
	{"/etc/dnsmasq.conf", false},
	{"/etc/dnsmasq.d", false},
	{"/etc/NetworkManager/dnsmasq.d", false},
	{"/etc/unbound", false},
	{"/etc/bind", false},
	{"/etc/named.conf", false},
	{"/etc/named", false},
	{"/etc/chrony", false},
	{"/etc/chrony.conf", false},
	{"/etc/ntp.conf", false},
	{"/etc/ntpsec", false},
	{"/etc/fonts", false},
	{"/var/cache/fontconfig", false}, /* for the report */
};
enum { ALWAYS = sizeof always / sizeof *always, MORE = 8 };

/* The ledger's directory, $TMPDIR, and the directories where the program, its rules and its plugin are installed. */
static size_t own(const struct cli *c, bool ledger, struct wh_beneath *list, char dir[static PATH_MAX], char exe[static PATH_MAX],
                  char lib[static PATH_MAX])
{
	const char *name, *tmp = getenv("TMPDIR");
	ssize_t len = readlink("/proc/self/exe", exe, PATH_MAX - 1);
	size_t n = 0;
	if (ledger && wh_directory_of(wh_store_path(c->store_url), dir, PATH_MAX, &name))
		list[n++] = (struct wh_beneath){dir, true};
	if (tmp && *tmp == '/')
		list[n++] = (struct wh_beneath){tmp, true};
	if (c->command->loads) { /* doctor */
		list[n++] = (struct wh_beneath){"/etc/suricata", false};
		list[n++] = (struct wh_beneath){"/usr/local/etc/suricata", false};
	}
	exe[len > 0 ? len : 0] = 0;
	if (len <= 0 || !strrchr(exe, '/'))
		return n;
	*strrchr(exe, '/') = 0;
	list[n++] = (struct wh_beneath){exe, false};
	if (snprintf(lib, PATH_MAX, "%s/../lib/whittle", exe) < PATH_MAX)
		list[n++] = (struct wh_beneath){lib, false};
	return n;
}

/* Adds the directories that the user names, and those of patterns, to the `*n` entries of `list`: for reading. */
static void named(int argc, char **argv, struct wh_beneath *list, size_t *n)
{
	struct stat st;
	for (int i = 1; i < argc; i++) {
		const char *value = strchr(argv[i], '=');
		char *word = *argv[i] == '-' && value ? argv[i] + (value - argv[i]) + 1 : argv[i],
		     *pattern = strpbrk(word, "*?["), *end = pattern;
		while (end && end > word && *end != '/')
			end--;
		if (!stat(word, &st) && S_ISDIR(st.st_mode))
			list[(*n)++] = (struct wh_beneath){word, false};
		else if (pattern && end > word && (word = strndup(word, (size_t)(end - word))))
			list[(*n)++] = (struct wh_beneath){word, false}; /* lives as long as the program */
	}
}

static int confine_files(const struct cli *c, bool ledger, int argc, char **argv, struct wh_error *err)
{
	char dir[PATH_MAX], exe[PATH_MAX], lib[PATH_MAX];
	struct wh_beneath *list = calloc(2 * (size_t)argc + ALWAYS + MORE, sizeof *list);
	if (!list)
		return wh_fail(err, -ENOMEM, "out of memory");
	memcpy(list, always, sizeof always);
	size_t n = ALWAYS + own(c, ledger, list + ALWAYS, dir, exe, lib);
	for (int i = 1; i < argc && c->command->loads; i++) { /* the dynamic linker opens a library, not the opener */
		const char *value = strchr(argv[i], '=');
		list[n++] = (struct wh_beneath){*argv[i] == '-' && value ? value + 1 : argv[i], false};
	}
	named(argc, argv, list, &n);
	if (!strcmp(argv[0], "estate") && argc > 1 &&
	    !strcmp(argv[1], "import")) /* an estate names its groups' files, wherever they are */
		list[n++] = (struct wh_beneath){"/", false};
	/* a command that keeps its user ends the process of the ledger's owner */
	int rc = wh_confine_files(list, n, ledger ? WH_SIGNALS_OWN : WH_SIGNALS_ALL, err);
	free(list);
	return rc;
}

/* A kernel without Landlock or seccomp does not stop the command, which prints a warning. */
static int warn(int rc, const struct wh_error *err)
{
	if (rc == 1)
		fprintf(stderr, "whittle: %s\n", err->text);
	return rc < 0 ? rc : 0;
}

int cli_confine_reader(const struct cli *c, bool trusted, int argc, char **argv, struct wh_error *err)
{
	int rc = trusted ? warn(confine_files(c, true, argc, argv, err), err) : 0;
	return rc ? rc : warn(wh_confine(c->command->probes ? WH_CONFINE_PROBE : WH_CONFINE_READER, err), err);
}

int cli_confine_overseer(struct wh_error *err)
{
	int rc = warn(wh_confine_files(NULL, 0, WH_SIGNALS_ALL, err), err);
	return rc ? rc : warn(wh_confine(WH_CONFINE_READER, err), err);
}

int cli_confine_kept(const struct cli *c, int argc, char **argv, struct wh_error *err)
{
	int rc = warn(confine_files(c, false, argc, argv, err), err);
	return rc ? rc : warn(wh_confine(WH_CONFINE_READER, err), err);
}
