import type { Address, FlagReader, FlagSpec } from "../flags.ts";
import type { TlsFiles } from "../options.ts";
import { SOURCES, type Source } from "./events.ts";

/** How webhooks are kept and sent. */
export type WebhookOptions = {
  database: string;
  keyFile: string;
  /** http and loopback addresses too. */
  allowLoopback: boolean;
  /** What may read the feeds, and nothing else. */
  feedTls: TlsFiles;
  /** Where the feed of each service is read. */
  feeds: Record<Source, readonly Address[]>;
};

export const WEBHOOK_FLAGS: readonly FlagSpec[] = [
  {
    name: "webhooks_database",
    default: "",
    help: "SQLite file of the webhooks, made when it is absent; one gateway at a time holds it. Empty: this gateway has no webhooks.",
  },
  {
    name: "webhooks_key_file",
    default: "",
    help: "Key under which the webhooks' secrets are kept, made with mode 0600 when it is absent.",
  },
  {
    name: "webhooks_allow_loopback",
    default: "false",
    help: "Send events to this machine too, and over http: for sandboxes and tests only.",
  },
  {
    name: "feed_certificate_file",
    default: "",
    help: "Certificate of a reader of the change feeds, PEM, by which webhooks follow them.",
  },
  { name: "feed_key_file", default: "", help: "Its private key, PEM; may be the same file." },
  {
    name: "feed_ca_file",
    default: "",
    help: "Authorities, PEM, that vouch for the services whose feeds are read. Empty: those of --backend_ca_file.",
  },
  ...SOURCES.map((source) => ({
    name: `feed_${source}_address`,
    default: "",
    help: `Where the feed of ${source} is read over mutual TLS, host:port; several replicas with commas between them. Empty: --${source}_address.`,
  })),
];

/** What the flags say of webhooks; undefined when there are none. Problems go to `flags`. */
export function readWebhookOptions(flags: FlagReader): WebhookOptions | undefined {
  const database = flags.text("webhooks_database");
  const given = WEBHOOK_FLAGS.filter(
    ({ name, default: usual }) => name !== "webhooks_allow_loopback" && flags.text(name) !== usual,
  );
  if (database === "") {
    for (const { name } of given) flags.problems.push(`--${name} needs --webhooks_database`);
    return undefined;
  }
  const addresses = (source: Source) => {
    const own = flags.addresses(`feed_${source}_address`);
    return own.length > 0 ? own : flags.addresses(`${source}_address`);
  };
  const options: WebhookOptions = {
    database,
    keyFile: flags.text("webhooks_key_file"),
    allowLoopback: flags.boolean("webhooks_allow_loopback"),
    feedTls: {
      certificate: flags.text("feed_certificate_file"),
      key: flags.text("feed_key_file"),
      ca: flags.text("feed_ca_file") || flags.text("backend_ca_file"),
    },
    feeds: {
      enrolment: addresses("enrolment"),
      scheduling: addresses("scheduling"),
      evaluation: addresses("evaluation"),
    },
  };
  for (const [name, value] of [
    ["webhooks_key_file", options.keyFile],
    ["feed_certificate_file", options.feedTls.certificate],
    ["feed_key_file", options.feedTls.key],
    ["feed_ca_file", options.feedTls.ca],
  ]) {
    if (value === "") flags.problems.push(`--${name} is not given, and webhooks need it`);
  }
  for (const source of SOURCES) {
    if (options.feeds[source].length > 0) continue;
    flags.problems.push(`--feed_${source}_address is not given, and webhooks need it`);
  }
  return options;
}
