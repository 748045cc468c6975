/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests see of prov_ap.dll, see prov_ap.c. */
#pragma once

#include "ssp/abi.h"

#define PROV_AP_TRUSTED 'T'
#define PROV_AP_UNTRUSTED 'U'

struct prov_ap_counters {
    ULONG id; /* what the LSA calls it */
    LONG initialized, logons;
};

typedef struct prov_ap_counters *(WINAPI *prov_ap_counters_get_fn)(void);
struct prov_ap_counters *WINAPI prov_ap_counters_get(void);

LSA_AP_INITIALIZE_PACKAGE LsaApInitializePackage;
LSA_AP_LOGON_USER LsaApLogonUser;
LSA_AP_CALL_PACKAGE LsaApCallPackage;
LSA_AP_CALL_PACKAGE_UNTRUSTED LsaApCallPackageUntrusted;
LSA_AP_LOGON_TERMINATED LsaApLogonTerminated;
