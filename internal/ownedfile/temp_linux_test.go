package ownedfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/internal/ownedfile"
)

// A writer that died a moment ago shows by its lock, not by the file's age.
func TestTempsOfTheDead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	alive, err := ownedfile.CreateTemp(filepath.Join(dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	dead, err := ownedfile.CreateTemp(filepath.Join(dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close()
	old := time.Now().Add(-2 * time.Hour) // it may have been stopped for long
	if err := os.Chtimes(alive.Name(), old, old); err != nil {
		t.Fatal(err)
	}
	ownedfile.RemoveStaleTemps(dir, time.Hour)
	if _, err := os.Stat(dead.Name()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the dead writer's file stayed: %v", err)
	}
	if _, err := os.Stat(alive.Name()); err != nil {
		t.Errorf("the living writer's file is gone: %v", err)
	}
}

// A sweep that meets a file which is just being created doesn't take it away
// from its writer.
func TestSweepDuringCreation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	over := make(chan struct{})
	var sweeps sync.WaitGroup
	for range 2 {
		sweeps.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					ownedfile.RemoveStaleTemps(dir, time.Hour)
				}
			}
		})
	}
	for range 2000 {
		f, err := ownedfile.CreateTemp(filepath.Join(dir, "cache"))
		if err != nil {
			t.Error(err)
			break
		}
		if err := ownedfile.Publish(t.Context(), f, filepath.Join(dir, "cache")); err != nil {
			t.Error(err)
			break
		}
	}
	close(over)
	sweeps.Wait()
}
