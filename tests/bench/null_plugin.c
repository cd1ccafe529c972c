/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plugin that takes EVE records and does nothing: what any plugin costs Suricata at least. */
#include <dlfcn.h>
#include <stddef.h>
#include "../../plugin/suricata_abi.h"

void *SCPluginRegister(void);

static int init(void *conf, bool threaded, void **data) { (void)conf, (void)threaded; *data = NULL; return 0; }
static int write_7(const char *b, int n, void *i, void *t) { (void)b, (void)n, (void)i, (void)t; return 0; }
static int write_8(const char *b, int n, const void *i, void *t) { (void)b, (void)n, (void)i, (void)t; return 0; }
static int init_8(const void *conf, bool threaded, void **data) { (void)conf, (void)threaded; *data = NULL; return 0; }
static int thread_init_7(void *i, int id, void **t) { (void)i, (void)id; *t = NULL; return 0; }
static int thread_init_8(const void *i, uint32_t id, void **t) { (void)i, (void)id; *t = NULL; return 0; }
static int thread_end_7(void *i, void *t) { (void)i, (void)t; return 0; }
static void thread_end_8(const void *i, void *t) { (void)i, (void)t; }
static void deinit(void *i) { (void)i; }

static struct sc7_eve_filetype seven = {"null-plugin", init, write_7, deinit, thread_init_7, thread_end_7, {NULL, NULL}};
static struct sc8_eve_filetype eight = {"null-plugin", init_8, thread_init_8, write_8, thread_end_8, deinit, {NULL, NULL}};

static bool is_8(void)
{
	return dlsym(RTLD_DEFAULT, "SCEveFindFileType") != NULL;
}

static void plugin_init(void)
{
	sc_register_eve_filetype call = (sc_register_eve_filetype)dlsym(RTLD_DEFAULT, "SCRegisterEveFileType");
	call(is_8() ? (void *)&eight : (void *)&seven);
}

__attribute__((visibility("default"))) void *SCPluginRegister(void)
{
	static struct sc7_plugin p7 = {"null", "GPL-2.0-or-later", "whittle's bench", plugin_init};
	static struct sc8_plugin p8 = {SC8_API_VERSION, "8.0", "null", "1", "GPL-2.0-or-later", "whittle's bench", plugin_init};
	return is_8() ? (void *)&p8 : (void *)&p7;
}
