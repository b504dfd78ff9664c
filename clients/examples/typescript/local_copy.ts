import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Connection } from "./connection.ts";
import { ApplicationSchema } from "./generated/parcours/enrolment/v1/application_pb.js";
import { EnrolmentSchema } from "./generated/parcours/enrolment/v1/enrolment_pb.js";

type Named = { name: string; json: JsonValue };
type Page = { resources: Named[]; nextPageToken: string; feedToken: string };

/** Where the resources of a kind are listed and read. */
export interface Source {
  list(pageToken: string, feedToken: string): Promise<Page>;
  get(name: string, feedToken: string): Promise<JsonValue>;
}

export function sourceOf(connection: Connection, kind: string, parent: string): Source {
  const { applications, enrolments } = connection;
  switch (kind) {
    case "application":
      return {
        async list(pageToken, feedToken) {
          const request = { parent, pageSize: 500, pageToken };
          const page = await connection.call(applications.listApplications, request, feedToken);
          const resources = page.applications.map((one) => ({
            name: one.name,
            json: toJson(ApplicationSchema, one),
          }));
          return { ...page, resources };
        },
        async get(name, feedToken) {
          const one = await connection.call(applications.getApplication, { name }, feedToken);
          return toJson(ApplicationSchema, one);
        },
      };
    case "enrolment":
      return {
        async list(pageToken, feedToken) {
          const request = { parent, pageSize: 500, pageToken };
          const page = await connection.call(enrolments.listEnrolments, request, feedToken);
          const resources = page.enrolments.map((one) => ({
            name: one.name,
            json: toJson(EnrolmentSchema, one),
          }));
          return { ...page, resources };
        },
        async get(name, feedToken) {
          const one = await connection.call(enrolments.getEnrolment, { name }, feedToken);
          return toJson(EnrolmentSchema, one);
        },
      };
    default:
      throw new Error(`--kind is application or enrolment, not ${kind}`);
  }
}

/**
 * What was read of one kind within one parent, and up to which position of the change
 * feed. On disk it is always whole: the old one or the new one.
 */
export class LocalCopy {
  readonly path: string;
  readonly kind: string;
  readonly parent: string;
  feedToken = "";
  resources: Record<string, JsonValue> = {};
  /** The latest that webhooks have said of each resource. */
  versions: Record<string, number> = {};

  constructor(path: string, kind: string, parent: string) {
    this.path = path;
    this.kind = kind;
    this.parent = parent;
    if (!existsSync(path)) return;
    const kept = JSON.parse(readFileSync(path, "utf8"));
    if (kept.kind !== kind || kept.parent !== parent) {
      throw new Error(`${path} is a copy of each ${kept.kind} of ${kept.parent}`);
    }
    this.feedToken = kept.feedToken;
    this.resources = kept.resources;
    this.versions = kept.versions;
  }

  get size(): number {
    return Object.keys(this.resources).length;
  }

  /**
   * Reads the list completely. What happens meanwhile is in the feed after the token
   * of the first page.
   */
  async fill(source: Source): Promise<void> {
    const resources: Record<string, JsonValue> = {};
    let first = "";
    let pageToken = "";
    do {
      // No page from before the first one, whichever replica gives it.
      const page = await source.list(pageToken, first);
      first ||= page.feedToken;
      for (const { name, json } of page.resources) resources[name] = json;
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    this.resources = resources;
    this.feedToken = first;
    this.store();
  }

  /** Takes over what became of one resource, as it is now and not before `feedToken`. */
  async refresh(source: Source, name: string, removed: boolean, feedToken: string): Promise<void> {
    try {
      if (removed) delete this.resources[name];
      else this.resources[name] = await source.get(name, feedToken);
    } catch (cause) {
      // What is not there and what we may not see are one answer.
      const { code } = ConnectError.from(cause);
      if (code !== Code.NotFound && code !== Code.PermissionDenied) throw cause;
      delete this.resources[name];
    }
  }

  store(): void {
    const { kind, parent, feedToken, versions, resources } = this;
    writeWhole(this.path, { kind, parent, feedToken, versions, resources });
  }
}

/** Replaces the file at one moment, and only once the new one is on the disk. */
export function writeWhole(path: string, content: JsonValue): void {
  const beside = `${path}.new`;
  const file = openSync(beside, "w", 0o600);
  try {
    writeSync(file, JSON.stringify(content, null, 1));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(beside, path);
}
