#include "common/crypto/keyring.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "common/crypto/digest.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::crypto {
namespace {

using ::testing::HasSubstr;

constexpr char kOwner[] = "bodies/opale/persons/p-1";

class KeyringTest : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.File("master"); }

  void Write(const std::string& text) const {
    std::ofstream(path()) << text;
    std::filesystem::permissions(path(),
                                 std::filesystem::perms::owner_read |
                                     std::filesystem::perms::owner_write);
  }

  Keyring MustLoad() const {
    auto keyring = Keyring::Load(path());
    EXPECT_OK(keyring.status());
    return *std::move(keyring);
  }

  testing::TempDir folder_;
};

TEST_F(KeyringTest, MissingFileIsMadeForItsOwnerAlone) {
  const std::string wrapped = MustLoad().Wrap("secret", kOwner);
  EXPECT_EQ(
      std::filesystem::status(path()).permissions(),
      std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto again = MustLoad().Unwrap(wrapped, kOwner);
  ASSERT_OK(again.status());
  EXPECT_EQ(*again, "secret");
}

TEST_F(KeyringTest, KeyOfAnotherOwnerDoesNotUnwrap) {
  const Keyring keyring = MustLoad();
  const std::string wrapped = keyring.Wrap("secret", kOwner);
  EXPECT_EQ(keyring.Unwrap(wrapped, "bodies/opale/persons/p-2").status().code(),
            absl::StatusCode::kInternal);
  std::string damaged = wrapped;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  EXPECT_FALSE(keyring.Unwrap(damaged, kOwner).ok());
  EXPECT_FALSE(keyring.Unwrap("", kOwner).ok());
}

TEST_F(KeyringTest, RotationKeepsOldKeysReadable) {
  const std::string old_line = Keyring::NewLine();
  Write(old_line + "\n");
  const std::string wrapped = MustLoad().Wrap("secret", kOwner);
  const std::string new_line = Keyring::NewLine();
  Write("# rotated\n\n" + new_line + "\n" + old_line + "\n");
  const Keyring rotated = MustLoad();
  EXPECT_EQ(rotated.current_id(), new_line.substr(0, 8));
  EXPECT_EQ(Keyring::MasterIdOf(wrapped), old_line.substr(0, 8));
  EXPECT_EQ(rotated.Unwrap(wrapped, kOwner).value_or(""), "secret");
  EXPECT_EQ(Keyring::MasterIdOf(rotated.Wrap("secret", kOwner)),
            rotated.current_id());
  Write(new_line + "\n");
  const auto lost = MustLoad().Unwrap(wrapped, kOwner);
  EXPECT_EQ(lost.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(lost.status().message()),
              HasSubstr(old_line.substr(0, 8)));
}

TEST_F(KeyringTest, BadFilesAreRefusedWithTheirLine) {
  for (const std::string& text :
       {std::string(), std::string("# nothing\n"), std::string("short aa\n"),
        Keyring::NewLine() + "\nbroken\n",
        std::string("ABCDEFGH ") + RandomHex(32) + "\n"}) {
    Write(text);
    EXPECT_EQ(Keyring::Load(path()).status().code(),
              absl::StatusCode::kFailedPrecondition)
        << text;
  }
  const std::string line = Keyring::NewLine();
  Write(line + "\n" + line + "\n");
  EXPECT_THAT(std::string(Keyring::Load(path()).status().message()),
              HasSubstr("line 2"));
}

TEST_F(KeyringTest, FileThatOthersMayReadIsRefused) {
  Write(Keyring::NewLine() + "\n");
  std::filesystem::permissions(path(), std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  EXPECT_EQ(Keyring::Load(path()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace parcours::crypto
