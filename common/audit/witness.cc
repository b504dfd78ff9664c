#include "common/audit/witness.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "common/audit/trail.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "common/status/macros.h"
#include "common/telemetry/log.h"
#include "common/text/view.h"
#include "parcours/platform/v1/audit.grpc.pb.h"

namespace parcours::audit {
namespace {

using ::parcours::storage::Outcome;
using ::parcours::storage::Rows;
using ::parcours::storage::Transaction;

constexpr char kJob[] = "audit_witness";
constexpr char kLast[] =
    "SELECT incarnation, position, hash FROM audit_witness "
    "WHERE service = $1 ORDER BY insertion DESC LIMIT 1";
constexpr char kKeep[] =
    "INSERT INTO audit_witness (service, incarnation, position, hash, "
    "observe_time) VALUES ($1, $2, $3, $4, $5)";

// Whether a chain that ended at `before` may end at `now`.
bool Follows(const Head& before, const Head& now) {
  return before.incarnation == now.incarnation &&
         (now.position > before.position || now == before);
}

}  // namespace

Peer PeerAt(std::string service,
            const std::shared_ptr<grpc::Channel>& channel) {
  const std::shared_ptr<platform::v1::AuditService::StubInterface> stub =
      platform::v1::AuditService::NewStub(channel);
  return {.service = service,
          .head = [stub, service](absl::Time deadline) -> absl::StatusOr<Head> {
            grpc::ClientContext context;
            context.set_deadline(absl::ToChronoTime(deadline));
            const platform::v1::GetAuditHeadRequest request;
            platform::v1::AuditHead head;
            RETURN_IF_ERROR(rpc::OwnerStatus(
                stub->GetAuditHead(&context, request, &head), service));
            return Head{head.incarnation(), head.position(), head.hash()};
          }};
}

Witness::Witness(storage::Database& database, telemetry::Metrics& metrics,
                 std::vector<Peer> peers, Options options)
    : database_(database),
      peers_(std::move(peers)),
      options_(options),
      kept_(metrics.MakeCounter("parcours_audit_witnessed_heads_total",
                                "Heads of other services' audit chains that "
                                "were kept.")),
      contradictions_(metrics.MakeCounter(
          "parcours_audit_witness_contradictions_total",
          "Heads of other services' audit chains that do not follow the one "
          "kept before: a chain was rewritten or restored.")) {}

Witness::~Witness() {
  stopping_.Notify();
  if (thread_.joinable()) thread_.join();
}

void Witness::Start() {
  thread_ = std::thread([this] { Loop(); });
}

absl::Status Witness::Observe(const std::optional<access::JobLease>& lease) {
  absl::Status first;
  for (const Peer& peer : peers_) first.Update(ObservePeer(peer, lease));
  return first;
}

absl::Status Witness::ObserveInTurn(
    std::optional<storage::JobLeases::Turn>& turn) {
  if (options_.leases == nullptr) return Observe();
  ASSIGN_OR_RETURN(turn, options_.leases->TryTake(kJob));
  return turn.has_value() ? Observe(turn->lease()) : absl::OkStatus();
}

absl::Status Witness::ObservePeer(
    const Peer& peer, const std::optional<access::JobLease>& lease) {
  const absl::Time deadline = absl::Now() + options_.patience;
  ASSIGN_OR_RETURN(const Head head, peer.head(deadline));
  std::optional<Head> last;
  access::Caller caller = TrailCaller(absl::Now() + options_.patience);
  caller.lease = lease;
  RETURN_IF_ERROR(
      database_
          .Transact(caller,
                    [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
                      last.reset();
                      ASSIGN_OR_RETURN(
                          const Rows rows,
                          transaction.Query({kLast, {peer.service}}));
                      if (!rows.empty()) {
                        last = Head{rows[0].Text(0), rows[0].Integer(1),
                                    rows[0].Text(2)};
                      }
                      if (last == head) return Outcome{};
                      transaction.Write(
                          {kKeep,
                           {peer.service, head.incarnation, head.position,
                            head.hash, absl::ToUnixMicros(absl::Now())}});
                      return Outcome{};
                    })
          .status());
  if (last == head) return absl::OkStatus();
  kept_.Increment();
  if (last.has_value() && !Follows(*last, head)) {
    contradictions_.Increment();
    telemetry::Log(telemetry::LogLevel::kError,
                   "the audit chain of another service is not the one seen "
                   "before",
                   {{"of", std::string_view(peer.service)},
                    {"position_before", last->position},
                    {"position", head.position}});
  }
  return absl::OkStatus();
}

void Witness::Loop() {
  // A fault is logged once, not at every round while it lasts.
  bool failing = false;
  // Kept between rounds, so that it stays with one replica.
  std::optional<storage::JobLeases::Turn> turn;
  do {
    const absl::Status status = ObserveInTurn(turn);
    if (!status.ok() && !failing) {
      telemetry::Log(telemetry::LogLevel::kInfo,
                     "the audit chain of another service was not witnessed",
                     {{"error", StdView(status.message())}});
    }
    failing = !status.ok();
  } while (!stopping_.WaitForNotificationWithTimeout(options_.interval));
}

}  // namespace parcours::audit
