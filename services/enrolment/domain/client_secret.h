#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_CLIENT_SECRET_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_CLIENT_SECRET_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace parcours::enrolment {

// What the record holds of a secret of an API client. Times are real.
struct ClientSecret {
  std::string id;
  std::string salt;
  // SecretDigest of salt and secret.
  std::string digest;
  absl::Time create_time;
  // From then on it is worth nothing.
  absl::Time expire_time;
  friend bool operator==(const ClientSecret&, const ClientSecret&) = default;
};

// A fresh secret of 256 random bits: "parcours_", 64 hexadecimal digits, and
// the first 8 of the SHA-256 of all before them. Prefix and check let those who
// scan repositories and logs for secrets tell one from chance.
std::string NewSecretText();

// Whether `text` has that form and its check is right.
bool HasSecretForm(std::string_view text);

// What is stored of a secret: BLAKE2b over salt and secret under `key`, which
// is not in the database. There are no 256 random bits to be guessed, so that
// a hash made slow on purpose, as passwords need, would only give whoever shows
// wrong secrets a way to keep the service busy; and a copy of the database
// without the key lets nobody even check a secret that was found elsewhere.
std::string SecretDigest(std::string_view key, std::string_view salt,
                         std::string_view secret);

// The record of the secret `text` with the id `id`.
ClientSecret RecordOfSecret(std::string_view key, std::string_view text,
                            std::string id, absl::Time create_time,
                            absl::Time expire_time);

// One that no text is the secret of, and that looks like any other.
ClientSecret NobodysSecret();

// Whether `text` is the secret of `secret` and has not expired at `now`. Its
// time does not depend on how much of it is right.
bool IsGood(const ClientSecret& secret, std::string_view key,
            std::string_view text, absl::Time now);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_CLIENT_SECRET_H_
