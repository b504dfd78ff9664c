#include "services/enrolment/domain/api_client.h"

#include <functional>
#include <set>
#include <string>

#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/enrolment/testing/samples.h"

namespace parcours::enrolment {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kKey(32, 'k');
const absl::Time kNow = Paris(2026, 3, 2, 9);

ApiClient Client(std::vector<Role> roles = {Role::kSteeringReader}) {
  ApiClient client;
  client.name = ApiClientName::FromRecord("bodies/essai/apiClients/client");
  client.display_name = "Client d’essai";
  client.purpose = "Lire des chiffres";
  client.contact_name = "Contact Une";
  client.contact_email = "contact.une@example.org";
  client.roles = std::move(roles);
  client.calls_per_minute = 60;
  client.expire_time = kNow + absl::Hours(24);
  return client;
}

ClientSecret Secret(const std::string& text, std::string id,
                    absl::Time created = kNow,
                    absl::Time expires = kNow + absl::Hours(24)) {
  return RecordOfSecret(kKey, text, std::move(id), created, expires);
}

std::vector<std::string> Violated(const ApiClient& client,
                                  std::optional<ApiClient> before = {}) {
  FieldViolations violations;
  Validate(client, before, "api_client.", kNow, violations);
  return ViolatedFields(violations.ToStatus());
}

TEST(ApiClientTest, ActsByRolesOfInstitutions) {
  std::set<std::string_view> allowed;
  for (const Role role : AllOf<Role>()) {
    ApiClient client = Client({role});
    if (role == Role::kFunder) client.funder_id = "opco";
    if (role == Role::kEmployerContact) {
      client.organisation =
          OrganisationName::FromRecord("bodies/essai/organisations/une");
    }
    EXPECT_EQ(Violated(client).empty(), IsForPrograms(role)) << NameOf(role);
    if (IsForPrograms(role)) allowed.insert(NameOf(role));
  }
  EXPECT_EQ(allowed,
            (std::set<std::string_view>{
                "COORDINATOR", "ADMISSIONS", "ACCOUNTANT", "EMPLOYER_CONTACT",
                "CERTIFIER", "FUNDER", "STEERING_READER", "AUDITOR"}));
}

TEST(ApiClientTest, AllViolationsAreToldAtOnce) {
  ApiClient client;
  client.contact_email = "pas une adresse";
  client.roles = {Role::kFunder, Role::kLearner, Role::kFunder};
  client.organisation =
      OrganisationName::FromRecord("bodies/essai/organisations/une");
  client.expire_time = kNow;
  EXPECT_THAT(
      Violated(client),
      ElementsAre("api_client.display_name", "api_client.purpose",
                  "api_client.contact.name", "api_client.contact.email",
                  "api_client.roles[1]", "api_client.roles[2]",
                  "api_client.organisation", "api_client.funder_id",
                  "api_client.calls_per_minute", "api_client.expire_time"));
  EXPECT_THAT(Violated(Client({})), ElementsAre("api_client.roles"));
}

TEST(ApiClientTest, SaysWhomItActsForExactlyWhereItsRolesDo) {
  const auto organisation =
      OrganisationName::FromRecord("bodies/essai/organisations/une");
  ApiClient employer = Client({Role::kEmployerContact});
  EXPECT_THAT(Violated(employer), ElementsAre("api_client.organisation"));
  employer.organisation = organisation;
  EXPECT_THAT(Violated(employer), IsEmpty());
  employer.funder_id = "opco";
  EXPECT_THAT(Violated(employer), ElementsAre("api_client.funder_id"));
  employer.roles.push_back(Role::kFunder);
  EXPECT_THAT(Violated(employer), IsEmpty());
  employer.roles = {Role::kFunder};
  EXPECT_THAT(Violated(employer), ElementsAre("api_client.organisation"));
}

TEST(ApiClientTest, CallsAtLeastOnceAMinuteAndWithMeasure) {
  ApiClient client = Client();
  for (const int64_t calls : {1, 60000}) {
    client.calls_per_minute = calls;
    EXPECT_THAT(Violated(client), IsEmpty()) << calls;
  }
  for (const int64_t calls : {-1, 0, 60001}) {
    client.calls_per_minute = calls;
    EXPECT_THAT(Violated(client), ElementsAre("api_client.calls_per_minute"))
        << calls;
  }
}

TEST(ApiClientTest, AnExpiryThatHasPassedIsNotGivenButMayStay) {
  ApiClient client = Client();
  client.expire_time = kNow;
  EXPECT_THAT(Violated(client), ElementsAre("api_client.expire_time"));
  EXPECT_THAT(Violated(client, client), IsEmpty());
  ApiClient before = client;
  before.expire_time = kNow - absl::Hours(1);
  EXPECT_THAT(Violated(client, before), ElementsAre("api_client.expire_time"));
}

TEST(ApiClientTest, WhoLooksFromOutsideIsGivenByAnAdministrator) {
  for (const Role role : AllOf<Role>()) {
    SCOPED_TRACE(NameOf(role));
    const bool outside = role == Role::kAccountant ||
                         role == Role::kCertifier || role == Role::kAuditor;
    EXPECT_EQ(IsForAdministrators(role), outside);
    EXPECT_OK(CheckMayGive(ClientGiver::kAdministrator, {}, {role}));
    const absl::Status given =
        CheckMayGive(ClientGiver::kCoordinator, {}, {Role::kFunder, role});
    if (outside) {
      EXPECT_THAT(given, HasReason(Reason::kRoleForAdministrator));
      EXPECT_EQ(MetadataOf(given).at("role"), NameOf(role));
    } else {
      EXPECT_OK(given);
    }
    // What an administrator gave before stays.
    EXPECT_OK(CheckMayGive(ClientGiver::kCoordinator, {role}, {role}));
  }
}

TEST(ApiClientTest, ItsStateIsDecidedByTimeFirst) {
  ApiClient client = Client();
  EXPECT_EQ(StateAt(client, kNow), ApiClientState::kActive);
  EXPECT_EQ(StateAt(client, client.expire_time - absl::Microseconds(1)),
            ApiClientState::kActive);
  EXPECT_EQ(StateAt(client, client.expire_time), ApiClientState::kExpired);
  client.disabled = true;
  EXPECT_EQ(StateAt(client, kNow), ApiClientState::kDisabled);
  EXPECT_EQ(StateAt(client, client.expire_time), ApiClientState::kExpired);
}

// Each action in each state: where it is possible, and what comes of it.
TEST(ApiClientTest, EveryActionInEveryState) {
  const struct {
    const char* action;
    std::function<absl::Status(ApiClient&)> act;
    ApiClientState from;
    ApiClientState to;
  } actions[] = {
      {"Disable", [](ApiClient& c) { return Disable(c, kNow); },
       ApiClientState::kActive, ApiClientState::kDisabled},
      {"Enable",
       [](ApiClient& c) { return Enable(c, ClientGiver::kCoordinator, kNow); },
       ApiClientState::kDisabled, ApiClientState::kActive},
      {"AddSecret",
       [](ApiClient& c) {
         return AddSecret(c, ClientGiver::kCoordinator, Secret("x", "une"));
       },
       ApiClientState::kActive, ApiClientState::kActive},
  };
  for (const auto& a : actions) {
    for (const ApiClientState state : AllOf<ApiClientState>()) {
      SCOPED_TRACE(Cat(a.action, " ", NameOf(state)));
      for (const bool disabled : {false, true}) {
        ApiClient client = Client();
        client.disabled = disabled;
        if (state == ApiClientState::kExpired) client.expire_time = kNow;
        if (StateAt(client, kNow) != state) continue;
        const ApiClient before = client;
        const absl::Status status = a.act(client);
        if (state == a.from) {
          EXPECT_OK(status);
          EXPECT_EQ(StateAt(client, kNow), a.to);
        } else {
          EXPECT_THAT(status, HasReason(Reason::kIllegalTransition));
          EXPECT_EQ(MetadataOf(status).at("state"), NameOf(state));
          EXPECT_EQ(MetadataOf(status).at("action"), a.action);
          EXPECT_EQ(client, before);
        }
      }
    }
  }
}

TEST(ApiClientTest, ACoordinatorGetsNoCredentialOfWhoLooksFromOutside) {
  ApiClient client = Client({Role::kAuditor});
  EXPECT_THAT(AddSecret(client, ClientGiver::kCoordinator, Secret("x", "une")),
              HasReason(Reason::kRoleForAdministrator));
  EXPECT_THAT(client.secrets, IsEmpty());
  EXPECT_OK(AddSecret(client, ClientGiver::kAdministrator, Secret("x", "une")));
  // Stopping is always allowed, and lets nobody in.
  EXPECT_OK(Disable(client, kNow));
  EXPECT_THAT(Enable(client, ClientGiver::kCoordinator, kNow),
              HasReason(Reason::kRoleForAdministrator));
  EXPECT_TRUE(client.disabled);
  EXPECT_OK(Enable(client, ClientGiver::kAdministrator, kNow));
  EXPECT_OK(RevokeSecret(client, "une"));
}

TEST(ApiClientTest, TwoSecretsAreGoodAtATime) {
  ApiClient client = Client();
  client.expire_time = kNow + absl::Hours(1000);
  const auto add = [&client](std::string id, absl::Time at) {
    return AddSecret(client, ClientGiver::kCoordinator,
                     Secret("x", std::move(id), at, at + absl::Hours(10)));
  };
  EXPECT_OK(add("une", kNow));
  EXPECT_OK(add("deux", kNow + absl::Hours(5)));
  const absl::Status third = add("trois", kNow + absl::Hours(9));
  EXPECT_THAT(third, HasReason(Reason::kSecretLimitReached));
  EXPECT_EQ(MetadataOf(third).at("count"), "2");
  EXPECT_THAT(client.secrets, SizeIs(2));
  // The first has expired, and is forgotten.
  EXPECT_OK(add("trois", kNow + absl::Hours(10)));
  ASSERT_THAT(client.secrets, SizeIs(2));
  EXPECT_EQ(client.secrets[0].id, "deux");
  EXPECT_EQ(client.secrets[1].id, "trois");
  EXPECT_OK(RevokeSecret(client, "deux"));
  EXPECT_OK(add("quatre", kNow + absl::Hours(11)));
}

TEST(ApiClientTest, OnlyASecretThatIsThereIsRevoked) {
  ApiClient client = Client();
  EXPECT_OK(AddSecret(client, ClientGiver::kCoordinator, Secret("x", "une")));
  const absl::Status unknown = RevokeSecret(client, "deux");
  EXPECT_THAT(unknown, HasReason(Reason::kUnknownReference));
  EXPECT_THAT(unknown, ViolatesField("secret_id"));
  EXPECT_THAT(client.secrets, SizeIs(1));
  EXPECT_OK(RevokeSecret(client, "une"));
  EXPECT_THAT(client.secrets, IsEmpty());
}

TEST(ApiClientTest, ASecretIsGoodAsLongAsTheRuleAllows) {
  const rules::RuleBook rules =
      FrenchRulesWhere("api_client.secret_validity", 10);
  const absl::Time latest = kNow + absl::Hours(240);
  EXPECT_EQ(SecretExpiry(rules, {}, kNow).value(), latest);
  EXPECT_EQ(SecretExpiry(rules, latest, kNow).value(), latest);
  EXPECT_EQ(SecretExpiry(rules, kNow + absl::Seconds(1), kNow).value(),
            kNow + absl::Seconds(1));
  const auto late = SecretExpiry(rules, latest + absl::Seconds(1), kNow);
  EXPECT_THAT(late, HasReason(Reason::kFieldOutOfRange));
  EXPECT_THAT(late, ViolatesField("expire_time"));
  EXPECT_THAT(SecretExpiry(rules, kNow, kNow),
              HasReason(Reason::kDatesOutOfOrder));
  EXPECT_EQ(SecretExpiry(FrenchRules(), {}, kNow).value(),
            kNow + absl::Hours(24 * 365));
}

TEST(ApiClientTest, EitherSecretOpensWhileBothAreGood) {
  const std::string one = NewSecretText();
  const std::string two = NewSecretText();
  ApiClient client = Client();
  const absl::Time soon = kNow + absl::Hours(1);
  ASSERT_OK(AddSecret(client, ClientGiver::kCoordinator,
                      Secret(one, "une", kNow, soon)));
  ASSERT_OK(AddSecret(client, ClientGiver::kCoordinator, Secret(two, "deux")));
  EXPECT_EQ(Authenticate(client, kKey, one, kNow), "une");
  EXPECT_EQ(Authenticate(client, kKey, two, kNow), "deux");
  EXPECT_EQ(Authenticate(client, kKey, one, soon), std::nullopt);
  EXPECT_EQ(Authenticate(client, kKey, two, soon), "deux");
  ASSERT_OK(RevokeSecret(client, "deux"));
  EXPECT_EQ(Authenticate(client, kKey, two, kNow), std::nullopt);
  EXPECT_EQ(Authenticate(client, kKey, one, kNow), "une");
}

TEST(ApiClientTest, NothingElseOpens) {
  const std::string text = NewSecretText();
  ApiClient client = Client();
  EXPECT_EQ(Authenticate(std::nullopt, kKey, text, kNow), std::nullopt);
  EXPECT_EQ(Authenticate(client, kKey, text, kNow), std::nullopt);
  EXPECT_EQ(Authenticate(client, kKey, "", kNow), std::nullopt);
  ASSERT_OK(AddSecret(client, ClientGiver::kCoordinator, Secret(text, "une")));
  ASSERT_EQ(Authenticate(client, kKey, text, kNow), "une");
  EXPECT_EQ(Authenticate(client, std::string(32, 'x'), text, kNow),
            std::nullopt);
  EXPECT_EQ(Authenticate(client, kKey, NewSecretText(), kNow), std::nullopt);
  EXPECT_EQ(Authenticate(client, kKey, text, client.expire_time), std::nullopt);
  client.disabled = true;
  EXPECT_EQ(Authenticate(client, kKey, text, kNow), std::nullopt);
}

}  // namespace
}  // namespace parcours::enrolment
