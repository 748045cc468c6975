/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking at an application's SecBufferDesc. What the buffers mean is each package's business;
 * here is only how they are found.
 */
#include "ssp/secbuf.h"

SecBuffer *secbuf_find(const SecBufferDesc *desc, ULONG type)
{
    if (!secbuf_valid(desc)) return NULL;
    for (ULONG i = 0; i < desc->cBuffers; i++)
        if (secbuf_type(&desc->pBuffers[i]) == type) return &desc->pBuffers[i];
    return NULL;
}
