/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking at the SecBufferDesc that an application gave (sspi.h). */
#pragma once

#include "ssp/abi.h"

/* True for a descriptor that can be walked: not NULL, version 0, buffers present when counted. */
static inline bool secbuf_valid(const SecBufferDesc *desc)
{
    return desc && desc->ulVersion == SECBUFFER_VERSION && (desc->pBuffers || !desc->cBuffers);
}

static inline ULONG secbuf_type(const SecBuffer *buffer)
{
    return buffer->BufferType & ~SECBUFFER_ATTRMASK;
}

/* The first buffer of that type, attribute bits aside; NULL when there is none or desc is NULL. */
SecBuffer *secbuf_find(const SecBufferDesc *desc, ULONG type);
