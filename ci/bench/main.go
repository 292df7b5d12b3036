// Command bench measures this project beside what people use in its place: the
// official extension for Go, the one for Python, go-plugin as it comes, and
// MSAL's own cache in memory. It prints a table, and fails where a bound that
// the project promises doesn't hold. ci/bench/run builds and starts it.
//
// It runs on Linux: it looks into /proc and counts system calls.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/msalext/msalext/ci/bench/internal/report"
)

// sizes are the numbers of entries that caches are measured with.
var sizes = []int{10, 100, 1000, 10000}

// A bench is one run.
type bench struct {
	rounds int
	dir    string // on disk, emptied at the end
	memory string // on a tmpfs
	bin    string // where the programs lie
	python string
}

// rows are the questions, in the order of their numbers.
var rows = []struct {
	name string
	run  func(context.Context, *bench) (*report.Row, error)
}{
	{"race", race},
	{"silent", silent},
	{"silent-client", silentClient},
	{"search", search},
	{"start", start},
	{"letgo", letGo},
	{"modify", modify},
	{"share", share},
	{"gains", gains},
	{"gains-together", gainsTogether},
	{"libsecret", libsecret},
	{"sqlite", sqliteGrowth},
	{"contention", contention},
	{"redis", redisGrowth},
	{"redis-together", redisTogether},
	{"trust", trust},
	{"web", webRow},
}

func main() {
	if len(os.Args) > 1 && children[os.Args[1]] != nil {
		exit(children[os.Args[1]](os.Args[2:]))
	}
	only := flag.String("only", "", "regular expression of the rows to run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, *only))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, only string) (err error) {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	b, err := prepare()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir), os.RemoveAll(b.memory)) }()
	var missed []string
	for i, row := range rows {
		if !pattern.MatchString(row.name) {
			continue
		}
		began := time.Now()
		r, err := row.run(ctx, b)
		if err != nil {
			r = &report.Row{Name: "it could not be measured"}
			r.Need(false, "%v", err)
		}
		r.Name = fmt.Sprintf("%d. %s: %s (%.0f s)", i+1, row.name, r.Name, time.Since(began).Seconds())
		r.Print(os.Stdout)
		for _, miss := range r.Misses() {
			missed = append(missed, fmt.Sprintf("row %d, %s: %s", i+1, row.name, miss))
		}
	}
	fmt.Println()
	if len(missed) > 0 {
		return fmt.Errorf("bounds are missed\n%s", strings.Join(missed, "\n"))
	}
	return nil
}

// prepare reads the environment: BENCH_ROUNDS (100), BENCH_PYTHON (an
// interpreter that has msal-extensions), BENCH_DISK and BENCH_MEMORY (a
// directory on a disk, and one on a tmpfs).
func prepare() (*bench, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b := &bench{rounds: 100, bin: filepath.Dir(self), python: env("BENCH_PYTHON", "python3")}
	if text := os.Getenv("BENCH_ROUNDS"); text != "" {
		if b.rounds, err = strconv.Atoi(text); err != nil || b.rounds < 1 {
			return nil, fmt.Errorf("BENCH_ROUNDS is %q", text)
		}
	}
	if b.dir, err = os.MkdirTemp(env("BENCH_DISK", filepath.Dir(b.bin)), "data-"); err != nil {
		return nil, err
	}
	if b.memory, err = os.MkdirTemp(env("BENCH_MEMORY", "/dev/shm"), "msalext-bench-"); err != nil {
		return nil, err
	}
	if err := b.temporary(); err != nil {
		return nil, err
	}
	fmt.Printf("%d rounds; %d processors, load %s; disk: %s (%s); memory: %s (%s)\n", b.rounds,
		runtime.NumCPU(), load(), b.dir, fileSystem(b.dir), b.memory, fileSystem(b.memory))
	return b, nil
}

// temporary puts the sockets of all plugins, ours and others, on the tmpfs, as
// on a desktop. A new directory costs up to half a millisecond on a disk.
func (b *bench) temporary() error {
	return errors.Join(os.Mkdir(b.sockets(), 0o700), os.Setenv("XDG_RUNTIME_DIR", b.sockets()), os.Setenv("TMPDIR", b.memory))
}

// sockets is where our plugins have their sockets.
func (b *bench) sockets() string { return filepath.Join(b.memory, "run") }

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
