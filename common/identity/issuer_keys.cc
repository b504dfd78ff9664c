#include "common/identity/issuer_keys.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/status/macros.h"
#include "common/telemetry/log.h"
#include "common/text/view.h"

namespace parcours::identity {
namespace {

constexpr char kReadings[] = "parcours_identity_key_readings_total";
constexpr char kReadingsHelp[] = "Readings of the public keys of issuers.";
// 2^30 pauses are longer than any longest one.
constexpr int kMaxDoublings = 30;

}  // namespace

IssuerKeys::IssuerKeys(std::string issuer_id, std::unique_ptr<KeySource> source,
                       RefreshPolicy policy, std::function<double()> chance,
                       telemetry::Metrics& metrics)
    : issuer_id_(std::move(issuer_id)),
      source_(std::move(source)),
      policy_(policy),
      chance_(std::move(chance)),
      read_(metrics.MakeCounter(kReadings, kReadingsHelp, "outcome", "read")),
      failed_(
          metrics.MakeCounter(kReadings, kReadingsHelp, "outcome", "failed")) {}

std::shared_ptr<const KeySet> IssuerKeys::At(absl::Time now) const {
  const std::lock_guard lock(mutex_);
  if (now - last_success_ > policy_.maximum_age) return nullptr;
  return keys_;
}

bool IssuerKeys::MissedAt(absl::Time now) {
  const std::lock_guard lock(mutex_);
  if (failures_ > 0) return false;
  next_reading_ =
      std::min(next_reading_,
               std::max(now, last_reading_ + policy_.unknown_key_interval));
  return next_reading_ <= now;
}

absl::Time IssuerKeys::next_reading() const {
  const std::lock_guard lock(mutex_);
  return next_reading_;
}

absl::StatusOr<std::shared_ptr<const KeySet>> IssuerKeys::Read(bool anew) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, source_->Read(anew));
  if (!text.has_value()) return nullptr;
  ASSIGN_OR_RETURN(KeySet set, KeySet::Parse(*text));
  return std::make_shared<const KeySet>(std::move(set));
}

absl::Status IssuerKeys::ReadIfDue(absl::Time now) {
  bool anew = false;
  {
    const std::lock_guard lock(mutex_);
    if (now < next_reading_) return absl::OkStatus();
    anew = keys_ == nullptr || failures_ > 0;
  }
  auto keys = Read(anew);

  const std::lock_guard lock(mutex_);
  last_reading_ = now;
  if (keys.ok()) {
    read_.Increment();
    if (failures_ > 0 || keys_ == nullptr) {
      telemetry::Log(telemetry::LogLevel::kInfo, "keys of an issuer are read",
                     {{"issuer", std::string_view(issuer_id_)}});
    }
    failures_ = 0;
    last_success_ = now;
    next_reading_ = now + policy_.interval * (1 - chance_() / 10);
    if (*keys != nullptr) keys_ = *std::move(keys);
    return absl::OkStatus();
  }
  failed_.Increment();
  const absl::Duration pause =
      std::min(policy_.longest_pause,
               policy_.first_pause *
                   std::ldexp(1.0, std::min(failures_, kMaxDoublings)));
  ++failures_;
  next_reading_ = now + pause * (1 - chance_() / 2);
  telemetry::Log(telemetry::LogLevel::kWarning,
                 "keys of an issuer cannot be read",
                 {{"issuer", std::string_view(issuer_id_)},
                  {"failures", int64_t{failures_}},
                  {"error", StdView(keys.status().message())}});
  return keys.status();
}

}  // namespace parcours::identity
