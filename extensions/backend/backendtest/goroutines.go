package backendtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"runtime/pprof"
	"strconv"
	"strings"
)

// leavesGoroutines tells its own watches' goroutines by a profiler label, which
// goroutines hand on to those that they start. The first watch has none: what
// a store starts once and keeps is no leak.
func leavesGoroutines(c *trial) {
	const watches = 20
	s, w, ok := c.watcher()
	if !ok {
		return
	}
	first := c.watch(w, "k")
	first.begin(s)
	first.cancel()
	mark := rand.Text()
	pprof.Do(c.ctx, pprof.Labels("backendtest", mark), func(context.Context) {
		var all []*watching
		for range watches {
			all = append(all, c.watch(w, "k"))
		}
		for _, x := range all {
			x.begin(s)
			x.cancel()
		}
	})
	left := 0
	if !c.eventually(func() bool { left = labelled(mark); return left < watches }) {
		c.Errorf("%d goroutines are left of %d watches that have ended", left, watches)
	}
}

// labelled counts the goroutines with a label. The profile's text form has
// records that begin "<count> @ <addresses>", with a line of labels next.
func labelled(mark string) int {
	var text bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&text, 1); err != nil {
		return 0
	}
	count, sum := 0, 0
	for line := range strings.Lines(text.String()) {
		if number, _, ok := strings.Cut(line, " @ "); ok {
			count, _ = strconv.Atoi(number)
		} else if strings.HasPrefix(line, "# labels:") && strings.Contains(line, mark) {
			sum += count
		}
	}
	return sum
}
