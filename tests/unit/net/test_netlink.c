/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps of nf_tables from the real kernel, in a network namespace of the test's own. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <cmocka.h>
#include "net/netlink.h"
#include "net/nf_listen.h"

enum { TABLES = 3000 }; /* their dump takes several answers of the kernel */

static void add_tables(struct wh_nl *nl, const char *name, unsigned n)
{
	struct wh_batch b;
	struct wh_error err;
	wh_batch_begin(&b, wh_nl_generation(nl, &err));
	for (unsigned i = 0; i < n; i++) {
		char text[32];
		snprintf(text, sizeof text, "%s%u", name, i);
		struct nlmsghdr *h = wh_batch_msg(&b, NFT_MSG_NEWTABLE, NLM_F_CREATE, 128, text);
		mnl_attr_put_strz(h, NFTA_TABLE_NAME, text);
		wh_batch_done(&b, h);
	}
	if (wh_nl_commit(nl, &b, &err))
		fail_msg("%s", err.text);
	wh_batch_free(&b);
}

struct dump { struct wh_nl *other; size_t n; };

static int count(const struct nlmsghdr *h, void *arg)
{
	struct dump *d = arg;
	(void)h;
	if (!d->n++ && d->other)
		add_tables(d->other, "late", 1); /* the ruleset changes under the dump */
	return MNL_CB_OK;
}

static void after_an_interrupted_dump_the_next_one_is_whole(void **state)
{
	struct wh_nl *nl, *other;
	struct wh_error err;
	(void)state;
	if (unshare(CLONE_NEWNET))
		skip();
	if (wh_nl_open(&nl, &err) || wh_nl_open(&other, &err))
		fail_msg("%s", err.text);
	add_tables(nl, "t", TABLES);
	struct dump interrupted = {.other = other}, whole = {0};
	assert_int_equal(wh_nl_dump(nl, NFT_MSG_GETTABLE, NLM_F_DUMP, NULL, NULL, count, &interrupted), -EAGAIN);
	assert_in_range(interrupted.n, 1, TABLES - 1);
	assert_int_equal(wh_nl_dump(nl, NFT_MSG_GETTABLE, NLM_F_DUMP, NULL, NULL, count, &whole), 0);
	assert_int_equal(whole.n, TABLES + 1);
	wh_nl_close(nl);
	wh_nl_close(other);
}

static void a_listener_to_changes_of_nf_tables_is_found_by_its_group(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET))
		skip();
	int fd = wh_nf_events_open();
	if (fd < 0)
		skip();
	assert_true(wh_nf_events_heard("/proc"));
	close(fd);
	assert_false(wh_nf_events_heard("/proc"));
	assert_false(wh_nf_events_heard("/nowhere"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_an_interrupted_dump_the_next_one_is_whole),
		cmocka_unit_test(a_listener_to_changes_of_nf_tables_is_found_by_its_group),
	};
	return cmocka_run_group_tests_name("netlink", tests, NULL, NULL);
}
