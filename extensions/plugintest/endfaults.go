package plugintest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func endFaults() []fault {
	return []fault{
		{"goes on when its input ends", "The process ends within 2 seconds once its standard input has ended.", func(x *examination) {
			x.endsAfter("its standard input ended", func(d *direct) { _ = d.stdin.Close() })
		}},
		{"goes on when its connection ends", "The process ends within 2 seconds once its last connection has ended.", func(x *examination) {
			x.endsAfter("its connection ended", func(d *direct) {
				_ = d.conn.Close()
				d.conn = nil
			})
		}},
		{"forgets items with its process", "What was saved is there for the next process.", forgetsWithProcess},
		{"outlives its host", "When the host is killed, the plugin ends by itself.", func(x *examination) { x.killHost(outlives) }},
		{"loses items when its host is killed", "What Save has answered for is there after a kill -9 of the host; what it hasn't is whole or not there.", func(x *examination) {
			for range 3 {
				x.killHost(keeps)
			}
		}},
	}
}

func (x *examination) endsAfter(what string, let func(*direct)) {
	d := x.launch(plain)
	d.connect()
	d.open()
	let(d)
	if !d.ends() {
		x.Errorf("%s after %s it still runs", patience, what)
	}
}

func forgetsWithProcess(x *examination) {
	path := x.place()
	first := x.start()
	s := first.open(path)
	first.save(s, "", "main", backend.None)
	first.save(s, "k", "data", backend.None)
	first.close(s)
	s = x.start().open(path)
	for key, want := range map[string]string{"": "main", "k": "data"} {
		blob, err := s.Load(x.ctx, key, backend.None)
		if err != nil || string(blob.Data) != want {
			x.Errorf("the item %q: %d bytes, want %d: %v", key, len(blob.Data), len(want), err)
		}
	}
}

// A victim is a host that was killed while it saved.
type victim struct {
	path   string
	plugin int // its plugin's process id
	last   int // the last number that it told to be saved
}

// killHost lets a child save through a plugin of its own, and kills it.
func (x *examination) killHost(judge func(*examination, victim)) {
	if x.options.Child == nil {
		x.pass("there is no other process to be killed: see Options.Child")
	}
	v := victim{path: x.place()}
	c, err := x.options.child(x.ctx, job{Kind: jobSave, Path: v.path})
	if err != nil {
		x.Fatalf("start a host: %v", err)
	}
	x.atEnd(func() { _ = c.cmd.Process.Kill() })
	const underWay = 20
	for n := range underWay {
		if line, err := c.lines.ReadString('\n'); err != nil {
			x.Fatalf("the host ends before it is killed: %v", errors.Join(err, c.wait()))
		} else if n == 0 {
			v.plugin, _ = strconv.Atoi(strings.TrimSpace(line))
		}
	}
	if err := c.cmd.Process.Kill(); err != nil {
		x.Fatalf("kill the host: %v", err)
	}
	v.last = c.lastLine(underWay - 1)
	_ = c.cmd.Wait()
	x.atEnd(func() { endLeftover(v.plugin) })
	judge(x, v)
}

// lastLine reads what was told before the end.
func (r *running) lastLine(last int) int {
	rest, _ := io.ReadAll(r.lines)
	for line := range strings.Lines(string(rest)) {
		if n, err := strconv.Atoi(strings.TrimSuffix(line, "\n")); err == nil && strings.HasSuffix(line, "\n") {
			last = n
		}
	}
	return last
}

func outlives(x *examination, v victim) {
	if !ended(v.plugin) {
		x.Errorf("%s after its host was killed, the plugin still runs", patience)
	}
}

// ended waits for the end of a process that isn't a child of this one.
func ended(pid int) bool {
	for deadline := time.Now().Add(patience); alive(pid); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

func keeps(x *examination, v victim) {
	ended(v.plugin)
	s := x.start().open(v.path)
	blob, err := s.Load(x.ctx, savedKey, backend.None)
	if err != nil {
		x.Fatalf("after the kill, load: %v", err)
	}
	var n int
	_, err = fmt.Sscanf(string(blob.Data[:min(9, len(blob.Data))]), "%d", &n)
	switch {
	case err != nil || !bytes.Equal(blob.Data, numbered(n, s.Info().MaxBytes)):
		x.Errorf("after the kill, the item is no value that was saved")
	case n < v.last || n > v.last+1:
		x.Errorf("value %d was saved when the host was killed, and value %d is stored", v.last, n)
	}
	if _, err := s.Save(x.ctx, savedKey, []byte("after"), blob.Version); err != nil {
		x.Errorf("after the kill, save: %v", err)
	}
}
