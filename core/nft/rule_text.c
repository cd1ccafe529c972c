/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules as text, so that the existing ones can be compared with the wanted ones. */
#include <stdio.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include "nft/table.h"

struct printing { FILE *f; bool counts; };

/* A counter's values are no difference, nor is a counter in front of a verdict that accepts: earlier versions had none
 * there. */
static int expr_text(struct nftnl_expr *e, void *arg)
{
	struct printing *p = arg;
	char text[512];
	const char *kind = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	bool counts = p->counts;
	p->counts = kind && !strcmp(kind, "counter");
	if (p->counts)
		return 0;
	nftnl_expr_snprintf(text, sizeof text, e, NFTNL_OUTPUT_DEFAULT, 0);
	if (counts && !(kind && !strcmp(kind, "immediate") && nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT) == NF_ACCEPT))
		fputs("[counter counter]", p->f);
	fprintf(p->f, "[%s %s]", kind ? kind : "?", text);
	return 0;
}

static void print_rule(FILE *f, const struct nftnl_rule *r)
{
	struct printing p = {.f = f};
	nftnl_expr_foreach((struct nftnl_rule *)(uintptr_t)r, expr_text, &p);
	if (p.counts)
		fputs("[counter counter]", f);
	fputc('\n', f);
}

char *wh_rule_text(const struct nftnl_rule *r)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	print_rule(f, r);
	fclose(f);
	return text;
}

char *wh_rules_text(const struct wh_rules *r)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	for (size_t i = 0; i < r->n; i++)
		print_rule(f, r->r[i]);
	fclose(f);
	return text;
}
