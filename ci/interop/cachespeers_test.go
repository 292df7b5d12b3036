//go:build interop

package interop_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A cachePeer is an MSAL library beside this module: that of another language
// with its own extensions, which ci/peers has a program of, or MSAL for Go.
type cachePeer struct {
	name    string
	command []string
	env     []string
	preset  string // of ours, to share a file with it
}

const (
	python = "python"
	node   = "node"
	java   = "java"
	plain  = "msal-go"
)

func cachePeers(t *testing.T) []cachePeer {
	t.Helper()
	installed, programs := peersInstalled(t), absolute(t, "../peers")
	at := filepath.Join
	return []cachePeer{
		{python, []string{at(installed, "python", "bin", "python"), at(programs, "python", "cache.py")}, nil, "python"},
		{node, []string{"node", at(programs, "node", "cache.cjs")}, []string{"NODE_PATH=" + at(installed, "node", "node_modules")}, "node"},
		// No preset: its lock isn't the others'.
		{java, []string{"java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djdk.httpclient.allowRestrictedHeaders=host",
			"-cp", at(installed, "java", "*"), at(programs, "java", "Cache.java")}, nil, ""},
		{plain, nil, nil, "msal-go"},
	}
}

// peersInstalled is where ci/peers/install puts the libraries.
func peersInstalled(t *testing.T) string {
	t.Helper()
	cache := os.Getenv("MSALEXT_CACHE")
	if cache == "" {
		cache = "../../.cache"
	}
	dir := absolute(t, filepath.Join(cache, "peers"))
	for _, part := range []string{"python", "node/node_modules", "java"} {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(part))); err != nil {
			t.Fatalf("the libraries of other languages aren't installed, run ci/peers/install: %v", err)
		}
	}
	return dir
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// start runs a program of the peer until the test ends.
func (p *place) start(peer cachePeer) app {
	p.Helper()
	if peer.name == plain {
		return p.plainApp()
	}
	cmd := exec.CommandContext(p.Context(), peer.command[0], append(peer.command[1:len(peer.command):len(peer.command)], p.path, p.authority)...)
	cmd.Env = append(append(os.Environ(), peer.env...), p.srv.Env()...)
	in, err := cmd.StdinPipe()
	if err != nil {
		p.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.Fatal(err)
	}
	a := &peerApp{p.T, peer.name, in, bufio.NewScanner(out), &bytes.Buffer{}}
	cmd.Stderr = a.stderr
	if err := cmd.Start(); err != nil {
		p.Fatalf("starting %s: %v", peer.name, err)
	}
	p.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // how it ends doesn't matter: each command was answered
	})
	return a
}

// peerApp is a running program of ci/peers.
type peerApp struct {
	*testing.T
	name   string
	in     io.Writer
	out    *bufio.Scanner
	stderr *bytes.Buffer // to be read once the program has ended
}

type peerAnswer struct {
	Token    string
	Accounts []string
	Error    string
}

// answerTimeout is ten times what the slowest command takes, the first of a
// Java program on a busy machine.
const answerTimeout = 2 * time.Minute

func (a *peerApp) do(command string) peerAnswer {
	a.Helper()
	answered := make(chan bool, 1)
	go func() {
		_, err := fmt.Fprintln(a.in, command)
		answered <- err == nil && a.out.Scan()
	}()
	select {
	case ok := <-answered:
		if !ok {
			a.Fatalf("%s ended at %q: %s", a.name, command, a.stderr)
		}
	case <-time.After(answerTimeout):
		a.Fatalf("%s doesn't answer %q", a.name, command)
	}
	var answer peerAnswer
	if err := json.Unmarshal(a.out.Bytes(), &answer); err != nil {
		a.Fatalf("%s answered %q with %q: %v", a.name, command, a.out.Bytes(), err)
	}
	if answer.Error != "" {
		a.Fatalf("%s at %q: %s", a.name, command, answer.Error)
	}
	return answer
}

func (a *peerApp) signIn(user string) string { a.Helper(); return a.do("sign-in " + user).Token }
func (a *peerApp) silent(user string) string { a.Helper(); return a.do("silent " + user).Token }
func (a *peerApp) signOut(user string)       { a.Helper(); a.do("sign-out " + user) }
func (a *peerApp) accounts() []string        { a.Helper(); return a.do("accounts").Accounts }
func (a *peerApp) application() string       { a.Helper(); return a.do("application").Token }
