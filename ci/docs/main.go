// Command docs makes what ci/docs/run needs to try the documents as a stranger
// would:
//
//	docs script FILE.md...   prints the commands of the documents as one script
//	docs proxy DIRECTORY     adds this module to a module proxy of files
//
// Both work in the module's root.
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) >= 2 && args[0] == "script":
		return script(args[1:])
	case len(args) == 2 && args[0] == "proxy":
		return proxy(".", args[1])
	}
	return errors.New("want script FILE... or proxy DIRECTORY")
}

// script prints what is run, and tells on standard error what isn't.
func script(files []string) error {
	fmt.Println("set -euo pipefail")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		blocks, err := blocksOf(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		fmt.Println(`cd "$HOME"`)
		for _, b := range blocks {
			if b.reason != "" {
				fmt.Fprintf(os.Stderr, "docs: not run: %s:%d: %s\n", file, b.line, reasons[b.reason])
				continue
			}
			fmt.Printf("echo '--- %s:%d'\n%s", file, b.line, b.commands)
		}
	}
	return nil
}
