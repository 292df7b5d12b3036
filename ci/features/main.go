// Command features checks that each feature in a table is shown by a test that
// ran:
//
//	go test -json ./... | go run ./ci/features print EVENTS
//	go run ./ci/features check TABLE.md EVENTS...
//
// print copies what it reads to the file EVENTS, and prints what go test
// without -json would. check reads the table and the events, of several runs
// where tests need different machinery, tells each row that nothing shows, and
// exits with 1 if there is one.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "features:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	switch {
	case len(args) == 2 && args[0] == "print":
		return record(args[1], in, out)
	case len(args) >= 3 && args[0] == "check":
		return check(args[1], args[2:], out)
	}
	return errors.New("want print EVENTS, or check TABLE.md and EVENTS")
}

// record is for the print command.
func record(path string, in io.Reader, out io.Writer) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	err = show(io.TeeReader(in, file), out)
	return errors.Join(err, file.Close())
}

func check(table string, events []string, out io.Writer) error {
	text, err := os.ReadFile(table)
	if err != nil {
		return err
	}
	rows, err := rowsOf(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	got := results{}
	for _, path := range events {
		if err := got.read(path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	wrong := judge(rows, got)
	for _, w := range wrong {
		fmt.Fprintln(out, w)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%s: %d rows aren't shown", table, len(wrong))
	}
	fmt.Fprintf(out, "features: %d rows of %s are shown by tests that passed\n", len(rows), table)
	return nil
}
