// Command webapp is a small web app that signs people in: who am I, my photo, my
// manager, where am I signed in, sign out, sign out everywhere.
//
//	go run ./examples/webapp
//
// works at once: it signs in at a pretend Entra ID, keeps sessions and tokens in
// SQLite, and encrypts the tokens with a key that it makes at the first start,
// in a file that only its user can read. Open the address that it prints. The
// certificates of app and identity provider are self-signed, so the browser
// warns of each once.
//
// # Settings
//
// Environment variables, all of which may be missing:
//
//   - WEBAPP_LISTEN: where it listens; 127.0.0.1:8443. With port 0 any that is free.
//   - WEBAPP_DATA: the directory for all that it keeps; default: the system's for
//     such data.
//   - DOMAIN: the address that people see, such as https://app.example; default:
//     https://localhost and the port.
//   - WEBAPP_TLS: "off" where something in front of it speaks TLS.
//   - WEBAPP_CERT, WEBAPP_CERT_KEY: files with a certificate and its key, PEM.
//
// A real tenant, in which the app is registered as platform "Web" with
// DOMAIN/user/authorized as redirect URI:
//
//   - SP_APP_ID, SP_APP_PW, SP_AUTHORITY: client id, secret, authority.
//   - SCOPES: what people consent to; "User.Read", with User.Read.All for the
//     manager.
//
// Several servers that share their users by Redis:
//
//   - REDIS: redis://user:password@host:port/db, rediss:// with TLS; or host:port
//     alone.
//   - WEBAPP_REDIS_MASTER: what Sentinel calls the master. REDIS is the addresses
//     of the Sentinels then, host:port with commas between.
//   - WEBAPP_REPLICAS: how many replicas must have what counts.
//   - WEBAPP_KEY: the key that encrypts tokens, 32 bytes in base64, as "openssl
//     rand -base64 32" prints. All servers need the same.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "webapp:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	s, err := readSettings()
	if err != nil {
		return err
	}
	listener, err := s.listen()
	if err != nil {
		return err
	}
	defer listener.Close()
	provider, err := s.provider()
	if err != nil {
		return err
	}
	defer provider.close()
	kept, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.close()) }()
	a, err := newApp(s, provider, kept)
	if err != nil {
		return err
	}
	fmt.Printf("%s (signs in %s; keeps tokens %s)\n", s.web.BaseURL, provider.about, kept.about())
	err = s.serve(ctx, listener, a.handler())
	return errors.Join(err, a.web.Close(context.WithoutCancel(ctx)))
}
