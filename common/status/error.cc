#include "common/status/error.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/strip.h"
#include "common/text/french_date.h"
#include "common/text/view.h"
#include "google/rpc/error_details.pb.h"
#include "parcours/type/v1/error_reason.pb.h"

namespace parcours {
namespace {

namespace pb = ::parcours::type::v1;

constexpr std::string_view kDomain = "parcours";
constexpr std::string_view kPrefix = "ERROR_REASON_";
constexpr std::size_t kMaxViolations = 20;

// What the contract says of one reason.
struct Description {
  std::string name;
  absl::StatusCode code = absl::StatusCode::kInternal;
  std::string en;
  std::string fr;
};

const std::map<Reason, Description>& Descriptions() {
  static const auto* const descriptions = [] {
    auto* all = new std::map<Reason, Description>;
    const google::protobuf::EnumDescriptor& reasons =
        *pb::ErrorReason_descriptor();
    for (int i = 0; i < reasons.value_count(); ++i) {
      const google::protobuf::EnumValueDescriptor& value = *reasons.value(i);
      const pb::ReasonText& text =
          value.options().GetExtension(pb::reason_text);
      all->emplace(static_cast<Reason>(value.number()),
                   Description{std::string(absl::StripPrefix(
                                   value.name(), AbslView(kPrefix))),
                               static_cast<absl::StatusCode>(text.code()),
                               text.en(), text.fr()});
    }
    return all;
  }();
  return *descriptions;
}

// A number outside the enum reads as ERROR_REASON_UNSPECIFIED.
const Description& Describe(Reason reason) {
  const auto& all = Descriptions();
  const auto found = all.find(reason);
  return found != all.end() ? found->second : all.at(static_cast<Reason>(0));
}

std::string AsItIs(std::string_view value) { return std::string(value); }

// `text` with each `{key}` replaced by what `print` makes of its value; a place
// without metadata stays as it is.
std::string Fill(std::string_view text, const ErrorMetadata& metadata,
                 std::string (*print)(std::string_view) = AsItIs) {
  std::string filled;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    const std::size_t close =
        open == std::string_view::npos ? open : text.find('}', open);
    if (close == std::string_view::npos) break;
    const std::string key(text.substr(open + 1, close - open - 1));
    const auto value = metadata.find(key);
    filled.append(text.substr(0, open));
    if (value != metadata.end()) {
      filled.append(print(value->second));
    } else {
      filled.append(text.substr(open, close - open + 1));
    }
    text.remove_prefix(close + 1);
  }
  filled.append(text);
  return filled;
}

template <typename Detail>
void SetDetail(absl::Status& status, std::string_view url,
               const Detail& detail) {
  status.SetPayload(AbslView(url), absl::Cord(detail.SerializeAsString()));
}

template <typename Detail>
std::optional<Detail> DetailOf(const absl::Status& status,
                               std::string_view url) {
  const auto payload = status.GetPayload(AbslView(url));
  Detail detail;
  if (!payload || !detail.ParseFromString(std::string(*payload))) {
    return std::nullopt;
  }
  return detail;
}

void AddViolation(google::rpc::BadRequest& bad_request, std::string_view field,
                  Reason reason, const ErrorMetadata& metadata) {
  const Description& description = Describe(reason);
  google::rpc::BadRequest::FieldViolation& violation =
      *bad_request.add_field_violations();
  violation.set_field(std::string(field));
  violation.set_reason(description.name);
  violation.set_description(Fill(description.en, metadata));
  violation.mutable_localized_message()->set_locale("fr");
  violation.mutable_localized_message()->set_message(
      Fill(description.fr, metadata, InFrench));
}

}  // namespace

absl::Status MakeError(Reason reason, ErrorMetadata metadata) {
  const Description& description = Describe(reason);
  absl::Status status(description.code, Fill(description.en, metadata));

  google::rpc::LocalizedMessage localized;
  localized.set_locale("fr");
  localized.set_message(Fill(description.fr, metadata, InFrench));
  SetDetail(status, kLocalizedMessageUrl, localized);

  google::rpc::ErrorInfo info;
  info.set_reason(description.name);
  info.set_domain(std::string(kDomain));
  info.mutable_metadata()->insert(std::make_move_iterator(metadata.begin()),
                                  std::make_move_iterator(metadata.end()));
  SetDetail(status, kErrorInfoUrl, info);
  return status;
}

absl::Status MakeFieldError(std::string_view field, Reason reason,
                            ErrorMetadata metadata) {
  FieldViolations violations;
  violations.Add(field, reason, std::move(metadata));
  return violations.ToStatus();
}

void FieldViolations::Add(std::string_view field, Reason reason,
                          ErrorMetadata metadata) {
  metadata.insert_or_assign("field", std::string(field));
  violations_.push_back(
      Violation{std::string(field), reason, std::move(metadata)});
}

void FieldViolations::AddError(std::string_view field,
                               const absl::Status& status) {
  if (status.ok()) return;
  Add(field, ReasonOf(status).value_or(Reason::kInternal), MetadataOf(status));
}

absl::Status FieldViolations::ToStatus() const {
  if (violations_.empty()) return absl::OkStatus();
  const Violation& first = violations_.front();
  const bool agree = std::all_of(
      violations_.begin(), violations_.end(),
      [&](const Violation& other) { return other.reason == first.reason; });

  absl::Status status = agree ? MakeError(first.reason, first.metadata)
                              : MakeError(Reason::kInvalidFields);
  if (const absl::StatusCode code = Describe(first.reason).code;
      code != status.code()) {
    absl::Status recoded(code, status.message());
    status.ForEachPayload(
        [&](absl::string_view url, const absl::Cord& payload) {
          recoded.SetPayload(url, payload);
        });
    status = std::move(recoded);
  }

  google::rpc::BadRequest bad_request;
  const std::size_t listed = std::min(violations_.size(), kMaxViolations);
  for (std::size_t i = 0; i < listed; ++i) {
    AddViolation(bad_request, violations_[i].field, violations_[i].reason,
                 violations_[i].metadata);
  }
  SetDetail(status, kBadRequestUrl, bad_request);
  return status;
}

std::optional<Reason> ReasonOf(const absl::Status& status) {
  const auto info = DetailOf<google::rpc::ErrorInfo>(status, kErrorInfoUrl);
  if (!info || info->domain() != kDomain) return std::nullopt;
  pb::ErrorReason reason;
  if (!pb::ErrorReason_Parse(Cat(kPrefix, info->reason()), &reason)) {
    return std::nullopt;
  }
  return static_cast<Reason>(reason);
}

ErrorMetadata MetadataOf(const absl::Status& status) {
  const auto info = DetailOf<google::rpc::ErrorInfo>(status, kErrorInfoUrl);
  if (!info) return {};
  return ErrorMetadata(info->metadata().begin(), info->metadata().end());
}

std::string_view ReasonName(Reason reason) { return Describe(reason).name; }

absl::StatusCode CodeOf(Reason reason) { return Describe(reason).code; }

absl::Status WithRetryAfter(absl::Status status, absl::Duration delay) {
  google::rpc::RetryInfo retry;
  const absl::Duration whole = absl::Floor(delay, absl::Seconds(1));
  retry.mutable_retry_delay()->set_seconds(absl::ToInt64Seconds(whole));
  retry.mutable_retry_delay()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(delay - whole)));
  SetDetail(status, kRetryInfoUrl, retry);
  return status;
}

}  // namespace parcours
