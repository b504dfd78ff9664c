#ifndef PARCOURS_COMMON_DOCUMENTS_UPLOAD_STORE_H_
#define PARCOURS_COMMON_DOCUMENTS_UPLOAD_STORE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/digest.h"

namespace parcours::documents {

struct UploadStoreOptions {
  // Folder of the files; created, for this user alone, when it is missing.
  std::filesystem::path directory;
  // File with the key of 32 bytes under which files are encrypted that have no
  // key of their own; created with a random key, mode 0600, when it is missing.
  // Without it these cannot be read: back it up, and not beside them.
  std::filesystem::path key_file;
};

// What has been received, once it is on disk.
struct StoredFile {
  int64_t byte_size = 0;
  std::string sha256;  // of the clear bytes, 64 lower-case hexadecimal digits
};

// Appends to one file. Not thread-safe. What was appended but not finished is
// kept when the writer is destroyed, as far as the system wrote it.
class UploadWriter {
 public:
  ~UploadWriter();
  UploadWriter(const UploadWriter&) = delete;
  UploadWriter& operator=(const UploadWriter&) = delete;

  // Clear bytes in the file so far.
  int64_t offset() const { return offset_; }

  // Adds `bytes`. Errors: INTERNAL.
  absl::Status Append(std::string_view bytes);

  // Writes everything to the disk, the folder's entry included. Errors:
  // INTERNAL. REQUIRES: last call.
  absl::StatusOr<StoredFile> Finish();

 private:
  friend class UploadStore;
  UploadWriter(int file, std::filesystem::path directory,
               std::string object_id);
  // Reads what a former writer left, cuts a torn end off.
  absl::Status Recover();
  absl::Status Flush();

  int file_;
  std::filesystem::path directory_;
  std::string object_id_;
  std::string key_;
  std::string pending_;
  int64_t offset_ = 0;
  int64_t flushed_ = 0;
  crypto::Sha256 digest_;
};

// The files that people send, encrypted (XChaCha20-Poly1305), each under a
// random id, mode 0600. It keeps no list and no keys of files: the rows of the
// record say what is there, and hold them sealed. Thread-safe.
//
// A file is a sequence of records: length of the clear bytes (4 bytes,
// little-endian), nonce, encrypted bytes and tag, bound to the object id and
// the position in the file, so that records can be neither moved nor swapped.
class UploadStore {
 public:
  // FAILED_PRECONDITION when the folder or the key cannot be used.
  static absl::StatusOr<std::unique_ptr<UploadStore>> Open(
      const UploadStoreOptions& options);

  // A fresh object id, 32 random hexadecimal digits.
  static std::string NewObjectId();

  // A fresh key for a file: 32 random bytes.
  static std::string NewKey();

  // In what follows `key` is that of the file; empty for a file that has none
  // of its own. One that a process of an older release wrote under the store's
  // key, although it has one, is read with that.

  // A writer that goes on at `offset`; the file is created at offset 0.
  // Errors: UPLOAD_OFFSET_MISMATCH when that is not how much there is,
  // CONFLICT while another writer has the file.
  absl::StatusOr<std::unique_ptr<UploadWriter>> OpenForWrite(
      const std::string& object_id, const std::string& key,
      int64_t offset) const;

  // How many clear bytes there are; 0 without a file.
  absl::StatusOr<int64_t> ReceivedBytes(const std::string& object_id,
                                        const std::string& key) const;

  // All the clear bytes. Errors: NOT_FOUND without the file, INTERNAL when it
  // was damaged or the key is another.
  absl::StatusOr<std::string> Read(const std::string& object_id,
                                   const std::string& key) const;

  // Removes the file; OK when there is none.
  absl::Status Remove(const std::string& object_id) const;

  // Where the encrypted file lies.
  std::filesystem::path PathOf(const std::string& object_id) const;

 private:
  UploadStore(std::filesystem::path directory, std::string key)
      : directory_(std::move(directory)), key_(std::move(key)) {}

  // The key that opens `file`, which is read from its beginning afterwards.
  absl::StatusOr<std::string> KeyOf(int file, const std::string& object_id,
                                    const std::string& key) const;

  const std::filesystem::path directory_;
  const std::string key_;
};

}  // namespace parcours::documents

#endif  // PARCOURS_COMMON_DOCUMENTS_UPLOAD_STORE_H_
