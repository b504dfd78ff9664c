#include "common/privacy/erasure_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_set.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/types/resource_name.h"

namespace parcours::privacy {
namespace {

using PersonName = ResourceName<"bodies/*/persons/*">;

absl::Status Unavailable(const std::filesystem::path& path,
                         std::string_view action) {
  const int error = errno;
  return absl::UnavailableError(Cat("erasure log ", path.string(), ": ", action,
                                    ": ",
                                    std::generic_category().message(error)));
}

absl::Status SyncFolderOf(const std::filesystem::path& path) {
  const std::filesystem::path folder =
      path.has_parent_path() ? path.parent_path() : ".";
  const int descriptor =
      open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return Unavailable(path, "opening its folder");
  const absl::Cleanup closer = [descriptor] { close(descriptor); };
  if (fsync(descriptor) != 0) return Unavailable(path, "syncing its folder");
  return absl::OkStatus();
}

// Where the last whole line of `file`, of `size` bytes, ends.
absl::StatusOr<off_t> EndOfLines(int file, off_t size,
                                 const std::filesystem::path& path) {
  for (off_t end = size; end > 0; --end) {
    char last = 0;
    if (pread(file, &last, 1, end - 1) != 1) {
      return Unavailable(path, "reading");
    }
    if (last == '\n') return end;
  }
  return 0;
}

// "2026-11-23T09:38:31Z bodies/opale/persons/p-1".
std::optional<std::string> PersonOfLine(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, AbslView(line.substr(0, space)),
                       &time, &error)) {
    return std::nullopt;
  }
  const absl::StatusOr<PersonName> person =
      PersonName::Parse(line.substr(space + 1));
  if (!person.ok()) return std::nullopt;
  return person->text();
}

}  // namespace

absl::Status FileErasureLog::Append(const std::string& person, absl::Time now) {
  const std::string line =
      Cat(StdView(absl::FormatTime("%Y-%m-%d%ET%H:%M:%SZ", now,
                                   absl::UTCTimeZone())),
          " ", person, "\n");
  const absl::MutexLock lock(&mutex_);
  const int file =
      open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return Unavailable(path_, "opening");
  const absl::Cleanup closer = [file] { close(file); };
  // Other processes append too, and none may while a torn end is cut off.
  while (flock(file, LOCK_EX) != 0) {
    if (errno != EINTR) return Unavailable(path_, "locking");
  }
  struct stat facts {};
  if (fstat(file, &facts) != 0) return Unavailable(path_, "looking");
  ASSIGN_OR_RETURN(const off_t end, EndOfLines(file, facts.st_size, path_));
  // Nobody was told that what a crash has cut off was noted.
  if (end < facts.st_size && ftruncate(file, end) != 0) {
    return Unavailable(path_, "cutting a torn line off");
  }
  const ssize_t written = write(file, line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) {
    absl::Status failed = Unavailable(path_, "writing");
    // What stays is passed over as a torn line is.
    if (written > 0) (void)!ftruncate(file, end);
    return failed;
  }
  if (fsync(file) != 0) return Unavailable(path_, "syncing");
  return end == 0 ? SyncFolderOf(path_) : absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> FileErasureLog::Read() const {
  std::vector<std::string> persons;
  std::error_code error;
  if (!std::filesystem::exists(path_, error) && !error) return persons;
  std::ifstream file(path_, std::ios::binary);
  if (!file) return Unavailable(path_, "opening");
  std::string text;
  std::array<char, 1 << 16> part;
  do {
    file.read(part.data(), part.size());
    text.append(part.data(), static_cast<std::size_t>(file.gcount()));
  } while (file);
  if (file.bad()) return Unavailable(path_, "reading");
  absl::flat_hash_set<std::string> known;
  std::size_t begin = 0;
  for (int number = 1;; ++number) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) return persons;
    std::optional<std::string> person =
        PersonOfLine(std::string_view(text).substr(begin, end - begin));
    if (!person.has_value()) {
      return absl::FailedPreconditionError(
          Cat("erasure log ", path_.string(), ": line ", number,
              " is not a time, a space and the name of a person"));
    }
    if (known.insert(*person).second) persons.push_back(*std::move(person));
    begin = end + 1;
  }
}

}  // namespace parcours::privacy
