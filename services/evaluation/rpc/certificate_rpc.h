#ifndef PARCOURS_SERVICES_EVALUATION_RPC_CERTIFICATE_RPC_H_
#define PARCOURS_SERVICES_EVALUATION_RPC_CERTIFICATE_RPC_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/evaluation/v1/certificate.grpc.pb.h"
#include "services/evaluation/rpc/dependencies.h"

namespace parcours::evaluation {

namespace pb = ::parcours::evaluation::v1;

// parcours.evaluation.v1.CertificateService.
class CertificateRpc final : public rpc::ServiceOf<pb::CertificateService> {
 public:
  CertificateRpc(rpc::Shell& shell, Dependencies dependencies)
      : ServiceOf(shell), dependencies_(std::move(dependencies)) {}

  PARCOURS_RPC(GetCertificate, pb::GetCertificateRequest, pb::Certificate)
  PARCOURS_RPC(ListCertificates, pb::ListCertificatesRequest,
               pb::ListCertificatesResponse)
  PARCOURS_RPC(VerifyCertificate, pb::VerifyCertificateRequest,
               pb::VerifyCertificateResponse)
  PARCOURS_RPC(ReissueCertificate, pb::ReissueCertificateRequest,
               pb::Certificate)
  PARCOURS_RPC(RecordCertifierNumber, pb::RecordCertifierNumberRequest,
               pb::Certificate)

 private:
  absl::StatusOr<pb::Certificate> GetCertificate(
      const rpc::CallContext& call, const pb::GetCertificateRequest& request);
  absl::StatusOr<pb::ListCertificatesResponse> ListCertificates(
      const rpc::CallContext& call, const pb::ListCertificatesRequest& request);
  absl::StatusOr<pb::VerifyCertificateResponse> VerifyCertificate(
      const rpc::CallContext& call,
      const pb::VerifyCertificateRequest& request);
  absl::StatusOr<pb::Certificate> ReissueCertificate(
      const rpc::CallContext& call,
      const pb::ReissueCertificateRequest& request);
  absl::StatusOr<pb::Certificate> RecordCertifierNumber(
      const rpc::CallContext& call,
      const pb::RecordCertifierNumberRequest& request);

  const Dependencies dependencies_;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_RPC_CERTIFICATE_RPC_H_
