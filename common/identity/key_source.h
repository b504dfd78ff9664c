#ifndef PARCOURS_COMMON_IDENTITY_KEY_SOURCE_H_
#define PARCOURS_COMMON_IDENTITY_KEY_SOURCE_H_

#include <sys/types.h>
#include <time.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace parcours::identity {

// Where the JWK Set of one issuer is read. Read is called by one thread at a
// time and may block; Cancel may be called from any.
class KeySource {
 public:
  virtual ~KeySource() = default;

  // The text of the set; nothing when it is as it was at the last Read that
  // returned a text and `anew` is false. The message of an error is for the
  // operator's log.
  virtual absl::StatusOr<std::optional<std::string>> Read(bool anew) = 0;

  // Lets a Read that runs, and all that follow, end soon.
  virtual void Cancel() {}
};

// A file of at most 256 KiB, which is to be replaced by a rename. It is read
// again when its inode, size or time of change is another.
class FileKeySource final : public KeySource {
 public:
  explicit FileKeySource(std::string path);
  absl::StatusOr<std::optional<std::string>> Read(bool anew) override;

 private:
  struct Mark {
    dev_t device;
    ino_t inode;
    off_t size;
    timespec modified;
    timespec changed;
  };
  const std::string path_;
  std::optional<Mark> last_;
};

struct UrlKeySourceOptions {
  std::string url;
  // Empty: the authorities of the system.
  std::string ca_file;
  absl::Duration connect_timeout = absl::Seconds(5);
  // Of the whole exchange.
  absl::Duration timeout = absl::Seconds(10);
};

// OK for https, and for http on loopback, without user or password; else what
// is wrong with the URL.
absl::Status CheckKeyUrl(const std::string& url);

// GET of a URL that CheckKeyUrl accepts. At most 256 KiB are read; over https
// up to three redirects, to https only, over http none.
class UrlKeySource final : public KeySource {
 public:
  explicit UrlKeySource(UrlKeySourceOptions options);
  absl::StatusOr<std::optional<std::string>> Read(bool anew) override;
  void Cancel() override { cancelled_ = true; }

 private:
  const UrlKeySourceOptions options_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace parcours::identity

#endif  // PARCOURS_COMMON_IDENTITY_KEY_SOURCE_H_
