#include "services/evaluation/rpc/certificate_rpc.h"

#include "common/rpc/convert.h"
#include "common/status/macros.h"
#include "common/types/record.h"
#include "services/evaluation/domain/result_use_cases.h"
#include "services/evaluation/rpc/convert.h"

namespace parcours::evaluation {

absl::StatusOr<pb::Certificate> CertificateRpc::GetCertificate(
    const rpc::CallContext& call, const pb::GetCertificateRequest& request) {
  ASSIGN_OR_RETURN(const CertificateName name,
                   CertificateName::Parse(request.name()));
  ASSIGN_OR_RETURN(
      const Certificate certificate,
      GetResource<Certificate>(dependencies_.store, call.caller,
                               &EvaluationUnit::certificates, name));
  return ToProto(certificate);
}

absl::StatusOr<pb::ListCertificatesResponse> CertificateRpc::ListCertificates(
    const rpc::CallContext& call, const pb::ListCertificatesRequest& request) {
  ASSIGN_OR_RETURN(const BodyName body,
                   BodyName::Parse(request.parent(), "parent"));
  CohortName cohort;
  if (!request.cohort().empty()) {
    ASSIGN_OR_RETURN(cohort, CohortName::Parse(request.cohort(), "cohort"));
  }
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  Page<Certificate> found;
  RETURN_IF_ERROR(dependencies_.store.View(
      call.caller, [&](EvaluationUnit& unit) -> absl::Status {
        return ReadPage<Certificate>(unit, found, [&] {
          return unit.ListCertificates(call.caller.scope, body, cohort, page);
        });
      }));
  return PageResponse<pb::ListCertificatesResponse>(
      dependencies_, request, found,
      [](auto& response, const Certificate& item) {
        *response.add_certificates() = ToProto(item);
      });
}

absl::StatusOr<pb::VerifyCertificateResponse> CertificateRpc::VerifyCertificate(
    const rpc::CallContext& call, const pb::VerifyCertificateRequest& request) {
  ASSIGN_OR_RETURN(
      const Certificate certificate,
      evaluation::VerifyCertificate(dependencies_.store, call.caller,
                                    request.number(), request.code()));
  return ToVerification(certificate);
}

absl::StatusOr<pb::Certificate> CertificateRpc::ReissueCertificate(
    const rpc::CallContext& call,
    const pb::ReissueCertificateRequest& request) {
  ASSIGN_OR_RETURN(const CertificateName name,
                   CertificateName::Parse(request.name()));
  ASSIGN_OR_RETURN(
      const Certificate certificate,
      evaluation::ReissueCertificate(
          dependencies_.store, dependencies_.enrolments, call.caller, name,
          rpc::EnumFromProto<ReissueKind>(request.kind()), request.reason(),
          request.etag()));
  return ToProto(certificate);
}

absl::StatusOr<pb::Certificate> CertificateRpc::RecordCertifierNumber(
    const rpc::CallContext& call,
    const pb::RecordCertifierNumberRequest& request) {
  ASSIGN_OR_RETURN(const CertificateName name,
                   CertificateName::Parse(request.name()));
  ASSIGN_OR_RETURN(
      const Certificate certificate,
      evaluation::RecordCertifierNumber(dependencies_.store, call.caller, name,
                                        request.number(), request.etag()));
  return ToProto(certificate);
}

}  // namespace parcours::evaluation
