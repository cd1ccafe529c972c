/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the reader of the ledger may still do: no system call that it does not need, and, where the ledger is root's own, no file but those below. There the
 * reader stays uid 0, which owns every file of root's, privileges or not, and that must not be all that a crafted row has to win. (Another owner can do
 * without whittle whatever its uid can do here.) What a person named and is not in these directories is opened by the opener.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/confine.h"
#include "base/landlock.h"
#include "base/replace_file.h"
#include "cli/cli.h"

static const struct wh_beneath always[] = {
	{"/usr", false}, {"/lib", false}, {"/lib32", false}, {"/lib64", false}, {"/proc", false}, {"/sys", false},
	{"/dev/null", true}, {"/dev/full", true}, {"/dev/zero", false}, {"/dev/urandom", false}, {"/dev/random", false}, {"/dev/tty", true}, {"/dev/pts", true}, {"/dev/console", true},
	{"/tmp", true}, {"/var/tmp", true}, /* SQLite's sorters, and `replay` */
	{"/etc/ld.so.cache", false}, {"/etc/ld.so.conf", false}, {"/etc/ld.so.conf.d", false}, {"/etc/localtime", false}, {"/etc/nsswitch.conf", false}, {"/etc/passwd", false},
	{"/etc/group", false}, {"/etc/hosts", false}, {"/etc/host.conf", false}, {"/etc/gai.conf", false}, {"/etc/services", false}, {"/etc/protocols", false},
	/* which servers this machine asks (enforce/host.c), and whether a boot restores (guard/reboot.c) */
	{"/etc/resolv.conf", false}, {"/etc/systemd", false}, {"/run/systemd/resolve", false}, {"/run/systemd/system", false}, {"/run/NetworkManager", false}, {"/run/dnsmasq", false},
	{"/run/resolvconf", false}, {"/etc/dnsmasq.conf", false}, {"/etc/dnsmasq.d", false}, {"/etc/NetworkManager/dnsmasq.d", false}, {"/etc/unbound", false}, {"/etc/bind", false},
	{"/etc/named.conf", false}, {"/etc/named", false}, {"/etc/chrony", false}, {"/etc/chrony.conf", false}, {"/etc/ntp.conf", false}, {"/etc/ntpsec", false},
};
enum { ALWAYS = sizeof always / sizeof *always, MORE = 8 };

/* The directories of the ledger, of the state beside it, of $TMPDIR, and those of the program, which has rules and a plugin beside it. */
static size_t own(const struct cli *c, struct wh_beneath *list, char dir[static PATH_MAX], char exe[static PATH_MAX], char lib[static PATH_MAX])
{
	const char *path = strncmp(c->store_url, "sqlite:", 7) ? c->store_url : c->store_url + 7, *name, *tmp = getenv("TMPDIR");
	ssize_t len = readlink("/proc/self/exe", exe, PATH_MAX - 1);
	size_t n = 0;
	if (wh_directory_of(path, dir, PATH_MAX, &name))
		list[n++] = (struct wh_beneath){dir, true};
	if (tmp && *tmp == '/')
		list[n++] = (struct wh_beneath){tmp, true};
	exe[len > 0 ? len : 0] = 0;
	if (len <= 0 || !strrchr(exe, '/'))
		return n;
	*strrchr(exe, '/') = 0;
	list[n++] = (struct wh_beneath){exe, false};
	if (snprintf(lib, PATH_MAX, "%s/../lib/whittle", exe) < PATH_MAX)
		list[n++] = (struct wh_beneath){lib, false};
	return n;
}

/* The directories that the person named, and those of patterns; *n of `list` grows. They are to be read alone. */
static void named(int argc, char **argv, struct wh_beneath *list, size_t *n)
{
	struct stat st;
	for (int i = 1; i < argc; i++) {
		const char *value = strchr(argv[i], '=');
		char *word = *argv[i] == '-' && value ? argv[i] + (value - argv[i]) + 1 : argv[i], *pattern = strpbrk(word, "*?["), *end = pattern;
		while (end && end > word && *end != '/')
			end--;
		if (!stat(word, &st) && S_ISDIR(st.st_mode))
			list[(*n)++] = (struct wh_beneath){word, false};
		else if (pattern && end > word && (word = strndup(word, (size_t)(end - word))))
			list[(*n)++] = (struct wh_beneath){word, false}; /* for as long as the program */
	}
}

static int keep_to_files(const struct cli *c, int argc, char **argv, struct wh_error *err)
{
	char dir[PATH_MAX], exe[PATH_MAX], lib[PATH_MAX];
	struct wh_beneath *list = calloc(2 * (size_t)argc + ALWAYS + MORE, sizeof *list);
	if (!list)
		return wh_fail(err, -ENOMEM, "out of memory");
	memcpy(list, always, sizeof always);
	size_t n = ALWAYS + own(c, list + ALWAYS, dir, exe, lib);
	for (int i = 1; i < argc && c->command->loads; i++) { /* a library is not opened by us */
		const char *value = strchr(argv[i], '=');
		list[n++] = (struct wh_beneath){*argv[i] == '-' && value ? value + 1 : argv[i], false};
	}
	named(argc, argv, list, &n);
	if (!strcmp(argv[0], "estate") && argc > 1 && !strcmp(argv[1], "import")) /* the groups' files that the estate names, wherever they are */
		list[n++] = (struct wh_beneath){"/", false};
	int rc = wh_keep_to(list, n, err);
	free(list);
	return rc;
}

/* A kernel that lacks it is told, and does not stop a command. */
static int say(int rc, const struct wh_error *err)
{
	if (rc == 1)
		fprintf(stderr, "whittle: %s\n", err->text);
	return rc < 0 ? rc : 0;
}

int cli_confine_reader(const struct cli *c, bool as_root, int argc, char **argv, struct wh_error *err)
{
	int rc = as_root ? say(keep_to_files(c, argc, argv, err), err) : 0;
	return rc ? rc : say(wh_confine(c->command->probes ? WH_CONFINE_PROBE : WH_CONFINE_READER, err), err);
}
