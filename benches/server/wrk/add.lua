-- Adds: KEY FIRST_GROUP GROUPS START USERS. Each add is a new membership: the groups take turns, and a user comes only
-- once all groups have the one before.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  local first_group, groups = tonumber(arguments[2]), tonumber(arguments[3])
  local count, users = tonumber(arguments[4]), tonumber(arguments[5])
  wrk.headers["Authorization"] = "Bearer " .. arguments[1]
  wrk.headers["Content-Type"] = "application/json"
  request = function()
    count = count + 1
    -- Two threads, each with every second user.
    local user = 1 + (2 * math.floor(count / groups) + number) % users
    local path = string.format("/v1/organization/groups/group_%026d/users", first_group + count % groups)
    return wrk.format("POST", path, nil, string.format('{"user_id":"user-%024d"}', user))
  end
end
