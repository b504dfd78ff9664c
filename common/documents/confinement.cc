#include "common/documents/confinement.h"

#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

namespace parcours::documents {
namespace {

// Steps by which it comes after the service.
constexpr int kNice = 10;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

bool Limit(__rlimit_resource resource, int64_t value) {
  const rlimit limit{.rlim_cur = static_cast<rlim_t>(value),
                     .rlim_max = static_cast<rlim_t>(value)};
  return setrlimit(resource, &limit) == 0;
}

// A filter of system calls, while it is put together.
class Filter {
 public:
  explicit Filter(uint32_t otherwise) : context_(seccomp_init(otherwise)) {}
  ~Filter() {
    if (context_ != nullptr) seccomp_release(context_);
  }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  // What an architecture does not have needs no rule.
  void Add(uint32_t action, int call) {
    if (context_ != nullptr && call >= 0) {
      works_ &= seccomp_rule_add_array(context_, action, call, 0, nullptr) == 0;
    }
  }
  void Add(uint32_t action, int call, scmp_arg_cmp argument) {
    if (context_ != nullptr && call >= 0) {
      works_ &=
          seccomp_rule_add_array(context_, action, call, 1, &argument) == 0;
    }
  }

  bool Load() {
    return context_ != nullptr && works_ && seccomp_load(context_) == 0;
  }

 private:
  const scmp_filter_ctx context_;
  bool works_ = true;
};

bool FilterSystemCalls() {
  // The run time of a sanitizer makes calls of its own: there, what must never
  // happen is named, instead of what may.
  Filter filter(kSanitized ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS);
  for (const int call :
       {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat),
        SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
        SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(readlink),
        SCMP_SYS(readlinkat), SCMP_SYS(ioctl)}) {
    filter.Add(SCMP_ACT_ERRNO(EACCES), call);
  }
  if (kSanitized) {
    for (const int call :
         {SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect),
          SCMP_SYS(bind), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone),
          SCMP_SYS(clone3), SCMP_SYS(execve), SCMP_SYS(execveat),
          SCMP_SYS(ptrace), SCMP_SYS(kill), SCMP_SYS(unlink),
          SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(mkdir)}) {
      filter.Add(SCMP_ACT_KILL_PROCESS, call);
    }
    return filter.Load();
  }
  for (const int call : {SCMP_SYS(read),
                         SCMP_SYS(pread64),
                         SCMP_SYS(readv),
                         SCMP_SYS(lseek),
                         SCMP_SYS(write),
                         SCMP_SYS(writev),
                         SCMP_SYS(close),
                         SCMP_SYS(fstat),
                         SCMP_SYS(brk),
                         SCMP_SYS(munmap),
                         SCMP_SYS(mremap),
                         SCMP_SYS(madvise),
                         SCMP_SYS(futex),
                         SCMP_SYS(getrandom),
                         SCMP_SYS(clock_gettime),
                         SCMP_SYS(gettimeofday),
                         SCMP_SYS(sched_yield),
                         SCMP_SYS(rt_sigreturn),
                         SCMP_SYS(rt_sigprocmask),
                         SCMP_SYS(restart_syscall),
                         SCMP_SYS(exit),
                         SCMP_SYS(exit_group)}) {
    filter.Add(SCMP_ACT_ALLOW, call);
  }
  // No memory becomes code.
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    filter.Add(SCMP_ACT_ALLOW, call,
               SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  }
  // How the C library asks about an open file.
  filter.Add(SCMP_ACT_ALLOW, SCMP_SYS(newfstatat),
             SCMP_A3_64(SCMP_CMP_EQ, AT_EMPTY_PATH));
  return filter.Load();
}

}  // namespace

Confinement ConfineThisProcess(const ConfinementLimits& limits) {
  const pid_t parent = getppid();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent ||
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return Confinement::kFailed;
  }
  if (!kSanitized && !Limit(RLIMIT_AS, limits.memory_bytes)) {
    return Confinement::kFailed;
  }
  if (!Limit(RLIMIT_CPU, limits.cpu_seconds) || !Limit(RLIMIT_CORE, 0) ||
      !Limit(RLIMIT_FSIZE, 0)) {
    return Confinement::kFailed;
  }
  // Not to be served before the calls of others; it works without, too.
  if (nice(kNice) == -1) errno = 0;
  return FilterSystemCalls() ? Confinement::kComplete
                             : Confinement::kWithoutFilter;
}

}  // namespace parcours::documents
