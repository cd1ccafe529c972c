/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The traffic that passes a group now, and that must pass after narrowing: for each local address, and for each class of source
 * ports that the group treats alike. The planned group is read back and held against it.
 */
#include <stdlib.h>
#include <string.h>
#include "nsg/edit.h"

struct asked { const struct wh_nsg *nsg; const struct wh_tag_context *tags; const struct wh_nsg_narrowing *want; };

static struct wh_ranges copy_of(struct wh_ranges r, struct wh_arena *mem)
{
	struct wh_ranges out = {wh_arena_array(mem, r.n, sizeof *out.r), r.n};
	if (r.n)
		memcpy(out.r, r.r, r.n * sizeof *r.r);
	return out;
}

static struct wh_ranges passes_now(const struct asked *q, const struct wh_nsg *seen, const struct wh_addr *local,
                                   struct wh_arena *mem)
{
	const struct wh_nsg_narrowing *w = q->want;
	struct wh_ranges was;
	wh_policy_allowed(&seen, seen ? 1 : 0, q->tags, &(struct wh_nsg_question){w->direction, w->proto, local, w->port}, mem,
	                  &was, NULL);
	return wh_ranges_intersect(was, wh_ranges_family(wh_addr_is_v4(local), mem), mem);
}

/* The peers that pass only because of just-in-time rules: those that would not pass if these rules were denies. */
static struct wh_ranges let_in_by_jit(const struct asked *q, const struct wh_nsg *seen, const struct wh_addr *local,
                                      struct wh_ranges was, struct wh_arena *mem)
{
	struct wh_nsg closed = seen ? *seen : (struct wh_nsg){0};
	bool any = false;
	closed.rules = wh_arena_array(mem, closed.n_rules, sizeof *closed.rules);
	for (size_t i = 0; i < closed.n_rules; i++) {
		closed.rules[i] = seen->rules[i];
		if (closed.rules[i].origin == WH_ORIGIN_JIT && closed.rules[i].allow) {
			closed.rules[i].allow = false;
			any = true;
		}
	}
	return any ? wh_ranges_minus(was, passes_now(q, &closed, local, mem), mem) : (struct wh_ranges){0};
}

static bool equal(struct wh_ranges a, struct wh_ranges b, struct wh_arena *mem)
{
	return !wh_ranges_minus(a, b, mem).n && !wh_ranges_minus(b, a, mem).n;
}

/* The local addresses must be treated alike for the peers allowed from each class of source ports. */
struct ends { struct wh_ranges *of_class; bool *known; bool split, differs; };

/* The peers that must pass afterwards at one local address from one class of source ports. True when more pass now. */
static bool add_region(const struct asked *q, const struct wh_addr *local, struct wh_port_range class, size_t at,
                       struct ends *ends, struct wh_nsg_regions *regions, struct wh_arena *mem, struct wh_arena *scratch)
{
	const struct wh_nsg_narrowing *w = q->want;
	struct wh_nsg view = q->nsg ? wh_nsg_from_port(q->nsg, class.from, scratch) : (struct wh_nsg){0},
		      *seen = q->nsg ? &view : NULL;
	struct wh_ranges proposed = wh_nsg_proposed(w, scratch), was = passes_now(q, seen, local, scratch);
	struct wh_ranges jit = let_in_by_jit(q, seen, local, was, scratch), pass = wh_ranges_intersect(was, proposed, scratch);
	struct wh_ranges plain = wh_ranges_minus(proposed, wh_ranges_from_prefixes(&wh_azure_probes, 1, scratch), scratch);
	ends->split |= wh_ranges_minus(plain, was, scratch).n > 0;
	ends->differs |= ends->known[at] && !equal(ends->of_class[at], pass, scratch);
	ends->of_class[at] = pass;
	ends->known[at] = true;
	regions->r = wh_arena_grown(mem, regions->r, regions->n, &regions->room, sizeof *regions->r);
	regions->r[regions->n++] = (struct wh_nsg_region){
		w->direction, w->proto, w->port,
		class.from,   *local,   copy_of(wh_ranges_union(pass, wh_ranges_intersect(was, jit, scratch), scratch), mem)};
	return wh_ranges_minus(was, wh_ranges_union(proposed, jit, scratch), scratch).n > 0;
}

/* The addresses that the load balancer's probes reach, and would not reach any more by the proposed prefixes alone. */
static void find_probed(const struct asked *q, struct wh_nsg_passing *out, struct wh_arena *mem, struct wh_arena *scratch)
{
	const struct wh_nsg_narrowing *w = q->want;
	struct wh_ranges plain = wh_ranges_minus(wh_ranges_from_prefixes(w->prefixes, w->n_prefixes, scratch),
	                                         wh_ranges_from_prefixes(w->except, w->n_except, scratch), scratch);
	out->probed = wh_arena_array(mem, w->n_locals, sizeof *out->probed);
	for (size_t i = 0; i < w->n_locals && w->direction == WH_INBOUND && w->v4; i++) {
		const struct wh_addr *local = &w->locals[i];
		if (!wh_addr_is_v4(local) || wh_ranges_has(plain, &wh_azure_probes.addr))
			continue;
		if (wh_ranges_has(passes_now(q, q->nsg, local, scratch), &wh_azure_probes.addr))
			out->probed[out->n_probed++] = wh_prefix_of(local, 128);
	}
}

/* One allow for each set of peers, with the source ports that they pass from. */
static void split(struct wh_nsg_passing *out, const struct wh_port_range *classes, size_t n, const struct ends *ends,
                  struct wh_arena *mem, struct wh_arena *scratch)
{
	out->split = wh_arena_array(mem, n, sizeof *out->split);
	for (size_t c = 0; c < n; c++) {
		struct wh_nsg_source *s = out->split;
		size_t k = 0, same = c;
		for (size_t j = 0; j < c && same == c; j++)
			same = equal(ends->of_class[j], ends->of_class[c], scratch) ? j : c;
		if (!ends->of_class[c].n || same < c)
			continue;
		s += out->n_split++;
		s->src = wh_arena_array(mem, n, sizeof *s->src);
		for (size_t j = c; j < n; j++)
			if (equal(ends->of_class[j], ends->of_class[c], scratch)) {
				if (s->n_src && s->src[s->n_src - 1].to + 1 == classes[j].from)
					s->src[s->n_src - 1].to = classes[j].to;
				else
					s->src[s->n_src++] = classes[j];
			}
		if (s->n_src == 1 && !s->src[0].from && s->src[0].to == 65535)
			s->n_src = 0;
		wh_ranges_to_prefixes(ends->of_class[c], mem, &s->peers, &k);
		s->n_peers = k;
	}
}

void wh_nsg_pass(const struct wh_nsg *nsg, const struct wh_tag_context *tags, const struct wh_nsg_narrowing *w,
                 struct wh_arena *mem, struct wh_nsg_regions *regions, struct wh_nsg_passing *out)
{
	const struct asked q = {nsg, tags, w};
	struct wh_arena *scratch = wh_arena_new();
	struct wh_port_range *classes;
	size_t n = wh_source_ports(&nsg, nsg ? 1 : 0, w->direction, w->proto, w->port, scratch, &classes);
	struct ends ends = {wh_arena_array(scratch, n, sizeof *ends.of_class), wh_arena_array(scratch, n, sizeof *ends.known),
	                    false, false};
	*out = (struct wh_nsg_passing){0};
	for (size_t i = 0; i < w->n_locals; i++)
		for (size_t c = 0; c < n && wh_addr_is_v4(&w->locals[i]) == w->v4; c++)
			out->more |= add_region(&q, &w->locals[i], classes[c], c, &ends, regions, mem, scratch);
	for (size_t c = 1; c < n; c++)
		ends.split |= !equal(ends.of_class[c], ends.of_class[0], scratch);
	if (ends.split && n > 1) {
		out->differs = ends.differs;
		split(out, classes, n, &ends, mem, scratch);
	}
	find_probed(&q, out, mem, scratch);
	wh_arena_free(scratch);
}

int wh_nsg_verify(const char *name, const json_t *group, const struct wh_nsg_region *regions, size_t n,
                  const struct wh_tag_context *tags, struct wh_arena *mem, struct wh_error *err)
{
	struct wh_nsg after;
	char proto[8];
	int rc = wh_nsg_read(name, group, mem, &after, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n && !rc; i++) {
		const struct wh_nsg_region *g = &regions[i];
		struct wh_arena *scratch = wh_arena_new();
		const struct wh_nsg seen = wh_nsg_from_port(&after, g->source, scratch), *list[] = {&seen};
		struct wh_ranges now;
		wh_policy_allowed(list, 1, tags, &(struct wh_nsg_question){g->direction, g->proto, &g->local, g->port}, scratch,
		                  &now, NULL);
		now = wh_ranges_intersect(now, wh_ranges_family(wh_addr_is_v4(&g->local), scratch), scratch);
		if (!equal(now, g->peers, scratch))
			rc = wh_fail(err, -EPROTO, "%s: the merged rules would not decide %s %u as proposed: nothing is written",
			             name, wh_proto_text(g->proto, proto), g->port);
		wh_arena_free(scratch);
	}
	wh_nsgs_free(&after, 1);
	return rc;
}
