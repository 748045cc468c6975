/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attributes by what they tell of: attrs.c has the table. */
#pragma once

#include "schannel_package.h"

#include "ssp/answer.h"
#include "ssp/attrs.h"

/* attrs_connection.c */
attribute_query query_sizes, query_stream_sizes, query_connection_info, query_connection_info_ex;
attribute_query query_cipher_info, query_key_info, query_proto_info, query_session_info;
attribute_query query_application_protocol, query_supported_signatures, query_tls_extensions;

/* attrs_keys.c */
attribute_query query_keying_material, query_keying_material_now, query_eap_key_block;
attribute_query query_unique_bindings, query_endpoint_bindings;
status_t set_keying_material_info(struct context *context, const void *buffer, ULONG size);
status_t set_eap_prf_info(struct context *context, const void *buffer, ULONG size);

/* attrs_certs.c */
attribute_query query_remote_certificate, query_local_certificate, query_issuers, query_issuers_ex;
attribute_query query_names, query_authority, query_lifespan, query_certificate_check;

/* schannel.h of the SDK for Windows 11. */
#define SECPKG_ATTR_CERT_CHECK_RESULT 0x71
#define SECPKG_ATTR_CERT_CHECK_RESULT_INPROC 0x72
struct certificate_check { /* SecPkgContext_CertificateValidationResult */
    DWORD chain_errors;    /* CERT_TRUST_ */
    HRESULT verdict;       /* of the policy for a chain */
};

/* The server's certificate, on either side; empty without one. */
struct slice server_certificate(const struct context *context);
