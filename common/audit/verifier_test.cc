#include "common/audit/verifier.h"

#include <string>
#include <utility>
#include <vector>

#include "common/audit/message.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::audit {
namespace {

constexpr char kIncarnation[] = "inc";

Entry EntryOf(int i) {
  return {.record_time = absl::FromUnixSeconds(1'800'000'000 + i),
          .subject = Cat("user:", i),
          .roles = 2,
          .body = i % 2 == 0 ? "bodies/jade" : "bodies/opale",
          .method = "Service/Method",
          .resources = {{Cat("bodies/opale/things/", i), i}}};
}

void Relink(std::vector<ChainedEntry>& chain, std::size_t from = 0) {
  for (std::size_t i = from; i < chain.size(); ++i) {
    chain[i].position = static_cast<int64_t>(i) + 1;
    chain[i].previous_hash =
        i == 0 ? GenesisHash(kIncarnation) : chain[i - 1].hash;
    chain[i].hash = LinkHash(chain[i].position, chain[i].previous_hash,
                             chain[i].commitment);
  }
}

std::vector<ChainedEntry> ChainOf(int size) {
  std::vector<ChainedEntry> chain;
  for (int i = 1; i <= size; ++i) {
    ChainedEntry& entry = chain.emplace_back();
    entry.entry = EntryOf(i);
    entry.salt = Cat("salt", i);
    entry.commitment = CommitmentOf(*entry.entry, entry.salt);
  }
  Relink(chain);
  return chain;
}

Head HeadOf(const std::vector<ChainedEntry>& chain, std::size_t size) {
  return {kIncarnation, static_cast<int64_t>(size),
          size == 0 ? GenesisHash(kIncarnation) : chain[size - 1].hash};
}

Verdict Verify(const std::vector<ChainedEntry>& chain, const Head& head,
               const std::vector<KeptHead>& kept = {}) {
  ChainVerifier verifier;
  for (const ChainedEntry& entry : chain) verifier.Add(entry);
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

class ChainVerifierTest : public ::testing::Test {
 protected:
  std::vector<ChainedEntry> chain_ = ChainOf(9);
  const Head head_ = HeadOf(chain_, 9);
  const std::vector<KeptHead> kept_ = {{HeadOf(chain_, 0), "a"},
                                       {HeadOf(chain_, 4), "a"},
                                       {HeadOf(chain_, 7), "b"}};
};

TEST_F(ChainVerifierTest, AcceptsAnIntactChain) {
  const Verdict verdict = Verify(chain_, head_, kept_);
  EXPECT_FALSE(verdict.fault.has_value());
  EXPECT_EQ(verdict.entries, 9);
  EXPECT_EQ(verdict.matching_heads, 3);
  EXPECT_EQ(verdict.redacted, 0);
  EXPECT_FALSE(Verify({}, HeadOf({}, 0)).fault.has_value());
}

TEST_F(ChainVerifierTest, AcceptsEntriesThatCameAfterTheHeadWasRead) {
  EXPECT_FALSE(Verify(chain_, HeadOf(chain_, 5), kept_).fault.has_value());
}

TEST_F(ChainVerifierTest, VerifiesEntriesWhoseContentIsHidden) {
  chain_[2].entry.reset();
  chain_[2].salt.clear();
  Verdict verdict = Verify(chain_, head_, kept_);
  EXPECT_FALSE(verdict.fault.has_value());
  EXPECT_EQ(verdict.redacted, 1);
  chain_[2].commitment = chain_[3].commitment;
  EXPECT_TRUE(Verify(chain_, head_).fault.has_value());
}

TEST_F(ChainVerifierTest, VerifiesWhatTheContractCarries) {
  for (ChainedEntry& entry : chain_) {
    ChainedEntry carried = FromProto(ToProto(entry));
    EXPECT_EQ(carried.entry, entry.entry);
    entry = std::move(carried);
  }
  chain_[0].entry->roles = static_cast<int64_t>(uint64_t{1} << 63 | 6);
  EXPECT_EQ(FromProto(ToProto(chain_[0])).entry, chain_[0].entry);
  chain_[0].entry->roles = 2;
  EXPECT_FALSE(Verify(chain_, head_, kept_).fault.has_value());
}

TEST_F(ChainVerifierTest, FindsARemovedEntry) {
  chain_.erase(chain_.begin() + 3);
  EXPECT_TRUE(Finds(Verify(chain_, head_, kept_), Tampering::kRemoved, 4));
}

TEST_F(ChainVerifierTest, FindsARemovedEntryBehindNewPositions) {
  chain_.erase(chain_.begin() + 3);
  for (std::size_t i = 3; i < chain_.size(); ++i) --chain_[i].position;
  const Head head{kIncarnation, 8, head_.hash};
  EXPECT_TRUE(Finds(Verify(chain_, head), Tampering::kRemoved, 4));
}

TEST_F(ChainVerifierTest, FindsTheFirstEntryRemoved) {
  chain_.erase(chain_.begin());
  EXPECT_TRUE(Finds(Verify(chain_, head_), Tampering::kRemoved, 1));
}

TEST_F(ChainVerifierTest, FindsAlteredContent) {
  chain_[4].entry->subject = "somebody else";
  EXPECT_TRUE(Finds(Verify(chain_, head_), Tampering::kAltered, 5));
}

TEST_F(ChainVerifierTest, FindsAlteredContentBehindItsOwnDigests) {
  chain_[4].entry->subject = "somebody else";
  chain_[4].commitment = CommitmentOf(*chain_[4].entry, chain_[4].salt);
  EXPECT_TRUE(Finds(Verify(chain_, head_), Tampering::kAltered, 5));
  chain_[4].hash = LinkHash(5, chain_[4].previous_hash, chain_[4].commitment);
  EXPECT_TRUE(Finds(Verify(chain_, head_), Tampering::kAltered, 5));
}

TEST_F(ChainVerifierTest, FindsTheLastEntryAltered) {
  chain_[8].entry->subject = "somebody else";
  chain_[8].commitment = CommitmentOf(*chain_[8].entry, chain_[8].salt);
  Relink(chain_, 8);
  EXPECT_TRUE(Finds(Verify(chain_, head_), Tampering::kAltered, 9));
}

TEST_F(ChainVerifierTest, FindsWhatIsNoDigest) {
  chain_[1].hash = "";
  EXPECT_TRUE(Finds(Verify(chain_, head_), Tampering::kAltered, 2));
  chain_ = ChainOf(9);
  chain_[1].commitment = std::string(64, '0');
  EXPECT_TRUE(Finds(Verify(chain_, head_), Tampering::kAltered, 2));
}

TEST_F(ChainVerifierTest, FindsRowsThatChangedPlaces) {
  std::swap(chain_[2], chain_[6]);
  std::swap(chain_[2].position, chain_[6].position);
  EXPECT_TRUE(Finds(Verify(chain_, head_), Tampering::kReordered, 3));
}

TEST_F(ChainVerifierTest, FindsContentsThatChangedPlaces) {
  std::swap(chain_[2].entry, chain_[6].entry);
  std::swap(chain_[2].salt, chain_[6].salt);
  EXPECT_TRUE(Finds(Verify(chain_, head_), Tampering::kReordered, 3));
  std::swap(chain_[2].commitment, chain_[6].commitment);
  EXPECT_TRUE(Finds(Verify(chain_, head_), Tampering::kReordered, 3));
}

TEST_F(ChainVerifierTest, FindsAMissingEnd) {
  chain_.resize(6);
  EXPECT_TRUE(Finds(Verify(chain_, head_), Tampering::kTruncated, 7));
  chain_.clear();
  EXPECT_TRUE(Finds(Verify(chain_, head_), Tampering::kTruncated, 1));
}

TEST_F(ChainVerifierTest, AMissingEndBehindANewHeadIsFoundByAKeptHead) {
  chain_.resize(6);
  const Head head = HeadOf(chain_, 6);
  EXPECT_FALSE(Verify(chain_, head).fault.has_value());
  const Verdict verdict = Verify(chain_, head, kept_);
  EXPECT_TRUE(Finds(verdict, Tampering::kTruncated, 7));
  EXPECT_EQ(verdict.fault->witness, "b");
  EXPECT_EQ(verdict.matching_heads, 2);
}

TEST_F(ChainVerifierTest, AConsistentlyRewrittenChainIsFoundByAKeptHead) {
  chain_[5].entry->subject = "somebody else";
  chain_[5].commitment = CommitmentOf(*chain_[5].entry, chain_[5].salt);
  Relink(chain_, 5);
  const Head head = HeadOf(chain_, 9);
  EXPECT_FALSE(Verify(chain_, head).fault.has_value());
  const Verdict verdict = Verify(chain_, head, kept_);
  EXPECT_TRUE(Finds(verdict, Tampering::kRewritten, 7));
  EXPECT_EQ(verdict.fault->witness, "b");
}

TEST_F(ChainVerifierTest, AChainOfAnotherBeginningIsFoundByAKeptHead) {
  Head head = head_;
  head.incarnation = "other";
  EXPECT_TRUE(Finds(Verify(chain_, head), Tampering::kAltered, 1));
  EXPECT_TRUE(Finds(Verify({}, {"other", 0, GenesisHash("other")}, kept_),
                    Tampering::kRewritten, 1));
}

TEST_F(ChainVerifierTest, TellsOfTheFirstFault) {
  chain_[8].entry->subject = "somebody else";
  chain_[1].entry->subject = "somebody else";
  chain_[1].commitment = CommitmentOf(*chain_[1].entry, chain_[1].salt);
  Relink(chain_, 1);
  EXPECT_TRUE(Finds(Verify(chain_, HeadOf(chain_, 9), kept_),
                    Tampering::kRewritten, 4));
}

TEST_F(ChainVerifierTest, FindsAHeadThatIsNotTheEnd) {
  Head head = head_;
  head.hash = GenesisHash("x");
  EXPECT_TRUE(Finds(Verify(chain_, head), Tampering::kAltered, 9));
}

}  // namespace
}  // namespace parcours::audit
