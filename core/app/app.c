/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "app/network.h"
#include "base/heap.h"
#include "base/json.h"
#include "whittle/app_rules.h"

void wh_app_note(const struct wh_app *a, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	if (!a->note)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text)
		a->note(a->arg, text);
	free(text);
}

int wh_app_open_bare(const struct wh_app *a, int flags, struct wh_app_ledger *out, struct wh_error *err)
{
	wh_heap_in_large_pages(WH_APP_ESTATE_HEAP);
	*out = (struct wh_app_ledger){.estate = NULL};
	return wh_ledger_open(a->store_url, flags, &out->is, err);
}

int wh_app_open(const struct wh_app *a, int flags, struct wh_arena *mem, struct wh_app_ledger *out, struct wh_error *err)
{
	int rc = wh_app_open_bare(a, flags, out, err);
	return rc ? rc : wh_estate_load(&out->is, mem, &out->estate, err);
}

int wh_app_open_without_rules(const struct wh_app *a, int flags, struct wh_arena *mem, struct wh_app_ledger *out,
                              struct wh_error *err)
{
	int rc = wh_app_open_bare(a, flags, out, err);
	return rc ? rc : wh_estate_load_without_rules(&out->is, mem, &out->estate, err);
}

int wh_app_open_resources(const struct wh_app *a, struct wh_arena *mem, struct wh_app_ledger *out, struct wh_error *err)
{
	*out = (struct wh_app_ledger){.estate = NULL};
	int rc = wh_ledger_open(a->store_url, WH_STATE_READ, &out->is, err);
	return rc ? rc : wh_estate_load_resources(&out->is, mem, &out->estate, err);
}

void wh_app_close(struct wh_app_ledger *l, struct wh_estate **estate)
{
	if (estate)
		*estate = l->estate;
	else
		wh_estate_free(l->estate);
	wh_ledger_close(&l->is);
}

int wh_app_rules(const struct wh_app_ledger *l, const char *file, struct wh_arena *mem, struct wh_recommendation **out,
                 struct wh_error *err)
{
	enum { MAX_RULES_FILE = 64 << 20 };
	char *text;
	size_t len;
	if (!file)
		return wh_review_load(l->is.state, l->estate, mem, out, err);
	int rc = wh_read_file(file, MAX_RULES_FILE, &text, &len, err);
	if (rc)
		return rc;
	rc = wh_rules_parse(strcmp(file, "-") ? file : "standard input", text, len, l->estate, mem, out, err);
	free(text);
	return rc;
}

void wh_app_platform(const struct wh_app *a, struct wh_estate *e)
{
	if (!e->platform)
		e->platform = a->config->estate.platform;
}

const char *wh_app_today(char buf[static WH_APP_DAY_STRLEN])
{
	_Static_assert(WH_APP_DAY_STRLEN >= WH_TIME_STRLEN, "the time's text fits, which is cut to its day");
	wh_time_text(wh_now_us(), buf);
	buf[10] = 0;
	return buf;
}

unsigned wh_app_processors(unsigned most)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
	return n < 1 ? 1 : (unsigned)n < most ? (unsigned)n : most;
}

void wh_app_note_reject(const struct wh_app *a)
{
	if (a->config->enforce.n_reject)
		wh_app_note(a, "network security groups can only drop: `reject` of whittle.yaml has no effect there");
}
