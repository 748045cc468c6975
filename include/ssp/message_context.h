/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For packages that leave messages to another package, as Negotiate does: winesspi can take them to
 * the other one's context at once. A package that wants this lists the attribute among its context
 * thunks (SECPKG_CONTEXT_THUNKS), and is asked for it when a context is established or imported,
 * its LSA half if there is one. No application can ask.
 *
 * An answer says that MakeSignature, VerifySignature, EncryptMessage and DecryptMessage would do
 * nothing but call the same function with that handle. While it is not a live context's, they are
 * called as if there had been no answer.
 */
#pragma once

#define WINESSPI_ATTR_MESSAGE_CONTEXT 0x57530001u /* CtxtHandle */
