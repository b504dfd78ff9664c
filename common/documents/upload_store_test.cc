#include "common/documents/upload_store.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "common/crypto/digest.h"
#include "common/status/error.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace parcours::documents {
namespace {

class UploadStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "uploads-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    store_ = Open();
    ASSERT_NE(store_, nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<UploadStore> Open() {
    auto store = UploadStore::Open(
        {.directory = folder_ / "files", .key_file = folder_ / "key"});
    EXPECT_OK(store);
    return store.ok() ? *std::move(store) : nullptr;
  }

  std::string Write(const std::string& bytes) {
    const std::string id = UploadStore::NewObjectId();
    auto writer = store_->OpenForWrite(id, key_, 0);
    EXPECT_OK(writer);
    EXPECT_OK((*writer)->Append(bytes));
    EXPECT_OK((*writer)->Finish());
    return id;
  }

  const std::string key_ = UploadStore::NewKey();
  std::filesystem::path folder_;
  std::unique_ptr<UploadStore> store_;
};

TEST_F(UploadStoreTest, ReturnsWhatWasWritten) {
  const std::string bytes(200'001, 'x');
  const std::string id = UploadStore::NewObjectId();
  auto writer = store_->OpenForWrite(id, key_, 0);
  ASSERT_OK(writer);
  ASSERT_OK((*writer)->Append(bytes));
  const auto stored = (*writer)->Finish();
  ASSERT_OK(stored);
  EXPECT_EQ(stored->byte_size, 200'001);
  EXPECT_EQ(stored->sha256, crypto::Sha256Hex(bytes));
  const auto read = store_->Read(id, key_);
  ASSERT_OK(read);
  EXPECT_EQ(*read, bytes);
}

TEST_F(UploadStoreTest, GoesOnWhereABrokenWriterStopped) {
  const std::string id = UploadStore::NewObjectId();
  {
    auto writer = store_->OpenForWrite(id, key_, 0);
    ASSERT_OK(writer);
    ASSERT_OK((*writer)->Append("Note de "));
  }
  store_ = Open();
  const auto received = store_->ReceivedBytes(id, key_);
  ASSERT_OK(received);
  EXPECT_EQ(*received, 8);
  auto writer = store_->OpenForWrite(id, key_, 8);
  ASSERT_OK(writer);
  ASSERT_OK((*writer)->Append("validation"));
  const auto stored = (*writer)->Finish();
  ASSERT_OK(stored);
  EXPECT_EQ(stored->sha256, crypto::Sha256Hex("Note de validation"));
}

TEST_F(UploadStoreTest, RefusesAnotherOffset) {
  const std::string id = Write("12345");
  const auto writer = store_->OpenForWrite(id, key_, 3);
  EXPECT_THAT(writer, HasReason(Reason::kUploadOffsetMismatch));
  EXPECT_EQ(MetadataOf(writer.status()).at("expected"), "5");
}

TEST_F(UploadStoreTest, RefusesASecondWriter) {
  const std::string id = UploadStore::NewObjectId();
  const auto first = store_->OpenForWrite(id, key_, 0);
  ASSERT_OK(first);
  EXPECT_THAT(store_->OpenForWrite(id, key_, 0), HasReason(Reason::kConflict));
}

TEST_F(UploadStoreTest, CutsATornEndOff) {
  const std::string id = Write("whole");
  std::ofstream(store_->PathOf(id), std::ios::app) << "torn record";
  EXPECT_THAT(store_->Read(id, key_), StatusIs(absl::StatusCode::kInternal));
  auto writer = store_->OpenForWrite(id, key_, 5);
  ASSERT_OK(writer);
  ASSERT_OK((*writer)->Finish());
  const auto read = store_->Read(id, key_);
  ASSERT_OK(read);
  EXPECT_EQ(*read, "whole");
}

TEST_F(UploadStoreTest, KeepsNothingInTheClearNorForOthers) {
  const std::string id = Write("Candidate Une");
  std::ifstream file(store_->PathOf(id), std::ios::binary);
  const std::string stored((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(stored.find("Candidate"), std::string::npos);
  struct stat facts {};
  ASSERT_EQ(stat(store_->PathOf(id).c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  ASSERT_EQ(stat((folder_ / "key").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST_F(UploadStoreTest, DetectsAFileUnderAnotherId) {
  const std::string first = Write("first");
  const std::string second = Write("second");
  std::filesystem::copy_file(store_->PathOf(first), store_->PathOf(second),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(store_->Read(second, key_),
              StatusIs(absl::StatusCode::kInternal));
}

TEST_F(UploadStoreTest, NeitherAnotherKeyNorTheStoresOpensAFile) {
  const std::string id = Write("of one person");
  for (const std::string& other : {UploadStore::NewKey(), std::string()}) {
    EXPECT_THAT(store_->Read(id, other), StatusIs(absl::StatusCode::kInternal));
    const auto received = store_->ReceivedBytes(id, other);
    ASSERT_OK(received);
    EXPECT_EQ(*received, 0);
  }
  EXPECT_THAT(store_->Read(id, "short"), StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(store_->OpenForWrite(id, "short", 0),
              StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(*store_->Read(id, key_), "of one person");
}

TEST_F(UploadStoreTest, GoesOnWithTheStoresKeyWhereAFileWasWrittenUnderIt) {
  const std::string id = UploadStore::NewObjectId();
  {
    auto writer = store_->OpenForWrite(id, "", 0);
    ASSERT_OK(writer);
    ASSERT_OK((*writer)->Append("Note de "));
    ASSERT_OK((*writer)->Finish());
  }
  const auto received = store_->ReceivedBytes(id, "");
  ASSERT_OK(received);
  EXPECT_EQ(*received, 8);
  // Also where the row has a key, which a process of before did not know.
  auto writer = store_->OpenForWrite(id, key_, 8);
  ASSERT_OK(writer);
  ASSERT_OK((*writer)->Append("validation"));
  ASSERT_OK((*writer)->Finish());
  for (const std::string& key : {std::string(), key_}) {
    const auto read = store_->Read(id, key);
    ASSERT_OK(read);
    EXPECT_EQ(*read, "Note de validation");
  }
}

TEST_F(UploadStoreTest, RemovesAndForgets) {
  const std::string id = Write("bytes");
  ASSERT_OK(store_->Remove(id));
  ASSERT_OK(store_->Remove(id));
  EXPECT_THAT(store_->Read(id, key_), StatusIs(absl::StatusCode::kNotFound));
  const auto received = store_->ReceivedBytes(id, key_);
  ASSERT_OK(received);
  EXPECT_EQ(*received, 0);
}

TEST_F(UploadStoreTest, RefusesAnIdThatLeavesTheFolder) {
  EXPECT_THAT(store_->OpenForWrite("../../../../etc/passwd", key_, 0),
              StatusIs(absl::StatusCode::kInternal));
}

TEST_F(UploadStoreTest, RefusesAKeyOfAnotherSize) {
  std::ofstream(folder_ / "short") << "short";
  EXPECT_THAT(UploadStore::Open({.directory = folder_ / "files",
                                 .key_file = folder_ / "short"}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

// The limit on the sizes of files stands for a disk without room.
TEST_F(UploadStoreTest, AFullDiskPassesAndTheRestFollows) {
  const std::string bytes(150'000, 'x');
  const std::string id = UploadStore::NewObjectId();
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  {
    auto writer = store_->OpenForWrite(id, key_, 0);
    ASSERT_OK(writer);
    const rlimit full{.rlim_cur = 80'000, .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
    const absl::Status appended = (*writer)->Append(bytes);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_THAT(appended, HasReason(Reason::kDatabaseUnavailable));
  }
  const auto received = store_->ReceivedBytes(id, key_);
  ASSERT_OK(received);
  EXPECT_LT(*received, 150'000);
  auto writer = store_->OpenForWrite(id, key_, *received);
  ASSERT_OK(writer);
  ASSERT_OK(
      (*writer)->Append(bytes.substr(static_cast<std::size_t>(*received))));
  const auto stored = (*writer)->Finish();
  ASSERT_OK(stored);
  EXPECT_EQ(stored->sha256, crypto::Sha256Hex(bytes));
}

}  // namespace
}  // namespace parcours::documents
