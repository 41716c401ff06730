/* Preloaded into a process: writes down, in their order, all writes, cuts and syncs of the files whose name ends with
   one of the names in POWERCUT_FILES (parted by ':'), and what goes to stdout. Record: op (1 byte), name number (1),
   offset (8), length (4), then the bytes of a write; little-endian as the machine. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int trace = -1;

__attribute__((constructor)) static void start(void) {
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  const char *file = getenv("POWERCUT_TRACE");
  if (file != NULL) trace = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Number of the file's name in POWERCUT_FILES, or -1. */
static int number_of(int fd) {
  char link[64], path[PATH_MAX];
  const char *names = getenv("POWERCUT_FILES");
  if (trace < 0 || names == NULL) return -1;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return -1;
  path[length] = '\0';
  for (int number = 0; *names != '\0'; number += 1) {
    size_t size = strcspn(names, ":");
    if ((size_t)length > size && path[length - size - 1] == '/' && strncmp(path + length - size, names, size) == 0) return number;
    names += size + (names[size] == ':' ? 1 : 0);
  }
  return -1;
}

static void record(char op, int number, uint64_t offset, uint32_t length, const void *bytes) {
  unsigned char head[14];
  head[0] = (unsigned char)op;
  head[1] = (unsigned char)number;
  memcpy(head + 2, &offset, 8);
  memcpy(head + 10, &length, 4);
  pthread_mutex_lock(&order);
  int failed = real_write(trace, head, sizeof head) < 0;
  if (!failed && bytes != NULL) failed = real_write(trace, bytes, length) < 0;
  pthread_mutex_unlock(&order);
  if (failed) abort();
}

ssize_t write(int fd, const void *bytes, size_t length) {
  if (trace >= 0 && fd == 1) {
    record('p', 0, 0, (uint32_t)length, bytes);
    return real_write(fd, bytes, length);
  }
  int number = number_of(fd);
  off64_t offset = number < 0 ? 0 : lseek64(fd, 0, SEEK_CUR);
  ssize_t written = real_write(fd, bytes, length);
  if (number >= 0 && written > 0) record('w', number, (uint64_t)offset, (uint32_t)written, bytes);
  return written;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  int number = number_of(fd);
  ssize_t written = real_pwrite(fd, bytes, length, offset);
  if (number >= 0 && written > 0) record('w', number, (uint64_t)offset, (uint32_t)written, bytes);
  return written;
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

int ftruncate64(int fd, off64_t length) {
  int (*real)(int, off64_t) = dlsym(RTLD_NEXT, "ftruncate64");
  int number = number_of(fd);
  int result = real(fd, length);
  if (number >= 0 && result == 0) record('t', number, (uint64_t)length, 0, NULL);
  return result;
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int synced(const char *name, int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, name);
  int number = number_of(fd);
  int result = real(fd);
  if (number >= 0 && result == 0) record('s', number, 0, 0, NULL);
  return result;
}
int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }
