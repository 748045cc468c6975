/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For tests of the code that hosts provider modules: the registry's lists set for one child
 * process of the test program, and put back. A process reads these lists once.
 */
#pragma once

#include "support.h"

extern wchar_t hosting_folder[MAX_PATH];  /* of this program, where the test modules are */
extern wchar_t hosting_scratch[MAX_PATH]; /* for copies under other names */

bool hosting_begin(void);
void hosting_end(void);

/* A REG_MULTI_SZ that grows. Initialise with zeros. */
struct hosting_names {
    wchar_t text[4096];
    DWORD used;
};

void hosting_names_add(struct hosting_names *names, const wchar_t *where, const wchar_t *name);

/* Runs this program with one argument, with these SSP/APs in front of those configured and, unless
 * NULL, with this value of SSPs. False when the registry could not be set or put back or the child
 * did not end; *failures receives the child's exit status. */
bool hosting_run(const wchar_t *child, const struct hosting_names *lsa, const wchar_t *providers,
                 DWORD *failures);

/* Copies the test module `from` to where\to.dll. */
bool hosting_copy(const wchar_t *from, const wchar_t *where, const wchar_t *to);

struct hosting_case {
    const char *name;
    void (*function)(void);
};
/* One of the name that stands behind child_ in the function's. */
#define CHILD(name)         \
    {                       \
#name, child_##name \
    }

/* In the child: runs the case of that name and then, unless NULL, after. Its failed statements, or
 * 98 when there is no such case: the child's exit status. */
static inline int hosting_case_run(const struct hosting_case *cases, size_t count, const char *name,
                                   void (*after)(void))
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(cases[i].name, name)) continue;
        statement_case(__FILE__, name);
        cases[i].function();
        if (after) after();
        fflush(stdout);
        return statements.failed;
    }
    return 98;
}

/* How often a package of that name is listed; -1 when there is no list. */
int hosting_times_listed(const wchar_t *name);
