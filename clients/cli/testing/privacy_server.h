#ifndef PARCOURS_CLIENTS_CLI_TESTING_PRIVACY_SERVER_H_
#define PARCOURS_CLIENTS_CLI_TESTING_PRIVACY_SERVER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "clients/cli/services.h"
#include "common/rpc/grpc_status.h"
#include "common/text/view.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "parcours/platform/v1/privacy.grpc.pb.h"

namespace parcours::cli {

inline constexpr char kPerson[] = "bodies/opale/persons/p-1";

// PrivacyService of one service, which answers what a test wants and remembers
// what it was asked.
class FakePrivacy final : public platform::v1::PrivacyService::Service {
 public:
  grpc::Status ExportPerson(
      grpc::ServerContext*, const platform::v1::ExportPersonRequest* request,
      grpc::ServerWriter<platform::v1::ExportPersonResponse>* writer) override {
    asked.push_back(request->name());
    for (const auto& piece : pieces) writer->Write(piece);
    return rpc::ToGrpcStatus(status, "");
  }
  grpc::Status ListLegalHolds(
      grpc::ServerContext*, const platform::v1::ListLegalHoldsRequest* request,
      platform::v1::ListLegalHoldsResponse* response) override {
    asked.push_back(request->name());
    *response = holds;
    return rpc::ToGrpcStatus(status, "");
  }
  grpc::Status PlanRetention(grpc::ServerContext*,
                             const platform::v1::PlanRetentionRequest* request,
                             platform::v1::RetentionPlan* response) override {
    asked.push_back(request->parent());
    *response = plan;
    return rpc::ToGrpcStatus(status, "");
  }
  grpc::Status ApplyRetention(
      grpc::ServerContext*, const platform::v1::ApplyRetentionRequest* request,
      platform::v1::RetentionPlan* response) override {
    applied.push_back(*request);
    *response = plan;
    return rpc::ToGrpcStatus(status, "");
  }

  platform::v1::LegalHold& AddHold(const std::string& kind,
                                   const std::string& resource) {
    platform::v1::LegalHold& hold = *holds.add_holds();
    hold.set_kind(kind);
    hold.set_resource(resource);
    return hold;
  }

  absl::Status status;
  std::vector<platform::v1::ExportPersonResponse> pieces;
  platform::v1::ListLegalHoldsResponse holds;
  platform::v1::RetentionPlan plan;
  std::vector<std::string> asked;
  std::vector<platform::v1::ApplyRetentionRequest> applied;
};

// Three servers, each with a FakePrivacy, enrolment's with more.
class PrivacyServers {
 public:
  explicit PrivacyServers(std::vector<grpc::Service*> of_enrolment = {}) {
    of_enrolment.push_back(&enrolment);
    addresses.enrolment = Serve(of_enrolment);
    addresses.scheduling = Serve({&scheduling});
    addresses.evaluation = Serve({&evaluation});
  }
  ~PrivacyServers() {
    for (const auto& server : servers_) server->Shutdown();
  }

  FakePrivacy enrolment;
  FakePrivacy scheduling;
  FakePrivacy evaluation;
  ServiceAddresses addresses;

 private:
  std::string Serve(const std::vector<grpc::Service*>& services) {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    for (grpc::Service* service : services) builder.RegisterService(service);
    servers_.push_back(builder.BuildAndStart());
    return Cat("127.0.0.1:", port);
  }

  std::vector<std::unique_ptr<grpc::Server>> servers_;
};

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_TESTING_PRIVACY_SERVER_H_
