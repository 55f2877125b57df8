// Validates an AsyncAPI document with the specification's own parser; any finding fails.
// node .ci/lint_asyncapi.mjs DOCUMENT, with NODE_FOLDER naming where the parser is installed.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const { Parser, DiagnosticSeverity } = createRequire(resolve(process.env.NODE_FOLDER, 'package.json'))('@asyncapi/parser');
const file = process.argv[2];
const { document, diagnostics } = await new Parser().parse(readFileSync(file, 'utf8'), { source: file });
for (const found of diagnostics) {
    const place = `${file}:${found.range.start.line + 1}:${found.range.start.character + 1}`;
    console.error(`${place} ${DiagnosticSeverity?.[found.severity] ?? found.severity} ${found.code} ${found.message}`);
}
if (document === undefined || diagnostics.length > 0) process.exit(1);
console.log(`${file} is valid AsyncAPI ${document.version()}: ${document.allMessages().length} messages.`);
