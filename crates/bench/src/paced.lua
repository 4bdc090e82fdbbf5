-- Sends the requests of wrk.lua at a fixed rate, whether or not the ones before were answered.
--
-- wrk measures from the moment at which it sends, so a request that had to wait for a free
-- connection would look fast. Here each request has a moment at which it should be sent. It carries
-- its number as X-Request-Id, which the service answers, so its latency can be counted from that
-- moment. wrk's timer has a resolution of a millisecond. A request that it sends earlier than it
-- should is counted from when it was sent.
--
-- The third argument is the rate, in requests a second. It takes one thread.

local ffi = require("ffi")
ffi.cdef("struct timespec { long seconds; long nanoseconds; };" ..
    "int clock_gettime(int clock, struct timespec *time);")
local time = ffi.new("struct timespec")

-- Microseconds of the monotonic clock.
local function now()
    ffi.C.clock_gettime(1, time)
    return tonumber(time.seconds) * 1e6 + tonumber(time.nanoseconds) / 1e3
end

local plain_init, plain_request = init, request

function init(arguments)
    plain_init(arguments)
    interval = 1e6 / tonumber(arguments[3])
    -- How many requests have a place in the schedule, and how many were sent.
    planned, sent = 0, 0
    from, latencies, refused = {}, {}, 0
end

-- Called for a connection that is free: it takes the next place in the schedule.
function delay()
    begun = begun or now()
    local wait = begun + planned * interval - now()
    planned = planned + 1
    return math.max(0, math.floor(wait / 1e3))
end

function request()
    -- wrk asks for one request before it begins, to see what it is like.
    if not begun then return plain_request() end
    local should = begun + sent * interval
    sent = sent + 1
    from[sent] = math.min(should, now())
    return (plain_request():gsub("\r\n", "\r\nX-Request-Id: " .. sent .. "\r\n", 1))
end

function response(status, headers)
    local number = tonumber(headers["x-request-id"])
    latencies[#latencies + 1] = math.floor(now() - from[number])
    from[number] = nil
    if status >= 400 then refused = refused + 1 end
end

local the_thread
local plain_setup = setup

function setup(thread)
    plain_setup(thread)
    the_thread = thread
end

function done(summary)
    local all, errors = the_thread:get("latencies"), summary.errors
    table.sort(all)
    local function part(share) return all[math.max(1, math.ceil(#all * share))] or 0 end
    io.write(string.format(
        '{"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,' ..
            '"p50":%d,"p99":%d,"p999":%d,"max":%d}\n',
        #all, summary.duration, the_thread:get("refused"),
        errors.connect + errors.read + errors.write + errors.timeout,
        part(0.5), part(0.99), part(0.999), part(1)))
end
