#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/identity/issuer.h"
#include "common/identity/token_verifier.h"
#include "common/rpc/convert.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "parcours/platform/v1/identity_config.pb.h"
#include "parcours/type/v1/access.pb.h"
#include "services/enrolment/testing/enrolment_fixture.h"

namespace parcours::enrolment {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

// The key set as another service reads it.
class SetSource final : public identity::KeySource {
 public:
  explicit SetSource(std::string set) : set_(std::move(set)) {}
  absl::StatusOr<std::optional<std::string>> Read(bool) override {
    return set_;
  }

 private:
  const std::string set_;
};

class ApiClientTest : public ContractTest {
 protected:
  pb::ApiClient Client() {
    pb::ApiClient client;
    client.set_display_name("Client d’essai");
    client.set_purpose("Suivre les salariés");
    client.mutable_contact()->set_name("Contact Une");
    client.mutable_contact()->set_email("contact.une@example.org");
    client.add_roles(type::v1::ROLE_EMPLOYER_CONTACT);
    client.set_organisation(fixture_.employer);
    client.set_calls_per_minute(120);
    *client.mutable_expire_time() =
        rpc::TimestampOf(fixture_.real_now() + absl::Hours(24 * 400));
    return client;
  }

  pb::CreateApiClientRequest Creation(const std::string& id = "client") {
    pb::CreateApiClientRequest request;
    request.set_parent(fixture_.body);
    request.set_api_client_id(id);
    *request.mutable_api_client() = Client();
    return request;
  }

  pb::ApiClient Created(const std::string& id = "client") {
    return Must(fixture_.CallTwice(fixture_.api_clients(),
                                   &ApiClients::CreateApiClient, Creation(id)));
  }

  pb::ApiClient Read(const std::string& name) {
    pb::GetApiClientRequest request;
    request.set_name(name);
    return Must(fixture_.Call(fixture_.api_clients(), &ApiClients::GetApiClient,
                              request));
  }

  absl::StatusOr<pb::AddApiClientSecretResponse> Add(
      const std::string& name, const std::string& request_id = "") {
    pb::AddApiClientSecretRequest request;
    request.set_name(name);
    request.set_request_id(request_id);
    return fixture_.Call(fixture_.api_clients(),
                         &ApiClients::AddApiClientSecret, request);
  }

  absl::StatusOr<pb::IssueTokenResponse> Issue(const std::string& client,
                                               const std::string& secret) {
    pb::IssueTokenRequest request;
    request.set_client(client);
    request.set_secret(secret);
    return fixture_.Call(fixture_.tokens(), &Tokens::IssueToken, request);
  }

  // What a service makes of the token that was told of this issuer.
  absl::StatusOr<access::Principal> Verify(const std::string& token) {
    const pb::KeySet set = Must(fixture_.Call(
        fixture_.tokens(), &Tokens::GetKeySet, pb::GetKeySetRequest()));
    std::string json;
    EXPECT_TRUE(google::protobuf::util::MessageToJsonString(set, &json).ok());
    platform::v1::IdentityConfig config;
    platform::v1::TokenIssuer& issuer = *config.add_issuers();
    issuer.set_id("clients");
    issuer.set_issuer("parcours-essai");
    issuer.set_audience("parcours");
    issuer.set_jwks_file("set");
    issuer.set_api_clients(true);
    issuer.mutable_clock_skew()->set_seconds(0);
    identity::TokenVerifierOptions options;
    options.now = [this] { return fixture_.real_now(); };
    options.refresh_on_a_thread = false;
    options.open_source = [&json](const identity::Issuer&) {
      return std::make_unique<SetSource>(json);
    };
    telemetry::Metrics metrics;
    return Must(identity::TokenVerifier::Create(
                    Must(identity::IssuersOf(config, "")), std::move(options),
                    metrics))
        ->Verify(token);
  }

  void ActAsAdministrator() {
    access::Principal administrator{.subject = "administration"};
    administrator.roles.Add(type::v1::ROLE_ADMINISTRATOR);
    fixture_.ActAs(std::move(administrator));
  }
  void ActAsCoordinator() {
    fixture_.ActAs(EnrolmentFixture::CoordinatorOf(fixture_.body));
  }
  void ActAsAnybody() {
    access::Principal anybody{.subject = "public"};
    anybody.roles.Add(type::v1::ROLE_PUBLIC);
    fixture_.ActAs(std::move(anybody));
  }
};

TEST_P(ApiClientTest, IsCreatedReadListedAndUpdated) {
  ActAsCoordinator();
  const pb::ApiClient created = Created("un");
  EXPECT_EQ(created.name(), "bodies/essai/apiClients/un");
  EXPECT_EQ(created.display_name(), "Client d’essai");
  EXPECT_EQ(created.contact().email(), "contact.une@example.org");
  EXPECT_EQ(created.roles(0), type::v1::ROLE_EMPLOYER_CONTACT);
  EXPECT_EQ(created.organisation(), fixture_.employer);
  EXPECT_EQ(created.calls_per_minute(), 120);
  EXPECT_FALSE(created.has_last_use_time());
  EXPECT_THAT(created.secrets(), SizeIs(0));
  EXPECT_EQ(Read(created.name()).SerializeAsString(),
            created.SerializeAsString());

  Created("deux");
  pb::ListApiClientsRequest list;
  list.set_parent(fixture_.body);
  list.set_page_size(1);
  std::vector<std::string> names;
  do {
    const auto page = Must(fixture_.Call(fixture_.api_clients(),
                                         &ApiClients::ListApiClients, list));
    EXPECT_NE(page.feed_token(), "");
    for (const pb::ApiClient& client : page.api_clients()) {
      names.push_back(client.name());
    }
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  EXPECT_THAT(names, ::testing::ElementsAre("bodies/essai/apiClients/deux",
                                            "bodies/essai/apiClients/un"));

  pb::UpdateApiClientRequest update;
  update.mutable_api_client()->set_name(created.name());
  update.mutable_api_client()->set_calls_per_minute(5);
  update.mutable_api_client()->set_disabled(true);
  update.mutable_update_mask()->add_paths("calls_per_minute");
  const pb::ApiClient updated = Must(fixture_.CallTwice(
      fixture_.api_clients(), &ApiClients::UpdateApiClient, update));
  EXPECT_EQ(updated.calls_per_minute(), 5);
  EXPECT_EQ(updated.purpose(), created.purpose());
  EXPECT_FALSE(updated.disabled());
  update.mutable_api_client()->set_etag(created.etag());
  EXPECT_THAT(fixture_.Call(fixture_.api_clients(),
                            &ApiClients::UpdateApiClient, update),
              HasReason(Reason::kEtagMismatch));
  update.mutable_api_client()->clear_etag();
  for (const char* const output : {"disabled", "secrets", "last_use_time"}) {
    update.mutable_update_mask()->set_paths(0, output);
    EXPECT_THAT(fixture_.Call(fixture_.api_clients(),
                              &ApiClients::UpdateApiClient, update),
                HasReason(Reason::kUpdateMaskInvalid))
        << output;
  }
}

TEST_P(ApiClientTest, ACheckedCreationCreatesNothing) {
  pb::CreateApiClientRequest request = Creation();
  request.set_validate_only(true);
  const int64_t rows = fixture_.RowsWritten();
  EXPECT_OK(fixture_.Call(fixture_.api_clients(), &ApiClients::CreateApiClient,
                          request));
  EXPECT_EQ(fixture_.RowsWritten(), rows);
}

TEST_P(ApiClientTest, ASecretIsAnsweredOnce) {
  const pb::ApiClient created = Created();
  const std::string request_id = NewUuidV7(fixture_.now());
  const auto first = Must(Add(created.name(), request_id));
  EXPECT_THAT(first.secret(), MatchesRegex("parcours_[0-9a-f]{72}"));
  ASSERT_THAT(first.api_client().secrets(), SizeIs(1));
  EXPECT_EQ(first.api_client().secrets(0).id(), first.secret_id());
  EXPECT_EQ(rpc::TimeOf(first.api_client().secrets(0).expire_time()),
            fixture_.real_now() + absl::Hours(24 * 365));
  EXPECT_THAT(first.api_client().DebugString(),
              Not(HasSubstr(first.secret().substr(9))));
  const int64_t rows = fixture_.RowsWritten();
  const auto again = Must(Add(created.name(), request_id));
  EXPECT_EQ(again.secret(), "");
  EXPECT_EQ(again.secret_id(), first.secret_id());
  EXPECT_EQ(again.api_client().SerializeAsString(),
            first.api_client().SerializeAsString());
  EXPECT_EQ(fixture_.RowsWritten(), rows);
  EXPECT_THAT(Read(created.name()).DebugString(),
              Not(HasSubstr(first.secret().substr(9))));
}

TEST_P(ApiClientTest, ATokenSaysWhoAndHowOften) {
  const pb::ApiClient created = Created();
  const std::string secret = Must(Add(created.name())).secret();
  ActAsAnybody();
  const auto issued = Must(Issue(created.name(), secret));
  EXPECT_EQ(rpc::TimeOf(issued.expire_time()),
            fixture_.real_now() + absl::Minutes(10));
  const access::Principal principal = Must(Verify(issued.token()));
  EXPECT_EQ(principal.subject, "clients|bodies/essai/apiClients/client");
  EXPECT_EQ(principal.client, "bodies/essai/apiClients/client");
  EXPECT_EQ(principal.calls_per_minute, 120);
  EXPECT_EQ(principal.body, fixture_.body);
  EXPECT_EQ(principal.organisation, fixture_.employer);
  EXPECT_EQ(principal.funder, "");
  EXPECT_EQ(principal.person, "");
  access::RoleSet contact;
  contact.Add(type::v1::ROLE_EMPLOYER_CONTACT);
  EXPECT_TRUE(principal.roles.IsWithin(contact));
  EXPECT_TRUE(contact.IsWithin(principal.roles));

  // It opens what is the employer's own, and nothing else.
  fixture_.ActAs(principal);
  pb::GetOrganisationRequest own;
  own.set_name(fixture_.employer);
  EXPECT_OK(fixture_.Call(fixture_.people(), &People::GetOrganisation, own));
  pb::GetApiClientRequest itself;
  itself.set_name(created.name());
  EXPECT_THAT(
      fixture_.Call(fixture_.api_clients(), &ApiClients::GetApiClient, itself),
      HasReason(Reason::kPermissionDenied));

  fixture_.SetRealTime(fixture_.real_now() + absl::Minutes(10));
  EXPECT_THAT(Verify(issued.token()), HasReason(Reason::kUnauthenticated));
}

TEST_P(ApiClientTest, ATokenOfAFunderNamesTheFunder) {
  pb::CreateApiClientRequest request = Creation("opco");
  pb::ApiClient& client = *request.mutable_api_client();
  client.clear_organisation();
  client.clear_roles();
  client.add_roles(type::v1::ROLE_FUNDER);
  client.add_roles(type::v1::ROLE_STEERING_READER);
  client.set_funder_id("opco");
  const pb::ApiClient created = Must(fixture_.Call(
      fixture_.api_clients(), &ApiClients::CreateApiClient, request));
  const auto issued =
      Must(Issue(created.name(), Must(Add(created.name())).secret()));
  const access::Principal principal = Must(Verify(issued.token()));
  EXPECT_EQ(principal.funder, "opco");
  EXPECT_EQ(principal.organisation, "");
  EXPECT_TRUE(principal.roles.Has(type::v1::ROLE_FUNDER));
  EXPECT_TRUE(principal.roles.Has(type::v1::ROLE_STEERING_READER));
}

TEST_P(ApiClientTest, EveryRefusalOfACredentialIsTheSame) {
  const std::string name = Created().name();
  const auto added = Must(Add(name));
  const std::string other = Created("autre").name();
  ActAsAnybody();
  const absl::Time start = fixture_.real_now();
  std::vector<absl::Status> refusals;
  refusals.push_back(Issue(name, NewSecretText()).status());
  refusals.push_back(Issue(name, "parcours_").status());
  refusals.push_back(Issue(other, added.secret()).status());
  refusals.push_back(
      Issue("bodies/essai/apiClients/absent", added.secret()).status());
  refusals.push_back(
      Issue("bodies/absent/apiClients/client", added.secret()).status());
  // The secret has expired, then the client too.
  for (const int days : {365, 400}) {
    fixture_.SetRealTime(start + absl::Hours(24 * days));
    refusals.push_back(Issue(name, added.secret()).status());
  }
  fixture_.SetRealTime(start);
  ActAsCoordinator();
  pb::DisableApiClientRequest disable;
  disable.set_name(name);
  EXPECT_TRUE(Must(fixture_.CallTwice(fixture_.api_clients(),
                                      &ApiClients::DisableApiClient, disable))
                  .disabled());
  ActAsAnybody();
  refusals.push_back(Issue(name, added.secret()).status());
  ActAsCoordinator();
  pb::EnableApiClientRequest enable;
  enable.set_name(name);
  EXPECT_FALSE(Must(fixture_.CallTwice(fixture_.api_clients(),
                                       &ApiClients::EnableApiClient, enable))
                   .disabled());
  ActAsAnybody();
  ASSERT_OK(Issue(name, added.secret()));
  ActAsCoordinator();
  pb::RevokeApiClientSecretRequest revoke;
  revoke.set_name(name);
  revoke.set_secret_id(added.secret_id());
  EXPECT_THAT(
      Must(fixture_.CallTwice(fixture_.api_clients(),
                              &ApiClients::RevokeApiClientSecret, revoke))
          .secrets(),
      SizeIs(0));
  ActAsAnybody();
  refusals.push_back(Issue(name, added.secret()).status());
  for (const absl::Status& refusal : refusals) {
    EXPECT_THAT(refusal, StatusIs(absl::StatusCode::kUnauthenticated));
    EXPECT_EQ(refusal.message(), refusals[0].message());
    EXPECT_EQ(MetadataOf(refusal), MetadataOf(refusals[0]));
  }
}

TEST_P(ApiClientTest, RotatesWithOverlapAndShowsTheLastUse) {
  const std::string name = Created().name();
  const auto old = Must(Add(name));
  const auto fresh = Must(Add(name));
  EXPECT_THAT(Add(name), HasReason(Reason::kSecretLimitReached));
  const std::string etag = Read(name).etag();
  const absl::Time start = fixture_.real_now();
  ASSERT_OK(Issue(name, old.secret()));
  fixture_.SetRealTime(start + absl::Minutes(90));
  ASSERT_OK(Issue(name, fresh.secret()));
  fixture_.SetRealTime(start + absl::Minutes(120));
  ASSERT_OK(Issue(name, fresh.secret()));
  const pb::ApiClient read = Read(name);
  ASSERT_THAT(read.secrets(), SizeIs(2));
  EXPECT_EQ(rpc::TimeOf(read.secrets(0).last_use_time()), start);
  EXPECT_EQ(rpc::TimeOf(read.secrets(1).last_use_time()),
            start + absl::Minutes(90));
  EXPECT_EQ(rpc::TimeOf(read.last_use_time()), start + absl::Minutes(90));
  EXPECT_EQ(read.etag(), etag);
}

TEST_P(ApiClientTest, SomeRolesAreAnAdministratorsToGive) {
  ActAsCoordinator();
  pb::CreateApiClientRequest request = Creation("controle");
  request.mutable_api_client()->clear_organisation();
  request.mutable_api_client()->set_roles(0, type::v1::ROLE_AUDITOR);
  const int64_t rows = fixture_.RowsWritten();
  const auto refused = fixture_.Call(fixture_.api_clients(),
                                     &ApiClients::CreateApiClient, request);
  EXPECT_THAT(refused, HasReason(Reason::kRoleForAdministrator));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_EQ(fixture_.RowsWritten(), rows);
  ActAsAdministrator();
  const std::string name =
      Must(fixture_.Call(fixture_.api_clients(), &ApiClients::CreateApiClient,
                         request))
          .name();
  ActAsCoordinator();
  EXPECT_THAT(Add(name), HasReason(Reason::kRoleForAdministrator));
  pb::UpdateApiClientRequest update;
  update.mutable_api_client()->set_name(name);
  update.mutable_api_client()->set_purpose("Contrôle annuel");
  EXPECT_OK(fixture_.Call(fixture_.api_clients(), &ApiClients::UpdateApiClient,
                          update));
  update.mutable_api_client()->add_roles(type::v1::ROLE_AUDITOR);
  update.mutable_api_client()->add_roles(type::v1::ROLE_CERTIFIER);
  EXPECT_THAT(fixture_.Call(fixture_.api_clients(),
                            &ApiClients::UpdateApiClient, update),
              HasReason(Reason::kRoleForAdministrator));
  ActAsAdministrator();
  EXPECT_OK(Add(name));
}

TEST_P(ApiClientTest, NothingOfAnotherBodyIsSeenOrChanged) {
  const std::string name = Created().name();
  const auto added = Must(Add(name));
  fixture_.ActAs(EnrolmentFixture::CoordinatorOf("bodies/autre"));
  const int64_t rows = fixture_.RowsWritten();
  const auto denied = HasReason(Reason::kPermissionDenied);
  ApiClients& stub = fixture_.api_clients();
  EXPECT_THAT(fixture_.Call(stub, &ApiClients::CreateApiClient, Creation("x")),
              denied);
  pb::GetApiClientRequest get;
  get.set_name(name);
  EXPECT_THAT(fixture_.Call(stub, &ApiClients::GetApiClient, get), denied);
  pb::ListApiClientsRequest list;
  list.set_parent(fixture_.body);
  EXPECT_THAT(fixture_.Call(stub, &ApiClients::ListApiClients, list), denied);
  pb::UpdateApiClientRequest update;
  *update.mutable_api_client() = Client();
  update.mutable_api_client()->set_name(name);
  EXPECT_THAT(fixture_.Call(stub, &ApiClients::UpdateApiClient, update),
              denied);
  EXPECT_THAT(Add(name), denied);
  pb::RevokeApiClientSecretRequest revoke;
  revoke.set_name(name);
  revoke.set_secret_id(added.secret_id());
  EXPECT_THAT(fixture_.Call(stub, &ApiClients::RevokeApiClientSecret, revoke),
              denied);
  pb::DisableApiClientRequest disable;
  disable.set_name(name);
  EXPECT_THAT(fixture_.Call(stub, &ApiClients::DisableApiClient, disable),
              denied);
  pb::EnableApiClientRequest enable;
  enable.set_name(name);
  EXPECT_THAT(fixture_.Call(stub, &ApiClients::EnableApiClient, enable),
              denied);
  EXPECT_EQ(fixture_.RowsWritten(), rows);
  ActAsAnybody();
  EXPECT_THAT(fixture_.Call(stub, &ApiClients::GetApiClient, get),
              HasReason(Reason::kUnauthenticated));
}

TEST_P(ApiClientTest, TheKeySetHasNothingPrivate) {
  ActAsAnybody();
  const pb::KeySet set = Must(fixture_.Call(
      fixture_.tokens(), &Tokens::GetKeySet, pb::GetKeySetRequest()));
  ASSERT_THAT(set.keys(), SizeIs(1));
  EXPECT_EQ(set.keys(0).kty(), "EC");
  EXPECT_EQ(set.keys(0).crv(), "P-256");
  EXPECT_EQ(set.keys(0).alg(), "ES256");
  EXPECT_EQ(set.keys(0).use(), "sig");
  EXPECT_EQ(set.keys(0).kid(), fixture_.token_key().kid());
  EXPECT_EQ(set.keys(0).x().size(), 43U);
  EXPECT_EQ(set.keys(0).y().size(), 43U);
}

// What is wrong with a request, and what must be said of it.
template <typename Request>
struct BadInput {
  const char* what;
  std::function<void(Request&)> spoil;
  Reason reason;
  std::string field = "";  // empty: the error is of no field
};

class BadApiClientTest : public ApiClientTest {
 protected:
  template <typename Stub, typename Request, typename Response>
  void ExpectRefused(Stub& stub,
                     grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                  const Request&, Response*),
                     const Request& good,
                     const std::vector<BadInput<Request>>& cases) {
    const int64_t rows = fixture_.RowsWritten();
    for (const BadInput<Request>& c : cases) {
      SCOPED_TRACE(c.what);
      Request request = good;
      c.spoil(request);
      const absl::StatusOr<Response> answer =
          fixture_.Call(stub, method, request);
      EXPECT_THAT(answer, HasReason(c.reason));
      if (!c.field.empty()) {
        EXPECT_THAT(answer, ViolatesField(c.field));
      }
      EXPECT_EQ(fixture_.RowsWritten(), rows);
    }
  }
};

TEST_P(BadApiClientTest, AClient) {
  using Request = pb::CreateApiClientRequest;
  const auto client = [](auto set) {
    return [set](Request& request) { set(*request.mutable_api_client()); };
  };
  Created("pris");
  ExpectRefused(
      fixture_.api_clients(), &ApiClients::CreateApiClient, Creation(),
      std::vector<BadInput<Request>>{
          {"unknown body", [](Request& r) { r.set_parent("bodies/absent"); },
           Reason::kNotFound},
          {"malformed id", [](Request& r) { r.set_api_client_id("Client 1"); },
           Reason::kFieldMalformed, "api_client_id"},
          {"no id", [](Request& r) { r.clear_api_client_id(); },
           Reason::kFieldRequired, "api_client_id"},
          {"an id that is taken",
           [](Request& r) { r.set_api_client_id("pris"); },
           Reason::kAlreadyExists},
          {"no client", [](Request& r) { r.clear_api_client(); },
           Reason::kFieldRequired, "api_client"},
          {"no name", client([](pb::ApiClient& c) { c.clear_display_name(); }),
           Reason::kFieldRequired, "api_client.display_name"},
          {"no purpose", client([](pb::ApiClient& c) { c.clear_purpose(); }),
           Reason::kFieldRequired, "api_client.purpose"},
          {"a blank purpose",
           client([](pb::ApiClient& c) { c.set_purpose("  "); }),
           Reason::kFieldRequired, "api_client.purpose"},
          {"nobody answers",
           client([](pb::ApiClient& c) { c.clear_contact(); }),
           Reason::kFieldRequired, "api_client.contact"},
          {"a contact without a name",
           client([](pb::ApiClient& c) { c.mutable_contact()->clear_name(); }),
           Reason::kFieldRequired, "api_client.contact.name"},
          {"a contact without an address", client([](pb::ApiClient& c) {
             c.mutable_contact()->set_email("a");
           }),
           Reason::kFieldMalformed, "api_client.contact.email"},
          {"no role", client([](pb::ApiClient& c) { c.clear_roles(); }),
           Reason::kFieldRequired, "api_client.roles"},
          {"the unspecified role", client([](pb::ApiClient& c) {
             c.add_roles(type::v1::ROLE_UNSPECIFIED);
           }),
           Reason::kUnknownEnumValue, "api_client.roles[1]"},
          {"a role that does not exist", client([](pb::ApiClient& c) {
             c.add_roles(static_cast<type::v1::Role>(99));
           }),
           Reason::kUnknownEnumValue, "api_client.roles[1]"},
          {"administrator", client([](pb::ApiClient& c) {
             c.add_roles(type::v1::ROLE_ADMINISTRATOR);
           }),
           Reason::kFieldMalformed, "api_client.roles[1]"},
          {"service", client([](pb::ApiClient& c) {
             c.add_roles(type::v1::ROLE_SERVICE);
           }),
           Reason::kFieldMalformed, "api_client.roles[1]"},
          {"public",
           client([](pb::ApiClient& c) { c.add_roles(type::v1::ROLE_PUBLIC); }),
           Reason::kFieldMalformed, "api_client.roles[1]"},
          {"a person's role", client([](pb::ApiClient& c) {
             c.add_roles(type::v1::ROLE_TRAINER);
           }),
           Reason::kFieldMalformed, "api_client.roles[1]"},
          {"a role twice", client([](pb::ApiClient& c) {
             c.add_roles(type::v1::ROLE_EMPLOYER_CONTACT);
           }),
           Reason::kFieldMalformed, "api_client.roles[1]"},
          {"an employer's without the employer",
           client([](pb::ApiClient& c) { c.clear_organisation(); }),
           Reason::kFieldRequired, "api_client.organisation"},
          {"an unknown employer", client([](pb::ApiClient& c) {
             c.set_organisation("bodies/essai/organisations/absente");
           }),
           Reason::kUnknownReference, "api_client.organisation"},
          {"another body's employer", client([](pb::ApiClient& c) {
             c.set_organisation("bodies/autre/organisations/employeur");
           }),
           Reason::kUnknownReference, "api_client.organisation"},
          {"a malformed employer",
           client([](pb::ApiClient& c) { c.set_organisation("employeur"); }),
           Reason::kFieldMalformed, "api_client.organisation"},
          {"a funder without the role",
           client([](pb::ApiClient& c) { c.set_funder_id("opco"); }),
           Reason::kFieldMalformed, "api_client.funder_id"},
          {"a funder's without the funder",
           client([](pb::ApiClient& c) { c.add_roles(type::v1::ROLE_FUNDER); }),
           Reason::kFieldRequired, "api_client.funder_id"},
          {"a malformed funder", client([](pb::ApiClient& c) {
             c.add_roles(type::v1::ROLE_FUNDER);
             c.set_funder_id("L’OPCO");
           }),
           Reason::kFieldMalformed, "api_client.funder_id"},
          {"no calls",
           client([](pb::ApiClient& c) { c.set_calls_per_minute(0); }),
           Reason::kFieldOutOfRange, "api_client.calls_per_minute"},
          {"too many calls",
           client([](pb::ApiClient& c) { c.set_calls_per_minute(60001); }),
           Reason::kFieldOutOfRange, "api_client.calls_per_minute"},
          {"no end", client([](pb::ApiClient& c) { c.clear_expire_time(); }),
           Reason::kFieldRequired, "api_client.expire_time"},
          {"an end that has passed", client([this](pb::ApiClient& c) {
             *c.mutable_expire_time() = rpc::TimestampOf(fixture_.real_now());
           }),
           Reason::kDatesOutOfOrder, "api_client.expire_time"},
      });
}

TEST_P(BadApiClientTest, ASecretOrAToken) {
  const std::string name = Created().name();
  const auto added = Must(Add(name));
  using AddSecret = pb::AddApiClientSecretRequest;
  AddSecret add;
  add.set_name(name);
  ExpectRefused(
      fixture_.api_clients(), &ApiClients::AddApiClientSecret, add,
      std::vector<BadInput<AddSecret>>{
          {"no client", [](AddSecret& r) { r.clear_name(); },
           Reason::kFieldRequired, "name"},
          {"an unknown client",
           [](AddSecret& r) { r.set_name("bodies/essai/apiClients/absent"); },
           Reason::kNotFound},
          {"a malformed client", [](AddSecret& r) { r.set_name("client"); },
           Reason::kFieldMalformed, "name"},
          {"an end that has passed",
           [this](AddSecret& r) {
             *r.mutable_expire_time() = rpc::TimestampOf(fixture_.real_now());
           },
           Reason::kDatesOutOfOrder, "expire_time"},
          {"an end that is too far",
           [this](AddSecret& r) {
             *r.mutable_expire_time() = rpc::TimestampOf(
                 fixture_.real_now() + absl::Hours(24 * 365 + 1));
           },
           Reason::kFieldOutOfRange, "expire_time"},
          {"a stale etag", [](AddSecret& r) { r.set_etag("\"v1\""); },
           Reason::kEtagMismatch},
          {"a malformed request id",
           [](AddSecret& r) { r.set_request_id("une"); },
           Reason::kFieldMalformed, "request_id"},
      });
  using Revoke = pb::RevokeApiClientSecretRequest;
  Revoke revoke;
  revoke.set_name(name);
  revoke.set_secret_id(added.secret_id());
  ExpectRefused(
      fixture_.api_clients(), &ApiClients::RevokeApiClientSecret, revoke,
      std::vector<BadInput<Revoke>>{
          {"no secret", [](Revoke& r) { r.clear_secret_id(); },
           Reason::kFieldRequired, "secret_id"},
          {"an unknown secret", [](Revoke& r) { r.set_secret_id("autre"); },
           Reason::kUnknownReference, "secret_id"},
          {"a stale etag", [](Revoke& r) { r.set_etag("\"v1\""); },
           Reason::kEtagMismatch},
      });
  pb::EnableApiClientRequest enable;
  enable.set_name(name);
  ExpectRefused(
      fixture_.api_clients(), &ApiClients::EnableApiClient, enable,
      std::vector<BadInput<pb::EnableApiClientRequest>>{
          {"it is enabled", [](auto&) {}, Reason::kIllegalTransition}});
  using Issue = pb::IssueTokenRequest;
  Issue issue;
  issue.set_client(name);
  issue.set_secret(added.secret());
  ExpectRefused(
      fixture_.tokens(), &Tokens::IssueToken, issue,
      std::vector<BadInput<Issue>>{
          {"no client", [](Issue& r) { r.clear_client(); },
           Reason::kFieldRequired, "client"},
          {"a malformed client", [](Issue& r) { r.set_client("bodies/essai"); },
           Reason::kFieldMalformed, "client"},
          {"no secret", [](Issue& r) { r.clear_secret(); },
           Reason::kFieldRequired, "secret"},
          {"a long secret",
           [](Issue& r) { r.set_secret(std::string(501, 'x')); },
           Reason::kFieldTooLong, "secret"},
          {"another secret", [](Issue& r) { r.set_secret("parcours_"); },
           Reason::kUnauthenticated},
      });
}

PARCOURS_ON_BOTH_ENGINES(ApiClientTest);
PARCOURS_ON_BOTH_ENGINES(BadApiClientTest);

}  // namespace
}  // namespace parcours::enrolment
