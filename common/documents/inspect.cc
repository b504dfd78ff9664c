#include "common/documents/inspect.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <system_error>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/telemetry/log.h"
#include "common/text/view.h"
#include "nlohmann/json.hpp"

namespace parcours::documents {
namespace {

// The answer is one short line; more is not read.
constexpr std::size_t kMaximumAnswer = 4096;

// Where the child finds the file that it inspects, and how it says that it
// could not confine itself.
constexpr int kChildFile = 3;
constexpr int kNotConfined = 3;

// How long an inspection waits for a place.
constexpr std::chrono::milliseconds kPatience{2000};

// More are no document that somebody reads.
constexpr int64_t kMaximumPages = 10'000;

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
  std::string memory = Cat(options.memory_bytes);
  std::string seconds = Cat(absl::ToInt64Seconds(options.cpu_time));
  std::vector<char*> arguments = {program.data(), memory.data(), seconds.data(),
                                  nullptr};
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

// The places of the children that run at a time.
class Places {
 public:
  bool Enter(std::chrono::milliseconds patience) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!freed_.wait_for(lock, patience, [this] { return free_ > 0; })) {
      return false;
    }
    --free_;
    return true;
  }
  void Leave() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++free_;
    }
    freed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  int free_ = 2;
};

// Every inspection of the process. Never destroyed.
Places& AllPlaces() {
  static auto& places = *new Places;
  return places;
}

absl::StatusOr<Inspection> Inspect(const InspectorOptions& options, int file) {
  const off_t size = lseek(file, 0, SEEK_END);
  if (size < 0) return SystemError("looking at a file");
  if (size == 0) return MakeError(Reason::kUploadEmpty);
  if (!AllPlaces().Enter(kPatience)) {
    return WithRetryAfter(MakeError(Reason::kOverloaded),
                          absl::FromChrono(kPatience));
  }
  const absl::Cleanup leave = [] { AllPlaces().Leave(); };

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
  if (WIFEXITED(status) &&
      (WEXITSTATUS(status) == 127 || WEXITSTATUS(status) == kNotConfined)) {
    return absl::InternalError("the inspector could not be started");
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
    telemetry::Log(telemetry::LogLevel::kWarning,
                   "an inspector was stopped at a system call");
    return Unreadable("reading it does what no document needs");
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Unreadable("reading it takes too much memory or time");
  }
  return ReadInspection(text, static_cast<int64_t>(size));
}

std::string TextIn(const nlohmann::json& facts, const char* key) {
  const auto value = facts.find(key);
  return value != facts.end() && value->is_string() ? value->get<std::string>()
                                                    : "";
}

bool FlagIn(const nlohmann::json& facts, const char* key, bool otherwise) {
  const auto value = facts.find(key);
  return value != facts.end() && value->is_boolean() ? value->get<bool>()
                                                     : otherwise;
}

// Of a child that was not taken over, one of the names in pdf_facts.h.
bool IsActiveName(std::string_view name) {
  return name.size() <= 20 && std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c));
         });
}

}  // namespace

absl::StatusOr<Inspection> ReadInspection(std::string_view answer,
                                          int64_t byte_size) {
  const nlohmann::json facts =
      nlohmann::json::parse(answer, nullptr, /*allow_exceptions=*/false);
  if (!facts.is_object()) return Unreadable("its contents are damaged");
  static std::atomic<bool> said = false;
  if (!FlagIn(facts, "filtered", true) && !said.exchange(true)) {
    telemetry::Log(telemetry::LogLevel::kWarning,
                   "this kernel does not filter an inspector's system calls");
  }
  const std::string kind = TextIn(facts, "kind");
  if (kind == "office") return MakeError(Reason::kUploadOfficeDocument);
  if (kind != "pdf") {
    return MakeError(Reason::kUploadWrongType, {{"expected", "a PDF alone"}});
  }
  if (FlagIn(facts, "encrypted", false)) {
    return MakeError(Reason::kUploadEncrypted);
  }
  if (FlagIn(facts, "damaged", true)) {
    return Unreadable("its contents are damaged");
  }
  const std::string active = TextIn(facts, "active");
  if (!active.empty()) {
    return MakeError(Reason::kUploadActiveContent,
                     {{"kind", IsActiveName(active) ? active : "?"}});
  }
  const auto pages = facts.find("pages");
  if (pages == facts.end() || !pages->is_number_integer() ||
      pages->get<int64_t>() <= 0) {
    return Unreadable("it has no pages");
  }
  if (pages->get<int64_t>() > kMaximumPages) {
    return Unreadable("it has too many pages");
  }
  return Inspection{.pages = pages->get<int>(), .byte_size = byte_size};
}

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
