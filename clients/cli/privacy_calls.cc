#include "clients/cli/privacy_calls.h"

#include <utility>

#include "common/types/resource_name.h"

namespace parcours::cli {

std::vector<PrivacyClient> PrivacyClients(const ServiceAddresses& addresses) {
  std::vector<PrivacyClient> clients;
  for (const auto& [service, address] :
       {std::pair("enrolment", addresses.enrolment),
        std::pair("scheduling", addresses.scheduling),
        std::pair("evaluation", addresses.evaluation)}) {
    if (address.empty()) continue;
    clients.push_back(
        {service, {OpenChannel(address, addresses.access), address}});
  }
  return clients;
}

void TellFailure(const std::string& service, const absl::Status& status,
                 std::ostream& errors, ExitCode& code) {
  errors << service << " : ";
  PrintError(errors, status);
  if (code == kSuccess) code = ExitCodeOf(status);
}

bool IsOnePerson(const std::vector<std::string>& arguments,
                 std::string_view usage, std::ostream& errors) {
  if (arguments.size() != 1) {
    errors << usage << '\n';
    return false;
  }
  if (!MatchesNamePattern("bodies/*/persons/*", arguments[0])) {
    errors << arguments[0]
           << " n’est pas un nom de la forme bodies/…/persons/…\n";
    return false;
  }
  return true;
}

}  // namespace parcours::cli
