/** The console: who is let in sees the page that the address names. */

// Before any page: what a page says of its own parts comes last.
import "./style/tokens.css";
import "./style/base.css";
import "./style/controls.css";
import "./style/layout.css";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { listen } from "./events.ts";
import { language, t } from "./i18n/index.ts";
import { LedgerPage } from "./pages/ledger/index.tsx";
import { LinePage } from "./pages/line/index.tsx";
import { ReviewPage } from "./pages/review/index.tsx";
import { SetupPage } from "./pages/setup/index.tsx";
import { SignInPage } from "./pages/sign-in/index.tsx";
import { ThresholdsPage } from "./pages/thresholds/index.tsx";
import { type Page, route } from "./route.ts";
import { gate, lookWhoAsks, type Session } from "./session.ts";
import { Layout, Outside } from "./ui/layout.tsx";
import { Empty, Loading } from "./ui/state.tsx";

const PAGE_OF: Readonly<Record<Page, () => preact.JSX.Element>> = {
  review: ReviewPage,
  line: LinePage,
  thresholds: ThresholdsPage,
  ledger: LedgerPage,
};
const LOOK_AGAIN_MS = 3000;

function Console() {
  const at = gate.value;
  useEffect(() => {
    document.documentElement.lang = language.value;
  }, [language.value]);
  switch (at.kind) {
    case "asking":
      return (
        <Outside>
          <Loading />
        </Outside>
      );
    case "setup":
      return <SetupPage />;
    case "signed-out":
      return <SignInPage />;
    case "signed-in":
      return <Inside session={at.session} />;
    case "shut":
      return (
        <Outside>
          <Empty icon="unusable" title={t("gate.shut")}>
            <p>{t("gate.shut.hint")}</p>
            <p lang="en">{at.message}</p>
          </Empty>
        </Outside>
      );
    case "away":
      return <Away />;
    default:
      return unreachable(at);
  }
}

function Inside({ session }: { readonly session: Session }) {
  const { page } = route.value;
  useEffect(listen, []);
  useEffect(() => {
    document.title = `${t(`${page === "setup" ? "review" : page}.title`)} – Sekisho`;
  }, [page, language.value]);
  const Shown = PAGE_OF[page === "setup" ? "review" : page];
  return (
    <Layout session={session}>
      <Shown />
    </Layout>
  );
}

function Away() {
  useEffect(() => {
    const again = setInterval(() => void lookWhoAsks(), LOOK_AGAIN_MS);
    return () => clearInterval(again);
  }, []);
  return (
    <Outside>
      <Empty icon="unplugged" title={t("gate.away")}>
        <p>{t("gate.away.hint")}</p>
      </Empty>
    </Outside>
  );
}

function unreachable(value: never): never {
  throw new Error(`no such gate: ${JSON.stringify(value)}`);
}

render(<Console />, document.getElementById("console")!);
void lookWhoAsks();
