#include "common/textproto/text_proto.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"

namespace parcours::textproto {
namespace {

constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{16} << 20;

class Collector : public google::protobuf::io::ErrorCollector {
 public:
  explicit Collector(std::string_view name) : name_(name) {}

  // A line of -1 is protobuf's "nowhere in particular".
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    problems_.push_back(line < 0 ? absl::StrCat(name_, ": ", message)
                                 : absl::StrCat(name_, ":", line + 1, ":",
                                                column + 1, ": ", message));
  }

  std::string Joined() const { return absl::StrJoin(problems_, "\n"); }

 private:
  std::string name_;
  std::vector<std::string> problems_;
};

}  // namespace

absl::StatusOr<std::string> ReadTextFile(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status =
      std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  }
  if (!std::filesystem::is_regular_file(status)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": not a regular file"));
  }
  if (std::filesystem::file_size(path, error) > kMaxFileBytes || error) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": larger than ", kMaxFileBytes >> 20, " MiB"));
  }
  std::ifstream file(path, std::ios::binary);
  std::string contents{std::istreambuf_iterator<char>(file),
                       std::istreambuf_iterator<char>()};
  if (!file) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be read"));
  }
  return contents;
}

absl::Status Parse(std::string_view text, std::string_view name,
                   google::protobuf::Message& message,
                   google::protobuf::TextFormat::ParseInfoTree* locations) {
  // The byte order mark that some editors write is not part of the format.
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  Collector collector(name);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  if (locations != nullptr) parser.WriteLocationsTo(locations);
  google::protobuf::io::ArrayInputStream input(text.data(),
                                               static_cast<int>(text.size()));
  if (!parser.Parse(&input, &message)) {
    return absl::InvalidArgumentError(collector.Joined());
  }
  return absl::OkStatus();
}

}  // namespace parcours::textproto
