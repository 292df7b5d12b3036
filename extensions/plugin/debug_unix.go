//go:build msalext_debug && unix

package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/peercred"
	"github.com/msalext/msalext/internal/wire"
	"google.golang.org/grpc"
)

// serveDebug serves b in this process, which a debugger may hold, to each
// plugin process of the same build and user: those that hosts start pass on to
// here what they are asked. It serves until it is interrupted, and exits.
func serveDebug(b backend.Backend) {
	name := b.Describe().Name
	listener, err := listenDebug(name)
	if err != nil {
		quit(wire.ExitUnavailable, "the plugin can't be debugged: "+wire.Clean(err.Error()))
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})))
	fmt.Fprintf(os.Stderr, "process %d serves %s until it is interrupted: attach the debugger, and start a program that uses this plugin\n",
		os.Getpid(), wire.Clean(name))
	server := grpc.NewServer(append(wire.ServerOptions(), grpc.Creds(peercred.Check{}.Credentials()))...)
	service := wire.Register(server, b)
	registerHealth(server)
	registerController(server, func() {}) // the next host finds it as the last one did
	interrupted, forget := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer forget()
	context.AfterFunc(interrupted, server.Stop)
	if err := server.Serve(listener); err != nil {
		slog.Error("the plugin can't serve any more", "err", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := service.Close(ctx); err != nil {
		slog.Warn("the plugin ends although a call is running", "err", err)
	}
	os.Exit(wire.ExitDone)
}

// debugSocket is where the process listens that is being debugged: in a
// directory that only this user can have made.
func debugSocket(name string) (string, error) {
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "msalext", "debug", filepath.Base(name)), err
}

var errDebugged = errors.New("another process serves it for debugging already")

func listenDebug(name string) (net.Listener, error) {
	path, err := debugSocket(name)
	if err != nil {
		return nil, err
	}
	if conn := debugged(name); conn != nil {
		_ = conn.Close()
		return nil, errDebugged
	}
	_ = os.Remove(path) // left by one that was killed
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return net.Listen("unix", path)
}

// debugged connects to the process of this user that is being debugged; nil:
// there is none.
func debugged(name string) net.Conn {
	path, err := debugSocket(name)
	if err != nil {
		return nil
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		return nil
	}
	if err := (peercred.Check{}).Conn(conn); err != nil {
		_ = conn.Close()
		return nil
	}
	return conn
}
