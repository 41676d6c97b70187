"""Faults that somebody might put into the ledger's SQL, each as edits of installed functions."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """In the function of this name, `old` read as `new`."""

    function: str
    old: str
    new: str


BOOKING_IS_NOT_WATCHED = Edit("booking_is_whole", "IF v_claims <>", "IF false AND v_claims <>")

FAULTS: dict[str, tuple[Edit, ...]] = {
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
    "what is given back reaches into the folded past": (
        Edit("ledger_claim_changed", "greatest(v_claim.starts_at, v_resource.folded_until)", "v_claim.starts_at"),
    ),
    "more is folded than the past": (Edit("ledger_fold", "t.at <= p_until", "true"),),
    "admission ends a hold only after its last instant": (
        Edit("ledger_over_holds", "hold_expires_at <= v_now", "hold_expires_at < v_now"),
    ),
    "the sweeper ends a hold only after its last instant": (
        Edit("worker_expire_over", "hold_expires_at <= v_now", "hold_expires_at < v_now"),
    ),
    "a late confirm is not checked": (
        Edit("ledger_change_booking", "('EXTEND', 'CONFIRM', 'RELEASE')", "('EXTEND', 'RELEASE')"),
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
    "a hold is extended past its ceiling": (
        Edit("ledger_change_booking", ", v_booking.hold_ceiling_at)", ", 'infinity')"),
    ),
    "a booking is cancelled though it has begun": (
        Edit("ledger_change_booking", "i.starts_at <= v_now", "i.starts_at < v_now"),
    ),
    "the version that somebody looked at is not compared": (
        Edit("ledger_moved_on", "r.version <> e.version", "r.version < e.version"),
    ),
    "capacity is lowered below what is taken": (Edit("ledger_adjust", "step.taken > v_capacity", "false"),),
    "a change without end ends": (
        Edit("ledger_adjustment_made", "(NEW.ends_at IS NULL OR t.at < NEW.ends_at)", "t.at < NEW.ends_at"),
    ),
}
