"""Fills a fresh sandbox with made-up people, through the API alone.

usage: sandbox_people.py GATEWAY KEYS

Writes KEYS/people.txt, a line for each person who gets a key of their own (name
of the key, role, flag of `parcours token`), and KEYS/partner.json.
"""

import json
import os
import pathlib
import sys
import urllib.error
import urllib.request

BODY = "bodies/opale"
COHORT = BODY + "/cohorts/culture-ess-2026"


class Api:

    def __init__(self, gateway, token):
        self._gateway = gateway
        self._token = token

    def post(self, path, body):
        request = urllib.request.Request(
            f"{self._gateway}/v1/{path}", json.dumps(body).encode(), method="POST",
            headers={"Authorization": f"Bearer {self._token}",
                     "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"sandbox: {path}: {error.read().decode()}") from error


def person(api, given_name, mailbox):
    return api.post(BODY + "/persons", {
        "givenName": given_name, "familyName": "Imaginaire",
        "email": mailbox + "@example.org"})["name"]


def application(api, number, payer):
    return api.post(COHORT + "/applications:submit", {"application": {
        "candidate": {
            "givenName": "Candidate", "familyName": f"Inventée {number}",
            "email": f"candidate.inventee.{number}@example.org", "yearsAfterBac": 3},
        "payer": payer, "channel": "CHANNEL_ONLINE"}})


def main():
    gateway, keys = sys.argv[1], pathlib.Path(sys.argv[2])
    api = Api(gateway, (keys / "administrator.token").read_text().strip())

    employer = api.post(BODY + "/organisations?organisationId=theatre-imaginaire", {
        "displayName": "Théâtre Imaginaire", "opco": "afdas",
        "signatory": "Directeur Inventé", "hrEmail": "rh@theatre-imaginaire.example"})["name"]
    trainer = person(api, "Formatrice", "formatrice")
    reader = person(api, "Lecteur", "lecteur")
    juror = person(api, "Jurée", "juree")
    applications = [
        application(api, 1, {"kind": "PAYER_KIND_INDIVIDUAL"}),
        application(api, 2, {"kind": "PAYER_KIND_OPCO", "organisation": employer,
                             "funderId": "afdas"}),
        application(api, 3, {"kind": "PAYER_KIND_EMPLOYER", "organisation": employer}),
    ]

    partner = BODY + "/apiClients/partenaire-essai"
    api.post(BODY + "/apiClients?apiClientId=partenaire-essai", {
        "displayName": "Partenaire d’essai", "purpose": "Essayer l’interface.",
        "contact": {"name": "Intégratrice Imaginaire", "email": "integratrice@example.org"},
        "roles": ["ROLE_COORDINATOR"], "callsPerMinute": 6000,
        "expireTime": "2099-01-01T00:00:00Z"})
    secret = api.post(partner + ":addSecret", {})
    credentials = keys / "partner.json"
    with open(credentials, "w", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        json.dump({"client": partner, "secret": secret["secret"]}, file, indent=2)

    (keys / "people.txt").write_text("".join(f"{line}\n" for line in [
        f"trainer trainer --person={trainer}",
        f"reader reader --person={reader}",
        f"jury_member jury_member --person={juror}",
        f"learner learner --person={applications[0]['person']}",
        f"employer_contact employer_contact --organisation={employer}",
    ]))


main()
