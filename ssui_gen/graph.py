"""The agents' graph: nodes, edges and routes, nothing else.

    query → check_text ‖ check_image → safe_apart → reason → reflect ⟲ → check_joint → summarise

Compiled without a checkpointer: resume comes from the call journal (`journal`), not from saved states.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from ssui_gen import nodes
from ssui_gen.records import Reason, ReasoningPath, Reject, Verdicts
from ssui_gen.state import Context, Item, State

Graph = CompiledStateGraph[State, Context, State, State]
Label = str | list[str]

NODES = (
    nodes.query,
    nodes.check_text,
    nodes.check_image,
    nodes.safe_apart,
    nodes.reason,
    nodes.reflect,
    nodes.check_joint,
    nodes.summarise,
)


@cache
def build() -> Graph:
    """The compiled graph. An edge out of a choice carries the decision, or the reject's reason code."""
    graph = StateGraph(State, context_schema=Context)
    for body in NODES:
        graph.add_node(body.__name__, body)  # type: ignore[call-overload]
    graph.add_edge(START, "query")
    _route(
        graph,
        "query",
        {"text": "check_text", "picture": "check_image"},
        lambda state: ["text", "picture"],
        Reason.CLASS_DOES_NOT_FIT,
    )
    graph.add_edge(["check_text", "check_image"], "safe_apart")
    _route(
        graph,
        "safe_apart",
        {"both safe alone": "reason"},
        lambda state: "both safe alone",
        Reason.TEXT_NOT_SAFE,
        Reason.IMAGE_NOT_SAFE,
    )
    _route(graph, "reason", {"six steps": "reflect"}, lambda state: "six steps")
    _route(
        graph,
        "reflect",
        {"accept": "check_joint", "revise_path": "reason", "revise_query": "query"},
        lambda state: state["onward"],
        Reason.REFLECTION_REJECTED,
        Reason.NOT_CONVERGED,
    )
    _route(
        graph,
        "check_joint",
        {"as its kind asks": "summarise"},
        lambda state: "as its kind asks",
        Reason.NOT_RISKY_TOGETHER,
        Reason.NOT_SAFE_TOGETHER,
        Reason.PATH_MISSES_RISK,
        Reason.PATH_INVENTS_RISK,
        Reason.CLASS_DOES_NOT_FIT,
    )
    graph.add_edge("summarise", END)
    return graph.compile()


def _route(
    graph: StateGraph[State, Context, State, State],
    source: str,
    onward: dict[Hashable, str],
    choose: Callable[[State], Label],
    *reasons: Reason,
) -> None:
    """After `source`: where `choose` says, unless the item was rejected; then to the end.

    The edge to the end names the reasons it stands for; the one that applies is in the reject.
    """
    rejected = " | ".join((*reasons, Reason.REFUSED, Reason.REPLY_INVALID, Reason.CALL_FAILED))

    def route(state: State) -> Label:
        return rejected if state.get("rejects") else choose(state)

    graph.add_conditional_edges(source, route, {rejected: END, **onward})


async def run(item: Item, context: Context) -> ReasoningPath | Reject:
    """Send one item through the graph. Raises only what must stop the whole run."""
    start: State = {"item": item}
    state: State = await build().ainvoke(start, context=context)  # type: ignore[assignment]
    made_by, wish = tuple(state.get("made_by", ())), context.wish(item)
    if state.get("rejects"):
        return state["rejects"][0].model_copy(update={"made_by": made_by, "wish": wish})
    return ReasoningPath(
        id=item.id,
        seed_id=item.seed_id,
        kind=item.kind,
        twin_of=item.twin_of,
        image=item.image,
        more_images=item.more_images,
        query=state["query"],
        steps=state["steps"],
        answer=state["answer"],
        verdicts=Verdicts(text_only=state["text_only"], image_only=state["image_only"], joint=state["joint"]),
        reflection=state["reflection"],
        made_by=made_by,
        rights=item.rights,
        wish=wish,
    )
