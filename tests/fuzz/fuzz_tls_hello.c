/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The name in a ClientHello. */
#include "core/tls.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct writer name;
    writer_init(&name);
    status_t status = tls_hello_server_name((struct slice){data, size}, &name);
    must(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN || status == SEC_E_INCOMPLETE_MESSAGE);
    must(name.size < size || !size);
    must(status_ok(status) || !name.size);
    writer_free(&name);
    return 0;
}
