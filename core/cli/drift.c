/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/apply.h"
#include "whittle/firewall.h"

static const char drift_help[] =
	"usage: whittle drift [--json]\n"
	"\n"
	"Compares what the kernel holds in whittle's table, rule by rule and address by address, with what was applied last, and says\n"
	"what somebody else changed; so it does for the ports that just-in-time access keeps closed. Exit status 3 when there is something. `whittle enforce --repair` mends it. What waits for its\n"
	"confirmation is compared too, and how long it still has is told.\n"
	"\n"
	"Example: whittle drift || whittle enforce --repair\n";

static int print_json(char *difference, const struct wh_nft_state *state)
{
	char *save, *line;
	json_t *list = json_array(), *doc;
	for (line = difference ? strtok_r(difference, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		json_array_append_new(list, json_string(line));
	doc = json_pack("{s:b,s:o,s:s}", "same", json_array_size(list) == 0, "differences", list, "state",
	                !state->present ? "absent" : state->expires_in_ms ? "pending" : "confirmed");
	if (state->expires_in_ms)
		json_object_set_new(doc, "expiresIn", json_integer((state->expires_in_ms + 999) / 1000));
	return cli_print_json(doc);
}

static int print_differences(const struct cli *c, char *difference, const struct wh_nft_state *state)
{
	char *save, *line;
	if (c->json)
		return print_json(difference, state);
	if (!difference)
		puts("The kernel holds what was applied, rule by rule and address by address.");
	for (line = difference ? strtok_r(difference, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		puts(line);
	if (state->expires_in_ms)
		printf("It waits for its confirmation (`%s`): %lld seconds are left.\n", cli_confirm_command(c), (long long)(state->expires_in_ms + 999) / 1000);
	if (difference)
		puts("`whittle enforce --repair` puts back what was applied.");
	return CLI_OK;
}

/* The differences of both tables, a line each, of which either may be NULL; frees them. */
static char *joined(char *rules, char *jit)
{
	char *both = NULL;
	if (!rules || !jit)
		return rules ? rules : jit;
	if (asprintf(&both, "%s\n%s", rules, jit) < 0)
		both = NULL;
	free(rules);
	free(jit);
	return both;
}

static int drift(struct cli *c, int argc, char **argv)
{
	static const struct option opts[] = {{0}};
	struct wh_nft_state state = {0};
	struct wh_error err, jit_err;
	char *difference = NULL, *jit = NULL;
	int status = CLI_USAGE;
	if (cli_getopt(c, argc, argv, "", opts) != -1)
		goto out;
	if (optind != argc) {
		cli_usage(c, "takes no further words");
		goto out;
	}
	int rc = wh_firewall_ready(&err);
	if (rc) {
		status = cli_error(&err);
		goto out;
	}
	int known = wh_firewall_compare(WH_KEPT_WANTED, &state, &difference, &err), also = wh_firewall_jit_differs(&jit, &jit_err);
	rc = known == -ENOENT ? 0 : known;
	if (known == -ENOENT && !rc && also != 1) /* nothing is enforced, and nothing of just-in-time access is missing */
		rc = known;
	if (rc < 0) {
		status = cli_error(&err);
		goto out;
	}
	difference = joined(difference, jit);
	jit = NULL;
	if (!(status = print_differences(c, difference, &state)))
		status = difference ? CLI_FINDINGS : CLI_OK;
	if (also < 0) /* what was found counts all the same */
		status = cli_error(&jit_err);
out:
	free(difference);
	free(jit);
	return status;
}

const struct cli_command cli_drift = {.may = WH_MAY_LOOK, .confined = true, .name = "drift", .summary = "tell what somebody else changed in whittle's table", .help = drift_help, .run = drift};
