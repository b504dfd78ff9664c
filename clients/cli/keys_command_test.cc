#include "clients/cli/keys_command.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "common/crypto/keyring.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class KeysCommandTest : public ::testing::Test {
 protected:
  ExitCode Rotate() {
    out_.str("");
    errors_.str("");
    return RotateKeysCommand({path_}, out_, errors_);
  }
  std::string Contents() {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  testing::TempDir folder_;
  const std::string path_ = folder_.File("service.key.master");
  std::ostringstream out_;
  std::ostringstream errors_;
};

TEST_F(KeysCommandTest, TheNewKeyWrapsAndTheFormerStillUnwraps) {
  auto before = crypto::Keyring::Load(path_);
  ASSERT_TRUE(before.ok());
  const std::string wrapped = before->Wrap("a key", "p");
  const std::string former = Contents();
  ASSERT_EQ(Rotate(), kSuccess) << errors_.str();
  EXPECT_TRUE(Contents().ends_with(Cat("\n", former)));
  auto after = crypto::Keyring::Load(path_);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_NE(after->current_id(), before->current_id());
  EXPECT_EQ(after->Unwrap(wrapped, "p").value(), "a key");
  EXPECT_FALSE(before->Unwrap(after->Wrap("x", "p"), "p").ok());
  EXPECT_THAT(out_.str(),
              AllOf(HasSubstr(after->current_id()),
                    HasSubstr(before->current_id()), HasSubstr("Redémarrer")));
  // The keys themselves are nobody's to read.
  EXPECT_THAT(out_.str(), Not(HasSubstr(former.substr(9, 16))));
  EXPECT_THAT(out_.str(), Not(HasSubstr(Contents().substr(9, 16))));
}

TEST_F(KeysCommandTest, OnlyTheOwnerMayReadTheNewFile) {
  ASSERT_TRUE(crypto::Keyring::Load(path_).ok());
  ASSERT_EQ(Rotate(), kSuccess);
  ASSERT_EQ(Rotate(), kSuccess);
  struct stat facts = {};
  ASSERT_EQ(stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()),
                          std::filesystem::directory_iterator()),
            1);
}

TEST_F(KeysCommandTest, NoOtherFileIsWrittenTo) {
  EXPECT_EQ(Rotate(), kUsage);
  EXPECT_FALSE(std::filesystem::exists(path_)) << "a wrong path makes no file";
  std::ofstream(path_) << "something else\n";
  std::filesystem::permissions(path_, std::filesystem::perms::owner_read |
                                          std::filesystem::perms::owner_write);
  EXPECT_EQ(Rotate(), kUsage);
  EXPECT_THAT(errors_.str(), HasSubstr("line 1"));
  EXPECT_EQ(Contents(), "something else\n");
  EXPECT_EQ(RotateKeysCommand({}, out_, errors_), kUsage);
}

TEST_F(KeysCommandTest, TwoAtATimeAreOne) {
  ASSERT_TRUE(crypto::Keyring::Load(path_).ok());
  const std::string before = Contents();
  std::ofstream(path_ + ".new") << "of another\n";
  EXPECT_EQ(Rotate(), kUsage);
  EXPECT_THAT(errors_.str(), HasSubstr(".new"));
  EXPECT_EQ(Contents(), before);
  EXPECT_TRUE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(KeysCommandTest, ALinkStaysOne) {
  const std::string target = folder_.File("elsewhere.master");
  ASSERT_TRUE(crypto::Keyring::Load(target).ok());
  std::filesystem::create_symlink(target, path_);
  ASSERT_EQ(Rotate(), kSuccess) << errors_.str();
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
}

}  // namespace
}  // namespace parcours::cli
