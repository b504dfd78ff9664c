#ifndef PARCOURS_COMMON_STATUS_ERROR_H_
#define PARCOURS_COMMON_STATUS_ERROR_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/status/reason.h"

namespace parcours {

// The dynamic parts of an error, by name. They fill the `{name}` places of the
// reason's texts and travel in google.rpc.ErrorInfo.metadata, so they must be
// fit for the caller's eyes: no personal data, nothing internal.
using ErrorMetadata = std::map<std::string, std::string>;

// The error for `reason`: its canonical code, the English text as message, and
// payloads google.rpc.ErrorInfo (domain "parcours") and LocalizedMessage (fr).
// The code and both texts come from the options of the ErrorReason enum.
absl::Status MakeError(Reason reason, ErrorMetadata metadata = {});

// MakeError for one bad field: adds a BadRequest with that field, which also
// stands in the metadata as `field`.
absl::Status MakeFieldError(std::string_view field, Reason reason,
                            ErrorMetadata metadata = {});

// Collects everything that is wrong with a request, so that the caller learns
// of all of it at once. Not thread-safe.
class FieldViolations {
 public:
  // `field` is the path of the field in the request, as in
  // google.rpc.BadRequest.FieldViolation.field.
  void Add(std::string_view field, Reason reason, ErrorMetadata metadata = {});

  // Adds the violation that `status` describes, or nothing when it is OK.
  // REQUIRES: a status that is not OK was made by MakeError.
  void AddError(std::string_view field, const absl::Status& status);

  bool empty() const { return violations_.empty(); }

  // OK when nothing was added. Otherwise one error with a BadRequest that lists
  // the first 20 violations in the order of their addition; its reason is that
  // of the violations when they agree, else INVALID_FIELDS. Its code is that
  // of the first violation.
  absl::Status ToStatus() const;

 private:
  struct Violation {
    std::string field;
    Reason reason;
    ErrorMetadata metadata;
  };
  std::vector<Violation> violations_;
};

// The reason that MakeError gave to `status`, if it was made by it.
std::optional<Reason> ReasonOf(const absl::Status& status);

// The metadata of ErrorInfo of `status`; empty when it has none.
ErrorMetadata MetadataOf(const absl::Status& status);

// The name of `reason` as it travels: "FIELD_REQUIRED".
std::string_view ReasonName(Reason reason);

// The canonical code of errors with `reason`.
absl::StatusCode CodeOf(Reason reason);

// Adds google.rpc.RetryInfo: the caller may try again after `delay`.
absl::Status WithRetryAfter(absl::Status status, absl::Duration delay);

// Type URLs of the payloads, for those who carry errors over a wire.
inline constexpr std::string_view kErrorInfoUrl =
    "type.googleapis.com/google.rpc.ErrorInfo";
inline constexpr std::string_view kBadRequestUrl =
    "type.googleapis.com/google.rpc.BadRequest";
inline constexpr std::string_view kLocalizedMessageUrl =
    "type.googleapis.com/google.rpc.LocalizedMessage";
inline constexpr std::string_view kRetryInfoUrl =
    "type.googleapis.com/google.rpc.RetryInfo";

}  // namespace parcours

#endif  // PARCOURS_COMMON_STATUS_ERROR_H_
