import { execFileSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** An authority of its own, in a temporary folder. */
export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), "parcours-authority-"));
  readonly ca = join(this.folder, "ca.pem");

  constructor() {
    this.#openssl(
      "req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test " +
        `-addext basicConstraints=critical,CA:TRUE -keyout ${this.folder}/ca.key -out ${this.ca}`,
    );
  }

  /** Key and certificate in one file, which replaces the one before at one moment. */
  issue(name: string, alternatives: string): string {
    const file = join(this.folder, `${name}.pem`);
    const at = join(this.folder, name);
    writeFileSync(`${at}.ext`, `subjectAltName=${alternatives}\n`);
    this.#openssl(
      `req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=${name} ` +
        `-keyout ${at}.key -out ${at}.csr`,
    );
    this.#openssl(
      `x509 -req -in ${at}.csr -CA ${this.ca} -CAkey ${this.folder}/ca.key -CAcreateserial ` +
        `-days 2 -extfile ${at}.ext -out ${at}.crt`,
    );
    execFileSync("sh", ["-c", `umask 077; cat ${at}.key ${at}.crt > ${file}.new`]);
    renameSync(`${file}.new`, file);
    return file;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #openssl(command: string): void {
    execFileSync("openssl", command.split(" "), { stdio: "pipe" });
  }
}
