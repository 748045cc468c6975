/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See guest.h. The name is random, and the password goes nowhere but where the program takes it. */
#include "guest.h"

#include "narrate.h"

#include "core/secret.h"

#include <windows.h>

#include <bcrypt.h>

#include <stdint.h>
#include <stdlib.h>

/* For the control handler. */
static const struct account *guest_stopped;

/* The other processes of a demonstration end with this one's job. */
static BOOL WINAPI guest_on_stop(DWORD event)
{
    (void)event;
    if (guest_stopped) account_remove(guest_stopped);
    ExitProcess(EXIT_FAILED);
}

/* Digits only: the password travels as a line of text. */
static bool guest_random(struct guest *guest, wchar_t suffix[5])
{
    uint8_t bytes[2 + GUEST_PASSWORD_DIGITS / 2];
    if (BCryptGenRandom(NULL, bytes, sizeof(bytes), BCRYPT_USE_SYSTEM_PREFERRED_RNG))
        return narrate_failure("the system gives no random bytes");
    swprintf(suffix, 5, L"%02x%02x", bytes[0], bytes[1]);
    for (size_t i = 0; i < GUEST_PASSWORD_DIGITS / 2; i++)
        snprintf(guest->password + 2 * i, 3, "%02x", bytes[2 + i]);
    secret_wipe(bytes, sizeof(bytes));
    return true;
}

static long guest_set_password(const struct guest *guest)
{
    wchar_t password[GUEST_PASSWORD_DIGITS + 1];
    for (size_t i = 0; i <= GUEST_PASSWORD_DIGITS; i++) password[i] = (wchar_t)guest->password[i];
    long error = account_set(&guest->account, password);
    secret_wipe(password, sizeof(password));
    return error;
}

bool guest_make(struct guest *guest)
{
    wchar_t suffix[5], name[16];
    if (!guest_random(guest, suffix)) return false;
    swprintf(name, 16, L"demo-%ls", suffix);
    const char *problem = account_parse(name, NULL, &guest->account);
    if (problem) return narrate_failure("the account: %s", problem);
    if (account_find(&guest->account) == ERROR_SUCCESS)
        return narrate_failure("an account of that name exists already; try again");
    guest_stopped = &guest->account;
    SetConsoleCtrlHandler(guest_on_stop, TRUE);
    long error = guest_set_password(guest);
    if (error) return narrate_failure("cannot write the account: error %ld", error);
    guest->made = true;
    char *text = text_from_wide(guest->account.text);
    narrate("made the account %s with a random password", text ? text : "");
    free(text);
    return true;
}

void guest_remove(struct guest *guest)
{
    secret_wipe(guest->password, sizeof(guest->password));
    if (!guest->made) return;
    account_remove(&guest->account);
    guest_stopped = NULL;
    guest->made = false;
    narrate("removed the account");
}
