package redis

import goredis "github.com/redis/go-redis/v9"

// An item is a hash of these fields:
//
//	v  its version: random, made by whoever saved it
//	d  its data
//	m  when it was saved, in microseconds since 1970 by the server's clock
//	x  there if Expire set its time to live, which the setting ttl then leaves alone
//
// Each script has one key and is one step, so they are safe in a Cluster, and
// nobody sees half of a change. A change is published on the channel that is
// called as the key is, with the new version as message.

// What scripts answer first.
const (
	conflict  = 0  // the item hasn't the version that was named
	done      = 1  // as asked
	unchanged = 2  // it has the version at hand
	unheard   = 3  // done, but the user may not publish
	absent    = 4  // nothing is stored
	damaged   = -1 // there is something, and it isn't an item
)

// item begins each script: version is "" where nothing is stored, nil where
// something else is.
const item = `
local key = KEYS[1]
local version = nil
local kind = redis.call('TYPE', key)['ok']
if kind == 'none' then
	version = ''
elseif kind == 'hash' and redis.call('HSTRLEN', key, 'd') > 0 then
	version = redis.call('HGET', key, 'v') or nil
end
if not version then
	return {-1}
end

-- The time to live is renewed when a tenth of it has passed, since renewing is
-- a write, which is logged and sent to replicas. A server that takes no writes
-- just now can be read all the same.
local function renew(ttl)
	if ttl > 0 and redis.call('HEXISTS', key, 'x') == 0 then
		local left = redis.call('PTTL', key)
		if left < 0 or left * 10 < ttl * 9 then
			redis.pcall('PEXPIRE', key, ttl)
		end
	end
end

local function publish(version)
	local answer = redis.pcall('PUBLISH', key, version)
	if type(answer) == 'table' and answer['err'] then
		return {3}
	end
	return {1}
end
`

// loadScript: version at hand, ttl in ms; answers version and data.
var loadScript = goredis.NewScript(item + `
if version == '' then
	return {4}
end
renew(tonumber(ARGV[2]))
if version == ARGV[1] then
	return {2}
end
return {1, version, redis.call('HGET', key, 'd')}
`)

// saveScript: base, new version, data, ttl in ms. What has the new version
// already was sent before, and its answer was lost. It is written once more all
// the same, for WAIT waits for the last thing that its connection wrote.
var saveScript = goredis.NewScript(item + `
if version == ARGV[2] then
	redis.call('HSET', key, 'v', version)
	return {1}
end
if version ~= ARGV[1] then
	return {0}
end
local now = redis.call('TIME')
redis.call('HSET', key, 'v', ARGV[2], 'd', ARGV[3], 'm', now[1] .. string.format('%06d', now[2]))
renew(tonumber(ARGV[4]))
return publish(ARGV[2])
`)

// deleteScript: base, and "again" where an earlier try may have done it. Then
// something is written for WAIT, though there is nothing to delete.
var deleteScript = goredis.NewScript(item + `
if version == '' and ARGV[2] == 'again' then
	redis.call('SET', key, '')
	redis.call('DEL', key)
	return {1}
end
if version ~= ARGV[1] then
	return {0}
end
if version == '' then
	return {1}
end
redis.call('DEL', key)
return publish('')
`)

// expireScript: ttl in ms; 0: for ever.
var expireScript = goredis.NewScript(item + `
if version == '' then
	return {4}
end
local ttl = tonumber(ARGV[1])
redis.call('HSET', key, 'x', '1')
if ttl > 0 then
	redis.call('PEXPIRE', key, ttl)
else
	redis.call('PERSIST', key)
end
return publish(version)
`)

// lookScript answers the version, and after how many ms the item goes.
var lookScript = goredis.NewScript(item + `
return {1, version, redis.call('PTTL', key)}
`)
