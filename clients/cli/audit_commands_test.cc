#include "clients/cli/audit_commands.h"

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/audit/audit_rpc.h"
#include "common/audit/chain.h"
#include "common/audit/read_journal.h"
#include "common/audit/trail.h"
#include "common/audit/witness.h"
#include "common/storage/sequencer.h"
#include "common/testing/database_fixture.h"
#include "common/testing/rpc_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::cli {
namespace {

using ::parcours::testing::TempDir;
using ::parcours::testing::TestDatabase;

// One service as far as its audit trail goes, on SQLite.
class AuditedServer {
 public:
  explicit AuditedServer(const std::string& service)
      : files_(storage::Engine::kSqlite),
        database_(files_.Open({})),
        sequencer_(*database_, {.steps = {audit::ChainStep()}}),
        journal_(*database_, fixture_.metrics(),
                 {.flush_interval = absl::Hours(1)}),
        rpc_(fixture_.shell(), *database_, page_tokens_, journal_, service) {
    fixture_.Serve({&rpc_});
  }
  ~AuditedServer() { fixture_.StopServing(); }

  std::string address() { return Cat("127.0.0.1:", fixture_.server().port()); }
  audit::Peer peer(const std::string& service) {
    return audit::PeerAt(service, fixture_.channel());
  }

  void Change(int64_t version) {
    access::Caller caller = SystemCaller();
    caller.principal.subject = "user:1";
    caller.method = "Service/Change";
    ASSERT_OK(
        database_->Transact(caller, [&](storage::Transaction& transaction) {
          transaction.Record({.kind = "thing",
                              .name = "bodies/opale/things/1",
                              .version = version});
          return absl::StatusOr<storage::Outcome>(storage::Outcome{});
        }));
    ASSERT_OK(sequencer_.RunOnce());
  }
  void Execute(const std::string& sql) {
    ASSERT_OK(database_->Transact(
        SystemCaller(), [&](storage::Transaction& transaction) {
          transaction.Write({sql, {}});
          return absl::StatusOr<storage::Outcome>(storage::Outcome{});
        }));
  }
  // Removes an entry and links all others again.
  void RewriteWithout(int64_t position) {
    Execute(Cat("DELETE FROM audit_entry WHERE position = ", position));
    Execute(
        "UPDATE audit_entry SET position = NULL, previous_hash = NULL, "
        "hash = NULL");
    Execute("UPDATE audit_state SET position = 0, hash = ''");
    ASSERT_OK(sequencer_.RunOnce());
  }
  void Witness(audit::Peer peer) {
    audit::Witness witness(*database_, fixture_.metrics(), {std::move(peer)});
    ASSERT_OK(witness.Observe());
  }

 private:
  static access::Caller SystemCaller() {
    return audit::TrailCaller(absl::Now() + absl::Seconds(20));
  }

  TestDatabase files_;
  std::unique_ptr<storage::Database> database_;
  storage::Sequencer sequencer_;
  const rpc::PageTokens page_tokens_{"a key for tests, 32 bytes long..."};
  RpcFixture fixture_;
  audit::BufferedReadJournal journal_;
  audit::AuditRpc rpc_;
};

class AuditCommandsTest : public ::testing::Test {
 protected:
  AuditCommandsTest() {
    for (int64_t i = 1; i <= 4; ++i) enrolment_.Change(i);
  }

  ServiceAddresses Addresses() {
    return {.enrolment = enrolment_.address(),
            .scheduling = scheduling_.address()};
  }
  ExitCode Verify(const std::string& against = "") {
    out_.str("");
    errors_.str("");
    return VerifyAuditCommand(Addresses(), against, out_, errors_);
  }
  bool Says(const std::string& text) {
    return out_.str().find(text) != std::string::npos;
  }

  AuditedServer enrolment_{"enrolment"};
  AuditedServer scheduling_{"scheduling"};
  TempDir folder_;
  std::ostringstream out_;
  std::ostringstream errors_;
};

TEST_F(AuditCommandsTest, IntactChainsAreAccepted) {
  scheduling_.Witness(enrolment_.peer("enrolment"));
  EXPECT_EQ(Verify(), kSuccess) << errors_.str();
  EXPECT_TRUE(
      Says("enrolment : chaîne intacte, 4 entrées vérifiées ; 1 tête "
           "conservée ailleurs concorde."))
      << out_.str();
  EXPECT_TRUE(Says("scheduling : chaîne intacte, 0 entrée vérifiée ; aucune"))
      << out_.str();
}

TEST_F(AuditCommandsTest, AFaultIsToldWithItsPlace) {
  enrolment_.Execute(
      "UPDATE audit_entry SET subject = 'user:2' WHERE position = 3");
  EXPECT_EQ(Verify(), kRefused);
  EXPECT_TRUE(
      Says("enrolment : FAUTE à la position 3, l’entrée a été modifiée "
           "[ALTERED]"))
      << out_.str();
  EXPECT_TRUE(Says("scheduling : chaîne intacte")) << out_.str();
}

TEST_F(AuditCommandsTest, ARewrittenChainIsFoundByItsWitness) {
  scheduling_.Witness(enrolment_.peer("enrolment"));
  enrolment_.RewriteWithout(2);
  enrolment_.Change(5);
  EXPECT_EQ(Verify(), kRefused);
  EXPECT_TRUE(Says("FAUTE à la position 4")) << out_.str();
  EXPECT_TRUE(Says("(témoin : scheduling) [REWRITTEN]")) << out_.str();
}

TEST_F(AuditCommandsTest, ARewrittenChainIsFoundByAFileOfHeads) {
  const std::string file = folder_.File("heads");
  {
    std::ofstream kept(file);
    ASSERT_EQ(AuditHeadCommand(Addresses(), kept, errors_), kSuccess);
  }
  EXPECT_EQ(Verify(file), kSuccess) << errors_.str();
  enrolment_.RewriteWithout(2);
  EXPECT_EQ(Verify(), kSuccess) << "nobody has kept a head";
  EXPECT_EQ(Verify(file), kRefused);
  EXPECT_TRUE(Says(Cat("(témoin : ", file, ") [TRUNCATED]"))) << out_.str();
}

TEST_F(AuditCommandsTest, AServiceThatIsAwayIsNoVerdict) {
  ServiceAddresses addresses = Addresses();
  addresses.scheduling = Cat("unix:", folder_.File("nobody"));
  EXPECT_EQ(VerifyAuditCommand(addresses, "", out_, errors_), kUnreachable);
  EXPECT_TRUE(Says("enrolment : chaîne intacte")) << out_.str();
  EXPECT_NE(errors_.str().find("scheduling"), std::string::npos);
}

TEST_F(AuditCommandsTest, AFileThatHoldsNoHeadsIsRefused) {
  const std::string file = folder_.File("heads");
  std::ofstream(file) << "# kept\n\nenrolment abc\n";
  EXPECT_EQ(Verify(file), kUsage);
  EXPECT_NE(errors_.str().find("ligne 3"), std::string::npos) << errors_.str();
  EXPECT_EQ(Verify(folder_.File("absent")), kUsage);
}

TEST_F(AuditCommandsTest, EntriesAreListedReadably) {
  EXPECT_EQ(
      ListAuditCommand(Addresses(), {.service = "enrolment"}, out_, errors_),
      kSuccess);
  EXPECT_TRUE(Says("user:1  a modifié  Service/Change")) << out_.str();
  EXPECT_TRUE(Says("    bodies/opale/things/1 (version 4)")) << out_.str();
  out_.str("");
  EXPECT_EQ(ListAuditCommand(Addresses(), {.subject = "user:9"}, out_, errors_),
            kSuccess);
  EXPECT_EQ(out_.str(), "enrolment\nscheduling\n");
  EXPECT_EQ(ListAuditCommand(Addresses(), {.service = "nobody"}, out_, errors_),
            kUsage);
}

}  // namespace
}  // namespace parcours::cli
