/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where default credentials come from: the keytab, or the user's cache of tickets, which may change
 * at any time. To find a ticket in a file the library locks and reads it several times, which takes
 * as long as the rest of an exchange: so tickets that have been found there once are taken from a
 * copy in memory, until the file changes. A ticket that is not there yet always goes to the file.
 */
#include "unix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- copies ---- */

void cache_destroy(const char *name)
{
    krb5_ccache cache;
    krb5_context context = keeper_take();
    if (context && !krb5.cc_resolve(context, name, &cache)) krb5.cc_destroy(context, cache);
    keeper_give();
}

void snapshot_drop(struct snapshot *snapshot)
{
    if (!snapshot || --snapshot->users) return;
    cache_destroy(snapshot->cache);
    free(snapshot->cache);
    free(snapshot);
}

krb5_error_code cache_copy(krb5_context context, krb5_ccache from, krb5_ccache to)
{
    krb5_principal client = NULL;
    krb5_error_code error = krb5.cc_get_principal(context, from, &client);
    if (!error) error = krb5.cc_initialize(context, to, client);
    if (!error) error = krb5.cc_copy_creds(context, from, to);
    krb5.free_principal(context, client);
    return error;
}

krb5_error_code cache_keep(krb5_context context, krb5_ccache cache, krb5_error_code error,
                           char **name)
{
    char *full = NULL, *copy = NULL;
    if (!error) error = krb5.cc_get_full_name(context, cache, &full);
    if (!error) copy = strdup(full);
    if (!error && !copy) error = ENOMEM;
    if (full) krb5.free_string(context, full);
    if (cache && error) krb5.cc_destroy(context, cache);
    else if (cache) krb5.cc_close(context, cache);
    if (!error) *name = copy;
    return error;
}

/* The name of a copy of the cache, or NULL. */
static char *cache_remember(krb5_context context, const char *path)
{
    krb5_ccache from = NULL, to = NULL;
    char *name = NULL;
    krb5_error_code error = krb5.cc_resolve(context, path, &from);
    if (!error) error = krb5.cc_new_unique(context, "MEMORY", NULL, &to);
    if (!error) error = cache_copy(context, from, to);
    if (from) krb5.cc_close(context, from);
    cache_keep(context, to, error, &name);
    return name;
}

static struct snapshot *snapshot_make(const char *path)
{
    krb5_context context;
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (!snapshot) return NULL;
    if (!krb5.init_context(&context)) {
        snapshot->cache = cache_remember(context, path);
        krb5.free_context(context);
    }
    snapshot->users = 1;
    if (snapshot->cache) return snapshot;
    free(snapshot);
    return NULL;
}

/* ---- what tickets are there ---- */

static bool origin_knows(const struct origin *origin, struct slice target)
{
    for (size_t i = 0; i < origin->known_count; i++) {
        const struct blob *known = &origin->known[i];
        if (known->size == target.size && !memcmp(known->data, target.data, target.size))
            return true;
    }
    return false;
}

void origin_learn(struct origin *origin, struct slice target)
{
    bool room = origin->known_count < ORIGIN_TARGETS;
    if (!krb5_found || !origin->cache || !room || origin_knows(origin, target)) return;
    struct blob *next = &origin->known[origin->known_count];
    if (status_ok(blob_set(next, target))) origin->known_count++;
}

struct snapshot *origin_snapshot(struct origin *origin, struct slice target)
{
    if (!target.size || !origin_knows(origin, target)) return NULL;
    if (!origin->snapshot) origin->snapshot = snapshot_make(origin->cache);
    if (origin->snapshot) origin->snapshot->users++;
    return origin->snapshot;
}

/* ---- where they come from ---- */

void origin_clear(struct origin *origin)
{
    for (size_t i = 0; i < origin->known_count; i++) blob_clear(&origin->known[i]);
    snapshot_drop(origin->snapshot);
    free(origin->variable);
    free(origin->cache);
    *origin = (struct origin){0};
}

static const char *origin_variable(uint32_t use)
{
    return getenv(use == CALL_USE_ACCEPT ? "KRB5_KTNAME" : "KRB5CCNAME");
}

/* The path in the name of a cache; NULL when it names no file. */
static char *cache_path(const char *name)
{
    if (!strncmp(name, "FILE:", 5)) return strdup(name + 5);
    return strchr(name, ':') ? NULL : strdup(name);
}

/* The name of the default cache, if it is a file's. */
static char *cache_default(void)
{
    krb5_context context;
    const char *name = getenv("KRB5CCNAME");
    if (name) return cache_path(name);
    if (!krb5_found || krb5.init_context(&context)) return NULL;
    name = krb5.cc_default_name(context);
    char *path = name ? cache_path(name) : NULL;
    krb5.free_context(context);
    return path;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool origin_holds(const struct origin *origin, uint32_t use)
{
    struct stat now;
    const char *variable = origin_variable(use);
    if (!variable != !origin->variable) return false;
    if (variable && strcmp(variable, origin->variable)) return false;
    if (use == CALL_USE_ACCEPT) return true; /* a keytab is read each time */
    return origin->cache && !stat(origin->cache, &now) && same_file(&now, &origin->stat);
}

void origin_set(struct origin *origin, uint32_t use)
{
    const char *variable = origin_variable(use);
    origin_clear(origin);
    origin->variable = variable ? strdup(variable) : NULL;
    if (use == CALL_USE_ACCEPT) return;
    origin->cache = cache_default();
    if (!origin->cache || !stat(origin->cache, &origin->stat)) return;
    free(origin->cache);
    origin->cache = NULL;
}
