#ifndef PARCOURS_COMMON_PLATFORM_FLAGS_H_
#define PARCOURS_COMMON_PLATFORM_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rpc/tls.h"

namespace parcours::platform {

// How one service is run. The flags carry the same names with hyphen or
// underscore; each has an environment variable, PARCOURS_ and its name in
// capitals, that counts where the flag is not given, and a default. Secrets
// come from files only.
struct ServiceFlags {
  std::string service;
  // Empty for nowhere, which the flag calls "none".
  std::string listen_address;
  std::string port_file;
  std::string tls_listen_address;
  std::string tls_port_file;
  rpc::TlsFiles tls_files;
  absl::Duration tls_reload_interval;
  std::string identity_file;
  // Of the tokens that the service issues itself, where it does. The key's file
  // is empty only where secret_file is.
  std::string token_signing_key_file;
  std::string token_issuer;
  std::string token_audience;
  absl::Duration token_lifetime;
  std::string database_url;
  std::string database_password_file;
  // On PostgreSQL at least one for each worker and each of the service's own
  // threads, so that neither waits for the other.
  int database_pool_size = 0;
  std::string secret_file;
  // Empty only where secret_file is.
  std::string master_key_file;
  std::string erasure_log_file;
  std::string redis_url;
  // 0 for no limit.
  int address_calls_per_minute = 0;
  int client_calls_per_minute = 0;
  std::string quota_key_file;
  // Addresses, or "loopback".
  std::vector<std::string> trusted_proxies;
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
  bool local = false;
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

// INVALID_ARGUMENT with every problem, one on a line, of where calls come in
// and go out: there is an address, plain text stays on this machine, and TLS
// has its files.
absl::Status CheckTransport(const ServiceFlags& flags);

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_FLAGS_H_
