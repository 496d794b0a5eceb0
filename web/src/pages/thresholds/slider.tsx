/** The slider over lambda: it stops at the points of the coarse grid only, by finger, by its buttons and by keys. */

import { useId } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import { Button } from "../../ui/button.tsx";

export interface SliderProps {
  readonly count: number;
  readonly index: number;
  /** What the point comes to, for who hears the page. */
  readonly text: string;
  readonly onMove: (index: number) => void;
}

export function Slider({ count, index, text, onMove }: SliderProps) {
  const id = useId();
  return (
    <div class="slider">
      <label for={id}>{t("thresholds.slider")}</label>
      <div class="slider-row">
        <Button icon="down" disabled={index <= 0} onClick={() => onMove(index - 1)}>
          {t("thresholds.slider.strict")}
        </Button>
        <input
          id={id}
          type="range"
          min={0}
          max={count - 1}
          step={1}
          value={index}
          aria-valuetext={text}
          onInput={(event) => onMove(Number(event.currentTarget.value))}
        />
        <Button icon="up" disabled={index >= count - 1} onClick={() => onMove(index + 1)}>
          {t("thresholds.slider.loose")}
        </Button>
      </div>
    </div>
  );
}
