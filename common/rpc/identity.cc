#include "common/rpc/identity.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "common/status/error.h"
#include "common/text/view.h"
#include "grpc/grpc_security_constants.h"
#include "grpcpp/security/auth_context.h"
#include "grpcpp/support/string_ref.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours::rpc {
namespace {

constexpr std::string_view kServiceUri = "spiffe://parcours/service/";
constexpr std::string_view kFeedReaderUri = "spiffe://parcours/feed-reader/";
constexpr std::string_view kBearer = "bearer ";
constexpr std::size_t kMaxName = 63;

std::string_view View(grpc::string_ref text) {
  return {text.data(), text.size()};
}

// The URI of whoever is at the other end of the connection; empty without one.
// gRPC gives the id only where the certificate was verified and carries exactly
// one URI.
std::string UriOf(const grpc::CallbackServerContext& context) {
  const std::shared_ptr<const grpc::AuthContext> peer = context.auth_context();
  if (peer == nullptr) return "";
  const std::vector<grpc::string_ref> uris =
      peer->FindPropertyValues(GRPC_PEER_SPIFFE_ID_PROPERTY_NAME);
  if (uris.size() != 1) return "";
  return std::string(View(uris.front()));
}

// What stands in `uri` behind `prefix`, where that is one name; else empty.
std::string_view NameBehind(std::string_view prefix, std::string_view uri) {
  if (!uri.starts_with(prefix)) return {};
  const std::string_view name = uri.substr(prefix.size());
  const bool is_name =
      !name.empty() && name.size() <= kMaxName &&
      std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
      });
  return is_name ? name : std::string_view();
}

// What the call shows; nothing when it shows nothing, empty when that is not
// one bearer token.
std::optional<std::string_view> TokenOf(
    const grpc::CallbackServerContext& context) {
  const auto [first, last] =
      context.client_metadata().equal_range("authorization");
  if (first == last) return std::nullopt;
  const std::string_view value = View(first->second);
  if (std::next(first) != last ||
      !absl::StartsWithIgnoreCase(AbslView(value), AbslView(kBearer))) {
    return std::string_view();
  }
  return value.substr(kBearer.size());
}

access::Principal WithRole(std::string subject, int role) {
  access::Principal principal;
  principal.subject = std::move(subject);
  principal.roles.Add(role);
  return principal;
}

// Whom a certificate makes known by itself.
std::optional<access::Principal> CertifiedBy(std::string_view uri) {
  if (const std::string_view name = ServiceOfUri(uri); !name.empty()) {
    return WithRole(Cat("service:", name), type::v1::ROLE_SERVICE);
  }
  if (const std::string_view name = FeedReaderOfUri(uri); !name.empty()) {
    return WithRole(Cat("feed-reader:", name), type::v1::ROLE_FEED_READER);
  }
  return std::nullopt;
}

}  // namespace

Identify IdentifyCallers(VerifyToken verify) {
  return
      [verify = std::move(verify)](const grpc::CallbackServerContext& context)
          -> absl::StatusOr<access::Principal> {
        const std::optional<std::string_view> token = TokenOf(context);
        if (std::optional<access::Principal> certified =
                CertifiedBy(UriOf(context));
            certified.has_value()) {
          if (token.has_value()) return MakeError(Reason::kUnauthenticated);
          return *std::move(certified);
        }
        if (!token.has_value())
          return WithRole("public", type::v1::ROLE_PUBLIC);
        if (token->empty() || !verify)
          return MakeError(Reason::kUnauthenticated);
        return verify(*token);
      };
}

std::string_view ServiceOfUri(std::string_view uri) {
  return NameBehind(kServiceUri, uri);
}

std::string_view FeedReaderOfUri(std::string_view uri) {
  return NameBehind(kFeedReaderUri, uri);
}

}  // namespace parcours::rpc
