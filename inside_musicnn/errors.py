"""The errors that a reader is meant to read."""

from inside_musicnn.file_names import visible


class InputError(ValueError):
    """An error that a reader can act on, told in one sentence.

    A notebook shows the sentence alone, without a traceback; the command line prints it and
    ends with exit code 2. Odd characters in it, from names of files, are shown as escapes.
    """

    def __str__(self) -> str:
        return visible(super().__str__())

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython shows in place of a traceback: the sentence."""
        return [str(self)]


class RunError(RuntimeError):
    """A chapter or the site failed; the command line prints the message and ends with 1."""
