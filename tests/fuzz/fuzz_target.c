/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of targets: a host lies within its name; target information that is decoded is encoded to
 * the same text again. */
#include "fuzz.h"

#include "core/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {data, size}, host = target_host(text);
    must(!host.size || (host.data >= data && host.data + host.size <= data + size));

    struct writer room, again;
    struct target_info info;
    size_t used;
    writer_init(&room);
    writer_init(&again);
    if (status_ok(target_info_decode(text, &room, &info, &used))) {
        must(used <= size && target_info_encode(&info, &again) == SEC_E_OK);
        must(slices_equal(writer_view(&again), (struct slice){data + size - used, used}));
    }
    writer_free(&again);
    writer_free(&room);
    return 0;
}
