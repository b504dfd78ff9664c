#include <functional>
#include <string>
#include <vector>

#include "common/rpc/convert.h"
#include "gmock/gmock.h"
#include "services/enrolment/testing/enrolment_fixture.h"

namespace parcours::enrolment {
namespace {

using ::testing::UnorderedElementsAre;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr absl::StatusCode kPrecondition =
    absl::StatusCode::kFailedPrecondition;

// What is wrong with a request, and what must be said of it.
template <typename Request>
struct BadInput {
  const char* what;
  std::function<void(Request&)> spoil;
  Reason reason;
  std::string field = "";  // empty: the error is of no field
  absl::StatusCode code = kInvalid;
};

class BadInputTest : public ContractTest {
 protected:
  // Every case is refused as it says, and nothing is written.
  template <typename Stub, typename Request, typename Response>
  void ExpectRefused(Stub& stub,
                     grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                  const Request&, Response*),
                     const Request& good,
                     const std::vector<BadInput<Request>>& cases) {
    const int64_t rows = fixture_.RowsWritten();
    for (const BadInput<Request>& c : cases) {
      SCOPED_TRACE(c.what);
      Request request = good;
      c.spoil(request);
      const absl::StatusOr<Response> answer =
          fixture_.Call(stub, method, request);
      EXPECT_THAT(answer, HasReason(c.reason));
      EXPECT_THAT(answer, StatusIs(c.code));
      if (!c.field.empty()) {
        EXPECT_THAT(answer, ViolatesField(c.field));
      }
      EXPECT_EQ(MetadataOf(answer.status()).count("reference"), 0U);
      EXPECT_EQ(fixture_.RowsWritten(), rows);
    }
  }
};

TEST_P(BadInputTest, AnApplication) {
  using Request = pb::SubmitApplicationRequest;
  const auto candidate = [](auto set) {
    return [set](Request& request) {
      set(*request.mutable_application()->mutable_candidate());
    };
  };
  const std::string prefix = "application.candidate.";
  ExpectRefused(
      fixture_.applications(), &Applications::SubmitApplication,
      fixture_.Submission(1),
      std::vector<BadInput<Request>>{
          {"malformed cohort",
           [](Request& r) { r.set_parent("cohorts/essai-2026"); },
           Reason::kFieldMalformed, "parent"},
          {"no cohort", [](Request& r) { r.clear_parent(); },
           Reason::kFieldRequired, "parent"},
          {"unknown cohort",
           [](Request& r) { r.set_parent("bodies/essai/cohorts/autre"); },
           Reason::kNotFound, "", absl::StatusCode::kNotFound},
          {"a name of 10 000 characters", candidate([](pb::Candidate& c) {
             c.set_family_name(std::string(10'000, 'e'));
           }),
           Reason::kFieldTooLong, prefix + "family_name"},
          {"a control character",
           candidate([](pb::Candidate& c) { c.set_given_name("a\x07z"); }),
           Reason::kFieldForbiddenCharacter, prefix + "given_name"},
          {"a line break",
           candidate([](pb::Candidate& c) { c.set_given_name("a\nz"); }),
           Reason::kFieldForbiddenCharacter, prefix + "given_name"},
          {"a character that XML forbids", candidate([](pb::Candidate& c) {
             c.set_given_name("a\xEF\xBF\xBEz");
           }),
           Reason::kFieldForbiddenCharacter, prefix + "given_name"},
          {"nothing but spaces",
           candidate([](pb::Candidate& c) { c.set_given_name("   "); }),
           Reason::kFieldRequired, prefix + "given_name"},
          {"malformed e-mail",
           candidate([](pb::Candidate& c) { c.set_email("candidate"); }),
           Reason::kFieldMalformed, prefix + "email"},
          {"malformed telephone",
           candidate([](pb::Candidate& c) { c.set_phone("01 45"); }),
           Reason::kFieldMalformed, prefix + "phone"},
          {"negative years",
           candidate([](pb::Candidate& c) { c.set_experience_years(-1); }),
           Reason::kFieldNegative, prefix + "experience_years"},
          {"unknown channel",
           [](Request& r) {
             r.mutable_application()->set_channel(static_cast<pb::Channel>(99));
           },
           Reason::kUnknownEnumValue, "application.channel"},
          {"no payer",
           [](Request& r) {
             r.mutable_application()->mutable_payer()->clear_kind();
           },
           Reason::kFieldRequired, "application.payer.kind"},
          {"an employer that is nobody",
           [](Request& r) {
             r.mutable_application()->mutable_payer()->set_kind(
                 type::v1::PAYER_KIND_EMPLOYER);
           },
           Reason::kFieldRequired, "application.payer.organisation"},
          {"an unknown employer",
           [](Request& r) {
             pb::Payer& payer = *r.mutable_application()->mutable_payer();
             payer.set_kind(type::v1::PAYER_KIND_EMPLOYER);
             payer.set_organisation("bodies/essai/organisations/absente");
           },
           Reason::kUnknownReference, "application.payer.organisation"},
          {"an unknown funder",
           [](Request& r) {
             r.mutable_application()->mutable_payer()->set_funder_id("autre");
           },
           Reason::kUnknownReference, "application.payer.funder_id"},
          {"another body's upload",
           [](Request& r) {
             r.mutable_pieces(0)->set_upload("bodies/autre/uploads/un");
           },
           Reason::kUnknownReference, "pieces[0].upload"},
          {"a malformed upload",
           [](Request& r) { r.mutable_pieces(0)->set_upload("x"); },
           Reason::kFieldMalformed, "pieces[0].upload"},
          {"a malformed request id", [](Request& r) { r.set_request_id("un"); },
           Reason::kFieldMalformed, "request_id"},
      });
}

TEST_P(BadInputTest, AllIsSaidAtOnce) {
  pb::SubmitApplicationRequest request;
  request.set_parent(fixture_.cohort);
  request.mutable_application();
  const auto refused = fixture_.Call(fixture_.applications(),
                                     &Applications::SubmitApplication, request);
  EXPECT_THAT(refused, HasReason(Reason::kFieldRequired));
  EXPECT_THAT(
      ViolatedFields(refused.status()),
      UnorderedElementsAre("application.candidate", "application.payer"));
  request.mutable_application()->mutable_candidate();
  request.mutable_application()->mutable_payer();
  EXPECT_THAT(
      ViolatedFields(fixture_
                         .Call(fixture_.applications(),
                               &Applications::SubmitApplication, request)
                         .status()),
      UnorderedElementsAre("application.candidate.given_name",
                           "application.candidate.family_name",
                           "application.candidate.email",
                           "application.payer.kind"));
}

TEST_P(BadInputTest, OutsideTheWindow) {
  using Request = pb::SubmitApplicationRequest;
  pb::Cohort later = fixture_.Cohort();
  *later.mutable_application_open_date() =
      rpc::DateOf(absl::CivilDay(2026, 3, 3));
  later.set_name(fixture_.cohort);
  pb::UpdateCohortRequest update;
  *update.mutable_cohort() = later;
  ASSERT_OK(
      fixture_.Call(fixture_.programmes(), &Programmes::UpdateCohort, update));
  const Request request = fixture_.Submission(1);
  const std::vector<BadInput<Request>> too_early = {
      {"before", [](Request&) {}, Reason::kWindowNotOpen, "", kPrecondition}};
  ExpectRefused(fixture_.applications(), &Applications::SubmitApplication,
                request, too_early);
  fixture_.AdvanceTo(Paris(2026, 3, 16));
  const std::vector<BadInput<Request>> too_late = {
      {"after", [](Request&) {}, Reason::kWindowClosed, "", kPrecondition}};
  ExpectRefused(fixture_.applications(), &Applications::SubmitApplication,
                request, too_late);
}

TEST_P(BadInputTest, ARequestIdOfAnotherRequest) {
  pb::SubmitApplicationRequest request = fixture_.Submission(1);
  request.set_request_id("0190b2d0-7d3b-7000-8000-000000000001");
  ASSERT_OK(fixture_.Call(fixture_.applications(),
                          &Applications::SubmitApplication, request));
  const int64_t rows = fixture_.RowsWritten();
  request.mutable_application()->mutable_candidate()->set_email(
      "autre@example.org");
  EXPECT_THAT(fixture_.Call(fixture_.applications(),
                            &Applications::SubmitApplication, request),
              HasReason(Reason::kRequestIdReused));
  EXPECT_EQ(fixture_.RowsWritten(), rows);
}

TEST_P(BadInputTest, ACohort) {
  using Request = pb::CreateCohortRequest;
  Request good;
  good.set_parent(fixture_.body);
  good.set_cohort_id("essai-2027");
  *good.mutable_cohort() = fixture_.Cohort();
  const auto date = [](int year, int month, int day) {
    return rpc::DateOf(absl::CivilDay(year, month, day));
  };
  ExpectRefused(
      fixture_.programmes(), &Programmes::CreateCohort, good,
      std::vector<BadInput<Request>>{
          {"unknown body", [](Request& r) { r.set_parent("bodies/autre"); },
           Reason::kNotFound, "", absl::StatusCode::kNotFound},
          {"malformed id", [](Request& r) { r.set_cohort_id("Essai 2027"); },
           Reason::kFieldMalformed, "cohort_id"},
          {"no id", [](Request& r) { r.clear_cohort_id(); },
           Reason::kFieldRequired, "cohort_id"},
          {"an id that is taken",
           [](Request& r) { r.set_cohort_id("essai-2026"); },
           Reason::kAlreadyExists, "", absl::StatusCode::kAlreadyExists},
          {"unknown programme",
           [](Request& r) {
             r.mutable_cohort()->set_programme("bodies/essai/programmes/autre");
           },
           Reason::kUnknownReference, "cohort.programme"},
          {"another body's programme",
           [](Request& r) {
             r.mutable_cohort()->set_programme("bodies/autre/programmes/essai");
           },
           Reason::kUnknownReference, "cohort.programme"},
          {"the end before the start",
           [date](Request& r) {
             *r.mutable_cohort()->mutable_end_date() = date(2026, 3, 15);
             *r.mutable_cohort()->mutable_entry_cutoff_date() =
                 date(2026, 3, 15);
           },
           Reason::kDatesOutOfOrder, "cohort.end_date"},
          {"the window shut before it opens",
           [date](Request& r) {
             *r.mutable_cohort()->mutable_application_close_date() =
                 date(2025, 8, 31);
           },
           Reason::kDatesOutOfOrder, "cohort.application_close_date"},
          {"a day that does not exist",
           [](Request& r) {
             r.mutable_cohort()->mutable_start_date()->set_day(32);
           },
           Reason::kFieldMalformed, "cohort.start_date"},
          {"a negative price",
           [](Request& r) {
             r.mutable_cohort()->mutable_prices(0)->set_amount_cents(-1);
           },
           Reason::kFieldNegative, "cohort.prices[0].amount_cents"},
          {"a price twice",
           [](Request& r) {
             *r.mutable_cohort()->add_prices() = r.cohort().prices(0);
           },
           Reason::kFieldMalformed, "cohort.prices[4].payer_kind"},
          {"no minimum", [](Request& r) { r.mutable_cohort()->set_minimum(0); },
           Reason::kFieldOutOfRange, "cohort.minimum"},
          {"fewer places than the minimum",
           [](Request& r) {
             r.mutable_cohort()->set_minimum(12);
             r.mutable_cohort()->set_capacity(11);
           },
           Reason::kFieldOutOfRange, "cohort.capacity"},
          {"an unknown zone",
           [](Request& r) {
             r.mutable_cohort()->set_time_zone("Europe/Ailleurs");
           },
           Reason::kFieldMalformed, "cohort.time_zone"},
          {"negative hours",
           [](Request& r) { r.mutable_cohort()->set_offer_validity_hours(-1); },
           Reason::kFieldNegative, "cohort.offer_validity_hours"},
      });
}

TEST_P(BadInputTest, APersonOrAnOrganisation) {
  using Person = pb::CreatePersonRequest;
  Person person;
  person.set_parent(fixture_.body);
  person.mutable_person()->set_given_name("Personne");
  person.mutable_person()->set_family_name("Une");
  person.mutable_person()->set_email("personne.une@example.org");
  ExpectRefused(
      fixture_.people(), &People::CreatePerson, person,
      std::vector<BadInput<Person>>{
          {"no family name",
           [](Person& r) { r.mutable_person()->clear_family_name(); },
           Reason::kFieldRequired, "person.family_name"},
          {"malformed e-mail",
           [](Person& r) { r.mutable_person()->set_email("a b@c"); },
           Reason::kFieldMalformed, "person.email"},
          {"malformed telephone",
           [](Person& r) { r.mutable_person()->set_phone("0145652000"); },
           Reason::kFieldMalformed, "person.phone"},
          {"one system twice",
           [](Person& r) {
             for (int i = 0; i < 2; ++i) {
               pb::ExternalId& id = *r.mutable_person()->add_external_ids();
               id.set_system("cnam");
               id.set_value("N-1");
             }
           },
           Reason::kFieldMalformed, "person.external_ids[1].system"},
          {"a system without a name",
           [](Person& r) {
             r.mutable_person()->add_external_ids()->set_value("N-1");
           },
           Reason::kFieldRequired, "person.external_ids[0].system"},
          {"no body", [](Person& r) { r.set_parent("bodies/autre"); },
           Reason::kNotFound, "", absl::StatusCode::kNotFound},
      });
  using Organisation = pb::CreateOrganisationRequest;
  Organisation organisation;
  organisation.set_parent(fixture_.body);
  organisation.set_organisation_id("nouvelle");
  organisation.mutable_organisation()->set_display_name("Nouvelle");
  ExpectRefused(fixture_.people(), &People::CreateOrganisation, organisation,
                std::vector<BadInput<Organisation>>{
                    {"a SIRET with a wrong key",
                     [](Organisation& r) {
                       r.mutable_organisation()->set_siret("12345678901234");
                     },
                     Reason::kFieldMalformed, "organisation.siret"},
                    {"malformed e-mail",
                     [](Organisation& r) {
                       r.mutable_organisation()->set_billing_email("x");
                     },
                     Reason::kFieldMalformed, "organisation.billing_email"},
                });
}

TEST_P(BadInputTest, DecisionsAndPayments) {
  const pb::Application application = fixture_.Submitted(1);
  using Admit = pb::AdmitApplicationRequest;
  Admit admit;
  admit.set_name(application.name());
  admit.set_decider("Personne Une");
  admit.set_reason("Motif");
  ExpectRefused(
      fixture_.applications(), &Applications::AdmitApplication, admit,
      std::vector<BadInput<Admit>>{
          {"no decider", [](Admit& r) { r.clear_decider(); },
           Reason::kFieldRequired, "decider"},
          {"spaces for a decider", [](Admit& r) { r.set_decider("  "); },
           Reason::kFieldRequired, "decider"},
          {"a stale etag", [](Admit& r) { r.set_etag("\"9\""); },
           Reason::kEtagMismatch, "", absl::StatusCode::kAborted},
          {"a malformed name", [](Admit& r) { r.set_name("applications/1"); },
           Reason::kFieldMalformed, "name"},
          {"an absent application",
           [this](Admit& r) {
             r.set_name(fixture_.cohort + "/applications/absente");
           },
           Reason::kNotFound, "", absl::StatusCode::kNotFound},
      });
  using Create = pb::CreateAgreementRequest;
  Create create;
  create.set_parent(fixture_.body);
  create.mutable_agreement()->set_application(application.name());
  ExpectRefused(
      fixture_.enrolments(), &Enrolments::CreateAgreement, create,
      std::vector<BadInput<Create>>{
          {"no application",
           [](Create& r) { r.mutable_agreement()->clear_application(); },
           Reason::kFieldRequired, "agreement.application"},
          {"a malformed application",
           [](Create& r) {
             r.mutable_agreement()->set_application("bodies/essai");
           },
           Reason::kFieldMalformed, "agreement.application"},
          {"another body's application",
           [](Create& r) { r.set_parent("bodies/autre"); },
           Reason::kUnknownReference, "agreement.application"},
          {"an identifier without a value",
           [](Create& r) {
             r.mutable_agreement()->add_external_ids()->set_system("edof");
           },
           Reason::kFieldRequired, "agreement.external_ids[0].value"},
      });
  const pb::Agreement agreement = fixture_.Committed(application.name());
  using Payment = pb::RequestPaymentRequest;
  Payment payment;
  payment.set_name(agreement.name());
  payment.set_amount_cents(100);
  ExpectRefused(
      fixture_.enrolments(), &Enrolments::RequestPayment, payment,
      std::vector<BadInput<Payment>>{
          {"negative money", [](Payment& r) { r.set_amount_cents(-1); },
           Reason::kFieldNegative, "amount_cents"},
          {"inside the withdrawal period", [](Payment&) {},
           Reason::kWithdrawalPeriodRunning, "", kPrecondition},
      });
  using Confirm = pb::ConfirmPlaceRequest;
  Confirm confirm;
  confirm.set_application(application.name());
  confirm.set_commitment(pb::COMMITMENT_KIND_SIGNED_AGREEMENT);
  ExpectRefused(
      fixture_.enrolments(), &Enrolments::ConfirmPlace, confirm,
      std::vector<BadInput<Confirm>>{
          {"not admitted", [](Confirm&) {}, Reason::kNotCommitted, "",
           kPrecondition},
          {"no kind of commitment", [](Confirm& r) { r.clear_commitment(); },
           Reason::kFieldRequired, "commitment"},
          {"no reference",
           [](Confirm& r) {
             r.set_commitment(pb::COMMITMENT_KIND_PURCHASE_ORDER);
           },
           Reason::kFieldRequired, "commitment_reference"},
      });
}

PARCOURS_ON_BOTH_ENGINES(BadInputTest);

}  // namespace
}  // namespace parcours::enrolment
