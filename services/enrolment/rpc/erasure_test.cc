#include <memory>
#include <string>
#include <vector>

#include "common/crypto/digest.h"
#include "common/rpc/convert.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "parcours/type/v1/access.pb.h"
#include "services/enrolment/testing/enrolment_fixture.h"

namespace parcours::enrolment {
namespace {

namespace platform_pb = ::parcours::platform::v1;

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string InFrenchOf(const absl::Status& status) {
  const auto payload = status.GetPayload(
      {kLocalizedMessageUrl.data(), kLocalizedMessageUrl.size()});
  google::rpc::LocalizedMessage message;
  EXPECT_TRUE(payload.has_value() &&
              message.ParseFromString(std::string(*payload)));
  return message.message();
}

class ErasureRpcTest : public ContractTest {
 protected:
  ErasureRpcTest() {
    application_ = fixture_.Submitted(1);
    pb::RefuseApplicationRequest refuse;
    refuse.set_name(application_.name());
    refuse.set_decider("Personne Une");
    refuse.set_reason("motif-secret");
    Must(fixture_.Call(fixture_.applications(),
                       &Applications::RefuseApplication, refuse));
    person_ = application_.person();
  }

  pb::ErasePersonRequest Request() const {
    pb::ErasePersonRequest request;
    request.set_person(person_);
    request.set_ground(pb::Erasure::GROUND_REQUESTED);
    return request;
  }
  absl::StatusOr<pb::Erasure> Erase(const pb::ErasePersonRequest& request) {
    return fixture_.Call(fixture_.erasures(), &Erasures::ErasePerson, request);
  }
  pb::Person ReadPerson() {
    pb::GetPersonRequest request;
    request.set_name(person_);
    return Must(fixture_.Call(fixture_.people(), &People::GetPerson, request));
  }
  absl::StatusOr<pb::Erasure> ReadErasure() {
    pb::GetErasureRequest request;
    request.set_name(ErasureOf(PersonName::FromRecord(person_)).text());
    return fixture_.Call(fixture_.erasures(), &Erasures::GetErasure, request);
  }

  access::Principal Somebody(int role) const {
    access::Principal principal{.subject = "quelquun", .body = fixture_.body};
    principal.roles.Add(role);
    return principal;
  }
  access::Principal Learner(const std::string& person) const {
    access::Principal learner = Somebody(type::v1::ROLE_LEARNER);
    learner.person = person;
    return learner;
  }

  // The pieces of an export, whose chunks are joined to their documents.
  struct Exported {
    std::vector<platform_pb::ExportedRecord> records;
    std::vector<platform_pb::ExportedDocument> documents;
    std::vector<std::string> bytes;
  };
  absl::StatusOr<Exported> Export(const std::string& person) {
    platform_pb::ExportPersonRequest request;
    request.set_name(person);
    grpc::ClientContext context;
    const auto reader = fixture_.privacy().ExportPerson(&context, request);
    Exported exported;
    platform_pb::ExportPersonResponse piece;
    while (reader->Read(&piece)) {
      if (piece.has_record()) exported.records.push_back(piece.record());
      if (piece.has_document()) {
        exported.documents.push_back(piece.document());
        exported.bytes.emplace_back();
      }
      if (piece.has_chunk()) exported.bytes.back() += piece.chunk();
    }
    const grpc::Status status = reader->Finish();
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return exported;
  }

  pb::Application application_;
  std::string person_;
};

TEST_P(ErasureRpcTest, ErasesOnceAndAnswersTheSame) {
  const auto erased = fixture_.CallTwice(fixture_.erasures(),
                                         &Erasures::ErasePerson, Request());
  ASSERT_OK(erased);
  EXPECT_EQ(erased->person(), person_);
  EXPECT_EQ(erased->ground(), pb::Erasure::GROUND_REQUESTED);
  EXPECT_EQ(erased->state(), pb::Erasure::STATE_RUNNING);
  EXPECT_THAT(erased->awaited_services(),
              ElementsAre("enrolment", "scheduling", "evaluation"));
  EXPECT_THAT(fixture_.erasure_log.persons(), ElementsAre(person_));

  const pb::Person person = ReadPerson();
  EXPECT_TRUE(person.has_erase_time());
  EXPECT_EQ(person.given_name(), "");
  EXPECT_EQ(person.family_name(), "");
  EXPECT_EQ(person.email(), "");
  const pb::Application application =
      fixture_.ReadApplication(application_.name());
  EXPECT_EQ(application.candidate().email(), "");
  EXPECT_EQ(application.decision().reason(), "");
  EXPECT_EQ(application.rank(), application_.rank());
  EXPECT_EQ(application.candidate().years_after_bac(), 4);

  // The second click, without the request id of the first.
  const auto again = Erase(Request());
  ASSERT_OK(again);
  EXPECT_EQ(again->etag(), erased->etag());
}

TEST_P(ErasureRpcTest, AnotherRequestUnderTheIdIsRefused) {
  pb::ErasePersonRequest request = Request();
  request.set_request_id(NewUuidV7(fixture_.now()));
  ASSERT_OK(Erase(request));
  request.set_ground(pb::Erasure::GROUND_RETENTION);
  EXPECT_THAT(Erase(request), HasReason(Reason::kRequestIdReused));
}

TEST_P(ErasureRpcTest, ACheckWritesNothing) {
  pb::ErasePersonRequest request = Request();
  request.set_validate_only(true);
  const int64_t rows = fixture_.RowsWritten();
  const auto checked = Erase(request);
  ASSERT_OK(checked);
  EXPECT_EQ(checked->state(), pb::Erasure::STATE_RUNNING);
  EXPECT_EQ(fixture_.RowsWritten(), rows);
  EXPECT_THAT(fixture_.erasure_log.persons(), IsEmpty());
  EXPECT_THAT(ReadErasure(), HasReason(Reason::kNotFound));
  fixture_.evaluation.Hold({privacy::HoldWhileUnderWay("recours")});
  EXPECT_THAT(Erase(request), HasReason(Reason::kPersonUnderWay));
}

TEST_P(ErasureRpcTest, AnOlderEtagErasesNothing) {
  pb::ErasePersonRequest request = Request();
  request.set_etag("\"999\"");
  EXPECT_THAT(Erase(request), HasReason(Reason::kEtagMismatch));
  request.set_etag(ReadPerson().etag());
  EXPECT_OK(Erase(request));
}

TEST_P(ErasureRpcTest, WhatIsMissingOrUnknownIsNamed) {
  pb::ErasePersonRequest request = Request();
  request.clear_ground();
  EXPECT_THAT(Erase(request), ViolatesField("ground"));
  request = Request();
  request.set_person("bodies/essai/persons/personne");
  EXPECT_THAT(Erase(request), HasReason(Reason::kNotFound));
  request.set_person("personne");
  EXPECT_THAT(Erase(request), ViolatesField("person"));
}

TEST_P(ErasureRpcTest, HoldsAreNamedInBothLanguages) {
  const pb::Enrolment enrolment = fixture_.Confirmed(2);
  pb::EndEnrolmentRequest end;
  end.set_name(enrolment.name());
  end.set_state(pb::Enrolment::STATE_NO_SHOW);
  end.set_reason("Motif");
  ASSERT_OK(
      fixture_.Call(fixture_.enrolments(), &Enrolments::EndEnrolment, end));
  fixture_.scheduling.Hold({{.kind = "completion_record",
                             .resource = "certificat",
                             .rule = "regle",
                             .article = "article 7",
                             .until = absl::CivilDay(2029, 11, 16)}});
  person_ = enrolment.person();
  const absl::Status refused = Erase(Request()).status();
  EXPECT_THAT(refused, HasReason(Reason::kLegalHold));
  EXPECT_EQ(MetadataOf(refused).at("until"), "2036-12-30");
  const auto both = AllOf(HasSubstr("(C. com. L123-22, 2036-12-30)"),
                          HasSubstr("certificat (article 7, 2029-11-16)"));
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr("must be kept until 2036-12-30"), both));
  EXPECT_THAT(InFrenchOf(refused),
              AllOf(HasSubstr("conservée jusqu’au 30 décembre 2036"), both));

  platform_pb::ListLegalHoldsRequest request;
  request.set_name(person_);
  const auto holds =
      fixture_.Call(fixture_.privacy(), &Privacy::ListLegalHolds, request);
  ASSERT_OK(holds);
  ASSERT_THAT(holds->holds(), SizeIs(1));
  EXPECT_EQ(holds->holds(0).kind(), "accounting");
  EXPECT_EQ(rpc::CivilDayOf(holds->holds(0).until_date()),
            absl::CivilDay(2036, 12, 30));
}

TEST_P(ErasureRpcTest, WhatIsUnderWayIsNamed) {
  const pb::Application waiting = fixture_.Submitted(2);
  person_ = waiting.person();
  const absl::Status refused = Erase(Request()).status();
  EXPECT_THAT(refused, HasReason(Reason::kPersonUnderWay));
  EXPECT_THAT(std::string(refused.message()), HasSubstr(waiting.name()));
  EXPECT_THAT(InFrenchOf(refused), HasSubstr(waiting.name()));
}

TEST_P(ErasureRpcTest, WithoutAnAnswerOfAServiceNothingIsDone) {
  fixture_.evaluation.Fail(
      MakeError(Reason::kOwnerUnavailable, {{"resource", "x"}}));
  EXPECT_THAT(Erase(Request()), HasReason(Reason::kOwnerUnavailable));
  EXPECT_FALSE(ReadPerson().has_erase_time());
}

TEST_P(ErasureRpcTest, WhoIsErasedIsNotWritten) {
  ASSERT_OK(Erase(Request()));
  pb::UpdatePersonRequest update;
  update.mutable_person()->set_name(person_);
  update.mutable_person()->set_family_name("Autre");
  update.mutable_update_mask()->add_paths("family_name");
  EXPECT_THAT(fixture_.Call(fixture_.people(), &People::UpdatePerson, update),
              HasReason(Reason::kPersonErased));
  pb::ReopenApplicationRequest reopen;
  reopen.set_name(application_.name());
  reopen.set_decider("Personne Une");
  reopen.set_reason("Motif");
  EXPECT_THAT(fixture_.Call(fixture_.applications(),
                            &Applications::ReopenApplication, reopen),
              HasReason(Reason::kPersonErased));
}

TEST_P(ErasureRpcTest, OnlyTheCoordinationOfTheBodyErases) {
  fixture_.ActAs(EnrolmentFixture::CoordinatorOf("bodies/autre"));
  EXPECT_THAT(Erase(Request()), HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(ReadErasure(), HasReason(Reason::kPermissionDenied));
  for (const int role : {type::v1::ROLE_AUDITOR, type::v1::ROLE_ADMISSIONS,
                         type::v1::ROLE_SERVICE, type::v1::ROLE_LEARNER}) {
    fixture_.ActAs(Somebody(role));
    EXPECT_THAT(Erase(Request()), HasReason(Reason::kPermissionDenied));
  }
  fixture_.ActAs(EnrolmentFixture::CoordinatorOf(fixture_.body));
  EXPECT_OK(Erase(Request()));
}

TEST_P(ErasureRpcTest, AnAuditorReadsThem) {
  ASSERT_OK(Erase(Request()));
  fixture_.ActAs(Somebody(type::v1::ROLE_AUDITOR));
  EXPECT_OK(ReadErasure());
  pb::ListErasuresRequest list;
  list.set_parent(fixture_.body);
  const auto listed =
      fixture_.Call(fixture_.erasures(), &Erasures::ListErasures, list);
  ASSERT_OK(listed);
  ASSERT_THAT(listed->erasures(), SizeIs(1));
  EXPECT_EQ(listed->erasures(0).person(), person_);
  EXPECT_NE(listed->feed_token(), "");
  fixture_.ActAs(Somebody(type::v1::ROLE_ADMISSIONS));
  EXPECT_THAT(fixture_.Call(fixture_.erasures(), &Erasures::ListErasures, list),
              HasReason(Reason::kPermissionDenied));
}

TEST_P(ErasureRpcTest, ErasuresComeInPages) {
  ASSERT_OK(Erase(Request()));
  const pb::Application second = fixture_.Submitted(2);
  pb::RefuseApplicationRequest refuse;
  refuse.set_name(second.name());
  refuse.set_decider("Personne Une");
  refuse.set_reason("Motif");
  ASSERT_OK(fixture_.Call(fixture_.applications(),
                          &Applications::RefuseApplication, refuse));
  person_ = second.person();
  ASSERT_OK(Erase(Request()));
  pb::ListErasuresRequest list;
  list.set_parent(fixture_.body);
  list.set_page_size(1);
  std::vector<std::string> names;
  do {
    const auto page =
        fixture_.Call(fixture_.erasures(), &Erasures::ListErasures, list);
    ASSERT_OK(page);
    ASSERT_THAT(page->erasures(), SizeIs(1));
    names.push_back(page->erasures(0).person());
    list.set_page_token(page->next_page_token());
  } while (!list.page_token().empty());
  EXPECT_THAT(names, ElementsAre(application_.person(), second.person()));
}

TEST_P(ErasureRpcTest, ALearnerTakesWhatIsTheirsAlong) {
  fixture_.ActAs(Learner(person_));
  const auto exported = Export(person_);
  ASSERT_OK(exported);
  std::vector<std::string> kinds;
  for (const platform_pb::ExportedRecord& record : exported->records) {
    if (record.kind() != "access") kinds.push_back(record.kind());
  }
  EXPECT_THAT(kinds, ElementsAre("person", "application", "place"));
  EXPECT_EQ(exported->records[0].resource(), person_);
  EXPECT_EQ(exported->records[0].content().fields().at("email").string_value(),
            "candidate.1@example.org");
  ASSERT_THAT(exported->documents, SizeIs(2));
  for (std::size_t i = 0; i < exported->documents.size(); ++i) {
    EXPECT_EQ(exported->documents[i].resource(), application_.name());
    EXPECT_EQ(exported->documents[i].sha256(),
              crypto::Sha256Hex(exported->bytes[i]));
    EXPECT_EQ(exported->documents[i].byte_size(),
              static_cast<int64_t>(exported->bytes[i].size()));
  }

  // Nothing of anybody else.
  const std::string other = "bodies/essai/persons/autre";
  EXPECT_THAT(Export(other), HasReason(Reason::kPermissionDenied));
  fixture_.ActAs(Learner(other));
  EXPECT_THAT(Export(person_), HasReason(Reason::kPermissionDenied));
  fixture_.ActAs(Somebody(type::v1::ROLE_AUDITOR));
  EXPECT_THAT(Export(person_), HasReason(Reason::kPermissionDenied));
}

TEST_P(ErasureRpcTest, OfWhoIsErasedTheErasureIsTakenAlong) {
  ASSERT_OK(Erase(Request()));
  const auto exported = Export(person_);
  ASSERT_OK(exported);
  EXPECT_THAT(exported->documents, IsEmpty());
  bool told = false;
  for (const platform_pb::ExportedRecord& record : exported->records) {
    told = told || record.kind() == "erasure";
    EXPECT_THAT(record.content().ShortDebugString(),
                ::testing::Not(HasSubstr("candidate.1@example.org")));
  }
  EXPECT_TRUE(told);
}

TEST_P(ErasureRpcTest, APlanIsReadBeforeItIsApplied) {
  fixture_.AdvanceTo(Paris(2029, 1, 1));
  fixture_.ActAs(EnrolmentFixture::CoordinatorOf(fixture_.body));
  platform_pb::PlanRetentionRequest ask;
  ask.set_parent(fixture_.body);
  const auto plan =
      fixture_.Call(fixture_.privacy(), &Privacy::PlanRetention, ask);
  ASSERT_OK(plan);
  ASSERT_THAT(plan->classes(), SizeIs(2));
  EXPECT_THAT(plan->classes(0).resources(), ElementsAre(application_.name()));
  EXPECT_THAT(plan->classes(1).resources(), ElementsAre(person_));
  EXPECT_EQ(plan->classes(1).period_fr(), "2 ans");

  platform_pb::ApplyRetentionRequest apply;
  apply.set_parent(fixture_.body);
  EXPECT_THAT(
      fixture_.Call(fixture_.privacy(), &Privacy::ApplyRetention, apply),
      ViolatesField("etag"));
  apply.set_etag("\"autre\"");
  EXPECT_THAT(
      fixture_.Call(fixture_.privacy(), &Privacy::ApplyRetention, apply),
      HasReason(Reason::kEtagMismatch));
  EXPECT_FALSE(ReadPerson().has_erase_time());
  apply.set_etag(plan->etag());
  ASSERT_OK(fixture_.Call(fixture_.privacy(), &Privacy::ApplyRetention, apply));
  EXPECT_TRUE(ReadPerson().has_erase_time());
  EXPECT_EQ(ReadErasure()->ground(), pb::Erasure::GROUND_RETENTION);
}

PARCOURS_ON_BOTH_ENGINES(ErasureRpcTest);

}  // namespace
}  // namespace parcours::enrolment
