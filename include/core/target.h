/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of targets: which host one means, and the flat form of CREDENTIAL_TARGET_INFORMATION
 * (wincred.h), which is text, so that it can stand behind a target's name. All text is UTF-16LE.
 */
#pragma once

#include "core/reader.h"
#include "core/writer.h"

/* The host in service/host, service/host:port, service/host/name, service/host@REALM, host or
 * host:port, without the brackets of an IPv6 address and without a dot at its end. Size 0 when the
 * name means no host, as user@realm does. */
struct slice target_host(struct slice name);

enum target_name {
    TARGET_NAME,
    TARGET_NETBIOS_SERVER,
    TARGET_DNS_SERVER,
    TARGET_NETBIOS_DOMAIN,
    TARGET_DNS_DOMAIN,
    TARGET_DNS_TREE,
    TARGET_PACKAGE,
    TARGET_NAMES
};

#define TARGET_TYPES_MAX 64u

struct target_info {
    struct slice names[TARGET_NAMES]; /* data NULL: left out */
    uint32_t flags;
    uint32_t types[TARGET_TYPES_MAX];
    size_t type_count;
};

/* Appends the flat form. SEC_E_INVALID_PARAMETER for too many types, too long a name, or one that
 * is no whole text. */
status_t target_info_encode(const struct target_info *info, struct writer *out);

/* Reads the form at the end of text, which may stand behind a name; *used is its size. Slices of
 * *out borrow from room, a writer that the caller has made ready and frees. SEC_E_INVALID_TOKEN,
 * with *out and *used untouched, for what is damaged or not of this form. */
status_t target_info_decode(struct slice text, struct writer *room, struct target_info *out,
                            size_t *used);
