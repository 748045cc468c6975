/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between front and worker: the front sends a frame with one whole request, head and body, to the
 * worker's standard input; the worker sends a frame with the whole answer into a pipe of its own.
 */
#pragma once

#include "../handover/frame.h"
#include "answer.h"

#define WORKER_REQUEST_MAX (HTTP_HEAD_MAX + HTTP_BODY_MAX)
