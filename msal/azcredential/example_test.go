package azcredential_test

import (
	"context"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/azcredential"
	"github.com/msalext/msalext/msal/msaltest"
)

// A client of the Azure SDK takes the credential.
func ExampleNew() {
	entra := msaltest.New(nil)
	defer entra.Close()
	secret, err := msal.Secret("the application's")
	if err != nil {
		fmt.Println(err)
		return
	}
	app, err := msal.NewConfidential("app", secret, &msal.Options{
		Authority: entra.Authority(), HTTPClient: entra.Client(), DisableInstanceDiscovery: true, Capabilities: []string{"cp1"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// For a person's: azcredential.New(client, &azcredential.Options{Account: &account})
	var credential azcore.TokenCredential = azcredential.New(msal.OwnTokens(app), nil)
	token, err := credential.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.Token != "", time.Until(token.ExpiresOn) > time.Minute)
	// Output: true true
}
