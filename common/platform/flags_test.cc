#include "common/platform/flags.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/flags/reflection.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::platform {
namespace {

using ::testing::HasSubstr;

const ServiceDefaults kDefaults{.service = "probe",
                                .listen_address = "127.0.0.1:50059",
                                .description = "Answers the tests."};

// Sets a variable for the length of a test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    setenv(name, value, 1);
  }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

absl::StatusOr<ServiceFlags> Read(std::vector<std::string> arguments) {
  const absl::FlagSaver saver;
  arguments.insert(arguments.begin(), "/usr/sbin/probed");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return ReadServiceFlags(kDefaults, static_cast<int>(arguments.size()),
                          argv.data());
}

TEST(ServiceFlags, HaveDefaults) {
  const auto flags = Read({});
  ASSERT_OK(flags);
  EXPECT_EQ(flags->service, "probe");
  EXPECT_EQ(flags->listen_address, "127.0.0.1:50059");
  EXPECT_EQ(flags->database_url, "sqlite://var/probe.db");
  EXPECT_EQ(flags->upload_key_file, "var/probe-uploads.key");
  // Beside the program that runs, by whatever name it was started.
  EXPECT_EQ(flags->documents_inspector,
            std::filesystem::read_symlink("/proc/self/exe")
                .replace_filename("documents_inspector"));
  EXPECT_EQ(flags->secret_file, "var/probe.db.key");
  EXPECT_EQ(flags->token_signing_key_file, "var/probe.db.key.tokens.jwk");
  EXPECT_EQ(flags->master_key_file, "var/probe.db.key.master");
  EXPECT_EQ(flags->erasure_log_file, "var/probe.db.key.erasures");
  EXPECT_EQ(flags->token_issuer, "parcours-probe");
  EXPECT_EQ(flags->token_audience, "parcours");
  EXPECT_EQ(flags->token_lifetime, absl::Minutes(10));
  EXPECT_FALSE(flags->reflection);
  EXPECT_FALSE(flags->simulation);
  EXPECT_EQ(flags->worker_threads, 4);
}

TEST(ServiceFlags, OnPostgresqlEveryThreadHasASession) {
  const std::string url = "--database_url=postgresql:///enrolment";
  const auto flags = Read({url});
  ASSERT_OK(flags);
  EXPECT_EQ(flags->worker_threads, 8);
  EXPECT_EQ(flags->database_pool_size, 15);
  const auto threads = Read({url, "--worker_threads=20"});
  ASSERT_OK(threads);
  EXPECT_EQ(threads->database_pool_size, 27);
  const auto small = Read({url, "--database_pool_size=14"});
  ASSERT_THAT(small, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(small.status().message()),
              HasSubstr("--database_pool_size 14 is less than 15"));
  EXPECT_OK(Read({url, "--database_pool_size=14", "--worker_threads=7"}));
  // Readers of a SQLite file do not wait for its writer.
  EXPECT_OK(Read({"--database_pool_size=2"}));
}

TEST(ServiceFlags, KeysStandBesideTheSecret) {
  const auto given = Read({"--secret_file=/etc/probe/secret"});
  ASSERT_OK(given);
  EXPECT_EQ(given->token_signing_key_file, "/etc/probe/secret.tokens.jwk");
  const auto none = Read({"--database_url=postgresql://x@localhost/x"});
  ASSERT_OK(none);
  EXPECT_EQ(none->secret_file, "");
  EXPECT_EQ(none->token_signing_key_file, "");
}

TEST(ServiceFlags, QuotasAreNumbersAndProxiesAddresses) {
  const auto flags = Read({"--client_calls_per_minute=0",
                           "--trusted_proxies=loopback,192.0.2.1,2001:db8::1"});
  ASSERT_OK(flags);
  EXPECT_EQ(flags->address_calls_per_minute, 6000);
  EXPECT_EQ(flags->client_calls_per_minute, 0);
  EXPECT_EQ(flags->trusted_proxies.size(), 3U);
  EXPECT_FALSE(Read({"--address_calls_per_minute=-1"}).ok());
  EXPECT_FALSE(Read({"--trusted_proxies=proxy.example"}).ok());
}

TEST(ServiceFlags, TokensAreShort) {
  for (const char* const good : {"1m", "15m"}) {
    EXPECT_OK(Read({std::string("--token_lifetime=") + good})) << good;
  }
  for (const char* const wrong : {"0", "59s", "901s", "24h"}) {
    EXPECT_FALSE(Read({std::string("--token_lifetime=") + wrong}).ok())
        << wrong;
  }
  EXPECT_FALSE(Read({"--token_signing_key_file=/etc/probe/keys.jwks"}).ok());
}

TEST(ServiceFlags, TheCommandLinePrevailsOverTheEnvironment) {
  const Variable threads("PARCOURS_WORKER_THREADS", "7");
  const Variable level("PARCOURS_LOG_LEVEL", "debug");
  const Variable grace("PARCOURS_DRAIN_GRACE", "3s");
  const auto flags = Read({"--worker_threads=3", "--reflection"});
  ASSERT_OK(flags);
  EXPECT_EQ(flags->worker_threads, 3);
  EXPECT_EQ(flags->log_level, "debug");
  EXPECT_EQ(flags->drain_grace, absl::Seconds(3));
  EXPECT_TRUE(flags->reflection);
}

TEST(ServiceFlags, EveryProblemIsListed) {
  const Variable pool("PARCOURS_DATABASE_POOL_SIZE", "many");
  const auto flags =
      Read({"--worker_threads=0", "--log_level=loud", "--drain_grace=-1s",
            "--simulation_start=2026-13-01", "surplus"});
  EXPECT_THAT(flags, StatusIs(absl::StatusCode::kInvalidArgument));
  for (const char* problem :
       {"PARCOURS_DATABASE_POOL_SIZE", "--worker_threads", "--log_level",
        "--drain_grace", "--simulation_start", "unexpected argument surplus"}) {
    EXPECT_THAT(std::string(flags.status().message()), HasSubstr(problem));
  }
}

TEST(ServiceFlags, PlainTextCanBeGivenUpForTls) {
  const std::vector<std::string> tls = {
      "--tls_listen_address=0.0.0.0:50061",
      "--tls_certificate_file=c.pem",
      "--tls_key_file=k.pem",
      "--tls_ca_file=a.pem",
      "--enrolment_address=enrolment.example.org:50061",
      "--listen_address=none"};
  const auto flags = Read(tls);
  ASSERT_OK(flags);
  EXPECT_EQ(flags->listen_address, "");
  EXPECT_EQ(flags->tls_listen_address, "0.0.0.0:50061");
  EXPECT_EQ(flags->tls_files.certificate_file, "c.pem");
  EXPECT_EQ(flags->tls_files.key_file, "k.pem");
  EXPECT_EQ(flags->tls_files.ca_file, "a.pem");
  EXPECT_EQ(flags->tls_reload_interval, absl::Seconds(10));
  EXPECT_OK(CheckTransport(*flags));
}

TEST(ServiceFlags, PlainTextStaysOnThisMachine) {
  const auto defaults = Read({});
  ASSERT_OK(defaults);
  EXPECT_OK(CheckTransport(*defaults));
  const auto flags =
      Read({"--listen_address=0.0.0.0:50051",
            "--tls_listen_address=0.0.0.0:50061", "--tls_reload_interval=0s",
            "--enrolment_address=enrolment.example.org:50061"});
  ASSERT_OK(flags);
  const absl::Status problems = CheckTransport(*flags);
  EXPECT_THAT(problems, StatusIs(absl::StatusCode::kInvalidArgument));
  for (const char* problem :
       {"--listen_address 0.0.0.0:50051 is not on loopback",
        "--tls_listen_address needs --tls_certificate_file",
        "--tls_reload_interval", "--enrolment_address enrolment.example.org"}) {
    EXPECT_THAT(std::string(problems.message()), HasSubstr(problem));
  }
  const auto nowhere = Read({"--listen_address=none"});
  ASSERT_OK(nowhere);
  EXPECT_THAT(CheckTransport(*nowhere),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace parcours::platform
