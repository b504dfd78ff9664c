#ifndef PARCOURS_COMMON_RPC_SERVICE_METHOD_H_
#define PARCOURS_COMMON_RPC_SERVICE_METHOD_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/access/principal.h"
#include "common/access/scope.h"
#include "common/rpc/validation.h"
#include "common/rpc/worker_pool.h"
#include "common/telemetry/metrics.h"
#include "google/protobuf/descriptor.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours::rpc {

// What the shell knows of one method, read from the contract once, so that a
// call looks nothing up.
struct ServiceMethod {
  ServiceMethod(std::string name, telemetry::Metrics& registry)
      : full_name(std::move(name)), metrics(registry.ForMethod(full_name)) {}

  // "parcours.enrolment.v1.EnrolmentService/GetCohort".
  const std::string full_name;
  // Empty when the contract does not say who may call: then nobody may.
  access::RoleSet roles;
  type::v1::Scope scope = type::v1::SCOPE_UNSPECIFIED;
  WorkClass work_class = WorkClass::kWrite;
  // The request's `request_id`, or null.
  const google::protobuf::FieldDescriptor* request_id = nullptr;
  // The checks of the request; null when the contract has no such method.
  const RequestRules* rules = nullptr;
  mutable telemetry::MethodMetrics metrics;
};

// Whether calling `method` changes nothing: its HTTP binding is a GET.
bool OnlyReads(const google::protobuf::MethodDescriptor& method);

// Reads `service`/`method` from the contract compiled into this process. Calls
// that only read are kRead; those listed in `submissions` by full
// name kSubmission; all others kWrite.
std::unique_ptr<const ServiceMethod> ReadMethod(
    std::string_view service, std::string_view method,
    const std::vector<std::string>& submissions, telemetry::Metrics& metrics);

// What is missing from the contract of the methods of `service`: one sentence
// for each method without roles or without a scope.
std::vector<std::string> MissingAccess(std::string_view service);

// The scope of a call by `principal`: that of its body for SCOPE_BODY, or the
// installation for those without one. PERMISSION_DENIED when the principal
// has no such scope.
absl::StatusOr<access::Scope> ScopeOf(const ServiceMethod& method,
                                      const access::Principal& principal);

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_SERVICE_METHOD_H_
