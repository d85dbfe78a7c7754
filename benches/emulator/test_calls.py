"""A hundred tests that list, add and remove members through the official package: `run` times them against each server.

They check no answer, because mock servers store nothing.
"""

import os
import uuid

import openai
import pytest

ROOT = os.environ["OPENAI_ADMIN_BENCH_URL"]
# Whether the server isolates tests by a path prefix for each.
ISOLATES = os.environ["OPENAI_ADMIN_BENCH_ISOLATES"] == "1"


@pytest.mark.parametrize("number", range(100))
def test_members_come_and_go(number):
    base_url = f"{ROOT}/_ns/{uuid.uuid4().hex}/v1" if ISOLATES else f"{ROOT}/v1"
    client = openai.OpenAI(api_key="x", admin_api_key="x", base_url=base_url, max_retries=0)
    users = client.admin.organization.groups.users
    group, user = f"group_{100 + number:026d}", f"user-{1 + number:024d}"
    users.list(group, limit=100)
    users.create(group, user_id=user)
    users.list(group, limit=100)
    users.delete(user, group_id=group)
    users.list(group, limit=100)
