#include "services/enrolment/domain/people.h"

#include <functional>
#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace parcours::enrolment {
namespace {

Body SampleBody() {
  Body body;
  body.display_name = "Organisme d’essai";
  body.siret = "73282932000074";
  body.activity_number = "11750000000";
  body.email = "contact@example.org";
  body.time_zone = "Europe/Paris";
  return body;
}

Person SamplePerson() {
  Person person;
  person.given_name = "Candidate";
  person.family_name = "Une";
  person.email = "candidate.une@example.org";
  return person;
}

Organisation SampleOrganisation() {
  Organisation organisation;
  organisation.display_name = "Employeur d’essai";
  return organisation;
}

template <typename Resource>
struct Bad {
  std::function<void(Resource&)> spoil;
  std::string field;
  Reason reason;
};

template <typename Resource>
void ExpectViolations(const Resource& good,
                      const std::vector<Bad<Resource>>& cases) {
  FieldViolations none;
  Validate(good, "r.", none);
  EXPECT_OK(none.ToStatus());
  for (const Bad<Resource>& bad : cases) {
    SCOPED_TRACE(bad.field);
    Resource resource = good;
    bad.spoil(resource);
    FieldViolations violations;
    Validate(resource, "r.", violations);
    const absl::Status status = violations.ToStatus();
    EXPECT_THAT(status, HasReason(bad.reason));
    EXPECT_THAT(ViolatedFields(status), testing::ElementsAre(bad.field));
  }
}

TEST(BodyValidationTest, NamesTheFieldAndTheReason) {
  ExpectViolations<Body>(
      SampleBody(), {{[](Body& b) { b.display_name = "  "; }, "r.display_name",
                      Reason::kFieldRequired},
                     {[](Body& b) { b.siret = "73282932000075"; }, "r.siret",
                      Reason::kFieldMalformed},
                     {[](Body& b) { b.activity_number = "117500000"; },
                      "r.activity_number", Reason::kFieldMalformed},
                     {[](Body& b) { b.email = "contact"; }, "r.email",
                      Reason::kFieldMalformed},
                     {[](Body& b) { b.time_zone = "Europe/Nowhere"; },
                      "r.time_zone", Reason::kFieldMalformed}});
}

TEST(BodyValidationTest, AcceptsWhatABrochureLeavesOut) {
  Body body = SampleBody();
  body.siret.clear();
  body.activity_number.clear();
  body.email.clear();
  FieldViolations violations;
  Validate(body, "r.", violations);
  EXPECT_OK(violations.ToStatus());
}

TEST(PersonValidationTest, NamesTheFieldAndTheReason) {
  ExpectViolations<Person>(
      SamplePerson(),
      {{[](Person& p) { p.given_name.clear(); }, "r.given_name",
        Reason::kFieldRequired},
       {[](Person& p) { p.family_name = "\n"; }, "r.family_name",
        Reason::kFieldRequired},
       {[](Person& p) { p.email.clear(); }, "r.email", Reason::kFieldRequired},
       {[](Person& p) { p.email = "une@"; }, "r.email",
        Reason::kFieldMalformed},
       {[](Person& p) { p.phone = "01 45"; }, "r.phone",
        Reason::kFieldMalformed},
       {[](Person& p) {
          p.external_ids = {{"", "42"}};
        },
        "r.external_ids[0].system", Reason::kFieldRequired},
       {[](Person& p) {
          p.external_ids = {{"edof", ""}};
        },
        "r.external_ids[0].value", Reason::kFieldRequired},
       {[](Person& p) {
          p.external_ids = {{"edof", "1"}, {"edof", "2"}};
        },
        "r.external_ids[1].system", Reason::kFieldMalformed}});
}

TEST(OrganisationValidationTest, NamesTheFieldAndTheReason) {
  ExpectViolations<Organisation>(
      SampleOrganisation(),
      {{[](Organisation& o) { o.display_name.clear(); }, "r.display_name",
        Reason::kFieldRequired},
       {[](Organisation& o) { o.siret = "123"; }, "r.siret",
        Reason::kFieldMalformed},
       {[](Organisation& o) { o.hr_email = "rh"; }, "r.hr_email",
        Reason::kFieldMalformed},
       {[](Organisation& o) { o.billing_email = "@example.org"; },
        "r.billing_email", Reason::kFieldMalformed},
       {[](Organisation& o) {
          o.external_ids = {{"edof", " "}};
        },
        "r.external_ids[0].value", Reason::kFieldRequired}});
}

TEST(PersonTest, IsCalledByGivenAndFamilyName) {
  EXPECT_EQ(DisplayName(SamplePerson()), "Candidate Une");
}

}  // namespace
}  // namespace parcours::enrolment
