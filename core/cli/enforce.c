/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ifaddrs.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/azure.h"
#include "cli/cli.h"
#include "cli/drift.h"
#include "whittle/enforce.h"
#include "whittle/jit.h"
#include "whittle/persist.h"
#include "whittle/review.h"

static const char enforce_help[] =
	"usage: whittle enforce [--resource NAME] [--confirm-within 60s] [--audit] [--dry-run] [--force]\n"
	"       whittle enforce --repair\n"
	"       whittle enforce --to azure [RESOURCE…] [--nsg NAME|ID] [--dry-run] [--force] [--token-command COMMAND] [--json]\n"
	"\n"
	"Applies the recommended rules, as they were reviewed, to this machine's firewall: into a table of its own, in one\n"
	"transaction, after proving once more that they only narrow. A packet that whittle does not drop goes on to the rules that\n"
	"you already have; established connections, loopback and ICMP are never touched.\n"
	"\n"
	"Nothing lasts until you say so: when `whittle confirm` does not come in time, the kernel itself drops the new rules, even if\n"
	"whittle, your shell or your connection is gone by then. What was confirmed before holds again.\n"
	"\n"
	"  --resource NAME        which resource this machine is; by default the one that has its addresses\n"
	"  --confirm-within TIME  how long the rules stay without a confirmation (60s)\n"
	"  --audit                count and log what would be dropped; drop nothing\n"
	"  --dry-run              print what would be applied, apply nothing\n"
	"  --force                apply even what would cut your own SSH session\n"
	"  --repair               put back what `whittle drift` found changed: what was confirmed stays confirmed, and what waits for\n"
	"                         its confirmation has as long as it had\n"
	"\n"
	"--to azure writes the rules into the network security groups that protect the resources, through Azure Resource Manager. Each group is\n"
	"read first, and must be what was imported or what whittle itself wrote last; the plan is proved, held against Azure's limits and shown as\n"
	"rules added (+), removed (-) and moved (~). Then it is written by one PUT that fails when somebody else was faster, waited for, read back\n"
	"and compared; when that fails the former group is put back, and so are the groups changed before it. There is no confirmation:\n"
	"`whittle rollback --to azure` takes it back.\n"
	"\n"
	"  RESOURCE               only these resources (names, ids or addresses); all of the estate without\n"
	"  --nsg NAME|ID          only this group\n"
	"  --dry-run              read, plan and show; write nothing\n"
	"  --force                plan upon a group that somebody else changed since its import\n"
	"  --keep-original DAY    keep the narrowed rule below until that day, as `whittle export --help` says; after it, remove it\n"
	"  --nsg-scope SCOPE      nic, subnet or both: which groups of a resource, as `whittle export --help` says\n"
	"  --token-command CMD    prints a bearer token (azure: {token-command: …} in whittle.yaml); else it is in $WHITTLE_AZURE_TOKEN\n"
	"  --endpoint URL         https://management.azure.com, or another cloud's; --ca-file FILE where its certificate needs it\n"
	"  --wait TIME            how long to wait for Azure in all (5m)\n"
	"\n"
	"Example: whittle enforce --confirm-within 2m, try a new connection, whittle confirm\n"
	"         whittle enforce --to azure vm1 --dry-run --token-command 'az account get-access-token --query accessToken -o tsv'\n";

static const char *who(void)
{
	const char *sudo = getenv("SUDO_USER");
	struct passwd *pw = getpwuid(getuid());
	return sudo && *sudo && geteuid() == 0 ? sudo : pw ? pw->pw_name : "unknown";
}

/* The ledger, opened for its journal before privileges are given up; NULL where it can't be written. Then the privileges. */
static int give_up_privileges(struct cli *c, struct wh_store **journal, struct wh_error *err)
{
	struct wh_error ignored;
	*journal = NULL;
	if (wh_store_open(c->store_url, WH_STORE_WRITE, journal, &ignored))
		*journal = NULL; /* what cannot be written down can be done all the same: a way back must never depend on it */
	return wh_enforce_privileges(c->store_url, err);
}

static void log_it(struct wh_store *journal, const char *what, const char *json)
{
	struct wh_error err;
	if (journal && wh_store_log(journal, who(), what, json, &err))
		cli_error(&err);
}

/* What outlives a reboot: PERSIST_APPLIED keeps what is applied until it is confirmed, which PERSIST_CONFIRMED does. */
enum persist { PERSIST_APPLIED, PERSIST_CONFIRMED, PERSIST_FORGET };
static int persist(const struct cli *c, enum persist what, const struct wh_nft_ruleset *rs)
{
	struct wh_error err;
	char dir[4096];
	size_t n;
	int rc = wh_persist_dir(c->store_url, dir, sizeof dir, &err);
	if (!rc)
		rc = what == PERSIST_APPLIED ? wh_persist_applied(dir, rs, &err) : what == PERSIST_CONFIRMED ? wh_persist_confirmed(dir, &err)
		                                                                                             : wh_persist_forget(dir, true, false, &n, &err);
	return rc ? cli_error(&err) : CLI_OK;
}

/* The resources whose addresses this machine's interfaces have. */
static size_t own_resources(const struct wh_estate *e, const char **names, size_t max)
{
	struct ifaddrs *list;
	size_t n = 0;
	if (getifaddrs(&list))
		return 0;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		struct wh_addr a;
		if (!i->ifa_addr)
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			a = wh_addr_v4(ntohl(((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr.s_addr));
		else if (i->ifa_addr->sa_family == AF_INET6)
			memcpy(a.b, &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr, 16);
		else
			continue;
		const struct wh_resource *r = wh_estate_by_addr(e, &a);
		bool had = false;
		for (size_t k = 0; k < n; k++)
			had |= r && names[k] == r->name;
		if (r && !had && n < max)
			names[n++] = r->name;
	}
	freeifaddrs(list);
	return n;
}

/* $SSH_CONNECTION is "client port server port". */
static int check_own_session(const struct wh_nft_ruleset *rs, bool force, struct wh_error *err)
{
	const char *ssh = getenv("SSH_CONNECTION");
	char client[64], server[64];
	unsigned cport, sport;
	struct wh_addr a;
	if (!ssh || sscanf(ssh, "%63s %u %63s %u", client, &cport, server, &sport) != 4 || wh_addr_parse(client, strlen(client), &a))
		return 0;
	for (size_t i = 0; i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		const struct wh_prefix *set = wh_addr_is_v4(&a) ? p->v4 : p->v6;
		size_t n = wh_addr_is_v4(&a) ? p->n_v4 : p->n_v6;
		bool in = false;
		if (p->direction != WH_INBOUND || p->proto != WH_PROTO_TCP || p->port != sport)
			continue;
		for (size_t k = 0; k < n; k++)
			in |= wh_prefix_has(&set[k], &a);
		if (!in && !force)
			return wh_fail_input(err, -EPERM, "refused: you are connected from %s, which could not connect to port %u again after this; "
			                     "add it with `whittle rules edit`, or use --force", client, sport);
		if (!in)
			fprintf(stderr, "whittle: your own address %s will not be able to connect again to port %u\n", client, sport);
	}
	return 0;
}

static int prove_again(const struct wh_recommendation *r, const struct wh_estate *e, struct wh_arena *mem, struct wh_error *err)
{
	for (size_t i = 0; i < r->n_resources; i++) {
		struct wh_counterexample ce;
		char addr[WH_ADDR_STRLEN], proto[8];
		int rc = wh_prove(e, r->resources[i].resource, r->resources[i].rules, r->resources[i].n_rules, mem, &ce, err);
		if (rc == 1)
			return wh_fail(err, -EPERM, "%s: refused: the rules would allow %s to port %u/%s, which the present policy does not; run `whittle recommend` again",
			               r->resources[i].resource->name, wh_addr_text(&ce.peer, addr), ce.port, wh_proto_text(ce.proto, proto));
		if (rc)
			return rc;
	}
	return 0;
}

struct job {
	struct cli *c;
	struct wh_arena *mem;
	struct wh_enforce_options opt;
	const char *names[64];
	size_t n;
	bool dry, force;
};

static int leave_to_jit(struct wh_nft_ruleset *rs, struct wh_arena *mem, struct wh_error *err)
{
	const char *left;
	int rc = wh_jit_leave_out(rs, mem, &left, err);
	if (rc == -EPERM) /* a dry run without the right to ask; an apply fails by itself */
		return 0;
	if (!rc && left)
		fprintf(stderr, "whittle: port %s is left to just-in-time access, which keeps it closed (whittle jit)\n", left);
	return rc;
}

static int prepare(struct job *j, struct wh_nft_ruleset **rs, struct wh_error *err)
{
	struct wh_store *s;
	struct wh_estate *e = NULL;
	struct wh_recommendation *r;
	int rc = wh_store_open(j->c->store_url, WH_STORE_READ, &s, err);
	if (rc)
		return rc;
	rc = wh_estate_load(s, j->mem, &e, err);
	for (size_t i = 0; !rc && i < j->n; i++) {
		const struct wh_resource *res = wh_estate_find(e, j->names[i]);
		if (!res)
			rc = wh_fail_input(err, -ENOENT, "there is no resource '%s'", j->names[i]);
		else
			j->names[i] = res->name;
	}
	if (!rc && !j->n)
		j->n = own_resources(e, j->names, sizeof j->names / sizeof *j->names);
	if (!rc && !j->n)
		rc = wh_fail_input(err, -ENOENT, "no resource has an address of this machine: name the one that it is with --resource");
	if (!rc)
		rc = wh_review_load(s, e, j->mem, &r, err);
	if (!rc)
		rc = prove_again(r, e, j->mem, err);
	if (!rc)
		rc = wh_nft_ruleset_from(r, e, j->names, j->n, j->mem, rs, err);
	wh_estate_free(e);
	wh_store_close(s);
	return rc;
}

/* What the kernel and the session have to say about the rules, asked with few privileges. */
static int check(struct job *j, struct wh_nft_ruleset *rs, struct wh_error *err)
{
	int rc = leave_to_jit(rs, j->mem, err);
	if (!rc && !rs->n_ports)
		rc = wh_fail(err, -ENODATA, "there is nothing to enforce: no rule is recommended for this machine (`whittle status` says why)");
	rs->audit = j->opt.audit;
	return rc ? rc : check_own_session(rs, j->force, err);
}

static int repair(struct cli *c, struct wh_arena *mem)
{
	struct wh_enforce_options opt = {0};
	struct wh_enforce_result res;
	struct wh_nft_ruleset *rs;
	struct wh_nft_state state;
	struct wh_store *journal = NULL;
	struct wh_error err;
	char *difference = NULL;
	int rc = cli_enforced_rules(c, mem, &rs, &state, &err);
	rc = rc ? rc : give_up_privileges(c, &journal, &err);
	rc = rc ? rc : wh_nft_compare(rs, &difference, &err);
	if (rc == 1) {
		opt.audit = rs->audit;
		opt.confirm_within_s = (state.expires_in_ms + 999) / 1000;
		rc = wh_nft_apply(rs, &opt, &res, &err);
		if (!rc) {
			json_t *doc = json_pack("{s:s}", "was", difference ? difference : "");
			char *text = json_dumps(doc, JSON_COMPACT);
			log_it(journal, "enforce.repair", text ? text : "{}");
			printf("Put back and read back. What was changed:\n%s\n", difference ? difference : "");
			free(text);
			json_decref(doc);
		}
	} else if (!rc) {
		puts("There is nothing to repair: the kernel holds what was applied.");
	}
	free(difference);
	wh_store_close(journal);
	return rc ? cli_error(&err) : CLI_OK;
}

static int enforce(struct cli *c, int argc, char **argv)
{
	static const struct option opts[] = {{"resource", 1, 0, 'r'}, {"confirm-within", 1, 0, 'c'}, {"audit", 0, 0, 'a'}, {"dry-run", 0, 0, 'n'},
	                                     {"force", 0, 0, 'f'}, {"repair", 0, 0, 'm'}, {"to", 1, 0, 't'}, {0}};
	struct job j = {.c = c, .opt = {.confirm_within_s = 60}};
	struct wh_enforce_result res;
	struct wh_nft_ruleset *rs;
	struct wh_store *journal = NULL;
	struct wh_error err;
	bool mend = false;
	int o;
	if (cli_is_azure(argc, argv))
		return cli_azure(c, argc, argv, false);
	while ((o = cli_getopt(c, argc, argv, "", opts)) != -1) {
		switch (o) {
		case 'r':
			if (j.n == sizeof j.names / sizeof *j.names)
				return cli_usage(c, "too many resources");
			j.names[j.n++] = optarg;
			break;
		case 'c':
			if (wh_duration_parse(optarg, &j.opt.confirm_within_s) || j.opt.confirm_within_s < 1 || j.opt.confirm_within_s > 86400)
				return cli_usage(c, "'%s' is not a time from 1s to 24h", optarg);
			break;
		case 'a': j.opt.audit = true; break;
		case 'n': j.dry = true; break;
		case 'f': j.force = true; break;
		case 'm': mend = true; break;
		case 't':
			if (strcmp(optarg, "nft"))
				return cli_usage(c, "unknown target '%s'; there are nft and azure", optarg);
			break;
		default: return CLI_USAGE;
		}
	}
	if (optind != argc)
		return cli_usage(c, "takes no further words");
	j.mem = wh_arena_new();
	if (mend) {
		o = repair(c, j.mem);
		wh_arena_free(j.mem);
		return o;
	}
	int rc = prepare(&j, &rs, &err);
	if (!rc && !j.dry)
		rc = give_up_privileges(c, &journal, &err);
	if (!rc)
		rc = check(&j, rs, &err);
	if (!rc && j.dry) {
		char *text = wh_nft_text(rs, j.opt.confirm_within_s);
		fputs(text ? text : "", stdout);
		free(text);
	} else if (!rc) {
		rc = wh_nft_apply(rs, &j.opt, &res, &err);
		if (!rc) {
			if (!res.unchanged)
				persist(c, PERSIST_APPLIED, rs);
			char json[256];
			snprintf(json, sizeof json, "{\"ports\":%zu,\"prefixes\":%zu,\"audit\":%s,\"confirmWithin\":%lld}", res.ports, res.prefixes, j.opt.audit ? "true" : "false",
			         (long long)j.opt.confirm_within_s);
			log_it(journal, "enforce.apply", json);
			printf("Applied and read back: %zu port%s narrowed to %zu prefix%s%s.\n", res.ports, res.ports == 1 ? "" : "s", res.prefixes, res.prefixes == 1 ? "" : "es",
			       j.opt.audit ? " (audit: nothing is dropped)" : "");
			if (res.unchanged)
				puts("That is what was confirmed before: nothing has changed, and nothing is left to confirm.");
			else
				printf("The kernel takes them back in %lld seconds unless you run `whittle confirm`. Try a new connection first.\n", (long long)j.opt.confirm_within_s);
		}
	}
	wh_store_close(journal);
	wh_arena_free(j.mem);
	return rc ? cli_error(&err) : CLI_OK;
}

static int confirm(struct cli *c, int argc, char **argv)
{
	struct wh_store *journal;
	struct wh_error err;
	(void)argv;
	if (argc != 1)
		return cli_usage(c, "takes no further words");
	int rc = give_up_privileges(c, &journal, &err);
	rc = rc ? rc : wh_nft_confirm(&err);
	if (!rc)
		log_it(journal, "enforce.confirm", "{}");
	wh_store_close(journal);
	if (rc)
		return cli_error(&err);
	puts("Confirmed: the rules stay. `whittle rollback` takes them away.");
	return persist(c, PERSIST_CONFIRMED, NULL) ? CLI_FAILED : CLI_OK;
}

static int rollback(struct cli *c, int argc, char **argv)
{
	static const struct option opts[] = {{"to", 1, 0, 't'}, {0}};
	struct wh_store *journal;
	struct wh_error err;
	int o;
	if (cli_is_azure(argc, argv))
		return cli_azure(c, argc, argv, true);
	while ((o = cli_getopt(c, argc, argv, "", opts)) != -1)
		if (o == '?' || strcmp(optarg, "nft") != 0)
			return o == '?' ? CLI_USAGE : cli_usage(c, "unknown target '%s'; there are nft and azure", optarg);
	if (optind != argc)
		return cli_usage(c, "takes no further words");
	int kept = persist(c, PERSIST_FORGET, NULL); /* first: what is killed here must not come back with the next start */
	int rc = give_up_privileges(c, &journal, &err);
	rc = rc ? rc : wh_nft_rollback(&err);
	if (!rc)
		log_it(journal, "enforce.rollback", "{}");
	wh_store_close(journal);
	if (rc)
		return cli_error(&err);
	puts("whittle's table is gone; nothing else was touched.");
	return kept;
}

const struct cli_command cli_enforce = {.name = "enforce", .summary = "apply the rules to this machine, until confirmed for a minute only", .help = enforce_help, .run = enforce};
const struct cli_command cli_confirm = {.name = "confirm", .summary = "keep what enforce applied",
	.help = "usage: whittle confirm\n\nKeeps the rules that `whittle enforce` applied, in one transaction. From any terminal, also after reconnecting.\n"
	        "When their time was up it says so (exit status 1): then the machine is as it was before.\n"
	        "\nExample: whittle enforce && ssh -o ConnectTimeout=5 thishost true && whittle confirm\n", .run = confirm};
const struct cli_command cli_rollback = {.name = "rollback", .summary = "take the rules away, now",
	.help = "usage: whittle rollback\n       whittle rollback --to azure [--nsg NAME|ID] [--force] [--token-command COMMAND] [--json]\n"
	        "\nDeletes whittle's own table, confirmed or not, and nothing else.\n"
	        "\nWith --to azure, puts back the rules that each network security group (or one, --nsg) had before `whittle enforce --to azure`\n"
	        "changed it last, unless somebody else changed them since (--force). Rules of just-in-time access stay as they are. The other options\n"
	        "(--endpoint, --ca-file, --wait) are those of enforce.\n"
	        "\nExample: whittle rollback\n", .run = rollback};
