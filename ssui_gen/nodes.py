"""The nodes of the agents' graph: what each agent is shown, and what its reply changes.

A node that cannot go on returns a reject with its reason code; it never raises for one item's sake.
Which node comes next is decided in `graph`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from typing import Any

from langgraph.runtime import Runtime

from ssui_gen.agent import AgentReply, Origin
from ssui_gen.branching import path_class, render_steps, steps_of
from ssui_gen.calling.pictures import NO_PICTURE
from ssui_gen.errors import OF_ITEM, ImageError, ReplyError
from ssui_gen.labels import label_probability
from ssui_gen.records import Kind, Label, Query, Reason, ReflectionRound, Reject, Verdict
from ssui_gen.replies import SafetyReply
from ssui_gen.state import Context, State
from ssui_gen.taxonomy import NO_RISK, classes
from ssui_gen.wish import Wish

Node = Callable[[State, Runtime[Context]], Awaitable[dict[str, Any]]]


def node(body: Node) -> Node:
    """Turn an item's errors into a reject of this stage."""

    @wraps(body)
    async def run(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
        try:
            return await body(state, runtime)
        except (ImageError, *OF_ITEM) as error:
            return drop(state, body.__name__, Reason(error.reason), str(error))
        except ReplyError as error:
            dropped = drop(state, body.__name__, Reason(error.reason), str(error))
            return dropped | {"made_by": error.calls}

    return run


def drop(state: State, stage: str, reason: Reason, detail: str) -> dict[str, Any]:
    """The change of state that ends an item."""
    item = state["item"]
    reject = Reject(seed_id=item.seed_id, kind=item.kind, stage=stage, reason=reason, detail=detail)
    return {"rejects": (reject,)}


def _asked(state: State, depth: int) -> Origin:
    return Origin(state["item"].id, len(state.get("reflection", ())), depth)


def _advice(state: State, decision: str) -> str:
    """What the last round of reflection wants changed, if it was addressed to this node."""
    rounds = state.get("reflection", ())
    return rounds[-1].advice if rounds and rounds[-1].decision == decision else ""


def verdict_of(said: AgentReply[SafetyReply]) -> Verdict:
    """What a check said, with its probability where the server tells."""
    read = label_probability(said.choice, "label", said.reply.label, ("safe", "unsafe"))
    probability, mass = read or (None, None)
    return Verdict(
        label=said.reply.label, probability=probability, label_mass=mass, evidence=said.reply.evidence
    )


@node
async def query(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """A text for the picture, and what the pair may lead to. A seed's own text stands as it is."""
    item, context = state["item"], runtime.context
    advice = _advice(state, "revise_query")
    wish, wanting = context.wish(item), context.wanting
    made = await context.query.several(
        wanting.texts(item.text),
        _asked(state, 0),
        context.pictures,
        at_once=context.at_once,
        also=wanting.said(wish),
        kind=item.kind,
        text=item.text,
        advice=advice,
        earlier=state["query"].text if advice else "",
        classes=classes(),
    )
    shown = [one.query.text for one in context.query.shown(context.pictures, item.text or "")]
    reply = wanting.chosen(made.replies, item.seed_id, item.kind, shown)
    change: dict[str, Any] = {
        "query": Query(
            text=reply.text if advice else item.text or reply.text,
            category=reply.category,
            scenario=reply.scenario,
            image_evidence=reply.image_evidence,
            text_evidence=reply.text_evidence,
        ),
        "made_by": made.calls,
    }
    if wanting.refuses(wish, reply.category):
        change |= _misfit(state, "query", wish, {one.category for one in made.replies})
    return change


def _misfit(state: State, stage: str, wish: Wish | None, found: Iterable[str]) -> dict[str, Any]:
    detail = f"wanted: {wish.wanted if wish else None}; what fits: {', '.join(sorted(found))}"
    return drop(state, stage, Reason.CLASS_DOES_NOT_FIT, detail)


@node
async def check_text(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Is the text safe when read without the picture?"""
    said = await runtime.context.check_text.ask(_asked(state, 1), NO_PICTURE, text=state["query"].text)
    return {"text_only": verdict_of(said), "made_by": said.calls}


@node
async def check_image(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Is the picture safe when seen without the text?"""
    said = await runtime.context.check_image.ask(_asked(state, 1), runtime.context.pictures)
    return {"image_only": verdict_of(said), "made_by": said.calls}


@node
async def safe_apart(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """The defining property of SSUI: text and picture are each safe alone. Asks nobody."""
    if state.get("rejects"):
        return {}
    if state["text_only"].label == "unsafe":
        return drop(state, "check_text", Reason.TEXT_NOT_SAFE, state["text_only"].evidence)
    if state["image_only"].label == "unsafe":
        return drop(state, "check_image", Reason.IMAGE_NOT_SAFE, state["image_only"].evidence)
    return {}


@node
async def reason(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """The six steps."""
    pair = state["query"]
    advice = _advice(state, "revise_path")
    said = await runtime.context.reasoning.ask(
        _asked(state, 2),
        runtime.context.pictures,
        text=pair.text,
        category=pair.category,
        scenario=pair.scenario,
        advice=advice,
        earlier=render_steps(state["steps"]) if advice else "",
        classes=classes(),
    )
    return {"steps": steps_of(said.reply), "made_by": said.calls}


@node
async def reflect(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Redundant, incomplete, unfaithful? In the last round only an unfaithful path is turned away: a small
    model nearly always finds something to better, and what it found stays in the record.
    """
    context = runtime.context
    said = await context.reflection.ask(
        _asked(state, 3), context.pictures, text=state["query"].text, path=render_steps(state["steps"])
    )
    round_ = ReflectionRound(**said.reply.model_dump())
    last = len(state.get("reflection", ())) + 1 >= context.rounds
    change: dict[str, Any] = {"reflection": (round_,), "onward": round_.decision, "made_by": said.calls}
    if round_.decision == "reject":
        return change | drop(state, "reflect", Reason.REFLECTION_REJECTED, round_.advice)
    if said.reply.accepts(last=last):
        return change | {"onward": "accept"}
    return change | drop(state, "reflect", Reason.NOT_CONVERGED, round_.faithfulness) if last else change


@node
async def check_joint(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Together: risky, or for a twin not. Judged from picture and text alone; the path must agree."""
    context = runtime.context
    said = await context.check_joint.ask(_asked(state, 4), context.pictures, text=state["query"].text)
    verdict, found = verdict_of(said), path_class(state["steps"])
    change: dict[str, Any] = {"joint": verdict, "made_by": said.calls}
    if reason := _disagreement(state["item"].kind, verdict.label, found):
        return change | drop(state, "check_joint", reason, verdict.evidence)
    query = _settled(state["query"], found or NO_RISK, verdict.evidence)
    if context.wanting.refuses(wish := context.wish(state["item"]), query.category):
        return change | _misfit(state, "check_joint", wish, [query.category])
    return change | {"query": query}


def _settled(query: Query, found: str, evidence: str) -> Query:
    """Where the path arrives at another class than was suspected, that stands, with what the check saw."""
    if found == query.category:
        return query
    return query.model_copy(update={"category": found, "scenario": evidence})


def _disagreement(kind: Kind, label: Label, found: str | None) -> Reason | None:
    """How the joint verdict, or else the class that the path arrives at, contradicts the item's kind."""
    if kind == "risky":
        misses = Reason.PATH_MISSES_RISK if found in (None, NO_RISK) else None
        return Reason.NOT_RISKY_TOGETHER if label == "safe" else misses
    invents = Reason.PATH_INVENTS_RISK if found not in (None, NO_RISK) else None
    return Reason.NOT_SAFE_TOGETHER if label == "unsafe" else invents


@node
async def summarise(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """The answer a person gets."""
    context = runtime.context
    said = await context.summary.ask(
        _asked(state, 5), context.pictures, text=state["query"].text, path=render_steps(state["steps"])
    )
    return {"answer": said.reply.answer, "made_by": said.calls}
