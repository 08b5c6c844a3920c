"""The one kind of error that is the user's to fix."""


class UserError(Exception):
    """Something that the user can fix; because of `for_user`, the mini-host shows the message without a stack trace."""

    for_user = True
