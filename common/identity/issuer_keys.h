#ifndef PARCOURS_COMMON_IDENTITY_ISSUER_KEYS_H_
#define PARCOURS_COMMON_IDENTITY_ISSUER_KEYS_H_

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/identity/key_set.h"
#include "common/identity/key_source.h"
#include "common/telemetry/metrics.h"

namespace parcours::identity {

// When the keys of an issuer are read again.
struct RefreshPolicy {
  // After a reading that succeeded.
  absl::Duration interval = absl::Minutes(5);
  // Between two readings that tokens with an unknown `kid` give rise to.
  absl::Duration unknown_key_interval = absl::Seconds(10);
  // After the first failure; doubled after each further one. Each pause is
  // shortened by up to a half, so that replicas do not ask together.
  absl::Duration first_pause = absl::Seconds(1);
  absl::Duration longest_pause = absl::Minutes(5);
  // How long keys are used after a reading last succeeded.
  absl::Duration maximum_age = absl::Hours(24);
};

// The public keys of one issuer: the last set that was read and was right.
// Those who verify never wait for a reading. Thread-safe, but for ReadIfDue,
// which one thread calls.
class IssuerKeys {
 public:
  // `chance` gives a number of [0, 1) and decides on the shortening.
  IssuerKeys(std::string issuer_id, std::unique_ptr<KeySource> source,
             RefreshPolicy policy, std::function<double()> chance,
             telemetry::Metrics& metrics);

  // What to verify with at `now`; null when no set has been read or the last
  // reading is too old.
  std::shared_ptr<const KeySet> At(absl::Time now) const;

  // A token names a key that is not in the set: the next reading comes as soon
  // as the policy allows. True when that is now. A failing source is not asked
  // the more for it.
  bool MissedAt(absl::Time now);

  // When ReadIfDue has something to do.
  absl::Time next_reading() const;

  // Reads at once, or does nothing before next_reading(). The error is of this
  // reading; it has been logged.
  absl::Status ReadIfDue(absl::Time now);

  void Cancel() { source_->Cancel(); }

 private:
  absl::StatusOr<std::shared_ptr<const KeySet>> Read(bool anew);

  const std::string issuer_id_;
  const std::unique_ptr<KeySource> source_;
  const RefreshPolicy policy_;
  const std::function<double()> chance_;
  telemetry::Counter read_;
  telemetry::Counter failed_;

  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<const KeySet> keys_;
  absl::Time last_success_ = absl::InfinitePast();
  absl::Time last_reading_ = absl::InfinitePast();
  absl::Time next_reading_ = absl::InfinitePast();
  int failures_ = 0;
};

}  // namespace parcours::identity

#endif  // PARCOURS_COMMON_IDENTITY_ISSUER_KEYS_H_
