// No call looks at more of a growing table than it answers. The daemons write
// down what they ask; each statement is explained on a database of some ten
// thousand rows. On PostgreSQL what reads is also run, and no node of its plan
// may have looked at many rows. On SQLite no growing table may be scanned.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "clients/cli/generate_command.h"
#include "clients/cli/migrate_command.h"
#include "common/rpc/grpc_status.h"
#include "common/status/macros.h"
#include "common/storage/postgresql_session.h"
#include "common/storage/sqlite_database.h"
#include "common/storage/sqlite_session.h"
#include "common/testing/daemon_fixture.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "common/types/resource_name.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "parcours/enrolment/v1/application.grpc.pb.h"
#include "parcours/enrolment/v1/enrolment.grpc.pb.h"
#include "parcours/enrolment/v1/people.grpc.pb.h"
#include "parcours/enrolment/v1/programme_service.grpc.pb.h"
#include "parcours/evaluation/v1/assessment_plan.grpc.pb.h"
#include "parcours/evaluation/v1/certificate.grpc.pb.h"
#include "parcours/evaluation/v1/jury.grpc.pb.h"
#include "parcours/evaluation/v1/result.grpc.pb.h"
#include "parcours/evaluation/v1/roster.grpc.pb.h"
#include "parcours/evaluation/v1/validation_note.grpc.pb.h"
#include "parcours/platform/v1/audit.grpc.pb.h"
#include "parcours/platform/v1/change_feed.grpc.pb.h"
#include "parcours/platform/v1/clock.grpc.pb.h"
#include "parcours/scheduling/v1/attendance.grpc.pb.h"
#include "parcours/scheduling/v1/calendar.grpc.pb.h"
#include "parcours/scheduling/v1/completion.grpc.pb.h"
#include "parcours/scheduling/v1/venue.grpc.pb.h"

namespace parcours::integration {
namespace {

namespace enr = enrolment::v1;
namespace eva = evaluation::v1;
namespace plat = platform::v1;
namespace sch = scheduling::v1;

using storage::Engine;
using storage::Rows;
using storage::Statement;
using storage::Value;

constexpr int64_t kApplications = 10'000;
constexpr int64_t kBodies = 1000;
// More than any page, roster or cohort; far less than what is stored.
constexpr int64_t kManyRows = 2000;
// A page of the feed is read in steps of 5000 positions, so that one that finds
// nothing ends too. That is most of a small feed, and little of enrolment's.
constexpr std::string_view kStep = "position > $1 AND position <= $2";
constexpr int64_t kManyOfStep = 10'000;

// One row each, or few for ever.
const std::set<std::string>& SmallTables() {
  static const auto& tables = *new std::set<std::string>{
      "audit_state",     "database_marker", "enrolment_position",
      "feed_lease",      "feed_state",      "job_lease",
      "roster_position", "schema_migration"};
  return tables;
}

absl::Time Soon() { return absl::Now() + absl::Minutes(2); }

// A statement and a plan that looks at too much.
struct Finding {
  std::string sql;
  std::string what;
  std::string plan;
};

std::ostream& operator<<(std::ostream& out, const Finding& finding) {
  return out << finding.what << "\n  " << finding.sql << "\n" << finding.plan;
}

std::vector<Statement> ReadStatements(const std::string& file) {
  std::vector<Statement> statements;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const nlohmann::json json = nlohmann::json::parse(line);
    Statement statement{json.at("sql").get<std::string>(), {}};
    for (const auto& value : json.at("values")) {
      if (value.is_number_integer()) {
        statement.values.emplace_back(value.get<int64_t>());
      } else if (value.is_string()) {
        statement.values.emplace_back(value.get<std::string>());
      } else {
        statement.values.emplace_back(nullptr);
      }
    }
    statements.push_back(std::move(statement));
  }
  return statements;
}

bool IsExplained(std::string_view sql) {
  for (const std::string_view verb :
       {"SELECT", "UPDATE", "DELETE", "INSERT", "WITH"}) {
    if (sql.starts_with(verb)) {
      // Has no plan; finds nothing.
      return sql.find("set_config") == std::string_view::npos &&
             !sql.ends_with("WHERE 1 = 0");
    }
  }
  return false;
}

// Explains statements on one database.
class Explainer {
 public:
  Explainer(Engine engine, const std::string& url) : engine_(engine) {
    if (engine == Engine::kSqlite) {
      auto session = storage::SqliteSession::Open(
          storage::SqlitePath(url), storage::SqliteSession::Access::kReadOnly);
      EXPECT_OK(session);
      session_ = *std::move(session);
    } else {
      auto session = storage::PostgresqlSession::Connect(url, "", Soon());
      EXPECT_OK(session);
      session_ = *std::move(session);
      // As PostgreSQL would by itself, which sessions of services forbid it:
      // an index that is missing shows.
      const Statement freely{"SET enable_seqscan = on", {}};
      EXPECT_OK(session_->Run(absl::MakeConstSpan(&freely, 1), Soon()));
    }
  }

  // What is wrong with the plan of `statement`.
  std::vector<Finding> Judge(const Statement& statement) {
    return engine_ == Engine::kSqlite ? JudgeSqlite(statement)
                                      : JudgePostgresql(statement);
  }

 private:
  std::string Plan(const std::string& explain, const Statement& statement,
                   std::size_t column) {
    std::vector<Statement> together = {
        {Cat(explain, statement.sql), statement.values}};
    std::size_t at = 0;
    if (engine_ == Engine::kPostgresql) {
      // What was run leaves nothing.
      together.insert(together.begin(), {"BEGIN", {}});
      together.push_back({"ROLLBACK", {}});
      at = 1;
    }
    const auto results = session_->Run(together, Soon());
    EXPECT_OK(results) << statement.sql;
    if (!results.ok()) {
      session_->Rollback();
      return "";
    }
    std::string plan;
    for (const storage::Row& row : (*results)[at].rows) {
      CatTo(plan, "    ", row.Text(column), "\n");
    }
    return plan;
  }

  std::vector<Finding> JudgeSqlite(const Statement& statement) {
    const std::string plan = Plan("EXPLAIN QUERY PLAN ", statement, 3);
    std::vector<Finding> findings;
    for (const absl::string_view line : absl::StrSplit(plan, '\n')) {
      absl::string_view rest = absl::StripAsciiWhitespace(line);
      if (!absl::ConsumePrefix(&rest, "SCAN ")) continue;
      const std::string table(rest.substr(0, rest.find(' ')));
      if (!Grows(table)) continue;
      // A list of everything, of which a page is read by an index.
      if (rest.find("USING") != absl::string_view::npos &&
          statement.sql.find(" WHERE 1 = 1 ORDER BY ") != std::string::npos) {
        continue;
      }
      if (HoldsAPart(rest)) continue;
      findings.push_back({statement.sql, Cat("scans ", table), plan});
    }
    return findings;
  }

  std::vector<Finding> JudgePostgresql(const Statement& statement) {
    // Rows that are there already cannot be inserted again.
    const bool runs = !statement.sql.starts_with("INSERT");
    const std::string plan =
        Plan(runs ? "EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) " : "EXPLAIN ",
             statement, 0);
    const bool step = statement.sql.find(kStep) != std::string::npos;
    const int64_t many = step ? kManyOfStep : kManyRows;
    std::vector<Finding> findings;
    const auto add = [&](const std::string& what) {
      findings.push_back({statement.sql, what, plan});
    };
    int64_t loops = 1;
    for (const absl::string_view line : absl::StrSplit(plan, '\n')) {
      const std::string text(line);
      if (const auto at = text.find("Seq Scan on "); at != std::string::npos) {
        const std::string table = WordAt(text, at + 12);
        // Of less than that, a scan may well be the shortest way.
        if (Grows(table) && RowsOf(table) >= many) {
          add(Cat("scans ", table));
        }
      }
      const bool node = text.find("(cost=") != std::string::npos;
      if (node) loops = std::max<int64_t>(NumberAfter(text, "loops="), 1);
      const int64_t looked_at =
          std::max(NumberAfter(text, "Rows Removed by Filter: "),
                   node && text.find("Scan") != std::string::npos
                       ? NumberAfter(text, "actual rows=")
                       : 0) *
          loops;
      if (looked_at > many) add(Cat("looks at ", looked_at, " rows"));
    }
    return findings;
  }

  // Whether what is read whole is an index that has only the rows of some
  // condition, those that wait for something.
  bool HoldsAPart(absl::string_view scan) {
    constexpr std::string_view kUsing = "USING INDEX ";
    const std::string text(scan);
    const auto at = text.find(kUsing);
    if (at == std::string::npos) return false;
    const Statement definition{
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = $1",
        {WordAt(text, at + kUsing.size())}};
    const auto results =
        session_->Run(absl::MakeConstSpan(&definition, 1), Soon());
    EXPECT_OK(results);
    return !results->at(0).rows.empty() &&
           results->at(0).rows[0].Text(0).find(" WHERE ") != std::string::npos;
  }

  static std::string WordAt(const std::string& text, std::size_t at) {
    return text.substr(at, text.find_first_of(" \n", at) - at);
  }

  // 0 where there is none.
  static int64_t NumberAfter(const std::string& text, std::string_view word) {
    const auto at = text.find(word);
    if (at == std::string::npos) return 0;
    const std::size_t begin = at + word.size();
    int64_t number = 0;
    const bool found = absl::SimpleAtoi(
        text.substr(begin, text.find_first_not_of("0123456789", begin) - begin),
        &number);
    return found ? number : 0;
  }

  // Whether it is a table of the schema that grows. Parts of a statement that
  // have names of their own are not.
  bool Grows(const std::string& table) {
    if (SmallTables().contains(table)) return false;
    if (tables_.empty()) {
      const Statement list{
          engine_ == Engine::kSqlite
              ? "SELECT name FROM sqlite_master WHERE type = 'table'"
              : "SELECT CAST(relname AS TEXT) FROM pg_class "
                "WHERE relkind = 'r'",
          {}};
      const auto results = session_->Run(absl::MakeConstSpan(&list, 1), Soon());
      EXPECT_OK(results);
      for (const storage::Row& row : results->at(0).rows) {
        tables_.insert(row.Text(0));
      }
    }
    return tables_.contains(table);
  }

  int64_t RowsOf(const std::string& table) {
    const auto [found, fresh] = rows_.emplace(table, 0);
    if (fresh) {
      const Statement count{Cat("SELECT COUNT(*) FROM ", table), {}};
      const auto results =
          session_->Run(absl::MakeConstSpan(&count, 1), Soon());
      EXPECT_OK(results);
      found->second = results->at(0).rows.at(0).Integer(0);
    }
    return found->second;
  }

  const Engine engine_;
  std::unique_ptr<storage::Session> session_;
  std::set<std::string> tables_;
  std::map<std::string, int64_t> rows_;
};

// A service on made-up data, whose statements are written down.
class RecordedService {
 public:
  RecordedService(const std::string& name, const std::string& program,
                  Engine engine)
      : database_(engine) {
    EXPECT_OK(cli::Migrate(
        {.service = name, .database_url = url(), .simulation = true}));
    std::vector<std::string> flags = {
        Cat("--database_url=", url()),
        "--documents_inspector=" PARCOURS_DOCUMENTS_INSPECTOR};
    if (name != "enrolment") {
      flags.emplace_back("--enrolment_address=127.0.0.1:9");
    }
    daemon_ = std::make_unique<testing::DaemonFixture>(program, flags);
  }

  cli::FilledDatabase filled() { return {url(), daemon_->File("secret")}; }
  const std::string& url() { return database_.options().url; }
  void Start() {
    daemon_->Start({Cat("PARCOURS_TEST_STATEMENTS=", statements())});
  }
  testing::DaemonFixture& daemon() { return *daemon_; }
  std::string statements() const { return daemon_->File("statements"); }

 private:
  testing::TestDatabase database_;
  std::unique_ptr<testing::DaemonFixture> daemon_;
};

// Calls `method` of a new stub; what it answers.
template <typename Service, typename Request, typename Response>
Response Call(const std::shared_ptr<grpc::Channel>& channel,
              grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                    const Request&, Response*),
              const Request& request) {
  const auto stub = Service::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Minutes(1)));
  Response response;
  const grpc::Status status =
      (stub.get()->*method)(&context, request, &response);
  EXPECT_TRUE(status.ok()) << Request::descriptor()->name() << ": "
                           << status.error_message();
  return response;
}

template <typename Request>
Request Named(const std::string& name) {
  Request request;
  request.set_name(name);
  return request;
}

// The first page, and the one after it, of the children of `parent`.
template <typename Service, typename Request, typename Response>
Response TwoPages(const std::shared_ptr<grpc::Channel>& channel,
                  grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                        const Request&,
                                                        Response*),
                  const std::string& parent,
                  const std::function<void(Request&)>& filter = nullptr) {
  Request request;
  request.set_parent(parent);
  if (filter) filter(request);
  Response first = Call<Service>(channel, method, request);
  request.set_page_size(3);
  const Response page = Call<Service>(channel, method, request);
  if (!page.next_page_token().empty()) {
    request.set_page_token(page.next_page_token());
    Call<Service>(channel, method, request);
  }
  return first;
}

class QueryPlansTest : public ::testing::TestWithParam<Engine> {
 protected:
  QueryPlansTest()
      : enrolment_("enrolment", PARCOURS_ENROLMENTD_RECORDING, GetParam()),
        scheduling_("scheduling", PARCOURS_SCHEDULINGD_RECORDING, GetParam()),
        evaluation_("evaluation", PARCOURS_EVALUATIOND_RECORDING, GetParam()) {
    std::ostringstream out;
    std::ostringstream errors;
    EXPECT_EQ(cli::GenerateCommand({.enrolment = enrolment_.filled(),
                                    .scheduling = scheduling_.filled(),
                                    .evaluation = evaluation_.filled(),
                                    .applications = kApplications,
                                    .bodies = kBodies,
                                    .seed = 1},
                                   out, errors),
              cli::kSuccess)
        << errors.str();
    for (RecordedService* service : {&enrolment_, &scheduling_, &evaluation_}) {
      service->Start();
    }
  }

  // Once the daemon has stopped.
  void ExpectNoScan(RecordedService& service, const std::string& name) {
    service.daemon().Terminate();
    EXPECT_EQ(service.daemon().Wait(), 0);
    const std::vector<Statement> statements =
        ReadStatements(service.statements());
    Explainer explainer(GetParam(), service.url());
    std::set<std::string> judged;
    std::set<std::string> found;
    for (const Statement& statement : statements) {
      if (!IsExplained(statement.sql)) continue;
      judged.insert(statement.sql);
      for (const Finding& finding : explainer.Judge(statement)) {
        if (!found.insert(Cat(finding.sql, finding.what)).second) continue;
        ADD_FAILURE() << name << " " << finding;
      }
    }
    // The recorder was there.
    EXPECT_GT(judged.size(), 15u) << name;
  }

  // The feed and the audit trail of a service, as an administrator.
  static void ReadFeedAndTrail(const std::shared_ptr<grpc::Channel>& channel,
                               const std::string& body,
                               const std::string& resource) {
    plat::ListChangesRequest feed;
    const auto page = Call<plat::ChangeFeedService>(
        channel, &plat::ChangeFeedService::Stub::ListChanges, feed);
    feed.set_after_token(page.next_token());
    feed.mutable_filter()->add_kinds("enrolment");
    Call<plat::ChangeFeedService>(
        channel, &plat::ChangeFeedService::Stub::ListChanges, feed);
    feed.mutable_filter()->add_within(body);
    Call<plat::ChangeFeedService>(
        channel, &plat::ChangeFeedService::Stub::ListChanges, feed);
    const auto list =
        [&](const std::function<void(plat::ListAuditEntriesRequest&)>& filter) {
          plat::ListAuditEntriesRequest request;
          request.set_page_size(20);
          filter(request);
          const auto first = Call<plat::AuditService>(
              channel, &plat::AuditService::Stub::ListAuditEntries, request);
          if (first.next_page_token().empty()) return;
          request.set_page_token(first.next_page_token());
          Call<plat::AuditService>(
              channel, &plat::AuditService::Stub::ListAuditEntries, request);
        };
    list([](auto&) {});
    list([&](auto& request) { request.set_resource(resource); });
    list([&](auto& request) {
      request.set_resource(resource.substr(0, resource.rfind('/')));
    });
    list([&](auto& request) { request.set_resource(body); });
    list([](auto& request) { request.set_subject("nobody"); });
    list([](auto& request) {
      request.mutable_start_time()->set_seconds(
          absl::ToUnixSeconds(absl::Now() + absl::Hours(1)));
    });
    list([](auto& request) { request.mutable_end_time()->set_seconds(1); });
    Call<plat::AuditService>(channel, &plat::AuditService::Stub::GetAuditHead,
                             {});
  }

  RecordedService enrolment_;
  RecordedService scheduling_;
  RecordedService evaluation_;
};

INSTANTIATE_TEST_SUITE_P(Engines, QueryPlansTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

// A cohort that receives applications and has some.
struct OpenCohort {
  std::string name;
  enr::Application held;
  enr::Application waiting;
};

OpenCohort FindOpenCohort(const std::shared_ptr<grpc::Channel>& channel) {
  OpenCohort open;
  for (int body = 0; body < 200; ++body) {
    enr::ListCohortsRequest request;
    request.set_parent(absl::StrFormat("bodies/fictif-%05d", body));
    const auto cohorts = Call<enr::ProgrammeService>(
        channel, &enr::ProgrammeService::Stub::ListCohorts, request);
    for (const enr::Cohort& cohort : cohorts.cohorts()) {
      if (cohort.state() != enr::Cohort::STATE_OPEN) continue;
      enr::ListApplicationsRequest list;
      list.set_parent(cohort.name());
      list.set_page_size(100);
      const auto listed = Call<enr::ApplicationService>(
          channel, &enr::ApplicationService::Stub::ListApplications, list);
      for (const enr::Application& application : listed.applications()) {
        if (application.review_state() != enr::REVIEW_STATE_RECEIVED) continue;
        if (application.place_state() == enr::PLACE_STATE_HELD) {
          open.held = application;
        }
        if (application.place_state() == enr::PLACE_STATE_WAITLISTED) {
          open.waiting = application;
        }
      }
      if (!open.held.name().empty() && !open.waiting.name().empty()) {
        open.name = cohort.name();
        return open;
      }
    }
  }
  ADD_FAILURE() << "no open cohort has a waiting list";
  return open;
}

TEST_P(QueryPlansTest, NoCallOfEnrolmentScansWhatGrows) {
  const auto channel = enrolment_.daemon().Connect();
  const OpenCohort open = FindOpenCohort(channel);
  const std::string body = FirstSegments(open.name, 2);
  using Applications = enr::ApplicationService;
  using Enrolments = enr::EnrolmentService;
  using People = enr::PeopleService;
  using Programmes = enr::ProgrammeService;

  Call<Programmes>(channel, &Programmes::Stub::GetProgramme,
                   Named<enr::GetProgrammeRequest>(
                       Cat(body, "/programmes/certificat-fictif")));
  Call<Programmes>(channel, &Programmes::Stub::GetCohort,
                   Named<enr::GetCohortRequest>(open.name));
  Call<Programmes>(channel, &Programmes::Stub::GetBody,
                   Named<enr::GetBodyRequest>(body));
  Call<Programmes>(channel, &Programmes::Stub::ListBodies, {});
  TwoPages<Programmes>(channel, &Programmes::Stub::ListProgrammes, body);
  TwoPages<People>(channel, &People::Stub::ListPersons, body);
  TwoPages<People>(channel, &People::Stub::ListOrganisations, body);
  TwoPages<People>(channel, &People::Stub::ListPersons, body,
                   std::function([](enr::ListPersonsRequest& request) {
                     request.mutable_external_id()->set_system("sis-fictif");
                     request.mutable_external_id()->set_value("F000000001");
                   }));
  Call<People>(channel, &People::Stub::GetPerson,
               Named<enr::GetPersonRequest>(open.held.person()));
  Call<Applications>(channel, &Applications::Stub::GetApplication,
                     Named<enr::GetApplicationRequest>(open.held.name()));
  TwoPages<Applications>(channel, &Applications::Stub::ListApplications,
                         open.name);
  for (const bool by_rank : {false, true}) {
    TwoPages<Applications>(
        channel, &Applications::Stub::ListApplications, open.name,
        std::function([&](enr::ListApplicationsRequest& request) {
          request.set_place_state(enr::PLACE_STATE_HELD);
          if (by_rank) request.set_order_by("rank");
        }));
  }
  TwoPages<Applications>(
      channel, &Applications::Stub::ListApplications, open.name,
      std::function([](enr::ListApplicationsRequest& request) {
        request.set_order_by("rank");
      }));
  Call<Applications>(channel, &Applications::Stub::ExplainPlace,
                     Named<enr::ExplainPlaceRequest>(open.waiting.name()));
  TwoPages<Enrolments>(channel, &Enrolments::Stub::ListAgreements, body);
  TwoPages<Enrolments>(channel, &Enrolments::Stub::ListAgreements, body,
                       std::function([&](enr::ListAgreementsRequest& request) {
                         request.set_application(open.held.name());
                       }));
  TwoPages<Enrolments>(channel, &Enrolments::Stub::ListEnrolments, open.name);
  TwoPages<Enrolments>(channel, &Enrolments::Stub::ListEnrolments, open.name,
                       std::function([](enr::ListEnrolmentsRequest& request) {
                         request.set_state(enr::Enrolment::STATE_ENROLLED);
                       }));

  // From the declaration to the place.
  enr::SubmitApplicationRequest submit;
  submit.set_parent(open.name);
  submit.set_request_id(NewUuidV7(absl::Now()));
  enr::Application& declared = *submit.mutable_application();
  *declared.mutable_candidate() = open.held.candidate();
  declared.mutable_candidate()->set_email("quelqu.un@example.org");
  declared.set_channel(open.held.channel());
  *declared.mutable_payer() = open.held.payer();
  Call<Applications>(channel, &Applications::Stub::SubmitApplication, submit);
  auto admit = Named<enr::AdmitApplicationRequest>(open.held.name());
  admit.set_decider("Personne Une");
  admit.set_reason("Motif");
  Call<Applications>(channel, &Applications::Stub::AdmitApplication, admit);
  enr::CreateAgreementRequest draw_up;
  draw_up.set_parent(body);
  draw_up.mutable_agreement()->set_application(open.held.name());
  const enr::Agreement agreement =
      Call<Enrolments>(channel, &Enrolments::Stub::CreateAgreement, draw_up);
  auto sign = Named<enr::SignAgreementRequest>(agreement.name());
  sign.set_signatory("Personne Une");
  Call<Enrolments>(channel, &Enrolments::Stub::SignAgreement, sign);
  enr::ConfirmPlaceRequest confirm;
  confirm.set_application(open.held.name());
  confirm.set_commitment(enr::COMMITMENT_KIND_SIGNED_AGREEMENT);
  const enr::Enrolment enrolled =
      Call<Enrolments>(channel, &Enrolments::Stub::ConfirmPlace, confirm);
  Call<Enrolments>(channel, &Enrolments::Stub::GetEnrolment,
                   Named<enr::GetEnrolmentRequest>(enrolled.name()));
  Call<Applications>(
      channel, &Applications::Stub::WithdrawApplication,
      Named<enr::WithdrawApplicationRequest>(open.waiting.name()));

  // As somebody who sees what is their own, and as one body.
  identity::TokenClaims learner{
      .roles = {"learner"}, .body = body, .person = open.held.person()};
  testing::Authority& authority = enrolment_.daemon().authority();
  const auto own = enrolment_.daemon().ConnectAs(authority.TokenOf(learner));
  Call<Applications>(own, &Applications::Stub::GetApplication,
                     Named<enr::GetApplicationRequest>(open.held.name()));
  TwoPages<Applications>(own, &Applications::Stub::ListApplications, open.name);
  TwoPages<Enrolments>(own, &Enrolments::Stub::ListEnrolments, open.name);
  const auto of_body =
      enrolment_.daemon().ConnectAs(authority.Token({"coordinator"}, body));
  TwoPages<Applications>(of_body, &Applications::Stub::ListApplications,
                         open.name);
  const auto funder = enrolment_.daemon().ConnectAs(authority.TokenOf(
      {.roles = {"funder"}, .body = body, .funder = "afdas"}));
  for (const auto& who : {funder, of_body}) {
    Call<plat::ChangeFeedService>(
        who, &plat::ChangeFeedService::Stub::ListChanges, {});
  }
  TwoPages<Enrolments>(funder, &Enrolments::Stub::ListEnrolments, open.name);

  ReadFeedAndTrail(channel, body, open.held.name());
  // Time decides: what is due, and what is kept for a time only.
  plat::AdvanceTimeRequest advance;
  const auto now =
      Call<plat::ClockService>(channel, &plat::ClockService::Stub::GetTime, {});
  *advance.mutable_business_time() = now.business_time();
  advance.mutable_business_time()->set_seconds(now.business_time().seconds() +
                                               60);
  Call<plat::ClockService>(channel, &plat::ClockService::Stub::AdvanceTime,
                           advance);
  ExpectNoScan(enrolment_, "enrolment");
}

TEST_P(QueryPlansTest, NoCallOfTheOthersScansWhatGrows) {
  const std::string cohort = "bodies/fictif-00001/cohorts/promo-0001";
  const std::string body = FirstSegments(cohort, 2);
  const auto scheduling = scheduling_.daemon().Connect();
  using Attendance = sch::AttendanceService;
  using Calendars = sch::CalendarService;
  using Completion = sch::CompletionService;
  using Venues = sch::VenueService;
  const auto half_days =
      TwoPages<Calendars>(scheduling, &Calendars::Stub::ListHalfDays, cohort);
  TwoPages<Calendars>(scheduling, &Calendars::Stub::ListCalendarVersions,
                      cohort);
  TwoPages<sch::RosterService>(
      scheduling, &sch::RosterService::Stub::ListRosterEntries, cohort);
  TwoPages<Attendance>(scheduling, &Attendance::Stub::ListAttendanceSummaries,
                       cohort);
  ASSERT_GT(half_days.half_days_size(), 0);
  TwoPages<Attendance>(scheduling, &Attendance::Stub::ListAttendanceEntries,
                       half_days.half_days(0).name());
  TwoPages<Completion>(scheduling, &Completion::Stub::ListCompletionRecords,
                       cohort);
  TwoPages<Venues>(scheduling, &Venues::Stub::ListVenues, body);
  ReadFeedAndTrail(scheduling, body, half_days.half_days(0).name());
  ExpectNoScan(scheduling_, "scheduling");

  const auto evaluation = evaluation_.daemon().Connect();
  using Notes = eva::ValidationNoteService;
  Call<eva::AssessmentPlanService>(
      evaluation, &eva::AssessmentPlanService::Stub::GetAssessmentPlan,
      Named<eva::GetAssessmentPlanRequest>(Cat(cohort, "/assessmentPlan")));
  TwoPages<eva::RosterService>(
      evaluation, &eva::RosterService::Stub::ListRosterEntries, cohort);
  TwoPages<Notes>(evaluation, &Notes::Stub::ListValidationNotes, cohort);
  TwoPages<eva::ResultService>(evaluation,
                               &eva::ResultService::Stub::ListResults, cohort);
  TwoPages<eva::CertificateService>(
      evaluation, &eva::CertificateService::Stub::ListCertificates, body);
  TwoPages<eva::CertificateService>(
      evaluation, &eva::CertificateService::Stub::ListCertificates, body,
      std::function([&](eva::ListCertificatesRequest& request) {
        request.set_cohort(cohort);
      }));
  TwoPages<eva::JuryService>(evaluation, &eva::JuryService::Stub::ListJuries,
                             cohort);
  ReadFeedAndTrail(evaluation, body, Cat(cohort, "/assessmentPlan"));
  ExpectNoScan(evaluation_, "evaluation");
}

}  // namespace
}  // namespace parcours::integration
