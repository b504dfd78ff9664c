#include "common/documents/upload.h"

#include "common/status/error.h"
#include "common/text/view.h"

namespace parcours::documents {

absl::Status Attach(Upload& upload, absl::Time now) {
  switch (upload.state) {
    case UploadState::kReceiving:
      if (now >= upload.expire_time) return MakeError(Reason::kUploadExpired);
      return MakeError(
          Reason::kUploadIncomplete,
          {{"expected", Cat(upload.byte_size)}, {"received", "fewer"}});
    case UploadState::kComplete:
      if (now >= upload.expire_time) return MakeError(Reason::kUploadExpired);
      upload.state = UploadState::kAttached;
      return absl::OkStatus();
    case UploadState::kAttached:
      return MakeError(Reason::kIllegalTransition,
                       {{"resource", upload.name.text()},
                        {"state", std::string(NameOf(upload.state))},
                        {"action", "attaching it again"}});
    case UploadState::kExpired:
      return MakeError(Reason::kUploadExpired);
  }
  return MakeError(Reason::kInternal, {{"reference", "upload-state"}});
}

}  // namespace parcours::documents
