package redis

import (
	"context"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// readTimeout is longer than any call's own deadline, which is what ends it.
const readTimeout = time.Minute

// client is the connections of one store.
type client struct {
	goredis.UniversalClient
	cluster *goredis.ClusterClient // nil: none
}

// connect makes a client, which connects when it is used. Trying again is up to
// the store, that knows what was tried.
func connect(at place) client {
	options := at.options()
	switch {
	case at.master != "":
		c := goredis.NewFailoverClient(options.Failover())
		c.AddHook(witness{})
		return client{UniversalClient: c}
	case at.cluster:
		nodes := options.Cluster()
		nodes.DisableRoutingPolicies = true // they need COMMAND, which an ACL may forbid
		c := goredis.NewClusterClient(nodes)
		c.OnNewNode(func(node *goredis.Client) { node.AddHook(witness{}) })
		return client{c, c}
	}
	c := goredis.NewClient(options.Simple())
	c.AddHook(witness{})
	return client{UniversalClient: c}
}

func (at place) options() *goredis.UniversalOptions {
	return &goredis.UniversalOptions{
		Addrs:      at.addresses,
		MasterName: at.master,
		DB:         at.db,
		Dialer:     dialer{at.tls, at.insecure}.dial,
		Protocol:   2, // what 3 adds isn't used

		Username:         at.user.name,
		Password:         at.user.password,
		SentinelUsername: at.sentinel.name,
		SentinelPassword: at.sentinel.password,

		MaxRetries:    -1,
		DialerRetries: 1,
		DialTimeout:   dialTimeout,

		ReadTimeout:           readTimeout,
		ContextTimeoutEnabled: true,
		PipelinePoolSize:      -1, // there are few pipelines
		DisableIdentity:       true,
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled,
		},
	}
}

// node is where a key's commands go.
func (c client) node(ctx context.Context, name string) (*goredis.Client, error) {
	if c.cluster != nil {
		return c.cluster.MasterForKey(ctx, name)
	}
	return c.UniversalClient.(*goredis.Client), nil
}

// masters are all nodes that have items.
func (c client) masters(ctx context.Context) ([]*goredis.Client, error) {
	if c.cluster == nil {
		return []*goredis.Client{c.UniversalClient.(*goredis.Client)}, nil
	}
	var mu sync.Mutex
	var all []*goredis.Client
	err := c.cluster.ForEachMaster(ctx, func(_ context.Context, node *goredis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, node)
		return nil
	})
	return all, err
}

// carriedOut runs commands together. Each has its own error; what is returned is
// why none was sent, which go-redis doesn't note with the commands.
func carriedOut(ctx context.Context, pipe goredis.Pipeliner) error {
	commands, err := pipe.Exec(ctx)
	for _, c := range commands {
		if c.Err() != nil {
			return nil
		}
	}
	return err
}

// relearn asks a Cluster who has what; go-redis itself doesn't when a node is
// gone.
func (c client) relearn(ctx context.Context) {
	if c.cluster != nil {
		c.cluster.ReloadState(ctx)
	}
}
