/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map for a page that draws it: rows instead of objects, with each name, place and reason once. It is written directly,
 * without a tree: 10,000 machines with 30,000 lines are 1 MB, which takes 10 ms; as objects they are 20 MB.
 */
#include <stdlib.h>
#include <string.h>
#include "base/intern.h"
#include "base/text.h"
#include "map/draw.h"
#include "whittle/map.h"

struct brief { FILE *f; const struct wh_map *m; struct intern heads, places, reasons; };

/* A text in quotes; invalid UTF-8 becomes U+FFFD. */
static void write_text(FILE *f, const char *s, size_t n)
{
	fputc('"', f);
	while (n) {
		uint32_t point;
		size_t len = wh_utf8_next(s, n, &point);
		if (!len)
			fputs("\xef\xbf\xbd", f);
		else if (point == '"' || point == '\\')
			fprintf(f, "\\%c", *s);
		else if (point < 0x20)
			fprintf(f, "\\u%04x", point);
		else
			fwrite(s, 1, len, f);
		s += len ? len : 1;
		n -= len ? len : 1;
	}
	fputc('"', f);
}

static uint32_t number_of(struct intern *i, const char *text)
{
	return intern_add(i, text, strlen(text));
}

/* An id's beginning, if the name is its end; else all of it. */
static uint32_t head_of(struct brief *b, const struct wh_map_node *n)
{
	size_t id = strlen(n->id), name = strlen(n->name);
	bool ends = id > name && n->id[id - name - 1] == '/' && !strcmp(n->id + id - name, n->name);
	return intern_add(&b->heads, n->id, ends ? id - name : id);
}

static void write_node(struct brief *b, const struct wh_map_node *n)
{
	const char *between = "";
	fprintf(b->f, "[%u,", head_of(b, n));
	write_text(b->f, n->name, strlen(n->name));
	fprintf(b->f, ",%d,%d,%u,[", n->unscanned ? WH_MAP_STATES : (int)n->state, n->facing | n->advice << 1,
	        number_of(&b->places, n->location ? n->location : ""));
	for (size_t i = 0; i < n->n_parents; i++)
		fprintf(b->f, "%s%zu", i ? "," : "", n->parents[i]);
	fputs("],[", b->f);
	for (const struct wh_map_reason *r = n->reasons; r; r = r->next, between = ",")
		fprintf(b->f, "%s%u", between, number_of(&b->reasons, r->text));
	fputs("],", b->f);
	write_text(b->f, n->about, strlen(n->about));
	fputc(']', b->f);
}

static void write_nodes(struct brief *b, const char *name, size_t from, size_t to)
{
	fprintf(b->f, ",\n\"%s\":[", name);
	for (size_t i = from; i < to; i++) {
		if (i > from)
			fputs(",\n", b->f);
		write_node(b, &b->m->nodes[i]);
	}
	fputc(']', b->f);
}

static void write_peerings(struct brief *b)
{
	const struct wh_topology *t = b->m->t;
	const char *between = "";
	fputs(",\n\"peerings\":[", b->f);
	for (size_t v = 0; v < t->n_vnets; v++)
		for (size_t k = 0; k < t->vnets[v].n_peerings; k++)
			if (wh_known(t->vnets[v].peerings[k].remote)) {
				fprintf(b->f, "%s[%zu,%zu,%d]", between, v, t->vnets[v].peerings[k].remote,
				        t->vnets[v].peerings[k].connected);
				between = ",";
			}
	fputc(']', b->f);
}

static void write_gateway(struct brief *b, const char *between, const struct wh_appliance *a, long long vnet)
{
	fprintf(b->f, "%s[", between);
	write_text(b->f, a->name, strlen(a->name));
	fputc(',', b->f);
	write_text(b->f, a->kind, strlen(a->kind));
	fprintf(b->f, ",%lld,%d]", vnet, a->internet);
}

static void write_gateways(struct brief *b)
{
	const struct wh_topology *t = b->m->t;
	const char *between = "";
	fputs(",\n\"gateways\":[", b->f);
	for (size_t i = 0; i < t->n_appliances; i++) {
		const struct wh_appliance *a = &t->appliances[i];
		write_gateway(b, between, a, wh_known(a->vnet) ? (long long)a->vnet : -1);
		between = ",";
		for (size_t v = 0; v < t->n_vnets; v++) /* a virtual hub is at each of its VNets */
			if (wh_map_is_hub_of(t, i, v))
				write_gateway(b, ",", a, (long long)v);
	}
	fputc(']', b->f);
}

static long long place(size_t node)
{
	return node == WH_NONE ? -1 : (long long)node;
}

static void write_lines(struct brief *b)
{
	fputs(",\n\"lines\":[", b->f);
	for (size_t i = 0; i < b->m->n_flows; i++) {
		const struct wh_map_flow *x = &b->m->flows[i];
		fprintf(b->f, "%s%lld,%lld,%llu", i ? "," : "", place(x->from), place(x->to), (unsigned long long)x->flows);
	}
	fputc(']', b->f);
}

static void write_texts(struct brief *b, const char *name, const struct intern *texts)
{
	fprintf(b->f, ",\n\"%s\":[", name);
	for (uint32_t i = 0; i < texts->n; i++) {
		size_t len;
		const char *text = intern_get(texts, i, &len);
		if (i)
			fputc(',', b->f);
		write_text(b->f, text, len);
	}
	fputc(']', b->f);
}

char *wh_map_brief(const struct wh_map *m, int64_t now_us, size_t *n)
{
	char *text = NULL, now[WH_TIME_STRLEN];
	struct brief b = {.f = open_memstream(&text, n),
	                  .m = m,
	                  .heads.mem = m->mem,
	                  .places.mem = m->mem,
	                  .reasons.mem = m->mem};
	if (!b.f)
		return NULL;
	fprintf(b.f, "{\"at\":\"%s\"", wh_time_text(now_us, now));
	write_nodes(&b, "vnets", 0, m->subnets);
	write_nodes(&b, "subnets", m->subnets, m->hosts);
	write_nodes(&b, "machines", m->hosts, m->n);
	write_peerings(&b);
	write_gateways(&b);
	write_lines(&b);
	write_texts(&b, "heads", &b.heads);
	write_texts(&b, "places", &b.places);
	write_texts(&b, "reasons", &b.reasons);
	fputs("}\n", b.f);
	bool failed = ferror(b.f);
	if (fclose(b.f) || failed) {
		free(text);
		return NULL;
	}
	return text;
}
