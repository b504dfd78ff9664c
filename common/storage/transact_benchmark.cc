// Transactions of a submission's shape on PostgreSQL: lock a parent, look at
// two things, then four writes, a feed row and COMMIT.

#include <benchmark/benchmark.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/storage/database.h"
#include "common/testing/database_fixture.h"

namespace parcours::storage {
namespace {

constexpr Migration kMigrations[] = {
    {100, "submission",
     "CREATE TABLE cohort (name {key_text} PRIMARY KEY, n BIGINT NOT NULL);"
     "CREATE TABLE application (name {key_text} PRIMARY KEY,"
     " cohort {key_text} NOT NULL, body TEXT NOT NULL);"
     "CREATE TABLE audit (insertion {insertion_order}, body TEXT NOT NULL);"}};

struct Setting {
  Setting(Engine engine, int cohorts) : files(engine) {
    files.options().pool_size = 16;
    database = files.Open(kMigrations);
    caller.principal.subject = "benchmark";
    caller.method = "Benchmark/Submit";
    caller.deadline = absl::Now() + absl::Hours(1);
    const auto added = database->Transact(
        caller, [&](Transaction& t) -> absl::StatusOr<Outcome> {
          for (int i = 0; i < cohorts; ++i) {
            t.Write({"INSERT INTO cohort (name, n) VALUES ($1, 0)",
                     {"c" + std::to_string(i)}});
          }
          return Outcome{};
        });
    if (!added.ok()) std::abort();
  }

  testing::TestDatabase files;
  std::unique_ptr<Database> database;
  access::Caller caller{.scope = access::Scope::Installation()};
};

std::unique_ptr<Setting> setting;
std::atomic<int64_t> next = 0;

template <Engine kEngine>
void SetUp(const benchmark::State& state) {
  setting =
      std::make_unique<Setting>(kEngine, static_cast<int>(state.range(0)));
}

void TearDown(const benchmark::State&) { setting.reset(); }

void Submit(benchmark::State& state) {
  const auto cohorts = state.range(0);
  for (auto _ : state) {
    const int64_t id = ++next;
    access::Caller caller = setting->caller;
    caller.request_id = std::to_string(id);
    caller.request_digest = "digest";
    const std::string cohort = "c" + std::to_string(id % cohorts);
    const std::string name = "a" + std::to_string(id);
    const auto outcome = setting->database->Transact(
        caller, [&](Transaction& t) -> absl::StatusOr<Outcome> {
          RETURN_IF_ERROR(
              t.QueryTogether(
                   {{"SELECT n FROM cohort WHERE name = $1 {for_update}",
                     {cohort}},
                    {"SELECT body FROM application WHERE name = $1", {name}}})
                  .status());
          t.Write(
              {"INSERT INTO application (name, cohort, body) "
               "VALUES ($1, $2, $3)",
               {name, cohort, "content"}});
          t.Write({"UPDATE cohort SET n = n + 1 WHERE name = $1", {cohort}});
          t.Write({"INSERT INTO audit (body) VALUES ($1)", {name}});
          t.Record({"application", name, 1, "Submit", {}, {"bodies/opale"}});
          return Outcome{name, 1};
        });
    if (!outcome.ok()) state.SkipWithError(outcome.status().ToString().c_str());
  }
  state.SetItemsProcessed(state.iterations());
}

// One cohort, and many.
BENCHMARK(Submit)
    ->Name("Submit/Postgresql/cohorts")
    ->Setup(SetUp<Engine::kPostgresql>)
    ->Teardown(TearDown)
    ->Arg(1)
    ->Arg(1000)
    ->Threads(1)
    ->Threads(8)
    ->UseRealTime();
BENCHMARK(Submit)
    ->Name("Submit/Sqlite/cohorts")
    ->Setup(SetUp<Engine::kSqlite>)
    ->Teardown(TearDown)
    ->Arg(1000)
    ->Threads(1)
    ->Threads(8)
    ->UseRealTime();

}  // namespace
}  // namespace parcours::storage

BENCHMARK_MAIN();
