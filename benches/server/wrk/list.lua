-- Pages of a group: KEY GROUP LIMIT ORDER FIRST LAST. The cursor is a random user between FIRST and LAST; LAST 0 means
-- the first page. GROUP may be FROM-TO: a random one of those.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  math.randomseed(4711 + number)
  wrk.headers["Authorization"] = "Bearer " .. arguments[1]
  local from, to = arguments[2]:match("(%d+)-(%d+)")
  from, to = tonumber(from), tonumber(to)
  local rest = "/users?limit=" .. arguments[3] .. "&order=" .. arguments[4]
  local first, last = tonumber(arguments[5]), tonumber(arguments[6])
  request = function()
    local path = string.format("/v1/organization/groups/group_%026d", math.random(from, to)) .. rest
    if last > 0 then
      path = path .. string.format("&after=user-%024d", math.random(first, last))
    end
    return wrk.format("GET", path)
  end
end
