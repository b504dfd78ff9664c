#ifndef PARCOURS_TESTS_INTEGRATION_ENROLMENTD_H_
#define PARCOURS_TESTS_INTEGRATION_ENROLMENTD_H_

#include <memory>
#include <string>
#include <vector>

#include "common/storage/session.h"
#include "common/testing/daemon_fixture.h"
#include "common/testing/database_fixture.h"

namespace parcours::integration {

// Migrates a new database where enrolmentd does not: on PostgreSQL.
void PrepareEnrolment(testing::TestDatabase& database);

// enrolmentd over a new database of either engine, created as a simulation: its
// business time stands on a day on which the programme of culture-ess-2026
// receives applications, whatever the day of the test.
class Enrolmentd {
 public:
  // `program` is enrolmentd or the same main linked with other sessions.
  // `flags` beside those for files and database.
  Enrolmentd(const std::string& program, storage::Engine engine,
             const std::vector<std::string>& flags = {});

  // Another process on the same database, with the same secrets and issuers,
  // not started yet. REQUIRES: process() was, since it makes the secrets.
  std::unique_ptr<testing::DaemonFixture> MakeReplica(
      const std::vector<std::string>& flags = {});

  testing::DaemonFixture& process() { return process_; }
  // Where its record is, for a test that looks or locks from outside.
  const std::string& database_url() const { return database_url_; }

 private:
  const std::string program_;
  testing::TestDatabase database_;
  const std::string database_url_;
  testing::DaemonFixture process_;
};

}  // namespace parcours::integration

#endif  // PARCOURS_TESTS_INTEGRATION_ENROLMENTD_H_
