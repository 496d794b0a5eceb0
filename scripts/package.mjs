// Makes sekisho_VERSION_ARCH.deb of the built program: app, production dependencies and the Node that runs this, so that
// nothing is compiled or fetched where it is installed. `npm run package [-- --out DIR]`

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const APP = "usr/lib/sekisho";
/** What of a dependency only a compiler, another platform or an editor has use for. */
const UNUSED = [
  /\/better-sqlite3(-12)?\/(src|deps|binding\.gyp|build\/(?!Release\/better_sqlite3\.node$|Release$))/,
  /\.d\.[cm]?ts$/,
  /\.map$/,
  /\/(test|tests|__tests__|\.github)\//,
];

const { values } = parseArgs({ options: { out: { type: "string", default: "." } } });
const { version, description, license } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const run = (program, ...args) =>
  execFileSync(program, args, {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "inherit"],
  });

const arch = run("dpkg", "--print-architecture").trim();
const staging = mkdtempSync(join(tmpdir(), "sekisho-package-"));
const at = (path) => {
  const file = join(staging, path);
  mkdirSync(dirname(file), { recursive: true });
  return file;
};
const copy = (from, to) => cpSync(join(ROOT, from), at(to), { recursive: true });
const write = (path, content, mode = 0o644) => {
  writeFileSync(at(path), content);
  chmodSync(at(path), mode);
};

/** Production dependencies as npm resolved them, without what runs nowhere but here. */
function copyDependencies() {
  const folders = run("npm", "ls", "--omit=dev", "--all", "--parseable").trim().split("\n");
  for (const folder of folders) {
    const path = relative(ROOT, folder);
    if (path === "") continue;
    cpSync(folder, at(join(APP, path)), { recursive: true, filter: (file) => isUsed(file, folder) });
  }
}

function isUsed(file, folder) {
  const path = `/${relative(ROOT, file)}`;
  // Nested dependencies come as folders of their own, if at all.
  if (file !== folder && path.endsWith("/node_modules")) return false;
  const binary =
    /\/bin\/napi-v\d+\/([^/]+)(?:\/([^/]+))?/.exec(path) ??
    /\/prebuilds\/([a-z0-9]+)-([a-z0-9]+)\.node$/.exec(path);
  if (binary !== null) {
    const [, platform, cpu] = binary;
    if (platform !== process.platform || (cpu !== undefined && cpu !== process.arch)) return false;
  }
  return !UNUSED.some((pattern) => pattern.test(path));
}

function copyApp() {
  copy("dist", `${APP}/dist`);
  copy("package.json", `${APP}/package.json`);
  cpSync(realpathSync(process.execPath), at(`${APP}/bin/node`));
  copyDependencies();
  copy("schemas", "usr/share/sekisho/schemas");
  copy("models", "usr/share/sekisho/models");
  rmSync(join(staging, "usr/share/sekisho/models/recipes"), { recursive: true, force: true });
  copy("thresholds", "usr/share/sekisho/thresholds");
  write("usr/bin/sekisho", readFileSync(join(ROOT, "packaging/sekisho.sh")), 0o755);
}

function copySystem() {
  for (const unit of ["sekisho.service", "sekisho@.service"])
    copy(`systemd/${unit}`, `usr/lib/systemd/system/${unit}`);
  copy("packaging/sysusers.conf", "usr/lib/sysusers.d/sekisho.conf");
  copy("packaging/tmpfiles.conf", "usr/lib/tmpfiles.d/sekisho.conf");
  copy("packaging/sekisho.yaml", "etc/sekisho/sekisho.yaml");
}

/** Completion is printed by the command itself, where each shell looks for it. */
function writeCompletions() {
  const places = {
    bash: "usr/share/bash-completion/completions/sekisho",
    zsh: "usr/share/zsh/vendor-completions/_sekisho",
    fish: "usr/share/fish/vendor_completions.d/sekisho.fish",
  };
  for (const [shell, place] of Object.entries(places))
    write(place, run(process.execPath, join(ROOT, "dist", "main.js"), "completion", shell));
}

function copyDocs() {
  const doc = "usr/share/doc/sekisho";
  for (const file of ["README.md", "README.ja.md"]) copy(file, `${doc}/${file}`);
  copy("SECURITY.md", `${doc}/SECURITY.md`);
  copy("docs", `${doc}/docs`);
  copy("LICENSE", `${doc}/copyright`);
  write(`${doc}/changelog.gz`, gzipSync(readFileSync(join(ROOT, "CHANGELOG.md")), { level: 9 }));
  write(
    "usr/share/man/man1/sekisho.1.gz",
    gzipSync(readFileSync(join(ROOT, "packaging/sekisho.1")), { level: 9 }),
  );
  write(`${doc}/sekisho.cdx.json`, run(process.execPath, "scripts/sbom.mjs", "--with-node"));
  write(`${doc}/node.LICENSE`, nodeLicence());
}

/** Node's licence where its distribution has it; else where to read it. */
function nodeLicence() {
  const beside = join(dirname(realpathSync(process.execPath)), "..", "LICENSE");
  if (existsSync(beside)) return readFileSync(beside);
  return `Node.js ${process.version} is under the MIT licence; its own and its dependencies' texts are in the file LICENSE of that version's source.\n`;
}

function control(installedKiB) {
  return `Package: sekisho
Version: ${version}
Architecture: ${arch}
Maintainer: Sekisho <sekisho@localhost>
Installed-Size: ${installedKiB}
Depends: libc6 (>= 2.31), libgcc-s1, libstdc++6, systemd
Recommends: ca-certificates
Suggests: mosquitto
Section: net
Priority: optional
Description: edge inference gateway with guarded thresholds
 ${description.replace(/(.{1,76})(?: |$)/g, "$1\n ").trimEnd()}
 .
 Licence: ${license}. Brings the Node.js it runs on.
`;
}

try {
  copyApp();
  copySystem();
  writeCompletions();
  copyDocs();
  const kib = Number(run("du", "-sk", staging).split("\t")[0]);
  write("DEBIAN/control", control(kib));
  write("DEBIAN/conffiles", "/etc/sekisho/sekisho.yaml\n");
  for (const script of ["postinst", "prerm", "postrm"]) {
    write(`DEBIAN/${script}`, readFileSync(join(ROOT, "packaging", "debian", script)), 0o755);
  }
  run("chmod", "-R", "u+rwX,go+rX,go-w", staging);
  mkdirSync(resolve(values.out), { recursive: true });
  const file = resolve(values.out, `sekisho_${version}_${arch}.deb`);
  run("dpkg-deb", "--root-owner-group", "-Zxz", "-z6", "--build", staging, file);
  process.stdout.write(`${file}\n`);
} finally {
  rmSync(staging, { recursive: true, force: true });
}
