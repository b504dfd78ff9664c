#include "common/documents/upload_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/time/time.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "sodium.h"

namespace parcours::documents {
namespace {

constexpr std::size_t kRecordBytes = 65536;
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kNonceBytes =
    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;

constexpr absl::Duration kRetryAfter = absl::Seconds(1);

absl::Status SystemError(std::string_view action) {
  const int error = errno;
  // A full disk is what it is to the database: it passes, and the sender, who
  // goes on from what has arrived, may come again.
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return WithRetryAfter(MakeError(Reason::kDatabaseUnavailable), kRetryAfter);
  }
  return absl::InternalError(
      Cat(action, ": ", std::generic_category().message(error)));
}

unsigned char* Bytes(char* data) {
  return reinterpret_cast<unsigned char*>(data);
}
const unsigned char* Bytes(const char* data) {
  return reinterpret_cast<const unsigned char*>(data);
}

// What a record is bound to besides its own bytes.
std::string BoundTo(const std::string& object_id, int64_t offset) {
  return Cat(object_id, "@", offset);
}

std::string Sealed(std::string_view clear, const std::string& object_id,
                   int64_t offset, const std::string& key) {
  const std::string bound = BoundTo(object_id, offset);
  const std::string nonce = crypto::RandomBytes(kNonceBytes);
  std::string record(kLengthBytes + kNonceBytes + clear.size() + kTagBytes,
                     '\0');
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    record[i] = static_cast<char>((clear.size() >> (8 * i)) & 0xff);
  }
  std::copy(nonce.begin(), nonce.end(), record.begin() + kLengthBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      Bytes(record.data() + kLengthBytes + kNonceBytes), nullptr,
      Bytes(clear.data()), clear.size(), Bytes(bound.data()), bound.size(),
      nullptr, Bytes(nonce.data()), Bytes(key.data()));
  return record;
}

// Reads up to `size` bytes; fewer only at the end of the file.
absl::StatusOr<std::string> ReadUpTo(int file, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = read(file, bytes.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("reading an upload");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

absl::Status WriteAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("writing an upload");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

// The next record's clear bytes, or nothing at the end of the file and at a
// torn or damaged record. `stored` becomes its size in the file.
absl::StatusOr<std::optional<std::string>> NextRecord(
    int file, const std::string& object_id, int64_t offset,
    const std::string& key, std::size_t& stored) {
  ASSIGN_OR_RETURN(const std::string head, ReadUpTo(file, kLengthBytes));
  if (head.size() < kLengthBytes) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= std::size_t{static_cast<unsigned char>(head[i])} << (8 * i);
  }
  if (length == 0 || length > kRecordBytes) return std::nullopt;
  const std::size_t rest = kNonceBytes + length + kTagBytes;
  ASSIGN_OR_RETURN(const std::string body, ReadUpTo(file, rest));
  if (body.size() < rest) return std::nullopt;
  const std::string bound = BoundTo(object_id, offset);
  std::string clear(length, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          Bytes(clear.data()), nullptr, nullptr,
          Bytes(body.data() + kNonceBytes), length + kTagBytes,
          Bytes(bound.data()), bound.size(), Bytes(body.data()),
          Bytes(key.data())) != 0) {
    return std::nullopt;
  }
  stored = kLengthBytes + rest;
  return clear;
}

absl::Status SyncFolder(const std::filesystem::path& folder) {
  const int descriptor =
      open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return SystemError("opening the upload folder");
  const absl::Cleanup closer = [descriptor] { close(descriptor); };
  if (fsync(descriptor) != 0) return SystemError("syncing the upload folder");
  return absl::OkStatus();
}

// A path for an object id that can name nothing outside the folder.
bool IsObjectId(std::string_view id) {
  return id.size() == 32 && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

absl::StatusOr<std::string> LoadKey(const std::filesystem::path& path) {
  const int created =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (created >= 0) {
    const absl::Cleanup closer = [created] { close(created); };
    RETURN_IF_ERROR(WriteAll(created, crypto::RandomBytes(kKeyBytes)));
    if (fsync(created) != 0) return SystemError("syncing the key");
  } else if (errno != EEXIST) {
    return SystemError(Cat("creating the key ", path.string()));
  }
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return SystemError(Cat("opening ", path.string()));
  const absl::Cleanup closer = [file] { close(file); };
  ASSIGN_OR_RETURN(std::string key, ReadUpTo(file, kKeyBytes + 1));
  if (key.size() != kKeyBytes) {
    return absl::FailedPreconditionError(
        Cat(path.string(), " does not hold a key of ", kKeyBytes, " bytes"));
  }
  return key;
}

}  // namespace

UploadWriter::UploadWriter(int file, std::filesystem::path directory,
                           std::string object_id)
    : file_(file),
      directory_(std::move(directory)),
      object_id_(std::move(object_id)) {}

UploadWriter::~UploadWriter() {
  // A failure here only means that the sender has more to send again.
  (void)Flush();
  close(file_);
}

absl::Status UploadWriter::Recover() {
  off_t end = 0;
  while (true) {
    std::size_t stored = 0;
    ASSIGN_OR_RETURN(const std::optional<std::string> clear,
                     NextRecord(file_, object_id_, offset_, key_, stored));
    if (!clear.has_value()) break;
    digest_.Update(*clear);
    offset_ += static_cast<int64_t>(clear->size());
    end += static_cast<off_t>(stored);
  }
  flushed_ = offset_;
  if (ftruncate(file_, end) != 0 || lseek(file_, end, SEEK_SET) != end) {
    return SystemError("cutting the torn end off an upload");
  }
  return absl::OkStatus();
}

absl::Status UploadWriter::Append(std::string_view bytes) {
  digest_.Update(bytes);
  offset_ += static_cast<int64_t>(bytes.size());
  while (!bytes.empty()) {
    const std::size_t take =
        std::min(bytes.size(), kRecordBytes - pending_.size());
    pending_.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    if (pending_.size() == kRecordBytes) RETURN_IF_ERROR(Flush());
  }
  return absl::OkStatus();
}

absl::Status UploadWriter::Flush() {
  if (pending_.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(
      WriteAll(file_, Sealed(pending_, object_id_, flushed_, key_)));
  flushed_ += static_cast<int64_t>(pending_.size());
  pending_.clear();
  return absl::OkStatus();
}

absl::StatusOr<StoredFile> UploadWriter::Finish() {
  RETURN_IF_ERROR(Flush());
  if (fsync(file_) != 0) return SystemError("syncing an upload");
  RETURN_IF_ERROR(SyncFolder(directory_));
  return StoredFile{.byte_size = offset_, .sha256 = digest_.FinishHex()};
}

absl::StatusOr<std::unique_ptr<UploadStore>> UploadStore::Open(
    const UploadStoreOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  if (!error) {
    std::filesystem::permissions(options.directory,
                                 std::filesystem::perms::owner_all, error);
  }
  if (!error && options.key_file.has_parent_path()) {
    std::filesystem::create_directories(options.key_file.parent_path(), error);
  }
  if (error) {
    return absl::FailedPreconditionError(Cat("the upload folder ",
                                             options.directory.string(), ": ",
                                             error.message()));
  }
  absl::StatusOr<std::string> key = LoadKey(options.key_file);
  if (!key.ok()) {
    return absl::FailedPreconditionError(key.status().message());
  }
  return absl::WrapUnique(new UploadStore(options.directory, *std::move(key)));
}

std::string UploadStore::NewObjectId() { return crypto::RandomHex(16); }

std::string UploadStore::NewKey() { return crypto::RandomBytes(kKeyBytes); }

absl::StatusOr<std::string> UploadStore::KeyOf(int file,
                                               const std::string& object_id,
                                               const std::string& key) const {
  if (key.empty()) return key_;
  if (key.size() != kKeyBytes) {
    return absl::InternalError("the key of a file has another size");
  }
  std::size_t stored = 0;
  ASSIGN_OR_RETURN(const std::optional<std::string> by_it,
                   NextRecord(file, object_id, 0, key, stored));
  std::optional<std::string> by_own;
  if (!by_it.has_value()) {
    if (lseek(file, 0, SEEK_SET) != 0) return SystemError("reading an upload");
    ASSIGN_OR_RETURN(by_own, NextRecord(file, object_id, 0, key_, stored));
  }
  if (lseek(file, 0, SEEK_SET) != 0) return SystemError("reading an upload");
  return by_own.has_value() ? key_ : key;
}

std::filesystem::path UploadStore::PathOf(const std::string& object_id) const {
  return directory_ / object_id.substr(0, 2) / object_id;
}

absl::StatusOr<std::unique_ptr<UploadWriter>> UploadStore::OpenForWrite(
    const std::string& object_id, const std::string& key,
    int64_t offset) const {
  if (!IsObjectId(object_id)) {
    return absl::InternalError("not an object id");
  }
  const std::filesystem::path path = PathOf(object_id);
  const std::filesystem::path folder = path.parent_path();
  if (mkdir(folder.c_str(), 0700) == 0) {
    RETURN_IF_ERROR(SyncFolder(directory_));
  } else if (errno != EEXIST) {
    return SystemError("creating an upload folder");
  }
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return SystemError("opening an upload");
  std::unique_ptr<UploadWriter> writer =
      absl::WrapUnique(new UploadWriter(file, folder, object_id));
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    return MakeError(Reason::kConflict);
  }
  ASSIGN_OR_RETURN(writer->key_, KeyOf(file, object_id, key));
  RETURN_IF_ERROR(writer->Recover());
  if (writer->offset() != offset) {
    return MakeError(Reason::kUploadOffsetMismatch,
                     {{"expected", Cat(writer->offset())}});
  }
  return writer;
}

absl::StatusOr<int64_t> UploadStore::ReceivedBytes(
    const std::string& object_id, const std::string& key) const {
  const int file = open(PathOf(object_id).c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    if (errno == ENOENT) return 0;
    return SystemError("opening an upload");
  }
  const absl::Cleanup closer = [file] { close(file); };
  ASSIGN_OR_RETURN(const std::string used, KeyOf(file, object_id, key));
  int64_t offset = 0;
  while (true) {
    std::size_t stored = 0;
    ASSIGN_OR_RETURN(const std::optional<std::string> clear,
                     NextRecord(file, object_id, offset, used, stored));
    if (!clear.has_value()) return offset;
    offset += static_cast<int64_t>(clear->size());
  }
}

absl::StatusOr<std::string> UploadStore::Read(const std::string& object_id,
                                              const std::string& key) const {
  const int file = open(PathOf(object_id).c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    if (errno == ENOENT) return absl::NotFoundError("the upload has no file");
    return SystemError("opening an upload");
  }
  const absl::Cleanup closer = [file] { close(file); };
  ASSIGN_OR_RETURN(const std::string used, KeyOf(file, object_id, key));
  std::string bytes;
  std::size_t read_bytes = 0;
  while (true) {
    std::size_t stored = 0;
    ASSIGN_OR_RETURN(
        const std::optional<std::string> clear,
        NextRecord(file, object_id, static_cast<int64_t>(bytes.size()), used,
                   stored));
    if (!clear.has_value()) break;
    bytes += *clear;
    read_bytes += stored;
  }
  struct stat facts {};
  if (fstat(file, &facts) != 0) return SystemError("looking at an upload");
  if (static_cast<std::size_t>(facts.st_size) != read_bytes) {
    return absl::InternalError("an upload's file is damaged");
  }
  return bytes;
}

absl::Status UploadStore::Remove(const std::string& object_id) const {
  if (unlink(PathOf(object_id).c_str()) != 0 && errno != ENOENT) {
    return SystemError("removing an upload");
  }
  return absl::OkStatus();
}

}  // namespace parcours::documents
