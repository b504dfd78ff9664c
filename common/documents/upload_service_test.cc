#include "common/documents/upload_service.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/crypto/digest.h"
#include "common/documents/upload_repository.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/testing/database_fixture.h"
#include "common/testing/rpc_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "gtest/gtest.h"

namespace parcours::documents {
namespace {

namespace pb = platform::v1;

// What the inspection refuses.
constexpr char kUnreadable[] = "not a document";
// What it has no time for, every other time.
constexpr char kTooMuchToDo[] = "one document too many";

constexpr char kRequestId[] = "0190b2d0-7d3b-7000-8000-000000000001";

class UploadServiceTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  UploadServiceTest() : test_database_(GetParam()) {
    database_ = test_database_.Open(Migrations());
    auto store = UploadStore::Open({.directory = folder_.path() + "/files",
                                    .key_file = folder_.path() + "/key"});
    EXPECT_OK(store);
    store_ = *std::move(store);
    service_ = std::make_unique<UploadRpc>(
        fixture_.shell(), *database_, *store_,
        UploadLimits{.maximum_bytes = 200'000,
                     .content_types = {"application/pdf"},
                     .inspect = [](std::string_view,
                                   std::string_view bytes) -> absl::Status {
                       static int looked = 0;
                       if (bytes == kTooMuchToDo && ++looked % 2 == 1) {
                         return MakeError(Reason::kOverloaded);
                       }
                       if (bytes != kUnreadable) return absl::OkStatus();
                       return MakeError(Reason::kUploadWrongType,
                                        {{"expected", "a PDF"}});
                     },
                     .lifetime = absl::Hours(1)});
    fixture_.Serve({service_.get()});
    stub_ = pb::UploadService::NewStub(fixture_.channel());
  }
  ~UploadServiceTest() override { fixture_.StopServing(); }

  absl::StatusOr<pb::Upload> Create(
      int64_t size, const std::string& sha256 = "",
      const std::string& request_id = "",
      const std::string& content_type = "application/pdf") {
    pb::CreateUploadRequest request;
    request.set_parent("bodies/opale");
    request.mutable_upload()->set_byte_size(size);
    request.mutable_upload()->set_content_type(content_type);
    request.mutable_upload()->set_sha256(sha256);
    request.set_request_id(request_id);
    grpc::ClientContext context;
    pb::Upload upload;
    const grpc::Status status = stub_->CreateUpload(&context, request, &upload);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return upload;
  }

  absl::StatusOr<pb::Upload> Get(const std::string& name) {
    pb::GetUploadRequest request;
    request.set_name(name);
    grpc::ClientContext context;
    pb::Upload upload;
    const grpc::Status status = stub_->GetUpload(&context, request, &upload);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return upload;
  }

  // Sends `bytes` from `offset` on, in chunks.
  absl::StatusOr<pb::Upload> Write(const std::string& name,
                                   const std::string& bytes,
                                   int64_t offset = 0) {
    constexpr std::size_t kChunk = 65536;
    grpc::ClientContext context;
    pb::Upload upload;
    auto writer = stub_->WriteUpload(&context, &upload);
    std::size_t sent = 0;
    do {
      pb::WriteUploadRequest chunk;
      if (sent == 0) chunk.set_name(name);
      chunk.set_write_offset(offset + static_cast<int64_t>(sent));
      chunk.set_data(bytes.substr(sent, kChunk));
      sent += chunk.data().size();
      if (!writer->Write(chunk)) break;
    } while (sent < bytes.size());
    writer->WritesDone();
    const grpc::Status status = writer->Finish();
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return upload;
  }

  access::Caller Collector() {
    return {.principal = {.subject = "system:test", .roles = {}, .body = ""},
            .scope = access::Scope::Installation(),
            .method = "CollectUploads",
            .request_id = "",
            .request_digest = "",
            .now = fixture_.clock().Now()};
  }

  testing::TempDir folder_;
  testing::TestDatabase test_database_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<UploadStore> store_;
  RpcFixture fixture_;
  std::unique_ptr<UploadRpc> service_;
  std::unique_ptr<pb::UploadService::Stub> stub_;
};

TEST_P(UploadServiceTest, ReceivesAFile) {
  const std::string bytes(150'000, 'n');
  const auto created = Create(150'000);
  ASSERT_OK(created);
  EXPECT_EQ(created->state(), pb::Upload::STATE_RECEIVING);
  EXPECT_EQ(created->received_bytes(), 0);
  const auto written = Write(created->name(), bytes);
  ASSERT_OK(written);
  EXPECT_EQ(written->state(), pb::Upload::STATE_COMPLETE);
  EXPECT_EQ(written->received_bytes(), 150'000);
  EXPECT_EQ(written->sha256(), crypto::Sha256Hex(bytes));
  const auto got = Get(created->name());
  ASSERT_OK(got);
  EXPECT_EQ(got->SerializeAsString(), written->SerializeAsString());
}

TEST_P(UploadServiceTest, GoesOnWhereItStopped) {
  const std::string bytes = "Note de validation";
  const auto created = Create(18, crypto::Sha256Hex(bytes));
  ASSERT_OK(created);
  const auto half = Write(created->name(), bytes.substr(0, 7));
  ASSERT_OK(half);
  EXPECT_EQ(half->state(), pb::Upload::STATE_RECEIVING);
  const auto got = Get(created->name());
  ASSERT_OK(got);
  ASSERT_EQ(got->received_bytes(), 7);
  EXPECT_THAT(Write(created->name(), bytes),
              HasReason(Reason::kUploadOffsetMismatch));
  const auto rest = Write(created->name(), bytes.substr(7), 7);
  ASSERT_OK(rest);
  EXPECT_EQ(rest->state(), pb::Upload::STATE_COMPLETE);
  // A repeated call is answered as it is.
  const auto again = Write(created->name(), bytes.substr(7), 7);
  ASSERT_OK(again);
  EXPECT_EQ(again->SerializeAsString(), rest->SerializeAsString());
}

TEST_P(UploadServiceTest, RefusesTheFirstByteTooMany) {
  const auto created = Create(5);
  ASSERT_OK(created);
  const auto written = Write(created->name(), "123456");
  EXPECT_THAT(written, HasReason(Reason::kUploadTooLarge));
  EXPECT_EQ(Get(created->name())->state(), pb::Upload::STATE_RECEIVING);
}

TEST_P(UploadServiceTest, ThrowsOtherBytesThanAnnouncedAway) {
  const auto created = Create(3, crypto::Sha256Hex("abc"));
  ASSERT_OK(created);
  EXPECT_THAT(Write(created->name(), "abd"),
              HasReason(Reason::kUploadDigestMismatch));
  const auto written = Write(created->name(), "abc");
  ASSERT_OK(written);
  EXPECT_EQ(written->state(), pb::Upload::STATE_COMPLETE);
}

TEST_P(UploadServiceTest, RefusesBadAnnouncements) {
  EXPECT_THAT(Create(0), HasReason(Reason::kUploadEmpty));
  EXPECT_THAT(Create(-1), HasReason(Reason::kFieldNegative));
  const auto large = Create(50'000'000);
  EXPECT_THAT(large, HasReason(Reason::kUploadTooLarge));
  EXPECT_THAT(large, ViolatesField("upload.byte_size"));
  EXPECT_THAT(Create(1, "not a digest"), ViolatesField("upload.sha256"));
}

TEST_P(UploadServiceTest, CreatesOnceForARequestId) {
  const auto first = Create(3, "", kRequestId);
  ASSERT_OK(first);
  const auto second = Create(3, "", kRequestId);
  ASSERT_OK(second);
  EXPECT_EQ(first->name(), second->name());
  EXPECT_THAT(Create(4, "", kRequestId), HasReason(Reason::kRequestIdReused));
}

TEST_P(UploadServiceTest, GivesUpWhatNothingTook) {
  const auto kept = Create(3);
  ASSERT_OK(kept);
  ASSERT_OK(Write(kept->name(), "abc"));
  const auto forgotten = Create(3);
  ASSERT_OK(forgotten);
  ASSERT_OK(Write(forgotten->name(), "abc"));
  const access::Caller caller = Collector();
  ASSERT_OK(database_->Transact(
      caller, [&](storage::Transaction& t) -> absl::StatusOr<storage::Outcome> {
        const auto claimed = ClaimUpload(
            t, caller.scope, UploadName::FromRecord(kept->name()), "upload",
            /*person=*/"");
        if (!claimed.ok()) return claimed.status();
        return storage::Outcome{.name = kept->name(), .version = 1};
      }));
  EXPECT_EQ(*CollectExpiredUploads(*database_, *store_, Collector()), 0);

  ASSERT_OK(
      fixture_.clock().AdvanceTo(fixture_.clock().Now() + absl::Hours(2)));
  const auto collected =
      CollectExpiredUploads(*database_, *store_, Collector());
  ASSERT_OK(collected);
  EXPECT_EQ(*collected, 1);
  EXPECT_EQ(Get(kept->name())->state(), pb::Upload::STATE_ATTACHED);
  EXPECT_EQ(Get(forgotten->name())->state(), pb::Upload::STATE_EXPIRED);
  EXPECT_THAT(Write(forgotten->name(), "abc"),
              HasReason(Reason::kUploadExpired));
  EXPECT_EQ(*CollectExpiredUploads(*database_, *store_, Collector()), 0);
}

TEST_P(UploadServiceTest, TakesOnlyTheTypesOfItsService) {
  const auto refused = Create(3, "", "", "image/png");
  EXPECT_THAT(refused, HasReason(Reason::kUploadWrongType));
  EXPECT_THAT(refused, ViolatesField("upload.content_type"));
  EXPECT_EQ(MetadataOf(refused.status()).at("expected"), "application/pdf");
}

TEST_P(UploadServiceTest, ThrowsAwayWhatTheInspectionRefuses) {
  const std::string bytes = kUnreadable;
  const auto created = Create(static_cast<int64_t>(bytes.size()));
  ASSERT_OK(created);
  EXPECT_THAT(Write(created->name(), bytes),
              HasReason(Reason::kUploadWrongType));
  const auto got = Get(created->name());
  ASSERT_OK(got);
  EXPECT_EQ(got->state(), pb::Upload::STATE_RECEIVING);
  EXPECT_EQ(got->received_bytes(), 0);
  // The right file can still come.
  const auto written = Write(created->name(), std::string(bytes.size(), 'x'));
  ASSERT_OK(written);
  EXPECT_EQ(written->state(), pb::Upload::STATE_COMPLETE);
}

TEST_P(UploadServiceTest, SaysThatAWordProcessorsFileMustBeExported) {
  for (const char* type :
       {"application/msword", "application/vnd.oasis.opendocument.text",
        "application/"
        "vnd.openxmlformats-officedocument.wordprocessingml.document"}) {
    const auto refused = Create(3, "", "", type);
    EXPECT_THAT(refused, HasReason(Reason::kUploadOfficeDocument)) << type;
    EXPECT_THAT(refused, ViolatesField("upload.content_type"));
  }
}

TEST_P(UploadServiceTest, KeepsWhatItHadNoTimeToInspect) {
  const std::string bytes = kTooMuchToDo;
  const auto created = Create(static_cast<int64_t>(bytes.size()));
  ASSERT_OK(created);
  EXPECT_THAT(Write(created->name(), bytes), HasReason(Reason::kOverloaded));
  // Nothing is to be sent again.
  const auto written =
      Write(created->name(), "", static_cast<int64_t>(bytes.size()));
  ASSERT_OK(written);
  EXPECT_EQ(written->state(), pb::Upload::STATE_COMPLETE);
}

TEST_P(UploadServiceTest, EndsAStreamOfTinyChunksThatNeverEnds) {
  const auto created = Create(3);
  ASSERT_OK(created);
  grpc::ClientContext context;
  pb::Upload upload;
  auto writer = stub_->WriteUpload(&context, &upload);
  pb::WriteUploadRequest chunk;
  chunk.set_name(created->name());
  chunk.set_data("a");
  int sent = 0;
  while (sent < 100'000 && writer->Write(chunk)) {
    ++sent;
    chunk.clear_data();
    chunk.set_write_offset(1);
  }
  writer->WritesDone();
  EXPECT_THAT(rpc::FromGrpcStatus(writer->Finish()), ViolatesField("data"));
  EXPECT_LT(sent, 100'000);
  // What had come is kept, and another call goes on.
  EXPECT_OK(Write(created->name(), "bc", 1));
}

TEST_P(UploadServiceTest, IsClaimedOnceAndWhole) {
  const auto created = Create(3);
  ASSERT_OK(created);
  const access::Caller caller = Collector();
  const auto claim = [&] {
    return database_
        ->Transact(
            caller,
            [&](storage::Transaction& t) -> absl::StatusOr<storage::Outcome> {
              const auto claimed = ClaimUpload(
                  t, caller.scope, UploadName::FromRecord(created->name()),
                  "upload", /*person=*/"");
              if (!claimed.ok()) return claimed.status();
              return storage::Outcome{.name = created->name(),
                                      .version = claimed->version};
            })
        .status();
  };
  EXPECT_THAT(claim(), HasReason(Reason::kUploadIncomplete));
  ASSERT_OK(Write(created->name(), "abc"));
  EXPECT_OK(claim());
  EXPECT_THAT(claim(), HasReason(Reason::kUnknownReference));
}

// What of a file's key lies in the row.
storage::Row KeyRow(storage::Database& database, const access::Caller& caller,
                    const std::string& name) {
  storage::Rows rows;
  EXPECT_OK(database.View(
      caller, [&](storage::Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(
            rows, transaction.Query({"SELECT file_key, file_master_key,"
                                     " object_id FROM upload WHERE name = $1",
                                     {name}}));
        return absl::OkStatus();
      }));
  EXPECT_EQ(rows.size(), 1u);
  return rows.at(0);
}

TEST_P(UploadServiceTest, AFilesKeyIsItsPersonsOnceItIsClaimed) {
  const auto created = Create(3);
  ASSERT_OK(created);
  ASSERT_OK(Write(created->name(), "abc"));
  const access::Caller caller = Collector();
  const UploadName name = UploadName::FromRecord(created->name());
  const storage::Row before = KeyRow(*database_, caller, created->name());
  EXPECT_FALSE(before.Text(0).empty());
  EXPECT_EQ(before.Text(1),
            test_database_.options().person_secrets->master_keys.current_id());
  EXPECT_EQ(*ReadUpload(*database_, *store_, caller, name), "abc");
  EXPECT_THAT(store_->Read(before.Text(2), /*key=*/""),
              StatusIs(absl::StatusCode::kInternal));

  ASSERT_OK(database_->Transact(
      caller, [&](storage::Transaction& t) -> absl::StatusOr<storage::Outcome> {
        const auto claimed = ClaimUpload(t, caller.scope, name, "upload",
                                         "bodies/opale/persons/une");
        if (!claimed.ok()) return claimed.status();
        return storage::Outcome{.name = name.text(), .version = 1};
      }));
  const storage::Row after = KeyRow(*database_, caller, created->name());
  EXPECT_NE(after.Text(0), before.Text(0));
  EXPECT_EQ(after.Text(1), "");
  EXPECT_EQ(*ReadUpload(*database_, *store_, caller, name), "abc");
  EXPECT_EQ(*ReadFile(*database_, *store_, caller, before.Text(2)), "abc");
}

TEST_P(UploadServiceTest, AKeyOfAnotherFileDoesNotOpenOne) {
  const access::Caller caller = Collector();
  std::vector<UploadName> names;
  for (const bool claimed : {false, false, true, true}) {
    const auto created = Create(3);
    ASSERT_OK(created);
    ASSERT_OK(Write(created->name(), "abc"));
    names.push_back(UploadName::FromRecord(created->name()));
    if (!claimed) continue;
    ASSERT_OK(database_->Transact(
        caller,
        [&](storage::Transaction& t) -> absl::StatusOr<storage::Outcome> {
          const auto taken = ClaimUpload(t, caller.scope, names.back(),
                                         "upload", "bodies/opale/persons/une");
          if (!taken.ok()) return taken.status();
          return storage::Outcome{};
        }));
  }
  for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) {
    const storage::Row other = KeyRow(*database_, caller, names[i + 1].text());
    ASSERT_OK(database_->Transact(
        caller,
        [&](storage::Transaction& t) -> absl::StatusOr<storage::Outcome> {
          t.Write({"UPDATE upload SET file_key = $2 WHERE name = $1",
                   {names[i].text(), other.Text(0)}});
          return storage::Outcome{};
        }));
    EXPECT_THAT(ReadUpload(*database_, *store_, caller, names[i]),
                StatusIs(absl::StatusCode::kInternal));
    EXPECT_OK(ReadUpload(*database_, *store_, caller, names[i + 1]));
  }
}

TEST_P(UploadServiceTest, AFileOfBeforeIsFinishedAndReadWithTheStoresKey) {
  const auto created = Create(6);
  ASSERT_OK(created);
  const access::Caller caller = Collector();
  const UploadName name = UploadName::FromRecord(created->name());
  // As a release made it that knew no keys of files.
  ASSERT_OK(database_->Transact(
      caller, [&](storage::Transaction& t) -> absl::StatusOr<storage::Outcome> {
        t.Write(
            {"UPDATE upload SET file_key = '', file_master_key = ''"
             " WHERE name = $1",
             {name.text()}});
        return storage::Outcome{};
      }));
  {
    const storage::Row row = KeyRow(*database_, caller, created->name());
    auto writer = store_->OpenForWrite(row.Text(2), /*key=*/"", 0);
    ASSERT_OK(writer);
    ASSERT_OK((*writer)->Append("abc"));
    ASSERT_OK((*writer)->Finish());
  }
  EXPECT_EQ(Get(created->name())->received_bytes(), 3);
  ASSERT_OK(Write(created->name(), "def", 3));
  EXPECT_EQ(*ReadUpload(*database_, *store_, caller, name), "abcdef");
}

TEST_P(UploadServiceTest, WhatWasGivenUpHasNeitherBytesNorKey) {
  const auto created = Create(3);
  ASSERT_OK(created);
  ASSERT_OK(Write(created->name(), "abc"));
  ASSERT_OK(
      fixture_.clock().AdvanceTo(fixture_.clock().Now() + absl::Hours(2)));
  ASSERT_OK(CollectExpiredUploads(*database_, *store_, Collector()));
  const storage::Row row = KeyRow(*database_, Collector(), created->name());
  EXPECT_EQ(row.Text(0), "");
  EXPECT_EQ(row.Text(1), "");
  EXPECT_EQ(row.Text(2), "");
  EXPECT_THAT(ReadUpload(*database_, *store_, Collector(),
                         UploadName::FromRecord(created->name())),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(ReadFile(*database_, *store_, Collector(), ""),
              StatusIs(absl::StatusCode::kNotFound));
}

INSTANTIATE_TEST_SUITE_P(Engines, UploadServiceTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

}  // namespace
}  // namespace parcours::documents
