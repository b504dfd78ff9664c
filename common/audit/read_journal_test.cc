#include "common/audit/read_journal.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/status/error.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::audit {
namespace {

using ::parcours::storage::Statement;

// Takes what is written and keeps the subjects, unless it is away.
class FakeDatabase final : public storage::Database {
 public:
  storage::Engine engine() const override { return storage::Engine::kSqlite; }
  bool is_simulation() const override { return false; }
  bool is_local() const override { return false; }
  const std::string& incarnation() const override { return incarnation_; }
  absl::StatusOr<storage::Outcome> Transact(
      const access::Caller&,
      absl::FunctionRef<absl::StatusOr<storage::Outcome>(storage::Transaction&)>
          body) override {
    FakeTransaction transaction;
    absl::StatusOr<storage::Outcome> outcome = body(transaction);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_; });
    ++transactions_;
    changed_.notify_all();
    if (away_) return MakeError(Reason::kDatabaseUnavailable);
    for (const Statement& statement : transaction.written) {
      // $3 of the insertion.
      subjects_.push_back(std::get<std::string>(statement.values.at(2)));
    }
    return outcome;
  }
  absl::Status View(
      const access::Caller&,
      absl::FunctionRef<absl::Status(storage::Transaction&)>) override {
    return absl::UnimplementedError("");
  }
  void AddCommitListener(
      std::function<void(absl::Span<const storage::Change>)>) override {}
  absl::Status Ping(absl::Time) override { return absl::OkStatus(); }

  void set_away(bool away) {
    const std::lock_guard lock(mutex_);
    away_ = away;
  }
  // Holds every commit while it is true.
  void set_held(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void AwaitTransactions(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return transactions_ >= count; });
  }
  void AwaitSubjects(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return subjects_.size() >= count; });
  }
  std::vector<std::string> subjects() const {
    const std::lock_guard lock(mutex_);
    return subjects_;
  }
  int transactions() const {
    const std::lock_guard lock(mutex_);
    return transactions_;
  }

 private:
  struct FakeTransaction final : public storage::Transaction {
    absl::StatusOr<storage::Rows> Query(Statement) override {
      return absl::UnimplementedError("");
    }
    absl::StatusOr<std::vector<storage::Result>> QueryTogether(
        std::vector<Statement>) override {
      return absl::UnimplementedError("");
    }
    void Write(Statement statement, int64_t) override {
      written.push_back(std::move(statement));
    }
    void Record(storage::Change) override {}
    void Fail(absl::Status) override {}
    storage::PersonKeys& person_keys() override { return keys; }
    const access::Caller& caller() const override { return nobody; }
    bool writable() const override { return true; }

    access::Caller nobody{.scope = access::Scope::Installation()};
    std::vector<Statement> written;
    storage::PersonKeys keys{*this, nullptr};
  };

  const std::string incarnation_ = "fake";
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> subjects_;
  int transactions_ = 0;
  bool away_ = false;
  bool held_ = false;
};

access::Caller CallerOf(const std::string& subject) {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = subject;
  caller.method = "Service/GetThing";
  caller.deadline = absl::Now() + absl::Seconds(30);
  return caller;
}

const std::vector<std::string> kRead = {"bodies/opale/persons/a"};

using Strings = std::vector<std::string>;

class ReadJournalTest : public ::testing::Test {
 protected:
  // Does not flush by itself before half full, unless told.
  std::unique_ptr<BufferedReadJournal> Make(
      std::size_t capacity, absl::Duration interval = absl::Hours(1)) {
    return std::make_unique<BufferedReadJournal>(
        database_, metrics_,
        BufferedReadJournal::Options{.flush_interval = interval,
                                     .flush_timeout = absl::Seconds(5),
                                     .capacity = capacity});
  }
  absl::Status Record(BufferedReadJournal& journal, const std::string& subject,
                      bool before_answer = false) {
    return journal.Record(CallerOf(subject), kRead, before_answer);
  }
  std::string MetricLine(const std::string& start) {
    const std::string text = metrics_.Text();
    const std::size_t at = text.find(Cat("\n", start));
    if (at == std::string::npos) return "";
    return text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  }

  FakeDatabase database_;
  telemetry::Metrics metrics_;
};

TEST_F(ReadJournalTest, OrdinaryReadsWaitAndAreWrittenTogetherInOrder) {
  const auto journal = Make(100);
  for (const char* subject : {"a", "b", "c"}) {
    EXPECT_OK(Record(*journal, subject));
  }
  EXPECT_EQ(database_.transactions(), 0);
  EXPECT_EQ(MetricLine("parcours_audit_reads_waiting"),
            "parcours_audit_reads_waiting 3");
  EXPECT_OK(journal->Flush());
  EXPECT_EQ(database_.transactions(), 1);
  EXPECT_EQ(database_.subjects(), (Strings{"a", "b", "c"}));
  EXPECT_EQ(MetricLine("parcours_audit_reads_waiting"),
            "parcours_audit_reads_waiting 0");
  EXPECT_OK(journal->Flush());
  EXPECT_EQ(database_.transactions(), 1);
}

TEST_F(ReadJournalTest, AreWrittenByThemselvesAfterTheInterval) {
  const auto journal = Make(100, absl::Milliseconds(20));
  EXPECT_OK(Record(*journal, "a"));
  database_.AwaitSubjects(1);
  EXPECT_EQ(database_.subjects(), Strings{"a"});
}

TEST_F(ReadJournalTest, AreWrittenAtOnceWhenHalfTheRoomIsTaken) {
  const auto journal = Make(6);
  for (const char* subject : {"a", "b", "c"}) {
    EXPECT_OK(Record(*journal, subject));
  }
  database_.AwaitSubjects(3);
  EXPECT_EQ(database_.subjects(), (Strings{"a", "b", "c"}));
}

TEST_F(ReadJournalTest, SensitiveReadsAreWrittenBeforeTheAnswer) {
  const auto journal = Make(100);
  EXPECT_OK(Record(*journal, "a"));
  EXPECT_OK(Record(*journal, "b", /*before_answer=*/true));
  EXPECT_EQ(database_.subjects(), Strings{"b"});
}

TEST_F(ReadJournalTest, SensitiveReadsAreRefusedWhenTheyCannotBeWritten) {
  const auto journal = Make(100);
  database_.set_away(true);
  EXPECT_THAT(Record(*journal, "a", /*before_answer=*/true),
              HasReason(Reason::kDatabaseUnavailable));
  database_.set_away(false);
  EXPECT_OK(Record(*journal, "b", /*before_answer=*/true));
  EXPECT_EQ(database_.subjects(), Strings{"b"});
}

TEST_F(ReadJournalTest, WithoutRoomReadsAreWrittenThroughOrRefused) {
  const auto journal = Make(2);
  database_.set_away(true);
  EXPECT_OK(Record(*journal, "a"));
  EXPECT_OK(Record(*journal, "b"));
  EXPECT_THAT(Record(*journal, "c"), HasReason(Reason::kDatabaseUnavailable));
  database_.set_away(false);
  // Still no room: the first two wait.
  EXPECT_OK(Record(*journal, "d"));
  EXPECT_EQ(database_.subjects(), Strings{"d"});
  EXPECT_OK(journal->Flush());
  EXPECT_EQ(database_.subjects(), (Strings{"d", "a", "b"}));
  EXPECT_OK(Record(*journal, "e"));
  EXPECT_EQ(MetricLine("parcours_audit_reads_total{path=\"buffered\"}"),
            "parcours_audit_reads_total{path=\"buffered\"} 3");
  EXPECT_EQ(MetricLine("parcours_audit_reads_total{path=\"written_through\"}"),
            "parcours_audit_reads_total{path=\"written_through\"} 1");
}

TEST_F(ReadJournalTest, NamesTakeRoomToo) {
  BufferedReadJournal journal(
      database_, metrics_,
      {.flush_interval = absl::Hours(1), .capacity_bytes = 4000});
  const Strings many(1, std::string(5000, 'x'));
  EXPECT_OK(journal.Record(CallerOf("a"), many, false));
  EXPECT_EQ(database_.subjects(), Strings{"a"});
}

TEST_F(ReadJournalTest, WhatAFlushThatRunsHoldsTakesRoom) {
  const auto journal = Make(2);
  database_.set_held(true);
  EXPECT_OK(Record(*journal, "a"));
  EXPECT_OK(Record(*journal, "b"));
  std::thread third([&] { EXPECT_OK(Record(*journal, "c")); });
  database_.set_held(false);
  third.join();
  database_.AwaitSubjects(3);
  EXPECT_EQ(database_.subjects().size(), 3u);
}

TEST_F(ReadJournalTest, AFailedFlushKeepsOrderAndIsMadeAgain) {
  const auto journal = Make(100);
  database_.set_away(true);
  EXPECT_OK(Record(*journal, "a"));
  EXPECT_THAT(journal->Flush(), HasReason(Reason::kDatabaseUnavailable));
  EXPECT_OK(Record(*journal, "b"));
  database_.set_away(false);
  EXPECT_OK(journal->Flush());
  EXPECT_EQ(database_.subjects(), (Strings{"a", "b"}));
}

TEST_F(ReadJournalTest, WritesWhatWaitsWhenItEnds) {
  auto journal = Make(100);
  EXPECT_OK(Record(*journal, "a"));
  journal.reset();
  EXPECT_EQ(database_.subjects(), Strings{"a"});
}

TEST_F(ReadJournalTest, LosesNothingUnderManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kReads = 200;
  auto journal = Make(32, absl::Milliseconds(1));
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < kReads; ++j) {
        EXPECT_OK(Record(*journal, Cat(i, "/", j), j % 10 == 0));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  journal.reset();
  Strings subjects = database_.subjects();
  EXPECT_EQ(subjects.size(), std::size_t{kThreads} * kReads);
  std::sort(subjects.begin(), subjects.end());
  EXPECT_EQ(std::unique(subjects.begin(), subjects.end()), subjects.end());
}

}  // namespace
}  // namespace parcours::audit
