#include "common/privacy/privacy_rpc.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/access/own_key.h"
#include "common/audit/chain.h"
#include "common/audit/read_journal.h"
#include "common/audit/trail.h"
#include "common/crypto/digest.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/testdata/probe.pb.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/storage/sequencer.h"
#include "common/testing/database_fixture.h"
#include "common/testing/rpc_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gtest/gtest.h"
#include "parcours/platform/v1/upload.pb.h"

namespace parcours::privacy {
namespace {

namespace pb = ::parcours::platform::v1;

using ::parcours::testing::EngineName;
using ::parcours::testing::EnginesUnderTest;
using ::parcours::testing::TestDatabase;

using Strings = std::vector<std::string>;

constexpr char kBody[] = "bodies/opale";
constexpr char kPerson[] = "bodies/opale/persons/une";
constexpr char kOther[] = "bodies/opale/persons/deux";
constexpr char kThing[] = "bodies/opale/things/1";
constexpr char kRequestId[] = "0190b2d0-7d3b-7000-8000-000000000001";

constexpr storage::Migration kMigrations[] = {{100, "due", R"sql(
CREATE TABLE due (name {key_text} PRIMARY KEY, removed SMALLINT NOT NULL);
)sql"}};

rules::DatedRule Rule(std::int64_t value, rules::RuleUnit unit) {
  return {.id = "retention.things",
          .value = value,
          .unit = unit,
          .article = "RGPD art. 5",
          .source = "https://example.test/article",
          .version = "fr/retention.things@2020-01-01"};
}

// A service that holds what the test says; what is due stands in a table.
class FakePersonalData final : public PersonalData {
 public:
  explicit FakePersonalData(storage::Database& database)
      : database_(database) {}

  absl::StatusOr<PersonExport> Export(const access::Caller&,
                                      const std::string& person) override {
    if (unknown.contains(person)) {
      return MakeError(Reason::kNotFound, {{"resource", person}});
    }
    PersonExport data;
    for (const auto& [kind, resource, message] : records) {
      ExportedRecord record{.kind = kind, .resource = resource};
      record.content.reset(message->New());
      record.content->CopyFrom(*message);
      data.records.push_back(std::move(record));
    }
    for (const auto& [resource, name, bytes] : documents) {
      data.documents.push_back(
          {.resource = resource,
           .kind = "CV",
           .file_name = name,
           .sha256 = crypto::Sha256Hex(bytes),
           .byte_size = static_cast<int64_t>(bytes.size()),
           .read = [bytes = bytes]() -> absl::StatusOr<std::string> {
             if (bytes == "lost") return absl::InternalError("damaged");
             return bytes;
           }});
    }
    return data;
  }

  absl::StatusOr<std::vector<LegalHold>> Holds(const access::Caller&,
                                               const std::string&) override {
    return holds;
  }

  absl::StatusOr<std::vector<RetentionClass>> Due(
      const access::Caller& caller, const std::string& body) override {
    std::vector<RetentionClass> classes;
    RETURN_IF_ERROR(database_.View(
        caller, [&](storage::Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(classes, Find(transaction, body));
          return absl::OkStatus();
        }));
    return classes;
  }

  absl::StatusOr<std::vector<RetentionClass>> RemoveDue(
      const access::Caller& caller, const std::string& body,
      const std::function<absl::Status(const std::vector<RetentionClass>&)>&
          check) override {
    std::vector<RetentionClass> classes;
    RETURN_IF_ERROR(
        database_
            .Transact(caller,
                      [&](storage::Transaction& transaction)
                          -> absl::StatusOr<storage::Outcome> {
                        classes.clear();
                        ASSIGN_OR_RETURN(classes, Find(transaction, body));
                        RETURN_IF_ERROR(check(classes));
                        transaction.Write(
                            {"UPDATE due SET removed = 1 WHERE removed = 0",
                             {}});
                        return storage::Outcome{.name = body, .version = 1};
                      })
            .status());
    return classes;
  }

  struct Record {
    std::string kind;
    std::string resource;
    std::shared_ptr<google::protobuf::Message> message;
  };
  struct Document {
    std::string resource;
    std::string name;
    std::string bytes;
  };
  std::vector<Record> records;
  std::vector<Document> documents;
  std::vector<LegalHold> holds;
  std::set<std::string> unknown;

 private:
  static absl::StatusOr<std::vector<RetentionClass>> Find(
      storage::Transaction& transaction, const std::string& body) {
    ASSIGN_OR_RETURN(
        const storage::Rows rows,
        transaction.Query({"SELECT name FROM due WHERE removed = 0"
                           " AND name > $1 AND name < $2 ORDER BY name",
                           {body + "/", body + "0"}}));
    RetentionClass things{.kind = "things",
                          .description_fr = "Choses dont on n’a plus besoin",
                          .rule = Rule(2, rules::RuleUnit::kYears),
                          .starts_fr = "après la décision"};
    for (const storage::Row& row : rows) things.due.push_back(row.Text(0));
    RetentionClass never{.kind = "never",
                         .rule = Rule(1, rules::RuleUnit::kYears)};
    return std::vector<RetentionClass>{things, never};
  }

  storage::Database& database_;
};

access::Principal PrincipalOf(type::v1::Role role, const std::string& body,
                              const std::string& person = "") {
  access::Principal principal{.subject = "user:caller"};
  principal.roles.Add(role);
  principal.body = body;
  principal.person = person;
  return principal;
}

std::shared_ptr<pb::Upload> Message(const std::string& name) {
  auto message = std::make_shared<pb::Upload>();
  message->set_name(name);
  message->set_byte_size(7);
  return message;
}

class PrivacyRpcTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  PrivacyRpcTest()
      : files_(GetParam()),
        database_(files_.Open(kMigrations)),
        sequencer_(*database_, {.steps = {audit::ChainStep()}}),
        journal_(*database_, metrics_, {.flush_interval = absl::Hours(1)}),
        fixture_([this](rpc::ShellOptions& options) {
          options.read_journal = &journal_;
          options.identify = [this](const grpc::CallbackServerContext&) {
            return absl::StatusOr<access::Principal>(principal_);
          };
        }),
        data_(*database_),
        rpc_(fixture_.shell(), *database_, data_) {
    fixture_.Serve({&rpc_});
    stub_ = pb::PrivacyService::NewStub(fixture_.channel());
  }
  ~PrivacyRpcTest() override { fixture_.StopServing(); }

  // One change of all these in one call of `subject`.
  void Change(const Strings& names, const std::string& subject) {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal = PrincipalOf(type::v1::ROLE_ADMISSIONS, kBody);
    caller.principal.subject = subject;
    caller.acting_roles = caller.principal.roles;
    caller.method = "Service/Change";
    caller.deadline = absl::Now() + absl::Seconds(20);
    ASSERT_OK(
        database_->Transact(caller, [&](storage::Transaction& transaction) {
          for (const std::string& name : names) {
            transaction.Record({.kind = "thing", .name = name, .version = 1});
          }
          return absl::StatusOr<storage::Outcome>(storage::Outcome{});
        }));
  }
  void Chain() { ASSERT_OK(sequencer_.RunOnce()); }

  void AddDue(const std::string& name) {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.deadline = absl::Now() + absl::Seconds(20);
    ASSERT_OK(
        database_->Transact(caller, [&](storage::Transaction& transaction) {
          transaction.Write({"INSERT INTO due VALUES ($1, 0)", {name}});
          return absl::StatusOr<storage::Outcome>(storage::Outcome{});
        }));
  }

  using Pieces = std::vector<pb::ExportPersonResponse>;
  absl::StatusOr<Pieces> Export(const std::string& person = kPerson) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
    pb::ExportPersonRequest request;
    request.set_name(person);
    const auto reader = stub_->ExportPerson(&context, request);
    Pieces pieces;
    pb::ExportPersonResponse piece;
    while (reader->Read(&piece)) pieces.push_back(piece);
    RETURN_IF_ERROR(rpc::FromGrpcStatus(reader->Finish()));
    return pieces;
  }

  // "time, who, …" of the accesses, without the time.
  struct Access {
    std::string subject;
    std::string method;
    std::string action;
    Strings roles;
    Strings resources;
    friend bool operator==(const Access&, const Access&) = default;
  };
  std::vector<Access> Accesses() {
    const auto pieces = Export();
    EXPECT_OK(pieces);
    std::vector<Access> accesses;
    if (!pieces.ok()) return accesses;
    for (const pb::ExportPersonResponse& piece : *pieces) {
      if (piece.record().kind() != "access") continue;
      const auto& fields = piece.record().content().fields();
      EXPECT_TRUE(fields.contains("time"));
      const auto list = [&](const char* key) {
        Strings values;
        for (const auto& value : fields.at(key).list_value().values()) {
          values.push_back(value.string_value());
        }
        return values;
      };
      accesses.push_back({.subject = fields.contains("subject")
                                         ? fields.at("subject").string_value()
                                         : "",
                          .method = fields.at("method").string_value(),
                          .action = fields.at("action").string_value(),
                          .roles = list("roles"),
                          .resources = list("resources")});
    }
    return accesses;
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(
      grpc::Status (pb::PrivacyService::StubInterface::*method)(
          grpc::ClientContext*, const Request&, Response*),
      const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
    Response response;
    RETURN_IF_ERROR(rpc::FromGrpcStatus(
        (stub_.get()->*method)(&context, request, &response)));
    return response;
  }

  absl::StatusOr<pb::ListLegalHoldsResponse> Holds(
      const std::string& person = kPerson) {
    pb::ListLegalHoldsRequest request;
    request.set_name(person);
    return Call(&pb::PrivacyService::StubInterface::ListLegalHolds, request);
  }
  absl::StatusOr<pb::RetentionPlan> Plan(const std::string& body = kBody) {
    pb::PlanRetentionRequest request;
    request.set_parent(body);
    return Call(&pb::PrivacyService::StubInterface::PlanRetention, request);
  }
  absl::StatusOr<pb::RetentionPlan> Apply(const std::string& etag,
                                          const std::string& request_id = "",
                                          const std::string& body = kBody) {
    pb::ApplyRetentionRequest request;
    request.set_parent(body);
    request.set_etag(etag);
    request.set_request_id(request_id);
    return Call(&pb::PrivacyService::StubInterface::ApplyRetention, request);
  }

  access::Principal principal_ = PrincipalOf(type::v1::ROLE_COORDINATOR, kBody);
  TestDatabase files_;
  std::unique_ptr<storage::Database> database_;
  storage::Sequencer sequencer_;
  telemetry::Metrics metrics_;
  audit::BufferedReadJournal journal_;
  RpcFixture fixture_;
  FakePersonalData data_;
  PrivacyRpc rpc_;
  std::unique_ptr<pb::PrivacyService::StubInterface> stub_;
};

INSTANTIATE_TEST_SUITE_P(Engines, PrivacyRpcTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(PrivacyRpcTest, RecordsComeFirstThenDocumentsThenAccesses) {
  data_.records = {{"person", kPerson, Message(kPerson)},
                   {"thing", kThing, Message(kThing)}};
  const std::string large(150'000, 'x');
  data_.documents = {{kThing, "cv.pdf", large}, {kThing, "note.pdf", "small"}};
  Change({kThing}, "user:1");
  Chain();
  const auto pieces = Export();
  ASSERT_OK(pieces);
  Strings order;
  std::vector<std::string> files;
  for (const pb::ExportPersonResponse& piece : *pieces) {
    if (piece.has_record()) {
      order.push_back(piece.record().kind());
    } else if (piece.has_document()) {
      order.push_back(piece.document().file_name());
      files.emplace_back();
    } else {
      order.push_back("chunk");
      ASSERT_FALSE(files.empty());
      EXPECT_FALSE(piece.chunk().empty());
      EXPECT_LE(piece.chunk().size(), 65536u);
      files.back() += piece.chunk();
    }
  }
  ASSERT_GE(order.size(), 9u);
  EXPECT_EQ(order[0], "person");
  EXPECT_EQ(Strings(order.begin(), order.begin() + 9),
            (Strings{"person", "thing", "cv.pdf", "chunk", "chunk", "chunk",
                     "note.pdf", "chunk", "access"}));
  EXPECT_EQ(files, (Strings{large, "small"}));
  const pb::ExportedDocument& document = (*pieces)[2].document();
  EXPECT_EQ(document.byte_size(), 150'000);
  EXPECT_EQ(document.sha256(), crypto::Sha256Hex(large));
  EXPECT_EQ(document.resource(), kThing);
  EXPECT_EQ(document.kind(), "CV");
}

TEST_P(PrivacyRpcTest, ARecordSaysWhatItsMessageSays) {
  data_.records = {{"thing", kThing, Message(kThing)}};
  const auto pieces = Export();
  ASSERT_OK(pieces);
  ASSERT_GE(pieces->size(), 1u);
  const pb::ExportedRecord& record = (*pieces)[0].record();
  EXPECT_EQ(record.resource(), kThing);
  EXPECT_EQ(record.content().fields().at("name").string_value(), kThing);
  EXPECT_EQ(record.content().fields().at("byteSize").string_value(), "7");
}

TEST_P(PrivacyRpcTest, ARecordHidesWhatTheCallerMayNotReadElsewhere) {
  auto thing = std::make_shared<testdata::v1::Thing>();
  thing->set_name(kThing);
  thing->set_verdict("for the coordinator");
  data_.records = {{"thing", kThing, thing}};
  const auto tells = [&] {
    const auto pieces = Export();
    EXPECT_OK(pieces);
    return pieces->at(0).record().content().fields().contains("verdict");
  };
  EXPECT_TRUE(tells());
  principal_ = PrincipalOf(type::v1::ROLE_LEARNER, kBody, kPerson);
  EXPECT_FALSE(tells());
}

TEST_P(PrivacyRpcTest, AnEmptyExportEnds) {
  const auto pieces = Export();
  ASSERT_OK(pieces);
  EXPECT_TRUE(pieces->empty());
}

TEST_P(PrivacyRpcTest, AnEmptyFileHasNoChunk) {
  data_.documents = {{kThing, "empty.pdf", ""}, {kThing, "b.pdf", "b"}};
  const auto pieces = Export();
  ASSERT_OK(pieces);
  ASSERT_GE(pieces->size(), 3u);
  EXPECT_TRUE((*pieces)[0].has_document());
  EXPECT_EQ((*pieces)[1].document().file_name(), "b.pdf");
  EXPECT_EQ((*pieces)[2].chunk(), "b");
}

TEST_P(PrivacyRpcTest, NoTwoFilesHaveOneName) {
  data_.documents = {{kThing, "cv.pdf", "1"},   {kThing, "cv.pdf", "2"},
                     {kThing, "cv-2.pdf", "3"}, {kThing, "cv.pdf", "4"},
                     {kThing, "cv", "5"},       {kThing, "cv", "6"}};
  const auto pieces = Export();
  ASSERT_OK(pieces);
  Strings names;
  for (const pb::ExportPersonResponse& piece : *pieces) {
    if (piece.has_document()) names.push_back(piece.document().file_name());
  }
  EXPECT_EQ(names, (Strings{"cv.pdf", "cv-2.pdf", "cv-2-2.pdf", "cv-3.pdf",
                            "cv", "cv-2"}));
}

TEST_P(PrivacyRpcTest, AFileThatCannotBeReadIsNoFileThatIsLeftOut) {
  data_.documents = {{kThing, "cv.pdf", "lost"}};
  EXPECT_THAT(Export(), StatusIs(absl::StatusCode::kInternal));
}

TEST_P(PrivacyRpcTest, AccessesAreThoseToThePersonAndToWhatIsTheirs) {
  data_.records = {{"thing", kThing, Message(kThing)}};
  Change({kPerson}, "user:1");
  Change({kThing, "bodies/opale/things/10"}, "user:2");
  Change({kOther}, "user:3");
  Change({Cat(kThing, "/parts/1")}, "user:4");
  Change({Cat(kPerson, "/parts/1"), kThing}, "user:5");
  Change({"bodies/opale/persons/une-autre"}, "user:6");
  Chain();
  std::vector<Access> accesses = Accesses();
  const auto change = [](const std::string& subject, Strings resources) {
    return Access{.subject = subject,
                  .method = "Service/Change",
                  .action = "CHANGE",
                  .roles = {"ROLE_ADMISSIONS"},
                  .resources = std::move(resources)};
  };
  std::sort(
      accesses.begin(), accesses.end(),
      [](const Access& a, const Access& b) { return a.subject < b.subject; });
  // An entry stands once, with what is theirs alone.
  EXPECT_EQ(accesses, (std::vector<Access>{
                          change("user:1", {kPerson}),
                          change("user:2", {kThing}),
                          change("user:5", {Cat(kPerson, "/parts/1"), kThing}),
                      }));
}

TEST_P(PrivacyRpcTest, AllAccessesAreToldHoweverManyThereAre) {
  constexpr int kEntries = 450;
  for (int i = 0; i < kEntries; ++i) Change({kPerson}, Cat("user:", i));
  Chain();
  EXPECT_EQ(Accesses().size(), std::size_t{kEntries});
}

TEST_P(PrivacyRpcTest, AnExportIsAnAccessItselfAndOnlyOne) {
  data_.documents = {{kThing, "cv.pdf", std::string(200'000, 'x')}};
  ASSERT_OK(Export());
  Chain();
  const std::vector<Access> accesses = Accesses();
  ASSERT_EQ(accesses.size(), 1u);
  EXPECT_EQ(accesses[0].subject, "user:caller");
  EXPECT_EQ(accesses[0].action, "READ");
  EXPECT_EQ(accesses[0].method,
            "parcours.platform.v1.PrivacyService/ExportPerson");
  EXPECT_EQ(accesses[0].resources, Strings{kPerson});
}

TEST_P(PrivacyRpcTest, ALearnerExportsThemselvesAndNobodyElse) {
  principal_ = PrincipalOf(type::v1::ROLE_LEARNER, kBody, kPerson);
  data_.records = {{"person", kPerson, Message(kPerson)}};
  EXPECT_OK(Export());
  EXPECT_THAT(Export(kOther), HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(Holds(), HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(Plan(), HasReason(Reason::kPermissionDenied));
}

TEST_P(PrivacyRpcTest, ALearnerLearnsTheRolesOfOthersAndNotWhoTheyAre) {
  principal_ = PrincipalOf(type::v1::ROLE_LEARNER, kBody, kPerson);
  Change({kPerson}, "user:coordinator");
  Change({kPerson}, "user:caller");
  Chain();
  const std::vector<Access> accesses = Accesses();
  ASSERT_EQ(accesses.size(), 2u);
  EXPECT_EQ(accesses[0].subject, "");
  EXPECT_EQ(accesses[0].roles, Strings{"ROLE_ADMISSIONS"});
  EXPECT_EQ(accesses[1].subject, "user:caller");
}

TEST_P(PrivacyRpcTest, OtherBodiesAndOtherRolesAreRefused) {
  for (const access::Principal& refused :
       {PrincipalOf(type::v1::ROLE_COORDINATOR, "bodies/jade"),
        PrincipalOf(type::v1::ROLE_TRAINER, kBody, kPerson)}) {
    principal_ = refused;
    EXPECT_THAT(Export(), HasReason(Reason::kPermissionDenied));
    EXPECT_THAT(Holds(), HasReason(Reason::kPermissionDenied));
    EXPECT_THAT(Plan(), HasReason(Reason::kPermissionDenied));
    EXPECT_THAT(Apply("\"x\""), HasReason(Reason::kPermissionDenied));
  }
}

TEST_P(PrivacyRpcTest, AnUnknownPersonAndANameOfSomethingElse) {
  data_.unknown = {kPerson};
  EXPECT_THAT(Export(), HasReason(Reason::kNotFound));
  EXPECT_THAT(Export("bodies/opale/things/1"), ViolatesField("name"));
  EXPECT_THAT(Holds("bodies/opale"), ViolatesField("name"));
  EXPECT_THAT(Plan("bodies"), ViolatesField("parent"));
}

TEST_P(PrivacyRpcTest, HoldsAreListedByResource) {
  rules::DatedRule rule = Rule(3, rules::RuleUnit::kYears);
  data_.holds = {
      HoldWhileUnderWay("bodies/opale/things/2"),
      HoldFrom("funding_pieces", kThing, absl::CivilDay(2026, 12, 31), rule)};
  const auto holds = Holds();
  ASSERT_OK(holds);
  ASSERT_EQ(holds->holds_size(), 2);
  const pb::LegalHold& dated = holds->holds(0);
  EXPECT_EQ(dated.resource(), kThing);
  EXPECT_EQ(dated.kind(), "funding_pieces");
  EXPECT_EQ(dated.rule(), rule.version);
  EXPECT_EQ(dated.article(), "RGPD art. 5");
  EXPECT_EQ(dated.until_date().year(), 2029);
  EXPECT_EQ(dated.until_date().month(), 12);
  EXPECT_EQ(dated.until_date().day(), 30);
  EXPECT_FALSE(holds->holds(1).has_until_date());
  EXPECT_EQ(holds->holds(1).kind(), "under_way");
  // Another service asks too.
  principal_ = PrincipalOf(type::v1::ROLE_SERVICE, "");
  EXPECT_OK(Holds());
}

TEST_P(PrivacyRpcTest, APlanSaysWhatIsDueAndWhy) {
  AddDue(kThing);
  AddDue("bodies/jade/things/1");
  const auto plan = Plan();
  ASSERT_OK(plan);
  EXPECT_EQ(plan->parent(), kBody);
  EXPECT_FALSE(plan->etag().empty());
  ASSERT_EQ(plan->classes_size(), 2);
  const pb::RetentionClass& things = plan->classes(0);
  EXPECT_EQ(things.kind(), "things");
  EXPECT_EQ(things.period_fr(), "2 ans");
  EXPECT_EQ(things.starts_fr(), "après la décision");
  EXPECT_EQ(things.rule(), "fr/retention.things@2020-01-01");
  EXPECT_EQ(things.article(), "RGPD art. 5");
  EXPECT_EQ(things.source(), "https://example.test/article");
  EXPECT_EQ(things.due_count(), 1);
  ASSERT_EQ(things.resources_size(), 1);
  EXPECT_EQ(things.resources(0), kThing);
  EXPECT_EQ(plan->classes(1).period_fr(), "1 an");
  EXPECT_EQ(plan->classes(1).due_count(), 0);
  EXPECT_EQ(plan->plan_time().seconds(),
            absl::ToUnixSeconds(fixture_.clock().Now()));
}

TEST_P(PrivacyRpcTest, TheEtagIsOfAllThatIsDueNotOfTheFirstHundred) {
  const auto name = [](int i) {
    return Cat("bodies/opale/things/t-", 1000 + i);
  };
  for (int i = 0; i < 150; ++i) AddDue(name(i));
  const auto before = Plan();
  ASSERT_OK(before);
  EXPECT_EQ(before->classes(0).due_count(), 150);
  EXPECT_EQ(before->classes(0).resources_size(), 100);
  ASSERT_OK(
      fixture_.clock().AdvanceTo(fixture_.clock().Now() + absl::Minutes(1)));
  EXPECT_EQ(Plan()->etag(), before->etag());
  AddDue(name(150));
  const auto after = Plan();
  ASSERT_OK(after);
  EXPECT_NE(after->etag(), before->etag());
  EXPECT_THAT(Apply(before->etag()), HasReason(Reason::kEtagMismatch));
  EXPECT_EQ(Plan()->classes(0).due_count(), 151) << "nothing was removed";
}

TEST_P(PrivacyRpcTest, WhatAPlanSaysIsRemovedOnce) {
  AddDue(kThing);
  EXPECT_THAT(Apply(""), ViolatesField("etag"));
  EXPECT_THAT(Apply("\"nonsense\""), HasReason(Reason::kEtagMismatch));
  const auto plan = Plan();
  ASSERT_OK(plan);
  const auto applied = Apply(plan->etag());
  ASSERT_OK(applied);
  EXPECT_EQ(applied->etag(), plan->etag());
  ASSERT_EQ(applied->classes_size(), 2);
  EXPECT_EQ(applied->classes(0).due_count(), 1);
  EXPECT_EQ(applied->classes(0).resources(0), kThing);
  EXPECT_EQ(Plan()->classes(0).due_count(), 0);
  EXPECT_THAT(Apply(plan->etag()), HasReason(Reason::kEtagMismatch));
}

TEST_P(PrivacyRpcTest, APlanWithoutAnythingDueMayBeApplied) {
  const auto plan = Plan();
  ASSERT_OK(plan);
  const auto applied = Apply(plan->etag());
  ASSERT_OK(applied);
  EXPECT_EQ(applied->classes(0).due_count(), 0);
  EXPECT_EQ(Plan()->etag(), plan->etag());
}

TEST_P(PrivacyRpcTest, ARepeatedCallIsTheSameCall) {
  AddDue(kThing);
  const auto plan = Plan();
  ASSERT_OK(plan);
  const auto first = Apply(plan->etag(), kRequestId);
  ASSERT_OK(first);
  EXPECT_EQ(first->classes(0).due_count(), 1);
  // What has become due since stays: the call had been made before.
  AddDue("bodies/opale/things/2");
  const auto again = Apply(plan->etag(), kRequestId);
  ASSERT_OK(again);
  EXPECT_EQ(again->etag(), plan->etag());
  EXPECT_EQ(again->parent(), kBody);
  ASSERT_EQ(again->classes_size(), 2);
  for (const pb::RetentionClass& one : again->classes()) {
    EXPECT_EQ(one.due_count(), 0) << one.kind();
    EXPECT_EQ(one.resources_size(), 0);
  }
  EXPECT_EQ(Plan()->classes(0).due_count(), 1);
  EXPECT_THAT(Apply(Plan()->etag(), kRequestId),
              HasReason(Reason::kRequestIdReused));
}

}  // namespace
}  // namespace parcours::privacy
