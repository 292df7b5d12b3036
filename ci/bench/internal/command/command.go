// Package command is what the small programs have in common whose start is
// measured: flags, work of their own, and the sign that the data is at hand.
package command

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
)

// Flags are what the benchmark passes.
type Flags struct {
	Location string // of the data
	Plugin   string // the binary, for programs that don't look for it
	SHA256   string // of the plugin, in hex; empty: the usual protection is off
	Size     int    // how much data there must be
	Work     int    // how much the program does before it needs the data
	Linked   bool   // the backend runs in this process
	Later    bool   // the backend is opened in the background
}

// Parse reads the flags of this process.
func Parse() Flags {
	var f Flags
	flag.StringVar(&f.Location, "location", "", "where the data lies")
	flag.StringVar(&f.Plugin, "plugin", "", "path of the plugin")
	flag.StringVar(&f.SHA256, "sha256", "", "of the plugin: use AutoMTLS and SecureConfig")
	flag.IntVar(&f.Size, "size", 0, "bytes that are stored")
	flag.IntVar(&f.Work, "work", 0, "blocks to hash first")
	flag.BoolVar(&f.Linked, "linked", false, "use the backend that is linked in")
	flag.BoolVar(&f.Later, "background", false, "open in the background")
	flag.Parse()
	return f
}

// Work keeps one processor busy, as a program does that reads its flags and
// files. It is counted in blocks and not in time, so that it takes longer
// where something else needs the processor.
func Work(blocks int) {
	var block [4096]byte
	for range blocks {
		sum := sha256.Sum256(block[:])
		copy(block[:], sum[:])
	}
}

// AtHand tells the benchmark that the data is there.
func (f Flags) AtHand(data []byte) error {
	if len(data) != f.Size {
		return fmt.Errorf("%d bytes are stored, and not %d", len(data), f.Size)
	}
	_, err := os.Stdout.Write([]byte{'!'})
	return err
}

// Main ends the process with the outcome of run.
func Main(run func(Flags) error) {
	if err := run(Parse()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
