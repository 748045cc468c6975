/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The message that is under way while its contexts move. */
#pragma once

static const char pending_text[] = "Sealed in one process before the export, opened in another.";
