package redisstore_test

import (
	"context"
	"fmt"
	"log"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/web"
	"github.com/msalext/msalext/msal/web/redisstore"
)

// A web app keeps its sessions on the master that Sentinel names; each counts
// once the one replica has it.
func ExampleNew() {
	client := goredis.NewFailoverClient(&goredis.FailoverOptions{MasterName: "sessions", SentinelAddrs: []string{"sentinel.example:26379"}})
	defer client.Close()
	app, err := web.New(web.Config{
		// ClientID, Authority, Credential, BaseURL and Tokens as always
		Store: redisstore.New(client, &redisstore.Options{Replicas: 1}),
	})
	if err != nil {
		log.Print(err)
		return
	}
	defer app.Close(context.Background())
}

// A nightly job reads mail as somebody who is signed in to the web app, and uses
// the app's own stores. What it refreshes the app finds.
func ExampleSessions_Token() {
	job := func(ctx context.Context, client goredis.UniversalClient, tokens *persist.Persistence, credential msal.Credential) error {
		sessions := &redisstore.Sessions{
			Store: redisstore.New(client, nil), Tokens: tokens,
			NewClient: func(c *persist.PersistedTokenCache) (*msal.Confidential, error) {
				return msal.NewConfidential("client-id", credential, &msal.Options{Authority: "https://login.microsoftonline.com/contoso.example", Cache: c})
			},
		}
		token, err := sessions.Token(ctx, "alice@contoso.example", "Mail.Read")
		if err != nil {
			return err
		}
		fmt.Println("until", token.Expires)
		return nil
	}
	_ = job
}

// Somebody has left the company: all of their sessions end, in every browser.
// Sessions that only the web app can decode aren't found, so it's an error if
// there are any.
func ExampleSessions_FindAccount() {
	signOut := func(ctx context.Context, sessions *redisstore.Sessions, account string) error {
		for session, err := range sessions.FindAccount(ctx, account) {
			if err != nil {
				return err
			}
			if _, err := sessions.End(ctx, session); err != nil {
				return err
			}
		}
		for session, err := range sessions.Unreadable(ctx) {
			if err == nil {
				err = session.Err
			}
			return err
		}
		return nil
	}
	_ = signOut
}
