/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tls_certs_make.sh has made, as base64. */
#pragma once

extern const char tls_data_ca[], tls_data_intermediate[], tls_data_server_rsa[],
    tls_data_server_ec[], tls_data_server_chained[], tls_data_other_name[], tls_data_common_name[],
    tls_data_expired[], tls_data_revoked[], tls_data_wrong_usage[], tls_data_weak_hash[],
    tls_data_weak_key[], tls_data_stranger[], tls_data_zero_name[], tls_data_zero_common[],
    tls_data_client_rsa[], tls_data_client_ec[], tls_data_crl[];
extern const char tls_data_key_rsa[], tls_data_key_client[], tls_data_key_small[],
    tls_data_key_ec[];
