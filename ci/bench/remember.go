package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/msalext/msalext/ci/bench/internal/report"
	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/plugins/redis"
)

const (
	rememberRounds = 5
	rememberLoads  = 2000 // more than the store's own memory holds
	rememberSaves  = 50
)

// remembering adds to a row how much memory a program has that used many of n
// caches, with its plugin if there is one, and bounds it as it does the times.
// places are where the caches lie, in the order of crowdedAt.
func remembering(ctx context.Context, r *report.Row, how string, places []string) error {
	taken := make([][]float64, len(crowdedAt))
	for range rememberRounds {
		for i, n := range crowdedAt {
			megabytes, err := remembered(ctx, how, places[i], n)
			if err != nil {
				return err
			}
			taken[i] = append(taken[i], megabytes)
		}
	}
	for i, n := range crowdedAt {
		r.Count(fmt.Sprintf("%6d caches, %s, memory", n, how), taken[i], "MB")
	}
	growth := report.Middle(taken[2]) / report.Middle(taken[1])
	r.Need(growth <= growthBound, "%s, memory: %.3f ×", how, growth)
	return nil
}

func remembered(ctx context.Context, how, place string, n int) (megabytes float64, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, "remember", how, place, strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
}

// rememberChild uses caches of a crowd at random, and prints how much memory
// it and its plugin have.
func rememberChild(args []string) (err error) {
	ctx := context.Background()
	p, err := crowdAt(ctx, args[0], args[1])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	c := &caches{of: p}
	if c.n, err = strconv.Atoi(args[2]); err != nil {
		return err
	}
	for i := range rememberLoads {
		if err := c.load(ctx); err != nil {
			return err
		}
		if i%(rememberLoads/rememberSaves) > 0 {
			continue
		}
		if err := c.save(ctx); err != nil {
			return err
		}
	}
	debug.FreeOSMemory()
	pages, err := residentPages(os.Getpid())
	fmt.Println(float64(pages*os.Getpagesize()) / 1e6)
	return err
}

func crowdAt(ctx context.Context, how, place string) (*extensions.Persistence, error) {
	if how == "redis" {
		o := &extensions.Options{InProcess: []backend.Backend{redis.Backend()}}
		return openRedis(ctx, place, filepath.Join(os.TempDir(), "cache"), o)
	}
	return counted(ctx, how, place)
}

// residentPages are those of a process and of its children.
func residentPages(pid int) (pages int, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	const parent, resident = 1, 21 // counted from behind the name; proc(5)
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(after)
		if len(fields) <= resident || fields[parent] != strconv.Itoa(pid) && filepath.Base(filepath.Dir(path)) != strconv.Itoa(pid) {
			continue
		}
		n, err := strconv.Atoi(fields[resident])
		if err != nil {
			return 0, err
		}
		pages += n
	}
	return pages, nil
}
