#include "common/privacy/erasure.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "common/crypto/keyring.h"
#include "common/documents/upload_repository.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/storage/feed.h"
#include "common/storage/sequencer.h"
#include "common/telemetry/log.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::privacy {
namespace {

using ::parcours::documents::Upload;
using ::parcours::documents::UploadName;
using ::parcours::documents::UploadState;
using ::parcours::documents::UploadStore;
using ::parcours::testing::EngineName;
using ::parcours::testing::EnginesUnderTest;
using ::parcours::testing::TestDatabase;

constexpr char kPerson[] = "bodies/opale/persons/une";
constexpr char kOther[] = "bodies/opale/persons/deux";

access::Caller Call(const std::string& method = "FinishErasures") {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = "system:test";
  caller.method = method;
  caller.now = absl::FromUnixSeconds(1'800'000'000);
  caller.deadline = absl::Now() + absl::Seconds(60);
  return caller;
}

TEST(ErasureNameTest, FollowsFromThePersonsAndBack) {
  EXPECT_EQ(ErasureNameOf("bodies/opale/persons/p-1"),
            "bodies/opale/erasures/p-1");
  EXPECT_EQ(PersonOfErasure("bodies/opale/erasures/p-1"),
            "bodies/opale/persons/p-1");
}

class ErasureTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  ErasureTest() : files_(GetParam()), log_(folder_.File("erasures")) {
    Reopen();
    auto store = UploadStore::Open(
        {.directory = folder_.File("files"), .key_file = folder_.File("key")});
    EXPECT_OK(store);
    store_ = *std::move(store);
  }

  void Reopen() {
    sequencer_.reset();
    database_.reset();
    database_ = files_.Open(documents::Migrations());
  }

  template <typename Body>
  absl::Status Transact(Body body) {
    return database_
        ->Transact(Call("Test"),
                   [&](storage::Transaction& transaction)
                       -> absl::StatusOr<storage::Outcome> {
                     RETURN_IF_ERROR(body(transaction));
                     return storage::Outcome{};
                   })
        .status();
  }

  // A received file with those bytes; `person` has it unless that is empty.
  Upload Receive(const std::string& id, const std::string& bytes,
                 const std::string& person) {
    Upload upload;
    upload.name = UploadName::FromRecord("bodies/opale/uploads/" + id);
    upload.object_id = UploadStore::NewObjectId();
    upload.byte_size = static_cast<int64_t>(bytes.size());
    upload.content_type = "application/pdf";
    upload.account = "user:" + id;
    upload.state = UploadState::kComplete;
    upload.sha256 = std::string(64, 'a');
    upload.expire_time = Call().now + absl::Hours(1);
    std::string key;
    EXPECT_OK(Transact([&](storage::Transaction& transaction) -> absl::Status {
      RETURN_IF_ERROR(documents::GiveFileKey(transaction, upload));
      documents::UploadRepository(transaction).Insert(upload);
      ASSIGN_OR_RETURN(key, documents::OpenFileKey(transaction, upload));
      return absl::OkStatus();
    }));
    auto writer = store_->OpenForWrite(upload.object_id, key, 0);
    EXPECT_OK(writer);
    EXPECT_OK((*writer)->Append(bytes));
    EXPECT_OK((*writer)->Finish());
    if (!person.empty()) {
      EXPECT_OK(Claim(upload.name, person));
    }
    return upload;
  }

  absl::Status Claim(const UploadName& name, const std::string& person) {
    return Transact([&](storage::Transaction& transaction) {
      return documents::ClaimUpload(transaction, Call().scope, name, "upload",
                                    person)
          .status();
    });
  }

  // What a service does in one transaction.
  absl::Status EraseLocally(const std::string& person) {
    RETURN_IF_ERROR(log_.Append(person, Call().now));
    return Transact([&](storage::Transaction& transaction) -> absl::Status {
      RETURN_IF_ERROR(documents::ExpireUploadsOf(transaction, person));
      transaction.person_keys().Erase(person);
      return absl::OkStatus();
    });
  }

  absl::Status Finish() {
    return FinishErasures(*database_, store_.get(), Call());
  }

  Upload Get(const UploadName& name) {
    Upload upload;
    EXPECT_OK(database_->View(
        Call(), [&](storage::Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(
              upload,
              documents::UploadRepository(transaction).Get(Call().scope, name));
          return absl::OkStatus();
        }));
    return upload;
  }

  absl::StatusOr<std::string> Read(const UploadName& name) {
    return documents::ReadUpload(*database_, *store_, Call(), name);
  }

  bool HasFile(const Upload& upload) {
    return std::filesystem::exists(store_->PathOf(upload.object_id));
  }

  // The changes of kind "erasure", by name.
  std::vector<std::string> Acknowledged() {
    // One, for another would wait for its lease.
    if (sequencer_ == nullptr) {
      sequencer_ = std::make_unique<storage::Sequencer>(
          *database_, storage::Sequencer::Options());
    }
    EXPECT_OK(sequencer_->RunOnce());
    const auto page = storage::ReadChanges(
        *database_, {.scope = access::Scope::Body("bodies/opale"),
                     .kinds = {std::string(kErasureKind)},
                     .deadline = Call().deadline});
    EXPECT_OK(page);
    std::vector<std::string> names;
    for (const storage::PositionedChange& change : page->changes) {
      names.push_back(change.change.name);
    }
    return names;
  }

  void UseKeyring(const std::vector<std::string>& lines) {
    const std::string path = folder_.File("keyring");
    {
      std::ofstream file(path, std::ios::trunc);
      for (const std::string& line : lines) file << line << "\n";
    }
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
    auto keyring = crypto::Keyring::Load(path);
    ASSERT_OK(keyring);
    files_.options().person_secrets =
        std::make_shared<storage::PersonSecrets>(storage::PersonSecrets{
            .master_keys = *std::move(keyring),
            .blind_index_key = "a key of thirty-two bytes, fixed"});
    Reopen();
  }

  testing::TempDir folder_;
  TestDatabase files_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<storage::Sequencer> sequencer_;
  std::unique_ptr<UploadStore> store_;
  FileErasureLog log_;
};

INSTANTIATE_TEST_SUITE_P(Engines, ErasureTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(ErasureTest, TakesTheFilesAwayAndThenSaysSo) {
  const Upload theirs = Receive("1", "of une", kPerson);
  const Upload other = Receive("2", "of deux", kOther);
  ASSERT_OK(EraseLocally(kPerson));
  EXPECT_TRUE(HasFile(theirs));
  EXPECT_TRUE(Acknowledged().empty());
  ASSERT_OK(Finish());
  EXPECT_FALSE(HasFile(theirs));
  EXPECT_EQ(Acknowledged(),
            std::vector<std::string>{"bodies/opale/erasures/une"});
  const Upload row = Get(theirs.name);
  EXPECT_EQ(row.state, UploadState::kExpired);
  EXPECT_EQ(row.object_id, "");
  EXPECT_EQ(row.account, "");
  EXPECT_EQ(row.sha256, "");
  EXPECT_EQ(row.file_key, "");
  EXPECT_THAT(Read(theirs.name), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(*Read(other.name), "of deux");
  EXPECT_THAT(*log_.Read(), std::vector<std::string>{kPerson});
}

TEST_P(ErasureTest, IsSaidOnceHoweverOftenItIsFinished) {
  ASSERT_OK(EraseLocally(kPerson));
  ASSERT_OK(Finish());
  ASSERT_OK(Finish());
  ASSERT_OK(EraseLocally(kPerson));
  ASSERT_OK(Finish());
  EXPECT_EQ(Acknowledged().size(), 1u);
}

TEST_P(ErasureTest, AServiceWithoutFilesSaysItToo) {
  ASSERT_OK(EraseLocally(kPerson));
  ASSERT_OK(FinishErasures(*database_, nullptr, Call()));
  EXPECT_EQ(Acknowledged().size(), 1u);
}

TEST_P(ErasureTest, WhatACrashLeavesIsDoneByTheNextCall) {
  const Upload first = Receive("1", "first", kPerson);
  const Upload second = Receive("2", "second", kPerson);
  ASSERT_OK(EraseLocally(kPerson));
  // One file is gone and its row does not say so; of the other both are left.
  ASSERT_OK(store_->Remove(first.object_id));
  Reopen();
  EXPECT_TRUE(Acknowledged().empty());
  ASSERT_OK(Finish());
  EXPECT_FALSE(HasFile(second));
  EXPECT_EQ(Get(first.name).object_id, "");
  EXPECT_EQ(Get(second.name).object_id, "");
  EXPECT_EQ(Acknowledged().size(), 1u);
}

TEST_P(ErasureTest, NothingIsSaidWhileAFileCannotBeRemoved) {
  const Upload upload = Receive("1", "first", kPerson);
  ASSERT_OK(EraseLocally(kPerson));
  // A folder in its place cannot be unlinked, whoever runs the test.
  const std::filesystem::path path = store_->PathOf(upload.object_id);
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_FALSE(Finish().ok());
  EXPECT_TRUE(Acknowledged().empty());
  std::filesystem::remove(path);
  ASSERT_OK(Finish());
  EXPECT_EQ(Acknowledged().size(), 1u);
}

TEST_P(ErasureTest, FilesThatDidNotSayWhoseTheyAreAreNamed) {
  const Upload old = Receive("1", "of before", "");
  ASSERT_OK(Claim(old.name, ""));
  const Upload others = Receive("2", "of deux", kOther);
  ASSERT_OK(Transact([&](storage::Transaction& transaction) -> absl::Status {
    RETURN_IF_ERROR(documents::ExpireUploadsOf(transaction, kPerson,
                                               {old.name, others.name}));
    transaction.person_keys().Erase(kPerson);
    return absl::OkStatus();
  }));
  ASSERT_OK(Finish());
  EXPECT_FALSE(HasFile(old));
  // What says whose it is is believed.
  EXPECT_TRUE(HasFile(others));
  EXPECT_EQ(*Read(others.name), "of deux");
}

TEST_P(ErasureTest, NothingOpensAFileOnceItsPersonIsErased) {
  const Upload upload = Receive("1", "of une", kPerson);
  const Upload row = Get(upload.name);
  const std::filesystem::path path = store_->PathOf(upload.object_id);
  const std::string copy = folder_.File("copy");
  std::filesystem::copy_file(path, copy);
  ASSERT_OK(EraseLocally(kPerson));
  ASSERT_OK(Finish());

  // The file and its row come back out of some copy, into today's database.
  std::filesystem::copy_file(copy, path);
  ASSERT_OK(Transact([&](storage::Transaction& transaction) -> absl::Status {
    transaction.Write(
        {"UPDATE upload SET state = 'ATTACHED', object_id = $2, file_key = $3,"
         " file_master_key = $4 WHERE name = $1",
         {row.name.text(), row.object_id, row.file_key, row.file_master_key}});
    return absl::OkStatus();
  }));
  EXPECT_FALSE(row.file_key.empty());
  EXPECT_TRUE(row.file_master_key.empty());
  EXPECT_THAT(Read(upload.name), HasReason(Reason::kPersonErased));
  EXPECT_THAT(documents::ReadFile(*database_, *store_, Call(), row.object_id),
              HasReason(Reason::kPersonErased));
  // Neither does the key file of the store open it.
  EXPECT_THAT(store_->Read(row.object_id, ""),
              StatusIs(absl::StatusCode::kInternal));
}

TEST_P(ErasureTest, AnErasedPersonTakesNoFile) {
  const Upload upload = Receive("1", "late", "");
  ASSERT_OK(EraseLocally(kPerson));
  EXPECT_THAT(Claim(upload.name, kPerson), HasReason(Reason::kPersonErased));
  EXPECT_EQ(Get(upload.name).state, UploadState::kComplete);
}

TEST_P(ErasureTest, ReplayErasesThoseWhoAreThereAgain) {
  ASSERT_OK(log_.Append(kPerson, Call().now));
  ASSERT_OK(log_.Append(kOther, Call().now));
  ASSERT_OK(log_.Append("bodies/opale/persons/trois", Call().now));
  ASSERT_OK(Transact([&](storage::Transaction& transaction) -> absl::Status {
    RETURN_IF_ERROR(transaction.person_keys().OfNew(kPerson).status());
    transaction.person_keys().Erase(kOther);
    return absl::OkStatus();
  }));
  std::vector<std::string> erased;
  const auto erase = [&](const std::string& person) -> absl::Status {
    erased.push_back(person);
    // From after the copy that was restored: nobody knows them.
    if (person.ends_with("trois")) {
      return MakeError(Reason::kNotFound, {{"resource", person}});
    }
    return Transact([&](storage::Transaction& transaction) {
      transaction.person_keys().Erase(person);
      return absl::OkStatus();
    });
  };
  ASSERT_OK(ReplayErasures(log_, *database_, Call(), erase));
  EXPECT_EQ(erased,
            (std::vector<std::string>{kPerson, "bodies/opale/persons/trois"}));
  erased.clear();
  ASSERT_OK(ReplayErasures(log_, *database_, Call(), erase));
  EXPECT_EQ(erased, std::vector<std::string>{"bodies/opale/persons/trois"});
}

TEST_P(ErasureTest, ReplayStopsAtWhatFails) {
  ASSERT_OK(log_.Append(kPerson, Call().now));
  EXPECT_THAT(ReplayErasures(log_, *database_, Call(),
                             [](const std::string&) {
                               return MakeError(Reason::kDatabaseUnavailable);
                             }),
              HasReason(Reason::kDatabaseUnavailable));
  std::ofstream(folder_.File("erasures"), std::ios::app) << "nonsense\n";
  EXPECT_THAT(
      ReplayErasures(log_, *database_, Call(),
                     [](const std::string&) { return absl::OkStatus(); }),
      StatusIs(absl::StatusCode::kFailedPrecondition));
}

// Of PostgreSQL a copy is restored by its own tools: what matters here, a
// database from before, is the same.
TEST(RestoreTest, ARestoredDatabaseIsBroughtUpToTheLog) {
  testing::TempDir folder;
  const std::string path = folder.File("test.db");
  auto keyring = crypto::Keyring::Load(folder.File("keyring"));
  ASSERT_OK(keyring);
  const storage::DatabaseOptions options{
      .url = "sqlite://" + path,
      .person_secrets =
          std::make_shared<storage::PersonSecrets>(storage::PersonSecrets{
              .master_keys = *std::move(keyring),
              .blind_index_key = "a key of thirty-two bytes, fixed"})};
  FileErasureLog log(folder.File("erasures"));
  std::unique_ptr<storage::Database> database;
  const auto open = [&] {
    database.reset();
    auto opened = storage::Database::Open(options, {});
    ASSERT_OK(opened);
    database = *std::move(opened);
  };
  const auto transact = [&](auto body) {
    return database
        ->Transact(Call(),
                   [&](storage::Transaction& transaction)
                       -> absl::StatusOr<storage::Outcome> {
                     RETURN_IF_ERROR(body(transaction));
                     return storage::Outcome{};
                   })
        .status();
  };
  const auto erase = [&](const std::string& person) {
    return transact([&](storage::Transaction& transaction) {
      transaction.person_keys().Erase(person);
      return absl::OkStatus();
    });
  };
  const auto has_key = [&] {
    return transact([&](storage::Transaction& transaction) {
      return transaction.person_keys().Of(kPerson).status();
    });
  };
  open();
  ASSERT_OK(has_key());
  database.reset();
  std::filesystem::copy_file(path, folder.File("copy.db"));

  open();
  ASSERT_OK(log.Append(kPerson, Call().now));
  ASSERT_OK(erase(kPerson));
  EXPECT_THAT(has_key(), HasReason(Reason::kPersonErased));
  database.reset();

  for (const char* beside : {"", "-wal", "-shm"}) {
    std::filesystem::remove(path + beside);
  }
  std::filesystem::copy_file(folder.File("copy.db"), path);
  open();
  ASSERT_OK(has_key()) << "the copy was no copy";
  ASSERT_OK(ReplayErasures(log, *database, Call(), erase));
  EXPECT_THAT(has_key(), HasReason(Reason::kPersonErased));
  ASSERT_OK(FinishErasures(*database, nullptr, Call()));
}

TEST_P(ErasureTest, EverythingIsWrappedAnewAndTheOldKeyMayGo) {
  const std::string old_line = crypto::Keyring::NewLine();
  const std::string new_line = crypto::Keyring::NewLine();
  UseKeyring({old_line});
  const Upload theirs = Receive("1", "of une", kPerson);
  const Upload nobodys = Receive("2", "of nobody", "");
  for (int i = 0; i < 120; ++i) {
    ASSERT_OK(Transact([&](storage::Transaction& transaction) {
      return transaction.person_keys()
          .OfNew(Cat("bodies/opale/persons/p-", i))
          .status();
    }));
  }
  UseKeyring({new_line, old_line});
  std::vector<std::string> lines;
  telemetry::SetLogWriterForTest(
      [&](std::string_view line) { lines.emplace_back(line); });
  const auto rewrap = [&] {
    return RewrapAll(*database_, *files_.options().person_secrets, store_.get(),
                     Call("RewrapKeys"));
  };
  ASSERT_OK(rewrap());
  ASSERT_OK(rewrap());
  telemetry::SetLogWriterForTest(nullptr);
  ASSERT_EQ(lines.size(), 1u) << "what finds nothing says nothing";
  EXPECT_NE(lines[0].find("\"wrapped_anew\":122"), std::string::npos)
      << lines[0];
  EXPECT_NE(lines[0].find("\"left\":0"), std::string::npos) << lines[0];

  UseKeyring({new_line});
  EXPECT_EQ(*Read(theirs.name), "of une");
  EXPECT_EQ(*Read(nobodys.name), "of nobody");
  ASSERT_OK(rewrap());
}

TEST_P(ErasureTest, AMasterKeyThatIsGoneTooSoonIsReportedWithWhatIsLeft) {
  UseKeyring({crypto::Keyring::NewLine()});
  Receive("1", "of nobody", "");
  Receive("2", "of une", kPerson);
  UseKeyring({crypto::Keyring::NewLine()});
  std::vector<std::string> lines;
  telemetry::SetLogWriterForTest(
      [&](std::string_view line) { lines.emplace_back(line); });
  EXPECT_FALSE(RewrapAll(*database_, *files_.options().person_secrets,
                         store_.get(), Call("RewrapKeys"))
                   .ok());
  telemetry::SetLogWriterForTest(nullptr);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("\"left\":2"), std::string::npos) << lines[0];
}

}  // namespace
}  // namespace parcours::privacy
