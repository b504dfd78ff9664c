#ifndef PARCOURS_TESTS_INTEGRATION_REPLICATED_SYSTEM_H_
#define PARCOURS_TESTS_INTEGRATION_REPLICATED_SYSTEM_H_

#include <memory>
#include <string>
#include <vector>

#include "common/testing/authority.h"
#include "common/testing/daemon_fixture.h"
#include "common/testing/database_fixture.h"
#include "common/testing/redis_fixture.h"
#include "common/testing/temp_dir.h"
#include "grpcpp/channel.h"

namespace parcours::integration {

// The three services, two replicas of each, on one PostgreSQL and one Redis:
// simulations, as in Enrolmentd. Replicas of a service share its secrets and
// its uploads; the services know each other by certificate. What cannot be done
// aborts the test.
class ReplicatedSystem {
 public:
  // `flags` of every process beside those that it needs.
  explicit ReplicatedSystem(std::vector<std::string> flags = {});

  testing::DaemonFixture& enrolment(std::size_t i) { return *enrolment_[i]; }
  testing::DaemonFixture& scheduling(std::size_t i) { return *scheduling_[i]; }
  testing::DaemonFixture& evaluation(std::size_t i) { return *evaluation_[i]; }

  // A connection of its own, as an administrator.
  std::shared_ptr<grpc::Channel> Connect(
      const testing::DaemonFixture& process) const {
    return process.ConnectAs(authority_.AdministratorToken());
  }
  testing::Authority& authority() { return authority_; }
  const std::string& enrolment_url() const { return enrolment_url_; }

 private:
  using Process = std::unique_ptr<testing::DaemonFixture>;

  // Started. `more` is the last of its flags.
  Process Start(const std::string& service, const std::string& program,
                const std::string& url, const rpc::TlsFiles& tls,
                std::vector<std::string> more);
  std::string TlsAddress(const testing::DaemonFixture& process) const;

  const std::vector<std::string> flags_;
  testing::RedisFixture redis_;
  testing::Authority authority_;
  testing::TempDir shared_;
  std::vector<std::unique_ptr<testing::TestDatabase>> databases_;
  std::string enrolment_url_;
  std::vector<Process> enrolment_;
  std::vector<Process> scheduling_;
  std::vector<Process> evaluation_;
};

}  // namespace parcours::integration

#endif  // PARCOURS_TESTS_INTEGRATION_REPLICATED_SYSTEM_H_
