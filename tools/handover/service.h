/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What client and server say to each other. A request is u32le number and content; the answer is
 * the same number, u32le process id of the answering server, and the content backwards with all
 * bits inverted: neither an echo nor another request's answer passes for it.
 */
#pragma once

#include "session.h"

#define SERVICE_REQUEST_HEADER 4u
#define SERVICE_ANSWER_HEADER 8u
#define SERVICE_CONTENT_MAX (SESSION_CONTENT_MAX - SERVICE_ANSWER_HEADER)

/* Answers up to limit requests (0: until the client closes); counts them in *answered. False
 * after a failure, which is narrated. */
bool service_answer(struct session *session, unsigned limit, unsigned *answered);

/* Checks an answer; NULL, or what is wrong with it. */
const char *service_check(struct slice request, struct slice answer, uint32_t *process);
