// Reading of messages that people write as text.

#ifndef PARCOURS_COMMON_TEXTPROTO_TEXT_PROTO_H_
#define PARCOURS_COMMON_TEXTPROTO_TEXT_PROTO_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"

namespace parcours::textproto {

// The contents of the file at `path`. Errors: NOT_FOUND without such a file,
// INVALID_ARGUMENT when it is not a regular file or larger than 16 MiB.
absl::StatusOr<std::string> ReadTextFile(const std::string& path);

// Fills `message` from `text` in the protobuf text format. `name` stands for
// the text in what is reported. `locations`, when given, receives where each
// field stood. Errors: INVALID_ARGUMENT with one line per problem,
// "name:line:column: what", lines and columns from 1; `message` is then in an
// unspecified state.
absl::Status Parse(
    std::string_view text, std::string_view name,
    google::protobuf::Message& message,
    google::protobuf::TextFormat::ParseInfoTree* locations = nullptr);

}  // namespace parcours::textproto

#endif  // PARCOURS_COMMON_TEXTPROTO_TEXT_PROTO_H_
