#include "services/enrolment/testing/record.h"

#include <algorithm>

#include "common/documents/upload_repository.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "services/enrolment/store/migrations.h"
#include "services/enrolment/testing/kept_places.h"

namespace parcours::enrolment {
namespace {

Decision PersonsDecision() {
  return {.decider = "Personne Une", .reason = "Motif"};
}

}  // namespace

TestRecord::TestRecord(storage::Engine engine, const Programme& programme,
                       const Cohort& sample)
    : test_database_(engine),
      database_(test_database_.Open(AllMigrations())),
      store_(std::make_unique<SqlEnrolmentStore>(*database_)) {
  Body owner;
  owner.name = body;
  owner.display_name = "Organisme d’essai";
  owner.time_zone = "Europe/Paris";
  Must(CreateBody(*store_, Call(), owner, Mode::kCommit));
  Must(CreateProgramme(*store_, Call(), programme, Mode::kCommit));
  Must(CreateCohort(*store_, Call(), sample, Mode::kCommit));
  Organisation organisation;
  organisation.name = employer;
  organisation.display_name = "Employeur d’essai";
  Must(CreateOrganisation(*store_, Call(), organisation, Mode::kCommit));
}

TestRecord::~TestRecord() { ExpectKeptPlacesAreTrue(*database_); }

access::Caller TestRecord::Call(std::string_view method,
                                std::string_view request_id,
                                std::string_view digest) const {
  return {.principal = {.subject = "essai", .roles = {}, .body = ""},
          .scope = access::Scope::Installation(),
          .method = Cat("parcours.enrolment.v1.Essai/", method),
          .request_id = std::string(request_id),
          .request_digest = std::string(digest),
          .deadline = absl::InfiniteFuture(),
          .now = now};
}

Application TestRecord::Declaration(int number) const {
  Application application;
  application.given_name = "Candidate";
  application.family_name = Cat("N", number);
  application.email = Cat("candidate.", number, "@example.org");
  application.qualification.years_after_bac = 4;
  return application;
}

NewPiece TestRecord::File(PieceKind kind) {
  documents::Upload upload;
  upload.name =
      ChildName<documents::UploadName>(body, "uploads", NewUuidV7(now));
  upload.object_id = Cat("objet-", ++calls_);
  upload.byte_size = 1;
  upload.content_type = "application/pdf";
  upload.sha256 = std::string(64, 'a');
  upload.state = documents::UploadState::kComplete;
  upload.expire_time = absl::InfiniteFuture();
  EXPECT_OK(database_->Transact(
      Call("CreateUpload"),
      [&](storage::Transaction& transaction)
          -> absl::StatusOr<storage::Outcome> {
        documents::UploadRepository(transaction).Insert(upload);
        return storage::Outcome{.name = upload.name.text()};
      }));
  return {.kind = kind, .upload = UploadName::FromRecord(upload.name.text())};
}

std::vector<NewPiece> TestRecord::RequiredFiles() {
  std::vector<NewPiece> files;
  for (const PieceKind kind : SampleProgramme().required_pieces) {
    files.push_back(File(kind));
  }
  return files;
}

Application TestRecord::Submitted(int number, const Payer& payer) {
  Application declaration = Declaration(number);
  declaration.payer = payer;
  return Must(SubmitApplication(*store_, rules, Call("SubmitApplication"),
                                cohort, declaration, RequiredFiles(),
                                Mode::kCommit))
      .application;
}

Application TestRecord::Admitted(int number, const Payer& payer) {
  return Must(Admit(Submitted(number, payer).name)).application;
}

Application TestRecord::Committed(int number, const Payer& payer) {
  const ApplicationName name = Admitted(number, payer).name;
  Commit(name);
  return Read(name).application;
}

Enrolment TestRecord::Confirmed(int number, const Payer& payer) {
  return Must(Confirm(Committed(number, payer).name));
}

std::vector<ApplicationName> TestRecord::AdmitMany(int first, int count) {
  std::vector<ApplicationName> names;
  for (int i = 0; i < count; ++i) names.push_back(Admitted(first + i).name);
  return names;
}

absl::StatusOr<ApplicationView> TestRecord::Admit(const ApplicationName& name) {
  return AdmitApplication(*store_, rules, Call("AdmitApplication"), name,
                          PersonsDecision(), /*derogation_proof=*/"",
                          /*etag=*/"");
}

absl::StatusOr<ApplicationView> TestRecord::Refuse(
    const ApplicationName& name) {
  return RefuseApplication(*store_, rules, Call("RefuseApplication"), name,
                           PersonsDecision(), /*etag=*/"");
}

absl::StatusOr<ApplicationView> TestRecord::Reopen(
    const ApplicationName& name) {
  return ReopenApplication(*store_, rules, Call("ReopenApplication"), name,
                           PersonsDecision(), /*etag=*/"");
}

absl::StatusOr<ApplicationView> TestRecord::Withdraw(
    const ApplicationName& name) {
  return WithdrawApplication(*store_, rules, Call("WithdrawApplication"), name,
                             "Autre projet", /*etag=*/"");
}

absl::StatusOr<ApplicationView> TestRecord::Attach(const ApplicationName& name,
                                                   PieceKind kind) {
  return AttachPiece(*store_, rules, Call("AttachPiece"), name, File(kind));
}

absl::StatusOr<ApplicationView> TestRecord::Accept(const ApplicationName& name,
                                                   bool at_own_cost) {
  return AcceptPlaceOffer(*store_, rules, Call("AcceptOffer"), name,
                          at_own_cost);
}

absl::StatusOr<ApplicationView> TestRecord::Decline(const ApplicationName& name,
                                                    bool keep_rank) {
  return DeclinePlaceOffer(*store_, rules, Call("DeclineOffer"), name,
                           keep_rank);
}

absl::StatusOr<ApplicationView> TestRecord::SetPayer(
    const ApplicationName& name, const Payer& payer) {
  return ChangePayer(*store_, rules, Call("ChangePayer"), name, payer,
                     /*etag=*/"");
}

absl::StatusOr<ApplicationView> TestRecord::FailFunding(
    const ApplicationName& name) {
  return ReportFundingFailure(*store_, rules, Call("ReportFundingFailure"),
                              name, "refus");
}

absl::StatusOr<Agreement> TestRecord::DrawUp(const ApplicationName& name) {
  return CreateAgreement(*store_, Call("CreateAgreement"), name,
                         /*external_ids=*/{}, Mode::kCommit);
}

absl::StatusOr<Agreement> TestRecord::Sign(const AgreementName& name) {
  return SignAgreement(*store_, rules, Call("SignAgreement"), name,
                       "Signataire Une", /*at_distance=*/false, /*etag=*/"");
}

Agreement TestRecord::Commit(const ApplicationName& name) {
  return Must(Sign(Must(DrawUp(name)).name));
}

absl::StatusOr<Enrolment> TestRecord::Confirm(const ApplicationName& name) {
  return ConfirmPlace(*store_, rules, Call("ConfirmPlace"), name,
                      {.kind = CommitmentKind::kSignedAgreement});
}

absl::StatusOr<Enrolment> TestRecord::End(const EnrolmentName& name,
                                          EnrolmentState state) {
  return EndEnrolment(*store_, rules, Call("EndEnrolment"), name,
                      {.state = state, .reason = "Motif"},
                      /*end_is_today=*/true);
}

absl::StatusOr<Cohort> TestRecord::Decide(GoDecision decision) {
  return DecideCohort(*store_, rules, Call("DecideCohort"), cohort, decision,
                      PersonsDecision(), /*etag=*/"");
}

void TestRecord::AdvanceTo(absl::Time time) {
  while (true) {
    const absl::Time due =
        Must(NextDueTime(*store_, Call("PlaceDeadline"), time));
    now = std::max(now, std::min(due, time));
    Must(DecideDue(*store_, rules, Call("PlaceDeadline")));
    if (due > time) break;
  }
  now = time;
}

ApplicationView TestRecord::Read(const ApplicationName& name) {
  return Must(GetApplication(*store_, Call(), name));
}

Enrolment TestRecord::Read(const EnrolmentName& name) {
  return Must(GetResource<Enrolment>(*store_, Call(),
                                     &EnrolmentUnit::enrolments, name));
}

Agreement TestRecord::Read(const AgreementName& name) {
  return Must(GetResource<Agreement>(*store_, Call(),
                                     &EnrolmentUnit::agreements, name));
}

CohortView TestRecord::ReadCohort() {
  return Must(GetCohort(*store_, Call(), cohort));
}

std::vector<PlaceEvent> TestRecord::StoryOf(const ApplicationName& name) {
  return Must(ExplainPlace(*store_, Call(), name)).events;
}

std::vector<PlaceState> TestRecord::StatesOf(const ApplicationName& name) {
  const std::vector<PlaceEvent> story = StoryOf(name);
  std::vector<PlaceState> states;
  states.reserve(story.size());
  for (const PlaceEvent& event : story) {
    states.push_back(event.place_state);
  }
  return states;
}

std::vector<Agreement> TestRecord::AgreementsOf(const ApplicationName& name) {
  return Must(ListAgreements(*store_, Call(), body, {.application = name}, {}))
      .items;
}

int64_t TestRecord::Count(const std::string& sql) {
  int64_t count = -1;
  EXPECT_OK(database_->View(
      Call(), [&](storage::Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const storage::Rows rows,
                         transaction.Query({.sql = sql, .values = {}}));
        count = rows.front().Integer(0);
        return absl::OkStatus();
      }));
  return count;
}

int64_t TestRecord::RowsWritten() {
  return Count(
      "SELECT (SELECT COUNT(*) FROM change_feed)"
      " + (SELECT COUNT(*) FROM idempotency)"
      " + (SELECT COUNT(*) FROM place_event)"
      " + (SELECT COUNT(*) FROM external_id)");
}

}  // namespace parcours::enrolment
