/** The log of a station's thresholds: each revision with who and why, each refusal with its reasons, and the way back. */

import { useState } from "preact/hooks";
import type { ThresholdsStanding } from "../../../../src/http/thresholds-schemas.ts";
import { get } from "../../api.ts";
import { isKey, t } from "../../i18n/index.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { ForEngineers } from "../../ui/details.tsx";
import { errorInWords } from "../../ui/errors.ts";
import { Note, State } from "../../ui/state.tsx";
import { moment } from "../../ui/words.ts";
import { meansOf } from "./desk.tsx";
import { differences } from "./differences.ts";
import { baseOf, documentOf } from "./model.ts";
import { Rollback } from "./rollback.tsx";

type Entry = ThresholdsStanding["log"][number];

export interface LogProps {
  readonly station: string;
  readonly standing: ThresholdsStanding;
  readonly onTaken: () => void;
}

export function Log({ station, standing, onTaken }: LogProps) {
  const older = useOlder(station, standing);
  const [backTo, setBackTo] = useState<Entry>();
  const entries = [...standing.log, ...older.entries];
  const revisions = entries.filter((one) => one.kind === "revision");
  const mayGoBack = meansOf(standing).kind !== "none";
  return (
    <Card title={t("thresholds.log")} class="log">
      {entries.length === 0 && <p>{t("thresholds.log.none")}</p>}
      <ol class="log-entries">
        {entries.map((entry) => (
          <LogEntry
            key={entry.seq}
            entry={entry}
            before={revisions[revisions.indexOf(entry) + 1]}
            onBack={mayGoBack && isEarlier(entry, standing) ? () => setBackTo(entry) : undefined}
          />
        ))}
      </ol>
      {older.problem !== undefined && <Note tone="bad">{older.problem}</Note>}
      {older.next !== undefined && (
        <Button onClick={() => void older.more()}>{t("thresholds.log.more")}</Button>
      )}
      <ForEngineers>
        <p>{t("thresholds.log.verify")}</p>
        <pre class="record">sekisho thresholds log {station} --verify</pre>
      </ForEngineers>
      {backTo !== undefined && (
        <Rollback
          station={station}
          standing={standing}
          to={documentOf(backTo)!}
          onTaken={onTaken}
          onClose={() => setBackTo(undefined)}
        />
      )}
    </Card>
  );
}

/** An earlier revision for the envelope that judges now. */
function isEarlier({ kind, document }: Entry, standing: ThresholdsStanding): boolean {
  const base = baseOf(standing);
  const said = document as { revision?: number; envelope?: string } | undefined;
  return kind === "revision" && said?.envelope === standing.envelope && said.revision !== base?.revision;
}

function LogEntry({
  entry,
  before,
  onBack,
}: {
  readonly entry: Entry;
  readonly before: Entry | undefined;
  readonly onBack: (() => void) | undefined;
}) {
  const { kind, revision, at, persons, certified, reasons, via } = entry;
  const document = documentOf(entry);
  const earlier = before && documentOf(before);
  return (
    <li class={`log-entry ${kind}`}>
      <p class="log-head">
        <State tone={kind === "refused" ? "bad" : certified === false ? "warn" : "good"}>
          {t(`thresholds.log.kind.${kind}`, { revision: revision ?? "" })}
        </State>
        <time dateTime={at}>{moment(at)}</time>
        {persons !== undefined && persons.length > 0 && (
          <span>{t("thresholds.log.by", { persons: persons.join(", ") })}</span>
        )}
        <span class="hint">{viaText(via)}</span>
        {document?.rollbackOf !== undefined && (
          <span>{t("thresholds.log.rollbackOf", { revision: document.rollbackOf })}</span>
        )}
        {certified === false && <span>{t("thresholds.log.uncertified")}</span>}
      </p>
      {document !== undefined && <p>{document.why}</p>}
      {kind === "revision" && document !== undefined && earlier !== undefined && (
        <ul class="reasons">
          {differences(earlier, document).map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
      {kind === "refused" && (
        <ul class="reasons" lang="en">
          {(reasons ?? []).map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
      {onBack !== undefined && (
        <Button icon="undo" onClick={onBack}>
          {t("thresholds.log.rollback")}
        </Button>
      )}
    </li>
  );
}

function viaText(via: string | undefined): string {
  const key = `thresholds.log.via.${via}`;
  return isKey(key) ? t(key) : (via ?? "");
}

/** Pages of the log behind the first. They do not change; with another first page they are asked for anew. */
function useOlder(station: string, { log, next }: ThresholdsStanding) {
  const newest = log[0]?.seq;
  const [kept, setKept] = useState<{
    newest: number | undefined;
    entries: readonly Entry[];
    next: number | undefined;
  }>();
  const [problem, setProblem] = useState<string>();
  const current = kept?.newest === newest ? kept : undefined;
  const from = current === undefined ? next : current.next;
  async function more(): Promise<void> {
    try {
      const path = `/stations/${encodeURIComponent(station)}/thresholds?before=${from}`;
      const page = await get<ThresholdsStanding>(path);
      setKept({ newest, entries: [...(current?.entries ?? []), ...page.log], next: page.next });
      setProblem(undefined);
    } catch (error) {
      setProblem(errorInWords(error));
    }
  }
  return { entries: current?.entries ?? [], next: from, problem, more };
}
