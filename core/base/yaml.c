/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libyaml's events are turned into a tree. YAML's surprising features are refused, because these files decide what a firewall
 * does: aliases and anchors, tags, duplicate keys, several documents, keys that are not plain text, NUL characters. Depth and
 * size are bounded, and duplicate keys are found by sorting, so no file can make this quadratic.
 */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "base/json.h"
#include "base/yaml.h"

#define MAX_DEPTH 32
#define MAX_BYTES (64u << 20)
#define MAX_NODES (2u << 20) /* of about 80 bytes */

struct frame {
	struct wh_yaml *node, **tail;
	const char *key; /* a map's key that waits for its value */
	int key_line;
	size_t n;        /* children */
};

struct builder {
	const char *name;
	struct wh_arena *mem;
	struct wh_error *err;
	struct wh_yaml *root;
	struct frame stack[MAX_DEPTH];
	int depth;
	size_t nodes;
	bool seen_document;
};

static int by_key_then_line(const void *a, const void *b)
{
	const struct wh_yaml *x = *(struct wh_yaml *const *)a, *y = *(struct wh_yaml *const *)b;
	int c = strcmp(x->key, y->key);
	return c ? c : (x->line > y->line) - (x->line < y->line);
}

static int refuse_duplicates(struct builder *b, const struct frame *f)
{
	struct wh_yaml **all;
	size_t i = 0;
	int rc = 0;

	if (f->n < 2)
		return 0;
	if (!(all = malloc(f->n * sizeof *all)))
		return wh_fail(b->err, -ENOMEM, "%s: out of memory", b->name);
	for (struct wh_yaml *k = f->node->child; k; k = k->next)
		all[i++] = k;
	qsort(all, f->n, sizeof *all, by_key_then_line);
	for (i = 1; i < f->n && !rc; i++)
		if (!strcmp(all[i - 1]->key, all[i]->key))
			rc = wh_fail_input(b->err, -EINVAL, "%s:%d: the key '%.60s' is in the map twice (first on line %d)",
			                   b->name, all[i]->line, all[i]->key, all[i - 1]->line);
	free(all);
	return rc;
}

/* Appends a node to the open list or map, or makes it the root. */
static int attach(struct builder *b, struct wh_yaml *node)
{
	if (++b->nodes > MAX_NODES)
		return wh_fail_input(b->err, -EFBIG, "%s:%d: more than %u values, the limit", b->name, node->line,
		                     MAX_NODES);
	if (b->depth == 0) {
		b->root = node;
		return 0;
	}
	struct frame *f = &b->stack[b->depth - 1];
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a frame is pushed with its node and tail */
	if (f->node->kind == WH_YAML_MAP) {
		node->key = f->key;
		f->key = NULL;
	}
	*f->tail = node;
	f->tail = &node->next;
	f->n++;
	return 0;
}

static struct wh_yaml *new_node(struct builder *b, enum wh_yaml_kind kind, const yaml_event_t *e)
{
	struct wh_yaml *node = wh_arena_alloc(b->mem, sizeof *node);
	node->kind = kind;
	node->line = (int)e->start_mark.line + 1;
	return node;
}

static bool awaits_key(const struct builder *b)
{
	const struct frame *f = b->depth ? &b->stack[b->depth - 1] : NULL;
	return f && f->node && f->node->kind == WH_YAML_MAP && !f->key;
}

static int open_node(struct builder *b, enum wh_yaml_kind kind, const yaml_event_t *e)
{
	int line = (int)e->start_mark.line + 1, rc;

	if (awaits_key(b))
		return wh_fail_input(b->err, -EINVAL, "%s:%d: a key must be plain text, not a list or map", b->name, line);
	if (b->depth == MAX_DEPTH)
		return wh_fail_input(b->err, -EINVAL, "%s:%d: nested deeper than %d levels", b->name, line, MAX_DEPTH);
	struct wh_yaml *node = new_node(b, kind, e);
	if ((rc = attach(b, node)))
		return rc;
	b->stack[b->depth++] = (struct frame){.node = node, .tail = &node->child};
	return 0;
}

static int close_node(struct builder *b)
{
	struct frame *f = &b->stack[--b->depth];
	return f->node && f->node->kind == WH_YAML_MAP ? refuse_duplicates(b, f) : 0;
}

static int scalar(struct builder *b, const yaml_event_t *e)
{
	int line = (int)e->start_mark.line + 1;
	const char *value = (const char *)e->data.scalar.value;

	if (strlen(value) != e->data.scalar.length)
		return wh_fail_input(b->err, -EINVAL, "%s:%d: a NUL character is not text", b->name, line);
	if (awaits_key(b)) {
		b->stack[b->depth - 1].key = wh_arena_strdup(b->mem, value);
		b->stack[b->depth - 1].key_line = line;
		return 0;
	}
	struct wh_yaml *node = new_node(b, WH_YAML_SCALAR, e);
	/* libyaml places an empty value at the next token: use its key's line, which a person looks for */
	if (!*value && b->depth && b->stack[b->depth - 1].key)
		node->line = b->stack[b->depth - 1].key_line;
	node->scalar = wh_arena_strdup(b->mem, value);
	node->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return attach(b, node);
}

/* Refuses an anchor or a tag on any node. */
static int refuse_decoration(const struct builder *b, const yaml_event_t *e, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	int line = (int)e->start_mark.line + 1;
	if (anchor)
		return wh_fail_input(b->err, -EINVAL, "%s:%d: anchors and aliases ('&%.40s') are not read: write the value out",
		                     b->name, line, (const char *)anchor);
	if (tag)
		return wh_fail_input(b->err, -EINVAL, "%s:%d: tags ('%.40s') are not read: leave it out", b->name, line,
		                     (const char *)tag);
	return 0;
}

static int on_event(struct builder *b, const yaml_event_t *e)
{
	int rc;
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->seen_document)
			return wh_fail_input(b->err, -EINVAL, "%s:%d: a second document ('---') begins here: only one is allowed",
			                     b->name, (int)e->start_mark.line + 1);
		b->seen_document = true;
		return 0;
	case YAML_ALIAS_EVENT:
		return wh_fail_input(b->err, -EINVAL, "%s:%d: anchors and aliases ('*%.40s') are not read: write the value out",
		                     b->name, (int)e->start_mark.line + 1, (const char *)e->data.alias.anchor);
	case YAML_SCALAR_EVENT:
		rc = refuse_decoration(b, e, e->data.scalar.anchor, e->data.scalar.tag);
		return rc ? rc : scalar(b, e);
	case YAML_SEQUENCE_START_EVENT:
		rc = refuse_decoration(b, e, e->data.sequence_start.anchor, e->data.sequence_start.tag);
		return rc ? rc : open_node(b, WH_YAML_LIST, e);
	case YAML_MAPPING_START_EVENT:
		rc = refuse_decoration(b, e, e->data.mapping_start.anchor, e->data.mapping_start.tag);
		return rc ? rc : open_node(b, WH_YAML_MAP, e);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_node(b);
	default:
		return 0;
	}
}

static int parser_error(const char *name, const yaml_parser_t *p, const char *text, size_t len, struct wh_error *err)
{
	size_t line = p->problem_mark.line + 1;

	if (p->error == YAML_MEMORY_ERROR)
		return wh_fail(err, -ENOMEM, "%s: out of memory", name);
	if (p->error == YAML_READER_ERROR) { /* has an offset, but no line */
		line = 1;
		for (size_t i = 0; i < p->problem_offset && i < len; i++)
			line += text[i] == '\n';
	}
	const char *problem = p->problem ? p->problem : "it cannot be read";
	if (p->context)
		return wh_fail_input(err, -EINVAL, "%s:%zu: not YAML: %s, %s that begins on line %zu", name, line, problem,
		                     p->context, p->context_mark.line + 1);
	return wh_fail_input(err, -EINVAL, "%s:%zu: not YAML: %s", name, line, problem);
}

int wh_yaml_parse(const char *name, const char *text, size_t len, struct wh_arena *mem, struct wh_yaml **root,
                  struct wh_error *err)
{
	struct builder b = {.name = name, .mem = mem, .err = err};
	yaml_parser_t p;
	int rc = 0;

	*root = NULL;
	if (len > MAX_BYTES)
		return wh_fail_input(err, -EFBIG, "%s: larger than %u bytes, the limit for such a file", name,
		                     MAX_BYTES);
	if (!yaml_parser_initialize(&p))
		return wh_fail(err, -ENOMEM, "%s: out of memory", name);
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
	for (bool end = false; !end && !rc;) {
		yaml_event_t e;
		if (!yaml_parser_parse(&p, &e)) {
			rc = parser_error(name, &p, text, len, err);
			break;
		}
		end = e.type == YAML_STREAM_END_EVENT;
		rc = on_event(&b, &e);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&p);
	if (rc)
		return rc;
	/* a file with only comments, or one plain empty value, is an empty document */
	if (b.root && b.root->kind == WH_YAML_SCALAR && !b.root->quoted && !*b.root->scalar)
		b.root = NULL;
	*root = b.root;
	return 0;
}

int wh_yaml_parse_file(const char *path, struct wh_arena *mem, struct wh_yaml **root, struct wh_error *err)
{
	char *text;
	size_t len;
	int rc = wh_read_file(path, MAX_BYTES, &text, &len, err);

	*root = NULL;
	if (rc)
		return rc;
	rc = wh_yaml_parse(strcmp(path, "-") ? path : "standard input", text, len, mem, root, err);
	free(text);
	return rc;
}

int wh_yaml_parse_list_file(const char *path, const char *key, struct wh_arena *mem, struct wh_yaml **root,
                            const struct wh_yaml **list, size_t *n, struct wh_error *err)
{
	*list = NULL;
	*n = 0;
	int rc = wh_yaml_parse_file(path, mem, root, err);
	if (rc)
		return rc;
	const struct wh_yaml *l = *root && (*root)->kind == WH_YAML_MAP ? wh_yaml_get(*root, key) : NULL;
	if (!l || l->kind != WH_YAML_LIST)
		return wh_fail_input(err, -EINVAL, "%s: it holds no list '%s'", path, key);
	for (const struct wh_yaml *v = l->child; v; v = v->next)
		++*n;
	*list = l;
	return 0;
}

struct wh_yaml *wh_yaml_get(const struct wh_yaml *map, const char *key)
{
	if (map && map->kind == WH_YAML_MAP)
		for (struct wh_yaml *n = map->child; n; n = n->next)
			if (!strcmp(n->key, key))
				return n;
	return NULL;
}
