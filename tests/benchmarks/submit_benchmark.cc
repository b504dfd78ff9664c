// Complete applications, each with its place, its feed rows, its entry in the
// audit trail and its request id, in one transaction, against the same
// statements run by something that does nothing else: pgbench in pipelines of
// the same round trips, and a loop over the C API of SQLite. The statements are
// those that the service ran, written down by recording_sessions.cc; they
// change with it.

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/storage/postgresql_session.h"
#include "common/text/view.h"
#include "tests/benchmarks/measured_enrolmentd.h"
#include "tests/benchmarks/processors.h"
#include "tests/benchmarks/recorded_statements.h"
#include "tests/benchmarks/rows.h"
#include "tests/benchmarks/submission_load.h"

namespace parcours::benchmarks {
namespace {

using storage::Engine;

constexpr int kRounds = 5;
constexpr int kConnections = 4;
constexpr int kOutstanding = 64;
constexpr int kCohorts = 16;
// Enough that the last two wait, as nearly all do afterwards.
constexpr int kRecorded = 34;
constexpr char kStatements[] = "PARCOURS_BENCH_STATEMENTS=";
constexpr char kMarker[] = "INSERT INTO application ";

std::vector<std::shared_ptr<grpc::Channel>> Channels(
    const MeasuredEnrolmentd& enrolmentd) {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < kConnections; ++i) {
    channels.push_back(enrolmentd.ConnectAsProgram());
  }
  return channels;
}

// What is measured on PostgreSQL: to how many cohorts, over how many sessions.
struct Scenario {
  std::string name;
  int cohorts;
  // Sessions that the service works on: half of its 8 where all is one cohort.
  int sessions;
  int submissions;
  std::string script;
  // Whether PostgreSQL has a processor, and all else another.
  bool apart = false;
  Comparison rates = {};
  // Of the service, for one application, in each round.
  std::vector<double> micros = {};

  // Of each session.
  int runs() const { return submissions / sessions; }
};

// Transactions per second. Each session makes its runs after the first
// `done_before`.
double RunPgbench(const std::string& url, const Scenario& scenario,
                  int done_before) {
  // With the plans that the service's sessions have.
  const std::string command = absl::StrFormat(
      "PGOPTIONS='-c enable_seqscan=off -c jit=off' pgbench -n -M prepared -f "
      "'%s' -c %d -j 2 -t %d -D n=%d '%s' 2>&1",
      scenario.script, scenario.sessions, scenario.runs(), done_before, url);
  FILE* const pipe = popen(command.c_str(), "r");
  std::string output;
  char buffer[4096];
  while (std::fgets(buffer, sizeof(buffer), pipe) != nullptr) output += buffer;
  const int status = pclose(pipe);
  const std::size_t at = output.find("tps = ");
  double rate = 0;
  if (status != 0 || at == std::string::npos ||
      std::sscanf(output.c_str() + at, "tps = %lf", &rate) != 1 ||
      output.find("number of failed transactions: 0 ") == std::string::npos) {
    MustBeOk(absl::InternalError(Cat(command, "\n", output)));
  }
  return rate;
}

// The server of PostgreSQL, above all its sessions.
pid_t ServerOf(storage::Session& session) {
  const storage::Rows rows = RunOne(session, "SELECT pg_backend_pid()::bigint");
  return ParentOf(static_cast<pid_t>(rows.at(0).Integer(0)));
}

void MeasurePostgresql(std::vector<BenchRow>& rows) {
  testing::TempDir folder;
  MeasuredEnrolmentd enrolmentd(PARCOURS_ENROLMENTD_RECORDING,
                                Engine::kPostgresql, kCohorts);
  Scenario scenarios[] = {
      {"to one cohort, PostgreSQL", 1, 4, 1200, folder.File("hot.sql")},
      {"to 16 cohorts, PostgreSQL", kCohorts, 8, 2400,
       folder.File("spread.sql")},
      {"to one cohort, PostgreSQL apart", 1, 4, 1200, folder.File("hot.sql"),
       true},
      {"to 16 cohorts, PostgreSQL apart", kCohorts, 8, 2400,
       folder.File("spread.sql"), true}};
  int candidates = kRecorded;
  for (const Scenario& scenario : scenarios) {
    candidates += kRounds * scenario.submissions;
  }
  enrolmentd.Stop();
  const std::vector<std::string> uploads = enrolmentd.SeedUploads(candidates);
  const std::string statements = folder.File("statements");
  enrolmentd.Start({Cat(kStatements, statements)});
  int next = 0;
  const auto requests = [&](int count, int cohorts) {
    std::vector<pb::SubmitApplicationRequest> made;
    for (int i = 0; i < count; ++i) {
      made.push_back(enrolmentd.Submission(next++, i % cohorts, uploads));
    }
    return made;
  };
  SubmitAll(Channels(enrolmentd), requests(kRecorded, 1), 1);
  enrolmentd.Stop();

  const std::vector<RecordedTransaction> recorded =
      ReadTransactions(statements, kMarker);
  const RecordedTransaction& first = recorded.at(recorded.size() - 2);
  const RecordedTransaction& second = recorded.back();
  std::size_t statement_count = 0;
  for (const RecordedBatch& batch : first) statement_count += batch.size();
  for (const Scenario& scenario : scenarios) {
    std::ofstream(scenario.script) << PgbenchScript(
        first, second, MeasuredEnrolmentd::CohortName(0), scenario.cohorts);
  }
  // A record of its own for pgbench, equal at the start.
  const std::string url = enrolmentd.database_url();
  const std::size_t begin = std::string("postgresql:///").size();
  const std::string name = url.substr(begin, url.find('?') - begin);
  const std::string bare_name = Cat(name, "_bare");
  const std::string bare_url = absl::StrReplaceAll(
      url, {{Cat("/", name, "?"), Cat("/", bare_name, "?")}});
  const auto connect = [](const std::string& to) {
    return Must(storage::PostgresqlSession::Connect(
        to, "", absl::Now() + absl::Seconds(20)));
  };
  RunOne(
      *connect(absl::StrReplaceAll(url, {{Cat("/", name, "?"), "/postgres?"}})),
      Cat("CREATE DATABASE ", bare_name, " TEMPLATE ", name));
  int sessions = 0;
  int runs = kRecorded;
  for (const Scenario& scenario : scenarios) {
    sessions = std::max(sessions, scenario.sessions);
    runs += kRounds * scenario.runs();
  }
  {
    const auto bare = connect(bare_url);
    for (const std::string& upload : UploadsOf(first, second)) {
      RunOne(*bare,
             "INSERT INTO upload (name, body, version, create_time,"
             " update_time, object_id, byte_size, content_type, sha256,"
             " state, expire_time, account)"
             " SELECT name || '.' || (c * $2::bigint + n), body, version,"
             " create_time, update_time, object_id, byte_size, content_type,"
             " sha256, 'COMPLETE', expire_time, account"
             " FROM upload, generate_series(0, $3::bigint - 1) c,"
             " generate_series(1, $4::bigint) n WHERE name = $1",
             {upload, int64_t{kMostRunsOfClient}, int64_t{sessions},
              int64_t{runs}});
    }
    RunOne(*bare, "ANALYZE");
    RunOne(*connect(url), "ANALYZE");
  }
  // What a run of either script makes bears the number of the run; those that
  // were recorded are in the record already.
  int done_before = kRecorded;
  enrolmentd.Start();
  const auto channels = Channels(enrolmentd);
  const pid_t server = ServerOf(*connect(url));
  for (int round = 0; round < kRounds; ++round) {
    for (Scenario& scenario : scenarios) {
      std::optional<Apart> apart;
      if (scenario.apart) apart.emplace(server);
      const auto ours = [&] {
        const absl::Duration before = enrolmentd.process().ProcessorTime();
        scenario.rates.values.push_back(
            SubmitAll(channels,
                      requests(scenario.submissions, scenario.cohorts),
                      kOutstanding)
                .rate());
        scenario.micros.push_back(
            absl::ToDoubleMicroseconds(enrolmentd.process().ProcessorTime() -
                                       before) /
            scenario.submissions);
      };
      const auto bare = [&] {
        scenario.rates.references.push_back(
            RunPgbench(bare_url, scenario, done_before));
        done_before += scenario.runs();
      };
      if (round % 2 == 0) {
        ours();
        bare();
      } else {
        bare();
        ours();
      }
    }
  }
  for (const Scenario& scenario : scenarios) {
    rows.push_back(Compared(
        {.group = "submit",
         .name = Cat("complete applications ", scenario.name),
         .unit = "1/s",
         .reference_name = "pgbench",
         .aim = ">= 0.8",
         .note = absl::StrFormat(
             "%d statements in %d round trips, over %d sessions; without "
             "fsync%s",
             static_cast<int>(statement_count), static_cast<int>(first.size()),
             scenario.sessions,
             scenario.apart ? "; PostgreSQL has one processor, service or "
                              "pgbench and clients the others"
                            : "")},
        scenario.rates));
    rows.push_back({.group = "submit",
                    .name = Cat("complete applications ", scenario.name,
                                ": processor of the service"),
                    .value = Median(scenario.micros),
                    .unit = "us/call",
                    .note = "PostgreSQL's own not included"});
  }
}

// The same statements on a file of SQLite, by its C API and nothing else.
class BareSqlite {
 public:
  explicit BareSqlite(const std::string& path) {
    Check(sqlite3_open(path.c_str(), &database_));
    // As SqliteSession has it.
    Check(sqlite3_exec(database_,
                       "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                       "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
                       "PRAGMA secure_delete=ON; PRAGMA journal_size_limit=0;",
                       nullptr, nullptr, nullptr));
  }
  ~BareSqlite() {
    for (const auto& [sql, prepared] : prepared_) sqlite3_finalize(prepared);
    sqlite3_close(database_);
  }
  BareSqlite(const BareSqlite&) = delete;
  BareSqlite& operator=(const BareSqlite&) = delete;

  void Run(const RecordedStatement& statement) {
    sqlite3_stmt*& prepared = prepared_[statement.sql];
    if (prepared == nullptr) {
      Check(sqlite3_prepare_v2(database_, statement.sql.c_str(), -1, &prepared,
                               nullptr));
    }
    for (std::size_t i = 0; i < statement.values.size(); ++i) {
      Bind(prepared, static_cast<int>(i + 1), statement.values[i]);
    }
    int result = SQLITE_ROW;
    while (result == SQLITE_ROW) result = sqlite3_step(prepared);
    if (result != SQLITE_DONE) Check(result);
    sqlite3_reset(prepared);
  }

 private:
  void Check(int result) {
    if (result == SQLITE_OK) return;
    MustBeOk(absl::InternalError(sqlite3_errmsg(database_)));
  }

  void Bind(sqlite3_stmt* prepared, int index, const nlohmann::json& value) {
    if (value.is_null()) {
      Check(sqlite3_bind_null(prepared, index));
    } else if (value.is_number_integer()) {
      Check(sqlite3_bind_int64(prepared, index, value.get<int64_t>()));
    } else if (value.is_object()) {
      const auto bytes = value["bytes"].get<std::vector<unsigned char>>();
      Check(sqlite3_bind_blob(prepared, index, bytes.data(),
                              static_cast<int>(bytes.size()),
                              SQLITE_TRANSIENT));
    } else {
      const auto& text = value.get_ref<const std::string&>();
      Check(sqlite3_bind_text(prepared, index, text.data(),
                              static_cast<int>(text.size()), SQLITE_STATIC));
    }
  }

  sqlite3* database_ = nullptr;
  std::map<std::string, sqlite3_stmt*> prepared_;
};

double RunBare(const std::string& path,
               const std::vector<RecordedTransaction>& transactions) {
  BareSqlite database(path);
  const absl::Time start = absl::Now();
  for (const RecordedTransaction& transaction : transactions) {
    for (const RecordedBatch& batch : transaction) {
      for (const RecordedStatement& statement : batch) database.Run(statement);
    }
  }
  return static_cast<double>(transactions.size()) /
         absl::ToDoubleSeconds(absl::Now() - start);
}

void MeasureSqlite(std::vector<BenchRow>& rows) {
  constexpr int kSubmissions = 1000;
  testing::TempDir folder;
  MeasuredEnrolmentd enrolmentd(PARCOURS_ENROLMENTD_RECORDING, Engine::kSqlite,
                                1);
  enrolmentd.Stop();
  const std::vector<std::string> uploads = enrolmentd.SeedUploads(kSubmissions);
  std::vector<pb::SubmitApplicationRequest> requests;
  for (int i = 0; i < kSubmissions; ++i) {
    requests.push_back(enrolmentd.Submission(i, 0, uploads));
  }
  const std::string path =
      enrolmentd.database_url().substr(std::string("sqlite://").size());
  const std::string base = folder.File("base.db");
  std::filesystem::copy_file(path, base);
  // Each pass begins with the same record.
  const auto restore = [&](const std::string& to) {
    for (const char* const suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(Cat(to, suffix));
    }
    std::filesystem::copy_file(base, to);
  };
  const auto pass = [&](const std::vector<std::string>& environment) {
    restore(path);
    enrolmentd.Start(environment);
    const double rate =
        SubmitAll(Channels(enrolmentd), requests, kOutstanding).rate();
    enrolmentd.Stop();
    return rate;
  };
  const std::string statements = folder.File("statements");
  pass({Cat(kStatements, statements)});
  const std::vector<RecordedTransaction> recorded =
      ReadTransactions(statements, kMarker);
  if (recorded.size() != kSubmissions) {
    MustBeOk(absl::InternalError(
        Cat(recorded.size(), " submissions were recorded")));
  }
  // Beside the file of the service: on the same disk.
  const std::string bare = Cat(path, ".bare");
  Comparison rates;
  for (int round = 0; round < kRounds; ++round) {
    restore(bare);
    if (round % 2 == 0) rates.values.push_back(pass({}));
    rates.references.push_back(RunBare(bare, recorded));
    if (round % 2 != 0) rates.values.push_back(pass({}));
  }
  rows.push_back(Compared(
      {.group = "submit",
       .name = "complete applications to one cohort, SQLite",
       .unit = "1/s",
       .reference_name = "SQLite's C API",
       .aim = ">= 0.8",
       .note = "one transaction each, synchronous=FULL, on the disk of the "
               "temporary folder"},
      rates));
}

}  // namespace
}  // namespace parcours::benchmarks

int main() {
  using namespace parcours::benchmarks;
  // As the services do.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  std::vector<BenchRow> rows;
  MeasurePostgresql(rows);
  MeasureSqlite(rows);
  WriteRows("submit", rows);
  return 0;
}
