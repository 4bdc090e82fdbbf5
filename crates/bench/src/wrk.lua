-- Sends the requests of a file in turn, as fast as they are answered, and prints what wrk measured
-- as one line of JSON.
--
-- Arguments: the file, in which a character 1 divides whole requests; and a number. Where a request
-- has @unique-number@, a number of as many digits takes its place that no other request has.

local MARK = "@unique-number@"

local threads = 0

function setup(thread)
    thread:set("thread", threads)
    threads = threads + 1
end

function init(arguments)
    requests, turn = {}, thread
    local file = assert(io.open(arguments[1], "rb"))
    for text in (file:read("*a") .. "\1"):gmatch("([^\1]+)\1") do
        local pieces, from = {}, 1
        local first, last = text:find(MARK, from, true)
        while first do
            pieces[#pieces + 1] = text:sub(from, first - 1)
            from = last + 1
            first, last = text:find(MARK, from, true)
        end
        pieces[#pieces + 1] = text:sub(from)
        requests[#requests + 1] = pieces
    end
    file:close()
    number = (tonumber(arguments[2]) * 10 + thread) * 1e9
end

function request()
    turn = turn % #requests + 1
    local pieces = requests[turn]
    if #pieces == 1 then return pieces[1] end
    number = number + 1
    return table.concat(pieces, string.format("%015d", number))
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '{"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,' ..
            '"p50":%d,"p99":%d,"p999":%d,"max":%d}\n',
        summary.requests, summary.duration, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max))
end
