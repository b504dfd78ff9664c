#include "common/documents/confinement.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

namespace parcours::documents {
namespace {

using ::testing::ExitedWithCode;
using ::testing::KilledBySignal;

constexpr int kAsItShould = 0;
constexpr int kEscaped = 1;

#ifdef __SANITIZE_ADDRESS__
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

void Confine() {
  const ConfinementLimits limits = {.memory_bytes = int64_t{256} << 20,
                                    .cpu_seconds = 1};
  if (ConfineThisProcess(limits) != Confinement::kComplete) _exit(3);
}

[[noreturn]] void ExitIf(bool held) { _exit(held ? kAsItShould : kEscaped); }

TEST(ConfinementDeathTest, OpensNoFile) {
  EXPECT_EXIT(
      {
        Confine();
        ExitIf(open("/etc/hostname", O_RDONLY) < 0 && errno == EACCES);
      },
      ExitedWithCode(kAsItShould), "");
  EXPECT_EXIT(
      {
        Confine();
        ExitIf(open("/proc/self/mem", O_RDWR) < 0 && errno == EACCES);
      },
      ExitedWithCode(kAsItShould), "");
}

TEST(ConfinementDeathTest, HasNoNetwork) {
  for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK}) {
    EXPECT_EXIT(
        {
          Confine();
          (void)socket(family, SOCK_STREAM, 0);
          _exit(kEscaped);
        },
        KilledBySignal(SIGSYS), "");
  }
}

TEST(ConfinementDeathTest, StartsNoProcess) {
  EXPECT_EXIT(
      {
        Confine();
        if (fork() == 0) _exit(0);
        _exit(kEscaped);
      },
      KilledBySignal(SIGSYS), "");
  EXPECT_EXIT(
      {
        Confine();
        execl("/bin/true", "true", nullptr);
        _exit(kEscaped);
      },
      KilledBySignal(SIGSYS), "");
}

TEST(ConfinementDeathTest, HurtsNoOtherProcess) {
  EXPECT_EXIT(
      {
        Confine();
        kill(getppid(), 0);
        _exit(kEscaped);
      },
      KilledBySignal(SIGSYS), "");
}

TEST(ConfinementDeathTest, MakesNoMemoryCode) {
  if (kSanitized) return;  // its run time decides about memory
  EXPECT_EXIT(
      {
        Confine();
        (void)mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        _exit(kEscaped);
      },
      KilledBySignal(SIGSYS), "");
}

TEST(ConfinementDeathTest, HasNoMoreMemory) {
  if (kSanitized) return;  // not limited there
  EXPECT_EXIT(
      {
        Confine();
        ExitIf(mmap(nullptr, std::size_t{512} << 20, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
      },
      ExitedWithCode(kAsItShould), "");
}

TEST(ConfinementDeathTest, HasNoMoreTime) {
  EXPECT_EXIT(
      {
        Confine();
        for (std::atomic<unsigned> i = 0;; ++i) {
        }
      },
      KilledBySignal(SIGKILL), "");
}

TEST(ConfinementDeathTest, WritesNoFile) {
  EXPECT_EXIT(
      {
        const int file = memfd_create("open before", 0);
        signal(SIGXFSZ, SIG_IGN);
        Confine();
        ExitIf(file >= 0 && write(file, "x", 1) < 0);
      },
      ExitedWithCode(kAsItShould), "");
}

TEST(ConfinementDeathTest, StillReadsAndWritesWhatItWasGiven) {
  EXPECT_EXIT(
      {
        int ends[2];
        if (pipe(ends) != 0) _exit(kEscaped);
        Confine();
        char read_back = 0;
        void* const memory = std::malloc(1 << 20);
        ExitIf(memory != nullptr && write(ends[1], "x", 1) == 1 &&
               read(ends[0], &read_back, 1) == 1 && read_back == 'x');
      },
      ExitedWithCode(kAsItShould), "");
}

}  // namespace
}  // namespace parcours::documents
