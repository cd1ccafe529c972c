-- For wrk: asks for the paths of the file $PATHS in turn, with the bearer token $TOKEN; prints "PERCENTILE_95 ms, requests a second, answers
-- that are no 200".
local paths, at = {}, 0
for line in io.lines(os.getenv("PATHS")) do paths[#paths + 1] = line end
local headers = {Authorization = "Bearer " .. os.getenv("TOKEN"), ["Accept-Encoding"] = os.getenv("CODING")}

function request()
	at = at % #paths + 1
	return wrk.format("GET", paths[at], headers)
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format("%.1f %.0f %d\n", latency:percentile(95) / 1000, summary.requests / summary.duration * 1e6,
		e.connect + e.read + e.write + e.status + e.timeout))
end
