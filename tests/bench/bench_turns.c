/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs programs that measure the same figures, one of them at a time; see bench.h. The first one
 * leads: who waits for the turn to measure what it is about to measure has a turn before it. What
 * the others alone can measure comes after it has ended.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIDES = 8, LINE = 256 };

struct side {
    const char *name;
    pid_t process;
    FILE *from, *to; /* NULL once it has ended */
    char waits_for[LINE];
};

/* The ends of pipes that are for this program close by themselves in the other ones. */
static bool start(struct side *side, char **command)
{
    int to[2], from[2];
    if (pipe(to) || pipe(from)) return false;
    side->process = fork();
    if (side->process < 0) return false;
    if (!side->process) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        for (int fd = STDERR_FILENO + 1; fd <= from[1]; fd++) close(fd);
        execvp(command[0], command);
        perror(command[0]);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    side->to = fdopen(to[1], "w");
    side->from = fdopen(from[0], "r");
    return side->to && side->from;
}

static void end(struct side *side)
{
    int status;
    fclose(side->from);
    fclose(side->to);
    side->from = side->to = NULL;
    if (waitpid(side->process, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
        fprintf(stderr, "%s has failed\n", side->name);
}

/* Prints its figures until it waits again. */
static void listen_to(struct side *side)
{
    static const char turn[] = "turn ";
    char line[LINE];
    while (fgets(line, sizeof(line), side->from)) {
        line[strcspn(line, "\r\n")] = 0;
        if (!strncmp(line, turn, strlen(turn))) {
            strcpy(side->waits_for, line + strlen(turn));
            return;
        }
        printf("%s %s\n", side->name, line);
        fflush(stdout);
    }
    end(side);
}

static void give_turn(struct side *side)
{
    if (fputs("\n", side->to) < 0 || fflush(side->to)) fprintf(stderr, "%s is gone\n", side->name);
    listen_to(side);
}

static void take_turns(struct side *sides, unsigned count)
{
    for (unsigned leader = 0; leader < count; leader++) {
        while (sides[leader].from) {
            char name[LINE];
            strcpy(name, sides[leader].waits_for);
            for (unsigned i = count; i-- > leader;)
                if (sides[i].from && !strcmp(sides[i].waits_for, name)) give_turn(&sides[i]);
        }
    }
}

int main(int argc, char **argv)
{
    struct side sides[SIDES] = {0};
    unsigned count = 0;
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i < argc; i++) {
        char **command = &argv[i + 1];
        const char *name = argv[i];
        while (i < argc && strcmp(argv[i], "--")) i++;
        argv[i] = NULL;
        if (count == SIDES || !*command) {
            fprintf(stderr, "usage: %s SIDE COMMAND... [-- SIDE COMMAND...]...\n", argv[0]);
            return 2;
        }
        sides[count].name = name;
        if (!start(&sides[count], command)) {
            perror(name);
            return 1;
        }
        listen_to(&sides[count++]);
    }
    take_turns(sides, count);
    return 0;
}
