/** The first start as an operator meets it: a gateway that knows nobody prints a link, which makes the first user. */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { aGateway, aGatewayFolder } from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";

const PASSWORD = "correct horse battery";

describeWithMosquitto("a gateway that nobody may use yet", () => {
  test("prints a link on standard error and in no log, and prints none once there is a user", async () => {
    const broker = await aMosquitto();
    const place = aGatewayFolder(broker.url);
    const usersFile = join(place.folder, "users.json");
    const first = await aGateway(place);
    const [, token] = await first.shows(/\/#\/setup\?token=([A-Za-z0-9_-]{43})\n/);
    const post = (path: string, body: object): Promise<Response> =>
      fetch(`${first.httpUrl}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    expect((await post("/api/setup", { token, user: "hanako", password: PASSWORD })).status).toBe(200);
    expect(statSync(usersFile).mode & 0o777).toBe(0o600);
    expect((await post("/api/login", { user: "hanako", password: PASSWORD })).status).toBe(200);
    expect((await post("/api/setup", { token, user: "eve", password: PASSWORD })).status).toBe(409);
    const { status, stdout, stderr } = await first.stop();
    expect(status, stderr).toBe(0);
    expect(stdout).not.toContain(token);
    expect(stdout).toContain("the first user was made");

    // Commands find the same file without being told.
    const listed = await sekisho(["users", "list", "--config", place.config]);
    expect(listed.stdout).toMatch(/hanako +engineer/);
    expect(readFileSync(usersFile, "utf8")).toContain("scrypt$");

    const second = await aGateway(place);
    expect((await second.stop()).stderr).not.toContain("setup");
    await broker.stop();
  });
});
