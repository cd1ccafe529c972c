/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the members of a record as text. */
#include "eve_inside.h"

static void space(struct eve_gen *g, const struct eve_style *s)
{
	static const char *const some[] = {" ", "  ", "\t", "\r", "\n", " \r\n ", "", "", "", ""};
	if (s->spaces)
		eve_gen_add(g, PICK(g, some));
}

static void write_object(struct eve_gen *g, const struct eve_object *o, const struct eve_style *s)
{
	eve_gen_add(g, "{");
	for (unsigned i = 0; i < o->n; i++) {
		if (i)
			eve_gen_add(g, ",");
		space(g, s);
		eve_gen_add(g, "\"");
		eve_gen_add(g, o->m[i].key);
		eve_gen_add(g, "\"");
		space(g, s);
		eve_gen_add(g, ":");
		space(g, s);
		eve_gen_add(g, o->m[i].value);
		space(g, s);
	}
	eve_gen_add(g, "}");
}

void eve_gen_write(struct eve_gen *g, struct eve_object *top, struct eve_object *const inner[3], const struct eve_style *s)
{
	static const char *const names[] = {"flow", "tcp", "alert"};
	space(g, s);
	eve_gen_add(g, "{");
	bool first = true;
	unsigned inner_at = top->n ? (unsigned)eve_gen_random(g, 4) ? top->n : (unsigned)eve_gen_random(g, top->n) : 0;
	for (unsigned i = 0; i <= top->n; i++) {
		for (unsigned k = 0; i == inner_at && k < 3; k++) {
			if (!inner[k]->n)
				continue;
			for (unsigned twice = s->distorted && one_in(g, 20) ? 2 : 1; twice; twice--) {
				eve_gen_add(g, first ? "\"" : ",\"");
				eve_gen_add(g, names[k]);
				eve_gen_add(g, "\":");
				first = false;
				write_object(g, inner[k], s);
				if (twice == 2)
					eve_gen_distort(g, inner[k]);
			}
		}
		if (i == top->n)
			break;
		eve_gen_add(g, first ? "" : ",");
		first = false;
		space(g, s);
		eve_gen_add(g, "\"");
		eve_gen_add(g, top->m[i].key);
		eve_gen_add(g, "\":");
		space(g, s);
		eve_gen_add(g, top->m[i].value);
		space(g, s);
	}
	eve_gen_add(g, "}");
	space(g, s);
}
