// How time and memory grow with what is stored.
//
//   growth_benchmark sqlite|postgresql SIZE...   the same calls at each size
//   growth_benchmark roster SIZE                 the copies of the others
//
// A size is a number of applications, in 1 000 bodies of which each has the
// same cohorts of about 50. One enrolmentd serves each size; all are called in
// turns by one caller, and the ratio is the median of the rounds' ratios of
// medians, so that what else the machine does falls on all of them.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/cli/generate_command.h"
#include "clients/cli/migrate_command.h"
#include "common/rpc/grpc_status.h"
#include "common/storage/feed.h"
#include "common/storage/postgresql_session.h"
#include "common/storage/sqlite_database.h"
#include "common/storage/sqlite_session.h"
#include "common/testing/authority.h"
#include "common/testing/daemon_fixture.h"
#include "common/testing/database_fixture.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "common/types/resource_name.h"
#include "common/types/seeded_stream.h"
#include "grpcpp/client_context.h"
#include "parcours/enrolment/v1/application.grpc.pb.h"
#include "parcours/enrolment/v1/people.grpc.pb.h"
#include "parcours/enrolment/v1/programme_service.grpc.pb.h"
#include "parcours/evaluation/v1/roster.grpc.pb.h"
#include "parcours/platform/v1/audit.grpc.pb.h"
#include "parcours/platform/v1/change_feed.grpc.pb.h"
#include "parcours/scheduling/v1/attendance.grpc.pb.h"
#include "tests/benchmarks/rows.h"

namespace parcours::benchmarks {
namespace {

namespace enr = enrolment::v1;
namespace plat = platform::v1;

using storage::Engine;

constexpr int64_t kBodies = 1000;
constexpr uint64_t kSeed = 2026;
// Calls of one size in a turn, and turns.
constexpr int kCalls = 15;
constexpr int kRounds = 20;
constexpr int kPage = 25;
constexpr char kGroup[] = "growth";
constexpr char kAim[] = "<= 1.2";
constexpr absl::Duration kFollowing = absl::Seconds(20);
constexpr double kMebibyte = 1024.0 * 1024.0;

void MustBeOk(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

template <typename T>
T Must(absl::StatusOr<T> value) {
  MustBeOk(value.status());
  return *std::move(value);
}

double Seconds(absl::Duration duration) {
  return absl::ToDoubleSeconds(duration);
}

// "100 000".
std::string Grouped(int64_t number) {
  if (number < 1000) return Cat(number);
  return Cat(Grouped(number / 1000), " ",
             absl::StrFormat("%03d", number % 1000));
}

template <typename Response, typename Stub, typename Request>
Response Call(const std::unique_ptr<Stub>& stub,
              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                           Response*),
              const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Minutes(5)));
  Response response;
  const grpc::Status status =
      (stub.get()->*method)(&context, request, &response);
  MustBeOk(rpc::FromGrpcStatus(status));
  return response;
}

// A made-up database, and one daemon on it.
class Record {
 public:
  Record(const std::string& service, const std::string& program, Engine engine,
         std::vector<std::string> flags = {})
      : engine_(engine), database_(engine) {
    MustBeOk(cli::Migrate(
        {.service = service, .database_url = url(), .simulation = true}));
    flags.insert(flags.begin(),
                 {Cat("--database_url=", url()), "--client_calls_per_minute=0",
                  "--documents_inspector=" PARCOURS_DOCUMENTS_INSPECTOR});
    daemon_ = std::make_unique<testing::DaemonFixture>(program, flags);
  }

  // How long it took.
  absl::Duration Generate(int64_t applications) {
    std::ostringstream out;
    std::ostringstream errors;
    const absl::Time start = absl::Now();
    if (cli::GenerateCommand({.enrolment = {url(), daemon_->File("secret")},
                              .applications = applications,
                              .bodies = kBodies,
                              .seed = kSeed},
                             out, errors) != cli::kSuccess) {
      std::fprintf(stderr, "%s\n", errors.str().c_str());
      std::exit(1);
    }
    const absl::Duration time = absl::Now() - start;
    // What the server would do in the next minutes.
    if (engine_ == Engine::kPostgresql) Select("VACUUM ANALYZE");
    return time;
  }

  storage::Rows Select(const std::string& sql, storage::Values values = {}) {
    if (session_ == nullptr) {
      if (engine_ == Engine::kSqlite) {
        session_ = Must(storage::SqliteSession::Open(
            storage::SqlitePath(url()),
            storage::SqliteSession::Access::kReadOnly));
      } else {
        session_ = Must(storage::PostgresqlSession::Connect(
            url(), "", absl::Now() + absl::Seconds(10)));
      }
    }
    const storage::Statement statement{sql, std::move(values)};
    return Must(session_->Run(absl::MakeConstSpan(&statement, 1),
                              absl::Now() + absl::Minutes(10)))
        .at(0)
        .rows;
  }

  absl::Duration Start() {
    session_.reset();
    const absl::Time start = absl::Now();
    daemon_->Start();
    return absl::Now() - start;
  }
  testing::DaemonFixture& daemon() { return *daemon_; }
  double Mebibytes() const {
    return static_cast<double>(daemon_->ResidentBytes()) / kMebibyte;
  }

 private:
  const std::string& url() { return database_.options().url; }

  const Engine engine_;
  testing::TestDatabase database_;
  std::unique_ptr<testing::DaemonFixture> daemon_;
  std::unique_ptr<storage::Session> session_;
};

// What is asked for at one size, and how.
class Size {
 public:
  Size(Engine engine, int64_t applications)
      : applications_(applications),
        record_("enrolment", PARCOURS_ENROLMENTD, engine),
        chance_(kSeed) {
    generation_ = record_.Generate(applications);
    Sample();
    start_ = record_.Start();
    const auto channel = record_.daemon().Connect();
    programmes_ = enr::ProgrammeService::NewStub(channel);
    stub_ = enr::ApplicationService::NewStub(channel);
    people_ = enr::PeopleService::NewStub(channel);
    feed_ = plat::ChangeFeedService::NewStub(channel);
    audit_ = plat::AuditService::NewStub(channel);
    // The connection is made.
    enr::GetBodyRequest request;
    request.set_name("bodies/fictif-00000");
    Call<enr::Body>(programmes_, &enr::ProgrammeService::Stub::GetBody,
                    request);
    idle_ = record_.Mebibytes();
  }

  int64_t applications() const { return applications_; }
  absl::Duration generation() const { return generation_; }
  absl::Duration start() const { return start_; }
  double idle() const { return idle_; }
  double Loaded() const { return record_.Mebibytes(); }

  void GetApplication() {
    enr::GetApplicationRequest request;
    request.set_name(chance_.OneOf(names_));
    Call<enr::Application>(
        stub_, &enr::ApplicationService::Stub::GetApplication, request);
  }

  void ListApplications(bool by_rank) {
    enr::ListApplicationsRequest request;
    request.set_parent(chance_.OneOf(cohorts_));
    request.set_page_size(kPage);
    if (by_rank) request.set_order_by("rank");
    Call<enr::ListApplicationsResponse>(
        stub_, &enr::ApplicationService::Stub::ListApplications, request);
  }

  void Submit() {
    enr::SubmitApplicationRequest request;
    request.set_parent(chance_.OneOf(open_));
    request.set_request_id(NewUuidV7(absl::Now()));
    enr::Application& declared = *request.mutable_application();
    enr::Candidate& candidate = *declared.mutable_candidate();
    candidate.set_given_name("Camille");
    candidate.set_family_name("Mesure-Fictif");
    candidate.set_email(Cat("mesure.", ++submitted_, "@example.org"));
    declared.mutable_payer()->set_kind(type::v1::PAYER_KIND_INDIVIDUAL);
    Call<enr::Application>(
        stub_, &enr::ApplicationService::Stub::SubmitApplication, request);
  }

  void FindPerson() {
    const auto& [body, value] = chance_.OneOf(external_);
    enr::ListPersonsRequest request;
    request.set_parent(body);
    request.mutable_external_id()->set_system("sis-fictif");
    request.mutable_external_id()->set_value(value);
    const auto found = Call<enr::ListPersonsResponse>(
        people_, &enr::PeopleService::Stub::ListPersons, request);
    if (found.persons_size() != 1) {
      MustBeOk(absl::InternalError("nobody has the identifier"));
    }
  }

  void ReadFeed() {
    plat::ListChangesRequest request;
    request.set_after_token(chance_.OneOf(tokens_));
    Call<plat::ListChangesResponse>(
        feed_, &plat::ChangeFeedService::Stub::ListChanges, request);
  }

  void ReadTrail() {
    plat::ListAuditEntriesRequest request;
    request.set_resource(chance_.OneOf(names_));
    const auto found = Call<plat::ListAuditEntriesResponse>(
        audit_, &plat::AuditService::Stub::ListAuditEntries, request);
    if (found.entries_size() == 0) {
      MustBeOk(absl::InternalError("nothing was done with an application"));
    }
  }

  // One that nobody has asked for yet; then the same again.
  void GetProgramme(bool cold) {
    if (cold) ++next_programme_;
    enr::GetProgrammeRequest request;
    request.set_name(absl::StrFormat("bodies/fictif-%05d/programmes/%s",
                                     cold ? next_programme_ : 1,
                                     "certificat-fictif"));
    Call<enr::Programme>(programmes_,
                         &enr::ProgrammeService::Stub::GetProgramme, request);
  }

  // Rows of the feed in one second, for who reads it from its beginning.
  double FollowFeed() {
    plat::ListChangesRequest request;
    request.set_page_size(1000);
    int64_t rows = 0;
    const absl::Time start = absl::Now();
    bool more = true;
    while (more && absl::Now() - start < kFollowing) {
      const auto page = Call<plat::ListChangesResponse>(
          feed_, &plat::ChangeFeedService::Stub::ListChanges, request);
      rows += page.changes_size();
      request.set_after_token(page.next_token());
      more = page.more();
    }
    return static_cast<double>(rows) / Seconds(absl::Now() - start);
  }

 private:
  // Names to ask for, from all over the record.
  void Sample() {
    constexpr std::size_t kCohorts = 300;
    std::vector<std::string> filled;
    std::vector<std::string> open;
    for (const storage::Row& row : record_.Select(
             "SELECT cohort_places.cohort, state FROM cohort_places JOIN"
             " cohort ON cohort.name = cohort_places.cohort"
             " ORDER BY cohort_places.cohort")) {
      filled.push_back(row.Text(0));
      if (row.Text(1) == "OPEN") open.push_back(row.Text(0));
    }
    for (std::size_t i = 0; i < kCohorts; ++i) {
      cohorts_.push_back(chance_.OneOf(filled));
      open_.push_back(chance_.OneOf(open));
      for (const storage::Row& row : record_.Select(
               "SELECT application.name, external_id.body, external_id.value"
               " FROM application JOIN external_id ON"
               " external_id.resource = application.person"
               " WHERE application.cohort = $1 LIMIT 5",
               {cohorts_.back()})) {
        names_.push_back(row.Text(0));
        external_.emplace_back(row.Text(1), row.Text(2));
      }
    }
    const storage::Row state =
        record_
            .Select(
                "SELECT head, incarnation FROM feed_state,"
                " database_marker")
            .at(0);
    for (std::size_t i = 0; i < kCohorts; ++i) {
      tokens_.push_back(storage::EncodeFeedToken(
          state.Text(1), chance_.Below(state.Integer(0))));
    }
  }

  const int64_t applications_;
  Record record_;
  SeededStream chance_;
  absl::Duration generation_;
  absl::Duration start_;
  double idle_ = 0;
  std::vector<std::string> names_;
  std::vector<std::string> cohorts_;
  std::vector<std::string> open_;
  std::vector<std::pair<std::string, std::string>> external_;
  std::vector<std::string> tokens_;
  int64_t submitted_ = 0;
  int64_t next_programme_ = 1;
  std::unique_ptr<enr::ProgrammeService::Stub> programmes_;
  std::unique_ptr<enr::ApplicationService::Stub> stub_;
  std::unique_ptr<enr::PeopleService::Stub> people_;
  std::unique_ptr<plat::ChangeFeedService::Stub> feed_;
  std::unique_ptr<plat::AuditService::Stub> audit_;
};

// Microseconds of the middle one of a turn's calls.
double Turn(Size& size, const std::function<void(Size&)>& call) {
  std::vector<double> times;
  for (int i = 0; i < kCalls; ++i) {
    const absl::Time start = absl::Now();
    call(size);
    times.push_back(absl::ToDoubleMicroseconds(absl::Now() - start));
  }
  return Median(std::move(times));
}

BenchRow MeasureCall(const std::string& name, const std::string& engine,
                     std::vector<std::unique_ptr<Size>>& sizes,
                     const std::function<void(Size&)>& call) {
  std::vector<std::vector<double>> medians(sizes.size());
  for (auto& size : sizes) Turn(*size, call);
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      // By turns who goes first.
      const std::size_t at = round % 2 == 0 ? i : sizes.size() - 1 - i;
      medians[at].push_back(Turn(*sizes[at], call));
    }
  }
  std::string note;
  for (std::size_t i = 1; i + 1 < sizes.size(); ++i) {
    CatTo(note, "at ", Grouped(sizes[i]->applications()), ": ",
          absl::StrFormat("%.0f", Median(medians[i])), " µs");
  }
  return Compared(
      {.group = kGroup,
       .name =
           Cat(name, ", ", engine, ", ", Grouped(sizes.back()->applications())),
       .unit = "µs (p50)",
       .reference_name = Cat("at ", Grouped(sizes.front()->applications())),
       .aim = kAim,
       .note = note},
      {medians.back(), medians.front()});
}

void MeasureCalls(Engine engine, const std::vector<int64_t>& counts) {
  const bool sqlite = engine == Engine::kSqlite;
  const std::string name = sqlite ? "SQLite" : "PostgreSQL";
  std::vector<std::unique_ptr<Size>> sizes;
  for (const int64_t count : counts) {
    sizes.push_back(std::make_unique<Size>(engine, count));
    std::fprintf(
        stderr, "%s, %s applications: made up in %.1f s, ready in %.2f s\n",
        name.c_str(), Grouped(count).c_str(),
        Seconds(sizes.back()->generation()), Seconds(sizes.back()->start()));
  }
  const Size& bottom = *sizes.front();
  Size& top = *sizes.back();
  const std::string at_top = Cat(name, ", ", Grouped(top.applications()));
  const std::string at_bottom = Cat("at ", Grouped(bottom.applications()));
  std::vector<BenchRow> rows;
  const std::pair<const char*, std::function<void(Size&)>> calls[] = {
      {"GetApplication", [](Size& size) { size.GetApplication(); }},
      {"ListApplications, a page by name",
       [](Size& size) { size.ListApplications(false); }},
      {"ListApplications, a page by rank",
       [](Size& size) { size.ListApplications(true); }},
      {"ListPersons by external id", [](Size& size) { size.FindPerson(); }},
      {"ListChanges, 100 anywhere", [](Size& size) { size.ReadFeed(); }},
      {"ListAuditEntries of one application",
       [](Size& size) { size.ReadTrail(); }},
      {"GetProgramme, cold", [](Size& size) { size.GetProgramme(true); }},
      {"GetProgramme, hot", [](Size& size) { size.GetProgramme(false); }},
      {"SubmitApplication", [](Size& size) { size.Submit(); }},
  };
  for (const auto& [what, call] : calls) {
    rows.push_back(MeasureCall(what, name, sizes, call));
  }
  rows.push_back({.group = kGroup,
                  .name = Cat("following the feed from 0, ", at_top),
                  .value = top.FollowFeed(),
                  .unit = "rows/s",
                  .note = "pages of 1000, for up to 20 s"});
  rows.push_back({.group = kGroup,
                  .name = Cat("start to ready, ", at_top),
                  .value = Seconds(top.start()),
                  .unit = "s",
                  .reference_name = at_bottom,
                  .reference = Seconds(bottom.start())});
  rows.push_back({.group = kGroup,
                  .name = Cat("enrolmentd idle, ", at_top),
                  .value = top.idle(),
                  .unit = "MiB",
                  .reference_name = at_bottom,
                  .reference = bottom.idle()});
  rows.push_back({.group = kGroup,
                  .name = Cat("enrolmentd after all of this, ", at_top),
                  .value = top.Loaded(),
                  .unit = "MiB",
                  .reference_name = at_bottom,
                  .reference = bottom.Loaded()});
  rows.push_back(
      {.group = kGroup,
       .name = Cat("parcours generate, ", at_top),
       .value =
           static_cast<double>(top.applications()) / Seconds(top.generation()),
       .unit = "applications/s",
       .note = Cat(absl::StrFormat("%.0f s", Seconds(top.generation())),
                   ", feed and audit trail included")});
  WriteRows(Cat(kGroup, sqlite ? "-sqlite" : "-postgresql"), rows);
}

// Flags of a service that others know by its certificate.
std::vector<std::string> Secured(const rpc::TlsFiles& files,
                                 const std::string& port_file) {
  return {"--tls_listen_address=127.0.0.1:0",
          Cat("--tls_port_file=", port_file),
          Cat("--tls_certificate_file=", files.certificate_file),
          Cat("--tls_key_file=", files.key_file),
          Cat("--tls_ca_file=", files.ca_file)};
}

// Two services that know nothing yet follow the feed of enrolment.
void MeasureRosters(int64_t applications) {
  testing::Authority authority;
  const testing::TempDir folder;
  Record enrolment("enrolment", PARCOURS_ENROLMENTD, Engine::kPostgresql,
                   Secured(authority.ServiceCertificate("enrolment"),
                           folder.File("enrolment")));
  enrolment.Generate(applications);
  const int64_t changes =
      enrolment.Select("SELECT head FROM feed_state").at(0).Integer(0);
  enrolment.Start();
  int port = 0;
  std::ifstream(folder.File("enrolment")) >> port;
  std::vector<BenchRow> rows;
  const auto measure = [&](const std::string& service,
                           const std::string& program, const auto& caught_up) {
    std::vector<std::string> flags =
        Secured(authority.ServiceCertificate(service), folder.File(service));
    flags.push_back(Cat("--enrolment_address=127.0.0.1:", port));
    Record copy(service, program, Engine::kPostgresql, flags);
    const absl::Time start = absl::Now();
    const double ready = Seconds(copy.Start());
    const double idle = copy.Mebibytes();
    caught_up(copy.daemon().Connect());
    const double seconds = Seconds(absl::Now() - start);
    rows.push_back({.group = kGroup,
                    .name = Cat(service, " catches up, PostgreSQL, ",
                                Grouped(applications)),
                    .value = static_cast<double>(changes) / seconds,
                    .unit = "rows/s",
                    .note = absl::StrFormat("%d rows of the feed in %.1f s",
                                            changes, seconds)});
    rows.push_back({.group = kGroup,
                    .name = Cat(service, "d after that"),
                    .value = copy.Mebibytes(),
                    .unit = "MiB",
                    .reference_name = "idle",
                    .reference = idle});
    rows.push_back({.group = kGroup,
                    .name = Cat(service, "d, start to ready"),
                    .value = ready,
                    .unit = "s"});
  };
  // The call returns when nothing is left to be copied.
  const auto synchronise = [](const auto& stub, const auto& method,
                              const auto& request, auto response) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Minutes(30)));
    MustBeOk(rpc::FromGrpcStatus(
        (stub.get()->*method)(&context, request, &response)));
  };
  measure("scheduling", PARCOURS_SCHEDULINGD, [&](const auto& channel) {
    namespace sch = scheduling::v1;
    synchronise(sch::RosterService::NewStub(channel),
                &sch::RosterService::Stub::SynchroniseRoster,
                sch::SynchroniseRosterRequest(),
                sch::SynchroniseRosterResponse());
  });
  measure("evaluation", PARCOURS_EVALUATIOND, [&](const auto& channel) {
    namespace eva = evaluation::v1;
    synchronise(eva::RosterService::NewStub(channel),
                &eva::RosterService::Stub::SynchroniseRoster,
                eva::SynchroniseRosterRequest(),
                eva::SynchroniseRosterResponse());
  });
  WriteRows(Cat(kGroup, "-roster"), rows);
}

int Run(int argc, char** argv) {
  // As the services do.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const std::string_view what = argc > 1 ? argv[1] : "";
  std::vector<int64_t> sizes;
  for (int i = 2; i < argc; ++i) {
    int64_t size = 0;
    if (!absl::SimpleAtoi(argv[i], &size) || size < 1) sizes.clear();
    sizes.push_back(size);
  }
  if (what == "roster" && sizes.size() == 1 && sizes[0] > 0) {
    MeasureRosters(sizes[0]);
    return 0;
  }
  if ((what == "sqlite" || what == "postgresql") && sizes.size() > 1 &&
      sizes[0] > 0) {
    MeasureCalls(what == "sqlite" ? Engine::kSqlite : Engine::kPostgresql,
                 sizes);
    return 0;
  }
  std::fprintf(
      stderr,
      "growth_benchmark sqlite|postgresql SIZE SIZE... | roster SIZE\n");
  return 2;
}

}  // namespace
}  // namespace parcours::benchmarks

int main(int argc, char** argv) {
  return parcours::benchmarks::Run(argc, argv);
}
