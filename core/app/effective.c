/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Azure's own evaluation of groups, where the documents have it, held against ours. */
#include <stdlib.h>
#include "app/network.h"
#include "whittle/state.h"

static json_t *difference_json(const struct wh_effective_difference *x, struct wh_arena *mem)
{
	const struct wh_filter_packet *p = &x->packet;
	bool in = p->direction == WH_INBOUND;
	char local[WH_ADDR_STRLEN], peer[WH_ADDR_STRLEN], buf[8];
	const char *proto = wh_proto_text(p->proto, buf);
	wh_addr_text(&p->local, local);
	wh_addr_text(&p->peer, peer);
	const char *port = x->ports.n ? wh_arena_printf(mem, " port %u", p->dport) : "",
		   *azure = x->azure_rule ? x->azure_rule : "its default", *own = x->own_rule ? x->own_rule : "its default";
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:i, s:i}, s:s}", "nsg", x->nsg, "at", x->at,
	                 "direction", wh_direction_text(p->direction), "azure", x->azure_allows ? "Allow" : "Deny", "azureRule",
	                 azure, "inventory", x->azure_allows ? "Deny" : "Allow", "inventoryRule", own, "ports",
	                 x->ports.n ? wh_ports_text(x->ports, mem) : "", "packet", "from", in ? peer : local, "to",
	                 in ? local : peer, "protocol", proto, "sourcePort", p->sport, "destinationPort", p->dport, "sentence",
	                 wh_arena_printf(mem, "%s at %s: Azure %s %s from %s to %s%s by %s, and the imported group %s it by %s",
	                                 x->nsg, x->at, x->azure_allows ? "allows" : "denies", proto, in ? peer : local,
	                                 in ? local : peer, port, azure, x->azure_allows ? "denies" : "allows", own));
}

void wh_app_effective(struct wh_app_network *net, const struct wh_inventory *inv, json_t **differences, json_t **unjudged)
{
	struct wh_effective_answer answer = {.n = 0};
	for (size_t i = 0; i < inv->n_effective; i++)
		wh_reach_effective(net->r, &inv->effective[i], &answer);
	*differences = json_array();
	*unjudged = json_array();
	for (size_t i = 0; i < answer.n; i++)
		json_array_append_new(*differences, difference_json(&answer.list[i], net->mem));
	for (size_t i = 0; i < answer.n_unjudged; i++)
		json_array_append_new(*unjudged, json_string(answer.unjudged[i]));
}

/* A line for each, behind the notes of the summary. */
static void print(FILE *f, const json_t *differences, const json_t *unjudged, size_t *n)
{
	size_t i;
	json_t *v;
	json_array_foreach((json_t *)(uintptr_t)differences, i, v)
		fprintf(f, "%s\n", json_string_value(json_object_get(v, "sentence")));
	json_array_foreach((json_t *)(uintptr_t)unjudged, i, v)
		fprintf(f, "%s\n", json_string_value(v));
	*n += json_array_size(differences) + json_array_size(unjudged);
}

int wh_app_effective_notes(struct wh_state *s, struct wh_estate_summary *sum, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_inventory inv = {.mem = mem};
	struct wh_app_network *net = NULL;
	json_t *differences = NULL, *unjudged = NULL;
	char *text = NULL;
	size_t len;
	int rc = wh_inventory_load_effective(s, &inv, err);
	if (!rc && inv.n_effective && !(rc = wh_app_network_open(s, NULL, 0, &net, err))) {
		wh_app_effective(net, &inv, &differences, &unjudged);
		FILE *f = open_memstream(&text, &len);
		if (f) {
			fputs(sum->note_texts ? sum->note_texts : "", f);
			print(f, differences, unjudged, &sum->notes);
			fclose(f);
			free(sum->note_texts);
			sum->note_texts = text;
		}
	}
	json_decref(differences);
	json_decref(unjudged);
	wh_app_network_close(net);
	wh_inventory_free(&inv);
	wh_arena_free(mem);
	return rc;
}
