"""What an operator can put right. Each message is one line that says what is wrong and what to do."""


class OperatorError(Exception):
    """A command cannot do what it was asked to, for a reason outside of the code."""
