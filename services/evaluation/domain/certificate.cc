#include "services/evaluation/domain/certificate.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "common/crypto/digest.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/time/clock.h"

namespace parcours::evaluation {
namespace {

// https://www.crockford.com/base32.html: without I, L, O and U.
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kRandomCharacters = 9;

absl::Status Illegal(const Certificate& certificate, std::string_view action) {
  return MakeError(Reason::kIllegalTransition,
                   {{"resource", certificate.name.text()},
                    {"state", std::string(NameOf(certificate.state))},
                    {"action", std::string(action)}});
}

// Luhn's check character over an alphabet of even size (ISO/IEC 7812-1 for
// ten): it finds every single wrong character and nearly every swap.
char CheckCharacter(std::string_view characters) {
  const std::size_t base = kAlphabet.size();
  std::size_t sum = 0;
  bool twice = true;
  for (auto c = characters.rbegin(); c != characters.rend(); ++c) {
    const std::size_t value = kAlphabet.find(*c) * (twice ? 2 : 1);
    sum += value / base + value % base;
    twice = !twice;
  }
  return kAlphabet[(base - sum % base) % base];
}

}  // namespace

absl::Status CheckMandate(const AssessmentPlan& plan, absl::CivilDay day) {
  if (plan.certification_mode != CertificationMode::kDelegated) {
    return absl::OkStatus();
  }
  if (plan.certification_mandate.has_value() &&
      plan.certification_mandate->InForceOn(day)) {
    return absl::OkStatus();
  }
  return MakeError(Reason::kNotMandated);
}

Certificate ProclaimCertificate(const Decision& decision,
                                const AssessmentPlan& plan,
                                const std::string& holder_display_name,
                                absl::Time now) {
  Certificate certificate;
  certificate.name = ChildName<CertificateName>(
      decision.enrolment.Under<BodyName>(), "certificates", NewUuidV7(now));
  certificate.enrolment = decision.enrolment;
  certificate.decision = decision.name;
  certificate.holder_display_name = holder_display_name;
  certificate.title = plan.certificate_title;
  certificate.kind = plan.certificate_kind;
  certificate.certifier_display_name = plan.certifier_display_name;
  if (plan.credit_wording.has_value()) {
    certificate.credit_wording = plan.credit_wording->wording;
  }
  certificate.award_date = ParisDay(now);
  return certificate;
}

absl::Status IssueCertificate(Certificate& certificate,
                              const AssessmentPlan& plan, int64_t sequence) {
  if (certificate.state != CertificateState::kProclaimed) {
    return Illegal(certificate, "IssueCertificate");
  }
  if (plan.certification_mode != CertificationMode::kDelegated) {
    return MakeError(Reason::kNotMandated);
  }
  RETURN_IF_ERROR(CheckMandate(plan, certificate.award_date));
  certificate.number =
      CertificateNumber(certificate.name.Under<BodyName>(),
                        certificate.award_date.year(), sequence);
  certificate.code = NewCertificateCode();
  certificate.mandate_reference = plan.certification_mandate->reference;
  certificate.state = CertificateState::kIssued;
  certificate.issue_count = 1;
  return absl::OkStatus();
}

absl::Status RecordNumber(Certificate& certificate, const std::string& number) {
  if (certificate.state != CertificateState::kProclaimed) {
    return Illegal(certificate, "RecordCertifierNumber");
  }
  certificate.number = number;
  certificate.state = CertificateState::kIssued;
  certificate.issue_count = 1;
  return absl::OkStatus();
}

absl::Status Reissue(Certificate& certificate, ReissueKind kind,
                     const std::string& holder_display_name,
                     const std::string& reason) {
  if (certificate.state != CertificateState::kIssued) {
    return Illegal(certificate, "ReissueCertificate");
  }
  if (reason.empty()) {
    return MakeFieldError("reason", Reason::kReasonRequired);
  }
  certificate.issue_count += 1;
  certificate.duplicate = kind == ReissueKind::kDuplicate;
  if (kind == ReissueKind::kNameChange) {
    certificate.holder_display_name = holder_display_name;
  }
  return absl::OkStatus();
}

absl::Status Revoke(Certificate& certificate, const DecisionName& by) {
  if (certificate.state == CertificateState::kRevoked) {
    return Illegal(certificate, "RevokeCertificate");
  }
  certificate.state = CertificateState::kRevoked;
  certificate.revoke_reason = by.text();
  return absl::OkStatus();
}

std::string CertificateNumber(const BodyName& body, int64_t year,
                              int64_t sequence) {
  return absl::StrFormat(
      "%s-%d-%04d", absl::AsciiStrToUpper(AbslView(body.id())), year, sequence);
}

std::string NewCertificateCode() {
  std::string code;
  for (std::size_t i = 0; i < kRandomCharacters; ++i) {
    code +=
        kAlphabet[crypto::RandomBelow(static_cast<uint32_t>(kAlphabet.size()))];
  }
  code += CheckCharacter(code);
  return code;
}

std::string NormaliseCode(std::string_view typed) {
  std::string code;
  for (char c : typed) {
    if (c == ' ' || c == '-') continue;
    c = absl::ascii_toupper(static_cast<unsigned char>(c));
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    if (kAlphabet.find(c) == std::string_view::npos) return "";
    code += c;
  }
  if (code.size() != kRandomCharacters + 1) return "";
  const std::string_view characters(code);
  if (CheckCharacter(characters.substr(0, kRandomCharacters)) != code.back()) {
    return "";
  }
  return code;
}

bool CodeMatches(const Certificate& certificate, std::string_view typed) {
  const std::string code = NormaliseCode(typed);
  return !code.empty() && !certificate.code.empty() &&
         crypto::EqualInConstantTime(code, certificate.code);
}

}  // namespace parcours::evaluation
