#include "common/platform/platform.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/synchronization/notification.h"
#include "common/audit/audit_rpc.h"
#include "common/audit/chain.h"
#include "common/audit/witness.h"
#include "common/cache/redis_connection.h"
#include "common/platform/cache_metrics.h"
#include "common/platform/caller_rpc.h"
#include "common/platform/quota.h"
#include "common/platform/readiness.h"
#include "common/platform/session_decoration.h"
#include "common/rpc/channel.h"
#include "common/rpc/identity.h"
#include "common/status/macros.h"
#include "common/storage/feed.h"
#include "common/telemetry/log.h"
#include "common/text/view.h"

namespace parcours::platform {
namespace {

constexpr absl::Duration kRefreshTime = absl::Seconds(5);

// Collects what is wrong, so that the operator learns of all of it at once.
class Problems {
 public:
  template <typename T>
  std::optional<T> Take(absl::StatusOr<T> result) {
    if (result.ok()) return *std::move(result);
    Add(result.status());
    return std::nullopt;
  }
  void Add(const absl::Status& status) {
    if (!status.ok()) problems_.emplace_back(status.message());
  }
  absl::Status ToStatus() const {
    if (problems_.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrJoin(problems_, "\n"));
  }

 private:
  std::vector<std::string> problems_;
};

absl::StatusOr<std::unique_ptr<cache::RedisCache>> OpenRedis(
    const ServiceFlags& flags, const Secrets& secrets,
    cache::CacheCounters* counters) {
  if (flags.redis_url.empty()) return nullptr;
  cache::RedisCacheOptions options;
  ASSIGN_OR_RETURN(options.connection.address,
                   cache::ParseRedisUrl(flags.redis_url));
  options.sealing_key = secrets.cache_sealing_key;
  return cache::RedisCache::Create(options, absl::Now, counters);
}

// The other services, as far as their addresses are known.
std::vector<audit::Peer> AuditPeers(const Platform& platform) {
  const ServiceFlags& flags = platform.flags();
  const std::pair<std::string, std::string> addresses[] = {
      {"enrolment", flags.enrolment_address},
      {"scheduling", flags.scheduling_address},
      {"evaluation", flags.evaluation_address}};
  std::vector<audit::Peer> peers;
  for (const auto& [service, address] : addresses) {
    if (service == flags.service || address.empty()) continue;
    peers.push_back(audit::PeerAt(
        service, platform.ChannelTo(service, address,
                                    {"parcours.platform.v1.AuditService"})));
  }
  return peers;
}

// What the operator says of an issuer counts more than what it says of itself.
absl::Status AddOwnIssuers(std::vector<identity::Issuer> own,
                           std::vector<identity::Issuer>& issuers) {
  for (identity::Issuer& issuer : own) {
    bool known = false;
    for (const identity::Issuer& configured : issuers) {
      known = known || configured.issuer == issuer.issuer;
      if (configured.issuer != issuer.issuer && configured.id == issuer.id) {
        return absl::FailedPreconditionError(
            Cat("--identity_file: the id ", issuer.id,
                " is that of this service's own tokens"));
      }
    }
    if (!known) issuers.push_back(std::move(issuer));
  }
  return absl::OkStatus();
}

// Local issuers are for databases made for trying things out: where real people
// are recorded, a key that lies about on a disk must open nothing.
absl::Status CheckLocalIssuers(const std::vector<identity::Issuer>& issuers,
                               const storage::Database& database) {
  if (database.is_simulation() || database.is_local()) return absl::OkStatus();
  for (const identity::Issuer& issuer : issuers) {
    if (!issuer.local) continue;
    return absl::FailedPreconditionError(
        Cat("issuer ", issuer.id,
            " is local, and the database was created neither with --simulation "
            "nor with --local"));
  }
  return absl::OkStatus();
}

// Runs the tail and the figures of the feed while it lives: the tail's
// listeners live no longer than what is served.
class RunningFeed {
 public:
  RunningFeed(storage::FeedTail& tail, FeedMetrics& metrics)
      : tail_(tail), metrics_(metrics) {
    tail_.Start();
    metrics_.Start();
  }
  ~RunningFeed() {
    metrics_.Stop();
    tail_.Stop();
  }
  RunningFeed(const RunningFeed&) = delete;
  RunningFeed& operator=(const RunningFeed&) = delete;

 private:
  storage::FeedTail& tail_;
  FeedMetrics& metrics_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Platform>> Platform::Open(
    ServiceFlags flags, absl::Span<const storage::Migration> migrations,
    std::vector<std::string> submissions,
    std::vector<identity::Issuer> own_issuers) {
  auto platform = std::unique_ptr<Platform>(new Platform(std::move(flags)));
  const ServiceFlags& set = platform->flags_;
  Problems problems;
  if (set.secret_file.empty()) {
    problems.Add(absl::InvalidArgumentError(
        "--secret_file is required with PostgreSQL: all replicas share it"));
  }
  problems.Add(CheckTransport(set));
  if (!set.tls_files.empty()) {
    auto tls =
        problems.Take(rpc::Tls::Load(set.tls_files, set.tls_reload_interval));
    if (tls.has_value()) platform->tls_ = *std::move(tls);
  }
  std::vector<identity::Issuer> issuers;
  if (!set.identity_file.empty()) {
    auto loaded = problems.Take(identity::LoadIssuers(set.identity_file));
    if (loaded.has_value()) issuers = *std::move(loaded);
  }
  problems.Add(AddOwnIssuers(std::move(own_issuers), issuers));
  if (!set.redis_url.empty()) {
    problems.Add(cache::ParseRedisUrl(set.redis_url).status());
  }
  platform->rules_ = problems.Take(rules::RuleBook::Load(
      (std::filesystem::path(set.rules_dir) / "fr.txtpb").string()));
  std::shared_ptr<const storage::PersonSecrets> person_secrets;
  if (!set.secret_file.empty()) {
    auto secrets = problems.Take(LoadSecrets(set.secret_file));
    if (secrets.has_value()) platform->secrets_ = *std::move(secrets);
    auto master_keys =
        problems.Take(crypto::Keyring::Load(set.master_key_file));
    if (master_keys.has_value()) {
      person_secrets =
          std::make_shared<storage::PersonSecrets>(storage::PersonSecrets{
              .master_keys = *std::move(master_keys),
              .blind_index_key = platform->secrets_.blind_index_key});
    }
  }
  platform->person_secrets_ = person_secrets;
  auto database = problems.Take(
      storage::Database::Open({.url = set.database_url,
                               .password_file = set.database_password_file,
                               .pool_size = set.database_pool_size,
                               .person_secrets = std::move(person_secrets),
                               .create_as_simulation = set.simulation,
                               .create_as_local = set.local,
                               .decorate_session = SessionDecorator()},
                              migrations));
  if (database.has_value()) {
    problems.Add(CheckLocalIssuers(issuers, **database));
  }
  auto tokens = problems.Take(identity::TokenVerifier::Create(
      std::move(issuers), identity::TokenVerifierOptions(),
      platform->metrics_));
  RETURN_IF_ERROR(problems.ToStatus());
  platform->database_ = *std::move(database);
  platform->tokens_ = *std::move(tokens);
  if (set.identity_file.empty() && set.tls_listen_address.empty()) {
    telemetry::Log(telemetry::LogLevel::kWarning,
                   "nobody can be identified: neither --identity_file nor "
                   "--tls_listen_address is given");
  }

  const Secrets& secrets = platform->secrets_;
  ASSIGN_OR_RETURN(platform->redis_,
                   OpenRedis(set, secrets, &platform->cache_counters_));
  ExportCacheCounters(platform->cache_counters_, platform->metrics_);
  ASSIGN_OR_RETURN(
      platform->clock_,
      storage::OpenBusinessClock(*platform->database_, set.simulation_start));
  platform->leases_ =
      std::make_unique<storage::JobLeases>(*platform->database_);
  platform->page_tokens_ =
      std::make_unique<rpc::PageTokens>(secrets.page_token_key);
  platform->feed_tail_ = std::make_unique<storage::FeedTail>(
      *platform->database_, storage::FeedTail::Options());
  platform->feed_tail_->AddLossListener([] {
    telemetry::Log(telemetry::LogLevel::kError,
                   "changes were trimmed before this process read them");
  });
  platform->feed_metrics_ =
      std::make_unique<FeedMetrics>(*platform->database_, platform->metrics_);
  platform->sequencer_ = std::make_unique<storage::Sequencer>(
      *platform->database_, storage::Sequencer::Options{
                                .steps = {audit::ChainStep()},
                                .on_head = [tail = platform->feed_tail_.get()](
                                               int64_t) { tail->Wake(); }});
  platform->read_journal_ = std::make_unique<audit::BufferedReadJournal>(
      *platform->database_, platform->metrics_);
  if (!set.metrics_address.empty()) {
    ASSIGN_OR_RETURN(
        platform->metrics_server_,
        telemetry::MetricsServer::Start(
            set.metrics_address, set.metrics_port_file, platform->metrics_));
  }
  rpc::ShellOptions shell;
  shell.clock = platform->clock_.get();
  shell.metrics = &platform->metrics_;
  shell.digest_key = secrets.request_digest_key;
  shell.workers.threads = set.worker_threads;
  shell.submissions = std::move(submissions);
  shell.read_journal = platform->read_journal_.get();
  ASSIGN_OR_RETURN(platform->quota_, OpenQuota(set, platform->metrics_));
  shell.quota = platform->quota_.get();
  shell.address_of = CallerAddresses(set);
  shell.known_position =
      [database = platform->database_.get()](std::string_view token) {
        return storage::DecodeFeedToken(token, database->incarnation(),
                                        "parcours-feed-token");
      };
  if (platform->clock_->is_simulated() && !platform->is_single_writer()) {
    shell.follow_time = [clock = platform->clock_.get()](absl::Time deadline) {
      return clock->Refresh(deadline);
    };
  }
  shell.identify = rpc::IdentifyCallers(
      [tokens = platform->tokens_.get()](std::string_view token) {
        return tokens->Verify(token);
      });
  platform->shell_ = std::make_unique<rpc::Shell>(std::move(shell));
  return platform;
}

std::string Platform::FeedToken(int64_t position) const {
  return storage::EncodeFeedToken(database_->incarnation(), position);
}

std::shared_ptr<grpc::Channel> Platform::ChannelTo(
    std::string_view service, const std::string& address,
    const std::vector<std::string>& reads) const {
  rpc::ChannelSecurity security;
  if (tls_ != nullptr) {
    security.credentials = tls_->ForChannel();
    security.host_name = rpc::ServiceHostName(service);
  }
  return rpc::MakeChannel(address, reads, security);
}

access::Caller Platform::OwnCaller(
    std::string job, const std::optional<access::JobLease>& lease) const {
  access::Principal principal{.subject = Cat("service:", flags_.service)};
  return {.principal = std::move(principal),
          .scope = access::Scope::Installation(),
          .method = std::move(job),
          .lease = lease,
          .deadline = absl::Now() + absl::Seconds(30),
          .now = clock_->Now()};
}

absl::Status Platform::Serve(Application& application) {
  ClockRpc clock(*shell_, *clock_, application.due_work(), *leases_);
  ChangeFeedRpc feed(*shell_, *database_, *feed_tail_, metrics_);
  CallerRpc caller(*shell_);
  std::vector<rpc::AnyService*> services = application.services();
  services.push_back(&clock);
  services.push_back(&feed);
  services.push_back(&caller);
  audit::AuditRpc audit_rpc(*shell_, *database_, *page_tokens_, *read_journal_,
                            flags_.service);
  services.push_back(&audit_rpc);
  const RunningFeed running_feed(*feed_tail_, *feed_metrics_);
  sequencer_->Start();
  DueWorkLoop loop(application.due_work(), *clock_, *leases_,
                   absl::Milliseconds(500));
  ASSIGN_OR_RETURN(
      const std::unique_ptr<rpc::Server> server,
      rpc::Server::Start(
          {.listen_address = flags_.listen_address,
           .port_file = flags_.port_file,
           .tls_listen_address = flags_.tls_listen_address,
           .tls_port_file = flags_.tls_port_file,
           .tls_credentials = tls_ == nullptr ? nullptr : tls_->ForServer(),
           .reflection = flags_.reflection,
           .drain_grace = flags_.drain_grace},
          *shell_, services));
  audit::Witness witness(*database_, metrics_, AuditPeers(*this),
                         {.leases = leases_.get()});
  witness.Start();
  const Readiness readiness(*database_,
                            [&server](bool ready) { server->SetReady(ready); });
  server->Run();
  telemetry::Log(telemetry::LogLevel::kInfo, "stopped");
  return absl::OkStatus();
}

DueWorkLoop::DueWorkLoop(DueWork& work, storage::DatabaseBusinessClock& clock,
                         storage::JobLeases& leases, absl::Duration interval)
    : work_(work), clock_(clock), leases_(leases), interval_(interval) {
  thread_ = std::thread([this] { Run(); });
}

DueWorkLoop::~DueWorkLoop() {
  stopping_.Notify();
  thread_.join();
}

absl::Status DueWorkLoop::RunOnce(
    std::optional<storage::JobLeases::Turn>& turn) {
  ASSIGN_OR_RETURN(turn, leases_.TryTake(kDueWorkJob));
  if (!turn.has_value()) return absl::OkStatus();
  if (clock_.is_simulated()) {
    // A simulation decides when its time is moved, and not before; whichever
    // replica is told to waits for the turn.
    absl::Status status = clock_.Refresh(absl::Now() + kRefreshTime);
    if (status.ok()) status = work_.FollowFeeds(turn->lease());
    turn.reset();
    return status;
  }
  RETURN_IF_ERROR(work_.FollowFeeds(turn->lease()));
  return work_.RunDue(clock_.Now(), turn->lease()).status();
}

void DueWorkLoop::Run() {
  // A fault is logged once, not at every round while it lasts.
  absl::Status last;
  std::optional<storage::JobLeases::Turn> turn;
  while (!stopping_.WaitForNotificationWithTimeout(interval_)) {
    const absl::Status status = RunOnce(turn);
    if (storage::IsLeaseLost(status)) {
      turn.reset();
      telemetry::Log(telemetry::LogLevel::kWarning,
                     "the lease of due work was lost: another replica goes on");
    } else if (!status.ok() && status.code() != last.code()) {
      telemetry::Log(telemetry::LogLevel::kWarning, "due work failed",
                     {{"error", StdView(status.message())}});
    }
    last = status;
  }
}

}  // namespace parcours::platform
