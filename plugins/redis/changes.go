package redis

import (
	"context"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// changes hears of changed items, for all watches of a store by one connection,
// which is there as long as there are watches.
type changes struct {
	client client
	beat   time.Duration

	mu      sync.Mutex
	watches map[string]map[*watch]bool // by channel
	current *subscription              // nil between two connections
	stop    context.CancelFunc         // ends what listens; nil: nothing does
}

// watch is who hears of one item.
type watch struct {
	channel string
	woken   chan struct{} // holds one
}

func (w *watch) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// join makes a watch hear of its channel. It is woken also when the connection
// has come about, or again: what was published before wasn't heard.
func (c *changes) join(channel string) *watch {
	w := &watch{channel, make(chan struct{}, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watches == nil {
		c.watches = map[string]map[*watch]bool{}
	}
	first := c.watches[channel] == nil
	if first {
		c.watches[channel] = map[*watch]bool{}
	}
	c.watches[channel][w] = true
	switch {
	case c.stop == nil:
		ctx, stop := context.WithCancel(context.Background())
		c.stop = stop
		go c.listen(ctx)
	case first && c.current != nil:
		c.current.differs()
	case !first:
		w.wake()
	}
	return w
}

func (c *changes) leave(w *watch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.watches[w.channel], w)
	if len(c.watches[w.channel]) > 0 {
		return
	}
	delete(c.watches, w.channel)
	switch {
	case len(c.watches) == 0:
		c.stop()
		c.stop = nil
		c.drop()
	case c.current != nil:
		c.current.differs()
	}
}

// drop ends the connection, and with it the reading of it. Closing may have to
// wait until it is connected. c.mu is held.
func (c *changes) drop() {
	if c.current != nil {
		go c.current.Close()
		c.current = nil
	}
}

// listen connects, and again whenever the connection is lost, until ctx ends.
func (c *changes) listen(ctx context.Context) {
	const longest = time.Second
	for pause := 10 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, longest) {
		if sub := c.subscribed(ctx); sub != nil && c.hear(ctx, sub) {
			pause = 10 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
			c.client.relearn(ctx)
		}
	}
}

// subscribed is a subscription to all channels of the moment; nil: they are
// gone.
func (c *changes) subscribed(ctx context.Context) *subscription {
	sub := c.begun(ctx)
	if sub != nil {
		c.follow(ctx, sub)
	}
	return sub
}

// begun is a subscription to nothing yet, for which nobody has to wait.
func (c *changes) begun(ctx context.Context) *subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil {
		return nil
	}
	c.drop()
	c.current = newSubscription(c.client.Subscribe(ctx))
	return c.current
}

// hear wakes watches until the connection is lost. It tells whether there was
// one.
func (c *changes) hear(ctx context.Context, sub *subscription) (connected bool) {
	ctx, done := context.WithCancel(ctx)
	defer done()
	go c.keepUp(ctx, sub)
	for {
		message, err := c.receive(ctx, sub)
		if err != nil {
			return connected
		}
		connected = true
		switch m := message.(type) {
		case *goredis.Subscription:
			c.wake(m.Channel)
		case *goredis.Message:
			c.wake(m.Channel)
		}
	}
}

// receive waits for as long as a server that is there lets nobody wait: it
// answers each beat. One that vanished closes no connection.
func (c *changes) receive(ctx context.Context, sub *subscription) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*c.beat)
	defer cancel()
	return sub.Receive(ctx)
}

func (c *changes) keepUp(ctx context.Context, sub *subscription) {
	beat := time.NewTicker(c.beat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sub.moved:
			c.follow(ctx, sub)
		case <-beat.C:
			limited, cancel := context.WithTimeout(ctx, c.beat)
			_ = sub.Ping(limited) // a failure shows where it is received
			cancel()
		}
	}
}

func (c *changes) wake(channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for w := range c.watches[channel] {
		w.wake()
	}
}
