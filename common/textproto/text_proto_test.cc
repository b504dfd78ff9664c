#include "common/textproto/text_proto.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "google/type/date.pb.h"
#include "gtest/gtest.h"

namespace parcours::textproto {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ParseTest, FillsTheMessage) {
  google::type::Date date;
  ASSERT_TRUE(
      Parse("# first day\nyear: 2026 month: 3 day: 16", "f", date).ok());
  EXPECT_EQ(date.year(), 2026);
  EXPECT_EQ(date.month(), 3);
  EXPECT_EQ(date.day(), 16);
}

TEST(ParseTest, AcceptsAByteOrderMark) {
  google::type::Date date;
  ASSERT_TRUE(Parse("\xEF\xBB\xBFyear: 2026", "f", date).ok());
  EXPECT_EQ(date.year(), 2026);
}

TEST(ParseTest, SaysWhereTheTextIsWrong) {
  google::type::Date date;
  const absl::Status status = Parse("year: 2026\nmonht: 3", "a.txtpb", date);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), StartsWith("a.txtpb:2:"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("monht"));
}

TEST(ReadTextFileTest, ReturnsTheContents) {
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / "read_text_file_test.txt";
  std::ofstream(path) << "deux\nlignes\n";
  EXPECT_EQ(ReadTextFile(path.string()).value(), "deux\nlignes\n");
  std::filesystem::remove(path);
}

TEST(ReadTextFileTest, TellsAMissingFileFromAFolder) {
  EXPECT_EQ(ReadTextFile(testing::TempDir() + "/absent.txtpb").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadTextFile(testing::TempDir()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace parcours::textproto
