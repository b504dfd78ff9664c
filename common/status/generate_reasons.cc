// Writes what is derived from the ErrorReason enum of the contract:
//   generate_reasons --header FILE    the C++ enum parcours::Reason
//   generate_reasons --markdown FILE  the catalogue for people
//   generate_reasons --json FILE      the same for programs
//   generate_reasons --check MARKDOWN JSON
//                                     fails when one of them is not current

#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/text/view.h"
#include "google/rpc/code.pb.h"
#include "nlohmann/json.hpp"
#include "parcours/type/v1/error_reason.pb.h"

namespace {

namespace pb = ::parcours::type::v1;

std::string ShortName(const google::protobuf::EnumValueDescriptor& value) {
  return std::string(absl::StripPrefix(value.name(), "ERROR_REASON_"));
}

// FIELD_REQUIRED -> kFieldRequired.
std::string ConstantName(std::string_view short_name) {
  std::string constant = "k";
  for (absl::string_view word :
       absl::StrSplit(parcours::AbslView(short_name), '_')) {
    absl::StrAppend(&constant, word.substr(0, 1),
                    absl::AsciiStrToLower(word.substr(1)));
  }
  return constant;
}

std::string Header() {
  std::string values;
  std::string all;
  const google::protobuf::EnumDescriptor& reasons =
      *pb::ErrorReason_descriptor();
  for (int i = 0; i < reasons.value_count(); ++i) {
    const google::protobuf::EnumValueDescriptor& value = *reasons.value(i);
    if (value.number() == 0) continue;
    const std::string constant = ConstantName(ShortName(value));
    absl::StrAppend(&values, "  ", constant, " = ", value.number(), ",\n");
    absl::StrAppend(&all, "    Reason::", constant, ",\n");
  }
  return absl::StrCat(
      "// Generated from parcours/type/v1/error_reason.proto.\n"
      "#ifndef PARCOURS_COMMON_STATUS_REASON_H_\n"
      "#define PARCOURS_COMMON_STATUS_REASON_H_\n\n"
      "namespace parcours {\n\n"
      "// Why a call was refused: parcours.type.v1.ErrorReason of the "
      "contract.\n"
      "enum class Reason : int {\n",
      values,
      "};\n\n"
      "inline constexpr Reason kAllReasons[] = {\n",
      all,
      "};\n\n"
      "}  // namespace parcours\n\n"
      "#endif  // PARCOURS_COMMON_STATUS_REASON_H_\n");
}

// What a program should do after an error: in a word for it, and in a phrase.
struct Retry {
  std::string_view word;
  std::string_view phrase;
};

Retry RetryAdvice(google::rpc::Code code) {
  switch (code) {
    case google::rpc::UNAVAILABLE:
      return {"SAME_REQUEST", "yes, with the same `request_id`"};
    case google::rpc::RESOURCE_EXHAUSTED:
      return {"AFTER_DELAY", "after the delay in `RetryInfo`"};
    case google::rpc::ABORTED:
      return {"READ_AGAIN", "read again, then redo"};
    case google::rpc::FAILED_PRECONDITION:
      return {"AFTER_CHANGE", "after the state has changed"};
    case google::rpc::OUT_OF_RANGE:
      return {"OTHER_POSITION", "from another position"};
    case google::rpc::DEADLINE_EXCEEDED:
      return {"LONGER_DEADLINE",
              "with a longer deadline and the same `request_id`"};
    default:
      return {"NO", "no"};
  }
}

std::string Cell(std::string_view text) {
  return absl::StrReplaceAll(parcours::AbslView(text), {{"|", "\\|"}});
}

std::string Markdown() {
  std::string table =
      "# Errors\n\n"
      "Generated from `proto/parcours/type/v1/error_reason.proto` by\n"
      "`cmake --build build/dev --target docs_errors`; not edited by hand.\n\n"
      "Every error carries a canonical gRPC code and, in its details, a\n"
      "`google.rpc.ErrorInfo` with the reason, the domain `parcours` and, as\n"
      "metadata, the values of the places in braces; a `LocalizedMessage` in\n"
      "French; a `BadRequest` that lists the bad fields, all at once; and a\n"
      "`RetryInfo` where waiting helps. Programs decide by code and reason,\n"
      "never by text. Retry advice holds for calls that may be repeated: "
      "reads,\n"
      "and changes that carry a `request_id`.\n\n"
      "| Reason | Code | Retry | English | French |\n"
      "| --- | --- | --- | --- | --- |\n";
  const google::protobuf::EnumDescriptor& reasons =
      *pb::ErrorReason_descriptor();
  for (int i = 0; i < reasons.value_count(); ++i) {
    const google::protobuf::EnumValueDescriptor& value = *reasons.value(i);
    if (value.number() == 0) continue;
    const pb::ReasonText& text = value.options().GetExtension(pb::reason_text);
    parcours::CatTo(table, "| `", ShortName(value), "` | ",
                    google::rpc::Code_Name(text.code()), " | ",
                    RetryAdvice(text.code()).phrase, " | ", Cell(text.en()),
                    " | ", Cell(text.fr()), " |\n");
  }
  return table;
}

// The names in braces, in the order in which they first stand in `text`.
std::vector<std::string> Places(std::string_view text) {
  std::vector<std::string> places;
  for (std::size_t open = text.find('{'); open != std::string_view::npos;
       open = text.find('{', open + 1)) {
    std::string place(text.substr(open + 1, text.find('}', open) - open - 1));
    if (std::find(places.begin(), places.end(), place) == places.end()) {
      places.push_back(std::move(place));
    }
  }
  return places;
}

std::string Json() {
  nlohmann::ordered_json entries = nlohmann::ordered_json::array();
  const google::protobuf::EnumDescriptor& reasons =
      *pb::ErrorReason_descriptor();
  for (int i = 0; i < reasons.value_count(); ++i) {
    const google::protobuf::EnumValueDescriptor& value = *reasons.value(i);
    if (value.number() == 0) continue;
    const pb::ReasonText& text = value.options().GetExtension(pb::reason_text);
    entries.push_back({{"reason", ShortName(value)},
                       {"code", google::rpc::Code_Name(text.code())},
                       {"retry", RetryAdvice(text.code()).word},
                       {"metadata", Places(text.en())},
                       {"en", text.en()},
                       {"fr", text.fr()}});
  }
  const nlohmann::ordered_json catalogue = {{"domain", "parcours"},
                                            {"errors", std::move(entries)}};
  return catalogue.dump(2) + "\n";
}

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

// What is current stays untouched: half of the tree is built from the header.
bool Write(const std::string& path, const std::string& text) {
  if (Read(path) == text) return true;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.flush();
  if (!file) std::cerr << "cannot write " << path << "\n";
  return static_cast<bool>(file);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc >= 3 ? argv[1] : "";
  if (argc == 3 && mode == "--header") return Write(argv[2], Header()) ? 0 : 1;
  if (argc == 3 && mode == "--markdown") {
    return Write(argv[2], Markdown()) ? 0 : 1;
  }
  if (argc == 3 && mode == "--json") return Write(argv[2], Json()) ? 0 : 1;
  if (argc == 4 && mode == "--check") {
    if (Read(argv[2]) == Markdown() && Read(argv[3]) == Json()) return 0;
    std::cerr << argv[2] << " or " << argv[3]
              << " is stale: cmake --build build/dev --target docs_errors\n";
    return 1;
  }
  std::cerr << "usage: generate_reasons --header|--markdown|--json FILE\n"
               "       generate_reasons --check MARKDOWN JSON\n";
  return 2;
}
