"""Faults that somebody might put into the ledger's SQL, each as edits of installed functions."""

from dataclasses import dataclass

from tests.models.ledger.model.focus import Focus


@dataclass(frozen=True)
class Edit:
    """In the function of this name, `old` read as `new`."""

    function: str
    old: str
    new: str


BOOKING_IS_NOT_WATCHED = Edit("booking_is_whole", "IF v_claims <>", "IF false AND v_claims <>")

Faults = dict[str, tuple[Edit, ...]]

OVER = "b.hold_expires_at <= v_now"
LIVE = "('ON_HOLD', 'PENDING')"

_HOLDS: Faults = {
    "admission takes the end of an interval as inclusive": (
        Edit("ledger_refusal", "l.at < t.ends_at", "l.at <= t.ends_at"),
        Edit("ledger_refusal", "t.ends_at > p.at", "t.ends_at >= p.at"),
        Edit("ledger_plainly_fits", "l.at < t.ends_at", "l.at <= t.ends_at"),
    ),
    "the timeline takes the end of a claim as inclusive": (
        Edit(
            "ledger_claim_changed",
            "t.at >= v_from AND t.at < v_claim.ends_at",
            "t.at >= v_from AND t.at <= v_claim.ends_at",
        ),
    ),
    "a cancelled booking keeps its claims": (
        Edit("ledger_end_booking", "IF FOUND THEN", "IF FOUND AND p_event <> 'CANCELLED' THEN"),
        BOOKING_IS_NOT_WATCHED,
    ),
    "the timeline is not given back what a claim took": (Edit("ledger_claim_changed", "-OLD.quantity", "0"),),
    "admission ends a hold only after its last instant": (
        Edit("ledger_over_holds", "hold_expires_at <= v_now", "hold_expires_at < v_now"),
    ),
    "the sweeper ends a hold only after its last instant": (
        Edit("worker_expire_over", "hold_expires_at <= v_now", "hold_expires_at < v_now"),
    ),
    "a late confirm is not checked": (
        Edit("ledger_carry_out", "('EXTEND', 'CONFIRM', 'RELEASE')", "('EXTEND', 'RELEASE')"),
    ),
    "keys are not looked up": (
        Edit("ledger_replay", "k.key = p_request->>'key'", "false"),
        Edit("ledger_remember", "public.model_now())", "public.model_now()) ON CONFLICT DO NOTHING"),
    ),
    "what is required is summed twice": (
        Edit(
            "ledger_takes", "n.per_unit * i.quantity + n.per_booking", "2 * (n.per_unit * i.quantity + n.per_booking)"
        ),
    ),
    "what is required per booking is counted per unit": (
        Edit("ledger_takes", "n.per_unit * i.quantity + n.per_booking", "(n.per_unit + n.per_booking) * i.quantity"),
    ),
    "only the first instant of an interval is looked at": (
        Edit("ledger_refusal", "l.at > t.starts_at AND", "l.at > t.starts_at AND false AND"),
        Edit("ledger_plainly_fits", "l.at < t.ends_at", "l.at <= t.starts_at"),
    ),
    "the exclusive is shared": (Edit("ledger_sharing_key", "ELSE '#' || p_booking_id::text END", "ELSE NULL END"),),
    "what is closed is sold": (
        Edit("ledger_refusal", "HAVING bool_or(k.closed OR", "HAVING bool_or("),
        Edit("ledger_plainly_fits", "AND NOT step.closed", ""),
    ),
    "a hold is extended past its ceiling": (Edit("ledger_carry_out", ", p_booking.hold_ceiling_at)", ", 'infinity')"),),
    "the version that somebody looked at is not compared": (
        Edit("ledger_moved_on", "r.version <> e.version", "r.version < e.version"),
    ),
    "capacity is lowered below what is taken": (Edit("ledger_adjust", "step.taken > v_capacity", "false"),),
    "a change without end ends": (
        Edit("ledger_adjustment_made", "(NEW.ends_at IS NULL OR t.at < NEW.ends_at)", "t.at < NEW.ends_at"),
    ),
}

_PAST: Faults = {
    "what is given back reaches into the folded past": (
        Edit("ledger_claim_changed", "greatest(v_claim.starts_at, v_resource.folded_until)", "v_claim.starts_at"),
    ),
    "more is folded than the past": (Edit("ledger_fold", "t.at <= p_until", "true"),),
    "a booking is cancelled though it has begun": (
        Edit("ledger_carry_out", "i.starts_at <= v_now", "i.starts_at < v_now"),
    ),
}

_APPROVAL: Faults = {
    "what waits for approval does not count": (
        Edit("ledger_over_holds", "v_first IS NULL OR v_first > v_now", "v_first IS NULL"),
        Edit("ledger_over_holds", OVER, f"(b.status = 'PENDING' OR {OVER})"),
        Edit("ledger_end_booking", "hold_expires_at <= ", "status = 'PENDING' OR hold_expires_at <= "),
    ),
    "approval has no deadline": (Edit("ledger_over_holds", LIVE, "('ON_HOLD')"),),
    "the sweeper leaves what waits for approval": (Edit("worker_expire_over", LIVE, "('ON_HOLD')"),),
    "a rejected booking keeps its claims": (
        Edit("ledger_end_booking", "IF FOUND THEN", "IF FOUND AND p_event <> 'REJECTED' THEN"),
        BOOKING_IS_NOT_WATCHED,
    ),
    "what nobody has submitted is approved": (
        Edit("ledger_carry_out", "p_booking.status <> 'PENDING'", "p_booking.status NOT IN ('PENDING', 'CONFIRMED')"),
        Edit("ledger_carry_out", "AND status = 'PENDING'", "AND true"),
    ),
}

_POOLS: Faults = {
    "a pool counts a member twice": (
        Edit("ledger_choose", "p_takes), '{}');", "p_takes), '{}'); v_free := v_free || v_free;"),
    ),
    "what the booking itself takes of a member does not count": (
        Edit(
            "ledger_free_members",
            "ARRAY(SELECT t FROM unnest(p_takes) t WHERE t.resource_id = r.id) AS along",
            "ARRAY[]::ledger_take[] AS along",
        ),
    ),
    "what is chosen is not taken": (Edit("ledger_choose", "p_takes := p_takes || v_free", "p_takes := p_takes"),),
    "the first members are chosen, and not the best": (
        Edit("ledger_free_members", "greatest(before.since, v_from - v_look)", "v_from"),
        Edit("ledger_free_members", "least(after.until, v_to + v_look)", "v_to"),
    ),
}

_GIVES_BACK = "DELETE FROM claim WHERE organization_id = p_organization_id AND booking_id = p_booking.id;"

_CHANGES: Faults = {
    "what a booking has is in the way of its own change": (
        Edit("ledger_swap", _GIVES_BACK, ""),
        Edit("ledger_swap", "PERFORM ledger_put_items", f"{_GIVES_BACK} PERFORM ledger_put_items"),
    ),
    "a changed booking keeps what it had": (Edit("ledger_swap", _GIVES_BACK, ""), BOOKING_IS_NOT_WATCHED),
    "a change that does not fit is half done": (
        Edit(
            "ledger_swap",
            "RAISE EXCEPTION USING ERRCODE = 'VS002', MESSAGE = 'the booking stays as it was';",
            "RETURN jsonb_build_object('outcome', 'REFUSED', 'refusal', v_refusal);",
        ),
        BOOKING_IS_NOT_WATCHED,
    ),
    "a hold that is over is changed": (Edit("ledger_why_fixed", "p_booking.hold_expires_at <= v_now", "false"),),
    "what the venue is asked to approve is changed": (
        Edit("ledger_why_fixed", "NOT IN ('ON_HOLD', 'CONFIRMED')", "NOT IN ('ON_HOLD', 'PENDING', 'CONFIRMED')"),
    ),
    "what has begun is changed": (Edit("ledger_why_fixed", "i.starts_at <= v_now", "i.starts_at < v_now"),),
    "what a change could make room of stays": (
        Edit("ledger_swap", "ledger_over_holds(p_organization_id, v_wanted, v_from, v_to)", "'{}'::uuid[]"),
    ),
    "a part gives back the whole": (Edit("ledger_release_part", "IF v_claim.keeps > 0 THEN", "IF false THEN"),),
    "a part gives back nothing": (Edit("ledger_release_part", "AND c.quantity > ", "AND false AND c.quantity > "),),
}

_SERIES: Faults = {
    "a series books past a conflict": (
        Edit("ledger_series_outcome", "p_all_or_none AND NOT 'DONE' = ALL (v_outcomes)", "false"),
    ),
    "half a series stays": (Edit("ledger_hold_series", "IF v_outcome <> 'DONE' THEN", "IF false THEN"),),
    "a date that rules refuse is no conflict": (
        Edit("ledger_hold_series", "(p_series->>'refused')::integer > 0 OR", ""),
    ),
    "what one booking of a series refuses, all do": (
        Edit("ledger_change_series", "v_refusal IS NULL;", "v_refusal IS NULL; EXIT WHEN v_refusal IS NOT NULL;"),
    ),
}

_WAITLIST: Faults = {
    "an offer is made to who has one": (
        Edit(
            "waitlist_offered", "status = 'WAITING' AND offers = v_offer.offer - 1", "status IN ('WAITING', 'OFFERED')"
        ),
    ),
    "an offer ends as soon as any hold": (
        Edit("ledger_admit", "ELSE limits.hold_ceiling_seconds END", "ELSE limits.hold_seconds END"),
    ),
    "who lets an offer run out is not asked again": (Edit("waitlist_offer_settled", "e.offers < 2", "false"),),
    "who leaves keeps what was offered": (
        Edit(
            "waitlist_leave",
            "PERFORM ledger_end_booking",
            "UPDATE waitlist_entry SET status = 'LEFT', booking_id = NULL, last_actor = p_actor"
            " WHERE organization_id = p_organization_id AND id = p_entry_id; RETURN 'DONE'; PERFORM ledger_end_booking",
        ),
    ),
    "more wait than may": (Edit("waitlist_join", "v_waiting >= ", "v_waiting > "),),
}

FAULTS: dict[str, tuple[Focus, tuple[Edit, ...]]] = {
    name: (focus, edits)
    for focus, faults in (
        (Focus.HOLDS, _HOLDS),
        (Focus.PAST, _PAST),
        (Focus.APPROVAL, _APPROVAL),
        (Focus.POOLS, _POOLS),
        (Focus.CHANGES, _CHANGES),
        (Focus.SERIES, _SERIES),
        (Focus.WAITLIST, _WAITLIST),
    )
    for name, edits in faults.items()
}
"""Each with what the machine does that looks for it."""
