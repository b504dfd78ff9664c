#ifndef PARCOURS_COMMON_AUDIT_WITNESS_H_
#define PARCOURS_COMMON_AUDIT_WITNESS_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/audit/entry.h"
#include "common/storage/database.h"
#include "common/storage/job_lease.h"
#include "common/telemetry/metrics.h"
#include "grpcpp/channel.h"

namespace parcours::audit {

// Another service, whose chain is to be witnessed.
struct Peer {
  std::string service;
  std::function<absl::StatusOr<Head>(absl::Time deadline)> head;
};

// The peer `service` behind `channel`, asked by AuditService.GetAuditHead.
Peer PeerAt(std::string service, const std::shared_ptr<grpc::Channel>& channel);

// Keeps the heads of the chains of other services in this one's database, where
// whoever rewrites a chain must find them too: every `interval`, where a head
// has moved. Rows are only ever added. A head that moved backwards, or changed
// in place, is kept like any other, logged and counted. Thread-safe.
class Witness {
 public:
  struct Options {
    // Real time. Entries younger than this may be rewritten unseen.
    absl::Duration interval = absl::Minutes(1);
    // How long a peer may take to answer.
    absl::Duration patience = absl::Seconds(3);
    // Where there are replicas: one of them observes. Outlives the witness.
    storage::JobLeases* leases = nullptr;
  };

  // All outlive this.
  Witness(storage::Database& database, telemetry::Metrics& metrics,
          std::vector<Peer> peers, Options options);
  Witness(storage::Database& database, telemetry::Metrics& metrics,
          std::vector<Peer> peers)
      : Witness(database, metrics, std::move(peers), Options()) {}
  // Stops.
  ~Witness();
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  // Observes at once, and then every interval, on a thread of its own.
  void Start();

  // Asks every peer once, and keeps what they say under `lease`. The first
  // error; the other peers are asked all the same.
  absl::Status Observe(
      const std::optional<access::JobLease>& lease = std::nullopt);

 private:
  absl::Status ObservePeer(const Peer& peer,
                           const std::optional<access::JobLease>& lease);
  absl::Status ObserveInTurn(std::optional<storage::JobLeases::Turn>& turn);
  void Loop();

  storage::Database& database_;
  const std::vector<Peer> peers_;
  const Options options_;
  telemetry::Counter kept_;
  telemetry::Counter contradictions_;
  absl::Notification stopping_;
  std::thread thread_;
};

}  // namespace parcours::audit

#endif  // PARCOURS_COMMON_AUDIT_WITNESS_H_
