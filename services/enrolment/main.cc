// enrolmentd: bodies, programmes, cohorts, people, applications, agreements and
// enrolments. The only place where the layers of the service meet.

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/cache/read_through.h"
#include "common/documents/upload_repository.h"
#include "common/documents/upload_service.h"
#include "common/documents/upload_store.h"
#include "common/identity/issuer.h"
#include "common/identity/token_signer.h"
#include "common/platform/daemon.h"
#include "common/platform/retention.h"
#include "common/privacy/erasure.h"
#include "common/privacy/erasure_log.h"
#include "common/privacy/personal_data_work.h"
#include "common/privacy/privacy_rpc.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "parcours/platform/v1/identity_config.pb.h"
#include "services/enrolment/domain/due_work.h"
#include "services/enrolment/domain/erasure_use_cases.h"
#include "services/enrolment/rpc/api_client_rpc.h"
#include "services/enrolment/rpc/application_rpc.h"
#include "services/enrolment/rpc/enrolment_personal_data.h"
#include "services/enrolment/rpc/enrolment_rpc.h"
#include "services/enrolment/rpc/erasure_rpc.h"
#include "services/enrolment/rpc/peer_client.h"
#include "services/enrolment/rpc/people_rpc.h"
#include "services/enrolment/rpc/piece_limits.h"
#include "services/enrolment/rpc/programme_rpc.h"
#include "services/enrolment/rpc/token_rpc.h"
#include "services/enrolment/store/migrations.h"
#include "services/enrolment/store/sql_enrolment_store.h"
#include "services/enrolment/store/stored_piece.h"
#include "services/enrolment/store/tables.h"

namespace parcours::enrolment {
namespace {

// Stands before the names of API clients in the audit trail.
constexpr char kIssuerId[] = "clients";

constexpr char kProgrammeKind[] = "programme";

// How long a programme is answered from memory when the feed, which otherwise
// drops it within a moment of its change, is not heard of any more.
constexpr absl::Duration kStuckFeedBound = absl::Seconds(10);

// The key that signs the tokens of API clients, made at the first start.
absl::StatusOr<identity::SigningKey> TokenKey(
    const platform::ServiceFlags& flags, std::string& key_set_file) {
  key_set_file = std::filesystem::path(flags.token_signing_key_file)
                     .replace_extension(".jwks")
                     .string();
  return identity::OpenOrMakeKey(flags.token_signing_key_file, key_set_file);
}

// This service accepts the tokens that it issues.
absl::StatusOr<std::vector<identity::Issuer>> OwnIssuers(
    const platform::ServiceFlags& flags) {
  // Without a place for keys the platform does not start, and says why.
  if (flags.token_signing_key_file.empty()) {
    return std::vector<identity::Issuer>();
  }
  platform::v1::IdentityConfig config;
  platform::v1::TokenIssuer& issuer = *config.add_issuers();
  RETURN_IF_ERROR(TokenKey(flags, *issuer.mutable_jwks_file()).status());
  issuer.set_id(kIssuerId);
  issuer.set_issuer(flags.token_issuer);
  issuer.set_audience(flags.token_audience);
  issuer.set_api_clients(true);
  return identity::IssuersOf(config, "");
}

// Writes down what another service has erased. A service that does not answer
// is asked less and less often: each time, the timer of deadlines waits with
// it.
class FollowingPeer {
 public:
  // Both outlive this.
  FollowingPeer(EnrolmentStore& store, PeerPort& peer)
      : store_(store), peer_(peer) {}

  absl::StatusOr<privacy::StepEnd> Run(const access::Caller& caller) {
    if (absl::Now() < next_) return privacy::StepEnd::kForNow;
    const absl::Status status = FollowErasures(store_, peer_, caller);
    pause_ = status.ok()
                 ? absl::ZeroDuration()
                 : std::clamp(2 * pause_, kShortestPause, kLongestPause);
    next_ = absl::Now() + pause_;
    if (!status.ok()) return status;
    return privacy::StepEnd::kForNow;
  }

 private:
  static constexpr absl::Duration kShortestPause = absl::Seconds(1);
  static constexpr absl::Duration kLongestPause = absl::Minutes(1);

  EnrolmentStore& store_;
  PeerPort& peer_;
  absl::Time next_ = absl::InfinitePast();
  absl::Duration pause_ = absl::ZeroDuration();
};

// What follows an erasure, and what keeps the data of persons sealed.
std::vector<privacy::PersonalDataStep> PersonalDataSteps(
    platform::Platform& platform, EnrolmentStore& store,
    const documents::UploadStore& uploads,
    const std::vector<PeerPort*>& peers) {
  storage::Database& database = platform.database();
  std::vector<privacy::PersonalDataStep> steps{
      privacy::FinishingErasures(database, platform.flags().database_url,
                                 &uploads),
      {.name = "acknowledging erasures",
       .run = [&store](const access::Caller& caller)
           -> absl::StatusOr<privacy::StepEnd> {
         RETURN_IF_ERROR(AcknowledgeOwnErasures(store, caller));
         return privacy::StepEnd::kForNow;
       }}};
  for (PeerPort* const peer : peers) {
    steps.push_back({.name = Cat("erasures in ", peer->service()),
                     .run = [following = FollowingPeer(store, *peer)](
                                const access::Caller& caller) mutable {
                       return following.Run(caller);
                     }});
  }
  steps.push_back(privacy::Sealing({database, PartsOfBefore()}));
  steps.push_back(
      privacy::WrappingAnew(database, platform.person_secrets(), &uploads));
  return steps;
}

// Places and cohorts whose time has come, files that nothing took, and what the
// platform keeps for a time only.
class EnrolmentDueWork final : public platform::DueWork {
 public:
  EnrolmentDueWork(platform::Platform& platform, EnrolmentStore& store,
                   const documents::UploadStore& uploads,
                   const std::vector<PeerPort*>& peers)
      : platform_(platform),
        store_(store),
        uploads_(uploads),
        personal_data_(PersonalDataSteps(platform, store, uploads, peers)),
        retention_(platform.database(), platform.rules()) {}

  absl::StatusOr<absl::Time> NextDue(absl::Time until) override {
    return NextDueTime(store_, platform_.OwnCaller("PlaceDeadline"), until);
  }

  absl::StatusOr<int> RunDue(
      absl::Time now, const std::optional<access::JobLease>& lease) override {
    access::Caller caller = platform_.OwnCaller("PlaceDeadline", lease);
    caller.now = now;
    RETURN_IF_ERROR(
        documents::CollectExpiredUploads(platform_.database(), uploads_, caller)
            .status());
    // Simulated time runs ahead of those who read the feed in real time.
    if (!platform_.clock().is_simulated()) {
      RETURN_IF_ERROR(retention_.Run(now, caller.deadline));
    }
    return DecideDue(store_, platform_.rules(), caller);
  }

  absl::Status FollowFeeds(
      const std::optional<access::JobLease>& lease) override {
    personal_data_.Run(
        [&] { return platform_.OwnCaller("PersonalData", lease); });
    return absl::OkStatus();
  }

 private:
  platform::Platform& platform_;
  EnrolmentStore& store_;
  const documents::UploadStore& uploads_;
  privacy::PersonalDataWork personal_data_;
  platform::Retention retention_;
};

class Enrolmentd final : public platform::Application {
 public:
  Enrolmentd(platform::Platform& platform,
             std::unique_ptr<documents::UploadStore> uploads,
             identity::SigningKey token_key)
      : uploads_(std::move(uploads)),
        token_key_(std::move(token_key)),
        store_(platform.database()),
        erasure_log_(platform.flags().erasure_log_file),
        scheduling_("scheduling",
                    platform.ChannelTo("scheduling",
                                       platform.flags().scheduling_address,
                                       PeerClient::Reads())),
        evaluation_("evaluation",
                    platform.ChannelTo("evaluation",
                                       platform.flags().evaluation_address,
                                       PeerClient::Reads())),
        programmes_(CacheOptions(platform), platform.shared_cache(),
                    EncodeProgramme, DecodeProgramme, absl::Now,
                    &platform.cache_counters()),
        due_work_(platform, store_, *uploads_, {&scheduling_, &evaluation_}),
        dependencies_{.store = store_,
                      .rules = platform.rules(),
                      .page_tokens = platform.page_tokens(),
                      .feed_token =
                          [&platform](int64_t position) {
                            return platform.FeedToken(position);
                          }},
        programme_rpc_(platform.shell(), dependencies_, programmes_),
        people_rpc_(platform.shell(), dependencies_),
        application_rpc_(platform.shell(), dependencies_),
        enrolment_rpc_(platform.shell(), dependencies_),
        erasure_rpc_(platform.shell(), dependencies_, Ports()),
        personal_data_(dependencies_, Ports(),
                       [this, &platform](const access::Caller& caller,
                                         const UploadName& upload) {
                         return FindStoredPiece(platform.database(), *uploads_,
                                                caller, upload);
                       }),
        privacy_rpc_(platform.shell(), platform.database(), personal_data_),
        api_client_rpc_(platform.shell(), dependencies_,
                        {.key = platform.secrets().credential_key}),
        token_rpc_(platform.shell(), store_,
                   {.key = platform.secrets().credential_key},
                   {.key = token_key_,
                    .issuer = platform.flags().token_issuer,
                    .audience = platform.flags().token_audience,
                    .lifetime = platform.flags().token_lifetime}),
        upload_rpc_(platform.shell(), platform.database(), *uploads_,
                    PieceLimits(platform.flags().documents_inspector)) {
    // What this process commits is dropped before its caller is answered, and
    // what other replicas commit as soon as their place in the feed is known.
    platform.database().AddCommitListener(
        [this](absl::Span<const storage::Change> changes) {
          for (const storage::Change& change : changes) {
            if (change.kind == kProgrammeKind) {
              programmes_.Invalidate(change.name, change.version);
            }
          }
        });
    platform.feed_tail().AddListener(
        [this](absl::Span<const storage::PositionedChange> changes) {
          for (const storage::PositionedChange& told : changes) {
            if (told.change.kind == kProgrammeKind) {
              programmes_.Apply(told.change.name, told.change.version,
                                told.position);
            }
          }
        });
  }

  // Erases again whom a restored copy has brought back.
  absl::Status ReplayErasures(platform::Platform& platform) {
    const access::Caller caller = platform.OwnCaller("ReplayErasures");
    return privacy::ReplayErasures(erasure_log_, platform.database(), caller,
                                   [&](const std::string& person) {
                                     return EraseAgain(
                                         store_, platform.rules(), caller,
                                         PersonName::FromRecord(person));
                                   });
  }

  std::vector<rpc::AnyService*> services() override {
    return {&programme_rpc_,  &people_rpc_,  &application_rpc_,
            &enrolment_rpc_,  &erasure_rpc_, &privacy_rpc_,
            &api_client_rpc_, &token_rpc_,   &upload_rpc_};
  }
  platform::DueWork& due_work() override { return due_work_; }

 private:
  ErasurePorts Ports() {
    return {.peers = {&scheduling_, &evaluation_}, .log = erasure_log_};
  }

  // Of what is cached nothing is personal: programmes only, so that an erasure
  // has no copies to go after here.
  static cache::ReadThroughOptions CacheOptions(platform::Platform& platform) {
    cache::ReadThroughOptions options;
    options.key_space = {.service = "enrolment",
                         .database = platform.database().incarnation(),
                         .kind = kProgrammeKind,
                         .schema = 2};
    options.applied = [&tail = platform.feed_tail()] { return tail.applied(); };
    options.memory_ttl = platform.is_single_writer() ? absl::InfiniteDuration()
                                                     : kStuckFeedBound;
    return options;
  }

  const std::unique_ptr<documents::UploadStore> uploads_;
  const identity::SigningKey token_key_;
  SqlEnrolmentStore store_;
  privacy::FileErasureLog erasure_log_;
  PeerClient scheduling_;
  PeerClient evaluation_;
  ProgrammeCache programmes_;
  EnrolmentDueWork due_work_;
  const Dependencies dependencies_;
  ProgrammeRpc programme_rpc_;
  PeopleRpc people_rpc_;
  ApplicationRpc application_rpc_;
  EnrolmentRpc enrolment_rpc_;
  ErasureRpc erasure_rpc_;
  EnrolmentPersonalData personal_data_;
  privacy::PrivacyRpc privacy_rpc_;
  ApiClientRpc api_client_rpc_;
  TokenRpc token_rpc_;
  documents::UploadRpc upload_rpc_;
};

absl::StatusOr<std::unique_ptr<platform::Application>> Compose(
    platform::Platform& platform) {
  ASSIGN_OR_RETURN(std::unique_ptr<documents::UploadStore> uploads,
                   documents::UploadStore::Open(
                       {.directory = platform.flags().upload_dir,
                        .key_file = platform.flags().upload_key_file}));
  std::string key_set_file;
  ASSIGN_OR_RETURN(identity::SigningKey token_key,
                   TokenKey(platform.flags(), key_set_file));
  RETURN_IF_ERROR(platform.rules().RequirePeriods(
      {"retention.accounting", "retention.funding_pieces",
       "retention.refused_application"}));
  auto enrolmentd = std::make_unique<Enrolmentd>(platform, std::move(uploads),
                                                 std::move(token_key));
  RETURN_IF_ERROR(enrolmentd->ReplayErasures(platform));
  return enrolmentd;
}

}  // namespace
}  // namespace parcours::enrolment

int main(int argc, char** argv) {
  return parcours::platform::RunDaemon(
      {.defaults = {.service = "enrolment",
                    .listen_address = "127.0.0.1:50051",
                    .description =
                        "Applications, places, agreements and enrolments."},
       .migrations = parcours::enrolment::AllMigrations(),
       .submissions =
           {"parcours.enrolment.v1.ApplicationService/SubmitApplication"},
       .compose = parcours::enrolment::Compose,
       .own_issuers = parcours::enrolment::OwnIssuers},
      argc, argv);
}
