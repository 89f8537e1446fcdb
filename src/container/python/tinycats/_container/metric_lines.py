"""Reads metrics from lines that training code prints or logs. The rules are documented in docs/python.md."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from tinycats._container.metric_names import as_share, canonical, is_finite, number, phase_of

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)\b"
_DIGIT = re.compile(r"\d")
_EPOCH = re.compile(r"\bepochs?\b\s*[:=#]?\s*[\[(]?\s*(\d+)(?:\s*[\])])?(?:\s*(?:/|of)\s*(\d+))?(?!\.?\d)", re.IGNORECASE)
_FRACTIONAL_EPOCH = re.compile(r"\bepoch['\"]?\s*[:=]\s*(\d+\.\d+)", re.IGNORECASE)
_STEP = re.compile(
    r"\b(?:global[_ ]step|steps?|iter(?:ation)?s?|batch(?:es)?)\b\s*[:=#]?\s*[\[(]?\s*(\d+)(?:\s*(?:/|of)\s*(\d+))?(?!\.?\d)",
    re.IGNORECASE,
)
_OF = re.compile(r"(?<![\w./@])(\d+)\s*/\s*(\d+)(?![\w./])")
_BAR = re.compile(r"\d+%\||\[=*>?\.*\]|[━╸]{3,}|it/s|s/it|ms/step|s/step")
_PAIR = re.compile(
    r"(?P<name>[A-Za-z][\w@/.\-]*(?: [A-Za-z@][\w@/.\-]*){0,3})['\"]?\s*[:=]\s*['\"]?(?:tensor\()?(?P<value>" + _NUMBER
    + r")(?:\s*/\s*(?P<of>\d+))?\s*(?P<unit>%|ms\b|s\b|sec\b)?",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"\b(?P<name>(?:(?:train|training|val|valid|validation|test|eval|avg|average|mean)[ _])*"
    r"(?:loss|acc(?:uracy)?(?:@1)?|top@?1|lr|learning rate))\s+(?:is\s+)?(?P<value>" + _NUMBER + r")\s*(?P<unit>%)?",
    re.IGNORECASE,
)
_PHASE = re.compile(r"\b(?:train(?:ing)?|val(?:id(?:ation)?)?|test|eval(?:uation)?)\b", re.IGNORECASE)
_BREAK = re.compile(r"[|;]|\s{3,}|\t")
_BEST = re.compile(r"^\W*(?:new |final )?best\b", re.IGNORECASE)
_VALIDATED = re.compile(r"^\s*\*\s*(?:Acc|Prec)@1", re.IGNORECASE)
_KNOWN = re.compile(r"loss|acc(?:uracy|@1)?\b|top@?1|\blr\b|learning.rate", re.IGNORECASE)
_SKIPPED = {"epoch", "epochs", "step", "steps", "iter", "iteration", "batch", "global_step", "seed", "port", "v_num", "eta"}


@dataclass
class Reading:
    """What one line says."""

    values: dict = field(default_factory=dict)
    epoch: int | None = None
    epochs: int | None = None
    step: int | None = None
    steps: int | None = None


class LineReader:
    def __init__(self, patterns=()):
        """`patterns`: regular expressions of the user's, with named groups; the first that matches a line decides."""
        self.problems = []
        self._patterns = []
        for pattern in patterns:
            try:
                self._patterns.append(re.compile(pattern))
            except re.error as error:
                self.problems.append(f"tinyCats.metricPatterns: {pattern!r} is no regular expression: {error}")

    def read(self, text):
        """A Reading, or None where the line has nothing to say."""
        if len(text) > 2000 or not _DIGIT.search(text):
            return None
        for pattern in self._patterns:
            match = pattern.search(text)
            if match:
                return _from_groups(match)
        if text.lstrip().startswith("{") and text.rstrip().endswith("}"):
            return _from_dict(text)
        return _from_words(text)


def _from_groups(match):
    reading = Reading()
    for name, group in match.groupdict().items():
        value = None if group is None else number(group.rstrip("%"))
        if value is None:
            continue
        if name in ("epoch", "epochs", "step", "steps"):
            setattr(reading, name, int(value))
        else:
            share = value / 100 if group.endswith("%") else as_share(name, value)
            reading.values[name] = share
    return reading


def _from_dict(text):
    """Lines such as Hugging Face's Trainer prints: `{'loss': 0.41, 'learning_rate': 5e-05, 'epoch': 1.0}`."""
    try:
        given = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(given, dict):
        return None
    reading = Reading()
    for name, raw in given.items():
        value = number(raw) if isinstance(raw, (int, float, str)) and not isinstance(raw, bool) else None
        if not isinstance(name, str) or value is None or not is_finite(value):
            continue
        if name == "epoch":
            # A whole number of epochs that are done; a part of one says nothing about which one it is.
            reading.epoch = int(value) if value == int(value) and value > 0 else None
        elif name in ("epochs", "step", "steps"):
            setattr(reading, name, int(value))
        else:
            known = canonical(name)
            reading.values[known] = as_share(known, value)
    return reading if any(_KNOWN.search(name) for name in reading.values) else None


def _from_words(text):
    if _BEST.search(text):
        # It looks back at an epoch that was told of before.
        return None
    epoch, step = _EPOCH.search(text), _STEP.search(text)
    is_bar = _BAR.search(text) is not None
    if not _KNOWN.search(text) and not is_bar and epoch is None:
        return None
    reading = Reading()
    if epoch and not _FRACTIONAL_EPOCH.search(text):
        reading.epoch = int(epoch.group(1))
        reading.epochs = int(epoch.group(2)) if epoch.group(2) else None
    if step:
        reading.step = int(step.group(1))
        reading.steps = int(step.group(2)) if step.group(2) else None
    else:
        _read_place(text, epoch.end() if epoch else 0, is_bar, reading)
    reading.values = _values(text)
    return reading


def _read_place(text, start, is_bar, reading):
    """`352/782` of a progress bar, `[640/60000 (1%)]` and `[ 10/100]` after the epoch."""
    for match in _OF.finditer(text, start):
        before, after = text[: match.start()].rstrip(), text[match.end() :].lstrip()
        in_brackets = before.endswith("[") and (after.startswith(("]", "(")) or after[:1] == "]")
        if is_bar or in_brackets:
            done, total = int(match.group(1)), int(match.group(2))
            if 0 <= done <= total and total > 0:
                reading.step, reading.steps = done, total
            return


def _values(text):
    """Values by name; a phase that the line names, such as `Val`, holds for what follows it up to the next one."""
    found = {}
    phases = [(match.start(), phase_of(match.group())) for match in _PHASE.finditer(text)]
    # The references of torchvision end an epoch's validation with ` * Acc@1 75.2`.
    told = "val" if _VALIDATED.search(text) else None
    breaks = [match.start() for match in _BREAK.finditer(text)]
    taken = []
    for pattern in (_PAIR, _BARE):
        for match in pattern.finditer(text):
            span = match.span("value")
            if any(span[0] < end and start < span[1] for start, end in taken):
                continue
            value = number(match["value"])
            name = _metric_name(match["name"])
            if value is None or not is_finite(value) or name is None:
                continue
            taken.append(span)
            phase = phase_of(name)
            if phase is not None:
                # `Train: 0.91, Val: 0.88` are accuracies, `Train: 3 [` is an epoch.
                if "." not in match["value"] or not 0 <= value <= 1:
                    continue
                name = f"{phase}_acc"
            known = canonical(name, _phase_at(match.start("value"), phases, breaks) or told)
            of = match.groupdict().get("of")
            unit = (match["unit"] or "").lower()
            if of is not None and known.endswith("_acc") and int(of) > 0:
                value = value / int(of)
            elif unit == "%":
                value = value / 100
            elif known in ("time", "elapsed", "epoch_time", "time_s"):
                known, value = "time_s", value / 1000 if unit == "ms" else value
            found.setdefault(known, as_share(known, value))
    return found


def _metric_name(raw):
    """The words before the number that are its name: none of the line's other words."""
    words = raw.split()
    if "best" in raw.lower():
        return None
    last = words[-1].lower()
    if last in _SKIPPED:
        return None
    if last == "rate" and len(words) > 1 and words[-2].lower() == "learning":
        return "learning_rate"
    if _KNOWN.search(last):
        # `Val Loss`: what stands before may say the phase.
        return " ".join([*(word for word in words[:-1] if phase_of(word)), words[-1]])
    return words[-1]


def _phase_at(position, phases, breaks):
    """The phase named last before that place. A break ends it unless the next one is about something else."""
    named = [(start, phase) for start, phase in phases if start < position]
    if not named:
        return None
    start, phase = named[-1]
    has_break = any(start < place < position for place in breaks)
    return None if has_break and phase == "val" and len({other for _, other in phases}) > 1 else phase
