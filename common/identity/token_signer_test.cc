#include "common/identity/token_signer.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/time/clock.h"
#include "common/identity/issuer.h"
#include "common/identity/token_verifier.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours::identity {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

mode_t ModeOf(const std::string& path) {
  struct stat status;
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777;
}

TEST(SigningKey, SignsWhatAVerifierAccepts) {
  const testing::TempDir folder;
  ASSERT_OK(WriteNewKey(folder.File("key"), folder.File("set")));
  const auto key = SigningKey::Load(folder.File("key"));
  ASSERT_OK(key);
  platform::v1::IdentityConfig config;
  platform::v1::TokenIssuer& issuer = *config.add_issuers();
  issuer.set_id("local");
  issuer.set_issuer("local-issuer");
  issuer.set_audience("parcours");
  issuer.set_jwks_file("set");
  telemetry::Metrics metrics;
  const auto verifier =
      TokenVerifier::Create(IssuersOf(config, folder.path()).value(),
                            TokenVerifierOptions(), metrics);
  ASSERT_OK(verifier);
  const auto token = key->Sign({.issuer = "local-issuer",
                                .audience = "parcours",
                                .subject = "une",
                                .roles = {"trainer"},
                                .body = "bodies/opale",
                                .person = "bodies/opale/persons/une",
                                .organisation = "",
                                .funder = "",
                                .issue_time = absl::Now(),
                                .expire_time = absl::Now() + absl::Hours(1)});
  ASSERT_OK(token);
  const auto principal = (*verifier)->Verify(*token);
  ASSERT_OK(principal);
  EXPECT_EQ(principal->subject, "local|une");
  EXPECT_TRUE(principal->roles.Has(type::v1::ROLE_TRAINER));
  EXPECT_EQ(principal->person, "bodies/opale/persons/une");
  EXPECT_EQ(principal->organisation, "");
}

TEST(SigningKey, IsReadableByItsOwnerOnly) {
  const testing::TempDir folder;
  ASSERT_OK(WriteNewKey(folder.File("key"), folder.File("set")));
  EXPECT_EQ(ModeOf(folder.File("key")), 0600u);
  const std::string secret = Contents(folder.File("key"));
  EXPECT_THAT(secret, HasSubstr("\"d\":"));
  EXPECT_THAT(Contents(folder.File("set")), Not(HasSubstr("\"d\":")));
  std::filesystem::permissions(folder.File("key"),
                               std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  EXPECT_THAT(SigningKey::Load(folder.File("key")),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(SigningKey, IsNeverWrittenOver) {
  const testing::TempDir folder;
  ASSERT_OK(WriteNewKey(folder.File("key"), folder.File("set")));
  const std::string key = Contents(folder.File("key"));
  const std::string set = Contents(folder.File("set"));
  EXPECT_THAT(WriteNewKey(folder.File("key"), folder.File("set")),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(Contents(folder.File("key")), key);
  EXPECT_EQ(Contents(folder.File("set")), set);
  // Nothing half-written is left.
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 2);
}

TEST(SigningKey, IsMadeOnceAndItsSetIsKeptBesideIt) {
  const testing::TempDir folder;
  const auto first = OpenOrMakeKey(folder.File("key"), folder.File("set"));
  ASSERT_OK(first);
  EXPECT_EQ(ModeOf(folder.File("key")), 0600u);
  const std::string set = Contents(folder.File("set"));
  EXPECT_EQ(set, Cat(first->PublicKeySet(), "\n"));
  // The set is lost, or of a key that was here before.
  for (const std::string_view other : {"", "{\"keys\":[]}"}) {
    std::ofstream(folder.File("set")) << other;
    const auto again = OpenOrMakeKey(folder.File("key"), folder.File("set"));
    ASSERT_OK(again);
    EXPECT_EQ(again->kid(), first->kid());
    EXPECT_EQ(Contents(folder.File("set")), set);
  }
  std::ofstream(folder.File("key")) << "no key";
  EXPECT_THAT(OpenOrMakeKey(folder.File("key"), folder.File("set")),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(SigningKey, IsNoPublicKeyAndNoText) {
  const SigningKey key = SigningKey::Generate().value();
  EXPECT_OK(SigningKey::Parse(key.PrivateJwk()));
  EXPECT_FALSE(SigningKey::Parse(key.PublicKeySet()).ok());
  EXPECT_FALSE(SigningKey::Parse("").ok());
  EXPECT_FALSE(SigningKey::Parse(R"({"kty":"EC","crv":"P-256","d":"x"})").ok());
  EXPECT_EQ(SigningKey::Parse(key.PrivateJwk())->kid(), key.kid());
}

}  // namespace
}  // namespace parcours::identity
