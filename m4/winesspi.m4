# SPDX-License-Identifier: LGPL-2.1-or-later
# Configure checks of winesspi: the build folder, the Windows compilers and the sanitizers.

# Running ./configure in the source folder builds in build/, so that the source stays clean and
# the output is where tools/check, tools/demo and tools/winesspi look for it. A GNUmakefile in the
# source folder passes every make target on. This comes before AM_INIT_AUTOMAKE, which would
# refuse other build folders of a source folder that was itself configured.
AC_DEFUN([WINESSPI_BUILD_FOLDER], [
    AS_IF([test "$srcdir" = . && test -f configure.ac && test "x$winesspi_in_source" != xyes], [
        mkdir -p build || AC_MSG_ERROR([cannot make the folder build])
        cat >GNUmakefile <<'EOF'
# Made by configure: passes every target on to the build folder.
all:
	@$(MAKE) --no-print-directory -C build all
%: force
	@$(MAKE) --no-print-directory -C build $[]@
GNUmakefile force: ;
EOF
        AC_MSG_NOTICE([building in the folder build])
        rm -f config.log confdefs.h
        cd build && eval "exec $CONFIG_SHELL ../configure $ac_configure_args"
    ])
])

# WINESSPI_MISSING(WHAT, PACKAGES): something the build cannot do without.
AC_DEFUN([WINESSPI_MISSING], [missing="$missing  $1 (Debian: $2)
"])

# WINESSPI_PE_TARGET(ARCH, TRIPLET, PACKAGE): finds one MinGW and tries it with libgcrypt.
AC_DEFUN([WINESSPI_PE_TARGET], [
    AC_CHECK_PROGS([$1_CC], [$2-gcc-win32 $2-gcc])
    AC_SUBST([$1_AR], [$2-ar])
    AC_SUBST([$1_STRIP], [$2-strip])
    AC_SUBST([$1_WINDRES], [$2-windres])
    AC_SUBST([$1_TRIPLET], [$2])
    AS_IF([test -z "$$1_CC"],
        [$1_text="no $1: $2-gcc is missing (Debian package $3)"],
        [AC_CACHE_CHECK([whether $$1_CC links libgcrypt], [winesspi_cv_$1_gcrypt], [
            cat >conftest.c <<EOF
#include <gcrypt.h>
int main(void) { return !gcry_check_version(GCRYPT_VERSION); }
EOF
            AS_IF([$$1_CC -o conftest.exe conftest.c -l:libgcrypt.a -l:libgpg-error.a $PE_CORE_LIBS >&AS_MESSAGE_LOG_FD 2>&1],
                [winesspi_cv_$1_gcrypt=yes], [winesspi_cv_$1_gcrypt=no])
            rm -f conftest.c conftest.exe])
        AS_IF([test "$winesspi_cv_$1_gcrypt" = yes],
            [PE_ARCHS="$PE_ARCHS $1"
             $1_text="$1 ($$1_CC)"],
            [$1_text="no $1: libgcrypt for $2 is missing (Debian packages libgcrypt-mingw-w64-dev and libgpg-error-mingw-w64-dev)"])])
])
# Sets SANITIZE_CFLAGS, for compiling and linking native code, and FUZZ_LDFLAGS, for fuzz targets.
AC_DEFUN([WINESSPI_SANITIZERS], [
    SANITIZE_CFLAGS=
    FUZZ_LDFLAGS=
    AS_IF([test "$enable_fuzzer" = yes], [
        enable_sanitizers=yes
        FUZZ_LDFLAGS=-fsanitize=fuzzer
    ])
    AS_IF([test "$enable_sanitizers" = yes],
        [SANITIZE_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"])
    AS_IF([test "$enable_fuzzer" = yes],
        [SANITIZE_CFLAGS="$SANITIZE_CFLAGS -fsanitize=fuzzer-no-link"])
    AS_IF([test -n "$SANITIZE_CFLAGS"], [
        AC_MSG_CHECKING([whether $CC links the sanitizers])
        saved_cflags=$CFLAGS
        CFLAGS="$CFLAGS $SANITIZE_CFLAGS"
        AC_LINK_IFELSE([AC_LANG_PROGRAM()], [AC_MSG_RESULT([yes])], [
            AC_MSG_RESULT([no])
            WINESSPI_MISSING([sanitizers for $CC], [gcc or clang with libclang-rt-14-dev])])
        CFLAGS=$saved_cflags
    ])
    AC_SUBST([SANITIZE_CFLAGS])
    AC_SUBST([FUZZ_LDFLAGS])
])

# Sets UNIX_ARCHS: this machine's own, and i386 where the compiler can link 32-bit code.
AC_DEFUN([WINESSPI_UNIX_ARCHS], [
    UNIX_ARCHS=
    AC_CANONICAL_HOST
    AS_CASE([$host_cpu], [x86_64], [UNIX_ARCHS=x86_64], [i?86], [UNIX_ARCHS=i386])
    AS_IF([test "$UNIX_ARCHS" = x86_64], [
        AC_MSG_CHECKING([whether $CC makes 32-bit programs])
        saved_cflags=$CFLAGS
        CFLAGS="$CFLAGS -m32"
        AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[puts("");]])],
            [UNIX_ARCHS="x86_64 i386"
             AC_MSG_RESULT([yes])],
            [AC_MSG_RESULT([no])])
        CFLAGS=$saved_cflags
    ])
    AC_SUBST([UNIX_ARCHS])
])
