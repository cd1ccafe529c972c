/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console's session: begun with a token, so that the token itself is in no page and no cookie. */
#include <stdlib.h>
#include "serve/endpoints.h"

static json_t *me(const struct wh_gate_answer *who)
{
	char t[WH_TIME_STRLEN];
	json_t *o = json_pack("{s:s, s:s, s:s}", "name", who->name, "role", wh_serve_roles[who->role == WH_SERVE_OPERATOR],
	                      "version", WH_VERSION);
	if (who->expires_us)
		json_object_set_new(o, "expires", json_string(wh_time_text(who->expires_us, t)));
	return o;
}

static int ask(struct wh_call *c, enum wh_gate_what what, struct wh_gate_answer *a, struct wh_error *err)
{
	const struct wh_gate_request r = wh_call_gate(c, what);
	char *out, *errors;
	int rc = wh_gate_ask(c->gate, &r, c->peer, a, &out, &errors, err);
	free(out);
	free(errors);
	return rc;
}

WH_ENDPOINT(log_in)
{
	struct wh_gate_answer a;
	if (c->request->shown != WH_SHOWN_TOKEN)
		return wh_call_refuse(c, 400, "InvalidRequestContent", "a session begins with a token: Authorization: Bearer …");
	int rc = ask(c, WH_GATE_LOG_IN, &a, err);
	if (rc || a.rc)
		return rc ? rc : wh_fail(err, a.rc, "no session");
	c->session = wh_arena_strdup(c->mem, a.session);
	return wh_call_json(c, 200, me(&c->who));
}

WH_ENDPOINT(log_out)
{
	struct wh_gate_answer a;
	int rc = ask(c, WH_GATE_LOG_OUT, &a, err);
	if (rc)
		return rc;
	c->session = "";
	return wh_call_empty(c, 204);
}

WH_ENDPOINT(me)
{
	(void)err;
	return wh_call_json(c, 200, me(&c->who));
}
