/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>
#include "host.h"
#include "suricata_abi.h"

static void *in_host(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

int wh_host_major(void)
{
	if (!in_host("SCRegisterEveFileType"))
		return 0;
	return in_host("SCEveFindFileType") ? 8 : 7;
}

bool wh_host_register(void *filetype)
{
	sc_register_eve_filetype call = (sc_register_eve_filetype)in_host("SCRegisterEveFileType");
	return call && call(filetype);
}

bool wh_host_reads_capture(void)
{
	const char *file = NULL;
	sc_conf_get get = (sc_conf_get)in_host(wh_host_major() == 8 ? "SCConfGet" : "ConfGet");
	return get && get("pcap-file.file", &file) == 1 && file && *file;
}

void wh_host_log(enum wh_level level, const char *format, ...)
{
	static const char *const words[] = {"", "error", "warning", "notice", "info"};
	char text[1024];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	sc_log call = (sc_log)in_host("SCLog");
	if (call)
		call((int)level, __FILE__, __func__, __LINE__, "whittle", "%s", text);
	else
		fprintf(stderr, "whittle: %s: %s\n", words[level], text);
}

/* Whether the nodes are laid out as suricata_abi.h says: no pointer is followed before it was compared with the results of the
 * host's own functions, and all reads lie within one node. */
static bool layout_known(const struct sc_conf_node *section, const struct sc_conf_node *node, const char *name)
{
	return node->name && node->parent == section && !strcmp(node->name, name) &&
	       (!node->head.first || node->head.first->parent == node);
}

int wh_host_settings(const void *section, const char *name, const char *const known[], wh_setting_cb each, void *arg,
                     struct wh_error *err)
{
	bool eight = wh_host_major() == 8;
	sc_conf_child child = (sc_conf_child)in_host(eight ? "SCConfNodeLookupChild" : "ConfNodeLookupChild");
	sc_conf_child_value value = (sc_conf_child_value)in_host(eight ? "SCConfNodeLookupChildValue"
	                                                               : "ConfNodeLookupChildValue");
	int rc = 0;
	if (!child || !value || !section)
		return wh_fail(err, -ENOSYS, "this program does not let a plugin read its configuration");
	const struct sc_conf_node *node = child(section, name);
	if (!node)
		return 0;
	if (layout_known(section, node, name)) {
		for (const struct sc_conf_node *n = node->head.first; n && !rc; n = n->next.next)
			rc = each(arg, n->name, n->val, err);
		return rc;
	}
	for (; *known && !rc; known++)
		if (child(node, *known))
			rc = each(arg, *known, value(node, *known), err);
	return rc;
}
