#include "services/enrolment/domain/client_secret.h"

#include <cstddef>
#include <utility>

#include "common/crypto/digest.h"
#include "common/text/view.h"

namespace parcours::enrolment {
namespace {

constexpr std::string_view kPrefix = "parcours_";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kCheckDigits = 8;
constexpr std::size_t kTextSize =
    kPrefix.size() + 2 * kSecretBytes + kCheckDigits;

std::string CheckOf(std::string_view text) {
  return crypto::Sha256Hex(text).substr(0, kCheckDigits);
}

}  // namespace

std::string NewSecretText() {
  std::string text = Cat(kPrefix, crypto::RandomHex(kSecretBytes));
  text += CheckOf(text);
  return text;
}

bool HasSecretForm(std::string_view text) {
  return text.size() == kTextSize && text.starts_with(kPrefix) &&
         text.substr(kTextSize - kCheckDigits) ==
             CheckOf(text.substr(0, kTextSize - kCheckDigits));
}

std::string SecretDigest(std::string_view key, std::string_view salt,
                         std::string_view secret) {
  return crypto::KeyedDigestHex(key, Cat(salt, secret));
}

ClientSecret RecordOfSecret(std::string_view key, std::string_view text,
                            std::string id, absl::Time create_time,
                            absl::Time expire_time) {
  ClientSecret secret{.id = std::move(id),
                      .salt = crypto::RandomHex(kSaltBytes),
                      .digest = {},
                      .create_time = create_time,
                      .expire_time = expire_time};
  secret.digest = SecretDigest(key, secret.salt, text);
  return secret;
}

ClientSecret NobodysSecret() {
  return {.id = {},
          .salt = std::string(2 * kSaltBytes, '0'),
          .digest = std::string(2 * kSecretBytes, '0'),
          .create_time = absl::InfinitePast(),
          .expire_time = absl::InfinitePast()};
}

bool IsGood(const ClientSecret& secret, std::string_view key,
            std::string_view text, absl::Time now) {
  const bool same = crypto::EqualInConstantTime(
      SecretDigest(key, secret.salt, text), secret.digest);
  return same && now < secret.expire_time;
}

}  // namespace parcours::enrolment
