#include "common/rpc/service_method.h"

#include <algorithm>

#include "common/status/error.h"
#include "common/text/view.h"
#include "google/api/annotations.pb.h"

namespace parcours::rpc {
namespace {

const google::protobuf::ServiceDescriptor* FindService(
    std::string_view service) {
  return google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
      std::string(service));
}

}  // namespace

bool OnlyReads(const google::protobuf::MethodDescriptor& method) {
  const google::api::HttpRule& http =
      method.options().GetExtension(google::api::http);
  return http.pattern_case() == google::api::HttpRule::kGet;
}

std::unique_ptr<const ServiceMethod> ReadMethod(
    std::string_view service, std::string_view method,
    const std::vector<std::string>& submissions, telemetry::Metrics& metrics) {
  auto owned =
      std::make_unique<ServiceMethod>(Cat(service, "/", method), metrics);
  ServiceMethod& read = *owned;
  const google::protobuf::ServiceDescriptor* const declared =
      FindService(service);
  const google::protobuf::MethodDescriptor* const descriptor =
      declared == nullptr ? nullptr
                          : declared->FindMethodByName(std::string(method));
  if (descriptor == nullptr) return owned;

  const type::v1::Access& access =
      descriptor->options().GetExtension(type::v1::access);
  read.scope = access.scope();
  for (const int role : access.roles()) {
    if (role != type::v1::ROLE_UNSPECIFIED) read.roles.Add(role);
  }
  if (!read.roles.empty()) read.roles.Add(type::v1::ROLE_ADMINISTRATOR);

  if (std::find(submissions.begin(), submissions.end(), read.full_name) !=
      submissions.end()) {
    read.work_class = WorkClass::kSubmission;
  } else if (OnlyReads(*descriptor)) {
    read.work_class = WorkClass::kRead;
  }

  const google::protobuf::FieldDescriptor* const request_id =
      descriptor->input_type()->FindFieldByName("request_id");
  if (request_id != nullptr && !request_id->is_repeated() &&
      request_id->type() == google::protobuf::FieldDescriptor::TYPE_STRING) {
    read.request_id = request_id;
  }
  read.rules = &RequestRules::Of(*descriptor->input_type());
  return owned;
}

std::vector<std::string> MissingAccess(std::string_view service) {
  std::vector<std::string> missing;
  const google::protobuf::ServiceDescriptor* const declared =
      FindService(service);
  if (declared == nullptr) {
    missing.push_back(Cat(service, " is not in the contract"));
    return missing;
  }
  for (int i = 0; i < declared->method_count(); ++i) {
    const google::protobuf::MethodDescriptor& method = *declared->method(i);
    const type::v1::Access& access =
        method.options().GetExtension(type::v1::access);
    const std::string name = Cat(service, "/", method.name());
    const bool has_roles = std::any_of(
        access.roles().begin(), access.roles().end(),
        [](int role) { return role != type::v1::ROLE_UNSPECIFIED; });
    if (!has_roles) {
      missing.push_back(Cat(name, " does not say which roles may call it"));
    }
    if (access.scope() == type::v1::SCOPE_UNSPECIFIED) {
      missing.push_back(Cat(name, " has no scope"));
    }
  }
  return missing;
}

absl::StatusOr<access::Scope> ScopeOf(const ServiceMethod& method,
                                      const access::Principal& principal) {
  access::RoleSet administrator;
  administrator.Add(type::v1::ROLE_ADMINISTRATOR);
  const bool serves_all = principal.body.empty();
  if (serves_all && principal.roles.Intersects(administrator)) {
    return access::Scope::Installation();
  }
  switch (method.scope) {
    case type::v1::SCOPE_BODY:
      return serves_all ? access::Scope::Installation()
                        : access::Scope::Body(principal.body);
    case type::v1::SCOPE_INSTALLATION:
      if (serves_all) return access::Scope::Installation();
      break;
    default:
      // What is one's own, and what is public, have no predicate yet: closed.
      break;
  }
  return MakeError(Reason::kPermissionDenied);
}

}  // namespace parcours::rpc
