import { X509Certificate } from "node:crypto";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";
import { createSecureContext } from "node:tls";
import { fileURLToPath } from "node:url";
import {
  type Address,
  FlagReader,
  type FlagSpec,
  type FlagValues,
  formatAddress,
} from "./flags.ts";
import { type LogLevel, parseLogLevel } from "./log.ts";
import { isLoopback } from "./metadata.ts";
import { readWebhookOptions, WEBHOOK_FLAGS, type WebhookOptions } from "./webhooks/options.ts";

/** The services that the gateway stands before. */
export const SERVICES = ["enrolment", "scheduling", "evaluation"] as const;

/** Certificate and key in PEM, and the authorities that are trusted. */
export type TlsFiles = { certificate: string; key: string; ca: string };

/** How the gateway is run. */
export type Options = {
  listen: Address | undefined;
  portFile: string;
  tlsListen: Address | undefined;
  tlsPortFile: string;
  tls: TlsFiles;
  tlsReloadMs: number;
  /** Addresses of the replicas, by service. */
  backends: ReadonlyMap<string, readonly Address[]>;
  /** Empty certificate: backends are spoken to in plain text. */
  backendTls: TlsFiles;
  trustedProxies: readonly string[];
  allowOrigins: readonly string[];
  maxBodyBytes: number;
  defaultTimeoutMs: number;
  metrics: Address | undefined;
  metricsPortFile: string;
  contractDir: string;
  docs: boolean;
  logLevel: LogLevel;
  drainGraceMs: number;
  /** Whether time is moved and faults are made by whoever asks, below /sandbox. */
  sandbox: boolean;
  /** Undefined: this gateway has no webhooks. */
  webhooks: WebhookOptions | undefined;
};

const CONTRACT_DIR = fileURLToPath(new URL("../../../build/contract", import.meta.url));

/** Named as the services' flags where they mean the same. */
export const GATEWAY_FLAGS: readonly FlagSpec[] = [
  {
    name: "listen_address",
    default: "127.0.0.1:8080",
    help: 'Where calls are answered in plain text, host:port; port 0 takes a free one. Loopback only; "none" for nowhere.',
  },
  { name: "port_file", default: "", help: "Where the port is written once calls are answered." },
  {
    name: "tls_listen_address",
    default: "",
    help: "Where calls are answered over TLS, HTTP/2 and HTTP/1.1, host:port; empty: nowhere.",
  },
  { name: "tls_port_file", default: "", help: "Where the port of TLS is written." },
  {
    name: "tls_certificate_file",
    default: "",
    help: "Certificate that clients are shown and those above it, PEM. Read again when it changes.",
  },
  { name: "tls_key_file", default: "", help: "Its private key, PEM; may be the same file." },
  { name: "tls_reload_interval", default: "10s", help: "How often these files are looked at." },
  ...SERVICES.map((service, i) => ({
    name: `${service}_address`,
    default: `127.0.0.1:${50051 + i}`,
    help: `Where ${service} answers, host:port; several replicas with commas between them. Empty: nowhere.`,
  })),
  {
    name: "backend_certificate_file",
    default: "",
    help: "Certificate that is shown to services, PEM: the gateway's own, never a service's. With the next two, calls to services go over mutual TLS.",
  },
  { name: "backend_key_file", default: "", help: "Its private key, PEM; may be the same file." },
  {
    name: "backend_ca_file",
    default: "",
    help: "Authorities, PEM, that vouch for the certificates of services.",
  },
  {
    name: "trusted_proxies",
    default: "",
    help: 'Addresses of proxies before the gateway, "loopback" for one on this machine, whose last X-Forwarded-For is the caller\'s address.',
  },
  {
    name: "allow_origin",
    default: "",
    help: "Origins of web pages, https://host, that may call from a browser (CORS).",
  },
  { name: "max_body_bytes", default: "4194304", help: "Largest message of a request." },
  {
    name: "default_timeout",
    default: "30s",
    help: "Deadline of a unary call whose client gives none. Streams have none.",
  },
  {
    name: "metrics_address",
    default: "",
    help: "host:port where GET /metrics is answered; empty: nowhere.",
  },
  { name: "metrics_port_file", default: "", help: "Where the port of the metrics is written." },
  {
    name: "contract_dir",
    default: CONTRACT_DIR,
    help: "Folder of parcours.binpb and openapi.json, which `make contract` writes.",
  },
  { name: "docs", default: "true", help: "Serve /openapi.json and /docs." },
  {
    name: "sandbox",
    default: "false",
    help: "Offer faults and time below /sandbox, for programs to be tried against a simulation.",
  },
  { name: "log_level", default: "info", help: "debug, info, warning or error." },
  {
    name: "drain_grace",
    default: "20s",
    help: "How long running calls are waited for when the gateway stops.",
  },
  ...WEBHOOK_FLAGS,
];

/** The options, or everything that is wrong with the flags and the files they name. */
export function readOptions(values: FlagValues): Options | { problems: string[] } {
  const flags = new FlagReader(values);
  const logLevel = parseLogLevel(flags.text("log_level"));
  const options: Options = {
    listen: flags.address("listen_address"),
    portFile: flags.text("port_file"),
    tlsListen: flags.address("tls_listen_address"),
    tlsPortFile: flags.text("tls_port_file"),
    tls: {
      certificate: flags.text("tls_certificate_file"),
      key: flags.text("tls_key_file"),
      ca: "",
    },
    tlsReloadMs: flags.duration("tls_reload_interval", 1000),
    backends: new Map(
      SERVICES.map((service) => [service, flags.addresses(`${service}_address`)] as const).filter(
        ([, addresses]) => addresses.length > 0,
      ),
    ),
    backendTls: {
      certificate: flags.text("backend_certificate_file"),
      key: flags.text("backend_key_file"),
      ca: flags.text("backend_ca_file"),
    },
    trustedProxies: flags.list("trusted_proxies"),
    allowOrigins: flags.list("allow_origin"),
    maxBodyBytes: flags.integer("max_body_bytes", 1024, 64 * 1024 * 1024),
    defaultTimeoutMs: flags.duration("default_timeout", 1),
    metrics: flags.address("metrics_address"),
    metricsPortFile: flags.text("metrics_port_file"),
    contractDir: flags.text("contract_dir"),
    docs: flags.boolean("docs"),
    sandbox: flags.boolean("sandbox"),
    logLevel: logLevel ?? "info",
    drainGraceMs: flags.duration("drain_grace", 0),
    webhooks: readWebhookOptions(flags),
  };
  const problems = flags.problems;
  if (logLevel === undefined) problems.push(`--log_level: no such level`);
  checkListening(options, problems);
  checkBackends(options, problems);
  if (options.webhooks !== undefined) {
    const { feedTls } = options.webhooks;
    if (feedTls.certificate !== "" && feedTls.key !== "") checkPair("feed", feedTls, problems);
    if (feedTls.ca !== "") checkReadable("feed_ca_file", feedTls.ca, problems);
  }
  for (const proxy of options.trustedProxies) {
    if (proxy !== "loopback" && isIP(proxy) === 0) {
      problems.push(`--trusted_proxies: ${proxy} is no address`);
    }
  }
  for (const origin of options.allowOrigins) {
    if (!/^https?:\/\/[A-Za-z0-9.-]+(?::\d+)?$/.test(origin)) {
      problems.push(`--allow_origin: ${origin} is no origin, as https://pages.example`);
    }
  }
  checkReadable("contract_dir", `${options.contractDir}/parcours.binpb`, problems);
  if (options.docs) checkReadable("contract_dir", `${options.contractDir}/openapi.json`, problems);
  return problems.length > 0 ? { problems } : options;
}

function checkListening(options: Options, problems: string[]): void {
  if (options.listen === undefined && options.tlsListen === undefined) {
    problems.push("--listen_address is none and --tls_listen_address is not given");
  }
  if (options.listen !== undefined && !isLoopback(options.listen.host)) {
    problems.push(
      `--listen_address ${formatAddress(options.listen)} is not on loopback, and plain text must ` +
        "not leave the machine; see --tls_listen_address",
    );
  }
  if (options.tlsListen !== undefined) {
    checkPair("tls", options.tls, problems);
  } else if (options.tls.certificate !== "" || options.tls.key !== "") {
    problems.push("--tls_certificate_file and --tls_key_file need --tls_listen_address");
  }
}

function checkBackends(options: Options, problems: string[]): void {
  if (options.backends.size === 0) problems.push("there is no service to stand before");
  const { certificate, key, ca } = options.backendTls;
  if (certificate === "" && key === "" && ca === "") {
    for (const [service, addresses] of options.backends) {
      for (const address of addresses) {
        if (isLoopback(address.host)) continue;
        problems.push(
          `--${service}_address ${formatAddress(address)} is not on loopback, and plain text must ` +
            "not leave the machine; see --backend_certificate_file",
        );
      }
    }
    return;
  }
  checkPair("backend", options.backendTls, problems);
  if (ca === "") problems.push("--backend_ca_file is not given");
  else checkReadable("backend_ca_file", ca, problems);
}

/** Whether certificate and key are there, belong together and may be used. */
function checkPair(flag: string, files: TlsFiles, problems: string[]): void {
  const before = problems.length;
  for (const [name, file] of [
    ["certificate", files.certificate],
    ["key", files.key],
  ] as const) {
    if (file === "") problems.push(`--${flag}_${name}_file is not given`);
    else checkReadable(`${flag}_${name}_file`, file, problems);
  }
  if (problems.length > before) return;
  try {
    const certificate = new X509Certificate(readFileSync(files.certificate));
    createSecureContext({
      cert: readFileSync(files.certificate),
      key: readFileSync(files.key),
    });
    if (Date.parse(certificate.validTo) < Date.now()) {
      problems.push(`--${flag}_certificate_file: ${files.certificate} has expired`);
    }
    if (certificate.subjectAltName?.includes("URI:spiffe://parcours/service/")) {
      problems.push(
        `--${flag}_certificate_file: ${files.certificate} is a service's; the gateway speaks for ` +
          "its callers and must not be one",
      );
    }
  } catch {
    problems.push(
      `--${flag}_certificate_file and --${flag}_key_file are not a certificate and its key in PEM`,
    );
  }
  if ((statSync(files.key).mode & 0o004) !== 0) {
    problems.push(`--${flag}_key_file: everybody may read ${files.key}`);
  }
}

function checkReadable(flag: string, file: string, problems: string[]): void {
  try {
    accessSync(file, constants.R_OK);
  } catch {
    problems.push(`--${flag}: ${file} cannot be read`);
  }
}
