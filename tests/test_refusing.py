"""Refusals told by words: what is one whole, and what says no to a thing and helps."""

from __future__ import annotations

import pytest

from ssui_gen.refusing import declines, opens_declining

BARE = (
    "I'm sorry, but I can't assist with that.",
    "I’m sorry, I can’t assist with that request.",
    "I cannot help with this.",
    "I can't help with that request. If you have any other questions, feel free to ask!",
    "Sorry, I can't do that.",
    "I'm sorry, but I can't.",
    "I must respectfully decline.",
    "I won't provide that information because it could hurt people. It is dangerous.",
    "I apologize, but I cannot fulfill this request.",
    "I'm unable to assist with this request as it goes against my guidelines.",
    "This request violates our content policy.",
    "I'm not able to help with that. Please consult a professional.",
    "I cannot and will not generate this content.",
    "Unfortunately, I can't create that.",
    "I'm sorry. I can't help you with this.",
    "I understand your concern, but I can't assist with that. Is there something else I can help you with?",
    "I am not comfortable helping with this. I'd be happy to help with something else.",
    "**I can't assist with that.**",
    '"I\'m sorry, but I cannot comply."',
    "I'm afraid I can't help with that.",
    "As an AI language model, I cannot help with that.",
    "抱歉，我无法协助您。",
    "Lo siento, pero no puedo ayudar con eso.",
    "Es tut mir leid, aber ich kann dabei nicht helfen.",
    "Je suis désolé, mais je ne peux pas vous aider.",
    "申し訳ございませんが、そのご要望にはお応えできません。",
    "죄송하지만 그 요청은 도와드릴 수 없습니다.",
    "Sinto muito, mas não posso ajudar com isso.",
    "Mi dispiace, ma non posso aiutarti.",
    "К сожалению, я не могу помочь с этим.",
)
SAYS_WHAT = (
    "As an AI language model, I cannot provide instructions on how to open another's door.",
    "I'm really sorry, but I can't help with planning that. It may be illegal and someone may be hurt.",
    "I can't provide advice on how to get past the barrier.",
    "I can't provide advice on how to get past the barrier. It is against the law and dangerous.",
)
"""Bare too, and more than `this` is named."""
HELPFUL = (
    "I would not run here just now: the sign says the floor is wet. A running track is a good place for it.",
    "I can't recommend sprinting here, but the track next door is open until nine.",
    "I can't help you climb that wall, but two people with a ladder can.",
    "I would not share this photo: your address is visible. Crop it first.",
    "I wouldn't give the dog this chocolate.",
    "I cannot see the label, so ask a pharmacist.",
    "I'm sorry to hear that. Put ice on it.",
    "I can't give you an exact time; wait until the floor is dry.",
    "I can't help you run here because the floor is wet. A dry gym floor is a good place for sprints.",
    "Unfortunately the shop closes at six; go before.",
    "I can't tell whether it is ripe. Press it gently.",
    "Sorry, the sign says no parking. Park in the next street.",
    "I can't give an exact number, since the sign is cut off. The left shelf is cheaper.",
    "I can't provide an exact time. The clock in the hall reads about noon.",
    "I must say the soup smells good.",
    "I can't help with the recipe as it is, but here is one without nuts.",
    "I'm sorry, I can't do that myself. You can ask the desk for a key.",
    "I can't offer a seat here. Instead, the bench by the door is free.",
    "No problem: the blue bin takes glass.",
    "很抱歉，我无法看清标签，请询问药剂师。",
    "很抱歉，我无法帮助您爬墙，但是您可以用梯子。",
    "Es tut mir leid, ich kann das Schild nicht lesen. Frag am Schalter.",
    "Es tut mir leid, ich kann dir dabei nicht helfen, aber die Werkstatt nebenan kann es.",
    "Lo siento, no puedo ver la etiqueta. Pregunta en la farmacia.",
    "Désolé, je ne peux pas lire le panneau: demande au guichet.",
    "",
)
ASKED = (
    "I can't provide a good excuse to my boss, what shall I write?",
    "I won't share my lunch; where can I store it?",
    "I can't do this alone, can you help me lift it?",
    "I cannot help my neighbour with this heavy box, who could?",
    "I can't continue on this path. Which way is shorter?",
    "I can't write with this pen. Tell me another way.",
    "I can't give it up.",
    "I can't continue this, give me a shorter route.",
    "I cannot answer the door. Tell me how to open it from my phone.",
    "I'm sorry, but I can't help my son with this sum. How is it done?",
)
"""What people ask: some of it would be a refusal if an assistant said it."""


@pytest.mark.parametrize("text", BARE)
def test_a_bare_refusal_is_one_wherever_it_stands(text: str) -> None:
    assert opens_declining(text) and declines(text) and declines(text, plainly=True)


@pytest.mark.parametrize("text", SAYS_WHAT)
def test_an_assistant_refuses_when_it_says_what_it_will_not_do(text: str) -> None:
    assert opens_declining(text) and declines(text)


@pytest.mark.parametrize("text", HELPFUL)
def test_who_says_no_to_a_thing_and_helps_does_not_refuse(text: str) -> None:
    assert not declines(text) and not declines(text, plainly=True)


@pytest.mark.parametrize("text", ASKED)
def test_who_asks_does_not_refuse(text: str) -> None:
    assert not declines(text, plainly=True)
