//go:build e2e

package e2e

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/examples/webapp/cloud"
	"github.com/msalext/msalext/msal/msaltest"
)

// people is how many use the app at once.
const people = 200

// crowd is the app as two processes behind a balancer, on a Redis master with a
// replica, and people whose tokens last for some seconds.
type crowd struct {
	testing.TB
	cloud   *cloud.Cloud
	redis   *cluster
	env     []string
	ports   []string
	servers []*server
	app     string
	people  []*person

	mu      sync.Mutex
	took    []time.Duration
	away    int
	signIns int
	wrong   []error
}

func newCrowd(t testing.TB) *crowd {
	t.Helper()
	c := &crowd{TB: t, redis: startCluster(t), ports: []string{freePort(t), freePort(t)}}
	var err error
	if c.cloud, err = cloud.Start(&msaltest.Options{ExpiresIn: 3 * time.Second}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.cloud.Close)
	balancer := startBalancer(t, []string{"127.0.0.1:" + c.ports[0], "127.0.0.1:" + c.ports[1]})
	c.app = balancer.URL
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	c.env = append(c.cloud.Env(), "REDIS=127.0.0.1:"+c.redis.sentinel.port, "WEBAPP_REDIS_MASTER="+masterName, "WEBAPP_REPLICAS=1",
		"WEBAPP_KEY="+base64.StdEncoding.EncodeToString(key), "WEBAPP_TLS=off", "DOMAIN="+c.app)
	for i := range c.ports {
		c.servers = append(c.servers, c.startServer(i))
	}
	transport := balancer.Client().Transport.(*http.Transport)
	transport.MaxIdleConnsPerHost = people
	for i := range people {
		p, err := newPerson(fmt.Sprintf("user%03d@contoso.example", i), c.app, transport, c.cloud)
		if err != nil {
			t.Fatal(err)
		}
		c.people = append(c.people, p)
	}
	return c
}

func (c *crowd) startServer(i int) *server {
	return startApp(c.TB, append(slices.Clone(c.env), "WEBAPP_LISTEN=127.0.0.1:"+c.ports[i])...)
}

// each lets everybody do something, 20 at a time.
func (c *crowd) each(ctx context.Context, do func(context.Context, *person) error) {
	c.Helper()
	var wg sync.WaitGroup
	turns := make(chan struct{}, 20)
	for _, p := range c.people {
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			_, err := insist(ctx, func(ctx context.Context) error { return do(ctx, p) })
			c.note(err)
		})
	}
	wg.Wait()
}

// use is one person's use of the app until then: now and then a sign-in afresh,
// or two requests at once, which mostly reach both servers. Nothing is
// interrupted: who hangs up while a sign-in replaces a session has none.
func (c *crowd) use(ctx context.Context, p *person, then time.Time) {
	for time.Now().Before(then) {
		switch mathrand.IntN(20) {
		case 0:
			away, err := insist(ctx, p.signIn)
			c.count(0, away, 1, err)
		case 1:
			var wg sync.WaitGroup
			wg.Go(func() { c.ask(ctx, p) })
			wg.Go(func() { c.ask(ctx, p) })
			wg.Wait()
		default:
			c.ask(ctx, p)
		}
		time.Sleep(time.Duration(1000+mathrand.IntN(2000)) * time.Millisecond)
	}
}

func (c *crowd) ask(ctx context.Context, p *person) {
	var took time.Duration
	away, err := insist(ctx, func(ctx context.Context) error {
		began := time.Now()
		err := p.whoAmI(ctx)
		took = time.Since(began)
		return err
	})
	c.count(took, away, 0, err)
}

func (c *crowd) count(took time.Duration, away, signIns int, err error) {
	c.note(err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away += away
	c.signIns += signIns
	if took > 0 && err == nil {
		c.took = append(c.took, took)
	}
}

func (c *crowd) note(err error) {
	if err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, err)
}

// TestCrowd: nobody is signed out, every answer belongs to who asked, and no token
// is lost, while a server is killed and comes back and the Redis master is killed
// and its replica takes over.
func TestCrowd(t *testing.T) {
	c := newCrowd(t)
	lasts := 2 * time.Minute
	if testing.Short() {
		lasts = 15 * time.Second
	}
	c.each(t.Context(), func(ctx context.Context, p *person) error { return p.signIn(ctx) })
	c.failOn("signing in")

	var wg sync.WaitGroup
	began := time.Now()
	for _, p := range c.people {
		wg.Go(func() { c.use(t.Context(), p, began.Add(lasts)) })
	}
	time.Sleep(lasts / 5)
	c.servers[0].kill(t)
	time.Sleep(lasts / 10)
	c.servers[0] = c.startServer(0)
	time.Sleep(lasts / 10)
	unwritable := c.redis.failover(t)
	wg.Wait()

	c.each(t.Context(), func(ctx context.Context, p *person) error { return p.whoAmI(ctx) })
	c.report(lasts, unwritable)
	c.failOn("in the crowd")
	c.checkStores()
	for _, s := range c.servers { // while the stores are there, so that all can be stored
		s.stop(t)
	}
}

func (c *crowd) failOn(when string) {
	c.Helper()
	signed := 0
	for _, err := range c.wrong {
		if _, ok := errors.AsType[*signedOut](err); ok {
			signed++
		}
	}
	for _, err := range c.wrong[:min(len(c.wrong), 10)] {
		c.Errorf("%s: %v", when, err)
	}
	if len(c.wrong) > 0 {
		c.Fatalf("%s: %d answers were wrong, %d of them to people who were signed out", when, len(c.wrong), signed)
	}
}

func (c *crowd) report(lasts, unwritable time.Duration) {
	slices.Sort(c.took)
	if len(c.took) == 0 {
		c.Fatal("nobody was answered")
	}
	at := func(q float64) time.Duration {
		return c.took[int(q*float64(len(c.took)-1))].Round(100 * time.Microsecond)
	}
	c.Logf("%d people, %s: %d answers (%.0f a second), each to who asked; median %s, 99 %% within %s, longest %s",
		people, lasts, len(c.took), float64(len(c.took))/lasts.Seconds(), at(0.5), at(0.99), at(1))
	c.Logf("%d sign-ins meanwhile, %d tokens refreshed; nobody was signed out", c.signIns, c.cloud.Entra().Count(msaltest.KindTokenRefresh))
	c.Logf("a server was killed and started again; the Redis master was killed, and %s later its successor had a replica; %d requests were answered 5xx or not at all, and sent again",
		unwritable.Round(100*time.Millisecond), c.away)
}

// checkStores looks for what nobody owns and for who owns nothing.
func (c *crowd) checkStores() {
	c.Helper()
	client := c.redis.master.client(c)
	sessions, err1 := client.Keys(c.Context(), "scs:session:*").Result()
	tokens, err2 := client.Keys(c.Context(), "webapp:web%2Fsession%2F*").Result()
	if err := errors.Join(err1, err2); err != nil {
		c.Fatal(err)
	}
	c.Logf("%d sessions and %d token items are stored", len(sessions), len(tokens))
	if len(sessions) < people || len(tokens) < people {
		c.Errorf("%d sessions and %d token items for %d people", len(sessions), len(tokens), people)
	}
}
