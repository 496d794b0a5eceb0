/** Rules and dashboard against a real Prometheus that scrapes a real gateway under load. */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { parse } from "yaml";
import { aGateway, aGatewayFolder, apparelFrames } from "../support/apparel.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";
import { aSensor } from "../support/mqtt.ts";
import { aPrometheus, describeWithPrometheus } from "../support/prometheus.ts";

const FOLDER = fileURLToPath(new URL("../../dashboards", import.meta.url));
const RULES = join(FOLDER, "alerts.yml");

interface Rule {
  readonly alert?: string;
  readonly annotations?: Record<string, string>;
}
const ALERTS = (parse(readFileSync(RULES, "utf8")) as { groups: { rules: Rule[] }[] }).groups
  .flatMap(({ rules }) => rules)
  .filter(({ alert }) => alert !== undefined);

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}
const { panels: PANELS } = JSON.parse(readFileSync(join(FOLDER, "sekisho.json"), "utf8")) as {
  panels: Panel[];
};

/** As Grafana fills them in where everything is chosen. */
const filledIn = (expression: string): string => expression.replace(/\$(job|instance|station)\b/g, ".*");

describeWithPrometheus("the alerts", () => {
  test("are rules that Prometheus takes", () => {
    const checked = spawnSync("promtool", ["check", "rules", "--lint=all", "--lint-fatal", RULES], {
      encoding: "utf8",
    });
    expect(checked.stdout + checked.stderr).toContain("SUCCESS");
    expect(checked.status).toBe(0);
  });

  test("fire where they must and are silent where they must, each of them", () => {
    const file = join(FOLDER, "alerts_test.yml");
    const tested = spawnSync("promtool", ["test", "rules", file], { encoding: "utf8" });
    expect(tested.stdout + tested.stderr).toContain("SUCCESS");
    const { tests } = parse(readFileSync(file, "utf8")) as { tests: { name: string }[] };
    const wanted = ALERTS.flatMap(({ alert }) => [`${alert} fires`, `${alert} is silent`]);
    expect(tests.map(({ name }) => name)).toEqual(wanted);
  });

  test("each has its section in the runbook, and says itself in English and Japanese", () => {
    const sections = readFileSync(join(FOLDER, "../docs/runbook.md"), "utf8").matchAll(/^## (\w+)$/gm);
    expect([...sections].map(([, title]) => title)).toEqual(ALERTS.map(({ alert }) => alert));
    for (const { alert, annotations } of ALERTS) {
      expect(annotations).toMatchObject({
        summary: expect.stringMatching(/[a-z]/),
        summary_ja: expect.stringMatching(/[ぁ-ん]/),
        runbook: `docs/runbook.md#${alert!.toLowerCase()}`,
      });
    }
  });

  describeWithMosquitto("and the dashboard", () => {
    test("every panel shows something of a gateway that works, and every metric named is one that it has", async () => {
      const broker = await aMosquitto();
      onTestFinished(broker.stop);
      const place = aGatewayFolder(broker.url, "auto", {
        thresholds: { auditRate: 0.5, auditDeadlineSeconds: 1 },
        audits: ["teacher: broker", "backlogMax: 100000"],
      });
      const gateway = await aGateway(place);
      onTestFinished(() => void gateway.process.kill("SIGKILL"));
      const prometheus = await aPrometheus(new URL(gateway.httpUrl).host, [RULES]);
      onTestFinished(prometheus.stop);
      const sensor = await aSensor(broker.url);
      const frames = await apparelFrames();
      await sensor.send("apparel/cam-1/frames/short", Buffer.from("short"));
      let sent = 0;
      const send = (): Promise<unknown> =>
        Promise.all(
          frames
            .slice(0, 50)
            .map((frame) => sensor.send(`apparel/cam-1/frames/f${sent++}`, Buffer.from(frame))),
        );

      const silent = async (): Promise<readonly string[]> => {
        await send();
        const empty: string[] = [];
        for (const { title, targets = [] } of PANELS) {
          for (const { expr } of targets) {
            const found = await prometheus.query(filledIn(expr));
            if (!found.some(({ value }) => Number.isFinite(Number(value[1]))))
              empty.push(`${title}: ${expr}`);
          }
        }
        return empty;
      };
      await vi.waitFor(async () => expect(await silent()).toEqual([]), { timeout: 60_000, interval: 500 });
      expect(await prometheus.scrapeError()).toBe("");
    }, 120_000);
  });
});
