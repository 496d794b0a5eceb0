/** What is around every page: where one can go, whether the gateway is there, in which language, and who one is. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { connection } from "../events.ts";
import { type Language, language, speak, t } from "../i18n/index.ts";
import { hrefOf, PAGES, route } from "../route.ts";
import { type Session, signOut } from "../session.ts";
import { errorInWords } from "./errors.ts";
import { Icon, Mark } from "./icon.tsx";
import { Notices } from "./notices.tsx";
import { Note } from "./state.tsx";

export function Layout({
  session,
  children,
}: {
  readonly session: Session;
  readonly children: ComponentChildren;
}) {
  return (
    <div class="layout">
      <button type="button" class="skip button" onClick={() => document.getElementById("page")?.focus()}>
        {t("nav.skip")}
      </button>
      <header class="bar">
        <Brand />
        <nav class="tabs" aria-label={t("nav.label")}>
          {PAGES.map((page) => (
            <a key={page} href={hrefOf(page)} aria-current={route.value.page === page ? "page" : undefined}>
              <Icon name={page} />
              <span>{t(`${page}.title`)}</span>
            </a>
          ))}
        </nav>
        <div class="bar-end">
          <ConnectionState />
          <LanguageSwitch />
          <UserMenu session={session} />
        </div>
      </header>
      {connection.value === "lost" && (
        <div class="banner">
          <Note tone="warn">{t("connection.lost.long")}</Note>
        </div>
      )}
      <main id="page" tabIndex={-1}>
        {children}
      </main>
      <Notices />
    </div>
  );
}

export function Brand() {
  return (
    <div class="brand">
      <Mark />
      <span class="brand-name">Sekisho</span>
    </div>
  );
}

function ConnectionState() {
  const at = connection.value;
  return (
    <span class={`connection ${at}`} role="status">
      <Icon name={at === "lost" ? "unplugged" : "plug"} />
      <span>{t(`connection.${at}`)}</span>
    </span>
  );
}

const NAMES: Readonly<Record<Language, string>> = { ja: "日本語", en: "English" };

export function LanguageSwitch() {
  return (
    <fieldset class="languages">
      <legend class="unseen">{t("language.label")}</legend>
      {(["ja", "en"] as const).map((one) => (
        <button
          key={one}
          type="button"
          lang={one}
          aria-pressed={language.value === one}
          onClick={() => speak(one)}
        >
          {NAMES[one]}
        </button>
      ))}
    </fieldset>
  );
}

function UserMenu({ session }: { readonly session: Session }) {
  const [problem, setProblem] = useState<string>();
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => closeFromOutside(menu.current!), []);
  return (
    <details ref={menu} class="menu">
      <summary aria-label={t("user.menu", { name: session.name })}>
        <Icon name="user" />
        <span class="menu-name">{session.name}</span>
      </summary>
      <div class="menu-body">
        <p class="menu-who">{session.name}</p>
        <p class="menu-role">{t(`user.role.${session.role}`)}</p>
        {problem !== undefined && <Note tone="bad">{problem}</Note>}
        <button
          type="button"
          class="button plain"
          onClick={() => signOut().catch((error: unknown) => setProblem(errorInWords(error)))}
        >
          <Icon name="exit" />
          <span class="button-text">{t("user.signOut")}</span>
        </button>
      </div>
    </details>
  );
}

/** Escape closes it, and a touch anywhere else. @returns to be called when it is gone */
function closeFromOutside(menu: HTMLDetailsElement): () => void {
  const touch = (event: Event): void => {
    if (!menu.contains(event.target as Node)) menu.open = false;
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === "Escape") menu.open = false;
  };
  document.addEventListener("pointerdown", touch);
  document.addEventListener("keydown", press);
  return () => {
    document.removeEventListener("pointerdown", touch);
    document.removeEventListener("keydown", press);
  };
}

/** The frame of a page for one who is not signed in. */
export function Outside({ children }: { readonly children: ComponentChildren }) {
  return (
    <div class="outside">
      <header class="bar">
        <Brand />
        <div class="bar-end">
          <LanguageSwitch />
        </div>
      </header>
      <main>{children}</main>
    </div>
  );
}
