#ifndef PARCOURS_CLIENTS_CLI_PRIVACY_CALLS_H_
#define PARCOURS_CLIENTS_CLI_PRIVACY_CALLS_H_

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "clients/cli/connection.h"
#include "clients/cli/services.h"
#include "parcours/platform/v1/privacy.grpc.pb.h"

namespace parcours::cli {

// PrivacyService of one of the services.
struct PrivacyClient {
  std::string service;
  Client<platform::v1::PrivacyService> client;
};

// Those of all services with an address, enrolment first.
std::vector<PrivacyClient> PrivacyClients(const ServiceAddresses& addresses);

// Tells of `status` of one service and keeps the first code that is a failure.
void TellFailure(const std::string& service, const absl::Status& status,
                 std::ostream& errors, ExitCode& code);

// Whether `arguments` are the name of one person; what is wrong on `errors`.
bool IsOnePerson(const std::vector<std::string>& arguments,
                 std::string_view usage, std::ostream& errors);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_PRIVACY_CALLS_H_
