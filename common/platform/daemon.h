#ifndef PARCOURS_COMMON_PLATFORM_DAEMON_H_
#define PARCOURS_COMMON_PLATFORM_DAEMON_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/identity/issuer.h"
#include "common/platform/flags.h"
#include "common/platform/platform.h"
#include "common/storage/database.h"

namespace parcours::platform {

// What makes a service of its own out of the platform.
struct Service {
  ServiceDefaults defaults;
  std::vector<storage::Migration> migrations;
  // Full names of the methods whose order of arrival counts: they have a large
  // queue of their own.
  std::vector<std::string> submissions;
  std::function<absl::StatusOr<std::unique_ptr<Application>>(Platform&)>
      compose;
  // Issuers of tokens that the service is itself; empty where it is none. Runs
  // before anything is opened.
  std::function<absl::StatusOr<std::vector<identity::Issuer>>(
      const ServiceFlags&)>
      own_issuers = nullptr;
};

// The whole of a service's main: reads the flags, opens the platform, serves
// until it is told to stop. Returns the exit status; what is wrong with the
// configuration stands on stderr, one problem on a line.
int RunDaemon(const Service& service, int argc, char** argv);

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_DAEMON_H_
