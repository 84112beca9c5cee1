"""A command as a model: what it is given, and when its text is complete."""

from __future__ import annotations

from llmstream.adapters.command import Command
from llmstream.events import Finish, TextDelta
from llmstream.prompt import Attachment, Endpoint, Message, Options, Prompt
from llmstream.wire.message import WireMessage

ENDPOINT = Endpoint("p", "m", "")


def test_a_prompts_messages_are_one_text_and_what_is_left_out_is_said() -> None:
    messages = (Message("system", "be brief"), Message("user", "hi", (Attachment("image/png", b"x"),)))
    options = Options(temperature=0.5, extra={"top_a": 1})
    made = Command("ollama").request(Prompt(messages), options, ENDPOINT, stream=True)
    assert (made.method, made.url, made.framing) == ("EXEC", "exec://ollama", "text")
    assert made.body == b"be brief\n\nhi"
    assert len(made.notices) == 3


def test_bytes_of_a_badly_encoded_command_line_go_on_as_they_were() -> None:
    for text, sent in (("a\udcffb", b"a\xffb"), ("a\ud83db", b"a?b")):
        prompt = Prompt((Message("user", text),))
        assert Command().request(prompt, Options(), ENDPOINT, stream=True).body == sent


def test_a_text_is_complete_at_its_end_only() -> None:
    reader = Command().reader()
    assert reader.read(WireMessage("", "hi")) == [TextDelta("hi")]
    assert not reader.finished
    assert reader.read(WireMessage("end", "!")) == [TextDelta("!"), Finish("stop", None)]
    assert reader.finished
