"""A project as its author writes it: YAML or JSON, checked, with errors that name the place."""

import re
import shlex
from collections.abc import Iterator
from typing import Annotated, Any, Self

import yaml
from django.utils.text import slugify
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from apps.accounts.refusals import Invalid
from apps.agents.contract import MAX_TIMEOUT
from apps.swarm.durations import seconds_of

MAX_CHARACTERS = 64 * 1024
MAX_STAGES = 50
MAX_STEPS_OF_STAGE = 100
SHOWN_ERRORS = 5


def _timeout(value: object) -> float:
    try:
        return seconds_of(value)
    except ValueError as error:
        raise PydanticCustomError("duration", str(error)) from None


def _storable(value: str) -> str:
    if "\0" in value:
        raise PydanticCustomError("nul", "must not contain a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "must not contain half of a surrogate pair") from None
    return value


def _words(value: object) -> object:
    """A command is one line or its words; anything else is one error, not one for each kind it could have been."""
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise PydanticCustomError("words", "must be text or a list of texts (put numbers in quotes)")
    return [_storable(word) for word in words] and value


def _variable_as_text(value: object) -> object:
    """A number of JSON means its text in an environment; those of YAML are text already, as they were written."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str, AfterValidator(_storable)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_storable)]
Slug = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Description = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=2000)]
Timeout = Annotated[float, BeforeValidator(_timeout), Field(gt=0, le=MAX_TIMEOUT)]
Words = Annotated[str | list[str], BeforeValidator(_words)]
Variable = Annotated[Text, BeforeValidator(_variable_as_text)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class _Part(BaseModel):
    """Only what people read is stripped: in a command and its variables every space may be meant."""

    model_config = ConfigDict(extra="forbid")


class StepDefinition(_Part):
    """One command for one agent."""

    name: Name
    run: Words
    shell: bool = False
    agent: Name | None = None
    label: Name | None = None
    timeout: Timeout = 3600.0
    retries: int = Field(default=0, ge=0, le=10)
    lost_retries: int = Field(default=1, ge=0, le=10)
    allow_failure: bool = False
    cwd: Text | None = None
    env: dict[VariableName, Variable] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        # A line for the shell is the shell's to read: its comments and here-documents have quotes of their own.
        first = self.run if self.shell and isinstance(self.run, str) else "".join(self.argv[:1])
        if not first.strip():
            raise PydanticCustomError("empty", "run: must not be empty")
        if self.shell and not isinstance(self.run, str):
            raise PydanticCustomError("shell", "shell: true needs run to be one line of text, not a list")
        if (self.agent is None) == (self.label is None):
            raise PydanticCustomError("who", 'needs either "agent" (a name) or "label"')
        return self

    @property
    def argv(self) -> list[str]:
        """The command's words."""
        if not isinstance(self.run, str):
            return self.run
        try:
            return shlex.split(self.run)
        except ValueError as error:
            reason = str(error).lower().replace("{", "").replace("}", "")
            raise PydanticCustomError("quotes", "run: {reason}", {"reason": reason}) from None

    @property
    def line(self) -> str:
        """The command as one line for people."""
        return self.run.strip() if isinstance(self.run, str) else shlex.join(self.run)

    def spec(self) -> dict[str, Any]:
        """What the agent gets: the command itself, and where and how long it runs."""
        what: dict[str, Any] = {"shell": self.run} if self.shell else {"argv": self.argv}
        where = {"cwd": self.cwd} if self.cwd else {}
        return what | where | {"env": self.env, "timeout": self.timeout}


class StageDefinition(_Part):
    """Steps that run side by side."""

    name: Name
    steps: list[StepDefinition] = Field(min_length=1, max_length=MAX_STEPS_OF_STAGE)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        _refuse_twins("steps", [step.name for step in self.steps])
        return self


class Definition(_Part):
    """Stages in order."""

    name: Name
    slug: Slug = ""
    description: Description = ""
    stages: list[StageDefinition] = Field(min_length=1, max_length=MAX_STAGES)

    @model_validator(mode="after")
    def _can_be_addressed(self) -> Self:
        _refuse_twins("stages", [stage.name for stage in self.stages])
        self.slug = self.slug or slugify(self.name)[:60].strip("-")
        if not self.slug:
            raise PydanticCustomError("slug", 'needs a "slug" (letters a-z, digits and dashes)')
        return self

    def steps_with_keys(self) -> Iterator[tuple[int, int, str, StepDefinition]]:
        """Each step as (stage index, position, key, step); keys are readable and unique in the project."""
        taken: set[str] = set()
        for index, stage in enumerate(self.stages):
            for position, step in enumerate(stage.steps):
                key = free = slugify(step.name)[:80] or "step"
                count = 1
                while free in taken:
                    count += 1
                    free = f"{key}-{count}"
                taken.add(free)
                yield index, position, free, step


def parse_yaml(text: str) -> Definition:
    """The project that `text` describes; Invalid with line or place when it describes none."""
    if len(text) > MAX_CHARACTERS:
        raise Invalid(f"A project may have at most {MAX_CHARACTERS} characters, this one has {len(text)}.")
    try:
        data = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise Invalid(f"This is not YAML: {_place_in_text(error)}{error.problem or error.context}.") from None
    except yaml.YAMLError as error:
        raise Invalid(f"This is not YAML: {str(error).splitlines()[0]}.") from None
    except RecursionError:
        raise Invalid("This is not YAML: nested too deeply.") from None
    except Exception:  # `!!int ''` or `!!bool maybe`: each of PyYAML's constructors fails in its own way
        raise Invalid("This is not YAML: a value cannot be read as what it is marked as.") from None
    return parse(data)


def parse(data: object) -> Definition:
    """The project that plain data describes; Invalid names every wrong place."""
    if not isinstance(data, dict):
        raise Invalid("A project is a mapping with name and stages.")
    try:
        return Definition.model_validate(data)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        shown = [_sentence(detail, data) for detail in errors]
        rest = f" (and {len(shown) - SHOWN_ERRORS} more)" if len(shown) > SHOWN_ERRORS else ""
        raise Invalid("; ".join(shown[:SHOWN_ERRORS]) + rest + ".") from None


class _Loader(yaml.SafeLoader):
    """YAML without surprises: no aliases (a small file can mean a huge one), no key twice, no dates."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not allowed", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f'"{key.value}" is there twice', key.start_mark)
                seen.add(key.value)
                if key.value == "env" and isinstance(value, yaml.MappingNode):
                    _keep_numbers_as_written(value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _keep_numbers_as_written(variables: yaml.MappingNode) -> None:
    """As a number, 3.10 would be 3.1, 010 would be 8 and 12:30 would be 750."""
    for _, value in variables.value:
        if value.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"):
            value.tag = "tag:yaml.org,2002:str"


def _refuse_twins(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise PydanticCustomError("twins", '{what}: two are called "{name}"', {"what": what, "name": name})


def _place_in_text(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""


_WORDS = {
    "string_unicode": "must not contain half of a surrogate pair",
    "missing": "is missing",
    "extra_forbidden": "is not a key that is known here",
    "string_type": "must be text (put it in quotes)",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "string_pattern_mismatch": "has characters that are not allowed",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}


def _sentence(error: ErrorDetails, data: Any) -> str:
    place = _place_in_project(error["loc"], data)
    words = _WORDS.get(error["type"]) or re.sub(r"^(Input|List|String) should ", "must ", error["msg"])
    return f"{place}: {words}" if place else words


def _place_in_project(location: tuple[int | str, ...], data: Any) -> str:
    """`("stages", 1, "steps", 0, "timeout")` as: stage 2 "Test", step 1 "unit": timeout."""
    parts, rest = [], list(location)
    here = data
    while len(rest) >= 2 and rest[0] in ("stages", "steps") and isinstance(rest[1], int):
        kind, index = str(rest.pop(0))[:-1], int(rest.pop(0))
        try:
            here = here[f"{kind}s"][index]
            name = here.get("name")
        except (KeyError, IndexError, TypeError, AttributeError):
            name = None
        parts.append(f"{kind} {index + 1}" + (f' "{name}"' if isinstance(name, str) else ""))
    where = ", ".join(parts)
    field = ".".join(str(part) for part in rest if part != "[key]")
    return ": ".join(part for part in (where, field) if part)
