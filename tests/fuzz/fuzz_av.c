/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AV pairs: looking up is safe in any bytes, and a list that passes the check gives each known
 * pair at its size. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice pairs = {data, size}, value;
    bool good = ntlm_av_check(pairs) == SEC_E_OK;
    for (int id = 0; id < 16; id++) {
        if (!ntlm_av_find(pairs, (enum ntlm_av)id, &value)) continue;
        must(id != NTLM_AV_EOL);
        must(value.size <= size);
        if (value.size) must(value.data >= data && value.data + value.size <= data + size);
        if (!good) continue;
        if (id == NTLM_AV_FLAGS) must(value.size == 4);
        if (id == NTLM_AV_TIMESTAMP) must(value.size == 8);
        if (id == NTLM_AV_CHANNEL_BINDINGS) must(value.size == 16);
    }
    return 0;
}
