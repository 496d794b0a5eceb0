/** First start: whoever holds the link that the daemon printed makes the first account. */

import { useState } from "preact/hooks";
import { ApiError } from "../../api.ts";
import { t } from "../../i18n/index.ts";
import { replaceRoute, route } from "../../route.ts";
import { setUp } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { errorInWords } from "../../ui/errors.ts";
import { Field } from "../../ui/field.tsx";
import { Outside } from "../../ui/layout.tsx";
import { Note } from "../../ui/state.tsx";

/** As the users file has it. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** The gateway asks for no fewer. */
const PASSWORD_LENGTH_MIN = 12;

export function SetupPage() {
  const token = route.value.query.get("token");
  return <Outside>{token === null ? <WithoutLink /> : <SetupForm token={token} />}</Outside>;
}

function WithoutLink() {
  return (
    <div class="card entry">
      <h1>{t("setup.title")}</h1>
      <p class="lead">{t("setup.noToken")}</p>
      <p>{t("setup.noToken.hint")}</p>
    </div>
  );
}

function SetupForm({ token }: { readonly token: string }) {
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [isTried, setTried] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<unknown>();
  const problems = problemsOf(user, password, again);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    setTried(true);
    if (Object.values(problems).some((one) => one !== undefined)) return;
    setBusy(true);
    setRefusal(undefined);
    try {
      await setUp(token, user, password);
      replaceRoute("review");
    } catch (error) {
      setRefusal(error);
      setBusy(false);
    }
  }

  return (
    <form class="card entry" onSubmit={submit} noValidate>
      <h1>{t("setup.title")}</h1>
      <p class="lead">{t("setup.lead")}</p>
      {refusal !== undefined && <Note tone="bad">{refusalInWords(refusal)}</Note>}
      <Field
        label={t("setup.user")}
        hint={t("setup.user.hint")}
        problem={isTried ? problems.user : undefined}
        value={user}
        onInput={setUser}
        autocomplete="username"
        hasFocus
      />
      <Field
        label={t("setup.password")}
        type="password"
        hint={t("setup.password.hint", { min: PASSWORD_LENGTH_MIN })}
        problem={isTried ? problems.password : undefined}
        value={password}
        onInput={setPassword}
        autocomplete="new-password"
      />
      <Field
        label={t("setup.again")}
        type="password"
        problem={isTried ? problems.again : undefined}
        value={again}
        onInput={setAgain}
        autocomplete="new-password"
      />
      <Button type="submit" kind="primary" isBusy={isBusy} class="wide">
        {isBusy ? t("setup.busy") : t("setup.submit")}
      </Button>
    </form>
  );
}

function problemsOf(user: string, password: string, again: string) {
  return {
    user: NAME.test(user) ? undefined : t("setup.nameInvalid"),
    password:
      [...password].length >= PASSWORD_LENGTH_MIN
        ? undefined
        : t("setup.tooShort", { min: PASSWORD_LENGTH_MIN }),
    again: password === again ? undefined : t("setup.differ"),
  };
}

function refusalInWords(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  if (error.code === "setup-done") return t("setup.done");
  if (error.code === "wrong-link" || error.code === "link-expired") return t("setup.expired");
  return errorInWords(error);
}
