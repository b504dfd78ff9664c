#ifndef PARCOURS_COMMON_PLATFORM_FLAGS_H_
#define PARCOURS_COMMON_PLATFORM_FLAGS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace parcours::platform {

// How one service is run. The flags carry the same names with hyphen or
// underscore; each has an environment variable, PARCOURS_ and its name in
// capitals, that counts where the flag is not given, and a default. Secrets
// come from files only.
struct ServiceFlags {
  std::string service;
  std::string listen_address;
  std::string port_file;
  std::string database_url;
  std::string database_password_file;
  int database_pool_size = 0;
  std::string secret_file;
  std::string redis_url;
  std::string metrics_address;
  std::string metrics_port_file;
  std::string rules_dir;
  std::string upload_dir;
  std::string upload_key_file;
  std::string documents_inspector;
  std::string enrolment_address;
  std::string scheduling_address;
  std::string evaluation_address;
  bool reflection = false;
  bool simulation = false;
  absl::Time simulation_start;
  int worker_threads = 0;
  std::string log_level;
  absl::Duration drain_grace;
};

// What differs between services.
struct ServiceDefaults {
  std::string service;  // "enrolment"
  std::string listen_address;
  std::string description;  // for --help
};

// Reads environment and command line. INVALID_ARGUMENT with every problem, one
// on a line. Ends the process for --help and for a flag that does not exist.
absl::StatusOr<ServiceFlags> ReadServiceFlags(const ServiceDefaults& defaults,
                                              int argc, char** argv);

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_FLAGS_H_
