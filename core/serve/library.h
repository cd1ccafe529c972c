/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The libraries of the server, loaded when it starts: no other command waits for them, and the plugin has none of them. */
#pragma once
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include "whittle/base.h"

#define WH_HTTP_CALLS(CALL)                                                                                                      \
	CALL(MHD_start_daemon)                                                                                                   \
	CALL(MHD_stop_daemon) CALL(MHD_run) CALL(MHD_get_timeout) CALL(MHD_get_daemon_info) CALL(MHD_get_connection_info)        \
		CALL(MHD_get_connection_values) CALL(MHD_lookup_connection_value) CALL(MHD_create_response_from_buffer)          \
			CALL(MHD_create_response_from_callback)                                                          \
			CALL(MHD_add_response_header) CALL(MHD_queue_response) CALL(MHD_destroy_response)                        \
				CALL(MHD_suspend_connection) CALL(MHD_resume_connection) CALL(MHD_set_connection_option)
#define WH_TLS_CALLS(CALL)                                                                                                       \
	CALL(gnutls_x509_privkey_init)                                                                                           \
	CALL(gnutls_x509_privkey_deinit) CALL(gnutls_x509_privkey_generate) CALL(gnutls_x509_privkey_export2)                    \
		CALL(gnutls_x509_privkey_import) CALL(gnutls_x509_crt_init) CALL(gnutls_x509_crt_deinit)                         \
			CALL(gnutls_x509_crt_set_version) CALL(gnutls_x509_crt_set_serial) CALL(gnutls_x509_crt_set_dn)          \
				CALL(gnutls_x509_crt_set_activation_time) CALL(gnutls_x509_crt_set_expiration_time) CALL(        \
					gnutls_x509_crt_get_expiration_time) CALL(gnutls_x509_crt_set_key)                       \
					CALL(gnutls_x509_crt_set_subject_alt_name) CALL(gnutls_x509_crt_set_basic_constraints)   \
						CALL(gnutls_x509_crt_set_key_usage) CALL(gnutls_x509_crt_set_key_purpose_oid)    \
							CALL(gnutls_x509_crt_sign2) CALL(gnutls_x509_crt_export2)                \
								CALL(gnutls_x509_crt_list_import2)                               \
									CALL(gnutls_x509_crt_get_fingerprint)                    \
										CALL(gnutls_x509_crt_get_key_id)                 \
											CALL(gnutls_x509_privkey_get_key_id)     \
												CALL(gnutls_free)                \
													CALL(gnutls_strerror)
/* Each under its own name: http.MHD_run(…). gnutls_free is a variable that holds a function. */
struct wh_http_library {
#define FIELD(name) __typeof__(&name) name;
	WH_HTTP_CALLS(FIELD)
};
struct wh_tls_library { WH_TLS_CALLS(FIELD) };
#undef FIELD
extern struct wh_http_library wh_http;
extern struct wh_tls_library wh_tls;

int wh_http_load(struct wh_error *err);
int wh_tls_load(struct wh_error *err);
