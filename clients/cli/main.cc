// `parcours`, the operator's command.

#include <pthread.h>
#include <signal.h>

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/flags/usage.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "clients/cli/access_files.h"
#include "clients/cli/audit_commands.h"
#include "clients/cli/client_commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/database_commands.h"
#include "clients/cli/demo/story.h"
#include "clients/cli/generate_command.h"
#include "clients/cli/health_command.h"
#include "clients/cli/keys_command.h"
#include "clients/cli/migrate_command.h"
#include "clients/cli/person_commands.h"
#include "clients/cli/person_export.h"
#include "clients/cli/programme_commands.h"
#include "clients/cli/retention_commands.h"
#include "clients/cli/services.h"
#include "clients/cli/token_command.h"
#include "clients/cli/watch_command.h"
#include "common/text/view.h"

ABSL_FLAG(std::string, address, "127.0.0.1:50051",
          "where the server listens, host:port");
ABSL_FLAG(absl::Duration, timeout, absl::Seconds(5),
          "how long to wait for the answer");
ABSL_FLAG(std::string, enrolment_address, "127.0.0.1:50051",
          "where enrolment listens");
ABSL_FLAG(std::string, scheduling_address, "127.0.0.1:50052",
          "where scheduling listens; empty: leave its part out");
ABSL_FLAG(std::string, evaluation_address, "127.0.0.1:50053",
          "where evaluation listens; empty: leave its part out");
ABSL_FLAG(bool, open, false, "publish the cohort: it receives applications");
ABSL_FLAG(bool, publish, false, "publish the calendar for the first time");
ABSL_FLAG(std::string, reason, "",
          "why a published calendar changes; learners and trainers read it");
ABSL_FLAG(int, to_year, 0, "the year of the copy");
ABSL_FLAG(std::string, out, "", "the file to write");
ABSL_FLAG(std::uint64_t, seed, 2026,
          "what chance decides, decided again the same way");
ABSL_FLAG(std::vector<std::string>, programme, {},
          "the programme file, and those that complete it, with commas");
ABSL_FLAG(std::string, report, "", "the report to write, as JSON");
ABSL_FLAG(std::string, service, "",
          "which one: enrolment, scheduling or evaluation; for watch also all");
ABSL_FLAG(std::string, database_url, "",
          "sqlite:///path/to/file.db or postgresql://user@host/database, "
          "without a password");
ABSL_FLAG(std::string, database_password_file, "",
          "file that holds the password of PostgreSQL");
ABSL_FLAG(std::string, from, "", "the SQLite file, sqlite:///path/to/file.db");
ABSL_FLAG(std::string, to, "",
          "where to: of a copy, postgresql://user@host/database, migrated and "
          "empty; of an export, a folder that is not there or is empty");
ABSL_FLAG(bool, simulation, false,
          "mark a new database, for ever, as one whose time is simulated");
ABSL_FLAG(
    std::string, against, "",
    "heads of the audit trail that were kept, as printed by `audit head`");
ABSL_FLAG(std::vector<std::string>, kinds, {},
          "only changes of these kinds, with commas: application,enrolment");
ABSL_FLAG(std::vector<std::string>, within, {},
          "only what lies within one of these, with commas: bodies/opale, a "
          "cohort, a person, funder:afdas");
ABSL_FLAG(std::vector<std::string>, after, {},
          "where to go on: the token of the service, or enrolment=TOKEN,…; "
          "empty: from the oldest change that is kept");
ABSL_FLAG(bool, json, false,
          "one JSON object to a line, heartbeats too, for programs");
ABSL_FLAG(std::string, resource, "",
          "only what concerns this resource and those below it");
ABSL_FLAG(std::string, subject, "",
          "in a list, only what this subject did; of a token, whose it is, by "
          "default that of its first role");
ABSL_FLAG(absl::Time, since, absl::InfinitePast(),
          "only what was recorded then or later (RFC 3339)");
ABSL_FLAG(absl::Time, until, absl::InfiniteFuture(),
          "only what was recorded before (RFC 3339)");
ABSL_FLAG(bool, local, false,
          "mark a new database, for ever, as local: it accepts the tokens of a "
          "local issuer");
ABSL_FLAG(std::string, token_file, "",
          "file that holds the bearer token of the calls; by default "
          "var/authority/token where it exists");
ABSL_FLAG(
    std::string, tls_ca_file, "",
    "authorities of the servers, PEM; empty: plain text, to loopback only");
ABSL_FLAG(std::string, tls_certificate_file, "",
          "certificate of this client, PEM, for servers that ask for one");
ABSL_FLAG(std::string, tls_key_file, "", "its private key, PEM");
ABSL_FLAG(std::vector<std::string>, as, {},
          "the roles of the token, with commas: coordinator, jury_member…");
ABSL_FLAG(std::string, body, "",
          "bodies/opale: the body it is of; empty: the whole installation");
ABSL_FLAG(std::string, person, "",
          "bodies/opale/persons/…: who its bearer is in the record");
ABSL_FLAG(std::string, organisation, "",
          "bodies/opale/organisations/…: for whom its bearer acts");
ABSL_FLAG(std::string, funder, "", "the id of the funder its bearer acts for");
ABSL_FLAG(absl::Duration, valid_for, absl::Hours(8), "until it expires");
ABSL_FLAG(std::string, signing_key_file, "var/authority/signing-key.json",
          "private key of the local issuer, a JWK");
ABSL_FLAG(std::string, jwks_file, "var/authority/keys.json",
          "its public part, a JWK Set");
ABSL_FLAG(std::string, issuer, "https://local.parcours.internal",
          "the name of the local issuer in its tokens");
ABSL_FLAG(std::string, audience, "parcours", "for whom the token is");
ABSL_FLAG(std::string, enrolment_database_url, "",
          "enrolment's database, as --database_url");
ABSL_FLAG(std::string, scheduling_database_url, "",
          "scheduling's database; empty: leave it out");
ABSL_FLAG(std::string, evaluation_database_url, "",
          "evaluation's database; empty: leave it out");
ABSL_FLAG(std::string, enrolment_secret_file, "",
          "the --secret_file of enrolment, with the master keys beside it; by "
          "default beside a SQLite file");
ABSL_FLAG(std::string, scheduling_secret_file, "", "that of scheduling");
ABSL_FLAG(std::string, evaluation_secret_file, "", "that of evaluation");
ABSL_FLAG(std::int64_t, applications, 1000, "how many applications to make up");
ABSL_FLAG(std::int64_t, bodies, 10, "how many training bodies to make up");
ABSL_FLAG(bool, check, false, "say whether it could be done; do nothing");
ABSL_FLAG(bool, yes, false, "do not ask for the id to be typed again");
ABSL_FLAG(absl::Duration, wait, absl::Minutes(2),
          "how long to follow what every service has to do");
ABSL_FLAG(std::string, etag, "", "that of the plan that was read");

namespace parcours::cli {
namespace {

// A sub-command.
struct Command {
  // As typed: "programme plan".
  std::string_view words;
  // Of its arguments, for the first line of its help.
  std::string_view arguments;
  std::string_view summary;
  std::vector<std::string_view> flags;
  std::function<ExitCode(const std::vector<std::string>& arguments)> run;
};

// As whom the services at `addresses` are called; nothing, and what is wrong on
// stderr, when it cannot be read or would go in plain text over a network.
std::optional<Access> AccessTo(const std::vector<std::string>& addresses) {
  auto access = ReadAccess(
      {.token_file = absl::GetFlag(FLAGS_token_file),
       .tls_ca_file = absl::GetFlag(FLAGS_tls_ca_file),
       .tls_certificate_file = absl::GetFlag(FLAGS_tls_certificate_file),
       .tls_key_file = absl::GetFlag(FLAGS_tls_key_file)});
  absl::Status status = access.status();
  if (status.ok()) status = CheckReach(addresses, *access);
  if (status.ok()) return *std::move(access);
  std::cerr << status.message() << '\n';
  return std::nullopt;
}

std::optional<ServiceAddresses> Addresses() {
  ServiceAddresses addresses{
      .enrolment = absl::GetFlag(FLAGS_enrolment_address),
      .scheduling = absl::GetFlag(FLAGS_scheduling_address),
      .evaluation = absl::GetFlag(FLAGS_evaluation_address),
      .access = {}};
  auto access = AccessTo(
      {addresses.enrolment, addresses.scheduling, addresses.evaluation});
  if (!access.has_value()) return std::nullopt;
  addresses.access = *std::move(access);
  return addresses;
}

// The flags of a command that calls services.
std::vector<std::string_view> Calling(std::vector<std::string_view> flags) {
  for (const std::string_view flag :
       {"token_file", "tls_ca_file", "tls_certificate_file", "tls_key_file"}) {
    flags.push_back(flag);
  }
  return flags;
}

ApplyOptions OptionsOfApply() {
  return {.open_cohort = absl::GetFlag(FLAGS_open),
          .publish_calendar = absl::GetFlag(FLAGS_publish),
          .reason = absl::GetFlag(FLAGS_reason)};
}

ExitCode Health(const std::vector<std::string>& arguments) {
  if (!arguments.empty()) return kUsage;
  const auto access = AccessTo({absl::GetFlag(FLAGS_address)});
  if (!access.has_value()) return kUsage;
  const absl::Status status = CheckHealth(absl::GetFlag(FLAGS_address), *access,
                                          absl::GetFlag(FLAGS_timeout));
  if (!status.ok()) {
    PrintError(std::cerr, status);
    return kUnreachable;
  }
  std::cout << absl::GetFlag(FLAGS_address) << " : en service\n";
  return kSuccess;
}

ExitCode Plan(const std::vector<std::string>& arguments) {
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  return PlanProgrammeCommand(*addresses, arguments, OptionsOfApply(),
                              std::cout, std::cerr);
}

ExitCode Apply(const std::vector<std::string>& arguments) {
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  return ApplyProgrammeCommand(*addresses, arguments, OptionsOfApply(),
                               std::cout, std::cerr);
}

ExitCode Copy(const std::vector<std::string>& arguments) {
  if (absl::GetFlag(FLAGS_to_year) == 0 || absl::GetFlag(FLAGS_out).empty()) {
    std::cerr << "--to_year et --out sont nécessaires.\n";
    return kUsage;
  }
  return CopyProgrammeCommand(arguments, absl::GetFlag(FLAGS_to_year),
                              absl::GetFlag(FLAGS_out), std::cout, std::cerr);
}

ExitCode MigrateDatabase(const std::vector<std::string>& arguments) {
  if (!arguments.empty()) return kUsage;
  const absl::Status status =
      Migrate({.service = absl::GetFlag(FLAGS_service),
               .database_url = absl::GetFlag(FLAGS_database_url),
               .password_file = absl::GetFlag(FLAGS_database_password_file),
               .simulation = absl::GetFlag(FLAGS_simulation),
               .local = absl::GetFlag(FLAGS_local)});
  if (!status.ok()) PrintError(std::cerr, status);
  return status.code() == absl::StatusCode::kInvalidArgument
             ? kUsage
             : ExitCodeOf(status);
}

ExitCode CopyDatabase(const std::vector<std::string>& arguments) {
  if (!arguments.empty()) return kUsage;
  return CopyDatabaseCommand(
      {.service = absl::GetFlag(FLAGS_service),
       .from = absl::GetFlag(FLAGS_from),
       .to = absl::GetFlag(FLAGS_to),
       .password_file = absl::GetFlag(FLAGS_database_password_file)},
      std::cout, std::cerr);
}

ExitCode Generate(const std::vector<std::string>& arguments) {
  if (!arguments.empty()) return kUsage;
  return GenerateCommand(
      {.enrolment = {absl::GetFlag(FLAGS_enrolment_database_url),
                     absl::GetFlag(FLAGS_enrolment_secret_file)},
       .scheduling = {absl::GetFlag(FLAGS_scheduling_database_url),
                      absl::GetFlag(FLAGS_scheduling_secret_file)},
       .evaluation = {absl::GetFlag(FLAGS_evaluation_database_url),
                      absl::GetFlag(FLAGS_evaluation_secret_file)},
       .password_file = absl::GetFlag(FLAGS_database_password_file),
       .applications = absl::GetFlag(FLAGS_applications),
       .bodies = absl::GetFlag(FLAGS_bodies),
       .seed = absl::GetFlag(FLAGS_seed)},
      std::cout, std::cerr);
}

ExitCode TokenKeygen(const std::vector<std::string>& arguments) {
  if (!arguments.empty()) return kUsage;
  return TokenKeygenCommand(absl::GetFlag(FLAGS_signing_key_file),
                            absl::GetFlag(FLAGS_jwks_file), std::cout,
                            std::cerr);
}

ExitCode Token(const std::vector<std::string>& arguments) {
  if (!arguments.empty()) return kUsage;
  return TokenCommand(
      {.signing_key_file = absl::GetFlag(FLAGS_signing_key_file),
       .issuer = absl::GetFlag(FLAGS_issuer),
       .audience = absl::GetFlag(FLAGS_audience),
       .roles = absl::GetFlag(FLAGS_as),
       .body = absl::GetFlag(FLAGS_body),
       .person = absl::GetFlag(FLAGS_person),
       .organisation = absl::GetFlag(FLAGS_organisation),
       .funder = absl::GetFlag(FLAGS_funder),
       .subject = absl::GetFlag(FLAGS_subject),
       .valid_for = absl::GetFlag(FLAGS_valid_for),
       .token_file = absl::GetFlag(FLAGS_out)},
      std::cout, std::cerr);
}

ExitCode Demo(const std::vector<std::string>& arguments) {
  if (!arguments.empty()) return kUsage;
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  const auto file = ReadProgramme(absl::GetFlag(FLAGS_programme), std::cerr);
  if (!file.has_value()) return kUsage;
  const absl::Status status =
      demo::LiveCohort(*addresses, *file, absl::GetFlag(FLAGS_seed),
                       absl::GetFlag(FLAGS_report), std::cout);
  if (!status.ok()) PrintError(std::cerr, status);
  return ExitCodeOf(status);
}

ExitCode AuditHead(const std::vector<std::string>& arguments) {
  if (!arguments.empty()) return kUsage;
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  return AuditHeadCommand(*addresses, std::cout, std::cerr);
}

ExitCode AuditVerify(const std::vector<std::string>& arguments) {
  if (!arguments.empty()) return kUsage;
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  return VerifyAuditCommand(*addresses, absl::GetFlag(FLAGS_against), std::cout,
                            std::cerr);
}

ExitCode AuditList(const std::vector<std::string>& arguments) {
  if (!arguments.empty()) return kUsage;
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  return ListAuditCommand(*addresses,
                          {.service = absl::GetFlag(FLAGS_service),
                           .resource = absl::GetFlag(FLAGS_resource),
                           .subject = absl::GetFlag(FLAGS_subject),
                           .since = absl::GetFlag(FLAGS_since),
                           .until = absl::GetFlag(FLAGS_until)},
                          std::cout, std::cerr);
}

// Ends by SIGINT or SIGTERM, which a thread of its own waits for.
ExitCode Watch(const std::vector<std::string>& arguments) {
  if (!arguments.empty()) return kUsage;
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  StopRequest stop;
  std::thread waiting([&] {
    constexpr timespec kPatience = {.tv_sec = 0, .tv_nsec = 100'000'000};
    while (!stop.stopped()) {
      if (sigtimedwait(&signals, nullptr, &kPatience) > 0) stop.Stop();
    }
  });
  const ExitCode code = WatchCommand(*addresses,
                                     {.service = absl::GetFlag(FLAGS_service),
                                      .kinds = absl::GetFlag(FLAGS_kinds),
                                      .within = absl::GetFlag(FLAGS_within),
                                      .after = absl::GetFlag(FLAGS_after),
                                      .json = absl::GetFlag(FLAGS_json)},
                                     stop, std::cout, std::cerr);
  stop.Stop();
  waiting.join();
  return code;
}

ExitCode PersonExport(const std::vector<std::string>& arguments) {
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  return ExportPersonCommand(*addresses, arguments, absl::GetFlag(FLAGS_to),
                             std::cout, std::cerr);
}

ExitCode PersonHolds(const std::vector<std::string>& arguments) {
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  return PersonHoldsCommand(*addresses, arguments, std::cout, std::cerr);
}

ExitCode PersonErase(const std::vector<std::string>& arguments) {
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  return ErasePersonCommand(*addresses, arguments,
                            {.check_only = absl::GetFlag(FLAGS_check),
                             .yes = absl::GetFlag(FLAGS_yes),
                             .patience = absl::GetFlag(FLAGS_wait)},
                            std::cin, std::cout, std::cerr);
}

ExitCode RetentionPlan(const std::vector<std::string>& arguments) {
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  return PlanRetentionCommand(*addresses, arguments, std::cout, std::cerr);
}

ExitCode RetentionApply(const std::vector<std::string>& arguments) {
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  return ApplyRetentionCommand(*addresses, arguments,
                               absl::GetFlag(FLAGS_service),
                               absl::GetFlag(FLAGS_etag), std::cout, std::cerr);
}

ExitCode KeysRotate(const std::vector<std::string>& arguments) {
  return RotateKeysCommand(arguments, std::cout, std::cerr);
}

ExitCode ClientCreate(const std::vector<std::string>& arguments) {
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  return CreateClientCommand(*addresses, arguments, std::cout, std::cerr);
}

ExitCode ClientList(const std::vector<std::string>& arguments) {
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  return ListClientsCommand(*addresses, arguments, std::cout, std::cerr);
}

ExitCode ClientSecret(const std::vector<std::string>& arguments) {
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  return AddClientSecretCommand(*addresses, arguments, absl::GetFlag(FLAGS_out),
                                std::cout, std::cerr);
}

ExitCode ClientRevoke(const std::vector<std::string>& arguments) {
  const auto addresses = Addresses();
  if (!addresses.has_value()) return kUsage;
  return RevokeClientSecretCommand(*addresses, arguments, std::cout, std::cerr);
}

const std::vector<Command>& Commands() {
  static const auto* const commands = new std::vector<Command>{
      {"health", "", "Say whether a server serves (grpc.health.v1).",
       Calling({"address", "timeout"}), Health},
      {"programme plan", " FILE [FILE...]",
       "Show what applying a programme file would change; write nothing.",
       Calling({"enrolment_address", "scheduling_address", "evaluation_address",
                "open", "publish", "reason"}),
       Plan},
      {"programme apply", " FILE [FILE...]",
       "Bring the services into agreement with a programme file. Files after "
       "the first complete it.",
       Calling({"enrolment_address", "scheduling_address", "evaluation_address",
                "open", "publish", "reason"}),
       Apply},
      {"programme copy",
       " FILE [FILE...]",
       "Write the file of the same programme for another year, to be reviewed.",
       {"to_year", "out"},
       Copy},
      {"migrate",
       "",
       "Bring a database to the schema of this version; what PostgreSQL needs "
       "before its service starts.",
       {"service", "database_url", "database_password_file", "simulation",
        "local"},
       MigrateDatabase},
      {"database copy",
       "",
       "Take a service's SQLite file over to PostgreSQL, where several "
       "replicas "
       "may share it; every row is compared before anything is kept.",
       {"service", "from", "to", "database_password_file"},
       CopyDatabase},
      {"generate",
       "",
       "Fill the empty databases of a simulation, or local ones, with made-up "
       "people, to measure how it grows; no others.",
       {"enrolment_database_url", "enrolment_secret_file",
        "scheduling_database_url", "scheduling_secret_file",
        "evaluation_database_url", "evaluation_secret_file",
        "database_password_file", "applications", "bodies", "seed"},
       Generate},
      {"token keygen",
       "",
       "Make the key with which the local issuer signs, and its public part.",
       {"signing_key_file", "jwks_file"},
       TokenKeygen},
      {"token",
       "",
       "Sign a token with the local issuer's key. Databases created with "
       "--local or --simulation accept it, and no others.",
       {"as", "body", "person", "organisation", "funder", "subject",
        "valid_for", "signing_key_file", "issuer", "audience", "out"},
       Token},
      {"audit verify", "",
       "Recompute the audit trail of each service, and compare it with the "
       "heads that were kept elsewhere.",
       Calling({"enrolment_address", "scheduling_address", "evaluation_address",
                "against"}),
       AuditVerify},
      {"audit head", "",
       "Print the end of each service's audit trail, to be kept elsewhere.",
       Calling(
           {"enrolment_address", "scheduling_address", "evaluation_address"}),
       AuditHead},
      {"audit list", "",
       "Print who changed what, and who read which personal data.",
       Calling({"enrolment_address", "scheduling_address", "evaluation_address",
                "service", "resource", "subject", "since", "until"}),
       AuditList},
      {"watch", "",
       "Print what changes as it changes, until Ctrl-C; then from where to go "
       "on.",
       Calling({"enrolment_address", "scheduling_address", "evaluation_address",
                "service", "kinds", "within", "after", "json"}),
       Watch},
      {"client create", " NAME FILE",
       "Create a partner's program as a file describes it.",
       Calling({"enrolment_address"}), ClientCreate},
      {"client list", " BODY",
       "Print the programs of a body, with the ends and last uses of their "
       "secrets.",
       Calling({"enrolment_address"}), ClientList},
      {"client secret", " NAME",
       "Add a secret to a program and write it to a file of its owner's.",
       Calling({"enrolment_address", "out"}), ClientSecret},
      {"client revoke", " NAME SECRET", "Take a program's secret away.",
       Calling({"enrolment_address"}), ClientRevoke},
      {"person export", " NAME",
       "Write everything that the services hold on a person into a folder of "
       "its own.",
       Calling({"enrolment_address", "scheduling_address", "evaluation_address",
                "to"}),
       PersonExport},
      {"person holds", " NAME",
       "Say why a person must be kept, and until when.",
       Calling(
           {"enrolment_address", "scheduling_address", "evaluation_address"}),
       PersonHolds},
      {"person erase", " NAME",
       "Erase a person in every service, for ever, and follow it to the end.",
       Calling({"enrolment_address", "scheduling_address", "evaluation_address",
                "check", "yes", "wait"}),
       PersonErase},
      {"retention plan", " BODY",
       "Show what is no longer needed, by the rule that says so; remove "
       "nothing.",
       Calling(
           {"enrolment_address", "scheduling_address", "evaluation_address"}),
       RetentionPlan},
      {"retention apply", " BODY",
       "Remove what the plan with an etag names, in one service.",
       Calling({"enrolment_address", "scheduling_address", "evaluation_address",
                "service", "etag"}),
       RetentionApply},
      {"keys rotate",
       " FILE",
       "Put a new master key first in a service's master key file.",
       {},
       KeysRotate},
      {"demo", "",
       "Live a whole cohort through the public APIs, on databases created as "
       "simulations.",
       Calling({"enrolment_address", "scheduling_address", "evaluation_address",
                "seed", "programme", "report"}),
       Demo},
  };
  return *commands;
}

std::string EnvironmentName(std::string_view flag) {
  return absl::StrCat("PARCOURS_", absl::AsciiStrToUpper(AbslView(flag)));
}

void PrintHelp(std::ostream& out, const Command& command) {
  out << "parcours " << command.words << command.arguments << "\n\n"
      << command.summary << "\n\nFlags (or environment variables):\n";
  for (const std::string_view name : command.flags) {
    const absl::CommandLineFlag* flag =
        absl::FindCommandLineFlag(AbslView(name));
    const std::string value = flag->DefaultValue();
    out << "  --" << name << "  (" << EnvironmentName(name)
        << (value.empty() ? "" : absl::StrCat(", default ", value)) << ")\n"
        << "      " << flag->Help() << '\n';
  }
  out << "\nExit code: 0 done, 1 refused, 2 wrong command line or file, 3 "
         "service not reached.\n";
}

void PrintOverview(std::ostream& out) {
  out << "parcours COMMAND [ARGUMENTS] [FLAGS]\n\n";
  for (const Command& command : Commands()) {
    out << "  " << command.words << command.arguments << "\n      "
        << command.summary << '\n';
  }
  out << "\nparcours COMMAND --help lists its flags.\n";
}

// The command that the first words name; its words are taken out of `words`.
const Command* FindCommand(std::vector<std::string>& words) {
  for (const Command& command : Commands()) {
    const std::vector<std::string> parts =
        absl::StrSplit(AbslView(command.words), ' ');
    if (words.size() >= parts.size() &&
        std::equal(parts.begin(), parts.end(), words.begin())) {
      words.erase(words.begin(),
                  words.begin() + static_cast<std::ptrdiff_t>(parts.size()));
      return &command;
    }
  }
  return nullptr;
}

// Flags of the command that are not on the command line may stand in the
// environment. False when a value there is not one.
bool ReadEnvironment(const Command& command) {
  bool valid = true;
  for (const std::string_view name : command.flags) {
    const std::string variable = EnvironmentName(name);
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr) continue;
    std::string error;
    if (!absl::FindCommandLineFlag(AbslView(name))->ParseFrom(value, &error)) {
      std::cerr << variable << ": " << error << '\n';
      valid = false;
    }
  }
  return valid;
}

bool AsksForHelp(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument(argv[i]);
    if (argument == "--help" || argument == "-h") return true;
  }
  return false;
}

int Run(int argc, char** argv) {
  std::vector<std::string> words;
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) words.push_back(argv[i]);
  const Command* command = FindCommand(words);
  if (AsksForHelp(argc, argv)) {
    if (command == nullptr) {
      PrintOverview(std::cout);
    } else {
      PrintHelp(std::cout, *command);
    }
    return kSuccess;
  }
  if (command == nullptr) {
    PrintOverview(std::cerr);
    return kUsage;
  }
  // Before the command line, which wins.
  if (!ReadEnvironment(*command)) return kUsage;
  absl::SetProgramUsageMessage("parcours COMMAND --help");
  std::vector<std::string> arguments;
  for (const char* argument : absl::ParseCommandLine(argc, argv)) {
    arguments.emplace_back(argument);
  }
  const std::size_t command_words =
      static_cast<std::size_t>(
          std::count(command->words.begin(), command->words.end(), ' ')) +
      2;
  arguments.erase(
      arguments.begin(),
      arguments.begin() + static_cast<std::ptrdiff_t>(command_words));
  return command->run(arguments);
}

}  // namespace
}  // namespace parcours::cli

int main(int argc, char** argv) { return parcours::cli::Run(argc, argv); }
