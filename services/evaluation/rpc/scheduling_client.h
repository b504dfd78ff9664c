#ifndef PARCOURS_SERVICES_EVALUATION_RPC_SCHEDULING_CLIENT_H_
#define PARCOURS_SERVICES_EVALUATION_RPC_SCHEDULING_CLIENT_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "parcours/scheduling/v1/attendance.grpc.pb.h"
#include "services/evaluation/domain/scheduling_port.h"

namespace parcours::evaluation {

// SchedulingPort over gRPC. Thread-safe.
class SchedulingClient final : public SchedulingPort {
 public:
  explicit SchedulingClient(const std::shared_ptr<grpc::Channel>& channel);

  absl::StatusOr<std::vector<AttendanceFigures>> ListAttendance(
      const access::Caller& caller, const CohortName& cohort) override;

 private:
  const std::unique_ptr<scheduling::v1::AttendanceService::StubInterface>
      attendance_;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_RPC_SCHEDULING_CLIENT_H_
