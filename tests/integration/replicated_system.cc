#include "tests/integration/replicated_system.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "clients/cli/migrate_command.h"
#include "common/text/view.h"

namespace parcours::integration {

ReplicatedSystem::ReplicatedSystem(std::vector<std::string> flags)
    : flags_(std::move(flags)) {
  const auto migrated = [&](const std::string& service) {
    databases_.push_back(
        std::make_unique<testing::TestDatabase>(storage::Engine::kPostgresql));
    const std::string url = databases_.back()->options().url;
    const absl::Status status = cli::Migrate(
        {.service = service, .database_url = url, .simulation = true});
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", status.ToString().c_str());
      std::abort();
    }
    return url;
  };
  enrolment_url_ = migrated("enrolment");
  const std::string scheduling_url = migrated("scheduling");
  const std::string evaluation_url = migrated("evaluation");
  const rpc::TlsFiles enrolment = authority_.ServiceCertificate("enrolment");
  const rpc::TlsFiles scheduling = authority_.ServiceCertificate("scheduling");
  const rpc::TlsFiles evaluation = authority_.ServiceCertificate("evaluation");
  for (std::size_t i = 0; i < 2; ++i) {
    enrolment_.push_back(
        Start("enrolment", PARCOURS_ENROLMENTD, enrolment_url_, enrolment,
              {"--scheduling_address=", "--evaluation_address="}));
    const std::string owner =
        Cat("--enrolment_address=", TlsAddress(*enrolment_[i]));
    scheduling_.push_back(Start("scheduling", PARCOURS_SCHEDULINGD,
                                scheduling_url, scheduling,
                                {owner, "--evaluation_address="}));
    evaluation_.push_back(Start(
        "evaluation", PARCOURS_EVALUATIOND, evaluation_url, evaluation,
        {owner, Cat("--scheduling_address=", TlsAddress(*scheduling_[i]))}));
  }
}

ReplicatedSystem::Process ReplicatedSystem::Start(
    const std::string& service, const std::string& program,
    const std::string& url, const rpc::TlsFiles& tls,
    std::vector<std::string> more) {
  static int count = 0;
  std::vector<std::string> flags = {
      Cat("--database_url=", url),
      Cat("--redis_url=", redis_.url()),
      Cat("--secret_file=", shared_.File(Cat(service, ".secret"))),
      Cat("--upload_dir=", shared_.File(Cat(service, "-uploads"))),
      Cat("--identity_file=", authority_.identity_file()),
      "--tls_listen_address=127.0.0.1:0",
      Cat("--tls_port_file=", shared_.File(Cat("tls-port-", ++count))),
      Cat("--tls_certificate_file=", tls.certificate_file),
      Cat("--tls_key_file=", tls.key_file),
      Cat("--tls_ca_file=", tls.ca_file),
      "--documents_inspector=" PARCOURS_DOCUMENTS_INSPECTOR,
      "--simulation",
      "--simulation_start=2025-09-02T09:00:00+02:00"};
  flags.insert(flags.end(), more.begin(), more.end());
  flags.insert(flags.end(), flags_.begin(), flags_.end());
  auto process =
      std::make_unique<testing::DaemonFixture>(program, std::move(flags));
  process->Start();
  // Where TlsAddress looks.
  std::ifstream from(shared_.File(Cat("tls-port-", count)));
  std::ofstream(process->File("tls-port")) << from.rdbuf();
  return process;
}

std::string ReplicatedSystem::TlsAddress(
    const testing::DaemonFixture& process) const {
  int port = 0;
  std::ifstream(process.File("tls-port")) >> port;
  return Cat("127.0.0.1:", port);
}

}  // namespace parcours::integration
