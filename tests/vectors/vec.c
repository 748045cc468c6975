/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading files of test vectors. */
#include "vec.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1u << 20)

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    char *text = calloc(1, FILE_MAX + 1);
    size_t size = text ? fread(text, 1, FILE_MAX, file) : 0;
    fclose(file);
    if (text && (!size || size == FILE_MAX)) {
        free(text);
        text = NULL;
    }
    return text;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1])) *--end = 0;
    return text;
}

static bool begin_section(struct vec_section *section, char *line)
{
    char *close = strchr(line, ']');
    if (!close) return false;
    *close = 0;
    memset(section, 0, sizeof(*section));
    section->operation = trim(line + 1);
    section->title = trim(close + 1);
    return *section->operation && *section->title;
}

static bool add_field(struct vec_section *section, char *line)
{
    char *equals = strchr(line, '=');
    if (!equals || !section->operation || section->count == VEC_FIELDS) return false;
    *equals = 0;
    struct vec_field *field = &section->fields[section->count++];
    field->name = trim(line);
    field->value = trim(equals + 1);
    return true;
}

/* Appends to the last value: the text is moved down to it, there being only what it leaves. */
static bool continue_field(struct vec_section *section, char *line)
{
    if (!section->count) return false;
    char *value = section->fields[section->count - 1].value;
    char *end = value + strlen(value);
    char *more = trim(line);
    *end++ = ' ';
    memmove(end, more, strlen(more) + 1);
    return true;
}

static bool take_line(struct vec_section *section, char *line, vec_section_seen *seen)
{
    if (*line == '[') {
        if (section->operation) seen(section);
        return begin_section(section, line);
    }
    bool indented = isspace((unsigned char)*line);
    if (!*trim(line) || *line == '#') return true;
    return indented ? continue_field(section, line) : add_field(section, line);
}

bool vec_read(const char *path, vec_section_seen *seen)
{
    struct vec_section section;
    memset(&section, 0, sizeof(section));
    char *text = read_file(path);
    bool good = text != NULL;
    int number = 0;
    for (char *line = text, *next; good && line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        number++;
        good = take_line(&section, line, seen);
    }
    if (good && section.operation) seen(&section);
    good = good && section.operation;
    if (!good) printf("%s: line %d is not understood\n", path, number);
    free(text);
    return good;
}

struct vec_field *vec_find(struct vec_section *section, const char *name)
{
    for (size_t i = 0; i < section->count; i++) {
        if (strcmp(section->fields[i].name, name)) continue;
        section->fields[i].used = true;
        return &section->fields[i];
    }
    return NULL;
}

bool vec_bytes(const char *value, uint8_t **bytes, size_t *size)
{
    static const char digits[] = "0123456789abcdef";
    size_t count = 0;
    uint8_t *out = calloc(1, strlen(value) / 2 + 1);
    if (!out) return false;
    for (; *value; value++) {
        const char *digit = strchr(digits, *value);
        if (isspace((unsigned char)*value)) continue;
        if (!digit) break;
        out[count / 2] = (uint8_t)(out[count / 2] << 4 | (digit - digits));
        count++;
    }
    if (*value || count % 2) {
        free(out);
        return false;
    }
    *bytes = out;
    *size = count / 2;
    return true;
}
