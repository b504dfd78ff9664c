#include "common/rpc/update_mask.h"

#include <algorithm>
#include <string>
#include <vector>

#include "common/status/error.h"
#include "google/api/field_behavior.pb.h"
#include "google/protobuf/util/field_mask_util.h"

namespace parcours::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::util::FieldMaskUtil;

bool IsWritable(const FieldDescriptor& field) {
  const auto& options = field.options();
  for (int i = 0; i < options.ExtensionSize(google::api::field_behavior); ++i) {
    const auto behavior = options.GetExtension(google::api::field_behavior, i);
    if (behavior == google::api::OUTPUT_ONLY ||
        behavior == google::api::IDENTIFIER) {
      return false;
    }
  }
  return true;
}

// The fields by which a resource is found and compared are not its content.
bool IsContent(const FieldDescriptor& field) {
  return IsWritable(field) && field.name() != "name" && field.name() != "etag";
}

// Whether every field on the path exists and may be written.
bool IsWritablePath(const Descriptor& type, const std::string& path) {
  std::vector<const FieldDescriptor*> fields;
  if (!FieldMaskUtil::GetFieldDescriptors(&type, path, &fields)) return false;
  return !fields.empty() && IsContent(*fields.front()) &&
         std::all_of(
             fields.begin(), fields.end(),
             [](const FieldDescriptor* field) { return IsWritable(*field); });
}

std::vector<std::string> PathsOf(const google::protobuf::FieldMask& mask,
                                 const google::protobuf::Message& from) {
  const bool all = mask.paths_size() == 1 && mask.paths(0) == "*";
  if (!all && mask.paths_size() > 0) {
    return {mask.paths().begin(), mask.paths().end()};
  }
  std::vector<std::string> paths;
  const Descriptor& type = *from.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (!IsContent(field)) continue;
    const bool set = field.is_repeated()
                         ? from.GetReflection()->FieldSize(from, &field) > 0
                         : from.GetReflection()->HasField(from, &field);
    if (all || set) paths.push_back(field.name());
  }
  return paths;
}

}  // namespace

absl::Status MergeMasked(const google::protobuf::FieldMask& mask,
                         const google::protobuf::Message& from,
                         google::protobuf::Message& to) {
  FieldViolations violations;
  google::protobuf::FieldMask checked;
  for (const std::string& path : PathsOf(mask, from)) {
    if (!IsWritablePath(*from.GetDescriptor(), path)) {
      violations.Add("update_mask", Reason::kUpdateMaskInvalid,
                     {{"path", path}});
    }
    checked.add_paths(path);
  }
  if (!violations.empty()) return violations.ToStatus();
  FieldMaskUtil::MergeOptions options;
  options.set_replace_message_fields(true);
  options.set_replace_repeated_fields(true);
  FieldMaskUtil::MergeMessageTo(from, checked, options, &to);
  return absl::OkStatus();
}

}  // namespace parcours::rpc
