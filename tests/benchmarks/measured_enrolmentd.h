#ifndef PARCOURS_TESTS_BENCHMARKS_MEASURED_ENROLMENTD_H_
#define PARCOURS_TESTS_BENCHMARKS_MEASURED_ENROLMENTD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/identity/token_signer.h"
#include "common/storage/session.h"
#include "common/testing/daemon_fixture.h"
#include "common/testing/database_fixture.h"
#include "common/testing/temp_dir.h"
#include "grpcpp/channel.h"
#include "tests/integration/enrolment_client.h"

namespace parcours::benchmarks {

namespace pb = ::parcours::enrolment::v1;

// Ends the program with what is wrong.
void MustBeOk(const absl::Status& status);
template <typename T>
T Must(absl::StatusOr<T> value) {
  MustBeOk(value.status());
  return *std::move(value);
}

// enrolmentd as in production, as far as one machine allows: real time, the
// audit trail, quotas, tokens of an API client; PostgreSQL is a throw-away one
// without fsync. Its record has the body and the programme of
// programmes/culture-ess-2026.txtpb, and cohorts that receive applications now.
class MeasuredEnrolmentd {
 public:
  // `program` is enrolmentd or the same main linked with other sessions.
  MeasuredEnrolmentd(const std::string& program, storage::Engine engine,
                     int cohorts);

  // Stops it, for a look at the record from outside or a change there, and
  // starts it again.
  void Stop();
  void Start(const std::vector<std::string>& environment = {});

  // Puts complete files of `count` candidates into the record, as if they had
  // been sent one by one; returns the names of their uploads, of required piece
  // after required piece. REQUIRES: it is stopped.
  std::vector<std::string> SeedUploads(int count);

  // A request of the made-up candidate of that number with uploads of
  // SeedUploads, to the cohort of that index.
  pb::SubmitApplicationRequest Submission(
      int number, int cohort, const std::vector<std::string>& uploads) const;

  // Two digits end the name of each.
  static constexpr int kFirstCohort = 10;
  static std::string CohortName(int index);

  // A connection of its own, as an administrator or as an API client that is
  // never over its limit, and is counted.
  std::shared_ptr<grpc::Channel> Connect() const;
  std::shared_ptr<grpc::Channel> ConnectAsProgram() const;
  std::string program_token() const { return program_token_; }

  testing::DaemonFixture& process() { return process_; }
  storage::Engine engine() const { return database_.engine(); }
  const std::string& database_url() const { return url_; }

  // A session of its own on the record.
  std::unique_ptr<storage::Session> OpenRecord() const;

 private:
  void WriteIssuers();
  void CreateAll(int cohorts) const;

  testing::TempDir folder_;
  testing::TestDatabase database_;
  const std::string url_;
  testing::DaemonFixture process_;
  const identity::SigningKey key_;
  std::string program_token_;
  // A complete file that nothing took.
  std::vector<std::string> model_uploads_;
  int seeded_ = 0;
};

// The rows of one statement.
storage::Rows RunOne(storage::Session& session, std::string sql,
                     storage::Values values = {});

}  // namespace parcours::benchmarks

#endif  // PARCOURS_TESTS_BENCHMARKS_MEASURED_ENROLMENTD_H_
