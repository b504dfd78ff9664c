#include "common/audit/entry.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace parcours::audit {
namespace {

Entry Sample() {
  return {.business_time = absl::FromUnixMicros(1700000000000001),
          .record_time = absl::FromUnixMicros(1800000000000002),
          .subject = "user:1",
          .roles = 34,
          .body = "bodies/opale",
          .method = "S/M",
          .action = Action::kChange,
          .resources = {{"bodies/opale/a", 3}, {"bodies/opale/é", 0}},
          .request_id = "r",
          .trace_id = "t"};
}

const std::string kSalt(32, '0');

access::Caller CallerOf(const std::string& body) {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = "user:1";
  caller.principal.body = body;
  caller.principal.roles.Add(1);
  caller.principal.roles.Add(5);
  caller.method = "S/M";
  caller.request_id = "r";
  caller.trace_id = "t";
  caller.now = absl::FromUnixMicros(7);
  return caller;
}

// Computed by another program from the description of the contract: entries
// that exist must be verifiable for ever.
TEST(AuditEntryTest, DigestsAreThoseOfTheContract) {
  const std::string genesis = GenesisHash("inc");
  EXPECT_EQ(genesis,
            "27e8739900fd8467be9460a5715da0391e4be40fb8fa2c26261b0e6b0e556ffe");
  const std::string commitment = CommitmentOf(Sample(), kSalt);
  EXPECT_EQ(commitment,
            "0d2c7a50f776051082ad178df59310fa37a0b44e8163f5e4403a0acb1d22a74a");
  EXPECT_EQ(LinkHash(1, genesis, commitment),
            "bc8f096aba0c1e0085ca3a6ed9d32afe19aef1f72867ec879457c182a7601921");
}

TEST(AuditEntryTest, EveryFieldIsCommittedTo) {
  const std::vector<std::function<void(Entry&)>> changes = {
      [](Entry& e) { e.business_time += absl::Microseconds(1); },
      [](Entry& e) { e.record_time += absl::Microseconds(1); },
      [](Entry& e) { e.subject = "user:2"; },
      [](Entry& e) { e.roles = 35; },
      [](Entry& e) { e.body = "bodies/jade"; },
      [](Entry& e) { e.method = "S/N"; },
      [](Entry& e) { e.action = Action::kRead; },
      [](Entry& e) { e.resources.pop_back(); },
      [](Entry& e) { e.resources[0].version = 4; },
      [](Entry& e) { e.resources[0].name = "bodies/opale/b"; },
      [](Entry& e) { std::swap(e.resources[0], e.resources[1]); },
      [](Entry& e) { e.request_id = "rt", e.trace_id = ""; },
  };
  std::set<std::string> commitments = {
      CommitmentOf(Sample(), kSalt),
      CommitmentOf(Sample(), std::string(32, '1'))};
  for (const auto& change : changes) {
    Entry entry = Sample();
    change(entry);
    commitments.insert(CommitmentOf(entry, kSalt));
  }
  EXPECT_EQ(commitments.size(), changes.size() + 2);
}

TEST(AuditEntryTest, SaltsDiffer) {
  EXPECT_EQ(NewSalt().size(), 32u);
  EXPECT_NE(NewSalt(), NewSalt());
}

TEST(AuditEntryTest, WhatLiesInSeveralBodiesIsSplit) {
  const std::vector<Entry> entries = EntriesOf(CallerOf(""), Action::kRead,
                                               {{"bodies/opale/persons/a", 0},
                                                {"bodies/jade/persons/b", 0},
                                                {"bodies/opale/persons/c", 0},
                                                {"funders/x", 0}},
                                               absl::FromUnixMicros(9));
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].body, "bodies/opale");
  EXPECT_EQ(entries[0].resources,
            (std::vector<Resource>{{"bodies/opale/persons/a", 0},
                                   {"bodies/opale/persons/c", 0}}));
  EXPECT_EQ(entries[1].body, "bodies/jade");
  EXPECT_EQ(entries[2].body, "");
  for (const Entry& entry : entries) {
    EXPECT_EQ(entry.subject, "user:1");
    EXPECT_EQ(entry.method, "S/M");
    EXPECT_EQ(entry.roles, 34);
    EXPECT_EQ(entry.trace_id, "t");
    EXPECT_EQ(entry.request_id, "r");
    EXPECT_EQ(entry.business_time, absl::FromUnixMicros(7));
    EXPECT_EQ(entry.record_time, absl::FromUnixMicros(9));
  }
}

TEST(AuditEntryTest, WithoutResourcesItIsTheCallersBody) {
  const std::vector<Entry> entries =
      EntriesOf(CallerOf("bodies/opale"), Action::kRead, {}, absl::UnixEpoch());
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].body, "bodies/opale");
  EXPECT_TRUE(entries[0].resources.empty());
}

TEST(AuditEntryTest, TheActingRolesCountWhereTheyAreKnown) {
  access::Caller caller = CallerOf("");
  caller.acting_roles.Add(5);
  EXPECT_EQ(EntriesOf(caller, Action::kRead, {}, absl::UnixEpoch())[0].roles,
            32);
}

TEST(AuditEntryTest, AResourceChangedTwiceStandsOnceWithItsLastVersion) {
  const std::vector<Entry> entries =
      EntriesOf(CallerOf(""), Action::kChange,
                {{"bodies/a/x", 1}, {"bodies/a/y", 1}, {"bodies/a/x", 2}},
                absl::UnixEpoch());
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].resources,
            (std::vector<Resource>{{"bodies/a/x", 2}, {"bodies/a/y", 1}}));
}

TEST(AuditEntryTest, LinesRoundTripWhateverTheNames) {
  const std::vector<Entry> entries = EntriesOf(
      CallerOf(""), Action::kRead,
      {{"with space", 0}, {"two\nlines 7", 2}, {"", 1}}, absl::UnixEpoch());
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].resources[1].name, "two?lines 7");
  EXPECT_EQ(ResourcesOfLines(ResourceLines(entries[0].resources)),
            entries[0].resources);
  EXPECT_TRUE(ResourcesOfLines(ResourceLines({})).empty());
}

}  // namespace
}  // namespace parcours::audit
