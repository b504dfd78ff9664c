#include "common/audit/trail.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/audit/chain.h"
#include "common/audit/read_journal.h"
#include "common/audit/verifier.h"
#include "common/audit/witness.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/storage/sequencer.h"
#include "common/testing/database_fixture.h"
#include "common/testing/session_faults.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::audit {
namespace {

using ::parcours::storage::Outcome;
using ::parcours::storage::Sequencer;
using ::parcours::storage::Transaction;
using ::parcours::testing::EngineName;
using ::parcours::testing::EnginesUnderTest;
using ::parcours::testing::SessionFaults;
using ::parcours::testing::TestDatabase;

using Strings = std::vector<std::string>;

class AuditTrailTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  AuditTrailTest() : files_(GetParam()) {
    files_.options().decorate_session = faults_.Decorator();
    database_ = files_.Open({});
    sequencer_ = Sequencing(1000);
  }

  std::unique_ptr<Sequencer> Sequencing(int batch) {
    Sequencer::Options options;
    options.steps = {ChainStep(batch)};
    return std::make_unique<Sequencer>(*database_, std::move(options));
  }

  static absl::Time Soon() { return absl::Now() + absl::Seconds(20); }

  static access::Caller CallerOf(const std::string& subject) {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal.subject = subject;
    caller.principal.roles.Add(1);
    caller.method = "Service/Change";
    caller.deadline = Soon();
    caller.now = absl::FromUnixSeconds(1'800'000'000);
    return caller;
  }

  // One change of one resource.
  void Change(const std::string& name, const std::string& subject = "user:1",
              int64_t version = 1) {
    ASSERT_OK(
        database_->Transact(CallerOf(subject), [&](Transaction& transaction) {
          transaction.Record({.kind = "thing",
                              .name = name,
                              .version = version,
                              .cause = "Change",
                              .scopes_after = {"bodies/opale"}});
          return absl::StatusOr<Outcome>(Outcome{name, version});
        }));
  }

  // As somebody with the database in their hands.
  void Execute(const std::string& sql) {
    ASSERT_OK(
        database_->Transact(TrailCaller(Soon()), [&](Transaction& transaction) {
          transaction.Write({sql, {}});
          return absl::StatusOr<Outcome>(Outcome{});
        }));
  }

  Sequencer::Pass Chain(Sequencer& sequencer) {
    const auto pass = sequencer.RunOnce();
    EXPECT_OK(pass);
    return pass.value_or(Sequencer::Pass{});
  }
  void Chain() { Chain(*sequencer_); }

  Head ReadEnd() {
    Head head;
    EXPECT_OK(database_->View(TrailCaller(Soon()),
                              [&](Transaction& transaction) -> absl::Status {
                                ASSIGN_OR_RETURN(head, ReadHead(transaction));
                                return absl::OkStatus();
                              }));
    return head;
  }

  TrailPage Read(TrailQuery query = {.scope = access::Scope::Installation(),
                                     .limit = 1000}) {
    query.deadline = Soon();
    const auto page = ReadTrail(*database_, query);
    EXPECT_OK(page);
    return page.value_or(TrailPage{});
  }

  Strings Subjects(const TrailPage& page) {
    Strings subjects;
    for (const ChainedEntry& entry : page.entries) {
      subjects.push_back(entry.entry.has_value() ? entry.entry->subject : "-");
    }
    return subjects;
  }

  Verdict Verify(const std::vector<KeptHead>& kept = {}) {
    const Head head = ReadEnd();
    ChainVerifier verifier;
    for (const ChainedEntry& entry : Read().entries) verifier.Add(entry);
    return verifier.Finish(head, kept);
  }

  ::testing::AssertionResult Finds(const Verdict& verdict, Tampering kind,
                                   int64_t position) {
    if (!verdict.fault.has_value()) {
      return ::testing::AssertionFailure() << "no fault";
    }
    if (verdict.fault->kind == kind && verdict.fault->position == position) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure()
           << "fault " << static_cast<int>(verdict.fault->kind) << " at "
           << verdict.fault->position;
  }

  SessionFaults faults_;
  TestDatabase files_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Sequencer> sequencer_;
};

INSTANTIATE_TEST_SUITE_P(Engines, AuditTrailTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(AuditTrailTest, AnEmptyChainEndsAtItsGenesis) {
  const Head head = ReadEnd();
  EXPECT_EQ(head.incarnation, database_->incarnation());
  EXPECT_EQ(head.position, 0);
  EXPECT_EQ(head.hash, GenesisHash(head.incarnation));
  EXPECT_FALSE(Verify().fault.has_value());
}

TEST_P(AuditTrailTest, ChangesAreChainedInOneOrder) {
  for (int i = 1; i <= 5; ++i) Change(Cat("bodies/opale/things/", i));
  EXPECT_TRUE(Read().entries.empty());
  const auto small = Sequencing(2);
  EXPECT_TRUE(Chain(*small).more);
  EXPECT_EQ(ReadEnd().position, 2);
  EXPECT_TRUE(Chain(*small).more);
  EXPECT_FALSE(Chain(*small).more);
  const TrailPage page = Read();
  ASSERT_EQ(page.entries.size(), 5u);
  for (int i = 1; i <= 5; ++i) {
    const ChainedEntry& entry = page.entries[static_cast<std::size_t>(i) - 1];
    EXPECT_EQ(entry.position, i);
    ASSERT_EQ(entry.entry->resources.size(), 1u);
    EXPECT_EQ(entry.entry->resources[0].name, Cat("bodies/opale/things/", i));
  }
  EXPECT_EQ(ReadEnd().hash, page.entries.back().hash);
  EXPECT_FALSE(Verify().fault.has_value());
  EXPECT_FALSE(Chain(*small).worked);
}

TEST_P(AuditTrailTest, ConcurrentCommitsMakeOneChain) {
  constexpr int kWriters = 4;
  constexpr int kChanges = 30;
  sequencer_->Start();
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      for (int j = 0; j < kChanges; ++j) {
        Change(Cat("bodies/opale/things/", i, "-", j));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  sequencer_->Stop();
  Chain(*Sequencing(1000));
  const Verdict verdict = Verify();
  EXPECT_FALSE(verdict.fault.has_value());
  EXPECT_EQ(verdict.entries, kWriters * kChanges);
}

TEST_P(AuditTrailTest, ReadsAreInTheChainOnceFlushed) {
  telemetry::Metrics metrics;
  BufferedReadJournal journal(*database_, metrics);
  access::Caller caller = CallerOf("user:2");
  caller.method = "Service/GetThing";
  const Strings names = {"bodies/opale/things/1", "bodies/jade/things/2"};
  caller.trace_id = "0123456789abcdef0123456789abcdef";
  ASSERT_OK(journal.Record(caller, names,
                           /*before_answer=*/false));
  ASSERT_OK(journal.Flush());
  Chain();
  const TrailPage page = Read();
  ASSERT_EQ(page.entries.size(), 2u);
  const Entry& entry = *page.entries[0].entry;
  EXPECT_EQ(entry.action, Action::kRead);
  EXPECT_EQ(entry.subject, "user:2");
  EXPECT_EQ(entry.method, "Service/GetThing");
  EXPECT_EQ(entry.body, "bodies/opale");
  EXPECT_EQ(entry.roles, 2);
  EXPECT_EQ(entry.resources, (std::vector<Resource>{{names[0], 0}}));
  EXPECT_EQ(entry.trace_id, "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(entry.business_time, caller.now);
  EXPECT_LT(absl::AbsDuration(entry.record_time - absl::Now()),
            absl::Minutes(1));
  EXPECT_EQ(page.entries[1].entry->body, "bodies/jade");
  EXPECT_FALSE(Verify().fault.has_value());
}

TEST_P(AuditTrailTest, ASensitiveReadIsCommittedOrRefused) {
  telemetry::Metrics metrics;
  BufferedReadJournal journal(*database_, metrics);
  const Strings names = {"bodies/opale/persons/a"};
  ASSERT_OK(journal.Record(CallerOf("user:2"), names, true));
  Chain();
  EXPECT_EQ(Read().entries.size(), 1u);
  faults_.Inject(SessionFaults::kLoseBeforeCommit, 100);
  EXPECT_THAT(journal.Record(CallerOf("user:3"), names, true),
              HasReason(Reason::kDatabaseUnavailable));
  faults_.Inject(SessionFaults::kLoseBeforeCommit, 0);
  Chain();
  EXPECT_EQ(Subjects(Read()), Strings{"user:2"});
}

TEST_P(AuditTrailTest, OneBodysAuditorSeesHashesOnlyOfAnother) {
  Change("bodies/opale/things/1");
  Change("bodies/jade/things/1", "user:jade");
  Change("bodies/opale-est/things/1", "user:near");
  Change("installation", "user:root");
  Chain();
  const TrailPage page =
      Read({.scope = access::Scope::Body("bodies/opale"), .limit = 10});
  EXPECT_EQ(Subjects(page), (Strings{"user:1", "-", "-", "-"}));
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_TRUE(page.entries[i].salt.empty());
    EXPECT_FALSE(page.entries[i].commitment.empty());
  }
  ChainVerifier verifier;
  for (const ChainedEntry& entry : page.entries) verifier.Add(entry);
  const Verdict verdict = verifier.Finish(ReadEnd(), {});
  EXPECT_FALSE(verdict.fault.has_value());
  EXPECT_EQ(verdict.redacted, 3);
  // A filter must not tell by absence and presence what is hidden.
  EXPECT_TRUE(Read({.scope = access::Scope::Body("bodies/opale"),
                    .subject = "user:jade"})
                  .entries.empty());
}

TEST_P(AuditTrailTest, FiltersNarrowTheList) {
  Change("bodies/opale/things/1", "user:1");
  Change("bodies/opale/things/1/parts/2", "user:2");
  Change("bodies/opale/things/11", "user:3");
  Change("bodies/opale/things/x_y", "user:4");
  telemetry::Metrics metrics;
  BufferedReadJournal journal(*database_, metrics);
  ASSERT_OK(journal.Record(CallerOf("user:5"), Strings{"bodies/opale/things/1"},
                           true));
  Chain();
  const access::Scope all = access::Scope::Installation();
  EXPECT_EQ(Subjects(Read({.scope = all, .resource = "bodies/opale/things/1"})),
            (Strings{"user:1", "user:2", "user:5"}));
  EXPECT_EQ(
      Subjects(Read({.scope = all, .resource = "bodies/opale/things/x_y"})),
      Strings{"user:4"});
  EXPECT_TRUE(Read({.scope = all, .resource = "bodies/opale/things/x%"})
                  .entries.empty());
  EXPECT_TRUE(Read({.scope = all, .resource = "BODIES/opale"}).entries.empty());
  EXPECT_EQ(Subjects(Read({.scope = all, .subject = "user:2"})),
            Strings{"user:2"});
  EXPECT_EQ(Subjects(Read({.scope = all, .action = Action::kRead})),
            Strings{"user:5"});
  const absl::Time third = Read().entries[2].entry->record_time;
  EXPECT_EQ(Read({.scope = all, .end_time = third}).entries.size() +
                Read({.scope = all, .start_time = third}).entries.size(),
            5u);
}

TEST_P(AuditTrailTest, AResourceIsFoundWhetherItIsIndexedYetOrNot) {
  const access::Scope all = access::Scope::Installation();
  const std::string thing = "bodies/opale/things/1";
  const auto found = [&](int64_t after = 0, int limit = 100) {
    return Subjects(Read(
        {.scope = all, .after = after, .limit = limit, .resource = thing}));
  };
  Change(thing, "user:1");
  Change(Cat(thing, "/parts/a"), "user:2");
  Change("bodies/opale/things/10", "user:3");
  Chain();
  EXPECT_EQ(found(), (Strings{"user:1", "user:2"}));
  // As after a release that did not keep where resources are named.
  Execute("DELETE FROM audit_resource");
  Execute("UPDATE audit_state SET indexed_position = 0");
  EXPECT_EQ(found(), (Strings{"user:1", "user:2"}));
  Chain();
  Execute("DELETE FROM audit_resource WHERE position = 2");
  EXPECT_EQ(found(), Strings{"user:1"}) << "the index was not read";
  // One that such a release has linked meanwhile.
  Execute("UPDATE audit_state SET indexed_position = 1");
  EXPECT_EQ(found(), (Strings{"user:1", "user:2"}));
  Change(thing, "user:4");
  EXPECT_EQ(found(0, 1), Strings{"user:1"});
  Chain();
  EXPECT_EQ(found(), (Strings{"user:1", "user:2", "user:4"}));
  EXPECT_EQ(found(1, 1), Strings{"user:2"});
  EXPECT_EQ(found(2), Strings{"user:4"});
  // The other filters hold too.
  EXPECT_EQ(
      Subjects(Read({.scope = all, .resource = thing, .subject = "user:4"})),
      Strings{"user:4"});
  EXPECT_TRUE(Read({.scope = all, .resource = thing, .action = Action::kRead})
                  .entries.empty());
  EXPECT_TRUE(
      Read({.scope = access::Scope::Body("bodies/autre"), .resource = thing})
          .entries.empty());
}

TEST_P(AuditTrailTest, PagesMeetWithoutAGap) {
  for (int i = 1; i <= 5; ++i) {
    Change(Cat("bodies/opale/things/", i), Cat("user:", i));
  }
  Chain();
  Strings subjects;
  int64_t after = 0;
  for (int pages = 1;; ++pages) {
    const TrailPage page = Read(
        {.scope = access::Scope::Installation(), .after = after, .limit = 2});
    for (const std::string& subject : Subjects(page)) {
      subjects.push_back(subject);
    }
    if (!page.next_after.has_value()) {
      EXPECT_EQ(pages, 3);
      break;
    }
    after = *page.next_after;
  }
  EXPECT_EQ(subjects,
            (Strings{"user:1", "user:2", "user:3", "user:4", "user:5"}));
}

TEST_P(AuditTrailTest, LargeEntriesMakeShorterPages) {
  telemetry::Metrics metrics;
  BufferedReadJournal journal(*database_, metrics);
  Strings names;
  for (int i = 0; i < 6000; ++i) {
    names.push_back(Cat("bodies/opale/", std::string(100, 'x'), i));
  }
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(journal.Record(CallerOf("user:1"), names, true));
  }
  Chain();
  const TrailPage page =
      Read({.scope = access::Scope::Installation(), .limit = 10});
  EXPECT_EQ(page.entries.size(), 2u);
  EXPECT_EQ(page.next_after, 2);
  EXPECT_EQ(page.entries[0].entry->resources.size(), names.size());
}

// Each of these stands in a database that somebody with all its rights has
// written to.
class TamperedTrailTest : public AuditTrailTest {
 protected:
  TamperedTrailTest() {
    for (int i = 1; i <= 8; ++i) {
      Change(Cat("bodies/opale/things/", i), Cat("user:", i));
      if (i == 4) {
        Chain();
        kept_.push_back({ReadEnd(), "elsewhere"});
      }
    }
    Chain();
    kept_.push_back({ReadEnd(), "elsewhere"});
  }

  // Links all entries again, so that nothing inside the chain shows.
  void Relink() {
    Execute(
        "UPDATE audit_entry SET position = NULL, previous_hash = NULL, "
        "hash = NULL");
    Execute("UPDATE audit_state SET position = 0, hash = ''");
    Chain();
  }
  // What an entry is committed to, computed again.
  void Recommit(int64_t position) {
    const TrailPage page =
        Read({.scope = access::Scope::Installation(), .limit = 100});
    const ChainedEntry& entry =
        page.entries.at(static_cast<std::size_t>(position) - 1);
    Execute(Cat("UPDATE audit_entry SET commitment = '",
                CommitmentOf(*entry.entry, entry.salt),
                "' WHERE position = ", position));
  }

  std::vector<KeptHead> kept_;
};

INSTANTIATE_TEST_SUITE_P(Engines, TamperedTrailTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(TamperedTrailTest, AnIntactTrailIsAccepted) {
  const Verdict verdict = Verify(kept_);
  EXPECT_FALSE(verdict.fault.has_value());
  EXPECT_EQ(verdict.entries, 8);
  EXPECT_EQ(verdict.matching_heads, 2);
}

TEST_P(TamperedTrailTest, ARemovedRowIsFound) {
  Execute("DELETE FROM audit_entry WHERE position = 3");
  EXPECT_TRUE(Finds(Verify(), Tampering::kRemoved, 3));
  Execute("UPDATE audit_entry SET position = -position WHERE position > 3");
  Execute("UPDATE audit_entry SET position = -position - 1 WHERE position < 0");
  EXPECT_TRUE(Finds(Verify(), Tampering::kRemoved, 3));
}

TEST_P(TamperedTrailTest, AnAlteredRowIsFound) {
  Execute("UPDATE audit_entry SET subject = 'user:0' WHERE position = 5");
  EXPECT_TRUE(Finds(Verify(), Tampering::kAltered, 5));
  Recommit(5);
  EXPECT_TRUE(Finds(Verify(), Tampering::kAltered, 5));
}

TEST_P(TamperedTrailTest, AnAlteredResourceIsFound) {
  Execute(
      "UPDATE audit_entry SET resources = '\nbodies/opale/things/9 1\n' "
      "WHERE position = 5");
  EXPECT_TRUE(Finds(Verify(), Tampering::kAltered, 5));
}

TEST_P(TamperedTrailTest, ReorderedRowsAreFound) {
  Execute("UPDATE audit_entry SET position = -2 WHERE position = 2");
  Execute("UPDATE audit_entry SET position = 2 WHERE position = 6");
  Execute("UPDATE audit_entry SET position = 6 WHERE position = -2");
  EXPECT_TRUE(Finds(Verify(), Tampering::kReordered, 2));
}

TEST_P(TamperedTrailTest, ATruncatedEndIsFound) {
  Execute("DELETE FROM audit_entry WHERE position > 6");
  EXPECT_TRUE(Finds(Verify(), Tampering::kTruncated, 7));
  Execute(
      "UPDATE audit_state SET position = 6, hash = "
      "(SELECT hash FROM audit_entry WHERE position = 6)");
  EXPECT_FALSE(Verify().fault.has_value());
  EXPECT_TRUE(Finds(Verify(kept_), Tampering::kTruncated, 7));
}

TEST_P(TamperedTrailTest, AConsistentlyRewrittenChainIsFoundByAKeptHead) {
  Execute("UPDATE audit_entry SET subject = 'user:0' WHERE position = 3");
  Recommit(3);
  Relink();
  EXPECT_FALSE(Verify().fault.has_value());
  EXPECT_TRUE(Finds(Verify(kept_), Tampering::kRewritten, 4));
}

TEST_P(TamperedTrailTest, ARemovalRewrittenConsistentlyIsFoundByAKeptHead) {
  Execute("DELETE FROM audit_entry WHERE position = 6");
  Relink();
  EXPECT_FALSE(Verify().fault.has_value());
  EXPECT_TRUE(Finds(Verify(kept_), Tampering::kTruncated, 8));
}

class WitnessTest : public AuditTrailTest {
 protected:
  // A witness of "other", whose head is `head_`.
  std::unique_ptr<Witness> Make() {
    return std::make_unique<Witness>(
        *database_, metrics_,
        std::vector<Peer>{{.service = "other",
                           .head = [this](absl::Time) -> absl::StatusOr<Head> {
                             return head_;
                           }}});
  }
  std::vector<int64_t> KeptPositions(const std::string& service) {
    const auto page = ReadWitnesses(*database_, service, 0, 100, Soon());
    EXPECT_OK(page);
    std::vector<int64_t> positions;
    if (!page.ok()) return positions;
    for (const WitnessedHead& kept : page->heads) {
      EXPECT_EQ(kept.service, "other");
      positions.push_back(kept.head.position);
    }
    return positions;
  }
  bool Metric(const std::string& line) {
    return metrics_.Text().find(Cat("\n", line, "\n")) != std::string::npos;
  }

  telemetry::Metrics metrics_;
  absl::StatusOr<Head> head_ = Head{"inc", 3, GenesisHash("3")};
};

using Positions = std::vector<int64_t>;

INSTANTIATE_TEST_SUITE_P(Engines, WitnessTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(WitnessTest, KeepsAHeadOnceItHasMoved) {
  const auto witness = Make();
  ASSERT_OK(witness->Observe());
  ASSERT_OK(witness->Observe());
  EXPECT_EQ(KeptPositions("other"), Positions{3});
  head_ = Head{"inc", 5, GenesisHash("5")};
  ASSERT_OK(witness->Observe());
  EXPECT_EQ(KeptPositions(""), (Positions{3, 5}));
  EXPECT_TRUE(KeptPositions("another").empty());
  EXPECT_TRUE(Metric("parcours_audit_witness_contradictions_total 0"));
}

TEST_P(WitnessTest, KeepsAndCountsAHeadThatDoesNotFollow) {
  const auto witness = Make();
  ASSERT_OK(witness->Observe());
  head_->hash = GenesisHash("rewritten");
  ASSERT_OK(witness->Observe());
  head_->position = 1;
  ASSERT_OK(witness->Observe());
  EXPECT_EQ(KeptPositions("other"), (Positions{3, 3, 1}));
  EXPECT_TRUE(Metric("parcours_audit_witness_contradictions_total 2"));
}

TEST_P(WitnessTest, APeerThatIsAwayIsAskedAgain) {
  const auto witness = Make();
  head_ = MakeError(Reason::kOwnerUnavailable, {{"resource", "other"}});
  EXPECT_THAT(witness->Observe(), HasReason(Reason::kOwnerUnavailable));
  EXPECT_TRUE(KeptPositions("other").empty());
  head_ = Head{"inc", 3, GenesisHash("3")};
  EXPECT_OK(witness->Observe());
  EXPECT_EQ(KeptPositions("other"), Positions{3});
}

TEST_P(WitnessTest, PagesOfKeptHeadsMeet) {
  const auto witness = Make();
  for (int64_t i = 1; i <= 3; ++i) {
    head_ = Head{"inc", i, GenesisHash(Cat(i))};
    ASSERT_OK(witness->Observe());
  }
  const auto first = ReadWitnesses(*database_, "other", 0, 2, Soon());
  ASSERT_OK(first);
  EXPECT_EQ(first->heads.size(), 2u);
  ASSERT_TRUE(first->next_after.has_value());
  const auto second =
      ReadWitnesses(*database_, "other", *first->next_after, 2, Soon());
  ASSERT_OK(second);
  ASSERT_EQ(second->heads.size(), 1u);
  EXPECT_EQ(second->heads[0].head.position, 3);
  EXPECT_FALSE(second->next_after.has_value());
}

}  // namespace
}  // namespace parcours::audit
