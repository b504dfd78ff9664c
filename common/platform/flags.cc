#include "common/platform/flags.h"

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "common/quota/address.h"
#include "common/rpc/loopback.h"
#include "common/telemetry/log.h"
#include "common/text/view.h"

ABSL_FLAG(
    std::string, listen_address, "",
    "Where calls are answered in plain text, host:port or unix:/path; port "
    "0 takes a free one. Loopback only; \"none\" for nowhere.");
ABSL_FLAG(std::string, port_file, "",
          "Where the port is written once calls are answered.");
ABSL_FLAG(
    std::string, tls_listen_address, "",
    "Where calls are answered over mutual TLS, host:port; empty: nowhere.");
ABSL_FLAG(std::string, tls_port_file, "", "Where the port of TLS is written.");
ABSL_FLAG(std::string, tls_certificate_file, "",
          "Certificate of this service and those above it, PEM, for the TLS "
          "port and for calls to other services. Read again when it changes.");
ABSL_FLAG(std::string, tls_key_file, "",
          "Its private key, PEM; may be the same file.");
ABSL_FLAG(std::string, tls_ca_file, "",
          "Authorities, PEM, whose certificates are accepted, on both sides.");
ABSL_FLAG(absl::Duration, tls_reload_interval, absl::Seconds(10),
          "How often these files are looked at; whole seconds.");
ABSL_FLAG(std::string, identity_file, "",
          "Whose bearer tokens are accepted: an IdentityConfig in the text "
          "format. Empty: nobody's.");
ABSL_FLAG(std::string, token_signing_key_file, "",
          "Key that signs the tokens of API clients, made when it is missing, "
          "with its public set beside it as .jwks; all replicas share it. Only "
          "enrolment issues them. Default: beside --secret_file, .tokens.jwk");
ABSL_FLAG(std::string, token_issuer, "",
          "What `iss` of these tokens says. Default: parcours-<service>");
ABSL_FLAG(std::string, token_audience, "parcours",
          "What `aud` of these tokens says.");
ABSL_FLAG(absl::Duration, token_lifetime, absl::Minutes(10),
          "How long these tokens are good, 1m to 15m: also how long a client "
          "goes on that was stopped.");
ABSL_FLAG(std::string, database_url, "",
          "sqlite:///path/to/file.db or postgresql://user@host/database, "
          "without a password. Several hosts: postgresql:///database?host=a,b&"
          "user=u&target_session_attrs=read-write. Default: "
          "sqlite://var/<service>.db");
ABSL_FLAG(std::string, database_password_file, "",
          "File that holds the password of PostgreSQL.");
ABSL_FLAG(absl::optional<int>, database_pool_size, absl::nullopt,
          "Database sessions; on SQLite, those that read. On PostgreSQL at "
          "least --worker_threads and 7 for the service's own work, which is "
          "the default.");
ABSL_FLAG(std::string, secret_file, "",
          "File of 32 secret bytes, made when it is missing. Default: beside "
          "the SQLite file; required with PostgreSQL.");
ABSL_FLAG(std::string, master_key_file, "",
          "Keys under which the keys of persons and files are kept, made when "
          "it is missing; all replicas share it, and backups hold it apart. "
          "Default: beside --secret_file, .master");
ABSL_FLAG(std::string, erasure_log_file, "",
          "Where it is noted who was erased, to be erased again after a "
          "restore: never part of the database's backup. Default: beside "
          "--secret_file, .erasures");
ABSL_FLAG(std::string, redis_url, "",
          "redis://host:port or unix:///path of the shared cache; empty: "
          "none.");
ABSL_FLAG(int, address_calls_per_minute, 6000,
          "Calls a minute from one address, IPv6 by /64; 0: no limit. Not "
          "counted on this machine.");
ABSL_FLAG(int, client_calls_per_minute, 3000,
          "Calls a minute by one caller who has no limit of their own; 0: no "
          "limit. Not counted on this machine.");
ABSL_FLAG(std::string, quota_key_file, "",
          "File of 16 or more secret bytes, the same for all services that "
          "share limits through Redis, which then shows no address.");
ABSL_FLAG(std::vector<std::string>, trusted_proxies, {},
          "Addresses of proxies, \"loopback\" for one on this machine, whose "
          "last X-Forwarded-For is the address that limits count.");
ABSL_FLAG(std::string, metrics_address, "",
          "host:port where GET /metrics is answered; empty: nowhere.");
ABSL_FLAG(std::string, metrics_port_file, "",
          "Where the port of the metrics is written.");
ABSL_FLAG(std::string, rules_dir, "rules",
          "Folder of the dated rules, fr.txtpb.");
ABSL_FLAG(std::string, upload_dir, "",
          "Folder of the files that people send. Default: "
          "var/<service>-uploads");
ABSL_FLAG(std::string, upload_key_file, "",
          "Key under which they are encrypted, made when it is missing. "
          "Default: the folder's name and .key");
ABSL_FLAG(std::string, documents_inspector, "",
          "The program that looks into files. Default: beside this one.");
ABSL_FLAG(std::string, enrolment_address, "127.0.0.1:50051",
          "Where enrolment answers.");
ABSL_FLAG(std::string, scheduling_address, "127.0.0.1:50052",
          "Where scheduling answers.");
ABSL_FLAG(std::string, evaluation_address, "127.0.0.1:50053",
          "Where evaluation answers.");
ABSL_FLAG(bool, reflection, false, "Serve gRPC reflection.");
ABSL_FLAG(bool, simulation, false,
          "Create a new database as a simulation: its business time stands "
          "still until it is advanced. An existing one stays what it is.");
ABSL_FLAG(
    bool, local, false,
    "Create a new database as local, for trying things out on this "
    "machine: it accepts the tokens of an issuer marked local. An existing "
    "one stays what it is.");
ABSL_FLAG(std::string, simulation_start, "2025-09-01T08:00:00+02:00",
          "Business time at which a new simulation begins (RFC 3339).");
ABSL_FLAG(
    absl::optional<int>, worker_threads, absl::nullopt,
    "Threads for what may block. Half of them at most work on one cohort. "
    "Default: 4; on PostgreSQL, whose answers are waited for, 8.");
ABSL_FLAG(std::string, log_level, "info", "debug, info, warning or error.");
ABSL_FLAG(absl::Duration, drain_grace, absl::Seconds(20),
          "How long running calls are waited for when the service stops.");

namespace parcours::platform {
namespace {

constexpr std::string_view kFlags[] = {"listen_address",
                                       "port_file",
                                       "tls_listen_address",
                                       "tls_port_file",
                                       "tls_certificate_file",
                                       "tls_key_file",
                                       "tls_ca_file",
                                       "tls_reload_interval",
                                       "identity_file",
                                       "token_signing_key_file",
                                       "token_issuer",
                                       "token_audience",
                                       "token_lifetime",
                                       "local",
                                       "database_url",
                                       "database_password_file",
                                       "database_pool_size",
                                       "secret_file",
                                       "master_key_file",
                                       "erasure_log_file",
                                       "redis_url",
                                       "address_calls_per_minute",
                                       "client_calls_per_minute",
                                       "quota_key_file",
                                       "trusted_proxies",
                                       "metrics_address",
                                       "metrics_port_file",
                                       "rules_dir",
                                       "upload_dir",
                                       "upload_key_file",
                                       "documents_inspector",
                                       "enrolment_address",
                                       "scheduling_address",
                                       "evaluation_address",
                                       "reflection",
                                       "simulation",
                                       "simulation_start",
                                       "worker_threads",
                                       "log_level",
                                       "drain_grace"};

constexpr int kSqliteThreads = 4;
constexpr int kPostgresqlThreads = 8;
// Sequencer, due work, leases of jobs, tail of the feed, witness, journal of
// reads, readiness.
constexpr int kOwnSessions = 7;

// Nothing ends a token before its time.
constexpr absl::Duration kLongestToken = absl::Minutes(15);

std::string EnvironmentName(std::string_view flag) {
  return absl::AsciiStrToUpper(Cat("PARCOURS_", flag));
}

void ReadEnvironment(std::vector<std::string>& problems) {
  for (const std::string_view name : kFlags) {
    const char* value = std::getenv(EnvironmentName(name).c_str());
    if (value == nullptr) continue;
    std::string error;
    if (!absl::FindCommandLineFlag(AbslView(name))->ParseFrom(value, &error)) {
      problems.push_back(Cat(EnvironmentName(name), ": ", error));
    }
  }
}

std::string OrDefault(const std::string& value, std::string fallback) {
  return value.empty() ? std::move(fallback) : value;
}

// The name of the file beside a SQLite file; empty for other databases.
std::string BesideSqlite(std::string_view url, std::string_view suffix) {
  constexpr std::string_view kSqlite = "sqlite://";
  if (!url.starts_with(kSqlite)) return "";
  return Cat(url.substr(kSqlite.size()), suffix);
}

// The file `name` in the folder of the running program, by whatever name that
// was started.
std::string BesideProgram(std::string_view name) {
  std::error_code failed;
  const std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe", failed);
  return (program.parent_path() / name).string();
}

}  // namespace

absl::StatusOr<ServiceFlags> ReadServiceFlags(const ServiceDefaults& defaults,
                                              int argc, char** argv) {
  // Abseil ends the process when it is told twice.
  static const bool described = [&defaults] {
    absl::SetProgramUsageMessage(
        Cat(defaults.description,
            "\nEvery flag --name has an environment variable PARCOURS_NAME, "
            "which counts where the flag is not given."));
    return true;
  }();
  static_cast<void>(described);
  absl::FlagsUsageConfig usage;
  usage.contains_help_flags = [](absl::string_view file) {
    return StdView(file).find("common/platform/flags.cc") !=
           std::string_view::npos;
  };
  absl::SetFlagsUsageConfig(usage);

  std::vector<std::string> problems;
  ReadEnvironment(problems);
  const std::vector<char*> positional = absl::ParseCommandLine(argc, argv);
  for (std::size_t i = 1; i < positional.size(); ++i) {
    problems.push_back(Cat("unexpected argument ", positional[i]));
  }

  ServiceFlags flags;
  flags.service = defaults.service;
  flags.listen_address =
      OrDefault(absl::GetFlag(FLAGS_listen_address), defaults.listen_address);
  if (flags.listen_address == "none") flags.listen_address.clear();
  flags.port_file = absl::GetFlag(FLAGS_port_file);
  flags.tls_listen_address = absl::GetFlag(FLAGS_tls_listen_address);
  flags.tls_port_file = absl::GetFlag(FLAGS_tls_port_file);
  flags.tls_files = {
      .certificate_file = absl::GetFlag(FLAGS_tls_certificate_file),
      .key_file = absl::GetFlag(FLAGS_tls_key_file),
      .ca_file = absl::GetFlag(FLAGS_tls_ca_file)};
  flags.tls_reload_interval = absl::GetFlag(FLAGS_tls_reload_interval);
  flags.identity_file = absl::GetFlag(FLAGS_identity_file);
  flags.token_issuer = OrDefault(absl::GetFlag(FLAGS_token_issuer),
                                 Cat("parcours-", flags.service));
  flags.token_audience = absl::GetFlag(FLAGS_token_audience);
  flags.token_lifetime = absl::GetFlag(FLAGS_token_lifetime);
  flags.database_url = OrDefault(absl::GetFlag(FLAGS_database_url),
                                 Cat("sqlite://var/", flags.service, ".db"));
  flags.database_password_file = absl::GetFlag(FLAGS_database_password_file);
  flags.secret_file = OrDefault(absl::GetFlag(FLAGS_secret_file),
                                BesideSqlite(flags.database_url, ".key"));
  flags.token_signing_key_file = absl::GetFlag(FLAGS_token_signing_key_file);
  if (flags.token_signing_key_file.empty() && !flags.secret_file.empty()) {
    flags.token_signing_key_file = flags.secret_file + ".tokens.jwk";
  }
  flags.master_key_file = absl::GetFlag(FLAGS_master_key_file);
  flags.erasure_log_file = absl::GetFlag(FLAGS_erasure_log_file);
  if (!flags.secret_file.empty()) {
    flags.master_key_file =
        OrDefault(flags.master_key_file, flags.secret_file + ".master");
    flags.erasure_log_file =
        OrDefault(flags.erasure_log_file, flags.secret_file + ".erasures");
  }
  flags.redis_url = absl::GetFlag(FLAGS_redis_url);
  flags.address_calls_per_minute =
      absl::GetFlag(FLAGS_address_calls_per_minute);
  flags.client_calls_per_minute = absl::GetFlag(FLAGS_client_calls_per_minute);
  flags.quota_key_file = absl::GetFlag(FLAGS_quota_key_file);
  flags.trusted_proxies = absl::GetFlag(FLAGS_trusted_proxies);
  flags.metrics_address = absl::GetFlag(FLAGS_metrics_address);
  flags.metrics_port_file = absl::GetFlag(FLAGS_metrics_port_file);
  flags.rules_dir = absl::GetFlag(FLAGS_rules_dir);
  flags.upload_dir = OrDefault(absl::GetFlag(FLAGS_upload_dir),
                               Cat("var/", flags.service, "-uploads"));
  flags.upload_key_file = OrDefault(absl::GetFlag(FLAGS_upload_key_file),
                                    flags.upload_dir + ".key");
  flags.documents_inspector =
      OrDefault(absl::GetFlag(FLAGS_documents_inspector),
                BesideProgram("documents_inspector"));
  flags.enrolment_address = absl::GetFlag(FLAGS_enrolment_address);
  flags.scheduling_address = absl::GetFlag(FLAGS_scheduling_address);
  flags.evaluation_address = absl::GetFlag(FLAGS_evaluation_address);
  flags.reflection = absl::GetFlag(FLAGS_reflection);
  flags.simulation = absl::GetFlag(FLAGS_simulation);
  flags.local = absl::GetFlag(FLAGS_local);
  const bool postgresql = flags.database_url.starts_with("postgresql://");
  flags.worker_threads =
      absl::GetFlag(FLAGS_worker_threads)
          .value_or(postgresql ? kPostgresqlThreads : kSqliteThreads);
  const int sessions_needed = flags.worker_threads + kOwnSessions;
  flags.database_pool_size =
      absl::GetFlag(FLAGS_database_pool_size).value_or(sessions_needed);
  flags.log_level = absl::GetFlag(FLAGS_log_level);
  flags.drain_grace = absl::GetFlag(FLAGS_drain_grace);

  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full,
                       absl::GetFlag(FLAGS_simulation_start),
                       &flags.simulation_start, &error)) {
    problems.push_back(Cat("--simulation_start: ", error));
  }
  if (flags.worker_threads < 1) {
    problems.push_back("--worker_threads must be at least 1");
  }
  if (flags.address_calls_per_minute < 0 || flags.client_calls_per_minute < 0) {
    problems.push_back("calls per minute must not be negative");
  }
  for (const std::string& proxy : flags.trusted_proxies) {
    if (proxy != "loopback" && !quota::IsAddress(proxy)) {
      problems.push_back(Cat("--trusted_proxies: ", proxy, " is no address"));
    }
  }
  if (flags.database_pool_size < 1) {
    problems.push_back("--database_pool_size must be at least 1");
  } else if (postgresql && flags.database_pool_size < sessions_needed) {
    problems.push_back(Cat(
        "--database_pool_size ", flags.database_pool_size, " is less than ",
        sessions_needed, ": one session for each of ", flags.worker_threads,
        " --worker_threads and ", kOwnSessions, " for the service's own work"));
  }
  if (!telemetry::ParseLogLevel(flags.log_level).has_value()) {
    problems.push_back(Cat("--log_level: no such level ", flags.log_level));
  }
  if (flags.token_lifetime < absl::Minutes(1) ||
      flags.token_lifetime > kLongestToken) {
    problems.push_back("--token_lifetime is not between 1m and 15m");
  }
  if (flags.token_signing_key_file.ends_with(".jwks")) {
    problems.push_back(
        "--token_signing_key_file must not end in .jwks, as the public set "
        "beside it does");
  }
  if (flags.drain_grace < absl::ZeroDuration()) {
    problems.push_back("--drain_grace must not be negative");
  }
  if (problems.empty()) return flags;
  return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
}

absl::Status CheckTransport(const ServiceFlags& flags) {
  std::vector<std::string> problems;
  if (flags.listen_address.empty() && flags.tls_listen_address.empty()) {
    problems.emplace_back(
        "--listen_address is none and --tls_listen_address is not given");
  }
  if (!flags.listen_address.empty() &&
      !rpc::IsLoopbackAddress(flags.listen_address)) {
    problems.push_back(
        Cat("--listen_address ", flags.listen_address,
            " is not on loopback, and plain text must not leave the machine; "
            "see --tls_listen_address"));
  }
  if (flags.tls_reload_interval < absl::Seconds(1)) {
    problems.emplace_back("--tls_reload_interval must be at least 1s");
  }
  const bool plain = flags.tls_files.empty();
  if (plain && !flags.tls_listen_address.empty()) {
    problems.emplace_back(
        "--tls_listen_address needs --tls_certificate_file, --tls_key_file and "
        "--tls_ca_file");
  }
  for (const auto& [flag, address] :
       {std::pair("--enrolment_address", &flags.enrolment_address),
        std::pair("--scheduling_address", &flags.scheduling_address),
        std::pair("--evaluation_address", &flags.evaluation_address)}) {
    if (!plain || address->empty() || rpc::IsLoopbackAddress(*address)) {
      continue;
    }
    problems.push_back(
        Cat(flag, " ", *address,
            " is not on loopback, and without --tls_certificate_file calls "
            "would be in plain text"));
  }
  if (problems.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
}

}  // namespace parcours::platform
