/** The Debian package on an empty box, by what docs/install.md says. Minutes long: `npm run test:package`. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aContainer, type Container, containerProblem } from "../support/container.ts";

const WANTED = process.env.SEKISHO_PACKAGE === "1";
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The page's commands, under the heading that each stands under. */
function blocksOf(page: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const section of readFileSync(page, "utf8").split(/^## /m).slice(1)) {
    const heading = section.slice(0, section.indexOf("\n"));
    const blocks = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1]!);
    if (blocks.length > 0) found.set(heading, blocks);
  }
  return found;
}

const PAGE = blocksOf(join(ROOT, "docs/install.md"));

describe.runIf(WANTED)("the package, from docs/install.md alone", () => {
  let box: Container;
  let folder: string;

  /** Runs what stands under a heading; each block by a shell of its own. */
  function follow(heading: string): string {
    return PAGE.get(heading)!
      .map((block) => {
        const { status, output } = box.sh(block);
        expect(status, `${block}\n${output}`).toBe(0);
        return output;
      })
      .join("");
  }

  beforeAll(async () => {
    const problem = containerProblem();
    if (problem !== undefined) throw new Error(problem);
    folder = mkdtempSync(join(tmpdir(), "sekisho-deb-"));
    const made = execFileSync(process.execPath, ["scripts/package.mjs", "--out", folder], {
      cwd: ROOT,
      encoding: "utf8",
    });
    box = await aContainer();
    box.bring(made.trim());
  }, 600_000);
  afterAll(async () => {
    await box?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  test("the page has the sections that are tried here, and no other commands", () => {
    expect([...PAGE.keys()]).toEqual([
      "Install",
      "Certificates",
      "The broker",
      "The gateway",
      "A first frame",
      "See it on your Prometheus",
      "Update, and remove",
    ]);
  });

  test("installs where there is no compiler and no Node", () => {
    expect(box.sh("which cc gcc g++ make node npm python3 || true").output).toBe("");
    expect(follow("Install")).toMatch(/^\d+\.\d+\.\d+$/m);
    expect(box.sh("systemctl is-active sekisho || true").output.trim()).toBe("inactive");
  });

  test("brings its bill of materials, its terms of security and the schema that the example names", () => {
    const { output } = box.sh("cat /usr/share/doc/sekisho/sekisho.cdx.json");
    const bill = JSON.parse(output) as { bomFormat: string; components: readonly { purl?: string }[] };
    expect(bill.bomFormat).toBe("CycloneDX");
    // What is in it is held by bill-of-materials.test.ts; the Node is this package's own.
    const node = box.sh("/usr/lib/sekisho/bin/node --version").output.trim().slice(1);
    expect(bill.components.map(({ purl }) => purl)).toContain(`pkg:generic/node@${node}`);
    const { status } = box.sh(`test -s /usr/share/doc/sekisho/SECURITY.md
      test -s $(sed -n 's/^# yaml-language-server: \\$schema=//p' /etc/sekisho/sekisho.yaml)`);
    expect(status).toBe(0);
  });

  test("comes up on a broker with TLS, client certificates and an access list", () => {
    follow("Certificates");
    follow("The broker");
    const output = follow("The gateway");
    expect(output).toContain("is fit to run");
    expect(output).toContain('Status: "judging frames"');
  });

  test("decides on a first frame", () => {
    const decision = JSON.parse(follow("A first frame").trim().split("\n").at(-1)!) as Record<
      string,
      unknown
    >;
    expect(decision).toMatchObject({
      frame: "first",
      source: "cam-1",
      station: "apparel",
      decision: "review",
    });
    expect(follow("See it on your Prometheus")).toContain("sekisho_frames_total");
  });

  test("is alone with its state: no other file to write, no secret for others to read", () => {
    const { output } = box.sh(`pid=$(systemctl show -P MainPID sekisho)
      nsenter -t $pid -m ls -l /run/credentials/sekisho.service/ ; stat -c '%U %a' /etc/sekisho/credentials
      grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/$pid/status; stat -c %U /proc/$pid`);
    expect(output).toContain("secret_gateway.key");
    expect(output).toContain("root 700");
    expect(output).toMatch(/CapEff:\s+0000000000000000/);
    expect(output).toMatch(/NoNewPrivs:\s+1/);
    expect(output).toMatch(/Seccomp:\s+2/);
    expect(output.trim().endsWith("sekisho")).toBe(true);
  });

  const shown = (property: string): string => box.sh(`systemctl show -P ${property} sekisho`).output.trim();
  const untilActive =
    "for i in $(seq 60); do systemctl is-active -q sekisho && exit 0; sleep 0.5; done; exit 1";

  test("a port that is taken is tried six times a minute, and no more is needed once it is free", () => {
    expect(shown("RestartUSec")).toBe("10s");
    // The broker's program, as another that listens there.
    box.sh(
      "systemctl stop sekisho; systemd-run --quiet --unit=rival mosquitto -p 8477; systemctl start --no-block sekisho; sleep 35",
    );
    expect(shown("ActiveState")).toBe("activating");
    const restarts = Number(shown("NRestarts"));
    expect(restarts).toBeGreaterThanOrEqual(2);
    expect(restarts).toBeLessThanOrEqual(3);
    const told =
      "journalctl -u sekisho --no-pager -o cat --since -40s | grep -c 'is taken by another program'";
    expect(Number(box.sh(told).output)).toBeLessThanOrEqual(restarts + 1);
    expect(box.sh(`systemctl stop rival; ${untilActive}`).status).toBe(0);
  });

  const untilJudging =
    "for i in $(seq 100); do systemctl show -P StatusText sekisho | grep -q 'judging frames' && exit 0; sleep 0.5; done; exit 1";

  test("a configuration that is wrong in itself is shown and not tried again, and needs no restart once right", () => {
    box.sh("sed -i '1i gatewy: x' /etc/sekisho/sekisho.yaml; systemctl restart sekisho");
    const stands = () => ["ActiveState", "MainPID", "NRestarts"].map(shown);
    const before = stands();
    expect(before[0]).toBe("active");
    box.sh("sleep 12");
    expect(stands()).toEqual(before);
    const { output } = box.sh("systemctl status sekisho --no-pager || true");
    expect(output).toContain("the configuration is wrong");
    expect(output).toContain('sekisho.yaml:1:1: unknown key "gatewy"; did you mean "gateway"?');
    expect(box.sh(`sed -i 1d /etc/sekisho/sekisho.yaml; ${untilJudging}`).status).toBe(0);
    expect(stands()).toEqual(before);
  });

  test("a broker that goes and comes is told of, and needs no restart", () => {
    box.sh("systemctl stop mosquitto");
    const waits = `for i in $(seq 60); do systemctl show -P StatusText sekisho | grep -q 'not connected to the broker' && exit 0; sleep 0.5; done; exit 1`;
    expect(box.sh(waits).status).toBe(0);
    const before = shown("MainPID");
    box.sh("systemctl start mosquitto");
    expect(box.sh(untilJudging).status).toBe(0);
    expect(shown("MainPID")).toBe(before);
  });

  test("a gateway that hangs is ended by the watchdog and comes back", () => {
    const { status, output } = box.sh(`mkdir -p /run/systemd/system/sekisho.service.d
      printf '[Service]\\nWatchdogSec=3\\nRestartSec=1\\n' > /run/systemd/system/sekisho.service.d/quick.conf
      systemctl daemon-reload; systemctl restart sekisho
      before=$(systemctl show -P MainPID sekisho)
      kill -STOP $before
      for i in $(seq 60); do
        now=$(systemctl show -P MainPID sekisho)
        if [ "$now" != 0 ] && [ "$now" != "$before" ] && systemctl is-active -q sekisho; then echo "came back"; break; fi
        sleep 0.5
      done
      journalctl -u sekisho --no-pager | grep -c 'Watchdog timeout'`);
    expect(status, output).toBe(0);
    expect(output).toContain("came back");
  });

  test("an update goes on with the ledger of before; removing keeps it, purging does not", () => {
    const rows =
      "curl -sf http://127.0.0.1:8477/healthz >/dev/null; stat -c %s /var/lib/sekisho/sekisho.ledger";
    expect(Number(box.sh(rows).output)).toBeGreaterThan(0);
    const session = "journalctl -u sekisho --no-pager -o cat | grep -o '\"session\":[0-9]*' | tail -1";
    const before = box.sh(session).output;
    const [update, remove] = PAGE.get("Update, and remove")![0]!.trim().split("\n");
    expect(box.sh(update!).status).toBe(0);
    expect(
      box.sh("for i in $(seq 40); do systemctl is-active -q sekisho && exit 0; sleep 0.5; done; exit 1")
        .status,
    ).toBe(0);
    // One more session of the same ledger: it was found, and not begun anew.
    expect(Number(box.sh(session).output.split(":")[1])).toBeGreaterThan(Number(before.split(":")[1]));
    expect(box.sh("journalctl -u sekisho --no-pager -o cat | grep -c 'DAMAGED' || true").output.trim()).toBe(
      "0",
    );

    expect(box.sh(remove!).status).toBe(0);
    expect(
      box.sh("systemctl is-active sekisho || true; ls /var/lib/sekisho /usr/lib/sekisho 2>&1 || true").output,
    ).toMatch(/inactive.*cannot access '\/usr\/lib\/sekisho'.*sekisho\.ledger/s);
    expect(box.sh("apt-get purge -y sekisho; ls /var/lib/sekisho /etc/sekisho || true").output).toMatch(
      /cannot access '\/var\/lib\/sekisho'.*cannot access '\/etc\/sekisho'/s,
    );
  });
});
