import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { create, type DescEnum, fromJson, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Connection } from "./connection.ts";
import {
  Channel,
  PlaceStateSchema,
  ReviewStateSchema,
  type SubmitApplicationRequest,
  SubmitApplicationRequestSchema,
} from "./generated/parcours/enrolment/v1/application_pb.js";
import { PayerKind } from "./generated/parcours/type/v1/payer_pb.js";
import { PieceKindSchema } from "./generated/parcours/type/v1/piece_pb.js";
import { writeWhole } from "./local_copy.ts";

export const SUMMARY = "Submits an application for a made-up person, once, and reads it back.";
export const HELP = `  --store            where the request is kept before it is sent [application.json]
  --given-name       [Camille]
  --family-name      [Imaginaire]
  --email            [a made-up one]
  --years-after-bac  [4]
`;
export const OPTIONS = {
  store: { type: "string", default: "application.json" },
  "given-name": { type: "string", default: "Camille" },
  "family-name": { type: "string", default: "Imaginaire" },
  email: { type: "string", default: "" },
  "years-after-bac": { type: "string", default: "4" },
} as const;

export async function run(connection: Connection, options: Record<string, string>): Promise<void> {
  const { applications } = connection;
  const request = storedOrNewRequest(options);
  const { givenName, familyName, email } = request.application?.candidate ?? {};
  console.log(
    `Request ${request.requestId}: ${givenName} ${familyName} <${email}> to ${request.parent}`,
  );
  let name: string;
  try {
    ({ name } = await connection.call(applications.submitApplication, request));
  } catch (error) {
    console.error(`The request stays in ${options.store}: send it again as it is, or delete it.`);
    throw error;
  }
  console.log(`Received as ${name}`);

  const application = await connection.call(applications.getApplication, { name });
  const missing = application.missingPieces.map((kind) => short(PieceKindSchema, kind));
  console.log(
    `  review  ${short(ReviewStateSchema, application.reviewState)}` +
      (missing.length > 0 ? `, missing: ${missing.join(", ")}` : ""),
  );
  console.log(
    `  place   ${short(PlaceStateSchema, application.placeState)}, ` +
      (application.rank > 0n ? `rank ${application.rank}` : "no rank yet"),
  );
  const story = await connection.call(applications.explainPlace, { name });
  for (const { eventTime, textEn } of story.events) {
    console.log(`  ${eventTime && timestampDate(eventTime).toISOString()}  ${textEn}`);
  }
}

/**
 * The request that was stored, or a new one, stored before it is first sent. With its
 * requestId it is received once, however often it is sent and whoever crashes.
 */
function storedOrNewRequest(options: Record<string, string>): SubmitApplicationRequest {
  const store = options.store as string;
  if (existsSync(store)) {
    return fromJson(SubmitApplicationRequestSchema, JSON.parse(readFileSync(store, "utf8")));
  }
  const requestId = randomUUID();
  const request = create(SubmitApplicationRequestSchema, {
    parent: options.cohort,
    requestId,
    application: {
      candidate: {
        givenName: options["given-name"],
        familyName: options["family-name"],
        email: options.email || `camille.imaginaire.${requestId.slice(0, 8)}@example.org`,
        yearsAfterBac: Number(options["years-after-bac"]),
      },
      payer: { kind: PayerKind.INDIVIDUAL },
      channel: Channel.ONLINE,
    },
  });
  writeWhole(store, toJson(SubmitApplicationRequestSchema, request));
  return request;
}

/** "waitlisted" of PLACE_STATE_WAITLISTED; a value of a later version as a number. */
function short(of: DescEnum, value: number): string {
  const name = of.value[value]?.name ?? String(value);
  return name
    .replace(of.sharedPrefix?.toUpperCase() ?? "", "")
    .toLowerCase()
    .replaceAll("_", " ");
}
