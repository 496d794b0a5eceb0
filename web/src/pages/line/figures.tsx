/** The four things to see at a glance: how much goes to a person, what waits, the engine, and what is in force. */

import type { StationView } from "../../../../src/http/api-schemas.ts";
import { t } from "../../i18n/index.ts";
import { hrefOf } from "../../route.ts";
import { Card } from "../../ui/card.tsx";
import { State } from "../../ui/state.tsx";
import { duration, grouped, share } from "../../ui/words.ts";
import type { EngineStanding } from "./engines.ts";
import type { Stack } from "./stack.ts";

export interface FiguresProps {
  readonly station: StationView;
  readonly stack: Stack | undefined;
  readonly spanMs: number;
  readonly engines: EngineStanding | undefined;
}

export function Figures({ station, stack, spanMs, engines }: FiguresProps) {
  return (
    <div class="figures-row">
      <ToPerson station={station} stack={stack} spanMs={spanMs} />
      <Waiting station={station} />
      <Engines engines={engines} />
      <Thresholds station={station} />
    </div>
  );
}

function ToPerson({ station, stack, spanMs }: Omit<FiguresProps, "engines">) {
  const span = duration(spanMs);
  const words = t(station.mode === "shadow" ? "line.person.would" : "line.person");
  if (stack === undefined || stack.decided === 0) {
    return (
      <Card class="figure-card">
        <p class="figure">
          <strong>–</strong>
          <span>{words}</span>
          <small>{t("line.nothing", { span })}</small>
        </p>
      </Card>
    );
  }
  return (
    <Card class="figure-card">
      <p class="figure">
        <strong>{share(stack.reviews / stack.decided)}</strong>
        <span>{words}</span>
        <small>{t("line.of", { count: stack.reviews, all: stack.decided, span })}</small>
        {stack.rejects > 0 && <small>{t("line.rejects", { count: stack.rejects })}</small>}
      </p>
    </Card>
  );
}

function Waiting({ station }: Pick<FiguresProps, "station">) {
  const { openReviews, heldReviews, overdueReviews, oldestReviewAt } = station;
  const waiting = openReviews + heldReviews;
  return (
    <Card class="figure-card">
      <p class="figure">
        <strong>{grouped(waiting)}</strong>
        <span>{t("line.open")}</span>
        {waiting === 0 && <small>{t("line.open.none")}</small>}
        {oldestReviewAt !== undefined && waiting > 0 && (
          <small>{t("line.open.oldest", { age: duration(Date.now() - Date.parse(oldestReviewAt)) })}</small>
        )}
      </p>
      {overdueReviews > 0 && <State tone="bad">{t("line.open.overdue", { count: overdueReviews })}</State>}
      {heldReviews > 0 && <p class="hint">{t("line.open.held", { count: heldReviews })}</p>}
      {waiting > 0 && <a href={hrefOf("review")}>{t("line.open.go")}</a>}
    </Card>
  );
}

function Engines({ engines }: Pick<FiguresProps, "engines">) {
  if (engines === undefined) {
    return (
      <Card class="figure-card">
        <h2>{t("line.engine")}</h2>
        <p class="hint">{t("line.engine.unknown")}</p>
      </Card>
    );
  }
  const { up, all, backlog, outbox, trouble } = engines;
  return (
    <Card class="figure-card">
      <h2>{t("line.engine")}</h2>
      <p>
        {trouble === undefined ? (
          <State tone="good">{t("line.engine.ready")}</State>
        ) : (
          <State tone="bad">{t("line.engine.notReady", { why: trouble })}</State>
        )}
      </p>
      <p>
        {up === all ? t("line.engine.up", { count: up }) : t("line.engine.down", { down: all - up, all })}
      </p>
      <p class="hint">{t("line.engine.backlog", { count: backlog })}</p>
      {outbox > 0 && <p class="hint">{t("line.engine.outbox", { count: outbox })}</p>}
    </Card>
  );
}

function Thresholds({ station }: Pick<FiguresProps, "station">) {
  return (
    <Card class="figure-card">
      <h2>{t("line.revision", { revision: station.revision })}</h2>
      <p>
        <State tone={station.mode === "guarded" ? "good" : "neutral"}>{t(`line.mode.${station.mode}`)}</State>
      </p>
      <p class="hint">
        {station.bundle} {station.bundleVersion}
      </p>
      <a href={hrefOf("thresholds", station.station)}>{t("line.toThresholds")}</a>
    </Card>
  );
}
