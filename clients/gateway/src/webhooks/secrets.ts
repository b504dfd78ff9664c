import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SECRET_BYTES = 32;

/** The key under which secrets are kept, from a file that only its owner may read. */
export class MasterKey {
  readonly #sealing: Buffer;
  readonly #digesting: Buffer;

  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new Error(`a key has ${KEY_BYTES} bytes`);
    const derive = (purpose: string) =>
      Buffer.from(hkdfSync("sha256", key, "", `parcours webhooks ${purpose}`, KEY_BYTES));
    this.#sealing = derive("secrets");
    this.#digesting = derive("digests");
  }

  /** Reads the key, 64 hexadecimal digits; makes the file, mode 0600, when it is absent. */
  static fromFile(path: string): MasterKey {
    try {
      const file = openSync(path, "wx", 0o600);
      try {
        writeSync(file, `${randomBytes(KEY_BYTES).toString("hex")}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if ((statSync(path).mode & 0o077) !== 0) {
      throw new Error(`${path} may be read by others than its owner: chmod 600 it`);
    }
    const text = readFileSync(path, "utf8").trim();
    if (!/^[0-9a-f]{64}$/.test(text)) {
      throw new Error(`${path} does not hold a key of 64 hexadecimal digits`);
    }
    return new MasterKey(Buffer.from(text, "hex"));
  }

  /** Encrypts with AES-256-GCM, bound to its place: elsewhere it cannot be opened. */
  seal(secret: string, place: string): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#sealing, nonce);
    cipher.setAAD(Buffer.from(place));
    const sealed = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()]);
  }

  /** Throws when `sealed` was not sealed for this place under this key. */
  open(sealed: Uint8Array, place: string): string {
    const bytes = Buffer.from(sealed);
    const decipher = createDecipheriv(
      "aes-256-gcm",
      this.#sealing,
      bytes.subarray(0, NONCE_BYTES),
      { authTagLength: TAG_BYTES },
    );
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString("utf8");
  }

  /** A keyed digest, in hexadecimal. */
  digest(...parts: (string | Uint8Array)[]): string {
    const hmac = createHmac("sha256", this.#digesting);
    for (const part of parts) {
      const bytes = Buffer.from(part as string);
      // The length first, so that no two lists of parts read alike.
      hmac.update(`${bytes.length}:`).update(bytes);
    }
    return hmac.digest("hex");
  }
}

/** A secret in the form of Standard Webhooks. */
export function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`;
}
