/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "roles.h"
int role_demo(char **arguments)
{
    (void)arguments;
    return 1;
}
