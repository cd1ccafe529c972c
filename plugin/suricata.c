/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions that Suricata calls. Both majors are served by the same functions; only their tables differ. */
#include <stdlib.h>
#include "host.h"
#include "settings.h"
#include "sink.h"
#include "suricata_abi.h"

#define EXPORT __attribute__((visibility("default")))
void *SCPluginRegister(void);

/* A bad setting must not go unnoticed: Suricata would only warn and continue without us. So this ends the start as Suricata's own
 * bad settings do: with one line, and a failure as exit status. */
static void refuse(const struct wh_error *err) __attribute__((noreturn));
static void refuse(const struct wh_error *err)
{
	wh_host_log(WH_LOG_ERROR, "%s", err->text);
	exit(EXIT_FAILURE);
}

static int set(void *arg, const char *setting, const char *value, struct wh_error *err)
{
	return wh_settings_set(arg, setting, value, err);
}

static int eve_init(const void *conf, bool threaded, void **init_data)
{
	struct wh_settings settings = {0};
	struct wh_sink *s = NULL;
	struct wh_error err = {0};
	int rc = wh_host_settings(conf, "whittle", wh_setting_names, set, &settings, &err);
	if (!rc)
		rc = wh_settings_complete(&settings, &err);
	if (!rc)
		rc = wh_sink_new(&settings, threaded, &s, &err);
	if (!rc)
		rc = wh_sink_check(s, &err);
	if (rc)
		refuse(&err);
	wh_sink_begin(s);
	wh_host_log(WH_LOG_INFO, "flows go to the ledger %s every %lld s", s->settings.store,
	            (long long)s->settings.flush_interval);
	*init_data = s;
	return 0;
}

static int eve_write(const char *buffer, int len, void *init_data, void *thread_data)
{
	struct wh_sink *s = init_data;
	if (len > 0)
		wh_sink_write(s, thread_data ? thread_data : s->lanes, buffer, (size_t)len);
	return 0;
}

static void eve_deinit(void *init_data)
{
	wh_sink_close(init_data);
}

/* A lane belongs to the sink and ends with it: Deinit commits its contents. */
static void eve_thread_deinit_8(const void *init_data, void *thread_data)
{
	(void)init_data, (void)thread_data;
}

static int eve_thread_deinit_7(void *init_data, void *thread_data)
{
	(void)init_data, (void)thread_data;
	return 0;
}

static int eve_thread_init_7(void *init_data, int id, void **thread_data)
{
	(void)id;
	*thread_data = wh_sink_lane(init_data);
	return 0;
}

static int eve_thread_init_8(const void *init_data, uint32_t id, void **thread_data)
{
	(void)id;
	*thread_data = wh_sink_lane((struct wh_sink *)(uintptr_t)init_data);
	return 0;
}

static int eve_init_7(void *conf, bool threaded, void **init_data)
{
	return eve_init(conf, threaded, init_data);
}

static int eve_write_8(const char *buffer, int len, const void *init_data, void *thread_data)
{
	return eve_write(buffer, len, (void *)(uintptr_t)init_data, thread_data);
}

static struct sc7_eve_filetype filetype_7 = {
	.name = "whittle", .init = eve_init_7, .write = eve_write, .deinit = eve_deinit,
	.thread_init = eve_thread_init_7, .thread_deinit = eve_thread_deinit_7,
};
static struct sc8_eve_filetype filetype_8 = {
	.name = "whittle", .init = eve_init, .thread_init = eve_thread_init_8, .write = eve_write_8,
	.thread_deinit = eve_thread_deinit_8, .deinit = eve_deinit,
};

static void plugin_init(void)
{
	void *filetype = wh_host_major() == 8 ? (void *)&filetype_8 : (void *)&filetype_7;
	if (!wh_host_register(filetype))
		refuse(&(struct wh_error){
			.text = "the file type 'whittle' can't be registered: is the plugin listed twice under 'plugins'?"});
}

EXPORT void *SCPluginRegister(void)
{
	static struct sc7_plugin seven = {"whittle", "GPL-2.0-or-later", "the whittle authors", plugin_init};
	static struct sc8_plugin eight = {SC8_API_VERSION,       "8.0",      "whittle", WH_VERSION, "GPL-2.0-or-later",
	                                  "the whittle authors", plugin_init};
	return wh_host_major() == 8 ? (void *)&eight : (void *)&seven;
}
