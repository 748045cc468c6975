/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One figure that needs a fresh process: how long a program waits for secur32.dll to load and to
 * answer its first question about a package.
 */
#include <windows.h>
#include <sspi.h>
#include <stdio.h>

int main(void)
{
    WCHAR package[] = L"NTLM";
    LARGE_INTEGER frequency, start, end;
    SecPkgInfoW *info;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&start);
    HMODULE module = LoadLibraryW(L"secur32.dll");
    QUERY_SECURITY_PACKAGE_INFO_FN_W query = NULL;
    if (module) {
        query = (QUERY_SECURITY_PACKAGE_INFO_FN_W)(void (*)(void))GetProcAddress(
            module, "QuerySecurityPackageInfoW");
    }
    SECURITY_STATUS status = query ? query(package, &info) : SEC_E_UNSUPPORTED_FUNCTION;
    QueryPerformanceCounter(&end);
    if (status != SEC_E_OK) {
        fprintf(stderr, "QuerySecurityPackageInfo: 0x%08lx\n", (unsigned long)status);
        printf("package_first - us\n");
        return 1;
    }
    printf("package_first %.6g us\n",
           (double)(end.QuadPart - start.QuadPart) * 1e6 / (double)frequency.QuadPart);
    return 0;
}
