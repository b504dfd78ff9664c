#include "common/audit/audit_rpc.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "common/audit/chain.h"
#include "common/audit/message.h"
#include "common/audit/read_journal.h"
#include "common/audit/trail.h"
#include "common/audit/verifier.h"
#include "common/audit/witness.h"
#include "common/rpc/grpc_status.h"
#include "common/storage/sequencer.h"
#include "common/testing/database_fixture.h"
#include "common/testing/rpc_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::audit {
namespace {

namespace pb = ::parcours::platform::v1;

using ::parcours::testing::EngineName;
using ::parcours::testing::EnginesUnderTest;
using ::parcours::testing::TestDatabase;

access::Principal PrincipalOf(type::v1::Role role, const std::string& body) {
  access::Principal principal{.subject = "user:auditor"};
  principal.roles.Add(role);
  principal.body = body;
  return principal;
}

class AuditRpcTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  AuditRpcTest()
      : files_(GetParam()),
        database_(files_.Open({})),
        sequencer_(*database_, {.steps = {ChainStep()}}),
        fixture_([this](rpc::ShellOptions& options) {
          options.identify = [this](const grpc::CallbackServerContext&) {
            return absl::StatusOr<access::Principal>(principal_);
          };
        }),
        journal_(*database_, fixture_.metrics(),
                 {.flush_interval = absl::Hours(1)}),
        rpc_(fixture_.shell(), *database_, page_tokens_, journal_,
             "enrolment") {
    fixture_.Serve({&rpc_});
    stub_ = pb::AuditService::NewStub(fixture_.channel());
    for (const char* name : {"bodies/opale/things/1", "bodies/jade/things/1",
                             "bodies/opale/things/2"}) {
      Change(name);
    }
    Chain();
  }
  ~AuditRpcTest() override { fixture_.StopServing(); }

  void Change(const std::string& name) {
    access::Caller caller = TrailCaller(absl::Now() + absl::Seconds(20));
    caller.principal = PrincipalOf(type::v1::ROLE_COORDINATOR, "");
    caller.principal.subject = "user:coordinator";
    caller.method = "Service/Change";
    ASSERT_OK(
        database_->Transact(caller, [&](storage::Transaction& transaction) {
          transaction.Record({.kind = "thing", .name = name, .version = 4});
          return absl::StatusOr<storage::Outcome>(storage::Outcome{name, 4});
        }));
  }
  void Chain() { ASSERT_OK(sequencer_.RunOnce()); }

  absl::StatusOr<pb::ListAuditEntriesResponse> List(
      const pb::ListAuditEntriesRequest& request = {}) {
    return Call(&pb::AuditService::StubInterface::ListAuditEntries, request);
  }
  absl::StatusOr<pb::AuditHead> GetHead() {
    return Call(&pb::AuditService::StubInterface::GetAuditHead,
                pb::GetAuditHeadRequest());
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(
      grpc::Status (pb::AuditService::StubInterface::*method)(
          grpc::ClientContext*, const Request&, Response*),
      const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(20)));
    Response response;
    const absl::Status status = rpc::FromGrpcStatus(
        (stub_.get()->*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  access::Principal principal_ = PrincipalOf(type::v1::ROLE_ADMINISTRATOR, "");
  TestDatabase files_;
  std::unique_ptr<storage::Database> database_;
  storage::Sequencer sequencer_;
  const rpc::PageTokens page_tokens_{"a key for tests, 32 bytes long..."};
  RpcFixture fixture_;
  BufferedReadJournal journal_;
  AuditRpc rpc_;
  std::unique_ptr<pb::AuditService::StubInterface> stub_;
};

INSTANTIATE_TEST_SUITE_P(Engines, AuditRpcTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(AuditRpcTest, TheWholeChainIsVerifiedFromPagesOfTheApi) {
  const auto head = GetHead();
  ASSERT_OK(head);
  EXPECT_EQ(head->service(), "enrolment");
  EXPECT_EQ(head->incarnation(), database_->incarnation());
  EXPECT_EQ(head->position(), 3);
  ChainVerifier verifier;
  pb::ListAuditEntriesRequest request;
  request.set_page_size(2);
  int pages = 0;
  do {
    const auto page = List(request);
    ASSERT_OK(page);
    ++pages;
    for (const pb::AuditEntry& entry : page->entries()) {
      verifier.Add(FromProto(entry));
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(pages, 2);
  const Verdict verdict = verifier.Finish(
      {head->incarnation(), head->position(), head->hash()}, {});
  EXPECT_FALSE(verdict.fault.has_value());
  EXPECT_EQ(verdict.entries, 3);
}

TEST_P(AuditRpcTest, AnEntrySaysWhoDidWhatToWhat) {
  const auto page = List();
  ASSERT_OK(page);
  const pb::AuditRecord& record = page->entries(0).record();
  EXPECT_EQ(record.subject(), "user:coordinator");
  ASSERT_EQ(record.roles_size(), 1);
  EXPECT_EQ(record.roles(0), type::v1::ROLE_COORDINATOR);
  EXPECT_EQ(record.method(), "Service/Change");
  EXPECT_EQ(record.action(), pb::AuditRecord::ACTION_CHANGE);
  EXPECT_EQ(record.body(), "bodies/opale");
  ASSERT_EQ(record.resources_size(), 1);
  EXPECT_EQ(record.resources(0).name(), "bodies/opale/things/1");
  EXPECT_EQ(record.resources(0).version(), 4);
}

TEST_P(AuditRpcTest, AnAuditorOfOneBodyVerifiesTheRestWithoutSeeingIt) {
  principal_ = PrincipalOf(type::v1::ROLE_AUDITOR, "bodies/opale");
  const auto head = GetHead();
  ASSERT_OK(head);
  const auto page = List();
  ASSERT_OK(page);
  ASSERT_EQ(page->entries_size(), 3);
  EXPECT_FALSE(page->entries(0).redacted());
  EXPECT_TRUE(page->entries(1).redacted());
  EXPECT_FALSE(page->entries(1).has_record());
  EXPECT_EQ(page->DebugString().find("jade"), std::string::npos);
  ChainVerifier verifier;
  for (const pb::AuditEntry& entry : page->entries()) {
    verifier.Add(FromProto(entry));
  }
  EXPECT_FALSE(
      verifier.Finish({head->incarnation(), head->position(), head->hash()}, {})
          .fault.has_value());
}

TEST_P(AuditRpcTest, FiltersLeaveOutWhatIsHidden) {
  principal_ = PrincipalOf(type::v1::ROLE_AUDITOR, "bodies/opale");
  pb::ListAuditEntriesRequest request;
  request.set_action(pb::AuditRecord::ACTION_CHANGE);
  auto page = List(request);
  ASSERT_OK(page);
  EXPECT_EQ(page->entries_size(), 2);
  request.set_resource("bodies/jade");
  page = List(request);
  ASSERT_OK(page);
  EXPECT_EQ(page->entries_size(), 0);
}

TEST_P(AuditRpcTest, OthersAreRefused) {
  for (const auto role : {type::v1::ROLE_COORDINATOR, type::v1::ROLE_SERVICE}) {
    principal_ = PrincipalOf(role, "bodies/opale");
    EXPECT_THAT(List(), HasReason(Reason::kPermissionDenied));
    EXPECT_THAT(Call(&pb::AuditService::StubInterface::ListAuditWitnesses,
                     pb::ListAuditWitnessesRequest()),
                HasReason(Reason::kPermissionDenied));
  }
}

TEST_P(AuditRpcTest, WhoeverListsStandsInTheTrail) {
  principal_ = PrincipalOf(type::v1::ROLE_AUDITOR, "bodies/opale");
  pb::ListAuditEntriesRequest request;
  request.set_resource("bodies/opale/things/1");
  ASSERT_OK(List(request));
  ASSERT_OK(journal_.Flush());
  Chain();
  request.clear_resource();
  request.set_action(pb::AuditRecord::ACTION_READ);
  const auto page = List(request);
  ASSERT_OK(page);
  ASSERT_EQ(page->entries_size(), 1);
  const pb::AuditRecord& record = page->entries(0).record();
  EXPECT_EQ(record.subject(), "user:auditor");
  EXPECT_EQ(record.method(),
            "parcours.platform.v1.AuditService/ListAuditEntries");
  EXPECT_EQ(record.resources(0).name(), "bodies/opale/things/1");
  EXPECT_EQ(record.trace_id().size(), 32u);
}

TEST_P(AuditRpcTest, AnotherServiceWitnessesTheHead) {
  TestDatabase other_files(GetParam());
  const auto other = other_files.Open({});
  std::vector<Peer> peers = {PeerAt("enrolment", fixture_.channel())};
  Witness witness(*other, fixture_.metrics(), std::move(peers));
  ASSERT_OK(witness.Observe());
  const auto kept =
      ReadWitnesses(*other, "", 0, 10, absl::Now() + absl::Seconds(20));
  ASSERT_OK(kept);
  ASSERT_EQ(kept->heads.size(), 1u);
  const auto head = GetHead();
  ASSERT_OK(head);
  EXPECT_EQ(kept->heads[0].head.hash, head->hash());
  EXPECT_EQ(kept->heads[0].head.position, 3);
  // It answers for what it has kept itself, which is nothing.
  const auto none = Call(&pb::AuditService::StubInterface::ListAuditWitnesses,
                         pb::ListAuditWitnessesRequest());
  ASSERT_OK(none);
  EXPECT_EQ(none->heads_size(), 0);
}

TEST_P(AuditRpcTest, APageTokenOfAnotherRequestIsRefused) {
  pb::ListAuditEntriesRequest request;
  request.set_page_size(1);
  const auto page = List(request);
  ASSERT_OK(page);
  request.set_page_token(page->next_page_token());
  request.set_subject("user:1");
  EXPECT_THAT(List(request), HasReason(Reason::kPageTokenInvalid));
}

}  // namespace
}  // namespace parcours::audit
