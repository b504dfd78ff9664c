#ifndef PARCOURS_COMMON_PLATFORM_PLATFORM_H_
#define PARCOURS_COMMON_PLATFORM_PLATFORM_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/audit/read_journal.h"
#include "common/cache/cache_counters.h"
#include "common/cache/redis_cache.h"
#include "common/identity/token_verifier.h"
#include "common/platform/change_feed_rpc.h"
#include "common/platform/clock_rpc.h"
#include "common/platform/due_work.h"
#include "common/platform/feed_metrics.h"
#include "common/platform/flags.h"
#include "common/platform/secrets.h"
#include "common/quota/call_quota.h"
#include "common/rpc/page_token.h"
#include "common/rpc/server.h"
#include "common/rpc/shell.h"
#include "common/rpc/tls.h"
#include "common/rules/rule_book.h"
#include "common/storage/business_time.h"
#include "common/storage/database.h"
#include "common/storage/feed_tail.h"
#include "common/storage/job_lease.h"
#include "common/storage/sequencer.h"
#include "common/telemetry/metrics.h"

namespace parcours::platform {

// What one service adds to what every service has: made by its main.cc on a
// platform that is ready, and destroyed before it.
class Application {
 public:
  virtual ~Application() = default;
  // The services to serve beside time and change feed.
  virtual std::vector<rpc::AnyService*> services() = 0;
  virtual DueWork& due_work() = 0;
};

// What every service is built on, from its flags: database, business time,
// rules, secrets, caches, the shell. Members are destroyed in reverse order.
class Platform {
 public:
  // `own_issuers` are those that the service is itself; one that the identity
  // file names too is as the file says. Every problem of the configuration in
  // one error.
  static absl::StatusOr<std::unique_ptr<Platform>> Open(
      ServiceFlags flags, absl::Span<const storage::Migration> migrations,
      std::vector<std::string> submissions,
      std::vector<identity::Issuer> own_issuers = {});

  const ServiceFlags& flags() const { return flags_; }
  storage::Database& database() { return *database_; }
  storage::DatabaseBusinessClock& clock() { return *clock_; }
  const rules::RuleBook& rules() const { return *rules_; }
  rpc::Shell& shell() { return *shell_; }
  const rpc::PageTokens& page_tokens() const { return *page_tokens_; }
  const Secrets& secrets() const { return secrets_; }
  const storage::PersonSecrets& person_secrets() const {
    return *person_secrets_;
  }
  telemetry::Metrics& metrics() { return metrics_; }
  // Listeners are added by what Service.compose makes; it runs within Serve.
  storage::FeedTail& feed_tail() { return *feed_tail_; }
  // Where Service.compose says whose feeds are followed.
  FeedMetrics& feed_metrics() { return *feed_metrics_; }
  cache::CacheCounters& cache_counters() { return cache_counters_; }
  // Null where --redis_url is empty.
  cache::SharedCache* shared_cache() { return redis_.get(); }

  // Whether this process alone changes the database, so that what it holds in
  // memory cannot grow stale.
  bool is_single_writer() const {
    return database_->engine() == storage::Engine::kSqlite;
  }

  std::string FeedToken(int64_t position) const;

  // A channel to `service` ("enrolment") at `address`, on which this one is
  // known by its certificate; without one, in plain text to loopback, where it
  // is nobody. `reads` as in rpc::MakeChannel.
  std::shared_ptr<grpc::Channel> ChannelTo(
      std::string_view service, const std::string& address,
      const std::vector<std::string>& reads) const;

  // A call of the service itself, for its own work; with the lease under which
  // it does it.
  access::Caller OwnCaller(
      std::string job,
      const std::optional<access::JobLease>& lease = std::nullopt) const;

  // Serves until SIGTERM or SIGINT, then drains. REQUIRES: BlockTermination-
  // Signals was called first in main.
  absl::Status Serve(Application& application);

 private:
  explicit Platform(ServiceFlags flags) : flags_(std::move(flags)) {}

  const ServiceFlags flags_;
  Secrets secrets_;
  std::shared_ptr<const storage::PersonSecrets> person_secrets_;
  telemetry::Metrics metrics_;
  cache::CacheCounters cache_counters_;
  std::unique_ptr<telemetry::MetricsServer> metrics_server_;
  std::unique_ptr<cache::RedisCache> redis_;
  std::optional<rules::RuleBook> rules_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<storage::DatabaseBusinessClock> clock_;
  std::unique_ptr<storage::JobLeases> leases_;
  std::unique_ptr<rpc::PageTokens> page_tokens_;
  std::unique_ptr<storage::FeedTail> feed_tail_;
  std::unique_ptr<FeedMetrics> feed_metrics_;
  std::unique_ptr<storage::Sequencer> sequencer_;
  std::unique_ptr<audit::BufferedReadJournal> read_journal_;
  std::shared_ptr<rpc::Tls> tls_;
  std::unique_ptr<identity::TokenVerifier> tokens_;
  std::unique_ptr<quota::CallQuota> quota_;
  std::unique_ptr<rpc::Shell> shell_;
};

// Does what is due, again and again on a thread of its own, until destroyed:
// while another replica has the turn, nothing.
class DueWorkLoop {
 public:
  DueWorkLoop(DueWork& work, storage::DatabaseBusinessClock& clock,
              storage::JobLeases& leases, absl::Duration interval);
  ~DueWorkLoop();

 private:
  void Run();
  // One round, on `turn`, which is kept for the next where it should be.
  absl::Status RunOnce(std::optional<storage::JobLeases::Turn>& turn);

  DueWork& work_;
  storage::DatabaseBusinessClock& clock_;
  storage::JobLeases& leases_;
  const absl::Duration interval_;
  absl::Notification stopping_;
  std::thread thread_;
};

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_PLATFORM_H_
