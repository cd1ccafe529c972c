/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * suricata.yaml, as far as it concerns whittle: whether the plugin that it names is there, where the plugin writes, and whether
 * Suricata's user may write there. Included files are read too, one level deep.
 */
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "app/doctor.h"
#include "base/store_url.h"
#include "base/yaml.h"

struct found {
	const char *plugin;  /* the path of ours, as it is written; NULL: none */
	bool output;         /* an eve-log of the type whittle */
	const char *store;   /* of its section; NULL: the default */
	const char *user;    /* run-as; NULL: root */
};

static const char *text_at(const struct wh_yaml *map, const char *key)
{
	const struct wh_yaml *n = map && map->kind == WH_YAML_MAP ? wh_yaml_get(map, key) : NULL;
	return n && n->kind == WH_YAML_SCALAR && *n->scalar ? n->scalar : NULL;
}

static void read_output(const struct wh_yaml *eve, struct found *f)
{
	const char *type = text_at(eve, "filetype"), *enabled = text_at(eve, "enabled");
	if (!type || strcmp(type, "whittle") || (enabled && (!strcmp(enabled, "no") || !strcmp(enabled, "false"))))
		return;
	f->output = true;
	f->store = text_at(wh_yaml_get(eve, "whittle"), "store");
}

static void read_tree(const struct wh_yaml *root, struct found *f)
{
	const struct wh_yaml *plugins = wh_yaml_get(root, "plugins"), *outputs = wh_yaml_get(root, "outputs");
	for (const struct wh_yaml *p = plugins ? plugins->child : NULL; p; p = p->next)
		if (p->kind == WH_YAML_SCALAR && strstr(p->scalar, "whittle"))
			f->plugin = p->scalar;
	for (const struct wh_yaml *o = outputs ? outputs->child : NULL; o; o = o->next) {
		const struct wh_yaml *eve = o->kind == WH_YAML_MAP ? wh_yaml_get(o, "eve-log") : NULL;
		if (eve && eve->kind == WH_YAML_MAP)
			read_output(eve, f);
	}
	const char *user = text_at(wh_yaml_get(root, "run-as"), "user");
	f->user = user ? user : f->user;
}

static int read_file(const char *path, bool includes, struct wh_arena *mem, struct found *f, struct wh_error *err)
{
	struct wh_yaml *root = NULL;
	const char *slash = strrchr(path, '/');
	int rc = wh_yaml_parse_file(path, mem, &root, err);
	if (rc || !root || root->kind != WH_YAML_MAP)
		return rc;
	read_tree(root, f);
	const struct wh_yaml *list = includes ? wh_yaml_get(root, "include") : NULL;
	for (const struct wh_yaml *i = !list ? NULL : list->kind == WH_YAML_LIST ? list->child : list; i && !rc;
	     i = list == i ? NULL : i->next)
		if (i->kind == WH_YAML_SCALAR)
			rc = read_file(*i->scalar == '/' ? i->scalar
			                                 : wh_arena_printf(mem, "%.*s/%s", (int)(slash - path), path, i->scalar),
			               false, mem, f, err);
	return rc;
}

/* ---- results ---- */

/* Whether the user may write into the directory: by its owner, its group or for all. */
static bool may_write(const struct passwd *pw, const struct stat *st)
{
	gid_t groups[64];
	int n = 64;
	if (pw->pw_uid == st->st_uid)
		return st->st_mode & S_IWUSR;
	if (getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) < 0)
		n = n < 64 ? n : 64;
	for (int i = 0; i < n; i++)
		if (groups[i] == st->st_gid)
			return st->st_mode & S_IWGRP;
	return st->st_mode & S_IWOTH;
}

static void check_user(const struct found *f, const char *store, struct wh_app_doctor *r)
{
	char dir[PATH_MAX];
	struct stat st;
	const char *slash = strrchr(store, '/');
	const struct passwd *pw = f->user ? getpwnam(f->user) : NULL;
	if (!f->user)
		return;
	if (!pw) {
		wh_doctor_remedy(wh_doctor_note(r, "suricata's user", WH_APP_CHECK_FAIL,
		                                "run-as names the user %s, which does not exist", f->user),
		                 "useradd --system %s", f->user);
		return;
	}
	snprintf(dir, sizeof dir, "%.*s", slash && slash > store ? (int)(slash - store) : 1, slash ? store : ".");
	if (stat(dir, &st))
		wh_doctor_remedy(wh_doctor_note(r, "suricata's user", WH_APP_CHECK_FAIL,
		                                "%s, where the plugin writes the ledger: %s", dir, strerror(errno)),
		                 "install -d -o %s %s", f->user, dir);
	else if (!may_write(pw, &st))
		wh_doctor_remedy(wh_doctor_note(r, "suricata's user", WH_APP_CHECK_FAIL, "%s (run-as) may not write into %s",
		                                f->user, dir),
		                 "chown -R %s %s", f->user, dir);
	else
		wh_doctor_note(r, "suricata's user", WH_APP_CHECK_OK, "%s may write into %s", f->user, dir);
}

static void check_found(const struct wh_app *a, const char *path, const struct found *f, struct wh_app_doctor *r)
{
	const char *store = f->store ? f->store : WH_DEFAULT_STORE;
	if (!f->plugin && !f->output) {
		wh_doctor_note(r, "suricata.yaml", WH_APP_CHECK_OK,
		               "%s does not load the plugin: its logs are read by `whittle ingest`", path);
		return;
	}
	if (!f->plugin)
		wh_doctor_remedy(
			wh_doctor_note(r, "suricata.yaml", WH_APP_CHECK_FAIL,
		                       "%s has an eve-log of the type whittle, but loads no plugin: "
		                       "Suricata does not start",
		                       path),
			"add `plugins: [/usr/local/lib/whittle/whittle-suricata.so]` to %s, then systemctl restart suricata",
			path);
	else if (access(f->plugin, F_OK))
		wh_doctor_remedy(wh_doctor_note(r, "suricata.yaml", WH_APP_CHECK_FAIL, "%s names the plugin %s: %s", path,
		                                f->plugin, strerror(errno)),
		                 "make install, or correct `plugins` in %s, then systemctl restart suricata", path);
	else if (!f->output)
		wh_doctor_remedy(
			wh_doctor_note(r, "suricata.yaml", WH_APP_CHECK_WARN,
		                       "%s loads the plugin, but no eve-log has the type whittle: "
		                       "nothing is learned",
		                       path),
			"add the eve-log of packaging/suricata/whittle.yaml to `outputs` in %s, then systemctl restart suricata",
			path);
	else
		wh_doctor_note(r, "suricata.yaml", WH_APP_CHECK_OK, "%s loads %s", path, f->plugin);
	if (f->output && strcmp(wh_store_path(store), wh_store_path(a->store_url)))
		wh_doctor_remedy(wh_doctor_note(r, "suricata's ledger", WH_APP_CHECK_WARN,
		                                "the plugin writes %s, but this command reads %s", store,
		                                wh_store_path(a->store_url)),
		                 "write `store: %s` in whittle.yaml", store);
	check_user(f, wh_store_path(store), r);
}

void wh_doctor_suricata(const struct wh_app *a, struct wh_arena *mem, struct wh_app_doctor *r)
{
	static const char *const places[] = {"/etc/suricata/suricata.yaml", "/usr/local/etc/suricata/suricata.yaml"};
	struct wh_error err = {0};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct found f = {0};
		if (access(places[i], F_OK))
			continue;
		if (read_file(places[i], true, mem, &f, &err))
			wh_doctor_remedy(wh_doctor_note(r, "suricata.yaml", WH_APP_CHECK_WARN, "%s", err.text),
			                 "suricata -T -c %s", places[i]);
		else
			check_found(a, places[i], &f, r);
	}
}
