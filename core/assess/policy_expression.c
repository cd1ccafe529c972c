/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Template expressions: "[if(equals(parameters('a'), 'b'), field('name'), 'c')]".
 *
 *   expression = call | text | number;  call = NAME "(" [expression {"," expression}] ")" {"." NAME | "[" expression "]"}
 *   text = "'" … "'" ('' is one quote)
 *
 * One recursive descent both checks and evaluates: with e->asset NULL it only checks functions, their number of arguments and the
 * parameters. Values are jansson's; an absent one (a missing field) is NULL, in lists JSON null.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "assess/policy_parts.h"

struct parse { struct wh_eval *e; const char *at, *whole; };

static int expression(struct parse *p, json_t **out);

static int bad(struct parse *p, const char *what)
{
	return wh_fail_input(p->e->err, -EINVAL, "%s: %s: '%.80s' of '%.120s' %s", p->e->def->file, p->e->place,
	                     *p->at ? p->at : "the end", p->whole, what);
}

static void blanks(struct parse *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

static int quoted(struct parse *p, json_t **out)
{
	char *buf = wh_arena_alloc(p->e->mem, strlen(p->at) + 1);
	size_t n = 0;
	for (p->at++; *p->at; p->at++) {
		if (*p->at == '\'' && p->at[1] != '\'') {
			p->at++;
			*out = wh_eval_own(p->e, json_stringn(buf, n));
			return *out ? 0 : bad(p, "is no UTF-8");
		}
		p->at += *p->at == '\'';
		buf[n++] = *p->at;
	}
	return bad(p, "ends inside a text");
}

static int number(struct parse *p, json_t **out)
{
	char *end;
	long long v = strtoll(p->at, &end, 10);
	if (end == p->at)
		return bad(p, "is no function, text or number");
	p->at = end;
	*out = wh_eval_own(p->e, json_integer(v));
	return 0;
}

static int check_parameter(struct parse *p, const json_t *name)
{
	const char *key;
	json_t *v;
	if (!json_is_string(name))
		return 0;
	json_object_foreach((json_t *)p->e->def->parameters, key, v)
		if (!strcasecmp(key, json_string_value(name)))
			return 0;
	return wh_fail_input(p->e->err, -EINVAL, "%s: %s: there is no parameter '%.80s'", p->e->def->file, p->e->place,
	                     json_string_value(name));
}

static int arguments(struct parse *p, struct wh_call *c)
{
	int rc = 0;
	blanks(p);
	if (*p->at == ')') {
		p->at++;
		return 0;
	}
	while (!rc) {
		if (c->n == WH_POLICY_ARGUMENTS)
			return bad(p, "is one argument too many");
		if ((rc = expression(p, &c->arg[c->n])))
			return rc;
		c->n++;
		blanks(p);
		if (*p->at == ')')
			break;
		if (*p->at != ',')
			return bad(p, "stands where ',' or ')' is expected");
		p->at++;
	}
	p->at++;
	return rc;
}

/* .name and [index] after a call */
static int accessors(struct parse *p, json_t **v)
{
	for (;;) {
		if (*p->at == '.') {
			size_t n = strspn(++p->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
			if (!n)
				return bad(p, "stands where a member's name is expected");
			*v = *v ? wh_policy_member(*v, p->at, n) : NULL;
			p->at += n;
		} else if (*p->at == '[') {
			json_t *i;
			p->at++;
			int rc = expression(p, &i);
			if (rc)
				return rc;
			if (*p->at != ']')
				return bad(p, "stands where ']' is expected");
			p->at++;
			*v = json_is_integer(i) && json_integer_value(i) >= 0 ? json_array_get(*v, (size_t)json_integer_value(i))
			     : json_is_string(i) && *v ? wh_policy_member(*v, json_string_value(i), json_string_length(i))
			                               : NULL;
		} else {
			return 0;
		}
	}
}

static int function(struct parse *p, json_t **out)
{
	size_t n = strspn(p->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	const struct wh_policy_function *f = wh_policy_function(p->at, n);
	struct wh_call c = {.e = p->e};
	const char *name = p->at;
	if (!f)
		return wh_fail_input(p->e->err, -EINVAL, "%s: %s: the function '%.*s' is not supported", p->e->def->file,
		                     p->e->place, (int)(n < 60 ? n : 60), name);
	p->at += n;
	blanks(p);
	if (*p->at != '(')
		return bad(p, "stands where '(' is expected");
	p->at++;
	int rc = arguments(p, &c);
	if (rc)
		return rc;
	if (c.n < f->least || c.n > f->most)
		return wh_fail_input(p->e->err, -EINVAL, "%s: %s: '%s' does not take %zu arguments",
		                     p->e->def->file, p->e->place, f->name, c.n);
	if (f->names_parameter && (rc = check_parameter(p, c.arg[0])))
		return rc;
	if (p->e->asset) {
		if (f->text_first && !json_string_value(c.arg[0]))
			return wh_fail_input(p->e->err, -EINVAL, "%s: %s: '%s' needs a text", p->e->def->file, p->e->place,
			                     f->name);
		rc = f->run(&c, out);
	}
	return rc ? rc : accessors(p, out);
}

static int expression(struct parse *p, json_t **out)
{
	int rc;
	*out = NULL;
	if (p->e->depth == WH_POLICY_DEPTH)
		return bad(p, "is nested too deeply");
	p->e->depth++;
	blanks(p);
	if (*p->at == '\'')
		rc = quoted(p, out);
	else if (isalpha((unsigned char)*p->at) || *p->at == '_')
		rc = function(p, out);
	else
		rc = number(p, out);
	blanks(p);
	p->e->depth--;
	return rc;
}

bool wh_policy_is_expression(const char *text)
{
	size_t n = strlen(text);
	return n > 2 && text[0] == '[' && text[1] != '[' && text[n - 1] == ']';
}

static int list_value(struct wh_eval *e, const json_t *list, json_t **out)
{
	size_t i;
	json_t *v, *one;
	*out = wh_eval_own(e, json_array());
	json_array_foreach(list, i, v) {
		int rc = wh_policy_value(e, v, &one);
		if (rc)
			return rc;
		json_array_append(*out, one ? one : json_null());
	}
	return 0;
}

int wh_policy_value(struct wh_eval *e, const json_t *operand, json_t **out)
{
	const char *text = json_string_value(operand);
	if (json_is_array(operand))
		return list_value(e, operand, out);
	if (text && text[0] == '[' && text[1] == '[') { /* "[[" is a text that begins with one bracket */
		*out = wh_eval_own(e, json_string(text + 1));
		return 0;
	}
	if (!text || !wh_policy_is_expression(text)) {
		*out = json_is_null(operand) ? NULL : (json_t *)operand;
		return 0;
	}
	struct parse p = {e, text + 1, text};
	int rc = expression(&p, out);
	if (!rc && strcmp(p.at, "]"))
		rc = bad(&p, "is too much");
	return rc;
}
