#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "common/testing/enum_agreement.h"
#include "gmock/gmock.h"
#include "google/api/resource.pb.h"
#include "google/rpc/error_details.pb.h"
#include "services/enrolment/rpc/convert.h"
#include "services/enrolment/testing/enrolment_fixture.h"

namespace parcours::enrolment {
namespace {

using ::testing::HasSubstr;

std::set<std::string> ResourceTypes(
    const google::protobuf::FileDescriptor& file) {
  std::set<std::string> types;
  for (const auto& resource :
       file.options().GetRepeatedExtension(google::api::resource_definition)) {
    types.insert(resource.type());
  }
  for (int i = 0; i < file.message_type_count(); ++i) {
    types.insert(file.message_type(i)
                     ->options()
                     .GetExtension(google::api::resource)
                     .type());
  }
  for (int i = 0; i < file.dependency_count(); ++i) {
    types.merge(ResourceTypes(*file.dependency(i)));
  }
  return types;
}

TEST(EnumTest, NumbersOfTheContractAreThoseOfTheDomain) {
  EXPECT_TRUE((EnumsAgree<type::v1::PayerKind, PayerKind>()));
  EXPECT_TRUE((EnumsAgree<type::v1::PieceKind, PieceKind>()));
  EXPECT_TRUE((EnumsAgree<pb::RankEvent, RankEvent>()));
  EXPECT_TRUE((EnumsAgree<pb::Cohort::State, CohortState>()));
  EXPECT_TRUE((EnumsAgree<pb::ReviewState, ReviewState>()));
  EXPECT_TRUE((EnumsAgree<pb::PlaceState, PlaceState>()));
  EXPECT_TRUE((EnumsAgree<pb::Channel, Channel>()));
  EXPECT_TRUE((EnumsAgree<pb::Agreement::Kind, AgreementKind>()));
  EXPECT_TRUE((EnumsAgree<pb::Agreement::State, AgreementState>()));
  EXPECT_TRUE((EnumsAgree<pb::CommitmentKind, CommitmentKind>()));
  EXPECT_TRUE((EnumsAgree<pb::Enrolment::State, EnrolmentState>()));
  EXPECT_TRUE((EnumsAgree<type::v1::Role, Role>()));
}

// A reference to a type that the file does not know is not checked at all.
TEST(ReferenceTest, EveryTypeIsKnownWhereItIsReferredTo) {
  for (const google::protobuf::FileDescriptor* file :
       {pb::Application::descriptor()->file(),
        pb::Enrolment::descriptor()->file(), pb::Person::descriptor()->file(),
        pb::CreateCohortRequest::descriptor()->file()}) {
    const std::set<std::string> known = ResourceTypes(*file);
    for (int i = 0; i < file->message_type_count(); ++i) {
      const google::protobuf::Descriptor& message = *file->message_type(i);
      for (int j = 0; j < message.field_count(); ++j) {
        const std::string& type =
            message.field(j)
                ->options()
                .GetExtension(google::api::resource_reference)
                .type();
        EXPECT_TRUE(type.empty() || known.count(type) == 1)
            << message.field(j)->full_name();
      }
    }
  }
}

class PageTest : public ContractTest {
 protected:
  absl::StatusOr<pb::ListApplicationsResponse> List(int size,
                                                    const std::string& token,
                                                    const std::string& order) {
    pb::ListApplicationsRequest request;
    request.set_parent(fixture_.cohort);
    request.set_page_size(size);
    request.set_page_token(token);
    request.set_order_by(order);
    return fixture_.Call(fixture_.applications(),
                         &Applications::ListApplications, request);
  }
};

TEST_P(PageTest, AreStableWhileOthersArrive) {
  for (const std::string order : {"", "rank"}) {
    SCOPED_TRACE(order);
    for (int i = 0; i < 3; ++i) fixture_.Submitted(order.empty() ? i : 10 + i);
    std::vector<std::string> names;
    std::vector<int64_t> ranks;
    std::string token;
    bool inserted = false;
    do {
      const auto page = List(2, token, order);
      ASSERT_OK(page);
      EXPECT_LE(page->applications_size(), 2);
      for (const pb::Application& application : page->applications()) {
        names.push_back(application.name());
        ranks.push_back(application.rank());
      }
      token = page->next_page_token();
      if (!inserted) fixture_.Submitted(order.empty() ? 9 : 19);
      inserted = true;
    } while (!token.empty());
    EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size());
    EXPECT_EQ(names.size(), order.empty() ? 4U : 8U);
    EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
    EXPECT_TRUE(std::is_sorted(ranks.begin(), ranks.end()));
  }
}

TEST_P(PageTest, ATokenIsOfItsListAndItsArguments) {
  for (int i = 0; i < 3; ++i) fixture_.Submitted(i);
  const auto page = List(2, "", "");
  ASSERT_OK(page);
  const std::string token = page->next_page_token();
  ASSERT_FALSE(token.empty());
  EXPECT_THAT(List(2, token, "rank"), HasReason(Reason::kPageTokenInvalid));
  EXPECT_THAT(List(2, token + "x", ""), HasReason(Reason::kPageTokenInvalid));
  EXPECT_THAT(List(2, "jeton", ""), ViolatesField("page_token"));
  pb::ListPersonsRequest persons;
  persons.set_parent(fixture_.body);
  persons.set_page_token(token);
  EXPECT_THAT(fixture_.Call(fixture_.people(), &People::ListPersons, persons),
              HasReason(Reason::kPageTokenInvalid));
  EXPECT_THAT(List(2, "", "age"), ViolatesField("order_by"));
  EXPECT_THAT(List(-1, "", ""), ViolatesField("page_size"));
}

TEST_P(PageTest, FollowAFilter) {
  fixture_.Submitted(1);
  const std::string admitted = fixture_.Admitted(2).name();
  pb::ListApplicationsRequest request;
  request.set_parent(fixture_.cohort);
  request.set_review_state(pb::REVIEW_STATE_ADMITTED);
  const auto page = fixture_.Call(fixture_.applications(),
                                  &Applications::ListApplications, request);
  ASSERT_OK(page);
  ASSERT_EQ(page->applications_size(), 1);
  EXPECT_EQ(page->applications(0).name(), admitted);
  request.set_place_state(pb::PLACE_STATE_WAITLISTED);
  EXPECT_EQ(fixture_
                .Call(fixture_.applications(), &Applications::ListApplications,
                      request)
                ->applications_size(),
            0);
}

class UpdateTest : public ContractTest {
 protected:
  absl::StatusOr<pb::Cohort> Update(const pb::Cohort& cohort,
                                    const std::vector<std::string>& paths = {},
                                    bool validate_only = false) {
    pb::UpdateCohortRequest request;
    *request.mutable_cohort() = cohort;
    request.mutable_cohort()->set_name(fixture_.cohort);
    for (const std::string& path : paths) {
      request.mutable_update_mask()->add_paths(path);
    }
    request.set_validate_only(validate_only);
    return fixture_.Call(fixture_.programmes(), &Programmes::UpdateCohort,
                         request);
  }
};

TEST_P(UpdateTest, WritesWhatTheMaskNames) {
  pb::Cohort change;
  change.set_display_name("Promotion renommée");
  change.set_capacity(3);
  const auto named = Update(change, {"display_name"});
  ASSERT_OK(named);
  EXPECT_EQ(named->display_name(), "Promotion renommée");
  EXPECT_EQ(named->capacity(), 30);
  const auto set = Update(change);
  ASSERT_OK(set);
  EXPECT_EQ(set->capacity(), 3);
  EXPECT_EQ(set->time_zone(), "Europe/Paris");
  EXPECT_THAT(Update(change, {"couleur"}),
              HasReason(Reason::kUpdateMaskInvalid));
  EXPECT_THAT(Update(change, {"state"}), HasReason(Reason::kUpdateMaskInvalid));
}

TEST_P(UpdateTest, LeavesWhatIsOutputOnly) {
  pb::Cohort forged = fixture_.Cohort();
  forged.set_state(pb::Cohort::STATE_ENDED);
  forged.set_go_decision(pb::Cohort::GO_DECISION_GO);
  forged.set_held_count(29);
  forged.set_confirmed_count(12);
  const auto updated = Update(forged, {"*"});
  ASSERT_OK(updated);
  EXPECT_EQ(updated->state(), pb::Cohort::STATE_OPEN);
  EXPECT_EQ(updated->go_decision(), pb::Cohort::GO_DECISION_UNSPECIFIED);
  EXPECT_EQ(updated->held_count(), 0);
  EXPECT_EQ(updated->confirmed_count(), 0);
}

TEST_P(UpdateTest, ThatChangesNothingWritesNothing) {
  const auto first = Update(fixture_.Cohort(), {"*"});
  ASSERT_OK(first);
  const int64_t rows = fixture_.RowsWritten();
  const auto again = Update(fixture_.Cohort(), {"*"});
  ASSERT_OK(again);
  EXPECT_EQ(again->etag(), first->etag());
  EXPECT_EQ(fixture_.RowsWritten(), rows);
  pb::Cohort change;
  change.set_capacity(40);
  const auto checked = Update(change, {}, /*validate_only=*/true);
  ASSERT_OK(checked);
  EXPECT_EQ(checked->capacity(), 40);
  EXPECT_EQ(fixture_.RowsWritten(), rows);
}

TEST_P(UpdateTest, OfAnOlderVersionIsRefused) {
  pb::Cohort change;
  change.set_capacity(40);
  const std::string read = Update(change)->etag();
  change.set_capacity(41);
  ASSERT_OK(Update(change));
  change.set_etag(read);
  change.set_capacity(42);
  const auto stale = Update(change);
  EXPECT_THAT(stale, HasReason(Reason::kEtagMismatch));
  EXPECT_THAT(stale, StatusIs(absl::StatusCode::kAborted));
}

TEST_P(UpdateTest, NeverTakesAHeldPlace) {
  for (int i = 0; i < 8; ++i) fixture_.Submitted(i);
  pb::Cohort change;
  change.set_capacity(7);
  const auto refused = Update(change);
  EXPECT_THAT(refused, HasReason(Reason::kCapacityBelowHeld));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  // Cut to what a client receives, and still naming who holds.
  const ErrorMetadata metadata = MetadataOf(refused.status());
  EXPECT_EQ(metadata.at("held"), "8");
  EXPECT_THAT(metadata.at("holders"), HasSubstr(fixture_.cohort));
  EXPECT_THAT(metadata.at("holders"), HasSubstr("… +"));
}

class ErrorTest : public ContractTest {};

TEST_P(ErrorTest, CarriesReasonDomainMetadataAndFrench) {
  pb::GetApplicationRequest request;
  request.set_name(fixture_.cohort + "/applications/absente");
  const auto absent = fixture_.Call(fixture_.applications(),
                                    &Applications::GetApplication, request);
  EXPECT_THAT(absent, StatusIs(absl::StatusCode::kNotFound));
  google::rpc::ErrorInfo info;
  const auto payload = absent.status().GetPayload(
      absl::string_view(kErrorInfoUrl.data(), kErrorInfoUrl.size()));
  ASSERT_TRUE(payload.has_value());
  ASSERT_TRUE(info.ParseFromString(std::string(*payload)));
  EXPECT_EQ(info.reason(), "NOT_FOUND");
  EXPECT_EQ(info.domain(), "parcours");
  EXPECT_EQ(info.metadata().at("resource"), request.name());
  google::rpc::LocalizedMessage message;
  const auto translated = absent.status().GetPayload(absl::string_view(
      kLocalizedMessageUrl.data(), kLocalizedMessageUrl.size()));
  ASSERT_TRUE(translated.has_value());
  ASSERT_TRUE(message.ParseFromString(std::string(*translated)));
  EXPECT_EQ(message.locale(), "fr");
  EXPECT_THAT(message.message(), HasSubstr("n’existe pas"));
}

// Who belongs to one body sees nothing of another, not even what is absent.
class ScopeTest : public ContractTest {
 protected:
  ScopeTest() : name_(fixture_.Submitted(1).name()) {
    fixture_.ActAs(EnrolmentFixture::CoordinatorOf("bodies/autre"));
  }
  const std::string name_;
};

TEST_P(ScopeTest, AbsentAndForbiddenAreOne) {
  pb::GetApplicationRequest get;
  get.set_name(name_);
  const auto forbidden = fixture_.Call(fixture_.applications(),
                                       &Applications::GetApplication, get);
  get.set_name(fixture_.cohort + "/applications/absente");
  const auto absent = fixture_.Call(fixture_.applications(),
                                    &Applications::GetApplication, get);
  EXPECT_THAT(forbidden, HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(forbidden, StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_EQ(absent.status().message(), forbidden.status().message());
  EXPECT_EQ(MetadataOf(absent.status()), MetadataOf(forbidden.status()));
}

TEST_P(ScopeTest, NothingIsReadOrWrittenInAnotherBody) {
  const int64_t rows = fixture_.RowsWritten();
  const auto denied = HasReason(Reason::kPermissionDenied);
  pb::ListApplicationsRequest applications;
  applications.set_parent(fixture_.cohort);
  EXPECT_THAT(fixture_.Call(fixture_.applications(),
                            &Applications::ListApplications, applications),
              denied);
  pb::ListPersonsRequest persons;
  persons.set_parent(fixture_.body);
  EXPECT_THAT(fixture_.Call(fixture_.people(), &People::ListPersons, persons),
              denied);
  pb::ListAgreementsRequest agreements;
  agreements.set_parent(fixture_.body);
  EXPECT_THAT(fixture_.Call(fixture_.enrolments(), &Enrolments::ListAgreements,
                            agreements),
              denied);
  pb::ListCohortsRequest cohorts;
  cohorts.set_parent(fixture_.body);
  EXPECT_THAT(
      fixture_.Call(fixture_.programmes(), &Programmes::ListCohorts, cohorts),
      denied);
  pb::ListProgrammesRequest programmes;
  programmes.set_parent(fixture_.body);
  EXPECT_THAT(fixture_.Call(fixture_.programmes(), &Programmes::ListProgrammes,
                            programmes),
              denied);
  pb::GetProgrammeRequest programme;
  programme.set_name(fixture_.programme);
  EXPECT_THAT(fixture_.Call(fixture_.programmes(), &Programmes::GetProgramme,
                            programme),
              denied);
  pb::ExplainPlaceRequest explain;
  explain.set_name(name_);
  EXPECT_THAT(fixture_.Call(fixture_.applications(),
                            &Applications::ExplainPlace, explain),
              denied);
  pb::WithdrawApplicationRequest withdraw;
  withdraw.set_name(name_);
  EXPECT_THAT(fixture_.Call(fixture_.applications(),
                            &Applications::WithdrawApplication, withdraw),
              denied);
  pb::UpdateCohortRequest cohort;
  *cohort.mutable_cohort() = fixture_.Cohort(5);
  cohort.mutable_cohort()->set_name(fixture_.cohort);
  EXPECT_THAT(
      fixture_.Call(fixture_.programmes(), &Programmes::UpdateCohort, cohort),
      denied);
  pb::CreatePersonRequest person;
  person.set_parent(fixture_.body);
  person.mutable_person()->set_given_name("Personne");
  person.mutable_person()->set_family_name("Une");
  person.mutable_person()->set_email("personne.une@example.org");
  EXPECT_THAT(fixture_.Call(fixture_.people(), &People::CreatePerson, person),
              denied);
  pb::CreateBodyRequest body;
  body.set_body_id("troisieme");
  body.mutable_body()->set_display_name("Troisième");
  body.mutable_body()->set_time_zone("Europe/Paris");
  EXPECT_THAT(
      fixture_.Call(fixture_.programmes(), &Programmes::CreateBody, body),
      denied);
  EXPECT_EQ(fixture_
                .Call(fixture_.programmes(), &Programmes::ListBodies,
                      pb::ListBodiesRequest())
                ->bodies_size(),
            0);
  EXPECT_EQ(fixture_.RowsWritten(), rows);
}

TEST_P(ScopeTest, TheOwnBodyIsOpen) {
  fixture_.ActAs(EnrolmentFixture::CoordinatorOf(fixture_.body));
  EXPECT_EQ(fixture_.ReadApplication(name_).rank(), 1);
  access::Principal reader = EnrolmentFixture::CoordinatorOf(fixture_.body);
  reader.roles = {};
  reader.roles.Add(type::v1::ROLE_STEERING_READER);
  fixture_.ActAs(reader);
  pb::GetApplicationRequest get;
  get.set_name(name_);
  EXPECT_THAT(fixture_.Call(fixture_.applications(),
                            &Applications::GetApplication, get),
              HasReason(Reason::kPermissionDenied));
}

PARCOURS_ON_BOTH_ENGINES(PageTest);
PARCOURS_ON_BOTH_ENGINES(UpdateTest);
PARCOURS_ON_BOTH_ENGINES(ErrorTest);
PARCOURS_ON_BOTH_ENGINES(ScopeTest);

}  // namespace
}  // namespace parcours::enrolment
