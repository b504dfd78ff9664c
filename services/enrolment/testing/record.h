#ifndef PARCOURS_SERVICES_ENROLMENT_TESTING_RECORD_H_
#define PARCOURS_SERVICES_ENROLMENT_TESTING_RECORD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/storage/database.h"
#include "common/testing/database_fixture.h"
#include "gtest/gtest.h"
#include "services/enrolment/domain/application_use_cases.h"
#include "services/enrolment/domain/due_work.h"
#include "services/enrolment/domain/enrolment_use_cases.h"
#include "services/enrolment/domain/programme_use_cases.h"
#include "services/enrolment/store/sql_enrolment_store.h"
#include "services/enrolment/testing/both_engines.h"
#include "services/enrolment/testing/samples.h"

namespace parcours::enrolment {

// The record on a database of one engine, with the body, the programme and the
// cohort of samples.h and one employer, and the use cases under short names.
// They act at `now`, a Monday six weeks before the course, under `rules`.
//
// The steps that return a plain value must succeed: they fail the test if not.
class TestRecord {
 public:
  explicit TestRecord(storage::Engine engine,
                      const Programme& programme = SampleProgramme(),
                      const Cohort& cohort = SampleCohort());
  // Checks what ExpectKeptPlacesAreTrue does.
  ~TestRecord();

  EnrolmentStore& store() { return *store_; }
  storage::Database& database() { return *database_; }

  absl::Time now = Paris(2026, 2, 2, 10);
  rules::RuleBook rules = FrenchRules();
  const CohortName cohort = SampleCohort().name;
  const BodyName body = BodyName::FromRecord("bodies/essai");
  const OrganisationName employer =
      OrganisationName::FromRecord("bodies/essai/organisations/employeur");

  // A call of the method by who serves the whole installation. The same
  // request id with another digest is another request.
  access::Caller Call(std::string_view method = "Essai",
                      std::string_view request_id = "",
                      std::string_view digest = "digest") const;

  Payer Individual() const { return {.kind = PayerKind::kIndividual}; }
  Payer Employer() const {
    return {.kind = PayerKind::kEmployer, .organisation = employer};
  }

  // A declaration of "Candidate <number>".
  Application Declaration(int number) const;
  // A piece whose upload is complete.
  NewPiece File(PieceKind kind = PieceKind::kCv);
  std::vector<NewPiece> RequiredFiles();

  // A complete application.
  Application Submitted(int number, const Payer& payer = {});
  Application Admitted(int number, const Payer& payer = {});
  // Admitted, with a signed agreement.
  Application Committed(int number, const Payer& payer = {});
  Enrolment Confirmed(int number, const Payer& payer = {});
  // So many, each complete and admitted: held until the cohort is full.
  std::vector<ApplicationName> AdmitMany(int first, int count);

  absl::StatusOr<ApplicationView> Admit(const ApplicationName& name);
  absl::StatusOr<ApplicationView> Refuse(const ApplicationName& name);
  absl::StatusOr<ApplicationView> Reopen(const ApplicationName& name);
  absl::StatusOr<ApplicationView> Withdraw(const ApplicationName& name);
  absl::StatusOr<ApplicationView> Attach(const ApplicationName& name,
                                         PieceKind kind);
  absl::StatusOr<ApplicationView> Accept(const ApplicationName& name,
                                         bool at_own_cost = false);
  absl::StatusOr<ApplicationView> Decline(const ApplicationName& name,
                                          bool keep_rank);
  absl::StatusOr<ApplicationView> SetPayer(const ApplicationName& name,
                                           const Payer& payer);
  absl::StatusOr<ApplicationView> FailFunding(const ApplicationName& name);
  absl::StatusOr<Agreement> DrawUp(const ApplicationName& name);
  absl::StatusOr<Agreement> Sign(const AgreementName& name);
  // Draws up and signs.
  Agreement Commit(const ApplicationName& name);
  absl::StatusOr<Enrolment> Confirm(const ApplicationName& name);
  absl::StatusOr<Enrolment> End(const EnrolmentName& name,
                                EnrolmentState state);
  absl::StatusOr<Cohort> Decide(GoDecision decision);

  // Time goes to `time`, and decides on all that is due by then, each at its
  // instant.
  void AdvanceTo(absl::Time time);

  ApplicationView Read(const ApplicationName& name);
  Enrolment Read(const EnrolmentName& name);
  Agreement Read(const AgreementName& name);
  CohortView ReadCohort();
  PlaceState PlaceOf(const ApplicationName& name) {
    return Read(name).application.place_state;
  }
  // The story of the place, as the states that it went through.
  std::vector<PlaceState> StatesOf(const ApplicationName& name);
  std::vector<PlaceEvent> StoryOf(const ApplicationName& name);
  std::vector<Agreement> AgreementsOf(const ApplicationName& name);

  // How many rows there are in all tables that a change writes: equal before
  // and after when nothing was written.
  int64_t RowsWritten();
  // The first column of the only row.
  int64_t Count(const std::string& sql);

 private:
  testing::TestDatabase test_database_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<SqlEnrolmentStore> store_;
  int calls_ = 0;
};

// A use case in a test of both engines.
class RecordTest : public ::testing::TestWithParam<storage::Engine> {};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_TESTING_RECORD_H_
