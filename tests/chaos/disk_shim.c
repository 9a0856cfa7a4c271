// Preloaded into dp-collect: makes fsync of the journal fail from the k-th call on, and keeps a log of what became
// durable and what was sent, in that order, so that acknowledging what is not durable can be seen.
//
// DP_SHIM_JOURNAL: the journal. DP_SHIM_FAIL_FROM: k, 0 for never. DP_SHIM_LOG: records of a kind ('D' durable, 'S'
// sent), a descriptor, and a length as native 64-bit numbers; after 'S' that many bytes, for 'D' the length is the size
// of the journal when fsync was called.
// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static int log_file = -1;
static long syncs, fail_from;

__attribute__((constructor)) static void open_log(void) {
  const char* path = getenv("DP_SHIM_LOG");
  const char* from = getenv("DP_SHIM_FAIL_FROM");
  if (path) log_file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  fail_from = from ? atol(from) : 0;
}

static void put(const void* bytes, size_t length) {
  if (write(log_file, bytes, length) != (ssize_t)length) abort();
}

static void record(uint64_t kind, uint64_t descriptor, uint64_t length, const void* bytes) {
  const uint64_t head[3] = {kind, descriptor, length};
  put(head, sizeof head);
  if (bytes) put(bytes, length);
}

static int is_journal(int descriptor, uint64_t* size) {
  struct stat this, journal;
  const char* path = getenv("DP_SHIM_JOURNAL");
  if (!path || stat(path, &journal) != 0 || fstat(descriptor, &this) != 0) return 0;
  *size = (uint64_t)this.st_size;
  return this.st_dev == journal.st_dev && this.st_ino == journal.st_ino;
}

static int sync_through(const char* name, int descriptor) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  uint64_t size = 0;
  if (!is_journal(descriptor, &size)) return real(descriptor);
  pthread_mutex_lock(&guard);
  const int fails = fail_from != 0 && ++syncs >= fail_from;
  pthread_mutex_unlock(&guard);
  if (fails) {
    errno = EIO;
    return -1;
  }
  const int result = real(descriptor);
  if (result == 0) {
    pthread_mutex_lock(&guard);
    record('D', (uint64_t)descriptor, size, NULL);
    pthread_mutex_unlock(&guard);
  }
  return result;
}

int fsync(int descriptor) { return sync_through("fsync", descriptor); }
int fdatasync(int descriptor) { return sync_through("fdatasync", descriptor); }

// Under the lock, so that what is sent after a sync has returned also stands after it in the log.
ssize_t send(int descriptor, const void* bytes, size_t length, int flags) {
  ssize_t (*real)(int, const void*, size_t, int) = (ssize_t(*)(int, const void*, size_t, int))dlsym(RTLD_NEXT, "send");
  pthread_mutex_lock(&guard);
  const ssize_t sent = real(descriptor, bytes, length, flags);
  const int problem = errno;
  if (sent > 0) record('S', (uint64_t)descriptor, (uint64_t)sent, bytes);
  pthread_mutex_unlock(&guard);
  errno = problem;
  return sent;
}

// A descriptor that is used again begins another stream.
int accept4(int listener, struct sockaddr* address, socklen_t* size, int flags) {
  int (*real)(int, struct sockaddr*, socklen_t*, int) =
      (int (*)(int, struct sockaddr*, socklen_t*, int))dlsym(RTLD_NEXT, "accept4");
  const int descriptor = real(listener, address, size, flags);
  pthread_mutex_lock(&guard);
  if (descriptor >= 0) record('A', (uint64_t)descriptor, 0, NULL);
  pthread_mutex_unlock(&guard);
  return descriptor;
}
