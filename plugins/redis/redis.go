// Package redis is the backend that keeps each item on a Redis server, so that
// several machines share them: a single server, the master that Sentinel names,
// or a Cluster. It is made for Redis 5 and later and what speaks its protocol
// (tested with 7.0), and needs EVAL, EVALSHA and the commands that the scripts
// of this package call.
//
// Nothing encrypts the items on the server. TLS protects them on the way alone:
// whoever reads the server's memory, its RDB and AOF files, its replicas or
// their backups, or signs in to it, reads tokens. Encrypt them before the store
// sees them where that matters.
//
// # Settings
//
//   - address: host:port, or several joined by ","; the path of a Unix socket.
//     Default: 127.0.0.1:6379, with master-name 127.0.0.1:26379. More than one
//     are nodes of a Cluster, or with master-name Sentinels.
//   - master-name: what Sentinel calls the master.
//   - cluster: "true" where the one address belongs to a Cluster.
//   - username, password: the ACL user. Where the host reads settings, as
//     package extensions does, password-file or password-env name where the
//     password is kept; so for the other two secrets.
//   - sentinel-username, sentinel-password: the Sentinels' own.
//   - db: the database's number. Default 0. A Cluster has no other.
//   - tls: "true" to speak TLS; what begins with tls- implies it.
//   - tls-ca-file: certificates, PEM, that sign the server's. Default: the
//     system's.
//   - tls-server-name: the name in the server's certificate. Default: the host of
//     the address.
//   - tls-cert-file, tls-key: the client's certificate, and its key as a secret.
//   - insecure: "true" lets tokens and the password go unencrypted to other
//     machines. Else anything but a loopback address or a Unix socket needs TLS.
//   - prefix: what the names of all keys begin with. Whoever shares items has the
//     same. Default: "msalext:" and 32 digits of the SHA-256 of the location as
//     written.
//   - ttl: how long an item stays after its last use, such as "720h"; loading and
//     saving are uses. It is counted to within a tenth. Default: for ever.
//   - wait-replicas: how many replicas must have acknowledged a change before it
//     counts. Default 0.
//
// # What is kept, and when it is lost
//
// A change is a script on the server that compares and swaps in one step. What
// it answers is in the server's memory; whether it survives is the server's
// configuration:
//
//   - appendfsync always: a crash of server or machine loses nothing that was
//     acknowledged. everysec: up to the last two seconds. Without AOF: all since
//     the last RDB snapshot.
//   - At a failover what the new master hadn't received is gone, and what an old
//     one still takes that hasn't been told. CLUSTER FAILOVER without FORCE loses
//     nothing. With wait-replicas a change that fewer replicas have acknowledged is
//     an error: nothing is lost if it is as many as there are replicas, since any
//     of them may become master. Then no change succeeds while one is away.
//   - Under memory pressure a maxmemory-policy other than noeviction removes
//     items, which then answer ErrNotFound: people sign in again. A warning says
//     so when the store is opened.
//
// A change that too few replicas acknowledged is stored all the same, and may or
// may not stay. So that nobody takes it for safe, loading that item from the same
// store fails too, for three seconds.
//
// The ACL user needs ~prefix:* &prefix:* +@read +@write +@scripting +@pubsub
// +ping +time; with db +select, with wait-replicas +wait, and in a Cluster
// +cluster|slots. Without the channels other processes notice changes late; with
// INFO and CONFIG GET the store learns what the server drops and how much it
// takes. The Sentinels' user needs +sentinel|get-master-addr-by-name
// +sentinel|sentinels +subscribe &+switch-master &+replica-reconf-done.
//
// Versions are random, so none comes back after a restart, a failover or an
// eviction.
package redis

import (
	"context"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

const name = "redis"

// Backend returns the backend "redis". It is safe for concurrent use. Each of
// its stores has connections of its own.
func Backend() backend.Backend { return usual }

var usual = &redisBackend{limits: usualLimits}

type redisBackend struct {
	limits limits
	warned onces
}

// limits are what tests set otherwise.
type limits struct {
	answer time.Duration // how long a call may take that has no earlier deadline
	open   time.Duration // how long Open may take
	beat   time.Duration // how often a subscription is tried
	look   time.Duration // how often a watched item is looked at without a notice
	lost   time.Duration // how long a watch goes on without a server
	doubt  time.Duration // how long an unconfirmed change isn't shown
}

var usualLimits = limits{
	answer: 10 * time.Second, open: 3 * time.Second,
	beat: 3 * time.Second, look: 5 * time.Second, lost: 10 * time.Second,
	doubt: 3 * time.Second,
}

func (*redisBackend) Describe() backend.Description {
	return backend.Description{
		Name: name, Version: "1",
		Settings: []backend.Setting{
			{Name: "address", Doc: "host:port, several joined by \",\", or the path of a Unix socket; default 127.0.0.1:6379"},
			{Name: "master-name", Doc: "what Sentinel calls the master; the addresses are Sentinels then"},
			{Name: "cluster", Doc: "true or false: whether a single address belongs to a Cluster; default false"},
			{Name: "username", Doc: "ACL user; default: the default user"},
			{Name: "password", Secret: true, Doc: "its password"},
			{Name: "sentinel-username", Doc: "ACL user of the Sentinels"},
			{Name: "sentinel-password", Secret: true, Doc: "its password"},
			{Name: "db", Doc: "number of the database; default 0"},
			{Name: "tls", Doc: "true or false: speak TLS; default false unless another tls- setting is there"},
			{Name: "tls-ca-file", Doc: "PEM file of certificates that sign the server's; default: the system's"},
			{Name: "tls-server-name", Doc: "name in the server's certificate; default: the address's host"},
			{Name: "tls-cert-file", Doc: "PEM file of the client's certificate"},
			{Name: "tls-key", Secret: true, Doc: "the client's key, PEM"},
			{Name: "insecure", Doc: "true or false: allow other machines without TLS; default false"},
			{Name: "prefix", Doc: "begin of all keys; default: msalext: and a hash of the location"},
			{Name: "ttl", Doc: "how long an item stays after its last use, as 720h; default: for ever"},
			{Name: "wait-replicas", Doc: "replicas that must acknowledge a change; default 0"},
		},
	}
}

// Open connects to the server, and warns once of a server that may drop items
// by itself. ErrUnavailable: nobody answers, or not in a way that lets the store
// work. ErrDenied: the server wants other credentials or another certificate.
// ErrInvalid: a setting is wrong, or would send tokens to another machine
// without TLS.
func (b *redisBackend) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	at, err := b.read(c)
	if err != nil {
		return nil, fail("open", err)
	}
	s := newStore(at, b.limits)
	if err := s.greet(ctx, b.limits.open, &b.warned); err != nil {
		_ = s.Close()
		return nil, fail("open", err)
	}
	return s, nil
}

func fail(op string, err error) error {
	return backend.Wrap(op, name, backend.ErrUnavailable, err)
}
