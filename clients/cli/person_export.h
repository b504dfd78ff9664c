#ifndef PARCOURS_CLIENTS_CLI_PERSON_EXPORT_H_
#define PARCOURS_CLIENTS_CLI_PERSON_EXPORT_H_

#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "clients/cli/connection.h"
#include "clients/cli/services.h"

namespace parcours::cli {

// A name under which a document that a service calls `name` may be written into
// a folder that holds `taken` already, whatever the name: letters, digits, dot,
// dash and underscore, no dot first, at most 120 characters. Adds it to
// `taken`.
std::string SafeFileName(std::string_view name, std::set<std::string>& taken);

// `parcours person export NAME --to FOLDER`: writes what every service holds on
// a person into `folder`, which must not exist or be empty: SERVICE.json, the
// documents in SERVICE/, checked against their digests, and LISEZ-MOI.txt, for
// a person to read. Only the owner may read any of it. All of it or nothing is
// left there.
ExitCode ExportPersonCommand(const ServiceAddresses& addresses,
                             const std::vector<std::string>& arguments,
                             const std::string& folder, std::ostream& out,
                             std::ostream& errors);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_PERSON_EXPORT_H_
