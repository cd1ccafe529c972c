/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Out of this machine's firewall, and back into it after a reboot. */
#include "app/app.h"
#include "whittle/app_firewall.h"

int wh_app_uninstall(const struct wh_app *a, bool verify, struct wh_uninstalled *out, struct wh_error *err)
{
	int rc = wh_firewall_ready(err);
	rc = rc ? rc : wh_firewall_uninstall(verify, out, err);
	if (!rc)
		wh_app_journal(a, "enforce.uninstall", json_object());
	return rc;
}

json_t *wh_app_uninstalled_json(const struct wh_uninstalled *u)
{
	return json_pack("{s:b,s:b,s:i,s:b,s:i,s:s?}", "rules", u->rules, "jit", u->jit, "files", (int)u->files, "verified",
	                 u->verified && !*u->differs, "otherTables", (int)u->others, "differs", *u->differs ? u->differs : NULL);
}

int wh_app_restore(const struct wh_app *a, void (*done)(void *arg, const struct wh_restored *r), void *arg, struct wh_error *err)
{
	struct wh_restored r;
	struct wh_error earlier;
	int rc = wh_firewall_ready(err);
	if (rc)
		return rc;
	int adopted = wh_app_adopt_earlier(a, &earlier);
	rc = wh_firewall_restore(&r, err);
	if (!rc && !r.rules && adopted < 0) {
		rc = adopted;
		*err = earlier;
	}
	if (rc && !r.rules && !r.jit)
		return rc;
	done(arg, &r);
	wh_app_journal(a, "enforce.restore",
	               json_pack("{s:I,s:I,s:I}", "ports", (json_int_t)r.ports, "prefixes", (json_int_t)r.prefixes, "closed",
	                         (json_int_t)r.closed));
	return rc;
}
