#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "common/rpc/validation.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor_database.h"
#include "google/protobuf/message.h"
#include "tests/fuzz/target.h"

namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

// Of every method of the contract.
const std::vector<const Descriptor*>& RequestTypes() {
  static const auto& types = *[] {
    auto* const found = new std::vector<const Descriptor*>;
    std::vector<std::string> names;
    DescriptorPool::internal_generated_database()->FindAllFileNames(&names);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      if (name.rfind("parcours/", 0) != 0) continue;
      const auto* const file =
          DescriptorPool::generated_pool()->FindFileByName(name);
      for (int s = 0; s < file->service_count(); ++s) {
        for (int m = 0; m < file->service(s)->method_count(); ++m) {
          found->push_back(file->service(s)->method(m)->input_type());
        }
      }
    }
    return found;
  }();
  return types;
}

}  // namespace

// The first two bytes choose the method.
PARCOURS_FUZZ_TARGET(request_validation) {
  const auto& types = RequestTypes();
  PARCOURS_FUZZ_CHECK(types.size() > 100);
  std::size_t choice = parcours::fuzz::TakeByte(input);
  choice = choice << 8 | parcours::fuzz::TakeByte(input);
  const Descriptor& type = *types[choice % types.size()];
  const std::unique_ptr<Message> request(
      MessageFactory::generated_factory()->GetPrototype(&type)->New());
  if (!request->ParseFromArray(input.data(), static_cast<int>(input.size()))) {
    return;
  }
  const auto& rules = parcours::rpc::RequestRules::Of(type);
  std::unique_ptr<Message> normalised;
  const absl::Status status = rules.Check(*request, normalised);
  if (!status.ok()) {
    PARCOURS_FUZZ_CHECK(normalised == nullptr);
    return;
  }
  if (normalised == nullptr) return;
  std::unique_ptr<Message> again;
  // Normal text may be longer than what it was made of.
  const absl::Status normal = rules.Check(*normalised, again);
  PARCOURS_FUZZ_CHECK(again == nullptr);
  PARCOURS_FUZZ_CHECK(normal.ok() ||
                      normal.code() == absl::StatusCode::kInvalidArgument);
}
