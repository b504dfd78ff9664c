#include <memory>

#include "common/rpc/validation.h"
#include "common/textproto/text_proto.h"
#include "parcours/enrolment/v1/programme.pb.h"
#include "parcours/enrolment/v1/programme_service.pb.h"
#include "tests/fuzz/target.h"

namespace pb = parcours::enrolment::v1;

PARCOURS_FUZZ_TARGET(programme_text) {
  pb::ProgrammeFile file;
  google::protobuf::TextFormat::ParseInfoTree locations;
  if (!parcours::textproto::Parse(input, "input", file, &locations).ok()) {
    return;
  }
  pb::CreateProgrammeRequest request;
  request.set_parent("bodies/opale");
  request.set_programme_id("programme");
  *request.mutable_programme() = file.programme();
  std::unique_ptr<google::protobuf::Message> normalised;
  (void)parcours::rpc::RequestRules::Of(*request.GetDescriptor())
      .Check(request, normalised);
}
