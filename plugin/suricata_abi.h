/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our own description of the part of Suricata's plugin ABI that whittle uses, so that building needs none of its headers and one
 * shared object serves both majors. Read from the public sources of 7.0.10 and 8.0.6, and proven against the running programs.
 *
 * Suricata calls SCPluginRegister() after dlopen(); the struct that it returns must live as long as the process. The plugin's
 * Init then registers a file type of eve-log by SCRegisterEveFileType(). With `filetype: whittle` in an eve-log section:
 *
 *   Init(conf, threaded, &init_data)     once a section, after Suricata became a daemon and changed its user; conf is the section
 *   ThreadInit(init_data, id, &data)     7: once a thread that logs, only with `threaded: yes`
 *                                        8: at once with id 0, and with `threaded: yes` once more a thread
 *   Write(buffer, len, init_data, data)  one JSON record, without a newline. No lock is held, even when not threaded: any thread
 *                                        that logs (workers, flow managers and recyclers) may call at the same time
 *   ThreadDeinit, Deinit(init_data)      when Suricata ends, after its threads have stopped
 *
 * A negative return of Init is only a warning, unless engine.init-failure-fatal is set, and Suricata continues without the
 * output. Not checked: the return of Write.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct sc7_plugin {
	const char *name, *license, *author;
	void (*init)(void);
};

#define SC8_API_VERSION UINT64_C(0x0800) /* 8 refuses all others */
struct sc8_plugin {
	uint64_t version;
	const char *suricata_version; /* the version that it was built with: for people */
	const char *name, *plugin_version, *license, *author;
	void (*init)(void);
};

struct sc7_eve_filetype {
	const char *name;
	int (*init)(void *conf, bool threaded, void **init_data);
	int (*write)(const char *buffer, int len, void *init_data, void *thread_data);
	void (*deinit)(void *init_data);
	int (*thread_init)(void *init_data, int thread_id, void **thread_data);
	int (*thread_deinit)(void *init_data, void *thread_data);
	void *list[2]; /* Suricata's own */
};

struct sc8_eve_filetype {
	const char *name;
	int (*init)(const void *conf, bool threaded, void **init_data);
	int (*thread_init)(const void *init_data, uint32_t thread_id, void **thread_data);
	int (*write)(const char *buffer, int len, const void *init_data, void *thread_data);
	void (*thread_deinit)(const void *init_data, void *thread_data);
	void (*deinit)(void *init_data);
	void *list[2];
};

/* A node of Suricata's configuration, the same in both. Used only to find unknown settings, and only after wh_host_settings() has
 * checked that the host's nodes have this layout. */
struct sc_conf_node {
	char *name, *val;
	int is_seq, final;
	struct sc_conf_node *parent;
	struct { struct sc_conf_node *first, **last; } head;
	struct { struct sc_conf_node *next, **prev; } next;
};

/* Functions that are looked up in the host by name; 8 put "SC" before the configuration's functions. */
typedef bool (*sc_register_eve_filetype)(void *filetype);                                    /* SCRegisterEveFileType */
typedef void *(*sc_conf_child)(const void *node, const char *name);                          /* (SC)ConfNodeLookupChild */
/* (SC)ConfGet: 1 where it is set */
typedef int (*sc_conf_get)(const char *name, const char **value);
typedef const char *(*sc_conf_child_value)(const void *node, const char *name);              /* (SC)ConfNodeLookupChildValue */
typedef void (*sc_log)(int level, const char *file, const char *function, int line, const char *module, const char *format, ...)
	__attribute__((format(printf, 6, 7)));                                               /* SCLog */
enum { SC_LOG_ERROR = 1, SC_LOG_WARNING, SC_LOG_NOTICE, SC_LOG_INFO };
