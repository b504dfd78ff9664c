#include "clients/cli/generate_command.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "clients/cli/migrate_command.h"
#include "common/audit/chain.h"
#include "common/audit/trail.h"
#include "common/audit/verifier.h"
#include "common/status/macros.h"
#include "common/storage/database.h"
#include "common/testing/daemon_fixture.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "parcours/enrolment/v1/application.grpc.pb.h"
#include "parcours/evaluation/v1/validation_note.grpc.pb.h"
#include "parcours/scheduling/v1/attendance.grpc.pb.h"

namespace parcours::cli {
namespace {

using storage::Engine;
using storage::Rows;
using storage::Transaction;
using ::testing::HasSubstr;

constexpr int kApplications = 600;
constexpr int kBodies = 7;
constexpr char kDocumentsInspector[] =
    "--documents_inspector=" PARCOURS_DOCUMENTS_INSPECTOR;

enum class Mark { kSimulation, kLocal, kReal };

// The database of one service and the daemon on it, which makes the secrets.
class Service {
 public:
  Service(std::string name, const std::string& program, Engine engine,
          Mark mark = Mark::kSimulation)
      : name_(std::move(name)), database_(engine) {
    EXPECT_OK(Migrate({.service = name_,
                       .database_url = url(),
                       .simulation = mark == Mark::kSimulation,
                       .local = mark == Mark::kLocal}));
    std::vector<std::string> flags = {Cat("--database_url=", url()),
                                      kDocumentsInspector};
    if (name_ != "enrolment") {
      // Nobody is there: what it lists is what was made up.
      flags.emplace_back("--enrolment_address=127.0.0.1:9");
    }
    daemon_ = std::make_unique<testing::DaemonFixture>(program, flags);
  }

  const std::string& url() { return database_.options().url; }
  FilledDatabase filled() { return {url(), daemon_->File("secret")}; }
  testing::DaemonFixture& daemon() { return *daemon_; }

  // The rows of `sql`.
  Rows Select(const std::string& sql) {
    const auto migrations = MigrationsOf(name_);
    EXPECT_OK(migrations);
    const auto database = storage::Database::Open({.url = url()}, *migrations);
    EXPECT_OK(database);
    Rows rows;
    EXPECT_OK((*database)->View(
        audit::TrailCaller(absl::Now() + absl::Minutes(1)),
        [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(rows, transaction.Query({sql, {}}));
          return absl::OkStatus();
        }));
    return rows;
  }
  int64_t Count(const std::string& from) {
    return Select(Cat("SELECT COUNT(*) FROM ", from)).at(0).Integer(0);
  }

 private:
  const std::string name_;
  testing::TestDatabase database_;
  std::unique_ptr<testing::DaemonFixture> daemon_;
};

class GenerateCommandTest : public ::testing::TestWithParam<Engine> {
 protected:
  ExitCode Generate(const GenerateOptions& options) {
    out_.str("");
    errors_.str("");
    return GenerateCommand(options, out_, errors_);
  }
  ExitCode GenerateEnrolment(Service& enrolment, uint64_t seed = 1) {
    return Generate({.enrolment = enrolment.filled(),
                     .applications = kApplications,
                     .bodies = kBodies,
                     .seed = seed});
  }

  std::ostringstream out_;
  std::ostringstream errors_;
};

INSTANTIATE_TEST_SUITE_P(Engines, GenerateCommandTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

TEST_P(GenerateCommandTest, WhatIsMadeUpIsWhatTheServicesWouldHaveWritten) {
  Service enrolment("enrolment", PARCOURS_ENROLMENTD, GetParam());
  Service scheduling("scheduling", PARCOURS_SCHEDULINGD, GetParam());
  Service evaluation("evaluation", PARCOURS_EVALUATIOND, GetParam());
  ASSERT_EQ(Generate({.enrolment = enrolment.filled(),
                      .scheduling = scheduling.filled(),
                      .evaluation = evaluation.filled(),
                      .applications = kApplications,
                      .bodies = kBodies,
                      .seed = 1}),
            kSuccess)
      << errors_.str();
  EXPECT_THAT(out_.str(), HasSubstr("600 candidatures"));

  EXPECT_EQ(enrolment.Count("body"), kBodies);
  EXPECT_EQ(enrolment.Count("person"), kApplications);
  EXPECT_EQ(enrolment.Count("application"), kApplications);
  // Something of everything.
  for (const char* state :
       {"AWAITING_PIECES", "RECEIVED", "ADMITTED", "REFUSED", "WITHDRAWN"}) {
    EXPECT_GT(
        enrolment.Count(Cat("application WHERE review_state = '", state, "'")),
        0)
        << state;
  }
  for (const char* state : {"HELD", "WAITLISTED", "CONFIRMED", "RELEASED"}) {
    EXPECT_GT(
        enrolment.Count(Cat("application WHERE place_state = '", state, "'")),
        0)
        << state;
  }
  // What holds of places and participations.
  EXPECT_EQ(enrolment.Count(
                "cohort WHERE capacity < (SELECT COUNT(*) FROM application"
                " WHERE application.cohort = cohort.name AND place_state IN"
                " ('HELD', 'OFFERED', 'CONFIRMED', 'AT_RISK'))"),
            0);
  EXPECT_EQ(enrolment.Count("application WHERE rank > (SELECT last_rank FROM"
                            " cohort_places WHERE"
                            " cohort_places.cohort = application.cohort)"),
            0);
  const int64_t enrolments = enrolment.Count("enrolment");
  EXPECT_EQ(enrolments,
            enrolment.Count("application WHERE place_state = 'CONFIRMED'"));
  EXPECT_EQ(enrolments,
            enrolment.Count("agreement WHERE state = 'SIGNED' AND EXISTS"
                            " (SELECT 1 FROM enrolment WHERE"
                            " enrolment.application = agreement.application)"));
  // No time has run out that a service would have to decide on at once.
  EXPECT_EQ(enrolment.Count("application WHERE place_expire_time <="
                            " (SELECT business_time FROM database_marker)"),
            0);
  // Owners, feed and audit trail.
  EXPECT_EQ(enrolment.Count("application WHERE NOT EXISTS (SELECT 1 FROM"
                            " ownership WHERE source = application.name AND"
                            " owner_key = 'learner:' || application.person)"),
            0);
  EXPECT_EQ(enrolment.Count("application WHERE NOT EXISTS (SELECT 1 FROM"
                            " change_feed WHERE kind = 'application' AND"
                            " change_feed.name = application.name)"),
            0);
  for (Service* service : {&enrolment, &scheduling, &evaluation}) {
    const Rows feed = service->Select(
        "SELECT COUNT(*), COUNT(position), MAX(position),"
        " (SELECT head FROM feed_state) FROM change_feed");
    EXPECT_GT(feed.at(0).Integer(0), 0);
    EXPECT_EQ(feed.at(0).Integer(0), feed.at(0).Integer(1));
    EXPECT_EQ(feed.at(0).Integer(0), feed.at(0).Integer(2));
    EXPECT_EQ(feed.at(0).Integer(0), feed.at(0).Integer(3));
  }
  // The copies say what enrolment says.
  EXPECT_EQ(scheduling.Count("roster_entry"), enrolments);
  EXPECT_EQ(evaluation.Count("roster_entry"), enrolments);
  EXPECT_GT(scheduling.Count("attendance_entry"), 0);
  EXPECT_GT(evaluation.Count("validation_note"), 0);
}

TEST_P(GenerateCommandTest, TheAuditTrailVerifies) {
  Service enrolment("enrolment", PARCOURS_ENROLMENTD, GetParam());
  ASSERT_EQ(GenerateEnrolment(enrolment), kSuccess) << errors_.str();
  const auto migrations = MigrationsOf("enrolment");
  ASSERT_OK(migrations);
  const auto database =
      storage::Database::Open({.url = enrolment.url()}, *migrations);
  ASSERT_OK(database);
  audit::ChainVerifier verifier;
  audit::Head head;
  ASSERT_OK((*database)->View(
      audit::TrailCaller(absl::Now() + absl::Minutes(1)),
      [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(head, audit::ReadHead(transaction));
        ASSIGN_OR_RETURN(const Rows rows,
                         transaction.Query(audit::SelectChain(0, 100'000)));
        for (const storage::Row& row : rows) {
          verifier.Add(audit::EntryOf(row));
        }
        return absl::OkStatus();
      }));
  const audit::Verdict verdict = verifier.Finish(head, {});
  EXPECT_FALSE(verdict.fault.has_value());
  // Each file was read once, beside the changes.
  EXPECT_GT(verdict.entries, kApplications);
}

// All pages of `List`, by 7.
template <typename Response, typename Request, typename Call>
std::vector<Response> AllPages(Request request, Call call) {
  std::vector<Response> pages;
  request.set_page_size(7);
  do {
    grpc::ClientContext context;
    Response response;
    const grpc::Status status = call(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    request.set_page_token(response.next_page_token());
    pages.push_back(std::move(response));
  } while (!request.page_token().empty());
  return pages;
}

TEST_P(GenerateCommandTest, TheServicesServeItAndListAllOfIt) {
  Service enrolment("enrolment", PARCOURS_ENROLMENTD, GetParam());
  Service scheduling("scheduling", PARCOURS_SCHEDULINGD, GetParam());
  Service evaluation("evaluation", PARCOURS_EVALUATIOND, GetParam());
  ASSERT_EQ(Generate({.enrolment = enrolment.filled(),
                      .scheduling = scheduling.filled(),
                      .evaluation = evaluation.filled(),
                      .applications = kApplications,
                      .bodies = kBodies,
                      .seed = 1}),
            kSuccess)
      << errors_.str();
  const Rows cohorts = enrolment.Select("SELECT name FROM cohort");
  const int64_t enrolments = enrolment.Count("enrolment");
  const int64_t written_notes = evaluation.Count("validation_note");
  // Each returns once it is ready.
  enrolment.daemon().Start();
  scheduling.daemon().Start();
  evaluation.daemon().Start();

  namespace e = enrolment::v1;
  const auto applications =
      e::ApplicationService::NewStub(enrolment.daemon().Connect());
  const auto rosters =
      scheduling::v1::RosterService::NewStub(scheduling.daemon().Connect());
  const auto notes = evaluation::v1::ValidationNoteService::NewStub(
      evaluation.daemon().Connect());
  std::set<std::string> by_name;
  std::set<std::string> in_rank_order;
  std::set<std::string> learners;
  std::set<std::string> assessed;
  for (const storage::Row& row : cohorts) {
    e::ListApplicationsRequest request;
    request.set_parent(row.Text(0));
    const auto list = [&](grpc::ClientContext* context, const auto& asked,
                          auto* response) {
      return applications->ListApplications(context, asked, response);
    };
    for (const auto& page :
         AllPages<e::ListApplicationsResponse>(request, list)) {
      for (const e::Application& one : page.applications()) {
        by_name.insert(one.name());
        EXPECT_THAT(one.candidate().family_name(), HasSubstr("-Fictif"));
      }
    }
    request.set_order_by("rank");
    int64_t rank = 0;
    for (const auto& page :
         AllPages<e::ListApplicationsResponse>(request, list)) {
      for (const e::Application& one : page.applications()) {
        in_rank_order.insert(one.name());
        // Those without one come last.
        if (one.rank() == 0) continue;
        EXPECT_GT(one.rank(), rank);
        rank = one.rank();
      }
    }
    scheduling::v1::ListRosterEntriesRequest roster;
    roster.set_parent(row.Text(0));
    for (const auto& page : AllPages<scheduling::v1::ListRosterEntriesResponse>(
             roster, [&](auto*context, const auto&asked, auto*response) {
               return rosters->ListRosterEntries(context, asked, response);
             })) {
      for (const auto& one : page.roster_entries()) learners.insert(one.name());
    }
    evaluation::v1::ListValidationNotesRequest written;
    written.set_parent(row.Text(0));
    for (const auto& page :
         AllPages<evaluation::v1::ListValidationNotesResponse>(
             written, [&](auto*context, const auto&asked, auto*response) {
               return notes->ListValidationNotes(context, asked, response);
             })) {
      for (const auto& one : page.validation_notes()) {
        assessed.insert(one.name());
      }
    }
  }
  EXPECT_EQ(by_name.size(), kApplications);
  EXPECT_EQ(in_rank_order, by_name);
  EXPECT_EQ(learners.size(), static_cast<std::size_t>(enrolments));
  EXPECT_EQ(assessed.size(), static_cast<std::size_t>(written_notes));
}

TEST_P(GenerateCommandTest, OnlyAnEmptySimulationOrLocalDatabaseIsFilled) {
  Service real("enrolment", PARCOURS_ENROLMENTD, GetParam(), Mark::kReal);
  EXPECT_EQ(GenerateEnrolment(real), kRefused);
  EXPECT_THAT(errors_.str(), HasSubstr("created neither as a simulation"));
  EXPECT_EQ(real.Count("body"), 0);
  EXPECT_EQ(real.Count("audit_entry"), 0);

  Service local("enrolment", PARCOURS_ENROLMENTD, GetParam(), Mark::kLocal);
  EXPECT_EQ(GenerateEnrolment(local), kSuccess) << errors_.str();
  const int64_t changes = local.Count("change_feed");
  EXPECT_EQ(GenerateEnrolment(local), kRefused);
  EXPECT_THAT(errors_.str(), HasSubstr("is not empty"));
  EXPECT_EQ(local.Count("change_feed"), changes);
}

TEST_P(GenerateCommandTest, NothingIsWrittenWhenOneOfTheDatabasesIsReal) {
  Service enrolment("enrolment", PARCOURS_ENROLMENTD, GetParam());
  Service scheduling("scheduling", PARCOURS_SCHEDULINGD, GetParam(),
                     Mark::kReal);
  EXPECT_EQ(Generate({.enrolment = enrolment.filled(),
                      .scheduling = scheduling.filled(),
                      .applications = kApplications,
                      .bodies = kBodies}),
            kRefused);
  EXPECT_THAT(errors_.str(), HasSubstr("scheduling"));
  EXPECT_EQ(enrolment.Count("change_feed"), 0);
}

TEST_P(GenerateCommandTest, TheSameSeedMakesTheSame) {
  const auto content = [this](uint64_t seed) {
    Service enrolment("enrolment", PARCOURS_ENROLMENTD, GetParam());
    EXPECT_EQ(GenerateEnrolment(enrolment, seed), kSuccess) << errors_.str();
    std::string all;
    for (const storage::Row& row : enrolment.Select(
             "SELECT name, person, rank, review_state, place_state, "
             "submit_time FROM application ORDER BY name")) {
      CatTo(all, row.Text(0), row.Text(1), row.Integer(2), row.Text(3),
            row.Text(4), row.Integer(5), "\n");
    }
    return all;
  };
  const std::string first = content(7);
  EXPECT_EQ(first, content(7));
  EXPECT_NE(first, content(8));
}

TEST(GenerateCommandLineTest, WhatIsMissingIsSaid) {
  std::ostringstream out;
  std::ostringstream errors;
  EXPECT_EQ(GenerateCommand({.applications = 1, .bodies = 1}, out, errors),
            kUsage);
  const testing::TempDir folder;
  const std::string file = folder.File("none.db");
  const GenerateOptions absent = {
      .enrolment = {Cat("sqlite://", file)}, .applications = 1, .bodies = 1};
  EXPECT_EQ(GenerateCommand(absent, out, errors), kRefused);
  EXPECT_THAT(errors.str(), HasSubstr("parcours migrate"));
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(GenerateCommand(
                {.enrolment = {"mysql://x"}, .applications = 0, .bodies = 1},
                out, errors),
            kUsage);
}

}  // namespace
}  // namespace parcours::cli
