//go:build redis

package redisstore

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/msal/web"
)

// startCluster starts a Cluster of two masters.
func startCluster(t *testing.T) *goredis.ClusterClient {
	t.Helper()
	args := []string{"--cluster-enabled", "yes", "--cluster-node-timeout", "5000"}
	first, a := startServer(t, args...)
	second, b := startServer(t, args...)
	for _, err := range []error{
		a.ClusterAddSlotsRange(t.Context(), 0, 8191).Err(), b.ClusterAddSlotsRange(t.Context(), 8192, 16383).Err(),
		a.ClusterMeet(t.Context(), "127.0.0.1", strconv.Itoa(second)).Err(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, node := range []*goredis.Client{a, b} {
		eventually(t, "the Cluster is whole", func() error {
			info, err := node.ClusterInfo(t.Context()).Result()
			if err == nil && (!strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:2")) {
				err = fmt.Errorf("%s", info)
			}
			return err
		})
	}
	client := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{address(first), address(second)}})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestCluster(t *testing.T) {
	t.Parallel()
	w := &world{TB: t, Sessions: &Sessions{Store: New(startCluster(t), nil)}}
	const many = 100
	for i := range many {
		w.put(fmt.Sprint("session", i), web.Record{TokenKey: fmt.Sprint(web.TokenPrefix, i), Email: alice, Since: time.Now().Add(-time.Hour)})
	}
	if all := collect(t, w.Find(t.Context(), alice)); len(all) != many {
		t.Fatalf("%d of %d sessions are found", len(all), many)
	}
	if _, found, err := w.Store.Find("session7"); !found || err != nil {
		t.Errorf("found %t, %v", found, err)
	}
	if n, err := w.Clean(t.Context(), time.Minute); n != many || err != nil {
		t.Errorf("cleaned %d, %v", n, err)
	}
	if all, err := w.Store.All(); len(all) > 0 || err != nil {
		t.Errorf("%d are left, %v", len(all), err)
	}
}
