/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Structured exception handling for one call, which GCC has no keyword for. The two processors
 * differ: x86_64 finds handlers through unwind tables, i386 through a chain of frames on the
 * stack. Only exceptions that the module itself leaves unhandled arrive here.
 */
#include "guard.h"

#include "ssp/abi.h"

#include <excpt.h>

#ifdef __x86_64__

static long guard_filter(EXCEPTION_POINTERS *pointers, void *frame)
{
    (void)pointers;
    (void)frame;
    return EXCEPTION_EXECUTE_HANDLER;
}

__attribute__((noinline, noclone)) bool guard_call(void (*function)(void *argument), void *argument)
{
    volatile bool returned = false;
    long (*volatile filter)(EXCEPTION_POINTERS *, void *) = guard_filter; /* keep it */
    (void)filter;
    __try1(guard_filter);
    function(argument);
    returned = true;
    __except1;
    return returned;
}

#else

struct guard_frame {
    struct guard_frame *previous;
    void *handler;
    void *jump[5];
};

static EXCEPTION_DISPOSITION __cdecl guard_handler(EXCEPTION_RECORD *record, void *establisher,
                                                   CONTEXT *context, void *dispatcher)
{
    (void)context;
    (void)dispatcher;
    if (record->ExceptionFlags & (EXCEPTION_UNWINDING | EXCEPTION_EXIT_UNWIND))
        return ExceptionContinueSearch;
    struct guard_frame *frame = establisher;
    RtlUnwind(frame, NULL, record, NULL);
    __writefsdword(0, (DWORD)(ULONG_PTR)frame->previous);
    __builtin_longjmp(frame->jump, 1);
}

__attribute__((noinline, noclone)) bool guard_call(void (*function)(void *argument), void *argument)
{
    struct guard_frame frame = {.handler = guard_handler};
    if (__builtin_setjmp(frame.jump)) return false;
    frame.previous = (struct guard_frame *)(ULONG_PTR)__readfsdword(0);
    __writefsdword(0, (DWORD)(ULONG_PTR)&frame);
    function(argument);
    __writefsdword(0, (DWORD)(ULONG_PTR)frame.previous);
    return true;
}

#endif
