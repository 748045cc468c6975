/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the cipher itself takes: AES-256-GCM of libgcrypt, with the work of a TLS record and without
 * any TLS (nonce, 13 bytes of associated data, text, tag). No way to make records with this library
 * is faster.
 */
#include "bench.h"

#include <gcrypt.h>

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAG = 16 };

struct bench_pair {
    gcry_cipher_hd_t client, server;
    uint8_t nonce[12], associated[13];
};

static bool raw_set_up(void)
{
    if (!gcry_check_version(NULL)) return false;
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    return true;
}

static void raw_pair_free(struct bench_pair *pair)
{
    gcry_cipher_close(pair->client);
    gcry_cipher_close(pair->server);
    free(pair);
}

static bool raw_open(gcry_cipher_hd_t *cipher)
{
    static const uint8_t key[32] = {1};
    return !gcry_cipher_open(cipher, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM, 0) &&
           !gcry_cipher_setkey(*cipher, key, sizeof(key));
}

static struct bench_pair *raw_pair_create(void)
{
    struct bench_pair *pair = calloc(1, sizeof(*pair));
    if (pair && raw_open(&pair->client) && raw_open(&pair->server)) return pair;
    if (pair) raw_pair_free(pair);
    return NULL;
}

static bool raw_start(struct bench_pair *pair, gcry_cipher_hd_t cipher)
{
    return !gcry_cipher_setiv(cipher, pair->nonce, sizeof(pair->nonce)) &&
           !gcry_cipher_authenticate(cipher, pair->associated, sizeof(pair->associated));
}

static bool raw_seal(struct bench_pair *pair, bool from_server, struct bench_slot *slot)
{
    gcry_cipher_hd_t cipher = from_server ? pair->server : pair->client;
    return raw_start(pair, cipher) &&
           !gcry_cipher_encrypt(cipher, slot->text, slot->size, NULL, 0) &&
           !gcry_cipher_gettag(cipher, slot->text + slot->size, TAG);
}

static bool raw_unseal(struct bench_pair *pair, bool from_server, struct bench_slot *slot)
{
    gcry_cipher_hd_t cipher = from_server ? pair->client : pair->server;
    return raw_start(pair, cipher) &&
           !gcry_cipher_decrypt(cipher, slot->text, slot->size, NULL, 0) &&
           !gcry_cipher_checktag(cipher, slot->text + slot->size, TAG);
}

static void raw_slot_clear(struct bench_slot *slot)
{
    (void)slot;
}

static const struct bench_ops raw_ops = {
    .set_up = raw_set_up,
    .pair_create = raw_pair_create,
    .pair_free = raw_pair_free,
    .seal = raw_seal,
    .unseal = raw_unseal,
    .slot_clear = raw_slot_clear,
};

int main(int argc, char **argv)
{
    return bench_run(&raw_ops, argc, argv);
}
