/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "serve/call.h"

enum { PAGE = 1000 };

int wh_call_json(struct wh_call *c, unsigned status, json_t *doc)
{
	c->status = doc ? status : 500;
	json_decref(c->doc);
	c->doc = doc ? doc : json_pack("{s:{s:s, s:s}}", "error", "code", "InternalServerError", "message", "out of memory");
	return 0;
}

int wh_call_text(struct wh_call *c, char *text, size_t n, const char *type)
{
	if (!text)
		return wh_call_json(c, 500, NULL);
	free(c->text);
	c->status = 200;
	c->text = text;
	c->n_text = n;
	c->type = type;
	return 0;
}

int wh_call_packed(struct wh_call *c, struct wh_pack *p)
{
	free(c->packed.bytes);
	c->packed = (struct wh_packed){0};
	if (!p || !wh_pack_end(p, &c->packed))
		return wh_call_json(c, 500, NULL);
	c->status = 200;
	return 0;
}

int wh_call_empty(struct wh_call *c, unsigned status)
{
	c->status = status;
	return 0;
}

int wh_call_refuse(struct wh_call *c, unsigned status, const char *code, const char *fmt, ...)
{
	char text[700];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	wh_text_make_printable(text);
	return wh_call_json(c, status, json_pack("{s:{s:s, s:s}}", "error", "code", code, "message", text));
}

int wh_call_error(struct wh_call *c, int rc, const struct wh_error *err)
{
	const char *text = *err->text ? err->text : strerror(-rc);
	switch (rc) {
	case -ENOENT:
	case -ENXIO:
	case -ENODATA: return wh_call_refuse(c, 404, "ResourceNotFound", "%s", text);
	case -EEXIST:
	case -ESTALE:
	case -EPERM: return wh_call_refuse(c, 409, "Conflict", "%s", text);
	case -EBUSY:
	case -EAGAIN:
		c->retry_after = 2;
		return wh_call_refuse(c, 503, "ServerBusy", "%s", text);
	default:
		return err->input || rc == WH_APP_USAGE ? wh_call_refuse(c, 400, "InvalidRequestContent", "%s", text)
		                                        : wh_call_refuse(c, 500, "InternalServerError", "%s", text);
	}
}

const char *wh_call_query(const struct wh_call *c, const char *name)
{
	return wh_target_parameter(&c->target, name);
}

const char *wh_call_member(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static bool number(const char *text, size_t max, size_t *out)
{
	if (!*text)
		return true;
	if (strlen(text) > 9 || strspn(text, "0123456789") != strlen(text))
		return false;
	*out = strtoul(text, NULL, 10);
	if (*out > max)
		*out = max;
	return true;
}

bool wh_call_page(struct wh_call *c, struct wh_call_page *out)
{
	*out = (struct wh_call_page){0, PAGE};
	if (number(wh_call_query(c, "$skipToken"), SIZE_MAX, &out->from) && number(wh_call_query(c, "$top"), PAGE, &out->top) &&
	    out->top)
		return true;
	wh_call_refuse(c, 400, "InvalidRequestContent", "$top is a number from 1, $skipToken one of a nextLink");
	return false;
}

/* A parameter's name with its $ as it is: a client that adds "$filter" to a link with "%24filter" asks for both. */
static const char *name_of(const char *name, struct wh_arena *mem)
{
	bool system = *name == '$';
	return wh_arena_printf(mem, "%s%s", system ? "$" : "", wh_target_encode(name + system, mem));
}

/* The same target with another $skipToken. */
const char *wh_call_next(const struct wh_call *c, const struct wh_call_page *p, size_t n)
{
	if (p->from + p->top >= n)
		return NULL;
	const char *path = wh_arena_printf(c->mem, "%.*s", (int)strcspn(c->request->target, "?"), c->request->target);
	const char *link = wh_arena_printf(c->mem, "%s%s?$skipToken=%zu", c->request->base, path, p->from + p->top);
	for (size_t i = 0; i < c->target.n_parameters; i++)
		if (strcasecmp(c->target.parameters[i].name, "$skipToken"))
			link = wh_arena_printf(c->mem, "%s&%s=%s", link, name_of(c->target.parameters[i].name, c->mem),
			                       wh_target_encode(c->target.parameters[i].value, c->mem));
	return link;
}

int wh_call_list(struct wh_call *c, json_t *list)
{
	struct wh_call_page p;
	if (!wh_call_filter(c, list) || !wh_call_page(c, &p)) {
		json_decref(list);
		return 0;
	}
	size_t n = json_array_size(list);
	json_t *page = n > p.top || p.from ? json_array() : json_incref(list);
	for (size_t i = p.from; page != list && i < n && i - p.from < p.top; i++)
		json_array_append(page, json_array_get(list, i));
	json_decref(list);
	const char *next = wh_call_next(c, &p, n);
	json_t *doc = page ? json_pack("{s:o, s:s*}", "value", page, "nextLink", next) : NULL;
	return wh_call_json(c, 200, doc);
}

/* ---- the gate ---- */

struct wh_gate_request wh_call_gate(const struct wh_call *c, enum wh_gate_what what)
{
	struct wh_gate_request r = {.what = what, .shown = c->request->shown};
	snprintf(r.secret, sizeof r.secret, "%s", strlen(c->request->secret) < sizeof r.secret ? c->request->secret : "");
	return r;
}

/* The command's own sentences, without its name in front of each. */
static int said(struct wh_error *err, int status, char *errors)
{
	char *save, text[sizeof err->text - 40] = "";
	size_t n = 0;
	for (char *line = strtok_r(errors, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		line += strncmp(line, "whittle: ", 9) ? 0 : 9;
		if (n + strlen(line) + 3 < sizeof text)
			n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? "; " : "", line);
	}
	if (!n)
		snprintf(text, sizeof text, "the command ended with status %d", status);
	return status == 2 ? wh_fail_input(err, -EPERM, "%s", text) : wh_fail(err, -EIO, "%s", text);
}

int wh_call_output(struct wh_call *c, const struct wh_gate_request *r, char **out, size_t *n, struct wh_error *err)
{
	struct wh_gate_answer a;
	char *errors;
	*n = 0;
	int rc = wh_gate_ask(c->gate, r, c->peer, &a, out, &errors, err);
	if (!rc && a.rc)
		rc = a.rc == -EACCES ? wh_fail(err, -EPERM, "an operator's token is needed")
		                     : wh_fail_input(err, a.rc, "the request has values that the command does not take");
	if (!rc)
		*n = a.n_out;
	if (!rc && a.status)
		rc = said(err, a.status, errors);
	free(errors);
	return rc;
}

int wh_call_command(struct wh_call *c, const struct wh_gate_request *r, json_t **doc, struct wh_error *err)
{
	char *out;
	size_t n;
	int rc = wh_call_output(c, r, &out, &n, err);
	*doc = n ? wh_json_load(out, n, 0, NULL, NULL) : NULL;
	free(out);
	return rc;
}

void wh_call_journal(const struct wh_call *c, const char *what, json_t *doc)
{
	wh_app_journal(c->app, what, doc);
}
