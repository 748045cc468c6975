/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exports that are not built yet. Each says so in the trace and answers an error code that the
 * documentation of its function has; none pretends to have done anything.
 */
#pragma once

#include "exports.h"
#include "ssp/trace.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wmissing-prototypes" /* not all are in the headers */

#define UNBUILT(type, name, parameters, answer) \
    type WINAPI name parameters                 \
    {                                           \
        FIXME("not built yet\n");               \
        return answer;                          \
    }
