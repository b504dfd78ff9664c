#include "common/documents/upload_service.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_join.h"
#include "common/documents/upload_repository.h"
#include "common/rpc/convert.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::documents {
namespace {

namespace pb = platform::v1;

using BodyName = ResourceName<"bodies/*">;

// Of one call: 20 MiB in parts of one kibibyte. Each costs a look at the call,
// so that a stream of tiny or empty ones must end.
constexpr int kMaximumChunks = 20'480;

pb::Upload::State ToProto(UploadState state) {
  switch (state) {
    case UploadState::kReceiving:
      return pb::Upload::STATE_RECEIVING;
    case UploadState::kComplete:
      return pb::Upload::STATE_COMPLETE;
    case UploadState::kAttached:
      return pb::Upload::STATE_ATTACHED;
    case UploadState::kExpired:
      return pb::Upload::STATE_EXPIRED;
  }
  return pb::Upload::STATE_UNSPECIFIED;
}

pb::Upload ToProto(const Upload& upload, int64_t received_bytes) {
  pb::Upload message;
  message.set_name(upload.name.text());
  message.set_byte_size(upload.byte_size);
  message.set_content_type(upload.content_type);
  message.set_sha256(upload.sha256);
  message.set_received_bytes(received_bytes);
  message.set_state(ToProto(upload.state));
  *message.mutable_expire_time() = rpc::TimestampOf(upload.expire_time);
  *message.mutable_create_time() = rpc::TimestampOf(upload.create_time);
  return message;
}

// An upload, and while it is received the key of its file.
struct OpenedUpload {
  Upload upload;
  std::string key;
};

absl::StatusOr<pb::Upload> Answer(const UploadStore& store,
                                  const Upload& upload,
                                  const std::string& key) {
  switch (upload.state) {
    case UploadState::kReceiving: {
      ASSIGN_OR_RETURN(const int64_t received,
                       store.ReceivedBytes(upload.object_id, key));
      return ToProto(upload, received);
    }
    case UploadState::kComplete:
    case UploadState::kAttached:
      return ToProto(upload, upload.byte_size);
    case UploadState::kExpired:
      return ToProto(upload, 0);
  }
  return MakeError(Reason::kInternal, {{"reference", "upload-state"}});
}

absl::StatusOr<OpenedUpload> Load(storage::Database& database,
                                  const access::Caller& caller,
                                  const UploadName& name) {
  OpenedUpload opened;
  RETURN_IF_ERROR(database.View(
      caller, [&](storage::Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(opened.upload,
                         UploadRepository(transaction).Get(caller.scope, name));
        if (opened.upload.state == UploadState::kReceiving) {
          ASSIGN_OR_RETURN(opened.key, OpenFileKey(transaction, opened.upload));
        }
        return absl::OkStatus();
      }));
  return opened;
}

// Media types of word processors.
bool IsOffice(std::string_view content_type) {
  return content_type == "application/msword" ||
         content_type == "application/rtf" ||
         content_type.starts_with(
             "application/vnd.openxmlformats-officedocument.") ||
         content_type.starts_with("application/vnd.oasis.opendocument.");
}

absl::Status CheckAnnouncement(const pb::Upload& upload,
                               const UploadLimits& limits) {
  FieldViolations violations;
  if (upload.byte_size() < 0) {
    violations.Add("upload.byte_size", Reason::kFieldNegative);
  } else if (upload.byte_size() == 0) {
    violations.Add("upload.byte_size", Reason::kUploadEmpty);
  } else if (upload.byte_size() > limits.maximum_bytes) {
    violations.Add("upload.byte_size", Reason::kUploadTooLarge,
                   {{"maximum", Cat(limits.maximum_bytes)}});
  }
  const auto& accepted = limits.content_types;
  if (!accepted.empty() && std::find(accepted.begin(), accepted.end(),
                                     upload.content_type()) == accepted.end()) {
    if (IsOffice(upload.content_type())) {
      violations.Add("upload.content_type", Reason::kUploadOfficeDocument);
    } else {
      violations.Add("upload.content_type", Reason::kUploadWrongType,
                     {{"expected", absl::StrJoin(accepted, ", ")}});
    }
  }
  return violations.ToStatus();
}

// One call of WriteUpload. What has been appended stays when the call breaks.
class UploadReceiver final
    : public rpc::ChunkReceiver<pb::WriteUploadRequest, pb::Upload> {
 public:
  UploadReceiver(storage::Database& database, const UploadStore& store,
                 const UploadLimits& limits, access::Caller caller)
      : database_(database),
        store_(store),
        limits_(limits),
        caller_(std::move(caller)) {}

  absl::Status Consume(const pb::WriteUploadRequest& chunk) override {
    if (++chunks_ > kMaximumChunks) {
      return MakeFieldError(
          "data", Reason::kFieldMalformed,
          {{"expected", Cat("one of at most ", kMaximumChunks,
                            " messages of a call; another call goes on")}});
    }
    if (!upload_.has_value()) {
      RETURN_IF_ERROR(Open(chunk));
    } else if (!chunk.name().empty() && chunk.name() != upload_->name.text()) {
      return MakeFieldError("name", Reason::kFieldMalformed,
                            {{"expected", "the same as in the first message"}});
    }
    // Complete already: what comes is what has come before.
    if (writer_ == nullptr) return absl::OkStatus();
    if (chunk.write_offset() != writer_->offset()) {
      return MakeError(Reason::kUploadOffsetMismatch,
                       {{"expected", Cat(writer_->offset())}});
    }
    const auto size = static_cast<int64_t>(chunk.data().size());
    if (writer_->offset() + size > upload_->byte_size) {
      return MakeError(Reason::kUploadTooLarge,
                       {{"maximum", Cat(upload_->byte_size)}});
    }
    return writer_->Append(chunk.data());
  }

  absl::StatusOr<pb::Upload> Finish() override {
    if (!upload_.has_value()) {
      return MakeFieldError("name", Reason::kFieldRequired);
    }
    if (writer_ == nullptr) return Answer(store_, *upload_, key_);
    if (writer_->offset() < upload_->byte_size) {
      const int64_t received = writer_->offset();
      writer_.reset();
      return ToProto(*upload_, received);
    }
    ASSIGN_OR_RETURN(const StoredFile stored, writer_->Finish());
    writer_.reset();
    if (!upload_->sha256.empty() && upload_->sha256 != stored.sha256) {
      RETURN_IF_ERROR(store_.Remove(upload_->object_id));
      return MakeError(Reason::kUploadDigestMismatch);
    }
    RETURN_IF_ERROR(Inspect());
    RETURN_IF_ERROR(Complete(stored));
    return Answer(store_, *upload_, key_);
  }

 private:
  absl::Status Open(const pb::WriteUploadRequest& chunk) {
    if (chunk.name().empty()) {
      return MakeFieldError("name", Reason::kFieldRequired);
    }
    ASSIGN_OR_RETURN(const UploadName name, UploadName::Parse(chunk.name()));
    ASSIGN_OR_RETURN(OpenedUpload opened, Load(database_, caller_, name));
    upload_ = std::move(opened.upload);
    key_ = std::move(opened.key);
    if (upload_->state == UploadState::kExpired ||
        (upload_->state == UploadState::kReceiving &&
         caller_.now >= upload_->expire_time)) {
      return MakeError(Reason::kUploadExpired);
    }
    if (upload_->state == UploadState::kReceiving) {
      ASSIGN_OR_RETURN(writer_, store_.OpenForWrite(upload_->object_id, key_,
                                                    chunk.write_offset()));
    }
    return absl::OkStatus();
  }

  absl::Status Inspect() {
    if (!limits_.inspect) return absl::OkStatus();
    absl::Status refused;
    {
      ASSIGN_OR_RETURN(const std::string bytes,
                       store_.Read(upload_->object_id, key_));
      refused = limits_.inspect(upload_->content_type, bytes);
    }
    // A fault of ours, or too much to do, says nothing about the file.
    if (refused.ok() || refused.code() != absl::StatusCode::kInvalidArgument) {
      return refused;
    }
    RETURN_IF_ERROR(store_.Remove(upload_->object_id));
    return refused;
  }

  absl::Status Complete(const StoredFile& stored) {
    const UploadName name = upload_->name;
    return database_
        .Transact(caller_,
                  [&](storage::Transaction& transaction)
                      -> absl::StatusOr<storage::Outcome> {
                    auto uploads = UploadRepository(transaction);
                    ASSIGN_OR_RETURN(upload_,
                                     uploads.Lock(caller_.scope, name));
                    if (upload_->state == UploadState::kExpired) {
                      return MakeError(Reason::kUploadExpired);
                    }
                    if (upload_->state == UploadState::kReceiving) {
                      upload_->state = UploadState::kComplete;
                      upload_->sha256 = stored.sha256;
                      uploads.Update(*upload_);
                    }
                    return storage::Outcome{.name = name.text(),
                                            .version = upload_->version};
                  })
        .status();
  }

  storage::Database& database_;
  const UploadStore& store_;
  const UploadLimits& limits_;
  const access::Caller caller_;
  std::optional<Upload> upload_;
  std::string key_;
  std::unique_ptr<UploadWriter> writer_;
  int chunks_ = 0;
};

}  // namespace

absl::StatusOr<pb::Upload> UploadRpc::CreateUpload(
    const rpc::CallContext& call, const pb::CreateUploadRequest& request) {
  ASSIGN_OR_RETURN(const BodyName body,
                   BodyName::Parse(request.parent(), "parent"));
  if (!call.caller.scope.Whole().Covers(body.text())) {
    return MakeError(Reason::kPermissionDenied);
  }
  RETURN_IF_ERROR(CheckAnnouncement(request.upload(), limits_));
  Upload announced;
  announced.name =
      ChildName<UploadName>(body, "uploads", NewUuidV7(call.caller.now));
  announced.object_id = UploadStore::NewObjectId();
  announced.byte_size = request.upload().byte_size();
  announced.content_type = request.upload().content_type();
  announced.sha256 = request.upload().sha256();
  if (call.caller.scope.is_own()) {
    announced.account = call.caller.principal.subject;
  }
  announced.expire_time = call.caller.now + limits_.lifetime;
  ASSIGN_OR_RETURN(const storage::Outcome outcome,
                   database_.Transact(
                       call.caller,
                       [&](storage::Transaction& transaction)
                           -> absl::StatusOr<storage::Outcome> {
                         RETURN_IF_ERROR(GiveFileKey(transaction, announced));
                         UploadRepository(transaction).Insert(announced);
                         return storage::Outcome{.name = announced.name.text(),
                                                 .version = announced.version};
                       }));
  if (!outcome.replayed) return ToProto(announced, 0);
  ASSIGN_OR_RETURN(
      const OpenedUpload opened,
      Load(database_, call.caller, UploadName::FromRecord(outcome.name)));
  return Answer(store_, opened.upload, opened.key);
}

absl::StatusOr<pb::Upload> UploadRpc::GetUpload(
    const rpc::CallContext& call, const pb::GetUploadRequest& request) {
  ASSIGN_OR_RETURN(const UploadName name, UploadName::Parse(request.name()));
  ASSIGN_OR_RETURN(const OpenedUpload opened,
                   Load(database_, call.caller, name));
  return Answer(store_, opened.upload, opened.key);
}

absl::StatusOr<std::unique_ptr<UploadRpc::Receiver>> UploadRpc::WriteUpload(
    const rpc::CallContext& call) {
  return std::make_unique<UploadReceiver>(database_, store_, limits_,
                                          call.caller);
}

}  // namespace parcours::documents
