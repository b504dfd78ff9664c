#ifndef PARCOURS_COMMON_RPC_VALIDATION_H_
#define PARCOURS_COMMON_RPC_VALIDATION_H_

#include <memory>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace parcours::rpc {

// The checks that the contract alone asks of a request: nothing is looked up.
//
//  - google.api.field_behavior REQUIRED: present and not empty (a number or
//    bool without presence is always there). In the resource of an update,
//    only for the fields that the update replaces. OUTPUT_ONLY fields are not
//    looked at.
//  - Strings: UTF-8, no character that text_form.h forbids, lines and tabs only
//    where FieldRules.multiline, length, form.
//  - Names of resources follow the pattern of their type.
//  - Enum values exist, and those of a list say something; google.type.Date
//  (years 1900 to 2200), TimeOfDay,
//    Timestamp and Duration are valid.
//  - FieldRules.minimum and maximum; without a minimum, fields named *_cents
//    and page_size are not negative.
//  - Repeated fields and maps hold at most FieldRules.max_items, or 1000.
//
// One object for each type of request, made once and kept. Thread-safe.
class RequestRules {
 public:
  static const RequestRules& Of(const google::protobuf::Descriptor& type);

  virtual ~RequestRules() = default;

  // OK, or one error that lists every violation by its path ("application.
  // person.email", "rows[3].note"). When strings are not in Unicode
  // normalisation form C, or have the line ends of another system,
  // `normalised` becomes a copy of the request in which they are; otherwise it
  // stays null and `request` is good as it is.
  virtual absl::Status Check(
      const google::protobuf::Message& request,
      std::unique_ptr<google::protobuf::Message>& normalised) const = 0;
};

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_VALIDATION_H_
