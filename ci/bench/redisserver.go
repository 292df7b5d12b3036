package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// redisServer is a redis-server of this run's own on loopback, which writes
// nothing to disk.
type redisServer struct {
	cmd     *exec.Cmd
	address string
	dir     string
}

func (b *bench) redisServer(ctx context.Context) (*redisServer, error) {
	dir, err := os.MkdirTemp(b.memory, "redis-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &redisServer{address: net.JoinHostPort("127.0.0.1", port), dir: dir}
	s.cmd = exec.CommandContext(ctx, "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", dir,
		"--save", "", "--appendonly", "no", "--logfile", filepath.Join(dir, "log"))
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("install redis-server: %w", err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if out, err := s.ask(ctx, "ping"); err == nil && out == "PONG" {
			return s, nil
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(errors.New("redis-server doesn't answer"), s.end())
		}
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), l.Close()
}

// ask runs a command by redis-cli.
func (s *redisServer) ask(ctx context.Context, args ...string) (string, error) {
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, "redis-cli", append([]string{"-p", port, "--raw"}, args...)...).Output()
	return strings.TrimSuffix(string(out), "\n"), err
}

func (s *redisServer) end() error {
	err := s.cmd.Process.Kill()
	_ = s.cmd.Wait() // it was killed
	return errors.Join(err, os.RemoveAll(s.dir))
}
