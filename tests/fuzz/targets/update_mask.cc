#include "common/rpc/update_mask.h"

#include <string>

#include "google/protobuf/util/message_differencer.h"
#include "parcours/enrolment/v1/programme.pb.h"
#include "tests/fuzz/target.h"

// Paths on lines, then a cohort.
PARCOURS_FUZZ_TARGET(update_mask) {
  google::protobuf::FieldMask mask;
  const unsigned count = parcours::fuzz::TakeByte(input) % 8;
  for (unsigned i = 0; i < count; ++i) {
    mask.add_paths(std::string(parcours::fuzz::TakeLine(input)));
  }
  parcours::enrolment::v1::Cohort from;
  if (!from.ParseFromArray(input.data(), static_cast<int>(input.size()))) {
    return;
  }
  parcours::enrolment::v1::Cohort to;
  to.set_name("bodies/opale/cohorts/x");
  to.set_etag("\"1\"");
  const bool merged = parcours::rpc::MergeMasked(mask, from, to).ok();
  PARCOURS_FUZZ_CHECK(to.name() == "bodies/opale/cohorts/x");
  PARCOURS_FUZZ_CHECK(to.etag() == "\"1\"");
  if (!merged) return;
  const parcours::enrolment::v1::Cohort once = to;
  PARCOURS_FUZZ_CHECK(parcours::rpc::MergeMasked(mask, from, to).ok());
  PARCOURS_FUZZ_CHECK(
      google::protobuf::util::MessageDifferencer::Equals(once, to) ||
      // A NaN is not equal to itself.
      once.SerializeAsString() == to.SerializeAsString());
}
