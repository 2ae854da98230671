/** @file A small repository that tests make: a parser of headers with a fault, a server that uses it, a test of it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const headerFiles: Readonly<Record<string, string>> = {
  'headers/parser.py': `"""Parsing of header lines."""
import re

LINE = re.compile(r"^[^:]+:")


class HeaderParser:
    """Collects headers line by line."""

    def __init__(self):
        self.headers = {}

    def parse_line(self, line):
        """Add one line; the value is what follows the colon."""
        name, value = line.split(":")
        self.headers[name.strip()] = value.strip()

    def feed(self, text):
        """Parse every line of a text."""
        for line in text.splitlines():
            self.parse_line(line)
`,
  'headers/server.py': `"""A server that reads headers."""
from headers.parser import HeaderParser


def read_request(stream):
    """Headers of one request."""
    parser = HeaderParser()
    parser.feed(stream.read())
    return parser.headers


def start_server(port=8080):
    """Listen for requests."""
    return port
`,
  'headers/format.py': `"""Writing of headers."""


def format_headers(headers):
    """One line a header."""
    return "\\n".join(f"{name}: {value}" for name, value in headers.items())
`,
  'tests/test_parser.py': `from headers.parser import HeaderParser


def test_parse_line():
    parser = HeaderParser()
    parser.parse_line("a: b")
    assert parser.headers == {"a": "b"}
`,
};

export const headerIssue = `parse_line fails on values with a colon

With version 1.4.2, feeding \`Host: example.org:8080\` to HeaderParser raises
ValueError: too many values to unpack (expected 2)

\`\`\`python
HeaderParser().parse_line("Host: example.org:8080")
\`\`\`

I expected the value to be kept whole.
`;

/** Answers with the commit; the same files give the same one. */
export function makeGitRepository(directory: string, files: Readonly<Record<string, string>> = headerFiles): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  const moment = '2026-01-01T00:00:00Z';
  const identity = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.org', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.org' };
  const env = { ...process.env, ...identity, GIT_AUTHOR_DATE: moment, GIT_COMMITTER_DATE: moment, GIT_CONFIG_GLOBAL: '/dev/null' };
  const git = (...parameters: string[]) => execFileSync('git', ['-C', directory, ...parameters], { env, encoding: 'utf8' });
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'first');
  return git('rev-parse', 'HEAD').trim();
}
