import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { Encoding, FrameSpec, Preprocessing } from "../../src/core/frame.ts";
import { decode } from "../../src/engine/decode.ts";

const PREPROCESSING: Preprocessing = { resize: "none", layout: "CHW", scale: 1, mean: [0], std: [1] };
const FILL: Preprocessing = { ...PREPROCESSING, resize: "fill" };
const GREY: FrameSpec = { kind: "image", height: 2, width: 4, channels: 1 };
const RGB: FrameSpec = { kind: "image", height: 2, width: 2, channels: 3 };
const U8: FrameSpec = { kind: "tensor", type: "u8", shape: [4] };
const I16: FrameSpec = { kind: "tensor", type: "i16", shape: [3] };
const F32: FrameSpec = { kind: "tensor", type: "f32", shape: [2, 2] };
const GREY_PIXELS = Uint8Array.of(0, 1, 50, 100, 150, 200, 254, 255);
const RGB_PIXELS = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9);

/** Values as plain numbers, or the reject reason. */
async function decoded(
  encoding: Encoding,
  payload: Uint8Array | string,
  spec: FrameSpec,
  preprocessing = PREPROCESSING,
): Promise<number[] | string> {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const result = await decode({ encoding, payload: bytes }, spec, preprocessing);
  return result.kind === "values" ? [...result.values] : result.reason;
}

/** What becomes of a JSON frame of four numbers, and what it says beside them. */
async function decodedMembers(document: string): Promise<unknown[]> {
  const payload = new TextEncoder().encode(document);
  const result = await decode({ encoding: "json", payload }, F32, PREPROCESSING);
  return [result.kind === "values" ? "values" : result.reason, result.members];
}

const bytesOf = (values: Int16Array | Float32Array): Uint8Array =>
  new Uint8Array(values.buffer.slice(0) as ArrayBuffer);

describe("a raw frame", () => {
  test("is its bytes as the element type reads them", async () => {
    expect(await decoded("raw", Uint8Array.of(0, 1, 2, 255), U8)).toEqual([0, 1, 2, 255]);
    expect(await decoded("raw", bytesOf(Int16Array.of(-32768, 0, 32767)), I16)).toEqual([-32768, 0, 32767]);
    expect(await decoded("raw", bytesOf(Float32Array.of(-1.5, 0, 2, 3e38)), F32)).toEqual([
      -1.5,
      0,
      2,
      Math.fround(3e38),
    ]);
    expect(await decoded("raw", GREY_PIXELS, GREY)).toEqual([...GREY_PIXELS]);
  });

  test("is little-endian and may begin anywhere in memory", async () => {
    const memory = new Uint8Array(32);
    memory.set([0, 0, 0x80, 0xbf], 5);
    memory.set([0, 0, 0, 0x40], 9);
    expect(await decoded("raw", memory.subarray(5, 21), F32)).toEqual([-1, 2, 0, 0]);
    memory.set([0xff, 0x7f], 21);
    expect(await decoded("raw", memory.subarray(21, 27), I16)).toEqual([32767, 0, 0]);
  });

  test.each([
    ["too-short", U8, 3],
    ["too-long", U8, 5],
    ["too-short", U8, 0],
    ["too-short", I16, 5],
    ["too-long", I16, 7],
    ["too-short", F32, 15],
    ["too-long", F32, 17],
    ["too-short", RGB, 11],
  ] as const)("is %s as %o in %i bytes", async (reason, spec, length) => {
    expect(await decoded("raw", new Uint8Array(length), spec)).toBe(reason);
  });

  test.each([Number.NaN, Infinity, -Infinity])("with %d is not finite, wherever it stands", async (bad) => {
    for (const length of [1, 4, 7]) {
      const spec: FrameSpec = { kind: "tensor", type: "f32", shape: [length] };
      expect(await decoded("raw", bytesOf(new Float32Array(length)), spec)).not.toBe("not-finite");
      for (let at = 0; at < length; at++) {
        const values = new Float32Array(length).fill(1);
        values[at] = bad;
        expect(await decoded("raw", bytesOf(values), spec)).toBe("not-finite");
      }
    }
  });
});

describe("a JSON frame", () => {
  test("is its values, flat or nested, whatever else the document says", async () => {
    expect(await decoded("json", '{"values": [1, 2, 3.5, 4]}', F32)).toEqual([1, 2, 3.5, 4]);
    expect(await decoded("json", '{"id": "a", "values": [[1, 2], [[3], 4]], "part": 7}', F32)).toEqual([
      1, 2, 3, 4,
    ]);
    expect(await decoded("json", '\ufeff{"values": [0, 1, 2, 255]}', U8)).toEqual([0, 1, 2, 255]);
    expect(await decoded("json", '{"values": [0, 0, 0, 0, 0, 0, 0, 12.5]}', GREY)).toEqual([
      0, 0, 0, 0, 0, 0, 0, 12.5,
    ]);
  });

  test.each([
    ["too-short", '{"values": [1, 2, 3]}'],
    ["too-short", '{"values": []}'],
    ["too-long", '{"values": [1, 2, 3, 4, 5]}'],
    ["not-finite", '{"values": [1, 2, 3, 1e999]}'],
    ["not-finite", '{"values": [1, 2, 3, -1e39]}'],
    ["too-short", '{"values": [1e999]}'],
    ["invalid-json", '{"values": [1, 2, 3, null]}'],
    ["invalid-json", '{"values": [1, 2, 3, "4"]}'],
    ["invalid-json", '{"values": [1, 2, 3, {}]}'],
    ["invalid-json", '{"values": [1, 2, 3, true]}'],
    ["invalid-json", '{"values": [1, 2, 3, NaN]}'],
    ["invalid-json", '{"values": {"0": 1, "length": 1}}'],
    ["invalid-json", '{"values": "1234"}'],
    ["invalid-json", '{"value": [1, 2, 3, 4]}'],
    ["invalid-json", "[1, 2, 3, 4]"],
    ["invalid-json", "null"],
    ["invalid-json", "5"],
    ["invalid-json", ""],
    ["invalid-json", '{"values": [1, 2, 3, 4]'],
    ["invalid-json", `{"values": ${"[".repeat(9)}1, 2, 3, 4${"]".repeat(9)}}`],
    ["invalid-json", `{"values": ${"[".repeat(200_000)}${"]".repeat(200_000)}}`],
  ])("is %s as %s", async (reason, document) => {
    expect(await decoded("json", document, F32)).toBe(reason);
  });

  test.each([
    ['"id": "a", "part": "p", "partCount": 2', { id: "a", part: "p", partCount: 2 }],
    ['"id": 17, "part": -3', { id: "17", part: "-3" }],
    ['"id": null, "part": null, "partCount": null', undefined],
    ['"partCount": 1', { partCount: 1 }],
  ])("says of itself what stands beside its values: %s", async (text, members) => {
    const [good, bad] = [`{${text}, "values": [1, 2, 3, 4]}`, `{${text}, "values": [1, 2, 3]}`];
    expect(await decodedMembers(good)).toEqual(["values", members]);
    expect(await decodedMembers(bad)).toEqual(["too-short", members]);
  });

  test.each([
    ['"id": ""', undefined],
    ['"id": "a\\n", "part": "p"', { part: "p" }],
    ['"id": 1.5', undefined],
    ['"id": {}', undefined],
    [`"id": "a", "part": "${"x".repeat(129)}"`, { id: "a" }],
    ['"part": ["p"]', undefined],
    ['"part": "p", "partCount": 0', { part: "p" }],
    ['"part": "p", "partCount": "2"', { part: "p" }],
    ['"part": "p", "partCount": 1e999', { part: "p" }],
    ['"part": "p", "partCount": false', { part: "p" }],
  ])("is invalid where an id or a count is none, and still says the rest: %s", async (text, members) => {
    expect(await decodedMembers(`{${text}, "values": [1, 2, 3, 4]}`)).toEqual(["invalid-json", members]);
  });

  test("may nest eight arrays deep", async () => {
    expect(await decoded("json", `{"values": ${"[".repeat(8)}1, 2, 3, 4${"]".repeat(8)}}`, F32)).toEqual([
      1, 2, 3, 4,
    ]);
  });

  test("has only numbers that its element type has room for", async () => {
    expect(await decoded("json", '{"values": [0, 0, 0, 256]}', U8)).toBe("invalid-json");
    expect(await decoded("json", '{"values": [0, 0, 0, -1]}', U8)).toBe("invalid-json");
    expect(await decoded("json", '{"values": [0, 0, 32768]}', I16)).toBe("invalid-json");
    expect(await decoded("json", '{"values": [0, 0, -32768]}', I16)).toEqual([0, 0, -32768]);
  });

  test("that is no UTF-8 is invalid", async () => {
    const bytes = new TextEncoder().encode('{"values": [1, 2, 3, 4], "x": "?"}');
    bytes[bytes.indexOf(63)] = 0xff;
    expect(await decoded("json", bytes, F32)).toBe("invalid-json");
  });
});

type Raw = { width: number; height: number; channels: 1 | 2 | 3 | 4 };
const image = (pixels: Uint8Array, raw: Raw) =>
  sharp(pixels, { raw }).toColourspace(raw.channels < 3 ? "b-w" : "srgb");
const greyPng = (): Promise<Buffer> =>
  image(GREY_PIXELS, { width: 4, height: 2, channels: 1 }).png().toBuffer();
const rgbPng = (): Promise<Buffer> =>
  image(RGB_PIXELS, { width: 2, height: 2, channels: 3 }).png().toBuffer();

describe("an encoded image", () => {
  test("keeps its pixels exactly", async () => {
    expect(await decoded("png", await greyPng(), GREY)).toEqual([...GREY_PIXELS]);
    expect(await decoded("png", await rgbPng(), RGB)).toEqual([...RGB_PIXELS]);
  });

  test("keeps every grey level, also by way of rgb", async () => {
    const levels = Uint8Array.from({ length: 256 }, (_, i) => i);
    const spec: FrameSpec = { kind: "image", height: 16, width: 16, channels: 1 };
    const size = { width: 16, height: 16 };
    expect(
      await decoded(
        "png",
        await image(levels, { ...size, channels: 1 })
          .png()
          .toBuffer(),
        spec,
      ),
    ).toEqual([...levels]);
    const rgb = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
    expect(
      await decoded(
        "png",
        await image(rgb, { ...size, channels: 3 })
          .png()
          .toBuffer(),
        spec,
      ),
    ).toEqual([...levels]);
  });

  test("changes its channels to the spec's", async () => {
    const asRgb = await decoded("png", await greyPng(), { ...GREY, channels: 3 } as FrameSpec);
    expect(asRgb).toEqual([...GREY_PIXELS].flatMap((pixel) => [pixel, pixel, pixel]));
    expect(await decoded("png", await rgbPng(), { ...RGB, channels: 1 } as FrameSpec)).toEqual([
      76, 150, 29, 9,
    ]);
  });

  test("is flattened on black", async () => {
    const pixels = Uint8Array.of(255, 0, 0, 128, 0, 255, 0, 0, 1, 2, 3, 255, 9, 9, 9, 255);
    const png = await image(pixels, { width: 2, height: 2, channels: 4 }).png().toBuffer();
    expect(await decoded("png", png, RGB)).toEqual([128, 0, 0, 0, 0, 0, 1, 2, 3, 9, 9, 9]);
    const greyAlpha = Uint8Array.of(255, 128, 100, 255, 3, 0, 9, 255);
    const grey = await image(greyAlpha, { width: 2, height: 2, channels: 2 }).png().toBuffer();
    expect(await decoded("png", grey, { ...RGB, channels: 1 } as FrameSpec)).toEqual([128, 100, 0, 9]);
  });

  test("may be a JPEG, near enough, grey or colour", async () => {
    const flat = new Uint8Array(64 * 3).fill(120);
    const size = { width: 8, height: 8 };
    const spec: FrameSpec = { kind: "image", height: 8, width: 8, channels: 3 };
    const colour = await image(flat, { ...size, channels: 3 })
      .jpeg()
      .toBuffer();
    const grey = await image(flat.subarray(0, 64), { ...size, channels: 1 })
      .jpeg({ progressive: true })
      .toBuffer();
    for (const jpeg of [colour, grey]) {
      const values = (await decoded("jpeg", jpeg, spec)) as number[];
      expect(values).toHaveLength(192);
      expect(values.every((value) => Math.abs(value - 120) <= 2)).toBe(true);
    }
  });

  test("of another size is of the wrong shape, or resized where the bundle says so", async () => {
    const small: FrameSpec = { kind: "image", height: 1, width: 1, channels: 1 };
    expect(await decoded("png", await greyPng(), small)).toBe("wrong-shape");
    expect(await decoded("png", await greyPng(), small, FILL)).toEqual([expect.any(Number)]);
    const wide: FrameSpec = { kind: "image", height: 3, width: 9, channels: 3 };
    expect(await decoded("png", await greyPng(), wide, FILL)).toHaveLength(81);
  });

  test("of more pixels than are decoded is too large", async () => {
    const bomb = Buffer.from(await greyPng());
    bomb.writeUInt32BE(100_000, 16);
    bomb.writeUInt32BE(100_000, 20);
    expect(await decoded("png", bomb, GREY, FILL)).toBe("too-large");
    expect(await decoded("png", bomb, GREY)).toBe("wrong-shape");
  });

  test("is none where its bytes are of another kind, cut, or spoilt", async () => {
    const png = await greyPng();
    const jpeg = await image(RGB_PIXELS, { width: 2, height: 2, channels: 3 }).jpeg().toBuffer();
    const gif = await image(RGB_PIXELS, { width: 2, height: 2, channels: 3 }).gif().toBuffer();
    const spoilt = Buffer.from(png);
    spoilt.fill(0xaa, 45, 55);
    const cases: [Encoding, Uint8Array][] = [
      ["png", jpeg],
      ["jpeg", png],
      ["png", gif],
      ["png", new Uint8Array(0)],
      ["jpeg", new Uint8Array(0)],
      ["png", new TextEncoder().encode("<svg xmlns='http://www.w3.org/2000/svg'/>".padEnd(64))],
      ["png", png.subarray(0, png.length - 20)],
      ["png", png.subarray(0, 33)],
      ["jpeg", Uint8Array.of(0xff, 0xd8, 0xff, 0xd9)],
      ["jpeg", Uint8Array.of(0xff, 0xd8, 0xff, 0xff, 0xff, 0xff, 0xff)],
      ["png", spoilt],
    ];
    const spec: FrameSpec = { ...RGB, width: 4, channels: 1 } as FrameSpec;
    for (const [encoding, payload] of cases)
      expect(await decoded(encoding, payload, spec)).toBe("not-an-image");
    const cutJpeg = await image(
      new Uint8Array(3 * 64 * 64).map((_, i) => i * 7919),
      {
        width: 64,
        height: 64,
        channels: 3,
      },
    )
      .jpeg()
      .toBuffer();
    const square: FrameSpec = { kind: "image", height: 64, width: 64, channels: 3 };
    expect(await decoded("jpeg", cutJpeg, square)).toHaveLength(3 * 64 * 64);
    expect(await decoded("jpeg", cutJpeg.subarray(0, cutJpeg.length / 2), square)).toBe("not-an-image");
  });

  test("cannot be a tensor frame", async () => {
    expect(await decoded("png", await greyPng(), U8)).toBe("wrong-shape");
  });
});

test("no payload makes decoding throw", { timeout: 30_000 }, async () => {
  const specs = [GREY, RGB, U8, I16, F32];
  const encodings: Encoding[] = ["raw", "json", "png", "jpeg"];
  const starts = [
    new Uint8Array(0),
    (await greyPng()).subarray(0, 60),
    Buffer.from('{"values":['),
    Uint8Array.of(255, 216, 255),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...starts),
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(...encodings),
      fc.constantFrom(...specs),
      fc.constantFrom(PREPROCESSING, FILL),
      async (start, rest, encoding, spec, preprocessing) => {
        await decoded(encoding, Buffer.concat([start, rest]), spec, preprocessing);
      },
    ),
    { numRuns: 300 },
  );
});
