/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `jit policy`: the ports that may be opened, the users and the sources. A change is written with the initial rights, before they
 * are given up. */
#include <stdlib.h>
#include <string.h>
#include "cli/jit.h"
#include "cli/options.h"
#include "whittle/app_jit.h"

/* Left by cli_jit_prepare() for cli_jit_policy(). */
static struct {
	enum { LIST, SET, DELETE } what;
	int status;
	const char *resource;
} done;

/* Commands don't change policies of whittle.yaml. */
static int check_owner(const struct cli *c, struct wh_error *err)
{
	const struct wh_jit_config *j = &c->config->jit;
	for (size_t i = 0; i < j->n_policies; i++)
		if (!strcmp(j->policies[i].resource, done.resource) && !j->policies[i].kept)
			return wh_fail_input(err, -EPERM, "the policy of %s is in whittle.yaml: change it there", done.resource);
	return 0;
}

static int usage(struct cli *c, const char *why)
{
	done.status = cli_usage(c, "%s", why);
	return 0;
}

static int set(struct cli *c, int argc, char **argv, struct wh_error *err)
{
	struct wh_jit_policy_text t = {.longest_s = 3 * 3600};
	const char *longest = NULL;
	const struct cli_option options[] = {{"ports", .text = &t.ports},
	                                     {"from", .text = &t.from},
	                                     {"who", .text = &t.who},
	                                     {"longest", .text = &longest},
	                                     {0}};
	struct wh_jit_policy p;
	if ((done.status = cli_read_options(c, argc, argv, options)))
		return 0;
	if (argc - optind != 1 || !t.ports)
		return usage(c, "policy set takes a resource and --ports");
	if (longest && wh_duration_parse(longest, &t.longest_s))
		return usage(c, "--longest is a time such as 3h");
	t.resource = done.resource = argv[optind];
	int rc = check_owner(c, err);
	rc = rc ? rc : wh_jit_policy_read(&t, c->config->mem, &p, err);
	return rc ? rc : wh_jit_kept_set(c->state_dir, &p, err);
}

static int drop(struct cli *c, int argc, char **argv, struct wh_error *err)
{
	const struct cli_option options[] = {{0}};
	if ((done.status = cli_read_options(c, argc, argv, options)))
		return 0;
	if (argc - optind != 1)
		return usage(c, "policy delete takes a resource");
	done.resource = argv[optind];
	int rc = check_owner(c, err);
	return rc ? rc : wh_jit_kept_delete(c->state_dir, done.resource, err);
}

static int change(struct cli *c, int argc, char **argv, struct wh_error *err)
{
	if (cli_held_by_sudo(c))
		return wh_fail_input(err, -EPERM,
		                     "refused (policy): a line of sudoers opens ports within the policies; root makes them");
	if (!*c->state_dir)
		return wh_fail_input(err, -ENOENT, "there is no state directory for policies; set $WHITTLE_STATE");
	optind = 1;
	return done.what == SET ? set(c, argc, argv, err) : drop(c, argc, argv, err);
}

int cli_jit_prepare(struct cli *c, int argc, char **argv, uid_t uid, gid_t gid, struct wh_error *err)
{
	(void)uid, (void)gid;
	if (argc < 2 || strcmp(argv[1], "policy") || argc == 2)
		return 0;
	done.what = !strcmp(argv[2], "set") ? SET : !strcmp(argv[2], "delete") ? DELETE : LIST;
	if (done.what == LIST)
		return usage(c, "policy takes set, delete, or nothing");
	return change(c, argc - 2, argv + 2, err);
}

static void print(const json_t *doc)
{
	struct cli_table *table = cli_table_new("Resource|Ports|From|Who|Longest|Made by");
	size_t i;
	json_t *p;
	json_array_foreach(json_object_get(doc, "policies"), i, p) {
		for (const char *const *key =
		             (const char *const[]){"resource", "ports", "from", "who", "longest", "madeBy", NULL};
		     *key; key++)
			cli_table_text(table, json_string_value(json_object_get(p, *key)));
	}
	if (json_array_size(json_object_get(doc, "policies")))
		cli_table_print(table);
	else
		puts("There is no policy: `whittle jit policy set RESOURCE --ports 22` makes one.");
}

int cli_jit_policy(struct cli *c)
{
	const struct wh_app a = cli_app(c);
	if (done.status || done.what == LIST)
		return done.status ? done.status : cli_print_document(c, wh_app_jit_policies_json(&a), print);
	wh_app_journal(&a, done.what == SET ? "jit.policy.set" : "jit.policy.delete",
	               json_pack("{s:s}", "resource", done.resource));
	if (c->json)
		return cli_print_json(json_pack("{s:s, s:b}", "resource", done.resource, "kept", done.what == SET));
	printf(done.what == SET
	               ? "The policy of %s is stored. `whittle jit on` closes its ports here, `whittle jit nsg` in a group.\n"
	               : "The policy of %s is deleted. Open ports stay open until their end.\n",
	       done.resource);
	return CLI_OK;
}
