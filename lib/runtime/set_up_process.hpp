// What a tool changes of its whole process: signals, timers, scheduling, memory, descriptors. Nothing else does.
// SPDX-License-Identifier: MIT
#pragma once

namespace dp {

/// Takes SIGINT and SIGTERM over, asks for prompt timers and short turns, keeps freed memory, and raises the limit on
/// descriptors. Once, by main's thread, before threads are started. Returns what an EventLoop hears of interruptions by:
/// the first makes it readable, the second ends the process with 130. Throws Error.
int set_up_process();

}  // namespace dp
