/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the LSA does for packages: the functions behind the table that lsa_table.c gives to each.
 * Their contracts are those of the types, in ntsecpkg.h and its documentation; provider and client
 * share this process, so memory of the client is memory of ours.
 */
#pragma once

#include "package.h"

/* lsa_services_memory.c */
LSA_ALLOCATE_LSA_HEAP service_heap_allocate;
LSA_FREE_LSA_HEAP service_heap_free;
LSA_ALLOCATE_PRIVATE_HEAP service_private_allocate;
LSA_ALLOCATE_CLIENT_BUFFER service_client_allocate;
LSA_FREE_CLIENT_BUFFER service_client_free;
LSA_COPY_TO_CLIENT_BUFFER service_client_write;
LSA_COPY_FROM_CLIENT_BUFFER service_client_read;
LSA_MAP_BUFFER service_buffer_map;
LSA_CREATE_SHARED_MEMORY service_shared_create;
LSA_ALLOCATE_SHARED_MEMORY service_shared_allocate;
LSA_FREE_SHARED_MEMORY service_shared_free;
LSA_DELETE_SHARED_MEMORY service_shared_delete;

/* lsa_protect.c: under a key of this process, wherever the bytes are moved to meanwhile. */
LSA_PROTECT_MEMORY lsa_memory_protect, lsa_memory_unprotect;

/* lsa_services_client.c */
LSA_IMPERSONATE_CLIENT service_client_impersonate;
LSA_GET_CLIENT_INFO service_client_info;
NTSTATUS NTAPI service_client_info_ex(struct client_info_ex *info, ULONG size);
LSA_GET_CALL_INFO service_call_info;
NTSTATUS NTAPI service_call_flags(ULONG *flags);
NTSTATUS NTAPI service_client_request(PLSA_CLIENT_REQUEST request, ULONG type, void **reply);
LSA_CREATE_THREAD service_thread_create;
LSA_DUPLICATE_HANDLE service_handle_duplicate;
LSA_UNLOAD_PACKAGE service_package_unload;
LSA_CLIENT_CALLBACK service_client_callback;
LSA_REGISTER_CALLBACK service_callback_register;
LSA_AUDIT_LOGON service_logon_audit;
LSA_AUDIT_ACCOUNT_LOGON service_account_audit;
void NTAPI service_logon_audit_ex(NTSTATUS status, NTSTATUS sub_status, UNICODE_STRING *account,
                                  UNICODE_STRING *authority, UNICODE_STRING *workstation, PSID sid,
                                  SECURITY_LOGON_TYPE type, SECURITY_IMPERSONATION_LEVEL level,
                                  TOKEN_SOURCE *source, LUID *logon_id);
NTSTATUS NTAPI service_app_mode_get(ULONG *function, ULONG_PTR *argument1, ULONG_PTR *argument2,
                                    SecBuffer *data, BOOLEAN *return_to_lsa);
NTSTATUS NTAPI service_app_mode_set(ULONG function, ULONG_PTR argument1, ULONG_PTR argument2,
                                    SecBuffer *data, BOOLEAN return_to_lsa);

/* lsa_services_session.c */
LSA_CREATE_LOGON_SESSION service_session_create;
LSA_DELETE_LOGON_SESSION service_session_delete;
LSA_ADD_CREDENTIAL service_credential_add;
LSA_GET_CREDENTIALS service_credentials_get;
LSA_DELETE_CREDENTIAL service_credential_delete;
LSA_CREATE_TOKEN service_token_create;
LSA_CREATE_TOKEN_EX service_token_create_ex;
LSA_CONVERT_AUTH_DATA_TO_TOKEN service_token_convert;
LSA_OPEN_TOKEN_BY_LOGON_ID service_token_open;
NTSTATUS NTAPI service_user_protected(HANDLE token, BOOLEAN *is_protected);

/* lsa_services_package.c */
LSA_CALL_PACKAGE service_package_call;
LSA_CALL_PACKAGEEX service_package_call_ex;
LSA_CALL_PACKAGE_PASSTHROUGH service_package_passthrough;
LSA_SAVE_SUPPLEMENTAL_CREDENTIALS service_supplemental_save;
LSA_UPDATE_PRIMARY_CREDENTIALS service_credentials_update;
NTSTATUS NTAPI service_failure_get(ULONG_PTR id, struct secpkg_failure_reason *reason);
NTSTATUS NTAPI service_failure_set(struct secpkg_failure_reason reason);

/* lsa_services_notify.c */
LSA_REGISTER_NOTIFICATION service_notification_register;
LSA_CANCEL_NOTIFICATION service_notification_cancel;

/* lsa_services_accounts.c */
LSA_OPEN_SAM_USER service_sam_open;
LSA_GET_USER_CREDENTIALS service_sam_credentials;
LSA_GET_USER_AUTH_DATA service_sam_auth_data;
LSA_CLOSE_SAM_USER service_sam_close;
LSA_GET_AUTH_DATA_FOR_USER service_user_auth_data;
LSA_EXPAND_AUTH_DATA_FOR_DOMAIN service_auth_data_expand;
LSA_CRACK_SINGLE_NAME service_name_crack;
NTSTATUS NTAPI service_account_password(UNICODE_STRING *account, UNICODE_STRING *domain, LONG fetch,
                                        FILETIME *expiry, UNICODE_STRING *current,
                                        UNICODE_STRING *previous, FILETIME *outbound_from);

/* lsa_services_cred.c */
CredReadFn service_cred_read;
CredReadDomainCredentialsFn service_cred_read_domain;
CredFreeCredentialsFn service_cred_free;
CredWriteFn service_cred_write;
NTSTATUS NTAPI service_cred_decode(WCHAR *text, BYTE **blob, ULONG *size, UCHAR *failure_is_fatal);

/* Tells those who registered for it that a package is there. */
void lsa_notify_loaded(const struct package *package);

/* Hands credentials of a log-on to the packages that are loaded (SpAcceptCredentials). */
void lsa_credentials_tell(SECURITY_LOGON_TYPE type, SECPKG_PRIMARY_CRED *primary,
                          SECPKG_SUPPLEMENTAL_CRED_ARRAY *supplemental);

/* Ends a session that a package has made, and tells the packages. */
void lsa_session_end(const LUID *id);
