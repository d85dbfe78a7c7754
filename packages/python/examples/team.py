"""The code under test: keeps a group equal to a list of users, in spite of lost connections and rate limits."""

import time

import openai

ATTEMPTS_MAX = 3


def members(client, group_id):
    users = client.admin.organization.groups.users.list(group_id, limit=2)
    return {user.id for user in users}


def set_members(client, group_id, wanted, wait=time.sleep):
    """Add the missing users first, so that the group is never empty. Then remove the others."""
    users = client.admin.organization.groups.users
    present = members(client, group_id)
    for user_id in sorted(wanted - present):
        _repeat(lambda: users.create(group_id, user_id=user_id), wait)
    for user_id in sorted(present - wanted):
        _repeat(lambda: users.delete(user_id, group_id=group_id), wait)


def _repeat(request, wait):
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            return request()
        except openai.RateLimitError as error:
            if attempt == ATTEMPTS_MAX:
                raise
            wait(float(error.response.headers["retry-after"]))
        except openai.APIConnectionError:
            if attempt == ATTEMPTS_MAX:
                raise
        except openai.NotFoundError as error:
            if attempt > 1 and error.code == "not_a_member":
                return None  # An earlier attempt removed the user.
            raise
