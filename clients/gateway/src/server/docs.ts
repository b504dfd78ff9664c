import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type HttpRequest, type HttpResponse, send } from "./exchange.ts";

const TYPES: Record<string, string> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json; charset=utf-8",
};

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Parcours API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/page.css">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/page.js"></script>
</body>
</html>
`;

const SCRIPT = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  validatorUrl: null,
  defaultModelsExpandDepth: -1,
  defaultModelExpandDepth: 3,
  defaultModelRendering: "model",
  displayRequestDuration: true,
  syntaxHighlight: false,
});
`;

const STYLE = `body { margin: 0; }
.swagger-ui .topbar { display: none; }
.swagger-ui .info { margin: 24px 0; }
.swagger-ui .opblock .opblock-summary-description { text-align: left; }
.swagger-ui .opblock-tag small { font-size: 14px; }
`;

/** The reference of the API for programs and people, from this process alone. */
export class Docs {
  readonly #files = new Map<string, { type: string; body: Buffer }>();

  /** Fails where a file is missing. */
  constructor(openapiFile: string) {
    const assets = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
    const add = (path: string, body: Buffer | string) =>
      this.#files.set(path, {
        type: TYPES[path.split(".").at(-1) as string] ?? (TYPES.html as string),
        body: Buffer.from(body as string),
      });
    add("/docs", PAGE);
    add("/docs/page.js", SCRIPT);
    add("/docs/page.css", STYLE);
    add("/openapi.json", readFileSync(openapiFile));
    for (const name of ["swagger-ui.css", "swagger-ui-bundle.js"]) {
      add(`/docs/${name}`, readFileSync(join(assets, name)));
    }
  }

  /** Answers a path of the reference; says whether it is one. */
  handle(path: string, request: HttpRequest, response: HttpResponse): boolean {
    if (path === "/" || path === "/docs/") {
      send(request, response, 302, { location: "/docs" });
      return true;
    }
    const file = this.#files.get(path);
    if (file === undefined) return false;
    send(request, response, 200, { "content-type": file.type, ...HEADERS }, file.body);
    return true;
  }
}
