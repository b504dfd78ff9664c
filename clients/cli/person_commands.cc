#include "clients/cli/person_commands.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "clients/cli/dates.h"
#include "clients/cli/privacy_calls.h"
#include "common/status/error.h"
#include "common/text/view.h"
#include "common/time/clock.h"
#include "parcours/enrolment/v1/erasure.grpc.pb.h"
#include "parcours/enrolment/v1/people.grpc.pb.h"

namespace parcours::cli {
namespace {

namespace pb = ::parcours::enrolment::v1;
using PeopleStub = pb::PeopleService::StubInterface;
using ErasureStub = pb::ErasureService::StubInterface;
using ErasureClient = Client<pb::ErasureService>;
using PrivacyStub = platform::v1::PrivacyService::StubInterface;

constexpr std::string_view kUnderWay = "under_way";

ExitCode Told(std::ostream& errors, const absl::Status& status) {
  PrintError(errors, status);
  return ExitCodeOf(status);
}

std::string Instant(const google::protobuf::Timestamp& time) {
  return PrintFrench(TimeOf(time), ParisZone());
}

std::string_view KindText(std::string_view kind) {
  if (kind == "accounting") return "pièces comptables";
  if (kind == "funding_pieces") return "pièces justificatives d’un financement";
  if (kind == "cofunded_pieces") {
    return "pièces justificatives d’un cofinancement";
  }
  if (kind == "completion_record") return "preuves de réalisation";
  return kind;
}

struct Hold {
  std::string service;
  platform::v1::LegalHold hold;
  bool under_way() const { return hold.kind() == kUnderWay; }
  absl::CivilDay until() const {
    return hold.has_until_date() ? DayOf(hold.until_date())
                                 : absl::CivilDay::max();
  }
};

// Of every service; what could not be asked is told and becomes the code.
std::vector<Hold> HoldsOf(const ServiceAddresses& addresses,
                          const std::string& person, std::ostream& errors,
                          ExitCode& code) {
  std::vector<Hold> holds;
  for (const PrivacyClient& client : PrivacyClients(addresses)) {
    platform::v1::ListLegalHoldsRequest request;
    request.set_name(person);
    const auto listed =
        client.client.Call(&PrivacyStub::ListLegalHolds, std::move(request));
    if (!listed.ok()) {
      TellFailure(client.service, listed.status(), errors, code);
      continue;
    }
    for (const platform::v1::LegalHold& hold : listed->holds()) {
      holds.push_back({client.service, hold});
    }
  }
  // What keeps longest first.
  std::stable_sort(
      holds.begin(), holds.end(),
      [](const Hold& a, const Hold& b) { return a.until() > b.until(); });
  return holds;
}

void PrintHolds(std::ostream& out, const std::vector<Hold>& holds) {
  for (const Hold& each : holds) {
    const platform::v1::LegalHold& hold = each.hold;
    if (each.under_way()) {
      out << "  en cours : " << hold.resource() << " (" << each.service
          << ")\n";
      continue;
    }
    out << "  ";
    if (hold.has_until_date()) {
      out << "jusqu’au " << PrintFrench(DayOf(hold.until_date()))
          << " inclus : ";
    }
    out << KindText(hold.kind()) << ", " << hold.resource() << " ("
        << each.service << ")\n    " << hold.article() << " ; règle "
        << hold.rule() << '\n';
  }
}

void PrintWhatGoes(std::ostream& out) {
  out << "Disparaîtra, pour toujours, de tous les services et de leurs "
         "fichiers :\n"
         "  noms, nom de naissance, adresse électronique, téléphone, "
         "identifiants dans d’autres systèmes ;\n"
         "  pièces des candidatures, motifs de décision, signataire des "
         "conventions conclues en son nom ;\n"
         "  motifs d’absence et déclarations, besoins d’adaptation ;\n"
         "  notes de validation et leurs fichiers, avis des lecteurs, "
         "recours.\n"
         "Restera :\n"
         "  les certificats délivrés, avec le nom de leur titulaire, qui "
         "restent vérifiables ;\n"
         "  les effectifs et les montants, les procès-verbaux clos, les "
         "chaînes de preuve ;\n"
         "  le journal d’audit, qui ne connaît que des noms de ressources, et "
         "l’effacement lui-même.\n"
         "N’est pas atteint : ce qui est sur papier, dans des courriels ou "
         "chez "
         "des partenaires\nqui l’ont déjà reçu.\n";
}

std::string ErasureNameOf(std::string person) {
  constexpr std::string_view kPersons = "/persons/";
  constexpr std::string_view kErasures = "/erasures/";
  return person.replace(person.find(kPersons), kPersons.size(), kErasures);
}

// Prints who has done it, as they do, until all have.
ExitCode Follow(const ErasureClient& erasures, pb::Erasure erasure,
                const EraseOptions& options, std::ostream& out,
                std::ostream& errors) {
  const absl::Time end = absl::Now() + options.patience;
  int printed = 0;
  for (;;) {
    for (; printed < erasure.acknowledgements_size(); ++printed) {
      const auto& done = erasure.acknowledgements(printed);
      out << "  " << done.service() << " : fait, "
          << Instant(done.acknowledge_time()) << ".\n"
          << std::flush;
    }
    if (erasure.state() == pb::Erasure::STATE_COMPLETE) {
      out << "Effacement terminé dans tous les services, "
          << Instant(erasure.complete_time()) << ".\n";
      return kSuccess;
    }
    if (absl::Now() >= end) break;
    absl::SleepFor(options.pause);
    pb::GetErasureRequest request;
    request.set_name(erasure.name());
    auto looked = erasures.Call(&ErasureStub::GetErasure, std::move(request));
    if (!looked.ok()) {
      PrintError(errors, looked.status());
      errors << "L’effacement est décidé et se poursuit de lui-même.\n";
      return ExitCodeOf(looked.status());
    }
    erasure = *std::move(looked);
  }
  errors << "Encore attendu : "
         << absl::StrJoin(erasure.awaited_services(), ", ")
         << ". L’effacement est décidé et se poursuit de lui-même dès que ces "
            "services répondent ;\nla même commande le suit de nouveau.\n";
  return kUnreachable;
}

// Whether the id of `person` is typed again.
bool Confirmed(const std::string& person, std::istream& in, std::ostream& out) {
  const std::string id = person.substr(person.rfind('/') + 1);
  out << "\nPour confirmer, tapez l’identifiant de la personne (" << id
      << ") : " << std::flush;
  std::string typed;
  std::getline(in, typed);
  out << '\n';
  return absl::StripAsciiWhitespace(typed) == id;
}

// Why the erasure was refused, with what holds in each service.
ExitCode Refused(const ServiceAddresses& addresses, const std::string& person,
                 const absl::Status& refusal, std::ostream& errors) {
  PrintError(errors, refusal);
  const std::optional<Reason> reason = ReasonOf(refusal);
  if (reason == Reason::kLegalHold || reason == Reason::kPersonUnderWay) {
    ExitCode ignored = kSuccess;
    PrintHolds(errors, HoldsOf(addresses, person, errors, ignored));
  }
  errors << "Rien n’a été effacé.\n";
  return ExitCodeOf(refusal);
}

}  // namespace

ExitCode PersonHoldsCommand(const ServiceAddresses& addresses,
                            const std::vector<std::string>& arguments,
                            std::ostream& out, std::ostream& errors) {
  if (!IsOnePerson(arguments, "parcours person holds NAME", errors)) {
    return kUsage;
  }
  ExitCode code = kSuccess;
  const std::vector<Hold> holds =
      HoldsOf(addresses, arguments[0], errors, code);
  if (!holds.empty()) {
    out << "À conserver :\n";
    PrintHolds(out, holds);
  } else if (code == kSuccess) {
    out << "Rien n’oblige à conserver " << arguments[0]
        << " : la personne peut être effacée.\n";
  }
  return code;
}

ExitCode ErasePersonCommand(const ServiceAddresses& addresses,
                            const std::vector<std::string>& arguments,
                            const EraseOptions& options, std::istream& in,
                            std::ostream& out, std::ostream& errors) {
  if (!IsOnePerson(arguments, "parcours person erase NAME [--check] [--yes]",
                   errors)) {
    return kUsage;
  }
  const std::string& name = arguments[0];
  const auto channel = OpenChannel(addresses.enrolment, addresses.access);
  const Client<pb::PeopleService> people(channel, addresses.enrolment);
  const ErasureClient erasures(channel, addresses.enrolment);

  pb::GetPersonRequest get;
  get.set_name(name);
  const auto person = people.Call(&PeopleStub::GetPerson, std::move(get));
  if (!person.ok()) return Told(errors, person.status());
  if (person->has_erase_time()) {
    out << name << " a été effacée, " << Instant(person->erase_time()) << ".\n";
    pb::GetErasureRequest request;
    request.set_name(ErasureNameOf(name));
    auto erasure = erasures.Call(&ErasureStub::GetErasure, std::move(request));
    if (!erasure.ok()) return Told(errors, erasure.status());
    EraseOptions follow = options;
    if (options.check_only) follow.patience = absl::ZeroDuration();
    return Follow(erasures, *std::move(erasure), follow, out, errors);
  }

  pb::ErasePersonRequest request;
  request.set_person(name);
  request.set_ground(pb::Erasure::GROUND_REQUESTED);
  request.set_etag(person->etag());
  request.set_validate_only(true);
  const auto checked = erasures.Call(&ErasureStub::ErasePerson, request);
  if (!checked.ok()) return Refused(addresses, name, checked.status(), errors);

  out << name << " : " << person->given_name() << ' ' << person->family_name()
      << "\nRien n’oblige à conserver cette personne.\n\n";
  PrintWhatGoes(out);
  if (options.check_only) {
    out << "\nRien n’a été effacé (--check).\n";
    return kSuccess;
  }
  if (!options.yes && !Confirmed(name, in, out)) {
    errors << "L’identifiant n’est pas celui de la personne. Rien n’a été "
              "effacé.\n";
    return kRefused;
  }
  request.set_validate_only(false);
  auto erasure = erasures.Call(&ErasureStub::ErasePerson, std::move(request));
  if (!erasure.ok()) return Refused(addresses, name, erasure.status(), errors);
  out << "Effacement décidé : " << erasure->name() << ".\n" << std::flush;
  return Follow(erasures, *std::move(erasure), options, out, errors);
}

}  // namespace parcours::cli
