#include "common/documents/inspect.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "nlohmann/json.hpp"

namespace parcours::documents {
namespace {

// The answer is one short line; more is not read.
constexpr std::size_t kMaximumAnswer = 4096;

// Where the child finds the file that it inspects.
constexpr int kChildFile = 3;

absl::Status SystemError(std::string_view action) {
  const int error = errno;
  return absl::InternalError(
      Cat(action, ": ", std::generic_category().message(error)));
}

absl::Status Unreadable(std::string_view cause) {
  return MakeError(Reason::kUploadUnreadable, {{"cause", std::string(cause)}});
}

// Starts the child with `file` as its descriptor 3 and nothing else of ours:
// no environment, no other descriptor, its output in a pipe. Returns its id;
// `answer` becomes the end of the pipe to read.
absl::StatusOr<pid_t> Start(const InspectorOptions& options, int file,
                            int& answer) {
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return SystemError("pipe");
  answer = pipe_ends[0];
  const absl::Cleanup close_writer = [&pipe_ends] { close(pipe_ends[1]); };

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const absl::Cleanup destroy_actions = [&actions] {
    posix_spawn_file_actions_destroy(&actions);
  };
  // Above the standard ones first, so that no dup2 overwrites a source.
  const int file_copy = fcntl(file, F_DUPFD_CLOEXEC, 16);
  const int pipe_copy = fcntl(pipe_ends[1], F_DUPFD_CLOEXEC, 16);
  const absl::Cleanup close_copies = [file_copy, pipe_copy] {
    if (file_copy >= 0) close(file_copy);
    if (pipe_copy >= 0) close(pipe_copy);
  };
  if (file_copy < 0 || pipe_copy < 0) return SystemError("dup");
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe_copy, 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, file_copy, kChildFile);
  posix_spawn_file_actions_addclosefrom_np(&actions, kChildFile + 1);

  std::string program = options.program.string();
  std::string path = Cat("/proc/self/fd/", kChildFile);
  std::string memory = Cat(options.memory_bytes);
  std::string seconds = Cat(absl::ToInt64Seconds(options.cpu_time));
  std::vector<char*> arguments = {program.data(), path.data(), memory.data(),
                                  seconds.data(), nullptr};
  std::array<char*, 1> environment = {nullptr};
  pid_t child = 0;
  const int error = posix_spawn(&child, program.c_str(), &actions, nullptr,
                                arguments.data(), environment.data());
  if (error != 0) {
    errno = error;
    return SystemError(Cat("starting ", program));
  }
  return child;
}

// Everything the child says until it closes its output; false when it has not
// by `deadline` or says too much.
bool ReadAnswer(int answer, absl::Time deadline, std::string& text) {
  std::array<char, 1024> buffer{};
  while (text.size() <= kMaximumAnswer) {
    const int64_t left = absl::ToInt64Milliseconds(deadline - absl::Now());
    if (left <= 0) return false;
    pollfd waiting{.fd = answer, .events = POLLIN, .revents = 0};
    const int ready = poll(&waiting, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t got = read(answer, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) return true;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return false;
}

absl::StatusOr<Inspection> Inspect(const InspectorOptions& options, int file) {
  const off_t size = lseek(file, 0, SEEK_END);
  if (size < 0) return SystemError("looking at a file");
  if (size == 0) return MakeError(Reason::kUploadEmpty);

  int answer = -1;
  const absl::Cleanup close_answer = [&answer] {
    if (answer >= 0) close(answer);
  };
  ASSIGN_OR_RETURN(const pid_t child, Start(options, file, answer));
  std::string text;
  const bool answered = ReadAnswer(answer, absl::Now() + options.timeout, text);
  if (!answered) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!answered) return Unreadable("reading it takes too long");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
    return absl::InternalError("the inspector could not be started");
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Unreadable("reading it takes too much memory or time");
  }

  const nlohmann::json facts =
      nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!facts.is_object()) return Unreadable("its contents are damaged");
  if (facts.value("kind", "") != "pdf") {
    return MakeError(Reason::kUploadWrongType, {{"expected", "a PDF"}});
  }
  if (facts.value("encrypted", false)) return Unreadable("it is encrypted");
  if (facts.value("damaged", true)) {
    return Unreadable("its contents are damaged");
  }
  if (facts.value("has_javascript", false)) {
    return Unreadable("it holds a script");
  }
  const int pages = facts.value("pages", 0);
  if (pages <= 0) return Unreadable("it has no pages");
  return Inspection{.pages = pages, .byte_size = static_cast<int64_t>(size)};
}

}  // namespace

absl::StatusOr<Inspection> InspectFile(const InspectorOptions& options,
                                       const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return SystemError("opening a file to inspect");
  const absl::Cleanup closer = [file] { close(file); };
  return Inspect(options, file);
}

absl::StatusOr<Inspection> InspectBytes(const InspectorOptions& options,
                                        std::string_view bytes) {
  if (bytes.empty()) return MakeError(Reason::kUploadEmpty);
  const int file = memfd_create("upload", MFD_CLOEXEC);
  if (file < 0) return SystemError("memfd_create");
  const absl::Cleanup closer = [file] { close(file); };
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("writing a file to inspect");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return Inspect(options, file);
}

}  // namespace parcours::documents
