/** Sign-in: a name, a password, and what to do where they are refused. */

import { useState } from "preact/hooks";
import { ApiError } from "../../api.ts";
import { t } from "../../i18n/index.ts";
import { signIn } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { errorInWords } from "../../ui/errors.ts";
import { Field } from "../../ui/field.tsx";
import { Outside } from "../../ui/layout.tsx";
import { Note } from "../../ui/state.tsx";

export function SignInPage() {
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<unknown>();

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setRefusal(undefined);
    try {
      await signIn(user, password);
    } catch (error) {
      setRefusal(error);
      setPassword("");
      setBusy(false);
    }
  }

  return (
    <Outside>
      <form class="card entry" onSubmit={submit}>
        <h1>{t("signIn.title")}</h1>
        <p class="lead">{t("signIn.lead")}</p>
        {refusal !== undefined && <Note tone="bad">{refusalInWords(refusal)}</Note>}
        <Field
          label={t("signIn.user")}
          value={user}
          onInput={setUser}
          autocomplete="username"
          isRequired
          hasFocus
        />
        <Field
          label={t("signIn.password")}
          type="password"
          value={password}
          onInput={setPassword}
          autocomplete="current-password"
          isRequired
        />
        <Button type="submit" kind="primary" isBusy={isBusy} class="wide">
          {isBusy ? t("signIn.busy") : t("signIn.submit")}
        </Button>
      </form>
    </Outside>
  );
}

function refusalInWords(error: unknown): string {
  if (error instanceof ApiError && error.code === "wrong-password") return t("signIn.wrong");
  if (error instanceof ApiError && error.code === "too-many-tries")
    return t("signIn.tooMany", { seconds: error.retryAfterSeconds ?? 60 });
  return errorInWords(error);
}
