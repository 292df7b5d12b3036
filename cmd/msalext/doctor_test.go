package main

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// wordless starts a Redis server that knows no command but those it is given, and
// says where: wordless ADDRESS [COMMAND…].
func wordless(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: wordless VARIABLE [COMMAND…]")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], l.Addr().String())
	known := args[1:]
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answer(conn, known)
		}
	}()
}

// answer answers each command, which is an array of strings: *2, $4, PING, $1, x.
func answer(conn net.Conn, known []string) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		var count int
		if _, err := fmt.Sscanf(lines.Text(), "*%d", &count); err != nil {
			return
		}
		words := make([]string, count)
		for i := range words {
			lines.Scan() // its length
			if !lines.Scan() {
				return
			}
			words[i] = strings.ToUpper(lines.Text())
		}
		text := "-ERR unknown command\r\n"
		if slices.Contains(known, words[0]) {
			text = "+OK\r\n"
		}
		if _, err := conn.Write([]byte(text)); err != nil {
			return
		}
	}
}
