// The services of an installation, as the sub-commands call them.

#ifndef PARCOURS_CLIENTS_CLI_SERVICES_H_
#define PARCOURS_CLIENTS_CLI_SERVICES_H_

#include <memory>
#include <optional>
#include <string>

#include "clients/cli/connection.h"
#include "grpcpp/channel.h"
#include "parcours/enrolment/v1/application.grpc.pb.h"
#include "parcours/enrolment/v1/enrolment.grpc.pb.h"
#include "parcours/enrolment/v1/people.grpc.pb.h"
#include "parcours/enrolment/v1/programme_service.grpc.pb.h"
#include "parcours/evaluation/v1/assessment_plan.grpc.pb.h"
#include "parcours/evaluation/v1/certificate.grpc.pb.h"
#include "parcours/evaluation/v1/jury.grpc.pb.h"
#include "parcours/evaluation/v1/result.grpc.pb.h"
#include "parcours/evaluation/v1/validation_note.grpc.pb.h"
#include "parcours/platform/v1/clock.grpc.pb.h"
#include "parcours/platform/v1/upload.grpc.pb.h"
#include "parcours/scheduling/v1/attendance.grpc.pb.h"
#include "parcours/scheduling/v1/calendar.grpc.pb.h"
#include "parcours/scheduling/v1/completion.grpc.pb.h"
#include "parcours/scheduling/v1/venue.grpc.pb.h"

namespace parcours::cli {

// Where the services listen, and as whom they are called. An empty address:
// that service is not called.
struct ServiceAddresses {
  std::string enrolment;
  std::string scheduling;
  std::string evaluation;
  Access access;
};

// Each is thread-safe.
struct EnrolmentServices {
  explicit EnrolmentServices(const std::string& address,
                             std::shared_ptr<grpc::Channel> channel)
      : programmes(channel, address),
        people(channel, address),
        applications(channel, address),
        enrolments(channel, address),
        uploads(channel, address),
        clock(channel, address) {}

  Client<enrolment::v1::ProgrammeService> programmes;
  Client<enrolment::v1::PeopleService> people;
  Client<enrolment::v1::ApplicationService> applications;
  Client<enrolment::v1::EnrolmentService> enrolments;
  Client<platform::v1::UploadService> uploads;
  Client<platform::v1::ClockService> clock;
};

struct SchedulingServices {
  explicit SchedulingServices(const std::string& address,
                              std::shared_ptr<grpc::Channel> channel)
      : venues(channel, address),
        calendars(channel, address),
        attendance(channel, address),
        roster(channel, address),
        completion(channel, address),
        clock(channel, address) {}

  Client<scheduling::v1::VenueService> venues;
  Client<scheduling::v1::CalendarService> calendars;
  Client<scheduling::v1::AttendanceService> attendance;
  Client<scheduling::v1::RosterService> roster;
  Client<scheduling::v1::CompletionService> completion;
  Client<platform::v1::ClockService> clock;
};

struct EvaluationServices {
  explicit EvaluationServices(const std::string& address,
                              std::shared_ptr<grpc::Channel> channel)
      : plans(channel, address),
        notes(channel, address),
        juries(channel, address),
        results(channel, address),
        certificates(channel, address),
        uploads(channel, address),
        clock(channel, address) {}

  Client<evaluation::v1::AssessmentPlanService> plans;
  Client<evaluation::v1::ValidationNoteService> notes;
  Client<evaluation::v1::JuryService> juries;
  Client<evaluation::v1::ResultService> results;
  Client<evaluation::v1::CertificateService> certificates;
  Client<platform::v1::UploadService> uploads;
  Client<platform::v1::ClockService> clock;
};

struct Services {
  // REQUIRES: an address of enrolment.
  explicit Services(const ServiceAddresses& addresses)
      : enrolment(addresses.enrolment,
                  OpenChannel(addresses.enrolment, addresses.access)) {
    if (!addresses.scheduling.empty()) {
      scheduling.emplace(addresses.scheduling,
                         OpenChannel(addresses.scheduling, addresses.access));
    }
    if (!addresses.evaluation.empty()) {
      evaluation.emplace(addresses.evaluation,
                         OpenChannel(addresses.evaluation, addresses.access));
    }
  }

  EnrolmentServices enrolment;
  std::optional<SchedulingServices> scheduling;
  std::optional<EvaluationServices> evaluation;
};

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_SERVICES_H_
