#ifndef PARCOURS_COMMON_DOCUMENTS_UPLOAD_SERVICE_H_
#define PARCOURS_COMMON_DOCUMENTS_UPLOAD_SERVICE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/documents/upload_store.h"
#include "common/rpc/shell.h"
#include "common/storage/database.h"
#include "parcours/platform/v1/upload.grpc.pb.h"

namespace parcours::documents {

struct UploadLimits {
  int64_t maximum_bytes = int64_t{20} << 20;
  // Media types that may be announced; empty: any.
  std::vector<std::string> content_types;
  // Looks at the bytes of a whole file announced as `content_type`, before it
  // counts as received: what it refuses is thrown away. Empty: not looked at.
  // May block; thread-safe.
  std::function<absl::Status(std::string_view content_type,
                             std::string_view bytes)>
      inspect;
  // Business time from the announcement until an upload is given up.
  absl::Duration lifetime = absl::Hours(24);
};

// parcours.platform.v1.UploadService over a service's own database, whose
// migrations include those of upload_repository.h.
class UploadRpc final : public rpc::ServiceOf<platform::v1::UploadService> {
 public:
  // All outlive the service.
  UploadRpc(rpc::Shell& shell, storage::Database& database,
            const UploadStore& store, UploadLimits limits)
      : ServiceOf(shell),
        database_(database),
        store_(store),
        limits_(std::move(limits)) {}

  PARCOURS_RPC(CreateUpload, platform::v1::CreateUploadRequest,
               platform::v1::Upload)
  PARCOURS_RPC(GetUpload, platform::v1::GetUploadRequest, platform::v1::Upload)
  PARCOURS_CLIENT_STREAM_RPC(WriteUpload, platform::v1::WriteUploadRequest,
                             platform::v1::Upload)

 private:
  using Receiver = rpc::ChunkReceiver<platform::v1::WriteUploadRequest,
                                      platform::v1::Upload>;

  absl::StatusOr<platform::v1::Upload> CreateUpload(
      const rpc::CallContext& call,
      const platform::v1::CreateUploadRequest& request);
  absl::StatusOr<platform::v1::Upload> GetUpload(
      const rpc::CallContext& call,
      const platform::v1::GetUploadRequest& request);
  absl::StatusOr<std::unique_ptr<Receiver>> WriteUpload(
      const rpc::CallContext& call);

  storage::Database& database_;
  const UploadStore& store_;
  const UploadLimits limits_;
};

}  // namespace parcours::documents

#endif  // PARCOURS_COMMON_DOCUMENTS_UPLOAD_SERVICE_H_
