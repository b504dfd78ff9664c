#ifndef PARCOURS_SERVICES_ENROLMENT_RPC_PEER_CLIENT_H_
#define PARCOURS_SERVICES_ENROLMENT_RPC_PEER_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "parcours/platform/v1/change_feed.grpc.pb.h"
#include "parcours/platform/v1/privacy.grpc.pb.h"
#include "services/enrolment/domain/peer_port.h"

namespace parcours::enrolment {

// PeerPort over gRPC. Thread-safe.
class PeerClient final : public PeerPort {
 public:
  // The services of the contract that it calls, for the channel.
  static std::vector<std::string> Reads();

  PeerClient(std::string service,
             const std::shared_ptr<grpc::Channel>& channel);

  const std::string& service() const override { return service_; }
  absl::StatusOr<std::vector<privacy::LegalHold>> LegalHolds(
      const access::Caller& caller, const PersonName& person) override;
  absl::StatusOr<PeerErasures> ErasuresAfter(const access::Caller& caller,
                                             const std::string& token) override;

 private:
  const std::string service_;
  const std::unique_ptr<platform::v1::PrivacyService::StubInterface> privacy_;
  const std::unique_ptr<platform::v1::ChangeFeedService::StubInterface> feed_;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_RPC_PEER_CLIENT_H_
