/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a listing needs of each module, kept in the registry so that listing packages loads no
 * module: one value per module under HKLM\SOFTWARE\winesspi\PackageCache, named by its path and
 * good as long as the file's size and time are those written down.
 */
#include "core/reader.h"
#include "core/writer.h"
#include "module.h"
#include "ssp/prefix.h"

#include <wchar.h>

#define CACHE_KEY PREFIX_REGISTRY_KEY L"\\PackageCache"
#define CACHE_VERSION 1
#define CACHE_MAX 65536u
#define TEXT_MAX 1024u /* a module with a longer comment is not cached */

struct file_stamp {
    uint64_t size, time;
};

static bool file_stamp_get(const WCHAR *path, struct file_stamp *stamp)
{
    WIN32_FILE_ATTRIBUTE_DATA data;
    if (!GetFileAttributesExW(path, GetFileExInfoStandard, &data)) return false;
    stamp->size = (uint64_t)data.nFileSizeHigh << 32 | data.nFileSizeLow;
    stamp->time = (uint64_t)data.ftLastWriteTime.dwHighDateTime << 32 |
                  data.ftLastWriteTime.dwLowDateTime;
    return true;
}

static void text_write(struct writer *w, const WCHAR *text)
{
    size_t mark = writer_open_u16le(w);
    if (text) writer_bytes(w, text, wcslen(text) * sizeof(WCHAR));
    writer_close_u16le(w, mark);
}

/* Terminated, in the caller's room of TEXT_MAX characters. */
static void text_read(struct reader *r, WCHAR *text)
{
    struct slice bytes = reader_bytes(r, reader_u16le(r));
    if (bytes.size % sizeof(WCHAR) || bytes.size >= TEXT_MAX * sizeof(WCHAR)) reader_fail(r);
    if (!reader_ok(r)) return;
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size / sizeof(WCHAR)] = 0;
}

static bool package_read(struct reader *r, struct module *module, ULONG index)
{
    WCHAR name[TEXT_MAX], comment[TEXT_MAX];
    SecPkgInfoW info = {.Name = name, .Comment = comment};
    info.fCapabilities = reader_u32le(r);
    info.wVersion = reader_u16le(r);
    info.wRPCID = reader_u16le(r);
    info.cbMaxToken = reader_u32le(r);
    text_read(r, name);
    text_read(r, comment);
    return reader_ok(r) && status_ok(module_set_package_info(module, index, &info));
}

static bool entry_read(struct module *module, const struct file_stamp *stamp, const void *data,
                       size_t size)
{
    struct reader r;
    reader_init(&r, data, size);
    if (reader_u16le(&r) != CACHE_VERSION || reader_u16le(&r) != module->kind) return false;
    if (reader_u64le(&r) != stamp->size || reader_u64le(&r) != stamp->time) return false;
    ULONG count = reader_u16le(&r);
    if (!count) return reader_end(&r); /* a module that is there for nothing */
    if (!status_ok(module_set_package_count(module, count))) return false;
    bool good = true;
    for (ULONG i = 0; i < count && good; i++) good = package_read(&r, module, i);
    if (good && reader_end(&r)) return true;
    module_drop_packages(module);
    return false;
}

bool cache_read(struct module *module)
{
    struct file_stamp stamp;
    if (!file_stamp_get(module->path, &stamp)) return false;
    HKEY key;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, CACHE_KEY, 0, KEY_QUERY_VALUE, &key)) return false;

    bool found = false;
    DWORD type, size = CACHE_MAX;
    uint8_t *data = HeapAlloc(GetProcessHeap(), 0, size);
    if (data && !RegQueryValueExW(key, module->path, NULL, &type, data, &size))
        found = type == REG_BINARY && entry_read(module, &stamp, data, size);
    HeapFree(GetProcessHeap(), 0, data);
    RegCloseKey(key);
    module->listed = found;
    return found;
}

void cache_write(const struct module *module)
{
    struct file_stamp stamp;
    if (!file_stamp_get(module->path, &stamp)) return;
    struct writer w;
    writer_init(&w);
    writer_u16le(&w, CACHE_VERSION);
    writer_u16le(&w, (uint16_t)module->kind);
    writer_u64le(&w, stamp.size);
    writer_u64le(&w, stamp.time);
    writer_u16le(&w, (uint16_t)module->package_count);
    for (ULONG i = 0; i < module->package_count; i++) {
        const SecPkgInfoW *info = &module->packages[i].info;
        writer_u32le(&w, info->fCapabilities);
        writer_u16le(&w, info->wVersion);
        writer_u16le(&w, info->wRPCID);
        writer_u32le(&w, info->cbMaxToken);
        text_write(&w, info->Name);
        text_write(&w, info->Comment);
    }
    HKEY key;
    if (status_ok(writer_status(&w)) && w.size <= CACHE_MAX &&
        !RegCreateKeyExW(HKEY_LOCAL_MACHINE, CACHE_KEY, 0, NULL, 0, KEY_SET_VALUE, NULL, &key,
                         NULL)) {
        RegSetValueExW(key, module->path, 0, REG_BINARY, w.data, (DWORD)w.size);
        RegCloseKey(key);
    }
    writer_free(&w);
}

void cache_forget(const struct module *module)
{
    HKEY key;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, CACHE_KEY, 0, KEY_SET_VALUE, &key)) return;
    RegDeleteValueW(key, module->path);
    RegCloseKey(key);
}
