/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scene for tests of the whole way from flows to rules: a ledger in a directory of its own, an estate, days of traffic. */
#pragma once
#include "whittle/estate.h"
#include "whittle/harden.h"
#include "whittle/ledger.h"

struct scene {
	char dir[40], db[64];
	struct wh_ledger ledger;
	struct wh_locals *locals;
	struct wh_edge_table *table;
	struct wh_arena *mem;
	struct wh_estate *estate;
};

/* The text of a group "web" with one rule, that lets `source` in to these TCP ports: "\"22\", \"8000-8019\"". */
#define SCENE_NSG(source, ports)                                                                                                       \
	"{\"name\":\"web\",\"securityRules\":[{\"name\":\"allow-it\",\"priority\":300,\"access\":\"Allow\",\"direction\":\"Inbound\"," \
	"\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\",\"sourceAddressPrefix\":\"" source                                             \
	"\",\"destinationAddressPrefix\":\"*\","                                                                                       \
	"\"destinationPortRanges\":[" ports "]}]}"

extern const int64_t scene_day0_us; /* 2026-10-01T00:00:00Z */

/* vm1 is 10.0.0.4; nsg_json NULL: no NSG (open by default), else the text of vm1's NSG file. Fails the test on any error. */
void scene_open(struct scene *s, const char *nsg_json, size_t byte_limit);
void scene_close(struct scene *s);
/* Another estate in the place of vm1's, before there is traffic; the group of scene_open() is web.json. */
void scene_estate(struct scene *s, const char *yaml);
/* An answered TCP session of `kib` each way from `src` to vm1's port on day `day`, at hour `hour`, `seconds` long. */
void scene_session(struct scene *s, const char *src, uint16_t port, int day, int hour, unsigned kib, unsigned seconds);
void scene_session_to(struct scene *s, const char *src, const char *dst, uint16_t port, int day, int hour, unsigned kib,
                      unsigned seconds);
/* A session of the size of a failed login. */
void scene_guess(struct scene *s, const char *src, uint16_t port, int day, int hour);
/* A SYN that nobody answered; with severity > 0 also an IDS alert on it. */
void scene_syn(struct scene *s, struct wh_addr src, uint16_t port, int day, unsigned severity);
void scene_alert(struct scene *s, const char *src, uint16_t port, int day, unsigned severity, bool answered);
/* Five partner hosts of 140.20.30.8/29, each working a while on ssh on every day from `from` to before `to`. */
enum { SCENE_PARTNERS = 5 };
extern const char *const scene_partners[SCENE_PARTNERS];
void scene_partner_days(struct scene *s, int from, int to);
/* The options of a recommendation of at least 30 days over these ports ("22,443"); a test adds its own. */
struct wh_harden_options scene_options(struct scene *s, const char *ports);
/* Commits what was folded, and recommends; the first with the default options over ports 22, 443 and 3389. */
struct wh_recommendation *scene_recommend(struct scene *s);
struct wh_recommendation *scene_recommend_as(struct scene *s, const struct wh_harden_options *opt);
/* … with trusted configuration and threat intelligence, both merged. */
struct wh_recommendation *scene_recommend_with(struct scene *s, const struct wh_prefix *trusted, size_t n_trusted,
                                               const struct wh_prefix *listed, size_t n_listed);
/* A record as it is; scene_record() is an answered session as scene_session() makes it, to be changed by the test. */
void scene_fold(struct scene *s, const struct wh_record *r);
struct wh_record scene_record(const char *src, uint16_t port, int day, int hour, unsigned kib, unsigned seconds);
struct wh_prefix scene_prefix(const char *text); /* or the test fails */
const struct wh_recommended_rule *scene_rule(const struct wh_recommendation *r, uint16_t port); /* NULL when there is none */
bool scene_allows(const struct wh_recommended_rule *r, const char *addr);
