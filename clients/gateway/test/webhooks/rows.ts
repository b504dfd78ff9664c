import type { WebhookRow } from "../../src/webhooks/record.ts";

/** A webhook of that name as it is kept. */
export function row(name: string, fields: Partial<WebhookRow> = {}): WebhookRow {
  return {
    name,
    body: name.split("/webhooks/")[0] as string,
    url: "https://partner.example/",
    kinds: [],
    services: [],
    description: "",
    contactName: "Contact d’essai",
    contactEmail: "essai@exemple.fr",
    state: 1,
    disabledReason: 0,
    funder: "",
    creator: "camille",
    secret: new Uint8Array([1]),
    secretTime: 1,
    previousSecret: null,
    previousExpires: null,
    lastSuccess: null,
    failingSince: null,
    notBefore: 0,
    pending: 0,
    version: 1,
    createTime: 1,
    updateTime: 1,
    ...fields,
  };
}
