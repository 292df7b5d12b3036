package redis

import (
	"context"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// subscription is one connection that hears of channels. What it is asked for
// follows what is watched by and by, so that who begins or ends a watch never
// waits for the server: go-redis keeps its own lock while it connects.
type subscription struct {
	*goredis.PubSub
	moved chan struct{}   // holds one: other channels are watched now
	asked map[string]bool // the channels; of the goroutine that follows
}

func newSubscription(sub *goredis.PubSub) *subscription {
	return &subscription{sub, make(chan struct{}, 1), map[string]bool{}}
}

func (s *subscription) differs() {
	select {
	case s.moved <- struct{}{}:
	default:
	}
}

// followTimeout is how long a server may take to be told of all channels.
const followTimeout = time.Second

// follow asks for the channels that are watched by now, and for the others no
// more: all by one command, with one time-out. A failure shows where the connection
// is read, and go-redis asks for the same on the next.
func (c *changes) follow(ctx context.Context, sub *subscription) {
	ctx, cancel := context.WithTimeout(ctx, followTimeout)
	defer cancel()
	more, fewer := c.difference(sub)
	if len(more) > 0 {
		_ = sub.Subscribe(ctx, more...)
	}
	if len(fewer) > 0 { // none would mean all
		_ = sub.Unsubscribe(ctx, fewer...)
	}
}

// difference tells what a subscription has to be asked for, and notes it as asked.
func (c *changes) difference(sub *subscription) (more, fewer []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for channel := range c.watches {
		if !sub.asked[channel] {
			more = append(more, channel)
		}
	}
	for channel := range sub.asked {
		if c.watches[channel] == nil {
			fewer = append(fewer, channel)
			delete(sub.asked, channel)
		}
	}
	for _, channel := range more {
		sub.asked[channel] = true
	}
	return more, fewer
}
