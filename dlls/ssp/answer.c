/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies for the application; see ssp/answer.h. */
#include "ssp/answer.h"

#include "ssp/provider.h"

#include <string.h>
#include <wchar.h>

void *answer_bytes(struct slice bytes)
{
    void *copy = package_alloc(bytes.size ? bytes.size : 1);
    if (copy && bytes.size) memcpy(copy, bytes.data, bytes.size);
    return copy;
}

wchar_t *answer_text(struct slice text)
{
    wchar_t *copy = package_alloc(text.size + sizeof(wchar_t));
    if (!copy) return NULL;
    if (text.size) memcpy(copy, text.data, text.size);
    copy[text.size / sizeof(wchar_t)] = 0;
    return copy;
}

wchar_t *answer_string(const wchar_t *text)
{
    return answer_text(text_slice(text, wcslen(text)));
}

wchar_t *answer_account(struct slice domain, struct slice user)
{
    if (!domain.size) return answer_text(user);
    size_t domain_chars = domain.size / sizeof(wchar_t);
    wchar_t *joined = package_alloc(domain.size + user.size + 2 * sizeof(wchar_t));
    if (!joined) return NULL;
    memcpy(joined, domain.data, domain.size);
    joined[domain_chars] = '\\';
    if (user.size) memcpy(joined + domain_chars + 1, user.data, user.size);
    joined[domain_chars + 1 + user.size / sizeof(wchar_t)] = 0;
    return joined;
}

status_t answer_give(wchar_t *made, wchar_t **out)
{
    if (!made) return SEC_E_INSUFFICIENT_MEMORY;
    *out = made;
    return SEC_E_OK;
}

status_t answer_give_pair(wchar_t *first, wchar_t *second, wchar_t **first_out,
                          wchar_t **second_out)
{
    if (!first || !second) {
        package_free(first);
        package_free(second);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    *first_out = first;
    *second_out = second;
    return SEC_E_OK;
}

SecPkgInfoW *answer_package(const SecPkgInfoW *info)
{
    size_t name_chars = wcslen(info->Name) + 1, comment_chars = wcslen(info->Comment) + 1;
    SecPkgInfoW *copy = package_alloc(sizeof(*copy) +
                                      (name_chars + comment_chars) * sizeof(wchar_t));
    if (!copy) return NULL;
    wchar_t *name = (wchar_t *)(copy + 1), *comment = name + name_chars;
    wmemcpy(name, info->Name, name_chars);
    wmemcpy(comment, info->Comment, comment_chars);
    *copy = *info;
    copy->Name = name;
    copy->Comment = comment;
    return copy;
}
