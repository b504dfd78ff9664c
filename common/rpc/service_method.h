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
#include "common/rpc/redaction.h"
#include "common/rpc/validation.h"
#include "common/rpc/worker_pool.h"
#include "common/telemetry/metrics.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours::rpc {

// What the shell knows of one method, read from the contract once, so that a
// call looks nothing up.
struct ServiceMethod {
  ServiceMethod(std::string name, telemetry::Metrics& registry)
      : full_name(std::move(name)), metrics(registry.ForMethod(full_name)) {}

  // "parcours.enrolment.v1.EnrolmentService/GetCohort".
  const std::string full_name;
  // Who may call; empty when the contract does not say: then nobody may.
  access::RoleSet roles;
  // Those of them who may call within each scope.
  access::RoleSet body_roles;
  access::RoleSet own_roles;
  access::RoleSet installation_roles;
  access::RoleSet public_roles;
  type::v1::Audit audit = type::v1::AUDIT_UNSPECIFIED;
  WorkClass work_class = WorkClass::kWrite;
  // The request's `request_id`, or null.
  const google::protobuf::FieldDescriptor* request_id = nullptr;
  // Where the request names what it is about; empty where it does not, and for
  // calls that only read.
  std::vector<const google::protobuf::FieldDescriptor*> subject;
  // The checks of the request; null when the contract has no such method.
  const RequestRules* rules = nullptr;
  // What its answer hides from some; null when it hides nothing.
  const Redaction* redaction = nullptr;
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

// Under which key the calls of `method` are capped: the first four segments of
// what `request` is about ("bodies/b/cohorts/c"), which changes below it lock.
// Empty for what lies higher, and for calls that only read.
std::string HotKey(const ServiceMethod& method,
                   const google::protobuf::Message& request);

// What is missing from the contract of the methods of `service`: one sentence
// for each method without a grant, and each grant without roles or a scope.
std::vector<std::string> MissingAccess(std::string_view service);

// Within what, and by which roles, somebody calls.
struct Permission {
  access::Scope scope;
  access::RoleSet roles;
};

// What the contract of `method` permits `principal`: the widest scope that one
// of their roles gives. Only administrators, services, auditors and readers of
// feeds are without a body. PERMISSION_DENIED when nothing is permitted;
// UNAUTHENTICATED when that is because nobody is known.
absl::StatusOr<Permission> PermissionOf(const ServiceMethod& method,
                                        const access::Principal& principal);

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_SERVICE_METHOD_H_
