#ifndef PARCOURS_COMMON_DOCUMENTS_UPLOAD_H_
#define PARCOURS_COMMON_DOCUMENTS_UPLOAD_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/types/enum_names.h"
#include "common/types/resource_name.h"

namespace parcours::documents {

using UploadName = ResourceName<"bodies/*/uploads/*">;

// How far an upload has come.
enum class UploadState { kReceiving, kComplete, kAttached, kExpired };

// A file on its way in. Its bytes lie in the UploadStore under `object_id`.
struct Upload {
  UploadName name;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;

  // Random; says nothing about whose file it is.
  std::string object_id;
  // As announced, in bytes.
  int64_t byte_size = 0;
  // As announced; not trusted.
  std::string content_type;
  // 64 lower-case hexadecimal digits: announced or empty before the upload is
  // complete, that of the bytes received afterwards.
  std::string sha256;
  UploadState state = UploadState::kReceiving;
  // The subject of the account that sends it; empty when the body does.
  std::string account;
  // Name of the person whose it became with the resource that took it; empty
  // before, and for what is nobody's own.
  std::string person;
  // The sealed key of the file in base64, and the id of the master key under
  // which it lies: see OpenFileKey.
  std::string file_key;
  std::string file_master_key;
  // Business time after which an upload that nothing took is given up.
  absl::Time expire_time;
};

// The file becomes a resource's own and no longer expires. Errors:
// UPLOAD_INCOMPLETE, UPLOAD_EXPIRED, ILLEGAL_TRANSITION when it is already
// another's.
absl::Status Attach(Upload& upload, absl::Time now);

}  // namespace parcours::documents

namespace parcours {

template <>
struct EnumNames<documents::UploadState> {
  static constexpr std::string_view values[] = {"RECEIVING", "COMPLETE",
                                                "ATTACHED", "EXPIRED"};
};

}  // namespace parcours

#endif  // PARCOURS_COMMON_DOCUMENTS_UPLOAD_H_
