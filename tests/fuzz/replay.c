/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a fuzz target once on each file named, or on each file of a folder named. It stands in for
 * libFuzzer; a target that does not hold ends the program.
 */
#define _POSIX_C_SOURCE 200809L
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

#define INPUT_MAX (1u << 20)

static int passed, failed;

static void run_file(const char *path)
{
    uint8_t *all = malloc(INPUT_MAX);
    FILE *file = fopen(path, "rb");
    if (!all || !file) {
        printf("%s cannot be read\n", path);
        failed++;
        free(all);
        if (file) fclose(file);
        return;
    }
    size_t size = fread(all, 1, INPUT_MAX, file);
    fclose(file);
    /* A block of exactly its size, so that the sanitizer notices reading beyond it. */
    uint8_t *data = malloc(size ? size : 1);
    must(data);
    memcpy(data, all, size);
    free(all);
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    passed++;
}

static void run_path(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) {
        run_file(path);
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder));) {
        char name[4096];
        struct stat info;
        int length = snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (length < 0 || (size_t)length >= sizeof(name) || stat(name, &info)) continue;
        if (S_ISREG(info.st_mode)) run_file(name);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    const char *base = strrchr(argv[0], '/');
    for (int i = 1; i < argc; i++) run_path(argv[i]);
    if (!passed && !failed) {
        printf("usage: %s FILE-OR-FOLDER..., with at least one file\n", argv[0]);
        failed = 1;
    }
    printf("%s: %d passed, %d failed, 0 skipped\n", base ? base + 1 : argv[0], passed, failed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
