#include "clients/cli/programme_commands.h"

#include <cstddef>
#include <filesystem>
#include <fstream>

#include "absl/status/status.h"
#include "clients/cli/programme_copy.h"
#include "clients/cli/programme_file.h"
#include "clients/cli/programme_plan.h"

namespace parcours::cli {
namespace {

void PrintTotals(std::ostream& out, const std::vector<PlannedStep>& steps) {
  const int changes = CountChanges(steps);
  out << '\n';
  if (changes == 0) {
    out << "Rien à changer : " << steps.size() << " ressources à jour.\n";
  } else {
    out << changes << " changement(s), "
        << steps.size() - static_cast<std::size_t>(changes)
        << " ressource(s) inchangée(s).\n";
  }
}

}  // namespace

std::optional<enrolment::v1::ProgrammeFile> ReadProgramme(
    const std::vector<std::string>& paths, std::ostream& errors) {
  if (paths.empty()) {
    errors << "Aucun fichier de programme.\n";
    return std::nullopt;
  }
  absl::StatusOr<enrolment::v1::ProgrammeFile> file =
      LoadProgrammeFile(paths.front());
  for (std::size_t i = 1; file.ok() && i < paths.size(); ++i) {
    const auto completion = LoadProgrammeFile(paths[i]);
    absl::Status status = completion.status();
    if (status.ok()) status = CompleteProgrammeFile(*completion, *file);
    if (!status.ok()) file = status;
  }
  if (!file.ok()) {
    errors << file.status().message() << '\n';
    return std::nullopt;
  }
  const std::vector<ProgrammeProblem> problems = CheckProgrammeFile(*file);
  for (const ProgrammeProblem& problem : problems) {
    errors << paths.front() << ": " << problem.field << ": "
           << problem.description << '\n';
  }
  if (!problems.empty()) return std::nullopt;
  return *std::move(file);
}

ExitCode PlanProgrammeCommand(const ServiceAddresses& addresses,
                              const std::vector<std::string>& paths,
                              const ApplyOptions& options, std::ostream& out,
                              std::ostream& errors) {
  const auto file = ReadProgramme(paths, errors);
  if (!file.has_value()) return kUsage;
  const Services services(addresses);
  const auto steps = PlanProgramme(services, *file, options);
  if (!steps.ok()) {
    PrintError(errors, steps.status());
    return ExitCodeOf(steps.status());
  }
  std::string service;
  for (const PlannedStep& step : *steps) {
    if (step.service != service) {
      service = step.service;
      out << service << '\n';
    }
    PrintStep(out, step);
    if (!step.verdict.ok()) {
      out << "      ! serait refusé : " << DescribeError(step.verdict) << '\n';
    }
  }
  PrintTotals(out, *steps);
  return kSuccess;
}

ExitCode ApplyProgrammeCommand(const ServiceAddresses& addresses,
                               const std::vector<std::string>& paths,
                               const ApplyOptions& options, std::ostream& out,
                               std::ostream& errors) {
  const auto file = ReadProgramme(paths, errors);
  if (!file.has_value()) return kUsage;
  const Services services(addresses);
  const auto steps = PlanProgramme(services, *file, options);
  absl::Status status = steps.status();
  if (status.ok()) status = ApplySteps(*steps, out);
  if (!status.ok()) {
    PrintError(errors, status);
    return ExitCodeOf(status);
  }
  PrintTotals(out, *steps);
  return kSuccess;
}

ExitCode CopyProgrammeCommand(const std::vector<std::string>& paths,
                              int to_year, const std::string& target,
                              std::ostream& out, std::ostream& errors) {
  const auto file = ReadProgramme(paths, errors);
  if (!file.has_value()) return kUsage;
  const auto copy = CopyProgramme(*file, to_year);
  if (!copy.ok()) {
    errors << copy.status().message() << '\n';
    return kUsage;
  }
  if (std::filesystem::exists(target)) {
    errors << target << " existe déjà.\n";
    return kUsage;
  }
  std::ofstream stream(target);
  stream << PrintCopy(*copy);
  stream.close();
  if (!stream) {
    errors << target << " n’a pas pu être écrit.\n";
    return kRefused;
  }
  out << target << " est écrit. À revoir :\n";
  for (const std::string& point : copy->to_review) out << "  " << point << '\n';
  for (const ProgrammeProblem& problem : CheckProgrammeFile(copy->file)) {
    out << "  " << problem.field << ": " << problem.description << '\n';
  }
  return kSuccess;
}

}  // namespace parcours::cli
