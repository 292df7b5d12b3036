package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"

	"github.com/msalext/msalext/ci/bench/internal/report"
)

const (
	hammers    = 8
	hammerTime = 500 * time.Millisecond
	shareBound = 0.7
)

// A gang is processes that all change one cache as often as they can.
type gang struct {
	kind     string
	location string
	running  []*hammer

	least []float64 // in each round, the smallest part of an even share
	made  []float64 // in each round, how many changes all made
}

type hammer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// share measures whether each of several processes has its turn.
func share(ctx context.Context, b *bench) (*report.Row, error) {
	r := &report.Row{
		Name:  fmt.Sprintf("%d processes change one cache as often as they can", hammers),
		Bound: fmt.Sprintf("whoever has the least has %.1f of an even share (median of the rounds); nothing is lost", shareBound),
	}
	var gangs []*gang
	var variants []report.Variant
	for _, kind := range []string{"ours", "official"} {
		g, err := newGang(ctx, kind, filepath.Join(b.dir, "share-"+kind, "counter"))
		if err != nil {
			return nil, err
		}
		gangs = append(gangs, g)
		variants = append(variants, report.Variant{Name: kind, Once: g.round})
	}
	_, err := report.Rounds(b.rounds, variants)
	lost := make([]string, len(gangs))
	for i, g := range gangs {
		var lostErr error
		lost[i], lostErr = g.end()
		err = errors.Join(err, lostErr)
	}
	if err != nil {
		return nil, err
	}
	for i, name := range []string{"ours, in process", "the official extension"} {
		g := gangs[i]
		r.Count(name+": least share", g.least[1:], fmt.Sprintf("worst %.2f", slices.Min(g.least[1:])))
		r.Count(name+": changes in "+hammerTime.String(), g.made[1:], lost[i])
	}
	least := report.Middle(gangs[0].least[1:])
	r.Need(least >= shareBound, "the least share is %.2f", least)
	r.Need(strings.HasPrefix(lost[0], "0 "), "of ours %s", lost[0])
	return r, nil
}

func newGang(ctx context.Context, kind, location string) (*gang, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Dir(location), 0o700); err != nil {
		return nil, err
	}
	g := &gang{kind: kind, location: location}
	for range hammers {
		cmd := exec.CommandContext(ctx, self, "hammer", kind, location)
		cmd.Stderr = os.Stderr
		in, err1 := cmd.StdinPipe()
		out, err2 := cmd.StdoutPipe()
		if err := errors.Join(err1, err2, cmd.Start()); err != nil {
			return nil, err
		}
		g.running = append(g.running, &hammer{cmd, in, bufio.NewScanner(out)})
	}
	return g, nil
}

// round lets all hammer from the same moment on, and notes what each did.
func (g *gang) round() (time.Duration, error) {
	from := time.Now().Add(20 * time.Millisecond)
	for _, h := range g.running {
		if _, err := fmt.Fprintln(h.in, from.UnixNano()); err != nil {
			return 0, err
		}
	}
	total, least := 0, 1<<62
	for _, h := range g.running {
		if !h.out.Scan() {
			return 0, errors.New("a process ended early")
		}
		n, err := strconv.Atoi(h.out.Text())
		if err != nil {
			return 0, err
		}
		total, least = total+n, min(least, n)
	}
	g.made = append(g.made, float64(total))
	g.least = append(g.least, float64(least)*hammers/float64(max(total, 1)))
	return time.Since(from), nil
}

// end lets the processes go, and compares what they did with what is stored.
func (g *gang) end() (string, error) {
	var errs []error
	for _, h := range g.running {
		errs = append(errs, h.in.Close(), h.cmd.Wait())
	}
	data, err := os.ReadFile(g.location)
	made := 0
	for _, n := range g.made {
		made += int(n)
	}
	kept, _ := strconv.Atoi(string(data))
	return fmt.Sprintf("%d of %d changes are lost", made-kept, made), errors.Join(append(errs, err)...)
}

// hammerChild counts a number up, in each time that it is given.
func hammerChild(args []string) error {
	change, err := hammerOf(args[0], args[1])
	if err != nil {
		return err
	}
	rounds := bufio.NewScanner(os.Stdin)
	for rounds.Scan() {
		nano, err := strconv.ParseInt(rounds.Text(), 10, 64)
		if err != nil {
			return err
		}
		from := time.Unix(0, nano)
		time.Sleep(time.Until(from))
		n := 0
		for ; time.Since(from) < hammerTime; n++ {
			if err := change(); err != nil {
				return err
			}
		}
		fmt.Println(n)
	}
	return rounds.Err()
}

func hammerOf(kind, location string) (func() error, error) {
	ctx := context.Background()
	if kind == "ours" {
		p, err := openedItem(ctx, location)
		return func() error {
			return p.Update(ctx, func(old []byte) ([]byte, error) { return oneMore(old) })
		}, err
	}
	c, err := official(location)
	n := &number{}
	return func() error {
		if err := c.Replace(ctx, n, cache.ReplaceHints{}); err != nil {
			return err
		}
		return c.Export(ctx, n, cache.ExportHints{})
	}, err
}

func oneMore(text []byte) ([]byte, error) {
	if len(text) == 0 {
		return []byte("1"), nil
	}
	n, err := strconv.Atoi(string(text))
	return strconv.AppendInt(nil, int64(n)+1, 10), err
}

// number is a cache for the official extension that holds a count alone. It is
// one more when it is written than when it was read.
type number struct{ text []byte }

func (n *number) Unmarshal(text []byte) error {
	_, err := oneMore(text)
	n.text = text
	return err
}

func (n *number) Marshal() ([]byte, error) { return oneMore(n.text) }
